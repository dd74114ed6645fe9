//! What was measured, as figures, as a table and as JSON.

use serde::Serialize;

use crate::Arm;
use crate::workload::{Goal, Write};

/// The throughput against triggers written by hand never falls below this.
const THROUGHPUT: f64 = 0.9;

/// The figures of one write.
#[derive(Serialize)]
pub struct Figures {
    pub program: &'static str,
    pub write: &'static str,
    pub rounds: usize,
    pub arms: Vec<ArmFigures>,
    /// The overhead of `auto` divided by that of the triggers written by hand.
    pub overhead_to_hand: Option<f64>,
    /// The time with `auto` divided by that with the triggers written by hand.
    pub time_to_hand: Option<f64>,
    /// The time with `recompute` divided by that with `auto`.
    pub faster_than_recompute: Option<f64>,
    /// The time with `auto` divided by that with a trigger that only compares.
    pub time_to_comparison: Option<f64>,
    /// The overhead of `auto` divided by that of a trigger that only compares.
    pub overhead_to_comparison: Option<f64>,
    pub goal: String,
    pub met: bool,
}

/// Microseconds.
#[derive(Serialize)]
pub struct ArmFigures {
    pub arm: &'static str,
    pub median: f64,
    pub quartiles: (f64, f64),
    /// The median of the differences to the write without triggers in the same round.
    pub overhead: f64,
}

impl Figures {
    /// Of the times of each arm, round by round.
    pub fn of(program: &'static str, write: &Write, times: &[(Arm, Vec<f64>)]) -> Self {
        let none = times.iter().find(|(arm, _)| *arm == Arm::None).map(|(_, times)| times.as_slice()).unwrap_or(&[]);
        let arms: Vec<ArmFigures> = times.iter().map(|(arm, times)| ArmFigures::of(*arm, times, none)).collect();
        let arm = |arm: Arm| arms.iter().find(|a| a.arm == arm.name());
        let ratio = |above: Arm, below: Arm, of: fn(&ArmFigures) -> f64| Some(of(arm(above)?) / of(arm(below)?));
        let (median, overhead) = (|a: &ArmFigures| a.median, |a: &ArmFigures| a.overhead);
        let overhead_to_hand = ratio(Arm::Auto, Arm::Hand, overhead);
        let time_to_hand = ratio(Arm::Auto, Arm::Hand, median);
        let faster_than_recompute = ratio(Arm::Recompute, Arm::Auto, median);
        let time_to_comparison = ratio(Arm::Auto, Arm::Comparison, median);
        let overhead_to_comparison = ratio(Arm::Auto, Arm::Comparison, overhead);
        let at_most = |value: Option<f64>, limit: f64| value.is_some_and(|v| v <= limit);
        let (goal, met) = match write.goal {
            Goal::Overhead(most) => (
                format!("overhead <= {most} x by hand, throughput >= {THROUGHPUT} x"),
                at_most(overhead_to_hand, most) && at_most(time_to_hand, 1.0 / THROUGHPUT),
            ),
            Goal::Time(most) => (format!("time <= {most} x by hand"), at_most(time_to_hand, most)),
            Goal::Faster(least) => {
                (format!("{least} x faster than recompute"), faster_than_recompute.is_some_and(|v| v >= least))
            }
            Goal::Comparison(most) => {
                (format!("in the server <= {most} x a comparison"), at_most(time_to_comparison, most))
            }
        };
        let rounds = none.len();
        Figures {
            program,
            write: write.name,
            rounds,
            arms,
            overhead_to_hand,
            time_to_hand,
            faster_than_recompute,
            time_to_comparison,
            overhead_to_comparison,
            goal,
            met,
        }
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text = format!("{}: {} ({} rounds)\n", self.program, self.write, self.rounds);
        for arm in &self.arms {
            let (first, third) = arm.quartiles;
            let overhead = format!("{:.1}", arm.overhead);
            text += &format!(
                "  {:<12}{:>10.1} us  ({first:.1} to {third:.1})  overhead {overhead:>9}\n",
                arm.arm, arm.median
            );
        }
        let ratios = [
            ("overhead / by hand", self.overhead_to_hand),
            ("time / by hand", self.time_to_hand),
            ("recompute / auto", self.faster_than_recompute),
            ("time / comparison", self.time_to_comparison),
            ("overhead / comparison", self.overhead_to_comparison),
        ];
        let ratios: Vec<String> =
            ratios.iter().filter_map(|(name, value)| Some(format!("{name} {:.2}", (*value)?))).collect();
        let met = if self.met { "met" } else { "MISSED" };
        text + &format!("  {}\n  goal: {}: {met}\n", ratios.join(", "), self.goal)
    }
}

impl ArmFigures {
    fn of(arm: Arm, times: &[f64], none: &[f64]) -> Self {
        let differences: Vec<f64> = times.iter().zip(none).map(|(time, none)| time - none).collect();
        ArmFigures {
            arm: arm.name(),
            median: quantile(times, 0.5),
            quartiles: (quantile(times, 0.25), quantile(times, 0.75)),
            overhead: quantile(&differences, 0.5),
        }
    }
}

fn quantile(values: &[f64], part: f64) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let at = (values.len().saturating_sub(1)) as f64 * part;
    values.get(at.round() as usize).copied().unwrap_or(f64::NAN)
}
