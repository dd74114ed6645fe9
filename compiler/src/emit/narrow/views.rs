//! Views below: those that are read in another form as well.
//!
//! In: a tview. Out: the changes of its view's text that windows below it and memberships need, and the views that take the place of
//! those that it reads: their text, with all that lets conditions into grouped queries, CTEs and windows. What always holds: a view that
//! takes another one's place has its columns and its rows; a view that nothing of the kind is in is read as it is.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast::{Spanned, TableFactor, Visit, Visitor};
use sqlparser::tokenizer::Token;

use super::Given;
use super::below::Wanted;
use super::ctes::{all_ctes, named};
use super::leads::Leads;
use crate::catalog::{Catalog, Relation, View};
use crate::cut::{Edit, Text};
use crate::emit::names;
use crate::names::{Ident, QualName};
use crate::plan::{Tview, Whole};
use crate::relate::windows_of_all;
use crate::resolve::{TOP, ident};
use crate::source::Span;

/// How deep views are looked into.
const MAX_DEPTH: usize = 16;

/// A view below in its other form.
pub struct Below<'g> {
    /// The user's.
    pub view: &'g View,
    /// The name of the other one, in the schema `tview`.
    pub name: Ident,
    /// Its query.
    pub query: String,
}

/// What is written for windows below a view, in its own text and in the views that it reads.
pub(super) struct Rewriting<'g> {
    given: Given<'g>,
    program: &'g str,
    tview: &'g Tview,
    /// The windows that are in the way.
    wanted: BTreeSet<Span>,
    /// Those of them that are in no subquery.
    in_from: BTreeSet<Span>,
    /// Those of them that are not any more.
    done: BTreeSet<Span>,
    /// Where the key leads.
    leads: Leads,
    /// Grouped queries that stay in the way, and whether each is in no subquery.
    groups: Vec<(Span, bool)>,
    /// In the order in which they can be created.
    pub below: Vec<Below<'g>>,
    looked_into: Vec<QualName>,
}

impl<'g> Rewriting<'g> {
    /// Of a tview's view.
    pub(super) fn new(given: Given<'g>, program: &'g str, tview: &'g Tview) -> Self {
        let (mut wanted, mut in_from) = (BTreeSet::new(), BTreeSet::new());
        for variant in &tview.relations.variants {
            for window in windows_of_all(variant, given.catalog) {
                wanted.insert(window.span);
                in_from.extend((variant.view.region_of(window.block) == TOP).then_some(window.span));
            }
        }
        let (done, below, looked_into) = (BTreeSet::new(), Vec::new(), Vec::new());
        let leads = Leads::of(tview);
        Rewriting { given, program, tview, wanted, in_from, done, leads, groups: Vec::new(), below, looked_into }
    }

    /// What stays in the way, besides a chain of full joins.
    pub(super) fn left(&self, chain: Option<Span>) -> Whole {
        let mut left = self.wanted.difference(&self.done).copied();
        let window = left.next();
        let mut at_once = window.into_iter().chain(left).any(|span| self.in_from.contains(&span));
        at_once |= self.groups.iter().any(|(_, in_from)| *in_from);
        let group = self.groups.first().map(|(span, _)| *span);
        let by_row = self.done.iter().any(|span| self.in_from.contains(span));
        let parts = self.tview.relations.parted.first().map(|at| self.tview.view.parts[*at].place);
        Whole { window, at_once, by_row, chain, parts, group }
    }

    /// Adds the changes of the view's own text.
    pub(super) fn own(&mut self, text: &Text, view: &'g View, edits: &mut Vec<Edit>) {
        self.changes(text, view, 0, edits);
    }

    fn changes(&mut self, text: &Text, view: &'g View, depth: usize, edits: &mut Vec<Edit>) {
        let (given, flat) = (self.given, &self.tview.view);
        let laterals = text.laterals(view, given, &self.leads, flat.calls_user_functions);
        edits.extend(laterals.edits);
        self.groups.extend(laterals.whole);
        if depth < MAX_DEPTH {
            let ctes = all_ctes(&view.query);
            let mut mentions = Mentions { catalog: self.given.catalog, view, ctes, found: Vec::new() };
            let _ = view.query.visit(&mut mentions);
            // A row of a view has a type of its own, which a user's function may ask for.
            let is_free = |m: &&Mention| !flat.calls_user_functions || !text.shows_row(&m.known);
            for mention in mentions.found.iter().filter(|m| text.can_rename(m)).filter(is_free) {
                let other = self.instead_of(mention.view, depth + 1);
                edits.extend(other.and_then(|name| text.renamed(mention, &name)));
            }
        }
        text.memberships(given, flat, edits);
        let made = text.rows_of_windows(Wanted { given, flat, view, windows: &self.wanted, is_own: depth == 0 }, edits);
        let is_in = |e: &Edit, span: &Span| e.at.contains(&span.start) && span.end <= e.at.end;
        let is_done = |span: &&Span| span.file == text.query.file && made.iter().any(|e| is_in(e, span));
        self.done.extend(self.wanted.iter().filter(is_done));
        // What stands within what they replace is in their text already.
        edits.splice(0..0, made);
    }

    /// The view that takes the place of another one.
    fn instead_of(&mut self, view: &'g View, depth: usize) -> Option<Ident> {
        if let Some(known) = self.below.iter().find(|b| b.view.name == view.name) {
            return Some(known.name.clone());
        }
        if view.has_options || self.looked_into.contains(&view.name) {
            return None;
        }
        self.looked_into.push(view.name.clone());
        let text = self.given.text(view);
        let mut edits = text.unfenced(&view.query);
        self.changes(&text, view, depth, &mut edits);
        if edits.is_empty() {
            return None;
        }
        let name = names::below(self.program, &self.tview.name, &view.name);
        self.below.push(Below { view, name: name.clone(), query: text.with(&edits) });
        Some(name)
    }
}

/// A view that is named in FROM.
struct Mention<'g> {
    view: &'g View,
    /// The place of the name.
    at: sqlparser::tokenizer::Span,
    /// The name without its schema, where it has no other.
    shown: Option<Ident>,
    /// The name that its columns are read by.
    known: Ident,
}

impl Text<'_> {
    /// Whether the name can be another one: not where columns are named with the view's schema.
    fn can_rename(&self, mention: &Mention) -> bool {
        let Some(shown) = &mention.shown else { return true };
        let is_dot = |at: usize| *self.token(at) == Token::Period;
        let is_name = |at: usize| matches!(self.token(at), Token::Word(w) if ident_of(w) == *shown);
        let inner = self.tokens().start + 1..self.tokens().end.saturating_sub(1);
        !inner.into_iter().any(|at| is_name(at) && is_dot(at - 1) && is_dot(at + 1))
    }

    /// Whether a relation is named without one of its columns anywhere but in FROM: as a row.
    pub(super) fn shows_row(&self, name: &Ident) -> bool {
        let is = |at: usize, token: &Token| self.tokens().contains(&at) && self.token(at) == token;
        let is_name = |at: usize| matches!(self.token(at), Token::Word(w) if ident_of(w) == *name);
        let of_column = |at: usize| is(at + 1, &Token::Period) && !is(at + 2, &Token::Mul);
        let is_row = |at: &usize| is_name(*at) && !is(at - 1, &Token::Period) && !of_column(*at);
        self.tokens().skip(1).filter(is_row).count() > 1
    }

    /// Another view in the place of one that is named.
    fn renamed(&self, mention: &Mention, name: &Ident) -> Option<Edit> {
        let tokens = self.statement.tokens_of(mention.at)?;
        let shown = mention.shown.as_ref().map(|shown| format!(" AS {}", shown.sql())).unwrap_or_default();
        Some(Edit { at: self.bytes(&tokens), text: format!("tview.{}{shown}", name.sql()) })
    }
}

/// The name that a word is.
fn ident_of(word: &sqlparser::tokenizer::Word) -> Ident {
    Ident::new(if word.quote_style.is_some() { word.value.clone() } else { word.value.to_lowercase() })
}

/// The views that a query names in FROM.
struct Mentions<'g> {
    catalog: &'g Catalog,
    view: &'g View,
    ctes: BTreeSet<Ident>,
    found: Vec<Mention<'g>>,
}

impl Visitor for Mentions<'_> {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { name, alias, args: None, .. } = factor
            && let Some(Relation::View(view)) = named(self.catalog, &self.view.search_path, &self.ctes, name)
        {
            let alias = alias.as_ref().map(|alias| ident(&alias.name));
            let shown = alias.is_none().then(|| view.name.name.clone());
            let known = alias.unwrap_or_else(|| view.name.name.clone());
            self.found.push(Mention { view, at: name.span(), shown, known });
        }
        ControlFlow::Continue(())
    }
}
