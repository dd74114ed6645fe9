//! What to make of it.
//!
//! In: operations. Out: a verdict for each that patches, the extension or reading from a table is about: proceed, conditional, or
//! pivot, by the gains that were asked for; what is slower; from which size on patching pays.

use crate::result::{Operation, Workload};
use crate::rounds::ENOUGH;
use crate::stats::Estimate;

/// Least gain of an operation from end to end.
const END_TO_END: f64 = 2.0;
/// Least gain where an element of an array changes.
const ARRAY: f64 = 3.0;
/// Most memory, native to portable.
const MEMORY: f64 = 1.5;
/// Less than this is no gain.
const NOTHING: f64 = 1.1;

/// A verdict.
pub struct Verdict {
    /// The workload and operation.
    pub operation: String,
    /// What was compared.
    pub question: &'static str,
    /// How many times faster, or how much more memory.
    pub figure: Estimate,
    /// What was asked for.
    pub asked: String,
    /// The word.
    pub word: &'static str,
}

/// Of all operations that one can be given for.
pub fn all(workloads: &[&Workload]) -> Vec<Verdict> {
    let operations = workloads.iter().flat_map(|workload| workload.operations.iter().map(move |o| (*workload, o)));
    operations.flat_map(|(workload, operation)| of(workload, operation)).collect()
}

fn of(workload: &Workload, operation: &Operation) -> Vec<Verdict> {
    let least = if workload.name.starts_with("arrays") { ARRAY } else { END_TO_END };
    let mut found = Vec::new();
    let mut gain = |question, slow: &str, fast: &str| {
        // The ratio counts cost, whatever the unit: the slower one divided by the faster.
        if let Some(figure) = operation.ratio(slow, fast) {
            let word = match figure {
                _ if !is_enough(operation, slow, fast) => "conditional (few samples)",
                Estimate { low, .. } if low >= least => "proceed",
                Estimate { high, .. } if high < NOTHING => "pivot",
                _ => "conditional",
            };
            let operation = format!("{}: {}", workload.name, operation.name);
            found.push(Verdict { operation, question, figure, asked: format!("> {least} x"), word });
        }
    };
    gain("patches against key recompute", "recompute", "auto");
    gain("against whole-document rebuild triggers", "rebuild", "auto");
    gain("against REFRESH MATERIALIZED VIEW", "refresh", "auto");
    if workload.name == "memory" {
        if let Some(figure) = operation.ratio("native", "portable").filter(|_| operation.name.contains("memory")) {
            let word = if figure.high < MEMORY { "proceed" } else { "pivot" };
            let operation = format!("{}: {}", workload.name, operation.name);
            found.push(Verdict {
                operation,
                question: "memory, native to portable",
                figure,
                asked: format!("< {MEMORY} x"),
                word,
            });
        }
    } else {
        gain("the extension against portable patches", "auto", "native");
        gain("reading the tview against the view", "view", "tview");
    }
    found
}

/// Whether there are samples enough to be sure of anything.
fn is_enough(operation: &Operation, one: &str, other: &str) -> bool {
    [one, other].iter().all(|arm| operation.arm(arm).is_some_and(|arm| arm.samples.len() >= ENOUGH))
}

/// Where ours is slower than something else, beyond doubt: what, than what, and how much.
pub fn slower(workloads: &[&Workload]) -> Vec<(String, &'static str, &'static str, Estimate)> {
    let pairs = [
        ("auto", "hand"),
        ("auto", "rebuild"),
        ("auto", "refresh"),
        ("auto", "refresh-concurrently"),
        ("auto", "recompute"),
        ("native", "auto"),
        ("native", "portable"),
        ("tview", "materialized view"),
        ("tview", "view"),
    ];
    let mut found = Vec::new();
    for workload in workloads {
        for operation in &workload.operations {
            for (ours, other) in pairs {
                let is_beyond_doubt =
                    |ratio: &Estimate| ratio.low > 1.0 && ratio.value > 1.02 && is_enough(operation, ours, other);
                let ratio = operation.ratio(ours, other).filter(is_beyond_doubt);
                found.extend(ratio.map(|ratio| (format!("{}: {}", workload.name, operation.name), ours, other, ratio)));
            }
        }
    }
    found
}

/// For each curve with both strategies: the gain of patching at each size.
pub fn crossover(workloads: &[&Workload]) -> Vec<(String, Vec<(f64, Estimate)>)> {
    let mut curves: Vec<(String, Vec<(f64, Estimate)>)> = Vec::new();
    for operation in workloads.iter().flat_map(|workload| &workload.operations) {
        let (Some(curve), Some(at)) = (&operation.curve, operation.at) else {
            continue;
        };
        let Some(gain) = operation.ratio("recompute", "auto") else {
            continue;
        };
        match curves.iter_mut().find(|(name, _)| name == curve) {
            Some((_, points)) => points.push((at, gain)),
            None => curves.push((curve.clone(), vec![(at, gain)])),
        }
    }
    curves
}

/// From which size on patching pays: the first from which on every size gains.
pub fn pays_from(points: &[(f64, Estimate)]) -> Option<f64> {
    let tail = points.iter().rev().take_while(|(_, gain)| gain.low > NOTHING);
    tail.last().map(|(at, _)| *at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::Arm;

    fn operation(recompute: f64, auto: f64) -> Workload {
        let arm = |name: &str, value: f64| Arm { name: name.into(), samples: vec![value; 30], ..Arm::default() };
        let operation = Operation {
            name: "o".into(),
            arms: vec![arm("recompute", recompute), arm("auto", auto)],
            ..Operation::default()
        };
        Workload { name: "w".into(), operations: vec![operation], ..Workload::default() }
    }

    #[test]
    fn verdicts_follow_the_gains() {
        for (recompute, word) in [(3.0, "proceed"), (1.5, "conditional"), (1.0, "pivot")] {
            let workload = operation(recompute, 1.0);
            let words: Vec<&str> = all(&[&workload]).iter().map(|verdict| verdict.word).collect();
            assert_eq!(words, [word], "{recompute}");
        }
        assert_eq!(slower(&[&operation(1.0, 1.5)]).len(), 1);
        assert!(slower(&[&operation(1.5, 1.0)]).is_empty());
    }

    #[test]
    fn patching_pays_from_where_it_goes_on_paying() {
        let gain = |value: f64| Estimate { value, low: value, high: value };
        let points = [(10.0, gain(2.0)), (100.0, gain(1.0)), (1000.0, gain(3.0)), (10_000.0, gain(9.0))];
        assert_eq!(pays_from(&points), Some(1000.0));
        assert_eq!(pays_from(&points[..2]), None);
    }
}
