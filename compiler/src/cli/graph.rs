//! `tviewc graph`: which table changes which tview, and how.

use clap::{Args, ValueEnum};
use tviewc::Options;

use super::input::Input;
use super::{Failure, Global, Outcome, output, report};

/// Print the dependency graph.
#[derive(Clone, Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    input: Input,
    /// How to write it.
    #[arg(long, value_name = "FORMAT", default_value = "text", env = "TVIEWC_GRAPH_FORMAT")]
    format: GraphFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum GraphFormat {
    Text,
    Json,
}

pub(super) fn run(arguments: &Arguments, global: &Global) -> Result<Outcome, Failure> {
    let options = Options { graph: true, ..arguments.input.options()? };
    let sources = arguments.input.read()?;
    let compilation = tviewc::compile(&sources, &options);
    let product = compilation.output.as_ref().filter(|_| !compilation.diagnostics.has_errors());
    if let Some(pictures) = product.and_then(|p| p.graph.as_ref()) {
        let text = match arguments.format {
            GraphFormat::Text => pictures.text.clone(),
            GraphFormat::Json => format!("{:#}\n", pictures.json),
        };
        output::print(&text)?;
    }
    let counts = product.map(|p| (p.tviews, p.tables));
    Ok(report::finish(&compilation.diagnostics, &sources, counts, global))
}
