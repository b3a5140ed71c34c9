//! The configuration slot: a section `.gccfg` of the agent's program (PE or
//! ELF) that the server fills when it gives the program out. The section is
//! found by its name in the program's own tables, never by looking for bytes.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use object::pe::{IMAGE_SUBSYSTEM_WINDOWS_GUI, ImageDosHeader, ImageFileHeader};
use object::{Object as _, ObjectSection as _};
use serde::{Deserialize, Serialize};

/// Name of the section.
pub const SECTION: &str = ".gccfg";

/// Size of the slot, in bytes.
pub const SLOT_BYTES: usize = 4096;

/// What every slot begins with.
pub const MAGIC: [u8; 16] = *b"GURUCONNECT-CFG1";

/// A slot as the compiler makes it.
pub const EMPTY: [u8; SLOT_BYTES] = {
    let mut slot = [0; SLOT_BYTES];
    let mut at = 0;
    while at < MAGIC.len() {
        slot[at] = MAGIC[at];
        at += 1;
    }
    slot
};

/// Magic, length, signature and public key stand before the JSON.
const HEAD_BYTES: usize = 16 + 4 + 64 + 32;

/// Longest configuration, in bytes.
const MAX_JSON_BYTES: usize = SLOT_BYTES - HEAD_BYTES;

/// Largest program, in bytes: 64 MiB, ten times a real one.
const MAX_PROGRAM_BYTES: usize = 64 * 1024 * 1024;

/// Longest address of a server, in bytes.
const MAX_SERVER_BYTES: usize = 512;

/// Longest brand name, in bytes.
const MAX_BRAND_BYTES: usize = 128;

/// Of the field `Subsystem` in the optional header, in bytes (Microsoft's "PE Format").
const SUBSYSTEM_OFFSET: usize = 68;

/// What is signed before the JSON.
const CONTEXT: &[u8] = b"guruconnect slot v1\0";

/// What a downloaded program knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotConfig {
    /// Address of the server, like `https://support.example.com`.
    pub server: String,
    /// Base64 of the server's Ed25519 key.
    pub server_public_key: String,
    /// What the operator calls itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
}

/// Why a slot cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SlotError {
    /// Neither PE nor ELF, or damaged.
    #[error("this is no program that GuruConnect knows")]
    NotAProgram,
    /// A program without one, or with more than one.
    #[error("the program has no configuration slot")]
    NoSlot,
    /// Not what the server writes.
    #[error("the program's configuration is damaged: download it again")]
    Damaged,
    /// The signature is not the key's.
    #[error("the program's configuration was changed by somebody: download it again")]
    Signature,
    /// More than fits.
    #[error("the configuration does not fit into the slot")]
    TooLong,
}

/// Where the slot of a program is, in its file.
///
/// # Errors
/// [`SlotError::NotAProgram`] and [`SlotError::NoSlot`].
pub fn find(program: &[u8]) -> Result<Range<usize>, SlotError> {
    if program.len() > MAX_PROGRAM_BYTES {
        return Err(SlotError::NotAProgram);
    }
    let file = object::File::parse(program).map_err(|_| SlotError::NotAProgram)?;
    let mut found = file
        .sections()
        .filter(|section| section.name_bytes() == Ok(SECTION.as_bytes()));
    let section = found.next().ok_or(SlotError::NoSlot)?;
    if found.next().is_some() {
        return Err(SlotError::NoSlot);
    }
    let (start, length) = section.file_range().ok_or(SlotError::NoSlot)?;
    let start = usize::try_from(start).map_err(|_| SlotError::NoSlot)?;
    let end = start.checked_add(SLOT_BYTES).ok_or(SlotError::NoSlot)?;
    // The linker may round the section up; the slot is its beginning.
    let fits = length >= SLOT_BYTES as u64 && end <= program.len();
    let range = start..end;
    if !fits || !program[range.clone()].starts_with(&MAGIC) {
        return Err(SlotError::NoSlot);
    }
    Ok(range)
}

/// Fills the slot of a program, whatever was in it. A program for Windows becomes one with
/// windows: whoever downloads it opens it by a double click, and sees no console.
///
/// # Errors
/// See [`SlotError`].
pub fn write(
    program: &mut [u8],
    config: &SlotConfig,
    signer: &SigningKey,
) -> Result<(), SlotError> {
    let range = find(program)?;
    let slot = fill(config, signer)?;
    if let Some(subsystem) = subsystem(program)? {
        program[subsystem].copy_from_slice(&IMAGE_SUBSYSTEM_WINDOWS_GUI.to_le_bytes());
    }
    program[range].copy_from_slice(&slot);
    Ok(())
}

/// Where a program for Windows says whether it has windows or a console; `None` for others.
fn subsystem(program: &[u8]) -> Result<Option<Range<usize>>, SlotError> {
    if !program.starts_with(b"MZ") {
        return Ok(None);
    }
    let header = ImageDosHeader::parse(program).map_err(|_| SlotError::NotAProgram)?;
    let start = usize::try_from(header.nt_headers_offset()).map_err(|_| SlotError::NotAProgram)?;
    // The optional header comes after the signature and the file header, and has
    // the field at the same place in programs of 32 and of 64 bits.
    let field = start
        .checked_add(size_of::<u32>() + size_of::<ImageFileHeader>() + SUBSYSTEM_OFFSET)
        .ok_or(SlotError::NotAProgram)?;
    let range = field..field + size_of::<u16>();
    let is_there = program.get(range.clone()).is_some();
    is_there
        .then_some(Some(range))
        .ok_or(SlotError::NotAProgram)
}

/// A filled slot.
///
/// # Errors
/// [`SlotError::TooLong`], and [`SlotError::Signature`] when `config` names another key than the signer's.
pub fn fill(config: &SlotConfig, signer: &SigningKey) -> Result<[u8; SLOT_BYTES], SlotError> {
    check(config)?;
    let key = signer.verifying_key().to_bytes();
    if config.server_public_key != BASE64.encode(key) {
        return Err(SlotError::Signature);
    }
    let json = serde_json::to_vec(config).map_err(|_| SlotError::Damaged)?;
    if json.len() > MAX_JSON_BYTES {
        return Err(SlotError::TooLong);
    }
    let signature = signer.sign(&[CONTEXT, &json].concat()).to_bytes();
    let length = u32::try_from(json.len()).map_err(|_| SlotError::TooLong)?;
    let content = [&MAGIC[..], &length.to_le_bytes(), &signature, &key, &json].concat();
    let mut slot = [0; SLOT_BYTES];
    slot[..content.len()].copy_from_slice(&content);
    Ok(slot)
}

/// What a program knows; `None` for an empty slot.
///
/// # Errors
/// See [`SlotError`].
pub fn read(program: &[u8]) -> Result<Option<SlotConfig>, SlotError> {
    parse(&program[find(program)?])
}

/// What a slot says; `None` when it is empty.
///
/// # Errors
/// [`SlotError::Damaged`] and [`SlotError::Signature`].
pub fn parse(slot: &[u8]) -> Result<Option<SlotConfig>, SlotError> {
    let rest = slot.strip_prefix(&MAGIC).ok_or(SlotError::Damaged)?;
    let (length, rest) = rest.split_first_chunk::<4>().ok_or(SlotError::Damaged)?;
    let length = u32::from_le_bytes(*length) as usize;
    if length == 0 {
        return Ok(None);
    }
    let (signature, rest) = rest.split_first_chunk::<64>().ok_or(SlotError::Damaged)?;
    let (key, rest) = rest.split_first_chunk::<32>().ok_or(SlotError::Damaged)?;
    let json = rest.get(..length).ok_or(SlotError::Damaged)?;
    if length > MAX_JSON_BYTES {
        return Err(SlotError::Damaged);
    }
    VerifyingKey::from_bytes(key)
        .and_then(|key| {
            let message = [CONTEXT, json].concat();
            key.verify_strict(&message, &Signature::from_bytes(signature))
        })
        .map_err(|_| SlotError::Signature)?;
    let config: SlotConfig = serde_json::from_slice(json).map_err(|_| SlotError::Damaged)?;
    check(&config).map_err(|_| SlotError::Damaged)?;
    if config.server_public_key != BASE64.encode(key) {
        return Err(SlotError::Signature);
    }
    Ok(Some(config))
}

fn check(config: &SlotConfig) -> Result<(), SlotError> {
    let brand = config.brand.as_ref().map_or(0, String::len);
    if config.server.len() > MAX_SERVER_BYTES || brand > MAX_BRAND_BYTES {
        return Err(SlotError::TooLong);
    }
    Ok(())
}
