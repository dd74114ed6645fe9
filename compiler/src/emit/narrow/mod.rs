//! Narrowing: a view's query in a form that PostgreSQL's planner pushes keys into.
//!
//! In: a view. Out: where the planner would compute the view as a whole to show one of its rows, the user's own text with
//! three kinds of changes. What always holds: the rows are those of the view.
//!
//! - A CTE that is read twice is a fence to the planner; `NOT MATERIALIZED` takes it away. Queries of views write nothing and
//!   hold no volatile function, so that how often they are run is of no consequence.
//! - A grouped query in a join is computed for all groups; as a LATERAL one it is computed for the rows that it is joined to.
//! - A condition on the key does not pass a window function unless the key is part of every PARTITION BY. A condition on what
//!   all windows are partitioned by does. So these expressions are selected as well, and a second query tells, without
//!   computing windows, in which partitions the keys are.

mod ctes;
mod joins;
mod windows;

use std::ops::Range;

use sqlparser::tokenizer::Token;

use super::Program;
use crate::catalog::View;
use crate::names::Ident;
use crate::plan::Tview;
use crate::source::{Sources, Span};
use crate::syntax::Statement;

/// A view's query for reading it by key.
pub struct Narrowed {
    /// Selects what the view selects, then the partition.
    pub query: String,
    /// Where windows are in the way.
    pub partition: Option<Partition>,
}

/// What all windows of a query are partitioned by.
pub struct Partition {
    /// The names of the expressions, and whether each can be NULL.
    pub columns: Vec<(Ident, bool)>,
    /// Selects what the view selects, but NULL for what is computed by windows, then the partition.
    pub rows: String,
}

/// The narrowed form of a view's query; `None` where there is nothing to change.
pub fn narrow(program: &Program, view: &View, tview: &Tview) -> Option<Narrowed> {
    let flat = &tview.view;
    let statement = &program.statements[view.statement];
    let text = Text { sources: program.sources, statement, query: view.query_span };
    let mut edits = text.unfenced(&view.query);
    // A row of a view has a type of its own, which a user's function may ask for.
    if !flat.calls_user_functions {
        edits.extend(text.laterals(view, program.catalog, &left_of_key(tview)));
    }
    let windows = windows::has_plain_partitions(program, flat).then(|| text.windows(&view.query)).flatten();
    let Some(windows) = windows else {
        return (!edits.is_empty()).then(|| Narrowed { query: text.with(edits), partition: None });
    };
    let taken = |name: &str| flat.outputs.iter().any(|o| o.name.as_str() == name);
    let prefix =
        ["partition", "tview_partition", "tview_own_partition"].into_iter().find(|p| !taken(&format!("{p}_1")))?;
    let name = |n: usize| Ident::new(format!("{prefix}_{}", n + 1));
    let written = |at: &Range<usize>| text.slice(at.clone()).to_owned();
    let selected = windows.partition.iter().enumerate();
    let selected = selected.map(|(n, at)| format!(",\n    {} AS {}", written(at), name(n).sql()));
    let more = Edit { at: windows.end..windows.end, text: selected.collect() };
    edits.push(more);
    let columns = windows.partition.iter().enumerate();
    let columns = columns.map(|(n, at)| (name(n), windows::can_be_null(program, flat, at))).collect();
    let rows = text.with(edits.iter().cloned().chain(windows.blanks).collect());
    Some(Narrowed { query: text.with(edits), partition: Some(Partition { columns, rows }) })
}

/// Of each join of the view's own FROM clause, whether all of the key comes from its left side.
fn left_of_key(tview: &Tview) -> Vec<bool> {
    let outputs = tview.relations.key.columns.iter().map(|k| &tview.view.outputs[k.output].expr);
    let terms: Option<Vec<_>> = outputs.map(|e| e.as_term()).collect();
    let uses = terms.map(|terms| terms.iter().flat_map(|t| t.uses()).map(|u| u.0).max());
    tview.view.joins.iter().map(|first| matches!(uses, Some(Some(last)) if last < *first)).collect()
}

/// A change of the text: what stands at these bytes is replaced.
#[derive(Clone)]
struct Edit {
    at: Range<usize>,
    text: String,
}

/// Appends a text so that its first word and the last one before it stay apart: `JOIN(…)` needs no blank, `JOIN LATERAL (…)` does.
fn append(text: &mut String, more: &str) {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '"');
    if text.ends_with(is_word) && more.starts_with(is_word) {
        text.push(' ');
    }
    text.push_str(more);
}

struct Text<'a> {
    sources: &'a Sources,
    statement: &'a Statement,
    query: Span,
}

impl Text<'_> {
    /// The query's text with changes; what is within a text that is replaced goes with it.
    fn with(&self, mut edits: Vec<Edit>) -> String {
        edits.sort_by_key(|e| (e.at.start, e.at.is_empty()));
        let mut text = String::new();
        let mut from = self.query.start;
        for Edit { at, text: new } in edits {
            if at.start < from {
                continue;
            }
            append(&mut text, self.slice(from..at.start));
            append(&mut text, &new);
            from = at.end;
        }
        append(&mut text, self.slice(from..self.query.end));
        text
    }

    fn slice(&self, bytes: Range<usize>) -> &str {
        self.sources.text(Span { file: self.query.file, start: bytes.start, end: bytes.end })
    }

    fn token(&self, at: usize) -> &Token {
        &self.statement.tokens[at].0
    }

    fn bytes(&self, tokens: &Range<usize>) -> Range<usize> {
        self.statement.tokens[tokens.start].1.start..self.statement.tokens[tokens.end - 1].1.end
    }

    fn is_word(&self, at: usize, word: &str) -> bool {
        let token = self.statement.tokens.get(at).map(|(token, _)| token);
        matches!(token, Some(Token::Word(w)) if w.quote_style.is_none() && w.value.eq_ignore_ascii_case(word))
    }

    /// The ranges between the commas.
    fn items(&self, tokens: Range<usize>) -> Vec<Range<usize>> {
        let commas = self.level(tokens.clone()).into_iter().filter(|at| *self.token(*at) == Token::Comma);
        let bounds: Vec<usize> = commas.chain([tokens.end]).collect();
        let starts = std::iter::once(tokens.start).chain(bounds.iter().map(|at| at + 1));
        starts.zip(&bounds).map(|(from, to)| from..*to).filter(|item| !item.is_empty()).collect()
    }

    /// The tokens that are in no parentheses, up to the one that closes those around; of groups, the parentheses.
    fn level(&self, tokens: Range<usize>) -> Vec<usize> {
        let (mut depth, mut own) = (0_usize, Vec::new());
        for at in tokens {
            let opens = matches!(self.token(at), Token::LParen | Token::LBracket);
            let closes = matches!(self.token(at), Token::RParen | Token::RBracket);
            if closes && depth == 0 {
                break;
            }
            depth -= usize::from(closes);
            if depth == 0 {
                own.push(at);
            }
            depth += usize::from(opens);
        }
        own
    }

    /// The tokens outside of subqueries.
    fn outside_subqueries(&self, tokens: Range<usize>) -> Vec<usize> {
        let (mut depth, mut hidden, mut outside) = (0_usize, None, Vec::new());
        for at in tokens {
            match self.token(at) {
                Token::LParen => {
                    depth += 1;
                    let begins = ["select", "with", "values"].iter().any(|w| self.is_word(at + 1, w));
                    hidden = hidden.or_else(|| begins.then_some(depth));
                }
                Token::RParen => {
                    hidden = hidden.filter(|h| *h != depth);
                    depth = depth.saturating_sub(1);
                }
                _ if hidden.is_none() => outside.push(at),
                _ => {}
            }
        }
        outside
    }
}
