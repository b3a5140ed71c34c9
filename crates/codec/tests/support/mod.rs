//! What tests share.
#![allow(dead_code, reason = "each test uses its own part")]

use std::time::Duration;

use gc_codec::{Abilities, Colours, EncodeOrder, FilmFormat, FilmFormats, FilmOrder, FilmQuality};

pub mod frames;
pub mod stage;

/// What a session orders on a good line, for a viewer that decodes everything.
pub const ORDER: EncodeOrder = EncodeOrder {
    restart: false,
    budget_bytes: 256 * 1024,
    colours: Colours::Reduced,
    rested: Duration::ZERO,
    hold_films: false,
    viewer: Abilities {
        moves: true,
        photos: true,
    },
    film: Some(FilmOrder {
        formats: FilmFormats::NONE
            .with(FilmFormat::Vp9)
            .with(FilmFormat::H264),
        target_bytes: 20_000,
        quality: FilmQuality::Good,
    }),
    glance_above_bytes: None,
};

/// Something that looks like chance.
pub fn hash(value: usize) -> usize {
    let mixed = (value as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) as usize >> 16
}
