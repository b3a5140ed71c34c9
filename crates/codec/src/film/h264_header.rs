//! What an H.264 frame says of itself before it is decoded: ITU-T H.264 (V14), Annex B and
//! section 7.3. A decoder takes the size of its pictures from here, and with it its memory.

/// Types of the units that a frame may have: table 7-1.
const SLICE: u8 = 1;
const KEY_SLICE: u8 = 5;
const EXTRA: u8 = 6;
pub(super) const SEQUENCE_PARAMETERS: u8 = 7;
const PICTURE_PARAMETERS: u8 = 8;
const DELIMITER: u8 = 9;

/// Units of one frame; hardware cuts a picture into some slices, and none into more.
const MAX_UNITS: usize = 256;

/// Profiles whose parameters say how colours are sampled: section 7.3.2.1.1.
const WITH_CHROMA_FORMAT: [u32; 8] = [100, 110, 122, 244, 44, 83, 86, 118];

/// 4:2:0.
const CHROMA_QUARTER: u32 = 1;

/// The only ones that we make: baseline, main and high.
const PROFILES: [u32; 3] = [66, 77, 100];

/// True for one frame in Annex B format that begins with its parameters or needs earlier frames
/// as `key` says, and whose parameters, where it has them, are for 8 bits, 4:2:0 and
/// `width` x `height` pixels.
pub(super) fn is_h264_frame(data: &[u8], key: bool, width: u32, height: u32) -> bool {
    let (mut parameters, mut pictures) = (false, 0);
    let mut count = 0;
    for unit in units(data) {
        count += 1;
        let Some((&head, body)) = unit.split_first() else {
            return false;
        };
        if head & 0x80 != 0 || count > MAX_UNITS {
            return false;
        }
        match head & 0x1f {
            DELIMITER | EXTRA => {}
            PICTURE_PARAMETERS if key => {}
            SEQUENCE_PARAMETERS if key => {
                if Sequence::read(body).is_none_or(|found| found.size != (width, height)) {
                    return false;
                }
                parameters = true;
            }
            kind @ (SLICE | KEY_SLICE) if (kind == KEY_SLICE) == key => {
                // The first macroblock of a picture begins it: a bit that is set says 0.
                pictures += usize::from(body.first().is_some_and(|first| first & 0x80 != 0));
                if pictures != 1 {
                    return false;
                }
            }
            _ => return false,
        }
    }
    pictures == 1 && parameters == key && data.starts_with(&[0, 0])
}

/// The units between the start codes, without trailing zeros.
pub(super) fn units(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = after_start_code(data);
    std::iter::from_fn(move || {
        let all = rest?;
        let end = find_start_code(all).unwrap_or(all.len());
        rest = after_start_code(&all[end..]);
        let zeros = all[..end].iter().rev().take_while(|&&byte| byte == 0);
        Some(&all[..end - zeros.count()])
    })
}

fn find_start_code(data: &[u8]) -> Option<usize> {
    data.windows(3).position(|three| three == [0, 0, 1])
}

fn after_start_code(data: &[u8]) -> Option<&[u8]> {
    find_start_code(data).map(|at| &data[at + 3..])
}

/// What a stream says of itself, up to what it says of colours.
#[cfg_attr(
    not(feature = "hardware"),
    expect(dead_code, reason = "read by what says it anew")
)]
pub(super) struct Sequence {
    /// Width and height of the pictures.
    pub(super) size: (u32, u32),
    /// Most pictures that others refer to.
    pub(super) reference_frames: u32,
    /// Stands before what is said of colours and of the order of pictures.
    pub(super) bits: Bits,
}

impl Sequence {
    /// `None` for pictures that are not of a kind that we make.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let mut bits = Bits::new(body);
        let profile = bits.take(8)?;
        let _constraints_and_level = bits.take(16)?;
        let _id = bits.number()?;
        if !PROFILES.contains(&profile) {
            return None;
        }
        if WITH_CHROMA_FORMAT.contains(&profile) {
            let chroma = bits.number()?;
            let deeper = bits.number()? + bits.number()?;
            let bypass = bits.take(1)?;
            let scaling = bits.take(1)?;
            if chroma != CHROMA_QUARTER || deeper != 0 || bypass != 0 || scaling != 0 {
                return None;
            }
        }
        let _frame_number_bits = bits.number()?;
        match bits.number()? {
            0 => {
                let _order_bits = bits.number()?;
            }
            1 => {
                let _always_zero = bits.take(1)?;
                let _offsets = (bits.number()?, bits.number()?);
                for _ in 0..bits.number()?.min(256) {
                    let _offset = bits.number()?;
                }
            }
            2 => {}
            _ => return None,
        }
        let reference_frames = bits.number()?;
        let _gaps = bits.take(1)?;
        let columns = bits.number()?.checked_add(1)?;
        let rows = bits.number()?.checked_add(1)?;
        let whole_frames = bits.take(1)?;
        if whole_frames == 0 {
            return None;
        }
        let _direct = bits.take(1)?;
        let mut cut = [0; 4];
        if bits.take(1)? == 1 {
            for side in &mut cut {
                *side = bits.number()?.checked_mul(2)?;
            }
        }
        let [left, right, top, bottom] = cut;
        let side = |blocks: u32, from: u32, to: u32| {
            blocks.checked_mul(16)?.checked_sub(from)?.checked_sub(to)
        };
        Some(Self {
            size: (side(columns, left, right)?, side(rows, top, bottom)?),
            reference_frames,
            bits,
        })
    }
}

/// Bits of a unit, without the bytes that keep start codes out of it.
pub(super) struct Bits {
    bytes: Vec<u8>,
    at: usize,
}

/// More than the parameters that come before the size have.
const MAX_HEAD_BYTES: usize = 512;

impl Bits {
    pub(super) fn new(body: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(body.len().min(MAX_HEAD_BYTES));
        let mut zeros = 0;
        for &byte in body.iter().take(MAX_HEAD_BYTES) {
            if zeros == 2 && byte == 3 {
                zeros = 0;
                continue;
            }
            zeros = if byte == 0 { zeros + 1 } else { 0 };
            bytes.push(byte);
        }
        Self { bytes, at: 0 }
    }

    /// The bits that were taken so far, and none of those that follow, in whole bytes; and how
    /// many of the last byte there are: 0 for all.
    #[cfg(feature = "hardware")]
    pub(super) fn taken(&self) -> (Vec<u8>, usize) {
        let mut bytes = self.bytes[..self.at.div_ceil(8)].to_vec();
        let used = self.at % 8;
        if let Some(last) = bytes.last_mut().filter(|_| used > 0) {
            *last &= 0xff << (8 - used);
        }
        (bytes, used)
    }

    pub(super) fn take(&mut self, count: usize) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count {
            let byte = *self.bytes.get(self.at / 8)?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }

    /// An Exp-Golomb number: section 9.1. Larger ones than any that is named here are none.
    fn number(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while self.take(1)? == 0 {
            zeros += 1;
            if zeros > 24 {
                return None;
            }
        }
        Some((1 << zeros) - 1 + self.take(zeros)?)
    }
}
