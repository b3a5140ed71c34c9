//! The configuration slot, in programs that are made here and in hostile files.
//! The agent's own programs are in the agent's tests.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::SigningKey;
use gc_installer::slot::{
    EMPTY, MAGIC, SLOT_BYTES, SlotConfig, SlotError, fill, find, parse, read, write,
};
use proptest::prelude::*;

fn key() -> SigningKey {
    SigningKey::from_bytes(&[3; 32])
}

fn config() -> SlotConfig {
    SlotConfig {
        server: "https://support.example.com".to_owned(),
        server_public_key: BASE64.encode(key().verifying_key().to_bytes()),
        brand: Some("Example".to_owned()),
    }
}

/// A small 64-bit ELF file whose sections have these names and contents.
fn elf(sections: &[(&str, &[u8])]) -> Vec<u8> {
    let mut names = vec![0_u8];
    let mut content = Vec::new();
    let mut table = vec![[0_u8; 64]];
    let mut add =
        |names: &mut Vec<u8>, content: &mut Vec<u8>, name: &str, data: &[u8], kind: u32| {
            let mut header = [0_u8; 64];
            header[..4].copy_from_slice(&(names.len() as u32).to_le_bytes());
            header[4..8].copy_from_slice(&kind.to_le_bytes());
            header[24..32].copy_from_slice(&(64 + content.len() as u64).to_le_bytes());
            header[32..40].copy_from_slice(&(data.len() as u64).to_le_bytes());
            names.extend_from_slice(name.as_bytes());
            names.push(0);
            content.extend_from_slice(data);
            table.push(header);
        };
    for (name, data) in sections {
        add(&mut names, &mut content, name, data, 1);
    }
    let all = [&names[..], b".shstrtab\0"].concat();
    add(&mut names, &mut content, ".shstrtab", &all, 3);
    let mut file = vec![0_u8; 64];
    file[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
    file[16..20].copy_from_slice(&[2, 0, 62, 0]);
    file[20] = 1;
    file[40..48].copy_from_slice(&(64 + content.len() as u64).to_le_bytes());
    file[52..54].copy_from_slice(&64_u16.to_le_bytes());
    file[58..60].copy_from_slice(&64_u16.to_le_bytes());
    file[60..62].copy_from_slice(&(table.len() as u16).to_le_bytes());
    file[62..64].copy_from_slice(&(table.len() as u16 - 1).to_le_bytes());
    file.extend_from_slice(&content);
    file.extend(table.iter().flatten());
    file
}

#[test]
fn a_program_reads_what_the_server_wrote() {
    let mut program = elf(&[
        (".text", &[0x90; 32]),
        (".gccfg", &EMPTY),
        (".data", &[1; 8]),
    ]);
    assert_eq!(read(&program), Ok(None));
    let before = program.clone();

    write(&mut program, &config(), &key()).expect("a slot");

    assert_eq!(read(&program), Ok(Some(config())));
    let slot = find(&program).expect("a slot");
    assert_eq!(program[..slot.start], before[..slot.start]);
    assert_eq!(program[slot.end..], before[slot.end..]);
    let other = SlotConfig {
        brand: None,
        ..config()
    };
    write(&mut program, &other, &key()).expect("a slot is written over");
    assert_eq!(read(&program), Ok(Some(other)));
}

/// A small program for Windows with one section, which has a console.
fn pe(wide: bool) -> Vec<u8> {
    let optional = if wide { 112 } else { 96 };
    let data = 64 + 4 + 20 + optional + 40;
    let mut file = vec![0_u8; data];
    let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, b"MZ");
    put(60, &64_u32.to_le_bytes());
    put(64, b"PE\0\0");
    let machine: u16 = if wide { 0x8664 } else { 0x014c };
    put(68, &machine.to_le_bytes());
    put(70, &1_u16.to_le_bytes());
    put(84, &(optional as u16).to_le_bytes());
    put(88, &if wide { 0x20b_u16 } else { 0x10b }.to_le_bytes());
    put(88 + 68, &3_u16.to_le_bytes());
    let section = 88 + optional;
    put(section, b".gccfg\0\0");
    put(section + 8, &(SLOT_BYTES as u32).to_le_bytes());
    put(section + 16, &(SLOT_BYTES as u32).to_le_bytes());
    put(section + 20, &(data as u32).to_le_bytes());
    file.extend_from_slice(&EMPTY);
    file
}

#[test]
fn a_program_for_windows_gets_a_window_in_place_of_its_console_and_nothing_else() {
    for wide in [false, true] {
        let mut program = pe(wide);
        let before = program.clone();

        write(&mut program, &config(), &key()).expect("a slot");

        assert_eq!(read(&program), Ok(Some(config())));
        let slot = find(&program).expect("a slot");
        let changed: Vec<usize> = (0..slot.start)
            .filter(|&at| program[at] != before[at])
            .collect();
        assert_eq!(changed, [88 + 68]);
        assert_eq!(program[88 + 68], 2);
    }
}

#[test]
fn the_magic_somewhere_else_is_no_slot() {
    for (program, error) in [
        (elf(&[(".data", &EMPTY)]), SlotError::NoSlot),
        (
            elf(&[(".gccfg", &EMPTY), (".gccfg", &EMPTY)]),
            SlotError::NoSlot,
        ),
        (elf(&[(".gccfg", &EMPTY[..64])]), SlotError::NoSlot),
        (elf(&[(".gccfg", &[0; SLOT_BYTES])]), SlotError::NoSlot),
        (EMPTY.to_vec(), SlotError::NotAProgram),
        (Vec::new(), SlotError::NotAProgram),
    ] {
        assert_eq!(read(&program), Err(error));
    }
}

#[test]
fn this_test_itself_is_a_program_without_a_slot() {
    let program = std::fs::read(std::env::current_exe().expect("a path")).expect("readable");

    assert_eq!(read(&program), Err(SlotError::NoSlot));
}

#[test]
fn a_changed_configuration_is_refused() {
    let filled = fill(&config(), &key()).expect("fits");
    let changed = |at: usize| {
        let mut slot = filled;
        slot[at] ^= 1;
        parse(&slot)
    };

    assert_eq!(changed(0), Err(SlotError::Damaged));
    assert_eq!(changed(24), Err(SlotError::Signature));
    assert!(changed(90).is_err());
    assert_eq!(changed(130), Err(SlotError::Signature));
}

#[test]
fn a_configuration_that_names_another_key_is_not_written() {
    let foreign = SlotConfig {
        server_public_key: BASE64.encode([0; 32]),
        ..config()
    };

    assert_eq!(fill(&foreign, &key()), Err(SlotError::Signature));
}

#[test]
fn what_does_not_fit_is_refused() {
    let long = SlotConfig {
        server: format!("https://{}", "a".repeat(SLOT_BYTES)),
        ..config()
    };

    assert_eq!(fill(&long, &key()), Err(SlotError::TooLong));
}

proptest! {
    #[test]
    fn hostile_files_are_refused_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        prop_assert!(read(&bytes).is_err());
    }

    #[test]
    fn damaged_programs_never_break_the_reader(changes in prop::collection::vec((0_usize..4_700, any::<u8>()), 1..12)) {
        let mut program = elf(&[(".text", &[0x90; 32]), (".gccfg", &EMPTY)]);
        for (at, value) in changes {
            if let Some(byte) = program.get_mut(at) { *byte = value; }
        }
        if let Ok(range) = find(&program) {
            prop_assert!(range.end <= program.len() && program[range].starts_with(&MAGIC));
        }
        let _ = read(&program);
        let _ = write(&mut program, &config(), &key());
    }

    #[test]
    fn hostile_slots_are_refused_without_harm(length in any::<u32>(), rest in prop::collection::vec(any::<u8>(), 0..SLOT_BYTES)) {
        let slot = [&MAGIC[..], &length.to_le_bytes(), &rest].concat();
        prop_assert!(!matches!(parse(&slot), Ok(Some(_))));
    }

    #[test]
    fn every_configuration_that_fits_comes_back(server in "https://[a-z.]{1,80}", brand in prop::option::of("\\PC{0,30}")) {
        let config = SlotConfig { server, brand, ..config() };
        prop_assert_eq!(parse(&fill(&config, &key()).expect("fits")), Ok(Some(config)));
    }
}
