//! Cut: a query's text, cut at its tokens.
//!
//! In: the tokens of a statement and the place of a query in it. Out: ranges of tokens and bytes, and the text with changes.
//! What always holds: text is cut between tokens and copied as it was written, never printed from the parsed form.

use std::ops::Range;

use sqlparser::ast::SelectItem;
use sqlparser::tokenizer::Token;

use crate::names::Ident;
use crate::source::{Sources, Span};
use crate::syntax::Statement;

/// A change of the text: what stands at these bytes is replaced.
#[derive(Clone)]
pub(crate) struct Edit {
    pub at: Range<usize>,
    pub text: String,
}

/// Appends a text so that its first word and the last one before it stay apart: `JOIN(…)` needs no blank, `JOIN LATERAL (…)` does.
fn append(text: &mut String, more: &str) {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '"');
    if text.ends_with(is_word) && more.starts_with(is_word) {
        text.push(' ');
    }
    text.push_str(more);
}

/// A query as it is written.
pub(crate) struct Text<'a> {
    pub sources: &'a Sources,
    pub statement: &'a Statement,
    pub query: Span,
}

/// The clauses of a SELECT, as tokens.
pub(crate) struct Clauses {
    /// What is selected.
    pub list: Range<usize>,
    /// What stands behind FROM.
    pub from: Range<usize>,
    /// What stands behind WHERE.
    pub conditions: Option<Range<usize>>,
    /// Everything else, from GROUP BY on.
    pub rest: Range<usize>,
}

/// The words that clauses behind FROM begin with.
const CLAUSES: &[&str] =
    &["where", "group", "having", "window", "order", "limit", "offset", "fetch", "for", "union", "except", "intersect"];

impl Text<'_> {
    /// The query's tokens.
    pub fn tokens(&self) -> Range<usize> {
        let before = |byte: usize| self.statement.tokens.partition_point(|(_, span)| span.start < byte);
        before(self.query.start)..before(self.query.end)
    }

    /// The SELECT of the query itself, behind WITH.
    pub fn outermost(&self) -> Option<usize> {
        self.level(self.tokens()).into_iter().find(|at| self.is_word(*at, "select"))
    }

    /// The expression of a select item, without its name; `None` for `*`.
    pub fn selected(&self, item: &Range<usize>, selected: &SelectItem) -> Option<Range<usize>> {
        match selected {
            SelectItem::UnnamedExpr(_) => Some(item.clone()),
            SelectItem::ExprWithAlias { .. } => {
                let last = item.end - 1;
                let end = if self.is_word(last - 1, "as") { last - 1 } else { last };
                (item.start < end).then_some(item.start..end)
            }
            _ => None,
        }
    }

    /// Whether one pair of parentheses is around all of it.
    pub fn is_in_parentheses(&self, tokens: &Range<usize>) -> bool {
        tokens.len() > 2
            && *self.token(tokens.start) == Token::LParen
            && self.closing(tokens.start) == Some(tokens.end - 1)
    }

    /// The clauses of the SELECT at a token, up to the end of the tokens or the parenthesis that closes those around.
    pub fn clauses(&self, select: usize, end: usize) -> Option<Clauses> {
        let start = if self.is_word(select + 1, "all") { select + 2 } else { select + 1 };
        let level = self.level(start..end);
        let end = level.last()? + 1;
        let is_from = |at: &usize| self.is_word(*at, "from") && !self.is_word(*at - 1, "distinct");
        let from = level.iter().copied().find(is_from)?;
        let begins = |at: &usize| self.begins_clause(*at);
        let mut clauses = level.into_iter().filter(|at| *at > from).filter(begins).chain([end]);
        let first = clauses.next()?;
        let is_where = first < end && self.is_word(first, "where");
        let rest = if is_where { clauses.next()? } else { first };
        let conditions = is_where.then(|| first + 1..rest);
        Some(Clauses { list: start..from, from: from + 1..first, conditions, rest: rest..end })
    }

    /// Whether a clause behind FROM begins here.
    pub fn begins_clause(&self, at: usize) -> bool {
        CLAUSES.iter().any(|w| self.is_word(at, w))
    }

    /// The token of the parenthesis that closes the one at a token.
    pub fn closing(&self, open: usize) -> Option<usize> {
        let own = self.level(open + 1..self.tokens().end);
        let close = own.last().map_or(open + 1, |last| last + 1);
        (close < self.tokens().end).then_some(close)
    }

    /// What stands in the parentheses of a call of a function, and behind them.
    pub fn call(&self, at: &Range<usize>, function: &str) -> Option<(Range<usize>, Range<usize>)> {
        let opens = at.len() > 2 && self.is_word(at.start, function) && *self.token(at.start + 1) == Token::LParen;
        let close = opens.then(|| self.closing(at.start + 1)).flatten().filter(|close| *close < at.end)?;
        Some((at.start + 2..close, close + 1..at.end))
    }

    /// The query's text with changes; what is within a text that is replaced goes with it.
    pub fn with(&self, edits: &[Edit]) -> String {
        self.changed(self.query.start..self.query.end, edits)
    }

    /// The text at these bytes with the changes that lie within.
    pub fn changed(&self, bytes: Range<usize>, edits: &[Edit]) -> String {
        let within = |e: &&Edit| bytes.start <= e.at.start && e.at.end <= bytes.end;
        let mut edits: Vec<&Edit> = edits.iter().filter(within).collect();
        edits.sort_by_key(|e| (e.at.start, !e.at.is_empty()));
        let mut text = String::new();
        let mut from = bytes.start;
        for Edit { at, text: new } in edits {
            if at.start < from {
                continue;
            }
            append(&mut text, self.slice(from..at.start));
            append(&mut text, new);
            from = at.end;
        }
        append(&mut text, self.slice(from..bytes.end));
        text
    }

    pub fn slice(&self, bytes: Range<usize>) -> &str {
        self.sources.text(Span { file: self.query.file, start: bytes.start, end: bytes.end })
    }

    pub fn token(&self, at: usize) -> &Token {
        &self.statement.tokens[at].0
    }

    pub fn bytes(&self, tokens: &Range<usize>) -> Range<usize> {
        self.statement.tokens[tokens.start].1.start..self.statement.tokens[tokens.end - 1].1.end
    }

    pub fn is_word(&self, at: usize, word: &str) -> bool {
        let token = self.statement.tokens.get(at).map(|(token, _)| token);
        matches!(token, Some(Token::Word(w)) if w.quote_style.is_none() && w.value.eq_ignore_ascii_case(word))
    }

    /// The name that a token is, if it is one.
    pub fn name(&self, at: usize) -> Option<Ident> {
        match self.token(at) {
            Token::Word(w) if w.quote_style.is_none() => Some(Ident::new(w.value.to_lowercase())),
            Token::Word(w) => Some(Ident::new(w.value.clone())),
            _ => None,
        }
    }

    /// Tokens as they are compared: upper and lower case are told apart within quotes only.
    pub fn normal(&self, tokens: &Range<usize>) -> Vec<String> {
        let word = |at: usize| match self.token(at) {
            Token::Word(w) if w.quote_style.is_none() => w.value.to_lowercase(),
            other => other.to_string(),
        };
        tokens.clone().map(word).collect()
    }

    /// The ranges between the commas.
    pub fn items(&self, tokens: Range<usize>) -> Vec<Range<usize>> {
        let commas = self.level(tokens.clone()).into_iter().filter(|at| *self.token(*at) == Token::Comma);
        let bounds: Vec<usize> = commas.chain([tokens.end]).collect();
        let starts = std::iter::once(tokens.start).chain(bounds.iter().map(|at| at + 1));
        starts.zip(&bounds).map(|(from, to)| from..*to).filter(|item| !item.is_empty()).collect()
    }

    /// The tokens that are in no parentheses, up to the one that closes those around; of groups, the parentheses.
    pub fn level(&self, tokens: Range<usize>) -> Vec<usize> {
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
    pub fn outside_subqueries(&self, tokens: Range<usize>) -> Vec<usize> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostics::Diagnostics;
    use crate::source::SourceFile;
    use crate::syntax;

    #[test]
    fn what_is_put_before_a_text_stays_where_the_text_is_replaced() {
        let file = SourceFile { name: "test.sql".into(), text: "SELECT 1 FROM b x;".into(), context_only: false };
        let sources = Sources { files: vec![file] };
        let statements = syntax::parse(&sources, &mut Diagnostics::default());
        let text = Text { sources: &sources, statement: &statements[0], query: statements[0].span };
        let put = |at: Range<usize>, text: &str| Edit { at, text: text.into() };
        let edits = [put(14..15, "public.tv_b"), put(14..14, "LATERAL (SELECT FROM "), put(17..17, ") AS x")];
        assert_eq!(text.with(&edits).trim_end_matches(';'), "SELECT 1 FROM LATERAL (SELECT FROM public.tv_b x) AS x");
        // What is put within a text that is replaced goes with it.
        let within = [put(14..17, "c"), put(16..16, "AS ")];
        assert_eq!(text.with(&within).trim_end_matches(';'), "SELECT 1 FROM c");
    }
}
