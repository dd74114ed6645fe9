//! Makers of DELETE and TRUNCATE, and of statements that touch nothing.
//!
//! In: a table. Out: a statement, or `None` where there is nothing to remove.

use super::kind::Kind;
use super::maker::{Made, Maker, NewRow, Part, Statement};

/// How far down a tree of children is deleted.
const DEPTH: usize = 4;

impl Maker<'_> {
    pub(crate) fn delete_one(&mut self, at: usize) -> Made<Option<Statement>> {
        let Some(row) = self.any_row(at)? else {
            return Ok(None);
        };
        let condition = self.is_row(at, &row);
        Ok(Some(Statement::sql(Kind::DeleteOne, self.delete_sql(at, &condition))))
    }

    pub(crate) fn delete_some(&mut self, at: usize) -> Made<Option<Statement>> {
        let Some(condition) = self.some_rows(at)? else {
            return Ok(None);
        };
        Ok(Some(Statement::sql(Kind::DeleteSome, self.delete_sql(at, &condition))))
    }

    pub(crate) fn delete_sql(&self, at: usize, condition: &str) -> String {
        format!("DELETE FROM {} WHERE {condition}", self.table(at).qualified())
    }

    /// A parent after its children, which go one by one where the foreign key would not remove them.
    pub(crate) fn delete_tree(&mut self, at: usize) -> Made<Option<Statement>> {
        let referenced = self.schema.tables.iter().any(|table| table.foreign_keys.iter().any(|fk| fk.parent == at));
        let Some(row) = self.any_row(at)?.filter(|_| referenced) else {
            return Ok(None);
        };
        let condition = self.is_row(at, &row);
        let trust_actions = self.dice.percent(50);
        let mut parts = Vec::new();
        let mut path = vec![at];
        self.add_deletes(&mut path, &condition, trust_actions, &mut parts);
        let parts = parts.into_iter().map(Part::Sql).collect();
        Ok(Some(Statement { kind: Kind::DeleteTree, parts }))
    }

    fn add_deletes(&self, path: &mut Vec<usize>, condition: &str, trust_actions: bool, parts: &mut Vec<String>) {
        let Some(&at) = path.last() else {
            return;
        };
        for (child_at, child) in self.schema.tables.iter().enumerate() {
            // Leaves carry copies of their root's foreign keys; the root's DELETE reaches them.
            if child.is_partition || path.contains(&child_at) || path.len() > DEPTH {
                continue;
            }
            for fk in child.foreign_keys.iter().filter(|fk| fk.parent == at) {
                if trust_actions && matches!(fk.on_delete, 'c' | 'n' | 'd') {
                    continue;
                }
                let child_condition = format!(
                    "({}) IN (SELECT {} FROM {} WHERE {condition})",
                    self.names(child_at, &fk.columns),
                    self.names(at, &fk.parent_columns),
                    self.table(at).qualified(),
                );
                path.push(child_at);
                self.add_deletes(path, &child_condition, trust_actions, parts);
                path.pop();
            }
        }
        parts.push(self.delete_sql(at, condition));
    }

    pub(crate) fn truncate(&mut self, at: usize) -> Made<Option<Statement>> {
        let name = self.table(at).qualified();
        let cascade = if self.dice.percent(75) { " CASCADE" } else { "" };
        Ok(Some(Statement::sql(Kind::Truncate, format!("TRUNCATE {name}{cascade}"))))
    }

    /// Statement triggers fire for statements that touch no row, too.
    pub(crate) fn no_rows(&mut self, at: usize) -> Made<Option<Statement>> {
        let values = self.new_values(at)?;
        let sql = match self.dice.below(3) {
            0 => Some(self.delete_sql(at, "false")),
            1 => self.update_sql(at, &values, "false"),
            _ => {
                let row = self.new_row(at, &NewRow::new())?;
                let columns: Vec<usize> = row.keys().copied().collect();
                let table = self.table(at);
                (!columns.is_empty()).then(|| {
                    let names = self.names(at, &columns);
                    format!(
                        "INSERT INTO {table} ({names}) SELECT {names} FROM {table} WHERE false",
                        table = table.qualified()
                    )
                })
            }
        };
        Ok(sql.map(|sql| Statement::sql(Kind::NoRows, sql)))
    }
}
