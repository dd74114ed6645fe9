//! `tviewc-bench`: measures, reports, guards.
//!
//! In: arguments. Out: results as JSON, a report, an exit code: 0 fine, 1 a regression or documents that differ, 2 anything else that
//! went wrong.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use tviewc_bench::error::{Error, Result};
use tviewc_bench::guard::{self, Baseline, Thresholds};
use tviewc_bench::machine;
use tviewc_bench::passes;
use tviewc_bench::program::{self, ArmKind};
use tviewc_bench::progress::Progress;
use tviewc_bench::report;
use tviewc_bench::result::{FORMAT, Run, Workload};
use tviewc_bench::workloads::{KINDS, Kind, Request};

/// Measures what keeping documents costs, on throwaway servers.
#[derive(Parser)]
#[command(name = "tviewc-bench", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure workloads and write a result.
    Run(RunArguments),
    /// List workloads, their sizes, and arms.
    List,
    /// Compare a result with a baseline: exit code 1 where a guarded ratio has become worse.
    Compare(CompareArguments),
    /// Make a baseline of a result. This is a step of its own on purpose: it says that these figures are right from now on.
    Baseline {
        /// Results of `run`; several of one workload are put together.
        #[arg(required = true)]
        results: Vec<PathBuf>,
        /// The baseline to write.
        #[arg(long)]
        out: PathBuf,
    },
    /// Write the report from results.
    Report {
        /// Results of `run`; of a workload the last one counts.
        #[arg(required = true)]
        results: Vec<PathBuf>,
        /// The report; charts go into a folder of its name beside it.
        #[arg(long)]
        out: PathBuf,
        /// The history, for a chart of it.
        #[arg(long)]
        history: Option<PathBuf>,
    },
    /// Add a result to the history: a line of JSON per commit.
    History {
        /// A result of `run`.
        result: PathBuf,
        /// The history.
        #[arg(long)]
        file: PathBuf,
        /// Draw the trend.
        #[arg(long)]
        chart: Option<PathBuf>,
    },
}

#[derive(Args)]
struct RunArguments {
    /// Workloads; all without any.
    #[arg(value_parser = Kind::parse)]
    workloads: Vec<&'static Kind>,
    /// A size of a workload, as authors=1000 (repeatable); `list` shows them.
    #[arg(long = "size", value_name = "NAME=NUMBER", value_parser = size)]
    sizes: Vec<(String, i64)>,
    /// The arms to measure.
    #[arg(long, value_delimiter = ',', value_parser = ArmKind::parse,
          default_value = "none,comparison,ceiling,hand,recompute,auto,native")]
    arms: Vec<ArmKind>,
    /// All arms: refreshed materialized views, rebuilding triggers and rival extensions too.
    #[arg(long, conflicts_with = "arms")]
    all_arms: bool,
    /// Rounds of one operation; each workload has its own number otherwise.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,
    /// Measure everything so many times, each time on databases made anew and with a part of the rounds: what differs from pass to
    /// pass is not seen within one.
    #[arg(long, default_value_t = 1, overrides_with = "passes", value_parser = clap::value_parser!(u32).range(1..=30))]
    passes: u32,
    /// Seconds for all rounds of one operation. Thirty rounds are made in any case.
    #[arg(long, default_value_t = 120)]
    limit: u64,
    /// Only operations whose names contain this.
    #[arg(long, default_value = "")]
    only: String,
    /// The program whose `stream` reads; otherwise the one beside this.
    #[arg(long)]
    tviewc: Option<PathBuf>,
    /// Where to write the result.
    #[arg(long, short, default_value = "target/bench/result.json")]
    out: PathBuf,
}

#[derive(Args)]
struct CompareArguments {
    /// Results of `run`; several of one workload are put together.
    #[arg(required = true)]
    results: Vec<PathBuf>,
    /// The baseline.
    #[arg(long)]
    baseline: PathBuf,
    /// Write the verdict as Markdown too.
    #[arg(long)]
    markdown: Option<PathBuf>,
    #[command(flatten)]
    thresholds: Thresholds,
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("tviewc-bench: {error}");
            ExitCode::from(2)
        }
    }
}

/// Whether all is well.
fn run(command: Command) -> Result<bool> {
    match command {
        Command::Run(arguments) => measure(&arguments),
        Command::List => {
            list();
            Ok(true)
        }
        Command::Compare(arguments) => compare(&arguments),
        Command::Baseline { results, out } => {
            let baseline = Baseline::of(&read(&results)?)?;
            baseline.write(&out)?;
            println!("{}: {} guarded figures", out.display(), baseline.figures.len());
            Ok(true)
        }
        Command::Report { results, out, history } => {
            report::write(&read(&results)?, history.as_deref(), &out)?;
            Ok(true)
        }
        Command::History { result, file, chart } => {
            guard::history::append(&Run::read(&result)?, &file)?;
            if let Some(chart) = chart {
                report::trend(&file, &chart)?;
            }
            Ok(true)
        }
    }
}

fn read(paths: &[PathBuf]) -> Result<Vec<Run>> {
    paths.iter().map(|path| Run::read(path)).collect()
}

fn measure(arguments: &RunArguments) -> Result<bool> {
    let progress = Progress::default();
    let server = program::server(true)?;
    let mut admin = server.admin()?;
    let mut run = Run {
        format: FORMAT,
        commit: machine::commit(),
        time: machine::now(),
        machine: machine::machine(),
        versions: machine::versions(&mut admin)?,
        settings: machine::settings(&mut admin)?,
        workloads: Vec::new(),
    };
    drop(admin);
    let request = Request {
        server: &server,
        arms: if arguments.all_arms { ArmKind::ALL.to_vec() } else { arguments.arms.clone() },
        rounds: arguments.rounds.map(|rounds| rounds as usize),
        passes: arguments.passes as usize,
        limit: Duration::from_secs(arguments.limit),
        sizes: arguments.sizes.iter().cloned().collect(),
        only: arguments.only.clone(),
        tviewc: arguments.tviewc.clone(),
        progress: &progress,
    };
    let all: Vec<&Kind> = KINDS.iter().collect();
    let wanted = if arguments.workloads.is_empty() { &all } else { &arguments.workloads };
    if let Some((name, _)) = arguments.sizes.iter().find(|(name, _)| !has_size(wanted, name)) {
        return Err(Error::Usage(format!("none of the workloads has a size {name}; `tviewc-bench list` shows them")));
    }
    let mut measured: Vec<Vec<Workload>> = vec![Vec::new(); wanted.len()];
    for pass in 1..=arguments.passes {
        for (number, kind) in wanted.iter().enumerate() {
            progress.say(&format!("{}: {}{}", kind.name, kind.about, of_passes(pass, arguments.passes)));
            let workload = kind.run(&request)?;
            print!("{}", report::text::workload(&workload));
            measured[number].push(workload);
            run.workloads = measured.iter().filter_map(|passes| passes::together(passes)).collect();
            // After each, so that an interrupted run leaves what it has.
            run.write(&arguments.out)?;
        }
    }
    if !run.is_equal() {
        eprintln!("tviewc-bench: documents differ from their views");
    }
    Ok(run.is_equal())
}

/// Which pass, where there are several.
fn of_passes(pass: u32, all: u32) -> String {
    if all == 1 { String::new() } else { format!(" (pass {pass} of {all})") }
}

fn has_size(kinds: &[&Kind], name: &str) -> bool {
    kinds.iter().any(|kind| kind.sizes.iter().any(|size| size.name == name))
}

fn compare(arguments: &CompareArguments) -> Result<bool> {
    let verdict =
        guard::compare(&Baseline::read(&arguments.baseline)?, &read(&arguments.results)?, &arguments.thresholds)?;
    print!("{}", verdict.text());
    if let Some(path) = &arguments.markdown {
        let failed = |source| Error::File { path: path.clone(), source };
        std::fs::write(path, verdict.markdown()).map_err(failed)?;
    }
    Ok(verdict.is_fine())
}

fn list() {
    for kind in KINDS {
        println!("{:<22}{}", kind.name, kind.about);
        for size in kind.sizes {
            println!("{:<22}  {}={} ({} to {})", "", size.name, size.default, size.range.0, size.range.1);
        }
    }
    let arms: Vec<&str> = ArmKind::ALL.iter().map(|arm| arm.name()).collect();
    println!("\narms: {}", arms.join(", "));
}

fn size(text: &str) -> std::result::Result<(String, i64), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=NUMBER")?;
    let value = value.replace('_', "").parse().map_err(|_| format!("{value} is no whole number"))?;
    Ok((name.to_owned(), value))
}
