//! The full check of untrusted bytes.
//!
//! In: any bytes. Out: whether they are binary jsonb exactly as PostgreSQL lays it out. Always:
//! linear in the size and without recursion; bytes that pass make no function of this crate report
//! corruption.
//!
//! Beyond what reading needs, it demands the layout's choices: end offsets at every multiple of the
//! stride and only there, zero padding, sorted unique keys, nothing between or behind the children.
//! Strings are not looked into: their encoding is the database's.

use crate::container::{Container, Value, compare_keys};
use crate::error::{CoreError, Result};
use crate::layout::{self, Entry, OFFSET_STRIDE, padding};

/// Checks a document.
pub fn validate(bytes: &[u8]) -> Result<()> {
    let root = Container::parse(bytes)?;
    if root.is_scalar() && root.entry(0)?.kind() == layout::TYPE_CONTAINER {
        return Err(CoreError::corrupt("a scalar document holds a container"));
    }
    let mut pending = vec![root];
    while let Some(container) = pending.pop() {
        check(&container, &mut pending)?;
    }
    Ok(())
}

/// Checks one container and puts the containers within it on the list.
fn check<'a>(container: &Container<'a>, pending: &mut Vec<Container<'a>>) -> Result<()> {
    let limit = if container.is_object() { layout::MAX_PAIRS } else { layout::MAX_ELEMENTS };
    if container.len() > limit {
        return Err(CoreError::corrupt("a container has more children than can be built"));
    }
    let keys = if container.is_object() { container.len() } else { 0 };
    let mut previous_key = None;
    let mut start = 0;
    for (index, entry) in container.entry_range(0, container.entries())?.enumerate() {
        check_entry(entry, index)?;
        let end = entry.end(start);
        check_padding(container, entry, start, end)?;
        let child = container.child(entry, start, end)?;
        if index < keys {
            previous_key = Some(check_key(previous_key, child)?);
        } else {
            check_child(child, end.saturating_sub(start), pending)?;
        }
        start = end;
    }
    if start != container.data().len() {
        return Err(CoreError::corrupt("bytes behind the last child"));
    }
    Ok(())
}

fn check_entry(entry: Entry, index: usize) -> Result<()> {
    if entry.has_offset() == (index % OFFSET_STRIDE == 0) {
        Ok(())
    } else {
        Err(CoreError::corrupt("an entry holds a length where an end offset belongs, or the reverse"))
    }
}

fn check_padding(container: &Container<'_>, entry: Entry, start: usize, end: usize) -> Result<()> {
    if !entry.is_aligned() {
        return Ok(());
    }
    let pad = container.data().get(start..start.saturating_add(padding(start)));
    if start.saturating_add(padding(start)) > end || pad.is_none_or(|pad| pad.iter().any(|byte| *byte != 0)) {
        return Err(CoreError::corrupt("padding that is not zero"));
    }
    Ok(())
}

fn check_key<'a>(previous: Option<&[u8]>, key: Value<'a>) -> Result<&'a [u8]> {
    let Value::String(key) = key else {
        return Err(CoreError::corrupt("a key is not a string"));
    };
    if previous.is_some_and(|previous| compare_keys(previous, key).is_ge()) {
        return Err(CoreError::corrupt("an object's keys are not in order"));
    }
    Ok(key)
}

fn check_child<'a>(child: Value<'a>, length: usize, pending: &mut Vec<Container<'a>>) -> Result<()> {
    match child {
        Value::Null | Value::Boolean(_) if length != 0 => {
            return Err(CoreError::corrupt("a value without data has data"));
        }
        Value::Number(number) => number.validate()?,
        Value::Array(nested) | Value::Object(nested) => pending.push(nested),
        Value::Null | Value::Boolean(_) | Value::String(_) => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::from_text;

    fn message(bytes: &[u8]) -> String {
        validate(bytes).expect_err("corrupt").to_string()
    }

    #[test]
    fn encoded_documents_pass() {
        let long = format!("[{}]", vec!["\"ab\", 1.5"; 40].join(", "));
        for text in ["1", "null", "\"\"", "[]", "{}", r#"{"a": [1, {"b": []}], "bb": null}"#, &long] {
            validate(&from_text(text).unwrap()).unwrap();
        }
    }

    #[test]
    fn every_cut_and_every_extra_byte_is_seen() {
        let whole = from_text(r#"{"a": [1, "x", {"b": 12345678.9}], "bb": "yy"}"#).unwrap();
        for cut in 0..whole.len() {
            assert!(validate(&whole[..cut]).is_err(), "{cut} bytes");
        }
        let longer = [&whole[..], &[0]].concat();
        assert_eq!(message(&longer), "invalid binary jsonb: bytes behind the last child");
    }

    #[test]
    fn layout_choices_are_demanded() {
        let words = |words: &[u32]| words.iter().flat_map(|word| word.to_ne_bytes()).collect::<Vec<u8>>();
        let null = layout::TYPE_NULL;
        assert!(validate(&words(&[layout::FLAG_ARRAY | 1, layout::HAS_OFFSET | null])).is_ok());
        assert!(message(&words(&[layout::FLAG_ARRAY | 1, null])).contains("where an end offset belongs"));
        assert!(message(&words(&[layout::FLAG_ARRAY | 1, layout::HAS_OFFSET | null | 4, 0])).contains("has data"));
        let unknown = words(&[layout::FLAG_ARRAY | 1, layout::HAS_OFFSET | 0x7000_0000]);
        assert!(message(&unknown).contains("unknown type"));
        assert!(message(&words(&[layout::FLAG_ARRAY | layout::FLAG_OBJECT])).contains("impossible flags"));
        assert!(message(&words(&[layout::FLAG_ARRAY | 0x0FFF_FFFF])).contains("exceed"));
    }

    #[test]
    fn padding_is_zero() {
        let mut array = from_text(r#"["x", 1]"#).unwrap();
        // Behind the header, two entries and the string.
        array[13] = 1;
        assert_eq!(message(&array), "invalid binary jsonb: padding that is not zero");
    }

    #[test]
    fn keys_are_sorted_and_unique() {
        let mut object = from_text(r#"{"a": null, "b": null}"#).unwrap();
        let at = object.len() - 2;
        for keys in [b"ba", b"aa"] {
            object[at..].copy_from_slice(keys);
            assert!(message(&object).contains("not in order"));
        }
    }
}
