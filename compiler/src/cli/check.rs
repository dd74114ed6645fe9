//! `tviewc check`: diagnostics only.

use clap::Args;

use super::input::Input;
use super::{Failure, Global, Outcome, report};

/// Report what compiling would report, and write nothing.
#[derive(Clone, Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    input: Input,
}

pub(super) fn run(arguments: &Arguments, global: &Global) -> Result<Outcome, Failure> {
    let options = arguments.input.options()?;
    let sources = arguments.input.read()?;
    let compilation = tviewc::compile(&sources, &options);
    let counts = compilation.output.as_ref().map(|o| (o.tviews, o.tables));
    Ok(report::finish(&compilation.diagnostics, &sources, counts, global))
}
