//! Keys that come from the nullable side of an outer join: `GROUP BY c.name` over `p LEFT JOIN c ON c.id = p.category`.
//!
//! In: a variant of a view and its key. Out: the use that the key is of, and the key of rows that have found no partner in it. What always
//! holds: whether a row has found one is decided by equalities of its own columns with that use's, and by nothing else. So a row of the
//! other uses leads to the key of its partners, and to that of rows without one where it has none now. If it had none before and has one
//! now, a row of the use has come with the same statement, or is about to: and of every row that comes or goes, or whose compared columns
//! change, the documents of rows without a partner are computed again.

use std::collections::BTreeSet;

use super::links::Pair;
use crate::catalog::{Catalog, TypeClass};
use crate::resolve::{ColumnRef, FlatView, Formula, OuterKind, Piece, TOP, Term, UseId};

/// A use that rows may find no partner in.
#[derive(Clone, Debug)]
pub struct Absent {
    /// The use.
    pub child: UseId,
    /// Where its partners are.
    pub parent: UseId,
    /// What decides whether there is one.
    pub on: Vec<Pair>,
}

/// Where all of the key is of one such use, and its rows are groups.
pub(super) fn of_key(whole: &FlatView, view: &FlatView, key: &[Term], catalog: &Catalog) -> Option<Absent> {
    let uses: BTreeSet<UseId> = key.iter().flat_map(Term::uses).collect();
    let (Some(&child), 1) = (uses.first(), uses.len()) else { return None };
    let is_plain = |u: UseId, nullable| view.uses[u.0].block == TOP && view.uses[u.0].nullable == nullable;
    let are_groups = view.blocks[TOP.0].grouped.is_some() && whole.alternatives.is_empty() && !super::hides(whole);
    if !are_groups || !is_plain(child, true) || key.iter().any(|term| term.columns().is_empty()) {
        return None;
    }
    let mut around =
        view.outer_joins.iter().filter(|j| j.nullable().iter().any(|(from, to)| (*from..*to).contains(&child.0)));
    let (Some(join), None) = (around.next(), around.next()) else { return None };
    if join.kind != OuterKind::Left || join.right != (child.0, child.0 + 1) || join.block != TOP || join.computes {
        return None;
    }
    // A domain may have no NULL; and what fails is not kept from rows by conditions that are asked behind the join.
    let is_refused = |term: &Term| {
        let is_domain = |c: &ColumnRef| {
            let column = &catalog.table(&view.use_of(*c).table).columns[c.column];
            matches!(column.ty.class, TypeClass::Domain(_))
        };
        let ty = term.ty(view, catalog);
        let of_domain = ty.is_some_and(|ty| matches!(ty.class, TypeClass::Domain(_)));
        of_domain || term.columns().iter().any(is_domain) || term.as_formula().is_some_and(|f| f.may_fail)
    };
    if key.iter().any(is_refused) {
        return None;
    }
    let pairs = join.pairs.as_ref()?.iter().map(|(left, right)| match (left.use_id == child, right.use_id == child) {
        (true, false) => Some((*left, *right)),
        (false, true) => Some((*right, *left)),
        _ => None,
    });
    let pairs: Vec<(ColumnRef, ColumnRef)> = pairs.collect::<Option<_>>()?;
    let parent = pairs.first()?.1.use_id;
    let is_of_parent = is_plain(parent, false) && pairs.iter().all(|(_, other)| other.use_id == parent);
    let equal = |(own, other): (ColumnRef, ColumnRef)| Pair::Equal {
        child: Term::Column(own),
        parent: Term::Column(other),
        null_safe: false,
    };
    is_of_parent.then(|| Absent { child, parent, on: pairs.into_iter().map(equal).collect() })
}

/// The key of rows without a partner.
pub(super) fn without_partner(view: &FlatView, catalog: &Catalog, key: &[Term]) -> Vec<Term> {
    let null = |column: ColumnRef| {
        let ty = &catalog.table(&view.use_of(column).table).columns[column.column].ty;
        Piece::Text(format!("(NULL::{})", ty.sql))
    };
    let term = |term: &Term| {
        let pieces = match term {
            Term::Column(column) => vec![null(*column)],
            Term::Formula(formula) => {
                let piece = |piece: &Piece| match piece {
                    Piece::Column(column) => null(*column),
                    other => other.clone(),
                };
                formula.pieces.iter().map(piece).collect()
            }
        };
        Term::Formula(Formula { pieces, ty: term.ty(view, catalog).cloned(), ..Formula::default() }.into())
    };
    key.iter().map(term).collect()
}
