//! Window functions.
//!
//! In: a call with OVER. Out: a subquery over a copy of the query's FROM and WHERE, correlated by the PARTITION BY
//! expressions: that is what the value is a function of, so that links and locks need not know of windows. Without PARTITION
//! BY nothing correlates the copy, and the view needs `full_refresh`.

use sqlparser::ast::{
    Expr as Ast, Function, FunctionArgumentList, FunctionArguments, GroupByExpr, NamedWindowExpr, Select, SelectItem,
    WindowFrameUnits, WindowSpec, WindowType,
};

use super::expr::is_order_sensitive;
use super::functions::Class;
use super::naming::parts;
use super::query::{Resolved, Resolver};
use super::scope::Scope as Names;
use super::{BlockId, Claim, Expr, ExprKind, Numbering, OrderKind, Ordered, Scope, Windowed, json};
use crate::diagnostics::{Code, Diagnostic};
use crate::names::Ident;
use crate::source::Span;

/// Functions that are window functions only.
const WINDOW_ONLY: &[&str] = &[
    "cume_dist",
    "dense_rank",
    "first_value",
    "lag",
    "last_value",
    "lead",
    "nth_value",
    "ntile",
    "percent_rank",
    "rank",
    "row_number",
];

impl<'a> Resolver<'a> {
    /// A call with OVER.
    pub(super) fn window_call(
        &mut self,
        call: &'a Function,
        window: &'a WindowType,
        span: Span,
        block: BlockId,
    ) -> Resolved<Expr> {
        let Some(select) = self.selects.last().copied() else { return Err(self.no_window(span)) };
        let Some(Specification { partition, order, by_rows }) = specification(select, window) else {
            return Err(self.no_window(span));
        };
        let names: Vec<Ident> = parts(&call.name).unwrap_or_default();
        let Some(name) = names.last().map(|n| n.as_str().to_owned()) else { return Err(self.no_window(span)) };
        let FunctionArguments::List(list) = &call.args else { return Err(self.no_window(span)) };
        if !WINDOW_ONLY.contains(&name.as_str()) && self.judge_call(&names, list.args.len(), span)? != Class::Aggregate
        {
            return Err(self.no_window(span));
        }
        let copy = self.partition(select, &partition, span, block)?;
        if by_rows || tells_peers_apart(&name) || self.adds_floats(&name, list) {
            // The rows of the window are those of the copy: the query around may leave some of them out later.
            let told = self.in_copy(copy, |resolver, copy| {
                order.iter().chain(&partition).map(|e| resolver.expr(e, copy)).collect::<Resolved<_>>()
            })?;
            let kind = OrderKind::Window(name.clone());
            let values = Vec::new();
            self.flat.orders.push(Ordered { kind, block: copy, order: told, values, is_filtered: false, span });
        }
        let mut values = self.window_inputs(call, list, &order, span, block)?;
        let json = json::of_window(&name, &values);
        let inputs = self.in_copy(copy, |resolver, copy| resolver.window_inputs(call, list, &order, span, copy))?;
        let inputs = Expr::plain(span, ExprKind::Apply(inputs));
        values.push(Expr::plain(span, ExprKind::Subquery(copy, Box::new(inputs))));
        let kind = match self.plain_rows.get(&block).copied().filter(|_| name == "row_number") {
            Some(uses) => {
                let partition = partition.iter().map(|e| self.with_own_formula(e, block)).collect::<Resolved<_>>()?;
                self.flat.numberings.push(Numbering { uses, partition });
                ExprKind::Number(self.flat.numberings.len() - 1, values)
            }
            None => ExprKind::Aggregate(values),
        };
        Ok(Expr { json, ..Expr::plain(span, kind) })
    }

    /// Arguments, FILTER and ORDER BY of a window function.
    fn window_inputs(
        &mut self,
        call: &'a Function,
        list: &'a FunctionArgumentList,
        order: &[&'a Ast],
        span: Span,
        block: BlockId,
    ) -> Resolved<Vec<Expr>> {
        let mut values = self.arguments(list, span, block)?;
        values.extend(self.clauses(list, span, block)?);
        values.extend(call.filter.as_ref().map(|f| self.expr(f, block)).transpose()?);
        for key in order {
            values.push(self.expr(key, block)?);
        }
        Ok(values)
    }

    fn no_window(&mut self, span: Span) -> super::query::Refused {
        let title = "this form of window function is not supported";
        self.refuse(Diagnostic::new(Code::UnsupportedExpr, title, span))
    }

    fn with_own_formula(&mut self, ast: &'a Ast, block: BlockId) -> Resolved<Expr> {
        let expr = self.expr(ast, block)?;
        Ok(self.with_formula(expr, ast))
    }

    /// The copy of a block's rows that are in one partition with a row of it.
    fn partition(
        &mut self,
        select: &'a Select,
        partition: &[&'a Ast],
        span: Span,
        block: BlockId,
    ) -> Resolved<BlockId> {
        // The same window may be named by many calls.
        self.size.expressions += partition.len();
        self.check_size(span)?;
        let written: Vec<String> = partition.iter().map(ToString::to_string).collect();
        let slot = (block, written.join(", "));
        if let Some(copy) = self.partitions.get(&slot) {
            return Ok(*copy);
        }
        let own: Vec<Expr> = partition.iter().map(|e| self.with_own_formula(e, block)).collect::<Resolved<_>>()?;
        let copy = self.open_block(Some(block), span)?;
        self.flat.blocks[copy.0].window = true;
        if block == super::TOP && self.expanding.len() == 1 {
            self.flat.partitions.extend(own.iter().cloned());
        } else {
            self.flat.windows_below.push(Windowed { block, partition: own.clone(), copy, span });
        }
        self.copies.insert(copy, Names::default());
        let copied = self.in_copy(copy, |resolver, copy| resolver.copy_rows(select, partition, copy))?;
        for (left, right) in copied.into_iter().zip(own) {
            self.count([&left, &right], span)?;
            self.flat.blocks[copy.0].conditions.extend([left.clone(), right.clone()]);
            // NULLs are equal here. Where there are none, that need not be said, so that an outer join around the query may
            // put some there: it puts them in the place of the window's value as well.
            let never_null = |side: &Expr| {
                let columns = side.as_columns();
                columns.is_some_and(|all| all.iter().all(|c| self.flat.is_never_null(self.catalog, *c)))
            };
            let claim = match never_null(&left) && never_null(&right) {
                true => Claim::Equal(left, right),
                false if self.flat.is_solid(&left) && self.flat.is_solid(&right) => Claim::Partition(left, right),
                false => Claim::Same(left, right),
            };
            self.flat.says(claim, copy, Scope::Always);
        }
        self.partitions.insert(slot, copy);
        Ok(copy)
    }

    /// Resolves something in a copy, whose names hide those of the block that it is a copy of.
    fn in_copy<T>(&mut self, copy: BlockId, read: impl FnOnce(&mut Self, BlockId) -> Resolved<T>) -> Resolved<T> {
        let names = self.copies.remove(&copy).unwrap_or_default();
        let hidden = self.scopes.pop();
        self.scopes.push(names);
        let result = read(self, copy);
        if let Some(names) = self.scopes.pop() {
            self.copies.insert(copy, names);
        }
        self.scopes.extend(hidden);
        result
    }

    /// FROM, WHERE and GROUP BY once more; returns the partition's expressions over the copy.
    fn copy_rows(&mut self, select: &'a Select, partition: &[&'a Ast], copy: BlockId) -> Resolved<Vec<Expr>> {
        self.from(&select.from, copy)?;
        if let Some(condition) = &select.selection {
            self.condition(condition, copy, Scope::Always)?;
        }
        if let GroupByExpr::Expressions(list, _) = &select.group_by
            && !list.is_empty()
        {
            let list: Vec<&Ast> = list.iter().map(|e| selected(select, e)).collect();
            let keys = list.into_iter().map(|e| self.with_own_formula(e, copy)).collect::<Resolved<Vec<_>>>()?;
            self.flat.blocks[copy.0].grouped = Some(keys);
        }
        // Groups that HAVING leaves out are in no partition.
        if let Some(having) = &select.having {
            let having = self.expr(having, copy)?;
            self.flat.blocks[copy.0].conditions.push(having);
        }
        partition.iter().map(|e| self.with_own_formula(e, copy)).collect()
    }
}

/// The select item that a position in GROUP BY means.
fn selected<'s>(select: &'s Select, key: &'s Ast) -> &'s Ast {
    let Ast::Value(value) = key else { return key };
    let at = value.to_string().parse::<usize>().ok().and_then(|n| n.checked_sub(1));
    match at.and_then(|n| select.projection.get(n)) {
        Some(SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }) => expr,
        _ => key,
    }
}

/// How many windows a query may name.
const MAX_NAMED: usize = 256;

/// How many of them may be built on each other.
const MAX_STEPS: usize = 8;

/// A window, as it is specified in OVER and WINDOW together.
struct Specification<'a> {
    partition: Vec<&'a Ast>,
    order: Vec<&'a Ast>,
    /// Its frame counts rows.
    by_rows: bool,
}

/// Whether a function gives different rows of equal order different values.
fn tells_peers_apart(name: &str) -> bool {
    let of_rows = ["row_number", "ntile", "lag", "lead", "first_value", "last_value", "nth_value"];
    of_rows.contains(&name) || is_order_sensitive(name) || matches!(name, "jsonb_agg" | "json_agg")
}

/// The window of a call.
fn specification<'a>(select: &'a Select, window: &'a WindowType) -> Option<Specification<'a>> {
    let mut known = select.named_window.get(..).filter(|all| all.len() <= MAX_NAMED)?;
    let mut specs: Vec<&WindowSpec> = Vec::new();
    let mut base = match window {
        WindowType::NamedWindow(name) => Some(name),
        WindowType::WindowSpec(spec) => {
            specs.push(spec);
            spec.window_name.as_ref()
        }
    };
    while let Some(name) = base {
        let at = known.iter().position(|w| w.0.value.eq_ignore_ascii_case(&name.value))?;
        let NamedWindowExpr::WindowSpec(spec) = &known[at].1 else { return None };
        if specs.len() == MAX_STEPS {
            return None;
        }
        specs.push(spec);
        base = spec.window_name.as_ref();
        // A window can be built on those before it only.
        known = &known[..at];
    }
    let partition = specs.iter().rev().flat_map(|s| &s.partition_by).collect();
    let order = specs.iter().rev().flat_map(|s| s.order_by.iter().map(|o| &o.expr)).collect();
    let frames = specs.iter().filter_map(|s| s.window_frame.as_ref());
    let by_rows = frames.into_iter().any(|f| f.units == WindowFrameUnits::Rows);
    Some(Specification { partition, order, by_rows })
}
