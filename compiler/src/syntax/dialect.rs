//! Refuses what the parser accepts from other SQL dialects.
//!
//! In: a parsed query. Out: the first construct that PostgreSQL does not have, or groups otherwise
//! (see `precedence`). Two reasons: a word like `qualify`, `semi` or `match` may be an alias in the
//! user's mind and PostgreSQL's, and no later stage has to know these constructs.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, Expr, GroupByExpr, Join, JoinConstraint, JoinOperator, LimitClause, Query, Select, SelectFlavor,
    SelectItem, Spanned, TableFactor, TableWithJoins, Visit, Visitor, WildcardAdditionalOptions,
};
use sqlparser::tokenizer::Span as Located;

use super::precedence;

/// What was found and where.
pub(super) struct Foreign {
    pub what: String,
    pub at: Located,
    pub help: &'static str,
}

/// The first construct in a query that is not read as PostgreSQL reads it.
pub(super) fn check(query: &Query) -> Option<Foreign> {
    match query.visit(&mut Checker) {
        ControlFlow::Break(found) => Some(found),
        ControlFlow::Continue(()) => None,
    }
}

struct Checker;

fn foreign(what: &str, at: Located) -> ControlFlow<Foreign> {
    let help = "use PostgreSQL's own syntax; if the word is meant as an alias, put it in double quotes after AS";
    ControlFlow::Break(Foreign { what: format!("{what} is not PostgreSQL"), at, help })
}

impl Visitor for Checker {
    type Break = Foreign;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Foreign> {
        let limit_by = match &query.limit_clause {
            Some(LimitClause::LimitOffset { limit_by, .. }) => !limit_by.is_empty(),
            Some(LimitClause::OffsetCommaLimit { .. }) => true,
            None => false,
        };
        match () {
            () if limit_by => foreign("this LIMIT", query.span()),
            () if query.settings.is_some() || query.format_clause.is_some() => {
                foreign("SETTINGS or FORMAT", query.span())
            }
            () if query.for_clause.is_some() => foreign("FOR XML, JSON or BROWSE", query.span()),
            () if !query.pipe_operators.is_empty() => foreign("the pipe syntax", query.span()),
            () => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<Foreign> {
        let span = select.span();
        match () {
            () if select.qualify.is_some() => foreign("QUALIFY", select.qualify.as_ref().map_or(span, Spanned::span)),
            () if select.top.is_some() => foreign("TOP", span),
            () if select.exclude.is_some() => foreign("EXCLUDE", span),
            () if select.prewhere.is_some() => foreign("PREWHERE", span),
            () if !select.lateral_views.is_empty() => foreign("LATERAL VIEW", span),
            () if !select.connect_by.is_empty() => foreign("CONNECT BY", span),
            () if !select.cluster_by.is_empty() || !select.distribute_by.is_empty() || !select.sort_by.is_empty() => {
                foreign("CLUSTER, DISTRIBUTE or SORT BY", span)
            }
            () if select.value_table_mode.is_some() => foreign("SELECT AS", span),
            () if select.select_modifiers.is_some() => foreign("this SELECT modifier", span),
            () if !matches!(select.flavor, SelectFlavor::Standard) => foreign("FROM without SELECT before it", span),
            () if matches!(&select.group_by, GroupByExpr::All(_)) => foreign("GROUP BY ALL", span),
            () if matches!(&select.group_by, GroupByExpr::Expressions(_, m) if !m.is_empty()) => {
                foreign("this GROUP BY modifier", span)
            }
            () => {
                select.projection.iter().try_for_each(item)?;
                select.from.iter().try_for_each(joins)
            }
        }
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<Foreign> {
        match factor {
            TableFactor::Table { with_hints, version, partitions, json_path, index_hints, .. } => {
                let extra = !with_hints.is_empty() || version.is_some() || !partitions.is_empty();
                if extra || json_path.is_some() || !index_hints.is_empty() {
                    return foreign("this table modifier", factor.span());
                }
                ControlFlow::Continue(())
            }
            TableFactor::UNNEST { with_offset: true, .. } => foreign("WITH OFFSET", factor.span()),
            TableFactor::NestedJoin { table_with_joins, .. } => joins(table_with_joins),
            TableFactor::Derived { .. }
            | TableFactor::Function { .. }
            | TableFactor::UNNEST { .. }
            | TableFactor::JsonTable { .. }
            | TableFactor::XmlTable { .. } => ControlFlow::Continue(()),
            _ => foreign("this FROM item", factor.span()),
        }
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Foreign> {
        if let Some(child) = precedence::misgrouped(expr) {
            return ControlFlow::Break(Foreign {
                what: "PostgreSQL groups these operators differently than they are read here".to_owned(),
                at: child.span(),
                help: "put parentheses around the operands that belong together",
            });
        }
        expression(expr)
    }
}

fn expression(expr: &Expr) -> ControlFlow<Foreign> {
    use BinaryOperator as B;
    match expr {
        Expr::BinaryOp {
            op:
                B::Xor
                | B::Match
                | B::Regexp
                | B::Glob
                | B::MyIntegerDivide
                | B::DuckIntegerDivide
                | B::Spaceship
                | B::Assignment,
            ..
        } => foreign("this operator", expr.span()),
        Expr::RLike { .. } => foreign("this match", expr.span()),
        Expr::Like { any: true, pattern, .. } | Expr::ILike { any: true, pattern, .. } => any_pattern(pattern, expr),
        Expr::JsonAccess { .. } => foreign("`:` access", expr.span()),
        Expr::InUnnest { .. } => foreign("IN UNNEST", expr.span()),
        Expr::Convert { .. } => foreign("CONVERT", expr.span()),
        Expr::Cast { kind: sqlparser::ast::CastKind::TryCast | sqlparser::ast::CastKind::SafeCast, .. } => {
            foreign("this cast", expr.span())
        }
        Expr::Cast { format: Some(_), .. } => foreign("CAST … FORMAT", expr.span()),
        Expr::Struct { .. } | Expr::Named { .. } | Expr::Dictionary(_) | Expr::Map(_) => {
            foreign("this literal", expr.span())
        }
        Expr::MatchAgainst { .. } | Expr::OuterJoin(_) | Expr::Prior(_) | Expr::Lambda(_) | Expr::MemberOf(_) => {
            foreign("this expression", expr.span())
        }
        _ => ControlFlow::Continue(()),
    }
}

/// `LIKE ANY (array)`.
fn any_pattern(pattern: &Expr, expr: &Expr) -> ControlFlow<Foreign> {
    match pattern {
        Expr::Nested(_) => ControlFlow::Continue(()),
        Expr::Subquery(_) => ControlFlow::Break(Foreign {
            what: "LIKE ANY of a query's rows is not compiled".to_owned(),
            at: expr.span(),
            help: "ask whether there is such a row: EXISTS (SELECT FROM … WHERE … LIKE …)",
        }),
        _ => foreign("this match", expr.span()),
    }
}

fn item(item: &SelectItem) -> ControlFlow<Foreign> {
    let options = match item {
        SelectItem::Wildcard(options) | SelectItem::QualifiedWildcard(_, options) => options,
        SelectItem::ExprWithAliases { .. } => return foreign("more than one alias", item.span()),
        _ => return ControlFlow::Continue(()),
    };
    let WildcardAdditionalOptions {
        wildcard_token: _,
        opt_ilike,
        opt_exclude,
        opt_except,
        opt_replace,
        opt_rename,
        opt_alias,
    } = options;
    let extra = opt_ilike.is_some() || opt_exclude.is_some() || opt_except.is_some() || opt_replace.is_some();
    if extra || opt_rename.is_some() || opt_alias.is_some() {
        return foreign("a modifier of `*`", item.span());
    }
    ControlFlow::Continue(())
}

fn joins(from: &TableWithJoins) -> ControlFlow<Foreign> {
    from.joins.iter().try_for_each(join_operator)
}

fn join_operator(join: &Join) -> ControlFlow<Foreign> {
    use JoinOperator as J;
    let constraint = match &join.join_operator {
        J::Join(c) | J::Inner(c) | J::Left(c) | J::LeftOuter(c) | J::Right(c) | J::RightOuter(c) | J::FullOuter(c) => c,
        J::CrossJoin(JoinConstraint::None) if !join.global => return ControlFlow::Continue(()),
        _ => return foreign("this kind of join", join.span()),
    };
    if join.global || matches!(constraint, JoinConstraint::None) {
        return foreign("a join without ON or USING", join.span());
    }
    ControlFlow::Continue(())
}
