//! CTEs: those that are fences to the planner.
//!
//! In: a query. Out: where `NOT MATERIALIZED` has to be written.

use std::collections::{BTreeSet, HashMap};
use std::ops::ControlFlow;

use sqlparser::ast::{Cte, CteAsMaterialized, ObjectName, Query, Visit, Visitor};
use sqlparser::tokenizer::Token;

use crate::catalog::{Catalog, Relation};
use crate::cut::{Edit, Text};
use crate::names::Ident;
use crate::resolve::{ident, parts};

impl Text<'_> {
    /// `NOT MATERIALIZED` for the CTEs that the planner would keep apart.
    pub(super) fn unfenced(&self, query: &Query) -> Vec<Edit> {
        let mut ctes = Ctes::default();
        let _ = query.visit(&mut ctes);
        let fenced = |cte: &&FoundCte| match cte.materialized {
            Some(CteAsMaterialized::NotMaterialized) => false,
            Some(CteAsMaterialized::Materialized) => true,
            None => ctes.mentions.get(&cte.name).is_some_and(|n| *n > 1),
        };
        ctes.found.iter().filter(fenced).filter_map(|cte| self.unfence(cte)).collect()
    }

    fn unfence(&self, cte: &FoundCte) -> Option<Edit> {
        let name = self.statement.tokens_of(cte.at)?;
        let at = (name.end..self.tokens().end).find(|at| self.is_word(*at, "as"))?;
        let open = (at + 1..self.tokens().end).find(|at| *self.token(*at) == Token::LParen)?;
        let between = self.statement.tokens[at].1.end..self.statement.tokens[open].1.start;
        Some(Edit { at: between, text: " NOT MATERIALIZED ".into() })
    }
}

/// The names of all CTEs of a query, wherever they stand.
pub(super) fn all_ctes(query: &Query) -> BTreeSet<Ident> {
    let mut ctes = Ctes::default();
    let _ = query.visit(&mut ctes);
    ctes.found.into_iter().map(|cte| cte.name).collect()
}

/// The relation of the catalog that a name in FROM means, if it is no CTE.
pub(super) fn named<'c>(
    catalog: &'c Catalog,
    search_path: &[Ident],
    ctes: &BTreeSet<Ident>,
    name: &ObjectName,
) -> Option<&'c Relation> {
    match parts(name)?.as_slice() {
        [name] if ctes.contains(name) => None,
        [name] => catalog.lookup(None, name, search_path),
        [schema, name] => catalog.lookup(Some(schema), name, search_path),
        _ => None,
    }
}

/// A CTE: its name, where that stands, and what is said of it.
struct FoundCte {
    name: Ident,
    at: sqlparser::tokenizer::Span,
    materialized: Option<CteAsMaterialized>,
}

/// The CTEs of a query and of its subqueries, and how often relations are mentioned by such names.
#[derive(Default)]
struct Ctes {
    found: Vec<FoundCte>,
    mentions: HashMap<Ident, usize>,
}

impl Visitor for Ctes {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let found = |cte: &Cte| FoundCte {
            name: ident(&cte.alias.name),
            at: cte.alias.name.span,
            materialized: cte.materialized,
        };
        self.found.extend(query.with.iter().flat_map(|w| &w.cte_tables).map(found));
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, name: &ObjectName) -> ControlFlow<()> {
        if let [part] = name.0.as_slice()
            && let Some(name) = part.as_ident()
        {
            *self.mentions.entry(ident(name)).or_insert(0) += 1;
        }
        ControlFlow::Continue(())
    }
}
