//! Keys that are made of constants: boards and calendars.
//!
//! In: the schema. Out: views over VALUES or a series, alone or beside a table, with what tables have of each value: joined and grouped, or
//! aggregated by subqueries.

use crate::query::{FIELDS, Query, distinct_names, select};
use crate::relation::computed;
use crate::schema::Ty;
use crate::scope::{Col, Gen, Rel};
use crate::shapes::Shape;

/// The constants of a view.
struct Constants {
    item: String,
    /// What tells them apart.
    key: String,
    ty: Ty,
    label: Option<String>,
}

impl Gen<'_> {
    /// One row per constant, or per constant and row of a table.
    pub fn constant_key_query(&mut self) -> Option<Query> {
        self.note(Shape::ConstantKey);
        let constants = self.constants();
        let mut from = constants.item.clone();
        let col = Col { nullable: false, ..computed("constant", constants.ty) };
        let mut key = vec![(constants.key.clone(), col)];
        let mut groups: Vec<String> = key.iter().map(|(sql, _)| sql.clone()).chain(constants.label.clone()).collect();
        let mut owner = None;
        if self.dice.percent(25) {
            let table = self.any_table();
            let (item, rel) = self.base(table);
            if rel.key.len() > 1 {
                return None;
            }
            from = format!("{from}\n  CROSS JOIN {item}");
            key.extend(rel.key.iter().map(|at| (rel.col(*at), rel.cols[*at].clone())));
            groups.extend(rel.keys());
            owner = Some(rel);
        }
        let mut fields: Vec<String> = constants.label.iter().map(|label| format!("'label', {label}")).collect();
        let rest = match self.dice.percent(50) {
            true => {
                let rels = self.joined_to(&constants, owner.as_ref(), &mut from)?;
                for field in &FIELDS[..2] {
                    let aggregate = self.aggregate_of(&rels);
                    fields.push(format!("'{field}', {aggregate}"));
                }
                format!("FROM {from}\nGROUP BY {}{}", groups.join(", "), self.having(&rels))
            }
            false => {
                for field in &FIELDS[..1 + self.dice.below(3)] {
                    let mut inner = String::new();
                    let rels = self.compared_with(&constants, owner.as_ref(), &mut inner)?;
                    let aggregate = self.aggregate_of(&rels);
                    fields.push(format!("'{field}', (SELECT {aggregate} FROM {inner})"));
                }
                format!("FROM {from}")
            }
        };
        let document = format!("jsonb_build_object(\n        {})", fields.join(",\n        "));
        Some(select("SELECT", distinct_names(key), vec![document], rest))
    }

    fn constants(&mut self) -> Constants {
        let alias = self.alias("constants");
        let (cast, ty) = if self.dice.percent(30) { ("::bigint", Ty::Big) } else { ("", Ty::Int) };
        if self.dice.percent(40) {
            let item = format!("generate_series(-1{cast}, {}) AS {alias}(k)", 2 + self.dice.below(4));
            return Constants { item, key: format!("{alias}.k"), ty, label: None };
        }
        let rows: Vec<String> = (0..2 + self.dice.below(4)).map(|n| format!("({n}{cast}, 'label {n}')")).collect();
        let rows = rows.join(", ");
        let (item, label) = match self.dice.percent(60) {
            true => (format!("(VALUES {rows}) AS {alias}(k, label)"), Some(format!("{alias}.label"))),
            false => (format!("(SELECT v.k FROM (VALUES {rows}) AS v(k, l)) AS {alias}"), None),
        };
        Constants { item, key: format!("{alias}.k"), ty, label }
    }

    /// A table with a number to compare, and more that is linked to it.
    fn joined_to(&mut self, constants: &Constants, owner: Option<&Rel>, from: &mut String) -> Option<Vec<Rel>> {
        let (item, rel, mut condition) = self.comparable(constants, owner)?;
        if self.dice.percent(40) {
            let test = self.test(std::slice::from_ref(&rel));
            condition = format!("{condition} AND {test}");
        }
        let outer = self.dice.percent(70);
        *from = format!("{from}\n  {}JOIN {item} ON {condition}", if outer { "LEFT " } else { "" });
        let mut rels = vec![if outer { rel.made_nullable() } else { rel }];
        if self.dice.percent(40)
            && let Some((item, more, link)) = self.linked(&rels, false)
        {
            *from = format!("{from}\n  LEFT JOIN {item} ON {}", link.condition);
            rels.push(more.made_nullable());
        }
        Some(rels)
    }

    /// The same in a subquery.
    fn compared_with(&mut self, constants: &Constants, owner: Option<&Rel>, inner: &mut String) -> Option<Vec<Rel>> {
        let (item, rel, condition) = self.comparable(constants, owner)?;
        let mut rels = vec![rel];
        *inner = item;
        if self.dice.percent(40)
            && let Some((item, more, link)) = self.linked(&rels, false)
        {
            *inner = format!("{inner} JOIN {item} ON {}", link.condition);
            rels.push(more);
        }
        *inner = format!("{inner} WHERE {condition}");
        Some(rels)
    }

    /// A table that has numbers no wider than the constants, by one of which it is compared; and by another column with the table beside them.
    fn comparable(&mut self, constants: &Constants, owner: Option<&Rel>) -> Option<(String, Rel, String)> {
        let fits = |ty: Ty| ty == constants.ty || ty == Ty::Int;
        let with_numbers = |table: &usize| self.schema.tables[*table].columns.iter().any(|c| fits(c.ty));
        let tables: Vec<usize> = (0..self.schema.tables.len()).filter(with_numbers).collect();
        let table = self.pick(&tables)?;
        let (item, rel) = self.base(table);
        let numbers: Vec<usize> = (0..rel.cols.len()).filter(|at| fits(rel.cols[*at].ty)).collect();
        let at = self.pick(&numbers)?;
        let mut condition = format!("{} = {}", rel.col(at), constants.key);
        if let Some(owner) = owner {
            let ty = owner.cols[owner.key[0]].ty;
            let same = (0..rel.cols.len()).find(|c| *c != at && rel.cols[*c].ty == ty)?;
            condition = format!("{condition} AND {} = {}", rel.col(same), owner.keys()[0]);
        }
        Some((item, rel, condition))
    }

    fn aggregate_of(&mut self, rels: &[Rel]) -> String {
        let shape = if self.dice.percent(50) { Shape::JsonbAgg } else { Shape::PlainAggregates };
        self.aggregate(shape, &[], rels, 1)
    }
}
