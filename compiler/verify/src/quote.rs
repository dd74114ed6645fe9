//! Quoting of names and values.
//!
//! In: raw names and texts. Out: SQL tokens that mean exactly them, whatever the session's settings are.

/// `name` as a quoted identifier. Always quoted, so that no keyword list is needed.
pub fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// `name` as an identifier, quoted only where plain lower-case letters would not do. For text that people read.
pub fn soft_ident(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !KEYWORDS.contains(&name);
    if plain { name.to_owned() } else { ident(name) }
}

/// `schema.name`, each quoted where needed.
pub fn qualified(schema: &str, name: &str) -> String {
    format!("{}.{}", soft_ident(schema), soft_ident(name))
}

/// `text` as a string constant; with a backslash in it as `E'…'`, which does not depend on
/// `standard_conforming_strings`.
pub fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if text.contains('\\') { format!("E'{}'", quoted.replace('\\', "\\\\")) } else { format!("'{quoted}'") }
}

/// The words that cannot stand bare as a column name somewhere in the statements that the writer makes: reserved
/// words, those reserved as functions or types, and the ones PL/pgSQL reserves.
#[rustfmt::skip]
const KEYWORDS: &[&str] = &[
    "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "authorization", "begin", "between",
    "bigint", "binary", "bit", "boolean", "both", "by", "case", "cast", "char", "character", "check", "coalesce",
    "collate", "collation", "column", "concurrently", "constraint", "create", "cross", "current_catalog",
    "current_date", "current_role", "current_schema", "current_time", "current_timestamp", "current_user", "dec",
    "decimal", "declare", "default", "deferrable", "desc", "distinct", "do", "else", "end", "except", "execute",
    "exists", "extract", "false", "fetch", "float", "for", "foreach", "foreign", "freeze", "from", "full", "grant",
    "greatest", "group", "grouping", "having", "if", "ilike", "in", "initially", "inner", "inout", "int", "integer",
    "intersect", "interval", "into", "is", "isnull", "join", "json", "json_array", "json_arrayagg", "json_exists",
    "json_object", "json_objectagg", "json_query", "json_scalar", "json_serialize", "json_table", "json_value",
    "lateral", "leading", "least", "left", "like", "limit", "localtime", "localtimestamp", "loop", "merge_action",
    "national", "natural", "nchar", "none", "normalize", "not", "notnull", "null", "nullif", "numeric", "offset", "on",
    "only", "or", "order", "out", "outer", "overlaps", "overlay", "placing", "position", "precision", "primary",
    "real", "references", "returning", "right", "row", "select", "session_user", "setof", "similar", "smallint",
    "some", "strict", "substring", "symmetric", "system_user", "table", "tablesample", "then", "time", "timestamp",
    "to", "trailing", "treat", "trim", "true", "union", "unique", "user", "using", "values", "varchar", "variadic",
    "verbose", "when", "where", "while", "window", "with", "xmlattributes", "xmlconcat", "xmlelement", "xmlexists",
    "xmlforest", "xmlnamespaces", "xmlparse", "xmlpi", "xmlroot", "xmlserialize", "xmltable",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_what_needs_it() {
        assert_eq!(soft_ident("post_id"), "post_id");
        assert_eq!(soft_ident("order"), "\"order\"");
        assert_eq!(soft_ident("Post\"s"), "\"Post\"\"s\"");
        assert_eq!(literal("O'Brien"), "'O''Brien'");
        assert_eq!(literal("a\\'b"), "E'a\\\\''b'");
    }
}
