//! Elements and slices of arrays: `p.tags[1]`.
//!
//! In: such an expression. Out: the column that it is taken from, its indexes, and the element's type. What always holds: where no
//! parentheses are around it, the parser takes the column for a field of `p`; here it is a column again.

use sqlparser::ast::{AccessExpr, Expr as Ast, Ident as Written, Subscript};
use sqlparser::tokenizer::Span as Place;

use super::naming::ident;
use super::query::{Resolved, Resolver};
use super::{BlockId, Expr, ExprKind, json};
use crate::catalog::{SqlType, TypeClass};
use crate::names::Ident;

/// A qualified column with subscripts behind it.
pub(super) struct Subscripts<'a> {
    /// Schema, relation and column, as far as they are written.
    names: Vec<&'a Written>,
    pub(super) indexes: Vec<&'a Ast>,
}

impl<'a> Subscripts<'a> {
    /// `p.tags[1]`.
    pub(super) fn of_column(ast: &'a Ast) -> Option<Self> {
        let Ast::CompoundFieldAccess { root, access_chain } = ast else { return None };
        let Ast::Identifier(first) = root.as_ref() else { return None };
        let dots = access_chain.iter().take_while(|a| matches!(a, AccessExpr::Dot(_))).count();
        let named = |access: &'a AccessExpr| match access {
            AccessExpr::Dot(Ast::Identifier(name)) => Some(name),
            _ => None,
        };
        let rest: Option<Vec<&Written>> = access_chain[..dots].iter().map(named).collect();
        let names: Vec<&Written> = std::iter::once(first).chain(rest?).collect();
        (dots > 0).then_some(())?;
        Some(Subscripts { names, indexes: Self::of(&access_chain[dots..])? })
    }

    /// The indexes and bounds of subscripts.
    pub(super) fn of(chain: &[AccessExpr]) -> Option<Vec<&Ast>> {
        let mut all = Vec::new();
        for access in chain {
            match access {
                AccessExpr::Subscript(Subscript::Index { index }) => all.push(index),
                AccessExpr::Subscript(Subscript::Slice { lower_bound, upper_bound, stride: None }) => {
                    all.extend(lower_bound.iter().chain(upper_bound));
                }
                _ => return None,
            }
        }
        Some(all)
    }

    /// Where the column stands.
    pub(super) fn place(&self) -> Option<Place> {
        let (first, last) = (self.names.first()?, self.names.last()?);
        Some(first.span.union(&last.span))
    }
}

impl<'a> Resolver<'a> {
    pub(super) fn subscripted_column(&mut self, ast: &'a Ast, block: BlockId) -> Resolved<Expr> {
        let span = self.span(ast);
        let Some(subscripts) = Subscripts::of_column(ast) else { return Err(self.no_such_form(span)) };
        let mut list = vec![self.qualified_column(&idents(&subscripts.names), span)?];
        list.extend(self.all(&subscripts.indexes, block)?);
        Ok(Expr { json: json::of_form(ast, &list), ..Expr::plain(span, ExprKind::Apply(list)) })
    }

    /// The column before the subscripts, which has been resolved before.
    pub(super) fn known_array(&mut self, subscripts: &Subscripts<'a>, ast: &'a Ast) -> Option<Expr> {
        let (before, span) = (self.found.len(), self.span(ast));
        let expr = self.qualified_column(&idents(&subscripts.names), span).ok();
        self.found.truncate(before);
        expr
    }

    /// The type of an element or a slice.
    pub(super) fn subscripted_type(&mut self, ast: &'a Ast) -> Option<SqlType> {
        let Ast::CompoundFieldAccess { root, access_chain } = ast else { return None };
        let array = match Subscripts::of_column(ast) {
            Some(subscripts) => {
                let array = self.known_array(&subscripts, ast)?;
                self.type_of_resolved(&array)?
            }
            None if Subscripts::of(access_chain).is_some() => self.type_of(root)?,
            None => return None,
        };
        if array.dimensions == 0 || matches!(array.class, TypeClass::Domain(_)) {
            return None;
        }
        let is_slice = |a: &AccessExpr| matches!(a, AccessExpr::Subscript(Subscript::Slice { .. }));
        if access_chain.iter().any(is_slice) {
            return Some(array);
        }
        let sql = array.sql.trim_end_matches("[]").to_owned();
        Some(SqlType { sql, dimensions: 0, ..array })
    }

    /// Whether it is NULL whenever the array or an index is.
    pub(super) fn subscripts_pass_null(&mut self, ast: &'a Ast) -> bool {
        let Ast::CompoundFieldAccess { root, access_chain } = ast else { return false };
        let (array, indexes) = match Subscripts::of_column(ast) {
            Some(subscripts) => {
                (self.known_array(&subscripts, ast).is_some_and(|e| e.passes_null()), Some(subscripts.indexes))
            }
            None => (self.operand_passes_null(root), Subscripts::of(access_chain)),
        };
        array && indexes.is_some_and(|all| all.into_iter().all(|index| self.operand_passes_null(index)))
    }
}

fn idents(names: &[&Written]) -> Vec<Ident> {
    names.iter().map(|name| ident(name)).collect()
}
