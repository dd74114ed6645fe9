//! Values put at paths, several in one pass, as `jsonb_set` puts them.
//!
//! In: a document, fields for its top level and values with their paths. Out: the document with all of them, in order.
//! Always: what is put is what the server's own functions would leave, where they do so without an error and without
//! reaching into an array from outside of it; everything else is `None`, and the server's functions are to be called.

use std::borrow::Cow;

use crate::change::{edited, path_growth};
use crate::container::Value;
use crate::error::Result;
use crate::path::{parse_integer, resolve};
use crate::tree::{Holder, Node, Slot, Tree};

/// A path and the value that is put there; one that is `None` changes nothing.
pub type PathValue<'a> = (&'a [&'a [u8]], Option<&'a [u8]>);

/// Adds `fields` to the document, as `||` does, and then puts each value at its path, as `jsonb_set` does.
pub fn put<'t>(data: &'t [u8], fields: Option<&[u8]>, values: &[PathValue<'_>]) -> Result<Option<Cow<'t, [u8]>>> {
    let operands = values.iter().map(|(path, value)| path_growth(path).saturating_add(value.map_or(0, <[u8]>::len)));
    let growth = operands.fold(fields.map_or(0, <[u8]>::len), usize::saturating_add);
    let mut is_plain = true;
    let result = edited(data, growth, |tree| {
        is_plain = put_all(tree, fields, values)?;
        // What is not plain is not written either.
        tree.changed &= is_plain;
        Ok(())
    })?;
    Ok(is_plain.then_some(result))
}

fn put_all<'a>(tree: &mut Tree<'a>, fields: Option<&'a [u8]>, values: &[PathValue<'a>]) -> Result<bool> {
    if let Some(fields) = fields {
        let (Slot::Kept(Value::Object(_)), Value::Object(fields)) = (tree.root, Value::document(fields)?) else {
            return Ok(false);
        };
        tree.merge(&[], fields)?;
    }
    for (path, value) in values {
        if let Some(value) = value {
            if !tree.set(path, Value::document(value)?)? {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

impl<'a> Tree<'a> {
    /// Puts a value at a path of which all levels but the last have to be there; says whether that was plain.
    fn set(&mut self, path: &'a [&'a [u8]], value: Value<'a>) -> Result<bool> {
        if !matches!(self.root, Slot::Opened(_) | Slot::Kept(Value::Object(_) | Value::Array(_))) {
            // An error of the server's function, whatever the path.
            return Ok(false);
        }
        let (mut holder, mut slot) = (Holder::Root, self.root);
        for (level, element) in path.iter().copied().enumerate() {
            let Ok(id) = self.open(holder, slot) else {
                // It leaves a scalar on the way as it is.
                return Ok(true);
            };
            let (place, found) = match self.node(id)? {
                Node::Object(object) => (Holder::Pair(id, element), object.get(element)?),
                Node::Array(array) => match parse_integer(element).and_then(|index| resolve(index, array.len)) {
                    Some(index) => (Holder::Element(id, index), Some(array.get(index)?)),
                    None => return Ok(false),
                },
            };
            match found {
                _ if level + 1 == path.len() => {
                    self.put(place, Slot::Kept(value));
                    self.changed = true;
                }
                Some(next) => (holder, slot) = (place, next),
                None => return Ok(true),
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{from_text, to_text};

    /// The result as text; nothing where the server is to be asked.
    fn shown(data: &str, fields: Option<&str>, values: &[(&[&str], Option<&str>)]) -> Option<String> {
        let bytes = |text: &str| from_text(text).unwrap();
        let (data, fields) = (bytes(data), fields.map(bytes));
        let paths: Vec<Vec<&[u8]>> =
            values.iter().map(|(path, _)| path.iter().map(|e| e.as_bytes()).collect()).collect();
        let operands: Vec<Option<Vec<u8>>> = values.iter().map(|(_, value)| value.map(bytes)).collect();
        let values: Vec<PathValue> =
            paths.iter().zip(&operands).map(|(path, value)| (&path[..], value.as_deref())).collect();
        let result = put(&data, fields.as_deref(), &values).unwrap()?;
        let text = to_text(&result).unwrap();
        assert_eq!(result, from_text(&text).unwrap(), "the layout is canonical");
        Some(text)
    }

    #[test]
    fn values_are_put_in_order() {
        let data = r#"{"a": {"b": 1, "l": [1, {"x": 2}]}, "n": 1.10}"#;
        assert_eq!(
            shown(
                data,
                Some(r#"{"n": 2.0, "z": []}"#),
                &[
                    (&["a", "b"], Some(r#"{"c": 1}"#)),
                    (&["a", "b", "d"], Some("2")),
                    (&["a", "l", "-1", "x"], Some("3.0")),
                    (&["z"], None),
                ]
            )
            .as_deref(),
            Some(r#"{"a": {"b": {"c": 1, "d": 2}, "l": [1, {"x": 3.0}]}, "n": 2.0, "z": []}"#)
        );
    }

    #[test]
    fn what_has_no_place_is_left_out() {
        for path in [&["x", "y"][..], &["n", "y"], &["a", "l", "0", "y"], &[]] {
            let data = r#"{"a": {"l": [1]}, "n": null}"#;
            assert_eq!(shown(data, None, &[(path, Some("2"))]).as_deref(), Some(data), "{path:?}");
        }
        let (data, two) = (from_text("{}").unwrap(), from_text("2").unwrap());
        assert!(matches!(put(&data, None, &[(&[b"x", b"y"], Some(&two))]), Ok(Some(Cow::Borrowed(_)))));
    }

    #[test]
    fn what_the_server_does_otherwise_is_left_to_it() {
        assert_eq!(shown("1", None, &[(&["a"], Some("2"))]), None);
        assert_eq!(shown("1", None, &[(&[], Some("2"))]), None);
        assert_eq!(shown("[1]", None, &[(&["1"], Some("2"))]), None);
        assert_eq!(shown("[1]", None, &[(&["x"], Some("2"))]), None);
        assert_eq!(shown("[1]", Some("{}"), &[]), None);
        assert_eq!(shown("{}", Some("[]"), &[]), None);
        assert_eq!(shown("{}", Some("1"), &[]), None);
    }
}
