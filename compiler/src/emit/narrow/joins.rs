//! Joins with what the planner computes as a whole.
//!
//! In: the FROM clauses of all SELECTs of a query. Out: where `LATERAL` has to be written. A grouped query on the right side of a join
//! is computed for all groups, unless a condition on the key is known to hold of its columns. As a LATERAL query with the join's
//! own condition in it, it is computed for the rows of the left side. Which is worth it where these are few: in an outer join,
//! whose left side is computed first anyway, and where the key is on the left side. Relations that a comma or CROSS JOIN puts side by
//! side are joined by the equalities of WHERE. A grouped query that comes first changes places with the table that it is joined to,
//! also by a RIGHT JOIN.

use std::collections::{BTreeSet, HashMap};
use std::ops::{ControlFlow, Range};

use sqlparser::ast::{
    BinaryOperator, Expr, GroupByExpr, Join, JoinConstraint, JoinOperator, ObjectName, Query, Select, SelectItem,
    SetExpr, TableFactor, TableWithJoins, Visit, Visitor,
};
use sqlparser::tokenizer::Token;

use super::ctes::named;
use crate::catalog::{Catalog, Relation, View};
use crate::cut::{Edit, Text};
use crate::names::Ident;
use crate::resolve::{conjuncts, ident, output_name, parts};

/// How deep views and derived tables are looked into.
const MAX_DEPTH: usize = 16;

/// A relation of a FROM clause that can become LATERAL.
struct Lateral {
    /// Its name.
    name: Ident,
    /// Only if the key comes from what stands before it.
    needs_key: bool,
    /// What joins it to that, but for ON.
    conditions: Vec<String>,
    /// For one that changes places with the next one: how they are joined then, if not as it is written.
    joined_by: Option<&'static str>,
}

/// Where a relation of a FROM clause is written, and the condition behind ON.
struct Place {
    factor: Range<usize>,
    on: Option<Range<usize>>,
}

impl Text<'_> {
    /// The relations that become LATERAL. `behind_key` tells of each relation of the outermost FROM clause, in order, whether the key
    /// leads to what it is joined to.
    pub(super) fn laterals(&self, view: &View, catalog: &Catalog, behind_key: &[bool]) -> Vec<Edit> {
        let mut found = Selects { kept: Kept::new(catalog, view), joined: Vec::new() };
        let _ = view.query.visit(&mut found);
        let selects: Vec<usize> = self.tokens().filter(|at| self.is_word(*at, "select")).collect();
        let outermost = self.outermost();
        if selects.len() != found.joined.len() {
            return Vec::new();
        }
        let mut edits = Vec::new();
        for (at, joined) in selects.into_iter().zip(found.joined) {
            if joined.iter().all(Option::is_none) {
                continue;
            }
            let places = self.joined(at);
            if places.len() != joined.len() {
                continue;
            }
            let known = Some(at) == outermost && behind_key.len() == joined.len();
            let second = places.get(1).and_then(Option::as_ref).map(|place| place.factor.clone());
            for (n, (place, lateral)) in places.into_iter().zip(joined).enumerate() {
                let wanted = lateral.filter(|l| !l.needs_key || known && behind_key[n]).zip(place);
                let instead = second.as_ref().filter(|_| n == 0);
                edits.extend(
                    wanted.and_then(|(lateral, place)| self.lateral(lateral, place, instead)).into_iter().flatten(),
                );
            }
        }
        edits
    }

    /// A relation as a LATERAL one, also in the place of the next one, which takes its place: of a RIGHT JOIN this makes a LEFT one.
    fn lateral(&self, mut lateral: Lateral, place: Place, instead_of: Option<&Range<usize>>) -> Option<[Edit; 2]> {
        if let Some(on) = place.on {
            lateral.conditions.insert(0, self.slice(self.bytes(&on)).to_owned());
        }
        let condition = match lateral.conditions.as_slice() {
            [] => return None,
            [one] => one.clone(),
            several => several.iter().map(|c| format!("({c})")).collect::<Vec<_>>().join(" AND "),
        };
        let (at, name) = (self.bytes(&place.factor), lateral.name.sql());
        let head = format!("LATERAL (SELECT {name}.* FROM ");
        let tail = format!(" WHERE {condition} OFFSET 0) AS {name}");
        Some(match instead_of.map(|other| self.bytes(other)) {
            None => [Edit { at: at.start..at.start, text: head }, Edit { at: at.end..at.end, text: tail }],
            Some(other) => {
                let between = lateral.joined_by.unwrap_or_else(|| self.slice(at.end..other.start));
                let text = format!("{}{between}{head}", self.slice(other.clone()));
                [Edit { at: at.start..at.start, text }, Edit { at: at.end..other.end, text: tail }]
            }
        })
    }

    /// The relations of a SELECT's FROM clause, in order; `None` for one whose text has another form.
    fn joined(&self, select: usize) -> Vec<Option<Place>> {
        let Some(clauses) = self.clauses(select, self.tokens().end) else { return Vec::new() };
        let own = self.level(clauses.from.clone());
        let starts = own.iter().copied().filter(|at| self.is_word(*at, "join") || self.is_comma(*at));
        let mut places: Vec<_> = starts.map(|at| self.place(at + 1, &own, clauses.from.end)).collect();
        let first = own.iter().copied().find(|at| self.is_join(*at) || self.is_comma(*at)).unwrap_or(clauses.from.end);
        // What joins the first one stands behind the second.
        let on = places.first().and_then(Option::as_ref).and_then(|second| second.on.clone());
        places.insert(0, Some(Place { factor: clauses.from.start..first, on }));
        places
    }

    /// What stands behind JOIN or a comma, and behind its ON.
    fn place(&self, start: usize, own: &[usize], end: usize) -> Option<Place> {
        let is_next = |at: usize| self.is_join(at) || self.is_comma(at);
        let mut rest = own.iter().copied().skip_while(|at| *at < start);
        let close = rest.by_ref().find(|at| ["on", "using"].iter().any(|w| self.is_word(*at, w)) || is_next(*at));
        let close = close.unwrap_or(end);
        let factor = start..close;
        if close == end || !self.is_word(close, "on") {
            return Some(Place { factor, on: None });
        }
        let next = rest.find(|at| is_next(*at) || self.is_word(*at, "on")).unwrap_or(end);
        // A second ON belongs to the join around.
        let is_own = next == end || !self.is_word(next, "on");
        is_own.then_some(Place { factor, on: Some(close + 1..next) })
    }

    fn is_comma(&self, at: usize) -> bool {
        *self.token(at) == Token::Comma
    }

    /// Whether the next join begins here.
    pub(super) fn is_join(&self, at: usize) -> bool {
        let next = |words: &[&str]| words.iter().any(|w| self.is_word(at + 1, w));
        let outer = ["left", "right", "full"].iter().any(|w| self.is_word(at, w)) && next(&["join", "outer"]);
        let inner = ["inner", "cross"].iter().any(|w| self.is_word(at, w)) && next(&["join"]);
        let natural = self.is_word(at, "natural") && next(&["join", "inner", "left", "right", "full"]);
        outer || inner || natural || self.is_word(at, "join")
    }
}

/// The relations of each SELECT that are joined to others, in the order of the text.
struct Selects<'c> {
    kept: Kept<'c>,
    joined: Vec<Vec<Option<Lateral>>>,
}

impl Visitor for Selects<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        for cte in query.with.iter().flat_map(|w| &w.cte_tables) {
            let is_kept = self.kept.query(&cte.query, 0);
            let mut columns = selected(&cte.query.body);
            let renamed = cte.alias.columns.iter().map(|c| ident(&c.name));
            columns.iter_mut().for_each(|columns| rename(columns, renamed.clone()));
            self.kept.ctes.insert(ident(&cte.alias.name), KnownCte { is_kept, columns });
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        self.joined.push(self.kept.laterals(select));
        ControlFlow::Continue(())
    }
}

/// The name under which a relation of a FROM clause is known.
fn name_of(factor: &TableFactor) -> Option<Ident> {
    match factor {
        TableFactor::Derived { alias, .. } => Some(ident(&alias.as_ref()?.name)),
        TableFactor::Table { alias: Some(alias), .. } => Some(ident(&alias.name)),
        TableFactor::Table { name, .. } => Some(ident(name.0.last()?.as_ident()?)),
        _ => None,
    }
}

/// The names under which what a FROM clause has put together is known.
fn names_of(factor: &TableFactor, names: &mut Vec<Ident>) {
    match factor {
        TableFactor::NestedJoin { table_with_joins: tree, alias: None } => {
            names_of(&tree.relation, names);
            tree.joins.iter().for_each(|join| names_of(&join.relation, names));
        }
        _ => names.extend(name_of(factor)),
    }
}

/// The equality of two columns, with the names of their relations, that a condition is.
fn as_equality(condition: &Expr) -> Option<[[Ident; 2]; 2]> {
    let column = |e: &Expr| match e {
        Expr::CompoundIdentifier(names) => <[Ident; 2]>::try_from(names.iter().map(ident).collect::<Vec<_>>()).ok(),
        _ => None,
    };
    match condition {
        Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => Some([column(left)?, column(right)?]),
        _ => None,
    }
}

fn equality([left, right]: &[[Ident; 2]; 2]) -> String {
    let side = |[relation, column]: &[Ident; 2]| format!("{}.{}", relation.sql(), column.sql());
    format!("{} = {}", side(left), side(right))
}

/// Whether a join keeps the rows of its left side, at most fewer of them, and states its condition so.
fn is_left(join: &Join, is_such: impl Fn(&JoinConstraint) -> bool) -> bool {
    use JoinOperator::{CrossJoin, Inner, Join, Left, LeftOuter};
    let operator = &join.join_operator;
    matches!(operator, Join(c) | Inner(c) | Left(c) | LeftOuter(c) | CrossJoin(c) if is_such(c))
}

/// Which relation on the left side of a join has a column that USING merges.
type Left<'l> = &'l dyn Fn(&Ident) -> Option<Ident>;

/// What a name in FROM can mean.
enum Meaning<'k> {
    Cte(&'k KnownCte),
    Relation(&'k Relation),
}

/// A CTE: whether the planner computes it on its own, and its columns.
struct KnownCte {
    is_kept: bool,
    columns: Option<Vec<Option<Ident>>>,
}

/// The names of what a query selects; of an expression without one, none.
fn selected(body: &SetExpr) -> Option<Vec<Option<Ident>>> {
    let name = |item: &SelectItem| match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(Some(ident(alias))),
        SelectItem::UnnamedExpr(expr) => Some(output_name(expr)),
        _ => None,
    };
    match body {
        SetExpr::Select(select) => select.projection.iter().map(name).collect(),
        SetExpr::Query(query) => selected(&query.body),
        SetExpr::SetOperation { left, .. } => selected(left),
        _ => None,
    }
}

/// Names for the first columns.
fn rename(columns: &mut [Option<Ident>], names: impl Iterator<Item = Ident>) {
    columns.iter_mut().zip(names).for_each(|(column, name)| *column = Some(name));
}

/// The equalities of a relation's columns with those of others.
fn leading(name: &Ident, others: &[Ident], said: &[[[Ident; 2]; 2]]) -> Vec<String> {
    let leads_here = |[left, right]: &&[[Ident; 2]; 2]| {
        let [left, right] = [&left[0], &right[0]];
        left == name && others.contains(right) || right == name && others.contains(left)
    };
    said.iter().filter(leads_here).map(equality).collect()
}

/// Which relations the planner computes on their own.
struct Kept<'c> {
    catalog: &'c Catalog,
    search_path: &'c [Ident],
    ctes: HashMap<Ident, KnownCte>,
}

impl<'c> Kept<'c> {
    fn new(catalog: &'c Catalog, view: &'c View) -> Self {
        Kept { catalog, search_path: &view.search_path, ctes: HashMap::new() }
    }

    /// The relations of a SELECT's FROM clause, in order.
    fn laterals(&self, select: &Select) -> Vec<Option<Lateral>> {
        let said: Vec<_> = select.selection.iter().flat_map(conjuncts).filter_map(as_equality).collect();
        let (mut before, mut laterals) = (Vec::new(), vec![self.first(select, &said)]);
        for (at, tree) in select.from.iter().enumerate() {
            if at > 0 {
                laterals.push(self.among(&tree.relation, &before, &said));
            }
            names_of(&tree.relation, &mut before);
            for (n, join) in tree.joins.iter().enumerate() {
                laterals.push(self.joined(tree, (n, join), &before, &said));
                names_of(&join.relation, &mut before);
            }
        }
        laterals
    }

    /// The first relation, where it can change places with a table that is the second. Not if `*` shows which is which.
    fn first(&self, select: &Select, said: &[[[Ident; 2]; 2]]) -> Option<Lateral> {
        // What is changed in the text of a view would be lost.
        let is_table = |factor: &TableFactor| match factor {
            TableFactor::Table { name, args: None, .. } => {
                matches!(self.meaning(name), Some(Meaning::Relation(Relation::Table(_))))
            }
            _ => false,
        };
        let shows_all = select.projection.iter().any(|item| matches!(item, SelectItem::Wildcard(_)));
        let tree = select.from.first().filter(|_| !shows_all)?;
        let Some(join) = tree.joins.first() else {
            let second = select.from.get(1).filter(|second| is_table(&second.relation))?;
            let lateral = self.among(&tree.relation, &[name_of(&second.relation)?], said)?;
            // It comes between the second and what that is joined to.
            let is_by_names =
                |join: &Join| is_left(join, |c| matches!(c, JoinConstraint::On(_) | JoinConstraint::None));
            let joined_by = (!second.joins.is_empty()).then_some(" CROSS JOIN ");
            return second.joins.iter().all(is_by_names).then_some(Lateral { joined_by, ..lateral });
        };
        let second = Some(&join.relation).filter(|second| is_table(second))?;
        let before = [name_of(second)?];
        let left = |column: &Ident| before.first().filter(|_| self.has_column(second, column) == Some(true)).cloned();
        match &join.join_operator {
            JoinOperator::CrossJoin(JoinConstraint::None) => self.among(&tree.relation, &before, said),
            // What USING merges is the column on the left, and equal ones can read differently (1.0 and 1.00).
            JoinOperator::Join(c @ JoinConstraint::On(_)) | JoinOperator::Inner(c @ JoinConstraint::On(_)) => {
                self.inner(&tree.relation, (c, &left), &before, said)
            }
            JoinOperator::Right(c) | JoinOperator::RightOuter(c) => {
                let lateral = self.outer(&tree.relation, (c, &left))?;
                Some(Lateral { joined_by: Some(" LEFT JOIN "), ..lateral })
            }
            _ => None,
        }
    }

    /// A relation that no condition of its own joins to those before it.
    fn among(&self, factor: &TableFactor, before: &[Ident], said: &[[[Ident; 2]; 2]]) -> Option<Lateral> {
        let name = name_of(factor).filter(|_| self.factor(factor, 0))?;
        let conditions = leading(&name, before, said);
        (!conditions.is_empty()).then_some(Lateral { name, needs_key: true, conditions, joined_by: None })
    }

    /// The right side of a join of a tree.
    fn joined(
        &self,
        tree: &TableWithJoins,
        (n, join): (usize, &Join),
        before: &[Ident],
        said: &[[[Ident; 2]; 2]],
    ) -> Option<Lateral> {
        let left = |column: &Ident| self.holder(tree, n, column);
        match &join.join_operator {
            JoinOperator::CrossJoin(JoinConstraint::None) => self.among(&join.relation, before, said),
            JoinOperator::Join(c) | JoinOperator::Inner(c) => self.inner(&join.relation, (c, &left), before, said),
            JoinOperator::Left(c) | JoinOperator::LeftOuter(c) => self.outer(&join.relation, (c, &left)),
            _ => None,
        }
    }

    /// One that an inner join joins, for which conditions of WHERE are as good as its own.
    fn inner(
        &self,
        factor: &TableFactor,
        constraint: (&JoinConstraint, Left),
        before: &[Ident],
        said: &[[[Ident; 2]; 2]],
    ) -> Option<Lateral> {
        let mut lateral = self.outer(factor, constraint)?;
        lateral.conditions.extend(leading(&lateral.name, before, said));
        Some(Lateral { needs_key: true, ..lateral })
    }

    /// One on the nullable side of an outer join. `left` tells which relation of the other side has a column.
    fn outer(&self, factor: &TableFactor, (constraint, left): (&JoinConstraint, Left)) -> Option<Lateral> {
        let name = name_of(factor).filter(|_| self.factor(factor, 0))?;
        let merged = |column: &ObjectName| {
            let column = parts(column)?.pop()?;
            Some(equality(&[[left(&column)?, column.clone()], [name.clone(), column]]))
        };
        let conditions = match constraint {
            JoinConstraint::On(_) => Vec::new(),
            JoinConstraint::Using(columns) => columns.iter().map(merged).collect::<Option<_>>()?,
            _ => return None,
        };
        Some(Lateral { name, needs_key: false, conditions, joined_by: None })
    }

    /// The first relation before a join of a tree that has a column, which what USING merges on the left side has the values of.
    fn holder(&self, tree: &TableWithJoins, join: usize, column: &Ident) -> Option<Ident> {
        let joins = &tree.joins[..join];
        if !joins.iter().all(|join| is_left(join, |c| !matches!(c, JoinConstraint::Natural))) {
            return None;
        }
        for factor in std::iter::once(&tree.relation).chain(joins.iter().map(|j| &j.relation)) {
            if self.has_column(factor, column)? {
                return name_of(factor);
            }
        }
        None
    }

    /// Whether a relation has a column; `None` where that is not known.
    fn has_column(&self, factor: &TableFactor, column: &Ident) -> Option<bool> {
        let (alias, mut columns) = match factor {
            TableFactor::Table { name, alias, args: None, .. } => (alias, self.columns(name)?),
            TableFactor::Derived { alias, subquery, .. } => (alias, selected(&subquery.body)?),
            _ => return None,
        };
        rename(&mut columns, alias.iter().flat_map(|alias| &alias.columns).map(|c| ident(&c.name)));
        let is_there = columns.iter().flatten().any(|known| known == column);
        (is_there || columns.iter().all(Option::is_some)).then_some(is_there)
    }

    /// The columns of what has a name.
    fn columns(&self, name: &ObjectName) -> Option<Vec<Option<Ident>>> {
        match self.meaning(name)? {
            Meaning::Cte(cte) => cte.columns.clone(),
            Meaning::Relation(Relation::Table(table)) => {
                Some(table.columns.iter().map(|c| Some(c.name.clone())).collect())
            }
            Meaning::Relation(Relation::View(view)) => {
                let mut columns = selected(&view.query.body)?;
                rename(&mut columns, view.column_aliases.iter().cloned());
                Some(columns)
            }
            Meaning::Relation(_) => None,
        }
    }

    /// What a name in FROM means.
    fn meaning(&self, name: &ObjectName) -> Option<Meaning<'_>> {
        if let [name] = parts(name)?.as_slice()
            && let Some(cte) = self.ctes.get(name)
        {
            return Some(Meaning::Cte(cte));
        }
        named(self.catalog, self.search_path, &BTreeSet::new(), name).map(Meaning::Relation)
    }

    fn factor(&self, factor: &TableFactor, depth: usize) -> bool {
        match factor {
            TableFactor::Derived { lateral: false, subquery, .. } => self.query(subquery, depth + 1),
            TableFactor::Table { name, args: None, .. } => self.named(name, depth + 1),
            TableFactor::NestedJoin { table_with_joins, .. } => self.tree(table_with_joins, depth + 1),
            _ => false,
        }
    }

    fn tree(&self, tree: &TableWithJoins, depth: usize) -> bool {
        self.factor(&tree.relation, depth) || tree.joins.iter().any(|j| self.factor(&j.relation, depth))
    }

    fn named(&self, name: &ObjectName, depth: usize) -> bool {
        match self.meaning(name) {
            Some(Meaning::Cte(cte)) => cte.is_kept,
            Some(Meaning::Relation(Relation::View(view))) => Kept::new(self.catalog, view).query(&view.query, depth),
            _ => false,
        }
    }

    fn query(&self, query: &Query, depth: usize) -> bool {
        if depth > MAX_DEPTH || query.with.is_some() || query.limit_clause.is_some() || query.fetch.is_some() {
            return true;
        }
        match query.body.as_ref() {
            SetExpr::Select(select) => {
                let is_grouped = !matches!(&select.group_by, GroupByExpr::Expressions(list, _) if list.is_empty());
                is_grouped || select.distinct.is_some() || select.from.iter().any(|tree| self.tree(tree, depth))
            }
            SetExpr::Query(inner) => self.query(inner, depth + 1),
            _ => true,
        }
    }
}
