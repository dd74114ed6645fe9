//! EXCEPT: the set operation through which the planner passes no condition.
//!
//! In: a query. Out: `A EXCEPT B` as the distinct rows of A without an equal one in B, which is the same: a condition on a column of the
//! result is then a condition on A, and B is looked up by it. What always holds: NULLs are equal, as they are to EXCEPT; the columns
//! of both sides have the same types, of PostgreSQL's own, so that `=` is the equality of EXCEPT and no column changes its type.

use std::ops::Range;

use sqlparser::tokenizer::Token;

use crate::catalog::Catalog;
use crate::cut::{Edit, Text};
use crate::emit::is_foreign;
use crate::names::Ident;
use crate::resolve::{Expr, ExprKind, FlatView, JsonType};

/// One EXCEPT: its sides, and the tokens between them.
struct Except {
    left: Range<usize>,
    between: Range<usize>,
    right: Range<usize>,
}

impl Text<'_> {
    /// The EXCEPTs of the query that stand alone in their parentheses.
    pub(super) fn excepts(&self, flat: &FlatView, catalog: &Catalog) -> Vec<Edit> {
        let words: Vec<usize> = self.tokens().filter(|at| self.is_word(*at, "except")).collect();
        if words.is_empty() || self.slice(self.query.start..self.query.end).contains("tview_left") {
            return Vec::new();
        }
        let opens = self.tokens().filter(|at| *self.token(*at) == Token::LParen);
        let groups = opens.filter_map(|open| Some(open + 1..self.closing(open)?));
        let all = std::iter::once(self.tokens()).chain(groups).filter(|g| words.iter().any(|at| g.contains(at)));
        all.filter_map(|group| self.except(group)).filter_map(|e| self.antijoin(&e, flat, catalog)).flatten().collect()
    }

    /// The EXCEPT that a group of tokens is.
    fn except(&self, group: Range<usize>) -> Option<Except> {
        let level = self.level(group.clone());
        let is_any = |at: usize, words: &[&str]| words.iter().any(|w| self.is_word(at, w));
        let mut operators = level.iter().copied().filter(|at| is_any(*at, &["union", "intersect", "except"]));
        let at = operators.next().filter(|at| self.is_word(*at, "except") && !self.is_word(at + 1, "all"))?;
        // What is said of the whole stands behind the last side.
        let says_more = level.iter().any(|at| is_any(*at, &["with", "order", "limit", "offset", "fetch"]));
        if operators.next().is_some() || says_more || !self.is_word(group.start, "select") {
            return None;
        }
        let after = if self.is_word(at + 1, "distinct") { at + 2 } else { at + 1 };
        self.is_word(after, "select").then_some(Except {
            left: group.start..at,
            between: at..after,
            right: after..group.end,
        })
    }

    fn antijoin(&self, except: &Except, flat: &FlatView, catalog: &Catalog) -> Option<[Edit; 3]> {
        let items = self.items(self.clauses(except.left.start, except.left.end)?.list);
        let names: Vec<String> = items.iter().map(|item| self.name_of(item)).collect::<Option<_>>()?;
        let repeated = (1..names.len()).any(|n| names[..n].contains(&names[n]));
        let (left, right) = (self.bytes(&except.left), self.bytes(&except.right));
        let of = |e: &Expr, side: &Range<usize>| e.span.file == self.query.file && side.contains(&e.span.start);
        let pair = |e: &'_ Expr| match &e.kind {
            ExprKind::Either(_, sides) if sides.len() == 2 && of(&sides[0], &left) && of(&sides[1], &right) => {
                equality(&sides[0], &sides[1], flat, catalog)
            }
            _ => None,
        };
        let grouped = flat.blocks.iter().filter_map(|b| b.grouped.as_ref());
        let mut lists = grouped.map(|g| g.iter().map(&pair).collect()).chain([flat
            .outputs
            .iter()
            .map(|o| pair(&o.expr))
            .collect()]);
        let nullable: Vec<bool> = lists.find_map(|list: Option<Vec<bool>>| list.filter(|l| l.len() == names.len()))?;
        let equal = |(n, name): (usize, &String)| {
            let (l, r) = (format!("tview_left.{name}"), format!("tview_right.column_{}", n + 1));
            match nullable[n] {
                true => format!("({l} = {r} OR {l} IS NULL AND {r} IS NULL)"),
                false => format!("{l} = {r}"),
            }
        };
        let equal = names.iter().enumerate().map(equal).collect::<Vec<_>>().join(" AND ");
        let columns = (1..=names.len()).map(|n| format!("column_{n}")).collect::<Vec<_>>().join(", ");
        let insert = |at: usize, text: String| Edit { at: at..at, text };
        let between =
            Edit { at: self.bytes(&except.between), text: ") AS tview_left WHERE NOT EXISTS (SELECT FROM (".into() };
        (!repeated).then(|| {
            [
                insert(left.start, "SELECT DISTINCT tview_left.* FROM (".into()),
                between,
                insert(right.end, format!(") AS tview_right ({columns}) WHERE {equal})")),
            ]
        })
    }

    /// The name of a select item that is a column or has one by AS.
    fn name_of(&self, item: &Range<usize>) -> Option<String> {
        let (last, len) = (item.end - 1, item.len());
        let Token::Word(word) = self.token(last) else { return None };
        let named = len > 2 && self.is_word(last - 1, "as");
        let column = len == 1 || len == 3 && *self.token(last - 1) == Token::Period;
        let name = if word.quote_style.is_some() { word.value.clone() } else { word.value.to_lowercase() };
        (named || column).then(|| Ident::new(name).sql())
    }
}

/// Whether one of two expressions can be NULL, if `=` compares them as EXCEPT does.
fn equality(left: &Expr, right: &Expr, flat: &FlatView, catalog: &Catalog) -> Option<bool> {
    let is_jsonb = |e: &Expr| e.json == Some(JsonType::Jsonb);
    if is_jsonb(left) && is_jsonb(right) {
        return Some(true);
    }
    let (l, r) = (left.as_term()?, right.as_term()?);
    let (ty, other) = (l.ty(flat, catalog)?, r.ty(flat, catalog)?);
    let never_null = |e: &Expr| e.as_column().is_some_and(|c| flat.is_never_null(catalog, c));
    (ty == other && !is_foreign(&ty.class)).then(|| !never_null(left) && !never_null(right))
}
