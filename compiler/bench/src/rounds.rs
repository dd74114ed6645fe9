//! The one way in which something is measured: in turns with what it is compared with.
//!
//! In: subjects, each of which can do its work once and say what it took. Out: a sample per subject and round. In each round every
//! subject works once, in an order that changes from round to round, so that what else the machine does meets all of them.

use std::time::{Duration, Instant};

use crate::error::Result;

/// What one work of a subject took.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// In the unit of the operation.
    pub value: f64,
    /// Bytes of WAL, where they were counted.
    pub wal: Option<f64>,
}

impl Sample {
    /// Without WAL.
    pub fn of(value: f64) -> Self {
        Self { value, wal: None }
    }
}

/// Something that is measured.
pub type Subject<'a> = Box<dyn FnMut(usize) -> Result<Sample> + 'a>;

/// How often, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Rounds that are not counted: plans become generic after the fifth call of a session.
    pub warm: usize,
    /// Rounds that are.
    pub rounds: usize,
    /// No round begins after this time, once there are as many as are needed.
    pub limit: Duration,
    /// So many are needed.
    pub least: usize,
}

/// So many rounds a guarded figure needs.
pub const ENOUGH: usize = 30;

/// The samples of each subject, by round. The round that a subject is told counts from zero through the warm ones.
pub fn interleave(
    subjects: &mut [Subject<'_>],
    plan: Plan,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Vec<Vec<Sample>>> {
    let count = subjects.len();
    let mut samples = vec![Vec::with_capacity(plan.rounds); count];
    let begun = Instant::now();
    for round in 0..plan.warm + plan.rounds {
        for place in 0..count {
            let number = (place + round) % count;
            let sample = subjects[number](round)?;
            if round >= plan.warm {
                samples[number].push(sample);
            }
        }
        progress(round + 1, plan.warm + plan.rounds);
        if begun.elapsed() > plan.limit && round + 1 >= plan.warm + plan.least.min(plan.rounds) {
            break;
        }
    }
    Ok(samples)
}

/// Microseconds since then.
pub fn microseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everyone_works_once_in_every_round_and_nobody_is_always_first() {
        let order = std::cell::RefCell::new(Vec::new());
        let subject = |name: usize| -> Subject<'_> {
            let order = &order;
            Box::new(move |round| {
                order.borrow_mut().push((round, name));
                Ok(Sample::of((10 * round + name) as f64))
            })
        };
        let plan = Plan { warm: 1, rounds: 3, limit: Duration::from_secs(60), least: ENOUGH };
        let samples = interleave(&mut [subject(0), subject(1)], plan, &mut |_, _| {}).unwrap();
        let values: Vec<Vec<f64>> = samples.iter().map(|s| s.iter().map(|s| s.value).collect()).collect();
        assert_eq!(values, [[10.0, 20.0, 30.0], [11.0, 21.0, 31.0]]);
        assert_eq!(*order.borrow(), [(0, 0), (0, 1), (1, 1), (1, 0), (2, 0), (2, 1), (3, 1), (3, 0)]);
    }

    #[test]
    fn a_limit_leaves_as_many_rounds_as_a_guard_needs() {
        let mut subjects: Vec<Subject<'_>> = vec![Box::new(|_| Ok(Sample::of(1.0)))];
        let plan = Plan { warm: 2, rounds: 100, limit: Duration::ZERO, least: ENOUGH };
        let samples = interleave(&mut subjects, plan, &mut |_, _| {}).unwrap();
        assert_eq!(samples[0].len(), ENOUGH);
    }
}
