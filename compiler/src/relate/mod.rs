//! Relate: which rows belong to which document.
//!
//! In: a [`FlatView`] and the catalog. Out: the key of the view, and for every [`Variant`] of it and every use of a base
//! table the way from its rows to that key ([`Link`]). What always holds: following the links from any row that has an
//! influence on a document arrives at that document's key; conditions that are no links are dropped, so that the keys
//! found may be too many, never too few.
//!
//! The argument is in `docs/architecture.md` ("Which documents does a row reach?").

mod absent;
mod closure;
mod dependencies;
mod fixed;
mod guards;
mod injective;
mod keys;
mod links;
mod locks;
mod made;
mod open;
mod partial;
mod parts;
mod sides;
mod steps;
mod telling;
#[cfg(test)]
mod tests;
mod texts;
mod windows;

pub use absent::Absent;
use closure::Equals;
pub use closure::{BlockRows, determines_rows, determines_uses, nullable_in_row};
use guards::Guards;
pub use injective::told_columns;
pub use keys::{KeyColumn, ViewKey};
use links::MAX_WAY;
pub use links::{Link, Links, Pair};
pub use locks::{ValueLock, is_scalar, key_lock, same_type, variable_type};
pub use partial::{is_said_of_rows, relied_on};
pub use windows::windows_of_all;

use std::collections::BTreeSet;

use crate::catalog::Catalog;
use crate::diagnostics::{Code, Diagnostic, Diagnostics};
use crate::names::Ident;
use crate::resolve::{Block, BlockId, ColumnRef, FlatView, MAX_VARIANTS, TOP, Term, UseId};

/// One way to read a view: see [`FlatView::variants`].
#[derive(Clone, Debug)]
pub struct Variant {
    /// Its settled view.
    pub view: FlatView,
    /// The key's terms, in key order; none where nothing links rows to keys.
    pub key: Vec<Term>,
    /// The ways to it.
    pub links: Links,
    /// It is for rows that have found no partner there.
    pub absent: Option<Absent>,
}

impl Variant {
    /// The key's terms, and the columns that equal them.
    pub fn equal_to_key(&self, catalog: &Catalog) -> BTreeSet<Term> {
        let equals = Equals::new(&self.view, catalog);
        let class = |term: &Term| match term {
            Term::Column(column) => equals.class(*column).into_iter().map(Term::Column).collect(),
            Term::Formula(_) => vec![term.clone()],
        };
        self.key.iter().flat_map(class).collect()
    }

    /// The columns that an output of the view tells, as the view names them.
    pub fn told_by(&self, output: usize, catalog: &Catalog) -> Vec<String> {
        let columns = self.view.outputs[output].expr.as_key_term().map(|t| told_columns(&self.view, catalog, &t));
        columns.into_iter().flatten().map(|c| self.shown(c, catalog)).collect()
    }

    /// A column as the view names it.
    pub fn shown(&self, column: ColumnRef, catalog: &Catalog) -> String {
        open::show(&self.view, catalog, &Term::Column(column))
    }

    /// What the rows of a use are found by: the pairs of its link, and what of a key that is made of constants it holds.
    pub fn compared(&self, link: &Link) -> Vec<Pair> {
        let held = link.key.iter().flatten().zip(&self.key).filter(|(own, key)| key.is_of_constants() && own != key);
        let pair =
            |(own, key): (&Term, &Term)| Pair::Equal { child: own.clone(), parent: key.clone(), null_safe: false };
        link.on.iter().cloned().chain(held.map(pair)).collect()
    }

    /// The uses whose rows have an influence, by their links.
    pub fn starts(&self) -> impl Iterator<Item = &Link> {
        // Of rows without a partner nothing is read through one.
        let is_behind = |link: &Link| {
            let child = self.absent.as_ref().map(|absent| absent.child);
            self.links.way_up(link.child).iter().skip(1).any(|above| Some(above.child) == child)
        };
        self.links.iter().filter(move |link| !is_behind(link))
    }

    /// Whether the view has a row for each of a use's, where the ways to the key lead.
    pub fn is_root(&self, use_id: UseId) -> bool {
        let owner = &self.view.uses[use_id.0];
        let is_shown = !owner.nullable && self.view.in_region(owner.block, TOP);
        is_shown && self.links.of(use_id).is_some_and(|l| l.parent.is_none())
    }
}

/// Key and variants of one view.
#[derive(Clone, Debug)]
pub struct Relations {
    /// The key.
    pub key: ViewKey,
    /// At least one.
    pub variants: Vec<Variant>,
    /// Whether rows of one key can be there and show no document: what shows one is decided over several.
    pub hides: bool,
    /// Of the view's conditions with OR, of which one part has to hold, those without whose parts rows would be linked to nothing.
    pub parted: BTreeSet<usize>,
}

impl Relations {
    /// The different links that have locks, in locking order.
    pub fn locked_links(&self) -> Vec<&Link> {
        let mut seen = BTreeSet::new();
        let all = self.variants.iter().flat_map(|v| v.links.iter()).filter(|l| l.lock.is_some());
        all.filter(|l| seen.insert((l.child, l.number))).collect()
    }

    /// The lock of one of the links of a use.
    pub fn lock_of(&self, use_id: UseId, number: usize) -> Option<&ValueLock> {
        let links = self.variants.iter().filter_map(|v| v.links.of(use_id));
        links.filter(|l| l.number == number).find_map(|l| l.lock.as_ref())
    }

    /// Whether expressions of the user's are part of links or keys.
    pub fn has_formulas(&self) -> bool {
        let formula = |t: &Term| t.as_column().is_none();
        let pair = |p: &Pair| p.columns().is_none();
        self.variants.iter().any(|v| v.key.iter().any(formula) || v.links.iter().any(|l| l.on.iter().any(pair)))
    }

    /// The uses whose changes can change any document.
    pub fn whole(&self) -> impl Iterator<Item = UseId> {
        self.variants.iter().flat_map(|v| v.links.whole.iter().copied())
    }
}

/// Finds the key and the links; what is missing is reported.
pub fn relate(view: &FlatView, catalog: &Catalog, diagnostics: &mut Diagnostics) -> Option<Relations> {
    let settled = view.variants();
    let (key, terms) = match keys::infer(view, &settled, catalog) {
        Ok(found) => found,
        Err(diagnostic) => {
            diagnostics.push(*diagnostic);
            // What would be refused next is said at once.
            let whole = view.whole.filter(|_| view.directive("full_refresh").is_none());
            whole.into_iter().for_each(|(reason, span)| diagnostics.push(whole_view(view, reason, span)));
            return None;
        }
    };
    let mut parted = BTreeSet::new();
    let most = MAX_VARIANTS / settled.len().max(1);
    let variant = |((choice, settled), key): ((Vec<usize>, FlatView), Vec<Term>)| {
        let guards = Guards::new(&settled);
        let key: Vec<Term> = key.iter().map(|term| guards.term(term)).collect();
        let (ways, taken) = parts::derive(view, (&choice, &settled), &key, most, catalog);
        parted.extend(taken.into_iter().filter(|condition| view.parts[*condition].is_written));
        let alone = absent::of_key(view, &settled, &key, catalog).map(|absent| {
            let key = absent::without_partner(&settled, catalog, &key);
            let links = links::derive_below(&settled, &key, absent.parent, catalog);
            Variant { view: settled.clone(), key, links, absent: Some(absent) }
        });
        let of_way = move |links| Variant { view: settled.clone(), key: key.clone(), links, absent: None };
        ways.into_iter().map(of_way).chain(alone).collect::<Vec<_>>()
    };
    let mut variants: Vec<Variant> = settled.into_iter().zip(terms).flat_map(variant).collect();
    links::number(variants.iter_mut().map(|v| &mut v.links));
    let relations = Relations { key, variants, hides: hides(view), parted };
    if view.directive("full_refresh").is_some() {
        return Some(relations);
    }
    let mut refused = view.whole.map(|(reason, span)| whole_view(view, reason, span)).into_iter().collect::<Vec<_>>();
    if refused.is_empty() {
        let (mut far, mut unlinked) = (BTreeSet::new(), BTreeSet::new());
        for links in relations.variants.iter().map(|v| &v.links) {
            match links.too_far {
                // What lies behind it is unlinked for the same reason.
                Some(use_id) => drop(far.insert(use_id)),
                None => unlinked.extend(&links.whole),
            }
        }
        refused.extend(far.into_iter().map(|u| too_far(view, u)));
        refused.extend(unlinked.into_iter().map(|u| unlinked_table(view, u, &relations.variants, catalog)));
    }
    let is_fine = refused.is_empty();
    refused.into_iter().for_each(|d| diagnostics.push(d));
    is_fine.then_some(relations)
}

/// Whether one row of a key, where it goes, can make another one show a document that was not there: of groups, of rows that are picked or
/// numbered, and of those that EXCEPT takes away.
fn hides(view: &FlatView) -> bool {
    let here = |block: BlockId| view.in_region(block, TOP);
    let decides = |(n, block): (usize, &Block)| {
        let several = block.grouped.is_some() || block.aggregated || block.picked || block.distinct;
        here(BlockId(n)) && (block.having || block.limited || BlockId(n) != TOP && several)
    };
    view.blocks.iter().enumerate().any(decides)
        || !view.numberings.is_empty()
        || view.alternatives.iter().any(|a| here(a.block) && a.giving.contains(&false))
}

const FULL_REFRESH: &str =
    "write `-- tviewc: full_refresh` on the line above the view: such a write then compares all documents";

fn whole_view(view: &FlatView, reason: &str, span: crate::source::Span) -> Diagnostic {
    let title = format!("every write would concern all documents of `{}`", view.name.name);
    Diagnostic::new(Code::UnlinkedTable, title, span).label(reason).help(FULL_REFRESH)
}

fn too_far(view: &FlatView, use_id: UseId) -> Diagnostic {
    let owner = &view.uses[use_id.0];
    let title = format!("`{}` is more than {MAX_WAY} joins away from the key of `{}`", owner.alias, view.name.name);
    Diagnostic::new(Code::UnsupportedQuery, title, owner.span)
        .note("what a write to it would have to do grows with every table on the way")
        .help("keep a column of the key's table in a table on the way, and compare it with the key")
        .help(format!("or {FULL_REFRESH}"))
}

/// Nothing links the rows of a window, which are no table of the user's query.
fn of_window(view: &FlatView, window: &Block, table: &Ident) -> Diagnostic {
    let title = format!("nothing links the rows of this window to the key of `{}`", view.name.name);
    let help = match window.conditions.is_empty() {
        true => "give it a PARTITION BY: a row then concerns the documents of its partition only",
        false => "partition it by columns: what of them a document shows has to lead to its key",
    };
    Diagnostic::new(Code::UnlinkedTable, title, window.span)
        .note(format!("a change of one row of `{table}` would change every document"))
        .help(help)
        .help(format!("or {FULL_REFRESH}"))
}

fn unlinked_table(view: &FlatView, use_id: UseId, variants: &[Variant], catalog: &Catalog) -> Diagnostic {
    let owner = &view.uses[use_id.0];
    let declared = catalog.table(&owner.table);
    if let Some(window) = view.blocks.iter().zip(0..).find(|(b, n)| b.window && view.within(owner.block, BlockId(*n))) {
        return of_window(view, window.0, &declared.name.name);
    }
    let title = format!("nothing links `{}` to the key of `{}`", owner.alias, view.name.name);
    let diagnostic = Diagnostic::new(Code::UnlinkedTable, title, owner.span)
        .note(format!("a change of one row of `{}` would change every document", declared.name.name));
    let diagnostic = if view.untold.iter().any(|block| view.within(owner.block, *block)) {
        diagnostic
            .note("IN is NULL where what is asked for, or one of the values, is NULL: the first such row changes it everywhere")
            .help("say that neither is: `a IN (SELECT b … WHERE b IS NOT NULL)`, or compare them in EXISTS (SELECT … WHERE b = a)")
    } else if let Some((value, own, key)) = made::of_another_type(variants, use_id, catalog) {
        diagnostic
            .note(format!("`{value}` is of type {own}, and what it is compared with of type {key}"))
            .help(format!("make that of type {own}, where it is selected, grouped and compared: `(…)::{own}`"))
    } else if owner.block == TOP {
        diagnostic.help("join it by equality of columns with a table that is linked to the key")
    } else {
        diagnostic.help("correlate the subquery: compare one of its columns with a column of the query around it, by `=` and not under OR")
    };
    diagnostic.help(format!("or {FULL_REFRESH}"))
}
