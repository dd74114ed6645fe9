//! Claims: what conditions say, as values.
//!
//! In: nothing; the types that conditions are told apart in, and those that a settled view holds them in. What always holds: each
//! knows the block whose condition it is, and whether it holds for every row of it.

use std::sync::Arc;

use super::{BlockId, ColumnRef, Expr, Formula, Term};
use crate::source::Span;

/// Where an equality holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// For every row of the block.
    Always,
    /// ON of an outer join whose nullable side are the uses `from..to`.
    Outer {
        /// First use of the nullable side.
        from: usize,
        /// One past the last.
        to: usize,
    },
    /// ON of a FULL JOIN: index into the outer joins. None is left in a settled view.
    Full(usize),
}

/// A condition that has to hold as a whole.
#[derive(Clone, Debug)]
pub struct Conjunct {
    /// What it says.
    pub claim: Claim,
    /// The block whose condition it is.
    pub block: BlockId,
    /// Where it holds.
    pub scope: Scope,
    /// How many were said before it.
    pub at: usize,
    /// Where it need not hold: the part of a condition that says it.
    pub part: Option<Part>,
}

/// A condition of which one part at least has to hold.
#[derive(Clone, Copy, Debug)]
pub struct Disjunction {
    /// Somewhere within it.
    pub place: Span,
    /// Whether it is written with OR.
    pub is_written: bool,
    /// How many parts it has.
    pub parts: usize,
}

/// One of the parts of a condition of which one has to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Index into [`FlatView::parts`](super::FlatView::parts).
    pub condition: usize,
    /// Which of its parts.
    pub number: usize,
}

/// What a conjunct says.
#[derive(Clone, Debug)]
pub enum Claim {
    /// `left = right`.
    Equal(Expr, Expr),
    /// `left IS NOT DISTINCT FROM right`.
    Same(Expr, Expr),
    /// The same of a window's partition, in a query that has no outer join around these columns' tables.
    Partition(Expr, Expr),
    /// Something about one expression.
    Fact(Expr, Fact),
    /// Anything else that compares columns of several relations.
    Holds(Arc<Formula>),
    /// A condition on one relation, whatever it is.
    Guard(Arc<Formula>),
}

/// A condition on one relation.
#[derive(Clone, Debug)]
pub struct Guard {
    /// The condition.
    pub formula: Arc<Formula>,
    /// The block whose condition it is.
    pub block: BlockId,
    /// Where it holds.
    pub scope: Scope,
    /// How many conjuncts were said before it.
    pub at: usize,
}

/// `left = right` between columns, as a conjunct.
#[derive(Clone, Debug)]
pub struct Equality {
    /// One side.
    pub left: ColumnRef,
    /// The other.
    pub right: ColumnRef,
    /// The block whose condition it is.
    pub block: BlockId,
    /// Where it holds.
    pub scope: Scope,
    /// NULLs count as equal.
    pub null_safe: bool,
    /// The NULLs that outer joins put there have no part in it.
    pub of_rows: bool,
}

/// A conjunct that is no equality of columns but leads from one use to another all the same.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// What is compared.
    pub kind: ComparisonKind,
    /// The block whose condition it is.
    pub block: BlockId,
    /// Where it holds.
    pub scope: Scope,
}

/// What a [`Comparison`] compares.
#[derive(Clone, Debug)]
pub enum ComparisonKind {
    /// Both sides are equal.
    Equal(Term, Term),
    /// Both sides are equal or NULL.
    Same(Term, Term),
    /// The formula holds.
    Holds(Arc<Formula>),
}

/// What a conjunct says of what functions make of constants: it equals a value of one row. No row of a table is to be found by it, but
/// where it is the key it is that of a document.
#[derive(Clone, Debug)]
pub struct MadeEqual {
    /// The value, over columns.
    pub value: Term,
    /// What is made.
    pub made: Arc<Formula>,
    /// The block whose condition it is.
    pub block: BlockId,
    /// Where it holds.
    pub scope: Scope,
}

/// A column equals the value of a query, or one that a relation in FROM computes.
#[derive(Clone, Debug)]
pub struct Told {
    /// The column.
    pub column: ColumnRef,
    /// Which: [`ExprKind::Subquery`](super::ExprKind::Subquery).
    pub value: Expr,
    /// The block whose condition it is.
    pub block: BlockId,
    /// Where it holds.
    pub scope: Scope,
}

/// What a conjunct says of one column, for every row of its block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// `column = constant`.
    Constant,
    /// `column IS NOT NULL`.
    Present,
    /// `column IS NULL`.
    Absent,
    /// `isfinite(column)`.
    Finite,
}

/// A conjunct about one column.
#[derive(Clone, Copy, Debug)]
pub struct Stated {
    /// The column.
    pub column: ColumnRef,
    /// What is said.
    pub fact: Fact,
    /// The block whose condition it is.
    pub block: BlockId,
}
