//! What came of trying the machine's encoder, kept in the data directory: it is tried again when
//! the agent, the system, a graphics card or a driver is another one.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use gc_platform::Host;
use tracing::warn;

use super::probe::Verdict;

/// Name of the file in the data directory.
pub(crate) const FILE_NAME: &str = "film-probe.txt";

/// 16 KiB; a real one has about 300 bytes.
const MAX_FILE_BYTES: u64 = 16 * 1024;

/// Two lines: the agent, the system, the cards and their drivers; and the verdict about them, as
/// the process that tried the encoder said it.
pub(crate) struct Memory<'a> {
    host: &'a dyn Host,
    path: PathBuf,
    about: String,
}

impl<'a> Memory<'a> {
    /// What is kept in `data_dir` of an agent `software` on a machine of these `graphics`.
    pub(crate) fn new(host: &'a dyn Host, data_dir: &Path, software: &str, graphics: &str) -> Self {
        Self {
            host,
            path: data_dir.join(FILE_NAME),
            about: format!("{software}; {graphics}"),
        }
    }

    /// What came of it; `None` when it was not tried, or with something else, or nobody can read it.
    pub(crate) fn verdict(&self) -> Option<Verdict> {
        let mut content = Vec::new();
        let file = File::open(&self.path).ok()?;
        file.take(MAX_FILE_BYTES).read_to_end(&mut content).ok()?;
        let rest = content.strip_prefix(self.about.as_bytes())?;
        Verdict::read(rest.strip_prefix(b"\n")?)
    }

    /// What came of it; where nobody knows, what `ask` says, for the next time too. `None` when it
    /// says nothing.
    pub(crate) fn verdict_or(&self, ask: impl FnOnce() -> Option<Verdict>) -> Option<Verdict> {
        let known = self.verdict();
        if known.is_some() {
            return known;
        }
        let verdict = ask()?;
        if let Err(error) = self.keep(&verdict) {
            warn!(%error, "It is not remembered how the machine's video encoder does");
        }
        Some(verdict)
    }

    fn keep(&self, verdict: &Verdict) -> std::io::Result<()> {
        let content = format!("{}\n{}\n", self.about, verdict.line());
        self.host
            .replace_private_file(&self.path, content.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform;

    fn yes() -> Verdict {
        Verdict {
            works: true,
            says: "A Card".to_owned(),
        }
    }

    #[test]
    fn an_encoder_is_tried_once_and_again_when_something_is_another_or_nobody_knows() {
        let (host, place) = (platform::host(), tempfile::tempdir().expect("a directory"));
        let memory = |driver| Memory::new(&host, place.path(), "agent 1", driver);
        let no = Verdict {
            works: false,
            says: "it hung".to_owned(),
        };
        let never = || panic!("it is known");

        // A process that cannot be started says nothing of the encoder.
        assert_eq!(memory("driver 1").verdict_or(|| None), None);
        assert_eq!(
            memory("driver 1").verdict_or(|| Some(no.clone())),
            Some(no.clone())
        );
        assert_eq!(memory("driver 1").verdict_or(never), Some(no));
        assert_eq!(memory("driver 2").verdict_or(|| Some(yes())), Some(yes()));
        assert_eq!(memory("driver 2").verdict_or(never), Some(yes()));
    }

    #[test]
    fn a_verdict_holds_until_something_is_another() {
        let (host, place) = (platform::host(), tempfile::tempdir().expect("a directory"));
        let memory = |software: &str, graphics: &str| {
            Memory::new(&host, place.path(), software, graphics).verdict()
        };
        assert_eq!(memory("agent 1", "driver 1"), None);

        let first = Memory::new(&host, place.path(), "agent 1", "driver 1");
        first.keep(&yes()).expect("writes");

        assert_eq!(memory("agent 1", "driver 1"), Some(yes()));
        assert_eq!(memory("agent 2", "driver 1"), None);
        assert_eq!(memory("agent 1", "driver 2"), None);
    }

    #[test]
    fn a_damaged_file_is_none() {
        let (host, place) = (platform::host(), tempfile::tempdir().expect("a directory"));
        let memory = Memory::new(&host, place.path(), "agent 1", "driver 1");
        memory.keep(&yes()).expect("writes");
        let path = place.path().join(FILE_NAME);
        let good = std::fs::read(&path).expect("reads");
        let large = vec![b' '; MAX_FILE_BYTES as usize];
        let large = [&large[..], &good[..]].concat();

        for content in [&good[..good.len() - 2], b"", b"null", b"\xff\xfe", &large] {
            std::fs::write(&path, content).expect("writes");
            assert_eq!(memory.verdict(), None, "{content:?}");
        }
        memory.keep(&yes()).expect("writes");
        assert_eq!(memory.verdict(), Some(yes()));
    }
}
