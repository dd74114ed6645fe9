//! Guards: what keeps expressions from rows that they fail for.
//!
//! In: a settled view. Out: terms and formulas in which an expression that can raise an error is computed only for rows that
//! fulfil what the view says of their table alone. What always holds: a row that does not fulfil it takes part in nothing, so that it does
//! not matter where it would lead; `CASE` is the only form of SQL that is computed in the order in which it is written.

use std::sync::Arc;

use super::steps::nullable_ranges;
use crate::diagnostics::Code;
use crate::resolve::{FlatView, Formula, Piece, Scope, Term, UseId};

/// What guarded terms begin with; what users write has no capital letters in a formula.
const CASE: &str = "CASE WHEN ";

/// Whether a term is computed only for some rows, other than in the view, where a condition beside it does that.
pub fn is_guarded(formula: &Formula) -> bool {
    matches!(formula.pieces.first(), Some(Piece::Text(text)) if text == CASE)
}

/// By use: what its rows have to fulfil, as one condition.
pub(super) struct Guards(Vec<Option<Vec<Piece>>>);

impl Guards {
    pub(super) fn new(view: &FlatView) -> Self {
        let ranges = nullable_ranges(view);
        let mut all: Vec<Option<Vec<Piece>>> = vec![None; view.uses.len()];
        // What the clock says of a row now it need not have said when the row's documents were written.
        let guards = if view.accepts(Code::VolatileFunction) { &[] } else { view.guards.as_slice() };
        for guard in guards {
            let uses = guard.formula.uses();
            let (Some(&UseId(owner)), 1) = (uses.first(), uses.len()) else { continue };
            // Of the NULLs that an outer join puts in the place of a row a later condition may be true, and the row keeps them away.
            let holds = match guard.scope {
                Scope::Always => ranges[owner].is_none(),
                Scope::Outer { from, to } => ranges[owner] == Some((from, to)),
                Scope::Full(_) => false,
            };
            if !holds || guard.formula.may_fail || view.uses[owner].block != guard.block {
                continue;
            }
            let pieces = all[owner].get_or_insert_default();
            pieces.push(Piece::Text(if pieces.is_empty() { "(" } else { " AND (" }.into()));
            pieces.extend(guard.formula.pieces.iter().cloned());
            pieces.push(Piece::Text(")".into()));
        }
        Guards(all)
    }

    /// The term, where it can fail for rows that the view leaves out only for those that it does not.
    pub(super) fn term(&self, term: &Term) -> Term {
        match term {
            Term::Column(_) => term.clone(),
            Term::Formula(formula) => Term::Formula(self.formula(formula)),
        }
    }

    pub(super) fn formula(&self, formula: &Arc<Formula>) -> Arc<Formula> {
        if formula.calls.is_empty() && !formula.may_fail {
            return formula.clone();
        }
        let mut guarded = formula.as_ref().clone();
        // A function in FROM makes no row of NULL.
        for call in &mut guarded.calls {
            *call = std::mem::take(call).into_iter().flat_map(|piece| self.column(piece)).collect();
        }
        if !formula.may_fail {
            return Arc::new(guarded);
        }
        let conditions: Vec<&Vec<Piece>> = formula.uses().iter().filter_map(|u| self.0[u.0].as_ref()).collect();
        let Some((first, rest)) = conditions.split_first() else { return Arc::new(guarded) };
        let mut pieces = vec![Piece::Text(CASE.into())];
        pieces.extend(first.iter().cloned());
        for condition in rest {
            pieces.push(Piece::Text(" AND ".into()));
            pieces.extend(condition.iter().cloned());
        }
        pieces.push(Piece::Text(" THEN ".into()));
        pieces.append(&mut guarded.pieces);
        pieces.push(Piece::Text(" END".into()));
        let every_use = conditions.len() == formula.uses().len();
        Arc::new(Formula { pieces, may_fail: !every_use, ..guarded })
    }

    /// A column that is read by a function, for rows that fulfil the condition.
    fn column(&self, piece: Piece) -> Vec<Piece> {
        let condition = match &piece {
            Piece::Column(column) => self.0[column.use_id.0].as_ref(),
            _ => None,
        };
        let Some(condition) = condition else { return vec![piece] };
        let mut pieces = vec![Piece::Text(CASE.into())];
        pieces.extend(condition.iter().cloned());
        pieces.extend([Piece::Text(" THEN ".into()), piece, Piece::Text(" END".into())]);
        pieces
    }
}
