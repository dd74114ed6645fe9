//! What different values survive: casts, and texts around them.
//!
//! In: a term. Out: the column that it is a cast of, or a text with it in it, where different values of that column give different ones, so
//! that the term identifies what the column identifies. What always holds: only casts are listed whose text or number is the same under
//! all settings, and that neither round nor cut.

use crate::catalog::Catalog;
use crate::resolve::{ColumnRef, FlatView, Formula, Piece, Term};

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
        [Piece::Column(column), Piece::Text(_)]
        | [Piece::Text(_), Piece::Column(column)]
        | [Piece::Text(_), Piece::Column(column), Piece::Text(_)] => *column,
        _ => return None,
    };
    let text = |piece: &Piece| match piece {
        Piece::Text(text) => text.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_lowercase(),
        _ => String::new(),
    };
    let source = &catalog.table(&view.use_of(column).table).columns[column.column];
    let base = source.ty.base.as_str();
    let survives = |target: &str| CASTS.iter().any(|(from, to)| base == *from && to.contains(&target));
    let survives = match label_of(view, formula) {
        // A text that is NULL is an empty one to concat.
        Some((_, joined)) if matches!(base, "text" | "character varying") => joined == Joined::Operator,
        Some(_) => survives("text"),
        None => {
            let around = |at: Option<&Piece>| at.map(text).unwrap_or_default();
            let target = target(&around(formula.pieces.first()), &around(formula.pieces.last()))?;
            survives(&crate::catalog::builtin_type(&target)?)
        }
    };
    // A collation decides which texts are equal.
    (survives && source.ty.dimensions == 0 && source.collation.is_none()).then_some(column)
}

/// What a term begins with that tells a column: the text before the column.
pub(super) fn label(view: &FlatView, catalog: &Catalog, term: &Term) -> Option<String> {
    told_column(view, catalog, term)?;
    label_of(view, term.as_formula()?).map(|(label, _)| label.to_owned())
}

/// How a text and a column are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Joined {
    /// By `||`, which makes NULL of NULL.
    Operator,
    /// By `concat`, which leaves NULL out.
    Call,
}

/// The text, where no function of the user's can be meant by the call.
fn label_of<'f>(view: &FlatView, formula: &'f Formula) -> Option<(&'f str, Joined)> {
    labelled(formula).filter(|(_, joined)| *joined == Joined::Operator || !view.calls_user_functions)
}

/// What stands before the column in `'post-' || id` or `concat('post-', id)`, where nothing else stands there.
fn labelled(formula: &Formula) -> Option<(&str, Joined)> {
    let [Piece::Text(before), Piece::Column(_), rest @ ..] = formula.pieces.as_slice() else { return None };
    let after = match rest {
        [] => "",
        [Piece::Text(after)] => after.trim(),
        _ => return None,
    };
    let (mut before, mut after) = (before.trim(), after);
    while let (Some(inner), Some(rest)) = (before.strip_prefix('('), after.strip_suffix(')')) {
        (before, after) = (inner.trim(), rest.trim());
    }
    let word = before.get(..6).filter(|word| word.eq_ignore_ascii_case("concat"));
    let (label, after) = match word {
        Some(_) => {
            let inside = before[6..].trim_start().strip_prefix('(')?.trim_end().strip_suffix(',')?;
            (inside, after.strip_suffix(')')?.trim_end())
        }
        None => (before.strip_suffix("||")?, after),
    };
    let is_cast = after.is_empty() || after.strip_prefix("::").is_some_and(|ty| ty.trim().eq_ignore_ascii_case("text"));
    let label = label.trim().strip_prefix('\'')?.strip_suffix('\'')?;
    let joined = if word.is_some() { Joined::Call } else { Joined::Operator };
    (is_cast && !label.contains(['\'', '\\']) && formula.calls.is_empty()).then_some((label, joined))
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
    use super::{labelled, target};
    use crate::resolve::{ColumnRef, Formula, Piece, UseId};

    #[test]
    fn labels_are_read_in_both_spellings() {
        let label = |before: &str, after: &str| {
            let column = Piece::Column(ColumnRef { use_id: UseId(0), column: 0 });
            let pieces = vec![Piece::Text(before.into()), column, Piece::Text(after.into())];
            labelled(&Formula { pieces, ..Formula::default() }).map(|(label, _)| label.to_owned())
        };
        let post = Some("Post-".to_owned());
        assert_eq!(label("'Post-' || ", ""), post);
        assert_eq!(label("('Post-'||", "::text)"), post);
        assert_eq!(label("CONCAT('Post-', ", ")"), post);
        assert_eq!(label("'a' || 'b' || ", ""), None);
        assert_eq!(label("'Post-' || ", " / 2"), None);
        assert_eq!(label("'Post-' || ", "::integer"), None);
        assert_eq!(label("lower('Post-' || ", ")"), None);
        assert_eq!(label("concat('Post-', ", ", 'x')"), None);
        assert_eq!(label("E'\\x41' || ", ""), None);
    }

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
