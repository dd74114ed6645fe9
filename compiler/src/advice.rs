//! Advice: what compiles but costs more than it has to, or needs a role with rights that few have.
//!
//! In: the plans. Out: warnings with the statement to run. Nothing here changes the output.

use std::collections::BTreeSet;

use crate::catalog::{Catalog, Index, Relation, RowSecurity, Table};
use crate::diagnostics::{Code, Diagnostic, Diagnostics};
use crate::names::QualName;
use crate::plan::{LockStep, TablePlan, Tview, TviewParts, Way, Whole};
use crate::relate::{Pair, ValueLock, Variant, is_said_of_rows};
use crate::resolve::{ColumnRef, Fact, FlatView, Formula, Piece, Term, UseId};
use crate::source::Span;

/// Reports missing indexes, coarse locks and policies that stand in the way.
pub fn advise(
    tviews: &[Tview],
    tables: &[TablePlan],
    parts: &[TviewParts],
    catalog: &Catalog,
    diagnostics: &mut Diagnostics,
) {
    for unmatched in parts.iter().flat_map(|p| &p.unmatched) {
        let title = "nothing tells the elements of this array apart";
        diagnostics.push(
            Diagnostic::new(Code::ArrayRecomputed, title, unmatched.span)
                .label("no field of it is known to be unique in the array")
                .note("a write that changes one element computes the whole array again")
                .help(unmatched.help.clone()),
        );
    }
    let (mut said, mut failing_said) = (BTreeSet::new(), BTreeSet::new());
    for plan in tables {
        for step in &plan.steps {
            let tview = &tviews[step.tview];
            let sources = step.locks.iter().flat_map(LockStep::sources).map(|s| &s.way);
            for way in step.ways().chain(sources) {
                lookups(tview, way, catalog, &mut said, diagnostics);
            }
        }
    }
    for plan in tables {
        policies(tviews, plan, catalog.table(&plan.table), diagnostics);
    }
    for tview in tviews {
        // Where every write compares the whole tview anyway, it makes no difference.
        let whole =
            if tview.view.directive("full_refresh").is_none() { tview.computed_whole } else { Whole::default() };
        if let Some(chain) = whole.chain {
            let title =
                format!("a chain of full joins in `{}` is computed for all rows at every write", tview.view.name.name);
            diagnostics.push(
                Diagnostic::new(Code::ChainOfAll, title, tview.view.span)
                    .also(chain, "a full join with another one on one of its sides")
                    .help("put it in the FROM clause of the view itself, with what all of them merge as the key, or LEFT JOIN each to the keys"),
            );
        }
        if let Some(parts) = whole.parts {
            let title =
                format!("a condition in `{}` is asked of all rows of a table at every write", tview.view.name.name);
            diagnostics.push(
                Diagnostic::new(Code::PartsOfAll, title, tview.view.span)
                    .also(parts, "one part of it has to hold, and each leads to other rows")
                    .help("ask for the key of these rows: `d.id IN (SELECT … WHERE one part UNION ALL SELECT … WHERE the other)`"),
            );
        }
        if let Some(group) = whole.group {
            let title = format!("a query in `{}` is computed for all its groups at every write", tview.view.name.name);
            diagnostics.push(
                Diagnostic::new(Code::GroupOfAll, title, tview.view.span)
                    .also(group, "neither the key nor what it is joined to leads to its groups")
                    .help("put it behind what it is joined to, by JOIN or LEFT JOIN with equalities of columns, or take its values from a correlated subquery"),
            );
        }
        if let Some(window) = whole.window {
            let title = format!("a window below `{}` is computed for all rows at every write", tview.view.name.name);
            diagnostics.push(
                Diagnostic::new(Code::WindowOfAll, title, tview.view.span)
                    .also(window, "it is not partitioned by the key")
                    .help("write it in the select list of the view itself, or take it from a correlated subquery over its partition"),
            );
        }
        if tview.view.directive("full_refresh").is_none() {
            for variant in &tview.relations.variants {
                key_lookup(tview, variant, catalog, &mut said, diagnostics);
            }
        }
        for (variant, link) in tview.relations.variants.iter().flat_map(|v| v.links.iter().map(move |l| (v, l))) {
            lookup(tview, (link.child, Some(&variant.view)), &variant.compared(link), catalog, &mut said, diagnostics);
            link.on
                .iter()
                .flat_map(formulas)
                .filter(|f| f.may_fail)
                .for_each(|f| failing(tview, f, catalog, &mut failing_said, diagnostics));
            if let Some(ValueLock::Relation(reason)) = &link.lock {
                let owner = &tview.view.uses[link.child.0];
                let title =
                    format!("writes through `{}` take turns for the whole of `{}`", owner.alias, tview.name.name);
                diagnostics.push(Diagnostic::new(Code::CoarseLock, title, owner.span).note(reason.clone()));
            }
        }
    }
}

fn formulas(pair: &Pair) -> Vec<&Formula> {
    match pair {
        Pair::Equal { child, parent, .. } => [child, parent].into_iter().filter_map(Term::as_formula).collect(),
        Pair::Holds(formula) => vec![formula.as_ref()],
    }
}

/// The way to the keys follows one condition without the others, which may keep it from rows that it fails for.
fn failing(
    tview: &Tview,
    formula: &Formula,
    catalog: &Catalog,
    said: &mut BTreeSet<(Span, String)>,
    diagnostics: &mut Diagnostics,
) {
    let Some(column) = formula.columns().into_iter().next() else { return };
    let owner = tview.view.use_of(column);
    let name = |c: ColumnRef| {
        let of = tview.view.use_of(c);
        format!("{}.{}", of.alias, catalog.table(&of.table).columns[c.column].name)
    };
    let text = formula.text(&name);
    if !said.insert((owner.span, text.clone())) {
        return;
    }
    diagnostics.push(
        Diagnostic::new(
            Code::FailingComparison,
            format!("`{text}` is computed for every changed row of `{}`", owner.alias),
            owner.span,
        )
        .note("where it fails the write fails, even if another condition of the view leaves such rows out")
        .help(format!("guard it itself: `CASE WHEN … THEN {text} END`")),
    );
}

/// Generated functions must see all rows, and run as the role that applies the migration.
fn policies(tviews: &[Tview], plan: &TablePlan, table: &Table, diagnostics: &mut Diagnostics) {
    let RowSecurity { enabled: Some(_), forced: Some(forced) } = table.row_security else { return };
    let Some((step, use_id)) = plan.steps.iter().find_map(|s| Some((s, *s.read_as().first()?))) else { return };
    let read = tviews[step.tview].view.uses[use_id.0].span;
    let name = &table.name.name;
    diagnostics.push(
        Diagnostic::new(Code::ForcedRowSecurity, format!("policies of `{name}` bind its owner as well"), read)
            .also(forced, "by this")
            .note(
                "documents are made of all rows: a migration that is applied by a role that policies bind stops with \
                 an error",
            )
            .help(format!(
                "apply it as a role with BYPASSRLS, or: ALTER TABLE {} NO FORCE ROW LEVEL SECURITY;",
                table.name.sql()
            )),
    );
}

type Said = BTreeSet<(QualName, String)>;

/// Every table that a cascade joins is looked up by the columns of the join.
fn lookups(tview: &Tview, way: &Way, catalog: &Catalog, said: &mut Said, diagnostics: &mut Diagnostics) {
    for join in way.joins.iter().chain(&way.absent) {
        lookup(tview, (join.use_id, None), &join.on, catalog, said, diagnostics);
    }
}

/// The rows of a use are looked up by the columns that its pairs compare, on the way as in a recomputed document; in that, the view's
/// other conditions are there for the planner too.
fn lookup(
    tview: &Tview,
    (use_id, view): (UseId, Option<&FlatView>),
    on: &[Pair],
    catalog: &Catalog,
    said: &mut Said,
    diagnostics: &mut Diagnostics,
) {
    let owner = &tview.view.uses[use_id.0];
    let Some(Relation::Table(table)) = catalog.relations.get(&owner.table) else { return };
    let sides = on.iter().filter_map(|p| match p {
        Pair::Equal { child, parent, .. } => Some([(child, parent), (parent, child)]),
        Pair::Holds(_) => None,
    });
    let own = sides.flatten().filter(|(own, _)| own.uses().contains(&use_id)).collect::<Vec<_>>();
    let columns = own.iter().filter_map(|(own, other)| {
        let (column, ty) = (own.as_column()?.column, other.ty(&tview.view, catalog));
        Some((column, ty.and_then(|other| table.columns[column].ty.converted_for(other))))
    });
    let (converted, as_it_is): (Vec<_>, Vec<_>) = columns.partition(|(_, ty)| ty.is_some());
    let elements = on.iter().filter_map(|pair| match pair {
        Pair::Holds(formula) => formula.any_of.as_ref().filter(|e| !reads(&e.calls, use_id)).map(|_| formula),
        Pair::Equal { .. } => None,
    });
    let with_elements = elements.flat_map(|f| f.columns()).filter(|c| c.use_id == use_id).map(|c| c.column);
    let mut wanted: Vec<usize> = as_it_is.into_iter().map(|(column, _)| column).chain(with_elements).collect();
    wanted.sort_unstable();
    wanted.dedup();
    if let (true, Some((column, Some(ty)))) = (wanted.is_empty(), converted.first()) {
        let text = format!("{}::{ty}", table.columns[*column].name.sql());
        expression_lookup(table, &text, (None, false), owner.span, said, diagnostics);
    } else if wanted.is_empty() {
        let formulas =
            own.iter().filter_map(|t| t.0.as_formula()).filter(|f| f.columns().iter().all(|c| c.use_id == use_id));
        if let Some(formula) = formulas.min_by_key(|f| !f.calls.is_empty()) {
            formula_lookup(table, formula, owner.span, said, diagnostics);
        }
    } else if !table.is_indexed_by(&wanted) && !view.is_some_and(|view| is_indexed_in(view, table, use_id, &wanted)) {
        let names: Vec<String> = wanted.iter().map(|c| table.columns[*c].name.sql()).collect();
        missing_index(table, &names.join(", "), owner.span, said, diagnostics);
    }
}

/// Whether an index leads to rows by such columns together with what a view says of them: behind columns of which the value is
/// known, or over such rows.
fn is_indexed_in(view: &FlatView, table: &Table, use_id: UseId, columns: &[usize]) -> bool {
    let is_constant = |column: usize| view.is_stated(ColumnRef { use_id, column }, Fact::Constant);
    let leads = |i: &Index| i.columns.iter().find(|c| !is_constant(**c)).is_some_and(|c| columns.contains(c));
    let has_rows =
        |i: &Index| !i.partial || i.only_where.as_ref().is_some_and(|said| is_said_of_rows(view, table, use_id, said));
    table.indexes.iter().any(|i| i.method == "btree" && leads(i) && has_rows(i))
}

/// Whether calls have columns of a use as arguments.
fn reads(calls: &[Vec<Piece>], use_id: UseId) -> bool {
    calls.iter().flatten().any(|piece| matches!(piece, Piece::Column(c) if c.use_id == use_id))
}

fn missing_index(table: &Table, list: &str, read: Span, said: &mut Said, diagnostics: &mut Diagnostics) {
    if said.insert((table.name.clone(), list.to_owned())) {
        let title = format!("no index of `{}` begins with ({list})", table.name.name);
        diagnostics.push(
            Diagnostic::new(Code::MissingIndex, title, read)
                .label("its rows are looked up by that")
                .note("every write that gets here would read the whole table")
                .help(format!("CREATE INDEX ON {} ({list});", table.name.sql())),
        );
    }
}

/// The rows that make a document are looked up by its key, where that is recomputed.
fn key_lookup(tview: &Tview, variant: &Variant, catalog: &Catalog, said: &mut Said, diagnostics: &mut Diagnostics) {
    let (view, key) = (&variant.view, &variant.key);
    let table = |u: UseId| catalog.table(&view.uses[u.0].table);
    let is_indexed = |c: ColumnRef| {
        let table = table(c.use_id);
        table.is_indexed_by(&[c.column]) || is_indexed_in(view, table, c.use_id, &[c.column])
    };
    if variant.equal_to_key(catalog).iter().filter_map(Term::as_column).any(is_indexed) {
        return;
    }
    let mut columns = key.iter().filter_map(Term::as_column).peekable();
    if let Some(&ColumnRef { use_id, .. }) = columns.peek() {
        let own = columns.filter(|c| c.use_id == use_id);
        let names: Vec<String> = own.map(|c| table(use_id).columns[c.column].name.sql()).collect();
        return missing_index(table(use_id), &names.join(", "), view.uses[use_id.0].span, said, diagnostics);
    }
    let Some(formula) = key.first().and_then(Term::as_formula) else { return };
    let uses: BTreeSet<UseId> = formula.columns().iter().map(|c| c.use_id).collect();
    let (Some(use_id), 1) = (uses.first(), uses.len()) else { return };
    let (table, read) = (table(*use_id), view.uses[use_id.0].span);
    let told = variant.told_by(tview.relations.key.columns[0].output, catalog).join(", ");
    let help = match &told {
        _ if !formula.null_in_null_out && tview.relations.variants.iter().any(|v| v.absent.is_some()) => {
            let columns: Vec<String> = formula.columns().iter().map(|c| variant.shown(*c, catalog)).collect();
            let columns = columns.join(", ");
            format!(
                "select and group by `{columns}`, of which NULL is a key, too; the document can show another value for it"
            )
        }
        none if none.is_empty() => return formula_lookup(table, formula, read, said, diagnostics),
        told => format!("add `{told}` to the select list: that is the key then, which an index finds"),
    };
    let text = formula.text(&|c| table.columns[c.column].name.sql());
    expression_lookup(table, &text, (Some(help), formula.guarded), read, said, diagnostics);
}

/// Rows of one table are looked up by an expression.
fn formula_lookup(table: &Table, formula: &Formula, read: Span, said: &mut Said, diagnostics: &mut Diagnostics) {
    let text = formula.text(&|c| table.columns[c.column].name.sql());
    if !formula.calls.is_empty() {
        if said.insert((table.name.clone(), text)) {
            diagnostics.push(made_of_rows(table, read));
        }
    } else {
        let guarded =
            "create one on the expression as the view writes it, with the condition beside it in its WHERE clause";
        let help = formula.guarded.then(|| guarded.to_owned());
        expression_lookup(table, &text, (help, formula.guarded), read, said, diagnostics);
    }
}

fn expression_lookup(
    table: &Table,
    text: &str,
    (help, is_guarded): (Option<String>, bool),
    read: Span,
    said: &mut Said,
    diagnostics: &mut Diagnostics,
) {
    // Which expressions there are indexes on is not known, nor which rows a condition beside one leaves.
    let may_be_it = |i: &Index| i.columns.is_empty() && (!i.partial || is_guarded);
    if table.indexes.iter().any(may_be_it) || !said.insert((table.name.clone(), text.to_owned())) {
        return;
    }
    let otherwise = "or, where PostgreSQL does not hold that for immutable, a column for it with an index";
    let help = help.unwrap_or_else(|| format!("CREATE INDEX ON {} (({text})); {otherwise}", table.name.sql()));
    diagnostics.push(
        Diagnostic::new(Code::MissingIndex, format!("no index of `{}` is on `{text}`", table.name.name), read)
            .label("its rows are looked up by that")
            .note("every write that gets here would read the whole table")
            .help(help),
    );
}

fn made_of_rows(table: &Table, read: Span) -> Diagnostic {
    let title = format!("no index of `{}` finds its rows by what a function makes of them", table.name.name);
    Diagnostic::new(Code::MadeOfRows, title, read)
        .label("all its rows are read to find those of one value")
        .help("keep what the function makes in a table of its own, one row each, with an index")
}
