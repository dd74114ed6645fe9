//! Writing the product.

use std::fs;
use std::io::{BufWriter, Error, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::Failure;

/// Writes to standard output. A reader that has gone away (`| head`) is no failure.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("cannot write the output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes a file: whole or not at all, and not if it holds the same already. Says whether it wrote.
pub(super) fn write_file(path: &Path, text: &str) -> Result<bool, Failure> {
    if fs::read(path).is_ok_and(|old| old == text.as_bytes()) {
        return Ok(false);
    }
    let mut file = NewFile::create(path)?;
    file.write_all(text.as_bytes()).map_err(|error| file.failed(&error))?;
    file.finish().map(|()| true)
}

/// A file that is there under its name when it is finished, and not before.
pub(super) struct NewFile {
    path: PathBuf,
    target: PathBuf,
    temporary: PathBuf,
    writer: BufWriter<fs::File>,
}

impl NewFile {
    /// Begins to write beside the place where the file will be.
    pub(super) fn create(path: &Path) -> Result<Self, Failure> {
        // A symbolic link stays one: its target is replaced.
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        let name = target.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let temporary = target.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
        let file = fs::File::create(&temporary).map_err(|error| cannot_write(path, &error))?;
        Ok(Self { path: path.to_path_buf(), target, temporary, writer: BufWriter::new(file) })
    }

    /// Puts the file under its name.
    pub(super) fn finish(mut self) -> Result<(), Failure> {
        let done = self.complete();
        done.map_err(|error| cannot_write(&self.path, &error))
    }

    /// The failure to write it.
    pub(super) fn failed(&self, error: &Error) -> Failure {
        cannot_write(&self.path, error)
    }

    fn complete(&mut self) -> Result<(), Error> {
        self.writer.flush()?;
        let file = self.writer.get_ref();
        if let Ok(old) = fs::metadata(&self.target) {
            file.set_permissions(old.permissions())?;
        }
        file.sync_all()?;
        fs::rename(&self.temporary, &self.target)
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Error> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.writer.flush()
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        // Gone already where it was finished.
        let _ = fs::remove_file(&self.temporary);
    }
}

fn cannot_write(path: &Path, error: &Error) -> Failure {
    Failure::new(format!("cannot write `{}`: {error}", path.display()))
}
