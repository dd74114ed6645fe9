//! Makers of UPDATE.
//!
//! In: a table. Out: a statement that changes rows of it, or `None` where there are no rows or no such columns.

use super::kind::Kind;
use super::maker::{Made, Maker, NewRow, Statement, Value};
use super::values::{self, Pool};
use crate::quote;

impl Maker<'_> {
    pub(crate) fn update_one(&mut self, at: usize) -> Made<Option<Statement>> {
        let Some(row) = self.any_row(at)? else {
            return Ok(None);
        };
        let condition = self.is_row(at, &row);
        self.update_where(at, Kind::UpdateOne, &condition)
    }

    pub(crate) fn update_some(&mut self, at: usize) -> Made<Option<Statement>> {
        let Some(condition) = self.some_rows(at)? else {
            return Ok(None);
        };
        self.update_where(at, Kind::UpdateSome, &condition)
    }

    pub(crate) fn update_all(&mut self, at: usize) -> Made<Option<Statement>> {
        if self.rows(at)?.is_empty() {
            return Ok(None);
        }
        self.update_where(at, Kind::UpdateAll, "true")
    }

    fn update_where(&mut self, at: usize, kind: Kind, condition: &str) -> Made<Option<Statement>> {
        let values = self.new_values(at)?;
        Ok(self.update_sql(at, &values, condition).map(|sql| Statement::sql(kind, sql)))
    }

    /// `UPDATE … SET … WHERE …`; `None` without values.
    pub(crate) fn update_sql(&self, at: usize, values: &NewRow, condition: &str) -> Option<String> {
        if values.is_empty() {
            return None;
        }
        let condition = if condition == "true" { String::new() } else { format!(" WHERE {condition}") };
        Some(format!("UPDATE {} SET {}{condition}", self.table(at).qualified(), self.set_list(at, values)))
    }

    /// New values for one or two columns outside the keys.
    pub(crate) fn new_values(&mut self, at: usize) -> Made<NewRow> {
        let mut columns = self.plain_columns(at);
        self.dice.shuffle(&mut columns);
        columns.truncate(if self.dice.percent(60) { 1 } else { 2 });
        let mut values = NewRow::new();
        for column in columns {
            let value = self.value(at, column, Pool::Small)?;
            values.insert(column, value);
        }
        Ok(values)
    }

    /// Columns that are part of no key and of no foreign key.
    pub(crate) fn plain_columns(&self, at: usize) -> Vec<usize> {
        let table = self.table(at);
        (0..table.columns.len())
            .filter(|&column| {
                table.columns[column].assignable() && !table.in_key(column) && !table.in_foreign_key(column)
            })
            .collect()
    }

    pub(crate) fn update_key(&mut self, at: usize) -> Made<Option<Statement>> {
        let table = self.table(at);
        let (Some(row), Some(key)) = (self.any_row(at)?, self.dice.pick(&table.keys)) else {
            return Ok(None);
        };
        let fresh = self.new_row(at, &NewRow::new())?;
        let mut values = NewRow::new();
        for &column in &key.columns {
            if table.columns[column].assignable() && !table.in_foreign_key(column) {
                let value = match fresh.get(&column) {
                    Some(value) => value.clone(),
                    None => self.value(at, column, Pool::Wide)?,
                };
                values.insert(column, value);
            }
        }
        if values.is_empty() {
            return Ok(None);
        }
        let condition = self.is_row(at, &row);
        Ok(self.update_sql(at, &values, &condition).map(|sql| Statement::sql(Kind::UpdateKey, sql)))
    }

    /// Gives one row or several another parent.
    pub(crate) fn update_foreign_key(&mut self, at: usize) -> Made<Option<Statement>> {
        let table = self.table(at);
        let Some(fk) = self.dice.pick(&table.foreign_keys) else {
            return Ok(None);
        };
        let Some(row) = self.any_row(at)? else {
            return Ok(None);
        };
        let mut values = NewRow::new();
        self.draw_reference(at, fk, &mut values)?;
        let condition = if fk.columns.iter().any(|&column| table.in_key(column)) || self.dice.percent(60) {
            Some(self.is_row(at, &row))
        } else {
            self.some_rows(at)?
        };
        let sql = self.update_sql(at, &values, &condition.unwrap_or_else(|| "false".to_owned()));
        Ok(sql.map(|sql| Statement::sql(Kind::UpdateForeignKey, sql)))
    }

    pub(crate) fn update_null(&mut self, at: usize) -> Made<Option<Statement>> {
        let table = self.table(at);
        let nullable: Vec<usize> = (0..table.columns.len())
            .filter(|&column| table.columns[column].assignable() && !table.columns[column].not_null)
            .collect();
        let (Some(&column), Some(condition)) = (self.dice.pick(&nullable), self.some_rows(at)?) else {
            return Ok(None);
        };
        let values = NewRow::from([(column, Value::Null)]);
        Ok(self.update_sql(at, &values, &condition).map(|sql| Statement::sql(Kind::UpdateNull, sql)))
    }

    /// Sets columns to themselves.
    pub(crate) fn update_noop(&mut self, at: usize) -> Made<Option<Statement>> {
        let table = self.table(at);
        let columns: Vec<usize> =
            (0..table.columns.len()).filter(|&column| table.columns[column].assignable()).collect();
        let (Some(&column), Some(condition)) = (self.dice.pick(&columns), self.some_rows(at)?) else {
            return Ok(None);
        };
        let name = quote::soft_ident(&table.columns[column].name);
        let sql = format!("UPDATE {} SET {name} = {name} WHERE {condition}", table.qualified());
        Ok(Some(Statement::sql(Kind::UpdateNoop, sql)))
    }

    /// A value that is equal under `=` and renders differently.
    pub(crate) fn update_equal(&mut self, at: usize) -> Made<Option<Statement>> {
        let table = self.table(at);
        let rows = self.rows(at)?;
        let mut choices = Vec::new();
        for (position, column) in table.columns.iter().enumerate().filter(|(_, column)| column.assignable()) {
            for row in rows.iter() {
                let other = row[position].as_ref();
                if let Some(other) = other.and_then(|text| values::equal_but_different(self.dice, &column.ty, text)) {
                    choices.push((position, row, other));
                }
            }
        }
        let Some((column, row, value)) = self.dice.pick(&choices) else {
            return Ok(None);
        };
        let values = NewRow::from([(*column, Value::Text(value.clone()))]);
        let condition = self.is_row(at, row);
        Ok(self.update_sql(at, &values, &condition).map(|sql| Statement::sql(Kind::UpdateEqual, sql)))
    }

    /// `UPDATE … FROM` where one row has two matches; PostgreSQL applies one of them.
    pub(crate) fn update_from_twice(&mut self, at: usize) -> Made<Option<Statement>> {
        let table = self.table(at);
        let (Some(row), Some(key)) = (self.any_row(at)?, table.row_key()) else {
            return Ok(None);
        };
        let columns = self.plain_columns(at);
        let Some(&column) = self.dice.pick(&columns) else {
            return Ok(None);
        };
        let definition = &table.columns[column];
        let mut tuples = Vec::new();
        for _ in 0..2 {
            let mut tuple: Vec<String> =
                key.columns.iter().map(|&key| self.typed(&table.columns[key], &Value::of(&row[key]))).collect();
            let value = self.value(at, column, Pool::Small)?;
            tuple.push(self.typed(definition, &value));
            tuples.push(format!("({})", tuple.join(", ")));
        }
        let names: Vec<String> = (0..key.columns.len()).map(|n| format!("k{n}")).collect();
        let on: Vec<String> = key
            .columns
            .iter()
            .zip(&names)
            .map(|(&key, name)| format!("t.{} = s.{name}", quote::soft_ident(&table.columns[key].name)))
            .collect();
        let sql = format!(
            "UPDATE {} AS t SET {} = s.v FROM (VALUES {}) AS s ({}, v) WHERE {}",
            table.qualified(),
            quote::soft_ident(&definition.name),
            tuples.join(", "),
            names.join(", "),
            on.join(" AND ")
        );
        Ok(Some(Statement::sql(Kind::UpdateFromTwice, sql)))
    }
}
