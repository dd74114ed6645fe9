//! Type names: from any spelling to the one that `format_type` writes.
//!
//! In: tokens where a type stands. Out: [`WrittenType`], in which PostgreSQL's own types already
//! have their canonical name; user types wait for [`super::build()`] to find their schema.

use sqlparser::tokenizer::Token;

use crate::source::Sources;
use crate::syntax::cursor::{Cursor, WrittenName};

/// A type as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct WrittenType {
    pub name: TypeName,
    pub dimensions: u32,
    /// `serial` and its kin, which imply NOT NULL and a default.
    pub serial: bool,
    /// `SETOF`.
    pub set: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TypeName {
    /// Canonical name without and with modifiers.
    Builtin { base: String, sql: String },
    /// A name to be looked up, and its modifiers as written (`(Point,4326)`).
    User { name: WrittenName, modifiers: String },
}

/// Other spellings of PostgreSQL's own types.
const ALIASES: &[(&str, &str)] = &[
    ("bigserial", "bigint"),
    ("bool", "boolean"),
    ("char", "character"),
    ("dec", "numeric"),
    ("decimal", "numeric"),
    ("float4", "real"),
    ("float8", "double precision"),
    ("int", "integer"),
    ("int2", "smallint"),
    ("int4", "integer"),
    ("int8", "bigint"),
    ("nchar", "character"),
    ("serial", "integer"),
    ("serial2", "smallint"),
    ("serial4", "integer"),
    ("serial8", "bigint"),
    ("smallserial", "smallint"),
    ("time", "time without time zone"),
    ("timestamp", "timestamp without time zone"),
    ("timestamptz", "timestamp with time zone"),
    ("timetz", "time with time zone"),
    ("varbit", "bit varying"),
    ("varchar", "character varying"),
];

/// Spellings of types that keep their name.
const PLAIN: &[&str] = &[
    "aclitem",
    "bigint",
    "bit",
    "boolean",
    "box",
    "bpchar",
    "bytea",
    "character",
    "cid",
    "cidr",
    "circle",
    "date",
    "datemultirange",
    "daterange",
    "gtsvector",
    "inet",
    "int2vector",
    "int4multirange",
    "int4range",
    "int8multirange",
    "int8range",
    "integer",
    "interval",
    "json",
    "jsonb",
    "jsonpath",
    "line",
    "lseg",
    "macaddr",
    "macaddr8",
    "money",
    "name",
    "numeric",
    "nummultirange",
    "numrange",
    "oid",
    "oidvector",
    "path",
    "pg_lsn",
    "pg_snapshot",
    "point",
    "polygon",
    "real",
    "record",
    "refcursor",
    "regclass",
    "regcollation",
    "regconfig",
    "regdictionary",
    "regnamespace",
    "regoper",
    "regoperator",
    "regproc",
    "regprocedure",
    "regrole",
    "regtype",
    "smallint",
    "text",
    "tid",
    "tsmultirange",
    "tsquery",
    "tsrange",
    "tstzmultirange",
    "tstzrange",
    "tsvector",
    "txid_snapshot",
    "uuid",
    "void",
    "xid",
    "xid8",
    "xml",
];

/// Reads a type; on failure the cursor is somewhere inside of it.
pub(super) fn read(c: &mut Cursor<'_>, sources: &Sources) -> Option<WrittenType> {
    let set = c.eat(&["setof"]);
    let (name, serial) = read_name(c, sources)?;
    let mut dimensions = 0;
    if c.eat(&["array"]) {
        dimensions = 1;
        if c.peek(0) == Some(&Token::LBracket) {
            bracket(c)?;
        }
    }
    while c.peek(0) == Some(&Token::LBracket) {
        bracket(c)?;
        dimensions += 1;
    }
    let (name, inner) = strip_array_name(name);
    Some(WrittenType { name, dimensions: dimensions + inner, serial, set })
}

/// `[3]` or `[]`.
fn bracket(c: &mut Cursor<'_>) -> Option<()> {
    c.bump();
    if matches!(c.peek(0), Some(Token::Number(..))) {
        c.bump();
    }
    c.eat_token(&Token::RBracket).then_some(())
}

/// `_int4` is `integer[]`.
fn strip_array_name(name: TypeName) -> (TypeName, u32) {
    if let TypeName::User { name: written, modifiers } = &name {
        let catalog = written.schema.as_ref().is_none_or(|s| s.as_str() == "pg_catalog");
        if let Some(element) = written.name.as_str().strip_prefix('_').filter(|_| catalog && modifiers.is_empty()) {
            if let Some(base) = builtin(element) {
                return (TypeName::Builtin { sql: base.clone(), base }, 1);
            }
        }
    }
    (name, 0)
}

/// The canonical name of one of PostgreSQL's own types.
pub(super) fn builtin(name: &str) -> Option<String> {
    if let Some((_, canonical)) = ALIASES.iter().find(|(alias, _)| *alias == name) {
        return Some((*canonical).to_owned());
    }
    let canonical = ALIASES.iter().any(|(_, canonical)| *canonical == name) || name == "double precision";
    (canonical || PLAIN.contains(&name)).then(|| name.to_owned())
}

fn read_name(c: &mut Cursor<'_>, sources: &Sources) -> Option<(TypeName, bool)> {
    if let Some(found) = keyword_type(c, sources) {
        return Some((found, false));
    }
    let quoted = matches!(c.peek(0), Some(Token::Word(w)) if w.quote_style.is_some());
    let name = c.name()?;
    if c.peek(0) == Some(&Token::Mod) {
        return None; // %TYPE
    }
    let modifiers = modifiers(c, sources);
    let catalog = name.schema.as_ref().is_some_and(|s| s.as_str() == "pg_catalog");
    if name.schema.is_some() && !catalog {
        return Some((TypeName::User { name, modifiers }, false));
    }
    let folded = name.name.as_str();
    if folded == "char" && (quoted || catalog) {
        return Some((TypeName::Builtin { base: "\"char\"".to_owned(), sql: "\"char\"".to_owned() }, false));
    }
    let serial = !catalog && ["serial", "bigserial", "smallserial", "serial2", "serial4", "serial8"].contains(&folded);
    // int, boolean and the like are grammar, not names of types: quoted or qualified they are others.
    let grammar_only =
        ["int", "integer", "smallint", "bigint", "real", "boolean", "decimal", "dec", "character", "nchar"];
    if (quoted || catalog) && grammar_only.contains(&folded) {
        return Some((TypeName::User { name, modifiers }, false));
    }
    match builtin(folded) {
        Some(base) => Some((with_modifiers(base, &modifiers), serial)),
        None => Some((TypeName::User { name, modifiers }, false)),
    }
}

/// `(10, 2)` as `(10,2)`, in the user's own spelling; empty where there is none.
fn modifiers(c: &mut Cursor<'_>, sources: &Sources) -> String {
    let Some(inside) = c.group() else {
        return String::new();
    };
    let text: String = inside.rest().iter().map(|(_, span)| sources.text(*span)).collect();
    format!("({text})")
}

fn with_modifiers(base: String, modifiers: &str) -> TypeName {
    let sql = match (base.as_str(), modifiers) {
        ("character" | "bit", "") => format!("{base}(1)"),
        ("numeric", m) if !m.is_empty() && !m.contains(',') => {
            format!("numeric{},0)", &m[..m.len() - 1])
        }
        (b, m) => match b.find(' ').filter(|_| b.starts_with("time")) {
            Some(i) => format!("{}{m}{}", &b[..i], &b[i..]),
            None => format!("{b}{m}"),
        },
    };
    TypeName::Builtin { base, sql }
}

/// Types of more than one word.
fn keyword_type(c: &mut Cursor<'_>, sources: &Sources) -> Option<TypeName> {
    if c.eat(&["double", "precision"]) {
        return Some(with_modifiers("double precision".to_owned(), ""));
    }
    if c.eat(&["float"]) {
        let digits = modifiers(c, sources);
        let bits: u32 = digits.trim_matches(['(', ')']).parse().unwrap_or(53);
        return Some(with_modifiers(if bits <= 24 { "real" } else { "double precision" }.to_owned(), ""));
    }
    for (words, varying) in [
        (&["national", "character"][..], true),
        (&["national", "char"], true),
        (&["character"], true),
        (&["char"], true),
        (&["nchar"], true),
        (&["bit"], false),
    ] {
        if c.peek(words.len()) == Some(&Token::Period) || !c.eat(words) {
            continue;
        }
        let base = if varying { "character" } else { "bit" };
        let base = if c.eat(&["varying"]) { format!("{base} varying") } else { base.to_owned() };
        let modifiers = modifiers(c, sources);
        return Some(with_modifiers(base, &modifiers));
    }
    for word in ["timestamp", "time"] {
        if c.peek(1) != Some(&Token::Period) && c.eat(&[word]) {
            let modifiers = modifiers(c, sources);
            let with = c.eat(&["with", "time", "zone"]);
            let _ = with || c.eat(&["without", "time", "zone"]);
            return Some(with_modifiers(
                format!("{word} {} time zone", if with { "with" } else { "without" }),
                &modifiers,
            ));
        }
    }
    if c.peek(1) != Some(&Token::Period) && c.eat(&["interval"]) {
        return Some(interval(c, sources));
    }
    None
}

fn interval(c: &mut Cursor<'_>, sources: &Sources) -> TypeName {
    const FIELDS: &[&str] = &["year", "month", "day", "hour", "minute", "second"];
    let mut sql = "interval".to_owned();
    while let Some(field) = FIELDS.iter().find(|f| c.is_word(0, f)) {
        c.bump();
        sql.push_str(&format!(" {field}"));
        if c.eat(&["to"]) {
            sql.push_str(" to");
        }
    }
    sql.push_str(&modifiers(c, sources));
    TypeName::Builtin { base: "interval".to_owned(), sql }
}

/// A user type's spelling when it could not be found.
pub(super) fn as_written(name: &WrittenName) -> String {
    match &name.schema {
        Some(schema) => format!("{}.{}", schema.sql(), name.name.sql()),
        None => name.name.sql(),
    }
}
