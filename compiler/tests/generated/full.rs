//! FULL JOINs at the top: of two relations to four, by ON or USING, side by side or one in another, with more joined behind them.
//!
//! In: the schema. Out: a view whose key is what the FULL JOINs merge.

use crate::query::{Query, distinct_names, select};
use crate::relation::filter_text;
use crate::scope::{Col, Gen, Rel};
use crate::shapes::Shape;

/// FULL JOINs under way.
struct Chain {
    from: String,
    /// What they merge, column by column.
    key: Vec<String>,
    /// The name of each key column, as long as all sides are joined by USING.
    names: Option<Vec<String>>,
}

impl Chain {
    fn of(from: String, rel: &Rel) -> Chain {
        let names = rel.key.iter().map(|at| rel.cols[*at].name.clone()).collect();
        Chain { from, key: rel.keys(), names: Some(names) }
    }

    /// Whether a relation can be joined by USING.
    fn fits(&self, rel: &Rel) -> bool {
        let same = |names: &Vec<String>| names.iter().zip(&rel.key).all(|(name, at)| rel.cols[*at].name == *name);
        self.names.as_ref().is_some_and(same)
    }

    fn join(&mut self, item: &str, keys: &[String], using: bool, swapped: bool) {
        let pairs = self.key.iter().zip(keys);
        let condition = match &self.names {
            Some(names) if using => format!("USING ({})", names.join(", ")),
            _ => {
                let equal =
                    pairs.clone().map(|(a, b)| if swapped { format!("{b} = {a}") } else { format!("{a} = {b}") });
                format!("ON {}", equal.collect::<Vec<_>>().join(" AND "))
            }
        };
        self.from = format!("{}\n  FULL JOIN {item} {condition}", self.from);
        self.key = pairs.map(|(a, b)| merged(a, b)).collect();
        if !using {
            self.names = None;
        }
    }
}

/// `coalesce` of both, as one call.
fn merged(one: &str, two: &str) -> String {
    let inside =
        |text: &str| text.strip_prefix("coalesce(").and_then(|t| t.strip_suffix(')')).unwrap_or(text).to_owned();
    format!("coalesce({}, {})", inside(one), inside(two))
}

impl Gen<'_> {
    /// Full joins by keys of the same types.
    pub fn full_join_query(&mut self) -> Option<Query> {
        self.note(Shape::FullJoin);
        let wanted = if self.wants(Shape::FullChain) { 3 + self.dice.below(2) } else { 2 };
        let (from, rel) = self.full_side()?;
        let mut sides = vec![(from, rel)];
        for _ in 0..8 * wanted {
            let (from, rel) = self.full_side()?;
            if sides.len() < wanted && same_keys(&sides[0].1, &rel) {
                sides.push((from, rel));
            }
        }
        (sides.len() > 1).then(|| self.fully_joined(sides))
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

    fn fully_joined(&mut self, mut sides: Vec<(String, Rel)>) -> Query {
        let first = &sides[0].1;
        let cols: Vec<Col> = first.key.iter().enumerate().map(|(n, at)| key_column(first, n, *at)).collect();
        let mut rels: Vec<Rel> = sides.iter().map(|(_, rel)| rel.clone().made_nullable()).collect();
        let rest = sides.split_off(1);
        let mut chain = Chain::of(sides.swap_remove(0).0, &rels[0]);
        let (using, inside) = (self.dice.percent(65), self.dice.percent(15));
        let mut joined = rest.into_iter();
        while let Some((item, rel)) = joined.next() {
            // One join within parentheses, as another's right side.
            if inside && let Some((other, more)) = joined.next() {
                let mut inner = Chain::of(item, &rel);
                let named = using && inner.fits(&more);
                inner.join(&other, &more.keys(), named, false);
                let named = named && chain.fits(&rel);
                chain.join(&format!("({})", inner.from), &inner.key, named, self.dice.percent(50));
                continue;
            }
            let named = using && chain.fits(&rel);
            chain.join(&item, &rel.keys(), named, self.dice.percent(50));
        }
        let Chain { mut from, mut key, names } = chain;
        let alone = !self.joined_behind(&mut from, &mut rels);
        // A relation behind them can have a column of that name too.
        if let Some(names) = names.filter(|_| alone && self.dice.percent(60)) {
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

    /// One more, by a LEFT JOIN from any side; whether there is one.
    fn joined_behind(&mut self, from: &mut String, rels: &mut Vec<Rel>) -> bool {
        if self.dice.percent(30)
            && self.wants(Shape::LeftJoin)
            && let Some((item, third, link)) = self.linked(rels, true)
        {
            *from = format!("{from}\n  LEFT JOIN {item} ON {}", link.condition);
            rels.push(third.made_nullable());
            return true;
        }
        false
    }
}

fn key_column(rel: &Rel, number: usize, at: usize) -> Col {
    Col { name: format!("id_{number}"), nullable: false, origin: None, ..rel.cols[at].clone() }
}

fn same_keys(one: &Rel, two: &Rel) -> bool {
    let types = |rel: &Rel| rel.key.iter().map(|at| rel.cols[*at].ty).collect::<Vec<_>>();
    !one.key.is_empty() && types(one) == types(two)
}
