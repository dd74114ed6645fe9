//! What different values survive: casts, and texts around them.
//!
//! In: a term. Out: the columns of which it is a cast, or a text with them in it, where different values of these columns give different
//! ones, so that the term identifies what the columns identify. What always holds: only casts are listed whose text or number is the same
//! under all settings, and that neither round nor cut; one may fail.

use super::closure::nullable_in_row;
use super::texts::{Composed, Joined, Shape};
use crate::catalog::Catalog;
use crate::resolve::{ColumnRef, FlatView, Formula, Piece, ROWS_OF_FUNCTION, Term};

/// From a type, to these.
const CASTS: &[(&str, &[&str])] = &[
    ("smallint", &["integer", "bigint", "numeric", "text", "character varying"]),
    ("integer", &["smallint", "bigint", "numeric", "text", "character varying"]),
    ("bigint", &["smallint", "integer", "numeric", "text", "character varying"]),
    ("uuid", &["text", "character varying"]),
    ("character varying", &["text"]),
    ("text", &["character varying"]),
];

/// The columns that a term tells: itself, what it is an injective cast of, or those that can be read from a text they are put into.
pub fn told_columns(view: &FlatView, catalog: &Catalog, term: &Term) -> Vec<ColumnRef> {
    let formula = match term {
        Term::Column(column) => return vec![*column],
        Term::Formula(formula) => formula,
    };
    match composed(view, formula) {
        Some(text) if text.columns().nth(1).is_some() => read_from(view, catalog, &text),
        text => told_column(view, catalog, formula, text).into_iter().collect(),
    }
}

/// What a function in FROM makes that a term is such a cast of, where it tells the row.
pub(super) fn told_element(view: &FlatView, term: &Term) -> Option<Term> {
    // There may be many functions, and terms that are what they make and nothing else.
    let formula = term.as_formula().filter(|f| !f.calls.is_empty() && f.pieces.len() > 1)?;
    let texts = formula.pieces.iter().map(|piece| match piece {
        Piece::Text(text) => Some(text.as_str()),
        _ => None,
    });
    let texts: Vec<&str> = texts.collect::<Option<_>>()?;
    let at = texts.iter().position(|text| text.starts_with(ROWS_OF_FUNCTION))?;
    let (before, behind) = (texts[..at].concat(), texts[at + 1..].concat());
    let element = std::slice::from_ref(&formula.pieces[at]);
    let is_told = |told: &&Term| told.as_formula().is_some_and(|f| f.pieces.as_slice() == element);
    let told = view.derived.iter().filter_map(|d| d.told_by.as_ref()).find(is_told)?;
    let of = told.as_formula().filter(|f| f.calls == formula.calls)?;
    let from = of.ty.as_ref().filter(|ty| ty.dimensions == 0)?;
    survives_cast(&from.base, &before, &behind).then(|| told.clone())
}

/// The column of a cast or of a text with one column in it.
fn told_column(view: &FlatView, catalog: &Catalog, formula: &Formula, text: Option<Composed>) -> Option<ColumnRef> {
    let (before, column, behind) = match formula.pieces.as_slice() {
        [Piece::Column(column), Piece::Text(behind)] => ("", *column, behind.as_str()),
        [Piece::Text(before), Piece::Column(column)] => (before.as_str(), *column, ""),
        [Piece::Text(before), Piece::Column(column), Piece::Text(behind)] => {
            (before.as_str(), *column, behind.as_str())
        }
        _ => return None,
    };
    let ty = plain_type(view, catalog, column)?;
    let survives = match text {
        // A text that is NULL is an empty one to concat.
        Some(text) if is_text(ty) => text.joined == Joined::Operator,
        Some(_) => survives(ty, "text"),
        None => survives_cast(ty, before, behind),
    };
    survives.then_some(column)
}

/// Whether different values of a type are different ones of another.
fn survives(ty: &str, target: &str) -> bool {
    CASTS.iter().any(|(from, to)| ty == *from && to.contains(&target))
}

/// The same of a cast that is written around a value.
fn survives_cast(ty: &str, before: &str, behind: &str) -> bool {
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_lowercase();
    let target = target(&plain(before), &plain(behind)).and_then(|name| crate::catalog::builtin_type(&name));
    target.is_some_and(|target| survives(ty, &target))
}

/// The columns that can be read from a text of several. With NULL among them there is no text, or one without its place.
fn read_from(view: &FlatView, catalog: &Catalog, text: &Composed) -> Vec<ColumnRef> {
    let shape = |column: ColumnRef| match plain_type(view, catalog, column) {
        Some("uuid") => Shape::Fixed,
        Some("smallint" | "integer" | "bigint") => Shape::Whole,
        Some(ty) if is_text(ty) => Shape::Free,
        _ => Shape::Unknown,
    };
    let is_there = |column| !nullable_in_row(view, catalog, column);
    if text.columns().all(is_there) { text.told(&shape) } else { Vec::new() }
}

/// The name of a column's type, which is no array; not where a collation decides which of its texts are equal.
fn plain_type<'c>(view: &FlatView, catalog: &'c Catalog, column: ColumnRef) -> Option<&'c str> {
    let source = &catalog.table(&view.use_of(column).table).columns[column.column];
    (source.ty.dimensions == 0 && source.collation.is_none()).then_some(source.ty.base.as_str())
}

fn is_text(ty: &str) -> bool {
    matches!(ty, "text" | "character varying")
}

/// What a term that tells columns begins with in all rows.
pub(super) fn label(view: &FlatView, catalog: &Catalog, term: &Term) -> Option<String> {
    let text = composed(view, term.as_formula()?)?;
    let label = text.label()?.to_owned();
    (!told_columns(view, catalog, term).is_empty()).then_some(label)
}

/// A text that is put together, where no function of the user's can be meant by a call.
fn composed(view: &FlatView, formula: &Formula) -> Option<Composed> {
    Composed::of(formula).filter(|text| text.joined == Joined::Operator || !view.calls_user_functions)
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
