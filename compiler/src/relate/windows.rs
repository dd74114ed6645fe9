//! Windows that no key reaches.
//!
//! In: a variant of a view. Out: a window of a query in FROM that is computed for all rows whichever key is asked for: the planner passes a
//! condition through a window only where the window is partitioned by what the condition reads.

use std::collections::BTreeSet;

use super::Variant;
use super::closure::Equals;
use crate::catalog::Catalog;
use crate::resolve::{TOP, Term, Windowed};

/// The first of them.
pub fn window_of_all<'v>(variant: &'v Variant, catalog: &Catalog) -> Option<&'v Windowed> {
    let view = &variant.view;
    let mut below = view.windows_below.iter().filter(|w| view.in_region(w.block, TOP)).peekable();
    below.peek()?;
    let equals = Equals::new(view, catalog);
    let class = |term: &Term| match term {
        Term::Column(column) => equals.class(*column).into_iter().map(Term::Column).collect(),
        Term::Formula(_) => vec![term.clone()],
    };
    let key: BTreeSet<Term> = variant.key.iter().flat_map(class).collect();
    below.find(|w| !w.partition.iter().filter_map(|e| e.as_term()).any(|t| key.contains(&t)))
}
