//! Patches as SQL.
//!
//! In: a [`PatchStep`]. Out: the statement that finds the documents, and the one that changes them at their paths. What
//! always holds: the values come from the current version of the changed rows, found by their key, and the way to the
//! documents is followed again in the statement that writes, after the locks.

use super::templates::{self, KeysModel};
use super::way::{Context, flag_variable};
use super::{base_table, list, names};
use crate::names::{Ident, sql_literal};
use crate::plan::{Change, PatchStep};
use crate::resolve::ColumnRef;

/// More arguments than this a function does not take; a field needs two.
const MAX_FIELDS: usize = 50;

/// The rows of which nothing but patched columns has changed, as a relation `alias(columns)`.
struct Rows {
    arrays: String,
    columns: String,
    condition: String,
}

fn rows(context: &Context, step: &PatchStep, columns: &[usize], alias: &str) -> Rows {
    let table = base_table(context.program.catalog, &context.plan.table);
    let name = |c: &usize| &table.columns[*c].name;
    let mut arrays: Vec<String> = columns.iter().map(|c| names::variable("new", name(c), *c)).collect();
    let mut shown: Vec<String> = columns.iter().map(|c| name(c).sql()).collect();
    let mut conditions = Vec::new();
    let flags = [(Some(step.other), "is_other", "NOT "), (step.changed, "is_changed", "")];
    for (flag, name, not) in flags.into_iter().filter_map(|(flag, name, not)| Some((flag?, name, not))) {
        let mut flag_column = Ident::new(name);
        while shown.contains(&flag_column.sql()) {
            flag_column = Ident::new(format!("{flag_column}_"));
        }
        arrays.push(flag_variable(flag));
        conditions.push(format!("{not}{alias}.{}", flag_column.sql()));
        shown.push(flag_column.sql());
    }
    Rows { arrays: list(arrays), columns: list(shown), condition: conditions.join(" AND ") }
}

/// Finds the keys of the documents to patch: those that are recomputed are not among them.
pub fn find(context: &Context, steps: &[PatchStep], keys: &[KeysModel], patched: &[KeysModel], indent: &str) -> String {
    let deeper = format!("{indent}        ");
    let way = |step: &PatchStep| {
        let way = &step.patch.way;
        let alias = context.alias(way.start);
        let needed: Vec<usize> = way.needs().into_iter().collect();
        let rows = rows(context, step, &needed, &alias);
        let joins: String = way.joins.iter().map(|j| format!("\n{deeper}{}", context.join(j))).collect();
        format!(
            "SELECT {}\n{deeper}FROM unnest({}) AS {alias}({}){joins}\n{deeper}WHERE {}",
            list(way.select.iter().map(|t| context.term(t))),
            rows.arrays,
            rows.columns,
            rows.condition,
        )
    };
    let ways: Vec<String> = steps.iter().map(way).collect();
    let names: Vec<String> = context.tview.key_names().iter().map(|n| n.sql()).collect();
    let shown = list(names.iter().map(|n| format!("k.{n}")));
    let present: Vec<String> = names.iter().map(|n| format!("k.{n} IS NOT NULL")).collect();
    format!(
        "\n{indent}SELECT {}\n{indent}  INTO {}\n{indent}  FROM (\n{deeper}{}\n{deeper}EXCEPT\n{deeper}SELECT {shown} \
         FROM unnest({}) AS k({})\n{indent}       ) AS k({})\n{indent} WHERE {};",
        list(names.iter().map(|n| format!("array_agg(k.{n})"))),
        list(patched.iter().map(|v| v.name.clone())),
        ways.join(&format!("\n{deeper}UNION\n{deeper}")),
        list(keys.iter().map(|v| v.name.clone())),
        names.join(", "),
        names.join(", "),
        present.join(" AND "),
    )
}

/// Changes the documents.
pub fn write(context: &Context, step: &PatchStep, patched: &[KeysModel], indent: &str) -> String {
    let (tview, patch) = (context.tview, &step.patch);
    let (row, key, document) =
        (context.free_alias("changed"), context.free_alias("key"), context.free_alias("document"));
    let alias = context.alias(step.use_id);
    let pairing: Vec<usize> = context.plan.pairing.iter().flatten().copied().collect();
    let rows = rows(context, step, &pairing, &row);
    let table = base_table(context.program.catalog, &context.plan.table);
    let names: Vec<String> = tview.key_names().iter().map(|n| n.sql()).collect();
    let equal = |l: &str, r: &str| joined(names.iter().map(|n| format!("{l}.{n} = {r}.{n}")));
    let mut outputs: Vec<usize> = patch.sites.iter().map(|s| s.output).collect();
    outputs.dedup();
    let columns: Vec<String> = outputs.iter().map(|o| tview.view.outputs[*o].name.sql()).collect();
    let value = |(output, column): (&usize, &String)| {
        let value = value(context, step, *output, &format!("{document}.{column}"));
        format!("{value} AS {column}")
    };
    let statement = templates::PatchSql {
        name: tview.name.sql(),
        document_keys: list(names.iter().map(|n| format!("{document}.{n}"))),
        values: outputs.iter().zip(&columns).map(value).collect(),
        arrays: rows.arrays,
        row_columns: rows.columns,
        condition: rows.condition,
        table: context.plan.table.sql(),
        alias_is_row: joined(pairing.iter().map(|c| {
            let name = table.columns[*c].name.sql();
            format!("{alias}.{name} = {row}.{name}")
        })),
        joins: patch.way.joins.iter().map(|j| context.join(j)).collect(),
        keys: list(patched.iter().map(|v| v.name.clone())),
        key_columns: names.join(", "),
        key_is_end: joined(
            names.iter().zip(&patch.way.select).map(|(n, t)| format!("{key}.{n} = {}", context.term(t))),
        ),
        document_is_key: equal(&document, &key),
        assignments: list(columns.iter().map(|c| format!("{c} = f.{c}"))),
        t_is_f: equal("t", "f"),
        t_columns: list(columns.iter().map(|c| format!("t.{c}"))),
        f_columns: list(columns.iter().map(|c| format!("f.{c}"))),
        row,
        key,
        document,
        alias,
    };
    let text = templates::text(&statement);
    text.lines().map(|line| format!("\n{indent}{line}")).collect()
}

fn joined(conditions: impl Iterator<Item = String>) -> String {
    conditions.collect::<Vec<_>>().join(" AND ")
}

/// The new value of an output column.
fn value(context: &Context, step: &PatchStep, wanted: usize, old: &str) -> String {
    let column = |c: usize| context.column(ColumnRef { use_id: step.use_id, column: c });
    let mut value = old.to_owned();
    for change in &step.patch.changes {
        match change {
            Change::Column { output, column: only } if *output == wanted => return column(*only),
            Change::Object { output, path, fields, whole } if *output == wanted => {
                let fields: Vec<(&str, String)> = fields.iter().map(|(name, c)| (name.as_str(), column(*c))).collect();
                value = changed_object(&value, old, path, &fields, *whole);
            }
            _ => {}
        }
    }
    value
}

/// `document` with these fields of the object at a path; `old` is the document before any change.
fn changed_object(document: &str, old: &str, path: &[String], fields: &[(&str, String)], whole: bool) -> String {
    if path.is_empty() {
        return format!("{document} || {}", object(fields));
    }
    let at = path_sql(path);
    match fields {
        _ if whole => format!("jsonb_set({document}, {at}, {})", object(fields)),
        [(field, value)] => {
            let below: Vec<String> = path.iter().cloned().chain([(*field).to_owned()]).collect();
            format!("jsonb_set({document}, {}, coalesce(to_jsonb({value}), 'null'))", path_sql(&below))
        }
        // Where another trigger has not yet made it an object, that one writes all of it.
        _ => format!(
            "jsonb_set({document}, {at}, coalesce(nullif({old} #> {at}, 'null'), '{{}}') || {})",
            object(fields)
        ),
    }
}

/// The same function as in the view, so that every type is written as it is there.
fn object(fields: &[(&str, String)]) -> String {
    let part = |fields: &[(&str, String)]| {
        let fields = fields.iter().map(|(name, value)| format!("{}, {value}", sql_literal(name)));
        format!("jsonb_build_object({})", list(fields))
    };
    fields.chunks(MAX_FIELDS).map(part).collect::<Vec<_>>().join(" || ")
}

/// A path as an array of text.
fn path_sql(path: &[String]) -> String {
    let plain = |step: &String| {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
        !step.is_empty() && step.chars().all(fits) && !step.eq_ignore_ascii_case("null")
    };
    if path.iter().all(plain) {
        return format!("'{{{}}}'", path.join(","));
    }
    format!("ARRAY[{}]", list(path.iter().map(|p| sql_literal(p))))
}
