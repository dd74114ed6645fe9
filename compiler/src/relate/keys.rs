//! The key of a view: output columns that identify its rows.
//!
//! In: a resolved view. Out: its [`ViewKey`], or the diagnostic that says what is missing. A key is
//! proved from declared keys by functional dependencies; the `key(…)` directive asserts one
//! instead, and the tview's primary key then enforces it.

use std::collections::{BTreeMap, BTreeSet};

use super::closure::{Equals, ViewRows, key_columns, nullable_in_row, table, uses_of};
use super::locks::is_scalar;
use crate::catalog::Catalog;
use crate::diagnostics::{Code, Diagnostic};
use crate::names::Ident;
use crate::resolve::{ColumnRef, Expr, FlatView, Rows, TOP, UseId};

/// One column of a view's key.
#[derive(Clone, Debug)]
pub struct KeyColumn {
    /// Index into the view's outputs.
    pub output: usize,
    /// The base column that it shows.
    pub column: ColumnRef,
}

/// The key of a view.
#[derive(Clone, Debug)]
pub struct ViewKey {
    /// In key order.
    pub columns: Vec<KeyColumn>,
    /// The use that carries all of them.
    pub holder: UseId,
    /// The holder's columns that equal the key columns, in key order.
    pub holder_columns: Vec<ColumnRef>,
    /// What the proof rests on, for people.
    pub proof: String,
}

type Refusal = Box<Diagnostic>;

/// The key of a view.
pub fn infer(view: &FlatView, catalog: &Catalog) -> Result<ViewKey, Refusal> {
    if let Some(directive) = view.directive("key") {
        let names: Vec<Ident> = directive.arguments.iter().map(Ident::new).collect();
        return asserted(view, catalog, &names, directive.span);
    }
    let rows = ViewRows::new(view, catalog);
    let shown = Shown::new(view, catalog);
    let mut unselected = None;
    for candidate in candidates(view, catalog, &rows) {
        match shown.select(&candidate) {
            Some(outputs) => {
                let columns = outputs.into_iter().map(|(output, column)| KeyColumn { output, column }).collect();
                return finish(view, catalog, &shown.equals, columns, describe(view, catalog, &candidate));
            }
            None => unselected = unselected.or(Some(candidate)),
        }
    }
    Err(missing(view, catalog, unselected.as_ref()))
}

/// Sets of columns that identify the rows, the best first: the groups, or a key of one table, else keys of
/// several, which are looked for only where nothing simpler is selected.
fn candidates<'c>(
    view: &'c FlatView,
    catalog: &'c Catalog,
    rows: &'c ViewRows<'c>,
) -> Box<dyn Iterator<Item = Vec<ColumnRef>> + 'c> {
    if let Some(keys) = &view.blocks[TOP.0].grouped {
        let mut columns: Vec<ColumnRef> = keys.iter().filter_map(Expr::as_column).collect();
        minimize(rows, &mut columns);
        return Box::new(Some(columns).filter(|c| rows.determined_by(c)).into_iter());
    }
    let keyed = keyed_relations(view, catalog);
    let single: Vec<_> = keyed.iter().flatten().filter(|k| rows.determined_by(k)).cloned().collect();
    Box::new(single.into_iter().chain(std::iter::once_with(move || composed(&keyed, rows)).flatten()))
}

/// From how many relations a key of several is put together, one after the other. Where it is selected at all, it is
/// nearly always found from the first one.
const MAX_STARTS: usize = 64;

/// Keys put together from those of several relations.
fn composed(keyed: &[Vec<Vec<ColumnRef>>], rows: &ViewRows<'_>) -> Vec<Vec<ColumnRef>> {
    let mut all: Vec<Vec<ColumnRef>> = Vec::new();
    let mut seen: BTreeSet<BTreeSet<ColumnRef>> = BTreeSet::new();
    for (at, start) in keyed.iter().enumerate().take(MAX_STARTS) {
        for first in start {
            let mut columns = first.clone();
            let mut known = rows.known(first);
            for (_, other) in keyed.iter().enumerate().filter(|(n, _)| *n != at) {
                let open = other.iter().all(|k| !k.iter().all(|c| known.contains(c)));
                if let Some(key) = other.first().filter(|_| open) {
                    columns.extend(key);
                    known.give(key);
                }
            }
            if !seen.insert(columns.iter().copied().collect()) {
                continue;
            }
            minimize(rows, &mut columns);
            if rows.determined_by(&columns) && !all.contains(&columns) {
                all.push(columns);
            }
        }
    }
    all
}

/// The keys of everything in the FROM clause that no outer join makes NULL, one list per relation.
fn keyed_relations(view: &FlatView, catalog: &Catalog) -> Vec<Vec<Vec<ColumnRef>>> {
    let solid = uses_of(view, TOP).filter(|u| !view.uses[u.0].nullable);
    let keys_of = |u: UseId| {
        let mut keys: Vec<_> = table(catalog, &view.uses[u.0].table).keys.iter().filter(|k| k.not_null).collect();
        keys.sort_by_key(|k| !k.primary);
        keys.into_iter().map(|k| key_columns(u, k)).collect::<Vec<_>>()
    };
    let groups = view.derived.iter().filter(|d| d.block == TOP && d.rows == Rows::Groups).filter_map(|d| {
        let keys = view.blocks[d.inner?.0].grouped.as_ref()?;
        let columns: Vec<ColumnRef> = keys.iter().map(Expr::as_column).collect::<Option<_>>()?;
        columns.iter().all(|c| !view.use_of(*c).nullable).then(|| vec![columns])
    });
    solid.map(keys_of).chain(groups).collect()
}

/// Drops the columns that follow from the others.
fn minimize(rows: &ViewRows<'_>, columns: &mut Vec<ColumnRef>) {
    let mut at = 0;
    while at < columns.len() {
        let mut rest = columns.clone();
        rest.remove(at);
        if !rest.is_empty() && rows.determined_by(&rest) {
            *columns = rest;
        } else {
            at += 1;
        }
    }
}

/// What the outputs show.
struct Shown {
    equals: Equals,
    /// The first output that is nothing but this column.
    outputs: BTreeMap<ColumnRef, usize>,
}

impl Shown {
    fn new(view: &FlatView, catalog: &Catalog) -> Self {
        let mut outputs = BTreeMap::new();
        for (index, output) in view.outputs.iter().enumerate() {
            if let Some(column) = output.expr.as_column() {
                outputs.entry(column).or_insert(index);
            }
        }
        Shown { equals: Equals::new(view, catalog), outputs }
    }

    /// The outputs that show the columns of a candidate, or equals of theirs.
    fn select(&self, candidate: &[ColumnRef]) -> Option<Vec<(usize, ColumnRef)>> {
        let output = |c: ColumnRef| self.outputs.get(&c).map(|output| (*output, c));
        candidate.iter().map(|column| self.equals.class(*column).into_iter().find_map(output)).collect()
    }
}

fn finish(
    view: &FlatView,
    catalog: &Catalog,
    equals: &Equals,
    columns: Vec<KeyColumn>,
    proof: String,
) -> Result<ViewKey, Refusal> {
    let ty = |k: &KeyColumn| &table(catalog, &view.use_of(k.column).table).columns[k.column.column].ty;
    if let Some(array) = columns.iter().find(|k| !is_scalar(ty(k))) {
        let output = &view.outputs[array.output];
        let title = format!("key column `{}` is an array or a row", output.name);
        return Err(Box::new(Diagnostic::new(Code::UnsupportedKey, title, output.expr.span)));
    }
    if let Some(nullable) = columns.iter().find(|k| nullable_in_row(view, catalog, k.column)) {
        let output = &view.outputs[nullable.output];
        let title = format!("key column `{}` of `{}` can be NULL", output.name, view.name.name);
        return Err(Box::new(
            Diagnostic::new(Code::MissingKey, title, output.expr.span)
                .note("a document is found by its key, and NULL finds nothing")
                .help("declare the column NOT NULL, or leave such rows out: `WHERE … IS NOT NULL`"),
        ));
    }
    let classes: Vec<Vec<ColumnRef>> = columns.iter().map(|k| equals.class(k.column)).collect();
    let held = |u: UseId| -> Option<Vec<ColumnRef>> {
        classes.iter().map(|class| class.iter().copied().find(|c| c.use_id == u)).collect()
    };
    let preferred = columns.iter().map(|k| k.column.use_id);
    let holder = preferred.chain((0..view.uses.len()).map(UseId)).find_map(|u| held(u).map(|columns| (u, columns)));
    match holder {
        Some((holder, holder_columns)) => Ok(ViewKey { columns, holder, holder_columns, proof }),
        None => Err(Box::new(
            Diagnostic::new(
                Code::UnsupportedKey,
                format!("no table of `{}` holds its whole key", view.name.name),
                view.span,
            )
            .note(format!("the key is ({}), {proof}", names(view, &columns)))
            .note("a key put together from rows of several tables is not supported yet"),
        )),
    }
}

fn asserted(
    view: &FlatView,
    catalog: &Catalog,
    names: &[Ident],
    span: crate::source::Span,
) -> Result<ViewKey, Refusal> {
    let mut columns = Vec::new();
    for name in names {
        let output = view.outputs.iter().position(|o| &o.name == name);
        let Some(output) = output else {
            let title = format!("`key` names `{name}`, which `{}` does not select", view.name.name);
            return Err(Box::new(Diagnostic::new(Code::MissingKey, title, span)));
        };
        let Some(column) = view.outputs[output].expr.as_column() else {
            let title = format!("key column `{name}` is computed");
            let diagnostic = Diagnostic::new(Code::UnsupportedKey, title, view.outputs[output].expr.span);
            return Err(Box::new(diagnostic.note("only a plain column can be a key in this version")));
        };
        if view.use_of(column).nullable || !view.is_stable(view.use_of(column).block, TOP) {
            let title = format!("key column `{name}` can be NULL");
            let diagnostic = Diagnostic::new(Code::MissingKey, title, view.outputs[output].expr.span);
            return Err(Box::new(diagnostic.note("it comes from the nullable side of an outer join")));
        }
        columns.push(KeyColumn { output, column });
    }
    if columns.is_empty() {
        return Err(Box::new(Diagnostic::new(Code::MissingKey, "`key` needs a column", span)));
    }
    finish(view, catalog, &Equals::new(view, catalog), columns, "asserted by a directive".into())
}

fn names(view: &FlatView, columns: &[KeyColumn]) -> String {
    columns.iter().map(|k| view.outputs[k.output].name.to_string()).collect::<Vec<_>>().join(", ")
}

/// `key of bench_posts (id)`.
fn describe(view: &FlatView, catalog: &Catalog, columns: &[ColumnRef]) -> String {
    let mut parts: Vec<String> = Vec::new();
    for use_id in columns.iter().map(|c| c.use_id).collect::<BTreeSet<_>>() {
        let table = table(catalog, &view.uses[use_id.0].table);
        let own = columns.iter().filter(|c| c.use_id == use_id);
        let list: Vec<&str> = own.map(|c| table.columns[c.column].name.as_str()).collect();
        parts.push(format!("key of {} ({})", table.name.name, list.join(", ")));
    }
    parts.join(" and ")
}

fn missing(view: &FlatView, catalog: &Catalog, unselected: Option<&Vec<ColumnRef>>) -> Refusal {
    let title = format!("no key of view `{}` can be found", view.name.name);
    let diagnostic = Diagnostic::new(Code::MissingKey, title, view.span)
        .label("its rows must be identified by columns beside the document");
    let diagnostic = match unselected {
        Some(columns) => {
            let list: Vec<String> = columns
                .iter()
                .map(|c| {
                    let owner = view.use_of(*c);
                    format!("{}.{}", owner.alias, table(catalog, &owner.table).columns[c.column].name)
                })
                .collect();
            diagnostic
                .note(format!("{} identifies a row but is not selected", list.join(", ")))
                .help(format!("add `{}` to the select list", list.join(", ")))
        }
        None => explain_open(view, catalog, diagnostic),
    };
    Box::new(diagnostic.help("or write `-- tviewc: key(column, …)` or `-- tviewc: skip` on the line above the view"))
}

/// Names the tables whose rows nothing identifies.
fn explain_open(view: &FlatView, catalog: &Catalog, mut diagnostic: Diagnostic) -> Diagnostic {
    for use_id in uses_of(view, TOP) {
        let owner = &view.uses[use_id.0];
        let declared = table(catalog, &owner.table);
        let usable = declared.keys.iter().any(|k| k.not_null);
        if !usable {
            diagnostic =
                diagnostic.also(owner.span, format!("`{}` has no key that holds at every moment", declared.name.name));
            for weak in &declared.weak_keys {
                diagnostic = diagnostic.also(weak.span, format!("this one proves nothing: {}", weak.reason));
            }
        } else if owner.nullable {
            diagnostic = diagnostic.also(owner.span, "can multiply rows, and its key is NULL where nothing matches");
        }
    }
    diagnostic
}
