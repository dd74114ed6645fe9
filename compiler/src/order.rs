//! Orders that have ties.
//!
//! In: a variant of a view. Out: warnings for results that depend on the order of rows where that is not total, and for sums of
//! floating-point numbers, which depend on it in their last digits. What always holds: without a warning the rows decide the result.

use std::collections::BTreeSet;

use crate::catalog::{Catalog, SqlType, TypeClass};
use crate::diagnostics::{Code, Diagnostic, Diagnostics};
use crate::relate::{determines_rows, determines_uses, told_columns};
use crate::resolve::{BlockId, ColumnRef, Expr, ExprKind, FlatView, Formula, OrderKind, Ordered, Term, UseId};

/// Reports what depends on an order that is not total; whether elements of arrays do.
pub fn check(view: &FlatView, catalog: &Catalog, diagnostics: &mut Diagnostics) -> bool {
    let mut has_unordered_arrays = false;
    let live = view.live_blocks();
    for block in &live {
        check_limit(view, catalog, *block, diagnostics);
        check_groups(view, catalog, *block, diagnostics);
    }
    for ordered in view.orders.iter().filter(|o| live.contains(&o.block)) {
        if !is_decided(view, catalog, ordered) {
            has_unordered_arrays |= match &ordered.kind {
                OrderKind::Array | OrderKind::Rows => true,
                OrderKind::Aggregate(name) => name == "array_agg",
                OrderKind::Window(_) | OrderKind::Float(_) => false,
            };
            diagnostics.push(tie(ordered));
        }
    }
    has_unordered_arrays
}

/// A group shows one of its equal values, and which one is decided by the order of its rows.
fn check_groups(view: &FlatView, catalog: &Catalog, block: BlockId, diagnostics: &mut Diagnostics) {
    for key in view.blocks[block.0].grouped.iter().flatten() {
        let name = |c: ColumnRef| catalog.table(&view.use_of(c).table).columns[c.column].name.to_string();
        let (name, ty) = match key.as_term() {
            Some(Term::Column(column)) => {
                let table = catalog.table(&view.use_of(column).table);
                let is_key = table.keys.iter().any(|k| k.columns == [column.column]);
                if is_key || shows_equals_alike(view, catalog, column) {
                    continue;
                }
                (name(column), table.columns[column.column].ty.sql.clone())
            }
            Some(Term::Formula(formula)) => match looks_of_values(view, catalog, &formula) {
                Some(ty) => (formula.text(&name), ty.sql.clone()),
                None => continue,
            },
            None => continue,
        };
        diagnostics.push(
            Diagnostic::new(Code::NoTotalOrder, format!("groups by `{name}`, whose equal values can look different"), key.span)
                .note(format!("values of type {ty} can be equal and be written differently, such as 1.0 and 1.00; a group shows any of them"))
                .help("group by a value that has one form: `round(x, 2)`, `lower(x::text)`, or a column of type numeric(p, s)"),
        );
    }
}

/// The type of an expression whose equal values can look different, since those that it is computed of can.
fn looks_of_values<'f>(view: &FlatView, catalog: &Catalog, formula: &'f Formula) -> Option<&'f SqlType> {
    const TYPES: &[&str] = &["numeric", "real", "double precision", "interval"];
    // These give numbers one form.
    const FORMS: &[&str] = &["round(", "trunc(", "floor(", "ceil(", "ceiling("];
    let ty = formula.ty.as_ref().filter(|ty| TYPES.contains(&ty.base.as_str()) && !ty.sql.contains('('))?;
    let text = formula.text(&|_| String::new()).to_ascii_lowercase();
    let has_form = FORMS.iter().any(|form| text.trim_start_matches('(').starts_with(form));
    let is_alike = formula.columns().iter().all(|c| shows_equals_alike(view, catalog, *c));
    (!has_form && !is_alike).then_some(ty)
}

/// Whether rows that tie are the same to the result, or none do.
fn is_decided(view: &FlatView, catalog: &Catalog, ordered: &Ordered) -> bool {
    let order = columns_of(view, catalog, &ordered.order);
    let same_value = |value: &Expr| {
        let mut same = true;
        value.visit(&mut |e| match &e.kind {
            ExprKind::Column(column) => same &= order.contains(column) && shows_equals_alike(view, catalog, *column),
            ExprKind::Made(_) | ExprKind::Subquery(..) | ExprKind::Exists(_) | ExprKind::Either(..) => same = false,
            _ => {}
        });
        same
    };
    let by_value = !ordered.values.is_empty() && ordered.values.iter().all(same_value);
    let told_apart = match ordered.kind {
        OrderKind::Window(_) => is_total(view, catalog, ordered.block, &ordered.order),
        _ => determines_rows(view, catalog, ordered.block, &order),
    };
    by_value || told_apart || is_made_in_order(view, catalog, ordered)
}

/// Whether the rows are those that one set-returning function makes of at most one row: they come in its order.
fn is_made_in_order(view: &FlatView, catalog: &Catalog, ordered: &Ordered) -> bool {
    let Ordered { block, order, values, .. } = ordered;
    let state = &view.blocks[block.0];
    let mut made = view.derived.iter().filter(|d| d.block == *block);
    let one_function = made.next().is_some_and(|d| d.inner.is_none()) && made.next().is_none();
    if !order.is_empty() || !one_function || state.grouped.is_some() || state.distinct {
        return false;
    }
    let own: BTreeSet<UseId> = (0..view.uses.len()).map(UseId).filter(|u| view.uses[u.0].block == *block).collect();
    // A join that is no condition of the function's could be made in another order.
    let is_made_of = |u: &UseId| {
        let mut found = false;
        let mut visit = |e: &Expr| found |= matches!(e.kind, ExprKind::Made(_)) && e.uses().contains(u);
        values.iter().for_each(|value| value.visit(&mut visit));
        found
    };
    own.len() <= 1 && own.iter().all(is_made_of) && determines_uses(view, catalog, *block)
}

/// Whether equal values of a column are the same in every respect: `1.0` and `1.00` are not.
fn shows_equals_alike(view: &FlatView, catalog: &Catalog, column: ColumnRef) -> bool {
    let column = &catalog.table(&view.use_of(column).table).columns[column.column];
    let base = column.ty.underlying();
    let alike = [
        "bigint",
        "boolean",
        "bytea",
        "character varying",
        "date",
        "integer",
        "smallint",
        "text",
        "timestamp with time zone",
        "timestamp without time zone",
        "uuid",
    ];
    // All values have the same number of digits behind the point, or of characters.
    let is_sized = matches!(base.base.as_str(), "numeric" | "character") && base.sql.contains('(');
    let plain = column.ty.dimensions == 0 && base.dimensions == 0 && column.collation.is_none();
    plain && (is_sized || alike.contains(&base.base.as_str()) || base.class == TypeClass::Enum)
}

/// The columns that are equal in rows that tie.
fn columns_of(view: &FlatView, catalog: &Catalog, order: &[Expr]) -> Vec<ColumnRef> {
    order.iter().filter_map(Expr::as_term).flat_map(|term| told_columns(view, catalog, &term)).collect()
}

/// Whether no two rows that a block makes are equal in these expressions.
fn is_total(view: &FlatView, catalog: &Catalog, block: BlockId, order: &[Expr]) -> bool {
    let state = &view.blocks[block.0];
    let columns = columns_of(view, catalog, order);
    let is_ordered = |key: &Expr| match key.as_term() {
        Some(Term::Column(column)) => columns.contains(&column),
        Some(formula) => order.iter().any(|o| o.as_term().as_ref() == Some(&formula)),
        None => false,
    };
    match &state.grouped {
        Some(_) if state.expands => false,
        Some(keys) if !state.picked => keys.iter().all(is_ordered),
        _ => determines_rows(view, catalog, block, &columns),
    }
}

/// Where rows tie, LIMIT and DISTINCT ON may pick any of them.
fn check_limit(view: &FlatView, catalog: &Catalog, block: BlockId, diagnostics: &mut Diagnostics) {
    let inner = &view.blocks[block.0];
    if !(inner.limited || inner.picked) {
        return;
    }
    let one_row = inner.aggregated && inner.grouped.is_none();
    if !one_row && !is_total(view, catalog, block, &inner.order_by) {
        let clause = if inner.picked { "DISTINCT ON" } else { "LIMIT" };
        diagnostics.push(
            Diagnostic::new(Code::NoTotalOrder, format!("{clause} without a total order"), inner.span)
                .note("where rows tie, PostgreSQL may pick any of them, and another one the next time")
                .help("add a unique column as the last key of ORDER BY"),
        );
    }
}

fn tie(ordered: &Ordered) -> Diagnostic {
    let Ordered { kind, span, order, .. } = ordered;
    let report = |title: String| Diagnostic::new(Code::NoTotalOrder, title, *span);
    match kind {
        OrderKind::Array => {
            let title =
                if order.is_empty() { "an array without ORDER BY" } else { "the order of this array is not total" };
            report(title.into())
                .note("its elements may come in another order after any write, and the view may show another order than the document")
                .help("end the ORDER BY of the aggregate with a column that is unique in the array: `jsonb_agg(… ORDER BY c.id)`")
        }
        OrderKind::Rows => {
            let title = if order.is_empty() {
                "`ARRAY(SELECT …)` without ORDER BY"
            } else {
                "the order of this `ARRAY(SELECT …)` is not total"
            };
            report(title.into())
                .note("its elements may come in another order after any write, and the view may show another order than the document")
                .help("end the ORDER BY of the subquery with a column that is unique among its rows")
        }
        OrderKind::Aggregate(name) => {
            let title = if order.is_empty() {
                format!("`{name}` without ORDER BY")
            } else {
                format!("the order of this `{name}` is not total")
            };
            report(title)
                .note("its result depends on the order of the rows, which can change with any write")
                .help(format!("write `{name}(… ORDER BY …)` with a column that is unique among the rows"))
        }
        OrderKind::Window(name) => report(format!("the order of the window of `{name}` is not total"))
            .note("where rows tie, PostgreSQL may take any of them first, and another one the next time")
            .help("end the ORDER BY of the window with a column that is unique in the partition"),
        OrderKind::Float(name) => report(format!("`{name}` of floating-point numbers"))
            .note("its last digits depend on the order in which they are added, which can change with any write")
            .help("cast them: `sum(x::numeric)`"),
    }
}
