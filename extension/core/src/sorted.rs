//! Elements of one array that change, where the array is sorted by a number that the elements hold.
//!
//! In: a document, the path of an array, and changes of elements. Out: the document after all of them, or `None` where they do not say
//! what the array is to be. Always: the meaning is that of one change after the other, as the portable
//! `jsonb_change_sorted_elements` makes them, which compares the same elements; the document is copied once.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::container::Value;
use crate::edit::Create;
use crate::elements::{Made, change_array, make_all, replace, splice};
use crate::error::Result;
use crate::numeric::Numeric;
use crate::tree::{ArrayEdit, Slot};

/// An element that changes. Both operands are documents.
#[derive(Debug, Clone, Copy, Default)]
pub struct SortedChange<'a> {
    /// Its value for the match key, a number.
    pub matched: Option<&'a [u8]>,
    /// What it is to be; `None` if it is to be removed.
    pub element: Option<&'a [u8]>,
}

/// Changes elements of the array at `array_path`, which is sorted by `match_key`.
///
/// `None` where there is no array, where the last element goes, and where a value for the key that is compared is no number.
pub fn change_sorted_elements<'t>(
    target: &'t [u8],
    array_path: &[&[u8]],
    match_key: &[u8],
    changes: &[SortedChange<'_>],
    descending: bool,
) -> Result<Option<Cow<'t, [u8]>>> {
    let order = Order { key: match_key, descending };
    let elements = changes.iter().filter_map(|change| change.element);
    change_array(target, array_path, elements, |tree| match tree.walk(array_path, Create::Nothing)? {
        Some(array) => make_all(tree, array, changes, |change, array| order.change(array, change)),
        None => Ok(false),
    })
}

/// What an array is sorted by.
#[derive(Clone, Copy)]
struct Order<'k> {
    key: &'k [u8],
    descending: bool,
}

impl Order<'_> {
    fn change<'a>(self, array: &mut ArrayEdit<'a>, change: &SortedChange<'a>) -> Result<Made> {
        let Some(Value::Number(wanted)) = change.matched.map(Value::document).transpose()? else {
            return Ok(Made::Unknown);
        };
        let element = change.element.map(Value::document).transpose()?;
        let Some((place, is_there)) = self.place(array, wanted)? else {
            return Ok(Made::Unknown);
        };
        match (element, is_there) {
            (None, false) => Ok(Made::Nothing),
            // What then stands for no element is not known here.
            (None, true) if array.len == 1 => Ok(Made::Unknown),
            (None, true) => Ok(splice(array, place, 1, None)),
            (Some(element), true) => replace(array, place, element),
            (Some(element), false) => Ok(splice(array, place, 0, Some(element))),
        }
    }

    /// The first element that does not come before the number, and whether it holds that number. The last one is looked at first: most
    /// that come go behind it.
    fn place(self, array: &ArrayEdit<'_>, wanted: Numeric<'_>) -> Result<Option<(usize, bool)>> {
        let (mut place, mut above, mut is_there) = (0, array.len, false);
        let mut middle = array.len.saturating_sub(1);
        while place < above {
            let Some(number) = self.number(array, middle)? else {
                return Ok(None);
            };
            let comparison = number.compare(wanted)?;
            let before = if self.descending { Ordering::Greater } else { Ordering::Less };
            if comparison == before {
                place = middle + 1;
            } else {
                (above, is_there) = (middle, comparison == Ordering::Equal);
            }
            middle = (place + above) / 2;
        }
        Ok(Some((place, is_there)))
    }

    fn number<'a>(self, array: &ArrayEdit<'a>, index: usize) -> Result<Option<Numeric<'a>>> {
        let Slot::Kept(Value::Object(object)) = array.get(index)? else {
            return Ok(None);
        };
        Ok(match object.get(self.key)? {
            Some(Value::Number(number)) => Some(number),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{from_text, to_text};

    fn changed(list: &str, changes: &[[&str; 2]], descending: bool) -> String {
        let data = from_text(&format!(r#"{{"list": {list}}}"#)).unwrap();
        let document = |text: &str| (!text.is_empty()).then(|| from_text(text).unwrap());
        let operands: Vec<[Option<Vec<u8>>; 2]> = changes.iter().map(|change| change.map(document)).collect();
        let changes: Vec<SortedChange> = operands
            .iter()
            .map(|[matched, element]| SortedChange { matched: matched.as_deref(), element: element.as_deref() })
            .collect();
        match change_sorted_elements(&data, &[b"list"], b"id", &changes, descending).unwrap() {
            Some(result) => to_text(&result).unwrap(),
            None => "unknown".into(),
        }
    }

    #[test]
    fn elements_find_their_places() {
        let list = r#"[{"id": 1}, {"id": 3}, {"id": 10}]"#;
        let several = [["2", r#"{"id": 2}"#], ["3.0", ""], ["10", r#"{"n": 1.10, "id": 10}"#], ["11", r#"{"id": 11}"#]];
        let expected = r#"{"list": [{"id": 1}, {"id": 2}, {"n": 1.10, "id": 10}, {"id": 11}]}"#;
        assert_eq!(changed(list, &several, false), expected);
        let list = r#"[{"id": 10}, {"id": 3}, {"id": -1}]"#;
        let several = [["4", r#"{"id": 4}"#], ["-2", r#"{"id": -2}"#], ["11", r#"{"id": 11}"#], ["7", ""], ["3", ""]];
        let expected = r#"{"list": [{"id": 11}, {"id": 10}, {"id": 4}, {"id": -1}, {"id": -2}]}"#;
        assert_eq!(changed(list, &several, true), expected);
        assert_eq!(changed("[]", &several[..1], true), r#"{"list": [{"id": 4}]}"#);
    }

    #[test]
    fn what_is_not_told_is_unknown() {
        let two = ["2", r#"{"id": 2}"#];
        for list in [r#"[{"id": "1"}]"#, "[1]", r#"[{}]"#, "[[]]", "{}", "null"] {
            assert_eq!(changed(list, &[two], false), "unknown", "{list}");
        }
        assert_eq!(changed(r#"[{"id": 2}]"#, &[["2", ""]], false), "unknown");
        assert_eq!(changed("[]", &[["\"2\"", "1"]], false), "unknown");
        assert_eq!(changed("[]", &[["", "1"]], false), "unknown");
    }

    #[test]
    fn an_element_that_is_as_it_was_changes_nothing() {
        let data = from_text(r#"[{"id": 1}, {"id": 2}]"#).unwrap();
        let (one, element) = (from_text("1").unwrap(), from_text(r#"{"id": 1}"#).unwrap());
        let change = SortedChange { matched: Some(&one), element: Some(&element) };
        assert!(matches!(change_sorted_elements(&data, &[], b"id", &[change], false), Ok(Some(Cow::Borrowed(_)))));
    }
}
