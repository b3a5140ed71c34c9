//! What the browser's tests decode too. `UPDATE_GOLDEN=1 cargo test -p gc-openh264` packs it anew.

use std::path::Path;

use gc_model::geometry::Size;
use gc_openh264::{Decoder, Encoder};
use gc_video::Chroma;
use gc_video::testing::Patches;

#[test]
fn what_the_browser_tests_decode_shows_the_patches() {
    // No whole number of macroblocks, so that the decoder has to cut.
    let size = Size::new(202, 122).expect("a small size");
    let patches = Patches {
        file: &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/patches.ivf"),
        four_letters: b"H264",
        size,
        chroma: Chroma::Quarter,
        quantizer: 10,
    };

    patches.check(
        &mut Encoder::new(size).expect("an encoder"),
        &mut Decoder::new().expect("a decoder"),
    );
}
