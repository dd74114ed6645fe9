//! FROM clauses: tables, views and joins.
//!
//! In: parsed FROM items and join conditions. Out: uses and scopes, and the equalities that the
//! conditions state. The nullable side of an outer join is a contiguous range of uses, because uses
//! are numbered in the order in which they are met.

use std::collections::BTreeSet;

use sqlparser::ast::{
    FunctionArg, FunctionArgExpr, Join, JoinConstraint, JoinOperator, ObjectName, TableAlias, TableFactor,
    TableWithJoins,
};

use super::ReadView;
use super::conditions::is_equality;
use super::naming::{ident, parts};
use super::query::{Refused, Resolved, Resolver};
use super::relation::Sees;
use super::scope::{self, Item, Merged};
use super::{
    Alternative, AlternativeKind, BlockId, Claim, ColumnRef, Conjunct, Expr, ExprKind, OuterJoin, OuterKind, Scope,
    Use, UseId,
};
use crate::catalog::{Relation, Table, TableKind, did_you_mean};
use crate::diagnostics::{Code, Diagnostic};
use crate::names::Ident;
use crate::source::Span;

/// Which side of a join is preserved.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Inner,
    Left,
    Right,
    Full,
}

/// Where a join tree, or one side of a join, begins.
#[derive(Clone, Copy)]
struct JoinStart {
    uses: usize,
    visible: usize,
    items: usize,
}

impl<'a> Resolver<'a> {
    /// The first use of each relation, of a join in parentheses behind another one as one, then the first use behind them.
    pub(super) fn from(&mut self, from: &'a [TableWithJoins], block: BlockId) -> Resolved<Vec<usize>> {
        self.bounds.push(Vec::new());
        let read = from.iter().try_for_each(|tree| {
            self.begins();
            self.join_tree(tree, block)
        });
        self.begins();
        let bounds = self.bounds.pop().unwrap_or_default();
        read.map(|()| bounds)
    }

    fn join_tree(&mut self, tree: &'a TableWithJoins, block: BlockId) -> Resolved<()> {
        let (start, said) = (self.here(), self.flat.conjuncts.len());
        match &tree.relation {
            // At the beginning parentheses make no difference.
            TableFactor::NestedJoin { table_with_joins, alias: None } => self.join_tree(table_with_joins, block)?,
            factor => self.factor(factor, block)?,
        }
        for join in &tree.joins {
            self.join(join, (start, said), block)?;
        }
        Ok(())
    }

    /// What has been read of the FROM clause so far.
    fn here(&self) -> JoinStart {
        let (visible, items) = self.scopes.last().map_or((0, 0), |s| (s.visible.len(), s.items.len()));
        JoinStart { uses: self.flat.uses.len(), visible, items }
    }

    /// Behind what stands in the tree since its start, when so many conjuncts had been said.
    fn join(&mut self, join: &'a Join, (start, first): (JoinStart, usize), block: BlockId) -> Resolved<()> {
        let (side, constraint) = self.join_side(join)?;
        let middle = self.here();
        self.begins();
        let (before, opened) = (self.flat.conjuncts.len(), self.flat.blocks.len());
        let said = self.flat.blocks[block.0].conditions.len();
        self.factor(&join.relation, block)?;
        let borrows = side != Side::Left || self.borrows(middle);
        let computes = side != Side::Left || self.computes(middle);
        let span = self.span(&join.relation);
        let holds = self.outer_join(side, start.uses, middle.uses, block, span);
        let end = self.here();
        if matches!(side, Side::Right | Side::Full) {
            self.confine(first..before, start.uses, middle.uses);
        }
        if matches!(side, Side::Left | Side::Full) {
            self.confine(before..self.flat.conjuncts.len(), middle.uses, end.uses);
        }
        if matches!(side, Side::Right | Side::Full) {
            self.blur(start, middle);
        }
        if matches!(side, Side::Left | Side::Full) {
            self.blur(middle, end);
        }
        let known = self.flat.outer_joins.len();
        self.constrain(constraint, (side, holds), (start, middle), span, block)?;
        if side != Side::Inner {
            let pairs = if side == Side::Left { self.exact_pairs(before, said, block) } else { None };
            let reads = self.reads_of_join(block, said, opened, end.uses);
            let said_now = self.flat.conjuncts.len();
            let join = &mut self.flat.outer_joins[known - 1];
            (join.pairs, join.reads, join.said) = (pairs, reads, said_now);
            (join.borrows, join.computes) = (borrows, computes);
        }
        Ok(())
    }

    /// Another relation of a FROM clause begins, or what is behind it.
    fn begins(&mut self) {
        self.bounds.last_mut().into_iter().for_each(|bounds| bounds.push(self.flat.uses.len()));
    }

    /// Whether items of the FROM clause since then show columns of uses before them.
    fn borrows(&self, since: JoinStart) -> bool {
        let mut outside = false;
        let items = self.scopes.last().map_or(&[][..], |s| &s.items[since.items..]);
        for (_, expr) in items.iter().flat_map(|i| &i.columns) {
            expr.visit(&mut |e| outside |= e.as_column().is_some_and(|c| c.use_id.0 < since.uses));
        }
        outside
    }

    /// Whether items of the FROM clause since then show what may be a value where all columns that it reads are NULL.
    fn computes(&self, since: JoinStart) -> bool {
        let items = self.scopes.last().map_or(&[][..], |s| &s.items[since.items..]);
        let mut shown = items.iter().flat_map(|i| &i.columns);
        shown.any(|(_, expr)| expr.formula.as_ref().is_some_and(|f| !f.null_in_null_out) || expr.element.is_some())
    }

    /// The columns of relations before `end` that are read by what has been said in a block since then, and by the blocks
    /// that have been opened since.
    fn reads_of_join(&self, block: BlockId, said: usize, opened: usize, end: usize) -> Option<BTreeSet<ColumnRef>> {
        let (mut columns, mut makes) = (BTreeSet::new(), false);
        let mut read = |expr: &Expr| {
            expr.visit(&mut |e| {
                makes |= matches!(e.kind, ExprKind::Made(_));
                columns.extend(e.as_column().filter(|c| c.use_id.0 < end));
            });
        };
        self.flat.blocks[block.0].conditions[said..].iter().for_each(&mut read);
        for state in &self.flat.blocks[opened..] {
            state.conditions.iter().chain(&state.order_by).chain(state.grouped.iter().flatten()).for_each(&mut read);
        }
        let items = self.scopes.last().into_iter().flat_map(|s| &s.items);
        let derived = items.flat_map(|i| &i.columns).filter(|(_, e)| e.block().is_some_and(|b| b.0 >= opened));
        derived.for_each(|(_, value)| read(value));
        (!makes).then_some(columns)
    }

    /// What was said since then, where it is nothing but equalities of columns.
    fn exact_pairs(&self, before: usize, said: usize, block: BlockId) -> Option<Vec<(ColumnRef, ColumnRef)>> {
        let of_columns = |e: &Expr| {
            let ExprKind::Apply(sides) = &e.kind else { return false };
            sides.len() == 2 && sides.iter().all(|side| side.as_column().is_some())
        };
        let conditions = &self.flat.blocks[block.0].conditions[said..];
        let claims = &self.flat.conjuncts[before..];
        if claims.len() != conditions.len() || !conditions.iter().all(of_columns) {
            return None;
        }
        let pair = |conjunct: &Conjunct| match &conjunct.claim {
            Claim::Equal(left, right) if conjunct.block == block => left.as_column().zip(right.as_column()),
            _ => None,
        };
        claims.iter().map(pair).collect()
    }

    /// Where an outer join finds no row, constants and columns of outer tables that the nullable side selects are NULL too:
    /// outside of it they are not these constants and columns, and follow from none.
    fn blur(&mut self, from: JoinStart, to: JoinStart) {
        let Some(scope) = self.scopes.last_mut() else { return };
        let own = |e: &Expr| {
            let mut all = true;
            e.visit(&mut |e| all &= e.as_column().is_none_or(|c| (from.uses..to.uses).contains(&c.use_id.0)));
            all
        };
        // Of a set operation each side.
        fn is_blurred(e: &Expr, own: &impl Fn(&Expr) -> bool) -> bool {
            match &e.kind {
                ExprKind::Constant => true,
                ExprKind::Either(_, sides) => {
                    !own(e) || sides.iter().any(|s| s.element.is_some() || is_blurred(s, own))
                }
                _ => e.as_term().is_some_and(|t| t.columns().is_empty() || !own(e)),
            }
        }
        let blurred = |e: &mut Expr| {
            e.make_element_nullable();
            if is_blurred(e, &own) {
                let inner = std::mem::replace(e, Expr::plain(e.span, ExprKind::Constant));
                *e = Expr { json: inner.json, ..Expr::plain(inner.span, ExprKind::Made(vec![inner])) };
            }
        };
        scope.visible[from.visible..to.visible].iter_mut().for_each(|v| blurred(&mut v.expr));
        let items = &mut scope.items[from.items..to.items];
        items.iter_mut().flat_map(|i| &mut i.columns).for_each(|(_, e)| blurred(e));
    }

    /// What ON reads: of its FROM clause it knows what it joins, and nothing before that.
    fn behind<T>(&mut self, start: JoinStart, read: impl FnOnce(&mut Self) -> T) -> T {
        self.scopes.last_mut().into_iter().for_each(|scope| scope.hide(start.items, start.visible));
        let result = read(self);
        self.scopes.last_mut().into_iter().for_each(scope::Scope::show);
        result
    }

    /// ON, USING or NATURAL.
    fn constrain(
        &mut self,
        constraint: &'a JoinConstraint,
        (side, holds): (Side, Scope),
        (start, middle): (JoinStart, JoinStart),
        span: Span,
        block: BlockId,
    ) -> Resolved<()> {
        let names = match constraint {
            JoinConstraint::On(condition) => {
                if let Scope::Full(join) = holds
                    && let OuterKind::Full(alternative) = self.flat.outer_joins[join].kind
                {
                    self.flat.alternatives[alternative].merges = is_equality(condition);
                }
                let own = (start.uses..self.flat.uses.len()).map(UseId).filter(|u| self.flat.uses[u.0].block == block);
                let own: Vec<UseId> = own.collect();
                let asked = self.behind(start, |resolver| resolver.condition(condition, block, holds))?;
                // Rows that an inner join does not combine are shown nowhere, whatever stands around it.
                if holds == Scope::Always {
                    self.flat.asks(own, asked);
                }
                return Ok(());
            }
            JoinConstraint::None => return Ok(()),
            JoinConstraint::Using(names) => names.iter().filter_map(|n| parts(n)?.pop()).collect(),
            JoinConstraint::Natural => {
                self.scopes.last().map_or(Vec::new(), |s| s.common(start.visible, middle.visible))
            }
        };
        let merged = match (side, holds) {
            (_, Scope::Full(join)) => self.full_choice(join),
            (Side::Right, _) => Merged::Right,
            _ => Merged::Left,
        };
        let Some(scope) = self.scopes.last_mut() else { return Err(Refused) };
        match scope.merge(&names, start.visible, middle.visible, merged) {
            Ok(pairs) => {
                for (left, right) in pairs {
                    self.count([&left, &right], span)?;
                    let claim = Claim::Equal(left.clone(), right.clone());
                    self.flat.says(claim, block, holds);
                    let both = ExprKind::Apply(vec![left, right]);
                    self.flat.blocks[block.0].conditions.push(Expr::plain(span, both));
                }
                Ok(())
            }
            Err(name) => {
                let title = format!("column `{name}` of USING is not once on each side of the join");
                Err(self.refuse(Diagnostic::new(Code::UnknownColumn, title, span)))
            }
        }
    }

    fn join_side(&mut self, join: &'a Join) -> Resolved<(Side, &'a JoinConstraint)> {
        match &join.join_operator {
            JoinOperator::Join(c) | JoinOperator::Inner(c) | JoinOperator::CrossJoin(c) => Ok((Side::Inner, c)),
            JoinOperator::Left(c) | JoinOperator::LeftOuter(c) => Ok((Side::Left, c)),
            JoinOperator::Right(c) | JoinOperator::RightOuter(c) => Ok((Side::Right, c)),
            JoinOperator::FullOuter(c) => Ok((Side::Full, c)),
            _ => {
                let span = self.span(&join.relation);
                Err(self.refuse(Diagnostic::new(Code::UnsupportedQuery, "this kind of join is not PostgreSQL's", span)))
            }
        }
    }

    /// Records an outer join; where its ON condition holds.
    fn outer_join(&mut self, side: Side, start: usize, middle: usize, block: BlockId, span: Span) -> Scope {
        let end = self.flat.uses.len();
        let kind = match side {
            Side::Inner => return Scope::Always,
            Side::Left => OuterKind::Left,
            Side::Right => OuterKind::Right,
            Side::Full => {
                self.flat.alternatives.push(Alternative {
                    choices: 2,
                    giving: vec![true, true],
                    kind: AlternativeKind::FullJoin,
                    merges: true,
                    block,
                    span,
                });
                OuterKind::Full(self.flat.alternatives.len() - 1)
            }
        };
        let (left, right) = ((start, middle), (middle, end));
        self.flat.outer_joins.push(OuterJoin {
            left,
            right,
            kind,
            pairs: None,
            borrows: true,
            computes: true,
            reads: None,
            block,
            said: 0,
        });
        match kind {
            OuterKind::Left => Scope::Outer { from: middle, to: end },
            OuterKind::Right => Scope::Outer { from: start, to: middle },
            OuterKind::Full(_) => Scope::Full(self.flat.outer_joins.len() - 1),
        }
    }

    /// A column that USING merges in a FULL JOIN is that of the side which is preserved.
    fn full_choice(&self, join: usize) -> Merged {
        match self.flat.outer_joins[join].kind {
            OuterKind::Full(alternative) => Merged::Either(alternative),
            _ => Merged::Left,
        }
    }

    /// COALESCE of what the ON conditions of FULL JOINs compare is what USING would have merged.
    pub(super) fn merged_by_full_join(&self, list: &[Expr]) -> Option<Expr> {
        let (first, rest) = list.split_first()?;
        let mut merged = first.clone();
        for next in rest {
            let joins = (0..self.flat.alternatives.len()).filter(|n| self.flat.alternatives[*n].merges);
            let pairs = joins.flat_map(|n| self.flat.full_join_pairs(n).into_iter().map(move |pair| (n, pair)));
            let is_pair = |one: &Expr, other: &Expr| one.is_same(&merged) && other.is_same(next);
            let (alternative, (left, right)) = pairs.into_iter().find(|(_, (l, r))| is_pair(l, r) || is_pair(r, l))?;
            merged = Expr::plain(merged.span, ExprKind::Either(alternative, vec![left.clone(), right.clone()]));
        }
        (!rest.is_empty()).then_some(merged)
    }

    /// What a LATERAL item on the nullable side states about items outside holds for its rows only.
    fn confine(&mut self, said: std::ops::Range<usize>, from: usize, to: usize) {
        let inside = |e: &Expr| {
            let mut all = true;
            e.visit(&mut |e| all &= e.as_column().is_none_or(|c| (from..to).contains(&c.use_id.0)));
            all
        };
        for conjunct in self.flat.conjuncts[said].iter_mut().filter(|c| c.scope == Scope::Always) {
            let confined = match &conjunct.claim {
                Claim::Equal(left, right) | Claim::Same(left, right) | Claim::Partition(left, right) => {
                    !(inside(left) && inside(right))
                }
                Claim::Fact(expr, _) => !inside(expr),
                Claim::Holds(formula) | Claim::Guard(formula) => {
                    !formula.columns().iter().all(|c| (from..to).contains(&c.use_id.0))
                }
            };
            if confined {
                conjunct.scope = Scope::Outer { from, to };
            }
        }
    }

    fn factor(&mut self, factor: &'a TableFactor, block: BlockId) -> Resolved<()> {
        match factor {
            TableFactor::Table {
                name, alias, args: None, version: None, with_ordinality: false, sample: None, ..
            } => self.named(name, alias.as_ref(), block),
            TableFactor::NestedJoin { table_with_joins, alias: None } => {
                self.bounds.push(Vec::new());
                let read = self.join_tree(table_with_joins, block);
                self.bounds.pop();
                read
            }
            TableFactor::Derived { lateral, subquery, alias: Some(alias), sample: None } => {
                let span = self.span(subquery.as_ref());
                let sees = if *lateral { Sees::Siblings } else { Sees::Around };
                self.name_values(subquery, || alias.columns.iter().map(|c| ident(&c.name)).collect());
                let outputs = self.derived_table(subquery, sees, span, block)?;
                let columns = outputs.into_iter().map(|o| (o.name, o.expr)).collect();
                self.add_relation(ident(&alias.name), None, columns, Some(alias), span)
            }
            TableFactor::Table { name, alias, args: Some(args), with_ordinality, sample: None, .. } => {
                let list = args.args.iter().collect::<Vec<_>>();
                self.function(name, &list, alias.as_ref(), *with_ordinality, block)
            }
            TableFactor::Function { name, args, alias, with_ordinality, .. } => {
                self.function(name, &args.iter().collect::<Vec<_>>(), alias.as_ref(), *with_ordinality, block)
            }
            TableFactor::UNNEST { alias, array_exprs, with_offset: false, with_ordinality, .. } => {
                let span = self.span(factor);
                let value =
                    |resolver: &mut Self, e| resolver.expr(e, block).map(|value| resolver.with_formula(value, e));
                let values = array_exprs.iter().map(|e| value(self, e)).collect::<Resolved<Vec<_>>>()?;
                self.function_columns("unnest", values, alias.as_ref(), *with_ordinality, span, block)
            }
            other => {
                let what = match other {
                    TableFactor::Derived { .. } => "a subquery in FROM without an alias",
                    TableFactor::Table { sample: Some(_), .. } => "TABLESAMPLE",
                    _ => "this FROM item",
                };
                let span = self.span(other);
                Err(self.refuse(Diagnostic::new(Code::UnsupportedQuery, format!("{what} is not supported yet"), span)))
            }
        }
    }

    /// A function in FROM; it sees the items before it.
    fn function(
        &mut self,
        name: &ObjectName,
        args: &[&'a FunctionArg],
        alias: Option<&'a TableAlias>,
        ordinality: bool,
        block: BlockId,
    ) -> Resolved<()> {
        let span = self.span(name);
        let names = parts(name).unwrap_or_default();
        self.function_class(&names, args.len(), span)?;
        let mut value = |argument: &'a FunctionArg| {
            let value = self.argument(argument, span, block)?;
            Ok(match (value, argument) {
                (Some(value), FunctionArg::Unnamed(FunctionArgExpr::Expr(written))) => {
                    Some(self.with_formula(value, written))
                }
                (value, _) => value,
            })
        };
        let values: Vec<Resolved<Option<Expr>>> = args.iter().map(|a| value(a)).collect();
        let values: Vec<Expr> = values.into_iter().filter_map(Result::transpose).collect::<Resolved<_>>()?;
        let bare = names.last().map_or("", |n| n.as_str()).to_owned();
        self.function_columns(&bare, values, alias, ordinality, span, block)
    }

    fn function_columns(
        &mut self,
        name: &str,
        values: Vec<Expr>,
        alias: Option<&'a TableAlias>,
        ordinality: bool,
        span: Span,
        block: BlockId,
    ) -> Resolved<()> {
        let columns = self.function_item(name, values, alias, ordinality, span, block)?;
        let name = alias.map_or_else(|| Ident::new(name), |a| ident(&a.name));
        let is_value = columns.len() == 1;
        self.add_item(Item { name, schema: None, columns, is_value }, span)
    }

    /// A relation of the FROM clause with its columns, renamed by the alias.
    fn add_relation(
        &mut self,
        name: Ident,
        schema: Option<Ident>,
        mut columns: Vec<(Ident, Expr)>,
        alias: Option<&'a TableAlias>,
        span: Span,
    ) -> Resolved<()> {
        for (column, renamed) in columns.iter_mut().zip(alias.iter().flat_map(|a| &a.columns)) {
            column.0 = ident(&renamed.name);
        }
        self.add_item(Item { name, schema, columns, is_value: false }, span)
    }

    fn named(&mut self, name: &ObjectName, alias: Option<&'a TableAlias>, block: BlockId) -> Resolved<()> {
        let span = self.span(name);
        let names = parts(name).unwrap_or_default();
        let (schema, relation_name) = match names.as_slice() {
            [name] => (None, name),
            [schema, name] => (Some(schema), name),
            _ => {
                let title = "a name with a database in it is not supported";
                return Err(self.refuse(Diagnostic::new(Code::UnknownTable, title, span)));
            }
        };
        if let Some(at) = self.ctes.iter().rposition(|c| schema.is_none() && &c.name == relation_name) {
            let outputs = self.cte_reference(at, span, block)?;
            let columns = outputs.into_iter().map(|o| (o.name, o.expr)).collect();
            let shown = alias.map_or_else(|| relation_name.clone(), |a| ident(&a.name));
            return self.add_relation(shown, None, columns, alias, span);
        }
        let catalog = self.catalog;
        let Some(relation) = catalog.lookup(schema, relation_name, &self.search_path) else {
            return Err(self.unknown_table(schema, relation_name, span));
        };
        let shown = alias.map_or_else(|| relation_name.clone(), |a| ident(&a.name));
        let columns = match relation {
            Relation::Table(table) => self.table(table, &shown, span, block)?,
            Relation::View(view) => {
                let first = self.flat.uses.len();
                let outputs = self.expand_view(view, span, block)?;
                if self.expanding.len() == 1 {
                    let columns = outputs.iter().filter_map(|o| Some((o.name.clone(), o.expr.as_column()?)));
                    self.flat.own_views.push(ReadView {
                        view: view.name.clone(),
                        name: span,
                        shown: shown.clone(),
                        is_renamed: alias.is_some(),
                        block,
                        uses: (first, self.flat.uses.len()),
                        columns: columns.collect(),
                    });
                }
                outputs.into_iter().map(|o| (o.name, o.expr)).collect()
            }
            Relation::Unreadable(unreadable) => {
                let title = format!("`{relation_name}` cannot be read: {}", unreadable.reason);
                return Err(self.refuse(
                    Diagnostic::new(Code::SyntaxError, title, span)
                        .also(unreadable.at, "reading its definition ended here")
                        .help(
                            "declare it in a form that the compiler reads, for example in a file given with `--schema`",
                        ),
                ));
            }
        };
        let schema = alias.is_none().then(|| relation_schema(relation));
        self.add_relation(shown, schema, columns, alias, span)
    }

    fn add_item(&mut self, item: Item, span: Span) -> Resolved<()> {
        let Some(scope) = self.scopes.last() else { return Err(Refused) };
        if scope.items.iter().any(|i| i.name == item.name && i.schema == item.schema) {
            let title = format!("table name `{}` is used more than once in one FROM clause", item.name);
            return Err(self.refuse(Diagnostic::new(Code::DuplicateName, title, span).help("give one an alias")));
        }
        self.size.relations += 1;
        self.count(item.columns.iter().map(|(_, value)| value), span)?;
        if let Some(scope) = self.scopes.last_mut() {
            scope.add(item);
        }
        Ok(())
    }

    fn unknown_table(&mut self, schema: Option<&Ident>, name: &Ident, span: Span) -> Refused {
        let known = self.catalog.relations.keys().map(|q| q.name.as_str());
        let written = schema.map_or_else(|| name.to_string(), |s| format!("{s}.{name}"));
        let mut diagnostic = Diagnostic::new(Code::UnknownTable, format!("unknown table `{written}`"), span)
            .label("no CREATE TABLE or CREATE VIEW of that name comes before it is used");
        let is_view = |view: &str| {
            let mut views = self.catalog.relations.iter().filter(|(_, r)| matches!(r, Relation::View(_)));
            views.find(|(name, _)| name.name.as_str() == view).map(|(name, _)| name.name.clone())
        };
        let rest = name.as_str().strip_prefix("tv_");
        let shown_by = rest.and_then(|rest| is_view(&format!("v_{rest}")).or_else(|| is_view(rest)));
        diagnostic = match did_you_mean(name.as_str(), known) {
            _ if let Some(view) = shown_by => {
                diagnostic.note("tables of documents are made by the migration, after the views").help(format!(
                    "read `{view}`: it shows the same rows, and what it is made of is followed from here too"
                ))
            }
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None => diagnostic.help("give the file that defines it as well, for example with `--schema schema.sql`"),
        };
        self.refuse(diagnostic)
    }

    /// A base table: a new use, and its columns.
    fn table(&mut self, table: &Table, shown: &Ident, span: Span, block: BlockId) -> Resolved<Vec<(Ident, Expr)>> {
        if let Some(reason) = untriggered(table) {
            return Err(self.refuse(
                Diagnostic::new(Code::UntriggeredSource, format!("`{}` {}", table.name, reason.0), span)
                    .also(table.span, "declared here")
                    .note(reason.1),
            ));
        }
        let use_id = UseId(self.flat.uses.len());
        let alias = self.unique_alias(shown);
        self.flat.uses.push(Use { table: table.name.clone(), alias, block, nullable: false, span });
        let column = |(index, column): (usize, &crate::catalog::Column)| {
            let json = super::json::of_type(&column.ty);
            let kind = ExprKind::Column(ColumnRef { use_id, column: index });
            (column.name.clone(), Expr { json, ..Expr::plain(span, kind) })
        };
        Ok(table.columns.iter().enumerate().map(column).collect())
    }

    fn unique_alias(&mut self, shown: &Ident) -> Ident {
        loop {
            let count = self.aliases.entry(shown.clone()).or_insert(0);
            *count += 1;
            let candidate = match *count {
                1 => shown.clone(),
                n => Ident::new(format!("{}_{n}", shown.as_str().chars().take(12).collect::<String>())),
            };
            if self.taken.insert(candidate.clone()) {
                return candidate;
            }
        }
    }

    /// The relation that `name.*` or a whole-row reference means.
    pub(super) fn relation_item(&mut self, name: &ObjectName, span: Span) -> Resolved<&Item> {
        let names = parts(name).unwrap_or_default();
        let (schema, relation) = match names.as_slice() {
            [relation] => (None, relation.clone()),
            [schema, relation] => (Some(schema.clone()), relation.clone()),
            _ => (None, Ident::new("")),
        };
        if scope::relation(&self.scopes, schema.as_ref(), &relation).is_none() {
            let title = format!("`{relation}` is not in this FROM clause");
            return Err(self.refuse(Diagnostic::new(Code::UnknownTable, title, span)));
        }
        scope::relation(&self.scopes, schema.as_ref(), &relation).ok_or(Refused)
    }
}

/// A table may be referred to as `schema.table` wherever it has no alias.
fn relation_schema(relation: &Relation) -> Ident {
    match relation {
        Relation::Table(table) => table.name.schema.clone(),
        Relation::View(view) => view.name.schema.clone(),
        Relation::Unreadable(unreadable) => unreadable.name.schema.clone(),
    }
}

/// Why no statement trigger can keep a document up to date with a table: what, and why.
fn untriggered(table: &Table) -> Option<(&'static str, &'static str)> {
    if table.has_rules.is_some() {
        return Some(("has rules", "a rule can turn a write into another one, which triggers then see or not"));
    }
    match table.kind {
        TableKind::Ordinary | TableKind::Partitioned => None,
        TableKind::Partition => Some((
            "is a partition",
            "a write to the partitioned table fires no trigger of its partitions; read that table instead, with a \
             condition on its partition key",
        )),
        TableKind::InheritanceParent | TableKind::InheritanceChild => Some((
            "takes part in inheritance",
            "inheritance is not supported yet: triggers fire on the table named in the statement only",
        )),
        TableKind::Temporary => {
            Some(("is a temporary table", "other sessions cannot see it, and it goes with its session"))
        }
        TableKind::Foreign => Some(("is a foreign table", "writes on the other server fire no trigger here")),
        TableKind::MaterializedView => {
            Some(("is a materialized view", "REFRESH fires no trigger; use the view's own query"))
        }
    }
}
