//! `tviewc compile`: the migration.

use std::path::PathBuf;

use clap::Args;
use tviewc::Output;

use super::input::Input;
use super::{Failure, Global, Outcome, output, report};

/// Compile views to SQL on standard output, or to files with -o.
#[derive(Clone, Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    input: Input,
    /// Write PROGRAM.up.sql and PROGRAM.down.sql into this directory.
    #[arg(short = 'o', long = "out-dir", value_name = "DIR", env = "TVIEWC_OUT_DIR")]
    out_dir: Option<PathBuf>,
    /// Print what takes everything back instead.
    #[arg(long, env = "TVIEWC_DOWN", conflicts_with = "out_dir")]
    down: bool,
}

pub(super) fn run(arguments: &Arguments, global: &Global) -> Result<Outcome, Failure> {
    let options = arguments.input.options()?;
    let sources = arguments.input.read()?;
    let compilation = tviewc::compile(&sources, &options);
    let product = compilation.output.as_ref().filter(|_| !compilation.diagnostics.has_errors());
    if let Some(product) = product {
        write(arguments, product)?;
    }
    let counts = product.map(|p| (p.tviews, p.tables));
    Ok(report::finish(&compilation.diagnostics, &sources, counts, global))
}

fn write(arguments: &Arguments, product: &Output) -> Result<(), Failure> {
    let Some(dir) = &arguments.out_dir else {
        return output::print(if arguments.down { &product.down } else { &product.up });
    };
    std::fs::create_dir_all(dir).map_err(|e| Failure::new(format!("cannot create `{}`: {e}", dir.display())))?;
    output::write_file(&dir.join(format!("{}.up.sql", product.program)), &product.up)?;
    output::write_file(&dir.join(format!("{}.down.sql", product.program)), &product.down)?;
    Ok(())
}
