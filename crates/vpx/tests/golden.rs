//! What the browser's tests decode too. `UPDATE_GOLDEN=1 cargo test -p gc-vpx` packs it anew.

use std::path::Path;

use gc_model::geometry::Size;
use gc_video::Chroma;
use gc_video::testing::Patches;
use gc_vpx::{Content, Decoder, Encoder, Settings};

#[test]
fn what_the_browser_tests_decode_shows_the_patches() {
    // Odd, so that the last column and row have a sample of colour for less than four pixels.
    let size = Size::new(201, 121).expect("a small size");
    for (chroma, file) in [
        (Chroma::Quarter, "patches.ivf"),
        (Chroma::Full, "patches-full-chroma.ivf"),
    ] {
        let encoder = Encoder::new(Settings {
            size,
            chroma,
            threads: 1,
            content: Content::Film,
            speed: 7,
        });
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
        let patches = Patches {
            file: &folder.join(file),
            four_letters: b"VP90",
            size,
            chroma,
            quantizer: 4,
        };

        patches.check(
            &mut encoder.expect("an encoder"),
            &mut Decoder::new().expect("a decoder"),
        );
    }
}
