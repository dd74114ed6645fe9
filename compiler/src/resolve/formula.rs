//! Formulas: expressions that can be computed outside the view.
//!
//! In: an expression of the user's. Out: a [`Formula`]: its own text, cut at its tokens, in which each mention of a
//! column is replaced by a reference to the column of a use, through views, derived tables and CTEs. What always
//! holds: the text parses to the expression that was resolved (it is parsed again to find where it really ends, because
//! the parser's places are too narrow), every name in it is accounted for, and it reads nothing but its columns.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use sqlparser::ast::{Expr as Ast, FunctionArg, FunctionArgExpr, FunctionArguments, Spanned};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Span as Place, Token, TokenWithSpan};

use super::expr::operands;
use super::query::Resolver;
use super::subscripts::Subscripts;
use super::{ColumnRef, Expr, ExprKind, FlatView, UseId};
use crate::catalog::{Catalog, SqlType};
use crate::names::Ident;
use crate::syntax::Statement;

/// By how many tokens a place of the parser's may be too narrow.
const MAX_WIDENING: usize = 24;

/// Of how many tokens the text of a formula may be. What is longer is no link and no key: where it ends would have to
/// be looked for in too long a text.
const MAX_TOKENS: usize = 200;

/// How long a formula may be: one of columns that are formulas themselves can be longer than its own text.
const MAX_LENGTH: usize = 8_000;

/// How long the text of all VALUES of a view may be, each times its columns, for these to be keys.
const MAX_LENGTH_OF_VALUES: usize = 100_000;

/// How what functions in FROM make is called in formulas: this and a number.
pub const ROWS_OF_FUNCTION: &str = "tview_rows_";

/// An expression over columns of uses, as text with holes.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Formula {
    /// In order.
    pub pieces: Vec<Piece>,
    /// Set-returning functions that it reads, as items of a FROM clause, each behind those that it reads itself: then it has a value for
    /// each of their rows.
    pub calls: Vec<Vec<Piece>>,
    /// Its type, where that is known.
    pub ty: Option<SqlType>,
    /// Where it is known that it is not NULL if some columns are not: these columns.
    pub strict: Option<Vec<ColumnRef>>,
    /// The columns that have to be finite times as well: of an infinite one it is NULL.
    pub finite: Vec<ColumnRef>,
    /// NULL whenever one of its columns is.
    pub null_in_null_out: bool,
    /// It can raise an error, for rows that another condition leaves out.
    pub may_fail: bool,
    /// It is computed only for some rows, other than in the view, where a condition beside it leaves the others out.
    pub guarded: bool,
    /// Where it says that there is an element for which a condition holds: that condition.
    pub any_of: Option<Arc<Element>>,
}

/// An expression over what set-returning functions in FROM make of columns. It is no function of rows of tables; that there
/// is an element for which a condition holds is one.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Element {
    /// In order.
    pub(crate) pieces: Vec<Piece>,
    /// The calls, as items of a FROM clause, each behind those that it reads.
    pub(crate) calls: Vec<Vec<Piece>>,
    /// It can be seen where there is no element.
    pub(super) nullable: bool,
    /// Where it is known that it is not NULL for any element if some columns are not: these columns.
    pub(super) strict: Option<Vec<ColumnRef>>,
    /// As of a [`Formula`].
    pub(super) finite: Vec<ColumnRef>,
    /// NULL whenever what it reads is.
    pub null_in_null_out: bool,
    /// The calls make no row where a column that they read is NULL.
    pub(super) empty_for_null: bool,
    /// Its type, where that is known.
    pub ty: Option<SqlType>,
    /// It can raise an error, for elements that another condition leaves out.
    pub may_fail: bool,
}

/// A part of a [`Formula`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Piece {
    /// Text to be copied.
    Text(String),
    /// A column.
    Column(ColumnRef),
    /// One of these, by the choice of an alternative. None is left in a settled view.
    Either(usize, Vec<Vec<Piece>>),
}

/// What links and keys are made of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Term {
    /// A column.
    Column(ColumnRef),
    /// Anything else.
    Formula(Arc<Formula>),
}

impl Piece {
    /// About as long as its text.
    fn length(&self) -> usize {
        match self {
            Piece::Text(text) => text.len(),
            Piece::Column(_) => 16,
            Piece::Either(_, list) => list.iter().flatten().map(Piece::length).sum(),
        }
    }

    /// As text, with columns written by `column`.
    pub fn text(&self, column: &dyn Fn(ColumnRef) -> String) -> String {
        match self {
            Piece::Text(text) => text.clone(),
            Piece::Column(c) => column(*c),
            Piece::Either(_, list) => list.iter().take(1).flatten().map(|p| p.text(column)).collect(),
        }
    }
}

impl Formula {
    /// A condition that all rows fulfil.
    pub fn always() -> Self {
        Formula { pieces: vec![Piece::Text("true".into())], ..Formula::default() }
    }

    /// As text, with columns written by `column`.
    pub fn text(&self, column: &dyn Fn(ColumnRef) -> String) -> String {
        self.pieces.iter().map(|p| p.text(column)).collect()
    }

    /// What is written behind COLLATE in it. Other texts with that word in them give some too many.
    pub fn collations(&self) -> Vec<&str> {
        fn collect<'p>(pieces: &'p [Piece], found: &mut Vec<&'p str>) {
            for piece in pieces {
                match piece {
                    Piece::Text(text) => found.extend(text.split("collate").skip(1).map(|rest| {
                        let is_end = |c: char| c.is_whitespace() || matches!(c, ')' | ',');
                        rest.trim_start().split(is_end).next().unwrap_or_default()
                    })),
                    Piece::Column(_) => {}
                    Piece::Either(_, list) => list.iter().for_each(|p| collect(p, found)),
                }
            }
        }
        let mut found = Vec::new();
        collect(&self.pieces, &mut found);
        self.calls.iter().for_each(|call| collect(call, &mut found));
        found
    }

    /// The columns it reads.
    pub fn columns(&self) -> BTreeSet<ColumnRef> {
        fn collect(pieces: &[Piece], columns: &mut BTreeSet<ColumnRef>) {
            for piece in pieces {
                match piece {
                    Piece::Text(_) => {}
                    Piece::Column(column) => {
                        columns.insert(*column);
                    }
                    Piece::Either(_, list) => list.iter().for_each(|p| collect(p, columns)),
                }
            }
        }
        let mut columns = BTreeSet::new();
        collect(&self.pieces, &mut columns);
        self.calls.iter().for_each(|call| collect(call, &mut columns));
        columns
    }

    /// The same over other columns; `None` where there is none for one of its own, or it reads more than columns.
    pub fn with_columns(&self, other: &dyn Fn(ColumnRef) -> Option<ColumnRef>) -> Option<Formula> {
        if !self.calls.is_empty() || self.any_of.is_some() {
            return None;
        }
        let all = |columns: &[ColumnRef]| columns.iter().map(|c| other(*c)).collect::<Option<Vec<_>>>();
        let piece = |piece: &Piece| match piece {
            Piece::Text(_) => Some(piece.clone()),
            Piece::Column(column) => other(*column).map(Piece::Column),
            Piece::Either(..) => None,
        };
        let strict = match &self.strict {
            Some(columns) => Some(all(columns)?),
            None => None,
        };
        let pieces = self.pieces.iter().map(piece).collect::<Option<_>>()?;
        Some(Formula { pieces, strict, finite: all(&self.finite)?, ..self.clone() })
    }

    /// The uses it reads.
    pub fn uses(&self) -> BTreeSet<UseId> {
        self.columns().into_iter().map(|c| c.use_id).collect()
    }

    /// Whether it is of what functions make of constants: a part of no table's row.
    pub fn is_of_constants(&self) -> bool {
        !self.calls.is_empty() && self.columns().is_empty()
    }
}

impl Element {
    /// One that reads no elements.
    fn of_columns(pieces: Vec<Piece>) -> Self {
        Element { pieces, empty_for_null: true, ..Element::default() }
    }

    /// As what has a value for each element; `None` where it can be seen without one.
    pub(super) fn as_formula(&self) -> Option<Arc<Formula>> {
        let Element { pieces, calls, ty, strict, finite, may_fail, .. } = self.clone();
        let formula = Formula { pieces, calls, ty, strict, finite, may_fail, ..Formula::default() };
        (!self.nullable && !formula.calls.is_empty()).then(|| Arc::new(formula))
    }

    /// That there is one for which it holds.
    pub(crate) fn exists(&self) -> Vec<Piece> {
        let text = |text: &str| Piece::Text(text.into());
        let mut exists = vec![text("EXISTS (SELECT FROM ")];
        for (n, call) in self.calls.iter().enumerate() {
            exists.extend((n > 0).then(|| text(", LATERAL ")));
            exists.extend(call.iter().cloned());
        }
        exists.push(text(" WHERE "));
        exists.extend(self.pieces.iter().cloned());
        exists.push(text(")"));
        exists
    }

    /// Whether a function makes no two rows with the same value in its first column.
    pub(super) fn is_unique(&self, function: &str) -> bool {
        match function {
            // What comes next follows from a value alone: if one came again, there would be no end.
            "generate_series" => self.ty.is_some(),
            "generate_subscripts" | "jsonb_each" | "jsonb_each_text" | "jsonb_object_keys" => true,
            _ => false,
        }
    }
}

impl Term {
    /// The columns it reads.
    pub fn columns(&self) -> BTreeSet<ColumnRef> {
        match self {
            Term::Column(column) => BTreeSet::from([*column]),
            Term::Formula(formula) => formula.columns(),
        }
    }

    /// The uses it reads.
    pub fn uses(&self) -> BTreeSet<UseId> {
        self.columns().into_iter().map(|c| c.use_id).collect()
    }

    /// As text, with columns written by `column`.
    pub fn text(&self, column: &dyn Fn(ColumnRef) -> String) -> String {
        match self {
            Term::Column(c) => column(*c),
            Term::Formula(formula) => formula.text(column),
        }
    }

    /// Whether it is of what functions make of constants.
    pub fn is_of_constants(&self) -> bool {
        self.as_formula().is_some_and(Formula::is_of_constants)
    }

    /// The column, where it is nothing else.
    pub fn as_column(&self) -> Option<ColumnRef> {
        match self {
            Term::Column(column) => Some(*column),
            Term::Formula(_) => None,
        }
    }

    /// The expression, where it is no column.
    pub fn as_formula(&self) -> Option<&Formula> {
        match self {
            Term::Column(_) => None,
            Term::Formula(formula) => Some(formula),
        }
    }

    /// Its type, where that is known.
    pub fn ty<'t>(&'t self, view: &FlatView, catalog: &'t Catalog) -> Option<&'t SqlType> {
        match self {
            Term::Column(column) => Some(&catalog.table(&view.use_of(*column).table).columns[column.column].ty),
            Term::Formula(formula) => formula.ty.as_ref(),
        }
    }
}

impl Expr {
    /// As pieces of a formula around it.
    fn pieces(&self) -> Option<Vec<Piece>> {
        match (&self.kind, &self.formula) {
            (ExprKind::Column(column), _) => Some(vec![Piece::Column(*column)]),
            (ExprKind::Either(alternative, list), _) => {
                let all = list.iter().map(Expr::pieces).collect::<Option<Vec<_>>>()?;
                Some(vec![Piece::Either(*alternative, all)])
            }
            (_, Some(formula)) => {
                let mut pieces = vec![Piece::Text("(".into())];
                pieces.extend(formula.pieces.iter().cloned());
                pieces.push(Piece::Text(")".into()));
                Some(pieces)
            }
            _ => None,
        }
    }

    /// As text, with the calls that it reads.
    fn assembled(&self) -> Option<Element> {
        if let Some(pieces) = self.pieces() {
            return Some(Element::of_columns(pieces));
        }
        let element = self.element.as_deref()?;
        let mut pieces = vec![Piece::Text("(".into())];
        pieces.extend(element.pieces.iter().cloned());
        pieces.push(Piece::Text(")".into()));
        Some(Element { pieces, ..element.clone() })
    }

    /// From now on it is seen also where there is no element.
    pub(super) fn make_element_nullable(&mut self) {
        self.element = self.element.take().map(|e| Arc::new(Element { nullable: true, ..e.as_ref().clone() }));
    }
}

/// Whether a function never makes NULL in its n-th column.
fn is_never_null(function: &str, n: usize, arguments: usize) -> bool {
    match function {
        "generate_series" | "generate_subscripts" | "regexp_split_to_table" => true,
        "json_each" | "json_each_text" | "jsonb_each" | "jsonb_each_text" => n == 0,
        "json_object_keys" | "jsonb_object_keys" => true,
        // The third one says what is read as NULL.
        "string_to_table" => arguments == 2,
        _ => false,
    }
}

/// Adds calls that are not there yet.
fn add_calls(calls: &mut Vec<Vec<Piece>>, more: Vec<Vec<Piece>>) {
    for call in more {
        if !calls.contains(&call) {
            calls.push(call);
        }
    }
}

/// Of the text.
fn length(pieces: &[Piece]) -> usize {
    let one = |piece: &Piece| match piece {
        Piece::Text(text) => text.len(),
        Piece::Column(_) => 1,
        Piece::Either(_, list) => list.iter().map(|pieces| length(pieces)).sum(),
    };
    pieces.iter().map(one).sum()
}

impl<'a> Resolver<'a> {
    /// Adds its formula to an expression that is no column; the expression has been resolved already, and may read more
    /// than columns.
    pub(super) fn with_formula(&mut self, expr: Expr, ast: &'a Ast) -> Expr {
        // `GROUP BY (x / 10)` and `x / 10` are the same.
        if let Ast::Nested(inner) = ast {
            return self.with_formula(expr, inner);
        }
        let plain = matches!(expr.kind, ExprKind::Apply(_) | ExprKind::Coalesce(_) | ExprKind::Constant);
        if !plain || expr.formula.is_some() || expr.element.is_some() {
            return expr;
        }
        let Some(element) = self.assemble(ast) else { return expr };
        match element.calls.is_empty() {
            true => {
                let null_in_null_out = self.operand_passes_null(ast);
                Expr { formula: Some(self.formula(element.pieces, ast, null_in_null_out)), ..expr }
            }
            false => {
                let (null_in_null_out, ty) = (self.operand_passes_null(ast), self.type_of(ast));
                let (strict, finite, may_fail) =
                    (self.strict_columns(ast), self.finite_columns(ast), self.may_fail(ast));
                let element = Element { strict, finite, null_in_null_out, ty, may_fail, ..element };
                Expr { element: Some(Arc::new(element)), ..expr }
            }
        }
    }

    /// A condition as a formula: that it holds, or holds of an element.
    pub(super) fn holding(&mut self, ast: &'a Ast) -> Option<Arc<Formula>> {
        let element = self.assemble(ast)?;
        if element.calls.is_empty() {
            let null_in_null_out = self.passes_null(ast);
            return Some(self.formula(element.pieces, ast, null_in_null_out));
        }
        if element.nullable && !self.passes_null(ast) {
            return None;
        }
        // There is no element of NULL, and none for which a comparison with NULL holds.
        let null_in_null_out = element.empty_for_null && self.passes_null(ast);
        let may_fail = self.may_fail(ast);
        let pieces = element.exists();
        Some(Arc::new(Formula {
            pieces,
            null_in_null_out,
            may_fail,
            any_of: Some(Arc::new(element)),
            ..Formula::default()
        }))
    }

    /// A condition on elements of one row, as what has a value for each of them.
    pub(super) fn of_elements(&mut self, ast: &'a Ast) -> Option<Arc<Formula>> {
        let element = self.assemble(ast)?;
        let may_fail = self.may_fail(ast);
        Element { may_fail, ..element }.as_formula()
    }

    fn formula(&mut self, pieces: Vec<Piece>, ast: &'a Ast, null_in_null_out: bool) -> Arc<Formula> {
        let (ty, strict, may_fail) = (self.type_of(ast), self.strict_columns(ast), self.may_fail(ast));
        let finite = self.finite_columns(ast);
        Arc::new(Formula { pieces, ty, strict, finite, null_in_null_out, may_fail, ..Formula::default() })
    }

    /// The columns of a set-returning function in FROM: none where its arguments are more than functions of columns.
    pub(super) fn elements(
        &self,
        function: &str,
        arguments: &[Expr],
        ordinality: bool,
        columns: &[&Ident],
    ) -> Vec<Arc<Element>> {
        let Some(read) = arguments.iter().map(Expr::assembled).collect::<Option<Vec<Element>>>() else {
            return Vec::new();
        };
        let name = format!("{ROWS_OF_FUNCTION}{}", self.flat.derived.len());
        let shown = columns.iter().map(|c| c.sql()).collect::<Vec<_>>().join(", ");
        let (mut call, mut calls, mut nullable) = (vec![Piece::Text(format!("{function}("))], Vec::new(), false);
        // Of several arrays, the shorter ones are filled up.
        let mut empty_for_null =
            arguments.iter().all(Expr::passes_null) && (function != "unnest" || arguments.len() == 1);
        for (n, argument) in read.into_iter().enumerate() {
            call.extend((n > 0).then(|| Piece::Text(", ".into())));
            call.extend(argument.pieces);
            add_calls(&mut calls, argument.calls);
            nullable |= argument.nullable;
            empty_for_null &= argument.empty_for_null;
        }
        let ordinality = if ordinality { " WITH ORDINALITY" } else { "" };
        call.push(Piece::Text(format!("){ordinality} AS {name} ({shown})")));
        calls.push(call);
        let column = |(n, c): (usize, &&Ident)| {
            let pieces = vec![Piece::Text(format!("{name}.{}", c.sql()))];
            let numbered = !ordinality.is_empty() && n + 1 == columns.len();
            let ty = if numbered {
                Some(super::typing::builtin("bigint"))
            } else {
                self.element_type(function, arguments, n)
            };
            let calls = calls.clone();
            let strict = (numbered || is_never_null(function, n, arguments.len())).then(Vec::new);
            Arc::new(Element {
                pieces,
                calls,
                nullable,
                strict,
                null_in_null_out: true,
                empty_for_null,
                ty,
                ..Element::default()
            })
        };
        columns.iter().enumerate().map(column).collect()
    }

    /// The columns of VALUES; none where they read more than columns and elements. `written` is by column, `rows` by row.
    pub(super) fn elements_of_values(
        &mut self,
        rows: &[Vec<Expr>],
        names: &[Ident],
        written: &[Vec<&'a Ast>],
    ) -> Vec<Arc<Element>> {
        let name = format!("{ROWS_OF_FUNCTION}{}", self.flat.derived.len());
        let text = |text: &str| Piece::Text(text.to_owned());
        let (mut call, mut calls, mut nullable) = (vec![text("(VALUES ")], Vec::new(), false);
        for (n, row) in rows.iter().enumerate() {
            call.push(text(if n == 0 { "(" } else { "), (" }));
            for (m, value) in row.iter().enumerate() {
                let Some(value) = value.assembled() else { return Vec::new() };
                call.extend((m > 0).then(|| text(", ")));
                call.extend(value.pieces);
                add_calls(&mut calls, value.calls);
                nullable |= value.nullable;
            }
        }
        let shown = names.iter().map(Ident::sql).collect::<Vec<_>>().join(", ");
        call.push(text(&format!(")) AS {name} ({shown})")));
        calls.push(call);
        // Each column has a copy.
        self.size.values += calls.iter().map(|call| length(call)).sum::<usize>() * names.len();
        if self.size.values > MAX_LENGTH_OF_VALUES {
            return Vec::new();
        }
        let column = |(column, written): (&Ident, &Vec<&'a Ast>)| {
            let may_fail = written.iter().any(|ast| self.may_fail(ast));
            let (ty, strict) = (self.common_type(written), self.strict_list(written));
            let finite = written.iter().flat_map(|ast| self.finite_columns(ast)).collect();
            let pieces = vec![text(&format!("{name}.{}", column.sql()))];
            Arc::new(Element {
                pieces,
                calls: calls.clone(),
                nullable,
                strict,
                finite,
                ty,
                may_fail,
                ..Element::default()
            })
        };
        names.iter().zip(written).map(column).collect()
    }

    /// The text of an expression that has been resolved already; `None` where it reads more than columns and elements.
    fn assemble(&mut self, ast: &'a Ast) -> Option<Element> {
        let statement = self.statement;
        let narrow = statement.tokens_of(ast.span()).filter(|tokens| tokens.len() <= MAX_TOKENS)?;
        let mut mentions = Vec::new();
        self.mentions(ast, &mut mentions)?;
        let range = self.exact(narrow, ast)?;
        let mut holes: Vec<(Range<usize>, Vec<Piece>)> = Vec::with_capacity(mentions.len());
        let (mut calls, mut nullable, mut empty_for_null) = (Vec::new(), false, true);
        let mut length =
            range.clone().map(|at| statement.tokens[at].1.end - statement.tokens[at].1.start).sum::<usize>();
        for (place, expr) in mentions {
            let mentioned = expr.assembled()?;
            let called = mentioned.calls.iter().flatten();
            length += mentioned.pieces.iter().chain(called).map(Piece::length).sum::<usize>();
            if length > MAX_LENGTH {
                return None;
            }
            add_calls(&mut calls, mentioned.calls);
            nullable |= mentioned.nullable;
            empty_for_null &= mentioned.empty_for_null;
            holes.push((statement.tokens_of(place)?, mentioned.pieces));
        }
        holes.sort_by_key(|(tokens, _)| tokens.start);
        let inside = |hole: &Range<usize>| range.start <= hole.start && hole.end <= range.end;
        let apart = holes.windows(2).all(|w| w[0].0.end <= w[1].0.start);
        if !apart || !holes.iter().all(|(tokens, _)| inside(tokens)) {
            return None;
        }
        let pieces = self.cut(range, holes);
        // The functions that it is copied into are quoted with that.
        if pieces.iter().any(|p| matches!(p, Piece::Text(text) if text.contains("$tview$"))) {
            return None;
        }
        Some(Element { calls, nullable, empty_for_null, ..Element::of_columns(pieces) })
    }

    /// The tokens of a range with the holes filled; white space and comments become single blanks.
    fn cut(&self, range: Range<usize>, holes: Vec<(Range<usize>, Vec<Piece>)>) -> Vec<Piece> {
        let tokens = &self.statement.tokens;
        let mut pieces = Vec::new();
        let mut text = String::new();
        let mut holes = holes.into_iter().peekable();
        let mut at = range.start;
        while at < range.end {
            if at > range.start && tokens[at - 1].1.end < tokens[at].1.start {
                text.push(' ');
            }
            match holes.next_if(|(hole, _)| hole.start == at) {
                Some((hole, filling)) => {
                    if !text.is_empty() {
                        pieces.push(Piece::Text(std::mem::take(&mut text)));
                    }
                    pieces.extend(filling);
                    at = hole.end;
                }
                None => {
                    let written = self.places.text(tokens[at].1);
                    match &tokens[at].0 {
                        Token::Word(word) if word.quote_style.is_none() => text += &written.to_ascii_lowercase(),
                        _ => text += written,
                    }
                    at += 1;
                }
            }
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        pieces
    }

    /// The mentions of columns in an expression with their places, or `None` where it is more than a function of columns.
    pub(super) fn mentions(&mut self, ast: &'a Ast, found: &mut Vec<(Place, Expr)>) -> Option<()> {
        match ast {
            Ast::Identifier(_) | Ast::CompoundIdentifier(_) => {
                let expr = self.known(ast)?;
                found.push((ast.span(), expr));
                Some(())
            }
            Ast::Value(_) | Ast::TypedString(_) => Some(()),
            Ast::Nested(inner) => self.mentions(inner, found),
            Ast::Cast { expr, .. } => self.mentions(expr, found),
            Ast::Function(call) => {
                for argument in plain_arguments(call)? {
                    self.mentions(argument, found)?;
                }
                Some(())
            }
            other => {
                let operands = match Subscripts::of_column(other) {
                    Some(subscripts) => {
                        let array = self.known_array(&subscripts, other)?;
                        found.push((subscripts.place()?, array));
                        subscripts.indexes
                    }
                    None => operands(other)?,
                };
                for operand in operands {
                    self.mentions(operand, found)?;
                }
                Some(())
            }
        }
    }

    /// A name that has been resolved before, without reporting or counting anything.
    pub(super) fn known(&mut self, ast: &'a Ast) -> Option<Expr> {
        let (before, size) = (self.found.len(), self.size);
        let expr = self.expr(ast, super::TOP).ok();
        self.found.truncate(before);
        self.size = size;
        expr
    }

    /// The tokens of an expression. The parser's place of it is widened until what stands there parses to it.
    fn exact(&mut self, narrow: Range<usize>, ast: &'a Ast) -> Option<Range<usize>> {
        let statement = self.statement;
        for extra in 0..=MAX_WIDENING {
            for left in 0..=extra {
                let end = narrow.end + extra - left;
                let Some(start) = narrow.start.checked_sub(left).filter(|_| end <= statement.tokens.len()) else {
                    continue;
                };
                // Most of what is no expression need not be parsed to see that.
                if !is_balanced(statement, start..end) {
                    continue;
                }
                if !self.may_reread(end - start) {
                    return None;
                }
                if parses_to(statement, start..end, ast) {
                    return Some(start..end);
                }
            }
        }
        None
    }
}

/// The arguments of a call that is nothing but a function of them.
pub(super) fn plain_arguments(call: &sqlparser::ast::Function) -> Option<Vec<&Ast>> {
    let is_aggregate = call.name.0.last().and_then(|p| p.as_ident()).is_none_or(|name| {
        let name = name.value.to_ascii_lowercase();
        matches!(
            super::functions::classify(&name, 1),
            super::functions::Class::Aggregate | super::functions::Class::SetReturning
        )
    });
    if is_aggregate || call.over.is_some() || call.filter.is_some() || !call.within_group.is_empty() {
        return None;
    }
    match &call.args {
        FunctionArguments::None => Some(Vec::new()),
        FunctionArguments::Subquery(_) => None,
        FunctionArguments::List(list) if list.clauses.is_empty() && list.duplicate_treatment.is_none() => list
            .args
            .iter()
            .map(|argument| match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
                _ => None,
            })
            .collect(),
        FunctionArguments::List(_) => None,
    }
}

/// Whether every parenthesis and bracket of a range has its partner in it.
fn is_balanced(statement: &Statement, range: Range<usize>) -> bool {
    let mut open = 0_usize;
    for (token, _) in &statement.tokens[range] {
        match token {
            Token::LParen | Token::LBracket => open += 1,
            Token::RParen | Token::RBracket if open == 0 => return false,
            Token::RParen | Token::RBracket => open -= 1,
            _ => {}
        }
    }
    open == 0
}

fn parses_to(statement: &Statement, range: Range<usize>, ast: &Ast) -> bool {
    let tokens = range.map(|at| TokenWithSpan { token: statement.tokens[at].0.clone(), span: statement.locations[at] });
    let mut parser = Parser::new(&PostgreSqlDialect {}).with_tokens_with_locations(tokens.collect());
    parser.parse_expr().is_ok_and(|parsed| &parsed == ast) && parser.peek_token().token == Token::EOF
}
