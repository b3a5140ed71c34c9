//! What a machine's maker wrote into its firmware, as Windows hands it over.
//! <https://www.dmtf.org/standards/smbios>

/// Before the tables: how they were found, their version, and their length.
const HEADER_BYTES: usize = 8;

/// Type, length and handle of a structure.
const STRUCTURE_BYTES: usize = 4;

/// The type of the structure that describes the machine as a whole, which begins with four
/// numbers of texts before its id.
const SYSTEM: u8 = 1;

/// The last structure.
const END: u8 = 127;

/// The id of the hardware; `None` where its maker gave it none.
pub fn system_uuid(tables: &[u8]) -> Option<[u8; 16]> {
    let mut rest = tables.get(HEADER_BYTES..)?;
    loop {
        let &[kind, length, ..] = rest else {
            return None;
        };
        let length = usize::from(length);
        let structure = rest.get(..length)?;
        if length < STRUCTURE_BYTES || kind == END {
            return None;
        }
        if kind == SYSTEM {
            let uuid = structure.get(8..24)?.try_into().ok()?;
            // "Not set" and "not there".
            return Some(uuid).filter(|uuid| *uuid != [0; 16] && *uuid != [0xff; 16]);
        }
        // Its texts follow, each with a zero at its end, and one more zero.
        let texts = &rest[length..];
        let end = texts.windows(2).position(|pair| pair == [0, 0])?;
        rest = &texts[end + 2..];
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const UUID: [u8; 16] = *b"an id of a maker";

    fn structure(kind: u8, content: &[u8], texts: &[u8]) -> Vec<u8> {
        let length = (STRUCTURE_BYTES + content.len()) as u8;
        [&[kind, length, 0, 0], content, texts, &[0, 0]].concat()
    }

    fn tables(structures: &[Vec<u8>]) -> Vec<u8> {
        [vec![0; HEADER_BYTES], structures.concat()].concat()
    }

    fn system(uuid: [u8; 16]) -> Vec<u8> {
        structure(
            SYSTEM,
            &[&[1, 2, 3, 4], &uuid[..], &[6, 0, 0]].concat(),
            b"Maker\0Model",
        )
    }

    #[test]
    fn the_id_of_the_hardware_is_found_behind_other_structures() {
        let bios = structure(0, &[1; 20], b"BIOS of somebody\x001.0");

        let found = system_uuid(&tables(&[bios, structure(2, &[], b""), system(UUID)]));

        assert_eq!(found, Some(UUID));
    }

    #[test]
    fn hardware_without_an_id_has_none() {
        let old = structure(SYSTEM, &[1, 2, 3, 4], b"Maker");
        for structures in [
            vec![],
            vec![old],
            vec![system([0; 16])],
            vec![system([0xff; 16])],
            vec![structure(END, &[], b""), system(UUID)],
        ] {
            assert_eq!(system_uuid(&tables(&structures)), None, "{structures:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_have_an_id_or_none(bytes in prop::collection::vec(0_u8..4, 0..200)) {
            let _either = system_uuid(&bytes);
        }
    }
}
