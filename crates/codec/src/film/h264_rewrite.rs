//! An H.264 frame as we say it, whatever encoder made it. Those of machines' hardware differ in
//! what they say beside the picture: many name no colours, or the narrow range, and few that
//! pictures come in the order in which they are shown, without which a decoder keeps some back.

use super::h264_header::{SEQUENCE_PARAMETERS, Sequence, units};

/// Units that a decoder needs for nothing: what is beside the picture (which may refer to parts of
/// the parameters that are written anew here), delimiters, ends, and bytes that fill a rate.
const BESIDE_THE_PICTURE: [u8; 5] = [6, 9, 10, 11, 12];

/// ITU-T H.264, tables E-2 to E-5: no kind of tape; primaries and matrix of BT.709, the transfer
/// of screens (sRGB).
const UNSPECIFIED_TAPE: u32 = 5;
const BT709: u32 = 1;
const SRGB: u32 = 13;

/// The longest motion vectors of any level: section E.2.1.
const VECTOR_BITS: u32 = 15;

/// `data` with our colours and the order of pictures in its parameters, and without what no
/// decoder needs. `None` when its parameters are not of a kind that we make.
pub(super) fn as_we_say_it(data: &[u8]) -> Option<Vec<u8>> {
    let mut all = Vec::with_capacity(data.len() + 32);
    for unit in units(data) {
        let (&head, body) = unit.split_first()?;
        let kind = head & 0x1f;
        if BESIDE_THE_PICTURE.contains(&kind) {
            continue;
        }
        all.extend_from_slice(&[0, 0, 0, 1]);
        if kind == SEQUENCE_PARAMETERS {
            all.push(head);
            write_escaped(&mut all, &with_our_colours(body)?);
        } else {
            all.extend_from_slice(unit);
        }
    }
    Some(all)
}

/// Parameters of a sequence whose last part, section E.1.1, is ours.
fn with_our_colours(body: &[u8]) -> Option<Vec<u8>> {
    let sequence = Sequence::read(body)?;
    let (bytes, used) = sequence.bits.taken();
    let mut bits = Writer { bytes, used };
    bits.put(1, 1); // there is such a part
    bits.put(0, 2); // square pixels, nothing to cut
    bits.put(1, 1);
    bits.put(UNSPECIFIED_TAPE, 3);
    bits.put(1, 1); // all 256 levels
    bits.put(1, 1);
    bits.put(BT709, 8);
    bits.put(SRGB, 8);
    bits.put(BT709, 8);
    bits.put(0, 5); // where colours are, no times, no two buffers, no fields
    bits.put(1, 1);
    bits.put(1, 1); // vectors may point out of the picture
    bits.number(0); // no limit of bytes
    bits.number(0); // nor of bits
    bits.number(VECTOR_BITS);
    bits.number(VECTOR_BITS);
    bits.number(0); // no picture comes later than it is shown
    bits.number(sequence.reference_frames);
    bits.put(1, 1); // the end
    Some(bits.bytes)
}

struct Writer {
    bytes: Vec<u8>,
    /// Bits of the last byte; 0 for all of them.
    used: usize,
}

impl Writer {
    fn put(&mut self, value: u32, count: usize) {
        for bit in (0..count).rev() {
            if self.used == 0 {
                self.bytes.push(0);
            }
            let last = self.bytes.len() - 1;
            self.bytes[last] |= (value >> bit & 1) as u8 * (0x80 >> self.used);
            self.used = (self.used + 1) % 8;
        }
    }

    /// An Exp-Golomb number: section 9.1.
    fn number(&mut self, value: u32) {
        let bits = (value + 1).ilog2() as usize;
        self.put(0, bits);
        self.put(value + 1, bits + 1);
    }
}

/// Keeps start codes out of a unit: section 7.4.1.1.
fn write_escaped(all: &mut Vec<u8>, bytes: &[u8]) {
    let mut zeros = 0;
    for &byte in bytes {
        if zeros == 2 && byte <= 3 {
            all.push(3);
            zeros = 0;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        all.push(byte);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Constrained baseline of 1280x720 as many encoders say it: with times, without colours.
    const OF_HARDWARE: [u8; 28] = [
        0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1f, 0xda, 0x01, 0x40, 0x16, 0xec, 0x04, 0x40, 0, 0, 3, 0,
        0x40, 0, 0, 0x0c, 0x83, 0xc6, 0x0c, 0xa8, 0x80,
    ];

    fn sequence(data: &[u8]) -> Sequence {
        let unit = units(data).next().expect("a unit");
        Sequence::read(&unit[1..]).expect("parameters")
    }

    #[test]
    fn colours_are_ours_and_the_picture_stays() {
        let before = sequence(&OF_HARDWARE);
        let key = [0, 0, 1, 0x65, 0x88, 1, 2, 3];
        let frame = [
            &[0, 0, 0, 1, 9, 0x10][..],
            &OF_HARDWARE,
            &[0, 0, 1, 0x68, 0xce, 0x3c, 0x80],
            &[0, 0, 1, 6, 1, 1, 0x80],
            &key,
            &[0, 0, 1, 12, 0xff, 0xff, 0x80],
        ]
        .concat();

        let said = as_we_say_it(&frame).expect("parameters that we know");

        let after = sequence(&said);
        assert_eq!(before.size, (1_280, 720));
        assert_eq!(after.size, before.size);
        assert_eq!(after.reference_frames, before.reference_frames);
        let kinds: Vec<_> = units(&said).map(|unit| unit[0] & 0x1f).collect();
        assert_eq!(kinds, [7, 8, 5]);
        assert!(said.ends_with(&key[3..]));
        let mut bits = after.bits;
        let mut take = |count| bits.take(count);
        assert_eq!(take(1), Some(1));
        assert_eq!(take(2), Some(0));
        assert_eq!(take(1 + 3 + 1), Some(0b1_1011));
        assert_eq!(take(1), Some(1));
        assert_eq!([take(8), take(8), take(8)], [Some(1), Some(13), Some(1)]);
    }

    #[test]
    fn saying_it_twice_changes_nothing_more() {
        let once = as_we_say_it(&OF_HARDWARE).expect("parameters");

        assert_eq!(as_we_say_it(&once).as_ref(), Some(&once));
    }

    proptest! {
        #[test]
        fn what_is_no_h264_breaks_nothing(data in prop::collection::vec(any::<u8>(), 0..64)) {
            let unit = [&[0, 0, 1, 0x67][..], &data].concat();
            for data in [&data, &unit] {
                if let Some(said) = as_we_say_it(data) {
                    prop_assert!(said.len() <= data.len() * 2 + 32);
                }
            }
        }

        #[test]
        fn escaped_bytes_are_read_as_they_were(bytes in prop::collection::vec(0_u8..5, 1..64)) {
            let mut escaped = vec![];
            write_escaped(&mut escaped, &bytes);

            prop_assert!(!escaped.windows(3).any(|three| three[..2] == [0, 0] && three[2] < 3));
            let (read, _) = {
                let mut bits = super::super::h264_header::Bits::new(&escaped);
                while bits.take(8).is_some() {}
                bits.taken()
            };
            prop_assert_eq!(read, bytes);
        }
    }
}
