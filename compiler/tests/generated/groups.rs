//! Views with one row per group.
//!
//! In: the schema. Out: views grouped by columns, by expressions over columns of every type, by what follows from the key, by constants
//! of the nullable side of an outer join, and over rows of two tables. The key shows what equal values have in common.

use crate::query::{FIELDS, Query, distinct_names, select};
use crate::relation::{computed, filter_text};
use crate::schema::Ty;
use crate::scope::{Col, Gen, Rel};
use crate::shapes::Shape;
use crate::values::number_of_text;

/// What rows are grouped by where a view is about types that need more than `=`.
const SPECIAL: &[Shape] =
    &[Shape::ArrayKey, Shape::AtTimeZone, Shape::CompositeField, Shape::Guard, Shape::Lookalikes, Shape::Nocase];

/// An expression that makes groups.
struct Grouping {
    expression: String,
    ty: Ty,
    /// What has to be true for it not to fail.
    guard: Option<String>,
}

impl Grouping {
    fn of(expression: String, ty: Ty) -> Self {
        Grouping { expression, ty, guard: None }
    }
}

/// The columns of some types, with these.
fn columns_of(rels: &[Rel], fits: impl Fn(Ty) -> bool) -> Vec<(String, Ty)> {
    let columns = rels.iter().flat_map(|rel| rel.cols.iter().enumerate().map(|(at, col)| (rel.col(at), col.ty)));
    columns.filter(|(_, ty)| fits(*ty)).collect()
}

impl Gen<'_> {
    /// One row per group of a join that multiplies rows.
    pub fn grouped_query(&mut self) -> Option<Query> {
        self.note(Shape::GroupBy);
        let (mut text, rel, columns) = self.groupable()?;
        let mut rels = vec![rel];
        let mut conditions = Vec::new();
        for shape in [Shape::InnerJoin, Shape::LeftJoin] {
            if self.dice.percent(50)
                && self.wants(shape)
                && let Some((item, joined, link)) = self.linked(&rels, false)
            {
                let left = shape == Shape::LeftJoin;
                text = format!("{text}\n  {} {item} ON {}", if left { "LEFT JOIN" } else { "JOIN" }, link.condition);
                rels.push(if left { joined.made_nullable() } else { joined });
            }
        }
        let mut key: Vec<(String, Col)> = Vec::new();
        let mut groups: Vec<String> = Vec::new();
        // Grouped by an expression, by the table's own key (all its columns are fixed then), or by a reference.
        let by_key = self.dice.percent(35);
        let columns = if by_key { rels[0].key.clone() } else { columns };
        let special = self.focus == Shape::GroupByExpression || SPECIAL.contains(&self.focus);
        if special || self.dice.percent(15) && self.wants(Shape::GroupByExpression) {
            let Grouping { expression, ty, guard } = self.grouping(&rels);
            key.push((expression.clone(), Col { nullable: false, ..computed("bucket", ty) }));
            conditions.extend(guard);
            if self.dice.percent(80) {
                conditions.push(format!("{expression} IS NOT NULL"));
            }
            groups.push(expression);
        } else {
            for at in &columns {
                key.push((rels[0].col(*at), Col { nullable: false, ..rels[0].cols[*at].clone() }));
                groups.push(rels[0].col(*at));
            }
            if self.dice.percent(85) {
                conditions.extend(self.filled(&rels[0], &columns));
            }
        }
        if self.dice.percent(25) {
            conditions.push(self.condition(&rels, 1));
        }
        let mut fields = Vec::new();
        if by_key && key[0].1.name != "bucket" && self.wants(Shape::GroupFollows) {
            for (field, value) in self.following_groups(&mut text, &mut rels) {
                fields.push(format!("'{field}', {value}"));
                groups.push(value);
            }
        }
        let aggregates = [Shape::JsonbAgg, Shape::PlainAggregates, Shape::StringAgg, Shape::ArrayAgg, Shape::ObjectAgg];
        for field in &FIELDS[..2 + self.dice.below(3)] {
            let shape = self.pick(&aggregates)?;
            fields.push(format!("'{field}', {}", self.aggregate(shape, &[], &rels, 1)));
        }
        if by_key && key.len() == rels[0].key.len() && key[0].1.name != "bucket" {
            let own = [rels[0].clone()];
            fields.push(format!("'own', {}", self.scalar(&own)));
        }
        let having = self.having(&rels);
        let rest = format!("FROM {text}{}\nGROUP BY {}{}", filter_text(&conditions), groups.join(", "), having);
        let documents = vec![format!("jsonb_build_object(\n        {})", fields.join(",\n        "))];
        Some(select("SELECT", distinct_names(key), documents, rest))
    }

    /// What rows may be grouped by that is no column.
    fn grouping(&mut self, rels: &[Rel]) -> Grouping {
        let mut shapes = SPECIAL.to_vec();
        self.dice.shuffle(&mut shapes);
        shapes.sort_by_key(|shape| *shape != self.focus);
        for shape in shapes {
            let wanted = if shape == self.focus { self.menu.has(shape) } else { self.wants(shape) };
            if wanted && let Some(grouping) = self.special_grouping(shape, rels) {
                self.note(shape);
                return grouping;
            }
        }
        self.note(Shape::GroupByExpression);
        let text = self.column(rels, |ty| ty == Ty::Text);
        let number = self.column(rels, Ty::is_integer);
        let stamp = self.column(rels, |ty| ty == Ty::Stamp);
        match (self.dice.below(7), text, number, stamp) {
            (0, Some(text), ..) => Grouping::of(format!("lower({text})"), Ty::Text),
            (1, Some(text), ..) => Grouping::of(format!("coalesce({text}, 'none')"), Ty::Text),
            (2, Some(text), ..) => Grouping::of(format!("left({text}, 1)"), Ty::Text),
            (3, _, Some(number), _) => Grouping::of(format!("({number} % 3)"), Ty::Other),
            (4, _, Some(number), _) => Grouping::of(format!("band({number})"), Ty::Text),
            (5, .., Some(stamp)) => Grouping::of(format!("{stamp}::date"), Ty::Date),
            _ => {
                // PostgreSQL groups by no constant.
                let test = self.test(&rels[..1]);
                let test = if test == "true" { format!("{} IS NOT NULL", rels[0].col(0)) } else { test };
                Grouping::of(format!("({test})"), Ty::Bool)
            }
        }
    }

    /// An expression that a shape is about; of values that look different, what they have in common.
    fn special_grouping(&mut self, shape: Shape, rels: &[Rel]) -> Option<Grouping> {
        let fits = |ty: Ty| match shape {
            Shape::ArrayKey => matches!(ty, Ty::Words | Ty::Numbers),
            Shape::AtTimeZone => ty == Ty::Stamp,
            Shape::CompositeField => ty == Ty::Spot,
            Shape::Guard => matches!(ty, Ty::Text | Ty::Int),
            Shape::Nocase => ty == Ty::Nocase,
            _ => ty.is_lookalike() && ty != Ty::Nocase,
        };
        let columns = columns_of(rels, fits);
        let (column, ty) = self.pick(&columns)?;
        let roll = self.dice.below(3);
        let (expression, made) = match (shape, ty, roll) {
            (Shape::ArrayKey, _, 0) => (format!("cardinality({column})"), Ty::Int),
            (Shape::ArrayKey, Ty::Words, 1) => (format!("{column}[1]::text"), Ty::Text),
            (Shape::ArrayKey, Ty::Words, _) => (format!("array_to_string({column}, '+', '-')"), Ty::Text),
            (Shape::ArrayKey, ..) => (format!("{column}[1]::int"), Ty::Int),
            (Shape::AtTimeZone, _, 0) => (format!("({column} AT TIME ZONE 'Asia/Kolkata')::date"), Ty::Date),
            (Shape::AtTimeZone, _, 1) => (format!("date_trunc('month', {column} AT TIME ZONE 'UTC')::date"), Ty::Date),
            (Shape::AtTimeZone, ..) => {
                (format!("extract(hour FROM {column} AT TIME ZONE 'America/New_York')::int"), Ty::Int)
            }
            (Shape::CompositeField, _, 0) => (format!("lower(({column}).city)"), Ty::Text),
            (Shape::CompositeField, _, 1) => (format!("({column}).city"), Ty::Text),
            (Shape::CompositeField, ..) => (format!("({column}).zone"), Ty::Int),
            (Shape::Guard, Ty::Text, 0) => (number_of_text(&column), Ty::Int),
            (Shape::Guard, Ty::Text, _) => {
                let guard = Some(format!("{column} ~ '^[0-9]{{1,6}}$'"));
                return Some(Grouping { expression: format!("{column}::int"), ty: Ty::Int, guard });
            }
            (Shape::Guard, ..) => {
                let guard = Some(format!("{column} > 0"));
                return Some(Grouping { expression: format!("(60 / {column})"), ty: Ty::Int, guard });
            }
            (Shape::Nocase, ..) => (format!("lower({column})"), Ty::Text),
            (_, Ty::Ratio, _) => (format!("({column} + 0)"), Ty::Other),
            (_, Ty::Span, _) => (format!("(extract(epoch FROM {column}) * 1000000)::bigint"), Ty::Big),
            (_, Ty::Loose, _) => (format!("rtrim({column})"), Ty::Text),
            (_, _, 0) => (format!("round({column})"), Ty::Other),
            _ => (format!("trim_scale({column})"), Ty::Other),
        };
        Some(Grouping::of(expression, made))
    }

    /// What follows from the key and is grouped by as well: columns, expressions, the whole row, a row that is referred to.
    fn following_groups(&mut self, text: &mut String, rels: &mut Vec<Rel>) -> Vec<(&'static str, String)> {
        let own = [rels[0].clone()];
        let mut groups = Vec::new();
        if let Some(column) = self.column(&own, Ty::is_stable) {
            groups.push(("column", column));
        }
        if self.dice.percent(50) {
            groups.push(("expression", format!("coalesce({}, 'none')", self.text(&own))));
        }
        // A row can be grouped by where all of its columns can be compared.
        if self.dice.percent(40) && !rels[0].cols.iter().any(|col| col.ty == Ty::Json) {
            groups.push(("row", rels[0].alias.clone()));
        }
        if self.dice.percent(60)
            && let Some((item, parent, link)) = self.linked(&own, true)
        {
            let how = self.word(&["JOIN", "LEFT JOIN"]);
            *text = format!("{text}\n  {how} {item} ON {}", link.condition);
            rels.push(if how == "JOIN" { parent } else { parent.made_nullable() });
            if let Some(column) = self.column(&rels[rels.len() - 1..], Ty::is_stable) {
                groups.push(("parent", column));
            }
        }
        groups
    }

    /// Groups of rows that come from two tables, told apart or not.
    pub fn grouped_sides_query(&mut self) -> Option<Query> {
        self.note(Shape::GroupSides);
        let body = self.labelled_body()?;
        let alias = self.alias("sides");
        let (from, rel) = (format!("(\n    {}\n) {alias}", body.sql), body.named(alias));
        let mut columns: Vec<usize> = rel.key.clone();
        columns.push(2);
        if self.dice.percent(50) {
            columns.remove(self.dice.below(2));
        }
        let mut key: Vec<(String, Col)> = columns.iter().map(|at| (rel.col(*at), rel.cols[*at].clone())).collect();
        let mut conditions = self.filled(&rel, &columns);
        if self.dice.percent(30) {
            conditions.push(self.test(std::slice::from_ref(&rel)));
        }
        let groups: Vec<String> = key.iter().map(|(sql, _)| sql.clone()).collect();
        // Without one of them it mostly is no key, which has to be seen.
        if key.len() > 1 && self.dice.percent(20) {
            key.remove(self.dice.below(key.len()));
        }
        let aggregate = self.plain_aggregate(std::slice::from_ref(&rel));
        let list = format!("jsonb_agg({0}.label ORDER BY {0}.kind, {0}.id)", rel.alias);
        let document = format!("jsonb_build_object('n', count(*), 'value', {aggregate}, 'list', {list})");
        let rest = format!("FROM {from}{}\nGROUP BY {}", filter_text(&conditions), groups.join(", "));
        Some(select("SELECT", distinct_names(key), vec![document], rest))
    }

    /// Groups, or distinct rows, told apart by a constant that is NULL where an outer join has found no partner.
    pub fn constant_query(&mut self) -> Option<Query> {
        self.note(Shape::NullableConstant);
        let (from, rel, columns) = self.groupable()?;
        let columns = if self.dice.percent(40) { rel.key.clone() } else { columns };
        let rels = [rel];
        let unique = self.dice.percent(60);
        let (item, other, link) = self.linked(&rels, unique)?;
        let mark =
            (self.word(&["'x'::text", "true", "7"]).to_owned(), Col { nullable: false, ..computed("mark", Ty::Other) });
        let filter =
            if self.dice.percent(40) { vec![self.condition(std::slice::from_ref(&other), 1)] } else { Vec::new() };
        let (item, side, on) = self.wrapped(&item, other, vec![mark], &filter, &link.condition);
        let mark = format!("{}.mark", side.alias);
        let shown = match self.dice.below(4) {
            0 => mark.clone(),
            1 => format!("({mark} IS NULL)"),
            _ => format!("coalesce({mark}::text, 'none')"),
        };
        let mut key: Vec<(String, Col)> =
            columns.iter().map(|at| (rels[0].col(*at), Col { nullable: false, ..rels[0].cols[*at].clone() })).collect();
        let mut groups: Vec<String> = key.iter().map(|(sql, _)| sql.clone()).collect();
        groups.push(if self.dice.percent(50) { mark } else { shown.clone() });
        if self.dice.percent(80) {
            key.push((shown.clone(), Col { nullable: false, ..computed("mark", Ty::Other) }));
        }
        let mut conditions = self.filled(&rels[0], &columns);
        if self.dice.percent(25) {
            conditions.push(self.condition(&rels, 1));
        }
        // PostgreSQL computes a FULL JOIN of equalities only.
        let how =
            self.word(&["LEFT JOIN", "LEFT JOIN", "LEFT JOIN", "JOIN", if unique { "FULL JOIN" } else { "LEFT JOIN" }]);
        let from = format!("FROM {from}\n  {how} {item} ON {on}{}", filter_text(&conditions));
        if self.dice.percent(35) {
            let document = format!("jsonb_build_object('mark', {shown})");
            return Some(select("SELECT DISTINCT", distinct_names(key), vec![document], from));
        }
        let aggregate = self.plain_aggregate(&[side.made_nullable()]);
        let document = format!("jsonb_build_object('n', count(*), 'value', {aggregate}, 'mark', min({shown}::text))");
        let rest = format!("{from}\nGROUP BY {}", groups.join(", "));
        Some(select("SELECT", distinct_names(key), vec![document], rest))
    }

    /// Groups by what an outer join has found, and one of what it has found nothing for.
    pub fn absent_partner_query(&mut self) -> Option<Query> {
        self.note(Shape::AbsentPartner);
        let table = self.any_table();
        let (mut text, rel) = self.base(table);
        let mut rels = vec![rel];
        let unique = self.dice.percent(70);
        let (item, other, link) = self.linked(&rels, unique)?;
        text = format!("{text}\n  LEFT JOIN {item} ON {}", link.condition);
        let side = other.made_nullable();
        let shown = match self.column(std::slice::from_ref(&side), |ty| ty == Ty::Text) {
            Some(column) if self.dice.percent(30) => Some(format!("coalesce({column}, 'none')")),
            Some(column) if self.dice.percent(20) => Some(format!("lower({column})")),
            _ => None,
        };
        let key: Vec<(String, Col)> = match shown {
            Some(expression) => vec![(expression, computed("bucket", Ty::Text))],
            None => side.key.iter().map(|at| (side.col(*at), side.cols[*at].clone())).collect(),
        };
        rels.push(side);
        // Further rows of either side, and of rows beside both.
        for how in ["JOIN", "LEFT JOIN"] {
            let on = if self.dice.percent(70) { 0..1 } else { 0..rels.len() };
            if self.dice.percent(35)
                && let Some((item, joined, link)) = self.linked(&rels[on], false)
            {
                text = format!("{text}\n  {how} {item} ON {}", link.condition);
                rels.push(if how == "JOIN" { joined } else { joined.made_nullable() });
            }
        }
        let conditions = if self.dice.percent(35) { vec![self.condition(&rels[..1], 1)] } else { Vec::new() };
        let aggregate = self.plain_aggregate(&rels);
        let list = format!("jsonb_agg({0} ORDER BY {0})", rels[0].col(rels[0].key[0]));
        let document = format!("jsonb_build_object('n', count(*), 'value', {aggregate}, 'list', {list})");
        let groups: Vec<String> = key.iter().map(|(sql, _)| sql.clone()).collect();
        let rest = format!("FROM {text}{}\nGROUP BY {}", filter_text(&conditions), groups.join(", "));
        Some(select("SELECT", distinct_names(key), vec![document], rest))
    }
}
