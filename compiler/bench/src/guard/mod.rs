//! Whether something has become slower.
//!
//! In: a baseline and results. Out: a verdict per guarded figure, and over all. Always: a figure is a ratio to a yardstick of the
//! same run, round by round, so that times of different machines never meet; a figure without enough samples, or of another size, is
//! not compared and says so.
//!
//! Two tests have to agree that something is slower. The rank test of all samples sees what the rounds say. It takes rounds of one
//! pass for independent, which they are not: they share where rows lie and what else the machine did in these minutes, so that two
//! runs of the same program can differ beyond doubt. So the passes are compared as well, each by its median, by a t test
//! (`stats::compare_passes`). Of two or three passes nobody can tell how much a figure differs from pass to pass; what all figures
//! differ by on average counts as well, as that many passes more (G. K. Smyth's moderated t statistic).

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
    let samples = baseline.figures.values().chain(current.figures.values()).map(|figure| figure.samples.as_slice());
    let usual = stats::usual_variance(samples);
    let one = |(name, before): (&String, &Figure)| one(name, before, current.figures.get(name), usual, thresholds);
    let mut figures: Vec<Compared> = baseline.figures.iter().map(one).collect();
    let new = current.figures.keys().filter(|name| !baseline.figures.contains_key(*name));
    figures.extend(new.map(|name| skipped(name, "new: not in the baseline")));
    figures.sort_by_key(|figure| figure.outcome);
    let unequal = runs.iter().flat_map(unequal).collect();
    Ok(Verdict { figures, unequal })
}

fn skipped(name: &str, why: &str) -> Compared {
    Compared { name: name.to_owned(), outcome: Outcome::Skipped, test: None, why: why.to_owned() }
}

fn one(name: &str, before: &Figure, after: Option<&Figure>, usual: Option<f64>, thresholds: &Thresholds) -> Compared {
    let Some(after) = after else {
        return skipped(name, "not measured in this run");
    };
    if before.sizes != after.sizes {
        return skipped(name, "measured at another size than the baseline's");
    }
    if before.n.min(after.n) < ENOUGH {
        return skipped(name, &format!("fewer than {ENOUGH} samples"));
    }
    let test = match usual {
        Some(usual) => stats::compare_passes(&before.samples, &after.samples, usual),
        None => stats::compare(&before.samples.concat(), &after.samples.concat()),
    };
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
    /// doubled; and each pass a little off.
    fn measured(seed: u64, passes: usize, n: usize, factor: f64, off: f64) -> Figure {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        let noise = |dice: &mut ChaCha8Rng| -> f64 { (0..12).map(|_| dice.random::<f64>() - 0.5).sum() };
        let mut ratio = |of_pass: f64| {
            let disturbed = if dice.random::<f64>() < 0.05 { 2.0 } else { 1.0 };
            3.0 * factor * of_pass * (1.0 + 0.08 * noise(&mut dice)) * disturbed
        };
        let mut others = ChaCha8Rng::seed_from_u64(seed + 1_000_000);
        let mut pass = |_| {
            let of_pass = (off * noise(&mut others)).exp();
            (0..n).map(|_| ratio(of_pass)).collect()
        };
        Figure::of(BTreeMap::new(), (0..passes).map(&mut pass).collect())
    }

    fn one_pass(seed: u64, n: usize, factor: f64) -> Figure {
        measured(seed, 1, n, factor, 0.0)
    }

    fn outcome(before: &Figure, after: &Figure, usual: Option<f64>) -> Outcome {
        one("x", before, Some(after), usual, &Thresholds::default()).outcome
    }

    /// How many of so many figures of one pass fail.
    fn fail_of_one_pass(figures: u64, factor: f64) -> usize {
        let fails =
            |seed: &u64| outcome(&one_pass(*seed, 60, 1.0), &one_pass(1_000 + seed, 60, factor), None) == Outcome::Fail;
        (0..figures).filter(fails).count()
    }

    /// The same of three passes against a baseline of nine, which differ from one another.
    fn fail_of_passes(figures: u64, factor: f64, off: f64) -> usize {
        let of = |first: u64, passes: usize, factor: f64| -> Vec<Figure> {
            (0..figures).map(|n| measured(first + n, passes, 20, factor, off)).collect()
        };
        let (before, after) = (of(0, 9, 1.0), of(1_000, 3, factor));
        let usual = stats::usual_variance(before.iter().chain(&after).map(|figure| figure.samples.as_slice()));
        before.iter().zip(&after).filter(|(b, a)| outcome(b, a, usual) == Outcome::Fail).count()
    }

    #[test]
    fn a_fifth_slower_is_caught() {
        assert!(fail_of_one_pass(200, 1.2) >= 199);
        let caught = fail_of_passes(200, 1.2, 0.04);
        assert!(caught >= 190, "{caught}");
    }

    #[test]
    fn noise_is_not() {
        assert_eq!(fail_of_one_pass(100, 1.0), 0);
        for off in [0.0, 0.04, 0.08] {
            let alarms = fail_of_passes(200, 1.0, off);
            assert!(alarms <= 1, "{alarms} at {off}");
        }
    }

    /// What made the passes necessary: by the rounds alone it would be beyond doubt.
    #[test]
    fn what_passes_differ_by_anyhow_is_not() {
        let (before, after) = (measured(7, 3, 60, 1.0, 0.06), measured(7, 3, 60, 1.12, 0.06));
        assert_eq!(outcome(&before, &after, None), Outcome::Fail);
        assert_eq!(outcome(&before, &after, Some(0.06 * 0.06)), Outcome::Warn);
    }

    #[test]
    fn a_little_slower_is_warned_of_and_faster_is_reported() {
        // 200 samples tell the median to a percent.
        assert_eq!(outcome(&one_pass(1, 200, 1.0), &one_pass(2, 200, 1.075), None), Outcome::Warn);
        assert_eq!(outcome(&one_pass(1, 200, 1.0), &one_pass(2, 200, 0.9), None), Outcome::Faster);
        assert_eq!(outcome(&one_pass(1, 200, 1.0), &one_pass(2, 200, 1.0), None), Outcome::Same);
    }

    /// A tenth and more, on so few samples and with so much noise that it may be chance.
    #[test]
    fn slower_by_chance_is_a_warning() {
        let spread = |factor: f64| -> Figure {
            let samples = (0..ENOUGH).map(|n| factor * (1.0 + (n % 10) as f64)).collect();
            Figure::of(BTreeMap::new(), vec![samples])
        };
        assert_eq!(outcome(&spread(1.0), &spread(1.12), None), Outcome::Warn);
    }

    #[test]
    fn what_cannot_be_compared_is_not() {
        let skipped = |after: Option<&Figure>| one("x", &one_pass(1, 60, 1.0), after, None, &Thresholds::default());
        assert!(skipped(None).why.contains("not measured"));
        assert!(skipped(Some(&one_pass(2, ENOUGH - 1, 9.0))).why.contains("fewer than 30"));
        let other = Figure { sizes: BTreeMap::from([("users".to_owned(), 7)]), ..one_pass(2, 60, 9.0) };
        assert!(skipped(Some(&other)).why.contains("another size"));
        assert_eq!(skipped(Some(&other)).outcome, Outcome::Skipped);
    }
}
