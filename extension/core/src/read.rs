//! Following a path for reading.
//!
//! In: a document and a path. Out: the value there, or nothing. Always: like `#>`, a path that
//! leads through a scalar, past the end of an array, or into an array by something that is not an
//! integer finds nothing; only bytes that are not jsonb are an error.

use crate::compare::same_text;
use crate::container::Value;
use crate::error::Result;
use crate::path::{parse_integer, resolve};
use crate::sql_array::SqlArray;

/// The value at `path`, or `None`; the empty path is the document itself.
pub fn get_path<'a>(data: &'a [u8], path: &[&[u8]]) -> Result<Option<Value<'a>>> {
    let mut value = Value::document(data)?;
    for element in path {
        match step(value, element)? {
            Some(next) => value = next,
            None => return Ok(None),
        }
    }
    Ok(Some(value))
}

fn step<'a>(value: Value<'a>, element: &[u8]) -> Result<Option<Value<'a>>> {
    match value {
        Value::Object(object) => object.get(element),
        Value::Array(array) => match parse_integer(element).and_then(|index| resolve(index, array.len())) {
            Some(index) => array.element(index).map(Some),
            None => Ok(None),
        },
        _ => Ok(None),
    }
}

/// Whether the values at `path` differ.
///
/// They differ if they would be shown as different text: `1.0` and `1.00` differ, and so do a
/// missing value and JSON `null`. Two missing values do not differ. How entries are encoded makes
/// no difference.
pub fn has_path_changed(old: &[u8], new: &[u8], path: &[&[u8]]) -> Result<bool> {
    match (get_path(old, path)?, get_path(new, path)?) {
        (Some(old), Some(new)) => Ok(!same_text(old, new)?),
        (None, None) => Ok(false),
        _ => Ok(true),
    }
}

/// The same with what SQL passes: a document that is NULL has nothing at any path, and a path with a NULL leads nowhere.
///
/// Both documents are followed at once: mostly a key stands at the same place in both.
pub fn has_array_path_changed(old: Option<&[u8]>, new: Option<&[u8]>, path: &SqlArray<'_>) -> Result<bool> {
    let mut old = old.map(Value::document).transpose()?;
    let mut new = new.map(Value::document).transpose()?;
    for element in path.elements() {
        let Some(element) = element? else {
            return Ok(false);
        };
        let mut near = usize::MAX;
        for place in [&mut old, &mut new] {
            *place = match *place {
                Some(Value::Object(object)) => object.get_near(element, &mut near)?,
                Some(value) => step(value, element)?,
                None => None,
            };
        }
    }
    match (old, new) {
        (Some(old), Some(new)) => Ok(!same_text(old, new)?),
        (None, None) => Ok(false),
        _ => Ok(true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{from_text, value_to_text};

    fn get(document: &str, path: &[&str]) -> Option<String> {
        let bytes = from_text(document).unwrap();
        let path: Vec<&[u8]> = path.iter().map(|e| e.as_bytes()).collect();
        get_path(&bytes, &path).unwrap().map(|value| value_to_text(value).unwrap())
    }

    fn changed(old: &str, new: &str, path: &[&str]) -> bool {
        let path: Vec<&[u8]> = path.iter().map(|e| e.as_bytes()).collect();
        has_path_changed(&from_text(old).unwrap(), &from_text(new).unwrap(), &path).unwrap()
    }

    #[test]
    fn paths_go_through_objects_and_arrays() {
        let document = r#"{"a": [10, {"b": "x"}], "n": null}"#;
        assert_eq!(get(document, &["a", "1", "b"]).as_deref(), Some(r#""x""#));
        assert_eq!(get(document, &["a", "-2"]).as_deref(), Some("10"));
        assert_eq!(get(document, &["n"]).as_deref(), Some("null"));
        assert_eq!(get("7", &[]).as_deref(), Some("7"));
        assert_eq!(get("[7]", &["0"]).as_deref(), Some("7"));
    }

    #[test]
    fn what_is_not_there_is_none() {
        let document = r#"{"a": [10], "n": null, "s": "x"}"#;
        for path in [&["b"][..], &["a", "1"], &["a", "-2"], &["a", "x"], &["n", "x"], &["s", "0"]] {
            assert_eq!(get(document, path), None, "{path:?}");
        }
        // A scalar document is not an array with one element.
        assert_eq!(get("7", &["0"]), None);
    }

    #[test]
    fn change_is_change_of_text() {
        assert!(changed(r#"{"a": 1.0}"#, r#"{"a": 1.00}"#, &["a"]));
        assert!(!changed(r#"{"a": 1.0, "b": 1}"#, r#"{"a": 1.0, "b": 2}"#, &["a"]));
        assert!(changed(r#"{"a": null}"#, r#"{}"#, &["a"]));
        assert!(!changed(r#"{}"#, r#"[]"#, &["a"]));
        assert!(changed(r#"{"a": {}}"#, r#"{"a": []}"#, &["a"]));
        assert!(changed("[1]", "1", &[]));
        assert!(changed(r#"{"a": "1"}"#, r#"{"a": 1}"#, &["a"]));
        assert!(!changed(r#"{"x": 1, "a": [1, {"b": 2}]}"#, r#"{"a": [1, {"b": 2}]}"#, &["a"]));
        assert!(changed(r#"{"a": [1, {"b": 2}]}"#, r#"{"a": [1, {"b": 3}]}"#, &["a"]));
    }
}
