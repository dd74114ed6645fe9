//! Names of output columns, and what can be told from the parsed form alone.
//!
//! In: parsed expressions. Out: the name PostgreSQL gives an output column without AS, or `None`
//! where the compiler would have to guess.

use sqlparser::ast::{
    AccessExpr, Expr, GroupByExpr, ObjectName, Query, Select, SelectItem, SetExpr, TableFactor, TableWithJoins,
};

use super::functions::json_result;
use crate::names::Ident;

/// A parsed identifier, folded.
pub fn ident(ident: &sqlparser::ast::Ident) -> Ident {
    match ident.quote_style {
        Some(_) => Ident::new(ident.value.clone()),
        None => Ident::fold(&ident.value),
    }
}

/// A parsed name as folded parts; `None` where a part is not an identifier.
pub fn parts(name: &ObjectName) -> Option<Vec<Ident>> {
    name.0.iter().map(|part| part.as_ident().map(ident)).collect()
}

/// The name of an output column that has no AS.
pub fn output_name(expr: &Expr) -> Option<Ident> {
    match expr {
        Expr::Identifier(name) => Some(ident(name)),
        Expr::CompoundIdentifier(names) => names.last().map(ident),
        Expr::Function(call) => parts(&call.name)?.pop(),
        Expr::Nested(inner) | Expr::Collate { expr: inner, .. } => output_name(inner),
        Expr::Cast { expr: inner, .. } => match inner.as_ref() {
            Expr::Value(_) => None,
            named => output_name(named),
        },
        Expr::CompoundFieldAccess { access_chain, .. } => match access_chain.last() {
            Some(AccessExpr::Dot(Expr::Identifier(name))) => Some(ident(name)),
            _ => None,
        },
        Expr::Exists { negated: false, .. } => Some(Ident::new("exists")),
        Expr::Subquery(query) => match query.body.as_ref() {
            SetExpr::Select(select) => match select.projection.as_slice() {
                [SelectItem::UnnamedExpr(inner)] => output_name(inner),
                [SelectItem::ExprWithAlias { alias, .. }] => Some(ident(alias)),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

/// Whether a query that could not be resolved seems to build documents: a json function or a
/// cast to json stands in its select list, or in that of a CTE or a derived table, which it may show. Only decides
/// between an error and a note.
pub fn looks_like_json(query: &Query) -> bool {
    let ctes = query.with.iter().flat_map(|with| &with.cte_tables);
    ctes.into_iter().any(|cte| looks_like_json(&cte.query))
        || selects(&query.body).iter().any(|select| {
            let item = |item: &SelectItem| match item {
                SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => is_json(expr),
                _ => false,
            };
            select.projection.iter().any(item) || select.from.iter().any(tables_look_like_json)
        })
}

/// Whether a derived table among joined ones does.
fn tables_look_like_json(tables: &TableWithJoins) -> bool {
    let factors = std::iter::once(&tables.relation).chain(tables.joins.iter().map(|j| &j.relation));
    factors.into_iter().any(|factor| match factor {
        TableFactor::Derived { subquery, .. } => looks_like_json(subquery),
        TableFactor::NestedJoin { table_with_joins, .. } => tables_look_like_json(table_with_joins),
        _ => false,
    })
}

/// The SELECTs of a query, through set operations and parentheses.
fn selects(body: &SetExpr) -> Vec<&Select> {
    match body {
        SetExpr::Select(select) => vec![select],
        SetExpr::Query(query) => selects(&query.body),
        SetExpr::SetOperation { left, right, .. } => {
            let mut both = selects(left);
            both.extend(selects(right));
            both
        }
        _ => Vec::new(),
    }
}

fn is_json(expr: &Expr) -> bool {
    match expr {
        Expr::Function(call) => match parts(&call.name).and_then(|mut p| p.pop()) {
            Some(name) if name.as_str() == "coalesce" => mentions_json(expr),
            Some(name) => json_result(name.as_str()).is_some(),
            None => false,
        },
        Expr::Cast { data_type, .. } => {
            matches!(data_type, sqlparser::ast::DataType::JSON | sqlparser::ast::DataType::JSONB)
        }
        Expr::Nested(inner) => is_json(inner),
        Expr::Subquery(query) => looks_like_json(query),
        Expr::Array(array) => array.elem.iter().any(is_json),
        // Every other expression: err on the side of an error, which nobody overlooks.
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Value(_) => false,
        other => mentions_json(other),
    }
}

fn mentions_json(expr: &Expr) -> bool {
    expr.to_string().to_ascii_lowercase().contains("json")
}

/// Whether GROUP BY is absent or a plain list of expressions.
pub fn plain_grouping(group_by: &GroupByExpr) -> bool {
    let plain = |e: &Expr| !matches!(e, Expr::GroupingSets(_) | Expr::Cube(_) | Expr::Rollup(_) | Expr::Tuple(_));
    matches!(group_by, GroupByExpr::Expressions(list, modifiers) if modifiers.is_empty() && list.iter().all(plain))
}
