//! Casts that different values survive.
//!
//! In: a term. Out: the column that it is a cast of, where different values of that column are cast to different ones, so that the
//! term identifies what the column identifies. What always holds: only casts are listed whose text or number is the same under
//! all settings, and that neither round nor cut.

use crate::catalog::Catalog;
use crate::resolve::{ColumnRef, FlatView, Piece, Term};

/// From a type, to these.
const CASTS: &[(&str, &[&str])] = &[
    ("smallint", &["integer", "bigint", "numeric", "text", "character varying"]),
    ("integer", &["bigint", "numeric", "text", "character varying"]),
    ("bigint", &["numeric", "text", "character varying"]),
    ("uuid", &["text", "character varying"]),
    ("character varying", &["text"]),
    ("text", &["character varying"]),
];

/// The column that a term tells: itself, or what it is an injective cast of.
pub(super) fn told_column(view: &FlatView, catalog: &Catalog, term: &Term) -> Option<ColumnRef> {
    let formula = match term {
        Term::Column(column) => return Some(*column),
        Term::Formula(formula) => formula,
    };
    let column = match formula.pieces.as_slice() {
        [Piece::Column(column), Piece::Text(_)] | [Piece::Text(_), Piece::Column(column), Piece::Text(_)] => *column,
        _ => return None,
    };
    let text = |piece: &Piece| match piece {
        Piece::Text(text) => text.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_lowercase(),
        _ => String::new(),
    };
    let before = if formula.pieces.len() == 3 { text(&formula.pieces[0]) } else { String::new() };
    let target = crate::catalog::builtin_type(&target(&before, &text(&formula.pieces[formula.pieces.len() - 1]))?)?;
    let source = &catalog.table(&view.use_of(column).table).columns[column.column];
    // A collation decides which texts are equal.
    let plain = source.ty.dimensions == 0 && source.collation.is_none();
    let listed = CASTS.iter().any(|(from, to)| source.ty.base == *from && to.contains(&target.as_str()));
    (plain && listed).then_some(column)
}

/// The type in `…::type` and `cast(… as type)`, of what stands before a column and behind it.
fn target(before: &str, behind: &str) -> Option<String> {
    let (mut before, mut behind) = (before.trim(), behind.trim());
    // Parentheses around the column.
    while let (Some(outer), Some(rest)) = (before.strip_suffix('('), behind.strip_prefix(')')) {
        (before, behind) = (outer.trim(), rest.trim());
    }
    let (before, name) = match behind.strip_prefix("::") {
        Some(name) => (before, name),
        None => {
            (before.strip_suffix('(')?.trim().strip_suffix("cast")?, behind.strip_prefix("as ")?.strip_suffix(')')?)
        }
    };
    // What is around all of it would have to be known as well.
    before.is_empty().then(|| name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::target;

    #[test]
    fn casts_are_read_in_both_spellings() {
        let text = Some("text".to_owned());
        assert_eq!(target("", "::text"), text);
        assert_eq!(target("(", ")::text"), text);
        assert_eq!(target("cast(", " as text)"), text);
        assert_eq!(target("cast ( (", ") as text)"), text);
        assert_eq!(target("lower(", "::text)"), None);
        assert_eq!(target("-", "::text"), None);
        assert_eq!(target("left(", ")::text"), None);
        assert_eq!(target("cast(", " as text) || 'x'"), None);
    }
}
