//! Triggers of the user's own, which write further tables.
//!
//! In: the tables that refer to each other, the dice. Out: DDL: functions and triggers, before and after, for rows and for statements, on
//! either side of a reference. None of them writes a key, a unique column or a reference, so that none makes a statement fail.

use std::fmt::Write;

use tviewc_verify::dice::Dice;

use crate::schema::{Reference, Schema, Table, Ty};

impl Schema {
    /// Some triggers, or none.
    pub fn triggers(&self, dice: &mut Dice) -> String {
        let mut sql = String::new();
        for (number, child) in self.tables.iter().enumerate() {
            for reference in &child.references {
                let parent = &self.tables[reference.parent];
                if dice.percent(35) {
                    let name = format!("user_{number}_{}", sql.len());
                    self.trigger(&name, (child, parent, reference), dice, &mut sql);
                }
            }
        }
        sql
    }

    fn trigger(&self, name: &str, tables: (&Table, &Table, &Reference), dice: &mut Dice, sql: &mut String) {
        let (child, parent, reference) = tables;
        let pairs = || reference.columns.iter().zip(&reference.parent_columns);
        let joined = |child_row: &str, parent_row: &str| {
            let pair = |(c, p): (&usize, &usize)| {
                format!("{child_row}.{} = {parent_row}.{}", child.columns[*c].name, parent.columns[*p].name)
            };
            pairs().map(pair).collect::<Vec<_>>().join(" AND ")
        };
        // In a trigger's own condition, so that triggers that call each other come to an end.
        let when = "WHEN (pg_trigger_depth() < 3)";
        let (event, body) = match dice.below(5) {
            0 => {
                let Some(change) = change(parent, dice) else { return };
                let body = format!(
                    "UPDATE {} AS p SET {} WHERE {}; RETURN NULL;",
                    parent.name,
                    change.of("p"),
                    joined("NEW", "p")
                );
                (format!("AFTER INSERT OR UPDATE ON {} FOR EACH ROW {when}", child.name), body)
            }
            1 => {
                let Some(change) = change(parent, dice) else { return };
                let body = format!(
                    "UPDATE {} AS p SET {} WHERE {}; RETURN NULL;",
                    parent.name,
                    change.of("p"),
                    joined("OLD", "p")
                );
                (format!("AFTER DELETE ON {} FOR EACH ROW {when}", child.name), body)
            }
            2 => {
                let Some(change) = change(child, dice) else { return };
                let body = format!(
                    "UPDATE {} AS c SET {} FROM changed_rows AS n WHERE {}; RETURN NULL;",
                    child.name,
                    change.of("c"),
                    joined("c", "n")
                );
                let event = format!("AFTER UPDATE ON {} REFERENCING NEW TABLE AS changed_rows", parent.name);
                (format!("{event} FOR EACH STATEMENT {when}"), body)
            }
            3 => {
                let Some(change) = change(child, dice) else { return };
                let body = format!("NEW.{}; RETURN NEW;", change.of("NEW"));
                (format!("BEFORE INSERT OR UPDATE ON {} FOR EACH ROW", child.name), body)
            }
            _ => {
                let body = format!(
                    "DELETE FROM {} AS c WHERE {} AND pg_trigger_depth() < 3 AND length(c::text) % 3 = 0; RETURN NULL;",
                    child.name,
                    joined("c", "NEW")
                );
                (format!("AFTER UPDATE ON {} FOR EACH ROW {when}", parent.name), body)
            }
        };
        let _ = writeln!(
            sql,
            "CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$;\n\
             CREATE TRIGGER {name} {event} EXECUTE FUNCTION {name}();"
        );
    }
}

/// A column that may have any value, and an expression that changes it a few times and then stays; `@` is the column.
#[derive(Clone)]
struct Change {
    column: String,
    expression: &'static str,
}

impl Change {
    /// `column = expression`, of a row.
    fn of(&self, row: &str) -> String {
        format!("{} = {}", self.column, self.expression.replace('@', &format!("{row}.{}", self.column)))
    }
}

fn change(table: &Table, dice: &mut Dice) -> Option<Change> {
    let is_free = |at: &usize| {
        let refers = table.references.iter().any(|r| r.columns.contains(at));
        !table.key.contains(at) && !refers && !table.uniques.iter().any(|u| u.contains(at))
    };
    let free = (0..table.columns.len()).filter(is_free).map(|at| &table.columns[at]);
    let fitting: Vec<Change> = free
        .filter_map(|column| {
            let expression = match column.ty {
                Ty::Text => "left(concat(@, '+'), 4)",
                Ty::Int => "(abs(coalesce(@, 0)::bigint) % 7 + 1)::int",
                Ty::Bool => "NOT coalesce(@, false)",
                _ => return None,
            };
            Some(Change { column: column.name.clone(), expression })
        })
        .collect();
    dice.pick(&fitting).cloned()
}
