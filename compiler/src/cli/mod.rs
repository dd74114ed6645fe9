//! The command line: the only place that reads, writes and ends the process.
//!
//! In: arguments, files, standard input. Out: the product on standard output, diagnostics and one
//! summary line on standard error, an exit code: 0 fine, 1 diagnostics with errors or a mismatch, 2 usage or
//! input/output, 101 a bug of ours. One file per subcommand.

mod check;
mod compile;
mod completions;
mod database;
mod explain;
mod graph;
mod input;
mod output;
mod report;
mod stream;
mod verify;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use tviewc::diagnostics::{Diagnostic, render};

/// Compiles PostgreSQL views that build JSON documents into tables that triggers keep equal to them.
#[derive(Debug, Parser)]
#[command(name = "tviewc", version, propagate_version = true)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options of every subcommand.
#[derive(Clone, Debug, Args)]
struct Global {
    /// How diagnostics are written to standard error.
    #[arg(long, global = true, value_name = "FORMAT", default_value = "full", env = "TVIEWC_MESSAGE_FORMAT")]
    message_format: MessageFormat,
    /// When to colour them; NO_COLOR turns `auto` off.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", env = "TVIEWC_COLOR")]
    color: ColorChoice,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum MessageFormat {
    Full,
    Concise,
    Json,
    Github,
    Sarif,
}

impl MessageFormat {
    fn format(self) -> render::Format {
        match self {
            MessageFormat::Full => render::Format::Full,
            MessageFormat::Concise => render::Format::Concise,
            MessageFormat::Json => render::Format::Json,
            MessageFormat::Github => render::Format::Github,
            MessageFormat::Sarif => render::Format::Sarif,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ColorChoice {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    Compile(compile::Arguments),
    Check(check::Arguments),
    Graph(graph::Arguments),
    Explain(explain::Arguments),
    Verify(verify::Arguments),
    Stream(stream::Arguments),
    Completions(completions::Arguments),
}

/// Why a command ends early with exit code 2.
#[derive(Debug)]
enum Failure {
    /// The usage, or the output.
    Plain(String),
    /// An input file: a diagnostic like any other, in the chosen format.
    Unreadable(Box<Diagnostic>),
}

impl Failure {
    fn new(message: impl Into<String>) -> Self {
        Failure::Plain(message.into())
    }
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Fine,
    Errors,
}

/// Runs the command line.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    std::panic::set_hook(Box::new(report::bug));
    // Whatever a command leaves half done after a panic is not looked at again.
    let code = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(&cli)));
    ExitCode::from(code.unwrap_or(101))
}

fn run(cli: &Cli) -> u8 {
    let result = match &cli.command {
        Command::Compile(arguments) => compile::run(arguments, &cli.global),
        Command::Check(arguments) => check::run(arguments, &cli.global),
        Command::Graph(arguments) => graph::run(arguments, &cli.global),
        Command::Explain(arguments) => explain::run(arguments, &cli.global),
        Command::Verify(arguments) => verify::run(arguments, &cli.global),
        Command::Stream(arguments) => stream::run(arguments, &cli.global),
        Command::Completions(arguments) => completions::run(arguments),
    };
    match result {
        Ok(Outcome::Fine) => 0,
        Ok(Outcome::Errors) => 1,
        Err(Failure::Plain(message)) => {
            report::failure(&message);
            2
        }
        Err(Failure::Unreadable(diagnostic)) => {
            report::unreadable(*diagnostic, &cli.global);
            2
        }
    }
}

/// The clap command, for completions.
fn command() -> clap::Command {
    <Cli as clap::CommandFactory>::command()
}

#[cfg(test)]
mod tests {
    #[test]
    fn arguments_are_consistent() {
        super::command().debug_assert();
    }
}
