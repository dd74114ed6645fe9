//! What follows from what within a block.
//!
//! In: a view and one of its blocks. Out: [`Dependencies`], built once per block, and from them [`Known`]: everything
//! that follows from given columns. What always holds: finding it takes time in proportion to the equalities and keys
//! of the block, however many steps a proof has, because every equality and key is looked at once.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::fixed::reads_around;
use super::injective::told_columns;
use super::locks::{may_equate, same_equality};
use super::partial;
use crate::catalog::{Catalog, Table};
use crate::resolve::{
    Block, BlockId, ColumnRef, Comparison, ComparisonKind, Expr, ExprKind, Fact, FlatView, Formula, Guard, Rows, Scope,
    Stated, Term, Told, UseId,
};

/// The equalities, keys and constants of a block.
pub(super) struct Dependencies {
    /// Columns that something follows from or that follow from something, numbered.
    numbers: HashMap<ColumnRef, usize>,
    /// By number.
    columns: Vec<Column>,
    /// By use: its numbered columns.
    of_use: Vec<Vec<usize>>,
    /// What follows from several columns together.
    rules: Vec<Then>,
    /// By the block that groups and the formula that it groups by: the columns that fix it, in each of the ways in which
    /// the formula is compared with something.
    given: BTreeMap<(BlockId, Term), Vec<Vec<ColumnRef>>>,
    /// What is known before anything is given.
    start: State,
}

/// What follows from a column.
#[derive(Default)]
struct Column {
    /// Columns that equal it, by number.
    equal: Vec<usize>,
    /// Rules that it is part of.
    rules: Vec<usize>,
}

/// What follows from a rule.
#[derive(Clone, Copy)]
enum Then {
    /// From a key: one row.
    Row(UseId),
    /// From all columns of a formula: the column that equals it, by number.
    Column(usize),
}

#[derive(Clone, Default)]
struct State {
    /// By number.
    columns: Vec<bool>,
    /// Given columns without a number.
    others: BTreeSet<ColumnRef>,
    /// By use: all of its columns are known.
    whole: Vec<bool>,
    /// By use: it has one row at most.
    rows: Vec<bool>,
    /// By rule: how many of its columns are not known.
    missing: Vec<usize>,
}

/// What follows from the columns given so far.
pub(super) struct Known<'d> {
    dependencies: &'d Dependencies,
    state: State,
}

impl Dependencies {
    /// Those of a block and of the relations that make rows of its FROM clause.
    pub(super) fn new(view: &FlatView, catalog: &Catalog, block: BlockId) -> Self {
        Self::outside(view, catalog, block, &NONE)
    }

    /// The same without the keys of some uses.
    pub(super) fn outside(view: &FlatView, catalog: &Catalog, block: BlockId, unkeyed: &BTreeSet<UseId>) -> Self {
        let mut builder = Builder { unkeyed, ..Builder::new(view, catalog, block) };
        let mut known = builder.equalities();
        known.extend(builder.comparisons());
        known.extend(builder.computed());
        builder.keys();
        builder.numbers();
        builder.groups();
        known.extend(builder.constants());
        builder.single_rows(&mut known);
        let mut dependencies = builder.dependencies;
        let mut start = std::mem::take(&mut dependencies.start);
        dependencies.spread(&mut start, known);
        dependencies.start = start;
        dependencies
    }

    /// What follows from these columns.
    pub(super) fn known(&self, given: &[ColumnRef]) -> Known<'_> {
        let mut known = Known { dependencies: self, state: self.start.clone() };
        known.give(given);
        known
    }

    /// Adds columns, by number, and all that follows.
    fn spread(&self, state: &mut State, mut queue: Vec<usize>) {
        while let Some(number) = queue.pop() {
            if std::mem::replace(&mut state.columns[number], true) {
                continue;
            }
            let column = &self.columns[number];
            queue.extend(column.equal.iter().filter(|to| !state.columns[**to]));
            for &rule in &column.rules {
                state.missing[rule] -= 1;
                if state.missing[rule] > 0 {
                    continue;
                }
                match self.rules[rule] {
                    Then::Column(to) => queue.push(to),
                    Then::Row(UseId(owner)) => {
                        state.rows[owner] = true;
                        if !std::mem::replace(&mut state.whole[owner], true) {
                            queue.extend(&self.of_use[owner]);
                        }
                    }
                }
            }
        }
    }
}

impl Known<'_> {
    /// Gives more columns.
    pub(super) fn give(&mut self, columns: &[ColumnRef]) {
        let mut queue = Vec::new();
        for column in columns {
            match self.dependencies.numbers.get(column) {
                Some(number) => queue.push(*number),
                None => {
                    self.state.others.insert(*column);
                }
            }
        }
        self.dependencies.spread(&mut self.state, queue);
    }

    /// Whether a column's value follows.
    pub(super) fn contains(&self, column: &ColumnRef) -> bool {
        let numbered = |column| self.dependencies.numbers.get(column).is_some_and(|n| self.state.columns[*n]);
        self.state.whole[column.use_id.0] || numbered(column) || self.state.others.contains(column)
    }

    /// Whether a formula that a block groups by is compared with something known, of the same type.
    pub(super) fn is_given(&self, inner: BlockId, key: Term) -> bool {
        let ways = self.dependencies.given.get(&(inner, key)).into_iter().flatten();
        ways.into_iter().any(|columns| columns.iter().all(|c| self.contains(c)))
    }

    /// Whether one row of a use follows.
    pub(super) fn has_row(&self, use_id: UseId) -> bool {
        self.state.rows[use_id.0]
    }
}

/// Which blocks make rows of which.
struct Region {
    /// By block: the block that reads its rows in FROM.
    readers: Vec<Option<BlockId>>,
}

impl Region {
    fn new(view: &FlatView) -> Self {
        let mut readers = vec![None; view.blocks.len()];
        for derived in view.derived.iter().rev() {
            if let Some(inner) = derived.inner {
                readers[inner.0] = Some(derived.block);
            }
        }
        Region { readers }
    }

    /// As [`FlatView::in_region`].
    fn holds(&self, mut at: BlockId, block: BlockId) -> bool {
        while at != block {
            match self.readers[at.0] {
                Some(reader) => at = reader,
                None => return false,
            }
        }
        true
    }
}

struct Builder<'v> {
    dependencies: Dependencies,
    view: &'v FlatView,
    catalog: &'v Catalog,
    block: BlockId,
    region: Region,
    /// By use.
    tables: Vec<&'v Table>,
    /// Uses whose keys prove nothing.
    unkeyed: &'v BTreeSet<UseId>,
}

/// No use is left out.
static NONE: BTreeSet<UseId> = BTreeSet::new();

impl<'v> Builder<'v> {
    fn new(view: &'v FlatView, catalog: &'v Catalog, block: BlockId) -> Self {
        let uses = view.uses.len();
        let start = State { whole: vec![false; uses], rows: vec![false; uses], ..State::default() };
        let dependencies = Dependencies {
            numbers: HashMap::new(),
            columns: Vec::new(),
            of_use: vec![Vec::new(); uses],
            rules: Vec::new(),
            given: BTreeMap::new(),
            start,
        };
        let tables = view.uses.iter().map(|u| catalog.table(&u.table)).collect();
        Builder { dependencies, view, catalog, block, region: Region::new(view), tables, unkeyed: &NONE }
    }

    /// The number of a column.
    fn number(&mut self, column: ColumnRef) -> usize {
        let all = &mut self.dependencies;
        *all.numbers.entry(column).or_insert_with(|| {
            all.columns.push(Column::default());
            all.start.columns.push(false);
            all.of_use[column.use_id.0].push(all.columns.len() - 1);
            all.columns.len() - 1
        })
    }

    fn inside(&self, column: ColumnRef, block: BlockId) -> bool {
        self.region.holds(self.view.use_of(column).block, block)
    }

    /// The equalities that carry a dependency. Returns the columns that equal one of the blocks around.
    fn equalities(&mut self) -> Vec<usize> {
        let mut fixed = Vec::new();
        for equality in &self.view.equalities {
            let ty = |c: ColumnRef| &self.tables[c.use_id.0].columns[c.column].ty;
            if !self.region.holds(equality.block, self.block) || !same_equality(ty(equality.left), ty(equality.right)) {
                continue;
            }
            for (from, to) in [(equality.left, equality.right), (equality.right, equality.left)] {
                if !self.inside(to, self.block) || !self.inside(to, equality.block) || !carries(equality.scope, to) {
                    continue;
                }
                let to = self.number(to);
                if self.inside(from, self.block) {
                    let from = self.number(from);
                    self.dependencies.columns[from].equal.push(to);
                } else {
                    fixed.push(to);
                }
            }
        }
        fixed
    }

    /// The columns that equal an expression of the same kind of type, or of which a cast that different values survive does: they follow
    /// from the other side. Returns those that follow from the blocks around.
    fn comparisons(&mut self) -> Vec<usize> {
        let mut fixed = Vec::new();
        for comparison in exact(self.view) {
            let ComparisonKind::Equal(left, right) = &comparison.kind else { continue };
            if !self.region.holds(comparison.block, self.block) || !self.have_one_equality(left, right) {
                continue;
            }
            for (told, other) in [(left, right), (right, left)] {
                for to in told_columns(self.view, self.catalog, told) {
                    if self.is_said_of(to, comparison.block, comparison.scope) {
                        fixed.extend(self.follows(to, other.columns()));
                    }
                }
            }
        }
        fixed
    }

    /// Whether what a block says holds for the rows of this one in which a column is seen.
    fn is_said_of(&self, column: ColumnRef, block: BlockId, scope: Scope) -> bool {
        self.inside(column, self.block) && self.inside(column, block) && carries(scope, column)
    }

    /// A column that follows from all of these; its number, where they are all of the blocks around.
    fn follows(&mut self, to: ColumnRef, columns: BTreeSet<ColumnRef>) -> Option<usize> {
        let to = self.number(to);
        let columns: Vec<ColumnRef> = columns.into_iter().filter(|c| self.inside(*c, self.block)).collect();
        if columns.is_empty() {
            return Some(to);
        }
        self.rule(columns, Then::Column(to));
        None
    }

    /// The columns that equal what a query computes: they follow from what that reads of the rows around or, of a grouped relation, from its
    /// groups. Returns those that follow from the blocks around.
    fn computed(&mut self) -> Vec<usize> {
        let mut fixed = Vec::new();
        for Told { column, value, block, scope } in &self.view.told {
            let sound = self.region.holds(*block, self.block)
                && self.is_said_of(*column, *block, *scope)
                && self.is_one_value(*column, value);
            let Some(columns) = follows_from(self.view, value).filter(|_| sound) else { continue };
            fixed.extend(self.follows(*column, columns));
        }
        fixed
    }

    /// Whether different values of the column are never equal to one that a query computes. No value of some types is converted with loss,
    /// whatever it is compared with; of others the query has to select a column of the same type, or an aggregate of one.
    fn is_one_value(&self, column: ColumnRef, value: &Expr) -> bool {
        let own = &self.tables[column.use_id.0].columns[column.column];
        if own.ty.dimensions == 0
            && matches!(own.ty.base.as_str(), "smallint" | "integer" | "date" | "uuid" | "boolean")
        {
            return true;
        }
        let ExprKind::Subquery(_, inner) = &value.kind else { return false };
        let selected = match &inner.kind {
            ExprKind::Aggregate(list) if list.len() == 1 => list[0].as_column(),
            _ => inner.as_column(),
        };
        selected.is_some_and(|c| {
            let other = &self.tables[c.use_id.0].columns[c.column];
            own.ty.is_plain() && own.ty == other.ty && own.collation.is_none() && other.collation.is_none()
        })
    }

    /// Whether `=` of both terms is the equality of either's type.
    fn have_one_equality(&self, left: &Term, right: &Term) -> bool {
        let types = (left.ty(self.view, self.catalog), right.ty(self.view, self.catalog));
        matches!(types, (Some(left), Some(right)) if same_equality(left, right))
    }

    /// Something that follows from several columns together.
    fn rule(&mut self, columns: impl IntoIterator<Item = ColumnRef>, then: Then) {
        let number = self.dependencies.rules.len();
        self.dependencies.rules.push(then);
        let mut missing = 0;
        for column in columns {
            let column = self.number(column);
            self.dependencies.columns[column].rules.push(number);
            missing += 1;
        }
        self.dependencies.start.missing.push(missing);
    }

    /// What fixes the formulas that relations in FROM are grouped by.
    fn groups(&mut self) {
        let mut wanted: BTreeMap<Term, Vec<(BlockId, BlockId)>> = BTreeMap::new();
        let groups = self.view.derived.iter().filter(|d| d.rows == Rows::Groups);
        for derived in groups.filter(|d| self.region.holds(d.block, self.block)) {
            let Some(inner) = derived.inner else { continue };
            let keys = self.view.blocks[inner.0].grouped.iter().flatten().filter_map(Expr::as_term);
            for key in keys.filter(|k| k.as_column().is_none()).collect::<BTreeSet<_>>() {
                wanted.entry(key).or_default().push((inner, derived.block));
            }
        }
        for comparison in exact(self.view).filter(|_| !wanted.is_empty()) {
            let ComparisonKind::Equal(left, right) = &comparison.kind else { continue };
            if !self.have_one_equality(left, right) {
                continue;
            }
            for (key, other) in [(left, right), (right, left)] {
                let carried = key.columns().into_iter().all(|c| carries(comparison.scope, c));
                for (inner, reader) in wanted.get(key).into_iter().flatten().filter(|_| carried) {
                    if self.region.holds(comparison.block, *reader) {
                        let columns = other.columns().into_iter().filter(|c| self.inside(*c, *reader)).collect();
                        self.dependencies.given.entry((*inner, key.clone())).or_default().push(columns);
                    }
                }
            }
        }
    }

    /// The columns that equal a constant.
    fn constants(&mut self) -> Vec<usize> {
        let constant = |s: &&Stated| s.fact == Fact::Constant && self.region.holds(s.block, self.block);
        let fixed = self.view.stated.iter().filter(constant).filter(|s| self.inside(s.column, s.block));
        let columns: Vec<ColumnRef> = fixed.map(|s| s.column).collect();
        columns.into_iter().map(|c| self.number(c)).collect()
    }

    /// The uses of which there is one row at most, whatever is given. Adds their columns.
    fn single_rows(&mut self, known: &mut Vec<usize>) {
        let rows = &mut self.dependencies.start.rows;
        // An anti-join: where a column that is never NULL is NULL, there is no row.
        for stated in self.view.stated.iter().filter(|s| s.fact == Fact::Absent) {
            let ColumnRef { use_id, column } = stated.column;
            rows[use_id.0] |= self.tables[use_id.0].columns[column].not_null
                && self.region.holds(self.view.uses[use_id.0].block, stated.block);
        }
        for (index, owner) in self.view.uses.iter().enumerate() {
            let (here, at) = (self.region.holds(owner.block, self.block), owner.block);
            // What a relation of at most one row shows is fixed by the row around it.
            let single = || at != self.block && self.view.derived_by(at).is_some_and(|d| d.rows == Rows::One);
            if here && !self.unkeyed.contains(&UseId(index)) && (rows[index] || single()) {
                self.dependencies.start.whole[index] = true;
                known.extend(&self.dependencies.of_use[index]);
            }
        }
    }

    /// The keys whose columns are never NULL in a row of the block.
    fn keys(&mut self) {
        let compared = self.compared();
        for use_id in (0..self.view.uses.len()).map(UseId) {
            if self.unkeyed.contains(&use_id) || !self.region.holds(self.view.uses[use_id.0].block, self.block) {
                continue;
            }
            for key in &self.tables[use_id.0].keys {
                let columns: BTreeSet<ColumnRef> =
                    key.columns.iter().map(|&column| ColumnRef { use_id, column }).collect();
                if !key.not_null && !columns.iter().all(|c| compared.contains(c)) {
                    continue;
                }
                self.dependencies.start.rows[use_id.0] |= columns.is_empty();
                self.rule(columns, Then::Row(use_id));
            }
            for columns in self.partial_keys(use_id, &compared) {
                self.rule(columns, Then::Row(use_id));
            }
        }
    }

    /// The same of the indexes over such rows of a use as the block takes.
    fn partial_keys(&self, use_id: UseId, compared: &HashSet<ColumnRef>) -> Vec<Vec<ColumnRef>> {
        let of_column = |column: usize| ColumnRef { use_id, column };
        let is_present = |column: usize| compared.contains(&of_column(column));
        // What is said around the block is said of its rows later.
        let holds = |guard: &Guard| {
            self.region.holds(guard.block, self.block) && self.is_said_of(of_column(0), guard.block, guard.scope)
        };
        let table = self.tables[use_id.0];
        let keys = partial::keys(self.view, (use_id, table), holds, is_present).into_iter();
        let keys = keys.filter(|key| key.columns.iter().all(|c| table.columns[*c].not_null || is_present(*c)));
        keys.map(|key| key.columns.iter().copied().map(of_column).collect()).collect()
    }

    /// Of the rows of a partition one has a certain number.
    fn numbers(&mut self) {
        for picked in &self.view.picked {
            let numbering = &self.view.numberings[picked.numbering];
            let (from, to) = numbering.uses;
            let holds = self.region.holds(picked.block, self.block)
                && (from..to).all(|u| {
                    let here = self.region.holds(self.view.uses[u].block, picked.block);
                    here && carries(picked.scope, ColumnRef { use_id: UseId(u), column: 0 })
                });
            let terms: Option<Vec<Term>> = numbering.partition.iter().map(Expr::as_term).collect();
            let Some(terms) = terms.filter(|_| holds) else { continue };
            let columns: BTreeSet<ColumnRef> =
                terms.iter().flat_map(Term::columns).filter(|c| self.inside(*c, self.block)).collect();
            if !columns.is_empty() {
                (from..to).for_each(|u| self.rule(columns.iter().copied(), Then::Row(UseId(u))));
            }
        }
    }

    /// A column that a condition on its rows compares with `=`, or says to be there, is not NULL in any row that passes it.
    fn compared(&self) -> HashSet<ColumnRef> {
        let strict = self.view.equalities.iter().filter(|e| !e.null_safe);
        let sides = strict.flat_map(|e| [(e.left, e), (e.right, e)]);
        let compared = sides.filter(|(c, e)| self.inside(*c, e.block) && carries(e.scope, *c)).map(|(c, _)| c);
        let computed = self.view.comparisons.iter().filter_map(|c| column_and_formula(c).map(|(_, to)| (to, c)));
        let computed = computed.filter(|(to, c)| self.inside(*to, c.block) && carries(c.scope, *to)).map(|(to, _)| to);
        let stated = self.view.stated.iter().filter(|s| s.fact != Fact::Absent && self.inside(s.column, s.block));
        compared.chain(computed).chain(stated.map(|s| s.column)).collect()
    }
}

/// The comparisons of which no collation takes different values for equal.
fn exact(view: &FlatView) -> impl Iterator<Item = &Comparison> {
    view.comparisons.iter().filter(|c| match &c.kind {
        ComparisonKind::Equal(left, right) => !may_equate(left) && !may_equate(right),
        _ => true,
    })
}

/// `column = formula`.
fn column_and_formula(comparison: &Comparison) -> Option<(&Formula, ColumnRef)> {
    match &comparison.kind {
        ComparisonKind::Equal(Term::Formula(formula), Term::Column(to))
        | ComparisonKind::Equal(Term::Column(to), Term::Formula(formula)) => Some((formula.as_ref(), *to)),
        _ => None,
    }
}

/// Whether an equality makes `to` known from its other side: always within an inner join; from the preserved to the
/// nullable side and within the nullable side of an outer one.
pub(super) fn carries(scope: Scope, to: ColumnRef) -> bool {
    match scope {
        Scope::Always => true,
        Scope::Outer { from: start, to: end } => (start..end).contains(&to.use_id.0),
        Scope::Full(_) => false,
    }
}

/// The columns that the value of a query, which has one row at most or fails, or an aggregate of a relation in FROM is a function of;
/// `None` where that is not known.
fn follows_from(view: &FlatView, value: &Expr) -> Option<BTreeSet<ColumnRef>> {
    let ExprKind::Subquery(block, inner) = &value.kind else { return None };
    let Block { grouped, aggregated, limited, picked, .. } = &view.blocks[block.0];
    let is_told = view.derived_by(*block).is_none() || *aggregated && matches!(inner.kind, ExprKind::Aggregate(_));
    if !is_told || *limited || *picked {
        return None;
    }
    let mut columns = reads_around(view, *block, value)?;
    if view.derived_by(*block).is_some() {
        for group in grouped.iter().flatten().filter(|g| !matches!(g.kind, ExprKind::Constant)) {
            columns.insert(group.as_column()?);
        }
    }
    Some(columns)
}
