//! Patches as SQL.
//!
//! In: a [`PatchStep`]. Out: the statement that finds the documents, and the one that changes small ones at their paths; for the others
//! ([`super::parts`]) what that is made of. What always holds: the values come from the current version of the changed rows, found by their key, and the way to the
//! documents is followed again in the statement that writes, after the locks.

use std::collections::BTreeSet;

use super::templates::{self, KeysModel};
use super::tview::{key_columns, present};
use super::way::{Context, flag_variable};
use super::{base_table, lines, list, names};
use crate::catalog::TypeClass;
use crate::names::{Ident, sql_literal};
use crate::plan::{Change, PatchStep, Tview};
use crate::relate::KeyColumn;
use crate::resolve::ColumnRef;

/// More arguments than this a function does not take; a field needs two.
const MAX_FIELDS: usize = 50;

/// The rows of which nothing but patched columns has changed, as a relation `alias(columns)`.
pub(super) struct Rows {
    pub arrays: String,
    pub columns: String,
    pub condition: String,
}

pub(super) fn rows(context: &Context, step: &PatchStep, columns: &[usize], alias: &str) -> Rows {
    let table = base_table(context.program.catalog, &context.plan.table);
    let name = |c: &usize| &table.columns[*c].name;
    let mut arrays: Vec<String> = columns.iter().map(|c| names::variable("new", name(c), *c)).collect();
    let mut shown: Vec<String> = columns.iter().map(|c| name(c).sql()).collect();
    let mut conditions = Vec::new();
    let flags = [(Some(step.other), "is_other", "NOT "), (step.changed, "is_changed", "")];
    for (flag, name, not) in flags.into_iter().filter_map(|(flag, name, not)| Some((flag?, name, not))) {
        let column = names::free(name, |name| shown.contains(&name.sql())).sql();
        arrays.push(flag_variable(flag));
        conditions.push(format!("{not}{alias}.{column}"));
        shown.push(column);
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
    format!(
        "\n{indent}SELECT {}\n{indent}  INTO {}\n{indent}  FROM (\n{deeper}{}\n{deeper}EXCEPT\n{deeper}SELECT {shown} \
         FROM unnest({}) AS k({})\n{indent}       ) AS k({})\n{indent} WHERE {};",
        list(names.iter().map(|n| format!("array_agg(k.{n})"))),
        list(patched.iter().map(|v| v.name.clone())),
        ways.join(&format!("\n{deeper}UNION\n{deeper}")),
        list(keys.iter().map(|v| v.name.clone())),
        names.join(", "),
        names.join(", "),
        present(&key_columns(context.tview)),
    )
}

/// Changes the documents of one use, each once: those of these keys, which are locked.
pub fn write(context: &Context, step: &PatchStep, patched: &[KeysModel], indent: &str) -> String {
    let keys = Keys {
        names: context.tview.key_names().iter().map(|n| n.sql()).collect(),
        arrays: list(patched.iter().map(|v| v.name.clone())),
        alias: context.free_alias("key"),
    };
    let (from, parts) = one_use(context, step, Some(&keys));
    let relation = context.free_alias("changes");
    let columns = list(result_columns(keys.names.len(), &parts));
    let from = wrapped("(", from, &format!(") AS {relation}({columns})"));
    indented(&templates::text(&update(context, step, &relation, from, &parts)), indent) + ";"
}

pub(super) fn indented(text: &str, indent: &str) -> String {
    lines(text).into_iter().map(|line| format!("\n{indent}{line}")).collect()
}

/// Between the first of these lines and the last.
fn wrapped(begin: &str, lines: Vec<String>, end: &str) -> Vec<String> {
    let begins = std::iter::once(begin.to_owned()).chain(std::iter::repeat(" ".repeat(begin.len())));
    let mut lines: Vec<String> = lines.iter().zip(begins).map(|(line, begin)| begin + line).collect();
    if let Some(last) = lines.last_mut() {
        *last += end;
    }
    lines
}

/// Whether each document changes: in each row some column that the patch is about has changed, and what it shows of that with it.
pub(super) fn changes_all(context: &Context, step: &PatchStep) -> bool {
    let table = base_table(context.program.catalog, &context.plan.table);
    step.patch.columns.iter().all(|c| table.columns[*c].ty.is_shown_exactly())
}

/// The statement that writes what `relation`, which `from` ends with, holds of each document.
pub(super) fn update(
    context: &Context,
    step: &PatchStep,
    relation: &str,
    from: Vec<String>,
    parts: &[Part],
) -> templates::PatchSql {
    let tview = context.tview;
    let document = context.free_alias("document");
    let column = |output: usize| tview.view.outputs[output].name.sql();
    let old = |output: usize| format!("{document}.{}", column(output));
    let assignment = |(output, value): (usize, Put)| format!("{} = {}", column(output), value.sql());
    let assignments: Vec<String> = changed(context, parts, &document).map(assignment).collect();
    let keys = tview.key_names().into_iter().zip(1..);
    let is_end = keys.map(|(name, n)| format!("{document}.{} = {relation}.key_{n}", name.sql()));
    templates::PatchSql {
        name: tview.name.sql(),
        runtime: assignments.iter().any(|a| calls_runtime(context, a)).then(|| context.free_alias("runtime")),
        assignments,
        from,
        document_is_key: joined(is_end),
        differs: match changes_all(context, step) {
            true => Vec::new(),
            false => parts.iter().map(|part| part.differs(Put::into(context, old(part.output())))).collect(),
        },
        document,
    }
}

/// The output columns of `row` in which something changes, and what they become.
pub(super) fn changed<'c>(
    context: &'c Context,
    parts: &'c [Part],
    row: &'c str,
) -> impl Iterator<Item = (usize, Put)> + 'c {
    let outputs: BTreeSet<usize> = parts.iter().map(|part| part.output()).collect();
    outputs.into_iter().map(move |output| {
        let old = format!("{row}.{}", context.tview.view.outputs[output].name.sql());
        let changes = parts.iter().filter(|part| part.output() == output);
        let value = changes.fold(Put::into(context, old.clone()), |value, part| part.applied(value, &old));
        (output, value)
    })
}

/// For which there is no nested loop.
const FULL_JOIN: &str = "FULL JOIN";

/// The keys of the documents to patch, as a relation.
pub(super) struct Keys {
    pub names: Vec<String>,
    pub arrays: String,
    pub alias: String,
}

impl Keys {
    fn relation(&self) -> String {
        format!("unnest({}) AS {}({})", self.arrays, self.alias, self.names.join(", "))
    }

    /// The condition that a relation has a row for a key.
    pub fn are_of(&self, relation: &str) -> String {
        joined(self.names.iter().zip(1..).map(|(name, n)| format!("{relation}.key_{n} = {}.{name}", self.alias)))
    }

    /// How what is found of the documents is joined to their keys. A left join may compare all keys with each other, where the planner
    /// expects few: a full join hashes or sorts them. Not every type of an extension, and not every range of the user's, can do either.
    pub fn join(&self, tview: &Tview) -> &'static str {
        let is_known = |key: &KeyColumn| !matches!(key.ty.underlying().class, TypeClass::Unknown | TypeClass::Range);
        if tview.relations.key.columns.iter().all(is_known) { FULL_JOIN } else { "LEFT JOIN" }
    }
}

/// The documents of keys, one by one, and their places (`ctid`, a name that no column of the user's has). A document without a key, which
/// a full join leaves, is none: but no condition tells the planner so, which would make the join a left one.
pub(super) fn look_up(tview: &Tview, alias: &str, columns: &[String], keys: &[String]) -> [String; 2] {
    let shown = list(std::iter::once(format!("{alias}.ctid")).chain(columns.iter().cloned()));
    let is_key =
        joined(tview.key_names().iter().zip(keys).map(|(name, key)| format!("{alias}.{} = {key}", name.sql())));
    [
        format!("CROSS JOIN LATERAL (SELECT {shown}"),
        format!("                      FROM {} AS {alias} WHERE {is_key} OFFSET 0) AS {alias}", tview.name.sql()),
    ]
}

/// A column as it is looked up. A document that is changed is read twice, for that and to be compared: what its table holds apart,
/// compressed, is fetched and unpacked once.
pub(super) fn looked_up(alias: &str, name: &str, is_changed: bool) -> String {
    match is_changed {
        true => format!("{alias}.{name} #> '{{}}'::text[] AS {name}"),
        false => format!("{alias}.{name}"),
    }
}

/// What a statement that patches consists of.
pub(super) struct Writing<'s> {
    /// What follows FROM, line by line.
    pub from: Vec<String>,
    pub parts: Vec<Part<'s>>,
}

impl<'s> Writing<'s> {
    /// Fields that rows of several uses have in one object are added to it at once.
    fn add(&mut self, part: Part<'s>) {
        let same = |p: &&mut Part| p.is_added() && (p.output(), p.place()) == (part.output(), part.place());
        let (true, Some(known)) = (part.is_added() && part.place().is_some(), self.parts.iter_mut().find(same)) else {
            return self.parts.push(part);
        };
        known.value = format!("coalesce({}, '{{}}') || coalesce({}, '{{}}')", known.value, part.value);
        known.found = known.found.take().zip(part.found).map(|(one, other)| format!("({one} OR {other})"));
    }
}

/// What is written at one place.
pub(super) struct Part<'s> {
    change: &'s Change,
    /// Where the statement finds the value.
    value: String,
    /// Where rows of several uses are joined: whether there is one of this use for the document.
    found: Option<String>,
    /// Whether the value consists of fields that are the same in bytes where they are equal.
    is_plain: bool,
}

/// From the changed rows of one use along the way, and what restricts them. What is written is put together once per row, not once per
/// document.
fn along<'s>(context: &Context, step: &'s PatchStep) -> (Writing<'s>, String) {
    let row = context.free_alias("changed");
    let alias = context.alias(step.use_id);
    let pairing: Vec<usize> = context.plan.pairing.iter().flatten().copied().collect();
    let rows = rows(context, step, &pairing, &row);
    let table = base_table(context.program.catalog, &context.plan.table);
    let name = |c: &usize| table.columns[*c].name.sql();
    let same = joined(pairing.iter().map(|c| format!("{alias}.{0} = {row}.{0}", name(c))));
    let needs = step.patch.way.needs();
    let begins = |prefix: &Ident| needs.iter().any(|c| table.columns[*c].name.as_str().starts_with(prefix.as_str()));
    let prefix = names::free("part", begins);
    let column = |c: usize| context.column(ColumnRef { use_id: step.use_id, column: c });
    let numbered = || step.patch.changes.iter().zip(1..);
    let values = numbered().map(|(change, n)| format!("{} AS {prefix}_{n}", made(change, &column)));
    let selected: Vec<String> = needs.iter().map(|c| column(*c)).chain(values).collect();
    let mut from = vec![
        format!("unnest({}) AS {row}({})", rows.arrays, rows.columns),
        format!("CROSS JOIN LATERAL (SELECT {}", list(selected)),
        format!("                      FROM {} AS {alias} WHERE {same} OFFSET 0) AS {alias}", context.plan.table.sql()),
    ];
    from.extend(step.patch.way.joins.iter().map(|j| context.join(j)));
    let is_plain = |change: &Change| match change {
        Change::Object { fields, .. } => fields.iter().all(|(_, c)| table.columns[*c].ty.is_plain()),
        Change::Column { .. } => false,
    };
    let part = |(change, n)| {
        let value = format!("{alias}.{prefix}_{n}");
        Part { change, value, found: None, is_plain: is_plain(change) }
    };
    (Writing { from, parts: numbered().map(part).collect() }, rows.condition)
}

/// Where one use of the table is patched: a query for the keys of the documents, or of some of them, and for what is written. They come in
/// their order, in which documents are locked, and which is mostly that of the documents on disk: one page after the other is written.
pub(super) fn one_use<'s>(context: &Context, step: &'s PatchStep, keys: Option<&Keys>) -> (Vec<String>, Vec<Part<'s>>) {
    let (Writing { mut from, parts }, condition) = along(context, step);
    let relation = context.free_alias("changes");
    let ends: Vec<String> = step.patch.way.select.iter().map(|t| context.term(t)).collect();
    if let Some(keys) = keys {
        let is_end = keys.names.iter().zip(&ends).map(|(name, end)| format!("{}.{name} = {end}", keys.alias));
        from.push(format!("JOIN {} ON {}", keys.relation(), joined(is_end)));
    }
    let order = list((1..=ends.len()).map(|n| n.to_string()));
    let mut lines = subquery("", ends, &parts, &from, &condition);
    lines.push(format!("ORDER BY {order}"));
    let part = |(part, n): (Part<'s>, usize)| Part { value: format!("{relation}.value_{n}"), ..part };
    (lines, parts.into_iter().zip(1..).map(part).collect())
}

/// The names under which a subquery's columns are known outside.
pub(super) fn result_columns(keys: usize, parts: &[Part]) -> Vec<String> {
    let keys = (1..=keys).map(|n| format!("key_{n}"));
    keys.chain((1..=parts.len()).map(|n| format!("value_{n}"))).collect()
}

/// The keys at the end of a way, and the parts; `begin` is what stands before SELECT.
fn subquery(begin: &str, ends: Vec<String>, parts: &[Part], from: &[String], condition: &str) -> Vec<String> {
    let indent = " ".repeat(begin.len());
    let selected = ends.into_iter().chain(parts.iter().map(|part| part.value.clone()));
    let mut lines = vec![format!("{begin}SELECT {}", list(selected))];
    let begins = std::iter::once("FROM ").chain(std::iter::repeat(""));
    lines.extend(from.iter().zip(begins).map(|(line, begin)| format!("{indent}  {begin}{line}")));
    lines.push(format!("{indent} WHERE {condition}"));
    lines
}

/// Where several may be: a document that rows of several uses show in is written once.
pub(super) fn several_uses<'s>(context: &Context, steps: &'s [PatchStep], keys: &Keys) -> Writing<'s> {
    let why = match keys.join(context.tview) {
        FULL_JOIN => " -- full joins hash the keys, a left one may compare them all with each other",
        _ => "",
    };
    let mut all = Writing { from: vec![keys.relation() + why], parts: Vec::new() };
    for (step, number) in steps.iter().zip(1..) {
        let (Writing { from, parts }, condition) = along(context, step);
        let relation = context.free_alias(&format!("use_{number}"));
        let ends: Vec<String> = step.patch.way.select.iter().map(|t| context.term(t)).collect();
        let columns = list(result_columns(ends.len(), &parts));
        let mut lines = subquery(&format!("{} (", keys.join(context.tview)), ends, &parts, &from, &condition);
        if let Some(last) = lines.last_mut() {
            *last += &format!(") AS {relation}({columns}) ON {}", keys.are_of(&relation));
        }
        all.from.extend(lines);
        let found = format!("{relation}.key_1 IS NOT NULL");
        for (part, n) in parts.into_iter().zip(1..) {
            all.add(Part { value: format!("{relation}.value_{n}"), found: Some(found.clone()), ..part });
        }
    }
    // Outer objects before those in them: a change takes what else an object holds from the document as it was.
    all.parts.sort_by_key(|part| (part.output(), part.depth()));
    all
}

pub(super) fn joined(conditions: impl Iterator<Item = String>) -> String {
    conditions.collect::<Vec<_>>().join(" AND ")
}

/// The value of a change, of the columns of the row: what is written, or the fields that are.
fn made(change: &Change, column: &dyn Fn(usize) -> String) -> String {
    let Change::Object { path, fields, whole, .. } = change else {
        let Change::Column { column: only, .. } = change else { unreachable!() };
        return column(*only);
    };
    let fields: Vec<(&str, String)> = fields.iter().map(|(name, c)| (name.as_str(), column(*c))).collect();
    match fields.as_slice() {
        [(_, value)] if !whole && !path.is_empty() => format!("coalesce(to_jsonb({value}), 'null')"),
        _ => object(&fields),
    }
}

/// The object at a place. Where another trigger has not yet made it one, that writes all of it.
fn object_at(old: &str, at: &str) -> String {
    format!("coalesce(nullif({old} #> {at}, 'null'), '{{}}')")
}

impl Part<'_> {
    /// The output column.
    pub fn output(&self) -> usize {
        match self.change {
            Change::Column { output, .. } | Change::Object { output, .. } => *output,
        }
    }

    /// The place in the document; `None` for all of it.
    fn place(&self) -> Option<String> {
        match self.change {
            Change::Object { path, fields, whole: false, .. } if fields.len() == 1 && !path.is_empty() => {
                let field = fields.iter().map(|(name, _)| name.clone());
                Some(path_sql(&path.iter().cloned().chain(field).collect::<Vec<_>>()))
            }
            Change::Object { path, .. } if !path.is_empty() => Some(path_sql(path)),
            _ => None,
        }
    }

    /// Of the place.
    fn depth(&self) -> usize {
        match self.change {
            Change::Column { .. } => 0,
            Change::Object { path, fields, whole, .. } => {
                path.len() + usize::from(!whole && fields.len() == 1 && !path.is_empty())
            }
        }
    }

    /// Whether other fields of the object stay as they are.
    fn is_added(&self) -> bool {
        matches!(self.change, Change::Object { path, fields, whole: false, .. } if fields.len() > 1 || path.is_empty())
    }

    /// Whether it goes into the document in that column.
    pub fn is_put(&self) -> bool {
        matches!(self.change, Change::Object { .. })
    }

    /// `value`, changed here; `old` is the output column before any change.
    pub fn applied(&self, value: Put, old: &str) -> Put {
        let new = &self.value;
        match (self.change, self.place()) {
            (Change::Column { .. }, _) => value.instead(match &self.found {
                Some(found) => format!("CASE WHEN {found} THEN {new} ELSE {old} END"),
                None => new.clone(),
            }),
            (_, None) => value.add(match self.found {
                Some(_) => format!("coalesce({new}, '{{}}')"),
                None => new.clone(),
            }),
            (_, Some(at)) => {
                let new = match (self.is_added(), &self.found) {
                    (true, Some(found)) => format!("CASE WHEN {found} THEN {} || {new} END", object_at(old, &at)),
                    (true, None) => format!("{} || {new}", object_at(old, &at)),
                    (false, _) => new.clone(),
                };
                value.set(at, new)
            }
        }
    }

    /// Whether the document changes here, in bytes; of the only use.
    pub fn differs(&self, document: Put) -> String {
        let (new, old) = (&self.value, document.sql());
        let differs = |before: String, after: String| format!("record_image_ne(ROW({before}), ROW({after}))");
        match (self.change, self.place()) {
            (Change::Column { .. }, _) => differs(old, new.clone()),
            // Fields of the document itself: it need not be put together for that.
            (_, None) if self.is_plain => format!("NOT {old} @> {new}"),
            (_, None) => differs(old, document.add(new.clone()).sql()),
            (_, Some(at)) if self.is_added() => {
                let object = object_at(&old, &at);
                differs(object.clone(), format!("{object} || {new}"))
            }
            (_, Some(at)) => differs(format!("{old} #> {at}"), new.clone()),
        }
    }
}

/// A document into which something is put, as SQL.
///
/// All of it is one call, so that the document is copied once. The arguments have the very types that the functions take: no function
/// of another schema on the path can come before them.
#[derive(Debug, Clone)]
pub(super) struct Put {
    /// `tview_portable.`, or nothing where the path leads to the function.
    schema: &'static str,
    target: String,
    fields: Option<String>,
    /// Paths and values.
    values: Vec<(String, String)>,
}

/// Whether an expression calls a function that the extension has too; then its statement reads `patch_runtime`.
pub(super) fn calls_runtime(context: &Context, expression: &str) -> bool {
    let calls = ["jsonb_put(", "jsonb_change_elements(", "jsonb_change_sorted_elements("];
    !context.program.calls_own_functions && calls.iter().any(|call| expression.contains(call))
}

/// So many values one call takes.
const MAX_VALUES: usize = 3;

impl Put {
    /// This document.
    pub fn into(context: &Context, target: String) -> Put {
        let schema = if context.program.calls_own_functions { "tview_portable." } else { "" };
        Put { schema, target, fields: None, values: Vec::new() }
    }

    /// Something else in its place.
    pub fn instead(&self, target: String) -> Put {
        Put { schema: self.schema, target, fields: None, values: Vec::new() }
    }

    /// With the fields of an object added to it.
    pub fn add(self, fields: String) -> Put {
        match self {
            Put { fields: None, ref values, .. } if values.is_empty() => Put { fields: Some(fields), ..self },
            Put { fields: Some(ref more), ref values, .. } if values.is_empty() => {
                Put { fields: Some(format!("{more} || {fields}")), ..self }
            }
            done => done.instead(done.sql()).add(fields),
        }
    }

    /// With a value at a path, or as it is where the value is NULL.
    pub fn set(self, path: String, value: String) -> Put {
        let mut put = if self.values.len() < MAX_VALUES { self } else { self.instead(self.sql()) };
        put.values.push((path, value));
        put
    }

    /// The expression.
    pub fn sql(&self) -> String {
        let typed = |path: &str| if path.starts_with('\'') { format!("{path}::text[]") } else { path.to_owned() };
        let values = self.values.iter().map(|(path, value)| format!("{}, {value}", typed(path)));
        match (&self.fields, self.values.is_empty()) {
            (None, true) => self.target.clone(),
            (fields, _) => {
                let arguments = [self.target.clone()].into_iter().chain(fields.clone()).chain(values);
                format!("{}jsonb_put({})", self.schema, list(arguments))
            }
        }
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
pub(super) fn path_sql(path: &[String]) -> String {
    let plain = |step: &String| {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
        !step.is_empty() && step.chars().all(fits) && !step.eq_ignore_ascii_case("null")
    };
    if path.iter().all(plain) {
        return format!("'{{{}}}'", path.join(","));
    }
    format!("ARRAY[{}]", list(path.iter().map(|p| sql_literal(p))))
}
