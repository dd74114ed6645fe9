//! Changes as values, and a list of them applied in one pass.
//!
//! In: a document and changes that borrow their operands. Out: the document after all of them.
//! Always: the meaning is that of one change after the other, but the document is copied once,
//! whatever their number; if any change fails, the whole list fails; if none changes anything, the
//! document is given back as it came.

use std::borrow::Cow;

use crate::container::Value;
use crate::edit::{Match, object_operand};
use crate::encode::encode_slot;
use crate::error::{CoreError, Result};
use crate::layout::MAX_BYTES;
use crate::tree::{Slot, Tree};

/// One change of a document. All operands are documents, that is bytes behind the varlena header.
#[derive(Debug, Clone, Copy)]
pub enum Change<'a> {
    /// Merge the pairs of `patch` into the object at `path`, which is created if missing.
    Merge {
        /// Where the object is; empty for the document itself.
        path: &'a [&'a [u8]],
        /// An object.
        patch: &'a [u8],
    },
    /// Merge `patch` into the first element with the same value for `match_key` as `patch` has.
    PatchArray {
        /// Where the array is.
        path: &'a [&'a [u8]],
        /// An object; without `match_key`, nothing changes.
        patch: &'a [u8],
        /// The key to match by.
        match_key: &'a [u8],
    },
    /// Merge `updates` into the first element whose value for `match_key` equals `match_value`.
    UpdateWhere {
        /// Where the array is.
        path: &'a [&'a [u8]],
        /// The key to match by.
        match_key: &'a [u8],
        /// The value to match, numbers by value.
        match_value: &'a [u8],
        /// An object.
        updates: &'a [u8],
    },
    /// Replace that element by `element`, or append it.
    UpsertWhere {
        /// Where the array is; created if missing.
        path: &'a [&'a [u8]],
        /// The key to match by.
        match_key: &'a [u8],
        /// The value to match, numbers by value.
        match_value: &'a [u8],
        /// Any value.
        element: &'a [u8],
    },
    /// Remove that element.
    DeleteWhere {
        /// Where the array is.
        path: &'a [&'a [u8]],
        /// The key to match by.
        match_key: &'a [u8],
        /// The value to match, numbers by value.
        match_value: &'a [u8],
    },
    /// Insert `element` at a rank.
    InsertAt {
        /// Where the array is; created if missing.
        path: &'a [&'a [u8]],
        /// Before which element; negative from the end, and clamped to the array.
        position: i32,
        /// Any value.
        element: &'a [u8],
    },
}

/// Applies `changes` in order.
pub fn apply<'t>(data: &'t [u8], changes: &[Change<'_>]) -> Result<Cow<'t, [u8]>> {
    let mut out = Vec::new();
    Ok(if apply_into(data, changes, &mut out)? { Cow::Owned(out) } else { Cow::Borrowed(data) })
}

/// Applies `changes` in order and appends the result to `out`, so that a caller can put a header
/// before it.
///
/// Returns whether anything changed; if not, or on an error, `out` is as it was. Alignment counts
/// from where the result begins in `out`.
pub fn apply_into(data: &[u8], changes: &[Change<'_>], out: &mut Vec<u8>) -> Result<bool> {
    let growth = changes.iter().map(Change::growth).fold(0, usize::saturating_add);
    edit_into(data, out, growth, |tree| changes.iter().try_for_each(|change| change.run(tree)))
}

/// Applies changes as they come, in order; the first error ends it.
pub fn apply_each<'t, 'a>(
    data: &'t [u8],
    changes: impl IntoIterator<Item = Result<Change<'a>>>,
) -> Result<Cow<'t, [u8]>>
where
    't: 'a,
{
    let mut growth = 0usize;
    let mut tree = Tree::new(Slot::Kept(Value::document(data)?));
    for change in changes {
        let change = change?;
        growth = growth.saturating_add(change.growth());
        change.run(&mut tree)?;
    }
    let mut out = Vec::new();
    Ok(if write(&tree, data, &mut out, growth)? { Cow::Owned(out) } else { Cow::Borrowed(data) })
}

/// Runs `edit` on the document and gives the result, which is `data` itself if nothing changed.
pub(crate) fn edited<'t: 'a, 'a>(
    data: &'t [u8],
    growth: usize,
    edit: impl FnOnce(&mut Tree<'a>) -> Result<()>,
) -> Result<Cow<'t, [u8]>> {
    let mut out = Vec::new();
    Ok(if edit_into(data, &mut out, growth, edit)? { Cow::Owned(out) } else { Cow::Borrowed(data) })
}

fn edit_into<'a>(
    data: &'a [u8],
    out: &mut Vec<u8>,
    growth: usize,
    edit: impl FnOnce(&mut Tree<'a>) -> Result<()>,
) -> Result<bool> {
    let mut tree = Tree::new(Slot::Kept(Value::document(data)?));
    edit(&mut tree)?;
    write(&tree, data, out, growth)
}

/// Appends the edited document to `out`, if it is another one than `data`.
fn write(tree: &Tree<'_>, data: &[u8], out: &mut Vec<u8>, growth: usize) -> Result<bool> {
    if !tree.changed {
        return Ok(false);
    }
    let before = out.len();
    // The one large allocation; where it fails, that is an error and not the end of the process.
    out.try_reserve(data.len().saturating_add(growth.min(MAX_BYTES))).map_err(|_| CoreError::OutOfMemory)?;
    let encoded = encode_slot(tree, tree.root, out);
    if encoded.is_err() {
        out.truncate(before);
    }
    encoded.map(|()| true)
}

impl<'a> Change<'a> {
    fn run(&self, tree: &mut Tree<'a>) -> Result<()> {
        match *self {
            Change::Merge { path, patch } => tree.merge(path, object_operand(patch, "patch")?),
            Change::PatchArray { path, patch, match_key } => patch_array(tree, path, patch, match_key),
            Change::UpdateWhere { path, match_key, match_value, updates } => {
                let updates = object_operand(updates, "updates")?;
                tree.update_where(path, wanted(match_key, match_value)?, updates)
            }
            Change::UpsertWhere { path, match_key, match_value, element } => {
                let element = Value::document(element)?;
                tree.upsert_where(path, wanted(match_key, match_value)?, element)
            }
            Change::DeleteWhere { path, match_key, match_value } => {
                tree.delete_where(path, wanted(match_key, match_value)?)
            }
            Change::InsertAt { path, position, element } => tree.insert_at(path, position, Value::document(element)?),
        }
    }

    /// About how many bytes it can add, to allocate once.
    fn growth(&self) -> usize {
        let (path, operand) = match *self {
            Change::Merge { path, patch } | Change::PatchArray { path, patch, .. } => (path, patch),
            Change::UpdateWhere { path, updates, .. } => (path, updates),
            Change::UpsertWhere { path, element, .. } | Change::InsertAt { path, element, .. } => (path, element),
            Change::DeleteWhere { .. } => (&[][..], &[][..]),
        };
        path_growth(path).saturating_add(operand.len())
    }
}

/// About how many bytes the levels of a path take, should they be created.
pub(crate) fn path_growth(path: &[&[u8]]) -> usize {
    // Per level: a header, two entries, padding.
    path.iter().map(|element| element.len().saturating_add(16)).fold(16, usize::saturating_add)
}

fn patch_array<'a>(tree: &mut Tree<'a>, path: &'a [&'a [u8]], patch: &'a [u8], match_key: &'a [u8]) -> Result<()> {
    let patch = object_operand(patch, "patch")?;
    match patch.get(match_key)? {
        Some(value) => tree.update_where(path, Match { key: match_key, value }, patch),
        None => Ok(()),
    }
}

fn wanted<'a>(key: &'a [u8], value: &'a [u8]) -> Result<Match<'a>> {
    Ok(Match { key, value: Value::document(value)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{from_text, to_text};

    #[test]
    fn changes_see_the_ones_before_them() {
        let data = from_text(r#"{"a": [{"id": 1}, {"id": 2}], "b": {"x": 1}}"#).unwrap();
        let (one, three) = (from_text("1").unwrap(), from_text("3").unwrap());
        let (renumber, named) = (from_text(r#"{"id": 3}"#).unwrap(), from_text(r#"{"n": "three"}"#).unwrap());
        let (list, object): ([&[u8]; 1], [&[u8]; 2]) = ([b"a"], [b"b", b"new"]);
        let changes = [
            Change::UpdateWhere { path: &list, match_key: b"id", match_value: &one, updates: &renumber },
            Change::UpdateWhere { path: &list, match_key: b"id", match_value: &three, updates: &named },
            Change::Merge { path: &object, patch: &named },
            Change::InsertAt { path: &list, position: 1, element: &three },
            Change::DeleteWhere { path: &list, match_key: b"id", match_value: &one },
        ];
        let result = apply(&data, &changes).unwrap();
        assert_eq!(
            to_text(&result).unwrap(),
            r#"{"a": [{"n": "three", "id": 3}, 3, {"id": 2}], "b": {"x": 1, "new": {"n": "three"}}}"#
        );
    }

    #[test]
    fn a_value_that_an_earlier_change_edited_is_matched_as_edited() {
        let data = from_text(r#"[{"id": {"k": 1}}]"#).unwrap();
        let (patch, wanted) = (from_text(r#"{"l": 2}"#).unwrap(), from_text(r#"{"k": 1.0, "l": 2}"#).unwrap());
        let path: [&[u8]; 2] = [b"0", b"id"];
        let changes = [
            Change::Merge { path: &path, patch: &patch },
            Change::DeleteWhere { path: &[], match_key: b"id", match_value: &wanted },
        ];
        assert_eq!(to_text(&apply(&data, &changes).unwrap()).unwrap(), "[]");
    }

    #[test]
    fn a_failing_change_fails_the_list_and_leaves_the_buffer() {
        let data = from_text("{}").unwrap();
        let (patch, number) = (from_text(r#"{"a": 1}"#).unwrap(), from_text("1").unwrap());
        let mut out = b"before".to_vec();
        let changes = [Change::Merge { path: &[], patch: &patch }, Change::Merge { path: &[b"a"], patch: &patch }];
        assert!(matches!(apply_into(&data, &changes, &mut out), Err(CoreError::NotAnObject { .. })));
        let not_jsonb = [Change::Merge { path: &[], patch: &number[..3] }];
        assert!(matches!(apply_into(&data, &not_jsonb, &mut out), Err(CoreError::Corrupt { .. })));
        assert_eq!(out, b"before");
    }

    #[test]
    fn a_corrupt_part_that_is_only_seen_when_copied_leaves_the_buffer() {
        let data = from_text(r#"[{"a": 1}, "at the end"]"#).unwrap();
        let patch = from_text(r#"{"b": 2}"#).unwrap();
        let mut out = b"before".to_vec();
        let changes = [Change::Merge { path: &[b"0"], patch: &patch }];
        let cut = &data[..data.len() - 1];
        assert!(matches!(apply_into(cut, &changes, &mut out), Err(CoreError::Corrupt { .. })));
        assert_eq!(out, b"before");
    }

    #[test]
    fn no_change_is_the_document_itself() {
        let data = from_text(r#"{"a": 1}"#).unwrap();
        let empty = from_text("{}").unwrap();
        assert!(matches!(apply(&data, &[]), Ok(Cow::Borrowed(_))));
        assert!(matches!(apply(&data, &[Change::Merge { path: &[], patch: &empty }]), Ok(Cow::Borrowed(_))));
    }
}
