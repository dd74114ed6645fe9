//! Writes of a kind that a plan tells from others.
//!
//! In: a table and what is to become of one of its rows. Out: a statement that succeeds on the rows as they are, or `None` where
//! none was found. The rows stay as they are: what was tried is taken back.

use postgres::Client;

use super::kind::Kind;
use super::maker::{Made, Maker, NewRow, Part, Statement, Value};
use super::values::Pool;
use super::{Writer, log};
use crate::error::Result;

/// How many statements are tried.
const TRIES: usize = 6;

/// What is to become of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Aim {
    /// It comes.
    Insert,
    /// It goes.
    Delete,
    /// One of these columns changes, with those of its foreign key.
    Update(Vec<String>),
}

impl Writer {
    /// A statement for a table, `schema.table`.
    pub fn aimed(&mut self, client: &mut Client, table: &str, aim: &Aim) -> Result<Option<String>> {
        let is_it = |at: &&usize| {
            let known = &self.schema.tables[**at];
            format!("{}.{}", known.schema, known.name) == table
        };
        let Some(&at) = self.targets.iter().find(is_it) else { return Ok(None) };
        let mut session = self.session(client);
        session.control("BEGIN");
        let mut found = None;
        for _ in 0..TRIES {
            session.control("SAVEPOINT aimed");
            let made = self.maker(session.client).aim(at, aim).ok().flatten();
            let Some(Statement { kind, parts }) = made else { continue };
            let [Part::Sql(sql)] = parts.as_slice() else { continue };
            if session.send(Some(kind), sql, None) && session.log.sent.last().is_some_and(changes_rows) {
                found = Some(sql.clone());
                break;
            }
            session.control("ROLLBACK TO SAVEPOINT aimed");
        }
        session.control("ROLLBACK");
        session.finish()?;
        Ok(found)
    }
}

fn changes_rows(sent: &log::Sent) -> bool {
    matches!(sent.outcome, log::Outcome::Done(rows) if rows > 0)
}

impl Maker<'_> {
    fn aim(&mut self, at: usize, aim: &Aim) -> Made<Option<Statement>> {
        match aim {
            Aim::Insert => self.make(Kind::InsertOne, at),
            Aim::Delete => self.make(Kind::DeleteOne, at),
            Aim::Update(columns) => self.update_columns(at, columns),
        }
    }

    /// One row gets another value in one of these columns.
    fn update_columns(&mut self, at: usize, columns: &[String]) -> Made<Option<Statement>> {
        let table = self.table(at);
        let is_wanted = |column: &usize| {
            let known = &table.columns[*column];
            known.assignable() && columns.contains(&known.name)
        };
        let wanted: Vec<usize> = (0..table.columns.len()).filter(is_wanted).collect();
        let (Some(row), Some(&column)) = (self.any_row(at)?, self.dice.pick(&wanted)) else { return Ok(None) };
        let mut values = NewRow::new();
        match table.foreign_keys.iter().find(|key| key.columns.contains(&column)) {
            Some(key) => self.draw_reference(at, key, &mut values)?,
            None => {
                let value = self.value(at, column, Pool::Small)?;
                values.insert(column, value);
            }
        }
        if values.iter().all(|(column, value)| *value == Value::of(&row[*column])) {
            return Ok(None);
        }
        let condition = self.is_row(at, &row);
        Ok(self.update_sql(at, &values, &condition).map(|sql| Statement::sql(Kind::UpdateOne, sql)))
    }
}
