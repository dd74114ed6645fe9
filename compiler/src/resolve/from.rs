//! FROM clauses: tables, views and joins.
//!
//! In: parsed FROM items and join conditions. Out: uses and scopes, and the equalities that the
//! conditions state. The nullable side of an outer join is a contiguous range of uses, because uses
//! are numbered in the order in which they are met.

use sqlparser::ast::{
    BinaryOperator, Expr as Ast, Join, JoinConstraint, JoinOperator, ObjectName, TableAlias, TableFactor,
    TableWithJoins,
};

use super::naming::{ident, parts};
use super::query::{Refused, Resolved, Resolver};
use super::relation::Sees;
use super::scope::{self, Item};
use super::{BlockId, ColumnRef, Equality, Expr, ExprKind, Fixed, Scope, Use, UseId};
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
}

impl Resolver<'_> {
    pub(super) fn from(&mut self, from: &[TableWithJoins], block: BlockId) -> Resolved<()> {
        for tree in from {
            self.join_tree(tree, block)?;
        }
        Ok(())
    }

    fn join_tree(&mut self, tree: &TableWithJoins, block: BlockId) -> Resolved<()> {
        let first = self.scope_items();
        let first_use = self.flat.uses.len();
        self.factor(&tree.relation, block)?;
        for join in &tree.joins {
            self.join(join, first, first_use, block)?;
        }
        Ok(())
    }

    fn scope_items(&self) -> usize {
        self.scopes.last().map_or(0, |s| s.items.len())
    }

    /// `first`: where the items of this join tree begin; `first_use`: where its uses do.
    fn join(&mut self, join: &Join, first: usize, first_use: usize, block: BlockId) -> Resolved<()> {
        let (side, constraint) = self.join_side(join)?;
        let left_end = self.scope_items();
        let equalities = self.flat.equalities.len();
        let middle = self.flat.uses.len();
        self.factor(&join.relation, block)?;
        let end = self.flat.uses.len();
        let nullable = match side {
            Side::Inner => None,
            Side::Left => Some((middle, end)),
            Side::Right => Some((first_use, middle)),
        };
        let holds = match nullable {
            None => Scope::Always,
            Some((from, to)) => {
                self.flat.uses[from..to].iter_mut().for_each(|u| u.nullable = true);
                Scope::Outer { from, to }
            }
        };
        if side == Side::Left {
            self.confine(equalities, middle, end);
        }
        match constraint {
            JoinConstraint::On(condition) => self.condition(condition, block, holds),
            JoinConstraint::None => Ok(()),
            JoinConstraint::Using(names) => {
                let names = names.iter().filter_map(|n| parts(n)?.pop()).collect();
                let span = self.span(&join.relation);
                self.using(names, span, first, left_end, block, side, holds)
            }
            JoinConstraint::Natural => {
                let span = self.span(&join.relation);
                let names = self.common_columns(first, left_end);
                self.using(names, span, first, left_end, block, side, holds)
            }
        }
    }

    fn join_side<'j>(&mut self, join: &'j Join) -> Resolved<(Side, &'j JoinConstraint)> {
        match &join.join_operator {
            JoinOperator::Join(c) | JoinOperator::Inner(c) | JoinOperator::CrossJoin(c) => Ok((Side::Inner, c)),
            JoinOperator::Left(c) | JoinOperator::LeftOuter(c) => Ok((Side::Left, c)),
            JoinOperator::Right(c) | JoinOperator::RightOuter(c) => Ok((Side::Right, c)),
            other => {
                let kind = if matches!(other, JoinOperator::FullOuter(_)) { "FULL JOIN" } else { "this kind of join" };
                let span = self.span(&join.relation);
                Err(self.refuse(Diagnostic::new(Code::UnsupportedQuery, format!("{kind} is not supported yet"), span)))
            }
        }
    }

    /// What a LATERAL item on the nullable side states about items outside holds for its rows only.
    fn confine(&mut self, equalities: usize, from: usize, to: usize) {
        let inside = |c: ColumnRef| (from..to).contains(&c.use_id.0);
        for equality in &mut self.flat.equalities[equalities..] {
            if equality.scope == Scope::Always && inside(equality.left) != inside(equality.right) {
                equality.scope = Scope::Outer { from, to };
            }
        }
    }

    /// The columns that NATURAL joins by, in the order of the left side.
    fn common_columns(&self, first: usize, left_end: usize) -> Vec<Ident> {
        let Some(scope) = self.scopes.last() else { return Vec::new() };
        let visible = |items: &[Item]| -> Vec<Ident> {
            let columns = items.iter().flat_map(|i| i.columns.iter().zip(&i.hidden));
            columns.filter(|(_, hidden)| !**hidden).map(|((name, _), _)| name.clone()).collect()
        };
        let right = visible(&scope.items[left_end..]);
        let merged = scope.merged.iter().map(|(n, _)| n.clone());
        merged.chain(visible(&scope.items[first..left_end])).filter(|n| right.contains(n)).collect()
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one join")]
    fn using(
        &mut self,
        names: Vec<Ident>,
        span: Span,
        first: usize,
        left_end: usize,
        block: BlockId,
        side: Side,
        holds: Scope,
    ) -> Resolved<()> {
        for column in names {
            let left = self.take_column(&column, first..left_end).or_else(|| self.take_merged(&column));
            let end = self.scope_items();
            let right = self.take_column(&column, left_end..end);
            let (Some(left), Some(right)) = (left, right) else {
                return Err(self.refuse(Diagnostic::new(
                    Code::UnknownColumn,
                    format!("column `{column}` of USING is not on both sides of the join"),
                    span,
                )));
            };
            self.add_equality(&left, &right, block, holds);
            let both = ExprKind::Apply(vec![left.clone(), right.clone()]);
            self.flat.blocks[block.0].conditions.push(Expr { span, json: None, kind: both });
            if let Some(scope) = self.scopes.last_mut() {
                scope.merged.push((column, if side == Side::Right { right } else { left }));
            }
        }
        Ok(())
    }

    /// The column of that name among the items of a range, hidden from now on.
    fn take_column(&mut self, name: &Ident, items: std::ops::Range<usize>) -> Option<Expr> {
        let scope = self.scopes.last_mut()?;
        for item in &mut scope.items[items] {
            let at = item.columns.iter().position(|(n, _)| n == name);
            if let Some(at) = at.filter(|at| !item.hidden[*at]) {
                item.hidden[at] = true;
                return Some(item.columns[at].1.clone());
            }
        }
        None
    }

    /// A column that an earlier USING of the same tree has merged.
    fn take_merged(&mut self, name: &Ident) -> Option<Expr> {
        let scope = self.scopes.last_mut()?;
        let at = scope.merged.iter().position(|(n, _)| n == name)?;
        Some(scope.merged.remove(at).1)
    }

    fn factor(&mut self, factor: &TableFactor, block: BlockId) -> Resolved<()> {
        match factor {
            TableFactor::Table {
                name, alias, args: None, version: None, with_ordinality: false, sample: None, ..
            } => self.named(name, alias.as_ref(), block),
            TableFactor::NestedJoin { table_with_joins, alias: None } => self.join_tree(table_with_joins, block),
            TableFactor::Derived { lateral, subquery, alias: Some(alias), sample: None } => {
                let span = self.span(subquery.as_ref());
                let sees = if *lateral { Sees::Siblings } else { Sees::Around };
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
                let values = array_exprs.iter().map(|e| self.expr(e, block)).collect::<Resolved<Vec<_>>>()?;
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
        args: &[&sqlparser::ast::FunctionArg],
        alias: Option<&TableAlias>,
        ordinality: bool,
        block: BlockId,
    ) -> Resolved<()> {
        let span = self.span(name);
        let names = parts(name).unwrap_or_default();
        self.function_class(&names, args.len(), span)?;
        let values: Vec<Resolved<Option<Expr>>> = args.iter().map(|a| self.argument(a, span, block)).collect();
        let values: Vec<Expr> = values.into_iter().filter_map(Result::transpose).collect::<Resolved<_>>()?;
        let bare = names.last().map_or("", |n| n.as_str()).to_owned();
        self.function_columns(&bare, values, alias, ordinality, span, block)
    }

    fn function_columns(
        &mut self,
        name: &str,
        values: Vec<Expr>,
        alias: Option<&TableAlias>,
        ordinality: bool,
        span: Span,
        block: BlockId,
    ) -> Resolved<()> {
        let columns = self.function_item(name, values, alias, ordinality, span, block)?;
        let shown = alias.map_or_else(|| Ident::new(name), |a| ident(&a.name));
        self.add_relation(shown, None, columns, None, span)
    }

    /// A relation of the FROM clause with its columns, renamed by the alias.
    fn add_relation(
        &mut self,
        name: Ident,
        schema: Option<Ident>,
        mut columns: Vec<(Ident, Expr)>,
        alias: Option<&TableAlias>,
        span: Span,
    ) -> Resolved<()> {
        for (column, renamed) in columns.iter_mut().zip(alias.iter().flat_map(|a| &a.columns)) {
            column.0 = ident(&renamed.name);
        }
        self.add_item(Item { name, schema, hidden: vec![false; columns.len()], columns }, span)
    }

    fn named(&mut self, name: &ObjectName, alias: Option<&TableAlias>, block: BlockId) -> Resolved<()> {
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
                let outputs = self.expand_view(view, span, block)?;
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
        let Some(scope) = self.scopes.last_mut() else { return Err(Refused) };
        if scope.items.iter().any(|i| i.name == item.name && i.schema == item.schema) {
            let title = format!("table name `{}` is used more than once in one FROM clause", item.name);
            return Err(self.refuse(Diagnostic::new(Code::DuplicateName, title, span).help("give one an alias")));
        }
        scope.items.push(item);
        Ok(())
    }

    fn unknown_table(&mut self, schema: Option<&Ident>, name: &Ident, span: Span) -> Refused {
        let known = self.catalog.relations.keys().map(|q| q.name.as_str());
        let written = schema.map_or_else(|| name.to_string(), |s| format!("{s}.{name}"));
        let mut diagnostic = Diagnostic::new(Code::UnknownTable, format!("unknown table `{written}`"), span)
            .label("no CREATE TABLE or CREATE VIEW of that name comes before it is used");
        diagnostic = match did_you_mean(name.as_str(), known) {
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
            let json = match (column.ty.base.as_str(), column.ty.dimensions) {
                ("jsonb", 0) => Some(super::JsonType::Jsonb),
                ("json", 0) => Some(super::JsonType::Json),
                _ => None,
            };
            let kind = ExprKind::Column(ColumnRef { use_id, column: index });
            (column.name.clone(), Expr { span, json, kind })
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
            if !self.flat.uses.iter().any(|u| u.alias == candidate) {
                return candidate;
            }
        }
    }

    /// A condition: its conjuncts are searched for equalities, and all are kept as reads.
    pub(super) fn condition(&mut self, condition: &Ast, block: BlockId, holds: Scope) -> Resolved<()> {
        let mut refused = false;
        for conjunct in conjuncts(condition) {
            refused |= self.conjunct(conjunct, block, holds).is_err();
        }
        if refused { Err(Refused) } else { Ok(()) }
    }

    fn conjunct(&mut self, conjunct: &Ast, block: BlockId, holds: Scope) -> Resolved<()> {
        for (left, right) in equal_pairs(conjunct) {
            let left = self.expr(left, block)?;
            let right = self.expr(right, block)?;
            self.add_equality(&left, &right, block, holds);
        }
        let expr = self.expr(conjunct, block)?;
        if let (Ast::IsNotNull(_), ExprKind::Apply(operands), Scope::Always) = (conjunct, &expr.kind, holds) {
            self.flat.present.extend(operands.iter().filter_map(Expr::as_column));
        }
        self.flat.blocks[block.0].conditions.push(expr);
        Ok(())
    }

    fn add_equality(&mut self, left: &Expr, right: &Expr, block: BlockId, holds: Scope) {
        match (left.as_column(), right.as_column()) {
            (Some(left), Some(right)) if left != right => {
                self.flat.equalities.push(Equality { left, right, block, scope: holds });
            }
            (Some(column), None) if matches!(right.kind, ExprKind::Constant) && holds == Scope::Always => {
                self.flat.fixed.push(Fixed { column });
            }
            (None, Some(column)) if matches!(left.kind, ExprKind::Constant) && holds == Scope::Always => {
                self.flat.fixed.push(Fixed { column });
            }
            _ => {}
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
        TableKind::Ordinary => None,
        TableKind::Partitioned | TableKind::Partition => Some((
            "is partitioned",
            "partitions are not supported yet: triggers fire on the table named in the statement only",
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

/// The parts of a condition that all have to hold.
fn conjuncts(condition: &Ast) -> Vec<&Ast> {
    match condition {
        Ast::BinaryOp { left, op: BinaryOperator::And, right } => {
            let mut all = conjuncts(left);
            all.extend(conjuncts(right));
            all
        }
        Ast::Nested(inner) => conjuncts(inner),
        other => vec![other],
    }
}

/// `a = b`, or `(a, b) = (c, d)` pair by pair, where both sides are names or constants. Anything
/// else states no link between columns.
fn equal_pairs(conjunct: &Ast) -> Vec<(&Ast, &Ast)> {
    let pairs = match conjunct {
        Ast::BinaryOp { left, op: BinaryOperator::Eq, right } => match (left.as_ref(), right.as_ref()) {
            (Ast::Tuple(l), Ast::Tuple(r)) if l.len() == r.len() => l.iter().zip(r).collect(),
            (l, r) => vec![(l, r)],
        },
        _ => Vec::new(),
    };
    pairs.into_iter().filter(|(l, r)| is_simple(l) && is_simple(r)).collect()
}

fn is_simple(expr: &Ast) -> bool {
    match expr {
        Ast::Identifier(_) | Ast::CompoundIdentifier(_) | Ast::Value(_) => true,
        Ast::Nested(inner) => is_simple(inner),
        _ => false,
    }
}
