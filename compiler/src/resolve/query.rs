//! Queries: a view's own, a subquery's, an expanded view's.
//!
//! In: a parsed query. Out: a [`Block`] with its conditions, and the output expressions. Clauses
//! that change which rows belong together (grouping, DISTINCT, set operations, windows, WITH) are
//! refused here until the derivation covers them.

use std::collections::HashMap;

use sqlparser::ast::{
    Expr as Ast, OrderBy, OrderByKind, Query, Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, Spanned,
};

use super::naming::{self, ident, output_name};
use super::place::Places;
use super::scope::Scope;
use super::{Block, BlockId, FlatView, Output, TOP};
use crate::catalog::{Catalog, View};
use crate::diagnostics::{Code, Diagnostic};
use crate::names::{Ident, QualName};
use crate::source::{FileId, Span};

/// A diagnostic has been reported; nothing usable came out.
pub struct Refused;

/// Result of resolving something.
pub type Resolved<T> = Result<T, Refused>;

/// How deep views may be nested in views.
const MAX_VIEW_DEPTH: usize = 64;

/// Resolves one view.
pub struct Resolver<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) places: &'a Places<'a>,
    pub(super) found: &'a mut Vec<Diagnostic>,
    pub(super) flat: FlatView,
    pub(super) scopes: Vec<Scope>,
    pub(super) file: FileId,
    pub(super) search_path: Vec<Ident>,
    /// The views being expanded, outermost first, with the place of each mention.
    pub(super) expanding: Vec<(QualName, Span)>,
    /// How often each alias has been given.
    pub(super) aliases: HashMap<Ident, usize>,
    /// Where to point when the parser kept no place.
    pub(super) fallback: Span,
}

impl<'a> Resolver<'a> {
    /// A resolver for one view.
    pub fn new(catalog: &'a Catalog, places: &'a Places<'a>, view: &View, found: &'a mut Vec<Diagnostic>) -> Self {
        let flat = FlatView {
            name: view.name.clone(),
            span: view.span,
            statement: view.statement,
            uses: Vec::new(),
            blocks: Vec::new(),
            equalities: Vec::new(),
            fixed: Vec::new(),
            outputs: Vec::new(),
            reads_views: Vec::new(),
            calls_user_functions: false,
            needs_locale: false,
            directives: view.directives.clone(),
            search_path: view.search_path.clone(),
        };
        Resolver {
            catalog,
            places,
            found,
            flat,
            scopes: Vec::new(),
            file: view.span.file,
            search_path: view.search_path.clone(),
            expanding: vec![(view.name.clone(), view.span)],
            aliases: HashMap::new(),
            fallback: view.query_span,
        }
    }

    /// The whole view.
    pub fn view(mut self, view: &View) -> Resolved<FlatView> {
        let block = self.open_block(None, view.query_span);
        debug_assert_eq!(block, TOP);
        let outputs = self.query(&view.query, block)?;
        if self.flat.blocks[TOP.0].aggregated {
            return Err(self.refuse(
                Diagnostic::new(Code::UnsupportedQuery, "an aggregate over the whole view", view.query_span)
                    .label("the view has one row for all rows of its tables")
                    .help("aggregate in a correlated subquery, so that each document has a key"),
            ));
        }
        self.flat.outputs = self.rename_outputs(view, outputs)?;
        Ok(self.flat)
    }

    pub(super) fn refuse(&mut self, diagnostic: Diagnostic) -> Refused {
        let through = self.expanding.len() > 1;
        let diagnostic = match (through, self.expanding.get(1)) {
            (true, Some((name, span))) => diagnostic.also(*span, format!("reached through `{name}` here")),
            _ => diagnostic,
        };
        self.found.push(diagnostic);
        Refused
    }

    pub(super) fn span(&self, node: &impl Spanned) -> Span {
        self.places.span(self.file, node, self.fallback)
    }

    pub(super) fn open_block(&mut self, parent: Option<BlockId>, span: Span) -> BlockId {
        self.flat.blocks.push(Block {
            parent,
            conditions: Vec::new(),
            order_by: Vec::new(),
            limited: false,
            aggregated: false,
            span,
        });
        BlockId(self.flat.blocks.len() - 1)
    }

    /// A query whose rows are those of `block`; leaves no scope behind.
    pub(super) fn query(&mut self, query: &Query, block: BlockId) -> Resolved<Vec<Output>> {
        let span = self.span(query);
        let unsupported =
            |what: &str| Diagnostic::new(Code::UnsupportedQuery, format!("{what} is not supported yet"), span);
        if query.with.is_some() {
            return Err(self.refuse(unsupported("WITH").help("write the query of the CTE as a view of its own")));
        }
        if !query.locks.is_empty() || query.for_clause.is_some() || !query.pipe_operators.is_empty() {
            return Err(self.refuse(unsupported("this clause of a view's query")));
        }
        let select = match query.body.as_ref() {
            SetExpr::Select(select) => select,
            SetExpr::Query(inner) if query.order_by.is_none() && query.limit_clause.is_none() => {
                return self.query(inner, block);
            }
            SetExpr::SetOperation { .. } => return Err(self.refuse(unsupported("UNION, INTERSECT or EXCEPT"))),
            SetExpr::Values(_) => return Err(self.refuse(unsupported("VALUES"))),
            _ => return Err(self.refuse(unsupported("this form of query"))),
        };
        self.flat.blocks[block.0].limited = query.limit_clause.is_some() || query.fetch.is_some();
        if self.flat.blocks[block.0].limited && (block == TOP || self.scopes.is_empty()) {
            return Err(self.refuse(
                unsupported("LIMIT over the rows of a view")
                    .note("any write can move any row into or out of the limit"),
            ));
        }
        self.scopes.push(Scope::default());
        let outputs = self.select(select, block, query.order_by.as_ref());
        self.scopes.pop();
        outputs
    }

    fn select(&mut self, select: &Select, block: BlockId, order_by: Option<&OrderBy>) -> Resolved<Vec<Output>> {
        self.check_clauses(select)?;
        self.from(&select.from, block)?;
        if let Some(condition) = &select.selection {
            self.condition(condition, block, super::Scope::Always)?;
        }
        let mut outputs = Vec::new();
        let mut refused = false;
        for item in &select.projection {
            match self.select_item(item, block) {
                Ok(more) => outputs.extend(more),
                Err(Refused) => refused = true,
            }
        }
        if refused {
            return Err(Refused);
        }
        self.order_by(order_by, &outputs, block)?;
        Ok(outputs)
    }

    fn check_clauses(&mut self, select: &Select) -> Resolved<()> {
        let clause = if select.distinct.is_some() {
            "DISTINCT"
        } else if !naming::ungrouped(&select.group_by) {
            "GROUP BY"
        } else if select.having.is_some() {
            "HAVING"
        } else if !select.named_window.is_empty() {
            "WINDOW"
        } else if select.into.is_some()
            || select.top.is_some()
            || select.qualify.is_some()
            || select.prewhere.is_some()
            || !select.lateral_views.is_empty()
            || !select.connect_by.is_empty()
            || !select.cluster_by.is_empty()
            || !select.distribute_by.is_empty()
            || !select.sort_by.is_empty()
            || select.value_table_mode.is_some()
            || select.exclude.is_some()
        {
            "this clause"
        } else {
            return Ok(());
        };
        let span = self.span(select);
        Err(self.refuse(
            Diagnostic::new(Code::UnsupportedQuery, format!("{clause} is not supported yet"), span)
                .note("this version keeps views of joins on keys with correlated subqueries"),
        ))
    }

    /// ORDER BY of a query: names of output columns first, then expressions over the FROM clause.
    fn order_by(&mut self, order_by: Option<&OrderBy>, outputs: &[Output], block: BlockId) -> Resolved<()> {
        let Some(order_by) = order_by else { return Ok(()) };
        let OrderByKind::Expressions(keys) = &order_by.kind else {
            let span = self.span(order_by);
            return Err(self.refuse(Diagnostic::new(Code::UnsupportedQuery, "ORDER BY ALL is not PostgreSQL", span)));
        };
        for key in keys {
            let expr = match &key.expr {
                Ast::Identifier(name) => outputs.iter().find(|o| o.name == ident(name)).map(|o| o.expr.clone()),
                Ast::Value(value) => value
                    .to_string()
                    .parse::<usize>()
                    .ok()
                    .and_then(|n| outputs.get(n.checked_sub(1)?).map(|o| o.expr.clone())),
                _ => None,
            };
            let expr = match expr {
                Some(expr) => expr,
                None => self.expr(&key.expr, block)?,
            };
            self.flat.blocks[block.0].order_by.push(expr);
        }
        Ok(())
    }

    fn select_item(&mut self, item: &SelectItem, block: BlockId) -> Resolved<Vec<Output>> {
        match item {
            SelectItem::UnnamedExpr(expr) => {
                let value = self.expr(expr, block)?;
                // Only a top-level output needs a real name; a subquery's value is used by position.
                let name = output_name(expr).unwrap_or_else(|| Ident::new("?column?"));
                Ok(vec![Output { name, expr: value }])
            }
            SelectItem::ExprWithAlias { expr, alias } => {
                Ok(vec![Output { name: ident(alias), expr: self.expr(expr, block)? }])
            }
            SelectItem::Wildcard(options) if plain_wildcard(options) => Ok(self.star()),
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options)
                if plain_wildcard(options) =>
            {
                let span = self.span(name);
                let columns = self.relation_item(name, span)?.columns.clone();
                Ok(columns.into_iter().map(|(name, expr)| Output { name, expr }).collect())
            }
            other => {
                let span = self.span(other);
                Err(self.refuse(Diagnostic::new(
                    Code::UnsupportedExpr,
                    "this form of select item is not supported",
                    span,
                )))
            }
        }
    }

    /// `*`: the merged columns of USING first, then each relation's other columns.
    fn star(&self) -> Vec<Output> {
        let Some(scope) = self.scopes.last() else { return Vec::new() };
        let merged = scope.merged.iter().cloned();
        let plain = scope.items.iter().flat_map(|item| {
            let visible = item.columns.iter().zip(&item.hidden).filter(|(_, hidden)| !**hidden);
            visible.map(|(column, _)| column.clone())
        });
        merged.chain(plain).map(|(name, expr)| Output { name, expr }).collect()
    }

    fn rename_outputs(&mut self, view: &View, mut outputs: Vec<Output>) -> Resolved<Vec<Output>> {
        if view.column_aliases.len() > outputs.len() {
            return Err(self.refuse(Diagnostic::new(
                Code::UnsupportedQuery,
                format!("view `{}` names more columns than its query has", view.name),
                view.span,
            )));
        }
        for (output, alias) in outputs.iter_mut().zip(&view.column_aliases) {
            output.name = alias.clone();
        }
        if let Some(unnamed) = outputs.iter().find(|o| o.name.as_str() == "?column?") {
            let span = unnamed.expr.span;
            return Err(self.refuse(
                Diagnostic::new(Code::UnsupportedExpr, "an output column without a name", span).help("add `AS name`"),
            ));
        }
        Ok(outputs)
    }

    /// The outputs of a view in FROM, merged into `block`.
    pub(super) fn expand_view(&mut self, view: &View, mention: Span, block: BlockId) -> Resolved<Vec<Output>> {
        if let Some(at) = self.expanding.iter().position(|(name, _)| name == &view.name) {
            return Err(self.cycle(at, mention));
        }
        if self.expanding.len() > MAX_VIEW_DEPTH {
            return Err(self.refuse(Diagnostic::new(
                Code::UnsupportedQuery,
                format!("more than {MAX_VIEW_DEPTH} views on views"),
                mention,
            )));
        }
        self.expanding.push((view.name.clone(), mention));
        if !self.flat.reads_views.contains(&view.name) {
            self.flat.reads_views.push(view.name.clone());
        }
        let scopes = std::mem::take(&mut self.scopes);
        let file = std::mem::replace(&mut self.file, view.span.file);
        let path = std::mem::replace(&mut self.search_path, view.search_path.clone());
        let fallback = std::mem::replace(&mut self.fallback, view.query_span);
        let before = self.flat.blocks[block.0].clone();
        let outputs = self.query(&view.query, block).and_then(|o| self.rename_outputs(view, o));
        let aggregated = self.flat.blocks[block.0].aggregated && !before.aggregated;
        // The order of an expanded view's rows means nothing to the query around it.
        self.flat.blocks[block.0].order_by = before.order_by;
        (self.scopes, self.file, self.search_path, self.fallback) = (scopes, file, path, fallback);
        if aggregated {
            let diagnostic = Diagnostic::new(
                Code::UnsupportedQuery,
                format!("view `{}` aggregates all its rows", view.name),
                mention,
            );
            return Err(self.refuse(diagnostic));
        }
        self.expanding.pop();
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
}

fn plain_wildcard(options: &sqlparser::ast::WildcardAdditionalOptions) -> bool {
    options.opt_ilike.is_none()
        && options.opt_exclude.is_none()
        && options.opt_except.is_none()
        && options.opt_replace.is_none()
        && options.opt_rename.is_none()
        && options.opt_alias.is_none()
}
