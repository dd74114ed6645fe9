//! Does the parsed tree group operators as PostgreSQL would?
//!
//! In: one expression node. Out: whether it and a child of it, not in parentheses, stand in an order
//! that PostgreSQL's precedence does not give. The parser keeps parentheses as nodes, so this is
//! exact and needs no second parser: every pair is compared with PostgreSQL's table (gram.y).
//!
//! Not every wrong grouping matters. Between operators that the compiler never looks into
//! (arithmetic, `->`, custom operators) the set of columns read is the same and the text is copied
//! whole, so `-a ^ 2` may pass. It matters where one side is looked into: AND, OR, NOT, comparisons,
//! IS, IN, BETWEEN, LIKE (conjuncts and links), and `||` (merged objects).

use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator};

const OR: u8 = 10;
const AND: u8 = 20;
const NOT: u8 = 30;
const IS: u8 = 40;
const COMPARE: u8 = 50;
const MATCH: u8 = 60;
const OTHER: u8 = 70;
const ADD: u8 = 80;
const MULTIPLY: u8 = 90;
const POWER: u8 = 100;
const AT_ZONE: u8 = 110;
const SIGN: u8 = 115;

/// A node's precedence in PostgreSQL, and whether the compiler looks into it.
struct Rank {
    precedence: u8,
    looked_into: bool,
    prefix: bool,
}

/// The child that PostgreSQL would group otherwise.
pub(super) fn misgrouped(expr: &Expr) -> Option<&Expr> {
    let parent = rank(expr)?;
    let (left, right) = operands(expr);
    let wrong_left = |child: &Expr| {
        rank(child).is_some_and(|c| {
            let associates = c.precedence == parent.precedence && is_left_associative(parent.precedence);
            !(c.precedence > parent.precedence || associates) && (c.looked_into || parent.looked_into)
        })
    };
    let wrong_right = |child: &Expr| {
        rank(child).is_some_and(|c| {
            let too_low = c.precedence < parent.precedence || (c.precedence == parent.precedence && !parent.prefix);
            // A prefix operator can follow any infix one; only what it takes in is in question, and
            // that is checked at its own node.
            let prefix = c.prefix && (c.precedence != NOT || parent.precedence <= NOT);
            too_low && !prefix && (c.looked_into || parent.looked_into)
        })
    };
    left.filter(|c| wrong_left(c)).or_else(|| right.into_iter().find(|c| wrong_right(c)))
}

fn is_left_associative(precedence: u8) -> bool {
    !matches!(precedence, IS | COMPARE | MATCH)
}

fn operands(expr: &Expr) -> (Option<&Expr>, Vec<&Expr>) {
    match expr {
        Expr::BinaryOp { left, right, .. } => (Some(left), vec![right]),
        Expr::UnaryOp { op: UnaryOperator::PGPostfixFactorial, expr } => (Some(expr), vec![]),
        Expr::UnaryOp { expr, .. } => (None, vec![expr]),
        Expr::IsFalse(e) | Expr::IsNotFalse(e) | Expr::IsTrue(e) | Expr::IsNotTrue(e) => (Some(e), vec![]),
        Expr::IsNull(e) | Expr::IsNotNull(e) | Expr::IsUnknown(e) | Expr::IsNotUnknown(e) => (Some(e), vec![]),
        Expr::IsDistinctFrom(a, b) | Expr::IsNotDistinctFrom(a, b) => (Some(a), vec![b]),
        Expr::IsJson { expr, .. } | Expr::IsNormalized { expr, .. } => (Some(expr), vec![]),
        Expr::InList { expr, .. } | Expr::InSubquery { expr, .. } => (Some(expr), vec![]),
        Expr::Between { expr, low, high, .. } => (Some(expr), vec![low, high]),
        Expr::Like { expr, pattern, .. }
        | Expr::ILike { expr, pattern, .. }
        | Expr::SimilarTo { expr, pattern, .. } => (Some(expr), vec![pattern]),
        Expr::AnyOp { left, .. } | Expr::AllOp { left, .. } => (Some(left), vec![]),
        Expr::AtTimeZone { timestamp, time_zone } => (Some(timestamp), vec![time_zone]),
        _ => (None, vec![]),
    }
}

fn rank(expr: &Expr) -> Option<Rank> {
    let infix = |precedence, looked_into| Some(Rank { precedence, looked_into, prefix: false });
    match expr {
        Expr::BinaryOp { op, .. } => {
            let (precedence, looked_into) = binary(op);
            infix(precedence, looked_into)
        }
        Expr::UnaryOp { op, .. } => match op {
            UnaryOperator::Not => Some(Rank { precedence: NOT, looked_into: true, prefix: true }),
            UnaryOperator::Plus | UnaryOperator::Minus => {
                Some(Rank { precedence: SIGN, looked_into: false, prefix: true })
            }
            UnaryOperator::PGPostfixFactorial => infix(OTHER, false),
            _ => Some(Rank { precedence: OTHER, looked_into: false, prefix: true }),
        },
        // NOT EXISTS is one node, but still the operator NOT.
        Expr::Exists { negated: true, .. } => Some(Rank { precedence: NOT, looked_into: true, prefix: true }),
        Expr::IsFalse(_) | Expr::IsNotFalse(_) | Expr::IsTrue(_) | Expr::IsNotTrue(_) => infix(IS, true),
        Expr::IsNull(_) | Expr::IsNotNull(_) | Expr::IsUnknown(_) | Expr::IsNotUnknown(_) => infix(IS, true),
        Expr::IsDistinctFrom(..) | Expr::IsNotDistinctFrom(..) => infix(IS, true),
        Expr::IsJson { .. } | Expr::IsNormalized { .. } => infix(IS, true),
        Expr::InList { .. } | Expr::InSubquery { .. } | Expr::Between { .. } => infix(MATCH, true),
        Expr::Like { .. } | Expr::ILike { .. } | Expr::SimilarTo { .. } => infix(MATCH, true),
        Expr::AnyOp { .. } | Expr::AllOp { .. } => infix(COMPARE, true),
        Expr::AtTimeZone { .. } => infix(AT_ZONE, false),
        _ => None,
    }
}

fn binary(op: &BinaryOperator) -> (u8, bool) {
    use BinaryOperator as B;
    match op {
        B::Or => (OR, true),
        B::And => (AND, true),
        B::Eq | B::NotEq | B::Lt | B::LtEq | B::Gt | B::GtEq => (COMPARE, true),
        B::Overlaps => (MATCH, false),
        B::StringConcat => (OTHER, true),
        B::Plus | B::Minus => (ADD, false),
        B::Multiply | B::Divide | B::Modulo => (MULTIPLY, false),
        B::PGExp => (POWER, false),
        _ => (OTHER, false),
    }
}
