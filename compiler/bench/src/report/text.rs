//! For terminals: each operation in some lines.

use std::fmt::Write;

use super::{bytes, in_unit, short};
use crate::result::{Arm, EQUAL, Operation, Workload};

/// All operations of a workload.
pub fn workload(workload: &Workload) -> String {
    let mut text = String::new();
    for operation in &workload.operations {
        let _ = writeln!(text, "\n{}: {}", workload.name, operation.name);
        for arm in &operation.arms {
            text += &line(operation, arm);
        }
        for guard in &operation.guards {
            if let Some(ratio) = operation.ratio(&guard.arm, &guard.yardstick) {
                let (low, high) = (short(ratio.low), short(ratio.high));
                let _ =
                    writeln!(text, "  {} / {}: {} ({low} to {high})", guard.arm, guard.yardstick, short(ratio.value));
            }
        }
        for goal in &operation.goals {
            let met = if goal.met { "met" } else { "MISSED" };
            let _ = writeln!(text, "  goal: {}: {} ({met})", goal.text, short(goal.figure.value));
        }
    }
    for note in &workload.notes {
        let _ = writeln!(text, "  note: {note}");
    }
    text
}

fn line(operation: &Operation, arm: &Arm) -> String {
    let Some(summary) = arm.summary() else {
        return format!("  {:<22}{}\n", arm.name, arm.missing.as_deref().unwrap_or("not measured"));
    };
    let shown = |value: f64| in_unit(value, operation.unit);
    let mut line = format!(
        "  {:<22}{:>12}  p95 {:>11}  p99 {:>11}  n {:>4}",
        arm.name,
        shown(summary.median),
        shown(summary.p95),
        shown(summary.p99),
        summary.n
    );
    if !arm.wal.is_empty() {
        let _ = write!(line, "  WAL {:>9}", bytes(crate::stats::median(&arm.wal)));
    }
    if let Some(equal) = arm.equal.as_deref().filter(|equal| *equal != EQUAL) {
        let _ = write!(line, "  UNEQUAL: {equal}");
    }
    line + "\n"
}
