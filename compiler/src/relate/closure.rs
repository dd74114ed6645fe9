//! Functional dependencies within a block.
//!
//! In: a set of columns whose values are given. Out: all columns whose values follow, through
//! equalities, constants and declared unique keys. Used to prove keys, match keys and total orders;
//! a proof is never taken from a name or from the data.

use std::collections::{BTreeMap, BTreeSet};

use super::dependencies::{Dependencies, Known};
use super::fixed::{Fixed, Sides};
use super::injective::{told_columns, told_element};
use super::locks::same_type;
use super::made;
use crate::catalog::Catalog;
use crate::resolve::{
    BlockId, ColumnRef, Derived, Equality, Expr, ExprKind, Fact, FlatView, Piece, Rows, Scope, TOP, Term, UseId,
};

/// The uses that stand in the FROM clause of a block.
pub(super) fn uses_of(view: &FlatView, block: BlockId) -> impl Iterator<Item = UseId> + '_ {
    (0..view.uses.len()).map(UseId).filter(move |u| view.uses[u.0].block == block)
}

/// Whether giving `columns` fixes one row of everything in the block's FROM clause (within one row of
/// the blocks around it, and within one group where the block groups).
pub fn determines_rows(view: &FlatView, catalog: &Catalog, block: BlockId, columns: &[ColumnRef]) -> bool {
    BlockRows::new(view, catalog, block).determined_by(columns)
}

/// Whether there is at most one row of each table in the block's FROM clause.
pub fn determines_uses(view: &FlatView, catalog: &Catalog, block: BlockId) -> bool {
    let dependencies = Dependencies::new(view, catalog, block);
    let known = dependencies.known(&[]);
    uses_of(view, block).all(|u| known.has_row(u))
}

/// What fixes a row of a block's FROM clause; for many questions about one block.
pub struct BlockRows<'v> {
    view: &'v FlatView,
    block: BlockId,
    dependencies: Dependencies,
}

impl<'v> BlockRows<'v> {
    /// Prepares the answers.
    pub fn new(view: &'v FlatView, catalog: &'v Catalog, block: BlockId) -> Self {
        BlockRows { view, block, dependencies: Dependencies::new(view, catalog, block) }
    }

    /// As [`determines_rows`].
    pub fn determined_by(&self, columns: &[ColumnRef]) -> bool {
        self.determined_with(columns, &[])
    }

    /// The same, given also what functions in FROM make.
    fn determined_with(&self, columns: &[ColumnRef], made: &[Term]) -> bool {
        let mut known = self.dependencies.known(columns);
        let grouped = self.view.blocks[self.block.0].grouped.iter().flatten().filter_map(Expr::as_column);
        known.give(&grouped.collect::<Vec<_>>());
        all_known(self.view, self.block, &known, made)
    }
}

/// What fixes a row of the view: of its tables, or of its groups, or, under DISTINCT, of what it selects.
pub(super) struct ViewRows<'v> {
    rows: BlockRows<'v>,
    catalog: &'v Catalog,
    apart: Apart<'v>,
    sides: Sides,
}

/// What tells the rows of a view apart.
enum Apart<'v> {
    /// The rows of its tables.
    Tables,
    /// These expressions of its groups.
    Groups(Vec<&'v Expr>),
    /// What it selects: functions of these columns.
    Selected(BTreeSet<ColumnRef>),
    /// Nothing: of rows that are equal in all columns there can be several.
    Nothing,
}

/// What follows from some terms.
pub(super) struct Given<'d> {
    view: &'d FlatView,
    catalog: &'d Catalog,
    known: Known<'d>,
    formulas: BTreeSet<Term>,
}

impl Given<'_> {
    /// Gives more terms.
    pub(super) fn give(&mut self, terms: &[Term]) {
        self.known.give(&told(self.view, self.catalog, terms));
        self.formulas.extend(terms.iter().filter(|t| t.as_column().is_none()).cloned());
        self.formulas.extend(terms.iter().filter_map(|t| told_element(self.view, t)));
    }

    /// Whether a term's value follows.
    pub(super) fn follows(&self, term: &Term) -> bool {
        match term {
            Term::Column(column) => self.known.contains(column),
            Term::Formula(formula) => {
                let is_known = || formula.columns().iter().all(|c| self.known.contains(c));
                self.formulas.contains(term) || formula.calls.iter().all(|call| self.is_told(call)) && is_known()
            }
        }
    }

    /// Whether one row is known of what a function makes of a row.
    fn is_told(&self, call: &[Piece]) -> bool {
        let tells = |d: &&Derived| d.call.as_deref() == Some(call) && d.told_by.is_some();
        let told_by = self.view.derived.iter().find(tells).and_then(|d| d.told_by.as_ref());
        told_by.is_some_and(|told_by| self.formulas.contains(told_by))
    }
}

/// The columns that terms tell.
fn told(view: &FlatView, catalog: &Catalog, terms: &[Term]) -> Vec<ColumnRef> {
    let made = terms.iter().flat_map(|t| made::told_columns(view, catalog, t));
    terms.iter().flat_map(|t| told_columns(view, catalog, t)).chain(made).collect()
}

impl<'v> ViewRows<'v> {
    /// Prepares the answers.
    pub(super) fn new(view: &'v FlatView, catalog: &'v Catalog) -> Self {
        let top = &view.blocks[TOP.0];
        let apart = match &top.grouped {
            Some(_) if top.expands => Apart::Nothing,
            None if top.distinct && shows_made_rows(view) => Apart::Nothing,
            Some(keys) => {
                let constant = |k: &&Expr| matches!(k.kind, ExprKind::Constant) && k.formula.is_none();
                let groups: Vec<&Expr> = keys.iter().filter(|k| !constant(k)).collect();
                match groups.iter().filter(|k| k.as_key_term().is_none()).count() > MAX_COMPUTED_GROUPS {
                    true => Apart::Nothing,
                    false => Apart::Groups(groups),
                }
            }
            None if top.distinct => Apart::Selected(selected_columns(view)),
            None => Apart::Tables,
        };
        ViewRows { rows: BlockRows::new(view, catalog, TOP), catalog, apart, sides: Sides::of(view) }
    }

    /// What follows from these terms in the top block.
    pub(super) fn given(&self, terms: &[Term]) -> Given<'_> {
        let (view, catalog) = (self.rows.view, self.catalog);
        let known = self.rows.dependencies.known(&[]);
        let mut given = Given { view, catalog, known, formulas: BTreeSet::new() };
        given.give(terms);
        given
    }

    /// Whether these terms fix a row.
    pub(super) fn determined_by(&self, terms: &[Term]) -> bool {
        match &self.apart {
            Apart::Groups(keys) => {
                let given = self.given(terms);
                let mut fixed = Fixed::new(self.rows.view, &self.sides, &given.known);
                keys.iter().all(|k| match k.as_key_term() {
                    Some(term) if terms.contains(&term) => true,
                    Some(term) => given.follows(&term) && term.uses().into_iter().all(|u| fixed.has_partner_or_not(u)),
                    None => fixed.holds(k),
                })
            }
            Apart::Selected(columns) => {
                let given = self.given(terms);
                let mut fixed = Fixed::new(self.rows.view, &self.sides, &given.known);
                columns.iter().all(|c| terms.contains(&Term::Column(*c)) || fixed.column(*c))
            }
            Apart::Nothing => false,
            Apart::Tables => self.rows.determined_with(&told(self.rows.view, self.catalog, terms), terms),
        }
    }
}

/// Of how many GROUP BY expressions that are no terms it is asked whether they follow from the others: each is looked into
/// for every set of columns that may be a key.
const MAX_COMPUTED_GROUPS: usize = 16;

/// Whether an output shows one of several rows that a function, VALUES or a recursion makes of one row of the tables.
fn shows_made_rows(view: &FlatView) -> bool {
    let makes = |d: &Derived| d.rows == Rows::Many && view.in_region(d.block, TOP);
    let made = |e: &Expr| e.is_made() || view.derived.iter().any(makes) && reads_made_rows(view, e);
    view.outputs.iter().any(|o| made(&o.expr))
}

/// Whether a subquery in an expression compares such rows.
fn reads_made_rows(view: &FlatView, expr: &Expr) -> bool {
    let mut blocks = Vec::new();
    expr.visit(&mut |e| blocks.extend(e.block()));
    let mut seen = BTreeSet::new();
    while let Some(block) = blocks.pop() {
        if !seen.insert(block) {
            continue;
        }
        let block = &view.blocks[block.0];
        for condition in block.conditions.iter().chain(&block.order_by).chain(block.grouped.iter().flatten()) {
            if condition.is_made() {
                return true;
            }
            condition.visit(&mut |e| blocks.extend(e.block()));
        }
    }
    false
}

/// The columns of the top block that the outputs are functions of.
fn selected_columns(view: &FlatView) -> BTreeSet<ColumnRef> {
    let mut columns = BTreeSet::new();
    let mut queue: Vec<&Expr> = view.outputs.iter().map(|o| &o.expr).collect();
    let mut seen = BTreeSet::new();
    while let Some(expr) = queue.pop() {
        expr.visit(&mut |e| {
            columns.extend(e.as_column().filter(|c| view.in_region(view.use_of(*c).block, TOP)));
            if let Some(block) = e.block().filter(|b| seen.insert(*b)) {
                let block = &view.blocks[block.0];
                queue.extend(block.conditions.iter().chain(&block.order_by));
            }
        });
    }
    columns
}

/// Whether one row of everything in a block's FROM clause is fixed, given also what functions in it make.
fn all_known(view: &FlatView, block: BlockId, known: &Known<'_>, made: &[Term]) -> bool {
    let mut derived = view.derived.iter().filter(|d| d.block == block).peekable();
    let of_casts: Vec<Term> = match derived.peek() {
        Some(_) => made.iter().filter_map(|term| told_element(view, term)).collect(),
        None => Vec::new(),
    };
    let made: BTreeSet<&Term> = made.iter().chain(&of_casts).collect();
    let told = |d: &Derived| d.told_by.as_ref().is_some_and(|t| made.contains(t));
    uses_of(view, block).all(|u| known.has_row(u)) && derived.all(|d| told(d) || is_known(view, d, known))
}

/// Whether one row of a derived relation is fixed.
pub(super) fn is_known(view: &FlatView, derived: &Derived, known: &Known<'_>) -> bool {
    let Some(inner) = derived.inner else { return false };
    if view.blocks[inner.0].expands && !view.blocks[inner.0].single {
        return false;
    }
    match derived.rows {
        Rows::One => true,
        Rows::Many | Rows::Branch(..) => false,
        Rows::Groups => {
            let mut keys = view.blocks[inner.0].grouped.iter().flatten();
            keys.all(|k| match k.as_term() {
                Some(Term::Column(column)) => known.contains(&column),
                _ if matches!(k.kind, ExprKind::Constant) => true,
                Some(key) => known.is_given(inner, key),
                None => false,
            })
        }
        Rows::Joined => all_known(view, inner, known, &[]),
    }
}

/// Whether a column can be NULL in a row of its block.
pub fn nullable_in_row(view: &FlatView, catalog: &Catalog, column: ColumnRef) -> bool {
    let owner = view.use_of(column);
    let declared = catalog.table(&owner.table).columns[column.column].not_null;
    owner.nullable || !(declared || compared(view, column) || view.is_stated(column, Fact::Present))
}

/// A column that a condition on its rows compares with `=` is not NULL in any row that passes it.
fn compared(view: &FlatView, column: ColumnRef) -> bool {
    let in_equality = |e: &Equality| {
        (e.left == column || e.right == column)
            && view.in_region(view.use_of(column).block, e.block)
            && match e.scope {
                Scope::Always => true,
                Scope::Outer { from, to } => (from..to).contains(&column.use_id.0),
                Scope::Full(_) => false,
            }
            && !e.null_safe
    };
    view.equalities.iter().any(in_equality) || view.is_stated(column, Fact::Constant)
}

/// Columns of a table as references.
pub(super) fn columns_of(use_id: UseId, columns: &[usize]) -> Vec<ColumnRef> {
    columns.iter().map(|&column| ColumnRef { use_id, column }).collect()
}

/// Which columns are equal in every row of the top block: those linked by inner equalities among uses that are not
/// nullable.
pub(super) struct Equals {
    /// In the order of the equalities.
    of: BTreeMap<ColumnRef, Vec<ColumnRef>>,
}

impl Equals {
    pub(super) fn new(view: &FlatView, catalog: &Catalog) -> Self {
        let solid = |c: ColumnRef| {
            let owner = view.use_of(c);
            !owner.nullable && view.is_stable(owner.block, TOP)
        };
        let ty = |c: ColumnRef| &catalog.table(&view.use_of(c).table).columns[c.column].ty;
        let mut of: BTreeMap<ColumnRef, Vec<ColumnRef>> = BTreeMap::new();
        for Equality { left, right, block, scope, .. } in &view.equalities {
            let holds = *scope == Scope::Always && view.is_stable(*block, TOP) && same_type(ty(*left), ty(*right));
            if holds && solid(*left) && solid(*right) {
                of.entry(*left).or_default().push(*right);
                of.entry(*right).or_default().push(*left);
            }
        }
        Equals { of }
    }

    /// The columns that equal `column`, itself first, then the nearest.
    pub(super) fn class(&self, column: ColumnRef) -> Vec<ColumnRef> {
        let mut seen = BTreeSet::from([column]);
        let mut class = vec![column];
        let mut at = 0;
        while at < class.len() {
            let near = self.of.get(&class[at]).into_iter().flatten();
            class.extend(near.filter(|c| seen.insert(**c)));
            at += 1;
        }
        class
    }
}
