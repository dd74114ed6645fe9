//! The one error type of the crate.
//!
//! In: failures of the operating system, of PostgreSQL's programs and of SQL statements that the harness itself
//! sends. Out: a typed error whose text says what was attempted and, where there is one, what to do about it.
//! A difference between a tview and its view is never an error here: it is a result (`compare::Report`).

use std::path::PathBuf;

/// Everything that can go wrong in the harness itself.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No server programs were found.
    #[error(
        "no PostgreSQL server programs found{wanted}; install a server package, or set TVIEWC_PG_BIN (or \
         ServerOptions::bin_dir) to the folder that holds `initdb` and `postgres`. Looked at: {looked}"
    )]
    NoBinaries {
        /// " of major version N", or nothing.
        wanted: String,
        /// The folders that were looked at.
        looked: String,
    },
    /// A file or process operation failed.
    #[error("{doing}: {source}")]
    Io {
        /// What was attempted.
        doing: String,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
    /// The process is root, and no unprivileged account exists to run the server.
    #[error(
        "PostgreSQL refuses to run as root and none of these accounts exists: {0}; create one, or run as another user"
    )]
    NoAccount(String),
    /// The path of the Unix socket would be too long for the system.
    #[error("the socket path {0} is longer than 107 bytes; set TMPDIR to a shorter folder")]
    SocketPath(PathBuf),
    /// A program ended with a failure.
    #[error("{program} failed ({status}):\n{stderr}")]
    Program {
        /// The program's name.
        program: String,
        /// Its exit status, in words.
        status: String,
        /// What it printed on standard error.
        stderr: String,
    },
    /// The server did not accept connections in time.
    #[error("the server did not become ready ({reason}); its log ends with:\n{log}")]
    NotReady {
        /// Timeout, or how the process ended.
        reason: String,
        /// The tail of the log.
        log: String,
    },
    /// A statement of the harness failed.
    #[error("{doing}: {}", describe(source))]
    Sql {
        /// What was attempted.
        doing: String,
        /// The server's or the client's error.
        #[source]
        source: postgres::Error,
    },
    /// The database lacks something that the harness needs.
    #[error("{0}")]
    Setup(String),
    /// A thread of the harness ended without a result.
    #[error("a worker thread ended unexpectedly while {0}")]
    Worker(String),
    /// An interleaving did not come to an end in time.
    #[error("nothing moved for too long:\n{0}")]
    Stuck(String),
}

/// The crate's result.
pub type Result<T> = std::result::Result<T, Error>;

/// The text of a database error with its SQLSTATE, detail, hint and context.
pub fn describe(error: &postgres::Error) -> String {
    let Some(db) = error.as_db_error() else {
        return chain(error);
    };
    let mut text = format!("{} {}", db.code().code(), db.message());
    let parts = [("DETAIL", db.detail()), ("HINT", db.hint()), ("CONTEXT", db.where_())];
    for (label, part) in parts {
        if let Some(part) = part {
            text.push_str(&format!("\n{label}: {part}"));
        }
    }
    text
}

/// An error with its causes: the driver's own text is only "error connecting to server" or "db error".
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut at = error.source();
    while let Some(cause) = at {
        text = format!("{text}: {cause}");
        at = cause.source();
    }
    text
}

/// Adds what was attempted to a lower-level error.
pub(crate) trait Doing<T> {
    /// Names the attempt.
    fn doing(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T> Doing<T> for std::result::Result<T, std::io::Error> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|source| Error::Io { doing: what(), source })
    }
}

impl<T> Doing<T> for std::result::Result<T, postgres::Error> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|source| Error::Sql { doing: what(), source })
    }
}
