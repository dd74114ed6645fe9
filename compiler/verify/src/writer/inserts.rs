//! Makers of INSERT and COPY.
//!
//! In: a table. Out: a statement that adds rows to it, or `None` where the schema does not allow its kind.

use super::kind::Kind;
use super::maker::{Made, Maker, NewRow, Part, Statement, Value};
use super::values::Pool;
use crate::quote;
use crate::schema::Identity;

impl Maker<'_> {
    pub(crate) fn insert_one(&mut self, at: usize) -> Made<Option<Statement>> {
        let row = self.new_row(at, &NewRow::new())?;
        Ok(Some(Statement::sql(Kind::InsertOne, self.insert_sql(at, &[row]))))
    }

    pub(crate) fn insert_many(&mut self, at: usize) -> Made<Option<Statement>> {
        let count = 2 + self.dice.below(5);
        let rows = self.new_rows(at, count)?;
        Ok(Some(Statement::sql(Kind::InsertMany, self.insert_sql(at, &rows))))
    }

    /// Only what must be given is given; DEFAULT is written out for some columns.
    pub(crate) fn insert_defaults(&mut self, at: usize) -> Made<Option<Statement>> {
        let table = self.table(at);
        let mut row = self.new_row(at, &NewRow::new())?;
        for (position, column) in table.columns.iter().enumerate() {
            if column.fills_itself() {
                row.insert(position, Value::Default);
                if self.dice.percent(50) {
                    row.remove(&position);
                }
            } else if !column.not_null && self.dice.percent(50) {
                row.remove(&position);
            }
        }
        let sql = if row.is_empty() {
            format!("INSERT INTO {} DEFAULT VALUES", table.qualified())
        } else {
            self.insert_sql(at, &[row])
        };
        Ok(Some(Statement::sql(Kind::InsertDefaults, sql)))
    }

    /// Copies existing rows, with new values in the columns of unique keys.
    pub(crate) fn insert_select(&mut self, at: usize) -> Made<Option<Statement>> {
        let table = self.table(at);
        let Some(source) = self.any_row(at)? else {
            return Ok(None);
        };
        let fresh = self.new_row(at, &NewRow::new())?;
        let mut columns = Vec::new();
        let mut values = Vec::new();
        let mut single = false;
        for (position, column) in table.columns.iter().enumerate() {
            if !column.assignable() || table.in_key(position) && column.fills_itself() {
                continue;
            }
            columns.push(position);
            if table.in_key(position) {
                single = true;
                let value = fresh.get(&position).unwrap_or(&Value::Null);
                values.push(self.typed(column, value));
            } else {
                values.push(quote::soft_ident(&column.name));
            }
        }
        if columns.is_empty() {
            return Ok(None);
        }
        let condition = if single { Some(self.is_row(at, &source)) } else { self.some_rows(at)? };
        let sql = format!(
            "INSERT INTO {table} ({}) SELECT {} FROM {table} WHERE {}",
            self.names(at, &columns),
            values.join(", "),
            condition.unwrap_or_else(|| "false".to_owned()),
            table = table.qualified(),
        );
        Ok(Some(Statement::sql(Kind::InsertSelect, sql)))
    }

    /// A parent and its child in one statement: their triggers see each other's rows.
    pub(crate) fn insert_parent_and_child(&mut self, at: usize) -> Made<Option<Statement>> {
        let table = self.table(at);
        let Some(fk) = self.dice.pick(&table.foreign_keys).filter(|fk| self.targets.contains(&fk.parent)) else {
            return Ok(None);
        };
        let mut key = NewRow::new();
        for &column in &fk.parent_columns {
            let value = self.value(fk.parent, column, Pool::Wide)?;
            if !self.table(fk.parent).columns[column].assignable() {
                return Ok(None);
            }
            key.insert(column, value);
        }
        let parent = self.new_row(fk.parent, &key)?;
        let mut fixed = NewRow::new();
        for (&column, theirs) in fk.columns.iter().zip(&fk.parent_columns) {
            fixed.insert(column, parent.get(theirs).cloned().unwrap_or(Value::Null));
        }
        let mut children = vec![self.new_row(at, &fixed)?];
        if self.dice.percent(50) {
            children.push(self.new_row(at, &fixed)?);
        }
        let sql = format!(
            "WITH parent AS ({} RETURNING 1) {}",
            self.insert_sql(fk.parent, &[parent]),
            self.insert_sql(at, &children)
        );
        Ok(Some(Statement::sql(Kind::InsertParentAndChild, sql)))
    }

    pub(crate) fn conflict_nothing(&mut self, at: usize) -> Made<Option<Statement>> {
        let table = self.table(at);
        let Some(key) = table.keys.iter().find(|key| !key.deferrable) else {
            return Ok(None);
        };
        // Without a target every key is meant, and deferrable ones are refused.
        let named = table.keys.iter().any(|key| key.deferrable) || self.dice.percent(40);
        let target = if named { format!(" ({})", self.names(at, &key.columns)) } else { String::new() };
        let rows = self.rows_with_conflict(at)?;
        let sql = format!("{} ON CONFLICT{target} DO NOTHING", self.insert_sql(at, &rows));
        Ok(Some(Statement::sql(Kind::ConflictNothing, sql)))
    }

    pub(crate) fn conflict_update(&mut self, at: usize) -> Made<Option<Statement>> {
        let table = self.table(at);
        let keys: Vec<_> = table.keys.iter().filter(|key| !key.deferrable).collect();
        let Some(&key) = self.dice.pick(&keys) else {
            return Ok(None);
        };
        let rows = self.rows_with_conflict(at)?;
        let changed: Vec<usize> = (0..table.columns.len())
            .filter(|column| table.columns[*column].assignable() && !table.in_key(*column))
            .collect();
        let Some(&column) = self.dice.pick(&changed) else {
            return Ok(None);
        };
        let name = quote::soft_ident(&table.columns[column].name);
        let value = match self.dice.below(3) {
            0 => self.set_value(at, column)?,
            _ => format!("excluded.{name}"),
        };
        let sql = format!(
            "{} ON CONFLICT ({}) DO UPDATE SET {name} = {value}",
            self.insert_sql(at, &rows),
            self.names(at, &key.columns),
        );
        Ok(Some(Statement::sql(Kind::ConflictUpdate, sql)))
    }

    fn set_value(&mut self, at: usize, column: usize) -> Made<String> {
        let value = self.value(at, column, Pool::Small)?;
        Ok(self.bare(&self.table(at).columns[column], &value))
    }

    /// A new row, and one with the key of an existing row.
    pub(crate) fn rows_with_conflict(&mut self, at: usize) -> Made<Vec<NewRow>> {
        let mut rows = self.new_rows(at, 1)?;
        if let (Some(existing), Some(key)) = (self.any_row(at)?, self.table(at).row_key()) {
            let assignable = key.columns.iter().all(|&column| self.table(at).columns[column].assignable());
            let fixed: NewRow = key.columns.iter().map(|&column| (column, Value::of(&existing[column]))).collect();
            if assignable {
                rows.push(self.new_row(at, &fixed)?);
            }
        }
        Ok(rows)
    }

    /// `INSERT INTO … VALUES …`; columns that any of the rows has are listed.
    pub(crate) fn insert_sql(&self, at: usize, rows: &[NewRow]) -> String {
        let table = self.table(at);
        let columns: Vec<usize> =
            (0..table.columns.len()).filter(|column| rows.iter().any(|row| row.contains_key(column))).collect();
        if columns.is_empty() {
            return format!("INSERT INTO {} DEFAULT VALUES", table.qualified());
        }
        let tuple = |row: &NewRow| {
            let value = |column: &usize| self.bare(&table.columns[*column], row.get(column).unwrap_or(&Value::Default));
            format!("({})", columns.iter().map(value).collect::<Vec<_>>().join(", "))
        };
        let tuples: Vec<String> = rows.iter().map(tuple).collect();
        format!("INSERT INTO {} ({}) VALUES {}", table.qualified(), self.names(at, &columns), tuples.join(", "))
    }

    pub(crate) fn copy(&mut self, at: usize) -> Made<Option<Statement>> {
        let table = self.table(at);
        let count = 1 + self.dice.below(5);
        let rows = self.new_rows(at, count)?;
        // COPY has no DEFAULT before version 16, so columns that fill themselves are left to do so, unless they are
        // part of a key that other columns complete.
        let columns: Vec<usize> = (0..table.columns.len())
            .filter(|&column| {
                let definition = &table.columns[column];
                definition.assignable() && !definition.has_default && definition.identity != Some(Identity::ByDefault)
            })
            .collect();
        if columns.is_empty() || rows.is_empty() {
            return Ok(None);
        }
        let mut data = String::new();
        for row in &rows {
            let fields: Vec<String> = columns.iter().map(|column| copy_field(row.get(column))).collect();
            data.push_str(&fields.join("\t"));
            data.push('\n');
        }
        let command = format!("COPY {} ({}) FROM STDIN", table.qualified(), self.names(at, &columns));
        Ok(Some(Statement { kind: Kind::Copy, parts: vec![Part::Copy { command, data }] }))
    }
}

fn copy_field(value: Option<&Value>) -> String {
    match value {
        Some(Value::Text(text)) => {
            text.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r")
        }
        _ => "\\N".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_copy_fields() {
        assert_eq!(copy_field(Some(&Value::Text("a\tb\\c\n".into()))), "a\\tb\\\\c\\n");
        assert_eq!(copy_field(None), "\\N");
    }
}
