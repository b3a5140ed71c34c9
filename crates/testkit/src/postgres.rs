//! A real PostgreSQL for one test process: its own cluster in a temporary folder,
//! on a loopback port, gone when it is dropped.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Where Debian and Ubuntu put the programs of each version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// How long a cluster may take until it answers.
const START_TIMEOUT: Duration = Duration::from_mins(1);

/// How long it may take to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// A running PostgreSQL.
pub struct Postgres {
    child: Child,
    folder: PathBuf,
    programs: PathBuf,
    user: Option<User>,
    port: u16,
    databases: AtomicU32,
}

/// Whom the programs run as: PostgreSQL refuses to be root.
#[derive(Clone, Copy)]
struct User {
    uid: u32,
    gid: u32,
}

impl Postgres {
    /// The one that other tests of this process use right now, or a new one. It
    /// stops when the last of them is done.
    ///
    /// # Panics
    /// Like [`Postgres::start`].
    pub fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = shared.upgrade() {
            return running;
        }
        let started = Arc::new(Self::start());
        *shared = Arc::downgrade(&started);
        started
    }

    /// Makes a cluster and starts it.
    ///
    /// # Panics
    /// With a sentence that says what is missing, when that is not possible.
    pub fn start() -> Self {
        let programs = programs();
        let user = unprivileged_user();
        let folder = make_folder(user);
        let data = folder.join("data");

        let made = command(&programs, "initdb", user)
            .args([
                "--username=gc",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C",
            ])
            .args(["--no-sync", "--pgdata"])
            .arg(&data)
            .output()
            .expect("start initdb");
        assert!(
            made.status.success(),
            "initdb failed: {}",
            String::from_utf8_lossy(&made.stderr)
        );

        let port = free_port();
        let child = command(&programs, "postgres", user)
            .arg("-D")
            .arg(&data)
            .args(["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"])
            .args(["-c", &format!("port={port}"), "-c", "max_connections=200"])
            .arg("-c")
            .arg(format!("unix_socket_directories={}", folder.display()))
            .stderr(fs::File::create(folder.join("log")).expect("create the log"))
            .spawn()
            .expect("start postgres");
        let postgres = Self {
            child,
            folder,
            programs,
            user,
            port,
            databases: AtomicU32::new(0),
        };
        postgres.wait_until_ready();
        postgres
    }

    /// A new, empty database, as a URL.
    ///
    /// # Panics
    /// When PostgreSQL refuses.
    pub fn database(&self) -> String {
        let name = format!("test{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let made = command(&self.programs, "createdb", self.user)
            .args(self.address())
            .arg(&name)
            .output()
            .expect("start createdb");
        assert!(
            made.status.success(),
            "createdb failed: {}",
            String::from_utf8_lossy(&made.stderr)
        );
        format!("postgres://gc@127.0.0.1:{}/{name}", self.port)
    }

    fn address(&self) -> [String; 3] {
        [
            "--host=127.0.0.1".into(),
            format!("--port={}", self.port),
            "--username=gc".into(),
        ]
    }

    fn wait_until_ready(&self) {
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            let ready = command(&self.programs, "pg_isready", self.user)
                .args(self.address())
                .status()
                .expect("start pg_isready");
            if ready.success() {
                return;
            }
            let log = || fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(
                Instant::now() < deadline,
                "PostgreSQL did not start: {}",
                log()
            );
            sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Nobody needs what is in it: no checkpoint, no goodbyes. By pg_ctl, which
        // ends the server's children too.
        let _ = command(&self.programs, "pg_ctl", self.user)
            .args(["stop", "--mode=immediate", "--no-wait", "--pgdata"])
            .arg(self.folder.join("data"))
            .status();
        let deadline = Instant::now() + STOP_TIMEOUT;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The folder of the newest version's programs.
fn programs() -> PathBuf {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir(DEBIAN)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .filter(|(_, bin)| bin.join("initdb").exists())
        .collect();
    versions.sort();
    let newest = versions.pop().map(|(_, bin)| bin);
    let on_path = || {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).find(|folder| folder.join("initdb").exists())
    };
    newest.or_else(on_path).expect(
        "PostgreSQL is not installed: these tests need its server (apt-get install postgresql)",
    )
}

/// Root must become somebody else; everybody else stays who they are.
fn unprivileged_user() -> Option<User> {
    let root = fs::metadata("/proc/self").is_ok_and(|process| {
        use std::os::unix::fs::MetadataExt as _;
        process.uid() == 0
    });
    if !root {
        return None;
    }
    let accounts = fs::read_to_string("/etc/passwd").expect("read the accounts");
    let user = ["postgres", "nobody"].into_iter().find_map(|name| {
        let line = accounts
            .lines()
            .find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        let uid = fields.next()?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some(User { uid, gid })
    });
    Some(user.expect("root needs an account `postgres` or `nobody` to run PostgreSQL as"))
}

fn make_folder(user: Option<User>) -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("gc-postgres-{}-{number}", std::process::id()));
    let prepared: io::Result<()> = (|| {
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder)?;
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))?;
        match user {
            Some(user) => chown(&folder, Some(user.uid), Some(user.gid)),
            None => Ok(()),
        }
    })();
    prepared.expect("make a folder for PostgreSQL");
    folder
}

fn command(programs: &Path, program: &str, user: Option<User>) -> Command {
    let mut command = Command::new(programs.join(program));
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    // A folder that the other user may enter.
    command.current_dir("/");
    command.env_remove("PGOPTIONS").env("LC_ALL", "C");
    if let Some(user) = user {
        command.uid(user.uid).gid(user.gid);
    }
    command
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener
        .local_addr()
        .expect("the port that was bound")
        .port()
}
