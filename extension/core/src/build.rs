//! Building documents from values.
//!
//! In: values, or keys with values, borrowed from other documents. Out: the bytes of a new
//! document. Always: pairs may come in any order; of two pairs with the same key, the later one
//! wins, as in the server.

use std::collections::BTreeMap;

use crate::container::Value;
use crate::encode::{encode, encode_value};
use crate::error::Result;
use crate::tree::{ArrayEdit, Key, Node, ObjectEdit, Slot, Tree};

/// An object of these pairs.
pub fn build_object<'a>(pairs: impl IntoIterator<Item = (&'a [u8], Value<'a>)>) -> Result<Vec<u8>> {
    let pairs: BTreeMap<_, _> = pairs.into_iter().map(|(key, value)| (Key(key), Slot::Kept(value))).collect();
    build(Node::Object(ObjectEdit { base: None, pairs }))
}

/// An array of these elements.
pub fn build_array<'a>(elements: impl IntoIterator<Item = Value<'a>>) -> Result<Vec<u8>> {
    let mut array = ArrayEdit::default();
    elements.into_iter().for_each(|value| array.push(Slot::Kept(value)));
    build(Node::Array(array))
}

/// The document that is this value.
pub fn build_value(value: Value<'_>) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    encode_value(value, &mut out)?;
    Ok(out)
}

fn build(node: Node<'_>) -> Result<Vec<u8>> {
    let mut tree = Tree::new(Slot::Kept(Value::Null));
    let root = tree.add(node);
    let mut out = Vec::new();
    encode(&tree, root, &mut out)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{from_text, to_text};

    #[test]
    fn pairs_are_sorted_and_the_later_wins() {
        let built = build_object([
            (&b"bb"[..], Value::Null),
            (b"c", Value::Boolean(true)),
            (b"a", Value::String(b"first")),
            (b"a", Value::String(b"second")),
        ]);
        assert_eq!(to_text(&built.unwrap()).unwrap(), r#"{"a": "second", "c": true, "bb": null}"#);
    }

    #[test]
    fn values_are_taken_out_and_put_elsewhere() {
        let source = from_text(r#"["x", [1, {"k": 2.50}], 3]"#).unwrap();
        let Value::Array(array) = Value::document(&source).unwrap() else { panic!("an array") };
        for (index, text) in [(0, r#""x""#), (1, r#"[1, {"k": 2.50}]"#), (2, "3")] {
            let value = array.element(index).unwrap();
            assert_eq!(build_value(value).unwrap(), from_text(text).unwrap());
            let wrapped = build_array([Value::String(b"pad"), value]).unwrap();
            assert_eq!(wrapped, from_text(&format!(r#"["pad", {text}]"#)).unwrap());
        }
    }
}
