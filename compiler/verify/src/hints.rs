//! Constants worth writing.
//!
//! In: the text of check constraints (of tables and domains), partition bounds and view definitions. Out: for each column the
//! constants it is compared with. Random values would hardly ever pass `CHECK (status IN ('draft', 'published'))`
//! or enter `WHERE status = 'published'`, and a writer that does not do so tests little.

use postgres::Client;

use crate::error::{Doing, Result};
use crate::schema::{Column, Table};
use crate::types::{TypeKind, TypeRef};

/// Enough to hold the members of a usual list.
const MAX_HINTS: usize = 12;

/// Adds the hints of all columns.
pub(crate) fn add(client: &mut Client, tables: &mut [Table]) -> Result<()> {
    let views = "SELECT coalesce(pg_get_viewdef(c.oid), '') FROM pg_catalog.pg_class c \
                 JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'v' \
                 AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'tview') \
                 ORDER BY n.nspname::text COLLATE \"C\", c.relname::text COLLATE \"C\"";
    let views = texts(client, views, &[])?;
    for table in tables {
        let checks = "SELECT pg_get_constraintdef(oid) FROM pg_catalog.pg_constraint \
                      WHERE conrelid = $1 AND contype = 'c' ORDER BY conname::text COLLATE \"C\"";
        let mut checks = texts(client, checks, &[&table.oid])?;
        // For a root the bounds of its leaves, for a leaf its own; those of a default leaf say what it does not take.
        let bounds = "SELECT pg_get_partition_constraintdef(relid) FROM pg_catalog.pg_partition_tree($1::oid::regclass) \
                      WHERE pg_get_partition_constraintdef(relid) NOT LIKE '(NOT (%' ORDER BY relid::regclass::text COLLATE \"C\"";
        checks.extend(texts(client, bounds, &[&table.oid])?);
        for column in &mut table.columns {
            for text in checks.iter().chain(&views) {
                collect(text, &column.name, &mut column.hints);
            }
            add_domain_hints(client, column)?;
            // Another table's column of that name may be of another type.
            let ty = column.ty.without_domains().clone();
            column.hints.retain(|hint| fits(&ty, hint));
        }
    }
    Ok(())
}

fn add_domain_hints(client: &mut Client, column: &mut Column) -> Result<()> {
    if !matches!(column.ty.kind, TypeKind::Domain { .. }) {
        return Ok(());
    }
    let checks = "SELECT pg_get_constraintdef(oid) FROM pg_catalog.pg_constraint \
                  WHERE contypid = to_regtype($1)::oid AND contype = 'c' ORDER BY conname::text COLLATE \"C\"";
    for text in texts(client, checks, &[&column.ty.name])? {
        collect(&text, "VALUE", &mut column.hints);
    }
    Ok(())
}

fn texts(client: &mut Client, sql: &str, parameters: &[&(dyn postgres::types::ToSql + Sync)]) -> Result<Vec<String>> {
    let rows = client.query(sql, parameters).doing(|| "reading constants of checks and views".to_owned())?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Whether the constant looks like one of the type; what is not known may be one.
fn fits(ty: &TypeRef, hint: &str) -> bool {
    let TypeKind::Base(name) = &ty.kind else {
        return !matches!(ty.kind, TypeKind::Array(_)) || hint.starts_with('{');
    };
    match name.as_str() {
        "int2" | "int4" | "int8" | "oid" => hint.parse::<i64>().is_ok(),
        "numeric" | "float4" | "float8" | "money" => hint.parse::<f64>().is_ok(),
        "bool" => matches!(hint, "t" | "f" | "true" | "false"),
        "uuid" => hint.len() == 36 && hint.chars().all(|c| c.is_ascii_hexdigit() || c == '-'),
        "date" | "timestamp" | "timestamptz" => hint.starts_with(|c: char| c.is_ascii_digit()) && hint.contains('-'),
        "json" | "jsonb" => hint.starts_with(['{', '[', '"']) || hint.parse::<f64>().is_ok(),
        _ => true,
    }
}

/// Collects the constants that follow `name` and an operator in `text`.
fn collect(text: &str, name: &str, hints: &mut Vec<String>) {
    for (at, _) in text.match_indices(name) {
        let inside_word = |c: char| c.is_alphanumeric() || c == '_';
        let rest = &text[at + name.len()..];
        if text[..at].ends_with(inside_word) || rest.starts_with(inside_word) {
            continue;
        }
        for constant in constants_after_operator(rest) {
            if hints.len() < MAX_HINTS && !hints.contains(&constant) {
                hints.push(constant);
            }
        }
    }
}

/// The constants in `)::text = 'a'::text`, `= ANY (ARRAY['a'::text, 'b'::text])` or `> 10`.
fn constants_after_operator(rest: &str) -> Vec<String> {
    let rest = skip_casts(rest.trim_start_matches('"'));
    let operand = rest.trim_start_matches(['=', '<', '>', '!', '~', '*']);
    if operand.len() == rest.len() {
        return Vec::new();
    }
    let mut operand = operand.trim_start();
    for prefix in ["ANY", "ALL", "(", "(", "ARRAY", "["] {
        operand = operand.strip_prefix(prefix).unwrap_or(operand).trim_start();
    }
    let mut constants = Vec::new();
    while let Some((constant, after)) = constant(operand) {
        constants.push(constant);
        match skip_casts(after).strip_prefix(',') {
            Some(next) => operand = next.trim_start(),
            None => break,
        }
    }
    constants
}

/// Skips closing parentheses, blanks and casts.
fn skip_casts(mut text: &str) -> &str {
    loop {
        let before = text.len();
        text = text.trim_start_matches([')', ' ', '\n']);
        if let Some(cast) = text.strip_prefix("::") {
            let type_char = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '"' | '[' | ']');
            text = cast.trim_start_matches(type_char);
            text = text.strip_prefix(" varying").unwrap_or(text);
        }
        if text.len() == before {
            return text;
        }
    }
}

/// A quoted or numeric constant at the start, with what follows it.
fn constant(text: &str) -> Option<(String, &str)> {
    let text = text.trim_start_matches('(');
    if let Some(mut rest) = text.strip_prefix('\'') {
        let mut value = String::new();
        loop {
            let end = rest.find('\'')?;
            value.push_str(&rest[..end]);
            rest = &rest[end + 1..];
            match rest.strip_prefix('\'') {
                Some(more) => {
                    value.push('\'');
                    rest = more;
                }
                None => return Some((value, rest)),
            }
        }
    }
    let number = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-');
    let end = text.find(|c| !number(c)).unwrap_or(text.len());
    let digits = &text[..end];
    digits.parse::<f64>().is_ok().then(|| (digits.to_owned(), &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hints(text: &str, name: &str) -> Vec<String> {
        let mut hints = Vec::new();
        collect(text, name, &mut hints);
        hints
    }

    #[test]
    fn finds_members_of_lists() {
        let check = "CHECK ((status = ANY (ARRAY['draft'::text, 'it''s'::text])))";
        assert_eq!(hints(check, "status"), ["draft", "it's"]);
        let check = "CHECK (((kind)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[])))";
        assert_eq!(hints(check, "kind"), ["a", "b"]);
    }

    #[test]
    fn constants_of_other_types_do_not_fit() {
        let base = |name: &str| TypeRef { name: name.to_owned(), modifier: -1, kind: TypeKind::Base(name.to_owned()) };
        assert!(fits(&base("int4"), "-3") && !fits(&base("int4"), "a") && !fits(&base("uuid"), "5"));
        assert!(fits(&base("date"), "2021-01-15") && !fits(&base("date"), "5") && fits(&base("text"), "5"));
        let array = TypeRef { kind: TypeKind::Array(Box::new(base("int4"))), ..base("_int4") };
        assert!(fits(&array, "{1}") && !fits(&array, "1"));
    }

    #[test]
    fn finds_numbers_and_skips_other_names() {
        assert_eq!(hints("WHERE ((o.total > 10.5) AND (o.subtotal > (0)::numeric))", "total"), ["10.5"]);
        assert_eq!(hints("WHERE (o.subtotal > (0)::numeric)", "subtotal"), ["0"]);
        assert_eq!(hints("SELECT a.total FROM a", "total"), Vec::<String>::new());
    }
}
