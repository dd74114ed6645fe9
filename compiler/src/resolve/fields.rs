//! Fields of composite values: `(p.place).city`.
//!
//! In: such an expression. Out: the value that it is a field of, and the field's type. What always holds: the field is one of a
//! type whose attributes are known, because `(x).f` calls the function `f` where x has no field of that name, and that function
//! may read anything.

use sqlparser::ast::{AccessExpr, Expr as Ast, Subscript};

use super::query::{Refused, Resolved, Resolver};
use super::{BlockId, Expr, ExprKind, json};
use crate::catalog::{Column, Relation, SqlType, TypeClass};
use crate::diagnostics::{Code, Diagnostic};
use crate::names::Ident;
use crate::resolve::naming::ident;

/// What stands before the dots, and behind them.
pub(super) fn of_value(ast: &Ast) -> Option<(&Ast, &[AccessExpr])> {
    match ast {
        Ast::CompoundFieldAccess { root, access_chain }
            if matches!(root.as_ref(), Ast::Nested(_)) && matches!(access_chain.first(), Some(AccessExpr::Dot(_))) =>
        {
            Some((root, access_chain))
        }
        _ => None,
    }
}

fn field(access: &AccessExpr) -> Option<Ident> {
    match access {
        AccessExpr::Dot(Ast::Identifier(name)) => Some(ident(name)),
        _ => None,
    }
}

impl<'a> Resolver<'a> {
    pub(super) fn composite_field(&mut self, ast: &'a Ast, block: BlockId) -> Resolved<Expr> {
        let span = self.span(ast);
        let Some((root, chain)) = of_value(ast) else { return Err(self.no_such_form(span)) };
        let value = self.expr(root, block)?;
        // Of a whole row of the FROM clause the column itself is read.
        let (value, chain) = match (&value.kind, value.json, field(&chain[0])) {
            (ExprKind::Object(columns), None, Some(first)) => {
                match columns.iter().find(|(name, _)| *name == first.as_str()) {
                    Some((_, column)) if chain.len() == 1 => return Ok(Expr { span, ..column.clone() }),
                    _ => return Err(self.no_such_field(&first, span)),
                }
            }
            _ => (value, chain),
        };
        let Some(ty) = self.field_type(root, chain) else {
            let name = chain.iter().rev().find_map(field).unwrap_or_else(|| Ident::new("…"));
            return Err(self.no_such_field(&name, span));
        };
        let mut operands = vec![value];
        for index in chain.iter().filter_map(index) {
            operands.push(self.expr(index, block)?);
        }
        Ok(Expr { json: json::of_type(&ty), ..Expr::plain(span, ExprKind::Apply(operands)) })
    }

    /// The type of what stands behind the dots; `None` where it is not known to be a field.
    pub(super) fn field_type(&mut self, root: &'a Ast, chain: &[AccessExpr]) -> Option<SqlType> {
        let mut ty = self.type_of(root)?;
        for access in chain {
            ty = match (field(access), index(access)) {
                (Some(name), _) => self.attributes(&ty)?.iter().find(|c| c.name == name)?.ty.clone(),
                (None, Some(_)) if ty.dimensions == 1 && !matches!(ty.class, TypeClass::Domain(_)) => {
                    let sql = ty.sql.strip_suffix("[]")?.to_owned();
                    SqlType { sql, dimensions: 0, ..ty }
                }
                _ => return None,
            };
        }
        Some(ty)
    }

    /// The attributes of a composite type: of one that is declared as such, or of a table's rows.
    fn attributes(&self, ty: &SqlType) -> Option<&'a [Column]> {
        let composite = ty.underlying();
        if ty.dimensions + composite.dimensions > 0 || composite.class != TypeClass::Composite {
            return None;
        }
        if let Some((_, attributes)) = self.catalog.composites.iter().find(|(name, _)| name.sql() == composite.base) {
            return Some(attributes);
        }
        match self.catalog.relations.iter().find(|(name, _)| name.sql() == composite.base) {
            Some((_, Relation::Table(table))) => Some(&table.columns),
            _ => None,
        }
    }

    fn no_such_field(&mut self, name: &Ident, span: crate::source::Span) -> Refused {
        self.refuse(
            Diagnostic::new(Code::UnsupportedExpr, format!("`{name}` is not known to be a field of this value"), span)
                .note("what is no field is a call of the function of that name, and what that reads is not known")
                .help("give the file with the type's CREATE TYPE, for example with `--schema schema.sql`")
                .help("or select the field in a query in FROM, or write the function's call"),
        )
    }
}

/// The expression of a subscript.
fn index(access: &AccessExpr) -> Option<&Ast> {
    match access {
        AccessExpr::Subscript(Subscript::Index { index }) => Some(index),
        _ => None,
    }
}
