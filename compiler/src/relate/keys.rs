//! The key of a view: output columns that identify its rows.
//!
//! In: a view with its variants. Out: its [`ViewKey`] and what the key is in each variant, or the diagnostic that says
//! what is missing. A key is proved from declared keys by functional dependencies, in each variant that gives rows, and
//! rows of different variants must differ in it; the `key(…)` directive asserts one instead, and the tview's primary
//! key then enforces it.

use std::collections::{BTreeMap, BTreeSet};

use super::absent;
use super::closure::{Equals, ViewRows, columns_of, nullable_in_row, uses_of};
use super::injective::{told_columns, told_element};
use super::locks::is_scalar;
use super::open::{Null, can_be_null, missing, nullable, show};
use super::telling::tell_apart;
use crate::catalog::{Catalog, Key, SqlType};
use crate::diagnostics::{Code, Diagnostic};
use crate::names::Ident;
use crate::resolve::{ColumnRef, Expr, ExprKind, FlatView, Rows, Scope, TOP, Term, UseId};
use crate::source::Span;

/// One column of a view's key.
#[derive(Clone, Debug)]
pub struct KeyColumn {
    /// Index into the view's outputs.
    pub output: usize,
    /// Its type.
    pub ty: SqlType,
    /// It can be NULL, which is a value like others: of groups, of DISTINCT, of partitions.
    pub nullable: bool,
}

/// The key of a view.
#[derive(Clone, Debug)]
pub struct ViewKey {
    /// In key order.
    pub columns: Vec<KeyColumn>,
    /// What the proof rests on, for people.
    pub proof: String,
    /// Asserted by a directive and not proved.
    pub asserted: bool,
}

impl ViewKey {
    /// Whether NULL is a value of one of its columns.
    pub fn can_be_null(&self) -> bool {
        self.columns.iter().any(|k| k.nullable)
    }
}

type Refusal = Box<Diagnostic>;
type Variants = [(Vec<usize>, FlatView)];

/// The key of a view, and its terms in each variant; no terms where every write is to compare the whole tview and the key is
/// asserted of columns that no row can tell.
pub fn infer(view: &FlatView, variants: &Variants, catalog: &Catalog) -> Result<(ViewKey, Vec<Vec<Term>>), Refusal> {
    if let Some(directive) = view.directive("key") {
        let names: Vec<Ident> = directive.arguments.iter().map(Ident::new).collect();
        let outputs = asserted(view, &names, directive.span)?;
        return finish(view, variants, catalog, outputs, "asserted by a directive".into(), true);
    }
    let top = &view.blocks[TOP.0];
    if view.whole.is_some() && top.aggregated && top.grouped.is_none() {
        return single_row(view, variants, catalog);
    }
    let giving: Vec<&(Vec<usize>, FlatView)> = variants.iter().filter(|(choice, _)| gives(view, choice)).collect();
    let Some(((_, first), others)) = giving.split_first() else { return Err(missing(view, view, catalog, None)) };
    let (rows, shown) = (ViewRows::new(first, catalog), Shown::new(first, catalog));
    let mut unselected = None;
    for candidate in candidates(first, catalog, &rows, &shown) {
        let Some(mut outputs) = shown.select(&candidate) else {
            unselected = unselected.or(Some(candidate));
            continue;
        };
        for (_, other) in others {
            complete(view, other, catalog, &mut outputs)?;
        }
        // Whether rows can be told apart is a question of all outputs: another candidate would not help.
        let outputs = tell_apart(view, &giving, outputs, catalog)?;
        let proof = describe(first, catalog, &candidate);
        return finish(view, variants, catalog, outputs, proof, false);
    }
    Err(missing(view, first, catalog, unselected.as_ref()))
}

/// Whether rows of a variant are rows of the view.
fn gives(view: &FlatView, choice: &[usize]) -> bool {
    view.alternatives.iter().zip(choice).all(|(a, side)| a.giving[*side] || !view.in_region(a.block, TOP))
}

/// An aggregate over everything: any constant identifies its row.
fn single_row(view: &FlatView, variants: &Variants, catalog: &Catalog) -> Result<(ViewKey, Vec<Vec<Term>>), Refusal> {
    let constant = |e: &Expr| matches!(e.kind, ExprKind::Constant) && e.formula.is_some();
    match view.outputs.iter().position(|o| constant(&o.expr)) {
        Some(output) => finish(view, variants, catalog, vec![output], "the view has one row".into(), false),
        None => {
            let title = format!("no key of view `{}` can be found", view.name.name);
            Err(Box::new(
                Diagnostic::new(Code::MissingKey, title, view.span)
                    .note("it has one row, and no column that tells so")
                    .help("select a constant as well: `SELECT 1 AS id, …`"),
            ))
        }
    }
}

/// Adds what is missing for the outputs to identify a row of this variant too.
fn complete(whole: &FlatView, view: &FlatView, catalog: &Catalog, outputs: &mut Vec<usize>) -> Result<(), Refusal> {
    let terms: Vec<Term> = outputs.iter().filter_map(|o| view.outputs[*o].expr.as_key_term()).collect();
    let rows = ViewRows::new(view, catalog);
    if rows.determined_by(&terms) {
        return Ok(());
    }
    let shown = Shown::new(view, catalog);
    let mut unselected = None;
    for candidate in candidates(view, catalog, &rows, &shown) {
        let Some(more) = shown.select(&candidate) else {
            unselected = unselected.or(Some(candidate));
            continue;
        };
        let mut seen: BTreeSet<usize> = outputs.iter().copied().collect();
        outputs.extend(more.into_iter().filter(|o| seen.insert(*o)));
        return Ok(());
    }
    Err(missing(whole, view, catalog, unselected.as_ref()))
}

/// Sets of terms that identify the rows, the best first: the groups, or what DISTINCT selects, or a key of one table,
/// else keys of several, which are looked for only where nothing simpler is selected.
fn candidates<'c>(
    view: &'c FlatView,
    catalog: &'c Catalog,
    rows: &'c ViewRows<'c>,
    shown: &'c Shown,
) -> Box<dyn Iterator<Item = Vec<Term>> + 'c> {
    if let Some(keys) = &view.blocks[TOP.0].grouped {
        let constant = |e: &&Expr| !matches!(e.kind, ExprKind::Constant);
        // What is no term has to follow from those that are.
        let terms = minimized(rows, shown, keys.iter().filter(constant).filter_map(Expr::as_key_term).collect());
        return Box::new(std::iter::once(terms).filter(|t| rows.determined_by(t)));
    }
    if view.blocks[TOP.0].distinct {
        let terms = view.outputs.iter().filter_map(|o| o.expr.as_term());
        let terms = minimized(rows, shown, terms.filter(|t| !t.columns().is_empty()).collect());
        if rows.determined_by(&terms) {
            return Box::new(std::iter::once(terms));
        }
    }
    let keyed = keyed_relations(view, catalog);
    let single: Vec<_> = keyed.iter().flatten().filter(|k| rows.determined_by(k)).cloned().collect();
    Box::new(single.into_iter().chain(composed(keyed, rows, shown)))
}

/// From how many relations a key of several is put together, one after the other. Where it is selected at all, it is
/// nearly always found from the first one.
const MAX_STARTS: usize = 64;

/// Keys put together from those of several relations: the first one, which a message names where no key is selected, and
/// then those that are selected.
fn composed<'c>(
    keyed: Vec<Vec<Vec<Term>>>,
    rows: &'c ViewRows<'c>,
    shown: &'c Shown,
) -> impl Iterator<Item = Vec<Term>> + 'c {
    let starts = keyed.iter().enumerate().take(MAX_STARTS);
    let starts: Vec<_> = starts.flat_map(|(at, keys)| (0..keys.len()).map(move |key| (at, key))).collect();
    let mut seen: BTreeSet<BTreeSet<Term>> = BTreeSet::new();
    starts.into_iter().filter_map(move |(at, key)| {
        let terms = spread(&keyed, rows, at, &keyed[at][key]);
        let is_first = seen.is_empty();
        if !seen.insert(terms.iter().cloned().collect()) {
            return None;
        }
        // Asked before terms are dropped one by one, which takes many times as long.
        let selected: Vec<Term> = terms.iter().filter(|t| shown.shows(t)).cloned().collect();
        let terms = match rows.determined_by(&selected) {
            true => minimized(rows, shown, selected),
            false => is_first.then(|| minimized(rows, shown, terms))?,
        };
        rows.determined_by(&terms).then_some(terms)
    })
}

/// A key of one relation, and of each other one whose row does not follow by then the key too.
fn spread(keyed: &[Vec<Vec<Term>>], rows: &ViewRows<'_>, at: usize, key: &[Term]) -> Vec<Term> {
    let mut terms = key.to_vec();
    let mut given = rows.given(key);
    for (_, other) in keyed.iter().enumerate().filter(|(n, _)| *n != at) {
        let open = other.iter().all(|k| !k.iter().all(|t| given.follows(t)));
        if let Some(key) = other.first().filter(|_| open) {
            terms.extend(key.iter().cloned());
            given.give(key);
        }
    }
    terms
}

/// The keys of everything in the FROM clause that no outer join makes NULL, one list per relation.
fn keyed_relations(view: &FlatView, catalog: &Catalog) -> Vec<Vec<Vec<Term>>> {
    let solid = uses_of(view, TOP).filter(|u| !view.uses[u.0].nullable);
    let keys_of = |u: UseId| {
        let present = |column: usize| !nullable_in_row(view, catalog, ColumnRef { use_id: u, column });
        let holds = |k: &&Key| k.not_null || k.columns.iter().all(|c| present(*c));
        let table = catalog.table(&view.uses[u.0].table);
        let mut keys: Vec<_> = table.keys.iter().filter(holds).collect();
        keys.sort_by_key(|k| !k.primary);
        // Whether the query takes only their rows is a question for the proof.
        let partial = table.partial_keys.iter().filter(|k| k.columns.iter().all(|c| present(*c)));
        let columns = keys.into_iter().map(|k| &k.columns).chain(partial.map(|k| &k.columns));
        columns.map(|c| columns_of(u, c).into_iter().map(Term::Column).collect()).collect::<Vec<Vec<Term>>>()
    };
    let solid_use = |u: &UseId| !view.uses[u.0].nullable;
    let groups = view.derived.iter().filter(|d| d.block == TOP && d.rows == Rows::Groups).filter_map(|d| {
        let keys = view.blocks[d.inner?.0].grouped.as_ref()?;
        let keys = keys.iter().filter(|k| !matches!(k.kind, ExprKind::Constant));
        let terms: Vec<Term> = keys.map(Expr::as_term).collect::<Option<_>>()?;
        terms.iter().all(|t| t.uses().iter().all(solid_use)).then(|| vec![terms])
    });
    // Of the rows of a partition one is picked by its number.
    let picked = view.picked.iter().filter(|p| p.scope == Scope::Always && p.block == TOP).filter_map(|p| {
        let numbering = &view.numberings[p.numbering];
        let terms: Vec<Term> = numbering.partition.iter().map(Expr::as_term).collect::<Option<_>>()?;
        terms.iter().all(|t| t.uses().iter().all(solid_use)).then(|| vec![terms])
    });
    // Of the rows that a function makes of a row one is known.
    let told = view.derived.iter().filter(|d| d.block == TOP).flat_map(|d| &d.told_by).map(|t| vec![vec![t.clone()]]);
    solid.map(keys_of).chain(groups).chain(picked).chain(told).collect()
}

/// From how many groups or selected values those are left out that follow from the others. A key of so many is refused
/// anyway, unless a few of them are one.
const MAX_TERMS: usize = 400;

/// The terms that the others follow from.
fn minimized(rows: &ViewRows<'_>, shown: &Shown, mut terms: Vec<Term>) -> Vec<Term> {
    if terms.len() > MAX_TERMS {
        let mut seen = BTreeSet::new();
        terms.retain(|t| seen.insert(t.clone()));
    }
    if terms.len() <= MAX_TERMS {
        minimize(rows, shown, &mut terms);
    }
    terms
}

/// Drops the terms that follow from the others: at first those that are not shown, since `GROUP BY id, name` can have two keys, of
/// which the view selects one.
fn minimize(rows: &ViewRows<'_>, shown: &Shown, terms: &mut Vec<Term>) {
    for hidden_only in [true, false] {
        let mut at = 0;
        while at < terms.len() {
            let mut rest = terms.clone();
            let term = rest.remove(at);
            let kept = rest.is_empty() || hidden_only && shown.shows(&term);
            match !kept && rows.determined_by(&rest) {
                true => *terms = rest,
                false => at += 1,
            }
        }
    }
}

/// What the outputs show.
pub(super) struct Shown {
    equals: Equals,
    /// The first output that is nothing but this term, or tells it.
    outputs: BTreeMap<Term, usize>,
    /// The first output that tells this column: a cast which different values survive, a text with it in it.
    casts: BTreeMap<ColumnRef, usize>,
}

impl Shown {
    pub(super) fn new(view: &FlatView, catalog: &Catalog) -> Self {
        let (mut outputs, mut casts, mut elements) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        for (index, output) in view.outputs.iter().enumerate() {
            let Some(term) = output.expr.as_key_term() else { continue };
            for column in told_columns(view, catalog, &term) {
                casts.entry(column).or_insert(index);
            }
            elements.extend(told_element(view, &term).map(|element| (element, index)));
            outputs.entry(term).or_insert(index);
        }
        elements.into_iter().for_each(|(element, index)| _ = outputs.entry(element).or_insert(index));
        Shown { equals: Equals::new(view, catalog), outputs, casts }
    }

    /// The outputs that show the terms of a candidate, or equals of theirs.
    fn select(&self, candidate: &[Term]) -> Option<Vec<usize>> {
        let mut seen = BTreeSet::new();
        let all = candidate.iter().map(|term| self.output(term)).collect::<Option<Vec<_>>>()?;
        Some(all.into_iter().filter(|output| seen.insert(*output)).collect())
    }

    pub(super) fn shows(&self, term: &Term) -> bool {
        self.output(term).is_some()
    }

    /// The output that shows a term, or an equal of it.
    fn output(&self, term: &Term) -> Option<usize> {
        let shows = |term: &Term| self.outputs.get(term).copied();
        match term {
            Term::Column(column) => {
                let class = self.equals.class(*column);
                let plain = class.iter().find_map(|c| shows(&Term::Column(*c)));
                plain.or_else(|| class.iter().find_map(|c| self.casts.get(c).copied()))
            }
            Term::Formula(_) => shows(term),
        }
    }
}

/// How many columns an index of PostgreSQL can have, and so the key of a tview.
pub(super) const MAX_KEY_COLUMNS: usize = 32;

/// Checks what a key has to be beside unique, in each variant.
fn finish(
    view: &FlatView,
    variants: &Variants,
    catalog: &Catalog,
    outputs: Vec<usize>,
    proof: String,
    asserted: bool,
) -> Result<(ViewKey, Vec<Vec<Term>>), Refusal> {
    if outputs.len() > MAX_KEY_COLUMNS {
        return Err(too_wide(view, &outputs, &proof));
    }
    let terms_of = |(choice, variant): &(Vec<usize>, FlatView)| {
        let terms: Option<Vec<Term>> = outputs.iter().map(|o| variant.outputs[*o].expr.as_key_term()).collect();
        let told = terms.filter(|_| !asserted).and_then(|terms| absent::of_key(view, variant, &terms, catalog));
        let says = Says { gives: gives(view, choice), asserted, is_told_without: told.is_some() };
        outputs.iter().map(|o| key_term(view, variant, *o, catalog, &says)).collect()
    };
    // What is proved of one variant's rows is proved of those with NULL too.
    let may_be_null = |output: usize| !asserted && is_nullable(&variants[0].1, output, catalog);
    let all = match variants.iter().map(terms_of).collect::<Result<Vec<Vec<Term>>, Refusal>>() {
        // Where every write compares the whole tview, nobody has to find keys of rows. That they can be NULL is another matter.
        Err(refusal) if asserted && view.directive("full_refresh").is_some() && refusal.code != Code::MissingKey => {
            vec![Vec::new(); variants.len()]
        }
        found => found?,
    };
    let column = |output: &usize| {
        // A recursion's rows have the types of the rows that it begins with.
        let begun = variants.iter().filter(|(_, v)| !is_recursive(&v.outputs[*output].expr));
        let types = begun.map(|(_, v)| value_type(v, catalog, &v.outputs[*output].expr));
        match types.collect::<Option<Vec<_>>>().and_then(|types| SqlType::common(&types)) {
            Some(ty) => Ok(KeyColumn { output: *output, ty, nullable: may_be_null(*output) }),
            None => Err(untyped(view, *output)),
        }
    };
    let columns = outputs.iter().map(column).collect::<Result<Vec<_>, Refusal>>()?;
    match columns.iter().find(|k| !is_scalar(&k.ty)) {
        None => Ok((ViewKey { columns, proof, asserted }, all)),
        Some(array) => {
            let output = &view.outputs[array.output];
            let title = format!("key column `{}` is an array or a row", output.name);
            Err(Box::new(Diagnostic::new(Code::UnsupportedKey, title, output.expr.span)))
        }
    }
}

fn all_compared(name: &Ident) -> String {
    format!(
        "or write `-- tviewc: full_refresh` and `-- tviewc: key({})` above the view: every write to its tables then compares all documents",
        name.sql()
    )
}

/// What is known of a key.
struct Says {
    /// Rows of the variant are rows of the view.
    gives: bool,
    /// It is asserted by a directive.
    asserted: bool,
    /// Rows that an outer join has found no partner for are known by what they have in its place.
    is_told_without: bool,
}

/// What a key column is in one variant.
fn key_term(
    whole: &FlatView,
    view: &FlatView,
    output: usize,
    catalog: &Catalog,
    &Says { gives, asserted, is_told_without }: &Says,
) -> Result<Term, Refusal> {
    let shown = &view.outputs[output];
    let name = &shown.name;
    let Some(term) = shown.expr.as_key_term() else {
        let title =
            format!("key column `{name}` of `{}` is computed from more than columns of tables", whole.name.name);
        let diagnostic = Diagnostic::new(Code::UnsupportedKey, title, shown.expr.span);
        return Err(Box::new(
            diagnostic
                .note("from a changed row alone nobody can tell which documents it concerns")
                .help("select the key of a table and group by it")
                .help(all_compared(name)),
        ));
    };
    let Some(term) = of_one_use(view, catalog, term.clone()) else {
        let title = format!("key column `{name}` is computed from several tables");
        let parts: Vec<String> = term.columns().iter().map(|c| show(view, catalog, &Term::Column(*c))).collect();
        let group = if view.blocks[TOP.0].grouped.is_some() { ", and group by them" } else { "" };
        return Err(Box::new(
            Diagnostic::new(Code::UnsupportedKey, title, shown.expr.span)
                .note("of a document whose rows go with one statement nobody can tell by one of them which it was")
                .help(format!("add `{}` to the select list{group}: they are the key then", parts.join(", "))),
        ));
    };
    if is_told_without {
        return Ok(term);
    }
    if term.as_column().is_none() && term.uses().iter().any(|u| view.uses[u.0].nullable) {
        let title = format!("key column `{name}` is computed from the nullable side of an outer join");
        let diagnostic = Diagnostic::new(Code::UnsupportedKey, title, shown.expr.span);
        let rows =
            "a row without a partner is told by no row of that side: one that comes takes it to another document";
        return Err(Box::new(
            diagnostic
                .note(rows)
                .help("group by the column that refers to that side as well, or by it alone")
                .help(all_compared(name)),
        ));
    }
    let unstable = term.uses().iter().any(|u| !view.is_stable(view.uses[u.0].block, TOP));
    let null = can_be_null(view, catalog, &term);
    if gives && unstable {
        let title = format!("key column `{name}` of `{}` is of rows that LIMIT picks", whole.name.name);
        let note = "from a changed row alone nobody can tell which rows are picked";
        return Err(Box::new(Diagnostic::new(Code::UnsupportedKey, title, shown.expr.span).note(note)));
    }
    // Of rows of several variants with NULL in the key nobody has proved that they are one.
    let is_value = |null: &Null| !asserted && !unites_rows(whole) && is_of_row(view, &term, null);
    match null.filter(|null| gives && !is_value(null)) {
        Some(null) => Err(nullable(whole, shown, view, catalog, &term, &null, asserted)),
        None => Ok(term),
    }
}

/// A term over the columns of one use, where what it reads of others equals some of that use.
fn of_one_use(view: &FlatView, catalog: &Catalog, term: Term) -> Option<Term> {
    let uses = term.uses();
    if uses.len() < 2 {
        return Some(term);
    }
    let equals = Equals::new(view, catalog);
    let formula = term.as_formula()?;
    // Equal values of these types are one value.
    let is_one_value = |c: ColumnRef| {
        let column = &catalog.table(&view.use_of(c).table).columns[c.column];
        column.ty.is_plain() && column.collation.is_none()
    };
    let of_use = |owner: UseId, column: ColumnRef| {
        let is_same = |c: &ColumnRef| *c == column || is_one_value(*c) && is_one_value(column);
        equals.class(column).into_iter().filter(|c| c.use_id == owner).find(is_same)
    };
    let owners: BTreeSet<UseId> =
        formula.columns().into_iter().flat_map(|c| equals.class(c)).map(|c| c.use_id).collect();
    let mut found = owners.into_iter().filter_map(|owner| formula.with_columns(&|column| of_use(owner, column)));
    found.next().map(|formula| Term::Formula(formula.into()))
}

/// Whether rows of the view come of several queries, or of both sides of a full join; not, where only values do.
pub(super) fn unites_rows(view: &FlatView) -> bool {
    view.alternatives.iter().any(|a| view.in_region(a.block, TOP))
}

/// Whether NULL comes from a row, and so is found from it: not from the place of one that an outer join has not found, and not from
/// constants, which others are compared with.
fn is_of_row(view: &FlatView, term: &Term, null: &Null) -> bool {
    let solid = |columns: &BTreeSet<ColumnRef>| columns.iter().all(|c| !view.use_of(*c).nullable);
    let of_rows = match null {
        Null::Of(columns) => solid(columns),
        Null::Infinite(_) | Null::Unknown => true,
    };
    of_rows && solid(&term.columns()) && !term.columns().is_empty()
}

/// Whether an output of the key can be NULL.
fn is_nullable(view: &FlatView, output: usize, catalog: &Catalog) -> bool {
    view.outputs[output].expr.as_key_term().is_some_and(|term| can_be_null(view, catalog, &term).is_some())
}

/// The type of an output, also where it is none of a row's own.
fn value_type<'t>(view: &'t FlatView, catalog: &'t Catalog, expr: &'t Expr) -> Option<&'t SqlType> {
    match (&expr.kind, &expr.formula, &expr.element) {
        (ExprKind::Column(column), ..) => Some(&catalog.table(&view.use_of(*column).table).columns[column.column].ty),
        (_, Some(formula), _) => formula.ty.as_ref(),
        (_, _, Some(element)) => element.ty.as_ref(),
        (ExprKind::Subquery(_, value), ..) => value_type(view, catalog, value),
        _ => None,
    }
}

/// Whether a value is one of the rows that a recursion has led to.
fn is_recursive(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Made(values) => values.is_empty() && expr.element.is_none(),
        ExprKind::Subquery(_, value) => is_recursive(value),
        _ => false,
    }
}

fn too_wide(view: &FlatView, outputs: &[usize], proof: &str) -> Refusal {
    let title = format!("the key of `{}` has {} columns", view.name.name, outputs.len());
    Box::new(
        Diagnostic::new(Code::UnsupportedKey, title, view.span)
            .label(format!("an index of PostgreSQL has {MAX_KEY_COLUMNS} at most"))
            .note(proof.to_owned()),
    )
}

fn untyped(view: &FlatView, output: usize) -> Refusal {
    let shown = &view.outputs[output];
    let title = format!("the type of key column `{}` is not known", shown.name);
    Box::new(
        Diagnostic::new(Code::UnsupportedKey, title, shown.expr.span)
            .note("generated functions hold keys in variables of their types")
            .help("say it with a cast, here and in GROUP BY: `(…)::integer`, `(…)::text`"),
    )
}

fn asserted(view: &FlatView, names: &[Ident], span: Span) -> Result<Vec<usize>, Refusal> {
    let mut outputs = Vec::new();
    for name in names {
        let Some(output) = view.outputs.iter().position(|o| &o.name == name) else {
            let title = format!("`key` names `{name}`, which `{}` does not select", view.name.name);
            return Err(Box::new(Diagnostic::new(Code::MissingKey, title, span)));
        };
        outputs.push(output);
    }
    if outputs.is_empty() {
        return Err(Box::new(Diagnostic::new(Code::MissingKey, "`key` needs a column", span)));
    }
    Ok(outputs)
}

/// `key of bench_posts (id)`.
fn describe(view: &FlatView, catalog: &Catalog, terms: &[Term]) -> String {
    let mut parts: Vec<String> = Vec::new();
    let columns: Vec<ColumnRef> = terms.iter().filter_map(Term::as_column).collect();
    for use_id in columns.iter().map(|c| c.use_id).collect::<BTreeSet<_>>() {
        let table = catalog.table(&view.uses[use_id.0].table);
        let own = columns.iter().filter(|c| c.use_id == use_id);
        let list: Vec<&str> = own.map(|c| table.columns[c.column].name.as_str()).collect();
        parts.push(format!("key of {} ({})", table.name.name, list.join(", ")));
    }
    for formula in terms.iter().filter(|t| t.as_column().is_none()) {
        // What functions make is known by the name that it has in the view.
        let shown =
            view.outputs.iter().find(|o| o.expr.element.is_some() && o.expr.as_key_term().as_ref() == Some(formula));
        parts.push(format!("group of {}", shown.map_or_else(|| show(view, catalog, formula), |o| o.name.sql())));
    }
    parts.join(" and ")
}
