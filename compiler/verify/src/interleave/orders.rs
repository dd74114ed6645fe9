//! The orders in which the steps of several sessions can be taken.
//!
//! In: how many steps each session has. Out: orders, each a list of session numbers. Enumeration is in lexical order;
//! a sample depends on its seed only and holds no order twice.

use std::collections::BTreeSet;

use crate::dice::Dice;

/// How many orders there are: the multinomial coefficient, or `u128::MAX` when it does not fit.
pub fn count(steps: &[usize]) -> u128 {
    let mut total = 1u128;
    let mut placed = 0u128;
    for &steps in steps {
        for n in 1..=steps as u128 {
            placed += 1;
            // The product of consecutive binomials stays a whole number after each division.
            match total.checked_mul(placed) {
                Some(product) => total = product / n,
                None => return u128::MAX,
            }
        }
    }
    total
}

/// All orders.
pub(crate) fn all(steps: &[usize]) -> Vec<Vec<usize>> {
    let mut orders = Vec::new();
    let mut left = steps.to_vec();
    extend(&mut left, &mut Vec::new(), &mut orders);
    orders
}

fn extend(left: &mut Vec<usize>, order: &mut Vec<usize>, orders: &mut Vec<Vec<usize>>) {
    if left.iter().all(|&steps| steps == 0) {
        orders.push(order.clone());
        return;
    }
    for session in 0..left.len() {
        if left[session] > 0 {
            left[session] -= 1;
            order.push(session);
            extend(left, order, orders);
            order.pop();
            left[session] += 1;
        }
    }
}

/// Up to `wanted` different orders.
pub(crate) fn sample(steps: &[usize], wanted: usize, seed: u64) -> Vec<Vec<usize>> {
    if count(steps) <= wanted as u128 {
        return all(steps);
    }
    let mut dice = Dice::new(seed);
    let mut seen = BTreeSet::new();
    let mut orders = Vec::new();
    let sessions: Vec<usize> =
        steps.iter().enumerate().flat_map(|(session, &n)| std::iter::repeat_n(session, n)).collect();
    // There are more orders than wanted, so this ends; the bound is for a dice that falls badly.
    for _ in 0..wanted.saturating_mul(50) {
        if orders.len() == wanted {
            break;
        }
        let mut order = sessions.clone();
        dice.shuffle(&mut order);
        if seen.insert(order.clone()) {
            orders.push(order);
        }
    }
    orders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_enumerates() {
        assert_eq!(count(&[2, 2]), 6);
        assert_eq!(count(&[3, 3, 3]), 1680);
        assert_eq!(count(&[100, 100]), u128::MAX);
        let orders = all(&[2, 2]);
        assert_eq!(orders.len(), 6);
        assert_eq!(orders[0], [0, 0, 1, 1]);
        assert_eq!(orders.iter().collect::<BTreeSet<_>>().len(), 6);
    }

    #[test]
    fn samples_without_repetition() {
        let orders = sample(&[3, 3, 3], 100, 5);
        assert_eq!(orders.len(), 100);
        assert_eq!(orders.iter().collect::<BTreeSet<_>>().len(), 100);
        assert_eq!(orders, sample(&[3, 3, 3], 100, 5));
        assert_eq!(sample(&[1, 1], 100, 5).len(), 2);
    }
}
