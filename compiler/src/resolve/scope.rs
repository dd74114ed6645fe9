//! Scopes: what a name in an expression may mean.
//!
//! In: the relations of a FROM clause with their output columns. Out: the column or whole row a
//! name stands for, by PostgreSQL's rules: the innermost scope that knows the name wins, a name
//! known twice in one scope is ambiguous, `JOIN … USING` merges columns.

use super::Expr;
use crate::names::Ident;

/// One relation of a FROM clause.
#[derive(Clone)]
pub struct Item {
    /// The alias, or the relation's own name.
    pub name: Ident,
    /// The schema, where the name is the relation's own.
    pub schema: Option<Ident>,
    /// Output columns in order.
    pub columns: Vec<(Ident, Expr)>,
    /// Columns that USING has merged away for unqualified names and `*`.
    pub hidden: Vec<bool>,
}

/// The relations visible in one block.
#[derive(Default)]
pub struct Scope {
    /// In order.
    pub items: Vec<Item>,
    /// Columns merged by USING.
    pub merged: Vec<(Ident, Expr)>,
}

/// What was found.
pub enum Found<'s> {
    /// A column.
    Column(&'s Expr),
    /// A whole row.
    Row(&'s Item),
    /// More than one column of that name.
    Ambiguous(Vec<Ident>),
    /// Nothing.
    Nothing,
}

/// An unqualified name, from the innermost scope (last) outwards.
pub fn unqualified<'s>(scopes: &'s [Scope], name: &Ident) -> Found<'s> {
    for scope in scopes.iter().rev() {
        let merged = scope.merged.iter().filter(|(n, _)| n == name).map(|(n, e)| (n, e));
        let plain = scope.items.iter().flat_map(|item| {
            let visible = item.columns.iter().zip(&item.hidden).filter(|(_, hidden)| !**hidden);
            visible.filter(|((n, _), _)| n == name).map(|((_, e), _)| (&item.name, e))
        });
        let matches: Vec<(&Ident, &Expr)> = merged.chain(plain).collect();
        match matches.as_slice() {
            [] => continue,
            [(_, expr)] => return Found::Column(expr),
            several => return Found::Ambiguous(several.iter().map(|(n, _)| (*n).clone()).collect()),
        }
    }
    let mut items = scopes.iter().rev().flat_map(|s| &s.items);
    items.find(|i| &i.name == name).map_or(Found::Nothing, Found::Row)
}

/// A relation by alias.
pub fn relation<'s>(scopes: &'s [Scope], schema: Option<&Ident>, name: &Ident) -> Option<&'s Item> {
    let fits = |i: &&Item| &i.name == name && (schema.is_none() || i.schema.as_ref() == schema);
    scopes.iter().rev().flat_map(|s| &s.items).find(fits)
}

/// Every name that an unqualified reference could have meant, for suggestions.
pub fn candidates(scopes: &[Scope]) -> Vec<&str> {
    let items = scopes.iter().flat_map(|s| &s.items);
    items.flat_map(|i| i.columns.iter().map(|(n, _)| n.as_str())).collect()
}
