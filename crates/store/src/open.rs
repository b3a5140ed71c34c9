//! Opening the database: one pool for PostgreSQL; for SQLite one connection
//! that writes and a few that read.

use std::fs::OpenOptions;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, TransactionTrait};
use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use crate::errors::StoreError;
use crate::migrations::{self, MigrateError};

/// Connections to PostgreSQL: its own default allows 100 in all.
const POSTGRES_CONNECTIONS: u32 = 16;

/// Readers of SQLite; they never wait for the writer (WAL).
const SQLITE_READERS: u32 = 4;

/// How long a request waits for a free connection before it fails.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long SQLite waits for a lock that another process holds (a backup, a shell).
const SQLITE_BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Neither `sqlite:` nor `postgres:`, or not a URL. The text is not
    /// repeated: it may hold a password.
    #[error("DATABASE_URL must begin with postgres:// or sqlite:// and be a valid URL")]
    Url,
    /// No connection.
    #[error("failed to connect to the database")]
    Connect(#[source] sqlx::Error),
    /// The tables could not be made.
    #[error("failed to bring the database to this version")]
    Migrate(#[from] MigrateError),
}

/// The open database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    /// For statements that only read.
    pub(crate) reader: DatabaseConnection,
    /// For everything that writes. SQLite has one writer at a time: a single
    /// connection makes the others wait in line instead of failing.
    writer: DatabaseConnection,
}

impl Store {
    /// Opens `url` and brings its tables to this version. A file of SQLite is
    /// made when it is missing.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open(url: &str, now: DateTime<Utc>) -> Result<Self, OpenError> {
        let store = if url.starts_with("sqlite:") {
            Self::open_sqlite(url).await?
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            Self::open_postgres(url).await?
        } else {
            return Err(OpenError::Url);
        };
        for step in migrations::run(&store.writer, now).await? {
            tracing::info!(step, "Database changed to this version");
        }
        Ok(store)
    }

    async fn open_sqlite(url: &str) -> Result<Self, OpenError> {
        let options = SqliteConnectOptions::from_str(url)
            .map_err(|_| OpenError::Url)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // FULL: an audit entry that was answered for is on the disk, even
            // when the power goes. Writes are few; NORMAL would lose the last.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(SQLITE_BUSY_TIMEOUT)
            .disable_statement_logging();
        make_private(options.get_filename());
        let in_memory = url.contains(":memory:") || url.contains("mode=memory");
        let pool = |connections: u32| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(ACQUIRE_TIMEOUT)
                .idle_timeout(None)
                .max_lifetime(None)
                .connect_with(options.clone())
        };
        let writer = pool(1).await.map_err(OpenError::Connect)?;
        // A database in memory belongs to its connection.
        let reader = if in_memory {
            writer.clone()
        } else {
            pool(SQLITE_READERS).await.map_err(OpenError::Connect)?
        };
        Ok(Self {
            reader: reader.into(),
            writer: writer.into(),
        })
    }

    async fn open_postgres(url: &str) -> Result<Self, OpenError> {
        let options = PgConnectOptions::from_str(url)
            .map_err(|_| OpenError::Url)?
            .application_name("guruconnect-server")
            .disable_statement_logging();
        let pool = PgPoolOptions::new()
            .max_connections(POSTGRES_CONNECTIONS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_with(options)
            .await
            .map_err(OpenError::Connect)?;
        Ok(Self {
            reader: pool.clone().into(),
            writer: pool.into(),
        })
    }

    /// Asks the database for a sign of life.
    ///
    /// # Errors
    /// It did not give one.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.reader.execute_unprepared("SELECT 1").await?;
        Ok(())
    }

    /// Gives the connections back; later calls fail.
    pub async fn close(self) {
        for connection in [self.reader, self.writer] {
            if let Err(error) = connection.close().await {
                tracing::warn!(%error, "Database connection did not close cleanly");
            }
        }
    }

    pub(crate) async fn write(&self) -> Result<DatabaseTransaction, DbErr> {
        self.writer.begin().await
    }
}

/// Makes the file readable for this user alone, when it is not there yet; the
/// files that SQLite puts beside it follow. Where that fails, opening it says why.
fn make_private(file: &Path) {
    use std::os::unix::fs::OpenOptionsExt as _;
    if file.as_os_str() != ":memory:" {
        let _ = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(file);
    }
}
