//! Conditions of which one part at least has to hold.
//!
//! In: a variant of a view and its key. Out: the links of the variant, or, where what it says of all rows does not link every use to
//! single documents, those of the variant for each part that such conditions have. What always holds: a combination of rows that passes a condition `a
//! OR b` passes a or b; so each row that has an influence on a document is led to its key by the links for one of the parts.

use std::collections::{BTreeMap, BTreeSet};

use super::links::{self, Links};
use crate::catalog::Catalog;
use crate::resolve::{FlatView, Term, UseId};

/// One set of links, or several that are followed all, at most so many; and the conditions without whose parts rows would be linked to
/// nothing.
pub fn derive(
    view: &FlatView,
    (choice, settled): (&[usize], &FlatView),
    key: &[Term],
    most: usize,
    catalog: &Catalog,
) -> (Vec<Links>, Vec<usize>) {
    let mut best = vec![links::derive(settled, key, catalog)];
    if settled.whole.is_some() {
        return (best, Vec::new());
    }
    let of_parts = |conditions: &[usize]| -> Option<Vec<Links>> {
        let combined = combinations(view, conditions, most)?;
        let links = combined.iter().map(|parts| links::derive(&view.variant_where(choice, parts), key, catalog));
        Some(links.collect())
    };
    // Rows that are combined with all of a root's hold a part of the key, by which they are looked up.
    let is_linked = best[0].whole.is_empty();
    // One after the other is taken that links what those before it do not; where each alone is of no use, all.
    let mut taken: Vec<usize> = Vec::new();
    let all: Vec<usize> = (0..view.parts.len()).collect();
    let one_more = all.iter().map(|condition| Some(*condition)).chain([None]);
    for condition in one_more {
        if missing(&best) == (0, 0) {
            break;
        }
        let more = condition.map_or_else(|| all.clone(), |condition| [taken.as_slice(), &[condition]].concat());
        if let Some(links) = of_parts(&more).filter(|links| missing(links) < missing(&best)) {
            (best, taken) = (links, more);
        }
    }
    (best, if is_linked { Vec::new() } else { taken })
}

/// How many uses are linked to no document, and how many to all of a root's.
fn missing(links: &[Links]) -> (usize, usize) {
    let whole: BTreeSet<UseId> = links.iter().flat_map(|l| l.whole.iter().copied()).collect();
    (whole.len(), links.iter().map(|l| l.crossed).max().unwrap_or(0))
}

/// All choices of a part of each condition.
fn combinations(view: &FlatView, conditions: &[usize], most: usize) -> Option<Vec<BTreeMap<usize, usize>>> {
    let mut all = vec![BTreeMap::new()];
    for &condition in conditions {
        if all.len() * view.parts[condition].parts > most {
            return None;
        }
        let with = |known: &BTreeMap<usize, usize>, number| {
            known.iter().map(|(c, n)| (*c, *n)).chain([(condition, number)]).collect::<BTreeMap<_, _>>()
        };
        all = all.iter().flat_map(|known| (0..view.parts[condition].parts).map(move |n| with(known, n))).collect();
    }
    Some(all)
}
