//! Whole views.
//!
//! In: a schema, the shapes that may be used, views that were made before. Out: a [`View`]: valid PostgreSQL that shows a key and
//! one or more documents, with the shapes that went into it.

use std::collections::BTreeSet;

use tviewc_verify::dice::Dice;

use crate::from::From;
use crate::relation::filter_text;
use crate::schema::{Schema, Ty};
use crate::scope::{Col, Earlier, Gen, Rel};
use crate::shapes::{Menu, Shape};
use crate::subquery::operator;

/// A generated view.
#[derive(Clone, Debug)]
pub struct View {
    pub name: String,
    /// Directives and CREATE VIEW.
    pub sql: String,
    pub shapes: BTreeSet<Shape>,
    /// Views that it reads, directly or not.
    pub needs: BTreeSet<String>,
    /// Whether its documents hold arrays without an order.
    pub unordered: bool,
    /// Whether it is written as a table or a materialized view, or reads one that is: it is not there before the migration.
    pub waits: bool,
    /// What a later view can do with it.
    pub shows: Earlier,
}

/// A query that defines a view, under way.
pub struct Query {
    pub with: Vec<String>,
    /// `SELECT` or `SELECT DISTINCT …`.
    select: String,
    pub key: Vec<(String, Col)>,
    plain: Vec<(String, Col)>,
    documents: Vec<String>,
    /// All that comes after the select list.
    rest: String,
    pub directives: Vec<String>,
}

const DOCUMENTS: &[&str] = &["data", "extra"];

/// Makes a query of one kind, where the schema has what it needs.
type Maker<'a> = fn(&mut Gen<'a>) -> Option<Query>;

/// Makes a view about one of the shapes.
pub fn view(schema: &Schema, dice: &mut Dice, menu: &Menu, earlier: &[View], number: usize) -> View {
    let shows: Vec<Earlier> = earlier.iter().map(|view| view.shows.clone()).collect();
    let subjects = menu.subjects();
    let focus = dice.pick(&subjects).copied().unwrap_or(Shape::InnerJoin);
    let richness = [20, 60, 100, 160][dice.below(4)];
    let left = [4, 8, 14, 20][dice.below(4)];
    let mut maker = Gen {
        schema,
        dice,
        menu,
        earlier: &shows,
        focus,
        richness,
        used: BTreeSet::new(),
        needs: BTreeSet::new(),
        unordered: false,
        whole: false,
        left,
        aliases: 0,
    };
    let mut query = maker.query();
    let defined = maker.definition();
    let Gen { used, needs: direct, unordered, whole, .. } = maker;
    if whole && !query.directives.iter().any(|text| text == "full_refresh") {
        query.directives.push("full_refresh".to_owned());
    }
    let read: Vec<&View> = earlier.iter().filter(|view| direct.contains(&view.name)).collect();
    let waits = defined.is_some() || read.iter().any(|view| view.waits);
    let needs = direct.iter().cloned().chain(read.iter().flat_map(|view| view.needs.clone())).collect();
    let name = format!("v_{}{number}", focus.name());
    let shows = query.shows(&name, unordered, whole);
    View { sql: query.text(&name, defined.unwrap_or_default()), name, shapes: used, needs, unordered, waits, shows }
}

impl View {
    /// As a view, however it is written.
    pub fn as_view(&self) -> String {
        let of_table = format!("CREATE TABLE {} AS", self.name.replacen("v_", "tv_", 1));
        let view = format!("CREATE VIEW {} AS", self.name);
        let sql = self.sql.replacen(&of_table, &view, 1).replacen("\nWITH NO DATA;", ";", 1);
        sql.replacen("CREATE MATERIALIZED VIEW", "CREATE VIEW", 1)
    }
}

impl Query {
    fn text(&self, name: &str, definition: Definition) -> String {
        let directives: String = self.directives.iter().map(|text| format!("-- tviewc: {text}\n")).collect();
        let with = if self.with.is_empty() { String::new() } else { format!("WITH {}\n", self.with.join(",\n")) };
        let columns = self.key.iter().chain(&self.plain).map(|(sql, col)| format!("{sql} AS {}", col.name));
        let documents = self.documents.iter().zip(DOCUMENTS).map(|(sql, name)| format!("{sql} AS {name}"));
        let outputs: Vec<String> = columns.chain(documents).collect();
        let (create, end) = match definition {
            Definition::View => (format!("CREATE VIEW {name}"), ""),
            Definition::Table => (format!("CREATE TABLE {}", name.replacen("v_", "tv_", 1)), ""),
            Definition::Materialized => (format!("CREATE MATERIALIZED VIEW {name}"), "\nWITH NO DATA"),
        };
        let (select, outputs) = (&self.select, outputs.join(",\n    "));
        format!("{directives}{create} AS\n{with}{select} {outputs}\n{}{end};\n", self.rest)
    }

    fn shows(&self, name: &str, unordered: bool, whole: bool) -> Earlier {
        let mut cols: Vec<Col> = self.key.iter().chain(&self.plain).map(|(_, col)| col.clone()).collect();
        for (sql, name) in self.documents.iter().zip(DOCUMENTS) {
            let ty = match () {
                () if sql.starts_with("json_") => Ty::Json,
                () if sql.starts_with("ARRAY") => Ty::Other,
                () => Ty::Jsonb,
            };
            cols.push(Col { name: (*name).to_owned(), ty, nullable: true, origin: None });
        }
        Earlier { name: name.to_owned(), cols, key: (0..self.key.len()).collect(), unordered, whole }
    }
}

/// How a view is written.
#[derive(Clone, Copy, Default)]
enum Definition {
    #[default]
    View,
    Table,
    Materialized,
}

impl<'a> Gen<'a> {
    /// Whether the view is written as what other tools have.
    fn definition(&mut self) -> Option<Definition> {
        if self.wants(Shape::TableDefinition) {
            return Some(Definition::Table);
        }
        self.wants(Shape::MaterializedView).then_some(Definition::Materialized)
    }

    fn query(&mut self) -> Query {
        let grouped = [
            Shape::GroupBy,
            Shape::GroupByExpression,
            Shape::Having,
            Shape::ArrayKey,
            Shape::AtTimeZone,
            Shape::CompositeField,
            Shape::Guard,
            Shape::Lookalikes,
            Shape::Nocase,
        ];
        let kinds: [(&[Shape], Maker<'a>); 15] = [
            (&grouped, Self::grouped_query),
            (&[Shape::ConstantKey], Self::constant_key_query),
            (&[Shape::MadeKey], Self::made_key_query),
            (&[Shape::NullableConstant], Self::constant_query),
            (&[Shape::UnionAll, Shape::Union, Shape::Except, Shape::Intersect], Self::set_query),
            (&[Shape::Distinct], Self::distinct_query),
            (&[Shape::DistinctOn], Self::first_of_group_query),
            (&[Shape::FullJoin, Shape::FullChain], Self::full_join_query),
            (&[Shape::TwoTableKey, Shape::CrossJoin], Self::two_table_query),
            (&[Shape::GroupSides], Self::grouped_sides_query),
            (&[Shape::FullRefresh], Self::whole_query),
            (&[Shape::Recursion], Self::recursive_query),
            (&[Shape::IdleOuterJoin], Self::idle_join_query),
            (&[Shape::PickedNumber], Self::picked_query),
            (&[Shape::AbsentPartner], Self::absent_partner_query),
        ];
        for (shapes, make) in kinds {
            // What can be in any view is not mostly about this kind.
            let percent = if shapes[0] == self.focus || shapes.len() < 5 { 75 } else { 40 };
            let about = shapes.contains(&self.focus) && self.dice.percent(percent);
            let allowed = shapes.iter().any(|shape| self.menu.has(*shape));
            if allowed
                && (about || self.dice.percent(1))
                && let Some(query) = make(self)
            {
                return query;
            }
        }
        self.plain_query()
    }

    /// One row per row of a table, or of what can stand for one.
    fn plain_query(&mut self) -> Query {
        let from = self.from();
        let mut documents = vec![self.document(&from.rels)];
        if self.wants(Shape::SeveralDocuments) {
            documents.push(self.document(&from.rels));
        } else if self.wants(Shape::JsonArray) {
            documents.push(self.array_document(&from.rels));
        } else if self.focus == Shape::SortedElements && self.dice.percent(40) || self.wants(Shape::ArrayColumn) {
            documents.extend(self.array_column(&from.rels));
        }
        let mut plain = self.plain_columns(&from.rels, &from.key);
        let base = from.rels[0].base.is_some();
        if base && self.wants(Shape::Window) {
            self.windowed(&from, &mut plain);
        }
        let rest = format!("FROM {}{}", from.text(), filter_text(&from.conditions));
        let mut key = distinct_names(from.key);
        self.cast_key(&mut key);
        Query {
            with: from.with.clone(),
            select: "SELECT".to_owned(),
            key,
            plain,
            documents,
            rest,
            directives: Vec::new(),
        }
    }

    /// Shows a column of the key as a text or a wider number.
    fn cast_key(&mut self, key: &mut [(String, Col)]) {
        let castable = |ty: Ty| ty.is_integer() || ty == Ty::Uuid;
        let Some((sql, col)) = key.iter_mut().find(|(_, col)| castable(col.ty)) else { return };
        if self.wants(Shape::CastKey) {
            let (target, ty) = match self.dice.below(3) {
                0 if col.ty == Ty::Int => ("bigint", Ty::Big),
                1 if col.ty != Ty::Uuid => ("numeric", Ty::Numeric),
                _ => ("text", Ty::Text),
            };
            *sql = if self.dice.percent(50) { format!("{sql}::{target}") } else { format!("CAST({sql} AS {target})") };
            *col = Col { ty, origin: None, ..col.clone() };
        }
    }

    /// Beside the documents, a window over the rows that share a column.
    fn windowed(&mut self, from: &From, plain: &mut Vec<(String, Col)>) {
        let rel = &from.rels[0];
        let partitions: Vec<usize> = (0..rel.cols.len()).filter(|at| rel.cols[*at].ty.sorts()).collect();
        if let Some(at) = self.pick(&partitions) {
            let (window, ty) = self.window(std::slice::from_ref(rel), &[at]);
            plain.push((window, crate::relation::computed("place", ty)));
        }
    }

    /// The document of a row.
    pub fn document(&mut self, scope: &[Rel]) -> String {
        let fields = self.fields(scope);
        let function = if self.dice.percent(12) { "json_build_object" } else { "jsonb_build_object" };
        format!("{function}(\n        {fields})")
    }

    fn fields(&mut self, scope: &[Rel]) -> String {
        let mut fields: Vec<String> = Vec::new();
        for n in 0..2 + self.dice.below(4) {
            let value = self.value(scope, 3);
            fields.push(format!("'{}', {value}", FIELDS[n % FIELDS.len()]));
        }
        // What the view is about must be in it, where it can be a value.
        for _ in 0..6 {
            if self.used.contains(&self.focus) {
                break;
            }
            let value = self.value(scope, 3);
            if self.used.contains(&self.focus) {
                fields.push(format!("'focus', {value}"));
            }
        }
        fields.join(",\n        ")
    }

    /// A few columns as they are.
    fn plain_columns(&mut self, rels: &[Rel], key: &[(String, Col)]) -> Vec<(String, Col)> {
        let mut plain: Vec<(String, Col)> = Vec::new();
        for _ in 0..self.dice.below(3) {
            let all: Vec<(String, Col)> = rels
                .iter()
                .flat_map(|rel| rel.cols.iter().enumerate().map(|(at, col)| (rel.col(at), col.clone())))
                .filter(|(_, col)| !DOCUMENTS.contains(&col.name.as_str()))
                .collect();
            let Some((sql, mut col)) = self.pick(&all) else { break };
            col.name = format!("{}_", col.name.trim_end_matches('_'));
            let taken = key.iter().chain(&plain).any(|(_, other)| other.name == col.name);
            if !taken && !matches!(col.ty, Ty::Json | Ty::Jsonb) {
                plain.push((sql, col));
            }
        }
        plain
    }

    /// `jsonb[]` and `json[]`: documents that are arrays of PostgreSQL's.
    fn array_document(&mut self, scope: &[Rel]) -> String {
        let Some(inner) = self.inner(scope, 1).filter(|_| self.dice.percent(75)) else {
            let (one, two) = (self.document(scope), self.scalar(scope));
            let build = if one.starts_with("json_") { "json_build_object" } else { "jsonb_build_object" };
            return format!("ARRAY[{one}, {build}('more', {two})]");
        };
        let around: Vec<Rel> = scope.iter().chain(&inner.rels).cloned().collect();
        let (value, order) = (self.object(&around, 1), self.order(&inner.rels));
        format!("ARRAY(SELECT {value} {} ORDER BY {order})", inner.text())
    }

    /// UNION ALL and its kin at the top.
    fn set_query(&mut self) -> Option<Query> {
        let operators = [Shape::UnionAll, Shape::Union, Shape::Except, Shape::Intersect];
        let shape = if operators.contains(&self.focus) { self.focus } else { self.pick(&operators)? };
        if !self.menu.has(shape) {
            return None;
        }
        self.note(shape);
        let mut sides: Vec<(String, Rel)> = Vec::new();
        let first = self.any_table();
        let key_type = self.key_type(first);
        let same: Vec<usize> =
            (0..self.schema.tables.len()).filter(|table| self.key_type(*table) == key_type).collect();
        // Which of two values that look different a set operation shows is a matter of chance.
        if !key_type.is_stable() {
            return None;
        }
        for table in [Some(first), self.pick(&same)] {
            sides.push(self.base(table?));
        }
        let mut documents = Vec::new();
        let mut froms = Vec::new();
        for (from, rel) in &sides {
            let rels = [rel.clone()];
            let filter = if self.dice.percent(40) { vec![self.condition(&rels, 1)] } else { Vec::new() };
            froms.push(format!("FROM {from}{}", filter_text(&filter)));
            // EXCEPT and INTERSECT need documents that can be equal.
            let fields = match shape {
                Shape::UnionAll => self.fields(&rels),
                _ => format!("'id', {}", rel.keys()[0]),
            };
            documents.push(format!("jsonb_build_object(\n        {fields})"));
        }
        let keys: Vec<String> = sides.iter().map(|(_, rel)| rel.keys()[0].clone()).collect();
        let id = Col { name: "id".into(), ty: key_type, nullable: false, origin: None };
        let mut key = vec![(keys[0].clone(), id)];
        let mut kind = "";
        if shape == Shape::UnionAll {
            let col = Col { nullable: false, ..crate::relation::computed("kind", Ty::Text) };
            key.insert(0, ("'one'::text".to_owned(), col));
            kind = "'two', ";
        }
        let rest =
            format!("{}\n{} SELECT {kind}{}, {}\n{}", froms[0], operator(shape), keys[1], documents[1], froms[1]);
        let mut query = select("SELECT", key, vec![documents.swap_remove(0)], rest);
        if self.dice.percent(40) {
            let names: Vec<&str> = query.key.iter().map(|(_, col)| col.name.as_str()).collect();
            query.directives.push(format!("key({})", names.join(", ")));
        }
        Some(query)
    }

    /// DISTINCT over a join that multiplies rows.
    fn distinct_query(&mut self) -> Option<Query> {
        self.note(Shape::Distinct);
        let table = self.any_table();
        let (from, rel) = self.base(table);
        let rels = [rel];
        let (item, _, link) = self.linked(&rels, false)?;
        let stable: Vec<usize> = (0..rels[0].cols.len()).filter(|at| rels[0].cols[*at].ty.is_stable()).collect();
        let mut fields = Vec::new();
        for field in &FIELDS[..1 + self.dice.below(3)] {
            let at = self.pick(&stable)?;
            fields.push(format!("'{field}', {}", rels[0].col(at)));
        }
        let filter = if self.dice.percent(30) { vec![self.condition(&rels, 1)] } else { Vec::new() };
        let key = rels[0].key.iter().map(|at| (rels[0].col(*at), rels[0].cols[*at].clone())).collect();
        let rest = format!("FROM {from}\n  JOIN {item} ON {}{}", link.condition, filter_text(&filter));
        let document = format!("jsonb_build_object({})", fields.join(", "));
        Some(select("SELECT DISTINCT", key, vec![document], rest))
    }

    /// DISTINCT ON: the first row of each group.
    fn first_of_group_query(&mut self) -> Option<Query> {
        self.note(Shape::DistinctOn);
        let (from, rel, columns) = self.groupable()?;
        let rels = [rel];
        let mut conditions = self.filled(&rels[0], &columns);
        if self.dice.percent(30) {
            conditions.push(self.condition(&rels, 1));
        }
        let document = self.document(&rels);
        let order = self.order(&rels);
        let names: Vec<String> = columns.iter().map(|at| rels[0].col(*at)).collect();
        let names = names.join(", ");
        let key = columns.iter().map(|at| (rels[0].col(*at), rels[0].cols[*at].clone())).collect();
        let rest = format!("FROM {from}{}\nORDER BY {names}, {order}", filter_text(&conditions));
        Some(select(&format!("SELECT DISTINCT ON ({names})"), key, vec![document], rest))
    }

    /// A join the rows of which are identified by the keys of both tables.
    fn two_table_query(&mut self) -> Option<Query> {
        self.note(Shape::TwoTableKey);
        let table = self.any_table();
        let (from, rel) = self.base(table);
        let rels = vec![rel];
        let cross = self.wants(Shape::CrossJoin);
        let (item, other, on) = if cross {
            let table = self.any_table();
            let (item, other) = self.base(table);
            (item, other, String::new())
        } else {
            let (item, other, link) = self.linked(&rels, false)?;
            (item, other, format!(" ON {}", link.condition))
        };
        let rels = vec![rels[0].clone(), other];
        let filter = if self.dice.percent(30) { vec![self.condition(&rels, 1)] } else { Vec::new() };
        let key = rels.iter().flat_map(|rel| rel.key.iter().map(|at| (rel.col(*at), rel.cols[*at].clone()))).collect();
        let document = self.document(&rels);
        let join = if cross { "CROSS JOIN" } else { "JOIN" };
        let rest = format!("FROM {from}\n  {join} {item}{on}{}", filter_text(&filter));
        Some(select("SELECT", distinct_names(key), vec![document], rest))
    }

    /// The same by an outer join whose rows without a partner are left out: it is an inner one.
    fn idle_join_query(&mut self) -> Option<Query> {
        self.note(Shape::IdleOuterJoin);
        let table = self.any_table();
        let (from, rel) = self.base(table);
        let rels = vec![rel];
        let (item, other, link) = self.linked(&rels, false)?;
        let (join, gone) = if self.dice.percent(70) { ("LEFT", &other) } else { ("RIGHT", &rels[0]) };
        let mut conditions: Vec<String> = match self.dice.below(3) {
            0 => gone.keys().iter().map(|key| format!("{key} IS NOT NULL")).collect(),
            1 => gone.keys().iter().take(1).map(|key| format!("{key} = {key}")).collect(),
            _ => gone.keys().iter().take(1).map(|key| format!("NOT {key} <> {key}")).collect(),
        };
        let key: Vec<(String, Col)> = [&rels[0], &other]
            .iter()
            .flat_map(|rel| rel.key.iter().map(|at| (rel.col(*at), rel.cols[*at].clone())))
            .collect();
        let rels = vec![rels[0].clone().made_nullable(), other.made_nullable()];
        if self.dice.percent(40) {
            conditions.push(self.condition(&rels, 1));
        }
        let document = self.document(&rels);
        let rest = format!("FROM {from}\n  {join} JOIN {item} ON {}{}", link.condition, filter_text(&conditions));
        Some(select("SELECT", distinct_names(key), vec![document], rest))
    }

    /// One row of each partition, picked by its number.
    fn picked_query(&mut self) -> Option<Query> {
        self.note(Shape::PickedNumber);
        let (from, rel, columns) = self.groupable()?;
        let rels = [rel.clone()];
        let (alias, order) = (self.alias("numbered"), self.order(&rels));
        let partition: Vec<String> = columns.iter().map(|at| rel.col(*at)).collect();
        let partition = partition.join(", ");
        let inside = if self.dice.percent(40) { filter_text(&[self.condition(&rels, 1)]) } else { String::new() };
        let item = format!(
            "(SELECT {}.*, row_number() OVER (PARTITION BY {partition} ORDER BY {order}) AS place FROM {from}{inside}) {alias}",
            rel.alias
        );
        let numbered = Rel { alias: alias.clone(), base: None, ..rel };
        let mut conditions = self.filled(&numbered, &columns);
        conditions.push(format!("{alias}.place = {}", 1 + self.dice.below(2)));
        let rels = [numbered];
        if self.dice.percent(40) {
            conditions.push(self.condition(&rels, 1));
        }
        let key = columns.iter().map(|at| (rels[0].col(*at), Col { nullable: false, ..rels[0].cols[*at].clone() }));
        let key = distinct_names(key.collect());
        let document = self.document(&rels);
        Some(select("SELECT", key, vec![document], format!("FROM {item}{}", filter_text(&conditions))))
    }
}

/// Names of fields, one of them odd.
pub const FIELDS: &[&str] = &["name", "items", "Odd name", "total", "more", "last"];

pub fn select(select: &str, key: Vec<(String, Col)>, documents: Vec<String>, rest: String) -> Query {
    Query {
        with: Vec::new(),
        select: select.to_owned(),
        key,
        plain: Vec::new(),
        documents,
        rest,
        directives: Vec::new(),
    }
}

/// Gives a second column of one name another name.
pub fn distinct_names(mut key: Vec<(String, Col)>) -> Vec<(String, Col)> {
    let mut seen = BTreeSet::new();
    for (n, (_, col)) in key.iter_mut().enumerate() {
        if !seen.insert(col.name.clone()) {
            col.name = format!("{}_{n}", col.name);
            seen.insert(col.name.clone());
        }
    }
    key
}
