//! Which expressions can raise an error.
//!
//! In: a parsed expression. Out: whether it casts a text or a jsonb (or a type that is not known) to something else, or divides, where no CASE
//! guards it. What always holds: a view may keep such an expression from rows that it fails for by another condition, and a link
//! follows the one without the other.

use sqlparser::ast::{BinaryOperator, Expr as Ast, FunctionArg, FunctionArgExpr, FunctionArguments};

use super::expr::operands;
use super::query::Resolver;
use super::subscripts::Subscripts;
use super::typing::is_textual;
use crate::catalog::SqlType;

impl<'a> Resolver<'a> {
    pub(super) fn may_fail(&mut self, ast: &'a Ast) -> bool {
        match ast {
            Ast::Case { .. } => false,
            // Of a view below, or a derived table, it can be the name of such an expression.
            Ast::Identifier(_) | Ast::CompoundIdentifier(_) => self.known(ast).is_some_and(|value| {
                value.formula.is_some_and(|formula| formula.may_fail)
                    || value.element.is_some_and(|element| element.may_fail)
            }),
            Ast::Cast { expr, .. } => {
                let is_constant = matches!(expr.as_ref(), Ast::Value(_));
                let parses =
                    !is_constant && !self.is_text(ast) && self.type_of(expr).is_none_or(|ty| holds_anything(&ty));
                parses || self.may_fail(expr)
            }
            Ast::BinaryOp { left, op: BinaryOperator::Divide | BinaryOperator::Modulo, right } => {
                !matches!(right.as_ref(), Ast::Value(_)) || self.may_fail(left)
            }
            Ast::Nested(inner) => self.may_fail(inner),
            Ast::Function(call) => match &call.args {
                FunctionArguments::List(list) => list.args.iter().any(|argument| match argument {
                    FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => self.may_fail(value),
                    _ => false,
                }),
                _ => false,
            },
            other => {
                // The column before subscripts does not fail.
                let of_column = Subscripts::of_column(other).map(|s| s.indexes);
                of_column.or_else(|| operands(other)).into_iter().flatten().any(|operand| self.may_fail(operand))
            }
        }
    }

    fn is_text(&mut self, ast: &'a Ast) -> bool {
        self.type_of(ast).is_some_and(|ty| is_textual(&ty))
    }
}

/// Whether a value of this type can be one that does not fit another.
fn holds_anything(ty: &SqlType) -> bool {
    is_textual(ty) || ty.dimensions == 0 && ty.base == "jsonb"
}
