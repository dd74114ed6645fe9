//! Scopes: what a name in an expression may mean.
//!
//! In: the relations of a FROM clause with their output columns. Out: the column or whole row a
//! name stands for, by PostgreSQL's rules: the innermost scope that knows the name wins, a name
//! known twice in one scope is ambiguous, `JOIN … USING` merges columns.

use super::{Expr, ExprKind};
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
    /// A function that returns values: its name means its only column.
    pub is_value: bool,
}

/// A column that an unqualified name or `*` means.
#[derive(Clone)]
pub struct Visible {
    /// The relation that it is of; the left one where USING has merged two.
    pub relation: Ident,
    /// Its name.
    pub name: Ident,
    /// Its value.
    pub expr: Expr,
}

/// Which side a column shows that a join merges.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Merged {
    /// The left one.
    Left,
    /// The right one.
    Right,
    /// Either, by the choice of an alternative.
    Either(usize),
}

/// The relations visible in one block.
#[derive(Default)]
pub struct Scope {
    /// In order.
    pub items: Vec<Item>,
    /// In the order of `*`.
    pub visible: Vec<Visible>,
    /// What stands before the join whose condition is being read.
    pub hidden: Option<Box<Scope>>,
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

impl Scope {
    /// Adds a relation behind the others.
    pub fn add(&mut self, item: Item) {
        let column = |(name, expr): &(Ident, Expr)| Visible {
            relation: item.name.clone(),
            name: name.clone(),
            expr: expr.clone(),
        };
        self.visible.extend(item.columns.iter().map(column));
        self.items.push(item);
    }

    /// Puts the first relations and the first of the visible columns aside.
    pub fn hide(&mut self, items: usize, visible: usize) {
        let (items, visible) = (self.items.drain(..items).collect(), self.visible.drain(..visible).collect());
        self.hidden = Some(Box::new(Scope { items, visible, hidden: self.hidden.take() }));
    }

    /// Puts them back.
    pub fn show(&mut self) {
        if let Some(hidden) = self.hidden.take() {
            self.items.splice(0..0, hidden.items);
            self.visible.splice(0..0, hidden.visible);
            self.hidden = hidden.hidden;
        }
    }

    /// The names that both sides of a join have, in the order of the left one. The sides are the visible columns
    /// from `start` to `middle` and from there on.
    pub fn common(&self, start: usize, middle: usize) -> Vec<Ident> {
        let (left, right) = (&self.visible[start..middle], &self.visible[middle..]);
        left.iter().map(|v| &v.name).filter(|name| right.iter().any(|v| v.name == **name)).cloned().collect()
    }

    /// Merges columns of both sides of a join: they come first, then what is left of the left side, then of the
    /// right. Returns each pair, or the name that is not found once on each side.
    pub fn merge(
        &mut self,
        names: &[Ident],
        start: usize,
        middle: usize,
        shown: Merged,
    ) -> Result<Vec<(Expr, Expr)>, Ident> {
        let mut right = self.visible.split_off(middle);
        let mut left = self.visible.split_off(start);
        let mut pairs = Vec::new();
        for name in names {
            let (Some(l), Some(r)) = (take(&mut left, name), take(&mut right, name)) else { return Err(name.clone()) };
            pairs.push((l.expr.clone(), r.expr.clone()));
            let expr = match shown {
                Merged::Left => l.expr.clone(),
                Merged::Right => r.expr,
                Merged::Either(alternative) => {
                    let (span, json) = (l.expr.span, l.expr.json);
                    let both = ExprKind::Either(alternative, vec![l.expr.clone(), r.expr]);
                    Expr { json, ..Expr::plain(span, both) }
                }
            };
            self.visible.push(Visible { expr, ..l });
        }
        self.visible.extend(left);
        self.visible.extend(right);
        Ok(pairs)
    }
}

/// Takes out the only column of that name.
fn take(side: &mut Vec<Visible>, name: &Ident) -> Option<Visible> {
    let at = side.iter().position(|v| &v.name == name)?;
    let unique = side.iter().filter(|v| &v.name == name).count() == 1;
    unique.then(|| side.remove(at))
}

/// An unqualified name, from the innermost scope (last) outwards.
pub fn unqualified<'s>(scopes: &'s [Scope], name: &Ident) -> Found<'s> {
    for scope in scopes.iter().rev() {
        let matches: Vec<&Visible> = scope.visible.iter().filter(|v| &v.name == name).collect();
        match matches.as_slice() {
            [] => continue,
            [only] => return Found::Column(&only.expr),
            several => return Found::Ambiguous(several.iter().map(|v| v.relation.clone()).collect()),
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
