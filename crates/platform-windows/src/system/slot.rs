//! The configuration slot of this program: a section of its own, which the
//! server fills in the file when it gives the program out.

use gc_installer::slot::{EMPTY, SLOT_BYTES};

#[used]
// SAFETY: no code and nothing else is put into a section of this name.
#[unsafe(link_section = ".gccfg")]
static SLOT: [u8; SLOT_BYTES] = EMPTY;

/// What the file has in it, which is not what the compiler knows.
pub(crate) fn content() -> Vec<u8> {
    let first = (&raw const SLOT).cast::<u8>();
    // SAFETY: every byte is within SLOT, which is never written to.
    (0..SLOT_BYTES)
        .map(|at| unsafe { first.add(at).read_volatile() })
        .collect()
}
