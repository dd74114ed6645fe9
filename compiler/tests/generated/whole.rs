//! Views that no key leads to: `full_refresh` keeps them.
//!
//! In: the schema. Out: views with uncorrelated subqueries, windows without a partition, LIMIT at the top and recursions, and the
//! directive that they need.

use crate::query::{Query, distinct_names, select};
use crate::relation::computed;
use crate::schema::Ty;
use crate::scope::{Col, Gen, Rel};
use crate::shapes::Shape;

impl Gen<'_> {
    /// A table's rows, with something that concerns all of them.
    pub fn whole_query(&mut self) -> Option<Query> {
        self.note(Shape::FullRefresh);
        let table = self.any_table();
        let (from, rel) = self.base(table);
        let rels = [rel];
        let other = self.any_table();
        let (other_from, other_rel) = self.base(other);
        let order = self.order(&rels);
        let mut rest = format!("FROM {from}");
        let value = match self.dice.below(4) {
            0 => format!("(SELECT {} FROM {other_from})", self.plain_aggregate(&[other_rel])),
            1 => format!("row_number() OVER (ORDER BY {order})"),
            2 => {
                rest = format!("{rest}\nORDER BY {order} LIMIT 4");
                "1".to_owned()
            }
            _ => format!("EXISTS (SELECT 1 FROM {other_from} WHERE {})", self.test(&[other_rel])),
        };
        let document = format!("jsonb_build_object('whole', {value}, 'own', {})", self.scalar(&rels));
        self.whole = true;
        Some(select("SELECT", keys(&rels[0]), vec![document], rest))
    }

    /// A table that refers to itself, or another, followed a few steps down.
    pub fn recursive_query(&mut self) -> Option<Query> {
        self.note(Shape::Recursion);
        let (table, columns, key) = self.self_reference()?;
        let steps = |c: &str, p: &str, maker: &Self| {
            let names = &maker.table(table).columns;
            let pairs =
                columns.iter().zip(&key).map(|(r, k)| format!("{c}.{} = {p}.{}", names[*r].name, names[*k].name));
            pairs.collect::<Vec<_>>().join(" AND ")
        };
        let name = self.alias("down");
        let query = if self.dice.percent(50) {
            self.rows_of_recursion(table, &columns, &name, &steps)
        } else {
            self.recursion_below(table, &name, &steps)
        };
        self.whole = true;
        Some(query)
    }

    /// Columns of a table that hold its own key.
    fn self_reference(&mut self) -> Option<(usize, Vec<usize>, Vec<usize>)> {
        let tables = self.schema.tables.iter().enumerate();
        let found: Vec<_> = tables
            .flat_map(|(at, table)| table.references.iter().filter(move |r| r.parent == at).map(move |r| (at, r)))
            .map(|(at, r)| (at, r.columns.clone(), r.parent_columns.clone()))
            .collect();
        self.pick(&found)
    }

    /// The recursion's own rows: from rows that refer to none, to those that refer to them. Each is reached once.
    fn rows_of_recursion(
        &mut self,
        table: usize,
        columns: &[usize],
        name: &str,
        steps: &dyn Fn(&str, &str, &Self) -> String,
    ) -> Query {
        let (from, root) = self.base(table);
        let (again, child) = self.base(table);
        let shown: Vec<String> = (0..root.cols.len()).map(|at| root.col(at)).collect();
        let below: Vec<String> = (0..child.cols.len()).map(|at| child.col(at)).collect();
        let all = if self.dice.percent(70) && !root.cols.iter().any(|col| col.ty == Ty::Json) {
            "UNION"
        } else {
            "UNION ALL"
        };
        let text = self.text(std::slice::from_ref(&child));
        let (step, alias) = (steps(&child.alias, name, self), self.alias("rows"));
        let with = format!(
            "RECURSIVE {name} AS (\n    SELECT {}, 1 AS depth, jsonb_build_array() AS way FROM {from} WHERE {} IS NULL\n    {all}\n    \
             SELECT {}, {name}.depth + 1, {name}.way || jsonb_build_array({text}) FROM {again} JOIN {name} ON {step} WHERE {name}.depth < 5\n)",
            shown.join(", "),
            root.col(columns[0]),
            below.join(", "),
        );
        let mut cols = root.cols.clone();
        cols.iter_mut().for_each(|col| col.origin = None);
        cols.extend([computed("depth", Ty::Int), computed("way", Ty::Jsonb)]);
        let rel = Rel { alias: alias.clone(), cols, key: root.key.clone(), whole: true, base: None };
        let rels = [rel];
        let document = self.document(&rels);
        let mut query = select("SELECT", keys(&rels[0]), vec![document], format!("FROM {name} {alias}"));
        let key: Vec<&str> = query.key.iter().map(|(_, col)| col.name.as_str()).collect();
        query.directives = vec![format!("key({})", key.join(", ")), "full_refresh".to_owned()];
        query.with.push(with);
        query
    }

    /// A table's rows, each with those below it.
    fn recursion_below(&mut self, table: usize, name: &str, steps: &dyn Fn(&str, &str, &Self) -> String) -> Query {
        let (from, root) = self.base(table);
        let (again, child) = self.base(table);
        let key = |rel: &Rel, prefix: &str| {
            let named = rel.key.iter().map(|at| format!("{} AS {prefix}{}", rel.col(*at), rel.cols[*at].name));
            named.collect::<Vec<_>>().join(", ")
        };
        let own = child.keys().join(", ");
        let roots: Vec<String> = root.key.iter().map(|at| format!("{name}.root_{}", root.cols[*at].name)).collect();
        let with = format!(
            "RECURSIVE {name} AS (\n    SELECT {}, {}, 0 AS depth FROM {from}\n    UNION\n    SELECT {}, {own}, {name}.depth + 1 \
             FROM {again} JOIN {name} ON {} WHERE {name}.depth < 4\n)",
            key(&root, "root_"),
            key(&root, ""),
            roots.join(", "),
            steps(&child.alias, name, self),
        );
        let (outer, rel) = self.base(table);
        let pairs = rel.key.iter().zip(&roots).map(|(at, root)| format!("{root} = {}", rel.col(*at)));
        let pairs = pairs.collect::<Vec<_>>().join(" AND ");
        let below = format!("{name}.{}", rel.cols[rel.key[0]].name);
        let rels = [rel];
        let document = format!(
            "jsonb_build_object('below', (SELECT jsonb_agg(DISTINCT {below} ORDER BY {below}) FROM {name} WHERE {pairs}),\n        \
             'deep', (SELECT max({name}.depth) FROM {name} WHERE {pairs}), 'own', {})",
            self.scalar(&rels)
        );
        let mut query = select("SELECT", keys(&rels[0]), vec![document], format!("FROM {outer}"));
        query.with.push(with);
        query
    }
}

fn keys(rel: &Rel) -> Vec<(String, Col)> {
    distinct_names(rel.key.iter().map(|at| (rel.col(*at), rel.cols[*at].clone())).collect())
}
