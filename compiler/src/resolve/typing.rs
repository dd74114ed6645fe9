//! Types of formulas, as far as they are told by the functions and casts in them.
//!
//! In: an expression whose names resolve. Out: its type, or `None` where this module does not know it: then whoever
//! needs the type asks the user for a cast. Also which columns have to be present for it not to be NULL.

use sqlparser::ast::{BinaryOperator as Op, Expr as Ast, Function as Call, UnaryOperator, Value};

use super::formula::plain_arguments;
use super::naming::parts;
use super::query::Resolver;
use super::{ColumnRef, Expr, ExprKind};
use crate::catalog::{Function, NUMBERS, SqlType, TypeClass};
use crate::names::Ident;

/// One of PostgreSQL's own types.
pub(super) fn builtin(base: &str) -> SqlType {
    SqlType { sql: base.to_owned(), base: base.to_owned(), dimensions: 0, class: TypeClass::Builtin }
}

/// Functions whose result is a text whatever they are given.
const TO_TEXT: &[&str] = &[
    "abbrev",
    "array_to_string",
    "chr",
    "concat",
    "concat_ws",
    "encode",
    "format",
    "host",
    "md5",
    "to_char",
    "to_hex",
];

/// Functions whose result is a text if they are given one; there are others of these names, of ranges and binary strings.
const TEXT_TO_TEXT: &[&str] = &[
    "btrim",
    "initcap",
    "left",
    "lower",
    "lpad",
    "ltrim",
    "regexp_replace",
    "repeat",
    "replace",
    "reverse",
    "right",
    "rpad",
    "rtrim",
    "split_part",
    "substr",
    "substring",
    "translate",
    "trim",
    "upper",
];

/// Functions whose result is an integer.
const TO_INTEGER: &[&str] = &[
    "array_length",
    "ascii",
    "cardinality",
    "char_length",
    "family",
    "masklen",
    "octet_length",
    "strpos",
    "width_bucket",
];

/// Functions that give NULL for NULL arguments only. Not among them are those that know no pattern that does not match; those that
/// know no field of an infinite time are in [`super::finite`].
const TOTAL: &[&str] = &[
    "abbrev",
    "abs",
    "array_to_string",
    "ascii",
    "btrim",
    "cardinality",
    "ceil",
    "char_length",
    "date",
    "date_trunc",
    "family",
    "floor",
    "host",
    "initcap",
    "left",
    "length",
    "lower",
    "lpad",
    "ltrim",
    "masklen",
    "md5",
    "network",
    "octet_length",
    "repeat",
    "replace",
    "reverse",
    "right",
    "round",
    "rpad",
    "rtrim",
    "set_masklen",
    "split_part",
    "strpos",
    "substr",
    "translate",
    "trim",
    "trunc",
    "upper",
    "width_bucket",
];

const DAY: &str = "date";
const LOCAL: &str = "timestamp without time zone";
const ZONED: &str = "timestamp with time zone";
const SPAN: &str = "interval";

/// What `generate_series` makes of arguments of these types: of which of its forms PostgreSQL chooses.
fn series_type(arguments: &[SqlType]) -> Option<SqlType> {
    if arguments.iter().any(|ty| ty.dimensions > 0) {
        return None;
    }
    let types: Vec<&SqlType> = arguments.iter().map(SqlType::underlying).collect();
    let bases: Vec<&str> = types.iter().map(|ty| ty.base.as_str()).collect();
    // A literal is of no type yet: it is taken for a text, of which there are no series.
    let is_open = |base: &&str| *base == "text";
    let bounds = bases.get(..2)?;
    let is_time = |base: &&str| is_open(base) || matches!(*base, DAY | LOCAL | ZONED);
    let step_is_span = match bases.get(2) {
        Some(step) => *step == SPAN || is_open(step) && !bounds.iter().all(is_open),
        None => false,
    };
    if bases.len() > 3 {
        // With the zone that days are counted in.
        return Some(builtin(ZONED));
    }
    if step_is_span && bounds.iter().all(is_time) {
        // Of days, and of literals alone, it makes times in a zone.
        let is_local = bounds.contains(&LOCAL) && !bounds.contains(&ZONED);
        return Some(builtin(if is_local { LOCAL } else { ZONED }));
    }
    let known: Vec<&SqlType> = types.into_iter().filter(|ty| !is_open(&ty.base.as_str())).collect();
    // Of the narrowest numbers there is no series of their own.
    SqlType::common_number(&known).filter(|base| *base != NUMBERS[0]).map(builtin)
}

/// A constant whose type depends on what it is compared with.
fn is_literal(ast: &Ast) -> bool {
    matches!(ast, Ast::Value(v) if matches!(v.value, Value::SingleQuotedString(_) | Value::Null))
}

/// The type of a sum or a difference of times.
fn time_type(left: &SqlType, op: &Op, right: &SqlType) -> Option<&'static str> {
    let is_scalar = |t: &SqlType| t.dimensions == 0 && matches!(t.class, TypeClass::Builtin);
    if !is_scalar(left) || !is_scalar(right) {
        return None;
    }
    match (left.base.as_str(), op, right.base.as_str()) {
        (DAY, Op::Plus | Op::Minus, "smallint" | "integer") | ("smallint" | "integer", Op::Plus, DAY) => Some(DAY),
        (DAY, Op::Minus, DAY) => Some("integer"),
        (DAY | LOCAL, Op::Plus | Op::Minus, SPAN) | (SPAN, Op::Plus, DAY | LOCAL) => Some(LOCAL),
        (ZONED, Op::Plus | Op::Minus, SPAN) | (SPAN, Op::Plus, ZONED) => Some(ZONED),
        (DAY | LOCAL | ZONED, Op::Minus, DAY | LOCAL | ZONED) | (SPAN, Op::Plus | Op::Minus, SPAN) => Some(SPAN),
        _ => None,
    }
}

impl<'a> Resolver<'a> {
    /// The type of an expression.
    pub(super) fn type_of(&mut self, ast: &'a Ast) -> Option<SqlType> {
        match ast {
            Ast::Identifier(_) | Ast::CompoundIdentifier(_) => self.known(ast).and_then(|e| self.type_of_resolved(&e)),
            Ast::Nested(inner) | Ast::Collate { expr: inner, .. } => self.type_of(inner),
            Ast::Value(value) => constant_type(&value.value),
            Ast::Cast { data_type, .. } => cast_type(&data_type.to_string()),
            Ast::Interval(_) => Some(builtin("interval")),
            Ast::TypedString(constant) => cast_type(&constant.data_type.to_string()),
            Ast::BinaryOp { left, op, right } => self.operator_type(left, op, right),
            Ast::UnaryOp { op: UnaryOperator::Minus | UnaryOperator::Plus, expr } => self.type_of(expr),
            Ast::UnaryOp { op: UnaryOperator::Not, .. }
            | Ast::IsNull(_)
            | Ast::IsNotNull(_)
            | Ast::IsTrue(_)
            | Ast::IsNotTrue(_)
            | Ast::IsFalse(_)
            | Ast::IsNotFalse(_)
            | Ast::InList { .. }
            | Ast::Between { .. }
            | Ast::Like { .. }
            | Ast::ILike { .. } => Some(builtin("boolean")),
            Ast::CompoundFieldAccess { .. } => match super::fields::of_value(ast) {
                Some((root, chain)) => self.field_type(root, chain),
                None => self.subscripted_type(ast),
            },
            Ast::AtTimeZone { timestamp, .. } => match self.type_of(timestamp)?.base.as_str() {
                "timestamp without time zone" => Some(builtin("timestamp with time zone")),
                "date" | "timestamp with time zone" => Some(builtin("timestamp without time zone")),
                _ => None,
            },
            Ast::Trim { expr, .. } | Ast::Substring { expr, .. } => {
                self.type_of(expr).filter(is_textual).map(|_| builtin("text"))
            }
            Ast::Case { conditions, else_result, .. } => {
                let arms: Vec<&Ast> =
                    conditions.iter().map(|c| &c.result).chain(else_result.iter().map(|e| e.as_ref())).collect();
                self.common_type(&arms)
            }
            Ast::Function(call) => {
                let arguments = plain_arguments(call)?;
                match self.own_functions(&parts(&call.name)?) {
                    Some(overloads) => declared_type(overloads),
                    None => self.call_type(self.builtin_name(call)?.as_str(), &arguments),
                }
            }
            _ => None,
        }
    }

    pub(super) fn type_of_resolved(&self, expr: &Expr) -> Option<SqlType> {
        match &expr.kind {
            ExprKind::Column(column) => {
                Some(self.catalog.table(&self.flat.use_of(*column).table).columns[column.column].ty.clone())
            }
            ExprKind::Either(_, list) => {
                let mut types = list.iter().map(|e| self.type_of_resolved(e));
                let first = types.next()??;
                types.all(|t| t.as_ref() == Some(&first)).then_some(first)
            }
            _ => match &expr.element {
                Some(element) => element.ty.clone(),
                None => expr.formula.as_ref().and_then(|f| f.ty.clone()),
            },
        }
    }

    /// The type of the n-th column of a set-returning function.
    pub(super) fn element_type(&self, function: &str, arguments: &[Expr], n: usize) -> Option<SqlType> {
        let argument = |n: usize| arguments.get(n).and_then(|a| self.type_of_resolved(a));
        match function {
            "unnest" => match argument(n) {
                Some(array) => {
                    let is_domain = matches!(array.class, TypeClass::Domain(_));
                    let sql = array.sql.trim_end_matches("[]").to_owned();
                    (array.dimensions > 0 && !is_domain).then_some(SqlType { sql, dimensions: 0, ..array })
                }
                // Behind its own columns stands the ordinality.
                None => (n == arguments.len()).then(|| builtin("bigint")),
            },
            "generate_series" if n == 0 => {
                series_type(&(0..arguments.len()).map(argument).collect::<Option<Vec<_>>>()?)
            }
            "generate_subscripts" if n == 0 => Some(builtin("integer")),
            "string_to_table" | "regexp_split_to_table" if n == 0 => Some(builtin("text")),
            _ if function.ends_with("_object_keys") || function.ends_with("_elements_text") => {
                Some(builtin(if n == 0 { "text" } else { "bigint" }))
            }
            _ if function.ends_with("_each_text") && n < 2 => Some(builtin("text")),
            "json_each" | "jsonb_each" if n == 0 => Some(builtin("text")),
            _ => None,
        }
    }

    /// The one type that all have; unknown literals take the others'.
    pub(super) fn common_type(&mut self, list: &[&'a Ast]) -> Option<SqlType> {
        let typed: Vec<&&Ast> = list.iter().filter(|ast| !is_literal(ast)).collect();
        if typed.is_empty() {
            return Some(builtin("text"));
        }
        let types: Vec<SqlType> = typed.iter().map(|e| self.type_of(e)).collect::<Option<_>>()?;
        SqlType::common(&types.iter().collect::<Vec<_>>()).map(unmodified)
    }

    fn operator_type(&mut self, left: &'a Ast, op: &Op, right: &'a Ast) -> Option<SqlType> {
        match op {
            Op::Eq | Op::NotEq | Op::Lt | Op::LtEq | Op::Gt | Op::GtEq | Op::And | Op::Or => Some(builtin("boolean")),
            Op::LongArrow | Op::HashLongArrow => Some(builtin("text")),
            Op::Arrow | Op::HashArrow => self.type_of(left).filter(|t| matches!(t.base.as_str(), "json" | "jsonb")),
            Op::StringConcat => {
                let (left, right) = (self.type_of(left)?, self.type_of(right)?);
                let joined =
                    [&left, &right].iter().all(|t| t.dimensions == 0) && (is_textual(&left) || is_textual(&right));
                joined.then(|| builtin("text"))
            }
            Op::Plus | Op::Minus | Op::Multiply | Op::Divide | Op::Modulo => {
                let (left, right) = (self.type_of(left)?, self.type_of(right)?);
                if let Some(time) = time_type(&left, op, &right) {
                    return Some(builtin(time));
                }
                SqlType::common_number(&[&left, &right]).map(builtin)
            }
            _ => None,
        }
    }

    fn call_type(&mut self, name: &str, arguments: &[&'a Ast]) -> Option<SqlType> {
        match name {
            "coalesce" | "greatest" | "least" => self.common_type(arguments),
            // It is of the first one's type, where the two can be compared as they are.
            "nullif" => {
                let (common, first) = (self.common_type(arguments)?, self.common_type(arguments.get(..1)?)?);
                (common.base == first.base || is_literal(arguments[0])).then_some(common)
            }
            "abs" | "round" | "ceil" | "floor" | "trunc" if arguments.len() == 1 => {
                let argument = self.type_of(arguments[0])?;
                matches!(argument.base.as_str(), "numeric" | "double precision").then(|| unmodified(argument))
            }
            "date_trunc" => {
                let argument = self.type_of(arguments.get(1)?)?;
                match argument.base.as_str() {
                    "date" => Some(builtin("timestamp with time zone")),
                    "timestamp with time zone" | "timestamp without time zone" | "interval" => {
                        Some(unmodified(argument))
                    }
                    _ => None,
                }
            }
            "date" | "make_date" | "to_date" => Some(builtin("date")),
            "date_part" => Some(builtin("double precision")),
            "network" => Some(builtin("cidr")),
            "set_masklen" => self.type_of(arguments.first()?).filter(|t| t.dimensions == 0).map(unmodified),
            "round" | "trunc" if arguments.len() == 2 => {
                // Of other numbers there is none with a number of digits.
                Some(builtin("numeric"))
            }
            "length" => {
                let argument = self.type_of(arguments.first()?)?;
                (is_textual(&argument) || argument.base == "bytea").then(|| builtin("integer"))
            }
            _ if TO_TEXT.contains(&name) => Some(builtin("text")),
            _ if TO_INTEGER.contains(&name) => Some(builtin("integer")),
            _ if TEXT_TO_TEXT.contains(&name) => {
                self.type_of(arguments.first()?).filter(is_textual).map(|_| builtin("text"))
            }
            _ => None,
        }
    }

    /// The columns that have to be present for an expression not to be NULL; `None` where it can be NULL all the same.
    pub(super) fn strict_columns(&mut self, ast: &'a Ast) -> Option<Vec<ColumnRef>> {
        match ast {
            Ast::Identifier(_) | Ast::CompoundIdentifier(_) => {
                let expr = self.known(ast)?;
                match (expr.as_column(), &expr.formula) {
                    (Some(column), _) => Some(vec![column]),
                    (None, Some(formula)) => formula.strict.clone(),
                    (None, None) => expr.element.as_ref()?.strict.clone(),
                }
            }
            Ast::Value(value) => (!matches!(value.value, Value::Null)).then(Vec::new),
            Ast::TypedString(_) => Some(Vec::new()),
            Ast::Interval(interval) => self.strict_columns(&interval.value),
            Ast::Nested(inner) | Ast::Collate { expr: inner, .. } => self.strict_columns(inner),
            // A cast of json's null is NULL, of anything else it is not.
            Ast::Cast { expr, .. } => {
                let json = self.type_of(expr).is_none_or(|t| super::json::of_type(&t).is_some());
                // A field of a time is a number, of a type that depends on the server's version.
                let never_json = matches!(expr.as_ref(), Ast::Value(_) | Ast::Extract { .. });
                if json && !never_json { None } else { self.strict_columns(expr) }
            }
            Ast::IsNull(_) | Ast::IsNotNull(_) | Ast::IsTrue(_) | Ast::IsFalse(_) => Some(Vec::new()),
            Ast::UnaryOp { expr, .. } => self.strict_columns(expr),
            Ast::BinaryOp { left, op, right } if self.is_total(left, op, right) => self.strict_list(&[left, right]),
            Ast::Trim { .. } => self.strict_list(&super::expr::operands(ast)?),
            Ast::AtTimeZone { timestamp, time_zone } => self.strict_list(&[timestamp, time_zone]),
            Ast::Extract { .. } => self.strict_part(ast),
            Ast::Case { conditions, else_result: Some(last), .. } => {
                let arms: Vec<&Ast> = conditions.iter().map(|c| &c.result).chain([last.as_ref()]).collect();
                self.strict_list(&arms)
            }
            Ast::Function(call) => {
                let arguments = plain_arguments(call)?;
                match self.builtin_name(call)?.as_str() {
                    "coalesce" => {
                        let all: Vec<Vec<ColumnRef>> =
                            arguments.iter().filter_map(|a| self.strict_columns(a)).collect();
                        all.iter().find(|c| c.is_empty()).or_else(|| all.first()).cloned()
                    }
                    "concat" => Some(Vec::new()),
                    "concat_ws" => self.strict_columns(arguments.first()?),
                    "to_char" | "date_part" => self.strict_part(ast),
                    name if self.is_total_call(name, &arguments) => self.strict_list(&arguments),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Whether an expression is NULL or false whenever one of its columns is NULL: either leaves a row out.
    pub(super) fn passes_null(&mut self, ast: &'a Ast) -> bool {
        match ast {
            Ast::Identifier(_) | Ast::CompoundIdentifier(_) => self.known(ast).is_some_and(|e| e.passes_null()),
            Ast::Value(_) | Ast::TypedString(_) | Ast::Interval(_) => true,
            Ast::Nested(inner) | Ast::Collate { expr: inner, .. } | Ast::Cast { expr: inner, .. } => {
                self.passes_null(inner)
            }
            Ast::BinaryOp { left, op, right } => {
                let strict = self.is_total(left, op, right)
                    || matches!(op, Op::Arrow | Op::LongArrow | Op::HashArrow | Op::HashLongArrow);
                strict && self.operand_passes_null(left) && self.operand_passes_null(right)
            }
            Ast::UnaryOp { op: UnaryOperator::Not | UnaryOperator::Minus | UnaryOperator::Plus, expr } => {
                self.operand_passes_null(expr)
            }
            Ast::Like { expr, pattern, escape_char: None, any: false, .. }
            | Ast::ILike { expr, pattern, escape_char: None, any: false, .. } => {
                self.operand_passes_null(expr) && self.operand_passes_null(pattern)
            }
            // Whether the value is in a list of constants.
            Ast::InList { expr, list, .. } => {
                self.operand_passes_null(expr) && list.iter().all(|e| matches!(e, Ast::Value(_)))
            }
            Ast::IsTrue(expr) | Ast::IsFalse(expr) => self.operand_passes_null(expr),
            Ast::CompoundFieldAccess { root, .. } if super::fields::of_value(ast).is_some() => {
                self.operand_passes_null(root)
            }
            Ast::CompoundFieldAccess { .. } => self.subscripts_pass_null(ast),
            Ast::AnyOp { left, right, .. } => self.passes_null(left) && self.passes_null(right),
            Ast::Between { expr, low, high, negated: false } => {
                // NULL or false: neither lets a row pass.
                self.passes_null(expr) && self.passes_null(low) && self.passes_null(high)
            }
            Ast::Function(call) => {
                let arguments = plain_arguments(call).unwrap_or_default();
                let mut name = self.builtin_name(call);
                // What is written in the place of NULLs may be NULL itself.
                name = name.filter(|name| name.as_str() != "array_to_string" || arguments.len() == 2);
                name.is_some_and(|name| self.is_total_call(name.as_str(), &arguments))
                    && arguments.iter().all(|a| self.operand_passes_null(a))
            }
            _ => false,
        }
    }

    /// Whether it is NULL then. ANY, BETWEEN and IS TRUE can be false, which is as good as NULL in a condition only.
    pub(super) fn operand_passes_null(&mut self, ast: &'a Ast) -> bool {
        match ast {
            Ast::AnyOp { .. } | Ast::Between { .. } | Ast::IsTrue(_) | Ast::IsFalse(_) => false,
            Ast::Nested(inner) | Ast::Cast { expr: inner, .. } => self.operand_passes_null(inner),
            _ => self.passes_null(ast),
        }
    }

    /// Whether an operator gives NULL for NULL operands only, and for these always. `||` of arrays does not.
    fn is_total(&mut self, left: &'a Ast, op: &Op, right: &'a Ast) -> bool {
        let compares_or_counts = matches!(
            op,
            Op::Eq
                | Op::NotEq
                | Op::Lt
                | Op::LtEq
                | Op::Gt
                | Op::GtEq
                | Op::Plus
                | Op::Minus
                | Op::Multiply
                | Op::Divide
                | Op::Modulo
        );
        compares_or_counts || *op == Op::StringConcat && self.operator_type(left, op, right).is_some()
    }

    /// The same of a call. Functions of a user's own types may have the same names.
    fn is_total_call(&mut self, name: &str, arguments: &[&'a Ast]) -> bool {
        let own = |t: &SqlType| matches!(t.class, TypeClass::Builtin | TypeClass::Domain(_));
        TOTAL.contains(&name) && arguments.iter().all(|a| self.type_of(a).as_ref().is_some_and(own))
    }

    /// The name of a function of PostgreSQL's own, as far as the call tells.
    pub(super) fn builtin_name(&self, call: &Call) -> Option<Ident> {
        let mut names = parts(&call.name)?;
        if self.own_functions(&names).is_some() {
            return None;
        }
        let name = names.pop()?;
        names.iter().all(|schema| schema.as_str() == "pg_catalog").then_some(name)
    }

    pub(super) fn strict_list(&mut self, list: &[&'a Ast]) -> Option<Vec<ColumnRef>> {
        let mut columns = Vec::new();
        for ast in list {
            columns.extend(self.strict_columns(ast)?);
        }
        Some(columns)
    }
}

/// Without length or precision.
fn unmodified(ty: SqlType) -> SqlType {
    match ty.class {
        TypeClass::Builtin => SqlType { sql: ty.base.clone(), ..ty },
        _ => ty,
    }
}

/// What all overloads of a function return.
pub(super) fn declared_type(overloads: &[Function]) -> Option<SqlType> {
    let (first, rest) = overloads.split_first()?;
    let ty = first.returns.clone()?;
    rest.iter().all(|f| f.returns.as_ref() == Some(&ty)).then_some(ty)
}

/// Whether functions of texts take it as one.
pub(super) fn is_textual(ty: &SqlType) -> bool {
    let base = ty.underlying();
    let dimensions = ty.dimensions + if base == ty { 0 } else { base.dimensions };
    dimensions == 0 && matches!(base.base.as_str(), "text" | "character varying" | "character" | "name")
}

fn constant_type(value: &Value) -> Option<SqlType> {
    match value {
        Value::SingleQuotedString(_) | Value::EscapedStringLiteral(_) | Value::DollarQuotedString(_) => {
            Some(builtin("text"))
        }
        Value::Boolean(_) => Some(builtin("boolean")),
        Value::Number(digits, _) => {
            let base = match (digits.parse::<i32>(), digits.parse::<i64>()) {
                (Ok(_), _) => "integer",
                (_, Ok(_)) => "bigint",
                _ => "numeric",
            };
            Some(builtin(base))
        }
        _ => None,
    }
}

/// A type of PostgreSQL's own, as written in a cast.
fn cast_type(written: &str) -> Option<SqlType> {
    let folded = written.to_ascii_lowercase();
    let (name, tail) = folded
        .split_once('(')
        .map_or((folded.as_str(), ""), |(n, t)| (n, t.split_once(')').map_or("", |(_, tail)| tail)));
    let name =
        format!("{}{}", name.trim(), if tail.trim().is_empty() { String::new() } else { format!(" {}", tail.trim()) });
    crate::catalog::builtin_type(&name).map(|base| builtin(&base))
}
