//! FULL JOINs at the top: of two relations or three, by ON or USING, with more joined behind them.
//!
//! In: the schema. Out: a view whose key is what the FULL JOINs merge.

use crate::query::{Query, distinct_names, select};
use crate::relation::filter_text;
use crate::scope::{Col, Gen, Rel};
use crate::shapes::Shape;

impl Gen<'_> {
    /// A full join by keys of the same types.
    pub fn full_join_query(&mut self) -> Option<Query> {
        self.note(Shape::FullJoin);
        for _ in 0..12 {
            let (from, rel) = self.full_side()?;
            let (other_from, other) = self.full_side()?;
            if !same_keys(&rel, &other) {
                continue;
            }
            return Some(self.fully_joined((from, rel), (other_from, other)));
        }
        None
    }

    /// A table, some rows of one, or a query that groups or the like.
    fn full_side(&mut self) -> Option<(String, Rel)> {
        if self.menu.has(Shape::DerivedTable) && self.dice.percent(30) {
            let body = self.body();
            let alias = self.alias("side");
            return Some((format!("(\n    {}\n  ) {alias}", body.sql), body.named(alias)));
        }
        let table = self.any_table();
        let (from, rel) = self.base(table);
        if self.dice.percent(20) {
            let test = self.test(std::slice::from_ref(&rel));
            let (inner, alias) = (rel.alias.clone(), self.alias("side"));
            let rel = Rel { alias: alias.clone(), base: None, ..rel };
            return Some((format!("(SELECT {inner}.* FROM {from} WHERE {test}) {alias}"), rel));
        }
        Some((from, rel))
    }

    fn fully_joined(&mut self, (mut from, rel): (String, Rel), (item, other): (String, Rel)) -> Query {
        let (left, right) = (rel.keys(), other.keys());
        let names: Vec<String> = rel.key.iter().map(|at| rel.cols[*at].name.clone()).collect();
        let all_named = rel.key.iter().zip(&other.key).all(|(a, b)| rel.cols[*a].name == other.cols[*b].name);
        let mut key: Vec<String> = left.iter().zip(&right).map(|(a, b)| format!("coalesce({a}, {b})")).collect();
        let using = all_named && self.dice.percent(70);
        if using {
            from = format!("{from}\n  FULL JOIN {item} USING ({})", names.join(", "));
        } else {
            let pairs: Vec<String> = left.iter().zip(&right).map(|(a, b)| format!("{b} = {a}")).collect();
            from = format!("{from}\n  FULL JOIN {item} ON {}", pairs.join(" AND "));
        }
        let cols: Vec<Col> = rel
            .key
            .iter()
            .enumerate()
            .map(|(n, at)| Col { name: format!("id_{n}"), nullable: false, origin: None, ..rel.cols[*at].clone() })
            .collect();
        let mut rels = vec![rel.made_nullable(), other.made_nullable()];
        self.joined_behind(&mut from, &mut key, &mut rels);
        // A relation behind them can have a column of that name too.
        if using && rels.len() == 2 && self.dice.percent(50) {
            key = names;
        }
        let mut conditions = Vec::new();
        if self.dice.percent(25) {
            conditions.push(self.condition(&rels, 1));
        }
        let document = self.document(&rels);
        let key = distinct_names(key.into_iter().zip(cols).collect());
        select("SELECT", key, vec![document], format!("FROM {from}{}", filter_text(&conditions)))
    }

    /// A third relation, by another FULL JOIN or by a LEFT JOIN from either side.
    fn joined_behind(&mut self, from: &mut String, key: &mut [String], rels: &mut Vec<Rel>) {
        if self.dice.percent(25) {
            let (table, merged) = (self.any_table(), key.to_vec());
            let (item, third) = self.base(table);
            if same_keys(&rels[0], &third) {
                let pairs: Vec<String> = third.keys().iter().zip(&merged).map(|(a, b)| format!("{a} = {b}")).collect();
                *from = format!("{from}\n  FULL JOIN {item} ON {}", pairs.join(" AND "));
                for (merged, more) in key.iter_mut().zip(third.keys()) {
                    *merged = format!("coalesce({merged}, {more})");
                }
                rels.push(third.made_nullable());
            }
        } else if self.dice.percent(40)
            && self.wants(Shape::LeftJoin)
            && let Some((item, third, link)) = self.linked(rels, true)
        {
            *from = format!("{from}\n  LEFT JOIN {item} ON {}", link.condition);
            rels.push(third.made_nullable());
        }
    }
}

fn same_keys(one: &Rel, two: &Rel) -> bool {
    let types = |rel: &Rel| rel.key.iter().map(|at| rel.cols[*at].ty).collect::<Vec<_>>();
    !one.key.is_empty() && types(one) == types(two)
}
