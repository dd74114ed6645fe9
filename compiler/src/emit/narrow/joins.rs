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
    SetExpr, SetOperator, SetQuantifier, TableFactor, TableWithJoins, Visit, Visitor,
};
use sqlparser::tokenizer::Token;

use super::Given;
use super::ctes::named;
use super::leads::Leads;
use crate::catalog::{Catalog, Relation, View};
use crate::cut::{Edit, Text};
use crate::names::Ident;
use crate::resolve::{conjuncts, ident, output_name, parts};
use crate::source::Span;

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

/// How the planner reads a query that is a relation of a FROM clause.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reading {
    /// As if its own FROM clause stood there.
    Through,
    /// Query by query, each with what it is joined by.
    Appended,
    /// As a whole, but for conditions with constants.
    Whole,
}

fn worst(all: impl Iterator<Item = Reading>) -> Reading {
    all.max().unwrap_or(Reading::Through)
}

/// A relation of a FROM clause.
struct Joined {
    reading: Reading,
    lateral: Option<Lateral>,
}

/// What becomes LATERAL.
pub(super) struct Laterals {
    pub edits: Vec<Edit>,
    /// What does not, and is computed as a whole; whether that is in no subquery.
    pub whole: Vec<(Span, bool)>,
}

/// The tokens of a FROM clause that belong to no relation, and those of its relations' parentheses.
struct Level {
    own: Vec<usize>,
    /// The ends of joins in parentheses.
    closes: Vec<usize>,
}

/// A tree of joins without the parentheses that it begins with.
struct Tree<'s> {
    nested: usize,
    first: &'s TableFactor,
    joins: Vec<&'s Join>,
}

impl<'s> Tree<'s> {
    fn of(tree: &'s TableWithJoins) -> Self {
        let mut whole = match &tree.relation {
            TableFactor::NestedJoin { table_with_joins, alias: None } => {
                let inner = Tree::of(table_with_joins);
                Tree { nested: inner.nested + 1, ..inner }
            }
            first => Tree { nested: 0, first, joins: Vec::new() },
        };
        whole.joins.extend(&tree.joins);
        whole
    }
}

/// Where a relation of a FROM clause is written, and the condition behind ON.
struct Place {
    factor: Range<usize>,
    on: Option<Range<usize>>,
}

impl Text<'_> {
    /// The relations that become LATERAL: but for those whose rows functions of the user's may be given.
    pub(super) fn laterals(&self, view: &View, given: Given, leads: &Leads, calls_user_functions: bool) -> Laterals {
        let mut found = Selects { kept: Kept::new(given.catalog, view), joined: Vec::new() };
        let _ = view.query.visit(&mut found);
        let selects: Vec<usize> = self.tokens().filter(|at| self.is_word(*at, "select")).collect();
        let mut laterals = Laterals { edits: Vec::new(), whole: Vec::new() };
        if selects.len() != found.joined.len() {
            return laterals;
        }
        for (at, (nested, joined)) in selects.into_iter().zip(found.joined) {
            if joined.iter().all(|joined| joined.reading == Reading::Through) {
                continue;
            }
            let (places, leads) =
                (self.joined(at, &nested), leads.at(self.query.file, self.bytes(&(at..at + 1)).start));
            if places.len() != joined.len() || leads.len() != joined.len() {
                continue;
            }
            let second = places.get(1).and_then(Option::as_ref).map(|place| place.factor.clone());
            for (n, (place, Joined { reading, lateral })) in places.into_iter().zip(joined).enumerate() {
                let Some(place) = place.filter(|_| reading != Reading::Through) else { continue };
                let (at, instead) = (self.bytes(&place.factor), second.as_ref().filter(|_| n == 0));
                let wanted = lateral
                    .filter(|l| !l.needs_key || leads[n].behind && !leads[n].itself)
                    .filter(|l| !calls_user_functions || !self.shows_row(&l.name));
                let edits = wanted.and_then(|lateral| self.lateral(lateral, place, instead));
                if edits.is_none() && second.is_some() && reading == Reading::Whole && !leads[n].itself {
                    let span = Span { file: self.query.file, start: at.start, end: at.end };
                    laterals.whole.push((span, leads[n].in_from));
                }
                laterals.edits.extend(edits.into_iter().flatten());
            }
        }
        laterals
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

    /// The relations of a SELECT's FROM clause, in order; `None` for one whose text has another form. `nested` says of the parts between
    /// commas how many parentheses around joins they begin with.
    fn joined(&self, select: usize, nested: &[usize]) -> Vec<Option<Place>> {
        let Some(clauses) = self.clauses(select, self.tokens().end) else { return Vec::new() };
        let level = self.through(clauses.from.clone(), nested);
        let starts = level.own.iter().copied().filter(|at| self.is_word(*at, "join") || self.is_comma(*at));
        let mut places: Vec<_> = starts.map(|at| self.place(at + 1, &level, clauses.from.end)).collect();
        let next = level.own.iter().copied().find(|at| self.is_next(*at, &level)).unwrap_or(clauses.from.end);
        // What joins the first one stands behind the second.
        let on = places.first().and_then(Option::as_ref).and_then(|second| second.on.clone());
        let first = level.own.first().filter(|first| **first < next);
        places.insert(0, first.map(|first| Place { factor: *first..next, on }));
        places
    }

    /// The tokens of a FROM clause that are in no parentheses but those around joins that it begins with.
    fn through(&self, from: Range<usize>, nested: &[usize]) -> Level {
        let mut level = Level { own: Vec::new(), closes: Vec::new() };
        let all = self.level(from);
        for (part, nested) in all.split_inclusive(|at| self.is_comma(*at)).zip(nested) {
            match part {
                [open, close, rest @ ..] if *nested > 0 && *self.token(*open) == Token::LParen => {
                    let inner = self.through(open + 1..*close, &[nested - 1]);
                    level.own.extend(inner.own.into_iter().chain([*close]).chain(rest.iter().copied()));
                    level.closes.extend(inner.closes.into_iter().chain([*close]));
                }
                part => level.own.extend(part),
            }
        }
        level
    }

    /// Whether another relation begins here, or joins in parentheses end.
    fn is_next(&self, at: usize, level: &Level) -> bool {
        self.is_join(at) || self.is_comma(at) || level.closes.contains(&at)
    }

    /// What stands behind JOIN or a comma, and behind its ON.
    fn place(&self, start: usize, level: &Level, end: usize) -> Option<Place> {
        let is_next = |at: usize| self.is_next(at, level);
        let mut rest = level.own.iter().copied().skip_while(|at| *at < start).peekable();
        let start = *rest.peek()?;
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
    joined: Vec<(Vec<usize>, Vec<Joined>)>,
}

impl Visitor for Selects<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        for cte in query.with.iter().flat_map(|w| &w.cte_tables) {
            let reading = self.kept.query(&cte.query, 0);
            let mut columns = selected(&cte.query.body);
            let renamed = cte.alias.columns.iter().map(|c| ident(&c.name));
            columns.iter_mut().for_each(|columns| rename(columns, renamed.clone()));
            self.kept.ctes.insert(ident(&cte.alias.name), KnownCte { reading, columns });
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        let trees: Vec<Tree> = select.from.iter().map(Tree::of).collect();
        self.joined.push((trees.iter().map(|tree| tree.nested).collect(), self.kept.laterals(select, &trees)));
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

/// A CTE: how it is read, and its columns.
struct KnownCte {
    reading: Reading,
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
    fn laterals(&self, select: &Select, trees: &[Tree]) -> Vec<Joined> {
        let said: Vec<_> = select.selection.iter().flat_map(conjuncts).filter_map(as_equality).collect();
        let (mut before, mut laterals) = (Vec::new(), Vec::new());
        for (at, tree) in trees.iter().enumerate() {
            let lateral =
                if at == 0 { self.first(select, trees, &said) } else { self.among(tree.first, &before, &said) };
            laterals.push(Joined { reading: self.factor(tree.first, 0), lateral });
            names_of(tree.first, &mut before);
            for (n, join) in tree.joins.iter().enumerate() {
                let lateral = self.joined(tree, (n, join), &before, &said);
                laterals.push(Joined { reading: self.factor(&join.relation, 0), lateral });
                names_of(&join.relation, &mut before);
            }
        }
        laterals
    }

    /// The first relation, where it can change places with a table that is the second. Not if `*` shows which is which.
    fn first(&self, select: &Select, trees: &[Tree], said: &[[[Ident; 2]; 2]]) -> Option<Lateral> {
        // What is changed in the text of a view would be lost.
        let is_table = |factor: &TableFactor| match factor {
            TableFactor::Table { name, args: None, .. } => {
                matches!(self.meaning(name), Some(Meaning::Relation(Relation::Table(_))))
            }
            _ => false,
        };
        let shows_all = select.projection.iter().any(|item| matches!(item, SelectItem::Wildcard(_)));
        let tree = trees.first().filter(|_| !shows_all)?;
        let Some(join) = tree.joins.first() else {
            let second = trees.get(1).filter(|second| second.nested == 0 && is_table(second.first))?;
            let lateral = self.among(tree.first, &[name_of(second.first)?], said)?;
            // It comes between the second and what that is joined to.
            let is_by_names =
                |join: &Join| is_left(join, |c| matches!(c, JoinConstraint::On(_) | JoinConstraint::None));
            let joined_by = (!second.joins.is_empty()).then_some(" CROSS JOIN ");
            return second.joins.iter().copied().all(is_by_names).then_some(Lateral { joined_by, ..lateral });
        };
        let second = Some(&join.relation).filter(|second| is_table(second))?;
        let before = [name_of(second)?];
        let left = |column: &Ident| before.first().filter(|_| self.has_column(second, column) == Some(true)).cloned();
        match &join.join_operator {
            JoinOperator::CrossJoin(JoinConstraint::None) => self.among(tree.first, &before, said),
            // What USING merges is the column on the left, and equal ones can read differently (1.0 and 1.00).
            JoinOperator::Join(c @ JoinConstraint::On(_)) | JoinOperator::Inner(c @ JoinConstraint::On(_)) => {
                self.inner(tree.first, (c, &left), &before, said)
            }
            JoinOperator::Right(c) | JoinOperator::RightOuter(c) => {
                let lateral = self.outer(tree.first, (c, &left))?;
                Some(Lateral { joined_by: Some(" LEFT JOIN "), ..lateral })
            }
            _ => None,
        }
    }

    /// A relation that no condition of its own joins to those before it.
    fn among(&self, factor: &TableFactor, before: &[Ident], said: &[[[Ident; 2]; 2]]) -> Option<Lateral> {
        let name = name_of(factor).filter(|_| self.factor(factor, 0) != Reading::Through)?;
        let conditions = leading(&name, before, said);
        (!conditions.is_empty()).then_some(Lateral { name, needs_key: true, conditions, joined_by: None })
    }

    /// The right side of a join of a tree.
    fn joined(
        &self,
        tree: &Tree,
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
        let name = name_of(factor).filter(|_| self.factor(factor, 0) != Reading::Through)?;
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
    fn holder(&self, tree: &Tree, join: usize, column: &Ident) -> Option<Ident> {
        let joins = &tree.joins[..join];
        if !joins.iter().all(|join| is_left(join, |c| !matches!(c, JoinConstraint::Natural))) {
            return None;
        }
        for factor in std::iter::once(tree.first).chain(joins.iter().map(|j| &j.relation)) {
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

    fn factor(&self, factor: &TableFactor, depth: usize) -> Reading {
        match factor {
            TableFactor::Derived { lateral: false, subquery, .. } => self.query(subquery, depth + 1),
            TableFactor::Table { name, args: None, .. } => self.named(name, depth + 1),
            TableFactor::NestedJoin { table_with_joins, .. } => self.tree(table_with_joins, depth + 1),
            _ => Reading::Through,
        }
    }

    fn tree(&self, tree: &TableWithJoins, depth: usize) -> Reading {
        let joined = tree.joins.iter().map(|join| &join.relation);
        worst(joined.chain([&tree.relation]).map(|factor| self.factor(factor, depth)))
    }

    fn named(&self, name: &ObjectName, depth: usize) -> Reading {
        match self.meaning(name) {
            Some(Meaning::Cte(cte)) => cte.reading,
            Some(Meaning::Relation(Relation::View(view))) => Kept::new(self.catalog, view).query(&view.query, depth),
            _ => Reading::Through,
        }
    }

    fn query(&self, query: &Query, depth: usize) -> Reading {
        if depth > MAX_DEPTH || query.with.is_some() || query.limit_clause.is_some() || query.fetch.is_some() {
            return Reading::Whole;
        }
        self.body(&query.body, depth)
    }

    fn body(&self, body: &SetExpr, depth: usize) -> Reading {
        match body {
            SetExpr::Select(select) => {
                let is_grouped = !matches!(&select.group_by, GroupByExpr::Expressions(list, _) if list.is_empty());
                if is_grouped || select.distinct.is_some() {
                    return Reading::Whole;
                }
                worst(select.from.iter().map(|tree| self.tree(tree, depth)))
            }
            SetExpr::Query(inner) => self.query(inner, depth + 1),
            SetExpr::Values(_) => Reading::Through,
            SetExpr::SetOperation { op: SetOperator::Union, set_quantifier: SetQuantifier::All, left, right } => {
                let sides = [left, right].into_iter().map(|side| self.body(side, depth + 1));
                worst(sides.chain([Reading::Appended]))
            }
            _ => Reading::Whole,
        }
    }
}
