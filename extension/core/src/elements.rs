//! Elements of one array that change, in one pass.
//!
//! In: a document, the path of an array, and changes of elements that a key tells apart. Out: the document after all of
//! them, or `None` where they do not say what the array is to be. Always: the meaning is that of one change after the
//! other, as the portable `jsonb_change_elements` makes them, but all elements are looked for in one reading of the
//! array, and the document is copied once.

use std::borrow::Cow;

use crate::change::edited;
use crate::compare::same_value;
use crate::container::{Container, Value};
use crate::edit::{Create, Match, matches_kept};
use crate::error::Result;
use crate::read::get_path;
use crate::tree::{ArrayEdit, NodeId, Segment, Slot, Tree};

/// An element that changes. All operands are documents.
#[derive(Debug, Clone, Copy, Default)]
pub struct ElementChange<'a> {
    /// Its value for the match key.
    pub matched: Option<&'a [u8]>,
    /// What it is to be; `None` if it is to be removed.
    pub element: Option<&'a [u8]>,
    /// Whether it may have come or moved, or only shows something else.
    pub moves: bool,
    /// The match key's value of the element before it, of one that may have moved; `None` if it is the first.
    pub preceding: Option<&'a [u8]>,
    /// The match key's value of the element behind it; `None` if it is the last.
    pub following: Option<&'a [u8]>,
}

/// Changes elements of the array at `array_path`.
///
/// `None` where there is no array, where the last element goes, and where an element's neighbours do not stand side by
/// side. Of an array that is not `sorted`, elements that come are the last.
pub fn change_elements<'t>(
    target: &'t [u8],
    array_path: &[&[u8]],
    match_key: &[u8],
    changes: &[ElementChange<'_>],
    sorted: bool,
) -> Result<Option<Cow<'t, [u8]>>> {
    let elements = changes.iter().filter_map(|change| change.element);
    change_array(target, array_path, elements, |tree| change_all(tree, array_path, match_key, changes, sorted))
}

/// Changes the array at a path, with these elements among what it is to hold. `change` says whether it is known what the array is to be.
pub(crate) fn change_array<'t: 'a, 'a>(
    target: &'t [u8],
    array_path: &[&[u8]],
    elements: impl Iterator<Item = &'a [u8]>,
    change: impl FnOnce(&mut Tree<'a>) -> Result<bool>,
) -> Result<Option<Cow<'t, [u8]>>> {
    let Some(Value::Array(_)) = get_path(target, array_path)? else {
        return Ok(None);
    };
    // Two entries and padding for each, should it be new.
    let growth = elements.map(|element| element.len().saturating_add(16)).fold(0, usize::saturating_add);
    let mut is_told = true;
    let result = edited(target, growth, |tree| {
        is_told = change(tree)?;
        // What is not told is not written either.
        tree.changed &= is_told;
        Ok(())
    })?;
    Ok(is_told.then_some(result))
}

/// Makes one change after the other; whether it is known what the array is to be.
pub(crate) fn make_all<'a, C>(
    tree: &mut Tree<'a>,
    array: NodeId,
    changes: &[C],
    mut make: impl FnMut(&C, &mut ArrayEdit<'a>) -> Result<Made>,
) -> Result<bool> {
    let Some(array) = tree.array_mut(array) else {
        return Ok(false);
    };
    let mut changed = false;
    for change in changes {
        match make(change, array)? {
            Made::Nothing => {}
            Made::Change => changed = true,
            Made::Unknown => return Ok(false),
        }
    }
    tree.changed |= changed;
    Ok(true)
}

fn change_all<'a>(
    tree: &mut Tree<'a>,
    path: &'a [&'a [u8]],
    key: &'a [u8],
    changes: &[ElementChange<'a>],
    sorted: bool,
) -> Result<bool> {
    let Some(id) = tree.walk(path, Create::Nothing)? else {
        return Ok(false);
    };
    let mut finder = Finder { key, searches: Vec::with_capacity(2 * changes.len()) };
    let mut read = Vec::with_capacity(changes.len());
    for change in changes {
        read.push(ReadChange {
            matched: finder.search_for(change.matched)?,
            element: change.element.map(Value::document).transpose()?,
            moves: change.moves,
            preceding: finder.search_for(change.preceding.filter(|_| sorted && change.moves))?,
            following: change.following.map(Value::document).transpose()?,
        });
    }
    if let Some(base) = tree.array(id, path)?.base {
        finder.begin(base)?;
    }
    make_all(tree, id, &read, |change, array| change.make(array, &mut finder, sorted))
}

/// A change, its operands read; a number is that of a search.
struct ReadChange<'a> {
    matched: Option<usize>,
    element: Option<Value<'a>>,
    moves: bool,
    preceding: Option<usize>,
    following: Option<Value<'a>>,
}

/// What a change has made of the array.
pub(crate) enum Made {
    Nothing,
    Change,
    /// What the array is to be is not known.
    Unknown,
}

impl<'a> ReadChange<'a> {
    fn make(&self, array: &mut ArrayEdit<'a>, finder: &mut Finder<'a>, sorted: bool) -> Result<Made> {
        let here = finder.position(array, self.matched)?;
        let stays = !self.moves || !sorted;
        match (self.element, here) {
            (None, None) => Ok(Made::Nothing),
            // What then stands for no element is not known here.
            (None, Some(_)) if array.len == 1 => Ok(Made::Unknown),
            (None, Some(here)) => Ok(splice(array, here, 1, None)),
            (Some(element), Some(here)) if stays || self.stands_at(array, finder, here)? => {
                replace(array, here, element)
            }
            (Some(element), None) if stays && self.moves => Ok(splice(array, array.len, 0, Some(element))),
            (Some(_), None) if stays => Ok(Made::Nothing),
            (Some(element), here) => {
                if let Some(here) = here {
                    array.splice(here, 1, None);
                }
                match self.place(array, finder)? {
                    Some(place) => Ok(splice(array, place, 0, Some(element))),
                    None => Ok(Made::Unknown),
                }
            }
        }
    }

    /// Whether the element at `here` stands between its neighbours already.
    fn stands_at(&self, array: &ArrayEdit<'a>, finder: &Finder<'a>, here: usize) -> Result<bool> {
        let before = match here.checked_sub(1) {
            Some(before) => finder.key_of(array, before)?,
            None => None,
        };
        Ok(is_same(finder.key_of(array, here + 1)?, self.following)? && is_same(before, finder.value(self.preceding))?)
    }

    /// Where the element goes: behind the one that precedes it, if the one that follows stands there.
    fn place(&self, array: &ArrayEdit<'a>, finder: &mut Finder<'a>) -> Result<Option<usize>> {
        let preceding = finder.value(self.preceding);
        let place = match (preceding, array.len.checked_sub(1)) {
            (None, _) => Some(0),
            (_, None) => None,
            (_, Some(last)) if is_same(finder.key_of(array, last)?, preceding)? => Some(array.len),
            _ => finder.position(array, self.preceding)?.map(|at| at + 1),
        };
        match place {
            Some(at) if is_same(finder.key_of(array, at)?, self.following)? => Ok(Some(at)),
            _ => Ok(None),
        }
    }
}

pub(crate) fn splice<'a>(array: &mut ArrayEdit<'a>, at: usize, removed: usize, inserted: Option<Value<'a>>) -> Made {
    array.splice(at, removed, inserted.map(Slot::Kept));
    Made::Change
}

pub(crate) fn replace<'a>(array: &mut ArrayEdit<'a>, at: usize, element: Value<'a>) -> Result<Made> {
    Ok(if is_stored_as(array.get(at)?, element) { Made::Nothing } else { splice(array, at, 1, Some(element)) })
}

/// Whether two values that may be missing are equal as jsonb; a missing one equals a missing one.
fn is_same(a: Option<Value<'_>>, b: Option<Value<'_>>) -> Result<bool> {
    match (a, b) {
        (Some(a), Some(b)) => same_value(a, b),
        (None, None) => Ok(true),
        _ => Ok(false),
    }
}

/// Whether what is there is known to be this element, bytes and all.
fn is_stored_as(there: Slot<'_>, element: Value<'_>) -> bool {
    match (there, element) {
        (Slot::Kept(Value::Object(a) | Value::Array(a)), Value::Object(b) | Value::Array(b)) => {
            a.as_bytes() == b.as_bytes()
        }
        _ => false,
    }
}

/// Looks for elements by the value of a key.
struct Finder<'a> {
    key: &'a [u8],
    searches: Vec<Search<'a>>,
}

struct Search<'a> {
    value: Value<'a>,
    /// The first element of the array as it was that has the value and has not been seen to be gone.
    found: Option<usize>,
}

impl<'a> Finder<'a> {
    /// The number of a search for this value.
    fn search_for(&mut self, document: Option<&'a [u8]>) -> Result<Option<usize>> {
        let Some(document) = document else {
            return Ok(None);
        };
        self.searches.push(Search { value: Value::document(document)?, found: None });
        Ok(Some(self.searches.len() - 1))
    }

    /// Reads the array as it was, until all is found that is looked for.
    fn begin(&mut self, base: Container<'a>) -> Result<()> {
        let mut open: Vec<usize> = (0..self.searches.len()).collect();
        let mut near = 0;
        for (index, element) in base.elements().enumerate() {
            let Value::Object(object) = element? else {
                continue;
            };
            let Some(value) = object.get_near(self.key, &mut near)? else {
                continue;
            };
            let mut at = 0;
            while let Some(search) = open.get(at).and_then(|number| self.searches.get_mut(*number)) {
                if same_value(value, search.value)? {
                    search.found = Some(index);
                    open.swap_remove(at);
                } else {
                    at += 1;
                }
            }
            if open.is_empty() {
                break;
            }
        }
        Ok(())
    }

    /// The value that a search is for.
    fn value(&self, number: Option<usize>) -> Option<Value<'a>> {
        number.and_then(|number| self.searches.get(number)).map(|search| search.value)
    }

    /// The key's value of the element at `index`, if there is one.
    fn key_of(&self, array: &ArrayEdit<'a>, index: usize) -> Result<Option<Value<'a>>> {
        if index >= array.len {
            return Ok(None);
        }
        match array.get(index)? {
            Slot::Kept(Value::Object(object)) => object.get(self.key),
            _ => Ok(None),
        }
    }

    /// The first element of the array, as it is by now, that has the value.
    fn position(&mut self, array: &ArrayEdit<'a>, number: Option<usize>) -> Result<Option<usize>> {
        let Some(search) = number.and_then(|number| self.searches.get_mut(number)) else {
            return Ok(None);
        };
        let wanted = Match { key: self.key, value: search.value };
        search.go_on(array, wanted)?;
        let mut before = 0;
        for segment in &array.segments {
            match segment {
                Segment::Run(run) => {
                    if let Some(found) = search.found.filter(|found| run.contains(found)) {
                        return Ok(Some(before + (found - run.start)));
                    }
                }
                Segment::One(Slot::Kept(element)) if matches_kept(*element, wanted, &mut 0)? => {
                    return Ok(Some(before));
                }
                Segment::One(_) => {}
            }
            before += segment.len();
        }
        Ok(None)
    }
}

impl<'a> Search<'a> {
    /// Where what was found has been removed or replaced, another element of the same value may stand behind it.
    fn go_on(&mut self, array: &ArrayEdit<'a>, wanted: Match<'a>) -> Result<()> {
        let is_there = |found: usize| {
            array.segments.iter().any(|segment| matches!(segment, Segment::Run(run) if run.contains(&found)))
        };
        while let (Some(gone), Some(base)) = (self.found.filter(|found| !is_there(*found)), array.base) {
            self.found = None;
            let (first, mut near) = (gone + 1, 0);
            for (offset, element) in base.children(first, base.len()).enumerate() {
                if matches_kept(element?, wanted, &mut near)? {
                    self.found = Some(first + offset);
                    break;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{from_text, to_text};

    fn changed(list: &str, changes: &[[&str; 4]], sorted: bool) -> String {
        let data = from_text(&format!(r#"{{"list": {list}}}"#)).unwrap();
        let document = |text: &str| (!text.is_empty()).then(|| from_text(text).unwrap());
        let operands: Vec<[Option<Vec<u8>>; 4]> = changes.iter().map(|change| change.map(document)).collect();
        let changes: Vec<ElementChange> = operands
            .iter()
            .map(|[matched, element, preceding, following]| ElementChange {
                matched: matched.as_deref(),
                element: element.as_deref(),
                moves: true,
                preceding: preceding.as_deref(),
                following: following.as_deref(),
            })
            .collect();
        match change_elements(&data, &[b"list"], b"id", &changes, sorted).unwrap() {
            Some(result) => to_text(&result).unwrap(),
            None => "unknown".into(),
        }
    }

    #[test]
    fn several_elements_change_in_order() {
        let list = r#"[{"id": 1}, {"id": 2}, {"id": 3}]"#;
        let three = [["4", r#"{"id": 4}"#, "3", ""], ["2", "", "", ""], ["1.0", r#"{"id": 1, "n": 1.10}"#, "4.00", ""]];
        assert_eq!(changed(list, &three, true), r#"{"list": [{"id": 3}, {"id": 4}, {"n": 1.10, "id": 1}]}"#);
        assert_eq!(changed("[]", &three[..1], false), r#"{"list": [{"id": 4}]}"#);
    }

    #[test]
    fn what_is_not_told_is_unknown() {
        let come = ["9", r#"{"id": 9}"#, "1", "3"];
        assert_eq!(changed(r#"[{"id": 1}, {"id": 2}, {"id": 3}]"#, &[come], true), "unknown");
        assert_eq!(changed(r#"[{"id": 9}]"#, &[["9", "", "", ""]], true), "unknown");
        assert_eq!(changed("{}", &[come], true), "unknown");
        assert_eq!(changed("null", &[], true), "unknown");
        assert!(matches!(change_elements(&from_text("1").unwrap(), &[b"list"], b"id", &[], true), Ok(None)));
    }

    #[test]
    fn an_element_that_is_as_it_was_changes_nothing() {
        let data = from_text(r#"[{"id": 1}, {"id": 2}]"#).unwrap();
        let (one, element, two) =
            (from_text("1").unwrap(), from_text(r#"{"id": 1}"#).unwrap(), from_text("2").unwrap());
        let change = ElementChange {
            matched: Some(&one),
            element: Some(&element),
            moves: true,
            preceding: None,
            following: Some(&two),
        };
        assert!(matches!(change_elements(&data, &[], b"id", &[change], true), Ok(Some(Cow::Borrowed(_)))));
    }
}
