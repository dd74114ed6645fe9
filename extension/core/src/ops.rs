//! The named operations, one function for each function of the runtime.
//!
//! In: documents (bytes behind the varlena header) and paths. Out: the changed document, borrowed
//! from the target if nothing changed. Always: if all operands are as PostgreSQL builds them, so is
//! the result, to the byte. How paths are followed and what is an error is in the table of the
//! module `edit`.

use std::borrow::Cow;

use crate::change::{Change, apply, edited, path_growth};
use crate::edit::object_operand;
use crate::error::Result;

/// Merges `patch` into the object at `path`; missing levels are created as objects.
pub fn smart_patch_nested<'t>(data: &'t [u8], patch: &[u8], path: &[&[u8]]) -> Result<Cow<'t, [u8]>> {
    merge(data, path, patch, "patch")
}

/// Merges `patch` into the first element of the array at `path` whose `match_key` equals the
/// patch's.
///
/// A patch without `match_key` changes nothing, and neither does a missing array.
pub fn smart_patch_array<'t>(data: &'t [u8], patch: &[u8], path: &[&[u8]], match_key: &[u8]) -> Result<Cow<'t, [u8]>> {
    apply(data, &[Change::PatchArray { path, patch, match_key }])
}

/// Merges `patch` into the document, which must be an object.
pub fn smart_patch_scalar<'t>(data: &'t [u8], patch: &[u8]) -> Result<Cow<'t, [u8]>> {
    merge(data, &[], patch, "patch")
}

/// Merges `source` into the document, which must be an object.
pub fn merge_shallow<'t>(target: &'t [u8], source: &[u8]) -> Result<Cow<'t, [u8]>> {
    merge(target, &[], source, "source")
}

/// Merges `source` into the object at `path`; missing levels are created as objects.
pub fn merge_at_path<'t>(target: &'t [u8], source: &[u8], path: &[&[u8]]) -> Result<Cow<'t, [u8]>> {
    merge(target, path, source, "source")
}

/// Merges `updates` into the first element whose value for `match_key` equals `match_value`.
///
/// A missing array, or no such element, changes nothing.
pub fn array_update_where<'t>(
    target: &'t [u8],
    array_path: &[&[u8]],
    match_key: &[u8],
    match_value: &[u8],
    updates: &[u8],
) -> Result<Cow<'t, [u8]>> {
    apply(target, &[Change::UpdateWhere { path: array_path, match_key, match_value, updates }])
}

/// Replaces the first element whose value for `match_key` equals `match_value`, or appends
/// `element`.
///
/// A missing array is created.
pub fn array_upsert_where<'t>(
    target: &'t [u8],
    array_path: &[&[u8]],
    match_key: &[u8],
    match_value: &[u8],
    element: &[u8],
) -> Result<Cow<'t, [u8]>> {
    apply(target, &[Change::UpsertWhere { path: array_path, match_key, match_value, element }])
}

/// Removes the first element whose value for `match_key` equals `match_value`.
///
/// A missing array, or no such element, changes nothing.
pub fn array_delete_where<'t>(
    target: &'t [u8],
    array_path: &[&[u8]],
    match_key: &[u8],
    match_value: &[u8],
) -> Result<Cow<'t, [u8]>> {
    apply(target, &[Change::DeleteWhere { path: array_path, match_key, match_value }])
}

/// Inserts `element` before the element at `position`: negative counts from the end, and a position
/// past either end means that end, as in `jsonb_insert`. A missing array is created.
pub fn array_insert_at<'t>(
    target: &'t [u8],
    array_path: &[&[u8]],
    position: i32,
    element: &[u8],
) -> Result<Cow<'t, [u8]>> {
    apply(target, &[Change::InsertAt { path: array_path, position, element }])
}

fn merge<'t>(data: &'t [u8], path: &[&[u8]], patch: &[u8], name: &'static str) -> Result<Cow<'t, [u8]>> {
    let growth = path_growth(path).saturating_add(patch.len());
    edited(data, growth, |tree| tree.merge(path, object_operand(patch, name)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{from_text, to_text};

    fn bytes(text: &str) -> Vec<u8> {
        from_text(text).unwrap()
    }

    fn path(elements: &[&'static str]) -> Vec<&'static [u8]> {
        elements.iter().map(|element| element.as_bytes()).collect()
    }

    /// The result as text, or the message.
    fn shown(result: Result<Cow<'_, [u8]>>) -> String {
        match result {
            Ok(bytes) => {
                let text = to_text(&bytes).unwrap();
                assert_eq!(bytes, from_text(&text).unwrap(), "the layout is canonical");
                text
            }
            Err(error) => error.to_string(),
        }
    }

    fn merged(target: &str, at: &[&'static str], source: &str) -> String {
        shown(merge_at_path(&bytes(target), &bytes(source), &path(at)))
    }

    #[test]
    fn a_merge_is_shallow_and_keeps_numbers_as_written() {
        let result =
            shown(merge_shallow(&bytes(r#"{"a": 1.10, "b": {"x": 1}}"#), &bytes(r#"{"b": {"y": 2.0}, "c": null}"#)));
        assert_eq!(result, r#"{"a": 1.10, "b": {"y": 2.0}, "c": null}"#);
        let patched = shown(smart_patch_scalar(&bytes("{}"), &bytes(r#"{"a": []}"#)));
        assert_eq!(patched, r#"{"a": []}"#);
    }

    #[test]
    fn merging_creates_missing_levels_as_objects() {
        assert_eq!(merged("{}", &["a", "0", "b"], r#"{"x": 1}"#), r#"{"a": {"0": {"b": {"x": 1}}}}"#);
        // Even for an empty patch.
        assert_eq!(merged(r#"{"a": {}}"#, &["a", "b"], "{}"), r#"{"a": {"b": {}}}"#);
        let nested = shown(smart_patch_nested(&bytes(r#"{"u": {"n": "x"}}"#), &bytes(r#"{"m": 1}"#), &path(&["u"])));
        assert_eq!(nested, r#"{"u": {"m": 1, "n": "x"}}"#);
    }

    #[test]
    fn merging_goes_through_arrays_by_index() {
        let target = r#"{"a": [{"x": 1}, {"x": 2}]}"#;
        assert_eq!(merged(target, &["a", "-1"], r#"{"y": 3}"#), r#"{"a": [{"x": 1}, {"x": 2, "y": 3}]}"#);
        assert_eq!(merged(target, &["a", "0", "n"], r#"{"y": 3}"#), r#"{"a": [{"n": {"y": 3}, "x": 1}, {"x": 2}]}"#);
        assert_eq!(merged("[{}]", &["0"], r#"{"y": 3}"#), r#"[{"y": 3}]"#);
        assert_eq!(
            merged(target, &["a", "2"], "{}"),
            "array index at path {a,2} is out of range: the array has 2 elements"
        );
        assert_eq!(
            merged(target, &["a", "-3"], "{}"),
            "array index at path {a,-3} is out of range: the array has 2 elements"
        );
        assert_eq!(
            merged(target, &["a", "x", "y"], "{}"),
            r#"path element at position 2 of {a,x} is not an integer: "x""#
        );
    }

    #[test]
    fn merging_into_what_is_no_object_names_path_and_finding() {
        for (target, at, message) in [
            (r#"{"a": 1}"#, &["a"][..], "expected an object at path {a}, found number"),
            (r#"{"a": 1}"#, &["a", "b", "c"], "expected an object at path {a}, found number"),
            (r#"{"a": null}"#, &["a"], "expected an object at path {a}, found null"),
            (r#"{"a": null}"#, &["a", "b"], "expected an object at path {a}, found null"),
            (r#"{"a": {"b": "x"}}"#, &["a", "b", "c"], "expected an object at path {a,b}, found string"),
            (r#"{"a": [1]}"#, &["a"], "expected an object at path {a}, found array"),
            (r#"{"a": [1]}"#, &["a", "0"], "expected an object at path {a,0}, found number"),
            ("[]", &[], "expected an object at path {}, found array"),
            ("true", &[], "expected an object at path {}, found boolean"),
            ("7", &["a"], "expected an object at path {}, found number"),
        ] {
            assert_eq!(merged(target, at, r#"{"x": 1}"#), message, "{target}");
        }
    }

    #[test]
    fn operands_that_must_be_objects_are_named_and_checked_first() {
        let (number, object, array) = (bytes("1"), bytes("{}"), bytes("[]"));
        let nowhere = path(&["a"]);
        for (result, name, found) in [
            (merge_shallow(&number, &array), "source", "array"),
            (merge_at_path(&number, &number, &nowhere), "source", "number"),
            (smart_patch_scalar(&number, &array), "patch", "array"),
            (smart_patch_nested(&number, &array, &nowhere), "patch", "array"),
            (smart_patch_array(&number, &array, &nowhere, b"id"), "patch", "array"),
            (array_update_where(&object, &nowhere, b"id", &number, &array), "updates", "array"),
        ] {
            assert_eq!(shown(result), format!("expected an object as argument \"{name}\", found {found}"));
        }
    }

    #[test]
    fn patching_an_array_matches_by_value_and_first() {
        let target = bytes(r#"{"a": [0, [], {"no": 1}, {"id": "1"}, {"id": 1, "n": 1}, {"id": 1, "n": 2}]}"#);
        let at = path(&["a"]);
        assert_eq!(
            shown(smart_patch_array(&target, &bytes(r#"{"id": 1.00, "n": null}"#), &at, b"id")),
            r#"{"a": [0, [], {"no": 1}, {"id": "1"}, {"n": null, "id": 1.00}, {"n": 2, "id": 1}]}"#
        );
    }

    #[test]
    fn patching_an_array_changes_nothing_where_there_is_nothing_to_do() {
        let target = bytes(r#"{"a": [{"id": 1}], "n": null}"#);
        for (patch, at) in [
            (r#"{"id": 1}"#, &["missing"][..]),
            (r#"{"id": 1}"#, &["missing", "x"]),
            (r#"{"id": 1}"#, &["a", "7"]),
            (r#"{"id": 2}"#, &["a"]),
            (r#"{"x": 2}"#, &["a"]),
            // Without its match key, the patch is not even tried on what is there.
            (r#"{"x": 2}"#, &["n"]),
            ("{}", &["a"]),
        ] {
            let (patch, at) = (bytes(patch), path(at));
            let result = smart_patch_array(&target, &patch, &at, b"id").unwrap();
            assert!(matches!(result, Cow::Borrowed(_)), "{at:?}");
            assert_eq!(result, target);
        }
    }

    #[test]
    fn array_edits_need_an_array() {
        let target = bytes(r#"{"a": {"b": 1}, "n": null, "l": [5]}"#);
        let (one, patch) = (bytes("1"), bytes(r#"{"id": 1}"#));
        for (at, message) in [
            (&["a"][..], "expected an array at path {a}, found object"),
            (&["n"], "expected an array at path {n}, found null"),
            (&["a", "b"], "expected an array at path {a,b}, found number"),
            (&["a", "b", "c"], "expected an object at path {a,b}, found number"),
            (&[], "expected an array at path {}, found object"),
            (&["l", "0"], "expected an array at path {l,0}, found number"),
            (&["l", "x"], r#"path element at position 2 of {l,x} is not an integer: "x""#),
        ] {
            let at = path(at);
            for result in [
                smart_patch_array(&target, &patch, &at, b"id"),
                array_update_where(&target, &at, b"id", &one, &patch),
                array_upsert_where(&target, &at, b"id", &one, &patch),
                array_delete_where(&target, &at, b"id", &one),
                array_insert_at(&target, &at, 0, &one),
            ] {
                assert_eq!(shown(result), message);
            }
        }
    }

    #[test]
    fn upserting_replaces_or_appends_or_creates() {
        let upsert = |target: &str, at: &[&'static str], value: &str, element: &str| {
            shown(array_upsert_where(&bytes(target), &path(at), b"id", &bytes(value), &bytes(element)))
        };
        let target = r#"{"a": [{"id": 1, "n": 1}, {"id": 2}]}"#;
        assert_eq!(upsert(target, &["a"], "1", r#"{"id": 1}"#), r#"{"a": [{"id": 1}, {"id": 2}]}"#);
        assert_eq!(upsert(target, &["a"], "3", "[3]"), r#"{"a": [{"n": 1, "id": 1}, {"id": 2}, [3]]}"#);
        assert_eq!(upsert("{}", &["x", "y"], "3", r#"{"id": 3}"#), r#"{"x": {"y": [{"id": 3}]}}"#);
        assert_eq!(upsert("[]", &[], "3", "3"), "[3]");
        assert_eq!(
            upsert(target, &["a", "2"], "3", "3"),
            "array index at path {a,2} is out of range: the array has 2 elements"
        );
    }

    #[test]
    fn values_of_any_kind_match() {
        let target = r#"[{"id": null}, {"id": [1, {"x": 2}]}, {"id": true}, {"id": ""}, {"x": 0}]"#;
        for (value, rest) in [
            ("null", r#"[{"id": [1, {"x": 2}]}, {"id": true}, {"id": ""}, {"x": 0}]"#),
            (r#"[1.0, {"x": 2.00}]"#, r#"[{"id": null}, {"id": true}, {"id": ""}, {"x": 0}]"#),
            ("true", r#"[{"id": null}, {"id": [1, {"x": 2}]}, {"id": ""}, {"x": 0}]"#),
            ("\"\"", r#"[{"id": null}, {"id": [1, {"x": 2}]}, {"id": true}, {"x": 0}]"#),
            ("[1]", target),
        ] {
            assert_eq!(shown(array_delete_where(&bytes(target), &[], b"id", &bytes(value))), rest);
        }
    }

    #[test]
    fn deleting_the_last_element_leaves_an_empty_array() {
        let target = bytes(r#"{"a": [{"id": 1}]}"#);
        let (at, one) = (path(&["a"]), bytes("1.0"));
        assert_eq!(shown(array_delete_where(&target, &at, b"id", &one)), r#"{"a": []}"#);
    }

    #[test]
    fn inserting_clamps_and_creates() {
        let insert = |target: &str, at: &[&'static str], position| {
            shown(array_insert_at(&bytes(target), &path(at), position, &bytes("\"x\"")))
        };
        for (position, expected) in [
            (0, r#"["x", 1, 2]"#),
            (1, r#"[1, "x", 2]"#),
            (2, r#"[1, 2, "x"]"#),
            (i32::MAX, r#"[1, 2, "x"]"#),
            (-1, r#"[1, "x", 2]"#),
            (-2, r#"["x", 1, 2]"#),
            (i32::MIN, r#"["x", 1, 2]"#),
        ] {
            assert_eq!(insert("[1, 2]", &[], position), expected);
        }
        assert_eq!(insert("{}", &["a"], 5), r#"{"a": ["x"]}"#);
        assert_eq!(insert("[[]]", &["0"], -5), r#"[["x"]]"#);
    }

    #[test]
    fn scalar_documents_are_not_arrays() {
        let (seven, one) = (bytes("7"), bytes("1"));
        assert_eq!(shown(array_insert_at(&seven, &[], 0, &one)), "expected an array at path {}, found number");
        assert_eq!(
            shown(array_insert_at(&seven, &path(&["0"]), 0, &one)),
            "expected an object at path {}, found number"
        );
    }
}
