//! `tviewc completions`: a shell's completion script.

use clap::Args;
use clap_complete::Shell;

use super::{Failure, Outcome, output};

/// Print a completion script for a shell.
#[derive(Clone, Debug, Args)]
pub(super) struct Arguments {
    /// The shell.
    shell: Shell,
}

pub(super) fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut super::command(), "tviewc", &mut script);
    output::print(&String::from_utf8_lossy(&script))?;
    Ok(Outcome::Fine)
}
