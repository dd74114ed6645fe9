//! What a run ran on.
//!
//! In: the machine and a server. Out: texts by name, for readers of a result; nothing is computed from them. No name of the
//! machine and no path is among them.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use postgres::Client;

use crate::error::{Doing, Result};

/// Processor, memory, system.
pub fn machine() -> BTreeMap<String, String> {
    let processors = std::thread::available_parallelism().map_or_else(|_| "?".to_owned(), |n| n.to_string());
    let model = line_of("/proc/cpuinfo", "model name");
    let memory = line_of("/proc/meminfo", "MemTotal");
    let facts = [
        ("processor", model),
        ("processors", Some(processors)),
        // Others' work makes figures scatter; whoever reads them wants to know.
        (
            "load before the run",
            std::fs::read_to_string("/proc/loadavg").ok().and_then(|text| text.split(' ').next().map(str::to_owned)),
        ),
        ("memory", memory),
        ("system", Some(std::env::consts::OS.to_owned())),
        ("architecture", Some(std::env::consts::ARCH.to_owned())),
    ];
    facts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// The server, this program, and the extension if the server has it.
pub fn versions(client: &mut Client) -> Result<BTreeMap<String, String>> {
    let server: String = client.query_one("SELECT version()", &[]).doing("asking for the version")?.get(0);
    let native = "SELECT default_version FROM pg_available_extensions WHERE name = 'tview_native'";
    let native: Option<String> =
        client.query_opt(native, &[]).doing("looking for the extension")?.map(|row| row.get(0));
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    let mut versions = BTreeMap::from([
        ("postgresql".to_owned(), server),
        ("tviewc".to_owned(), format!("{} ({build} build)", env!("CARGO_PKG_VERSION"))),
    ]);
    versions.extend(native.map(|version| ("tview_native".to_owned(), version)));
    Ok(versions)
}

/// Settings that were chosen.
pub fn settings(client: &mut Client) -> Result<BTreeMap<String, String>> {
    let sql = "SELECT name, current_setting(name) FROM pg_settings
                WHERE source IN ('command line', 'configuration file')
                  AND name !~ '^(lc_|log_|data_directory|config_file|hba_file|ident_file|unix_socket|external_pid|port$|dynamic_shared)'
                ORDER BY name";
    let rows = client.query(sql, &[]).doing("asking for settings")?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// The commit in this folder, with `+` where files differ from it.
pub fn commit() -> Option<String> {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    let changed = git(&["status", "--porcelain", "--untracked-files=no"])?;
    Some(if changed.is_empty() { commit } else { commit + "+" })
}

/// Seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

/// The most memory that a process has held, in kilobytes; on systems that tell.
pub fn peak_memory(process: i64) -> Option<i64> {
    let text = line_of(&format!("/proc/{process}/status"), "VmHWM")?;
    text.trim_end_matches(" kB").trim().parse().ok()
}

fn line_of(file: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
