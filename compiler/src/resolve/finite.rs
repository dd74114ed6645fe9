//! Fields of times: which are NULL of infinite ones.
//!
//! In: an expression that takes a field out of a time, or formats one. Out: the columns that have to be there, and those that
//! have to be finite, for it not to be NULL. What always holds: of an infinite time `year` and what else only grows is infinite, and
//! neither `month` nor a format gives a value.

use std::collections::BTreeSet;

use sqlparser::ast::{Expr as Ast, Value};

use super::ColumnRef;
use super::formula::plain_arguments;
use super::query::Resolver;
use crate::catalog::SqlType;

/// Fields that an infinite time has: those that only grow.
const GROWING: &[&str] = &["century", "decade", "epoch", "isoyear", "julian", "millennium", "year"];

/// A field or a text of a value.
struct Part<'a> {
    of: &'a Ast,
    /// An infinite time has none.
    of_finite: bool,
}

impl<'a> Resolver<'a> {
    /// The columns that have to be present for `extract`, `date_part` or `to_char` not to be NULL, if its time is finite.
    pub(super) fn strict_part(&mut self, ast: &'a Ast) -> Option<Vec<ColumnRef>> {
        let part = self.part(ast)?;
        let mut mentions = Vec::new();
        self.mentions(part.of, &mut mentions)?;
        // Of an element nothing says that it is finite.
        let is_open = part.of_finite && mentions.iter().any(|(_, value)| value.element.is_some());
        if is_open { None } else { self.strict_columns(part.of) }
    }

    /// The columns that have to be finite for an expression not to be NULL.
    pub(super) fn finite_columns(&mut self, ast: &'a Ast) -> Vec<ColumnRef> {
        let mut columns = BTreeSet::new();
        self.collect_finite(ast, &mut columns);
        columns.into_iter().collect()
    }

    fn collect_finite(&mut self, ast: &'a Ast, columns: &mut BTreeSet<ColumnRef>) {
        if let Some(part) = self.part(ast).filter(|p| p.of_finite) {
            let mut mentions = Vec::new();
            let _ = self.mentions(part.of, &mut mentions);
            columns.extend(mentions.iter().flat_map(|(_, value)| value.as_term()).flat_map(|t| t.columns()));
            return;
        }
        match ast {
            Ast::Identifier(_) | Ast::CompoundIdentifier(_) => {
                let known = self.known(ast);
                let (formula, element) = known.map_or((None, None), |e| (e.formula, e.element));
                columns.extend(formula.iter().flat_map(|f| &f.finite));
                columns.extend(element.iter().flat_map(|e| &e.finite));
            }
            Ast::Cast { expr, .. } | Ast::Nested(expr) => self.collect_finite(expr, columns),
            Ast::Function(call) => {
                let arguments = plain_arguments(call).unwrap_or_default();
                arguments.into_iter().for_each(|a| self.collect_finite(a, columns));
            }
            other => {
                let operands = super::expr::operands(other).unwrap_or_default();
                operands.into_iter().for_each(|o| self.collect_finite(o, columns));
            }
        }
    }

    fn part(&mut self, ast: &'a Ast) -> Option<Part<'a>> {
        let (field, of) = match ast {
            Ast::Extract { field, expr, .. } => (field.to_string(), expr.as_ref()),
            Ast::Function(call) => {
                let arguments = plain_arguments(call)?;
                let &[first, second] = arguments.as_slice() else { return None };
                match self.builtin_name(call)?.as_str() {
                    "date_part" => (literal(first)?, second),
                    "to_char" => return self.formatted(first, second),
                    _ => return None,
                }
            }
            _ => return None,
        };
        let field = field.trim_matches(['\'', '"']).to_ascii_lowercase();
        let times = ["date", "timestamp without time zone", "timestamp with time zone"];
        let ty = self.type_of(of)?;
        // Other values that have fields are finite, or not before PostgreSQL 17.
        is_own(&ty, &times).then(|| Part { of, of_finite: !GROWING.contains(&field.as_str()) })
    }

    fn formatted(&mut self, of: &'a Ast, format: &'a Ast) -> Option<Part<'a>> {
        let ty = self.type_of(of)?;
        // An empty format gives NULL.
        literal(format).filter(|f| !f.is_empty())?;
        let numbers = ["smallint", "integer", "bigint", "numeric", "real", "double precision"];
        let times = ["date", "timestamp without time zone", "timestamp with time zone"];
        match (is_own(&ty, &numbers), is_own(&ty, &times)) {
            (true, _) => Some(Part { of, of_finite: false }),
            (_, true) => Some(Part { of, of_finite: true }),
            _ => None,
        }
    }
}

fn literal(ast: &Ast) -> Option<String> {
    match ast {
        Ast::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(text.clone()),
            _ => None,
        },
        _ => None,
    }
}

fn is_own(ty: &SqlType, names: &[&str]) -> bool {
    let base = ty.underlying();
    ty.dimensions + base.dimensions == 0 && names.contains(&base.base.as_str())
}
