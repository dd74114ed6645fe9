//! Joins with what the planner computes as a whole.
//!
//! In: the joins of all SELECTs of a query. Out: where `LATERAL` has to be written. A grouped query on the right side of a join
//! is computed for all groups, unless a condition on the key is known to hold of its columns. As a LATERAL query with the join's
//! own condition in it, it is computed for the rows of the left side. Which is worth it where these are few: in an outer join,
//! whose left side is computed first anyway, and where the key is on the left side.

use std::collections::HashMap;
use std::ops::{ControlFlow, Range};

use sqlparser::ast::{
    GroupByExpr, Join, JoinConstraint, JoinOperator, ObjectName, Query, Select, SetExpr, TableFactor, TableWithJoins,
    Visit, Visitor,
};

use crate::catalog::{Catalog, Relation, View};
use crate::cut::{Edit, Text};
use crate::names::Ident;
use crate::resolve::{ident, parts};

/// How deep views and derived tables are looked into.
const MAX_DEPTH: usize = 16;

/// A join whose right side can become LATERAL: the name of that.
struct Lateral {
    name: Ident,
    /// Only if the key is on the left side.
    needs_key: bool,
}

impl Text<'_> {
    /// The joins that become LATERAL. `left_of_key` tells of each join of the outermost FROM clause, in order, whether
    /// the key is on its left side.
    pub(super) fn laterals(&self, view: &View, catalog: &Catalog, left_of_key: &[bool]) -> Vec<Edit> {
        let mut found = Selects { kept: Kept::new(catalog, view), joins: Vec::new() };
        let _ = view.query.visit(&mut found);
        let selects: Vec<usize> = self.tokens().filter(|at| self.is_word(*at, "select")).collect();
        let outermost = self.outermost();
        if selects.len() != found.joins.len() {
            return Vec::new();
        }
        let mut edits = Vec::new();
        for (at, joins) in selects.into_iter().zip(found.joins) {
            if joins.iter().all(Option::is_none) {
                continue;
            }
            let places = self.joins(at);
            if places.len() != joins.len() {
                continue;
            }
            let known = Some(at) == outermost && left_of_key.len() == joins.len();
            for (n, (place, join)) in places.into_iter().zip(joins).enumerate() {
                let wanted = join.filter(|j| !j.needs_key || known && left_of_key[n]);
                edits.extend(wanted.zip(place).into_iter().flat_map(|(join, place)| self.lateral(&join, place)));
            }
        }
        edits
    }

    fn lateral(&self, join: &Lateral, (factor, condition): (Range<usize>, Range<usize>)) -> [Edit; 2] {
        let (factor, condition) = (self.bytes(&factor), self.slice(self.bytes(&condition)));
        let name = join.name.sql();
        let head = format!("LATERAL (SELECT {name}.* FROM ");
        let tail = format!(" WHERE {condition} OFFSET 0) AS {name}");
        [Edit { at: factor.start..factor.start, text: head }, Edit { at: factor.end..factor.end, text: tail }]
    }

    /// The joins of a SELECT's FROM clause in order: the right side and the condition, where it is written with ON.
    fn joins(&self, select: usize) -> Vec<Option<(Range<usize>, Range<usize>)>> {
        let Some(clauses) = self.clauses(select, self.tokens().end) else { return Vec::new() };
        let (own, end) = (self.level(clauses.from.clone()), clauses.from.end);
        let joins = own.iter().filter(|at| self.is_word(**at, "join"));
        joins.map(|at| self.on(*at + 1, &own, end)).collect()
    }

    /// What stands between JOIN and ON, and behind ON.
    fn on(&self, start: usize, own: &[usize], end: usize) -> Option<(Range<usize>, Range<usize>)> {
        let mut rest = own.iter().copied().skip_while(|at| *at < start);
        let on = rest.by_ref().find(|at| self.is_word(*at, "on") || self.is_join(*at))?;
        if !self.is_word(on, "on") {
            return None;
        }
        let comma = |at: usize| *self.token(at) == sqlparser::tokenizer::Token::Comma;
        let close = rest.find(|at| self.is_join(*at) || self.is_word(*at, "on") || comma(*at)).unwrap_or(end);
        // A second ON belongs to the join around.
        (!self.is_word(close, "on")).then_some((start..on, on + 1..close))
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

/// The joins of each SELECT, in the order of the text.
struct Selects<'c> {
    kept: Kept<'c>,
    joins: Vec<Vec<Option<Lateral>>>,
}

impl Visitor for Selects<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        for cte in query.with.iter().flat_map(|w| &w.cte_tables) {
            let is_kept = self.kept.query(&cte.query, 0);
            self.kept.ctes.insert(ident(&cte.alias.name), is_kept);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        let joins = select.from.iter().flat_map(|tree| &tree.joins).map(|join| self.kept.lateral(join));
        self.joins.push(joins.collect());
        ControlFlow::Continue(())
    }
}

/// Which relations the planner computes on their own.
struct Kept<'c> {
    catalog: &'c Catalog,
    search_path: &'c [Ident],
    ctes: HashMap<Ident, bool>,
}

impl<'c> Kept<'c> {
    fn new(catalog: &'c Catalog, view: &'c View) -> Self {
        Kept { catalog, search_path: &view.search_path, ctes: HashMap::new() }
    }

    fn lateral(&self, join: &Join) -> Option<Lateral> {
        let (constraint, needs_key) = match &join.join_operator {
            JoinOperator::Join(c) | JoinOperator::Inner(c) => (c, true),
            JoinOperator::Left(c) | JoinOperator::LeftOuter(c) => (c, false),
            _ => return None,
        };
        if !matches!(constraint, JoinConstraint::On(_)) || !self.factor(&join.relation, 0) {
            return None;
        }
        let name = match &join.relation {
            TableFactor::Derived { alias, .. } => ident(&alias.as_ref()?.name),
            TableFactor::Table { alias: Some(alias), .. } => ident(&alias.name),
            TableFactor::Table { name, .. } => ident(name.0.last()?.as_ident()?),
            _ => return None,
        };
        Some(Lateral { name, needs_key })
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
        let names = parts(name);
        let (schema, name) = match names.as_deref() {
            Some([name]) => (None, name),
            Some([schema, name]) => (Some(schema), name),
            _ => return false,
        };
        if let (None, Some(is_kept)) = (schema, self.ctes.get(name)) {
            return *is_kept;
        }
        match self.catalog.lookup(schema, name, self.search_path) {
            Some(Relation::View(view)) => Kept::new(self.catalog, view).query(&view.query, depth),
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
