//! What all makers of statements share.
//!
//! In: a schema, the dice, and a connection to look at the current rows of a table. Out: rows, predicates and their
//! SQL text. Only literal values go into statements, so that the log of a run can be replayed as it stands; rows are
//! read in a fixed order, so that the same seed on the same database makes the same statements.

use std::collections::BTreeMap;
use std::rc::Rc;

use postgres::Client;

use super::kind::Kind;
use super::values::{self, Pool};
use crate::dice::Dice;
use crate::quote;
use crate::schema::{Column, ForeignKey, Schema, Table, TypeKind};

/// A failure to look at the rows; it is treated like a failure of the statement that was to be made.
pub(crate) type Made<T> = Result<T, postgres::Error>;

/// One row, each column as text.
pub(crate) type TextRow = Vec<Option<String>>;

/// More rows than this are not looked at.
const ROW_LIMIT: usize = 300;

/// A statement, or several that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statement {
    pub(crate) kind: Kind,
    pub(crate) parts: Vec<Part>,
}

/// What is sent at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    Sql(String),
    Copy { command: String, data: String },
}

impl Statement {
    pub(crate) fn sql(kind: Kind, sql: impl Into<String>) -> Self {
        Self { kind, parts: vec![Part::Sql(sql.into())] }
    }
}

/// A value to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Default,
    Text(String),
}

impl Value {
    pub(crate) fn of(text: &Option<String>) -> Self {
        text.clone().map_or(Self::Null, Self::Text)
    }
}

/// Values by column position; columns that are left out are absent.
pub(crate) type NewRow = BTreeMap<usize, Value>;

/// Makes statements. Lives for one statement: the rows it has looked at are kept that long.
pub(crate) struct Maker<'a> {
    pub(crate) client: &'a mut Client,
    pub(crate) schema: &'a Schema,
    /// Positions of the tables that may be written to.
    pub(crate) targets: &'a [usize],
    pub(crate) dice: &'a mut Dice,
    pub(crate) major: u32,
    /// For names of prepared statements.
    pub(crate) serial: u64,
    pub(crate) seen: BTreeMap<usize, Rc<Vec<TextRow>>>,
}

impl<'a> Maker<'a> {
    /// A table of the schema; borrowed from the schema, not from the maker.
    pub(crate) fn table(&self, at: usize) -> &'a Table {
        &self.schema.tables[at]
    }

    /// A random table to write to.
    pub(crate) fn any_table(&mut self) -> Option<usize> {
        self.dice.pick(self.targets).copied()
    }

    /// The rows of a table.
    pub(crate) fn rows(&mut self, at: usize) -> Made<Rc<Vec<TextRow>>> {
        if let Some(rows) = self.seen.get(&at) {
            return Ok(Rc::clone(rows));
        }
        let table = self.table(at);
        let columns: Vec<String> =
            table.columns.iter().map(|column| format!("{}::text COLLATE \"C\"", quote::ident(&column.name))).collect();
        let sql = format!(
            "SELECT ARRAY[{}]::text[] FROM {} ORDER BY 1 LIMIT {ROW_LIMIT}",
            columns.join(", "),
            table.qualified()
        );
        let rows = self.client.query(&sql, &[])?.iter().map(|row| row.get(0)).collect();
        let rows = Rc::new(rows);
        self.seen.insert(at, Rc::clone(&rows));
        Ok(rows)
    }

    /// One existing row.
    pub(crate) fn any_row(&mut self, at: usize) -> Made<Option<TextRow>> {
        let rows = self.rows(at)?;
        Ok(self.dice.pick(&rows).cloned())
    }

    /// A value for a column, from its pool, its hints or its present values.
    pub(crate) fn value(&mut self, at: usize, column: usize, pool: Pool) -> Made<Value> {
        let definition = &self.table(at).columns[column];
        if !definition.not_null && pool == Pool::Small && self.dice.percent(10) {
            return Ok(Value::Null);
        }
        if let Some(hint) = self.hint(definition, pool) {
            return Ok(Value::Text(hint));
        }
        if pool == Pool::Small && self.dice.percent(15) {
            if let Some(row) = self.any_row(at)? {
                if row[column].is_some() || !definition.not_null {
                    return Ok(Value::of(&row[column]));
                }
            }
        }
        let text = values::text(self.dice, &definition.ty, pool);
        Ok(match text {
            Some(text) => Value::Text(text),
            None if definition.has_default => Value::Default,
            None if !definition.not_null => Value::Null,
            None => Value::Text("1".to_owned()),
        })
    }

    /// Words are nearly always the only ones allowed; numbers are mostly limits of something.
    fn hint(&mut self, column: &Column, pool: Pool) -> Option<String> {
        let hint = self.dice.pick(&column.hints)?;
        let share = match (hint.parse::<f64>().is_ok(), pool) {
            (true, _) => 25,
            (false, Pool::Small) => 80,
            (false, Pool::Wide) => 50,
        };
        self.dice.percent(share).then(|| self.near(hint, column))
    }

    /// A hint, or for integers sometimes one of its neighbours: limits are where mistakes are.
    fn near(&mut self, hint: &str, column: &Column) -> String {
        let base = &column.ty.without_domains().kind;
        let is_integer = matches!(base, TypeKind::Base(name) if name.starts_with("int"));
        match hint.parse::<i64>() {
            Ok(number) if is_integer => number.saturating_add(self.dice.between(-1, 1)).to_string(),
            _ => hint.to_owned(),
        }
    }

    /// A new row with the given values in it. Several are tried, for one that clashes with no unique key.
    pub(crate) fn new_row(&mut self, at: usize, fixed: &NewRow) -> Made<NewRow> {
        let existing = self.rows(at)?;
        let mut row = self.draw_row(at, fixed)?;
        for _ in 0..8 {
            if !self.clashes(at, &row, &existing) {
                break;
            }
            row = self.draw_row(at, fixed)?;
        }
        Ok(row)
    }

    fn draw_row(&mut self, at: usize, fixed: &NewRow) -> Made<NewRow> {
        let table = self.table(at);
        let mut row = fixed.clone();
        for fk in &table.foreign_keys {
            self.draw_reference(at, fk, &mut row)?;
        }
        for (position, column) in table.columns.iter().enumerate() {
            if row.contains_key(&position) || !column.assignable() {
                continue;
            }
            let optional = column.fills_itself() || !column.not_null;
            if column.fills_itself() && self.dice.percent(40) || optional && self.dice.percent(8) {
                continue;
            }
            let pool = if table.in_key(position) { Pool::Wide } else { Pool::Small };
            let value = self.value(at, position, pool)?;
            row.insert(position, value);
        }
        Ok(row)
    }

    /// Gives the columns of a foreign key the key of an existing parent; sometimes NULL, rarely one that is missing.
    pub(crate) fn draw_reference(&mut self, at: usize, fk: &ForeignKey, row: &mut NewRow) -> Made<()> {
        let table = self.table(at);
        let nullable = fk.columns.iter().any(|&column| !table.columns[column].not_null);
        if nullable && self.dice.percent(10) {
            for &column in &fk.columns {
                if !table.columns[column].not_null {
                    row.entry(column).or_insert(Value::Null);
                }
            }
            return Ok(());
        }
        if self.dice.percent(3) {
            return Ok(());
        }
        let parents = self.rows(fk.parent)?;
        let agrees = |parent: &&TextRow| {
            fk.columns.iter().zip(&fk.parent_columns).all(|(column, &theirs)| match row.get(column) {
                Some(Value::Text(ours)) => parent[theirs].as_ref() == Some(ours),
                _ => true,
            })
        };
        let fitting: Vec<&TextRow> = parents.iter().filter(agrees).collect();
        if let Some(parent) = self.dice.pick(&fitting) {
            for (&column, &theirs) in fk.columns.iter().zip(&fk.parent_columns) {
                if table.columns[column].assignable() {
                    row.entry(column).or_insert_with(|| Value::of(&parent[theirs]));
                }
            }
        }
        Ok(())
    }

    fn clashes(&self, at: usize, row: &NewRow, existing: &[TextRow]) -> bool {
        let same = |theirs: &TextRow, column: &usize| match row.get(column) {
            Some(Value::Text(ours)) => theirs[*column].as_ref() == Some(ours),
            _ => false,
        };
        let keys = &self.table(at).keys;
        keys.iter().any(|key| existing.iter().any(|theirs| key.columns.iter().all(|column| same(theirs, column))))
    }

    /// New rows of one table that clash neither with existing rows nor with each other (as far as tried).
    pub(crate) fn new_rows(&mut self, at: usize, count: usize) -> Made<Vec<NewRow>> {
        let mut rows: Vec<NewRow> = Vec::new();
        for _ in 0..count {
            let row = self.new_row(at, &NewRow::new())?;
            let present: Vec<TextRow> = rows.iter().map(|row| self.as_text_row(at, row)).collect();
            if !self.clashes(at, &row, &present) {
                rows.push(row);
            }
        }
        Ok(rows)
    }

    fn as_text_row(&self, at: usize, row: &NewRow) -> TextRow {
        let text = |column| match row.get(&column) {
            Some(Value::Text(text)) => Some(text.clone()),
            _ => None,
        };
        (0..self.table(at).columns.len()).map(text).collect()
    }

    /// The value as SQL, where the column's type follows from the place.
    pub(crate) fn bare(&self, column: &Column, value: &Value) -> String {
        match value {
            Value::Null => "NULL".to_owned(),
            Value::Default => "DEFAULT".to_owned(),
            Value::Text(text) if is_plain_integer(column, text) => text.clone(),
            Value::Text(text) => quote::literal(text),
        }
    }

    /// The value as SQL of the column's type, for any place.
    pub(crate) fn typed(&self, column: &Column, value: &Value) -> String {
        match value {
            Value::Null | Value::Default => format!("NULL::{}", column.ty.name),
            Value::Text(text) => format!("{}::{}", quote::literal(text), column.ty.name),
        }
    }

    /// A condition that holds for this row, and for no other if the table has a key.
    pub(crate) fn is_row(&self, at: usize, row: &TextRow) -> String {
        let table = self.table(at);
        let columns = match table.row_key() {
            Some(key) => key.columns.clone(),
            None => (0..table.columns.len()).filter(|&column| comparable(&table.columns[column])).take(3).collect(),
        };
        let conditions: Vec<String> = columns.iter().map(|&column| self.has_value(at, column, &row[column])).collect();
        if conditions.is_empty() { "true".to_owned() } else { conditions.join(" AND ") }
    }

    /// A condition that the column has this value.
    pub(crate) fn has_value(&self, at: usize, column: usize, value: &Option<String>) -> String {
        let definition = &self.table(at).columns[column];
        let name = quote::soft_ident(&definition.name);
        match value {
            None => format!("{name} IS NULL"),
            Some(_) => format!("{name} = {}", self.bare(definition, &Value::of(value))),
        }
    }

    /// A condition that holds for some existing rows; `None` in an empty table.
    pub(crate) fn some_rows(&mut self, at: usize) -> Made<Option<String>> {
        let rows = self.rows(at)?;
        let Some(row) = self.dice.pick(&rows) else {
            return Ok(None);
        };
        let table = self.table(at);
        let columns: Vec<usize> = (0..table.columns.len())
            .filter(|&column| {
                comparable(&table.columns[column]) && !table.in_key(column) || table.in_foreign_key(column)
            })
            .collect();
        match self.dice.pick(&columns) {
            Some(&column) if self.dice.percent(60) => Ok(Some(self.has_value(at, column, &row[column]))),
            _ => {
                let other = self.dice.pick(&rows).unwrap_or(row);
                Ok(Some(format!("({}) OR ({})", self.is_row(at, row), self.is_row(at, other))))
            }
        }
    }

    /// `column = value, …` for an UPDATE.
    pub(crate) fn set_list(&self, at: usize, values: &NewRow) -> String {
        let table = self.table(at);
        let assign = |(&column, value): (&usize, &Value)| {
            let column = &table.columns[column];
            format!("{} = {}", quote::soft_ident(&column.name), self.bare(column, value))
        };
        values.iter().map(assign).collect::<Vec<_>>().join(", ")
    }

    /// The columns' names, separated by commas.
    pub(crate) fn names(&self, at: usize, columns: &[usize]) -> String {
        let table = self.table(at);
        let names: Vec<String> = columns.iter().map(|&column| quote::soft_ident(&table.columns[column].name)).collect();
        names.join(", ")
    }
}

/// Whether `=` exists for the column's type.
pub(crate) fn comparable(column: &Column) -> bool {
    fn kind(kind: &TypeKind) -> bool {
        match kind {
            TypeKind::Base(name) => !matches!(
                name.as_str(),
                "json" | "xml" | "point" | "box" | "polygon" | "path" | "line" | "lseg" | "circle" | "jsonpath"
            ),
            TypeKind::Enum(_) => true,
            TypeKind::Domain { base, .. } | TypeKind::Array(base) | TypeKind::Range(base) => kind_of(&base.kind),
            TypeKind::Multirange(base) => kind_of(&base.kind),
            TypeKind::Composite(_) | TypeKind::Other => false,
        }
    }
    fn kind_of(inner: &TypeKind) -> bool {
        kind(inner)
    }
    kind(&column.ty.kind)
}

fn is_plain_integer(column: &Column, text: &str) -> bool {
    let integer = matches!(&column.ty.kind, TypeKind::Base(name) if matches!(name.as_str(), "int2" | "int4" | "int8"));
    // The lowest value of a type is out of range before its sign is applied.
    integer && text.len() < 9 && text.parse::<i32>().is_ok()
}
