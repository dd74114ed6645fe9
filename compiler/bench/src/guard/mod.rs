//! Whether something has become slower.
//!
//! In: a baseline and results. Out: a verdict per guarded figure, and over all. Always: a figure is a ratio to a yardstick of the
//! same run, round by round, so that times of different machines never meet; two samples are compared by a rank test and by the
//! interval of the ratio of their medians; a figure without enough samples, or of another size, is not compared and says so.

pub mod baseline;
pub mod history;

use std::fmt::Write;

use clap::Args;

pub use baseline::{Baseline, Figure};

use crate::error::Result;
use crate::result::Run;
use crate::rounds::ENOUGH;
use crate::stats::{self, Test};

/// What counts as slower.
#[derive(Clone, Copy, Debug, Args)]
pub struct Thresholds {
    /// Percent slower that fail, if significant.
    #[arg(long, default_value_t = 10.0)]
    pub fail: f64,
    /// Percent slower that are warned of, and percent faster that are reported.
    #[arg(long, default_value_t = 5.0)]
    pub warn: f64,
    /// Significant is what happens by chance in less than this part of cases.
    #[arg(long, default_value_t = 0.01)]
    pub alpha: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { fail: 10.0, warn: 5.0, alpha: 0.01 }
    }
}

/// What became of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Slower beyond doubt.
    Fail,
    /// Slower, perhaps, or a little.
    Warn,
    /// Not to be compared.
    Skipped,
    /// Faster.
    Faster,
    /// As before.
    Same,
}

/// One figure's verdict.
#[derive(Clone, Debug)]
pub struct Compared {
    /// Its name.
    pub name: String,
    /// What became of it.
    pub outcome: Outcome,
    /// The test, where there was one.
    pub test: Option<Test>,
    /// In words.
    pub why: String,
}

/// The verdict over all.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// Failures first.
    pub figures: Vec<Compared>,
    /// Arms whose documents were not equal to their views.
    pub unequal: Vec<String>,
}

/// Compares results with a baseline.
pub fn compare(baseline: &Baseline, runs: &[Run], thresholds: &Thresholds) -> Result<Verdict> {
    let current = Baseline::of(runs)?;
    let mut figures: Vec<Compared> = baseline
        .figures
        .iter()
        .map(|(name, before)| one(name, before, current.figures.get(name), thresholds))
        .collect();
    let new = current.figures.keys().filter(|name| !baseline.figures.contains_key(*name));
    figures.extend(new.map(|name| skipped(name, "new: not in the baseline")));
    figures.sort_by_key(|figure| figure.outcome);
    let unequal = runs.iter().flat_map(unequal).collect();
    Ok(Verdict { figures, unequal })
}

fn skipped(name: &str, why: &str) -> Compared {
    Compared { name: name.to_owned(), outcome: Outcome::Skipped, test: None, why: why.to_owned() }
}

fn one(name: &str, before: &Figure, after: Option<&Figure>, thresholds: &Thresholds) -> Compared {
    let Some(after) = after else {
        return skipped(name, "not measured in this run");
    };
    if before.sizes != after.sizes {
        return skipped(name, "measured at another size than the baseline's");
    }
    if before.samples.len().min(after.samples.len()) < ENOUGH {
        return skipped(name, &format!("fewer than {ENOUGH} samples"));
    }
    let test = stats::compare(&before.samples, &after.samples);
    let percent = (test.ratio.value - 1.0) * 100.0;
    let is_significant = test.p < thresholds.alpha && !(test.ratio.low..=test.ratio.high).contains(&1.0);
    let outcome = match percent {
        percent if percent > thresholds.fail && is_significant => Outcome::Fail,
        percent if percent > thresholds.warn => Outcome::Warn,
        percent if percent < -thresholds.warn => Outcome::Faster,
        _ => Outcome::Same,
    };
    let why = format!(
        "{percent:+.1} % ({:+.1} to {:+.1} %), p = {:.2e}, effect {:+.2}{}",
        (test.ratio.low - 1.0) * 100.0,
        (test.ratio.high - 1.0) * 100.0,
        test.p,
        test.delta,
        if is_significant { "" } else { ", not significant" }
    );
    Compared { name: name.to_owned(), outcome, test: Some(test), why }
}

fn unequal(run: &Run) -> Vec<String> {
    let mut found = Vec::new();
    for workload in &run.workloads {
        for operation in &workload.operations {
            for arm in &operation.arms {
                if let Some(wrong) = arm.equal.as_deref().filter(|equal| *equal != crate::result::EQUAL) {
                    found.push(format!("{}/{}/{}: {wrong}", workload.name, operation.name, arm.name));
                }
            }
        }
    }
    found
}

impl Outcome {
    fn word(self) -> &'static str {
        match self {
            Outcome::Fail => "SLOWER",
            Outcome::Warn => "warning",
            Outcome::Skipped => "skipped",
            Outcome::Faster => "faster",
            Outcome::Same => "same",
        }
    }
}

impl Verdict {
    /// Whether nothing fails.
    pub fn is_fine(&self) -> bool {
        self.unequal.is_empty() && self.figures.iter().all(|figure| figure.outcome != Outcome::Fail)
    }

    fn count(&self, outcome: Outcome) -> usize {
        self.figures.iter().filter(|figure| figure.outcome == outcome).count()
    }

    fn summary(&self) -> String {
        format!(
            "{} slower, {} warnings, {} faster, {} as before, {} not compared",
            self.count(Outcome::Fail),
            self.count(Outcome::Warn),
            self.count(Outcome::Faster),
            self.count(Outcome::Same),
            self.count(Outcome::Skipped)
        )
    }

    /// For terminals.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for figure in &self.figures {
            let _ = writeln!(text, "{:<8} {}: {}", figure.outcome.word(), figure.name, figure.why);
        }
        for wrong in &self.unequal {
            let _ = writeln!(text, "{:<8} {wrong}", "UNEQUAL");
        }
        text + &self.summary() + "\n"
    }

    /// For a comment on a change.
    pub fn markdown(&self) -> String {
        let title = if self.is_fine() { "No regression" } else { "**Regression**" };
        let mut text = format!("### {title}: {}\n\n", self.summary());
        for wrong in &self.unequal {
            let _ = writeln!(text, "- documents differ: {wrong}");
        }
        let shown: Vec<&Compared> = self.figures.iter().filter(|figure| figure.outcome != Outcome::Same).collect();
        if !shown.is_empty() {
            text += "\n| | figure (ratio within one run) | change |\n|---|---|---|\n";
            for figure in shown {
                let _ = writeln!(
                    text,
                    "| {} | {} | {} |",
                    figure.outcome.word(),
                    figure.name.replace('|', "\\|"),
                    figure.why
                );
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Ratios as they are measured: most within some percent, and now and then one that something else on the machine has
    /// doubled.
    fn measured(seed: u64, n: usize, factor: f64) -> Figure {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        let mut ratio = || {
            let noise: f64 = (0..12).map(|_| dice.random::<f64>() - 0.5).sum();
            let disturbed = if dice.random::<f64>() < 0.05 { 2.0 } else { 1.0 };
            3.0 * factor * (1.0 + 0.08 * noise) * disturbed
        };
        let samples = (0..n).map(|_| ratio()).collect();
        Figure::of(BTreeMap::new(), samples)
    }

    fn outcome(before: &Figure, after: &Figure) -> Outcome {
        one("x", before, Some(after), &Thresholds::default()).outcome
    }

    #[test]
    fn a_fifth_slower_is_caught() {
        let caught = (0..200)
            .filter(|seed| outcome(&measured(*seed, 60, 1.0), &measured(1_000 + seed, 60, 1.2)) == Outcome::Fail);
        assert!(caught.count() >= 49);
    }

    #[test]
    fn noise_is_not() {
        let alarms = (0..100)
            .filter(|seed| outcome(&measured(*seed, 60, 1.0), &measured(1_000 + seed, 60, 1.0)) == Outcome::Fail);
        assert_eq!(alarms.count(), 0);
    }

    #[test]
    fn a_little_slower_is_warned_of_and_faster_is_reported() {
        // 200 samples tell the median to a percent.
        assert_eq!(outcome(&measured(1, 200, 1.0), &measured(2, 200, 1.075)), Outcome::Warn);
        assert_eq!(outcome(&measured(1, 200, 1.0), &measured(2, 200, 0.9)), Outcome::Faster);
        assert_eq!(outcome(&measured(1, 200, 1.0), &measured(2, 200, 1.0)), Outcome::Same);
    }

    /// A tenth and more, on so few samples and with so much noise that it may be chance.
    #[test]
    fn slower_by_chance_is_a_warning() {
        let spread = |factor: f64| -> Figure {
            let samples = (0..ENOUGH).map(|n| factor * (1.0 + (n % 10) as f64)).collect();
            Figure::of(BTreeMap::new(), samples)
        };
        assert_eq!(outcome(&spread(1.0), &spread(1.12)), Outcome::Warn);
    }

    #[test]
    fn what_cannot_be_compared_is_not() {
        let skipped = |after: Option<&Figure>| one("x", &measured(1, 60, 1.0), after, &Thresholds::default());
        assert!(skipped(None).why.contains("not measured"));
        assert!(skipped(Some(&measured(2, ENOUGH - 1, 9.0))).why.contains("fewer than 30"));
        let other = Figure { sizes: BTreeMap::from([("users".to_owned(), 7)]), ..measured(2, 60, 9.0) };
        assert!(skipped(Some(&other)).why.contains("another size"));
        assert_eq!(skipped(Some(&other)).outcome, Outcome::Skipped);
    }
}
