//! Finding PostgreSQL's programs.
//!
//! In: the options, the environment variable `TVIEWC_PG_BIN` (one folder or a PATH-like list), `pg_config`,
//! Debian's folders and PATH. Out: folders that really hold a server, with the version their `postgres` reports.
//! An explicit choice always wins over what is found by looking around.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Error, Result};

/// The environment variable that names the programs' folder (or several).
pub const BIN_VARIABLE: &str = "TVIEWC_PG_BIN";

const DEBIAN_ROOT: &str = "/usr/lib/postgresql";

/// A folder with server programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    /// The folder.
    pub dir: PathBuf,
    /// The major version.
    pub major: u32,
}

impl Binaries {
    /// Looks at one folder; `None` where there is no working server in it.
    pub fn in_dir(dir: &Path) -> Option<Self> {
        if !dir.join("initdb").is_file() {
            return None;
        }
        let output = Command::new(dir.join("postgres")).arg("--version").output().ok()?;
        let major = parse_major(&String::from_utf8_lossy(&output.stdout))?;
        Some(Self { dir: dir.to_owned(), major })
    }

    /// The path of a program, here or (for client programs that some server-only builds lack) elsewhere.
    pub fn program(&self, name: &str) -> PathBuf {
        let here = self.dir.join(name);
        if here.is_file() {
            return here;
        }
        let elsewhere = debian_dirs().into_iter().map(|dir| dir.join(name)).rfind(|path| path.is_file());
        elsewhere.unwrap_or_else(|| PathBuf::from(name))
    }
}

/// Every server that can be found, explicit choices first, then by descending major version.
pub fn available() -> Vec<Binaries> {
    let mut found = Vec::new();
    for dir in explicit_dirs() {
        push_new(&mut found, Binaries::in_dir(&dir));
    }
    let mut others = Vec::new();
    for dir in pg_config_dir().into_iter().chain(debian_dirs()).chain(path_dirs()) {
        push_new(&mut others, Binaries::in_dir(&dir));
    }
    others.sort_by_key(|binaries| std::cmp::Reverse(binaries.major));
    for binaries in others {
        push_new(&mut found, Some(binaries));
    }
    found
}

/// The server to use: the given folder, else the first available one (of `major`, when given).
pub fn find(bin_dir: Option<&Path>, major: Option<u32>) -> Result<Binaries> {
    let fits = |binaries: &Binaries| major.is_none_or(|wanted| wanted == binaries.major);
    let found = match bin_dir {
        Some(dir) => Binaries::in_dir(dir).filter(fits),
        None => available().into_iter().find(fits),
    };
    found.ok_or_else(|| Error::NoBinaries {
        wanted: major.map(|major| format!(" of major version {major}")).unwrap_or_default(),
        looked: looked_at(bin_dir),
    })
}

fn looked_at(bin_dir: Option<&Path>) -> String {
    let dirs: Vec<PathBuf> = match bin_dir {
        Some(dir) => vec![dir.to_owned()],
        None => explicit_dirs().into_iter().chain(pg_config_dir()).chain(debian_dirs()).chain(path_dirs()).collect(),
    };
    let names: Vec<String> = dirs.iter().map(|dir| dir.display().to_string()).collect();
    if names.is_empty() { format!("pg_config, {DEBIAN_ROOT}/*/bin") } else { names.join(", ") }
}

fn push_new(found: &mut Vec<Binaries>, binaries: Option<Binaries>) {
    found.extend(binaries.filter(|binaries| !found.contains(binaries)));
}

fn explicit_dirs() -> Vec<PathBuf> {
    let Some(value) = std::env::var_os(BIN_VARIABLE) else {
        return Vec::new();
    };
    std::env::split_paths(&value).filter(|dir| !dir.as_os_str().is_empty()).collect()
}

/// The folders of PATH that hold a server.
fn path_dirs() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).filter(|dir| dir.join("initdb").is_file()).collect()
}

/// A client program, without a server's folder to prefer: the newest there is, or whatever PATH has.
pub fn client_program(name: &str) -> PathBuf {
    let paths = available().into_iter().map(|binaries| binaries.dir.join(name));
    paths.into_iter().find(|path| path.is_file()).unwrap_or_else(|| PathBuf::from(name))
}

fn pg_config_dir() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let dir = String::from_utf8(output.stdout).ok()?;
    let dir = dir.trim();
    (!dir.is_empty()).then(|| PathBuf::from(dir))
}

/// Debian's folders, by ascending version.
fn debian_dirs() -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(DEBIAN_ROOT) else {
        return Vec::new();
    };
    let mut versions: Vec<(u32, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    versions.sort();
    versions.into_iter().map(|(_, dir)| dir).collect()
}

/// The major version in `postgres (PostgreSQL) 18beta1 (…)`.
fn parse_major(version: &str) -> Option<u32> {
    let number = version.split(')').nth(1)?.trim_start();
    let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_versions() {
        assert_eq!(parse_major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(parse_major("postgres (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(parse_major("something else"), None);
    }

    #[test]
    fn names_the_folder_that_was_wrong() {
        let error = find(Some(Path::new("/nonexistent")), Some(15)).expect_err("no server there");
        assert!(error.to_string().contains("/nonexistent"), "{error}");
        assert!(error.to_string().contains("version 15"), "{error}");
    }
}
