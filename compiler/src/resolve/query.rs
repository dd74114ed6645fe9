//! Queries: a view's own, a subquery's, an expanded view's.
//!
//! In: a parsed query. Out: a [`Block`] with its conditions and what it is grouped, sorted and cut by, and the output
//! expressions. What always holds: a clause that is not understood is refused, none is passed over.

use std::collections::{BTreeMap, HashMap, HashSet};

use sqlparser::ast::{
    Distinct, Expr as Ast, GroupByExpr, LimitClause, OrderBy, OrderByKind, Query, Select, SelectItem,
    SelectItemQualifiedWildcardKind, SetExpr, Spanned,
};

use super::naming::{self, ident, output_name};
use super::place::Places;
use super::relation::CteInScope;
use super::scope::Scope;
use super::size::Size;
use super::{Block, BlockId, Expr, FlatView, FromClause, Output, TOP, UseId};
use crate::catalog::{Catalog, View};
use crate::diagnostics::{Code, Diagnostic};
use crate::names::{Ident, QualName};
use crate::source::{FileId, Span};
use crate::syntax::Statement;

/// A diagnostic has been reported; nothing usable came out.
pub struct Refused;

/// Result of resolving something.
pub type Resolved<T> = Result<T, Refused>;

/// Resolves one view.
pub struct Resolver<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) places: &'a Places<'a>,
    pub(super) found: &'a mut Vec<Diagnostic>,
    pub(super) flat: FlatView,
    /// All statements of the input.
    pub(super) statements: &'a [Statement],
    /// The one whose text is being read.
    pub(super) statement: &'a Statement,
    /// The selects being read, innermost last.
    pub(super) selects: Vec<&'a Select>,
    /// The copies of blocks that stand for the partitions of their windows.
    pub(super) partitions: HashMap<(BlockId, String), BlockId>,
    /// The names of those copies.
    pub(super) copies: HashMap<BlockId, Scope>,
    /// The uses of blocks whose FROM clause holds nothing but base tables.
    pub(super) plain_rows: HashMap<BlockId, (usize, usize)>,
    /// The first uses of the relations of the FROM clauses being read, innermost last.
    pub(super) bounds: Vec<Vec<usize>>,
    pub(super) scopes: Vec<Scope>,
    pub(super) file: FileId,
    pub(super) search_path: Vec<Ident>,
    /// The views being expanded, outermost first, with the place of each mention.
    pub(super) expanding: Vec<(QualName, Span)>,
    /// The CTEs in scope, innermost last.
    pub(super) ctes: Vec<CteInScope<'a>>,
    /// How often each alias has been given.
    pub(super) aliases: HashMap<Ident, usize>,
    /// The aliases of the uses so far.
    pub(super) taken: HashSet<Ident>,
    /// What the columns of the VALUES that are read next are called.
    pub(super) value_names: Vec<Ident>,
    /// How large the view has become.
    pub(super) size: Size,
    /// Where to point when the parser kept no place.
    pub(super) fallback: Span,
}

impl<'a> Resolver<'a> {
    /// A resolver for one view.
    pub fn new(
        catalog: &'a Catalog,
        places: &'a Places<'a>,
        statements: &'a [Statement],
        view: &'a View,
        found: &'a mut Vec<Diagnostic>,
    ) -> Self {
        let flat = FlatView {
            name: view.name.clone(),
            span: view.span,
            statement: view.statement,
            uses: Vec::new(),
            blocks: Vec::new(),
            outer_joins: Vec::new(),
            numberings: Vec::new(),
            picked: Vec::new(),
            alternatives: Vec::new(),
            conjuncts: Vec::new(),
            equalities: Vec::new(),
            comparisons: Vec::new(),
            made_equal: Vec::new(),
            told: Vec::new(),
            guards: Vec::new(),
            derived: Vec::new(),
            stated: Vec::new(),
            present: Vec::new(),
            whole: None,
            outputs: Vec::new(),
            orders: Vec::new(),
            from_clauses: Vec::new(),
            asked: BTreeMap::new(),
            parts: Vec::new(),
            asked_by: Vec::new(),
            partitions: Vec::new(),
            own_views: Vec::new(),
            windows_below: Vec::new(),
            memberships: Vec::new(),
            untold: Vec::new(),
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
            statements,
            statement: &statements[view.statement],
            selects: Vec::new(),
            partitions: HashMap::new(),
            copies: HashMap::new(),
            plain_rows: HashMap::new(),
            bounds: Vec::new(),
            scopes: Vec::new(),
            file: view.span.file,
            search_path: view.search_path.clone(),
            expanding: vec![(view.name.clone(), view.span)],
            ctes: Vec::new(),
            aliases: HashMap::new(),
            taken: HashSet::new(),
            value_names: Vec::new(),
            size: Size::default(),
            fallback: view.query_span,
        }
    }

    /// The whole view. Adds how many expressions there are in it.
    pub fn view(mut self, view: &'a View, expressions: &mut usize) -> Resolved<FlatView> {
        let resolved = self.whole(view);
        *expressions += self.work();
        resolved.map(|()| self.flat)
    }

    fn whole(&mut self, view: &'a View) -> Resolved<()> {
        let block = self.open_block(None, view.query_span)?;
        debug_assert_eq!(block, TOP);
        let outputs = self.query(&view.query, block)?;
        let top = &self.flat.blocks[TOP.0];
        if top.aggregated && top.grouped.is_none() {
            self.flat.whole = Some(("the view has one row for all rows of its tables", view.query_span));
        } else if top.limited {
            self.flat.whole = Some(("any write can move any row into or out of the LIMIT", view.query_span));
        }
        self.check_variants()?;
        self.flat.outputs = self.rename_outputs(&view.column_aliases, view.span, outputs)?;
        let mut seen = HashSet::new();
        match self.flat.outputs.iter().find(|o| !seen.insert(&o.name)) {
            None => Ok(()),
            Some(Output { name, expr, .. }) => {
                let title = format!("column `{name}` of `{}` is selected twice", view.name.name);
                let diagnostic = Diagnostic::new(Code::DuplicateName, title, expr.span);
                Err(self.refuse(diagnostic.note("PostgreSQL refuses such a view").help("write `AS` and another name")))
            }
        }
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

    /// One more query in the view.
    pub(super) fn open_block(&mut self, parent: Option<BlockId>, span: Span) -> Resolved<BlockId> {
        self.size.queries += 1;
        self.check_size(span)?;
        self.flat.blocks.push(Block {
            parent,
            conditions: Vec::new(),
            order_by: Vec::new(),
            limited: false,
            picked: false,
            recursive: false,
            single: false,
            aggregated: false,
            window: false,
            grouped: None,
            having: false,
            distinct: false,
            expands: false,
            span,
        });
        Ok(BlockId(self.flat.blocks.len() - 1))
    }

    /// A query whose rows are those of `block`; leaves no scope behind.
    pub(super) fn query(&mut self, query: &'a Query, block: BlockId) -> Resolved<Vec<Output>> {
        let span = self.span(query);
        let unsupported =
            |what: &str| Diagnostic::new(Code::UnsupportedQuery, format!("{what} is not supported yet"), span);
        if !query.locks.is_empty() || query.for_clause.is_some() || !query.pipe_operators.is_empty() {
            return Err(self.refuse(unsupported("this clause of a view's query")));
        }
        let before = query.with.as_ref().map(|with| self.open_ctes(&with.cte_tables, with.recursive));
        let outputs = self.body(query, span, block);
        if let Some(before) = before {
            self.ctes.truncate(before);
        }
        outputs
    }

    /// A query without its WITH.
    fn body(&mut self, query: &'a Query, span: Span, block: BlockId) -> Resolved<Vec<Output>> {
        let unsupported =
            |what: &str| Diagnostic::new(Code::UnsupportedQuery, format!("{what} is not supported yet"), span);
        self.flat.blocks[block.0].limited = query.limit_clause.is_some() || query.fetch.is_some();
        self.flat.blocks[block.0].single = is_limit_one(query);
        let order_by = query.order_by.as_ref();
        let outputs = match query.body.as_ref() {
            SetExpr::Select(select) => self.select(select, block, order_by),
            SetExpr::Query(inner) if order_by.is_none() && !self.flat.blocks[block.0].limited => {
                return self.query(inner, block);
            }
            SetExpr::SetOperation { .. } | SetExpr::Values(_) | SetExpr::Query(_) => {
                self.set_query(&query.body, order_by, span, block)
            }
            _ => Err(self.refuse(unsupported("this form of query"))),
        };
        self.limits(query, block)?;
        outputs
    }

    /// LIMIT, OFFSET and FETCH can be computed from the queries around.
    fn limits(&mut self, query: &'a Query, block: BlockId) -> Resolved<()> {
        let mut counts: Vec<&Ast> = query.fetch.iter().filter_map(|f| f.quantity.as_ref()).collect();
        match &query.limit_clause {
            Some(LimitClause::LimitOffset { limit, offset, limit_by }) => {
                counts.extend(limit.iter().chain(offset.iter().map(|o| &o.value)).chain(limit_by));
            }
            Some(LimitClause::OffsetCommaLimit { offset, limit }) => counts.extend([offset, limit]),
            None => {}
        }
        for count in counts.into_iter().filter(|c| !matches!(c, Ast::Identifier(name) if name.value == "ALL")) {
            let expr = self.expr(count, block)?;
            self.flat.blocks[block.0].conditions.push(expr);
        }
        Ok(())
    }

    /// A SELECT; leaves no scope behind.
    pub(super) fn select(
        &mut self,
        select: &'a Select,
        block: BlockId,
        order_by: Option<&'a OrderBy>,
    ) -> Resolved<Vec<Output>> {
        self.scopes.push(Scope::default());
        self.selects.push(select);
        let outputs = self.clauses_of(select, block, order_by);
        self.selects.pop();
        self.scopes.pop();
        outputs
    }

    fn clauses_of(
        &mut self,
        select: &'a Select,
        block: BlockId,
        order_by: Option<&'a OrderBy>,
    ) -> Resolved<Vec<Output>> {
        self.check_clauses(select)?;
        self.flat.blocks[block.0].distinct = matches!(select.distinct, Some(Distinct::Distinct));
        let (uses, derived) = (self.flat.uses.len(), self.flat.derived.len());
        let bounds = self.from(&select.from, block)?;
        self.flat.from_clauses.push(FromClause { block, span: self.span(select), bounds });
        if derived == self.flat.derived.len() && uses < self.flat.uses.len() {
            self.plain_rows.insert(block, (uses, self.flat.uses.len()));
        }
        if let Some(condition) = &select.selection {
            let own = (uses..self.flat.uses.len()).map(UseId).filter(|u| self.flat.uses[u.0].block == block).collect();
            let asked = self.condition(condition, block, super::Scope::Always)?;
            self.flat.asks(own, asked);
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
        self.group_by(select, &outputs, block)?;
        self.distinct_on(select, &outputs, block)?;
        if self.flat.blocks[block.0].distinct {
            let span = self.span(select);
            self.decide_rows(outputs.iter().map(|o| &o.expr), span, block)?;
        }
        if let Some(having) = &select.having {
            let having = self.expr(having, block)?;
            let state = &mut self.flat.blocks[block.0];
            // Without GROUP BY it makes one group, of no rows as well.
            state.aggregated |= state.grouped.is_none();
            state.having = true;
            state.conditions.push(having);
        }
        self.order_by(order_by, &outputs, block)?;
        Ok(outputs)
    }

    /// GROUP BY: expressions over the FROM clause, else names or positions of output columns.
    fn group_by(&mut self, select: &'a Select, outputs: &[Output], block: BlockId) -> Resolved<()> {
        let GroupByExpr::Expressions(list, _) = &select.group_by else { return Ok(()) };
        if list.is_empty() {
            return Ok(());
        }
        let mut keys = Vec::new();
        for ast in list {
            let by_name = match ast {
                Ast::Identifier(name) if !self.knows_column(&ident(name)) => {
                    outputs.iter().find(|o| o.name == ident(name)).map(|o| o.expr.clone())
                }
                Ast::Value(value) => position(outputs, &value.to_string()),
                _ => None,
            };
            keys.push(match by_name {
                Some(expr) => self.copied(expr, self.span(ast))?,
                None => {
                    let expr = self.expr(ast, block)?;
                    self.with_formula(expr, ast)
                }
            });
        }
        self.flat.blocks[block.0].grouped = Some(keys);
        Ok(())
    }

    /// DISTINCT ON: one row per value of its expressions, so that they group the rows.
    fn distinct_on(&mut self, select: &'a Select, outputs: &[Output], block: BlockId) -> Resolved<()> {
        let Some(Distinct::On(list)) = &select.distinct else { return Ok(()) };
        let mut keys = Vec::new();
        for ast in list {
            let by_name = match ast {
                Ast::Identifier(name) => outputs.iter().find(|o| o.name == ident(name)).map(|o| o.expr.clone()),
                Ast::Value(value) => position(outputs, &value.to_string()),
                _ => None,
            };
            let expr = match by_name {
                Some(expr) => self.copied(expr, self.span(ast))?,
                None => self.expr(ast, block)?,
            };
            let expr = self.with_formula(expr, ast);
            if expr.has_aggregate() {
                let title = "DISTINCT ON an aggregate is not supported";
                return Err(self.refuse(Diagnostic::new(Code::UnsupportedQuery, title, expr.span)));
            }
            keys.push(expr);
        }
        let state = &mut self.flat.blocks[block.0];
        // What the groups were is read; the rows that influence each other are those that are equal here.
        let groups = state.grouped.replace(keys).into_iter().flatten();
        state.conditions.extend(groups);
        state.picked = true;
        Ok(())
    }

    fn check_clauses(&mut self, select: &'a Select) -> Resolved<()> {
        let clause = if !naming::plain_grouping(&select.group_by) {
            "GROUPING SETS, ROLLUP or CUBE"
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
        let mut diagnostic = Diagnostic::new(Code::UnsupportedQuery, format!("{clause} is not supported yet"), span);
        if clause.starts_with("GROUPING") {
            diagnostic =
                diagnostic.note("in the rows of a total the key is NULL, and a document is found by its key").help(
                    "write UNION ALL of a query for each grouping: `SELECT 'region' AS level, …`, `SELECT 'total', …`",
                );
        }
        Err(self.refuse(diagnostic))
    }

    /// ORDER BY of a query: names of output columns first, then expressions over the FROM clause.
    pub(super) fn order_by(
        &mut self,
        order_by: Option<&'a OrderBy>,
        outputs: &[Output],
        block: BlockId,
    ) -> Resolved<()> {
        let Some(order_by) = order_by else { return Ok(()) };
        let OrderByKind::Expressions(keys) = &order_by.kind else {
            let span = self.span(order_by);
            return Err(self.refuse(Diagnostic::new(Code::UnsupportedQuery, "ORDER BY ALL is not PostgreSQL", span)));
        };
        for key in keys {
            let expr = match &key.expr {
                Ast::Identifier(name) => outputs.iter().find(|o| o.name == ident(name)).map(|o| o.expr.clone()),
                Ast::Value(value) => position(outputs, &value.to_string()),
                _ => None,
            };
            let expr = match expr {
                Some(expr) => self.copied(expr, self.span(&key.expr))?,
                None => self.expr(&key.expr, block)?,
            };
            self.flat.blocks[block.0].order_by.push(expr);
        }
        Ok(())
    }

    fn select_item(&mut self, item: &'a SelectItem, block: BlockId) -> Resolved<Vec<Output>> {
        match item {
            SelectItem::UnnamedExpr(expr) => {
                let value = self.output(expr, block)?;
                // Only a top-level output needs a real name; a subquery's value is used by position.
                let name = output_name(expr).unwrap_or_else(|| Ident::new("?column?"));
                Ok(vec![Output { name, expr: value, built: builds_object(expr) }])
            }
            SelectItem::ExprWithAlias { expr, alias } => {
                Ok(vec![Output { name: ident(alias), expr: self.output(expr, block)?, built: builds_object(expr) }])
            }
            SelectItem::Wildcard(options) if plain_wildcard(options) => {
                let outputs = self.star();
                self.count(outputs.iter().map(|o| &o.expr), self.span(item))?;
                Ok(outputs)
            }
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options)
                if plain_wildcard(options) =>
            {
                let span = self.span(name);
                let columns = self.relation_item(name, span)?.columns.clone();
                self.count(columns.iter().map(|(_, value)| value), span)?;
                Ok(columns.into_iter().map(|(name, expr)| Output { name, expr, built: false }).collect())
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

    /// The value of a select item; what is no document may be part of a link or key.
    fn output(&mut self, ast: &'a Ast, block: BlockId) -> Resolved<Expr> {
        let value = self.expr(ast, block)?;
        Ok(if value.json.is_none() { self.with_formula(value, ast) } else { value })
    }

    /// `*`: every visible column.
    fn star(&self) -> Vec<Output> {
        let visible = self.scopes.last().into_iter().flat_map(|s| &s.visible);
        visible.map(|v| Output { name: v.name.clone(), expr: v.expr.clone(), built: false }).collect()
    }

    pub(super) fn rename_outputs(
        &mut self,
        aliases: &[Ident],
        span: Span,
        mut outputs: Vec<Output>,
    ) -> Resolved<Vec<Output>> {
        if aliases.len() > outputs.len() {
            let title = "more column names than the query has columns";
            return Err(self.refuse(Diagnostic::new(Code::UnsupportedQuery, title, span)));
        }
        for (output, alias) in outputs.iter_mut().zip(aliases) {
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
}

/// The output column at a position written in ORDER BY or GROUP BY.
fn position(outputs: &[Output], text: &str) -> Option<super::Expr> {
    let at = text.parse::<usize>().ok()?.checked_sub(1)?;
    outputs.get(at).map(|o| o.expr.clone())
}

/// Whether an expression is a call that never returns NULL.
fn builds_object(expr: &Ast) -> bool {
    let builders = ["jsonb_build_object", "json_build_object", "jsonb_build_array", "json_build_array"];
    match expr {
        Ast::Function(call) => {
            output_name(expr).is_some_and(|n| builders.contains(&n.as_str())) && call.filter.is_none()
        }
        Ast::Nested(inner) => builds_object(inner),
        _ => false,
    }
}

/// `LIMIT 1`: at most one row.
fn is_limit_one(query: &Query) -> bool {
    let one = |limit: &Ast| matches!(limit, Ast::Value(v) if v.to_string() == "1");
    let limited = match &query.limit_clause {
        Some(LimitClause::LimitOffset { limit: Some(limit), limit_by, .. }) => limit_by.is_empty() && one(limit),
        _ => false,
    };
    // FETCH FIRST ROW ONLY is of one.
    let fetched = query.fetch.as_ref().filter(|fetch| !fetch.with_ties && !fetch.percent);
    limited || fetched.is_some_and(|fetch| fetch.quantity.as_ref().is_none_or(one))
}

fn plain_wildcard(options: &sqlparser::ast::WildcardAdditionalOptions) -> bool {
    options.opt_ilike.is_none()
        && options.opt_exclude.is_none()
        && options.opt_except.is_none()
        && options.opt_replace.is_none()
        && options.opt_rename.is_none()
        && options.opt_alias.is_none()
}
