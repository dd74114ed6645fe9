//! What samples say.
//!
//! In: numbers. Out: quantiles, confidence intervals by resampling, and whether two samples are of one population. Always: the same
//! numbers give the same answers; resampling draws from a generator with a fixed seed.

use rand::Rng;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// How often a sample is drawn again.
const DRAWS: usize = 1_000;
/// What part of the drawn values lies in an interval.
const CONFIDENCE: f64 = 0.95;
/// As so many passes more counts what passes usually differ by.
const USUAL: f64 = 4.0;

/// A sample in a few figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// How many values.
    pub n: usize,
    /// Half of them are below.
    pub median: f64,
    /// The arithmetic mean.
    pub mean: f64,
    /// Of the sample.
    pub stddev: f64,
    /// 95 of 100 are below.
    pub p95: f64,
    /// 99 of 100 are below.
    pub p99: f64,
    /// The quartiles' distance, as a part of the median.
    pub spread: f64,
}

/// A value with the interval that it lies in, with 95 % confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The value.
    pub value: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// The outcome of a test of two samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Test {
    /// How likely such a difference, or a larger one, is where there is none.
    pub p: f64,
    /// How likely a value of the second sample is above one of the first, less how likely it is below: -1 to 1.
    pub delta: f64,
    /// The medians' ratio, second to first.
    pub ratio: Estimate,
}

impl Summary {
    /// Of at least one value.
    pub fn of(values: &[f64]) -> Self {
        let n = values.len();
        let mean = values.iter().sum::<f64>() / n as f64;
        let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
        let median = quantile(values, 0.5);
        Self {
            n,
            median,
            mean,
            stddev: (squares / (n.saturating_sub(1).max(1)) as f64).sqrt(),
            p95: quantile(values, 0.95),
            p99: quantile(values, 0.99),
            spread: (quantile(values, 0.75) - quantile(values, 0.25)) / median,
        }
    }
}

/// Between the two nearest values in proportion.
pub fn quantile(values: &[f64], part: f64) -> f64 {
    quantile_of(&mut values.to_vec(), part)
}

/// The same, in place: the order of the values is lost.
fn quantile_of(values: &mut [f64], part: f64) -> f64 {
    let Some(last) = values.len().checked_sub(1) else {
        return f64::NAN;
    };
    let at = last as f64 * part;
    let (_, below, rest) = values.select_nth_unstable_by(at.floor() as usize, f64::total_cmp);
    let above = rest.iter().copied().fold(f64::INFINITY, f64::min);
    if at.fract() == 0.0 { *below } else { *below + (above - *below) * at.fract() }
}

/// The median.
pub fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// The ratios, round by round.
pub fn ratios(above: &[f64], below: &[f64]) -> Vec<f64> {
    above.iter().zip(below).map(|(a, b)| a / b).collect()
}

/// A figure of a sample, with its interval.
pub fn resampled(values: &[f64], figure: fn(&[f64]) -> f64) -> Estimate {
    let mut dice = ChaCha8Rng::seed_from_u64(1);
    let drawn = (0..DRAWS).map(|_| figure(&draw(values, &mut dice))).collect();
    interval(figure(values), drawn)
}

/// Compares two samples that were not measured together: a rank test, which asks nothing of their distribution, and the ratio of
/// medians.
pub fn compare(first: &[f64], second: &[f64]) -> Test {
    let mut dice = ChaCha8Rng::seed_from_u64(1);
    let mut drawn_median = |values: &[f64]| quantile_of(&mut draw(values, &mut dice), 0.5);
    let drawn = (0..DRAWS).map(|_| drawn_median(second) / drawn_median(first)).collect();
    let ratio = interval(median(second) / median(first), drawn);
    let (p, delta) = rank_test(first, second);
    Test { p, delta, ratio }
}

/// Compares passes: the ratio of the means of their medians, with the interval that passes leave it, and how likely such a ratio is by
/// chance, by the test of passes or by the rank test of all samples, whichever is less sure. Means are those of logarithms.
pub fn compare_passes(first: &[Vec<f64>], second: &[Vec<f64>], usual: f64) -> Test {
    let (p_of_samples, delta) = rank_test(&first.concat(), &second.concat());
    let (first, second) = (Passes::of(first), Passes::of(second));
    let freedom = first.freedom + second.freedom + USUAL;
    let variance = (first.squares + second.squares + USUAL * usual) / freedom;
    let error = (variance * (1.0 / first.count + 1.0 / second.count)).sqrt().max(f64::MIN_POSITIVE);
    let difference = second.mean - first.mean;
    let (p, reach) = match StudentsT::new(0.0, 1.0, freedom) {
        Ok(t) => (2.0 * t.sf(difference.abs() / error), t.inverse_cdf(0.5 + CONFIDENCE / 2.0) * error),
        Err(_) => (1.0, f64::INFINITY),
    };
    let ratio = Estimate { value: difference.exp(), low: (difference - reach).exp(), high: (difference + reach).exp() };
    Test { p: p.max(p_of_samples), delta, ratio }
}

/// The variance of passes' medians, as logarithms, that figures have on average; `None` where none has two passes.
pub fn usual_variance<'a>(figures: impl Iterator<Item = &'a [Vec<f64>]>) -> Option<f64> {
    let (mut squares, mut freedom) = (0.0, 0.0);
    for passes in figures.map(Passes::of) {
        squares += passes.squares;
        freedom += passes.freedom;
    }
    (freedom > 0.0).then(|| squares / freedom)
}

/// The logarithms of passes' medians.
struct Passes {
    count: f64,
    mean: f64,
    /// Of the distances from the mean.
    squares: f64,
    freedom: f64,
}

impl Passes {
    fn of(passes: &[Vec<f64>]) -> Self {
        let medians: Vec<f64> = passes.iter().map(|pass| median(pass).ln()).collect();
        let count = medians.len() as f64;
        let mean = medians.iter().sum::<f64>() / count;
        let squares = medians.iter().map(|m| (m - mean).powi(2)).sum();
        Self { count, mean, squares, freedom: (count - 1.0).max(0.0) }
    }
}

fn draw(values: &[f64], dice: &mut ChaCha8Rng) -> Vec<f64> {
    (0..values.len()).map(|_| values[dice.random_range(0..values.len())]).collect()
}

fn interval(value: f64, mut drawn: Vec<f64>) -> Estimate {
    let tail = (1.0 - CONFIDENCE) / 2.0;
    Estimate { value, low: quantile_of(&mut drawn, tail), high: quantile_of(&mut drawn, 1.0 - tail) }
}

/// Mann and Whitney's test, two-sided, by the normal approximation with ties and continuity corrected; and Cliff's delta.
fn rank_test(first: &[f64], second: &[f64]) -> (f64, f64) {
    let (n, m) = (first.len() as f64, second.len() as f64);
    let mut all: Vec<(f64, bool)> =
        first.iter().map(|v| (*v, false)).chain(second.iter().map(|v| (*v, true))).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut ranks_of_second, mut ties) = (0.0, 0.0);
    let mut at = 0;
    for group in all.chunk_by(|a, b| a.0 == b.0) {
        let size = group.len() as f64;
        let rank = at as f64 + (size + 1.0) / 2.0;
        ranks_of_second += rank * group.iter().filter(|(_, is_second)| *is_second).count() as f64;
        ties += size.powi(3) - size;
        at += group.len();
    }
    let u = ranks_of_second - m * (m + 1.0) / 2.0;
    let delta = 2.0 * u / (n * m) - 1.0;
    let total = n + m;
    let variance = n * m / 12.0 * (total + 1.0 - ties / (total * (total - 1.0)));
    if variance <= 0.0 {
        return (1.0, delta);
    }
    let z = ((u - n * m / 2.0).abs() - 0.5).max(0.0) / variance.sqrt();
    (2.0 * Normal::standard().sf(z), delta)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values that scatter by a tenth around one.
    fn noisy(seed: u64, n: usize) -> Vec<f64> {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        (0..n).map(|_| 1.0 + 0.1 * (0..12).map(|_| dice.random::<f64>() - 0.5).sum::<f64>()).collect()
    }

    #[test]
    fn summaries_are_those_of_the_textbook() {
        let summary = Summary::of(&[1.0, 2.0, 3.0, 4.0]);
        assert_eq!((summary.n, summary.median, summary.mean), (4, 2.5, 2.5));
        assert!((summary.stddev - 1.290_994).abs() < 1e-6);
        assert!((summary.p95 - 3.85).abs() < 1e-9);
        assert!((summary.spread - 0.6).abs() < 1e-9);
    }

    /// By hand: of 30 pairs 24 are in favour of the second; z = (24 - 15 - 0.5) / sqrt(30), of which the table says 0.1207.
    #[test]
    fn the_rank_test_is_that_of_mann_and_whitney() {
        let (p, delta) = rank_test(&[1.1, 2.2, 3.3, 4.4, 5.5], &[3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
        assert!((delta - (48.0 / 30.0 - 1.0)).abs() < 1e-12);
        assert!((p - 0.1207).abs() < 1e-4, "{p}");
        assert_eq!(rank_test(&[1.0; 5], &[1.0; 5]), (1.0, 0.0));
    }

    #[test]
    fn intervals_hold_the_value_they_are_of() {
        let (mut hits, runs) = (0, 100);
        for seed in 0..runs {
            let estimate = resampled(&noisy(seed, 40), median);
            hits += usize::from(estimate.low <= 1.0 && 1.0 <= estimate.high);
        }
        // 95, give or take what so many runs scatter.
        assert!((88..=100).contains(&hits), "{hits} of {runs}");
    }

    /// By hand: logarithms 0 and 0.2 against 0.3 and 0.5 differ by 0.3; the variance is (0.02 + 0.02 + 4 * 0.02) / 6 = 0.02, so that
    /// t = 0.3 / sqrt(0.02) = 2.1213 with 6 degrees of freedom, of which the table says 0.078.
    #[test]
    fn passes_are_compared_by_a_moderated_t_test() {
        let pass = |log: f64| vec![log.exp(); 30];
        let test = compare_passes(&[pass(0.0), pass(0.2)], &[pass(0.3), pass(0.5)], 0.02);
        assert!((test.ratio.value - 0.3_f64.exp()).abs() < 1e-12);
        assert!((test.p - 0.0781).abs() < 1e-4, "{}", test.p);
        let reach = 2.4469 * 0.02_f64.sqrt();
        assert!((test.ratio.high.ln() - 0.3 - reach).abs() < 1e-4);
        assert_eq!(usual_variance([[pass(1.0)].as_slice()].into_iter()), None);
        let usual = usual_variance([[pass(0.0), pass(0.2)].as_slice(), [pass(0.5)].as_slice()].into_iter());
        assert!((usual.unwrap() - 0.02).abs() < 1e-12);
    }

    #[test]
    fn one_population_is_seldom_taken_for_two() {
        let runs = 100;
        let wrong = (0..runs).filter(|seed| compare(&noisy(2 * seed, 30), &noisy(2 * seed + 1, 30)).p < 0.01).count();
        assert!(wrong <= 5, "{wrong} of {runs}");
    }
}
