//! A server that scratch databases can be made on.
//!
//! In: how to connect. Out: connections, databases, scripts run by psql. A [`crate::Server`] is one that this process
//! started; one that was there before is described by its connection string. Nothing here touches a database that it
//! was not told to.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use postgres::config::SslMode;
use postgres::{Client, Config, NoTls};

use crate::binaries;
use crate::error::{Doing, Error, Result};
use crate::quote;

/// How to reach a server, and as whom.
#[derive(Debug, Clone)]
pub struct Host {
    config: Config,
    administrator: String,
    psql: PathBuf,
    major: u32,
}

impl Host {
    /// A host that is known to be there.
    pub(crate) fn new(config: Config, administrator: &str, psql: PathBuf, major: u32) -> Self {
        Self { config, administrator: administrator.to_owned(), psql, major }
    }

    /// The server behind a connection string; its user has to be one who may create databases.
    pub fn existing(url: &str) -> Result<Self> {
        let config = parse(url)?;
        let mut client = Self::open(url)?;
        let row = client
            .query_one("SELECT current_user::text, current_setting('server_version_num')::int4 / 10000", &[])
            .doing(|| "asking for the version".to_owned())?;
        let major = u32::try_from(row.get::<_, i32>(1)).unwrap_or(0);
        let psql = binaries::client_program("psql");
        Ok(Self { config, administrator: row.get(0), psql, major })
    }

    /// Connects to the database that a connection string names.
    pub fn open(url: &str) -> Result<Client> {
        parse(url)?.connect(NoTls).doing(|| "connecting to the database".to_owned())
    }

    /// The major version of the server.
    pub fn major_version(&self) -> u32 {
        self.major
    }

    /// The role that may create databases and look at all tables in them.
    pub fn administrator(&self) -> &str {
        &self.administrator
    }

    /// Connection parameters, for use from other threads.
    pub fn config(&self, database: &str, user: &str) -> Config {
        let mut config = self.config.clone();
        config.user(user).dbname(database).application_name("tviewc-verify");
        config
    }

    /// Connects.
    pub fn connect(&self, database: &str, user: &str) -> Result<Client> {
        let client = self.config(database, user).connect(NoTls);
        client.doing(|| format!("connecting to database {database} as {user}"))
    }

    /// Connects as the administrator to the maintenance database.
    pub fn admin(&self) -> Result<Client> {
        let database = self.config.get_dbname().unwrap_or(&self.administrator).to_owned();
        self.connect(&database, &self.administrator)
    }

    /// Creates a role that can log in and has no other power.
    pub fn create_role(&self, name: &str) -> Result<()> {
        let sql = format!("CREATE ROLE {} LOGIN", quote::ident(name));
        self.admin()?.batch_execute(&sql).doing(|| sql.clone())
    }

    /// Creates a database, as a copy of `template` (`template1` when none is given).
    pub fn create_database(&self, name: &str, owner: &str, template: Option<&str>) -> Result<()> {
        let mut sql = format!("CREATE DATABASE {} OWNER {}", quote::ident(name), quote::ident(owner));
        if let Some(template) = template {
            sql.push_str(&format!(" TEMPLATE {}", quote::ident(template)));
        }
        // Copying files needs a checkpoint but no WAL; with fsync off it is the faster way for any real schema.
        if self.major_version() >= 15 && template.is_some() {
            sql.push_str(" STRATEGY file_copy");
        }
        self.execute_when_unused(&sql)
    }

    /// Drops a database, together with the connections and prepared transactions that are still open in it.
    pub fn drop_database(&self, name: &str) -> Result<()> {
        let mut admin = self.admin()?;
        self.end_prepared_transactions(&mut admin, name)?;
        // FORCE takes 0.1 s when it finds a connection, even one that is just closing; so those get a moment.
        let open = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = $1)";
        for _ in 0..20 {
            let row = admin.query_one(open, &[&name]).doing(|| "looking for connections".to_owned())?;
            if !row.get::<_, bool>(0) {
                break;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", quote::ident(name));
        admin.batch_execute(&sql).doing(|| sql.clone())
    }

    /// They survive their sessions, and FORCE does not end them.
    fn end_prepared_transactions(&self, admin: &mut Client, database: &str) -> Result<()> {
        let sql = "SELECT gid FROM pg_prepared_xacts WHERE database = $1 ORDER BY gid";
        let rows = admin.query(sql, &[&database]).doing(|| "looking for prepared transactions".to_owned())?;
        for row in rows {
            let sql = format!("ROLLBACK PREPARED {}", quote::literal(row.get(0)));
            self.connect(database, &self.administrator)?.batch_execute(&sql).doing(|| sql.clone())?;
        }
        Ok(())
    }

    /// Runs a script with psql; stops at the first error, which is returned with psql's message.
    pub fn psql(&self, database: &str, user: &str, script: &str) -> Result<()> {
        let mut child = self
            .client_command(&self.psql, database, user)
            .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .doing(|| format!("starting {}", self.psql.display()))?;
        let stdin = child.stdin.take();
        // psql prints notices while it still reads, so feeding and draining happen side by side.
        let output = std::thread::scope(|scope| {
            scope.spawn(move || {
                if let Some(mut stdin) = stdin {
                    // A psql that stopped at an error closes its end; its exit status tells.
                    let _ = stdin.write_all(script.as_bytes());
                }
            });
            child.wait_with_output()
        });
        check("psql", output.doing(|| "waiting for psql".to_owned())?)
    }

    /// A client program of PostgreSQL that will connect to this host, without further arguments.
    pub fn client_command(&self, program: &std::path::Path, database: &str, user: &str) -> Command {
        let mut command = Command::new(program);
        // Settings of the caller's own, like PGOPTIONS, would make the same script mean something else.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        command.env("PGUSER", user).env("PGDATABASE", database).env("PGCLIENTENCODING", "UTF8");
        let hosts: Vec<String> = self.config.get_hosts().iter().map(host_text).collect();
        if !hosts.is_empty() {
            command.env("PGHOST", hosts.join(","));
        }
        let ports: Vec<String> = self.config.get_ports().iter().map(u16::to_string).collect();
        if !ports.is_empty() {
            command.env("PGPORT", ports.join(","));
        }
        if let Some(password) = self.config.get_password() {
            command.env("PGPASSWORD", String::from_utf8_lossy(password).into_owned());
        }
        command
    }

    /// Runs a statement that needs a database without connections. A client that was closed a moment ago may still
    /// have its backend, so 55006 is tried again for a while.
    fn execute_when_unused(&self, sql: &str) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(5);
        let mut admin = self.admin()?;
        loop {
            let result = admin.batch_execute(sql);
            let busy = result.as_ref().err().and_then(postgres::Error::code).is_some_and(|code| code.code() == "55006");
            if !busy || Instant::now() > deadline {
                return result.doing(|| format!("{sql} (all connections to the template must be closed)"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A connection string that this crate can use.
fn parse(url: &str) -> Result<Config> {
    // The driver's message repeats no part of the string, which may hold a password.
    let config: Config =
        url.parse().map_err(|error| Error::Setup(format!("the database URL cannot be read: {error}")))?;
    if config.get_ssl_mode() == SslMode::Require {
        return Err(Error::Setup("a database behind TLS cannot be reached yet; use a tunnel".to_owned()));
    }
    Ok(config)
}

fn host_text(host: &postgres::config::Host) -> String {
    match host {
        postgres::config::Host::Tcp(name) => name.clone(),
        postgres::config::Host::Unix(path) => path.display().to_string(),
    }
}

/// The error of a program that ended with one.
pub(crate) fn check(program: &str, output: Output) -> Result<()> {
    if output.status.success() {
        return Ok(());
    }
    // Some programs tell on standard output what went wrong.
    let said = if output.stderr.is_empty() { &output.stdout } else { &output.stderr };
    let stderr = String::from_utf8_lossy(said).trim_end().to_owned();
    Err(Error::Program { program: program.to_owned(), status: output.status.to_string(), stderr })
}
