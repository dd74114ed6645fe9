//! Subqueries that are correlated with the rows around them.
//!
//! In: the relations around, the nearest last. Out: aggregates of linked rows, single values by ORDER BY and LIMIT, EXISTS and its
//! kin, elements of arrays. Every aggregate refers to a row of its own query (otherwise it would belong to the one around), and
//! every order is total, but for arrays that are made without one on purpose.

use crate::schema::Ty;
use crate::scope::{Gen, Rel, total_order};
use crate::shapes::Shape;

/// A FROM clause with its relations and what WHERE has to say.
pub struct Inner {
    pub from: String,
    pub rels: Vec<Rel>,
    pub conditions: Vec<String>,
}

impl Inner {
    pub fn text(&self) -> String {
        let filter = if self.conditions.is_empty() { "" } else { " WHERE " };
        format!("FROM {}{filter}{}", self.from, self.conditions.join(" AND "))
    }

    fn and(mut self, condition: String) -> Self {
        self.conditions.push(condition);
        self
    }
}

impl Gen<'_> {
    /// Rows that are linked with those around: a table, perhaps joined with others, perhaps filtered.
    pub fn inner(&mut self, scope: &[Rel], depth: usize) -> Option<Inner> {
        if self.wants(Shape::ElementLink)
            && let Some(inner) = self.element_rows_of(scope)
        {
            return Some(inner);
        }
        if self.wants(Shape::EitherLink)
            && let Some(inner) = self.either_rows_of(scope)
        {
            return Some(inner);
        }
        let (from, rel, link) = self.linked(scope, false)?;
        if depth > 0 && self.wants(Shape::DerivedTable) {
            let test = self.test(std::slice::from_ref(&rel));
            let (from, rel, condition) = self.wrapped(&from, rel, Vec::new(), &[test], &link.condition);
            return Some(Inner { from, rels: vec![rel], conditions: vec![condition] });
        }
        if self.wants(Shape::WindowBelow) {
            let (from, rel, conditions) = self.ranked(&from, rel, &link.condition);
            return Some(Inner { from, rels: vec![rel], conditions });
        }
        let mut inner = Inner { from, rels: vec![rel], conditions: vec![link.condition] };
        for shape in [Shape::InnerJoin, Shape::LeftJoin, Shape::CommaJoin] {
            if depth > 0 && self.dice.percent(60) && self.wants(shape) {
                self.join_inside(&mut inner, shape);
            }
        }
        if self.dice.percent(20) {
            let around: Vec<Rel> = scope.iter().chain(&inner.rels).cloned().collect();
            let condition = self.condition(&around, depth.min(1));
            inner.conditions.push(condition);
        }
        Some(inner)
    }

    /// Rows whose arrays hold a value of a row around.
    fn element_rows_of(&mut self, scope: &[Rel]) -> Option<Inner> {
        let table = self.any_table();
        let (from, rel) = self.base(table);
        let (item, element) = self.element_item(Shape::Unnest, std::slice::from_ref(&rel))?;
        let (ty, name) = (element.cols[0].ty, element.col(0));
        let conditions = match self.column(scope, Ty::is_integer).filter(|_| ty == Ty::Text) {
            Some(number) if self.wants(Shape::Guard) => {
                vec![format!("{name} ~ '^[0-9]{{1,6}}$'"), format!("{name}::int = {number}")]
            }
            _ => vec![format!("{name} = {}", self.column(scope, |outer| outer == ty)?)],
        };
        Some(Inner { from: format!("{from}, {item}"), rels: vec![rel, element], conditions })
    }

    /// Rows that are linked with those around directly, or by a row of another table.
    fn either_rows_of(&mut self, scope: &[Rel]) -> Option<Inner> {
        let (from, rel, link) = self.linked(scope, false)?;
        let mut parts = vec![link.condition];
        for _ in 0..1 + self.dice.below(2) {
            let (between_from, between, own) = self.linked(std::slice::from_ref(&rel), false)?;
            let outer = self.link(&between, scope, false)?.condition;
            let rows = match self.dice.percent(30) {
                true => format!("{between_from} WHERE {outer} AND {} AND {}", own.condition, self.test(&[between])),
                false => format!("{between_from} WHERE {} AND {outer}", own.condition),
            };
            parts.push(match (self.dice.below(3), rel.keys().first()) {
                (0, Some(key)) => format!("{key} IN (SELECT {key} FROM {rows})"),
                (1, _) => format!("({} AND EXISTS (SELECT FROM {rows}))", self.test(std::slice::from_ref(&rel))),
                _ => format!("EXISTS (SELECT FROM {rows})"),
            });
        }
        let at = self.dice.below(parts.len());
        parts.swap(0, at);
        let mut conditions = vec![format!("({})", parts.join(" OR "))];
        if self.dice.percent(30) {
            conditions.push(self.test(std::slice::from_ref(&rel)));
        }
        Some(Inner { from, rels: vec![rel], conditions })
    }

    /// One more table, of many rows or of one.
    pub fn join_inside(&mut self, inner: &mut Inner, shape: Shape) {
        let Some((from, rel, link)) = self.linked(&inner.rels, false) else { return };
        match shape {
            Shape::LeftJoin => {
                inner.from = format!("{} LEFT JOIN {from} ON {}", inner.from, link.condition);
                inner.rels.push(rel.made_nullable());
            }
            Shape::CommaJoin if !inner.from.contains(" JOIN ") => {
                inner.from = format!("{}, {from}", inner.from);
                inner.conditions.push(link.condition);
                inner.rels.push(rel);
            }
            _ => {
                inner.from = format!("{} JOIN {from} ON {}", inner.from, link.condition);
                inner.rels.push(rel);
            }
        }
    }

    /// `(SELECT jsonb_agg(…) FROM … WHERE …)`.
    pub fn aggregate_subquery(&mut self, shape: Shape, scope: &[Rel], depth: usize) -> Option<String> {
        if self.dice.percent(12)
            && let Some(subquery) = self.combined_subquery(scope)
        {
            return Some(subquery);
        }
        let inner = self.inner(scope, depth)?;
        let deeper = if self.menu.has(Shape::NestedArrays) { depth } else { 0 };
        if shape == Shape::ArraySubquery {
            let value = self.text(&inner.rels);
            let order = total_order(&inner.rels);
            return Some(format!("ARRAY(SELECT {value} {} ORDER BY {order})", inner.text()));
        }
        let value = self.aggregate(shape, scope, &inner.rels, deeper);
        let subquery = format!("(SELECT {value}\n        {})", inner.text());
        if matches!(shape, Shape::JsonbAgg) && self.wants(Shape::Coalesce) {
            return Some(format!("coalesce({subquery}, '[]'::jsonb)"));
        }
        Some(subquery)
    }

    /// An aggregate over the rows of `rels`; `scope` is what lies around.
    pub fn aggregate(&mut self, shape: Shape, scope: &[Rel], rels: &[Rel], depth: usize) -> String {
        let around: Vec<Rel> = scope.iter().chain(rels).cloned().collect();
        let order = self.order(rels);
        let filter = if self.wants(Shape::AggFilter) {
            format!(" FILTER (WHERE {})", self.condition(rels, 0))
        } else {
            String::new()
        };
        let distinct = matches!(shape, Shape::JsonbAgg | Shape::ArrayAgg | Shape::StringAgg | Shape::PlainAggregates);
        if distinct && self.wants(Shape::AggDistinct) {
            return self.distinct_aggregate(shape, rels) + &filter;
        }
        if depth > 0 && matches!(shape, Shape::JsonbAgg | Shape::JsonAgg) && rels.len() == 1 {
            let nested = self.wants(Shape::NestedArrays);
            self.left = if nested { self.left.max(3) } else { self.left };
        }
        let aggregate = match shape {
            Shape::JsonbAgg if self.wants(Shape::Unordered) => {
                self.unordered = true;
                let key = rels.iter().flat_map(Rel::keys).next().unwrap_or_default();
                let value = self.value(&around, depth);
                format!("jsonb_agg(jsonb_build_object('id', {key}, 'value', {value}))")
            }
            Shape::JsonbAgg if self.dice.percent(70) => {
                let object = self.object(&around, depth);
                format!("jsonb_agg({object} ORDER BY {order})")
            }
            Shape::JsonbAgg => format!("jsonb_agg({} ORDER BY {order})", self.value(&around, depth)),
            Shape::JsonAgg => format!("json_agg({} ORDER BY {order})", self.object(&around, depth)),
            Shape::ArrayAgg => format!("array_agg({} ORDER BY {order})", self.text(rels)),
            Shape::StringAgg => format!("string_agg({}, ', ' ORDER BY {order})", self.text(rels)),
            Shape::ObjectAgg => {
                let keys = rels.iter().flat_map(Rel::keys).collect::<Vec<_>>().join(", ");
                format!("jsonb_object_agg(concat_ws('/', {keys}), {} ORDER BY {order})", self.value(&around, depth))
            }
            _ => self.plain_aggregate(rels),
        };
        aggregate + &filter
    }

    /// A total order, perhaps with something before the key.
    pub fn order(&mut self, rels: &[Rel]) -> String {
        let total = total_order(rels);
        if self.wants(Shape::LongOrder) {
            let mut columns = Vec::new();
            for _ in 0..2 + self.dice.below(2) {
                let column = self.column(rels, Ty::sorts).unwrap_or_else(|| rels[0].keys()[0].clone());
                let direction = self.word(&["", " DESC", " DESC NULLS LAST", " ASC NULLS FIRST", " NULLS FIRST"]);
                columns.push(format!("{column}{direction}"));
            }
            return format!("{}, {total}", columns.join(", "));
        }
        match self.column(rels, Ty::is_stable).filter(|_| self.dice.percent(45)) {
            Some(column) => {
                let direction = self.word(&["", " DESC", " DESC NULLS LAST", " NULLS FIRST"]);
                format!("{column}{direction}, {total}")
            }
            None => total,
        }
    }

    fn distinct_aggregate(&mut self, shape: Shape, rels: &[Rel]) -> String {
        let column = self.column(rels, Ty::is_stable).unwrap_or_else(|| rels[0].keys()[0].clone());
        match shape {
            Shape::JsonbAgg => format!("jsonb_agg(DISTINCT {column} ORDER BY {column})"),
            Shape::ArrayAgg => format!("array_agg(DISTINCT {column} ORDER BY {column})"),
            Shape::StringAgg => format!("string_agg(DISTINCT {column}::text, '+' ORDER BY {column}::text)"),
            _ => format!("count(DISTINCT {column})"),
        }
    }

    /// Aggregates whose result does not depend on the order of their rows.
    pub fn plain_aggregate(&mut self, rels: &[Rel]) -> String {
        let number = self.column(rels, |ty| ty.is_integer() || matches!(ty, Ty::Amount | Ty::Numeric));
        let sortable = self.column(rels, |ty| ty.is_stable() && !matches!(ty, Ty::Bool | Ty::Uuid));
        let truth = self.column(rels, |ty| ty == Ty::Bool);
        match (self.dice.below(7), number, sortable, truth) {
            (0, Some(number), ..) => format!("sum({number})"),
            (1, Some(number), ..) => format!("avg({number})"),
            (2, _, Some(column), _) => format!("min({column})"),
            (3, _, Some(column), _) => format!("max({column})"),
            (4, .., Some(truth)) => format!("bool_and({truth})"),
            (5, .., Some(truth)) => format!("bool_or({truth})"),
            (6, _, Some(column), _) => format!("count({column})"),
            _ => "count(*)".to_owned(),
        }
    }

    /// `(SELECT jsonb_agg(v ORDER BY v) FROM (SELECT … UNION SELECT …) s)`: a set operation over linked rows.
    fn combined_subquery(&mut self, scope: &[Rel]) -> Option<String> {
        let operators = [Shape::Union, Shape::UnionAll, Shape::Except, Shape::Intersect];
        let shape = operators.into_iter().find(|shape| self.wants(*shape))?;
        let (left, right) = (self.inner(scope, 0)?, self.inner(scope, 0)?);
        let (a, b) = (self.text(&left.rels), self.text(&right.rels));
        let alias = self.alias("set");
        let operator = operator(shape);
        Some(format!(
            "(SELECT jsonb_agg({alias}.v ORDER BY {alias}.v) FROM (SELECT {a} AS v {}\n        {operator} SELECT {b} {}) {alias})",
            left.text(),
            right.text()
        ))
    }

    /// A value of one linked row: by aggregate, by ORDER BY and LIMIT, or by a unique link.
    pub fn scalar_subquery(&mut self, scope: &[Rel], depth: usize) -> Option<String> {
        if self.wants(Shape::OrderedLimit) {
            let inner = self.inner(scope, depth)?;
            let value = self.value(&inner.rels, depth);
            let order = self.order(&inner.rels);
            let offset = if self.dice.percent(15) { " OFFSET 1" } else { "" };
            return Some(format!("(SELECT {value} {}\n        ORDER BY {order} LIMIT 1{offset})", inner.text()));
        }
        if self.dice.percent(50) {
            let (from, rel, link) = self.linked(scope, true)?;
            let value = self.object(&[rel], depth);
            return Some(format!("(SELECT {value} FROM {from} WHERE {})", link.condition));
        }
        let inner = self.inner(scope, depth)?;
        let value = self.plain_aggregate(&inner.rels);
        Some(format!("(SELECT {value} {})", inner.text()))
    }

    /// A condition with a subquery.
    pub fn subquery_condition(&mut self, shape: Shape, scope: &[Rel], depth: usize) -> Option<String> {
        let inner = self.inner(scope, depth.min(1))?;
        if matches!(shape, Shape::Exists | Shape::NotExists) {
            let not = if shape == Shape::NotExists { "NOT " } else { "" };
            return Some(format!("{not}EXISTS (SELECT 1 {})", inner.text()));
        }
        let mut pairs: Vec<(String, String, bool)> = Vec::new();
        for rel in scope {
            for (o, a) in rel.cols.iter().enumerate() {
                let inside = &inner.rels[0];
                let same = inside.cols.iter().enumerate().filter(|(_, b)| a.ty.compares_with(b.ty));
                pairs.extend(same.map(|(i, b)| (rel.col(o), inside.col(i), a.nullable || b.nullable)));
            }
        }
        let (left, right, nullable) = self.pick(&pairs)?;
        let not_null = nullable && self.dice.percent(50);
        let inner = if not_null { inner.and(format!("{right} IS NOT NULL")) } else { inner };
        let operator = match shape {
            Shape::InSubquery => "IN ",
            Shape::NotIn => "NOT IN ",
            _ => self.word(&["= ANY ", "> ALL ", "<> ALL ", "< ANY "]),
        };
        if shape == Shape::InSubquery
            && self.wants(Shape::RowIn)
            && let Some((other, second, _)) = self.pick(&pairs)
        {
            return Some(format!("({left}, {other}) IN (SELECT {right}, {second} {})", inner.text()));
        }
        Some(format!("{left} {operator}(SELECT {right} {})", inner.text()))
    }

    /// Elements of an array or of a JSON array in a column.
    pub fn elements_subquery(&mut self, shape: Shape, scope: &[Rel]) -> Option<String> {
        let (function, element) = self.elements(shape, scope)?;
        if self.wants(Shape::ElementCount) {
            return Some(self.element_count(&function));
        }
        let alias = self.alias("element");
        if self.wants(Shape::SelectFunctions) {
            let item = format!("SELECT {function} AS {element}");
            return Some(match self.dice.percent(50) {
                true => format!("to_jsonb(ARRAY({item}))"),
                false => format!(
                    "(SELECT jsonb_agg({alias}.{element} ORDER BY {alias}.{element}::text) FROM ({item}) {alias})"
                ),
            });
        }
        let value = self.word(&["jsonb_agg", "jsonb_agg", "json_agg"]);
        let filter =
            if self.dice.percent(30) { format!(" WHERE {alias}.{element} IS NOT NULL") } else { String::new() };
        Some(format!(
            "(SELECT {value}({alias}.{element} ORDER BY {alias}.at) FROM {function} WITH ORDINALITY AS {alias} ({element}, at){filter})"
        ))
    }

    /// A set-returning function over a column, and the name for its element.
    pub fn elements(&mut self, shape: Shape, scope: &[Rel]) -> Option<(String, &'static str)> {
        if shape == Shape::Unnest {
            let column = self.column(scope, |ty| matches!(ty, Ty::Words | Ty::Numbers))?;
            return Some((format!("unnest({column})"), "item"));
        }
        let column = self.column(scope, |ty| ty == Ty::Jsonb)?;
        let function = self.word(&["jsonb_array_elements", "jsonb_array_elements_text"]);
        let guarded = format!("CASE WHEN jsonb_typeof({column}) = 'array' THEN {column} ELSE '[]' END");
        Some((format!("{function}({guarded})"), "item"))
    }
}

pub fn operator(shape: Shape) -> &'static str {
    match shape {
        Shape::Union => "UNION",
        Shape::UnionAll => "UNION ALL",
        Shape::Except => "EXCEPT",
        _ => "INTERSECT",
    }
}
