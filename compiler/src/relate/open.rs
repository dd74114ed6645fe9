//! Messages about keys: what is missing for one, and why a column of one can be NULL.
//!
//! In: a view, and the terms that identify its rows but are not selected, or that may be NULL. Out: diagnostics that name the
//! place, the reason and the way out.

use std::collections::BTreeSet;

use super::closure::{ViewRows, columns_of, nullable_in_row, uses_of};
use super::keys::{MAX_KEY_COLUMNS, Shown, unites_rows};
use crate::catalog::restrictions::Restriction;
use crate::catalog::{Catalog, Key};
use crate::diagnostics::{Code, Diagnostic};
use crate::resolve::{
    BlockId, ColumnRef, Expr, ExprKind, Fact, FlatView, Formula, Output, ROWS_OF_FUNCTION, TOP, Term, UseId,
};

type Refusal = Box<Diagnostic>;

/// `p.id` or the text of a formula.
pub(super) fn show(view: &FlatView, catalog: &Catalog, term: &Term) -> String {
    let column = |c: ColumnRef| {
        let owner = view.use_of(c);
        format!("{}.{}", owner.alias.sql(), catalog.table(&owner.table).columns[c.column].name.sql())
    };
    match term {
        // The functions have names of their own in what is generated.
        Term::Formula(formula) if !formula.calls.is_empty() => {
            let text = term.text(&column);
            let mut parts = text.split(ROWS_OF_FUNCTION);
            let first = parts.next().unwrap_or_default();
            let of_number = |part: &str| part.split_once('.').map_or(part.to_owned(), |(_, name)| name.to_owned());
            parts.fold(first.to_owned(), |text, part| text + &of_number(part))
        }
        _ => term.text(&column),
    }
}

/// Why a key column can be NULL.
pub(super) enum Null {
    /// These columns can be.
    Of(BTreeSet<ColumnRef>),
    /// These columns can be infinite times.
    Infinite(BTreeSet<ColumnRef>),
    /// It is not known of the expression that it cannot be.
    Unknown,
}

pub(super) fn can_be_null(view: &FlatView, catalog: &Catalog, term: &Term) -> Option<Null> {
    let formula = match term {
        Term::Column(column) => {
            return nullable_in_row(view, catalog, *column).then(|| Null::Of(BTreeSet::from([*column])));
        }
        Term::Formula(formula) => formula,
    };
    if view.present.iter().any(|(f, block)| f.pieces == formula.pieces && view.in_region(*block, TOP)) {
        return None;
    }
    let Some(strict) = &formula.strict else { return Some(Null::Unknown) };
    let absent: BTreeSet<ColumnRef> = strict.iter().copied().filter(|c| nullable_in_row(view, catalog, *c)).collect();
    let infinite = |c: &ColumnRef| !view.is_stated(*c, Fact::Finite);
    let infinite: BTreeSet<ColumnRef> = formula.finite.iter().copied().filter(infinite).collect();
    match (absent.is_empty(), infinite.is_empty()) {
        (false, _) => Some(Null::Of(absent)),
        (true, false) => Some(Null::Infinite(infinite)),
        (true, true) => None,
    }
}

pub(super) fn nullable(
    whole: &FlatView,
    shown: &Output,
    view: &FlatView,
    catalog: &Catalog,
    term: &Term,
    null: &Null,
    asserted: bool,
) -> Refusal {
    let title = format!("key column `{}` of `{}` can be NULL", shown.name, whole.name.name);
    let joined = |c: &ColumnRef| view.use_of(*c).nullable;
    let reason = match null {
        _ if asserted => "rows with NULL there are one row to nobody: a key that is asserted is compared by `=`",
        Null::Of(columns) if columns.iter().any(joined) => {
            "where the outer join finds no row it is NULL, and no row tells such a key"
        }
        _ if unites_rows(whole) => {
            "there can be several rows with NULL there, of the queries that the view puts together"
        }
        _ => "no row tells a key that constants make, or what is made of several rows",
    };
    let diagnostic = Diagnostic::new(Code::MissingKey, title, shown.expr.span).note(reason);
    let named = |columns: &BTreeSet<ColumnRef>| {
        columns.iter().map(|c| show(view, catalog, &Term::Column(*c))).collect::<Vec<_>>()
    };
    let condition = |columns: &[String], says: &dyn Fn(&str) -> String| {
        columns.iter().map(|c| says(c)).collect::<Vec<_>>().join(" AND ")
    };
    Box::new(match null {
        Null::Of(columns) => {
            let declared: BTreeSet<ColumnRef> = columns.iter().copied().filter(|c| !joined(c)).collect();
            let there = condition(&named(columns), &|c| format!("{c} IS NOT NULL"));
            let leave_out = format!("leave such rows out: `WHERE {there}`");
            diagnostic.help(match declared.is_empty() {
                true => leave_out,
                false => format!("declare `{}` NOT NULL, or {leave_out}", named(&declared).join("`, `")),
            })
        }
        Null::Infinite(columns) => {
            let columns = named(columns);
            let finite = condition(&columns, &|c| format!("isfinite({c})"));
            diagnostic
                .note(format!("`{}` can be 'infinity', and of an infinite time it is NULL", columns.join("`, `")))
                .help(format!("leave such rows out: `WHERE {finite}`"))
        }
        Null::Unknown => {
            let shown = show(view, catalog, term);
            diagnostic.help(format!("leave such rows out: `WHERE ({shown}) IS NOT NULL`"))
        }
    })
}

/// No set of columns is known to identify a row.
pub(super) fn missing(
    view: &FlatView,
    variant: &FlatView,
    catalog: &Catalog,
    unselected: Option<&Vec<Term>>,
) -> Refusal {
    let title = format!("no key of view `{}` can be found", view.name.name);
    let diagnostic = Diagnostic::new(Code::MissingKey, title, view.span)
        .label("its rows must be identified by columns beside the document");
    let (diagnostic, or) = match unselected {
        Some(terms) if terms.len() > MAX_KEY_COLUMNS => {
            let note = format!(
                "{} values together identify a row, and an index has {MAX_KEY_COLUMNS} columns at most",
                terms.len()
            );
            (diagnostic.note(note), "write")
        }
        Some(terms) => {
            let shown = Shown::new(variant, catalog);
            let named = |terms: &mut dyn Iterator<Item = &Term>| {
                terms.map(|t| show(variant, catalog, t)).collect::<Vec<_>>().join(", ")
            };
            let (all, missing) = (named(&mut terms.iter()), named(&mut terms.iter().filter(|t| !shown.shows(t))));
            let note = match all == missing {
                true => format!("{all} identifies a row but is not selected"),
                false => format!("{all} together identify a row, but {missing} is not selected"),
            };
            let mut diagnostic = diagnostic.note(note).help(format!("add `{missing}` to the select list"));
            for (part, whole) in terms.iter().filter_map(|t| computed_from(variant, t)) {
                let (part, whole) = (show(variant, catalog, &part), show(variant, catalog, &whole));
                diagnostic =
                    diagnostic.help(format!("or group by `{whole}`, which is selected, in the place of `{part}`"));
            }
            (diagnostic, "or write")
        }
        None => explain_open(variant, catalog, diagnostic),
    };
    let recursive =
        (0..variant.blocks.len()).any(|b| variant.blocks[b].recursive && variant.in_region(BlockId(b), TOP));
    let directives = match recursive {
        // No row of a table tells what a recursion makes.
        true => {
            "`-- tviewc: key(column, …)` and `-- tviewc: full_refresh`, or `-- tviewc: skip`, on the lines above the view"
        }
        false => "`-- tviewc: key(column, …)` or `-- tviewc: skip` on the line above the view",
    };
    Box::new(diagnostic.help(format!("{or} {directives}")))
}

/// A formula that is not selected, and the output that is computed from it.
fn computed_from(view: &FlatView, term: &Term) -> Option<(Term, Term)> {
    let Term::Formula(part) = term else { return None };
    let of_part = |whole: &Term| match whole {
        Term::Formula(whole) => {
            let text = |f: &Formula| f.text(&|c| format!("{c:?}"));
            text(whole).contains(&text(part))
        }
        Term::Column(_) => false,
    };
    let whole = view.outputs.iter().filter_map(|o| o.expr.as_term()).find(of_part)?;
    Some((term.clone(), whole))
}

/// Whether the keys of the other tables fix a row of this one.
fn follows_from_others(view: &FlatView, catalog: &Catalog, rows: &ViewRows, use_id: UseId) -> bool {
    let keys = |u: UseId| {
        let key = |key: &Key| columns_of(u, &key.columns).into_iter().map(Term::Column).collect::<Vec<_>>();
        catalog.table(&view.uses[u.0].table).keys.iter().filter(|k| k.not_null).map(key).collect::<Vec<_>>()
    };
    let others: Vec<Term> = uses_of(view, TOP).filter(|u| *u != use_id).flat_map(keys).flatten().collect();
    let given = rows.given(&others);
    keys(use_id).iter().any(|key| key.iter().all(|term| given.follows(term)))
}

/// Names the tables whose rows nothing identifies; how the advice that follows begins.
fn explain_open(view: &FlatView, catalog: &Catalog, mut diagnostic: Diagnostic) -> (Diagnostic, &'static str) {
    let mut or = "write";
    let rows = ViewRows::new(view, catalog);
    for use_id in uses_of(view, TOP) {
        let owner = &view.uses[use_id.0];
        let declared = catalog.table(&owner.table);
        let usable = declared.keys.iter().any(|k| k.not_null);
        if !usable {
            diagnostic =
                diagnostic.also(owner.span, format!("`{}` has no key that holds at every moment", declared.name.name));
            if let Some(key) = declared.keys.first() {
                let nullable: Vec<String> = key
                    .columns
                    .iter()
                    .map(|c| &declared.columns[*c])
                    .filter(|c| !c.not_null)
                    .map(|c| c.name.to_string())
                    .collect();
                let list = nullable.join(", ");
                diagnostic = diagnostic
                    .also(key.span, format!("`{list}` can be NULL, in any number of rows"))
                    .help(format!("declare `{list}` NOT NULL, or leave such rows out: `WHERE … IS NOT NULL`"));
                or = "or write";
            }
            for weak in &declared.weak_keys {
                diagnostic = diagnostic.also(weak.span, format!("this one proves nothing: {}", weak.reason));
            }
        } else if owner.nullable && !follows_from_others(view, catalog, &rows, use_id) {
            diagnostic = diagnostic.also(owner.span, "can multiply rows, and its key is NULL where nothing matches");
        }
        if !usable || owner.nullable {
            for key in &declared.partial_keys {
                let condition: Vec<String> = key.only_where.iter().map(Restriction::sql).collect();
                let condition = condition.join(" AND ");
                diagnostic =
                    diagnostic.also(key.span, format!("this one holds where the view says `{condition}` as well"));
            }
        }
    }
    if view.blocks[TOP.0].expands || view.derived.iter().any(|d| d.block == TOP && d.inner.is_none()) {
        let is_constant = |expr: &Expr| match &expr.kind {
            ExprKind::Made(of) => !of.is_empty() && of.iter().all(|e| matches!(e.kind, ExprKind::Constant)),
            _ => false,
        };
        diagnostic = diagnostic
            .note("a set-returning function or VALUES makes several rows of one, and nothing tells these apart")
            .help(match view.blocks[TOP.0].distinct {
                _ if view.outputs.iter().any(|o| is_constant(&o.expr)) => {
                    "put constant rows into a table with a primary key, and select that in their place"
                }
                true => "group by the columns that are selected, in the place of DISTINCT",
                false => "number what a function makes and select the number: `unnest(…) WITH ORDINALITY AS t (value, place)`",
            });
        or = "or write";
    }
    (diagnostic, or)
}
