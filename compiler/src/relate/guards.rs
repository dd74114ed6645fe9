//! Guards: what keeps expressions from rows that they fail for.
//!
//! In: a settled view. Out: terms and formulas in which an expression that can raise an error is computed only for rows that
//! fulfil what the view says of their table alone. What always holds: a row that does not fulfil it takes part in nothing, so that it does
//! not matter where it would lead; `CASE` is the only form of SQL that is computed in the order in which it is written.

use std::sync::Arc;

use super::steps::nullable_ranges;
use crate::diagnostics::Code;
use crate::resolve::{FlatView, Formula, OuterJoin, Piece, Scope, Term, UseId};

/// What rows and elements have to fulfil.
pub(super) struct Guards<'v> {
    /// By use.
    rows: Vec<Vec<&'v Formula>>,
    /// Conditions on what functions in FROM make.
    elements: Vec<&'v Formula>,
}

impl<'v> Guards<'v> {
    pub(super) fn new(view: &'v FlatView) -> Self {
        let ranges = nullable_ranges(view);
        let mut rows = vec![Vec::new(); view.uses.len()];
        let mut elements = Vec::new();
        // What the clock says of a row now it need not have said when the row's documents were written.
        let guards = if view.accepts(Code::VolatileFunction) { &[] } else { view.guards.as_slice() };
        for guard in guards {
            let uses = guard.formula.uses();
            let (Some(&UseId(owner)), 1) = (uses.first(), uses.len()) else { continue };
            // Of the NULLs that an outer join puts in the place of a row a later condition may be true, and the row keeps them away.
            let later = |join: &OuterJoin| {
                join.said <= guard.at && join.nullable().iter().any(|(from, to)| (*from..*to).contains(&owner))
            };
            let holds = match guard.scope {
                Scope::Always => !view.outer_joins.iter().any(later),
                Scope::Outer { from, to } => ranges[owner] == Some((from, to)),
                Scope::Full(_) => false,
            };
            // What is said around groups of what all rows of one share is true of each of its rows that takes part in anything.
            if !holds || guard.formula.may_fail || !view.is_stable(view.uses[owner].block, guard.block) {
                continue;
            }
            let of_elements = !guard.formula.calls.is_empty();
            // What compares elements of one row with another row, or with constants, is said of neither alone.
            let calls = guard.formula.calls.iter().flatten();
            if of_elements && !calls.into_iter().any(|piece| matches!(piece, Piece::Column(c) if c.use_id.0 == owner)) {
                continue;
            }
            if of_elements { &mut elements } else { &mut rows[owner] }.push(guard.formula.as_ref());
        }
        Guards { rows, elements }
    }

    /// The term, where it can fail for rows that the view leaves out only for those that it does not.
    pub(super) fn term(&self, term: &Term) -> Term {
        match term {
            Term::Column(_) => term.clone(),
            Term::Formula(formula) => Term::Formula(self.formula(formula)),
        }
    }

    pub(super) fn formula(&self, formula: &Arc<Formula>) -> Arc<Formula> {
        if formula.calls.is_empty() && !formula.may_fail && formula.any_of.is_none() {
            return formula.clone();
        }
        let mut guarded = formula.as_ref().clone();
        // A function in FROM makes no row of NULL.
        let of_rows = |call: &Vec<Piece>| call.iter().cloned().flat_map(|piece| self.column(piece)).collect();
        guarded.calls = formula.calls.iter().map(of_rows).collect();
        let mut is_guarded = false;
        if let Some(element) = &formula.any_of {
            let mut element = element.as_ref().clone();
            is_guarded = formula.may_fail && self.of_elements(&element.calls, &mut element.pieces);
            element.calls = element.calls.iter().map(of_rows).collect();
            guarded.pieces = element.exists();
        } else if formula.may_fail && !formula.calls.is_empty() {
            is_guarded = self.of_elements(&formula.calls, &mut guarded.pieces);
        }
        guarded.may_fail &= !is_guarded;
        let said: Vec<&Vec<&Formula>> =
            formula.uses().iter().map(|u| &self.rows[u.0]).filter(|u| !u.is_empty()).collect();
        if said.is_empty() || !formula.may_fail {
            return Arc::new(guarded);
        }
        let every_use = said.len() == formula.uses().len();
        let pieces = only_where(said.into_iter().flatten().copied(), std::mem::take(&mut guarded.pieces));
        Arc::new(Formula { pieces, may_fail: guarded.may_fail && !every_use, guarded: true, ..guarded })
    }

    /// An expression over elements, for those that fulfil what is said of them; whether anything is.
    fn of_elements(&self, calls: &[Vec<Piece>], pieces: &mut Vec<Piece>) -> bool {
        let concerns = |guard: &&&Formula| guard.calls.iter().all(|call| calls.contains(call));
        let mut said = self.elements.iter().filter(concerns).copied().peekable();
        let is_guarded = said.peek().is_some();
        if is_guarded {
            *pieces = only_where(said, std::mem::take(pieces));
        }
        is_guarded
    }

    /// A column that is read by a function, for rows that fulfil the condition.
    fn column(&self, piece: Piece) -> Vec<Piece> {
        match &piece {
            Piece::Column(column) if !self.rows[column.use_id.0].is_empty() => {
                only_where(self.rows[column.use_id.0].iter().copied(), vec![piece])
            }
            _ => vec![piece],
        }
    }
}

/// `CASE WHEN conditions THEN value END`.
fn only_where<'f>(conditions: impl Iterator<Item = &'f Formula>, value: Vec<Piece>) -> Vec<Piece> {
    let mut pieces = vec![Piece::Text("CASE WHEN ".into())];
    for (n, condition) in conditions.enumerate() {
        pieces.push(Piece::Text(if n == 0 { "(" } else { " AND (" }.into()));
        pieces.extend(condition.pieces.iter().cloned());
        pieces.push(Piece::Text(")".into()));
    }
    pieces.push(Piece::Text(" THEN ".into()));
    pieces.extend(value);
    pieces.push(Piece::Text(" END".into()));
    pieces
}
