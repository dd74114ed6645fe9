//! Emit: from the plan to SQL files.
//!
//! In: a [`Program`]. Out: the migration and its reverse, as text. This is the only place where SQL is
//! put together; the shapes are in `templates/`, the names come from `names`, quoting from
//! [`crate::names`]. The same program gives the same bytes.

mod attempt;
mod elements;
mod fresh;
mod locks;
mod names;
mod narrow;
mod part_views;
mod parts;
mod patch;
mod reached;
mod table;
mod templates;
mod tview;
mod way;

use std::collections::HashMap;

use indexmap::IndexSet;

use crate::catalog::{Catalog, Relation, Table, TypeClass, View};
use crate::names::{Ident, QualName, sql_literal};
use crate::plan::{Decisions, TablePlan, Tview, TviewParts};
use crate::source::{Lines, Sources};
use crate::syntax::Statement;
pub use names::object_names;
pub use narrow::{Given, computed_whole};
pub use tview::{change, flat_path, place, within};

/// Everything that the emitter needs.
pub struct Program<'a> {
    /// Its name; a plain identifier.
    pub name: &'a str,
    /// Hash of sources and options.
    pub hash: &'a str,
    /// The input.
    pub sources: &'a Sources,
    /// Where its lines begin.
    pub lines: &'a Lines<'a>,
    /// Its statements.
    pub statements: &'a [Statement],
    /// What they declare.
    pub catalog: &'a Catalog,
    /// In topological order.
    pub tviews: &'a [Tview],
    /// By their views: their places.
    pub by_view: &'a HashMap<&'a QualName, usize>,
    /// One per base table.
    pub tables: &'a [TablePlan],
    /// For each tview, what of its documents is computed by itself.
    pub parts: &'a [TviewParts],
    /// What they do with each use.
    pub decisions: &'a Decisions<'a>,
    /// Whether views call users' functions. What these call by bare names is looked for along the path of ours: nothing may be
    /// on it that they do not expect, and so what patches is called with its schema, and is the portable runtime's.
    pub calls_own_functions: bool,
}

/// The files.
pub struct Files {
    /// The migration.
    pub up: String,
    /// Its reverse.
    pub down: String,
}

/// Renders the migration and its reverse.
pub fn emit(program: &Program) -> Files {
    let (patching, settings) = (settings(program, true), settings(program, false));
    let settings_of = |patches: bool| if patches { patching.as_str() } else { settings.as_str() };
    // Most of the text, and of the memory: none of it is held twice.
    let mut text = String::new();
    let mut add = |part: &str| ["\n", part, "\n"].iter().for_each(|s| text.push_str(s));
    let mut tviews = Vec::with_capacity(program.tviews.len());
    for at in 0..program.tviews.len() {
        let (model, sql) = tview::model(program, at, &settings);
        add(&sql);
        tviews.push(model);
    }
    let mut tables = Vec::with_capacity(program.tables.len());
    for table in program.tables {
        let (model, sql) = table::model(program, table, &settings_of);
        add(&sql);
        tables.push(model);
    }
    let search_path = search_path(program);
    let views = views(program, &search_path);
    let source_names: Vec<&str> = program.sources.files.iter().map(|f| f.name.as_str()).collect();
    let mut lock_list: Vec<&str> = tables.iter().map(|t| t.name.as_str()).collect();
    lock_list.sort_unstable();
    let up = templates::Up {
        version: env!("CARGO_PKG_VERSION"),
        version_literal: sql_literal(env!("CARGO_PKG_VERSION")),
        sources: one_line(&source_names.join(", ")),
        source_literals: list(source_names.iter().map(|n| sql_literal(n))),
        program: program.name,
        program_literal: sql_literal(program.name),
        hash: program.hash,
        hash_literal: sql_literal(program.hash),
        summary: summary(program),
        search_path: &search_path,
        runtime: templates::text(&templates::Runtime {}),
        lock_list: lock_list.join(", "),
        views: &views,
        tviews: &tviews,
        tables: &tables,
    };
    let down = templates::Down {
        version: env!("CARGO_PKG_VERSION"),
        sources: one_line(&source_names.join(", ")),
        program: program.name,
        program_literal: sql_literal(program.name),
        hash: program.hash,
        hash_literal: sql_literal(program.hash),
        search_path: &search_path,
        views_reversed: views.iter().rev().collect(),
        tviews: &tviews,
        tables: &tables,
        partitions: tables.iter().any(|t| t.partitioned),
        move_trigger: names::trigger(program.name, "move").sql(),
        begin_literal: sql_literal(names::trigger(program.name, "begin").as_str()),
    };
    text.insert_str(0, &templates::text(&up));
    text.push_str(&templates::text(&templates::Documents { tviews: &tviews }));
    Files { up: file(text), down: file(templates::text(&down)) }
}

/// Ends a text with one line break, in place: it may be most of the memory that there is.
fn file(mut text: String) -> String {
    text.truncate(text.trim_end_matches('\n').len());
    text.push('\n');
    text
}

/// Text for a comment line: a line break in it would end the comment.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The lines of an SQL text: a line that ends within quotes goes on, so that what indents them changes no name and no literal.
fn lines(text: &str) -> Vec<&str> {
    let mut quote = None;
    let ends = |c: char| {
        match quote {
            None if matches!(c, '\'' | '"') => quote = Some(c),
            Some(open) if open == c => quote = None,
            _ => {}
        }
        c == '\n' && quote.is_none()
    };
    text.split(ends).collect()
}

/// The condition that two values are the same, where NULL is one as well. No index serves IS NOT DISTINCT FROM.
fn equal_or_null(left: &str, right: &str) -> String {
    format!("({left} = {right} OR {left} IS NULL AND {right} IS NULL)")
}

pub(crate) fn list(items: impl IntoIterator<Item = String>) -> String {
    items.into_iter().collect::<Vec<_>>().join(", ")
}

fn summary(program: &Program) -> String {
    let names: Vec<String> = program.tviews.iter().map(|t| t.name.to_string()).collect();
    let tables: Vec<String> = program.tables.iter().map(|t| t.table.to_string()).collect();
    one_line(&format!("Keeps {} equal to their views after any write to {}.", names.join(", "), tables.join(", ")))
}

/// The base table of a name.
pub(crate) fn base_table<'c>(catalog: &'c Catalog, name: &QualName) -> &'c Table {
    match &catalog.relations[name] {
        Relation::Table(table) => table,
        _ => unreachable!("plans are made for base tables"),
    }
}

/// The schemas of the views and of what they read, in order of first mention.
fn schemas(program: &Program) -> IndexSet<Ident> {
    let paths = program.tviews.iter().flat_map(|t| t.view.search_path.iter().cloned());
    let named = program.tables.iter().map(|t| t.table.schema.clone());
    paths.chain(named).collect()
}

fn search_path(program: &Program) -> String {
    let first = program.tviews.first().map(|t| t.view.search_path.clone()).unwrap_or_default();
    path_sql(&first)
}

fn path_sql(path: &[Ident]) -> String {
    match path {
        [] => "pg_catalog".into(),
        some => list(some.iter().map(Ident::sql)),
    }
}

/// Whether a type's operators may live outside pg_catalog.
fn is_foreign(class: &TypeClass) -> bool {
    match class {
        TypeClass::Unknown | TypeClass::Composite | TypeClass::Range => true,
        TypeClass::Domain(base) => is_foreign(&base.class),
        TypeClass::Builtin | TypeClass::Enum => false,
    }
}

/// Where functions that patch look for what changes documents: the extension's, or else the portable ones.
const PATCH_SCHEMAS: [&str; 2] = ["tview_native", "tview_portable"];

/// The SET clauses of generated functions. Documents are rendered under these, whatever the
/// session's settings are; that is what "equal to the view" means.
fn settings(program: &Program, patches: bool) -> String {
    let own_types = program.tables.iter().any(|plan| {
        let table = base_table(program.catalog, &plan.table);
        let compared = plan.carried.iter().chain(plan.pairing.iter().flatten());
        compared.map(|c| &table.columns[*c].ty.class).any(is_foreign)
    });
    let own_functions = program.calls_own_functions || program.tviews.iter().any(|t| t.relations.has_formulas());
    // Names are qualified, so that the path matters for operators of extension types and for what
    // users' functions call; without those it holds nothing that others could put things into. The patch functions come before
    // what others could make a function of the same name in.
    let mut path = vec!["pg_catalog".to_owned()];
    if patches {
        path.extend(PATCH_SCHEMAS.map(str::to_owned));
    }
    if own_types || own_functions {
        path.extend(schemas(program).iter().map(Ident::sql));
    }
    path.push("pg_temp".into());
    let path = list(path);
    let mut lines = vec![
        format!("SET search_path = {path}"),
        "SET row_security = off".into(),
        "SET \"TimeZone\" = 'UTC'".into(),
        "SET \"DateStyle\" = 'ISO, MDY'".into(),
        "SET \"IntervalStyle\" = 'postgres'".into(),
        "SET extra_float_digits = 1".into(),
        "SET bytea_output = 'hex'".into(),
    ];
    if needs_locale(program) {
        let more = [
            "lc_monetary = 'C'",
            "lc_numeric = 'C'",
            "lc_time = 'C'",
            "xmlbinary = 'base64'",
            "quote_all_identifiers = off",
        ];
        lines.extend(more.iter().map(|s| format!("SET {s}")));
    }
    lines.join("\n")
}

fn needs_locale(program: &Program) -> bool {
    let by_type = program.tables.iter().any(|plan| {
        let table = base_table(program.catalog, &plan.table);
        plan.reads.iter().any(|c| matches!(table.columns[*c].ty.base.as_str(), "money" | "xml"))
    });
    by_type || program.tviews.iter().any(|t| t.view.needs_locale || t.view.calls_user_functions)
}

/// The views that the program's tviews need, in the order of the file.
fn views(program: &Program, script_path: &str) -> Vec<templates::ViewModel> {
    let needed: IndexSet<&QualName> =
        program.tviews.iter().flat_map(|t| t.view.reads_views.iter().chain([&t.view.name])).collect();
    let mut views: Vec<&View> = needed
        .iter()
        .filter_map(|name| match program.catalog.relations.get(*name) {
            Some(Relation::View(view)) if !view.context_only => Some(view),
            _ => None,
        })
        .collect();
    views.sort_by_key(|v| v.statement);
    views.into_iter().map(|view| view_model(program, view, script_path)).collect()
}

/// CREATE OR REPLACE VIEW in the user's own words.
fn view_text(program: &Program, view: &View) -> String {
    if view.is_definition {
        let columns = list(view.column_aliases.iter().map(Ident::sql));
        let columns = if columns.is_empty() { columns } else { format!(" ({columns})") };
        let query = program.sources.text(view.query_span);
        return format!("CREATE OR REPLACE VIEW {}{columns} AS\n{query}", view.name.sql());
    }
    let statement = &program.statements[view.statement];
    // CREATE [OR REPLACE] VIEW …: everything from VIEW on is the user's own text.
    let is_view = |token: &sqlparser::tokenizer::Token| token.to_string().eq_ignore_ascii_case("view");
    let start = statement.tokens.iter().find(|(t, _)| is_view(t)).map_or(statement.span.start, |(_, s)| s.start);
    format!("CREATE OR REPLACE {}", &program.sources.file(statement.span.file).text[start..statement.span.end])
}

fn view_model(program: &Program, view: &View, script_path: &str) -> templates::ViewModel {
    let search_path = path_sql(&view.search_path);
    templates::ViewModel {
        place: one_line(&program.lines.place(view.span)),
        name: view.name.sql(),
        name_literal: sql_literal(&view.name.sql()),
        text: view_text(program, view),
        is_definition: view.is_definition,
        path_differs: search_path != script_path,
        search_path,
    }
}
