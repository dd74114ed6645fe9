//! The report in Markdown.
//!
//! In: workloads with the runs that they are of, and the charts that were drawn. Out: one text. The words are fixed; every number
//! is from the results.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{bytes, in_unit, short, time, verdicts};
use crate::result::{Arm, EQUAL, Goal, Operation, Run, Split, Unit, Workload};
use crate::rounds::ENOUGH;
use crate::stats::{self, Estimate};

/// Quartiles that are further apart than this part of the median are flagged.
const SPREAD: f64 = 0.2;

const HEAD: &str = "# Performance

Written by `tviewc-bench report` from results; do not edit. Every figure was measured by the commands below, all arms of an operation in
turns in one run. **Compare arms with each other and not with times of other machines.**
";

const ARMS: &str = "
| arm | what keeps the documents |
|---|---|
| none | nothing: the floor |
| comparison | a trigger that compares old and new rows and does nothing else |
| ceiling | triggers that find the same documents and write them again unchanged, without locks: what their new versions cost by themselves |
| hand | triggers written by hand for these views, with `jsonb_set` (`compiler/bench/sql`) |
| rebuild | statement triggers that evaluate the view again for whole documents, without locks: right for one writer at a time |
| refresh, refresh-concurrently | `REFRESH MATERIALIZED VIEW [CONCURRENTLY]` in each transaction |
| recompute | `tviewc compile --strategy recompute` |
| auto | `tviewc compile` |
| auto-gin | the same, and a GIN index (`jsonb_path_ops`) on each document |
| native | the same, with the extension `tview_native` in the database |
| pg_ivm, pg_tviews | extensions of others, where they could be installed |
";

const LIMITS: &str = "
## Limits

- Servers are throwaway ones: no fsync, no full-page writes, no synchronous commit, no autovacuum, one disk or memory; client and server
  share the machine. What a commit costs on a disk comes on top of every arm, and makes ratios smaller.
- Times are a client's, with its round trip, except where an operation is timed in the server. Buffers are those of user tables.
- Where the time goes is measured with `auto_explain`, which makes short statements slower: read the parts as proportions.
- Rounds of one pass are not independent of one another as the rank test supposes: caches, a busy neighbour and the size of tables move
  all of them together. Arms meet the same conditions in turns, and figures that are guarded are ratios for that reason; they are
  measured in several passes, each on databases made anew, and the guard asks whether passes differ (a moderated t test) besides.
- Intervals are of 95 % confidence, by resampling. A spread above ±20 % (quartiles to median) is flagged with `±`.
- The triggers written by hand lock as the migration does. Those of `cqrs` and `blog` are there for the updates that are measured only.
";

/// The whole report; charts are workload, title and path.
pub fn report(workloads: &[(&crate::result::Run, &Workload)], charts: &[(String, String, String)]) -> String {
    let all: Vec<&Workload> = workloads.iter().map(|(_, workload)| *workload).collect();
    let mut text = HEAD.to_owned();
    text += &setting(workloads);
    text += &judged(&all);
    text += &slower(&all);
    text += &paying(&all);
    for workload in &all {
        text += &section(workload, charts);
    }
    for (_, title, path) in charts.iter().filter(|(workload, ..)| workload.is_empty()) {
        let _ = write!(text, "\n## {title}\n\n![{title}]({path})\n");
    }
    text += &reproduce(&all);
    text + LIMITS
}

/// What it ran on; runs that agree are told once.
fn setting(workloads: &[(&Run, &Workload)]) -> String {
    let mut groups: Vec<(&Run, Vec<&str>)> = Vec::new();
    for (run, workload) in workloads {
        let same = |other: &&mut (&Run, Vec<&str>)| {
            (&other.0.versions, &other.0.settings, &other.0.commit) == (&run.versions, &run.settings, &run.commit)
                && lasting(other.0) == lasting(run)
        };
        match groups.iter_mut().find(same) {
            Some((_, names)) => names.push(&workload.name),
            None => groups.push((run, vec![&workload.name])),
        }
    }
    let mut text = String::new();
    for (run, names) in groups {
        let _ = write!(text, "\n**{}**", names.join(", "));
        let _ = writeln!(text, ", at commit {}:\n", run.commit.as_deref().unwrap_or("unknown"));
        for (what, facts) in [("machine", &run.machine), ("versions", &run.versions), ("settings", &run.settings)] {
            let facts: Vec<String> = facts.iter().map(|(name, value)| format!("{name} {value}")).collect();
            let _ = writeln!(text, "- {what}: {}", facts.join("; "));
        }
    }
    text + ARMS
}

/// What does not change from one run to the next.
fn lasting(run: &Run) -> Vec<(&String, &String)> {
    run.machine.iter().filter(|(name, _)| !name.starts_with("load")).collect()
}

fn estimate(estimate: &Estimate) -> String {
    format!("{} ({} to {})", short(estimate.value), short(estimate.low), short(estimate.high))
}

fn judged(workloads: &[&Workload]) -> String {
    let mut text = "\n## Verdicts\n\nAsked for: end to end more than 2 ×, elements of arrays more than 3 ×, memory less than 1.5 ×, no \
        crashes and no document that differs. *Proceed*: reached with 95 % confidence; *pivot*: no gain; *conditional*: between.\n\n\
        | operation | question | measured | asked | verdict |\n|---|---|---|---|---|\n"
        .to_owned();
    for verdict in verdicts::all(workloads) {
        let (measured, word) = (estimate(&verdict.figure), verdict.word);
        let _ = writeln!(
            text,
            "| {} | {} | {measured} | {} | {word} |",
            verdict.operation, verdict.question, verdict.asked
        );
    }
    let goals: Vec<(String, &Goal)> = workloads
        .iter()
        .flat_map(|w| {
            w.operations.iter().flat_map(move |o| o.goals.iter().map(move |g| (format!("{}: {}", w.name, o.name), g)))
        })
        .collect();
    if !goals.is_empty() {
        text += "\n| operation | goal | measured | |\n|---|---|---|---|\n";
    }
    for (operation, goal) in goals {
        let met = if goal.met { "met" } else { "**missed**" };
        let _ = writeln!(text, "| {operation} | {} | {} | {met} |", goal.text, estimate(&goal.figure));
    }
    let arms: Vec<&Arm> = workloads.iter().flat_map(|w| &w.operations).flat_map(|o| &o.arms).collect();
    let checked = arms.iter().filter(|arm| arm.equal.is_some()).count();
    let wrong = arms.iter().filter(|arm| arm.equal.as_deref().is_some_and(|equal| equal != EQUAL)).count();
    let _ = writeln!(
        text,
        "\nDocuments were compared with their views behind {checked} measurements; {} differed. A run that crashes leaves no result, so \
         that what is listed here has none.",
        if wrong == 0 { "none".to_owned() } else { format!("**{wrong}**") }
    );
    text
}

fn slower(workloads: &[&Workload]) -> String {
    let found = verdicts::slower(workloads);
    let mut text = "\n## What is slower\n\n".to_owned();
    if found.is_empty() {
        return text + "Nothing that was measured, beyond doubt.\n";
    }
    text += "| operation | is slower | than | by |\n|---|---|---|---|\n";
    for (operation, ours, other, ratio) in found {
        let _ = writeln!(text, "| {operation} | {ours} | {other} | {} × |", estimate(&ratio));
    }
    text
}

fn paying(workloads: &[&Workload]) -> String {
    let curves = verdicts::crossover(workloads);
    if curves.is_empty() {
        return String::new();
    }
    let mut text = "\n## When patching pays\n\nKey recompute divided by `auto`, by the number of elements; `auto` patches where it can \
        prove that it may, and recomputes otherwise: about 1 means that it does what recompute does.\n\n"
        .to_owned();
    for (curve, points) in curves {
        let sizes: Vec<String> = points.iter().map(|(at, gain)| format!("{at}: {}", estimate(gain))).collect();
        let from =
            verdicts::pays_from(&points).map_or("not at any size measured".to_owned(), |at| format!("from {at} on"));
        let _ = writeln!(text, "- {curve}: pays {from}; {}", sizes.join(", "));
    }
    text
}

fn section(workload: &Workload, charts: &[(String, String, String)]) -> String {
    let mut text = format!("\n## {}\n\n{}", workload.name, workload.about);
    let sizes: Vec<String> = workload.sizes.iter().map(|(name, value)| format!("{name} {value}")).collect();
    let _ = writeln!(text, " Sizes: {}.", sizes.join(", "));
    if !workload.documents.is_empty() {
        text += "\n| documents | rows | median size | largest |\n|---|---|---|---|\n";
        for d in &workload.documents {
            let (median, largest) = (bytes(d.median_bytes as f64), bytes(d.largest_bytes as f64));
            let _ = writeln!(text, "| {} | {} | {median} | {largest} |", d.tview, d.rows);
        }
    }
    for (_, title, path) in charts.iter().filter(|(of, ..)| *of == workload.name) {
        let _ = write!(text, "\n![{title}]({path})\n");
    }
    if workload.operations.iter().any(|operation| operation.curve.is_some() && operation.at.is_none()) {
        text += &by_size(workload);
    } else {
        workload.operations.iter().for_each(|operation| text += &table(operation));
    }
    for note in &workload.notes {
        let _ = write!(text, "\n{note}\n");
    }
    text
}

/// One line per operation, where the arms are sizes.
fn by_size(workload: &Workload) -> String {
    let names: Vec<&String> = workload.operations.iter().flat_map(|o| o.arms.iter().map(|arm| &arm.name)).collect();
    let mut sizes: Vec<&String> = Vec::new();
    names.into_iter().for_each(|name| {
        if !sizes.contains(&name) {
            sizes.push(name);
        }
    });
    let columns: String = sizes.iter().map(|size| format!(" {size} |")).collect();
    let mut text = format!("\n| operation |{columns} largest / smallest |\n|---|{}---|\n", "---|".repeat(sizes.len()));
    for operation in &workload.operations {
        let cells: String = sizes.iter().map(|size| format!(" {} |", cell(operation, size))).collect();
        let ratio = operation.guards.first().and_then(|guard| operation.ratio(&guard.arm, &guard.yardstick));
        let _ =
            writeln!(text, "| {} |{cells} {} |", operation.name, ratio.map_or(String::new(), |ratio| estimate(&ratio)));
    }
    text
}

fn cell(operation: &Operation, arm: &str) -> String {
    let Some(found) = operation.arm(arm) else {
        return "not measured".to_owned();
    };
    let unequal =
        found.equal.as_deref().filter(|equal| *equal != EQUAL).map_or(String::new(), |wrong| format!(" **{wrong}**"));
    format!("{}{unequal}", in_unit(stats::median(&found.samples), operation.unit))
}

fn table(operation: &Operation) -> String {
    let mut text = format!("\n### {}\n\n`{}`\n\n", operation.name, operation.what.replace('`', "'").replace('\n', " "));
    let is_timed = operation.unit == Unit::Microseconds;
    let reference =
        operation.arms.iter().find(|arm| !arm.samples.is_empty()).map(|arm| arm.name.clone()).unwrap_or_default();
    let has_counters = operation.arms.iter().any(|arm| arm.counters.is_some());
    let _ = write!(text, "| arm | median | p95 | p99 | n | cost / {reference} |");
    let mut rule = "|---|---|---|---|---|---|".to_owned();
    if is_timed {
        text += " per second |";
        rule += "---|";
    }
    if has_counters {
        text += " documents | per document | WAL | buffers | HOT | growth | session |";
        rule += "---|---|---|---|---|---|---|";
    }
    let _ = writeln!(text, " equal |\n{rule}---|");
    for arm in &operation.arms {
        text += &row(operation, arm, &reference, is_timed, has_counters);
    }
    text + &splits(operation)
}

fn row(operation: &Operation, arm: &Arm, reference: &str, is_timed: bool, has_counters: bool) -> String {
    let Some(summary) = arm.summary() else {
        let empty = " |".repeat(4 + usize::from(is_timed) + 7 * usize::from(has_counters));
        return format!(
            "| {} | not measured |{empty} {} |\n",
            arm.name,
            arm.missing.as_deref().unwrap_or("not wanted")
        );
    };
    let shown = |value: f64| in_unit(value, operation.unit);
    let flags = [(summary.spread > SPREAD, " ±"), (summary.n < ENOUGH, " (few)")];
    let flags: String = flags.into_iter().filter_map(|(is_so, flag)| is_so.then_some(flag)).collect();
    let ratio = operation.ratio(&arm.name, reference).map_or(String::new(), |ratio| estimate(&ratio));
    let mut row = format!(
        "| {} | {}{flags} | {} | {} | {} | {ratio} |",
        arm.name,
        shown(summary.median),
        shown(summary.p95),
        shown(summary.p99),
        summary.n
    );
    if is_timed {
        let _ = write!(row, " {} |", short(1e6 / summary.median));
    }
    if has_counters {
        row += &counted(operation, arm, summary.median);
    }
    let _ = writeln!(row, " {} |", arm.equal.as_deref().unwrap_or("not kept"));
    row
}

fn counted(operation: &Operation, arm: &Arm, median: f64) -> String {
    let Some(counters) = &arm.counters else {
        return " |".repeat(7);
    };
    let wal = if arm.wal.is_empty() { String::new() } else { bytes(stats::median(&arm.wal)) };
    // What the documents cost is what is above the operation without any.
    let none = operation.arm("none").map(|none| stats::median(&none.samples));
    let each = none.filter(|_| counters.documents > 0.0).map(|none| time((median - none) / counters.documents));
    format!(
        " {} | {} | {wal} | {} | {} | {} | {} |",
        short(counters.documents),
        each.unwrap_or_default(),
        short(counters.buffers),
        counters.hot.map_or(String::new(), |hot| format!("{:.0} %", hot * 100.0)),
        bytes(counters.growth as f64),
        counters.memory.map_or(String::new(), |memory| bytes(memory as f64)),
    )
}

/// Where the time goes, for the arms of which that is known.
fn splits(operation: &Operation) -> String {
    let known: Vec<(&str, &Split)> =
        operation.arms.iter().filter_map(|arm| Some((arm.name.as_str(), arm.split.as_ref()?))).collect();
    if known.is_empty() {
        return String::new();
    }
    let mut text = "\n| where the time goes | statement | finding | jsonb | writing, WAL | locks, waiting | rest |\n\
        |---|---|---|---|---|---|---|\n"
        .to_owned();
    for (name, split) in known {
        let parts = [split.statement, split.finding, split.jsonb, split.writing, split.locking, split.rest];
        let parts: Vec<String> = parts.iter().map(|part| format!("{:.0} %", part * 100.0)).collect();
        let _ = writeln!(text, "| {name} | {} |", parts.join(" | "));
    }
    text
}

fn reproduce(workloads: &[&Workload]) -> String {
    let mut text = "\n## How to reproduce\n\n`make bench` measures everything with the sizes of this report's defaults and writes it again. \
        One workload at a size of your own:\n\n```sh\n"
        .to_owned();
    let mut by_sizes: BTreeMap<&str, String> = BTreeMap::new();
    for workload in workloads {
        let sizes: Vec<String> = workload.sizes.iter().map(|(name, value)| format!("--size {name}={value}")).collect();
        by_sizes.insert(&workload.name, sizes.join(" "));
    }
    for (name, sizes) in by_sizes {
        let _ = writeln!(
            text,
            "cargo run --profile measure -p tviewc-bench -- run {name} {sizes} -o target/bench/{name}.json"
        );
    }
    text + "```\n"
}
