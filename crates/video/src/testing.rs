//! What the codecs' tests and benches share: pictures to pack, a line from an encoder to a
//! decoder, and the packets that the browser's tests decode.

mod films;
mod golden;
mod line;

pub use films::{animation, camera, coloured_text, grainy, landscape, likeness};
pub use golden::{Patches, ivf_packets};
pub use line::Line;
