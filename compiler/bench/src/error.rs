//! What can go wrong.

use std::path::PathBuf;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Of the harness: servers, databases.
    #[error(transparent)]
    Harness(#[from] tviewc_verify::Error),
    /// A statement of a workload failed.
    #[error("{doing}: {}", tviewc_verify::error::describe(source))]
    Sql {
        /// What was attempted.
        doing: String,
        /// The server's error.
        source: postgres::Error,
    },
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is no result.
    #[error("{}: {}", .0.display(), .1)]
    Format(PathBuf, String),
    /// The views of a workload do not compile.
    #[error("the views of {0} do not compile: {1}")]
    Compile(String, String),
    /// What was asked for makes no sense.
    #[error("{0}")]
    Usage(String),
    /// A program ended otherwise than it should.
    #[error("{0}")]
    Program(String),
}

/// The crate's result.
pub type Result<T> = std::result::Result<T, Error>;

/// Adds what was attempted to an error of the server.
pub trait Doing<T> {
    /// Names the attempt.
    fn doing(self, what: impl Into<String>) -> Result<T>;
}

impl<T> Doing<T> for std::result::Result<T, postgres::Error> {
    fn doing(self, what: impl Into<String>) -> Result<T> {
        self.map_err(|source| Error::Sql { doing: what.into(), source })
    }
}
