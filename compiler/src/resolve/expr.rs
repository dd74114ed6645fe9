//! Expressions: names bound, functions judged, document structure kept.
//!
//! In: parsed expressions. Out: [`Expr`]s: columns, objects, arrays and subqueries keep their
//! structure, everything else is an opaque function of its operands. An expression form that is
//! not listed here is refused: an operand that was overlooked would be a document that goes stale.

use std::collections::BTreeSet;

use sqlparser::ast::{
    AccessExpr, BinaryOperator, Expr as Ast, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause,
    FunctionArgumentList, FunctionArguments, ObjectNamePart, Query, Value,
};

use super::conditions::{Place, in_subquery};
use super::formula::plain_arguments;
use super::functions::{Class, JsonType, classify, depends_on_locale, json_result};
use super::naming::{ident, parts};
use super::query::{Refused, Resolved, Resolver};
use super::scope::{self, Found, Item};
use super::subscripts::Subscripts;
use super::typing::declared_type;
use super::{ArrayAgg, BlockId, ColumnRef, Expr, ExprKind, OrderKind, Ordered, json};
use crate::catalog::{Volatility, did_you_mean};
use crate::diagnostics::{Code, Diagnostic};
use crate::names::{Ident, QualName};
use crate::source::Span;

/// Those of a call without parentheses, such as `current_date`.
static NO_ARGUMENTS: FunctionArgumentList =
    FunctionArgumentList { duplicate_treatment: None, args: Vec::new(), clauses: Vec::new() };

impl<'a> Resolver<'a> {
    /// One expression of `block`.
    pub(super) fn expr(&mut self, ast: &'a Ast, block: BlockId) -> Resolved<Expr> {
        let span = self.span(ast);
        self.size.expressions += 1;
        self.check_size(span)?;
        match ast {
            Ast::Identifier(name) => self.unqualified(&ident(name), span),
            Ast::CompoundIdentifier(names) => self.qualified_column(&names.iter().map(ident).collect::<Vec<_>>(), span),
            Ast::Value(_) | Ast::TypedString(_) => Ok(Expr::plain(span, ExprKind::Constant)),
            Ast::Nested(inner) => self.expr(inner, block),
            Ast::Function(call) => self.call(call, span, block),
            Ast::Subquery(query) => self.scalar_subquery(query, span, block),
            Ast::Exists { subquery, .. } => self.exists(subquery, span, block),
            Ast::Cast { expr, data_type, .. } => {
                let (json, is_domain) = self.cast_json(data_type);
                let type_name = data_type.to_string();
                self.check_cast(&type_name, span)?;
                self.check_clock_in_text(expr, &type_name, span)?;
                self.flat.needs_locale |= type_name.to_ascii_lowercase().contains("money");
                let inner = self.expr(expr, block)?;
                let same = inner.json.is_some() && inner.json == json && !is_domain;
                if same || matches!(inner.kind, ExprKind::Constant) {
                    return Ok(Expr { span, json, ..inner });
                }
                Ok(Expr { json, ..Expr::plain(span, ExprKind::Apply(vec![inner])) })
            }
            Ast::QualifiedWildcard(name, _) => {
                let row = row(&self.relation_item(name, span)?.columns, span);
                self.copied(row, span)
            }
            _ if super::fields::of_value(ast).is_some() => self.composite_field(ast, block),
            Ast::CompoundFieldAccess { access_chain, .. }
                if matches!(access_chain.first(), Some(AccessExpr::Dot(_))) =>
            {
                self.subscripted_column(ast, block)
            }
            Ast::BinaryOp { left, op: BinaryOperator::AtAt, right } => self.text_match(left, right, span, block),
            other => {
                if let Some(among) = in_subquery(other) {
                    return self.among(&among, Place::Value, block);
                }
                let Some(operands) = operands(other) else {
                    return Err(self.no_such_form(span));
                };
                let list = self.all(&operands, block)?;
                let json = json::of_form(other, &list);
                Ok(Expr { json, ..Expr::plain(span, ExprKind::Apply(list)) })
            }
        }
    }

    pub(super) fn no_such_form(&mut self, span: Span) -> Refused {
        self.refuse(Diagnostic::new(Code::UnsupportedExpr, "this form of expression is not supported", span))
    }

    /// All of a list; every error in it is reported.
    pub(super) fn all(&mut self, list: &[&'a Ast], block: BlockId) -> Resolved<Vec<Expr>> {
        let resolved: Vec<Resolved<Expr>> = list.iter().map(|e| self.expr(e, block)).collect();
        resolved.into_iter().collect()
    }

    /// `@@`: between tsvector and tsquery it is a function of both; with text on a side it reads the session's text
    /// search configuration.
    fn text_match(&mut self, left: &'a Ast, right: &'a Ast, span: Span, block: BlockId) -> Resolved<Expr> {
        let sides = self.all(&[left, right], block)?;
        let typed = [(left, &sides[0]), (right, &sides[1])].iter().all(|(ast, expr)| self.is_text_search(ast, expr));
        if !typed {
            return Err(self.refuse(
                Diagnostic::new(Code::UnsupportedExpr, "`@@` with a text on a side", span)
                    .note("it is parsed by the session's default_text_search_config")
                    .help("write `to_tsvector('english', …) @@ to_tsquery('english', …)`"),
            ));
        }
        Ok(Expr::plain(span, ExprKind::Apply(sides)))
    }

    fn is_text_search(&self, ast: &'a Ast, expr: &Expr) -> bool {
        let column_type = expr.as_column().and_then(|c| {
            let owner = self.flat.use_of(c);
            match self.catalog.relations.get(&owner.table) {
                Some(crate::catalog::Relation::Table(table)) => Some(table.columns[c.column].ty.base.as_str()),
                _ => None,
            }
        });
        match ast {
            Ast::Nested(inner) => self.is_text_search(inner, expr),
            Ast::Cast { data_type, .. } => {
                matches!(data_type.to_string().to_lowercase().as_str(), "tsvector" | "tsquery")
            }
            Ast::Function(call) => parts(&call.name).and_then(|mut p| p.pop()).is_some_and(|name| {
                name.as_str().contains("tsvector") || name.as_str().contains("tsquery") || name.as_str() == "setweight"
            }),
            _ => matches!(column_type, Some("tsvector" | "tsquery")),
        }
    }

    /// Names of catalog objects can change without a write to any table.
    fn check_cast(&mut self, type_name: &str, span: Span) -> Resolved<()> {
        if type_name.to_ascii_lowercase().trim_start_matches("pg_catalog.").starts_with("reg") {
            return Err(self.refuse(
                Diagnostic::new(
                    Code::UntraceableFunction,
                    format!("a cast to `{type_name}` reads the system catalog"),
                    span,
                )
                .note("no trigger fires when an object is renamed"),
            ));
        }
        Ok(())
    }

    /// `'now'::text::timestamptz` is read each time the view is, unlike `'now'::timestamptz`, which is read once.
    fn check_clock_in_text(&mut self, value: &'a Ast, type_name: &str, span: Span) -> Resolved<()> {
        let target = type_name.to_ascii_lowercase();
        let is_time = ["date", "time"].iter().any(|t| target.trim_start_matches("pg_catalog.").starts_with(t));
        if is_time && !self.accepts_time() && is_text_constant(value) {
            return Err(self.refuse(
                Diagnostic::new(Code::VolatileFunction, "a time that is read from a text", span)
                    .note("texts such as 'now' and 'today' are read whenever the view is, and then read the clock")
                    .help("cast the literal itself: `'2020-01-01'::date`"),
            ));
        }
        Ok(())
    }

    fn unqualified(&mut self, name: &Ident, span: Span) -> Resolved<Expr> {
        match scope::unqualified(&self.scopes, name) {
            Found::Column(expr) => {
                let expr = Expr { span, ..expr.clone() };
                self.copied(expr, span)
            }
            Found::Row(item) => {
                let expr = match item.columns.as_slice() {
                    [(_, value)] if item.is_value => Expr { span, ..value.clone() },
                    columns => row(columns, span),
                };
                self.copied(expr, span)
            }
            Found::Ambiguous(relations) => {
                let list: Vec<String> = relations.iter().map(|r| format!("`{r}.{name}`")).collect();
                Err(self.refuse(
                    Diagnostic::new(Code::AmbiguousColumn, format!("column `{name}` is ambiguous"), span)
                        .help(format!("write {}", list.join(" or "))),
                ))
            }
            Found::Nothing if matches!(classify(name.as_str(), 0), Class::Time | Class::Session) => {
                Err(self.judge(name.as_str(), 0, span).err().unwrap_or(Refused))
            }
            Found::Nothing => Err(self.unknown_column(name, span)),
        }
    }

    /// Whether an unqualified name is a column here.
    pub(super) fn knows_column(&self, name: &Ident) -> bool {
        matches!(
            scope::unqualified(&self.scopes[self.scopes.len().saturating_sub(1)..], name),
            Found::Column(_) | Found::Ambiguous(_)
        )
    }

    fn unknown_column(&mut self, name: &Ident, span: Span) -> Refused {
        let near = did_you_mean(name.as_str(), scope::candidates(&self.scopes));
        let mut diagnostic = Diagnostic::new(Code::UnknownColumn, format!("unknown column `{name}`"), span);
        if let Some(near) = near {
            diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
        }
        self.refuse(diagnostic)
    }

    pub(super) fn qualified_column(&mut self, names: &[Ident], span: Span) -> Resolved<Expr> {
        let (schema, relation, column) = match names {
            [relation, column] => (None, relation, column),
            [schema, relation, column] => (Some(schema), relation, column),
            _ => return Err(self.unknown_column(&names[names.len() - 1], span)),
        };
        let Some(item) = scope::relation(&self.scopes, schema, relation) else {
            let mut hidden = self.scopes.iter().filter_map(|s| s.hidden.as_deref()).flat_map(|s| &s.items);
            if hidden.any(|item| item.name == *relation) {
                let title = format!("`{relation}` is not among what this condition joins");
                let diagnostic = Diagnostic::new(Code::UnknownTable, title, span)
                    .note("JOIN binds stronger than a comma: ON knows the two sides of its join")
                    .help("write the condition in WHERE, or CROSS JOIN in the place of the comma");
                return Err(self.refuse(diagnostic));
            }
            let title = format!("`{relation}` is not in this FROM clause");
            let known = self.scopes.iter().flat_map(|s| s.items.iter().map(|i| i.name.as_str()));
            let near = did_you_mean(relation.as_str(), known);
            let mut diagnostic = Diagnostic::new(Code::UnknownTable, title, span);
            if let Some(near) = near {
                diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
            }
            return Err(self.refuse(diagnostic));
        };
        match item.columns.iter().find(|(n, _)| n == column) {
            Some((_, expr)) => {
                let expr = Expr { span, ..expr.clone() };
                self.copied(expr, span)
            }
            None => {
                let near = did_you_mean(column.as_str(), item.columns.iter().map(|(n, _)| n.as_str()));
                let title = format!("`{relation}` has no column `{column}`");
                let mut diagnostic = Diagnostic::new(Code::UnknownColumn, title, span);
                if let Some(near) = near {
                    diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
                }
                Err(self.refuse(diagnostic))
            }
        }
    }

    pub(super) fn subquery_block(
        &mut self,
        query: &'a Query,
        block: BlockId,
    ) -> Resolved<(BlockId, Vec<super::Output>)> {
        let span = self.span(query);
        let inner = self.open_block(Some(block), span)?;
        let outputs = self.query(query, inner)?;
        Ok((inner, outputs))
    }

    fn scalar_subquery(&mut self, query: &'a Query, span: Span, block: BlockId) -> Resolved<Expr> {
        let (inner, outputs) = self.subquery_block(query, block)?;
        let mut outputs = outputs.into_iter();
        match (outputs.next(), outputs.next()) {
            (Some(only), None) => {
                let json = only.expr.json;
                Ok(Expr { json, ..Expr::plain(span, ExprKind::Subquery(inner, Box::new(only.expr))) })
            }
            _ => Err(self.refuse(Diagnostic::new(
                Code::UnsupportedExpr,
                "a subquery in an expression must select one column",
                span,
            ))),
        }
    }

    /// A subquery whose rows are compared, of one or more columns.
    fn subquery_rows(&mut self, query: &'a Query, span: Span, block: BlockId) -> Resolved<Expr> {
        let (inner, outputs) = self.subquery_block(query, block)?;
        let columns = outputs.into_iter().map(|o| o.expr).collect();
        let row = Expr::plain(span, ExprKind::Apply(columns));
        Ok(Expr::plain(span, ExprKind::Subquery(inner, Box::new(row))))
    }

    fn exists(&mut self, query: &'a Query, span: Span, block: BlockId) -> Resolved<Expr> {
        let (inner, _) = self.subquery_block(query, block)?;
        Ok(Expr::plain(span, ExprKind::Exists(inner)))
    }

    fn call(&mut self, call: &'a Function, span: Span, block: BlockId) -> Resolved<Expr> {
        let unsupported =
            |what: &str| Diagnostic::new(Code::UnsupportedExpr, format!("{what} is not supported yet"), span);
        if let Some(window) = &call.over {
            return self.window_call(call, window, span, block);
        }
        if call.null_treatment.is_some() || !matches!(call.parameters, FunctionArguments::None) {
            return Err(self.refuse(unsupported("this form of call")));
        }
        let names = parts(&call.name).unwrap_or_default();
        let Some(name) = names.last().map(|n| n.as_str().to_owned()) else {
            return Err(self.refuse(unsupported("this form of call")));
        };
        let list = match &call.args {
            FunctionArguments::None => &NO_ARGUMENTS,
            FunctionArguments::List(list) => list,
            FunctionArguments::Subquery(query) if name == "array" && names.len() == 1 => {
                let rows = self.subquery_rows(query, span, block)?;
                self.order_of_rows(&rows, span);
                let json = match &rows.kind {
                    ExprKind::Subquery(_, row) => json::of_any(row.children()).map(JsonType::array),
                    _ => None,
                };
                return Ok(Expr { json, ..rows });
            }
            FunctionArguments::Subquery(query) => {
                let inner = self.scalar_subquery(query, span, block)?;
                self.judge_call(&names, 1, span)?;
                let json = json_result(&name);
                return Ok(Expr { json, ..Expr::plain(span, ExprKind::Apply(vec![inner])) });
            }
        };
        match self.judge_call(&names, list.args.len(), span)? {
            class if class != Class::Aggregate && !call.within_group.is_empty() => {
                Err(self.refuse(unsupported("WITHIN GROUP with this function")))
            }
            Class::SetReturning => self.set_returning(&name, list, span, block),
            Class::Aggregate => self.aggregate(call, &name, list, span, block),
            _ => match self.own_functions(&names) {
                // What the user's own `jsonb_build_object` makes of its arguments is not known.
                Some(overloads) => {
                    let mut args = self.arguments(list, span, block)?;
                    args.extend(self.clauses(list, span, block)?);
                    let json = declared_type(overloads).as_ref().and_then(json::of_type);
                    Ok(Expr { json, ..Expr::plain(span, ExprKind::Apply(args)) })
                }
                None => self.scalar_call(&name, list, span, block),
            },
        }
    }

    fn scalar_call(
        &mut self,
        name: &str,
        list: &'a FunctionArgumentList,
        span: Span,
        block: BlockId,
    ) -> Resolved<Expr> {
        let mut extra = self.clauses(list, span, block)?;
        let mut args = self.arguments(list, span, block)?;
        let literal_keys = object_keys(list);
        if matches!(name, "jsonb_build_object" | "json_build_object")
            && let Some(keys) = literal_keys
        {
            let values = args.into_iter().skip(1).step_by(2);
            let fields = keys.into_iter().zip(values).collect();
            return Ok(Expr { json: json_result(name), ..Expr::plain(span, ExprKind::Object(fields)) });
        }
        if matches!(name, "to_jsonb" | "row_to_json" | "to_json") && args.len() == 1 && extra.is_empty() {
            // A whole row is an object already; anything else is one value.
            let inner = args.remove(0);
            let kind = match inner.kind {
                ExprKind::Object(fields) => ExprKind::Object(fields),
                _ => ExprKind::Apply(vec![inner]),
            };
            return Ok(Expr { json: json_result(name), ..Expr::plain(span, kind) });
        }
        args.append(&mut extra);
        if name == "coalesce" {
            let json = json::of_call(name, &args);
            let merged = self.merged_by_full_join(&args).map(|e| e.kind);
            return Ok(Expr { json, ..Expr::plain(span, merged.unwrap_or(ExprKind::Coalesce(args))) });
        }
        let json = json::of_call(name, &args);
        Ok(Expr { json, ..Expr::plain(span, ExprKind::Apply(args)) })
    }

    fn aggregate(
        &mut self,
        call: &'a Function,
        name: &str,
        list: &'a FunctionArgumentList,
        span: Span,
        block: BlockId,
    ) -> Resolved<Expr> {
        self.flat.blocks[block.0].aggregated = true;
        let filter = call.filter.as_ref().map(|f| self.expr(f, block)).transpose()?;
        let order_by = self.clauses(list, span, block)?;
        let mut args = self.arguments(list, span, block)?;
        let kind = match name {
            "jsonb_agg" | "json_agg" => Some(OrderKind::Array),
            _ if is_order_sensitive(name) => Some(OrderKind::Aggregate(name.to_owned())),
            _ => self.adds_floats(name, list).then(|| OrderKind::Float(name.to_owned())),
        };
        // Elements that DISTINCT leaves are sorted by their values.
        if let Some(kind) = kind.filter(|_| list.duplicate_treatment.is_none()) {
            // The order of an object's fields is that of their names.
            let told = args.iter().take(usize::from(name.starts_with("jsonb_object_agg")));
            let order = order_by.iter().chain(told).cloned().collect();
            let values = args.clone();
            self.flat.orders.push(Ordered { kind, block, order, values, is_filtered: filter.is_some(), span });
        }
        if matches!(name, "jsonb_agg" | "json_agg") && args.len() == 1 {
            let element = args.remove(0);
            let agg = ArrayAgg {
                named: self.named_fields(&element),
                element,
                order_by,
                filter,
                distinct: matches!(list.duplicate_treatment, Some(sqlparser::ast::DuplicateTreatment::Distinct)),
                block,
            };
            return Ok(Expr { json: json_result(name), ..Expr::plain(span, ExprKind::ArrayAgg(Box::new(agg))) });
        }
        let json = json::of_call(name, &args);
        for key in &call.within_group {
            args.push(self.expr(&key.expr, block)?);
        }
        args.extend(order_by);
        args.extend(filter);
        Ok(Expr { json, ..Expr::plain(span, ExprKind::Aggregate(args)) })
    }

    /// Whether an aggregate adds numbers up whose sum depends on the order.
    pub(super) fn adds_floats(&mut self, name: &str, list: &'a FunctionArgumentList) -> bool {
        let adds = matches!(name, "sum" | "avg" | "corr")
            || ["stddev", "variance", "var_", "covar_", "regr_"].iter().any(|prefix| name.starts_with(prefix));
        let is_float = |ty: crate::catalog::SqlType| matches!(ty.base.as_str(), "real" | "double precision");
        let float = |argument: &'a FunctionArg| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(written)) => self.type_of(written).is_some_and(is_float),
            _ => false,
        };
        adds && name != "regr_count" && list.args.iter().any(float)
    }

    /// ORDER BY inside a call; other clauses are refused.
    pub(super) fn clauses(
        &mut self,
        list: &'a FunctionArgumentList,
        span: Span,
        block: BlockId,
    ) -> Resolved<Vec<Expr>> {
        let mut keys = Vec::new();
        for clause in &list.clauses {
            let FunctionArgumentClause::OrderBy(order_by) = clause else {
                let title = "this clause inside a call is not supported";
                return Err(self.refuse(Diagnostic::new(Code::UnsupportedExpr, title, span)));
            };
            for key in order_by {
                keys.push(self.expr(&key.expr, block)?);
            }
        }
        Ok(keys)
    }

    /// The columns that fields of an object hold, as they are written in the query around it.
    fn named_fields(&self, object: &Expr) -> Vec<(ColumnRef, String)> {
        let (ExprKind::Object(fields), Some(scope)) = (&object.kind, self.scopes.last()) else { return Vec::new() };
        let held: BTreeSet<ColumnRef> = fields.iter().filter_map(|(_, value)| value.as_column()).collect();
        let alone = |item: &&Item| scope.items.iter().filter(|other| other.name == item.name).count() == 1;
        let of_item = |item: &Item| {
            let name = item.name.sql();
            let column = |(column, value): &(Ident, Expr)| {
                let held = value.as_column().filter(|c| held.contains(c))?;
                Some((held, format!("{name}.{}", column.sql())))
            };
            item.columns.iter().filter_map(column).collect::<Vec<_>>()
        };
        scope.items.iter().filter(alone).flat_map(of_item).collect()
    }

    /// All arguments; every error in them is reported. `*` is none.
    pub(super) fn arguments(
        &mut self,
        list: &'a FunctionArgumentList,
        span: Span,
        block: BlockId,
    ) -> Resolved<Vec<Expr>> {
        let resolved: Vec<Resolved<Option<Expr>>> =
            list.args.iter().map(|arg| self.argument(arg, span, block)).collect();
        resolved.into_iter().filter_map(Result::transpose).collect()
    }

    pub(super) fn argument(&mut self, arg: &'a FunctionArg, span: Span, block: BlockId) -> Resolved<Option<Expr>> {
        let value = match arg {
            FunctionArg::Named { arg, .. } | FunctionArg::ExprNamed { arg, .. } | FunctionArg::Unnamed(arg) => arg,
        };
        match value {
            FunctionArgExpr::Expr(expr) => self.expr(expr, block).map(Some),
            FunctionArgExpr::Wildcard => Ok(None),
            FunctionArgExpr::QualifiedWildcard(name) => {
                let row = row(&self.relation_item(name, span)?.columns, span);
                self.copied(row, span).map(Some)
            }
            FunctionArgExpr::WildcardWithOptions(_) => {
                let title = "this form of argument is not supported";
                Err(self.refuse(Diagnostic::new(Code::UnsupportedExpr, title, span)))
            }
        }
    }

    /// The user's functions of a name.
    pub(super) fn own_functions(&self, names: &[Ident]) -> Option<&'a Vec<crate::catalog::Function>> {
        let functions = &self.catalog.functions;
        match names {
            [name] => self.search_path.iter().find_map(|s| functions.get(&QualName::new(s.clone(), name.clone()))),
            [schema, name] if schema.as_str() != "pg_catalog" => {
                functions.get(&QualName::new(schema.clone(), name.clone()))
            }
            _ => None,
        }
    }

    /// A call of a function of the user's own or of PostgreSQL.
    pub(super) fn judge_call(&mut self, names: &[Ident], arguments: usize, span: Span) -> Resolved<Class> {
        let own = self.own_functions(names);
        let name = names.last().map_or("", |n| n.as_str());
        let Some(overloads) = own else {
            if names.len() > 1 && names[0].as_str() != "pg_catalog" {
                return Err(self.untraceable(&format!("{}.{name}", names[0]), span));
            }
            return self.judge(name, arguments, span);
        };
        self.flat.calls_user_functions = true;
        if let Some(set) = overloads.iter().find(|f| f.returns_set) {
            let diagnostic = Diagnostic::new(Code::UnsupportedExpr, format!("`{name}` returns a set"), span)
                .also(set.span, "declared here");
            return Err(self.refuse(diagnostic));
        }
        match overloads.iter().find(|f| f.volatility != Volatility::Immutable) {
            None => Ok(Class::Pure),
            Some(other) => Err(self.refuse(
                Diagnostic::new(
                    Code::UntraceableFunction,
                    format!("function `{name}` is not declared IMMUTABLE"),
                    span,
                )
                .also(other.span, "declared here")
                .note("what it reads cannot be traced, so a document that shows its result could go stale")
                .help("declare it IMMUTABLE if its result depends on its arguments alone")
                .help("what depends on who asks belongs into the query that reads the documents, or into a policy on their table"),
            )),
        }
    }

    fn judge(&mut self, name: &str, arguments: usize, span: Span) -> Resolved<Class> {
        let class = classify(name, arguments);
        self.flat.needs_locale |= depends_on_locale(name);
        let (code, title, note) = match class {
            Class::Pure | Class::Aggregate | Class::SetReturning => return Ok(class),
            Class::Time if self.accepts_time() => return Ok(Class::Pure),
            Class::Time => (
                Code::VolatileFunction,
                format!("`{name}` reads the clock"),
                "a document would have to change without any write",
            ),
            Class::Session => {
                (Code::VolatileFunction, format!("`{name}` depends on who asks"), "a document is one for all sessions")
            }
            Class::Volatile => (
                Code::VolatileFunction,
                format!("`{name}` is volatile"),
                "the view gives another result each time it is read, so nothing can be equal to it",
            ),
            Class::Unknown => return Err(self.untraceable(name, span)),
        };
        let diagnostic = Diagnostic::new(code, title, span)
            .note(note)
            .help("compute it where the document is read, or store it in a column");
        Err(self.refuse(match class {
            Class::Time => diagnostic.help(
                "or write `-- tviewc: allow(TV0303)` on the line above the view: documents are then as of their last change",
            ),
            _ => diagnostic,
        }))
    }

    /// `allow(TV0303)`: documents are as of their last change.
    fn accepts_time(&self) -> bool {
        self.flat.accepts(Code::VolatileFunction)
    }

    fn untraceable(&mut self, name: &str, span: Span) -> Refused {
        if matches!(name, "enum_range" | "enum_first" | "enum_last") {
            let title = format!("`{name}` reads the values of an enum");
            return self.refuse(
                Diagnostic::new(Code::UntraceableFunction, title, span)
                    .note("no trigger fires when a value is added to it")
                    .help("write the values out: `unnest(ARRAY['a', 'b']::t[])`, or keep them in a table"),
            );
        }
        self.refuse(
            Diagnostic::new(Code::UntraceableFunction, format!("unknown function `{name}`"), span)
                .note("what it reads cannot be traced, so a document that shows its result could go stale")
                .help("give the file that declares it IMMUTABLE as well, for example with `--schema schema.sql`"),
        )
    }
}

/// Aggregates other than `jsonb_agg` whose result depends on the order of their input.
pub(super) fn is_order_sensitive(name: &str) -> bool {
    matches!(name, "string_agg" | "array_agg" | "xmlagg" | "json_object_agg" | "jsonb_object_agg")
}

/// A literal that is a text by a cast of its own.
fn is_text_constant(value: &Ast) -> bool {
    match value {
        Ast::Nested(inner) => is_text_constant(inner),
        Ast::Cast { expr, .. } => matches!(expr.as_ref(), Ast::Value(_)) || is_text_constant(expr),
        _ => false,
    }
}

/// A whole row as an object of its columns.
fn row(columns: &[(Ident, Expr)], span: Span) -> Expr {
    let fields = columns.iter().map(|(name, expr)| (name.to_string(), expr.clone())).collect();
    Expr::plain(span, ExprKind::Object(fields))
}

/// The field names of `jsonb_build_object('a', …, 'b', …)`, if all are string constants.
fn object_keys(list: &FunctionArgumentList) -> Option<Vec<String>> {
    if list.args.len() % 2 != 0 {
        return None;
    }
    let key = |arg: &FunctionArg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(Ast::Value(value))) => match &value.value {
            Value::SingleQuotedString(text) => Some(text.clone()),
            _ => None,
        },
        _ => None,
    };
    list.args.iter().step_by(2).map(key).collect()
}

/// What the patterns of `LIKE ALL (…)` are, which is read as a call; PostgreSQL has no function of that name.
fn of_all(pattern: &Ast) -> &Ast {
    let Ast::Function(call) = pattern else { return pattern };
    let [ObjectNamePart::Identifier(name)] = call.name.0.as_slice() else { return pattern };
    let is_all = name.quote_style.is_none() && name.value.eq_ignore_ascii_case("all");
    match plain_arguments(call).as_deref() {
        Some([patterns]) if is_all => patterns,
        _ => pattern,
    }
}

/// The operands of the expression forms that are plain functions of them; `None` for forms that are not.
pub(super) fn operands(ast: &Ast) -> Option<Vec<&Ast>> {
    Some(match ast {
        Ast::IsFalse(e)
        | Ast::IsNotFalse(e)
        | Ast::IsTrue(e)
        | Ast::IsNotTrue(e)
        | Ast::IsNull(e)
        | Ast::IsNotNull(e)
        | Ast::IsUnknown(e)
        | Ast::IsNotUnknown(e) => vec![e],
        Ast::IsDistinctFrom(a, b) | Ast::IsNotDistinctFrom(a, b) => vec![a, b],
        Ast::UnaryOp { expr, .. } | Ast::Collate { expr, .. } | Ast::Extract { expr, .. } => vec![expr],
        Ast::Ceil { expr, .. }
        | Ast::Floor { expr, .. }
        | Ast::IsNormalized { expr, .. }
        | Ast::IsJson { expr, .. } => vec![expr],
        Ast::BinaryOp { left, right, .. } | Ast::AnyOp { left, right, .. } | Ast::AllOp { left, right, .. } => {
            vec![left, right]
        }
        Ast::AtTimeZone { timestamp, time_zone } => vec![timestamp, time_zone],
        Ast::Position { expr, r#in } => vec![expr, r#in],
        Ast::InList { expr, list, .. } => std::iter::once(expr.as_ref()).chain(list).collect(),
        Ast::Between { expr, low, high, .. } => vec![expr, low, high],
        Ast::Like { expr, pattern, escape_char, .. }
        | Ast::ILike { expr, pattern, escape_char, .. }
        | Ast::SimilarTo { expr, pattern, escape_char, .. } => {
            let escape_char = escape_char.iter().map(|e| e.as_ref());
            [expr.as_ref(), of_all(pattern)].into_iter().chain(escape_char).collect()
        }
        Ast::Substring { expr, substring_from, substring_for, .. } => {
            [Some(expr), substring_from.as_ref(), substring_for.as_ref()]
                .into_iter()
                .flatten()
                .map(|e| e.as_ref())
                .collect()
        }
        Ast::Trim { expr, trim_what, trim_characters, .. } => {
            let what = trim_what.iter().map(|e| e.as_ref());
            std::iter::once(expr.as_ref()).chain(what).chain(trim_characters.iter().flatten()).collect()
        }
        Ast::Overlay { expr, overlay_what, overlay_from, overlay_for } => {
            let four = [Some(expr), Some(overlay_what), Some(overlay_from), overlay_for.as_ref()];
            four.into_iter().flatten().map(|e| e.as_ref()).collect()
        }
        Ast::Case { operand, conditions, else_result, .. } => {
            let arms = conditions.iter().flat_map(|c| [&c.condition, &c.result]);
            operand.iter().map(|e| e.as_ref()).chain(arms).chain(else_result.iter().map(|e| e.as_ref())).collect()
        }
        Ast::Tuple(list) => list.iter().collect(),
        Ast::Array(array) => array.elem.iter().collect(),
        Ast::Interval(interval) => vec![&interval.value],
        Ast::CompoundFieldAccess { root, access_chain } => {
            let behind_fields = super::fields::of_value(ast).map_or(0, |(_, chain)| {
                chain.iter().take_while(|a| matches!(a, AccessExpr::Dot(Ast::Identifier(_)))).count()
            });
            let access_chain = &access_chain[behind_fields..];
            std::iter::once(root.as_ref()).chain(Subscripts::of(access_chain)?).collect()
        }
        _ => return None,
    })
}
