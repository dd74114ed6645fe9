//! Windows below the view: in derived tables, CTEs, subqueries and views that it reads.
//!
//! In: a text, and which windows in it are computed for all rows whichever key is asked for. Out: the SELECTs that these stand in, in
//! another form: the rows are found without windows, so that conditions reach them as they reach tables, and each takes what its
//! windows compute from a second reading, LATERAL to it, of the rows that are in one of its partitions. What always holds: for each
//! window all rows of the row's own partition are among these; the row is found again among them by where its rows of tables
//! are stored (`tableoid`, `ctid`), so that nothing has to be known of keys, duplicates or NULLs.

use std::collections::BTreeSet;
use std::ops::{ControlFlow, Range};

use sqlparser::ast::{
    Distinct, Join, JoinConstraint, JoinOperator, ObjectName, Select, SelectItem, SelectItemQualifiedWildcardKind,
    TableFactor, TableWithJoins, Visit, Visitor,
};

use sqlparser::tokenizer::Token;

use super::Given;
use super::ctes::{all_ctes, named};
use super::windows::same;
use crate::catalog::{Catalog, Relation, View};
use crate::cut::{Edit, Text};
use crate::emit::is_foreign;
use crate::names::Ident;
use crate::resolve::{Expr, FlatView, Windowed, ident, output_name, parts};
use crate::source::Span;

/// Names for the row and for what is read for it.
const ROW: &str = "tview_row";
const NEAR: &str = "tview_near";
/// What all names begin with: one of the user's that means something further out goes on doing so.
const OWN: &str = "tview_";

/// What a SELECT of joined base tables is made of.
struct Joined {
    /// What it selects.
    projection: Vec<SelectItem>,
    /// The tables' names, and their columns.
    tables: Vec<(Ident, Vec<Ident>)>,
    /// Whether USING or NATURAL merges columns.
    merges: bool,
    /// Whether some of the tables may have no row.
    outer: bool,
}

/// A column of such a SELECT: its name, and where it comes from.
struct Shown {
    name: Ident,
    text: String,
    from: Side,
}

/// Where what is selected is evaluated.
#[derive(Clone, Copy, PartialEq)]
enum Side {
    /// Nowhere: a literal has no type of its own until the query around gives it one.
    Literal,
    Row,
    Near,
}

/// What is to be rewritten of a view's text.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'w> {
    pub given: Given<'w>,
    pub flat: &'w FlatView,
    pub view: &'w View,
    /// The windows that are in the way.
    pub windows: &'w BTreeSet<Span>,
    /// Of the outermost SELECT's windows the caller takes care.
    pub is_own: bool,
}

impl Text<'_> {
    /// The SELECTs in the other form, with these changes; outer ones, which hold the inner ones, come first.
    pub(super) fn rows_of_windows(&self, wanted: Wanted, edits: &[Edit]) -> Vec<Edit> {
        let is_mine =
            |span: &Span| span.file == self.query.file && self.query.start <= span.start && span.end <= self.query.end;
        if !wanted.windows.iter().any(is_mine) || self.mentions(OWN) {
            return Vec::new();
        }
        let Wanted { given, view, .. } = wanted;
        let ctes = all_ctes(&view.query);
        let mut selects = Selects { catalog: given.catalog, path: &view.search_path, ctes, found: Vec::new() };
        let _ = view.query.visit(&mut selects);
        let tokens: Vec<usize> = self.tokens().filter(|at| self.is_word(*at, "select")).collect();
        let outermost = self.outermost().filter(|_| wanted.is_own);
        if tokens.len() != selects.found.len() {
            return Vec::new();
        }
        let mut made: Vec<Edit> = Vec::new();
        for (at, joined) in tokens.into_iter().zip(selects.found).rev() {
            let Some(joined) = joined.filter(|_| Some(at) != outermost) else { continue };
            let all: Vec<Edit> = made.iter().chain(edits).cloned().collect();
            if let Some(edit) = self.found_again(wanted, at, &joined, &all) {
                made.insert(0, edit);
            }
        }
        made
    }

    /// One SELECT in the other form.
    fn found_again(&self, wanted: Wanted, select: usize, joined: &Joined, edits: &[Edit]) -> Option<Edit> {
        let clauses = self.clauses(select, self.tokens().end)?;
        let is_any = |at: usize, words: &[&str]| words.iter().any(|w| self.is_word(at, w));
        // The next side of a set operation is no part of this one.
        let level = self.level(clauses.rest.clone());
        let next = level.iter().copied().find(|at| is_any(*at, &["union", "except", "intersect"]));
        let end = next.unwrap_or(clauses.rest.end);
        let says_more = level.iter().any(|at| *at < end && self.begins_clause(*at) && !self.is_word(*at, "window"));
        if says_more || self.computes_windows(clauses.list.end..clauses.rest.start) {
            return None;
        }
        let windows = self.windows_in(&clauses.list, wanted.flat);
        let is_wanted = windows.iter().any(|w| wanted.windows.contains(&w.span));
        if !is_wanted || !windows.iter().all(|w| is_plain(w, wanted)) || !self.all_partitioned(clauses.list.start..end)
        {
            return None;
        }
        // Of the sides of a set operation the first one names the columns.
        let is_unnamed = is_any(select.saturating_sub(1), &["union", "except", "intersect", "all", "distinct"]);
        let shown = self.shown_by(&clauses.list, joined, is_unnamed, edits)?;
        let item = |(n, shown): (usize, &Shown)| format!("{} AS {OWN}{}", shown.text, n + 1);
        let of_side = |side: Side| shown.iter().enumerate().filter(move |(_, s)| s.from == side).map(item).collect();
        let (mut row, mut near): (Vec<String>, Vec<String>) = (of_side(Side::Row), of_side(Side::Near));
        let (parts, conditions) = self.partitions_of_row(clauses.list.start..end, &windows, wanted);
        let (places, found) = places(joined);
        row.extend(parts.into_iter().chain(places.clone()));
        near.extend(places);
        let changed = |tokens: &Range<usize>| self.changed(self.bytes(tokens), edits);
        let from = changed(&clauses.from);
        let filter = clauses.conditions.as_ref().map(&changed);
        let own_filter = filter.as_ref().map_or_else(String::new, |f| format!("\n         WHERE {f}"));
        let filter = filter.map_or_else(String::new, |f| format!("({f})\n           AND "));
        let rest = clauses.rest.start..end;
        let rest = if rest.is_empty() { String::new() } else { format!("\n         {}", changed(&rest)) };
        let list = shown.iter().enumerate().map(|(n, shown)| match shown.from {
            Side::Literal => format!("{} AS {}", shown.text, shown.name.sql()),
            Side::Row => format!("{ROW}.{OWN}{} AS {}", n + 1, shown.name.sql()),
            Side::Near => format!("{NEAR}.{OWN}{} AS {}", n + 1, shown.name.sql()),
        });
        let text = format!(
            "SELECT {}\n  FROM (SELECT {}\n          FROM {from}{own_filter}) AS {ROW}\n CROSS JOIN LATERAL (\n        \
             SELECT {}\n          FROM {from}\n         WHERE {filter}({conditions}){rest}\n        OFFSET 0) AS {NEAR}\n \
             WHERE {found}",
            list.collect::<Vec<_>>().join(",\n       "),
            row.join(",\n               "),
            near.join(",\n               "),
        );
        Some(Edit { at: self.bytes(&(select..end)), text })
    }

    /// The windows that a select list computes itself.
    fn windows_in<'f>(&self, list: &Range<usize>, flat: &'f FlatView) -> Vec<&'f Windowed> {
        let own = self.outside_subqueries(list.clone());
        let starts: BTreeSet<usize> = own.into_iter().map(|at| self.statement.tokens[at].1.start).collect();
        let is_here = |w: &&Windowed| w.span.file == self.query.file && starts.contains(&w.span.start);
        flat.windows_below.iter().filter(is_here).collect()
    }

    /// What a row's partitions are, as select items, and the condition that another row is in one of them.
    fn partitions_of_row(&self, tokens: Range<usize>, windows: &[&Windowed], wanted: Wanted) -> (Vec<String>, String) {
        let mut lists = self.partitions(tokens);
        let mut seen = BTreeSet::new();
        lists.retain(|list| seen.insert(list.iter().map(|item| self.normal(item)).collect::<Vec<_>>()));
        let (mut items, mut conditions) = (Vec::new(), Vec::new());
        for list in lists {
            let mut equal = Vec::new();
            for item in list {
                let (text, name) = (self.slice(self.bytes(&item)), format!("{OWN}part_{}", items.len() + 1));
                equal.push(same(text, &format!("{ROW}.{name}"), !self.never_null(windows, &item, wanted)));
                items.push(format!("{text} AS {name}"));
            }
            conditions.push(equal.join(" AND "));
        }
        (items, conditions.join("\n               OR "))
    }

    /// The columns of a SELECT, `*` written out.
    fn shown_by(&self, list: &Range<usize>, joined: &Joined, is_unnamed: bool, edits: &[Edit]) -> Option<Vec<Shown>> {
        let items = self.items(list.clone());
        if items.len() != joined.projection.len() {
            return None;
        }
        let columns_of = |(table, columns): &(Ident, Vec<Ident>)| {
            let text = |c: &Ident| format!("{}.{}", table.sql(), c.sql());
            let column = |c: &Ident| Shown { name: c.clone(), text: text(c), from: Side::Row };
            columns.iter().map(column).collect::<Vec<_>>()
        };
        let mut shown = Vec::new();
        for (item, selected) in items.iter().zip(&joined.projection) {
            let name = match selected {
                SelectItem::ExprWithAlias { alias, .. } => ident(alias),
                SelectItem::UnnamedExpr(expr) => match output_name(expr) {
                    None if is_unnamed => Ident::new(format!("column_{}", shown.len() + 1)),
                    name => name?,
                },
                SelectItem::Wildcard(_) if !joined.merges && item.len() == 1 => {
                    shown.extend(joined.tables.iter().flat_map(columns_of));
                    continue;
                }
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(of), _) => {
                    let of = parts(of).filter(|names| names.len() == 1 && item.len() == 3)?;
                    shown.extend(columns_of(joined.tables.iter().find(|(table, _)| *table == of[0])?));
                    continue;
                }
                _ => return None,
            };
            let expr = self.selected(item, selected)?;
            let from = match self.is_literal(&expr) {
                true => Side::Literal,
                false if self.computes_windows(expr.clone()) => Side::Near,
                false => Side::Row,
            };
            shown.push(Shown { name, text: self.changed(self.bytes(&expr), edits), from });
        }
        Some(shown)
    }

    fn is_literal(&self, expr: &Range<usize>) -> bool {
        let is_name = |at: usize| matches!(self.token(at), Token::Word(_)) && !self.is_word(at, "null");
        expr.len() == 1 && !is_name(expr.start)
    }

    /// Whether an item of a PARTITION BY is a column that is never NULL.
    fn never_null(&self, windows: &[&Windowed], item: &Range<usize>, wanted: Wanted) -> bool {
        let at = self.bytes(item);
        let is_it = |e: &&Expr| e.span.file == self.query.file && at.contains(&e.span.start);
        let mut found = windows.iter().flat_map(|w| &w.partition).filter(is_it).peekable();
        let never_null = |e: &Expr| e.as_column().is_some_and(|c| wanted.flat.is_never_null(wanted.given.catalog, c));
        found.peek().is_some() && found.all(never_null)
    }
}

/// Where the row of each table is stored, as select items, and the condition that both readings show the same ones.
fn places(joined: &Joined) -> (Vec<String>, String) {
    let is = if joined.outer { "IS NOT DISTINCT FROM" } else { "=" };
    let (mut items, mut same) = (Vec::new(), Vec::new());
    for (n, (table, _)) in joined.tables.iter().enumerate() {
        for (column, name) in [("tableoid", format!("{OWN}of_{}", n + 1)), ("ctid", format!("{OWN}at_{}", n + 1))] {
            items.push(format!("{}.{column} AS {name}", table.sql()));
            same.push(format!("{NEAR}.{name} {is} {ROW}.{name}"));
        }
    }
    (items, same.join(" AND "))
}

/// Whether operators of PostgreSQL's own compare the partitions of a window, and there are any.
fn is_plain(window: &Windowed, wanted: Wanted) -> bool {
    let (flat, catalog) = (wanted.flat, wanted.given.catalog);
    let plain = |e: &Expr| e.as_term().is_some_and(|t| t.ty(flat, catalog).is_some_and(|ty| !is_foreign(&ty.class)));
    !window.partition.is_empty() && window.partition.iter().all(plain)
}

/// The SELECTs of a query in the order of the text; `None` for those of more than joined base tables.
struct Selects<'c> {
    catalog: &'c Catalog,
    path: &'c [Ident],
    ctes: BTreeSet<Ident>,
    found: Vec<Option<Joined>>,
}

impl Visitor for Selects<'_> {
    type Break = ();

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        self.found.push(self.joined(select));
        ControlFlow::Continue(())
    }
}

impl Selects<'_> {
    fn joined(&self, select: &Select) -> Option<Joined> {
        if !matches!(select.distinct, None | Some(Distinct::All)) {
            return None;
        }
        let projection = select.projection.clone();
        let mut joined = Joined { projection, tables: Vec::new(), merges: false, outer: false };
        for tree in &select.from {
            self.tree(tree, &mut joined)?;
        }
        Some(joined)
    }

    fn tree(&self, tree: &TableWithJoins, joined: &mut Joined) -> Option<()> {
        self.factor(&tree.relation, joined)?;
        for Join { relation, join_operator, .. } in &tree.joins {
            self.factor(relation, joined)?;
            let constraint = match join_operator {
                JoinOperator::CrossJoin(_) => continue,
                JoinOperator::Join(constraint) | JoinOperator::Inner(constraint) => constraint,
                JoinOperator::Left(constraint)
                | JoinOperator::LeftOuter(constraint)
                | JoinOperator::Right(constraint)
                | JoinOperator::RightOuter(constraint)
                | JoinOperator::FullOuter(constraint) => {
                    joined.outer = true;
                    constraint
                }
                _ => return None,
            };
            joined.merges |= matches!(constraint, JoinConstraint::Using(_) | JoinConstraint::Natural);
        }
        Some(())
    }

    fn factor(&self, factor: &TableFactor, joined: &mut Joined) -> Option<()> {
        match factor {
            TableFactor::NestedJoin { table_with_joins, alias: None } => self.tree(table_with_joins, joined),
            TableFactor::Table { name, alias, args: None, with_ordinality: false, sample: None, .. } => {
                let columns = self.columns(name)?;
                let name = match alias {
                    Some(alias) if alias.columns.is_empty() => ident(&alias.name),
                    Some(_) => return None,
                    None => ident(name.0.last()?.as_ident()?),
                };
                joined.tables.push((name, columns));
                Some(())
            }
            _ => None,
        }
    }

    /// The columns of a base table.
    fn columns(&self, name: &ObjectName) -> Option<Vec<Ident>> {
        match named(self.catalog, self.path, &self.ctes, name)? {
            Relation::Table(table) => Some(table.columns.iter().map(|c| c.name.clone()).collect()),
            _ => None,
        }
    }
}
