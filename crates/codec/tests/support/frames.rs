//! The heads of frames, without pictures in them.

use gc_codec::FilmFormat;

/// As much of a frame as is looked at before a decoder gets it.
pub fn head(format: FilmFormat, key: bool, (width, height): (u32, u32)) -> Vec<u8> {
    match (format, key) {
        (FilmFormat::Vp9, true) => vp9_key(width, height),
        (FilmFormat::Vp9FullChroma, true) => vp9_full_chroma_key(width, height),
        (FilmFormat::Vp9, false) => vec![0x87, 0, 0, 0x08],
        (FilmFormat::Vp9FullChroma, false) => vec![0xa7, 0, 0, 0x08],
        (FilmFormat::H264, true) => h264_key(width, height),
        (FilmFormat::H264, false) => vec![0, 0, 0, 1, 0x41, 0x9a, 0x02],
    }
}

fn vp9_key(width: u32, height: u32) -> Vec<u8> {
    let sizes = (u64::from(width - 1) << 16 | u64::from(height - 1)) << 4;
    let size = &sizes.to_be_bytes()[3..];
    let mut packet = vec![0x82, 0x49, 0x83, 0x42, 0x20];
    packet[4] |= size[0];
    packet.extend_from_slice(&size[1..]);
    // A last byte of its own: some would announce several frames.
    packet.push(0);
    packet
}

/// The same, with three more bits before the size.
fn vp9_full_chroma_key(width: u32, height: u32) -> Vec<u8> {
    let sizes = (u64::from(width - 1) << 16 | u64::from(height - 1)) << 1;
    let size = &sizes.to_be_bytes()[3..];
    let mut packet = vec![0xa2, 0x49, 0x83, 0x42, 0x20];
    packet[4] |= size[0];
    packet.extend_from_slice(&size[1..]);
    packet.push(0);
    packet
}

/// Parameters of constrained baseline for pictures of even sides, and the start of a slice.
fn h264_key(width: u32, height: u32) -> Vec<u8> {
    let mut bits = String::new();
    let number = |value: u32| {
        let digits = format!("{:b}", value + 1);
        format!("{}{digits}", "0".repeat(digits.len() - 1))
    };
    let blocks = |side: u32| side.div_ceil(16);
    let cut = |side: u32| (blocks(side) * 16 - side) / 2;
    for value in [0, 0, 2, 1] {
        bits += &number(value);
    }
    bits += "0";
    bits += &number(blocks(width) - 1);
    bits += &number(blocks(height) - 1);
    bits += "111";
    for value in [0, cut(width), 0, cut(height)] {
        bits += &number(value);
    }
    bits += "01";
    while !bits.len().is_multiple_of(8) {
        bits += "0";
    }
    let mut packet = vec![0, 0, 0, 1, 0x67, 66, 0xc0, 41];
    for byte in bits.as_bytes().chunks(8) {
        let digits = std::str::from_utf8(byte).expect("digits");
        let byte = u8::from_str_radix(digits, 2).expect("eight digits");
        if byte <= 3 && packet.ends_with(&[0, 0]) {
            packet.push(3);
        }
        packet.push(byte);
    }
    packet.extend([0, 0, 0, 1, 0x68, 0xce, 0x38, 0x80]);
    packet.extend([0, 0, 0, 1, 0x65, 0xb8, 0x04]);
    packet
}
