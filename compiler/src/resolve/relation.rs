//! Relations in FROM that are queries themselves: views, derived tables, CTEs, functions.
//!
//! In: a query and the block that reads its rows. Out: its output columns as expressions. A query that
//! only joins and filters is merged into the block around it; one that groups, aggregates or limits keeps a block of
//! its own, recorded as [`Derived`], because which of its rows a base row influences is decided inside it.

use std::collections::BTreeSet;

use sqlparser::ast::{Cte, FunctionArg, FunctionArgExpr, FunctionArgumentList, Query, TableAlias};

use super::Term;
use super::functions::Class;
use super::naming::ident;
use super::query::{Refused, Resolved, Resolver};
use super::{BlockId, ColumnRef, Derived, Expr, ExprKind, JsonType, OrderKind, Ordered, Output, Rows};
use crate::catalog::View;
use crate::diagnostics::{Code, Diagnostic};
use crate::names::Ident;
use crate::source::Span;

/// Set-returning functions whose rows have one column.
const ONE_COLUMN: &[&str] = &[
    "generate_series",
    "generate_subscripts",
    "json_array_elements",
    "json_array_elements_text",
    "json_object_keys",
    "jsonb_array_elements",
    "jsonb_array_elements_text",
    "jsonb_object_keys",
    "jsonb_path_query",
    "regexp_split_to_table",
    "string_to_table",
    "unnest",
];

/// How deep views may be nested in views.
const MAX_VIEW_DEPTH: usize = 64;

/// What a relation's query can see of the FROM clause that it stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Sees {
    /// LATERAL: the items before it.
    Siblings,
    /// A derived table: only the queries around.
    Around,
}

/// A CTE and the CTEs that it can see itself: those before it.
#[derive(Clone)]
pub struct CteInScope<'a> {
    pub name: Ident,
    pub columns: Vec<Ident>,
    pub query: &'a Query,
    /// How many entries of the list were in scope at its definition.
    pub visible: usize,
    /// How many scopes were open there.
    pub scopes: usize,
    /// In WITH RECURSIVE.
    pub recursive: bool,
    /// Whether its own query is being read.
    pub reading: Reading,
}

/// How far the query of a recursive CTE has been read.
#[derive(Clone)]
pub enum Reading {
    /// It is not being read.
    Not,
    /// What stands before UNION.
    Base,
    /// What stands behind it; these are its columns.
    Recursion(Vec<Ident>),
}

/// Whether a query may mention a name.
fn mentions(query: &Query, name: &Ident) -> bool {
    query.to_string().to_lowercase().contains(&name.as_str().to_lowercase())
}

impl<'a> Resolver<'a> {
    /// The outputs of a view in FROM.
    pub(super) fn expand_view(&mut self, view: &'a View, mention: Span, block: BlockId) -> Resolved<Vec<Output>> {
        if let Some(at) = self.expanding.iter().position(|(name, _)| name == &view.name) {
            return Err(self.cycle(at, mention));
        }
        if self.expanding.len() > MAX_VIEW_DEPTH {
            let title = format!("more than {MAX_VIEW_DEPTH} views on views");
            return Err(self.refuse(Diagnostic::new(Code::UnsupportedQuery, title, mention)));
        }
        self.expanding.push((view.name.clone(), mention));
        if !self.flat.reads_views.contains(&view.name) {
            self.flat.reads_views.push(view.name.clone());
        }
        let scopes = std::mem::take(&mut self.scopes);
        let ctes = std::mem::take(&mut self.ctes);
        let file = std::mem::replace(&mut self.file, view.span.file);
        let path = std::mem::replace(&mut self.search_path, view.search_path.clone());
        let fallback = std::mem::replace(&mut self.fallback, view.query_span);
        let statement = std::mem::replace(&mut self.statement, &self.statements[view.statement]);
        let selects = std::mem::take(&mut self.selects);
        let outputs = self.relation_query(&view.query, false, block, mention);
        let outputs = outputs.and_then(|o| self.rename_outputs(&view.column_aliases, view.span, o));
        (self.scopes, self.ctes, self.file, self.search_path, self.fallback) = (scopes, ctes, file, path, fallback);
        (self.statement, self.selects) = (statement, selects);
        if outputs.is_ok() {
            self.expanding.pop();
        }
        outputs
    }

    fn cycle(&mut self, at: usize, mention: Span) -> Refused {
        let mut names: Vec<String> = self.expanding[at..].iter().map(|(n, _)| n.to_string()).collect();
        names.push(names[0].clone());
        let mut diagnostic =
            Diagnostic::new(Code::CyclicViews, "views that read each other", mention).note(names.join(" -> "));
        for (name, span) in self.expanding[at + 1..].iter().filter(|(_, s)| s.file == mention.file) {
            diagnostic = diagnostic.also(*span, format!("`{name}` is read here"));
        }
        self.found.push(diagnostic);
        Refused
    }

    /// A subquery in FROM.
    pub(super) fn derived_table(
        &mut self,
        query: &'a Query,
        sees: Sees,
        mention: Span,
        block: BlockId,
    ) -> Resolved<Vec<Output>> {
        // The items of the FROM clause that it stands in are hidden from it, those of the queries around are not.
        let hidden = if sees == Sees::Around { self.scopes.pop() } else { None };
        let outputs = self.relation_query(query, false, block, mention);
        self.scopes.extend(hidden);
        outputs
    }

    /// A reference to a CTE: as if its query stood there.
    pub(super) fn cte_reference(&mut self, at: usize, mention: Span, block: BlockId) -> Resolved<Vec<Output>> {
        let cte = self.ctes[at].clone();
        match cte.reading {
            Reading::Not => {}
            Reading::Base => {
                let title = format!("`{}` reads itself other than as the last side of a UNION", cte.name);
                return Err(self.refuse(Diagnostic::new(Code::UnsupportedQuery, title, mention)));
            }
            Reading::Recursion(columns) => return Ok(self.own_rows(columns, mention, block)),
        }
        let later = self.ctes.split_off(cte.visible);
        let hidden = self.scopes.split_off(cte.scopes);
        let is_recursive = cte.recursive && mentions(cte.query, &cte.name);
        if is_recursive {
            self.ctes[at].reading = Reading::Base;
        }
        self.name_values(cte.query, || cte.columns.clone());
        let outputs = self.relation_query(cte.query, is_recursive, block, mention);
        let outputs = outputs.and_then(|o| self.rename_outputs(&cte.columns, mention, o));
        if is_recursive {
            self.ctes[at].reading = Reading::Not;
        }
        self.scopes.extend(hidden);
        self.ctes.truncate(cte.visible);
        self.ctes.extend(later);
        outputs
    }

    /// Brings the CTEs of a WITH into scope; returns how many there were before.
    pub(super) fn open_ctes(&mut self, ctes: &'a [Cte], recursive: bool) -> usize {
        let before = self.ctes.len();
        for cte in ctes {
            let entry = CteInScope {
                name: ident(&cte.alias.name),
                columns: cte.alias.columns.iter().map(|c| ident(&c.name)).collect(),
                query: &cte.query,
                visible: self.ctes.len() + usize::from(recursive),
                scopes: self.scopes.len(),
                recursive,
                reading: Reading::Not,
            };
            self.ctes.push(entry);
        }
        before
    }

    /// The rows of a query as rows of `block`'s FROM clause.
    fn relation_query(
        &mut self,
        query: &'a Query,
        is_recursive: bool,
        block: BlockId,
        mention: Span,
    ) -> Resolved<Vec<Output>> {
        let inner = self.open_block(Some(block), mention)?;
        self.flat.blocks[inner.0].recursive = is_recursive;
        let outputs = self.query(query, inner)?;
        self.group_by_all(&outputs, inner);
        let Some(rows) = self.flat.rows_of(inner) else {
            self.flat.merge(inner, block);
            return Ok(outputs);
        };
        self.derived(block, inner, rows, mention);
        Ok(self.shown(outputs, inner))
    }

    /// DISTINCT, and set operations without ALL, have one row per combination of values, as GROUP BY of all columns has. What is
    /// computed of columns is grouped by these: of such groups there are no fewer than rows, and who tells the group tells the row.
    /// Where some are nothing to group by, the rows are only known to be among the joined ones.
    pub(super) fn group_by_all(&mut self, outputs: &[Output], block: BlockId) {
        let state = &self.flat.blocks[block.0];
        let is_plain =
            !(state.limited || state.recursive || state.expands || state.aggregated || state.grouped.is_some());
        if state.distinct && is_plain {
            let keys: Option<Vec<Vec<Expr>>> = outputs.iter().map(|o| self.groups_of(&o.expr, block)).collect();
            self.flat.blocks[block.0].grouped = keys.map(|keys| keys.into_iter().flatten().collect());
        }
    }

    /// What an expression of a block can be grouped by: itself, else the block's columns that it is computed of.
    fn groups_of(&self, expr: &Expr, block: BlockId) -> Option<Vec<Expr>> {
        let is_key = |e: &Expr| e.as_term().is_some() || matches!(e.kind, ExprKind::Constant);
        let is_itself = match &expr.kind {
            ExprKind::Either(_, list) => list.iter().all(is_key),
            _ => is_key(expr),
        };
        if is_itself {
            return Some(vec![expr.clone()]);
        }
        let mut columns = Some(BTreeSet::new());
        expr.visit(&mut |e| match &e.kind {
            ExprKind::Column(column) if !self.flat.within(self.flat.use_of(*column).block, block) => {}
            ExprKind::Column(column) => {
                columns =
                    columns.take().zip(self.telling(*column)).map(|(all, more)| all.into_iter().chain(more).collect());
            }
            ExprKind::Constant | ExprKind::Object(_) | ExprKind::Coalesce(_) | ExprKind::Apply(_) => {}
            _ => columns = None,
        });
        Some(columns?.into_iter().map(|column| Expr::plain(expr.span, ExprKind::Column(column))).collect())
    }

    /// The columns whose values decide what is computed of a column: equal values of it may look different, and then it is those that
    /// tell its row.
    fn telling(&self, column: ColumnRef) -> Option<Vec<ColumnRef>> {
        let table = self.catalog.table(&self.flat.use_of(column).table);
        let declared = &table.columns[column.column];
        if declared.ty.is_plain() && declared.collation.is_none() {
            return Some(vec![column]);
        }
        let key = table.keys.iter().find(|key| key.not_null)?;
        Some(key.columns.iter().map(|at| ColumnRef { column: *at, ..column }).collect())
    }

    /// Records that `block` reads the rows of `inner`.
    pub(super) fn derived(&mut self, block: BlockId, inner: BlockId, rows: Rows, mention: Span) {
        self.flat.derived.push(Derived { block, inner: Some(inner), rows, told_by: None, call: None });
        // Whether it has rows matters also where nobody selects its columns.
        self.flat.blocks[block.0].conditions.push(Expr::plain(mention, ExprKind::Exists(inner)));
    }

    /// The outputs of a block that keeps its rows to itself, as others see them: what all rows that a base row
    /// influences have in common is itself, everything else is a value of the block.
    pub(super) fn shown(&self, outputs: Vec<Output>, inner: BlockId) -> Vec<Output> {
        let state = &self.flat.blocks[inner.0];
        let is_common = |expr: &Expr| match &expr.kind {
            ExprKind::Constant => true,
            _ if expr.formula.as_ref().is_some_and(|f| f.columns().is_empty()) => true,
            ExprKind::Column(_) if !state.picked && !state.recursive => true,
            _ => state.grouped.iter().flatten().any(|key| key.is_same(expr)),
        };
        let wrap = |output: Output| {
            if is_common(&output.expr) {
                return output;
            }
            let Output { name, expr, built } = output;
            let (span, json) = (expr.span, expr.json);
            let value = ExprKind::Subquery(inner, Box::new(Expr { formula: None, element: None, ..expr }));
            Output { name, expr: Expr { json, ..Expr::plain(span, value) }, built }
        };
        outputs.into_iter().map(wrap).collect()
    }

    /// A set-returning function in FROM: rows made from its arguments.
    pub(super) fn function_item(
        &mut self,
        name: &str,
        arguments: Vec<Expr>,
        alias: Option<&'a TableAlias>,
        ordinality: bool,
        span: Span,
        block: BlockId,
    ) -> Resolved<Vec<(Ident, Expr)>> {
        self.flat.derived.push(Derived { block, inner: None, rows: Rows::Many, told_by: None, call: None });
        let at = self.flat.derived.len() - 1;
        let shown = alias.map_or_else(|| Ident::new(name), |a| ident(&a.name));
        self.decide_rows(arguments.iter(), span, block)?;
        let mut names: Vec<(Ident, bool)> = match name {
            "jsonb_each" | "json_each" => vec![(Ident::new("key"), false), (Ident::new("value"), true)],
            "jsonb_each_text" | "json_each_text" => vec![(Ident::new("key"), false), (Ident::new("value"), false)],
            "jsonb_array_elements" | "json_array_elements" => vec![(Ident::new("value"), true)],
            "jsonb_array_elements_text" | "json_array_elements_text" => vec![(Ident::new("value"), false)],
            "unnest" => arguments.iter().map(|a| (shown.clone(), a.json.is_some())).collect(),
            "generate_series"
            | "generate_subscripts"
            | "jsonb_object_keys"
            | "json_object_keys"
            | "regexp_split_to_table"
            | "string_to_table"
            | "jsonb_path_query" => {
                vec![(shown.clone(), name == "jsonb_path_query")]
            }
            _ => {
                let title = format!("`{name}` in FROM is not supported yet");
                return Err(self.refuse(Diagnostic::new(Code::UnsupportedQuery, title, span)));
            }
        };
        if ordinality {
            names.push((Ident::new("ordinality"), false));
        }
        for (column, renamed) in names.iter_mut().zip(alias.iter().flat_map(|a| &a.columns)) {
            column.0 = ident(&renamed.name);
        }
        // Every column is a function of all arguments.
        for _ in &names {
            self.size.expressions += arguments.len();
            self.count(&arguments, span)?;
        }
        // What `unnest` makes of an array of json is json.
        let of_array = arguments.iter().find_map(|a| a.json).filter(|_| name == "unnest").map(JsonType::element);
        let own = if name.starts_with("json_") { JsonType::Json } else { JsonType::Jsonb };
        let json = of_array.unwrap_or(own);
        let shown: Vec<&Ident> = names.iter().map(|(name, _)| name).collect();
        let elements = self.elements(name, &arguments, ordinality, &shown);
        let telling = if ordinality { elements.last() } else { elements.first().filter(|e| e.is_unique(name)) };
        self.flat.derived[at].told_by = telling.and_then(|e| e.as_formula()).map(Term::Formula);
        self.flat.derived[at].call = elements.first().and_then(|e| e.calls.last().cloned());
        let mut elements = elements.into_iter();
        let value = |(name, is_json): (Ident, bool)| {
            let kind = ExprKind::Made(arguments.clone());
            let json = is_json.then_some(json);
            (name, Expr { json, element: elements.next(), ..Expr::plain(span, kind) })
        };
        Ok(names.into_iter().map(value).collect())
    }

    /// A set-returning function in a select list: as if it stood in FROM behind everything else. Where several do, the
    /// shorter ones are filled up with NULLs.
    pub(super) fn set_returning(
        &mut self,
        name: &str,
        list: &'a FunctionArgumentList,
        span: Span,
        block: BlockId,
    ) -> Resolved<Expr> {
        let mut values = Vec::new();
        for argument in &list.args {
            let Some(value) = self.argument(argument, span, block)? else { continue };
            values.push(match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(written)) => self.with_formula(value, written),
                _ => value,
            });
        }
        self.flat.blocks[block.0].expands = true;
        if !ONE_COLUMN.contains(&name) {
            self.decide_rows(values.iter(), span, block)?;
            self.flat.derived.push(Derived { block, inner: None, rows: Rows::Many, told_by: None, call: None });
            return Ok(Expr::plain(span, ExprKind::Made(values)));
        }
        let mut columns = self.function_item(name, values, None, false, span, block)?;
        let mut value = columns.swap_remove(0).1;
        value.make_element_nullable();
        Ok(value)
    }

    /// ARRAY(SELECT …): an array in the order of its rows.
    pub(super) fn order_of_rows(&mut self, rows: &Expr, span: Span) {
        let ExprKind::Subquery(block, row) = &rows.kind else { return };
        let order = self.flat.blocks[block.0].order_by.clone();
        let values = row.children().into_iter().cloned().collect();
        let kind = OrderKind::Rows;
        self.flat.orders.push(Ordered { kind, block: *block, order, values, is_filtered: false, span });
    }

    /// The arguments of a set-returning function in FROM, which see the items before it.
    pub(super) fn function_class(&mut self, names: &[Ident], arguments: usize, span: Span) -> Resolved<()> {
        match self.judge_call(names, arguments, span)? {
            Class::SetReturning => Ok(()),
            _ => {
                let title = "only set-returning functions are supported in FROM";
                Err(self.refuse(Diagnostic::new(Code::UnsupportedQuery, title, span)))
            }
        }
    }
}
