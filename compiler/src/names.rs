//! Names: identifiers as PostgreSQL stores them, and how SQL text spells them.
//!
//! In: identifiers after case folding (unquoted ones lower-cased, quoted ones as they are).
//! Out: values that compare as PostgreSQL compares names; [`Ident::sql`] and [`QualName::sql`] are
//! the only ways from a name to SQL text, and they quote where quoting is needed.

use std::fmt;

/// The longest identifier in bytes that PostgreSQL keeps.
pub const MAX_IDENT_BYTES: usize = 63;

/// One identifier, case-folded.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(transparent)]
pub struct Ident(String);

impl Ident {
    /// An identifier whose case is already folded (or was quoted).
    pub fn new(name: impl Into<String>) -> Self {
        Ident(name.into())
    }

    /// An unquoted identifier as the user wrote it: folded to lower case, cut at 63 bytes.
    pub fn fold(text: &str) -> Self {
        let folded: String = text.chars().map(|c| c.to_ascii_lowercase()).collect();
        Ident(truncate(&folded).to_owned())
    }

    /// The bare name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as SQL text, quoted where PostgreSQL needs it.
    pub fn sql(&self) -> String {
        if needs_quotes(&self.0) { format!("\"{}\"", self.0.replace('"', "\"\"")) } else { self.0.clone() }
    }
}

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A schema-qualified name.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
pub struct QualName {
    /// The schema.
    pub schema: Ident,
    /// The name in that schema.
    pub name: Ident,
}

impl QualName {
    /// `schema.name`.
    pub fn new(schema: Ident, name: Ident) -> Self {
        QualName { schema, name }
    }

    /// The name as SQL text, always qualified.
    pub fn sql(&self) -> String {
        format!("{}.{}", self.schema.sql(), self.name.sql())
    }
}

impl fmt::Display for QualName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.name)
    }
}

impl fmt::Debug for QualName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.name)
    }
}

/// `text` cut to 63 bytes at a character boundary, as PostgreSQL cuts identifiers.
pub fn truncate(text: &str) -> &str {
    let mut end = text.len().min(MAX_IDENT_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// `text` as an SQL string literal. `E''` syntax is used where a backslash occurs, so that the
/// meaning does not depend on `standard_conforming_strings`.
pub fn sql_literal(text: &str) -> String {
    let doubled = text.replace('\'', "''");
    if text.contains('\\') { format!("E'{}'", doubled.replace('\\', "\\\\")) } else { format!("'{doubled}'") }
}

fn needs_quotes(name: &str) -> bool {
    let mut chars = name.chars();
    let plain_start = chars.next().is_some_and(|c| c.is_ascii_lowercase() || c == '_');
    let plain_rest = chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '$');
    !(plain_start && plain_rest) || crate::keywords::needs_quotes(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_only_where_needed() {
        assert_eq!(Ident::new("author_id").sql(), "author_id");
        assert_eq!(Ident::new("Author").sql(), "\"Author\"");
        assert_eq!(Ident::new("user").sql(), "\"user\"");
        assert_eq!(Ident::new("a\"b").sql(), "\"a\"\"b\"");
        assert_eq!(Ident::new("1st").sql(), "\"1st\"");
    }

    #[test]
    fn folds_and_truncates() {
        assert_eq!(Ident::fold("Posts").as_str(), "posts");
        assert_eq!(Ident::fold(&"é".repeat(40)).as_str().len(), 62);
    }

    #[test]
    fn literals_survive_any_setting() {
        assert_eq!(sql_literal("it's"), "'it''s'");
        assert_eq!(sql_literal("a\\b'"), "E'a\\\\b'''");
    }
}
