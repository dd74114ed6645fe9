//! Set operations, VALUES and recursive CTEs.
//!
//! In: UNION, INTERSECT, EXCEPT and VALUES. Out: one block per side, recorded as a side of an [`Alternative`]; the
//! columns are [`ExprKind::Either`] of the sides' columns. What a row of a side influences are rows that are equal to it in
//! every column, whatever the operation is: so each side is followed as if it were the whole query. A recursive CTE is a
//! UNION whose rows lead to further rows, so that nothing outside is linked to its columns.

use std::collections::HashSet;

use sqlparser::ast::{Expr as Ast, OrderBy, Query, SetExpr, SetOperator, SetQuantifier, Value, Values};

use super::query::{Refused, Resolved, Resolver};
use super::relation::Reading;
use super::scope::Scope;
use super::settle::MAX_VARIANTS;
use super::{Alternative, AlternativeKind, BlockId, Derived, Expr, ExprKind, Output, Rows, Term};
use crate::diagnostics::{Code, Diagnostic};
use crate::names::Ident;
use crate::source::Span;

/// One side of a set operation.
struct Side<'q> {
    body: &'q SetExpr,
    /// Whether its rows are among those of the whole.
    gives: bool,
}

fn sides<'q>(body: &'q SetExpr, gives: bool, into: &mut Vec<Side<'q>>) {
    match body {
        SetExpr::SetOperation { op, left, right, .. } => {
            sides(left, gives, into);
            sides(right, gives && *op == SetOperator::Union, into);
        }
        SetExpr::Query(query) if query.order_by.is_none() && query.limit_clause.is_none() && query.with.is_none() => {
            sides(&query.body, gives, into);
        }
        _ => into.push(Side { body, gives }),
    }
}

/// Whether the rows of a set operation are those of its sides, whatever they hold.
fn keeps_all_rows(body: &SetExpr) -> bool {
    match body {
        SetExpr::SetOperation { op, set_quantifier, left, right } => {
            let all = matches!(set_quantifier, SetQuantifier::All | SetQuantifier::AllByName);
            *op == SetOperator::Union && all && keeps_all_rows(left) && keeps_all_rows(right)
        }
        SetExpr::Query(query) => keeps_all_rows(&query.body),
        _ => true,
    }
}

/// How many values VALUES may have for its columns to be keys: each is looked for in the text.
const MAX_VALUES: usize = 2_000;

/// A constant of which another text is another value.
#[derive(PartialEq, Eq, Hash)]
enum Constant {
    Number(i64),
    Text(String),
}

/// As it is written: a string or a whole number, or one that is cast to what it is anyway.
fn constant(ast: &Ast) -> Option<Constant> {
    match ast {
        Ast::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(Constant::Text(text.clone())),
            Value::Number(number, _) => number.parse().ok().map(Constant::Number),
            _ => None,
        },
        Ast::Cast { expr, data_type, .. } => {
            let ty = data_type.to_string().to_lowercase();
            constant(expr).filter(|constant| match constant {
                Constant::Number(_) => matches!(ty.as_str(), "smallint" | "int" | "integer" | "bigint" | "numeric"),
                Constant::Text(_) => ty == "text",
            })
        }
        _ => None,
    }
}

/// Whether these are constants of which no two are equal.
fn are_different(column: &[&Ast]) -> bool {
    let constants: Option<Vec<Constant>> = column.iter().map(|ast| constant(ast)).collect();
    constants.is_some_and(|list| {
        let is_number = |c: &Constant| matches!(c, Constant::Number(_));
        let is_one_type = list.iter().all(is_number) || !list.iter().any(is_number);
        is_one_type && list.iter().collect::<HashSet<_>>().len() == list.len()
    })
}

impl<'a> Resolver<'a> {
    /// A query that is no plain SELECT; leaves no scope behind.
    pub(super) fn set_query(
        &mut self,
        body: &'a SetExpr,
        order_by: Option<&'a OrderBy>,
        span: Span,
        block: BlockId,
    ) -> Resolved<Vec<Output>> {
        let outputs = match body {
            SetExpr::Values(values) => self.values(values, span, block)?,
            _ => self.set_operation(body, span, block)?,
        };
        // Only names and positions of output columns can be ordered by.
        self.scopes.push(Scope::default());
        let ordered = self.order_by(order_by, &outputs, block);
        self.scopes.pop();
        ordered.map(|()| outputs)
    }

    fn set_operation(&mut self, body: &'a SetExpr, span: Span, block: BlockId) -> Resolved<Vec<Output>> {
        let mut all = Vec::new();
        sides(body, true, &mut all);
        let alternative = self.flat.alternatives.len();
        let giving = all.iter().map(|s| s.gives).collect();
        let kind = AlternativeKind::SetOperation;
        self.flat.alternatives.push(Alternative { choices: all.len(), giving, kind, merges: false, block, span });
        let state = &mut self.flat.blocks[block.0];
        let all_rows = |q: SetQuantifier| matches!(q, SetQuantifier::All | SetQuantifier::AllByName);
        state.distinct = matches!(body, SetExpr::SetOperation { set_quantifier, .. } if !all_rows(*set_quantifier));
        let recursive = state.recursive;
        let mut columns: Vec<Vec<Output>> = Vec::new();
        for (n, side) in all.iter().enumerate() {
            let outputs = self.side_of(side.body, Rows::Branch(alternative, n), span, block)?;
            if recursive && n == 0 {
                self.begin_recursion(&outputs);
            }
            columns.push(outputs);
        }
        let width = columns[0].len();
        if columns.iter().any(|c| c.len() != width) {
            let title = "the sides of a set operation have different numbers of columns";
            return Err(self.refuse(Diagnostic::new(Code::UnsupportedQuery, title, span)));
        }
        let mut sides: Vec<_> = columns.into_iter().map(Vec::into_iter).collect();
        let mut column = || {
            let list: Vec<Output> = sides.iter_mut().filter_map(Iterator::next).collect();
            let json = list.iter().find_map(|o| o.expr.json);
            let (name, built) = (list[0].name.clone(), list.iter().all(|o| o.built));
            let either = ExprKind::Either(alternative, list.into_iter().map(|o| o.expr).collect());
            Output { name, expr: Expr { json, ..Expr::plain(span, either) }, built }
        };
        let outputs: Vec<Output> = (0..width).map(|_| column()).collect();
        if recursive || !keeps_all_rows(body) {
            self.decide_rows(outputs.iter().map(|o| &o.expr), span, block)?;
        }
        Ok(outputs)
    }

    /// Values that decide how many rows a block has: they are read, whether or not anybody selects them.
    pub(super) fn decide_rows<'e>(
        &mut self,
        values: impl Iterator<Item = &'e Expr> + Clone,
        span: Span,
        block: BlockId,
    ) -> Resolved<()> {
        self.count(values.clone(), span)?;
        self.flat.blocks[block.0].conditions.extend(values.cloned());
        Ok(())
    }

    /// From here on the innermost CTE may read itself.
    fn begin_recursion(&mut self, base: &[Output]) {
        if let Some(cte) = self.ctes.last_mut() {
            let named = cte.columns.iter().cloned();
            let columns = named.chain(base.iter().skip(cte.columns.len()).map(|o| o.name.clone())).collect();
            cte.reading = Reading::Recursion(columns);
        }
    }

    /// One side as a block of its own.
    fn side_of(&mut self, body: &'a SetExpr, rows: Rows, span: Span, block: BlockId) -> Resolved<Vec<Output>> {
        let inner = self.open_block(Some(block), span)?;
        let outputs = match body {
            SetExpr::Select(select) => self.select(select, inner, None)?,
            SetExpr::Query(query) => self.query(query, inner)?,
            SetExpr::Values(values) => self.values(values, span, inner)?,
            _ => {
                let title = "this side of a set operation is not supported";
                return Err(self.refuse(Diagnostic::new(Code::UnsupportedQuery, title, span)));
            }
        };
        if !self.flat.blocks[block.0].recursive {
            self.group_by_all(&outputs, inner);
        }
        self.derived(block, inner, rows, span);
        Ok(match self.flat.rows_of(inner) {
            Some(_) => self.shown(outputs, inner),
            None => outputs,
        })
    }

    /// Keeps the names of a relation's columns for its VALUES, where it consists of nothing else.
    pub(super) fn name_values(&mut self, query: &Query, names: impl FnOnce() -> Vec<Ident>) {
        if query.with.is_none() && matches!(query.body.as_ref(), SetExpr::Values(_)) {
            self.value_names = names();
        }
    }

    /// VALUES: rows of expressions over the queries around.
    fn values(&mut self, values: &'a Values, span: Span, block: BlockId) -> Resolved<Vec<Output>> {
        let named = std::mem::take(&mut self.value_names);
        let mut rows: Vec<Vec<Expr>> = Vec::new();
        let is_short = values.rows.iter().map(|row| row.len()).sum::<usize>() <= MAX_VALUES;
        for row in &values.rows {
            let value = |e| {
                let value = self.expr(e, block)?;
                Ok(if is_short { self.with_formula(value, e) } else { value })
            };
            rows.push(row.iter().map(value).collect::<Resolved<Vec<_>>>()?);
        }
        self.count(rows.iter().flatten(), span)?;
        self.flat.derived.push(Derived { block, inner: None, rows: Rows::Many, told_by: None, call: None });
        let width = rows.first().map_or(0, Vec::len);
        let by_position = |n: usize| Ident::new(format!("column{}", n + 1));
        let mut names: Vec<Ident> =
            (0..width).map(|n| named.get(n).cloned().unwrap_or_else(|| by_position(n))).collect();
        if names.iter().collect::<HashSet<_>>().len() < width {
            names = (0..width).map(by_position).collect();
        }
        let written: Vec<Vec<&'a Ast>> =
            (0..names.len()).map(|n| values.rows.iter().filter_map(|row| row.get(n)).collect()).collect();
        let elements = self.elements_of_values(&rows, &names, &written);
        if let Some(derived) = self.flat.derived.last_mut() {
            let telling = written.iter().position(|column| are_different(column));
            let element = telling.and_then(|n| elements.get(n));
            derived.told_by = element.and_then(|e| e.as_formula()).map(Term::Formula);
            derived.call = elements.first().and_then(|e| e.calls.last().cloned());
        }
        let column = |(n, name): (usize, Ident)| {
            let list: Vec<Expr> = rows.iter().filter_map(|row| row.get(n).cloned()).collect();
            let (json, element) = (super::json::of_any(&list), elements.get(n).cloned());
            Output { name, expr: Expr { json, element, ..Expr::plain(span, ExprKind::Made(list)) }, built: false }
        };
        Ok(names.into_iter().enumerate().map(column).collect())
    }

    /// A recursive CTE within its own query: rows that other rows have led to.
    pub(super) fn own_rows(&mut self, columns: Vec<Ident>, mention: Span, block: BlockId) -> Vec<Output> {
        self.flat.derived.push(Derived { block, inner: None, rows: Rows::Many, told_by: None, call: None });
        let column = |name| Output { name, expr: Expr::plain(mention, ExprKind::Made(Vec::new())), built: false };
        columns.into_iter().map(column).collect()
    }

    /// Refuses what would have to be read in too many ways.
    pub(super) fn check_variants(&mut self) -> Resolved<()> {
        let mut variants = 1_usize;
        for alternative in &self.flat.alternatives {
            variants = variants.saturating_mul(alternative.choices);
        }
        let span = self.flat.alternatives.first().map_or(self.fallback, |a| a.span);
        if variants <= MAX_VARIANTS {
            return self.count_variants(variants, span);
        }
        let title = "too many set operations and full joins in one view";
        let diagnostic = Diagnostic::new(Code::UnsupportedQuery, title, span)
            .note(format!("their sides combine in {variants} ways; at most {MAX_VARIANTS} are followed"))
            .help("split the view");
        self.found.push(diagnostic);
        Err(Refused)
    }
}
