//! Random tables.
//!
//! In: the dice. Out: a [`Schema`] and its DDL: keys of one or two columns (int, bigint, uuid, text), foreign keys with actions and
//! references without one, self references, nullable and NOT NULL columns of many types, arrays, json, types of the user's own and those
//! whose equal values look different, unique keys, indexes.
//! Later tables refer to earlier ones or to themselves, so that rows can be inserted.

use std::collections::BTreeSet;
use std::fmt::Write;

use tviewc_verify::dice::Dice;

use crate::shapes::{Menu, Shape};

/// A column's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ty {
    Int,
    Big,
    Text,
    Uuid,
    /// `numeric(10,2)`: equal values look alike, unlike those of `numeric`.
    Amount,
    Numeric,
    Bool,
    Date,
    Stamp,
    Jsonb,
    Json,
    Words,
    Numbers,
    /// An enum.
    Mood,
    /// A domain over `int`.
    Level,
    /// `char(3)`: padded, so that equal values of it look alike, and equal to texts that do not.
    Fixed,
    /// `double precision`, with a zero that has a sign.
    Ratio,
    /// `interval`: a day equals 24 hours.
    Span,
    /// `character` without a length: spaces at the end are kept, and make no difference.
    Loose,
    /// `citext`. Columns of nondeterministic collations are stopped at the installation.
    Nocase,
    /// A row of a text `city` and a number `zone`.
    Spot,
    /// Of a computed column that nothing is to be done with.
    Other,
}

impl Ty {
    pub fn sql(self) -> &'static str {
        match self {
            Ty::Int => "int",
            Ty::Big => "bigint",
            Ty::Text => "text",
            Ty::Uuid => "uuid",
            Ty::Amount => "numeric(10,2)",
            Ty::Numeric => "numeric",
            Ty::Bool => "boolean",
            Ty::Date => "date",
            Ty::Stamp => "timestamptz",
            Ty::Jsonb => "jsonb",
            Ty::Json => "json",
            Ty::Words => "text[]",
            Ty::Numbers => "int[]",
            Ty::Mood => "mood",
            Ty::Level => "level",
            Ty::Fixed => "char(3)",
            Ty::Ratio => "double precision",
            Ty::Span => "interval",
            Ty::Loose => "bpchar",
            Ty::Nocase => "citext",
            Ty::Spot => "spot",
            Ty::Other => "unknown",
        }
    }

    /// What has to be there before a column has this type.
    fn declaration(self) -> Option<&'static str> {
        match self {
            Ty::Mood => Some("CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');\n"),
            Ty::Level => Some("CREATE DOMAIN level AS int;\n"),
            Ty::Nocase => Some("CREATE EXTENSION citext;\n"),
            Ty::Spot => Some("CREATE TYPE spot AS (city text, zone int);\n"),
            _ => None,
        }
    }

    /// Whether equal values have one text: what is grouped, sorted or made distinct by such values has one result.
    pub fn is_stable(self) -> bool {
        matches!(self, Ty::Int | Ty::Big | Ty::Text | Ty::Uuid | Ty::Amount | Ty::Bool | Ty::Date | Ty::Stamp)
            || self.is_named()
    }

    /// Whether it is a type of the user's own, or one that texts are converted to.
    pub fn is_named(self) -> bool {
        matches!(self, Ty::Mood | Ty::Level | Ty::Fixed)
    }

    /// Whether equal values may look different: they may link, sort and partition, but what shows one of several is a matter of chance.
    pub fn is_lookalike(self) -> bool {
        matches!(self, Ty::Numeric | Ty::Ratio | Ty::Span | Ty::Loose | Ty::Nocase)
    }

    /// Whether the values have an equality and an order.
    pub fn sorts(self) -> bool {
        self.is_stable() || self.is_lookalike()
    }

    /// Whether `=` of the two types is an equality that keys and links may rest on.
    pub fn compares_with(self, other: Ty) -> bool {
        self == other && self.is_stable() || matches!((self, other), (Ty::Int, Ty::Big) | (Ty::Big, Ty::Int))
    }

    /// Whether `=` finds values of the two types equal that look different.
    pub fn resembles(self, other: Ty) -> bool {
        let pair = |one, two| (self, other) == (one, two) || (self, other) == (two, one);
        self == other && self.is_lookalike()
            || pair(Ty::Numeric, Ty::Int)
            || pair(Ty::Numeric, Ty::Amount)
            || pair(Ty::Ratio, Ty::Int)
            || pair(Ty::Ratio, Ty::Numeric)
            || pair(Ty::Loose, Ty::Text)
            || pair(Ty::Fixed, Ty::Text)
            || pair(Ty::Fixed, Ty::Loose)
    }

    pub fn is_integer(self) -> bool {
        matches!(self, Ty::Int | Ty::Big)
    }
}

pub struct Column {
    pub name: String,
    pub ty: Ty,
    pub nullable: bool,
}

/// Columns that hold a key of another table, with or without a foreign key.
pub struct Reference {
    pub columns: Vec<usize>,
    pub parent: usize,
    pub parent_columns: Vec<usize>,
    /// `None` where nothing is declared.
    constraint: Option<String>,
}

pub struct Table {
    pub name: String,
    pub columns: Vec<Column>,
    pub key: Vec<usize>,
    pub uniques: Vec<Vec<usize>>,
    /// Unique indexes over some rows.
    pub partials: Vec<Partial>,
    pub references: Vec<Reference>,
    indexes: Vec<Vec<usize>>,
}

/// A unique index over some rows: its columns, and which rows, of one column each.
#[derive(Clone, Debug)]
pub struct Partial {
    pub columns: Vec<usize>,
    pub tests: Vec<(usize, Test)>,
}

/// What is said of a column, in the index and in a query, which is to say as much.
#[derive(Clone, Copy, Debug)]
pub struct Test {
    index: &'static str,
    query: &'static str,
}

impl Test {
    /// Of a column of the type.
    fn random(column: &Column, dice: &mut Dice) -> Option<Test> {
        let any = [("{} IS NULL", "{} IS NULL"), ("{} IS NOT NULL", "{} IS NOT NULL")];
        let flags = [("{}", "{} = true"), ("NOT {}", "{} IS FALSE"), ("{} = false", "NOT {}")];
        let numbers = [
            ("{} <> 1", "{} != 1"),
            ("({} > 2)", "{} > 2"),
            ("{} IN (1, 2, 3)", "{} IN (2, 3)"),
            ("{} IS NOT NULL", "{} > 0"),
        ];
        let tests: &[(&str, &str)] = match column.ty {
            Ty::Bool => &flags,
            Ty::Int | Ty::Big | Ty::Level => &numbers,
            _ if column.nullable => &any,
            _ => return None,
        };
        dice.pick(tests).map(|(index, query)| Test { index, query })
    }

    /// As a query says it of a column.
    pub fn of(self, column: &str) -> String {
        self.query.replace("{}", column)
    }
}

pub struct Schema {
    pub tables: Vec<Table>,
}

/// A function of the user's own, which views may call.
pub const FUNCTIONS: &str = "CREATE FUNCTION shout(t text) RETURNS text IMMUTABLE STRICT LANGUAGE sql AS $$ SELECT upper(t) || '!' $$;\n\
     CREATE FUNCTION band(n bigint) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT CASE WHEN n > 5 THEN 'high' ELSE 'low' END $$;\n";

const NAMES: &[&str] = &["alpha", "beta", "gamma", "delta", "epsilon"];
/// Attributes by name; the same name has the same type in all tables, so that tables can be joined USING it.
const ATTRIBUTES: &[(&str, Ty)] = &[
    ("name", Ty::Text),
    ("rank", Ty::Int),
    ("code", Ty::Text),
    ("price", Ty::Amount),
    ("total", Ty::Numeric),
    ("size", Ty::Big),
    ("active", Ty::Bool),
    ("day", Ty::Date),
    ("made", Ty::Stamp),
    ("token", Ty::Uuid),
    ("doc", Ty::Jsonb),
    ("raw", Ty::Json),
    ("words", Ty::Words),
    ("numbers", Ty::Numbers),
    ("mood", Ty::Mood),
    ("level", Ty::Level),
    ("fixed", Ty::Fixed),
    ("ratio", Ty::Ratio),
    ("span", Ty::Span),
    ("loose", Ty::Loose),
    ("nick", Ty::Nocase),
    ("spot", Ty::Spot),
];

/// Columns that views of a shape need.
const NEEDED: &[(Shape, &[Ty])] = &[
    (Shape::DomainEnum, &[Ty::Mood, Ty::Level, Ty::Fixed]),
    (Shape::Lookalikes, &[Ty::Ratio, Ty::Span, Ty::Loose, Ty::Fixed]),
    (Shape::Nocase, &[Ty::Nocase]),
    (Shape::CompositeField, &[Ty::Spot]),
];

/// The attributes that tables may have.
fn attributes(menu: &Menu) -> Vec<(&'static str, Ty)> {
    let asks = |ty: Ty| NEEDED.iter().any(|(shape, types)| types.contains(&ty) && menu.has(*shape));
    let special = |ty: Ty| NEEDED.iter().any(|(_, types)| types.contains(&ty));
    ATTRIBUTES.iter().copied().filter(|(_, ty)| !special(*ty) || asks(*ty)).collect()
}

impl Schema {
    /// Makes three to five tables.
    pub fn random(dice: &mut Dice, menu: &Menu) -> Schema {
        let mut schema = Schema { tables: Vec::new() };
        let count = 3 + dice.below(3);
        for name in &NAMES[..count] {
            let table = schema.table(name, dice, menu);
            schema.tables.push(table);
        }
        schema
    }

    fn table(&self, name: &str, dice: &mut Dice, menu: &Menu) -> Table {
        let mut table = Table {
            name: name.to_owned(),
            columns: Vec::new(),
            key: Vec::new(),
            uniques: Vec::new(),
            partials: Vec::new(),
            references: Vec::new(),
            indexes: Vec::new(),
        };
        table.add_key(dice, menu);
        let parents = self.tables.len();
        if parents > 0 {
            for _ in 0..1 + dice.below(2) {
                let parent = dice.below(parents);
                self.refer(&mut table, parent, dice);
            }
        }
        if dice.percent(25) {
            table.refer_to_itself(parents, dice);
        }
        table.add_attributes(dice, menu);
        if menu.has(Shape::SomeRows) {
            table.add_partial(dice);
        }
        table
    }

    /// Gives `table` columns that hold a key of an earlier table.
    fn refer(&self, table: &mut Table, parent: usize, dice: &mut Dice) {
        let target = &self.tables[parent];
        let unique = dice.pick(&target.uniques);
        let unique = unique.filter(|_| dice.percent(33));
        let parent_columns = unique.unwrap_or(&target.key).clone();
        let nullable = dice.percent(45);
        let mut columns = Vec::new();
        for &column in &parent_columns {
            let referred = &target.columns[column];
            let name = if referred.name.starts_with(&target.name) {
                referred.name.clone()
            } else {
                format!("{}_{}", target.name, referred.name)
            };
            if table.columns.iter().any(|c| c.name == name) {
                return;
            }
            columns.push(Column { name, ty: referred.ty, nullable });
        }
        let first = table.columns.len();
        table.columns.extend(columns);
        let positions: Vec<usize> = (first..table.columns.len()).collect();
        table.finish_reference(positions, parent, parent_columns, nullable, dice);
    }

    /// The DDL.
    pub fn sql(&self) -> String {
        let types: BTreeSet<Ty> = self.tables.iter().flat_map(|table| &table.columns).map(|column| column.ty).collect();
        let mut sql: String = types.into_iter().filter_map(Ty::declaration).collect();
        sql.push_str(FUNCTIONS);
        for table in &self.tables {
            table.write(&self.tables, &mut sql);
        }
        sql
    }
}

impl Table {
    fn add_key(&mut self, dice: &mut Dice, menu: &Menu) {
        let own = dice.percent(40);
        let name = if own { format!("{}_id", self.name) } else { "id".to_owned() };
        let usual = [Ty::Int, Ty::Int, Ty::Int, Ty::Big, Ty::Uuid, Ty::Text];
        let odd = [Ty::Numeric, Ty::Ratio, Ty::Loose, Ty::Span];
        let is_odd = menu.has(Shape::Lookalikes) && dice.percent(8);
        let ty = if is_odd { odd[dice.below(4)] } else { usual[dice.below(6)] };
        let mut columns = vec![Column { name, ty, nullable: false }];
        if dice.percent(20) {
            let parts: &[Ty] =
                if menu.has(Shape::DomainEnum) { &[Ty::Int, Ty::Text, Ty::Mood] } else { &[Ty::Int, Ty::Text] };
            let name = if own { format!("{}_part", self.name) } else { "part".to_owned() };
            columns.push(Column { name, ty: parts[dice.below(parts.len())], nullable: false });
        }
        self.key = (0..columns.len()).collect();
        self.columns = columns;
    }

    fn refer_to_itself(&mut self, at: usize, dice: &mut Dice) {
        let first = self.columns.len();
        let key: Vec<(String, Ty)> =
            self.key.iter().map(|c| (self.columns[*c].name.clone(), self.columns[*c].ty)).collect();
        for (name, ty) in key {
            self.columns.push(Column { name: format!("boss_{name}"), ty, nullable: true });
        }
        let columns = (first..self.columns.len()).collect();
        self.finish_reference(columns, at, self.key.clone(), true, dice);
    }

    fn finish_reference(
        &mut self,
        columns: Vec<usize>,
        parent: usize,
        parent_columns: Vec<usize>,
        nullable: bool,
        dice: &mut Dice,
    ) {
        let constraint = dice.percent(80).then(|| {
            let delete = match dice.below(4) {
                0 if nullable => " ON DELETE SET NULL",
                0 | 1 => "",
                _ => " ON DELETE CASCADE",
            };
            let update = if dice.percent(50) { " ON UPDATE CASCADE" } else { "" };
            let late = if dice.percent(12) { " DEFERRABLE INITIALLY DEFERRED" } else { "" };
            format!("{delete}{update}{late}")
        });
        if dice.percent(60) {
            self.indexes.push(columns.clone());
        }
        self.references.push(Reference { columns, parent, parent_columns, constraint });
    }

    fn add_attributes(&mut self, dice: &mut Dice, menu: &Menu) {
        let mut attributes = attributes(menu);
        dice.shuffle(&mut attributes);
        for (name, ty) in attributes.into_iter().take(3 + dice.below(6)) {
            let at = self.columns.len();
            self.columns.push(Column { name: name.to_owned(), ty, nullable: dice.percent(55) });
            let keyable = matches!(ty, Ty::Int | Ty::Text | Ty::Uuid | Ty::Big | Ty::Level | Ty::Nocase | Ty::Numeric);
            if keyable && dice.percent(18) {
                self.uniques.push(vec![at]);
            }
        }
    }

    /// Often of what refers to another table: one of all that do is the current one.
    fn add_partial(&mut self, dice: &mut Dice) {
        let keyable = |at: &usize| matches!(self.columns[*at].ty, Ty::Int | Ty::Text | Ty::Uuid | Ty::Big | Ty::Level);
        let attributes: Vec<usize> = (0..self.columns.len()).filter(|at| !self.key.contains(at)).collect();
        let single: Vec<Vec<usize>> = attributes.iter().filter(|at| keyable(at)).map(|at| vec![*at]).collect();
        let referring: Vec<Vec<usize>> = self.references.iter().map(|r| r.columns.clone()).collect();
        let columns = if dice.percent(60) { dice.pick(&referring) } else { dice.pick(&single) };
        let Some(columns) = columns.filter(|list| list.iter().all(keyable)).cloned() else { return };
        let mut others: Vec<usize> = attributes.into_iter().filter(|at| !columns.contains(at)).collect();
        dice.shuffle(&mut others);
        let mut tests = Vec::new();
        for at in others {
            tests.extend(Test::random(&self.columns[at], dice).map(|test| (at, test)));
            if tests.len() == 2 || tests.len() == 1 && dice.percent(70) {
                break;
            }
        }
        if !tests.is_empty() {
            self.partials.push(Partial { columns, tests });
        }
    }

    fn names(&self, columns: &[usize]) -> String {
        columns.iter().map(|c| self.columns[*c].name.as_str()).collect::<Vec<_>>().join(", ")
    }

    fn write(&self, tables: &[Table], sql: &mut String) {
        let mut lines: Vec<String> = Vec::new();
        for (at, column) in self.columns.iter().enumerate() {
            let not_null = if column.nullable || self.key.contains(&at) { "" } else { " NOT NULL" };
            lines.push(format!("{} {}{not_null}", column.name, column.ty.sql()));
        }
        lines.push(format!("PRIMARY KEY ({})", self.names(&self.key)));
        lines.extend(self.uniques.iter().map(|columns| format!("UNIQUE ({})", self.names(columns))));
        for reference in &self.references {
            let Some(actions) = &reference.constraint else { continue };
            let parent = tables.get(reference.parent).unwrap_or(self);
            lines.push(format!(
                "FOREIGN KEY ({}) REFERENCES {} ({}){actions}",
                self.names(&reference.columns),
                parent.name,
                parent.names(&reference.parent_columns)
            ));
        }
        let _ = write!(sql, "CREATE TABLE {} (\n    {}\n);\n", self.name, lines.join(",\n    "));
        for Partial { columns, tests } in &self.partials {
            let tests: Vec<String> =
                tests.iter().map(|(at, test)| test.index.replace("{}", &self.columns[*at].name)).collect();
            let (columns, tests) = (self.names(columns), tests.join(" AND "));
            let _ = writeln!(sql, "CREATE UNIQUE INDEX ON {} ({columns}) WHERE {tests};", self.name);
        }
        for index in &self.indexes {
            let _ = writeln!(sql, "CREATE INDEX ON {} ({});", self.name, self.names(index));
        }
    }
}
