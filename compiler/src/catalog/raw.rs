//! Column and constraint definitions, as written.
//!
//! In: the tokens of one element of CREATE TABLE, or of one action of ALTER TABLE. Out: [`RawColumn`]
//! and [`RawConstraint`], which name columns and tables as the user did. What they prove is decided
//! when the whole input has been read (`finish`), because later statements change it.

use sqlparser::tokenizer::Token;

use super::types::{self, WrittenType};
use crate::names::Ident;
use crate::source::{Sources, Span};
use crate::syntax::cursor::{Cursor, WrittenName};

/// A column definition.
#[derive(Clone, Debug)]
pub(super) struct RawColumn {
    pub name: Ident,
    pub ty: WrittenType,
    pub not_null: bool,
    pub virtual_generated: bool,
    pub collation: Option<String>,
    pub span: Span,
}

/// A constraint or unique index.
#[derive(Clone, Debug)]
pub(super) struct RawConstraint {
    pub name: Option<Ident>,
    pub kind: RawKind,
    pub columns: Vec<Ident>,
    pub deferrable: bool,
    pub not_valid: bool,
    pub not_enforced: bool,
    /// Of the partitioned table alone: added with ALTER TABLE ONLY.
    pub only: bool,
    /// Another reason why it proves nothing.
    pub weak: Option<String>,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub(super) enum RawKind {
    Primary,
    Unique,
    NotNull,
    /// `PRIMARY KEY | UNIQUE USING INDEX name`.
    UsingIndex {
        primary: bool,
        index: Ident,
    },
    Foreign {
        table: WrittenName,
        columns: Vec<Ident>,
        /// ON UPDATE CASCADE, SET NULL or SET DEFAULT.
        updates: bool,
    },
    /// CHECK, EXCLUDE: nothing that is used here.
    Other,
}

impl RawConstraint {
    pub(super) fn new(kind: RawKind, columns: Vec<Ident>, span: Span) -> Self {
        RawConstraint {
            name: None,
            kind,
            columns,
            deferrable: false,
            not_valid: false,
            not_enforced: false,
            only: false,
            weak: None,
            span,
        }
    }
}

/// What went wrong, and where.
pub(super) type Unread = (String, Option<Span>);

/// Whether a table element (or what follows ADD) is a constraint rather than a column.
pub(super) fn is_constraint(c: &Cursor<'_>) -> bool {
    let two = |a: &str, b: &str| c.is_word(0, a) && c.is_word(1, b);
    let paren = |a: &str| c.is_word(0, a) && c.peek(1) == Some(&Token::LParen);
    c.is_word(0, "constraint")
        || two("primary", "key")
        || two("foreign", "key")
        || two("not", "null")
        || paren("check")
        || c.is_word(0, "unique")
        || (c.is_word(0, "exclude") && (c.is_word(1, "using") || c.peek(1) == Some(&Token::LParen)))
}

/// `name type constraints…`.
pub(super) fn column(c: &mut Cursor<'_>, sources: &Sources) -> Result<(RawColumn, Vec<RawConstraint>), Unread> {
    let start = c.position();
    let Some((name, name_span)) = c.ident() else {
        return Err(("expected a column's name".to_owned(), c.span()));
    };
    let Some(ty) = types::read(c, sources) else {
        return Err(("expected a type".to_owned(), c.span()));
    };
    let mut column =
        RawColumn { not_null: ty.serial, name, ty, virtual_generated: false, collation: None, span: name_span };
    let constraints = column_constraints(c, sources, &mut column)?;
    column.span = c.span_from(start).unwrap_or(name_span);
    Ok((column, constraints))
}

/// The constraints behind a column's type (or, in a typed table or partition, behind its name).
pub(super) fn column_constraints(
    c: &mut Cursor<'_>,
    sources: &Sources,
    column: &mut RawColumn,
) -> Result<Vec<RawConstraint>, Unread> {
    let mut found: Vec<RawConstraint> = Vec::new();
    let mut name = None;
    while !c.is_end() {
        let start = c.position();
        if c.eat(&["constraint"]) {
            name = c.ident().map(|(ident, _)| ident);
            continue;
        }
        if let Some(last) = found.last_mut() {
            if attribute(c, last) {
                continue;
            }
        }
        if let Some(mut constraint) = one_column_constraint(c, sources, column)? {
            constraint.name = name.take();
            constraint.span = c.span_from(start).unwrap_or(column.span);
            found.push(constraint);
        }
    }
    column.not_null |= found.iter().any(|f| matches!(f.kind, RawKind::NotNull) && !f.not_valid);
    Ok(found)
}

fn one_column_constraint(
    c: &mut Cursor<'_>,
    sources: &Sources,
    column: &mut RawColumn,
) -> Result<Option<RawConstraint>, Unread> {
    let own = vec![column.name.clone()];
    let make = |kind, columns| Ok(Some(RawConstraint::new(kind, columns, column.span)));
    match () {
        () if c.eat(&["not", "null"]) => {
            c.eat(&["no", "inherit"]);
            make(RawKind::NotNull, own)
        }
        () if c.eat(&["null"]) => Ok(None),
        () if c.eat(&["primary", "key"]) => {
            index_tail(c);
            make(RawKind::Primary, own)
        }
        () if c.eat(&["unique"]) => {
            let _ = c.eat(&["nulls", "not", "distinct"]) || c.eat(&["nulls", "distinct"]);
            index_tail(c);
            make(RawKind::Unique, own)
        }
        () if c.eat(&["references"]) => {
            let kind = references(c)?;
            make(kind, own)
        }
        () if c.eat(&["check"]) => {
            c.skip();
            c.eat(&["no", "inherit"]);
            make(RawKind::Other, own)
        }
        () if c.eat(&["default"]) => {
            skip_expression(c);
            Ok(None)
        }
        () if c.eat(&["generated"]) => {
            generated(c, column);
            Ok(None)
        }
        () if c.eat(&["collate"]) => match c.name() {
            Some(name) => {
                column.collation = Some(sources.text(name.span).to_owned());
                Ok(None)
            }
            None => Err(("expected a collation".to_owned(), c.span())),
        },
        () if c.eat_any(&["storage", "compression", "options"]) => {
            c.skip();
            Ok(None)
        }
        () if c.eat(&["with", "options"]) => Ok(None),
        () => Err(("expected a column constraint".to_owned(), c.span())),
    }
}

fn generated(c: &mut Cursor<'_>, column: &mut RawColumn) {
    let _ = c.eat(&["always"]) || c.eat(&["by", "default"]);
    c.eat(&["as"]);
    if c.eat(&["identity"]) {
        column.not_null = true;
        c.group();
        return;
    }
    c.group();
    // Without a word it is VIRTUAL on PostgreSQL 18 and an error before.
    column.virtual_generated = !c.eat(&["stored"]);
    c.eat(&["virtual"]);
}

/// Words that begin the next column constraint: what ends a DEFAULT expression.
const ENDS_DEFAULT: &[&str] = &[
    "constraint",
    "not",
    "null",
    "check",
    "default",
    "unique",
    "primary",
    "references",
    "generated",
    "collate",
    "deferrable",
    "initially",
    "storage",
    "compression",
];

fn skip_expression(c: &mut Cursor<'_>) {
    c.skip();
    while !c.is_end() && !c.is_any(ENDS_DEFAULT) {
        let is = c.is_word(0, "is");
        c.skip();
        // IS [NOT] NULL, IS NOT DISTINCT FROM
        if is {
            c.eat(&["not"]);
            c.skip();
        }
    }
}

/// DEFERRABLE and the like; whether one was read.
fn attribute(c: &mut Cursor<'_>, last: &mut RawConstraint) -> bool {
    match () {
        () if c.eat(&["not", "deferrable"]) => last.deferrable = false,
        () if c.eat(&["deferrable"]) || c.eat(&["initially", "deferred"]) => last.deferrable = true,
        () if c.eat(&["initially", "immediate"]) || c.eat(&["enforced"]) || c.eat(&["no", "inherit"]) => {}
        () if c.eat(&["not", "valid"]) => last.not_valid = true,
        () if c.eat(&["not", "enforced"]) => last.not_enforced = true,
        () => return false,
    }
    true
}

/// `INCLUDE (…) WITH (…) USING INDEX TABLESPACE t`.
pub(super) fn index_tail(c: &mut Cursor<'_>) {
    loop {
        match () {
            () if c.eat(&["include"]) || c.eat(&["with"]) => {
                c.group();
            }
            () if c.eat(&["using", "index", "tablespace"]) || c.eat(&["tablespace"]) => {
                c.bump();
            }
            () => return,
        }
    }
}

/// What follows REFERENCES.
fn references(c: &mut Cursor<'_>) -> Result<RawKind, Unread> {
    let Some(table) = c.name() else {
        return Err(("expected the referenced table".to_owned(), c.span()));
    };
    let columns = match c.peek(0) {
        Some(Token::LParen) => c.ident_list().ok_or(("expected referenced columns".to_owned(), c.span()))?,
        _ => vec![],
    };
    let mut updates = false;
    loop {
        let on_update = c.eat(&["on", "update"]);
        if c.eat(&["match"]) {
            c.bump();
        } else if on_update || c.eat(&["on", "delete"]) {
            let writes = c.eat(&["set", "null"]) || c.eat(&["set", "default"]) || c.eat(&["cascade"]);
            updates |= on_update && writes;
            let _ = writes || c.eat(&["no", "action"]) || c.eat(&["restrict"]);
            c.group();
        } else {
            return Ok(RawKind::Foreign { table, columns, updates });
        }
    }
}

/// A table constraint, with its name and attributes.
pub(super) fn table_constraint(c: &mut Cursor<'_>) -> Result<RawConstraint, Unread> {
    let start = c.position();
    let name = if c.eat(&["constraint"]) { c.ident().map(|(ident, _)| ident) } else { None };
    let Some(place) = c.span() else {
        return Err(("expected a constraint".to_owned(), None));
    };
    let mut found = constraint_body(c, place)?;
    found.name = name;
    while !c.is_end() {
        if !attribute(c, &mut found) {
            return Err(("expected the constraint's end".to_owned(), c.span()));
        }
    }
    found.span = c.span_from(start).unwrap_or(place);
    Ok(found)
}

fn constraint_body(c: &mut Cursor<'_>, place: Span) -> Result<RawConstraint, Unread> {
    if c.eat(&["not", "null"]) {
        let column = c.ident().ok_or(("expected a column".to_owned(), c.span()))?.0;
        return Ok(RawConstraint::new(RawKind::NotNull, vec![column], place));
    }
    if c.eat(&["check"]) || c.eat(&["exclude"]) {
        // Its conditions decide nothing here; its attributes neither.
        while !c.is_end() {
            c.skip();
        }
        return Ok(RawConstraint::new(RawKind::Other, vec![], place));
    }
    if c.eat(&["foreign", "key"]) {
        let temporal = c.peek(0) == Some(&Token::LParen);
        let Some(columns) = c.ident_list().filter(|_| temporal) else {
            return period(c, place, false);
        };
        if !c.eat(&["references"]) {
            return Err(("expected REFERENCES".to_owned(), c.span()));
        }
        let kind = references(c)?;
        return Ok(RawConstraint::new(kind, columns, place));
    }
    let primary = c.eat(&["primary", "key"]);
    if !primary && !c.eat(&["unique"]) {
        return Err(("expected a constraint".to_owned(), c.span()));
    }
    let _ = c.eat(&["nulls", "not", "distinct"]) || c.eat(&["nulls", "distinct"]);
    if c.eat(&["using", "index"]) {
        let index = c.ident().ok_or(("expected an index".to_owned(), c.span()))?.0;
        return Ok(RawConstraint::new(RawKind::UsingIndex { primary, index }, vec![], place));
    }
    let Some(columns) = c.ident_list() else {
        return period(c, place, primary);
    };
    index_tail(c);
    Ok(RawConstraint::new(if primary { RawKind::Primary } else { RawKind::Unique }, columns, place))
}

/// `WITHOUT OVERLAPS` and `PERIOD` (PostgreSQL 18): not equality, so no key; a primary one still excludes NULLs.
fn period(c: &mut Cursor<'_>, place: Span, primary: bool) -> Result<RawConstraint, Unread> {
    let Some(inside) = c.group() else {
        return Err(("expected columns".to_owned(), c.span()));
    };
    let temporal = inside.rest().windows(2).any(|w| {
        let mut pair = Cursor::new(w);
        pair.eat(&["without", "overlaps"]) || pair.is_word(0, "period")
    });
    if !temporal {
        return Err(("expected a list of columns".to_owned(), inside.span()));
    }
    let columns = inside.split_commas().into_iter().filter_map(|mut part| part.ident().map(|(ident, _)| ident));
    let (kind, columns) = if primary { (RawKind::NotNull, columns.collect()) } else { (RawKind::Other, vec![]) };
    while !c.is_end() {
        c.skip();
    }
    Ok(RawConstraint::new(kind, columns, place))
}
