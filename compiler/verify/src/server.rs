//! A throwaway PostgreSQL server.
//!
//! In: `ServerOptions`. Out: a running cluster in a fresh temporary folder, reachable only through a Unix socket in
//! that folder (and, where that is asked for, a TCP port of this machine), and means to connect to it. The cluster and the folder are gone when the `Server` is dropped, and
//! also when the process that owns it dies: a small shell process waits for that, since a value in a `static` is
//! never dropped and a killed test run drops nothing at all.

use std::fs::File;
use std::io::Write;
use std::net::TcpListener;
use std::ops::Deref;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use postgres::Config;
use rustix::process::{Pid, Signal, geteuid, kill_process};
use tempfile::TempDir;

use crate::binaries::{self, Binaries};
use crate::error::{Doing, Error, Result};
use crate::host::{Host, check};

/// The superuser of every throwaway cluster.
pub const SUPERUSER: &str = "postgres";

/// Names the socket; a TCP port is another one, and free.
const PORT: u16 = 5432;
const SOCKET_LIMIT: usize = 107;
/// A cluster needs 40 MB and its WAL, which is bounded to 1 GB; there may be several at a time.
const SHARED_MEMORY_NEEDED: u64 = 4 << 30;
const STOP_PATIENCE: Duration = Duration::from_secs(10);

/// Waits for its standard input to close without the word `done`, which means that the owner died; then stops the
/// server (process $1) and removes the folder ($2).
const JANITOR: &str = r#"read -r word; [ "$word" = done ] && exit 0
kill -QUIT "$1"; n=0
while kill -0 "$1" && [ "$n" -lt 50 ]; do sleep 0.1; n=$((n + 1)); done
rm -rf -- "$2""#;

/// How to start a server. `ServerOptions::default()` is right for most tests.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// The folder of the server programs; otherwise they are looked for (see `binaries::find`).
    pub bin_dir: Option<PathBuf>,
    /// The exact major version wanted.
    pub major: Option<u32>,
    /// The cluster's locale.
    pub locale: String,
    /// How long a lock wait lasts before the server looks for a deadlock.
    pub deadlock_timeout: Duration,
    /// The limit of connections.
    pub max_connections: u32,
    /// Off by default: a vacuum at a random moment takes locks and moves rows.
    pub autovacuum: bool,
    /// Further settings; they win over the ones above.
    pub settings: Vec<(String, String)>,
    /// The account to run the server under when this process is root.
    pub run_as: Option<String>,
    /// Where to make the cluster's folder; otherwise in TMPDIR if that is set, in shared memory if there is plenty
    /// of it, or in the system's folder for temporary files.
    pub parent_dir: Option<PathBuf>,
    /// How long to wait for the first connection.
    pub startup_timeout: Duration,
    /// Whether to listen on a free TCP port of 127.0.0.1 as well.
    pub tcp: bool,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            bin_dir: None,
            major: None,
            locale: "C".to_owned(),
            deadlock_timeout: Duration::from_millis(200),
            max_connections: 100,
            autovacuum: false,
            settings: Vec::new(),
            run_as: None,
            parent_dir: None,
            startup_timeout: Duration::from_secs(60),
            tcp: false,
        }
    }
}

/// A running cluster.
#[derive(Debug)]
pub struct Server {
    host: Host,
    port: u16,
    binaries: Binaries,
    account: Option<Account>,
    options: ServerOptions,
    postmaster: Child,
    janitor: Option<Child>,
    // Last, so that the folder goes after the processes that use it.
    folder: TempDir,
}

impl Server {
    /// Makes a cluster and starts it.
    pub fn start(options: &ServerOptions) -> Result<Self> {
        let binaries = binaries::find(options.bin_dir.as_deref(), options.major)?;
        let account = Account::choose(options.run_as.as_deref())?;
        let folder = make_folder(account.as_ref(), options.parent_dir.as_deref())?;
        let port = if options.tcp { free_port()? } else { PORT };
        let mut options = options.clone();
        options.settings.push(("port".to_owned(), port.to_string()));
        initdb(&binaries, folder.path(), account.as_ref(), &options)?;
        let postmaster = spawn_postmaster(&binaries, folder.path(), account.as_ref(), &options)?;
        let host = host(folder.path(), &binaries, port);
        let mut server = Self { host, port, binaries, account, options, postmaster, janitor: None, folder };
        server.watch()?;
        Ok(server)
    }

    /// Has the cleaner look after the server that has just been started, and waits for its first connection.
    fn watch(&mut self) -> Result<()> {
        self.janitor = Some(spawn_janitor(self.postmaster.id(), self.folder.path())?);
        self.wait_until_ready(self.options.startup_timeout)
    }

    /// Ends all its processes at once, as a crash does, and starts the server again, which recovers. Connections end.
    pub fn crash(&mut self) -> Result<()> {
        self.stop(Signal::QUIT);
        self.dismiss_janitor();
        self.postmaster = spawn_postmaster(&self.binaries, self.folder.path(), self.account.as_ref(), &self.options)?;
        self.watch()
    }

    /// Stops the server and goes on with a cluster that `pg_upgrade` has made of its own, for the programs of `to`. Connections
    /// end; what is known of the server's folder, port and name stays.
    pub fn upgrade(&mut self, to: &Binaries) -> Result<()> {
        let (folder, account) = (self.folder.path().to_owned(), self.account);
        // What crashed cannot be upgraded.
        self.stop(Signal::INT);
        self.dismiss_janitor();
        let moved = std::fs::rename(folder.join("data"), folder.join("old"));
        moved.doing(|| format!("moving the cluster in {}", folder.display()))?;
        initdb(to, &folder, account.as_ref(), &self.options)?;
        let program = to.program("pg_upgrade");
        let output = command_as(&program, account.as_ref(), &folder)
            .args(["-U", SUPERUSER, "-d", "old", "-D", "data", "-b"])
            .arg(&self.binaries.dir)
            .arg("-B")
            .arg(&to.dir)
            .output()
            .doing(|| format!("starting {}", program.display()))?;
        check("pg_upgrade", output)?;
        self.binaries = to.clone();
        self.postmaster = spawn_postmaster(to, &folder, account.as_ref(), &self.options)?;
        self.host = host(&folder, to, self.port);
        self.watch()
    }

    /// The folder of the programs in use.
    pub fn bin_dir(&self) -> &Path {
        &self.binaries.dir
    }

    /// The folder of the Unix socket, to be given as the host.
    pub fn socket_dir(&self) -> &Path {
        self.folder.path()
    }

    /// The port number, which is part of the socket's name.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The end of the server's log.
    pub fn log_tail(&self) -> String {
        tail(&self.folder.path().join("log"), 4000)
    }

    fn wait_until_ready(&mut self, patience: Duration) -> Result<()> {
        let deadline = Instant::now() + patience;
        loop {
            let Err(error) = self.admin() else {
                return Ok(());
            };
            let ended = self.postmaster.try_wait().doing(|| "looking after the server".to_owned())?;
            let reason = match ended {
                Some(status) => format!("it ended: {status}"),
                None if Instant::now() > deadline => format!("after {patience:?}: {error}"),
                None => {
                    std::thread::sleep(Duration::from_millis(20));
                    continue;
                }
            };
            return Err(Error::NotReady { reason, log: self.log_tail() });
        }
    }

    fn stop(&mut self, signal: Signal) {
        if let Some(pid) = Pid::from_raw(i32::try_from(self.postmaster.id()).unwrap_or(0)) {
            let _ = kill_process(pid, signal);
        }
        let deadline = Instant::now() + STOP_PATIENCE;
        while matches!(self.postmaster.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.postmaster.kill();
        let _ = self.postmaster.wait();
    }

    fn dismiss_janitor(&mut self) {
        if let Some(mut janitor) = self.janitor.take() {
            if let Some(mut stdin) = janitor.stdin.take() {
                let _ = stdin.write_all(b"done\n");
            }
            let _ = janitor.wait();
        }
    }
}

impl Deref for Server {
    type Target = Host;

    fn deref(&self) -> &Host {
        &self.host
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The immediate shutdown; nobody needs a checkpoint of a folder that is about to go.
        self.stop(Signal::QUIT);
        self.dismiss_janitor();
    }
}

fn host(folder: &Path, binaries: &Binaries, port: u16) -> Host {
    let mut config = Config::new();
    config.host_path(folder).port(port).dbname("postgres");
    Host::new(config, SUPERUSER, binaries.program("psql"), binaries.major)
}

/// An unprivileged account.
#[derive(Debug, Clone, Copy)]
struct Account {
    uid: u32,
    gid: u32,
}

impl Account {
    /// `None` when this process may run a server itself.
    fn choose(wanted: Option<&str>) -> Result<Option<Self>> {
        if !geteuid().is_root() {
            return Ok(None);
        }
        let names = wanted.map_or_else(|| vec!["postgres", "nobody"], |name| vec![name]);
        let passwd = std::fs::read_to_string("/etc/passwd").doing(|| "reading /etc/passwd".to_owned())?;
        let found = names.iter().find_map(|name| Self::in_passwd(&passwd, name));
        found.map(Some).ok_or_else(|| Error::NoAccount(names.join(", ")))
    }

    fn in_passwd(passwd: &str, name: &str) -> Option<Self> {
        passwd.lines().find_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            match fields.as_slice() {
                [found, _, uid, gid, ..] if *found == name => {
                    Some(Self { uid: uid.parse().ok()?, gid: gid.parse().ok()? })
                }
                _ => None,
            }
        })
    }
}

/// A command that runs under the account, in the cluster's folder (the current one may be unreadable to it).
fn command_as(program: &Path, account: Option<&Account>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    if let Some(account) = account {
        command.uid(account.uid).gid(account.gid);
    }
    command.current_dir(folder).stdin(Stdio::null());
    command
}

fn make_folder(account: Option<&Account>, parent: Option<&Path>) -> Result<TempDir> {
    let parent = parent.map_or_else(default_parent, Path::to_owned);
    let mut folder = named_folder(&parent)?;
    if socket_path(folder.path()).as_os_str().len() > SOCKET_LIMIT {
        folder = named_folder(Path::new("/tmp"))?;
    }
    let socket = socket_path(folder.path());
    if socket.as_os_str().len() > SOCKET_LIMIT {
        return Err(Error::SocketPath(socket));
    }
    if let Some(account) = account {
        chown(folder.path(), Some(account.uid), Some(account.gid))
            .doing(|| format!("giving {} to the server's account", folder.path().display()))?;
    }
    Ok(folder)
}

/// Shared memory where there is plenty of it: copying a database means hundreds of files, which takes 0.2 s on a
/// disk and 0.01 s there.
fn default_parent() -> PathBuf {
    let shared = Path::new("/dev/shm");
    let free = rustix::fs::statvfs(shared).map_or(0, |fs| fs.f_bavail.saturating_mul(fs.f_frsize));
    let writable = rustix::fs::access(shared, rustix::fs::Access::WRITE_OK).is_ok();
    if std::env::var_os("TMPDIR").is_none() && writable && free > SHARED_MEMORY_NEEDED {
        shared.to_owned()
    } else {
        std::env::temp_dir()
    }
}

fn named_folder(parent: &Path) -> Result<TempDir> {
    let folder = tempfile::Builder::new().prefix("tviewc-pg-").tempdir_in(parent);
    folder.doing(|| format!("making a temporary folder in {}", parent.display()))
}

fn socket_path(folder: &Path) -> PathBuf {
    // As long as the longest port makes it.
    folder.join(format!(".s.PGSQL.{}", u16::MAX))
}

fn initdb(binaries: &Binaries, folder: &Path, account: Option<&Account>, options: &ServerOptions) -> Result<()> {
    let program = binaries.program("initdb");
    let output = command_as(&program, account, folder)
        .args(["--no-sync", "-A", "trust", "-E", "UTF8", "-U", SUPERUSER])
        .arg(format!("--locale={}", options.locale))
        // From 18 on checksums are the default; an upgraded cluster has to be like the old one.
        .args((binaries.major >= 18).then_some("--no-data-checksums"))
        .arg("-D")
        .arg(folder.join("data"))
        .output()
        .doing(|| format!("starting {} (is its folder readable to the server's account?)", program.display()))?;
    check("initdb", output)
}

fn spawn_postmaster(
    binaries: &Binaries,
    folder: &Path,
    account: Option<&Account>,
    options: &ServerOptions,
) -> Result<Child> {
    let log = File::create(folder.join("log")).doing(|| "creating the server's log".to_owned())?;
    let log_too = log.try_clone().doing(|| "sharing the server's log".to_owned())?;
    let program = binaries.program("postgres");
    let mut command = command_as(&program, account, folder);
    command.arg("-D").arg(folder.join("data")).arg("-k").arg(folder);
    for (name, value) in settings(options) {
        command.arg("-c").arg(format!("{name}={value}"));
    }
    // Its own process group: Ctrl-C is for the owner, which then stops the server in its way.
    command.stdout(log).stderr(log_too).process_group(0);
    command.spawn().doing(|| format!("starting {}", program.display()))
}

fn settings(options: &ServerOptions) -> Vec<(String, String)> {
    let fixed = [
        ("listen_addresses", if options.tcp { "127.0.0.1" } else { "" }.to_owned()),
        ("fsync", "off".to_owned()),
        ("full_page_writes", "off".to_owned()),
        ("synchronous_commit", "off".to_owned()),
        ("max_connections", options.max_connections.to_string()),
        ("max_prepared_transactions", "20".to_owned()),
        ("deadlock_timeout", format!("{}ms", options.deadlock_timeout.as_millis())),
        ("autovacuum", if options.autovacuum { "on" } else { "off" }.to_owned()),
        ("jit", "off".to_owned()),
        ("max_locks_per_transaction", "256".to_owned()),
    ];
    let fixed = fixed.into_iter().map(|(name, value)| (name.to_owned(), value));
    fixed.chain(options.settings.iter().cloned()).collect()
}

/// A port that nobody listens on right now.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).doing(|| "looking for a free port".to_owned())?;
    Ok(listener.local_addr().doing(|| "looking for a free port".to_owned())?.port())
}

fn spawn_janitor(postmaster: u32, folder: &Path) -> Result<Child> {
    Command::new("/bin/sh")
        .args(["-c", JANITOR, "sh", &postmaster.to_string()])
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .doing(|| "starting the process that cleans up".to_owned())
}

fn tail(path: &Path, bytes: usize) -> String {
    let content = std::fs::read(path).unwrap_or_default();
    let start = content.len().saturating_sub(bytes);
    String::from_utf8_lossy(&content[start..]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_an_account() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\npostgres:x:104:109::/var/lib/postgresql:/bin/bash\n";
        let account = Account::in_passwd(passwd, "postgres").expect("it is there");
        assert_eq!((account.uid, account.gid), (104, 109));
        assert!(Account::in_passwd(passwd, "nobody").is_none());
    }

    #[test]
    fn own_settings_come_last_and_win() {
        let options = ServerOptions { settings: vec![("fsync".into(), "on".into())], ..Default::default() };
        let last = settings(&options).into_iter().rev().find(|(name, _)| name == "fsync");
        assert_eq!(last, Some(("fsync".to_owned(), "on".to_owned())));
    }
}
