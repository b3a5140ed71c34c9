//! The configuration slot of the program that customers download: a section of
//! the file that says which server it belongs to, signed by this server. The
//! section is found by its name in the file's headers, never by its content.

use std::ops::Range;

use ed25519_dalek::{Signer as _, SigningKey};
use object::{Object as _, ObjectSection as _};
use serde::Serialize;

/// Name of the section.
const SECTION: &str = ".gccfg";

/// Size of the section, in bytes.
const SLOT_BYTES: usize = 4096;

const MAGIC: &[u8; 16] = b"GURUCONNECT-CFG1";

/// What the signature is over, in front of the JSON.
const CONTEXT: &[u8] = b"guruconnect slot v1\0";

/// Magic, length, signature, public key.
const HEAD_BYTES: usize = 16 + 4 + 64 + 32;

/// What the program learns.
#[derive(Debug, Serialize)]
pub(super) struct SlotConfig {
    /// Where the server is, `https://host`.
    pub(super) server: String,
    /// Ed25519, base64.
    pub(super) server_public_key: String,
    /// The company, as its window shows it.
    pub(super) brand: String,
}

/// The slot could not be filled.
#[derive(Debug, thiserror::Error)]
pub(super) enum SlotError {
    /// Not a program that was built for this.
    #[error("the program has no configuration slot")]
    NoSlot,
    /// More than the slot holds.
    #[error("the configuration is larger than the slot")]
    TooLarge,
}

/// Fills the slot of `program`.
pub(super) fn write(
    program: &mut [u8],
    config: &SlotConfig,
    signer: &SigningKey,
) -> Result<(), SlotError> {
    let range = find(program).ok_or(SlotError::NoSlot)?;
    let slot = &mut program[range];
    if slot.get(..MAGIC.len()) != Some(MAGIC) {
        return Err(SlotError::NoSlot);
    }
    let json = serde_json::to_vec(config).map_err(|_| SlotError::TooLarge)?;
    if json.len() > SLOT_BYTES - HEAD_BYTES {
        return Err(SlotError::TooLarge);
    }
    let length = u32::try_from(json.len()).map_err(|_| SlotError::TooLarge)?;
    let signature = signer.sign(&[CONTEXT, &json].concat());
    let content = [
        MAGIC.as_slice(),
        &length.to_le_bytes(),
        &signature.to_bytes(),
        signer.verifying_key().as_bytes(),
        &json,
    ]
    .concat();
    slot.fill(0);
    slot[..content.len()].copy_from_slice(&content);
    Ok(())
}

/// Where the slot is, by the headers of an ELF or PE file.
fn find(program: &[u8]) -> Option<Range<usize>> {
    let file = object::File::parse(program).ok()?;
    let (start, length) = file.section_by_name(SECTION)?.file_range()?;
    let start = usize::try_from(start).ok()?;
    // A PE section is padded to its alignment.
    let end = start.checked_add(SLOT_BYTES)?;
    let fits = length >= SLOT_BYTES as u64 && end <= program.len();
    fits.then_some(start..end)
}
