//! Which expressions are documents: json, jsonb, arrays of them, and domains over these.
//!
//! In: types, and expressions whose operands have been resolved. Out: the [`JsonType`] of their values. What always holds:
//! an expression without one is not of these types, as far as its form tells; what is overlooked here is no document, and
//! its view, where it has no other, stays a view.

use sqlparser::ast::{AccessExpr, ArrayElemTypeDef, BinaryOperator as Op, DataType, Expr as Ast, Subscript};

use super::functions::json_result;
use super::naming::parts;
use super::query::Resolver;
use super::{Expr, JsonType};
use crate::catalog::{SqlType, TypeClass};
use crate::names::QualName;

/// Functions that give one of their arguments.
const CHOOSING: &[&str] = &["coalesce", "nullif", "greatest", "least"];

/// Functions of an array that give an array of the same type.
const OF_ARRAYS: &[&str] =
    &["array_append", "array_cat", "array_prepend", "array_remove", "array_replace", "array_shuffle", "trim_array"];

/// Window functions that give a value of another row.
const OF_OTHER_ROWS: &[&str] = &["first_value", "lag", "last_value", "lead", "nth_value"];

/// Of a column or a function's result of this type.
pub(super) fn of_type(ty: &SqlType) -> Option<JsonType> {
    let (base, below) = match &ty.class {
        TypeClass::Domain(below) => (below.base.as_str(), below.dimensions),
        _ => (ty.base.as_str(), 0),
    };
    of_name(base, ty.dimensions + below)
}

fn of_name(base: &str, dimensions: u32) -> Option<JsonType> {
    let json = match base {
        "json" => JsonType::Json,
        "jsonb" => JsonType::Jsonb,
        _ => return None,
    };
    Some(if dimensions > 0 { json.array() } else { json })
}

/// Of the values that one of several expressions has: arrays first, because an element can be appended to one.
pub(super) fn of_any<'e>(list: impl IntoIterator<Item = &'e Expr>) -> Option<JsonType> {
    list.into_iter().filter_map(|e| e.json).max_by_key(|json| json.is_array())
}

/// Of a call of a function of PostgreSQL's own.
pub(super) fn of_call(name: &str, arguments: &[Expr]) -> Option<JsonType> {
    match name {
        "array_agg" => arguments.first().and_then(|a| a.json).map(JsonType::array),
        _ if CHOOSING.contains(&name) => of_any(arguments),
        _ if OF_ARRAYS.contains(&name) => of_any(arguments).filter(|json| json.is_array()),
        _ => json_result(name),
    }
}

/// Of a window function.
pub(super) fn of_window(name: &str, arguments: &[Expr]) -> Option<JsonType> {
    match OF_OTHER_ROWS.contains(&name) {
        true => arguments.first().and_then(|a| a.json),
        false => of_call(name, arguments),
    }
}

/// Of an operator, CASE, a subscript or an array of these operands.
pub(super) fn of_form(ast: &Ast, operands: &[Expr]) -> Option<JsonType> {
    match ast {
        Ast::BinaryOp { op: Op::Arrow | Op::HashArrow | Op::StringConcat | Op::Minus | Op::HashMinus, .. }
        | Ast::Case { .. } => of_any(operands),
        Ast::Array(_) => of_any(operands).map(JsonType::array),
        Ast::CompoundFieldAccess { access_chain, .. } => {
            let slice = |a: &AccessExpr| matches!(a, AccessExpr::Subscript(Subscript::Slice { .. }));
            let root = operands.first().and_then(|root| root.json)?;
            Some(if access_chain.iter().any(slice) { root } else { root.element() })
        }
        _ => None,
    }
}

impl Resolver<'_> {
    /// Of a cast to this type, and whether it is a domain.
    pub(super) fn cast_json(&self, ty: &DataType) -> (Option<JsonType>, bool) {
        match ty {
            DataType::JSON => (Some(JsonType::Json), false),
            DataType::JSONB => (Some(JsonType::Jsonb), false),
            DataType::Array(
                ArrayElemTypeDef::SquareBracket(element, _)
                | ArrayElemTypeDef::Qualified(element, _)
                | ArrayElemTypeDef::AngleBracket(element)
                | ArrayElemTypeDef::Parenthesis(element),
            ) => {
                let (json, is_domain) = self.cast_json(element);
                (json.map(JsonType::array), is_domain)
            }
            DataType::Custom(name, _) => {
                let names = parts(name).unwrap_or_default();
                if let [schema, name] = names.as_slice()
                    && schema.as_str() == "pg_catalog"
                {
                    return (of_name(name.as_str(), 0), false);
                }
                let types = &self.catalog.types;
                let found = match names.as_slice() {
                    [name] => self.search_path.iter().find_map(|s| types.get(&QualName::new(s.clone(), name.clone()))),
                    [schema, name] => types.get(&QualName::new(schema.clone(), name.clone())),
                    _ => None,
                };
                match found.map(|ty| &ty.class) {
                    Some(TypeClass::Domain(below)) => (of_name(&below.base, below.dimensions), true),
                    _ => (None, false),
                }
            }
            _ => (None, false),
        }
    }
}
