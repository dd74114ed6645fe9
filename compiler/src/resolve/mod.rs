//! Resolve: every name of a view bound to a column of a base table.
//!
//! In: the [`Catalog`] and the parsed queries. Out: one [`FlatView`] per view that can be traced:
//! views on views are expanded, so that what remains are *uses* of base tables in *blocks* (the
//! query itself and its subqueries), the equalities between their columns, and the output
//! expressions over them. What always holds: a [`ColumnRef`] names an existing column; every
//! condition and output of a live block is present; nothing below here sees a parser type.
//!
//! What a view may hold is decided here: a construct that is not understood is refused with its
//! place, never passed over.

mod claims;
mod conditions;
mod expr;
mod failing;
mod fields;
mod finite;
pub mod formula;
mod from;
pub mod functions;
mod json;
mod naming;
mod outer;
mod place;
mod query;
mod relation;
mod scope;
mod set_operations;
mod settle;
mod size;
mod subscripts;
mod typing;
mod window;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::catalog::{Catalog, Relation, View};
use crate::diagnostics::{Code, Diagnostic, Diagnostics};
use crate::names::{Ident, QualName};
use crate::source::{Sources, Span};
use crate::syntax::{Directive, Statement};
pub use claims::{
    Claim, Comparison, ComparisonKind, Conjunct, Disjunction, Equality, Fact, Guard, MadeEqual, Part, Scope, Stated,
    Told,
};
use conditions::Asked;
pub use conditions::conjuncts;
pub use formula::{Element, Formula, Piece, ROWS_OF_FUNCTION, Term};
pub use functions::JsonType;
pub use naming::{ident, looks_like_json, output_name, parts};
pub use settle::MAX_VARIANTS;

/// Index of a [`Use`] in its view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UseId(pub usize);

/// Index of a [`Block`] in its view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlockId(pub usize);

/// The query itself.
pub const TOP: BlockId = BlockId(0);

/// A column of one use of a base table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ColumnRef {
    /// The use.
    pub use_id: UseId,
    /// Index into the table's columns.
    pub column: usize,
}

/// One occurrence of a base table in a FROM clause.
#[derive(Clone, Debug)]
pub struct Use {
    /// The table.
    pub table: QualName,
    /// Unique within the view; the user's alias where it is unique already.
    pub alias: Ident,
    /// Where it stands.
    pub block: BlockId,
    /// On the nullable side of an outer join.
    pub nullable: bool,
    /// Its mention.
    pub span: Span,
}

/// What a FROM clause reads. That of a query that is read twice is there twice.
#[derive(Clone, Debug)]
pub struct FromClause {
    /// The block that reads it.
    pub block: BlockId,
    /// Its SELECT.
    pub span: Span,
    /// The first use of each relation in order, of a join in parentheses behind another one as one, then the first use behind them.
    pub bounds: Vec<usize>,
}

/// A SELECT: the view's own or a subquery's. Views in FROM are merged into the block that uses them.
#[derive(Clone, Debug)]
pub struct Block {
    /// The block around it; `None` for the top.
    pub parent: Option<BlockId>,
    /// Conditions: WHERE, ON, FILTER.
    pub conditions: Vec<Expr>,
    /// ORDER BY of the block.
    pub order_by: Vec<Expr>,
    /// LIMIT, OFFSET or FETCH.
    pub limited: bool,
    /// DISTINCT ON: `grouped` holds its expressions.
    pub picked: bool,
    /// The query of a recursive CTE.
    pub recursive: bool,
    /// `LIMIT 1`.
    pub single: bool,
    /// GROUP BY.
    pub grouped: Option<Vec<Expr>>,
    /// HAVING.
    pub having: bool,
    /// DISTINCT.
    pub distinct: bool,
    /// A set-returning function in its select list makes several rows of one, behind GROUP BY.
    pub expands: bool,
    /// Holds aggregate calls, hence one row.
    pub aggregated: bool,
    /// The rows of a window, as a query.
    pub window: bool,
    /// The select, or the call with the window.
    pub span: Span,
}

/// Something in a FROM clause that has rows of its own and is no use of a base table.
#[derive(Clone, Debug)]
pub struct Derived {
    /// The block that reads its rows.
    pub block: BlockId,
    /// The block that makes them; `None` for a function.
    pub inner: Option<BlockId>,
    /// What its rows are.
    pub rows: Rows,
    /// Of a function: what no two of the rows have in common that it makes of one row.
    pub told_by: Option<Term>,
    /// Of a function: the call, as an item of a FROM clause in a [`Formula`].
    pub call: Option<Vec<Piece>>,
}

/// What the rows of a [`Derived`] are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// At most one.
    One,
    /// One per value of the inner block's GROUP BY.
    Groups,
    /// Joined rows of the inner block, some of them left out by LIMIT.
    Joined,
    /// Any number, with nothing that tells them apart.
    Many,
    /// Those of one side of a set operation or of one of several ways to read a query: the n-th of an
    /// [`Alternative`]. None is left in a settled view.
    Branch(usize, usize),
}

/// A place where a query is the union of several: the sides of UNION, INTERSECT and EXCEPT, and the two outer joins that
/// a FULL JOIN consists of. A view is what its variants say together, one per choice ([`FlatView::variants`]).
#[derive(Clone, Debug)]
pub struct Alternative {
    /// How many there are.
    pub choices: usize,
    /// Which of them give rows of their own; the others only take rows away.
    pub giving: Vec<bool>,
    /// What tells rows of different choices apart.
    pub kind: AlternativeKind,
    /// A FULL JOIN on equalities alone: what it compares are the same values of both sides where both have a row.
    pub merges: bool,
    /// The block that reads the rows.
    pub block: BlockId,
    /// Where it is written.
    pub span: Span,
}

/// What an [`Alternative`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlternativeKind {
    /// UNION and the like.
    SetOperation,
    /// FULL JOIN: the left join and the right join.
    FullJoin,
}

/// An outer join: its nullable side is a range of uses.
#[derive(Clone, Debug)]
pub struct OuterJoin {
    /// The left side.
    pub left: (usize, usize),
    /// The right side.
    pub right: (usize, usize),
    /// Which side is nullable.
    pub kind: OuterKind,
    /// The pairs of columns whose equality alone decides whether a row of the nullable side is shown; `None` where that
    /// side or the ON condition says more.
    pub pairs: Option<Vec<(ColumnRef, ColumnRef)>>,
    /// Whether the nullable side may show columns of uses that are not in its range (LATERAL): they are NULL with it.
    pub borrows: bool,
    /// Whether the nullable side may show what is a value where all columns that it reads are NULL (`coalesce(name, 'x') AS name` in a derived
    /// table): it is NULL with the side, and is no function of the NULLs in the place of its columns.
    pub computes: bool,
    /// The columns of relations in FROM that ON and the right side read: they decide whether there is a partner. `None` where
    /// rows that a function makes do as well.
    pub reads: Option<BTreeSet<ColumnRef>>,
    /// The block whose FROM clause it stands in.
    pub block: BlockId,
    /// How many conjuncts had been read at its end.
    pub said: usize,
}

/// Kinds of outer joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OuterKind {
    /// LEFT JOIN.
    Left,
    /// RIGHT JOIN.
    Right,
    /// FULL JOIN, with its alternative. None is left in a settled view.
    Full(usize),
}

/// A resolved expression.
#[derive(Clone, Debug)]
pub struct Expr {
    /// In the user's text.
    pub span: Span,
    /// Whether it is a document: a json or jsonb value, or an array of these.
    pub json: Option<JsonType>,
    /// What it is.
    pub kind: ExprKind,
    /// How to compute it elsewhere, where that is known and it is no plain column.
    pub formula: Option<Arc<Formula>>,
    /// The same over what set-returning functions make of columns.
    pub element: Option<Arc<Element>>,
}

/// What an expression is. Whatever has no structure that the compiler uses is `Apply`.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// A column of a base table.
    Column(ColumnRef),
    /// A constant.
    Constant,
    /// An object with known field names.
    Object(Vec<(String, Expr)>),
    /// `jsonb_agg` or `json_agg`.
    ArrayAgg(Box<ArrayAgg>),
    /// A scalar subquery: its block and the value it selects.
    Subquery(BlockId, Box<Expr>),
    /// EXISTS.
    Exists(BlockId),
    /// COALESCE.
    Coalesce(Vec<Expr>),
    /// Any other function of its operands.
    Apply(Vec<Expr>),
    /// What a set-returning function, VALUES or a recursion makes of these: there can be several for one row. Or what an outer join
    /// shows of them: NULL, where there is no partner.
    Made(Vec<Expr>),
    /// An aggregate other than [`ExprKind::ArrayAgg`].
    Aggregate(Vec<Expr>),
    /// `row_number()` over a partition: index into the numberings.
    Number(usize, Vec<Expr>),
    /// One of these, by the choice of an [`Alternative`]. None is left in a settled view.
    Either(usize, Vec<Expr>),
}

/// `row_number() OVER (PARTITION BY …)` over rows of base tables.
#[derive(Clone, Debug)]
pub struct Numbering {
    /// The uses whose combined rows it numbers: first, and one past the last.
    pub uses: (usize, usize),
    /// What they are partitioned by.
    pub partition: Vec<Expr>,
}

/// A window of a query in FROM, of a view below, or of a subquery.
#[derive(Clone, Debug)]
pub struct Windowed {
    /// The block whose rows it is over.
    pub block: BlockId,
    /// What it is partitioned by.
    pub partition: Vec<Expr>,
    /// The copy of that block that stands for its partitions.
    pub copy: BlockId,
    /// The call.
    pub span: Span,
}

/// `x IN (SELECT y …)` or its like in a place where PostgreSQL reads all of the query for it, though rows with another y make no
/// difference: neither x nor y is ever NULL, or NULL is as good as false there.
#[derive(Clone, Debug)]
pub struct Membership {
    /// The query.
    pub query: Span,
    /// How many columns it has.
    pub columns: usize,
    /// Values, which are columns, with what they are compared with: the position of that column, and which of a table it is, or one of
    /// which in each query of a union.
    pub pairs: Vec<(Span, usize, Vec<ColumnRef>)>,
}

/// A conjunct that one number picks: at most one row of each partition fulfils it.
#[derive(Clone, Copy, Debug)]
pub struct Picked {
    /// Index of the numbering.
    pub numbering: usize,
    /// The block whose condition it is.
    pub block: BlockId,
    /// Where it holds.
    pub scope: Scope,
}

/// An array aggregate.
#[derive(Clone, Debug)]
pub struct ArrayAgg {
    /// The element.
    pub element: Expr,
    /// ORDER BY inside the call.
    pub order_by: Vec<Expr>,
    /// FILTER.
    pub filter: Option<Expr>,
    /// DISTINCT.
    pub distinct: bool,
    /// The block whose rows are aggregated.
    pub block: BlockId,
    /// Columns that fields of the element hold, and how to write them beside it.
    pub named: Vec<(ColumnRef, String)>,
}

/// Something whose result depends on the order of rows.
#[derive(Clone, Debug)]
pub struct Ordered {
    /// What it is.
    pub kind: OrderKind,
    /// Whose rows.
    pub block: BlockId,
    /// What they are ordered by, and what they are told apart by besides.
    pub order: Vec<Expr>,
    /// The values that it is made of, where rows with equal ones are the same to it.
    pub values: Vec<Expr>,
    /// Whether FILTER leaves some of the rows out.
    pub is_filtered: bool,
    /// The call.
    pub span: Span,
}

/// Calls that depend on the order of rows.
#[derive(Clone, Debug)]
pub enum OrderKind {
    /// `jsonb_agg` or `json_agg`.
    Array,
    /// Another aggregate.
    Aggregate(String),
    /// `ARRAY(SELECT …)`.
    Rows,
    /// A function over a window.
    Window(String),
    /// A sum of floating-point numbers: no order is written for it.
    Float(String),
}

/// An output column.
#[derive(Clone, Debug)]
pub struct Output {
    /// Its name.
    pub name: Ident,
    /// Its value.
    pub expr: Expr,
    /// A call that never returns NULL, written in the query itself.
    pub built: bool,
}

/// A view in a FROM clause of the view's own text.
#[derive(Clone, Debug)]
pub struct ReadView {
    /// Which.
    pub view: QualName,
    /// Where it is named.
    pub name: Span,
    /// The name that it has there.
    pub shown: Ident,
    /// Whether that is written.
    pub is_renamed: bool,
    /// The query that reads it.
    pub block: BlockId,
    /// Its uses: first, and one past the last.
    pub uses: (usize, usize),
    /// Its columns that are columns of tables.
    pub columns: Vec<(Ident, ColumnRef)>,
}

/// A view over base tables.
#[derive(Clone, Debug)]
pub struct FlatView {
    /// Its name.
    pub name: QualName,
    /// The name in its CREATE statement.
    pub span: Span,
    /// Index of that statement.
    pub statement: usize,
    /// In order of appearance; an outer join's nullable side is a contiguous range.
    pub uses: Vec<Use>,
    /// `blocks[0]` is the query itself.
    pub blocks: Vec<Block>,
    /// Outer joins.
    pub outer_joins: Vec<OuterJoin>,
    /// Places where the view is a union.
    pub alternatives: Vec<Alternative>,
    /// Conjuncts of all conditions as they were read.
    pub conjuncts: Vec<Conjunct>,
    /// Settled: equalities of columns.
    pub equalities: Vec<Equality>,
    /// Settled: what else compares columns.
    pub comparisons: Vec<Comparison>,
    /// Settled: what equals that which functions make of constants.
    pub made_equal: Vec<MadeEqual>,
    /// Settled: what equals that which queries compute.
    pub told: Vec<Told>,
    /// Settled: what is said of single relations.
    pub guards: Vec<Guard>,
    /// Relations in FROM that are neither base tables nor merged.
    pub derived: Vec<Derived>,
    /// Queries that have to have a row: by query, the uses whose rows are shown only then.
    pub asked: BTreeMap<BlockId, Arc<Vec<UseId>>>,
    /// The conditions of which one part has to hold.
    pub parts: Vec<Disjunction>,
    /// Queries that have to have a row where a part holds, with the uses whose rows are shown only then.
    pub asked_by: Vec<(Part, BlockId, Arc<Vec<UseId>>)>,
    /// Settled: conjuncts about single columns that hold for every row of their block.
    pub stated: Vec<Stated>,
    /// What numbers rows.
    pub numberings: Vec<Numbering>,
    /// Settled: conjuncts that compare a number with a constant.
    pub picked: Vec<Picked>,
    /// Settled: formulas that are not NULL in any row of their block.
    pub present: Vec<(Arc<Formula>, BlockId)>,
    /// Output columns.
    pub outputs: Vec<Output>,
    /// What depends on the order of rows.
    pub orders: Vec<Ordered>,
    /// The FROM clauses of all SELECTs in it.
    pub from_clauses: Vec<FromClause>,
    /// What windows of its own select list are partitioned by.
    pub partitions: Vec<Expr>,
    /// Those that its own text names in FROM.
    pub own_views: Vec<ReadView>,
    /// Windows of queries below it.
    pub windows_below: Vec<Windowed>,
    /// Queries that are read for one value.
    pub memberships: Vec<Membership>,
    /// Queries of IN that tell nothing of the row, since what is compared can be NULL.
    pub untold: Vec<BlockId>,
    /// Views it reads, directly or not, in order of first use.
    pub reads_views: Vec<QualName>,
    /// Whether it calls functions of the user's own.
    pub calls_user_functions: bool,
    /// Whether it formats values in a way that depends on lc_* and the like.
    pub needs_locale: bool,
    /// Why any write can change any row, where that is so for the view as a whole.
    pub whole: Option<(&'static str, Span)>,
    /// Directives above the view.
    pub directives: Vec<Directive>,
    /// Schemas of its statement.
    pub search_path: Vec<Ident>,
}

impl FlatView {
    /// The use of a column.
    pub fn use_of(&self, column: ColumnRef) -> &Use {
        &self.uses[column.use_id.0]
    }

    /// Whether `inner` is `outer` or lies within it.
    pub fn within(&self, inner: BlockId, outer: BlockId) -> bool {
        let mut at = Some(inner);
        while let Some(block) = at {
            if block == outer {
                return true;
            }
            at = self.blocks[block.0].parent;
        }
        false
    }

    /// Whether an outer join read so far fills up a column's table with NULLs.
    fn is_filled_up(&self, column: ColumnRef) -> bool {
        let nullable = |(from, to): (usize, usize)| (from..to).contains(&column.use_id.0);
        self.outer_joins.iter().flat_map(|j| j.nullable()).any(nullable)
    }

    /// Whether a column is declared NOT NULL, in a table that no outer join of the view fills up with NULLs.
    pub fn is_never_null(&self, catalog: &Catalog, column: ColumnRef) -> bool {
        !self.is_filled_up(column) && catalog.table(&self.use_of(column).table).columns[column.column].not_null
    }

    /// Whether a column is not NULL where it is read now: it never is, or a condition says so that has been read since the last outer join
    /// that fills it up.
    pub fn is_present(&self, catalog: &Catalog, column: ColumnRef) -> bool {
        let fills =
            |join: &&OuterJoin| join.nullable().into_iter().any(|(from, to)| (from..to).contains(&column.use_id.0));
        let filled_at = self.outer_joins.iter().filter(fills).map(|j| j.said).max().unwrap_or(0);
        let is_said = |c: &Conjunct| match &c.claim {
            Claim::Fact(expr, Fact::Present) => {
                let here = || self.in_region(self.use_of(column).block, c.block);
                let always = c.scope == Scope::Always && c.part.is_none();
                always && c.at >= filled_at && expr.as_column() == Some(column) && here()
            }
            _ => false,
        };
        self.is_never_null(catalog, column) || self.conjuncts.iter().any(is_said)
    }

    /// Whether an expression is a column, or one on each side, of a table that no outer join read so far fills up with NULLs.
    pub fn is_solid(&self, expr: &Expr) -> bool {
        expr.as_columns().is_some_and(|all| all.iter().all(|c| !self.is_filled_up(*c)))
    }

    /// What is stated of a column by conditions on rows that it is part of.
    pub fn is_stated(&self, column: ColumnRef, fact: Fact) -> bool {
        self.stated
            .iter()
            .any(|s| s.column == column && s.fact == fact && self.in_region(self.use_of(column).block, s.block))
    }

    /// The derived relation that a block makes the rows of.
    pub fn derived_by(&self, inner: BlockId) -> Option<&Derived> {
        self.derived.iter().find(|d| d.inner == Some(inner))
    }

    /// Whether a block's rows are seen in `block`'s FROM clause: it is that block or makes the rows of a
    /// relation there.
    pub fn in_region(&self, at: BlockId, block: BlockId) -> bool {
        at == block || self.derived_by(at).is_some_and(|d| self.in_region(d.block, block))
    }

    /// The query in whose FROM clause a block's rows are seen in the end.
    pub fn region_of(&self, block: BlockId) -> BlockId {
        self.derived_by(block).map_or(block, |d| self.region_of(d.block))
    }

    /// Whether all rows of the relations between `from` and `block` that a row of `from` influences show its
    /// columns as they are: true where nothing lies between, and of groups, whose plain output columns are
    /// the same for all their rows. Where LIMIT picks rows, a row influences others that it has nothing in
    /// common with.
    pub fn is_stable(&self, from: BlockId, block: BlockId) -> bool {
        from == block
            || self.derived_by(from).is_some_and(|d| {
                d.rows == Rows::Groups && self.is_stable(d.block, block) && !self.blocks[from.0].limited
            })
    }

    /// Whether a block compares columns of `end` as they are: those of its own FROM clause and of the queries around it.
    pub fn sees(&self, block: BlockId, end: BlockId) -> bool {
        let mut at = Some(block);
        while let Some(around) = at {
            if self.is_stable(end, around) {
                return true;
            }
            at = self.blocks[around.0].parent;
        }
        false
    }

    /// Queries in the WHERE of a block that have to have a row for each combination of these uses' rows.
    pub(crate) fn asks(&mut self, uses: Vec<UseId>, queries: Vec<Asked>) {
        let uses = Arc::new(uses);
        for Asked { query, part } in queries {
            match part {
                None => drop(self.asked.insert(query, uses.clone())),
                Some(part) => self.asked_by.push((part, query, uses.clone())),
            }
        }
    }

    /// Whether a row of a use is shown only where a query has a row. An aggregate without groups has one of nothing.
    pub fn is_asked(&self, use_id: UseId, query: BlockId) -> bool {
        let state = &self.blocks[query.0];
        let has_rows_of_its_own = !state.aggregated || state.grouped.is_some();
        has_rows_of_its_own && self.asked.get(&query).is_some_and(|uses| uses.binary_search(&use_id).is_ok())
    }

    /// The blocks that the outputs and conditions really reach. What an expanded view computes
    /// and nobody selects is not among them.
    pub fn live_blocks(&self) -> BTreeSet<BlockId> {
        let mut live = BTreeSet::new();
        let mut queue: Vec<BlockId> = vec![TOP];
        for output in &self.outputs {
            output.expr.visit(&mut |e| queue.extend(e.block()));
        }
        while let Some(block) = queue.pop() {
            if live.insert(block) {
                let Block { conditions, order_by, grouped, parent, .. } = &self.blocks[block.0];
                queue.extend(*parent);
                for expr in conditions.iter().chain(order_by).chain(grouped.iter().flatten()) {
                    expr.visit(&mut |e| queue.extend(e.block()));
                }
            }
        }
        live
    }

    /// The outputs that hold documents.
    pub fn documents(&self) -> impl Iterator<Item = &Output> {
        self.outputs.iter().filter(|o| o.expr.json.is_some())
    }

    /// Whether `allow(CODE)` stands above the view.
    pub fn accepts(&self, code: Code) -> bool {
        let allow = self.directives.iter().filter(|d| d.name == "allow");
        allow.flat_map(|d| &d.arguments).any(|accepted| accepted.eq_ignore_ascii_case(code.number()))
    }

    /// Whether a directive stands above the view.
    pub fn directive(&self, name: &str) -> Option<&Directive> {
        self.directives.iter().find(|d| d.name == name)
    }
}

impl Expr {
    /// An expression that is not known to be json.
    pub(crate) fn plain(span: Span, kind: ExprKind) -> Expr {
        Expr { span, json: None, kind, formula: None, element: None }
    }

    /// Calls `f` on this expression and all below it, without entering other blocks' conditions.
    pub fn visit<'e>(&'e self, f: &mut dyn FnMut(&'e Expr)) {
        f(self);
        self.children().into_iter().for_each(|child| child.visit(f));
    }

    /// The uses it reads, those within subqueries excepted.
    pub fn uses(&self) -> BTreeSet<UseId> {
        let mut uses = BTreeSet::new();
        self.visit(&mut |e| {
            uses.extend(e.as_column().map(|c| c.use_id));
            uses.extend(e.formula.iter().flat_map(|f| f.uses()));
        });
        uses
    }

    /// Whether both are the same function of columns.
    pub fn is_same(&self, other: &Expr) -> bool {
        match (&self.kind, &other.kind) {
            (ExprKind::Either(a, one), ExprKind::Either(b, two)) => {
                a == b && one.len() == two.len() && one.iter().zip(two).all(|(l, r)| l.is_same(r))
            }
            _ => self.as_term().is_some() && self.as_term() == other.as_term(),
        }
    }

    /// Whether it is, or is computed from, one of several values for one row.
    pub fn is_made(&self) -> bool {
        let mut found = false;
        self.visit(&mut |e| found |= matches!(e.kind, ExprKind::Made(_)));
        found
    }

    /// Whether it is another one on each side of a set operation or a FULL JOIN.
    pub fn is_either(&self) -> bool {
        let mut found = false;
        self.visit(&mut |e| found |= matches!(e.kind, ExprKind::Either(..)));
        found
    }

    /// Whether it is computed from several rows.
    pub fn has_aggregate(&self) -> bool {
        let mut found = false;
        self.visit(&mut |e| {
            found |= matches!(e.kind, ExprKind::Aggregate(_) | ExprKind::Number(..) | ExprKind::ArrayAgg(_))
        });
        found
    }

    /// The operands.
    pub fn children(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Column(_) | ExprKind::Constant | ExprKind::Exists(_) => Vec::new(),
            ExprKind::Object(fields) => fields.iter().map(|(_, e)| e).collect(),
            ExprKind::ArrayAgg(agg) => std::iter::once(&agg.element).chain(&agg.order_by).chain(&agg.filter).collect(),
            ExprKind::Subquery(_, value) => vec![value],
            ExprKind::Coalesce(list)
            | ExprKind::Apply(list)
            | ExprKind::Made(list)
            | ExprKind::Aggregate(list)
            | ExprKind::Number(_, list)
            | ExprKind::Either(_, list) => list.iter().collect(),
        }
    }

    /// The block that this expression opens.
    pub fn block(&self) -> Option<BlockId> {
        match &self.kind {
            ExprKind::Subquery(block, _) | ExprKind::Exists(block) => Some(*block),
            _ => None,
        }
    }

    /// What can be computed of it elsewhere.
    pub fn as_term(&self) -> Option<Term> {
        self.as_column().map(Term::Column).or_else(|| self.formula.clone().map(Term::Formula))
    }

    /// The same, or what a set-returning function in FROM makes: several values for one row, which are found by calling the function
    /// with it. Only keys are made of these.
    pub fn as_key_term(&self) -> Option<Term> {
        self.as_term().or_else(|| self.element.as_ref()?.as_formula().map(Term::Formula))
    }

    /// Whether it is known to be NULL whenever a column or element that it reads is.
    pub fn passes_null(&self) -> bool {
        self.as_column().is_some()
            || self.formula.as_ref().is_some_and(|f| f.null_in_null_out)
            || self.element.as_ref().is_some_and(|e| e.null_in_null_out)
    }

    /// The column, where the expression is nothing else.
    pub fn as_column(&self) -> Option<ColumnRef> {
        match self.kind {
            ExprKind::Column(column) => Some(column),
            _ => None,
        }
    }

    /// The column, or those that it is one of, where the expression is nothing else.
    pub fn as_columns(&self) -> Option<Vec<ColumnRef>> {
        match &self.kind {
            ExprKind::Either(_, sides) => {
                let columns: Option<Vec<_>> = sides.iter().map(Expr::as_columns).collect();
                columns.map(|c| c.concat())
            }
            _ => self.as_column().map(|c| vec![c]),
        }
    }
}

/// All views of the input that the compiler is to materialize, resolved. A view without a
/// json or jsonb column is not among them, nor one of a context-only file.
pub fn resolve(
    sources: &Sources,
    statements: &[Statement],
    catalog: &Catalog,
    diagnostics: &mut Diagnostics,
) -> Vec<FlatView> {
    let places = place::Places::new(sources);
    let views = catalog.relations.values().filter_map(|relation| match relation {
        Relation::View(view) if !view.context_only => Some(view),
        _ => None,
    });
    let mut flat_views = Vec::new();
    let mut expressions = 0;
    for view in views.filter(|v| !v.directives.iter().any(|d| d.name == "skip")) {
        if expressions > size::MAX_OF_PROGRAM {
            diagnostics.push(size::program_too_large(view.span));
            break;
        }
        let mut found = Vec::new();
        let resolver = query::Resolver::new(catalog, &places, statements, view, &mut found);
        let resolved = resolver.view(view, &mut expressions);
        match resolved {
            Ok(flat) if flat.documents().next().is_some() => flat_views.push(flat),
            Ok(_) => continue,
            // A cycle is an error whatever the views hold.
            Err(_) if found.iter().any(|d| d.code == Code::CyclicViews) => {}
            Err(_) if !naming::looks_like_json(&view.query) => {
                diagnostics.push(not_materialized(view, &found));
                continue;
            }
            Err(_) => {}
        }
        found.into_iter().for_each(|d| diagnostics.push(d));
    }
    flat_views
}

/// A helper view that cannot be traced but builds no document is only noted.
fn not_materialized(view: &View, found: &[Diagnostic]) -> Diagnostic {
    let title = format!("view `{}` is left as it is", view.name);
    let reason = found.first().map(|d| d.title.clone()).unwrap_or_default();
    Diagnostic::new(Code::NotMaterialized, title, view.span)
        .label("no json or jsonb column was found in it")
        .note(format!("it could not be traced to its base tables: {reason}"))
}
