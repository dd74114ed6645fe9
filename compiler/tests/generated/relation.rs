//! Relations that are queries themselves: derived tables, CTEs, views that were made before.
//!
//! In: the schema. Out: a query's text with the columns that it shows and those that identify its rows. What it groups, makes
//! distinct, numbers or unites is told by its columns' origins, so that it can be joined like a table.

use crate::schema::{Reference, Ty};
use crate::scope::{Col, Gen, Rel, total_order};
use crate::shapes::Shape;
use crate::subquery::operator;

/// A query that can stand in FROM.
pub struct Body {
    pub sql: String,
    pub cols: Vec<Col>,
    pub key: Vec<usize>,
}

impl Body {
    pub fn new(sql: String, cols: Vec<Col>, key: Vec<usize>) -> Self {
        Body { sql, cols, key }
    }

    /// One row per group: the columns that make the groups, none NULL, are the key; more are computed.
    fn of_groups(sql: String, rel: &Rel, columns: &[usize], more: impl IntoIterator<Item = Col>) -> Self {
        let grouping = columns.iter().map(|at| Col { nullable: false, ..rel.cols[*at].clone() });
        Body::new(sql, grouping.chain(more).collect(), (0..columns.len()).collect())
    }

    /// As a relation under an alias.
    pub fn named(&self, alias: String) -> Rel {
        Rel { alias, cols: self.cols.clone(), key: self.key.clone(), whole: true, base: None }
    }
}

pub fn computed(name: &str, ty: Ty) -> Col {
    Col { name: name.to_owned(), ty, nullable: true, origin: None }
}

/// What a query in FROM may be.
const BODIES: &[Shape] = &[
    Shape::GroupBy,
    Shape::DistinctOn,
    Shape::Distinct,
    Shape::Window,
    Shape::WindowBelow,
    Shape::Union,
    Shape::UnionAll,
    Shape::Except,
    Shape::Intersect,
    Shape::SomeRows,
];

impl Gen<'_> {
    /// Any query that can stand in FROM.
    pub fn body(&mut self) -> Body {
        let first = self.dice.below(BODIES.len());
        for n in 0..BODIES.len() {
            let shape = BODIES[(first + n) % BODIES.len()];
            if self.wants(shape)
                && let Some(body) = self.body_of(shape)
            {
                return body;
            }
        }
        self.filtered()
    }

    pub fn body_of(&mut self, shape: Shape) -> Option<Body> {
        match shape {
            Shape::GroupBy => self.grouped_body(),
            Shape::DistinctOn => self.latest_body(),
            Shape::Distinct => self.distinct_body(),
            Shape::Window => self.numbered_body(),
            Shape::WindowBelow => self.ranked_body(),
            Shape::UnionAll => self.labelled_body(),
            Shape::SomeRows => {
                let (from, rel, conditions) = self.some_rows()?;
                let names: Vec<String> = (0..rel.cols.len()).map(|at| rel.col(at)).collect();
                let sql = format!("SELECT {} FROM {from}{}", names.join(", "), filter_text(&conditions));
                Some(Body::new(sql, rel.cols, rel.key))
            }
            _ => self.set_body(shape),
        }
    }

    /// Some rows and columns of a table, the key and the references among them.
    fn filtered(&mut self) -> Body {
        let table = self.any_table();
        let (from, rel) = self.base(table);
        let mut names: Vec<String> = (0..rel.cols.len()).map(|at| rel.col(at)).collect();
        let rels = [rel.clone()];
        let mut cols = rel.cols;
        if self.wants(Shape::NullableConstant) {
            names.push("'x'::text AS mark".to_owned());
            cols.push(Col { nullable: false, ..computed("mark", Ty::Text) });
        }
        let filter = if self.dice.percent(35) { format!(" WHERE {}", self.condition(&rels, 1)) } else { String::new() };
        Body::new(format!("SELECT {} FROM {from}{filter}", names.join(", ")), cols, rel.key)
    }

    /// The rows of a table of which an index keeps some columns unique, known by these; and what is said of them.
    pub fn some_rows(&mut self) -> Option<(String, Rel, Vec<String>)> {
        let has_index = |table: &usize| !self.table(*table).partials.is_empty();
        let tables: Vec<usize> = (0..self.schema.tables.len()).filter(has_index).collect();
        let table = self.pick(&tables)?;
        let partial = self.pick(&self.table(table).partials)?;
        let (from, mut rel) = self.base(table);
        let mut conditions = self.filled(&rel, &partial.columns);
        conditions.extend(partial.tests.iter().map(|(at, test)| test.of(&rel.col(*at))));
        self.dice.shuffle(&mut conditions);
        partial.columns.iter().for_each(|at| rel.cols[*at].nullable = false);
        Some((from, Rel { key: partial.columns, base: None, ..rel }, conditions))
    }

    /// The same relation as a query that shows more and leaves rows out; `condition`, which names it, follows.
    pub fn wrapped(
        &mut self,
        from: &str,
        rel: Rel,
        more: Vec<(String, Col)>,
        filter: &[String],
        condition: &str,
    ) -> (String, Rel, String) {
        let alias = self.alias("derived");
        let shown: String = more.iter().map(|(sql, col)| format!(", {sql} AS {}", col.name)).collect();
        let item = format!("(SELECT {}.*{shown} FROM {from}{}) {alias}", rel.alias, filter_text(filter));
        let condition = condition.replace(&format!("{}.", rel.alias), &format!("{alias}."));
        let cols = rel.cols.into_iter().chain(more.into_iter().map(|(_, col)| col)).collect();
        (item, Rel { alias, cols, base: None, ..rel }, condition)
    }

    /// A table with what it may be grouped by: columns that refer to another table, or any stable column.
    pub fn groupable(&mut self) -> Option<(String, Rel, Vec<usize>)> {
        let table = self.any_table();
        let (from, rel) = self.base(table);
        // Of values that look different a group shows any.
        let shown = |reference: &&Reference| reference.columns.iter().all(|at| rel.cols[*at].ty.is_stable());
        let references: Vec<&Reference> = self.table(table).references.iter().filter(shown).collect();
        if let Some(reference) = self.pick(&references).filter(|_| self.dice.percent(75)) {
            return Some((from, rel, reference.columns.clone()));
        }
        let stable: Vec<usize> = (0..rel.cols.len()).filter(|at| rel.cols[*at].ty.is_stable()).collect();
        let at = self.pick(&stable)?;
        Some((from, rel, vec![at]))
    }

    /// `IS NOT NULL` for each nullable column.
    pub fn filled(&mut self, rel: &Rel, columns: &[usize]) -> Vec<String> {
        let nullable = columns.iter().filter(|at| rel.cols[**at].nullable);
        nullable.map(|at| format!("{} IS NOT NULL", rel.col(*at))).collect()
    }

    fn grouped_body(&mut self) -> Option<Body> {
        let (from, rel, columns) = self.groupable()?;
        let names: Vec<String> = columns.iter().map(|at| rel.col(*at)).collect();
        let mut conditions = self.filled(&rel, &columns);
        let rels = [rel];
        if self.dice.percent(25) {
            conditions.push(self.condition(&rels, 1));
        }
        let aggregate = self.plain_aggregate(&rels);
        let list = self.aggregate(Shape::JsonbAgg, &[], &rels, 1);
        let having = self.having(&rels);
        let sql = format!(
            "SELECT {}, count(*) AS n, {aggregate} AS value, {list} AS list\n    FROM {from}{}\n    GROUP BY {}{having}",
            names.join(", "),
            filter_text(&conditions),
            names.join(", ")
        );
        let more = [computed("n", Ty::Big), computed("list", Ty::Jsonb)];
        Some(Body::of_groups(sql, &rels[0], &columns, more))
    }

    pub fn having(&mut self, rels: &[Rel]) -> String {
        if !self.wants(Shape::Having) {
            return String::new();
        }
        let number = self.column(rels, Ty::is_integer);
        match (self.dice.below(3), number) {
            (0, Some(number)) => format!(" HAVING sum({number}) > 4"),
            (1, Some(number)) => format!(" HAVING max({number}) IS NOT NULL AND count(*) < 9"),
            _ => " HAVING count(*) > 1".to_owned(),
        }
    }

    /// The first row of each group.
    fn latest_body(&mut self) -> Option<Body> {
        let (from, rel, columns) = self.groupable()?;
        let names: Vec<String> = columns.iter().map(|at| rel.col(*at)).collect();
        let conditions = self.filled(&rel, &columns);
        let rels = [rel];
        let order = self.order(&rels);
        let (text, number) = (self.text(&rels), self.number(&rels));
        let sql = format!(
            "SELECT DISTINCT ON ({}) {}, {text} AS label, ({number})::numeric AS amount\n    FROM {from}{}\n    ORDER BY {}, {order}",
            names.join(", "),
            names.join(", "),
            filter_text(&conditions),
            names.join(", ")
        );
        let more = [computed("label", Ty::Text), computed("amount", Ty::Numeric)];
        Some(Body::of_groups(sql, &rels[0], &columns, more))
    }

    fn distinct_body(&mut self) -> Option<Body> {
        let (from, rel, mut columns) = self.groupable()?;
        let stable: Vec<usize> =
            (0..rel.cols.len()).filter(|at| rel.cols[*at].ty.is_stable() && !columns.contains(at)).collect();
        columns.extend(self.pick(&stable).filter(|_| self.dice.percent(50)));
        let conditions = self.filled(&rel, &columns);
        let names: Vec<String> = columns.iter().map(|at| rel.col(*at)).collect();
        let sql = format!("SELECT DISTINCT {} FROM {from}{}", names.join(", "), filter_text(&conditions));
        Some(Body::of_groups(sql, &rel, &columns, []))
    }

    /// UNION, EXCEPT or INTERSECT of a column of two tables.
    fn set_body(&mut self, shape: Shape) -> Option<Body> {
        let (left, right) = (self.any_table(), self.any_table());
        let ((from, rel), (other_from, other)) = (self.base(left), self.base(right));
        let mut pairs: Vec<(usize, usize)> = Vec::new();
        for (a, left) in rel.cols.iter().enumerate() {
            let same = other.cols.iter().enumerate().filter(|(_, right)| left.ty == right.ty && left.ty.is_stable());
            pairs.extend(same.map(|(b, _)| (a, b)));
        }
        let (a, b) = self.pick(&pairs)?;
        let (mut one, mut two) = (self.filled(&rel, &[a]), self.filled(&other, &[b]));
        if self.dice.percent(40) {
            one.push(self.test(std::slice::from_ref(&rel)));
            two.push(self.test(std::slice::from_ref(&other)));
        }
        let sql = format!(
            "SELECT {} AS v FROM {from}{} {} SELECT {} FROM {other_from}{}",
            rel.col(a),
            filter_text(&one),
            operator(shape),
            other.col(b),
            filter_text(&two)
        );
        let col = Col { name: "v".to_owned(), ty: rel.cols[a].ty, nullable: false, origin: None };
        Some(Body::new(sql, vec![col], vec![0]))
    }

    /// UNION ALL of two tables, told apart by a constant.
    pub fn labelled_body(&mut self) -> Option<Body> {
        let (left, right) = (self.any_table(), self.any_table());
        let mut parts = Vec::new();
        let ty = self.table(left).columns[self.table(left).key[0]].ty;
        for (table, label) in [(left, "one"), (right, "two")] {
            let (from, rel) = self.base(table);
            let rels = [rel];
            let keys = rels[0].keys();
            let same = ty.is_stable() && keys.len() == 1 && self.key_type(table) == ty && ty == self.key_type(right);
            let id = if same && self.key_type(left) == ty {
                keys[0].clone()
            } else if keys.len() == 1 {
                format!("{}::text", keys[0])
            } else {
                format!("concat_ws('/', {})", total_order(&rels))
            };
            let (text, number) = (self.text(&rels), self.number(&rels));
            let filter = if self.dice.percent(35) { vec![self.condition(&rels, 1)] } else { Vec::new() };
            parts.push(format!(
                "SELECT '{label}'::text AS kind, {id} AS id, {text} AS label, ({number})::numeric AS amount FROM {from}{}",
                filter_text(&filter)
            ));
        }
        let id_type = if parts.iter().any(|part| part.contains("::text AS id") || part.contains("concat_ws('/'")) {
            Ty::Text
        } else {
            ty
        };
        let mut cols = vec![computed("kind", Ty::Text), computed("id", id_type)];
        cols.iter_mut().for_each(|col| col.nullable = false);
        cols.extend([computed("label", Ty::Text), computed("amount", Ty::Numeric)]);
        Some(Body::new(parts.join("\n    UNION ALL\n    "), cols, vec![0, 1]))
    }

    /// The type of a table's key of one column; of others something that no column has.
    pub fn key_type(&self, table: usize) -> Ty {
        match self.table(table).key.as_slice() {
            [only] => self.table(table).columns[*only].ty,
            _ => Ty::Other,
        }
    }

    /// A view that was made before, as a relation.
    pub fn earlier_view(&mut self) -> Option<(String, Rel)> {
        let views: Vec<_> = self.earlier.iter().collect();
        let view = self.pick(&views)?;
        self.note(Shape::ViewOnView);
        self.needs.insert(view.name.clone());
        self.unordered |= view.unordered;
        self.whole |= view.whole;
        let alias = self.alias("view");
        let rel = Rel { alias: alias.clone(), cols: view.cols.clone(), key: view.key.clone(), whole: true, base: None };
        Some((format!("{} {alias}", view.name), rel))
    }
}

pub fn filter_text(conditions: &[String]) -> String {
    if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) }
}
