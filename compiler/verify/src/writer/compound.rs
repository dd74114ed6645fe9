//! Makers of statements that consist of others: MERGE, data-modifying WITH, DO blocks, prepared statements.
//!
//! In: a table. Out: a statement over it and perhaps over others, or `None` where nothing fits.

use super::kind::Kind;
use super::maker::{Made, Maker, NewRow, Part, Statement, Value};
use super::values::Pool;
use crate::quote;
use crate::schema::Table;

/// The version that brought MERGE.
const MERGE_SINCE: u32 = 15;

impl Maker<'_> {
    /// Makes a statement of the given kind for the table.
    pub(crate) fn make(&mut self, kind: Kind, at: usize) -> Made<Option<Statement>> {
        match kind {
            Kind::InsertOne => self.insert_one(at),
            Kind::InsertMany => self.insert_many(at),
            Kind::InsertDefaults => self.insert_defaults(at),
            Kind::InsertSelect => self.insert_select(at),
            Kind::InsertParentAndChild => self.insert_parent_and_child(at),
            Kind::ConflictNothing => self.conflict_nothing(at),
            Kind::ConflictUpdate => self.conflict_update(at),
            Kind::UpdateOne => self.update_one(at),
            Kind::UpdateSome => self.update_some(at),
            Kind::UpdateAll => self.update_all(at),
            Kind::UpdateKey => self.update_key(at),
            Kind::UpdateForeignKey => self.update_foreign_key(at),
            Kind::UpdateNull => self.update_null(at),
            Kind::UpdateNoop => self.update_noop(at),
            Kind::UpdateEqual => self.update_equal(at),
            Kind::UpdateFromTwice => self.update_from_twice(at),
            Kind::DeleteOne => self.delete_one(at),
            Kind::DeleteSome => self.delete_some(at),
            Kind::DeleteTree => self.delete_tree(at),
            Kind::Truncate => self.truncate(at),
            Kind::Merge => self.merge(at),
            Kind::WithWrites => self.with_writes(at),
            Kind::Copy => self.copy(at),
            Kind::NoRows => self.no_rows(at),
            Kind::DoBlock => self.do_block(at),
            Kind::Prepared => self.prepared(at),
            Kind::SavepointRollback | Kind::Rollback | Kind::Settings => Ok(None),
        }
    }

    fn merge(&mut self, at: usize) -> Made<Option<Statement>> {
        let table = self.table(at);
        let Some(key) = table.row_key().filter(|_| self.major >= MERGE_SINCE) else {
            return Ok(None);
        };
        let mut rows = self.rows_with_conflict(at)?;
        self.fill_required(at, &mut rows)?;
        let columns: Vec<usize> = (0..table.columns.len())
            .filter(|column| table.columns[*column].assignable() && rows.iter().any(|row| row.contains_key(column)))
            .collect();
        // Without a value for the key there is nothing to match by.
        if !key.columns.iter().all(|column| columns.contains(column)) {
            return Ok(None);
        }
        let plain = self.plain_columns(at);
        let moved = if table.partitioned && self.dice.percent(50) { self.moved(at, &key.columns)? } else { None };
        let matched = match self.dice.pick(&plain).copied().filter(|column| columns.contains(column)) {
            _ if moved.is_some() => moved.unwrap_or_default(),
            Some(column) if self.dice.percent(75) => {
                let name = quote::soft_ident(&table.columns[column].name);
                format!("UPDATE SET {name} = s.{name}")
            }
            _ => "DELETE".to_owned(),
        };
        let names = self.names(at, &columns);
        let sql = format!(
            "MERGE INTO {} AS t USING (VALUES {}) AS s ({names}) ON {} \
             WHEN MATCHED THEN {matched} WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({})",
            table.qualified(),
            self.typed_tuples(table, &columns, &rows),
            pairs(table, &key.columns),
            prefixed(table, &columns, "s"),
        );
        Ok(Some(Statement::sql(Kind::Merge, sql)))
    }

    /// An action that gives rows another key, and so perhaps another partition; a key holds the partition key.
    fn moved(&mut self, at: usize, key: &[usize]) -> Made<Option<String>> {
        let table = self.table(at);
        let Some(&column) = self.dice.pick(key).filter(|&&column| table.columns[column].assignable()) else {
            return Ok(None);
        };
        let value = match self.value(at, column, Pool::Small)? {
            Value::Default => Value::Null,
            value => value,
        };
        let column = &table.columns[column];
        Ok(Some(format!("UPDATE SET {} = {}", quote::soft_ident(&column.name), self.typed(column, &value))))
    }

    /// The source of a MERGE has no DEFAULT, so what must not be NULL gets a value.
    fn fill_required(&mut self, at: usize, rows: &mut [NewRow]) -> Made<()> {
        let table = self.table(at);
        for row in rows {
            for (position, column) in table.columns.iter().enumerate() {
                let given = matches!(row.get(&position), Some(Value::Text(_)));
                if column.not_null && column.assignable() && !given {
                    let pool = if table.in_key(position) { Pool::Wide } else { Pool::Small };
                    let value = self.value(at, position, pool)?;
                    row.insert(position, value);
                }
            }
        }
        Ok(())
    }

    fn typed_tuples(&self, table: &Table, columns: &[usize], rows: &[NewRow]) -> String {
        let tuple = |row: &NewRow| {
            let value = |&column: &usize| self.typed(&table.columns[column], row.get(&column).unwrap_or(&Value::Null));
            format!("({})", columns.iter().map(value).collect::<Vec<_>>().join(", "))
        };
        rows.iter().map(tuple).collect::<Vec<_>>().join(", ")
    }

    /// A statement that can be part of another: one INSERT, UPDATE or DELETE.
    fn simple(&mut self, at: usize) -> Made<Option<String>> {
        const SIMPLE: &[Kind] = &[
            Kind::InsertOne,
            Kind::InsertMany,
            Kind::ConflictNothing,
            Kind::UpdateOne,
            Kind::UpdateSome,
            Kind::UpdateForeignKey,
            Kind::UpdateNull,
            Kind::DeleteOne,
        ];
        for _ in 0..4 {
            let Some(&kind) = self.dice.pick(SIMPLE) else {
                break;
            };
            let made = self.make(kind, at)?.and_then(|statement| statement.parts.into_iter().next());
            if let Some(Part::Sql(sql)) = made {
                return Ok(Some(sql));
            }
        }
        Ok(None)
    }

    /// Several simple statements over different tables.
    fn several(&mut self, first: usize, most: usize) -> Made<Vec<String>> {
        let mut tables: Vec<usize> = self.targets.iter().copied().filter(|&table| table != first).collect();
        self.dice.shuffle(&mut tables);
        tables.insert(0, first);
        tables.truncate(2 + self.dice.below(most - 1));
        let mut parts = Vec::new();
        for table in tables {
            parts.extend(self.simple(table)?);
        }
        Ok(parts)
    }

    /// All parts of one statement see the same snapshot, and their triggers fire at its end.
    fn with_writes(&mut self, at: usize) -> Made<Option<Statement>> {
        let mut parts = self.several(at, 3)?;
        let Some(last) = parts.pop().filter(|_| !parts.is_empty()) else {
            return Ok(None);
        };
        let named: Vec<String> =
            parts.iter().enumerate().map(|(n, sql)| format!("w{n} AS ({sql} RETURNING 1)")).collect();
        let sql = format!("WITH {} {last}", named.join(", "));
        Ok(Some(Statement::sql(Kind::WithWrites, sql)))
    }

    fn do_block(&mut self, at: usize) -> Made<Option<Statement>> {
        let parts = self.several(at, 4)?;
        if parts.is_empty() {
            return Ok(None);
        }
        let mut body = String::new();
        for sql in &parts {
            match self.dice.below(4) {
                // A block with a handler is a subtransaction.
                0 => body.push_str(&format!(
                    "  BEGIN\n    {sql};\n  EXCEPTION WHEN integrity_constraint_violation OR data_exception THEN NULL;\n  END;\n"
                )),
                _ => body.push_str(&format!("  {sql};\n")),
            }
        }
        let tag = (0..).map(|n| format!("$do{n}$")).find(|tag| !body.contains(tag.as_str())).unwrap_or_default();
        Ok(Some(Statement::sql(Kind::DoBlock, format!("DO {tag}\nBEGIN\n{body}END\n{tag}"))))
    }

    /// A prepared UPDATE or INSERT, run so often that its plan may become a generic one.
    fn prepared(&mut self, at: usize) -> Made<Option<Statement>> {
        let table = self.table(at);
        let name = format!("writer_{}", self.serial);
        let times = if self.dice.percent(30) { 7 } else { 2 };
        let plain = self.plain_columns(at);
        let (Some(key), Some(&column)) = (table.row_key(), self.dice.pick(&plain)) else {
            return Ok(None);
        };
        let mut columns = key.columns.clone();
        columns.push(column);
        let types: Vec<&str> = columns.iter().map(|&column| table.columns[column].ty.name.as_str()).collect();
        let conditions: Vec<String> = key
            .columns
            .iter()
            .enumerate()
            .map(|(n, &column)| format!("{} = ${}", quote::soft_ident(&table.columns[column].name), n + 1))
            .collect();
        let mut parts = vec![format!(
            "PREPARE {name} ({}) AS UPDATE {} SET {} = ${} WHERE {}",
            types.join(", "),
            table.qualified(),
            quote::soft_ident(&table.columns[column].name),
            columns.len(),
            conditions.join(" AND ")
        )];
        for _ in 0..times {
            let Some(row) = self.any_row(at)? else {
                return Ok(None);
            };
            let mut values: Vec<String> =
                key.columns.iter().map(|&key| self.bare(&table.columns[key], &Value::of(&row[key]))).collect();
            let value = match self.value(at, column, Pool::Small)? {
                Value::Default => Value::Null,
                value => value,
            };
            values.push(self.bare(&table.columns[column], &value));
            parts.push(format!("EXECUTE {name} ({})", values.join(", ")));
        }
        parts.push(format!("DEALLOCATE {name}"));
        Ok(Some(Statement { kind: Kind::Prepared, parts: parts.into_iter().map(Part::Sql).collect() }))
    }
}

fn pairs(table: &Table, columns: &[usize]) -> String {
    let pair = |&column: &usize| {
        let name = quote::soft_ident(&table.columns[column].name);
        format!("t.{name} = s.{name}")
    };
    columns.iter().map(pair).collect::<Vec<_>>().join(" AND ")
}

fn prefixed(table: &Table, columns: &[usize], prefix: &str) -> String {
    let name = |&column: &usize| format!("{prefix}.{}", quote::soft_ident(&table.columns[column].name));
    columns.iter().map(name).collect::<Vec<_>>().join(", ")
}
