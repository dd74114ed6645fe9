//! `tviewc check`: diagnostics only.

use clap::Args;
use tviewc::Options;

use super::input::Input;
use super::{Failure, Global, Outcome, report};

/// Report what compiling would report, and write nothing.
#[derive(Clone, Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    input: Input,
}

pub(super) fn run(arguments: &Arguments, global: &Global) -> Result<Outcome, Failure> {
    let program = arguments.input.program()?;
    let sources = arguments.input.read()?;
    let compilation = tviewc::compile(&sources, &Options { program: Some(program) });
    let counts = compilation.output.as_ref().map(|o| (o.tviews, o.tables));
    Ok(report::finish(&compilation.diagnostics, &sources, counts, global))
}
