//! What a VP9 frame says of itself before it is decoded: "VP9 Bitstream & Decoding Process
//! Specification" 0.6, section 6.2. A decoder takes the size of its pictures from here, and
//! with it its memory.

/// The three bytes that a key frame begins with.
const SYNC_CODE: u32 = 0x49_83_42;

/// The colour space that has no colour range.
const CS_RGB: u32 = 7;

/// Profiles of 8 bits as they stand in the header, whose lower bit comes first: 4:2:0, and others.
pub(super) const PROFILE_0: u32 = 0;
pub(super) const PROFILE_1: u32 = 2;

/// True for one frame of `profile` (in 4:4:4 for the second) that is shown, is a key frame or
/// needs earlier ones as `key` says, and has `width` x `height` pixels as far as it names a size.
pub(super) fn is_vp9_frame(
    profile: u32,
    data: &[u8],
    key: bool,
    (width, height): (u32, u32),
) -> bool {
    // A last byte like this one announces several frames in one packet.
    let one_frame = data.last().is_some_and(|last| last & 0xe0 != 0xc0);
    let mut bits = Bits { data, at: 0 };
    one_frame && follows(profile, &mut bits, key, width, height).is_some_and(|good| good)
}

fn follows(profile: u32, bits: &mut Bits<'_>, key: bool, width: u32, height: u32) -> Option<bool> {
    let marker = bits.take(2)?;
    let named = bits.take(2)?;
    let show_existing = bits.take(1)?;
    let is_inter = bits.take(1)?;
    let is_shown = bits.take(1)?;
    let error_resilient = bits.take(1)?;
    let plain = marker == 2 && named == profile && show_existing == 0 && is_shown == 1;
    if !plain || (is_inter == 0) != key {
        return Some(false);
    }
    if key {
        let sync = bits.take(24)?;
        let colour_space = bits.take(3)?;
        let _range = bits.take(1)?;
        if sync != SYNC_CODE || colour_space == CS_RGB {
            return Some(false);
        }
        // Whether colours are sampled less often across and down, and a bit that stays empty.
        if profile == PROFILE_1 && bits.take(3)? != 0 {
            return Some(false);
        }
        return bits.is_size(width, height);
    }
    if error_resilient == 0 {
        let _reset_frame_context = bits.take(2)?;
    }
    let _refresh_frame_flags = bits.take(8)?;
    for _ in 0..3 {
        let _index_and_sign = bits.take(4)?;
    }
    for _ in 0..3 {
        // As large as an earlier one, and those were checked.
        if bits.take(1)? == 1 {
            return Some(true);
        }
    }
    bits.is_size(width, height)
}

struct Bits<'a> {
    data: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, count: usize) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count {
            let byte = *self.data.get(self.at / 8)?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }

    fn is_size(&mut self, width: u32, height: u32) -> Option<bool> {
        Some(self.take(16)? + 1 == width && self.take(16)? + 1 == height)
    }
}
