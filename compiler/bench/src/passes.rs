//! A workload measured several times, each time on databases made anew.
//!
//! In: the workload as each pass measured it. Out: one workload with the samples of all, and how many are of each pass. Always: what
//! differs from pass to pass (where rows lie, what else the machine does for minutes) can be told from what differs from round to
//! round.

use crate::result::{Arm, EQUAL, Goal, Operation, Workload};

/// Puts passes of one workload together; `None` without any. They measure the same, since the command line says what.
pub fn together(passes: &[Workload]) -> Option<Workload> {
    let (first, others) = passes.split_first()?;
    let mut all = first.clone();
    for operation in &mut all.operations {
        let name = operation.name.clone();
        let again = others.iter().flat_map(|pass| &pass.operations).filter(|other| other.name == name);
        again.for_each(|again| operation.add(again));
        operation.settle();
    }
    let notes = others.iter().flat_map(|pass| &pass.notes);
    for note in notes {
        if !all.notes.contains(note) {
            all.notes.push(note.clone());
        }
    }
    Some(all)
}

impl Operation {
    /// How many rounds are of each pass.
    pub fn rounds(&self) -> Vec<usize> {
        let rounds = self.arms.iter().map(|arm| arm.samples.len()).max().unwrap_or_default();
        if self.passes.is_empty() { vec![rounds] } else { self.passes.clone() }
    }

    fn add(&mut self, again: &Operation) {
        self.passes = [self.rounds(), again.rounds()].concat();
        for arm in &mut self.arms {
            if let Some(again) = again.arms.iter().find(|other| other.name == arm.name) {
                arm.add(again);
            }
        }
        self.goals.extend(again.goals.iter().cloned());
    }

    /// Of the goals of all passes the middle one each.
    fn settle(&mut self) {
        let mut texts: Vec<String> = Vec::new();
        for goal in &self.goals {
            if !texts.contains(&goal.text) {
                texts.push(goal.text.clone());
            }
        }
        let middle = |text: String| {
            let mut goals: Vec<&Goal> = self.goals.iter().filter(|goal| goal.text == text).collect();
            goals.sort_by(|a, b| a.figure.value.total_cmp(&b.figure.value));
            goals[(goals.len() - 1) / 2].clone()
        };
        self.goals = texts.into_iter().map(middle).collect();
    }
}

impl Arm {
    fn add(&mut self, again: &Arm) {
        self.samples.extend(&again.samples);
        self.wal.extend(&again.wal);
        if self.equal.as_deref().is_none_or(|equal| equal == EQUAL) {
            self.equal = again.equal.clone().or(self.equal.take());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Estimate;

    fn pass(value: f64, equal: &str) -> Workload {
        let figure = Estimate { value, low: value, high: value };
        let arm = Arm {
            name: "auto".to_owned(),
            samples: vec![value, value],
            equal: Some(equal.to_owned()),
            ..Arm::default()
        };
        let goal = Goal { text: "at most 2".to_owned(), figure, met: value <= 2.0 };
        let operation =
            Operation { name: "a write".to_owned(), arms: vec![arm], goals: vec![goal], ..Operation::default() };
        Workload { operations: vec![operation], ..Workload::default() }
    }

    #[test]
    fn samples_follow_one_another_and_the_middle_goal_counts() {
        let all = together(&[pass(3.0, EQUAL), pass(1.0, "1 row differs"), pass(2.0, EQUAL)]).unwrap();
        let operation = &all.operations[0];
        assert_eq!(operation.arms[0].samples, [3.0, 3.0, 1.0, 1.0, 2.0, 2.0]);
        assert_eq!(operation.rounds(), [2, 2, 2]);
        assert_eq!(operation.arms[0].equal.as_deref(), Some("1 row differs"));
        assert_eq!(operation.goals.len(), 1);
        assert!(operation.goals[0].met && operation.goals[0].figure.value == 2.0);
    }
}
