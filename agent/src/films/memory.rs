//! What came of trying the machine's encoder, kept in the data directory: it is tried again when
//! the agent, the system, a graphics card or a driver is another one.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use gc_platform::Host;
use serde::{Deserialize, Serialize};

use super::probe::Verdict;

/// Name of the file in the data directory.
pub(crate) const FILE_NAME: &str = "film-probe.json";

/// 16 KiB; a real one has about 300 bytes.
const MAX_FILE_BYTES: u64 = 16 * 1024;

#[derive(Serialize, Deserialize)]
struct Kept {
    /// The agent, the system, the cards and their drivers that the verdict is about.
    about: String,
    verdict: Verdict,
}

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
        let kept: Kept = serde_json::from_slice(&content).ok()?;
        (kept.about == self.about).then(|| kept.verdict.cleaned())
    }

    /// Keeps it for the next time.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn keep(&self, verdict: &Verdict) -> std::io::Result<()> {
        let kept = Kept {
            about: self.about.clone(),
            verdict: verdict.clone(),
        };
        let content = serde_json::to_vec_pretty(&kept)?;
        self.host.replace_private_file(&self.path, &content)
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
        let large = [&good[..], &vec![b' '; MAX_FILE_BYTES as usize]].concat();

        for content in [&good[..good.len() - 1], b"", b"null", b"\xff\xfe", &large] {
            std::fs::write(&path, content).expect("writes");
            let verdict = memory.verdict();
            // Spaces behind it change nothing: what is looked at is whole.
            let is_whole = content.len() > good.len();
            assert_eq!(verdict.is_some(), is_whole, "{content:?}");
        }
        memory.keep(&yes()).expect("writes");
        assert_eq!(memory.verdict(), Some(yes()));
    }
}
