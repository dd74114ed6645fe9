//! Windows, at the top and below.
//!
//! In: the schema. Out: window functions over the rows that share a partition, and relations that show them, filtered by what is around:
//! derived tables, CTEs and the FROM clauses of subqueries. Every order is total, or decides about nothing but ranks.

use crate::relation::{Body, computed, filter_text};
use crate::schema::Ty;
use crate::scope::{Col, Gen, Rel};
use crate::shapes::Shape;

impl Gen<'_> {
    /// Each row with its place in its group.
    pub fn numbered_body(&mut self) -> Option<Body> {
        let (from, rel, columns) = self.groupable()?;
        let rels = [rel.clone()];
        let (window, ty) = self.window(&rels, &columns);
        let mut shown = rel.key.clone();
        shown.extend(columns.iter().filter(|at| !rel.key.contains(at)));
        let names: Vec<String> = shown.iter().map(|at| rel.col(*at)).collect();
        let mut cols: Vec<Col> = shown.iter().map(|at| rel.cols[*at].clone()).collect();
        cols.push(computed("place", ty));
        let key = (0..rel.key.len()).collect();
        Some(Body::new(format!("SELECT {}, {window} AS place FROM {from}", names.join(", ")), cols, key))
    }

    /// A window function that gives a number, over the partition of the columns, and the number's type.
    pub fn window(&mut self, rels: &[Rel], columns: &[usize]) -> (String, Ty) {
        let rel = &rels[0];
        let partition = columns.iter().map(|at| rel.col(*at)).collect::<Vec<_>>().join(", ");
        let order = self.order(rels);
        let number = self.column(rels, |ty| ty.is_integer() || ty == Ty::Amount);
        let column = self.column(rels, Ty::sorts).unwrap_or_else(|| rel.keys()[0].clone());
        let numeric = |window: String| (format!("({window})::numeric"), Ty::Numeric);
        match (self.dice.below(8), number) {
            (0, Some(n)) => numeric(format!("sum({n}) OVER (PARTITION BY {partition})")),
            (1, Some(n)) => numeric(format!("sum({n}) OVER (PARTITION BY {partition} ORDER BY {order})")),
            (2, Some(n)) => numeric(format!("lag({n}) OVER (PARTITION BY {partition} ORDER BY {order})")),
            (3, Some(n)) => numeric(format!("first_value({n}) OVER (PARTITION BY {partition} ORDER BY {order})")),
            (4, _) => (format!("rank() OVER (PARTITION BY {partition} ORDER BY {column} DESC)"), Ty::Big),
            (5, _) => (format!("count(*) OVER (PARTITION BY {partition})"), Ty::Big),
            (6, _) => (format!("dense_rank() OVER (PARTITION BY {partition} ORDER BY {column})"), Ty::Big),
            _ => (format!("row_number() OVER (PARTITION BY {partition} ORDER BY {order})"), Ty::Big),
        }
    }

    /// One or two windows over a relation, as columns `place` and `among`, each with its own partition.
    fn windows(&mut self, rel: &Rel) -> Vec<(String, Col)> {
        let rels = std::slice::from_ref(rel);
        let sorted: Vec<usize> = (0..rel.cols.len()).filter(|at| rel.cols[*at].ty.sorts()).collect();
        let refers = |at: &usize| rel.cols[*at].name.contains('_');
        let near: Vec<usize> = sorted.iter().copied().filter(refers).collect();
        let mut made = Vec::new();
        for name in &["place", "among"][..1 + self.dice.below(2)] {
            // Mostly by a reference, as people do; two columns are few rows.
            let mut columns: Vec<usize> =
                if self.dice.percent(60) { self.pick(&near) } else { None }.into_iter().collect();
            if columns.is_empty() || self.dice.percent(15) {
                columns.extend(self.pick(&sorted).filter(|at| !columns.contains(at)));
            }
            let (window, ty) = self.window(rels, &columns);
            made.push((window, computed(name, ty)));
        }
        made
    }

    /// What filters rows by their numbers.
    fn of_places(&mut self, rel: &Rel) -> Vec<String> {
        let among = rel.cols.iter().any(|col| col.name == "among");
        let place = format!("{}.place", rel.alias);
        match self.dice.below(7) {
            0 => vec![format!("{place} <= 3")],
            1 => vec![format!("{place} = 1")],
            2 => vec![format!("{place} > 1")],
            3 if among => vec![format!("{place} = {}.among", rel.alias)],
            4 if among => vec![format!("({place} < 3 OR {}.among IS NULL)", rel.alias)],
            5 => vec![format!("{place} BETWEEN 2 AND 4")],
            _ => Vec::new(),
        }
    }

    /// A relation with its windows beside it, and what filters it from outside; `condition`, which names it, follows.
    pub fn ranked(&mut self, from: &str, rel: Rel, condition: &str) -> (String, Rel, Vec<String>) {
        let windows = self.windows(&rel);
        let inside =
            if self.dice.percent(30) { vec![self.condition(std::slice::from_ref(&rel), 1)] } else { Vec::new() };
        let (item, rel, condition) = self.wrapped(from, rel, windows, &inside, condition);
        let mut conditions = self.of_places(&rel);
        if !condition.is_empty() {
            conditions.insert(0, condition);
        }
        (item, rel, conditions)
    }

    /// The rows of a table that have certain places.
    pub fn ranked_body(&mut self) -> Option<Body> {
        let table = self.any_table();
        let (from, rel) = self.base(table);
        let (item, rel, conditions) = self.ranked(&from, rel, "");
        let sql = format!("SELECT {}.* FROM {item}{}", rel.alias, filter_text(&conditions));
        Some(Body::new(sql, rel.cols, rel.key))
    }

    /// A table with windows as the first relation, filtered by the query itself.
    pub fn ranked_first(&mut self) -> (String, Rel, Vec<String>) {
        self.note(Shape::WindowBelow);
        let table = self.any_table();
        let (from, rel) = self.base(table);
        self.ranked(&from, rel, "")
    }
}
