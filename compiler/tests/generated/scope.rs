//! What a query can see, and how two relations can be joined.
//!
//! In: a schema, the dice, the shapes that may be used. Out: relations for FROM clauses and conditions that link them. A relation
//! knows which of its columns identify its rows, so that orders can be made total and keys can be told.

use std::collections::BTreeSet;

use tviewc_verify::dice::Dice;

use crate::schema::{Schema, Table, Ty};
use crate::shapes::{Menu, Shape};

/// A column that can be referred to.
#[derive(Clone, Debug)]
pub struct Col {
    pub name: String,
    pub ty: Ty,
    pub nullable: bool,
    /// The base table's column that it shows unchanged.
    pub origin: Option<(usize, usize)>,
}

/// A relation in FROM.
#[derive(Clone, Debug)]
pub struct Rel {
    pub alias: String,
    pub cols: Vec<Col>,
    /// Positions of columns that no two rows share; none of them is NULL, except where an outer join made the whole row up.
    pub key: Vec<usize>,
    /// Whether `to_jsonb(alias)` may be written.
    pub whole: bool,
    /// The base table that it is.
    pub base: Option<usize>,
}

impl Rel {
    pub fn col(&self, at: usize) -> String {
        format!("{}.{}", self.alias, self.cols[at].name)
    }

    pub fn keys(&self) -> Vec<String> {
        self.key.iter().map(|at| self.col(*at)).collect()
    }

    /// The position of the column that shows a base column.
    fn showing(&self, origin: (usize, usize)) -> Option<usize> {
        self.cols.iter().position(|col| col.origin == Some(origin))
    }

    pub fn made_nullable(mut self) -> Self {
        self.cols.iter_mut().for_each(|col| col.nullable = true);
        self
    }
}

/// A total order of the rows of a join.
pub fn total_order(rels: &[Rel]) -> String {
    rels.iter().flat_map(Rel::keys).collect::<Vec<_>>().join(", ")
}

/// How an inner relation is joined to those that are there.
#[derive(Clone, Debug)]
pub struct Link {
    pub condition: String,
    /// The column name, where both sides call it the same.
    pub using: Option<String>,
    /// Whether a row outside finds at most one row inside.
    pub unique: bool,
    pub shapes: Vec<Shape>,
    pub weight: u32,
}

/// A view that was made before.
#[derive(Clone, Debug)]
pub struct Earlier {
    pub name: String,
    pub cols: Vec<Col>,
    pub key: Vec<usize>,
    pub unordered: bool,
    /// Whether any write can change any row of it.
    pub whole: bool,
}

/// Makes the parts of one view.
pub struct Gen<'a> {
    pub schema: &'a Schema,
    pub dice: &'a mut Dice,
    pub menu: &'a Menu,
    pub earlier: &'a [Earlier],
    /// What the view is about.
    pub focus: Shape,
    /// How much else goes in, in percent of the usual.
    pub richness: u32,
    pub used: BTreeSet<Shape>,
    pub needs: BTreeSet<String>,
    pub unordered: bool,
    /// Whether the view reads one that only `full_refresh` keeps.
    pub whole: bool,
    /// How many more parts may be made.
    pub left: usize,
    pub aliases: usize,
}

impl<'a> Gen<'a> {
    /// Whether the shape may be used here, and the dice say so.
    pub fn wants(&mut self, shape: Shape) -> bool {
        if !self.menu.has(shape) {
            return false;
        }
        let percent = match shape.percent() {
            100 => 100,
            _ if shape == self.focus && !self.used.contains(&shape) => 90,
            _ if self.left == 0 => 0,
            percent => percent * self.richness / 100,
        };
        let wanted = self.dice.percent(percent);
        if wanted {
            self.note(shape);
        }
        wanted
    }

    pub fn note(&mut self, shape: Shape) {
        self.used.insert(shape);
        self.left = self.left.saturating_sub(1);
    }

    pub fn pick<T: Clone>(&mut self, items: &[T]) -> Option<T> {
        self.dice.pick(items).cloned()
    }

    pub fn word(&mut self, words: &[&'static str]) -> &'static str {
        self.dice.word(words)
    }

    pub fn alias(&mut self, prefix: &str) -> String {
        self.aliases += 1;
        format!("{}{}", &prefix[..1], self.aliases)
    }

    pub fn table(&self, at: usize) -> &'a Table {
        &self.schema.tables[at]
    }

    pub fn any_table(&mut self) -> usize {
        self.dice.below(self.schema.tables.len())
    }

    /// A base table under a new alias: what stands in FROM, and what it shows.
    pub fn base(&mut self, at: usize) -> (String, Rel) {
        let table = self.table(at);
        let alias = self.alias(&table.name);
        let cols = table.columns.iter().enumerate().map(|(column, c)| Col {
            name: c.name.clone(),
            ty: c.ty,
            nullable: c.nullable,
            origin: Some((at, column)),
        });
        let rel =
            Rel { alias: alias.clone(), cols: cols.collect(), key: table.key.clone(), whole: true, base: Some(at) };
        if table.key.len() > 1 {
            self.used.insert(Shape::CompositeKey);
        }
        match table.columns[table.key[0]].ty {
            Ty::Uuid => self.used.insert(Shape::UuidKey),
            Ty::Text => self.used.insert(Shape::TextKey),
            _ => false,
        };
        (format!("{} {alias}", table.name), rel)
    }

    /// A link between `inner` and one of `outer`; the last ones are nearest.
    pub fn link(&mut self, inner: &Rel, outer: &[Rel], unique: bool) -> Option<Link> {
        let mut links: Vec<Link> = Vec::new();
        for rel in outer {
            self.references(inner, rel, &mut links);
            self.values(inner, rel, &mut links);
        }
        links.retain(|link| link.unique || !unique);
        links.retain(|link| link.shapes.iter().all(|shape| self.menu.has(*shape)));
        for link in &mut links {
            for shape in &link.shapes {
                let focused = *shape == self.focus && !self.used.contains(shape);
                let percent = if focused { 2_000 } else { shape.percent().min(60) * self.richness / 100 };
                link.weight = link.weight * percent / 20;
            }
        }
        let weights: Vec<u32> = links.iter().map(|link| link.weight).collect();
        if weights.iter().sum::<u32>() == 0 {
            return None;
        }
        let link = links.swap_remove(self.dice.weighted(&weights));
        link.shapes.iter().for_each(|shape| self.note(*shape));
        Some(link)
    }

    /// By references of either to the other.
    fn references(&self, inner: &Rel, outer: &Rel, links: &mut Vec<Link>) {
        for (at, table) in self.schema.tables.iter().enumerate() {
            for reference in &table.references {
                let parent = reference.parent;
                for (child, target) in [(inner, outer), (outer, inner)] {
                    let pairs: Option<Vec<(usize, usize)>> = (reference.columns.iter().zip(&reference.parent_columns))
                        .map(|(c, p)| Some((child.showing((at, *c))?, target.showing((parent, *p))?)))
                        .collect();
                    let Some(pairs) = pairs else { continue };
                    let conditions: Vec<String> =
                        pairs.iter().map(|(c, p)| format!("{} = {}", child.col(*c), target.col(*p))).collect();
                    let same_name = pairs.len() == 1 && child.cols[pairs[0].0].name == target.cols[pairs[0].1].name;
                    let inside = pairs.iter().map(|(c, p)| if std::ptr::eq(child, inner) { *c } else { *p }).collect();
                    if pairs.len() > 1 {
                        let row = |side: Vec<String>| format!("({})", side.join(", "));
                        let left = row(pairs.iter().map(|(c, _)| child.col(*c)).collect());
                        let right = row(pairs.iter().map(|(_, p)| target.col(*p)).collect());
                        links.push(Link {
                            condition: format!("{left} = {right}"),
                            using: None,
                            unique: false,
                            shapes: vec![Shape::CompositeLink, Shape::RowComparison],
                            weight: 40,
                        });
                    }
                    links.push(Link {
                        condition: conditions.join(" AND "),
                        using: same_name.then(|| child.cols[pairs[0].0].name.clone()),
                        unique: self.is_key(inner, inside),
                        shapes: if pairs.len() > 1 { vec![Shape::CompositeLink] } else { Vec::new() },
                        weight: 40,
                    });
                }
            }
        }
    }

    /// Whether no two rows share these columns. A relation of one row has no key, and is not meant.
    pub fn is_key(&self, rel: &Rel, columns: Vec<usize>) -> bool {
        let covers = |key: &Vec<usize>| key.iter().all(|column| columns.contains(column));
        !rel.key.is_empty() && covers(&rel.key)
            || rel.base.is_some_and(|table| self.table(table).uniques.iter().any(covers))
    }

    /// A base table that a link can be found to, in the order of the dice.
    pub fn linked(&mut self, outer: &[Rel], unique: bool) -> Option<(String, Rel, Link)> {
        let mut tables: Vec<usize> = (0..self.schema.tables.len()).collect();
        self.dice.shuffle(&mut tables);
        // Tables that refer or are referred to come first: a view is mostly about those.
        let near = |table: &usize| {
            let refers = |from: usize, to: usize| self.schema.tables[from].references.iter().any(|r| r.parent == to);
            let shown = outer.iter().flat_map(|rel| &rel.cols).filter_map(|col| Some(col.origin?.0));
            let (inward, outward): (Vec<bool>, Vec<bool>) =
                shown.map(|o| (refers(*table, o), refers(o, *table))).unzip();
            !(outward.contains(&true) || !unique && inward.contains(&true))
        };
        if !self.dice.percent(15) {
            tables.sort_by_key(near);
        }
        for table in tables {
            let (from, rel) = self.base(table);
            if let Some(link) = self.link(&rel, outer, unique) {
                return Some((from, rel, link));
            }
        }
        None
    }
}
