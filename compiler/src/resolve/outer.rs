//! Outer joins that are inner ones.
//!
//! In: the conjuncts and outer joins of a settled view. Out: the same without those outer joins whose rows without a partner a later
//! condition leaves out: `a LEFT JOIN b ON … WHERE b.id IS NOT NULL`. What always holds: the rows that the view shows, and the values in
//! them, are the same either way.

use std::collections::{BTreeMap, BTreeSet};

use super::{BlockId, Claim, Conjunct, Expr, Fact, FlatView, Scope, UseId};

/// Where it is said, for every row of which block, that a use has a row.
type Said = Vec<(usize, BlockId)>;

impl FlatView {
    /// Another conjunct.
    pub(super) fn says(&mut self, claim: Claim, block: BlockId, scope: Scope) {
        let at = self.conjuncts.len();
        self.conjuncts.push(Conjunct { claim, block, scope, at, part: None });
    }

    /// An outer join is an inner one where a conjunct that was read behind it, and that is one of all rows of the block that the
    /// join stands in, cannot be true of the NULLs that it puts in the place of a row. What was read before its end, in the
    /// relations that it joins and in its own ON, is no condition on these NULLs.
    pub(super) fn drop_idle_outer_joins(&mut self, conjuncts: &mut [Conjunct]) {
        if self.outer_joins.is_empty() {
            return;
        }
        let mut present: BTreeMap<usize, Said> = BTreeMap::new();
        let mut of_side: BTreeMap<(usize, usize), Vec<usize>> = BTreeMap::new();
        for (n, conjunct) in conjuncts.iter().enumerate() {
            match conjunct.scope {
                Scope::Always => note(&mut present, conjunct),
                Scope::Outer { from, to } => of_side.entry((from, to)).or_default().push(n),
                Scope::Full(_) => {}
            }
        }
        let mut sides: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        for side in self.outer_joins.iter().flat_map(|j| j.nullable()) {
            *sides.entry(side).or_default() += 1;
        }
        // What the ON of a later one says can make one before it an inner join, but not the reverse.
        let mut order: Vec<usize> = (0..self.outer_joins.len()).collect();
        order.sort_by_key(|n| std::cmp::Reverse(self.outer_joins[*n].said));
        let mut idle = BTreeSet::new();
        for n in order {
            let join = &self.outer_joins[n];
            let [(from, to)] = join.nullable()[..] else { continue };
            // Scopes name the nullable side: of two joins with the same one it is not known whose condition it is.
            let is_only = sides[&(from, to)] == 1;
            let leaves_out = |(at, block): &(usize, BlockId)| *at >= join.said && *block == join.block;
            if is_only && present.range(from..to).any(|(_, said)| said.iter().any(leaves_out)) {
                idle.insert(n);
                for own in of_side.remove(&(from, to)).into_iter().flatten() {
                    conjuncts[own].scope = Scope::Always;
                    note(&mut present, &conjuncts[own]);
                }
            }
        }
        let mut n = 0;
        self.outer_joins.retain(|_| {
            n += 1;
            !idle.contains(&(n - 1))
        });
    }
}

/// Remembers of which uses a conjunct is not true where they are NULL.
fn note(present: &mut BTreeMap<usize, Said>, conjunct: &Conjunct) {
    let mut uses: BTreeSet<UseId> = BTreeSet::new();
    let mut strict = |expr: &Expr| match (expr.as_column(), &expr.formula) {
        (Some(column), _) => {
            uses.insert(column.use_id);
        }
        (None, Some(formula)) if formula.null_in_null_out => uses.extend(formula.uses()),
        _ => {}
    };
    match &conjunct.claim {
        Claim::Equal(left, right) => [left, right].into_iter().for_each(strict),
        Claim::Fact(expr, Fact::Present) => strict(expr),
        Claim::Holds(formula) if formula.null_in_null_out => uses.extend(formula.uses()),
        Claim::Same(..) | Claim::Partition(..) | Claim::Fact(..) | Claim::Holds(_) | Claim::Guard(_) => {}
    }
    for use_id in uses {
        present.entry(use_id.0).or_default().push((conjunct.at, conjunct.block));
    }
}
