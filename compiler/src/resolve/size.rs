//! How large a view may become.
//!
//! In: what is added while a view is resolved. Out: a refusal where it is too much. Views on views are expanded, so that
//! a few lines can stand for a number of tables that doubles with every line; with these bounds every view is resolved
//! in a bounded time. Said once per view: what is refused for this reason has the same cause.

use super::query::{Refused, Resolved, Resolver};
use super::{Expr, ExprKind};
use crate::diagnostics::{Code, Diagnostic};
use crate::source::Span;

/// Relations in the FROM clauses of a view and of what it reads.
const MAX_RELATIONS: usize = 1_000;

/// Queries in a view: its own, subqueries, and views that it reads, once per mention.
const MAX_QUERIES: usize = 1_000;

/// Expressions in a view: those that are written there, and those that come from other queries by the mention of a
/// column that is computed there.
const MAX_EXPRESSIONS: usize = 100_000;

/// Expressions in all views together.
pub(super) const MAX_OF_PROGRAM: usize = 5_000_000;

/// Tokens of a view that are read once more, to find where the text of an expression ends.
const MAX_REREAD: usize = 1_000_000;

/// Relations in a view that is read in several ways, over all of them ([`FlatView::variants`]).
///
/// [`FlatView::variants`]: super::FlatView::variants
const MAX_VARIANT_RELATIONS: usize = 20_000;

/// Expressions in such a view, over all of them.
const MAX_VARIANT_EXPRESSIONS: usize = 1_000_000;

/// How large a view has become.
#[derive(Clone, Copy, Default)]
pub struct Size {
    /// Items in FROM.
    pub relations: usize,
    /// Queries.
    pub queries: usize,
    /// Expressions.
    pub expressions: usize,
    /// Tokens read once more.
    pub reread: usize,
    /// Bytes of VALUES that are kept as text.
    pub values: usize,
    /// It has been said that the view is too large.
    said: bool,
}

impl<'a> Resolver<'a> {
    /// Refuses a view that has become too large.
    pub(super) fn check_size(&mut self, span: Span) -> Resolved<()> {
        let Size { relations, queries, expressions, .. } = self.size;
        let title = if relations > MAX_RELATIONS {
            format!("more than {MAX_RELATIONS} relations in one view")
        } else if queries > MAX_QUERIES {
            format!("more than {MAX_QUERIES} queries in one view")
        } else if expressions > MAX_EXPRESSIONS {
            format!("more than {MAX_EXPRESSIONS} expressions in one view")
        } else {
            return Ok(());
        };
        if std::mem::replace(&mut self.size.said, true) {
            return Err(Refused);
        }
        // Where another view has become too large, the mention of it is what can be changed here.
        let at = self.expanding.get(1).map_or(span, |(_, mention)| *mention);
        self.found.push(
            Diagnostic::new(Code::UnsupportedQuery, title, at)
                .label("with this one it is too large")
                .note("a view that is read counts with all that it reads, each time it is mentioned")
                .help("read the tables directly, or split the document among several views"),
        );
        Err(Refused)
    }

    /// Counts values that stand in one more place.
    pub(super) fn count<'e>(&mut self, copies: impl IntoIterator<Item = &'e Expr>, span: Span) -> Resolved<()> {
        self.size.expressions += copies.into_iter().map(computed).sum::<usize>();
        self.check_size(span)
    }

    /// Counts tokens that are to be read once more; says whether that is still allowed. What is left undone then is only
    /// that an expression is known to be a function of its columns.
    pub(super) fn may_reread(&mut self, tokens: usize) -> bool {
        self.size.reread += tokens;
        self.size.reread <= MAX_REREAD
    }

    /// Counts a view that is read in several ways: everything in it is there once for each.
    pub(super) fn count_variants(&mut self, variants: usize, span: Span) -> Resolved<()> {
        if variants < 2 {
            return Ok(());
        }
        let Size { relations, expressions, .. } = self.size;
        let (relations, expressions) = (relations * variants, expressions * variants);
        self.size.expressions = expressions;
        if relations <= MAX_VARIANT_RELATIONS && expressions <= MAX_VARIANT_EXPRESSIONS {
            return Ok(());
        }
        let diagnostic = Diagnostic::new(Code::UnsupportedQuery, "a view of this size in too many ways", span)
            .note(format!("its set operations and full joins combine in {variants} ways"))
            .note(format!(
                "at most {MAX_VARIANT_RELATIONS} relations and {MAX_VARIANT_EXPRESSIONS} expressions are followed, each once per way"
            ))
            .help("split the view");
        self.found.push(diagnostic);
        Err(Refused)
    }

    /// How much work the view was, in expressions.
    pub(super) fn work(&self) -> usize {
        self.size.expressions + self.size.reread / 16
    }

    /// A column's value, for one more mention of the column.
    pub(super) fn copied(&mut self, expr: Expr, span: Span) -> Resolved<Expr> {
        self.count([&expr], span)?;
        Ok(expr)
    }
}

/// How many expressions are in this one; plain columns and constants are none.
fn computed(expr: &Expr) -> usize {
    match &expr.kind {
        ExprKind::Column(_) | ExprKind::Constant => 0,
        _ => 1 + expr.children().into_iter().map(|e| 1 + computed(e)).sum::<usize>(),
    }
}

/// What is said of the first view that is not looked at any more.
pub(super) fn program_too_large(span: Span) -> Diagnostic {
    let title = format!("more than {MAX_OF_PROGRAM} expressions in the views of one program");
    Diagnostic::new(Code::UnsupportedQuery, title, span)
        .label("this view and those behind it were not looked at")
        .note("a view that is read counts with all that it reads, each time it is mentioned")
        .help("read the tables directly instead of views on views, or compile the views as several programs")
}
