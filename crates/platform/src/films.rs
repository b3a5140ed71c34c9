//! Video encoders that the machine brings: of its graphics card, its processor, or the system.

use gc_codec::FilmCodec;

/// Which of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilmEncoders {
    /// Those of graphics cards and processors.
    Hardware,
    /// Those that are programs of the system. They cost more than ours; only to check that
    /// encoders can be talked to.
    Software,
}

/// What makes films.
pub struct MachineFilms {
    /// What the encoders call themselves, best first.
    pub names: Vec<String>,
    /// Films by the first of them that takes a film's size.
    pub codec: Box<dyn FilmCodec>,
}
