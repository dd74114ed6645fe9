//! Reading the sources, and what a program is called.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use tviewc::Options;
use tviewc::diagnostics::{Code, Diagnostic};
use tviewc::names::Ident;
use tviewc::plan::Strategy;
use tviewc::source::{SourceFile, Sources};

use super::{Failure, database};

/// What to compile: the same for every command that compiles.
#[derive(Clone, Debug, Args)]
pub(super) struct Input {
    #[command(flatten)]
    files: Files,
    /// A PostgreSQL server whose catalog is the context, instead of files with --schema.
    #[arg(long, value_name = "URL", env = "TVIEWC_DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
}

/// The files of a program.
#[derive(Clone, Debug, Args)]
pub(super) struct Files {
    /// SQL files, one program in this order; `-` or none for standard input.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// A file with definitions that are only context: nothing of it is compiled (repeatable).
    #[arg(long, value_name = "FILE", env = "TVIEWC_SCHEMA")]
    schema: Vec<PathBuf>,
    /// The program's name; by default that of the first file, or `main`.
    #[arg(long, value_name = "NAME", env = "TVIEWC_PROGRAM")]
    program: Option<String>,
    /// How documents may be changed: `recompute` forbids patches, `path` stops at single paths, `auto` takes the cheapest way
    /// that is proved.
    #[arg(long, value_name = "STRATEGY", default_value = "auto", env = "TVIEWC_STRATEGY")]
    strategy: StrategyChoice,
}

/// `--strategy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum StrategyChoice {
    Recompute,
    Path,
    Auto,
}

/// The longest program name in bytes: names of triggers and functions hold it.
const MAX_PROGRAM_BYTES: usize = 24;

const STDIN: &str = "-";

impl Input {
    /// Whether anything to compile was named.
    pub(super) fn is_given(&self) -> bool {
        self.files.names().next().is_some() || self.database_url.is_some()
    }

    /// Reads everything.
    pub(super) fn read(&self) -> Result<Sources, Failure> {
        let live = self.database_url.iter().map(|url| database::source(url).map_err(Failure::Plain));
        let mut files = live.collect::<Result<Vec<_>, _>>()?;
        files.extend(self.files.read()?.files);
        Ok(Sources { files })
    }

    /// What the compiler is told.
    pub(super) fn options(&self) -> Result<Options, Failure> {
        self.files.options()
    }
}

impl Files {
    /// The files as named, context first.
    pub(super) fn names(&self) -> impl Iterator<Item = String> + '_ {
        self.schema.iter().chain(&self.files).map(|path| path.display().to_string())
    }

    /// Reads the files, context first.
    pub(super) fn read(&self) -> Result<Sources, Failure> {
        let standard_input = [PathBuf::from(STDIN)];
        let files = if self.files.is_empty() { &standard_input[..] } else { &self.files };
        if files.iter().chain(&self.schema).filter(|f| f.as_os_str() == STDIN).count() > 1 {
            return Err(Failure::new("standard input can be read only once"));
        }
        let context = self.schema.iter().map(|f| source(f, true));
        let files = context.chain(files.iter().map(|f| source(f, false))).collect::<Result<_, _>>()?;
        Ok(Sources { files })
    }

    /// What the compiler is told.
    pub(super) fn options(&self) -> Result<Options, Failure> {
        let strategy = match self.strategy {
            StrategyChoice::Recompute => Strategy::Recompute,
            StrategyChoice::Path => Strategy::Path,
            StrategyChoice::Auto => Strategy::Auto,
        };
        Ok(Options { program: Some(self.program()?), strategy, ..Options::default() })
    }

    /// The program's name, folded as an identifier.
    fn program(&self) -> Result<String, Failure> {
        let first = self.files.first().filter(|f| f.as_os_str() != STDIN);
        let stem = first.and_then(|f| f.file_stem()).map(|s| s.to_string_lossy().into_owned());
        let (name, whence) = match (&self.program, stem) {
            (Some(name), _) => (name.clone(), "the program name"),
            (None, Some(stem)) => (without_number(&stem), "the file's name, used as the program name,"),
            (None, None) => ("main".to_owned(), ""),
        };
        let folded = Ident::fold(&name).as_str().to_owned();
        let plain = folded.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_');
        let starts = folded.bytes().next().is_some_and(|c| !c.is_ascii_digit());
        if !plain || !starts || name.len() > MAX_PROGRAM_BYTES {
            return Err(Failure::new(format!(
                "{whence} `{name}` must be an identifier of letters, digits and underscores that begins with none of the digits, at most {MAX_PROGRAM_BYTES} bytes; \
                 choose one with --program NAME"
            )));
        }
        Ok(folded)
    }
}

/// `create_views` of `20260101_create-views`: files of migrations are numbered.
fn without_number(stem: &str) -> String {
    let is_number = |c: char| c.is_ascii_digit() || matches!(c, '_' | '-' | '.' | ' ');
    let name = match stem.starts_with(|c: char| c.is_ascii_digit()) {
        true => stem.trim_start_matches(is_number),
        false => stem,
    };
    // Of a number alone the message says what to do.
    if name.is_empty() { stem } else { name }.replace(['-', '.', ' '], "_")
}

fn source(path: &Path, context_only: bool) -> Result<SourceFile, Failure> {
    let (name, bytes) = if path.as_os_str() == STDIN {
        let mut bytes = Vec::new();
        ("<stdin>".to_owned(), std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes))
    } else {
        (path.display().to_string(), std::fs::read(path))
    };
    let unreadable = |title: String| Failure::Unreadable(Box::new(Diagnostic::bare(Code::UnreadableFile, title)));
    let bytes = bytes.map_err(|error| unreadable(format!("cannot read `{name}`: {error}")))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..at].iter().filter(|b| **b == b'\n').count() + 1;
        unreadable(format!("`{name}` is not UTF-8: line {line} holds a byte that is none"))
    })?;
    Ok(SourceFile { name, text, context_only })
}
