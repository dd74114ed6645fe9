//! Where scratch databases are made, and how a program gets into one.
//!
//! In: a server, the files of a program. Out: databases that go away again. On a server of our own, roles that the files name
//! are made as they turn out to be missing; on one that was there before, nothing but scratch databases is made.

use tviewc::source::Sources;
use tviewc_verify::{Error, Host, quote};

use super::failure;
use crate::cli::{Failure, report};

/// So many roles a schema may name.
const MAX_ROLES: usize = 100;

/// A server, and the role that owns the program's tables there.
pub(super) struct Ground<'a> {
    pub(super) host: &'a Host,
    pub(super) role: String,
    /// Whether the server was started for this run.
    pub(super) ours: bool,
}

/// A database that goes away again.
pub(super) struct Scratch<'a> {
    host: &'a Host,
    pub(super) name: String,
}

impl<'a> Ground<'a> {
    /// A database, empty or a copy.
    pub(super) fn scratch(&self, purpose: &str, template: Option<&str>) -> Result<Scratch<'a>, Failure> {
        let name = format!("tviewc_verify_{}_{purpose}", std::process::id());
        self.host.create_database(&name, &self.role, template).map_err(failure)?;
        Ok(Scratch { host: self.host, name })
    }

    /// A database to which the files have been applied, each in a session of its own.
    pub(super) fn applied(&self, purpose: &str, sources: &Sources) -> Result<Scratch<'a>, Failure> {
        let mut known = if self.ours { self.roles()? } else { Vec::new() };
        for _ in 0..MAX_ROLES {
            let scratch = self.scratch(purpose, None)?;
            if self.ours {
                // Whoever the files make an owner has to be one who may create.
                let open = "GRANT ALL ON SCHEMA public TO PUBLIC";
                self.host.psql(&scratch.name, self.host.administrator(), open).map_err(failure)?;
            }
            let failed = sources.files.iter().find_map(|file| {
                self.host.psql(&scratch.name, &self.role, &file.text).err().map(|error| (file, error))
            });
            let Some((file, error)) = failed else { return Ok(scratch) };
            match missing_role(&error).filter(|_| self.ours) {
                Some(role) => {
                    known.push(role.to_owned());
                    drop(scratch);
                    self.retry_with(role, &known)?;
                }
                None => return Err(Failure::new(format!("cannot apply {}: {error}", file.name))),
            }
        }
        Err(Failure::new(format!("the files name more than {MAX_ROLES} roles")))
    }

    fn roles(&self) -> Result<Vec<String>, Failure> {
        let rows = self.host.admin().map_err(failure)?.query("SELECT rolname::text FROM pg_roles", &[]);
        let rows = rows.map_err(|error| Failure::new(format!("cannot read the roles: {error}")))?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    /// Makes a role that is missing. Those that the files have made themselves go again: they will be made once more.
    fn retry_with(&self, role: &str, known: &[String]) -> Result<(), Failure> {
        for made in self.roles()?.iter().filter(|name| !known.contains(name)) {
            let dropped =
                self.host.admin().map_err(failure)?.batch_execute(&format!("DROP ROLE {}", quote::ident(made)));
            dropped.map_err(|error| Failure::new(format!("cannot drop the role {made}: {error}")))?;
        }
        self.make_role(role)
    }

    /// The owner of the tables becomes a member, so that it may give them away as the files say.
    fn make_role(&self, role: &str) -> Result<(), Failure> {
        let (role, owner) = (quote::ident(role), quote::ident(&self.role));
        let sql = format!("CREATE ROLE {role}; GRANT {role} TO {owner}");
        let made = self.host.admin().map_err(failure)?.batch_execute(&sql);
        made.map_err(|error| Failure::new(format!("cannot make the role {role}: {error}")))
    }
}

/// The role that is missing, by psql's message; our servers speak English.
fn missing_role(error: &Error) -> Option<&str> {
    let Error::Program { stderr, .. } = error else { return None };
    let (_, rest) = stderr.split_once("ERROR:  role \"")?;
    rest.split_once("\" does not exist").map(|(name, _)| name)
}

impl Drop for Scratch<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.host.drop_database(&self.name) {
            report::failure(&format!("the scratch database {} is left behind: {error}", self.name));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_role_that_is_missing() {
        let error = |stderr: &str| Error::Program { program: "psql".into(), status: "3".into(), stderr: stderr.into() };
        let message = "psql:<stdin>:3: ERROR:  role \"the app\" does not exist";
        assert_eq!(missing_role(&error(message)), Some("the app"));
        assert_eq!(missing_role(&error("ERROR:  relation \"a\" does not exist")), None);
    }
}
