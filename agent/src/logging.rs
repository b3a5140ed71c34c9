//! The log: to standard error and to a file that is changed at a size, so that
//! an agent that runs for years never fills a disk.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use gc_platform::Host;
use tracing::level_filters::LevelFilter;

/// 5 MB: the size at which a new file is begun.
const MAX_FILE_BYTES: u64 = 5 * 1024 * 1024;

/// 10 MB: where a full file cannot be changed, because another program holds one of the older
/// ones, it grows to this size at most.
const MOST_FILE_BYTES: u64 = 2 * MAX_FILE_BYTES;

/// Files kept: the current one and four older.
const FILES: u32 = 5;

/// Starts logging for the whole process. A file that cannot be written is
/// reported on standard error and done without.
pub fn start(host: &dyn Host, level: LevelFilter, path: &Path) {
    let opened = path
        .parent()
        .map_or(Ok(()), |parent| create_dir(host, parent))
        .and_then(|()| LogFile::open(path));
    let (file, problem) = match opened {
        Ok(file) => (Some(file), None),
        Err(error) => (None, Some(error)),
    };
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_target(false)
        .with_ansi(false)
        .with_writer(Mutex::new(Tee { file }))
        .init();
    if let Some(error) = problem {
        tracing::warn!(path = %path.display(), %error, "Cannot write the log file; logging to standard error only");
    }
}

/// The files that logging to `path` makes.
pub(crate) fn files(path: &Path) -> impl Iterator<Item = PathBuf> {
    (1..FILES)
        .map(|number| numbered(path, number))
        .chain([path.to_owned()])
}

/// Makes the log's directory private when we make it, and leaves one that exists as it is.
fn create_dir(host: &dyn Host, path: &Path) -> io::Result<()> {
    if path.as_os_str().is_empty() || path.is_dir() {
        Ok(())
    } else {
        host.create_private_dir(path)
    }
}

/// Writes everything twice.
struct Tee {
    file: Option<LogFile>,
}

impl Write for Tee {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        // A service has no standard error, a full disk no file: neither stops the other, or the agent.
        let _nobody_reads = io::stderr().write_all(line);
        if let Some(file) = &mut self.file {
            let _disk_full = file.write_line(line);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A file that starts anew when it is full.
struct LogFile {
    path: PathBuf,
    file: File,
    size: u64,
}

impl LogFile {
    fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        let size = file.metadata()?.len();
        Ok(Self {
            path: path.to_owned(),
            file,
            size,
        })
    }

    fn write_line(&mut self, line: &[u8]) -> io::Result<()> {
        let size = self.size + line.len() as u64;
        if size > MAX_FILE_BYTES
            && self.size > 0
            && let Err(error) = self.rotate()
            && size > MOST_FILE_BYTES
        {
            return Err(error);
        }
        self.file.write_all(line)?;
        self.size += line.len() as u64;
        Ok(())
    }

    /// `agent.log` becomes `agent.log.1`, that `agent.log.2` and so on; the oldest goes.
    fn rotate(&mut self) -> io::Result<()> {
        for number in (1..FILES).rev() {
            let older = numbered(&self.path, number);
            let newer = if number == 1 {
                self.path.clone()
            } else {
                numbered(&self.path, number - 1)
            };
            if newer.exists() {
                fs::rename(newer, older)?;
            }
        }
        *self = Self::open(&self.path)?;
        Ok(())
    }
}

fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_five_files_of_five_megabytes() {
        let place = tempfile::tempdir().expect("a directory");
        let path = place.path().join("agent.log");
        let mut log = LogFile::open(&path).expect("opens");
        let line = vec![b'x'; 1024 * 1024];

        for _ in 0..40 {
            log.write_line(&line).expect("writes");
        }

        let files: Vec<_> = fs::read_dir(place.path())
            .expect("lists")
            .map(|file| file.expect("a file"))
            .collect();
        assert_eq!(files.len(), FILES as usize);
        assert!(
            files
                .iter()
                .all(|file| file.metadata().expect("its size").len() <= MAX_FILE_BYTES)
        );
        assert!(numbered(&path, 4).exists() && !numbered(&path, 5).exists());
    }

    #[test]
    fn goes_on_for_a_while_where_an_older_file_is_in_the_way() {
        let place = tempfile::tempdir().expect("a directory");
        let path = place.path().join("agent.log");
        fs::write(numbered(&path, 3), "older").expect("writes");
        fs::create_dir_all(numbered(&path, 4).join("held")).expect("makes");
        let mut log = LogFile::open(&path).expect("opens");
        let line = vec![b'x'; 1024 * 1024];

        let written = (0..40).filter(|_| log.write_line(&line).is_ok()).count();

        assert_eq!(written, 10, "10 MB and no more");
        fs::remove_dir_all(numbered(&path, 4)).expect("lets go");
        log.write_line(&line).expect("is changed after all");
        assert_eq!(fs::metadata(&path).expect("is there").len(), 1024 * 1024);
    }

    #[test]
    fn continues_the_file_of_the_last_run() {
        let place = tempfile::tempdir().expect("a directory");
        let path = place.path().join("agent.log");

        for line in ["one\n", "two\n"] {
            LogFile::open(&path)
                .expect("opens")
                .write_line(line.as_bytes())
                .expect("writes");
        }

        assert_eq!(fs::read_to_string(path).expect("reads"), "one\ntwo\n");
    }
}
