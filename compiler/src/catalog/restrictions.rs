//! What conditions say of one column: `x IS NULL`, `NOT x`, `x = 'open'`.
//!
//! In: the condition of a partial index, or one of a query on one table, with columns by their names. Out: [`Restriction`]s of which it
//! can be told whether one follows from another. What always holds: only forms are read in which both sides mean the same wherever they
//! are written, so that rows that fulfil a restriction fulfil what follows from it.

use sqlparser::ast::{Array, BinaryOperator, CastKind, DataType, Expr as Ast, UnaryOperator, Value};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::{Column, SqlType, TypeClass, builtin_type};
use crate::names::{Ident, sql_literal};

/// What is said of one column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restriction {
    /// The column.
    pub column: Ident,
    /// What is said of it.
    pub test: Test,
}

/// What a column is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// `IS NULL`.
    Null,
    /// `IS NOT NULL`.
    Present,
    /// Of a boolean: it is this.
    Is(bool),
    /// One of these constants, as they are written: `=`, IN and `= ANY (ARRAY[…])`.
    Among(Vec<String>),
    /// Another comparison with a constant: the operator and the constant.
    Compared(&'static str, String),
}

impl Restriction {
    /// As PostgreSQL would show it, but for casts and parentheses.
    pub fn sql(&self) -> String {
        let column = self.column.sql();
        match &self.test {
            Test::Null => format!("{column} IS NULL"),
            Test::Present => format!("{column} IS NOT NULL"),
            Test::Is(true) => column,
            Test::Is(false) => format!("NOT {column}"),
            Test::Among(constants) => match constants.as_slice() {
                [constant] => format!("{column} = {constant}"),
                several => format!("{column} = ANY (ARRAY[{}])", several.join(", ")),
            },
            Test::Compared(operator, constant) => format!("{column} {operator} {constant}"),
        }
    }
}

impl Test {
    /// Whether every value of which this holds passes the other test.
    pub fn implies(&self, other: &Test) -> bool {
        match (self, other) {
            (Test::Among(few), Test::Among(more)) => few.iter().all(|constant| more.contains(constant)),
            (own, Test::Present) => *own != Test::Null,
            (own, other) => own == other,
        }
    }
}

/// All that the tokens of a condition say; `None` where a part of it is of no form that is known.
pub(super) fn of_tokens(tokens: impl Iterator<Item = Token>, columns: &[Column]) -> Option<Vec<Restriction>> {
    let tokens: Vec<TokenWithSpan> = tokens.map(TokenWithSpan::wrap).collect();
    let mut parser = Parser::new(&PostgreSqlDialect {}).with_tokens_with_locations(tokens);
    let condition = parser.parse_expr().ok().filter(|_| parser.peek_token().token == Token::EOF)?;
    all(&condition, columns)
}

/// What one condition says, as text; `None` where it is of no form that is known.
pub fn of_text(condition: &str, columns: &[Column]) -> Option<Vec<Restriction>> {
    let mut parser = Parser::new(&PostgreSqlDialect {}).try_with_sql(condition).ok()?;
    let condition = parser.parse_expr().ok().filter(|_| parser.peek_token().token == Token::EOF)?;
    all(&condition, columns)
}

fn all(condition: &Ast, columns: &[Column]) -> Option<Vec<Restriction>> {
    match condition {
        Ast::Nested(inner) => all(inner, columns),
        Ast::BinaryOp { left, op: BinaryOperator::And, right } => {
            let mut said = all(left, columns)?;
            said.extend(all(right, columns)?);
            Some(said)
        }
        other => restriction(other, columns).map(|one| vec![one]),
    }
}

fn restriction(condition: &Ast, columns: &[Column]) -> Option<Restriction> {
    let flag = |written: &Ast, is: bool| {
        let column = column(written, columns).filter(|c| c.ty.base == "boolean" && c.ty.dimensions == 0)?;
        Some((column, Test::Is(is)))
    };
    let (column, test) = match condition {
        Ast::IsNull(of) => (column(of, columns)?, Test::Null),
        Ast::IsNotNull(of) => (column(of, columns)?, Test::Present),
        Ast::Identifier(_) | Ast::IsTrue(_) | Ast::IsFalse(_) | Ast::UnaryOp { op: UnaryOperator::Not, .. } => {
            match condition {
                Ast::IsTrue(of) => flag(of, true)?,
                Ast::IsFalse(of) | Ast::UnaryOp { expr: of, .. } => flag(of, false)?,
                of => flag(of, true)?,
            }
        }
        Ast::BinaryOp { left, op, right } => compared(column(left, columns)?, operator(op)?, right)?,
        Ast::InList { expr, list, negated: false } => among(column(expr, columns)?, list)?,
        Ast::AnyOp { left, compare_op: BinaryOperator::Eq, right, .. } => {
            among(column(left, columns)?, &elements(right)?.elem)?
        }
        _ => return None,
    };
    Some(Restriction { column: column.name.clone(), test })
}

fn compared<'c>(column: &'c Column, operator: &'static str, written: &Ast) -> Option<(&'c Column, Test)> {
    let constant = Some(column).filter(|c| has_stable_constants(&c.ty)).and_then(|c| constant(written, &c.ty))?;
    let test = match (operator, constant.as_str()) {
        ("=", "true") | ("<>", "false") if column.ty.base == "boolean" => Test::Is(true),
        ("=", "false") | ("<>", "true") if column.ty.base == "boolean" => Test::Is(false),
        ("=", _) => Test::Among(vec![constant]),
        _ => Test::Compared(operator, constant),
    };
    Some((column, test))
}

fn among<'c>(column: &'c Column, list: &[Ast]) -> Option<(&'c Column, Test)> {
    if !has_stable_constants(&column.ty) {
        return None;
    }
    let constants = list.iter().map(|written| constant(written, &column.ty)).collect::<Option<_>>()?;
    Some((column, Test::Among(constants)))
}

/// The array in `ARRAY[…]::type[]`.
fn elements(written: &Ast) -> Option<&Array> {
    match written {
        Ast::Nested(inner) => elements(inner),
        Ast::Cast { kind: CastKind::DoubleColon, expr, .. } => elements(expr),
        Ast::Array(array) => Some(array),
        _ => None,
    }
}

fn operator(op: &BinaryOperator) -> Option<&'static str> {
    match op {
        BinaryOperator::Eq => Some("="),
        BinaryOperator::NotEq => Some("<>"),
        BinaryOperator::Lt => Some("<"),
        BinaryOperator::LtEq => Some("<="),
        BinaryOperator::Gt => Some(">"),
        BinaryOperator::GtEq => Some(">="),
        _ => None,
    }
}

/// A column, also cast as PostgreSQL writes that of a varchar.
fn column<'c>(written: &Ast, columns: &'c [Column]) -> Option<&'c Column> {
    match written {
        Ast::Nested(inner) => column(inner, columns),
        Ast::Identifier(written) => {
            let name = match written.quote_style {
                Some(_) => Ident::new(written.value.clone()),
                None => Ident::fold(&written.value),
            };
            columns.iter().find(|c| c.name == name)
        }
        Ast::Cast { kind: CastKind::DoubleColon, expr, data_type: DataType::Text, .. } => {
            column(expr, columns).filter(|c| is_compared_as_text(&c.ty))
        }
        _ => None,
    }
}

/// A constant as it is written, without a cast to the type of the column.
fn constant(written: &Ast, ty: &SqlType) -> Option<String> {
    match written {
        Ast::Nested(inner) => constant(inner, ty),
        Ast::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(sql_literal(text)),
            Value::Number(number, false) => Some(number.clone()),
            Value::Boolean(value) => Some(value.to_string()),
            _ => None,
        },
        Ast::UnaryOp { op: UnaryOperator::Minus, expr } => match constant(expr, ty)? {
            number if number.starts_with(|c: char| c.is_ascii_digit()) => Some(format!("-{number}")),
            _ => None,
        },
        Ast::Cast { kind: CastKind::DoubleColon, expr, data_type, .. } => {
            constant(expr, ty).filter(|_| is_own_type(&data_type.to_string(), ty))
        }
        _ => None,
    }
}

/// Whether a constant of the type that is written is compared as one without a type.
fn is_own_type(written: &str, ty: &SqlType) -> bool {
    let folded = written.to_ascii_lowercase();
    let is_text = |name: &str| matches!(name, "text" | "character varying");
    let is_named =
        |name: &str| ty.base == name || ty.base.strip_suffix(name).is_some_and(|schema| schema.ends_with('.'));
    match builtin_type(&folded) {
        Some(builtin) => builtin == base(ty) || is_text(&builtin) && is_text(base(ty)),
        None => is_named(written) || is_named(&folded),
    }
}

/// Whether a constant of the type is the same value under all settings.
fn has_stable_constants(ty: &SqlType) -> bool {
    const TYPES: &[&str] =
        &["smallint", "integer", "bigint", "numeric", "boolean", "uuid", "text", "character varying", "character"];
    ty.dimensions == 0
        && match &ty.class {
            TypeClass::Builtin => TYPES.contains(&ty.base.as_str()),
            TypeClass::Enum => true,
            TypeClass::Domain(below) => has_stable_constants(below),
            TypeClass::Composite | TypeClass::Range | TypeClass::Unknown => false,
        }
}

/// Whether values of the type are compared as texts.
fn is_compared_as_text(ty: &SqlType) -> bool {
    let is_text = matches!(base(ty), "text" | "character varying");
    is_text && ty.dimensions == 0 && ty.base != "text"
}

/// The name of the type, or of that below a domain.
fn base(ty: &SqlType) -> &str {
    match &ty.class {
        TypeClass::Domain(below) => base(below),
        _ => &ty.base,
    }
}
