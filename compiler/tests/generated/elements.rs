//! Arrays whose elements are told apart by a field.
//!
//! In: the relations around. Out: subqueries that aggregate objects with the key of their rows in them: of tables, joined tables and views
//! that were made before, in every form that COALESCE and FILTER have, sorted by columns, expressions and subqueries; two of them over
//! the same rows; and the number of elements that a function makes. Every order is total.

use crate::scope::{Gen, Rel, total_order};
use crate::shapes::Shape;
use crate::subquery::Inner;

impl Gen<'_> {
    /// An array, or two over the same rows in one object.
    pub fn element_arrays(&mut self, scope: &[Rel], depth: usize) -> Option<String> {
        let inner = self.element_rows(scope, depth)?;
        let one = self.element_array(&inner, scope, depth);
        if !self.wants(Shape::TwinArrays) {
            return Some(one);
        }
        let other = self.element_array(&inner, scope, depth.min(1));
        Some(format!("jsonb_build_object('one', {one}, 'n', {}, 'two', {other})", self.scalar(scope)))
    }

    /// One array, as an output column of its own.
    pub fn array_column(&mut self, scope: &[Rel]) -> Option<String> {
        if self.wants(Shape::SortedElements)
            && let Some(array) = self.sorted_array(scope, 2)
        {
            return Some(array);
        }
        let inner = self.element_rows(scope, 2)?;
        Some(self.element_array(&inner, scope, 2))
    }

    fn element_rows(&mut self, scope: &[Rel], depth: usize) -> Option<Inner> {
        if self.wants(Shape::ViewElements)
            && let Some((from, rel, condition)) = self.linked_view(scope)
        {
            let mut inner = Inner { from, rels: vec![rel], conditions: vec![condition] };
            if self.dice.percent(40) {
                let shape = if self.dice.percent(50) { Shape::InnerJoin } else { Shape::LeftJoin };
                self.join_inside(&mut inner, shape);
            }
            return Some(inner);
        }
        self.inner(scope, depth)
    }

    /// A view that was made before and can be linked with what is around.
    fn linked_view(&mut self, scope: &[Rel]) -> Option<(String, Rel, String)> {
        let mut views: Vec<_> = self.earlier.iter().filter(|view| !view.whole && !view.unordered).collect();
        self.dice.shuffle(&mut views);
        for view in views {
            let alias = self.alias("view");
            let (cols, key) = (view.cols.clone(), view.key.clone());
            let rel = Rel { alias: alias.clone(), cols, key, whole: true, base: None };
            if let Some(link) = self.link(&rel, scope, false) {
                self.needs.insert(view.name.clone());
                return Some((format!("{} {alias}", view.name), rel, link.condition));
            }
        }
        None
    }

    /// An array that is sorted by what tells its elements apart, an integer, with rows that others leave out or add to.
    pub fn sorted_array(&mut self, scope: &[Rel], depth: usize) -> Option<String> {
        let (from, rel, link) = self.linked(scope, false)?;
        let [key] = rel.key[..] else { return None };
        if !rel.cols[key].ty.is_integer() {
            return None;
        }
        let mut inner = Inner { from, rels: vec![rel], conditions: vec![link.condition] };
        for how in ["JOIN", "LEFT JOIN"] {
            if self.dice.percent(40)
                && let Some((from, rel, link)) = self.linked(&inner.rels, true)
            {
                let test = if self.dice.percent(30) {
                    format!(" AND {}", self.test(std::slice::from_ref(&rel)))
                } else {
                    String::new()
                };
                inner.from = format!("{} {how} {from} ON {}{test}", inner.from, link.condition);
                inner.rels.push(if how == "JOIN" { rel } else { rel.made_nullable() });
            }
        }
        if self.dice.percent(40) {
            let condition = self.condition(&inner.rels, depth.min(1));
            inner.conditions.push(condition);
        }
        let direction = self.word(&["", " DESC", " ASC"]);
        let order = format!("{}{direction}", inner.rels[0].keys()[0]);
        Some(self.array_in_order(&inner, scope, depth, &order))
    }

    fn element_array(&mut self, inner: &Inner, scope: &[Rel], depth: usize) -> String {
        let order = self.element_order(inner, scope);
        self.array_in_order(inner, scope, depth, &order)
    }

    fn array_in_order(&mut self, inner: &Inner, scope: &[Rel], depth: usize, order: &str) -> String {
        let around: Vec<Rel> = scope.iter().chain(&inner.rels).cloned().collect();
        let keys = inner.rels[0].keys();
        let mut fields: Vec<String> = keys.iter().enumerate().map(|(n, key)| format!("'k{n}', {key}")).collect();
        for n in 0..1 + self.dice.below(3) {
            let value = if self.dice.percent(30) { self.value(&inner.rels, depth) } else { self.value(&around, depth) };
            fields.push(format!("'f{n}', {value}"));
        }
        let filter = match self.wants(Shape::AggFilter) {
            true => format!(" FILTER (WHERE {})", self.condition(&inner.rels, depth.min(1))),
            false => String::new(),
        };
        let array = format!("jsonb_agg(jsonb_build_object({}) ORDER BY {order}){filter}", fields.join(", "));
        // What stands for no element may be anything.
        let none =
            self.word(&["'[]'::jsonb", "'[]'", "'[]'", "'null'", "'{}'::jsonb", "NULL, '[]'", "'[{\"k0\": 1}]'"]);
        match self.dice.below(3) {
            0 => format!("coalesce((SELECT {array}\n        {}), {none})", inner.text()),
            1 => format!("(SELECT coalesce({array}, {none})\n        {})", inner.text()),
            _ => format!("(SELECT {array}\n        {})", inner.text()),
        }
    }

    fn element_order(&mut self, inner: &Inner, scope: &[Rel]) -> String {
        let total = total_order(&inner.rels);
        let first = match self.dice.below(8) {
            // What tells elements apart, where that is one column, tells their places as well.
            6 | 7 => inner.rels[0].keys()[0].clone(),
            0 => self.text(&inner.rels),
            1 => self.number(&inner.rels),
            2 => match self.inner(&inner.rels, 0) {
                Some(counted) => format!("(SELECT count(*) {})", counted.text()),
                None => return total,
            },
            3 => self.number(&scope.iter().chain(&inner.rels).cloned().collect::<Vec<_>>()),
            _ => return self.order(&inner.rels),
        };
        let direction = self.word(&["", " DESC", " DESC NULLS LAST", " ASC NULLS FIRST"]);
        format!("{first}{direction}, {total}")
    }

    /// How many rows a function makes of a column: nobody selects what they hold.
    pub fn element_count(&mut self, function: &str) -> String {
        match self.dice.below(3) {
            0 => format!("EXISTS (SELECT FROM {function})"),
            1 => format!("EXISTS (SELECT {function})"),
            _ => format!("(SELECT count(*) FROM {function})"),
        }
    }
}
