//! Two documents and a path from untrusted bytes, through every function.
//!
//! In: one byte of length, that many words of the first document, then the second. Out: nothing.
//! Always: no panic; and if both documents pass the check, no result is corrupt and every result
//! passes the check too.
#![no_main]

use jsonb_core::*;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((length, rest)) = input.split_first() else {
        return;
    };
    let (document, operand) = rest.split_at((usize::from(*length) * 4).min(rest.len()));
    let is_valid = validate(document).is_ok() && validate(operand).is_ok();
    let _ = (text::to_text(document), has_path_changed(document, operand, &[]));
    for path in [&[][..], &[b"a" as &[u8]], &[b"0"], &[b"a", b"-1"]] {
        let _ = (get_path(document, path), has_path_changed(document, operand, path));
        let change = ElementChange { matched: Some(operand), element: Some(operand), ..ElementChange::default() };
        let moved = ElementChange { moves: true, preceding: Some(operand), following: Some(operand), ..change };
        let sorted = SortedChange { matched: Some(operand), element: Some(operand) };
        for result in [
            change_elements(document, path, b"id", &[change, moved, ElementChange { element: None, ..change }], true),
            change_elements(document, path, b"id", &[moved], false),
            change_sorted_elements(document, path, b"id", &[sorted, SortedChange { element: None, ..sorted }], false),
            change_sorted_elements(document, path, b"id", &[sorted], true),
            put(document, Some(operand), &[(path, Some(operand)), (&[b"a"], Some(document))]),
        ] {
            match result {
                Ok(Some(result)) if is_valid => assert_eq!(validate(&result), Ok(())),
                Err(CoreError::Corrupt { what }) if is_valid => panic!("{what}"),
                _ => {}
            }
        }
        let changes = [
            Change::Merge { path, patch: operand },
            Change::PatchArray { path, patch: operand, match_key: b"id" },
            Change::UpdateWhere { path, match_key: b"id", match_value: operand, updates: operand },
            Change::UpsertWhere { path, match_key: b"id", match_value: operand, element: operand },
            Change::DeleteWhere { path, match_key: b"id", match_value: operand },
            Change::InsertAt { path, position: -1, element: operand },
        ];
        for list in changes.iter().map(std::slice::from_ref).chain([&changes[..]]) {
            match apply(document, list) {
                Ok(result) if is_valid => assert_eq!(validate(&result), Ok(())),
                Err(CoreError::Corrupt { what }) if is_valid => panic!("{what}"),
                _ => {}
            }
        }
    }
});
