//! One tview as SQL: table, locks, metadata, recompute and refresh.
//!
//! In: a [`Tview`]. Out: its filled template.

use indexmap::IndexSet;

use super::fresh::{self, ByKey};
use super::locks::regclass;
use super::patch::joined;
use super::templates::{
    self, DocumentColumn, KeyVariable, LockTable, Meta, OperationKey, OperationsSql, TviewModel, TviewSql, Write,
};
use super::{Program, base_table, list, names, one_line, part_views, way};
use crate::catalog::{Table, TypeClass};
use crate::document::{Dependency, DependencyKind};
use crate::names::{Ident, QualName, sql_literal};
use crate::plan::{Changed, ColumnSet, Tview, parts_of_key};
use crate::relate::{Pair, ValueLock, key_lock, variable_type};
use crate::resolve::UseId;

/// A key column with what SQL needs of it.
pub struct KeyColumnSql {
    /// Its name in the tview.
    pub name: Ident,
    /// `integer`.
    pub ty: String,
    /// `integer[]`.
    pub array_type: String,
    /// NULL is one of its values.
    pub nullable: bool,
    /// Whether a value is cast to be put into an array of that type.
    is_domain: bool,
}

impl KeyColumnSql {
    /// The condition that it is the same in two relations.
    pub fn equal(&self, left: &str, right: &str) -> String {
        let name = self.name.sql();
        self.equals(&format!("{left}.{name}"), &format!("{right}.{name}"))
    }

    /// The condition that two values of it are the same.
    pub fn equals(&self, left: &str, right: &str) -> String {
        match self.nullable {
            true => format!("{} = {}", self.compared(left), self.compared(right)),
            false => format!("{left} = {right}"),
        }
    }

    /// A value as it is compared. Arrays with NULL in the same place are equal to an operator that can be looked up in an index, hashed and
    /// sorted by.
    fn compared(&self, value: &str) -> String {
        match (self.nullable, self.is_domain) {
            (true, true) => format!("ARRAY[{value}::{}]", self.ty),
            (true, false) => format!("ARRAY[{value}]"),
            (false, _) => value.to_owned(),
        }
    }

    /// As a column of an index that serves these conditions.
    fn indexed(&self) -> String {
        let name = self.name.sql();
        if self.nullable { format!("({})", self.compared(&name)) } else { name }
    }
}

/// The key columns of a tview.
pub fn key_columns(tview: &Tview) -> Vec<KeyColumnSql> {
    let columns = tview.relations.key.columns.iter().map(|key| KeyColumnSql {
        name: tview.view.outputs[key.output].name.clone(),
        ty: variable_type(&key.ty),
        array_type: format!("{}[]", variable_type(&key.ty)),
        nullable: key.nullable,
        is_domain: matches!(key.ty.class, TypeClass::Domain(_)),
    });
    columns.collect()
}

/// The model of a tview, by its index, and its text.
pub fn model(program: &Program, at: usize, settings: &str) -> (TviewModel, String) {
    let tview = &program.tviews[at];
    let keys = key_columns(tview);
    let locks = lock_tables(program, tview);
    let recompute = names::recompute(program.name, &tview.name).sql();
    let refresh = names::refresh(program.name, &tview.name).sql();
    let variables: Vec<String> = (1..=keys.len()).map(|n| format!("key_{n}")).collect();
    let by_key = fresh::by_key(program, tview, &fresh::KeyNames { variables: &variables, columns: &keys });
    let parts = part_views::views(program, at);
    let narrowed_views =
        by_key.views.iter().cloned().chain(parts.views).chain(by_key.below.iter().rev().cloned()).collect();
    let sql = templates::text(&sql(program, at, &keys, &locks, settings, by_key, parts.definitions));
    let model = TviewModel {
        name: tview.name.sql(),
        name_literal: sql_literal(&tview.name.sql()),
        key_types: list(keys.iter().map(|k| k.array_type.clone())),
        narrowed_views,
        part_functions: parts.functions,
        lock_tables: locks,
        try_lock: names::try_lock(program.name, &tview.name).sql(),
        lock: names::lock(program.name, &tview.name).sql(),
        known: names::known(program.name, &tview.name).sql(),
        recompute,
        refresh,
        check: names::check(program.name, &tview.name).sql(),
        differ: names::differ(program.name, &tview.name).sql(),
        repair: names::repair(program.name, &tview.name).sql(),
    };
    (model, sql)
}

fn sql(
    program: &Program,
    at: usize,
    keys: &[KeyColumnSql],
    locks: &[LockTable],
    settings: &str,
    by_key: ByKey,
    part_views: String,
) -> TviewSql {
    let tview = &program.tviews[at];
    let numbered = |prefix: &str| (1..=keys.len()).map(|n| format!("{prefix}_{n}")).collect::<Vec<_>>();
    let (variables, absent) = (numbered("key"), numbered("absent"));
    let equal = |l: &str, r: &str| joined(keys.iter().map(|k| k.equal(l, r)));
    let qualified = |q: &str| list(keys.iter().map(|k| format!("{q}.{}", k.name.sql())));
    let first: Vec<String> = variables.iter().map(|v| format!("{v}[1]")).collect();
    let t_is_first = keys.iter().zip(&first).map(|(k, v)| k.equals(&format!("t.{}", k.name.sql()), v));
    let parameters = variables.iter().zip(keys).map(|(v, k)| format!("{v} {}", k.array_type));
    TviewSql {
        name: tview.name.sql(),
        name_literal: sql_literal(&tview.name.sql()),
        view: tview.view.name.sql(),
        view_literal: sql_literal(&tview.view.name.sql()),
        program_literal: sql_literal(program.name),
        place: one_line(&program.lines.place(tview.view.span)),
        proof: one_line(&tview.relations.key.proof),
        dependencies: tview.documents.dependencies.iter().map(|d| one_line(&describe(program, at, d))).collect(),
        key_list: list(keys.iter().map(|k| k.name.sql())),
        not_null: tview.view.documents().filter(|o| o.built).map(|o| o.name.sql()).collect(),
        documents: tview.view.documents().map(|o| set_lz4(tview, &o.name)).collect(),
        lock_tables: locks.to_vec(),
        key_lock: regclass(&names::key_lock(program.name, &tview.name).sql()),
        meta: meta(program, at, keys),
        try_lock: names::try_lock(program.name, &tview.name).sql(),
        lock: names::lock(program.name, &tview.name).sql(),
        known: names::known(program.name, &tview.name).sql(),
        known_literal: sql_literal(names::known(program.name, &tview.name).as_str()),
        recompute: names::recompute(program.name, &tview.name).sql(),
        refresh: names::refresh(program.name, &tview.name).sql(),
        check: names::check(program.name, &tview.name).sql(),
        differ: names::differ(program.name, &tview.name).sql(),
        repair: names::repair(program.name, &tview.name).sql(),
        refresh_literal: sql_literal(names::refresh(program.name, &tview.name).as_str()),
        check_literal: sql_literal(names::check(program.name, &tview.name).as_str()),
        repair_literal: sql_literal(names::repair(program.name, &tview.name).as_str()),
        settings: settings.to_owned(),
        key_parameters: list(parameters),
        key_types: list(keys.iter().map(|k| k.array_type.clone())),
        keys: absent
            .iter()
            .zip(keys)
            .map(|(a, k)| KeyVariable { absent: a.clone(), array_type: k.array_type.clone() })
            .collect(),
        key_variables: variables.join(", "),
        key_aliases: list(keys.iter().map(|k| k.name.sql())),
        first_key: variables[0].clone(),
        first_absent: absent[0].clone(),
        absent_variables: absent.join(", "),
        absent_aggregates: list(keys.iter().map(|k| format!("array_agg(k.{})", k.name.sql()))),
        lock_absent: lock_absent(program, tview, keys, &absent),
        lock_first: lock_first(program, tview, &first),
        t_keys: qualified("t"),
        null_safe: tview.relations.key.can_be_null().then(|| list(keys.iter().map(KeyColumnSql::indexed))),
        asserted: tview.relations.key.asserted,
        k_keys: qualified("k"),
        k_is_null: null_keys(tview, keys),
        key_hint: one_line(&list(keys.iter().map(|k| k.name.sql()))).replace('\'', "''"),
        view_name_literal: sql_literal(&tview.view.name.to_string()),
        lookup_indexes: lookup_indexes(tview, keys),
        of_keys: of_keys(tview, keys, &variables, equal("t", "k")),
        t_is_k: equal("t", "k"),
        t_is_first: joined(t_is_first),
        k_is_d: equal("k", "d"),
        narrowed: by_key.definitions,
        part_views,
        unordered_arrays: tview.documents.has_unordered_arrays,
        view_of_rows: by_key.rows,
        operations: templates::text(&operations(program, tview, keys, settings, &by_key.fresh)),
        fresh: by_key.fresh,
        w_is_k: equal("w", "k"),
        t_is_f: equal("t", "f"),
        write: templates::text(&write(tview, (equal("t", "f"), equal("d", "f")), false)),
        write_counted: templates::text(&write(tview, (equal("t", "f"), equal("d", "f")), true)),
    }
}

/// The documents of keys, as they are mostly locked: by arrays in parallel or, where the key is one column, by the array itself, which the
/// planner looks up in the index. Joined to the arrays it would merge a table that was small when the plan was made, and read the index
/// from end to end when that has grown. (Keys that are equal to the document's collation only are fewer documents than keys: these go
/// the way of documents that are absent, which joins.)
fn of_keys(tview: &Tview, keys: &[KeyColumnSql], variables: &[String], t_is_k: String) -> [String; 2] {
    let name = tview.name.sql();
    match keys {
        [key] if !key.nullable => {
            [format!("FROM {name} AS t"), format!("WHERE t.{} = ANY ({})", key.name.sql(), variables[0])]
        }
        _ => {
            let names = list(keys.iter().map(|k| k.name.sql()));
            [
                format!("FROM unnest({}) AS k({names})", list(variables.iter().cloned())),
                format!(" JOIN {name} AS t ON {t_is_k}"),
            ]
        }
    }
}

/// Documents are looked up by parts of their keys ([`Reach::Parts`]); the primary key serves those it begins with.
fn lookup_indexes(tview: &Tview, keys: &[KeyColumnSql]) -> Vec<String> {
    let parts = tview.relations.variants.iter().flat_map(parts_of_key);
    let parts: std::collections::BTreeSet<Vec<usize>> =
        parts.filter(|part| part.iter().enumerate().any(|(at, key)| at != *key)).collect();
    parts.into_iter().map(|part| list(part.iter().map(|k| keys[*k].indexed()))).collect()
}

/// The functions that compare with the view, and mend by key.
fn operations<'a>(
    program: &Program,
    tview: &Tview,
    keys: &[KeyColumnSql],
    settings: &'a str,
    fresh: &'a str,
) -> OperationsSql<'a> {
    let key = |(n, key): (usize, &KeyColumnSql)| OperationKey {
        name: key.name.sql(),
        literal: sql_literal(key.name.as_str()),
        variable: format!("key_{}", n + 1),
        array_type: key.array_type.clone(),
        element_type: key.array_type.trim_end_matches("[]").to_owned(),
    };
    OperationsSql {
        name: tview.name.sql(),
        view: tview.view.name.sql(),
        there: keys.iter().all(|k| k.nullable).then(|| names::free("there", |name| is_output(tview, name)).sql()),
        t_is_k: joined(keys.iter().map(|k| k.equal("t", "k"))),
        t_is_v: joined(keys.iter().map(|k| k.equal("t", "v"))),
        present: present(keys),
        fresh,
        settings,
        check: names::check(program.name, &tview.name).sql(),
        differ: names::differ(program.name, &tview.name).sql(),
        repair: names::repair(program.name, &tview.name).sql(),
        lock: names::lock(program.name, &tview.name).sql(),
        recompute: names::recompute(program.name, &tview.name).sql(),
        first: keys.iter().find(|k| !k.nullable).map(|k| k.name.sql()).unwrap_or_default(),
        keys: keys.iter().enumerate().map(key).collect(),
        columns: tview.view.outputs.iter().map(|o| o.name.sql()).collect(),
        unordered_arrays: tview.documents.has_unordered_arrays,
    }
}

/// The condition that a key `k` is NULL nowhere but where a key may be; empty where it may be everywhere.
pub fn present(keys: &[KeyColumnSql]) -> String {
    joined(keys.iter().filter(|k| !k.nullable).map(|k| format!("k.{} IS NOT NULL", k.name.sql())))
}

fn is_output(tview: &Tview, name: &Ident) -> bool {
    tview.view.outputs.iter().any(|o| &o.name == name)
}

fn write(tview: &Tview, (t_is_f, d_is_f): (String, String), counted: bool) -> Write {
    let columns = || tview.view.outputs.iter().map(|o| o.name.sql());
    Write {
        name: tview.name.sql(),
        columns: list(columns()),
        assignments: list(columns().map(|c| format!("{c} = f.{c}"))),
        t_columns: list(columns().map(|c| format!("t.{c}"))),
        f_columns: list(columns().map(|c| format!("f.{c}"))),
        t_is_f,
        d_is_f,
        counted,
    }
}

/// The table that stands for the keys, as a literal, and how one of them is locked.
fn lock_of_keys(program: &Program, tview: &Tview) -> (String, ValueLock) {
    let first = &tview.relations.variants[0];
    let how = key_lock(&first.view, program.catalog, &tview.relations.key, &first.key);
    (regclass(&names::key_lock(program.name, &tview.name).sql()), how)
}

/// Locks the only key, which has no document.
fn lock_first(program: &Program, tview: &Tview, values: &[String]) -> String {
    let (lock, how) = lock_of_keys(program, tview);
    match how {
        ValueLock::Values(casts) => {
            format!("PERFORM tview.lock_values({lock}, ARRAY[{}], NULL);", way::hash(values, &casts))
        }
        ValueLock::Relation(reason) => {
            format!("-- As a whole: {}.\n            PERFORM tview.lock_link({lock}, true, false);", one_line(&reason))
        }
    }
}

/// Locks the keys that have no document.
fn lock_absent(program: &Program, tview: &Tview, keys: &[KeyColumnSql], absent: &[String]) -> String {
    let (lock, how) = lock_of_keys(program, tview);
    match how {
        ValueLock::Values(casts) => {
            let values: Vec<String> = keys.iter().map(|k| format!("k.{}", k.name.sql())).collect();
            let aliases = list(keys.iter().map(|k| k.name.sql()));
            let hash = way::hash(&values, &casts);
            format!(
                "IF {} IS NOT NULL THEN\n        PERFORM tview.lock_values({lock},\n            \
                 exclusive => ARRAY(SELECT DISTINCT {hash} FROM unnest({}) AS k({aliases})),\n            \
                 shared => NULL);\n    END IF;",
                absent[0],
                absent.join(", "),
            )
        }
        ValueLock::Relation(reason) => format!(
            "-- As a whole: {}.\n    PERFORM tview.lock_link({lock}, {} IS NOT NULL, false);",
            one_line(&reason),
            absent[0],
        ),
    }
}

/// The empty tables that stand for this tview's links and for its keys.
fn lock_tables(program: &Program, tview: &Tview) -> Vec<LockTable> {
    let key = names::key_lock(program.name, &tview.name).sql();
    let comment = format!("keys of {} that have no document", tview.name);
    let mut tables = vec![LockTable { name: key, comment: sql_literal(&comment) }];
    for link in tview.relations.locked_links() {
        let on: Vec<String> = link.on.iter().map(|p| pair_text(program, tview, p)).collect();
        tables.push(LockTable {
            name: names::link_lock(program.name, tview, link.child, link.number).sql(),
            comment: sql_literal(&format!("{}: {}", tview.name, on.join(" AND "))),
        });
    }
    tables
}

/// A pair of a link for people.
fn pair_text(program: &Program, tview: &Tview, pair: &Pair) -> String {
    pair.text(&|c| {
        let owner = tview.view.use_of(c);
        format!("{}.{}", owner.alias, base_table(program.catalog, &owner.table).columns[c.column].name)
    })
}

fn set_lz4(tview: &Tview, column: &Ident) -> DocumentColumn {
    let command = format!("ALTER TABLE {} ALTER COLUMN {} SET COMPRESSION lz4", tview.name.sql(), column.sql());
    DocumentColumn { set_lz4: sql_literal(&command) }
}

/// `nested_object author.x of bench_authors (a) by author_id`, for the header comment.
fn describe(program: &Program, at: usize, dependency: &Dependency) -> String {
    let tview = &program.tviews[at];
    let owner = &tview.view.uses[dependency.use_id.0];
    let table = base_table(program.catalog, &owner.table);
    let reads = tview.documents.reads.get(&dependency.use_id).into_iter().flatten();
    let reads: Vec<&str> = reads.map(|c| table.columns[*c].name.as_str()).collect();
    let place = match dependency.path.as_slice() {
        [] => format!("all of {}", dependency.column),
        path => format!("{}.{}", dependency.column, path.join(".")),
    };
    let fk = match dependency.fk_columns.as_slice() {
        [] => String::new(),
        columns => format!(" by {}", columns.join(", ")),
    };
    let key = dependency.match_key.as_ref().map(|k| format!(", matched by {}", k.field)).unwrap_or_default();
    let how = how(program, at, dependency.use_id, table);
    format!(
        "{} {place}: {} as {}{fk}{key}, reads {}; {how}",
        dependency.kind.as_str(),
        owner.table.name,
        owner.alias,
        reads.join(", ")
    )
}

/// The condition that a row has NULL in its key, where the key is asserted of columns that no row can tell.
fn null_keys(tview: &Tview, keys: &[KeyColumnSql]) -> String {
    let told = tview.relations.variants.iter().all(|v| !v.key.is_empty());
    let is_null = keys.iter().map(|k| format!("k.{} IS NULL", k.name.sql()));
    if told { String::new() } else { is_null.collect::<Vec<_>>().join(" OR ") }
}

/// What happens where a row of a use changes.
fn how(program: &Program, at: usize, use_id: UseId, table: &Table) -> String {
    let tview = &program.tviews[at];
    let handling = program.decisions.of_use(at, use_id);
    let names = |columns: &ColumnSet| list(columns.iter().map(|c| table.columns[*c].name.to_string()));
    let patch = handling.patch.map(|patch| format!("patch of {} ({})", names(&patch.columns), patch.proof));
    let parts = handling.parts.iter().map(|part| change(&program.decisions.changed(at, tview, part)));
    let all: Vec<String> = patch.into_iter().chain(parts).collect();
    match (all.is_empty(), handling.missing) {
        (true, missing) => format!("key recompute ({})", missing.unwrap_or_default()),
        (false, _) => all.join("; "),
    }
}

/// A place in the documents: the output column, and the fields below it.
pub fn place(column: &str, path: &[String]) -> String {
    if path.is_empty() { column.to_owned() } else { format!("{column}.{}", flat_path(path)) }
}

/// What a write changes by itself, in words.
pub fn change(changed: &Changed) -> String {
    let path = flat_path(&changed.path);
    match changed.match_key {
        Some(key) => format!("array patch of {path} by {key}{}", within(changed)),
        None => format!("path recompute of {path}"),
    }
}

/// The match keys of the elements around an array, in words, from the inside out.
pub fn within(changed: &Changed) -> String {
    changed.within.iter().rev().map(|key| format!(" within {key}")).collect()
}

/// A path as text: dots between the levels; a dot or backslash within a name is escaped by a backslash.
pub fn flat_path(path: &[String]) -> String {
    path.iter().map(|p| p.replace('\\', "\\\\").replace('.', "\\.")).collect::<Vec<_>>().join(".")
}

fn meta(program: &Program, at: usize, keys: &[KeyColumnSql]) -> Meta {
    let tview = &program.tviews[at];
    let all = &tview.documents.dependencies;
    let optional = |text: Option<String>| text.map_or("NULL".to_owned(), |t| sql_literal(&t));
    let fk = |d: &Dependency| match d.kind {
        DependencyKind::Array => None,
        _ => (!d.fk_columns.is_empty()).then(|| d.fk_columns.join(",")),
    };
    let source = |d: &Dependency| {
        let name = &tview.view.uses[d.use_id.0].table;
        match tview.view.search_path.first() == Some(&name.schema) {
            true => name.name.sql(),
            false => name.sql(),
        }
    };
    let tables: IndexSet<&QualName> = tview.view.uses.iter().map(|u| &u.table).collect();
    Meta {
        key_columns: list(keys.iter().map(|k| sql_literal(k.name.as_str()))),
        sources: list(all.iter().map(|d| sql_literal(&source(d)))),
        fk_columns: list(all.iter().map(|d| optional(fk(d)))),
        types: list(all.iter().map(|d| sql_literal(d.kind.as_str()))),
        paths: list(all.iter().map(|d| sql_literal(&flat_path(&d.path)))),
        match_keys: list(all.iter().map(|d| optional(d.match_key.as_ref().map(|k| k.field.clone())))),
        columns: list(all.iter().map(|d| sql_literal(&d.column))),
        source_oids: list(tables.into_iter().map(|t| sql_literal(&t.sql()))),
        strategies: list(all.iter().map(|d| sql_literal(program.decisions.of_use(at, d.use_id).strategy()))),
    }
}
