//! Keys that set-returning functions make.
//!
//! In: the schema. Out: views with a row per element of arrays, per key of JSON objects or per number of a series: grouped by it, made
//! distinct by it, or one row per element and row; with tables joined to the row or to the element.

use crate::query::{FIELDS, Query, distinct_names, select};
use crate::relation::{computed, filter_text};
use crate::schema::Ty;
use crate::scope::{Col, Gen, Rel};
use crate::shapes::Shape;

/// A set-returning function over a column.
struct Made {
    function: String,
    /// Of what it makes.
    ty: Ty,
    /// What has to be true for it not to fail.
    guards: Vec<String>,
}

impl Gen<'_> {
    /// One row per value that a function makes of the rows of a table.
    pub fn made_key_query(&mut self) -> Option<Query> {
        self.note(Shape::MadeKey);
        let table = self.any_table();
        let (from, rel) = self.base(table);
        let Made { function, mut ty, mut guards } = self.made_values(&rel)?;
        let alias = self.alias("made");
        let element =
            Rel { alias: alias.clone(), cols: vec![computed("item", ty)], key: vec![0], whole: false, base: None };
        let mut item = element.col(0);
        let function = format!("{function} AS {alias}(item)");
        let mut text = match self.dice.below(4) {
            0 => format!("{from}, {function}"),
            1 => format!("{from}\n  LEFT JOIN LATERAL {function} ON true"),
            2 => format!("{from}\n  JOIN {function} ON true"),
            _ => format!("{from}\n  CROSS JOIN LATERAL {function}"),
        };
        let mut rels = vec![rel];
        if self.wants(Shape::ElementLink) {
            self.join_named(&mut text, &element, &mut rels);
        }
        // A comma binds less than JOIN, whose condition does not see what is before it.
        if !text.contains(", ") && self.dice.percent(40) {
            self.join_linked(&mut text, &mut rels);
        }
        if ty == Ty::Text && self.wants(Shape::Guard) {
            guards.push(format!("{item} ~ '^[0-9]{{1,6}}$'"));
            (item, ty) = (format!("{item}::int"), Ty::Int);
        }
        let mut conditions = guards;
        if self.dice.percent(80) {
            conditions.push(format!("{item} IS NOT NULL"));
        }
        if self.dice.percent(30) {
            conditions.push(self.condition(&rels, 1));
        }
        let mut key = vec![(item.clone(), Col { nullable: false, ..computed("item", ty) })];
        if self.dice.percent(35) {
            let own = rels[0].key.iter().map(|at| (rels[0].col(*at), rels[0].cols[*at].clone()));
            key.splice(0..0, own.collect::<Vec<_>>());
        }
        let rest = format!("FROM {text}{}", filter_text(&conditions));
        Some(self.of_made_rows(key, &item, &rels, rest))
    }

    /// Groups or distinct rows of elements.
    fn of_made_rows(&mut self, key: Vec<(String, Col)>, item: &str, rels: &[Rel], rest: String) -> Query {
        if self.dice.percent(25) {
            let document = format!("jsonb_build_object('item', {item}, 'twice', {item}::text || {item}::text)");
            return select("SELECT DISTINCT", distinct_names(key), vec![document], rest);
        }
        let aggregates = [Shape::JsonbAgg, Shape::PlainAggregates, Shape::StringAgg, Shape::ArrayAgg];
        let mut fields = vec![format!("'item', {item}")];
        for field in &FIELDS[..1 + self.dice.below(2)] {
            let shape = self.pick(&aggregates).unwrap_or(Shape::PlainAggregates);
            fields.push(format!("'{field}', {}", self.aggregate(shape, &[], rels, 1)));
        }
        let groups: Vec<String> = key.iter().map(|(sql, _)| sql.clone()).collect();
        let having = self.having(rels);
        let document = format!("jsonb_build_object({})", fields.join(", "));
        let rest = format!("{rest}\nGROUP BY {}{having}", groups.join(", "));
        select("SELECT", distinct_names(key), vec![document], rest)
    }

    /// A function over a column, and the type of what it makes.
    fn made_values(&mut self, rel: &Rel) -> Option<Made> {
        if self.wants(Shape::Guard)
            && let Some(made) = self.guarded_values(rel)
        {
            return Some(made);
        }
        let rels = std::slice::from_ref(rel);
        let array = self.column(rels, |ty| matches!(ty, Ty::Words | Ty::Numbers));
        let document = self.column(rels, |ty| ty == Ty::Jsonb);
        let number = self.column(rels, |ty| ty == Ty::Int);
        let text = self.column(rels, |ty| ty == Ty::Text);
        let guarded = |column: &str, kind: &str, none: &str| {
            format!("CASE WHEN jsonb_typeof({column}) = '{kind}' THEN {column} ELSE '{none}' END")
        };
        let mut all: Vec<(String, Ty)> = Vec::new();
        if let Some(array) = array {
            let ty = if array.ends_with("numbers") { Ty::Int } else { Ty::Text };
            all.extend(vec![(format!("unnest({array})"), ty); 3]);
            all.push((format!("generate_series(1, cardinality({array}))"), Ty::Int));
            all.push((format!("generate_subscripts({array}, 1)"), Ty::Int));
        }
        if let Some(document) = document {
            all.push((format!("jsonb_array_elements_text({})", guarded(&document, "array", "[]")), Ty::Text));
            all.push((format!("jsonb_object_keys({})", guarded(&document, "object", "{}")), Ty::Text));
        }
        if let Some(number) = number {
            all.push((format!("generate_series(1, least({number}, 4))"), Ty::Int));
        }
        if let Some(text) = text {
            all.push((format!("regexp_split_to_table({text}, '[ ,]')"), Ty::Text));
        }
        let (function, ty) = self.pick(&all)?;
        Some(Made { function, ty, guards: Vec::new() })
    }

    /// A function that fails for JSON of another kind, which WHERE leaves out.
    fn guarded_values(&mut self, rel: &Rel) -> Option<Made> {
        let column = self.column(std::slice::from_ref(rel), |ty| ty == Ty::Jsonb)?;
        let (name, kind) =
            if self.dice.percent(50) { ("array_elements_text", "array") } else { ("object_keys", "object") };
        let guards = vec![format!("jsonb_typeof({column}) = '{kind}'")];
        Some(Made { function: format!("jsonb_{name}({column})"), ty: Ty::Text, guards })
    }

    /// A table that has the element in a column.
    fn join_named(&mut self, text: &mut String, element: &Rel, rels: &mut Vec<Rel>) {
        let table = self.any_table();
        let (from, rel) = self.base(table);
        let same: Vec<usize> = (0..rel.cols.len()).filter(|at| rel.cols[*at].ty == element.cols[0].ty).collect();
        let Some(at) = self.pick(&same) else { return };
        let how = self.word(&["JOIN", "LEFT JOIN"]);
        *text = format!("{text}\n  {how} {from} ON {} = {}", rel.col(at), element.col(0));
        rels.push(if how == "JOIN" { rel } else { rel.made_nullable() });
    }

    fn join_linked(&mut self, text: &mut String, rels: &mut Vec<Rel>) {
        if let Some((from, rel, link)) = self.linked(&rels[..1], false) {
            let how = self.word(&["JOIN", "LEFT JOIN"]);
            *text = format!("{text}\n  {how} {from} ON {}", link.condition);
            rels.push(if how == "JOIN" { rel } else { rel.made_nullable() });
        }
    }
}
