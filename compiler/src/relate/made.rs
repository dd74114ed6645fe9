//! What functions make of constants, as keys.
//!
//! In: a variant of a view and its key. Out: for each use and each term of the key, the use's own term that equals it. What always holds:
//! a row of the use has an influence on no other rows of the view than those in which the key has the value of its own term. There is no
//! table whose rows lead to such a key: whoever compares with it holds it.

use super::Variant;
use super::dependencies::carries;
use super::guards::Guards;
use super::injective;
use super::links::Pair;
use super::locks::{ValueLock, for_pairs, may_equate, same_equality, same_type};
use super::open::show;
use super::steps::{is_evaluable, leads, nullable_ranges};
use crate::catalog::{Catalog, SqlType};
use crate::resolve::{BlockId, ColumnRef, FlatView, MadeEqual, TOP, Term, UseId};

/// By use, and then by term of the key.
pub(super) fn own_terms(view: &FlatView, key: &[Term], catalog: &Catalog) -> Vec<Vec<Option<Term>>> {
    let mut own = vec![vec![None; key.len()]; view.uses.len()];
    if view.made_equal.is_empty() {
        return own;
    }
    let (guards, nullable) = (Guards::new(view), nullable_ranges(view));
    for (at, term) in key.iter().enumerate() {
        let Some(end) = made_in(view, term) else { continue };
        for MadeEqual { value, made, block, scope } in &view.made_equal {
            let made = Term::Formula(guards.formula(made));
            let mut uses = value.uses().into_iter();
            let (Some(owner), None) = (uses.next(), uses.next()) else { continue };
            let is_evaluable = value.as_formula().is_none_or(|f| is_evaluable(f, *scope, &nullable));
            if made == *term
                && is_evaluable
                && are_one_value(view, catalog, value, term)
                && leads(view, owner, end, *block, *scope)
            {
                own[owner.0][at].get_or_insert_with(|| guards.term(value));
            }
        }
    }
    own
}

/// The block in whose FROM clause a term of the key is made of constants, where it is.
fn made_in(view: &FlatView, term: &Term) -> Option<BlockId> {
    let formula = term.as_formula().filter(|f| f.is_of_constants())?;
    let [call] = formula.calls.as_slice() else { return None };
    view.derived.iter().find(|d| d.call.as_ref() == Some(call)).map(|d| d.block)
}

/// Whether a document that has the one as its key is found by the other, where they are equal: they are of one type, or the value's is
/// narrower, and equality is that of bytes or of numbers.
fn are_one_value(view: &FlatView, catalog: &Catalog, value: &Term, made: &Term) -> bool {
    let (Some(own), Some(key)) = (value.ty(view, catalog), made.ty(view, catalog)) else { return false };
    let common = SqlType::common(&[key.underlying(), own.underlying()]);
    let pair = Pair::Equal { child: value.clone(), parent: made.clone(), null_safe: false };
    common.is_some_and(|common| same_type(&common, key))
        && matches!(for_pairs(view, catalog, &[pair]), ValueLock::Values(_))
}

/// The columns of the view's own rows that are compared with a term, where it is made of constants: they follow from it.
pub(super) fn told_columns(view: &FlatView, catalog: &Catalog, term: &Term) -> Vec<ColumnRef> {
    let columns = |MadeEqual { value, block, scope, .. }: &MadeEqual| {
        let is_inside = |column: &ColumnRef| {
            let at = view.use_of(*column).block;
            view.in_region(at, TOP) && view.in_region(at, *block) && carries(*scope, *column)
        };
        let is_one_equality =
            value.ty(view, catalog).zip(term.ty(view, catalog)).is_some_and(|(own, made)| same_equality(own, made));
        let told = (is_one_equality && !may_equate(value)).then(|| injective::told_columns(view, catalog, value));
        told.into_iter().flatten().filter(is_inside).collect::<Vec<_>>()
    };
    view.made_equal.iter().filter(|m| term.as_formula() == Some(m.made.as_ref())).flat_map(columns).collect()
}

/// What a use compares with something that is made of constants, where no document is found by it for its type; and both types.
pub(super) fn of_another_type(
    variants: &[Variant],
    use_id: UseId,
    catalog: &Catalog,
) -> Option<(String, String, String)> {
    let all = variants.iter().flat_map(|variant| variant.view.made_equal.iter().map(move |m| (&variant.view, m)));
    let mut own = all.filter(|(_, m)| m.value.uses().into_iter().eq([use_id]));
    own.find_map(|(view, MadeEqual { value, made, .. })| {
        let made = Term::Formula(made.clone());
        let (own, key) = (value.ty(view, catalog)?, made.ty(view, catalog)?);
        let types = || (show(view, catalog, value), own.sql.clone(), key.sql.clone());
        (!same_type(own, key) && !are_one_value(view, catalog, value, &made)).then(types)
    })
}
