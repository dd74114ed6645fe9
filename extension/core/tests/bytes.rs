//! Bytes of any content: no function panics, and what passes the check is read without complaint.

mod common;

use common::generate::{document, seed};
use common::json::Json;
use common::model::Operands;
use jsonb_core::*;
use proptest::collection::vec;
use proptest::prelude::*;

/// Calls everything with `bytes` in every role; what it returns does not matter.
fn call_all(bytes: &[u8], other: &[u8], path: &[&[u8]]) {
    let check = validate(bytes);
    let _ = text::to_text(bytes);
    let _ = get_path(bytes, path);
    let _ = has_path_changed(bytes, other, path);
    let _ = has_path_changed(bytes, bytes, &[]);
    if let (Ok(a), Ok(b)) = (Value::document(bytes), Value::document(other)) {
        let _ = (same_value(a, b), same_text(b, a), build_value(a), build_array([a, b, a]));
        let _ = build_object([(&b"x"[..], a), (b"y", b)]);
    }
    if let Ok(array) = SqlArray::parse(bytes) {
        let _ = (array.values(), array.booleans(), array.path_to_read());
    }
    for (target, operand) in [(bytes, other), (other, bytes), (bytes, bytes)] {
        for path in [path, &[]] {
            let change = ElementChange { matched: Some(operand), element: Some(operand), ..ElementChange::default() };
            let gone = ElementChange { element: None, ..change };
            let moved = ElementChange { moves: true, preceding: Some(operand), ..change };
            let sorted = SortedChange { matched: Some(operand), element: Some(operand) };
            let several = [
                change_elements(target, path, b"id", &[change, moved, gone], false),
                change_elements(target, path, b"id", &[moved], true),
                change_sorted_elements(target, path, b"id", &[sorted, SortedChange { element: None, ..sorted }], true),
                change_sorted_elements(target, path, b"id", &[sorted], false),
                put(target, None, &[(path, Some(operand)), (&[b"id"], Some(target))]),
                put(target, Some(operand), &[(path, Some(operand))]),
            ];
            if check.is_ok() && validate(other).is_ok() {
                for result in several {
                    assert!(!matches!(result, Err(CoreError::Corrupt { .. })), "{result:?}");
                    result.iter().flatten().for_each(|bytes| assert_eq!(validate(bytes), Ok(())));
                }
            }
            let results = [
                smart_patch_nested(target, operand, path),
                smart_patch_array(target, operand, path, b"id"),
                smart_patch_scalar(target, operand),
                merge_shallow(target, operand),
                merge_at_path(target, operand, path),
                array_update_where(target, path, b"id", operand, operand),
                array_upsert_where(target, path, b"id", operand, operand),
                array_delete_where(target, path, b"id", operand),
                array_insert_at(target, path, 1, operand),
            ];
            if check.is_ok() && validate(other).is_ok() {
                for result in results {
                    assert!(!matches!(result, Err(CoreError::Corrupt { .. })), "{result:?}");
                    result.iter().for_each(|bytes| assert_eq!(validate(bytes), Ok(())));
                }
            }
        }
    }
}

/// Few cases unless more are asked for: `PROPTEST_CASES=100000 cargo test -p jsonb-core --release`.
fn config() -> ProptestConfig {
    let default = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_some() { default } else { ProptestConfig { cases: 64, ..default } }
}

/// Words that look like the format's, so that checks behind the first ones are reached.
fn words() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        (0u32..5).prop_map(|n| 0x4000_0000 | n),
        (0u32..5).prop_map(|n| 0x2000_0000 | n),
        Just(0x5000_0001u32),
        (0u32..8, 0u32..20, any::<bool>()).prop_map(|(t, n, off)| t << 28 | n | u32::from(off) << 31),
        (0u32..40).prop_map(|n| n << 2),
        any::<u32>(),
    ];
    (vec(word, 0..30), vec(any::<u8>(), 0..5))
        .prop_map(|(words, tail)| words.into_iter().flat_map(u32::to_ne_bytes).chain(tail).collect())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn random_bytes(bytes in vec(any::<u8>(), 0..200), other in words()) {
        call_all(&bytes, &other, &[b"a", b"0"]);
    }

    #[test]
    fn words_of_the_format(bytes in words(), other in words()) {
        call_all(&bytes, &other, &[b"0"]);
    }

    #[test]
    fn damaged_documents(
        document in document(),
        seed in seed(),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in prop::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let mut bytes = document.binary();
        for (at, byte) in &damage {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let path = seed.path(&document);
        let path: Vec<&[u8]> = path.iter().map(String::as_bytes).collect();
        let other = Json::object([("id".into(), Json::Num("1".into())), ("a".into(), Json::Arr(vec![]))]).binary();
        call_all(&bytes, &other, &path);
        let op = seed.fit(&document);
        let _ = apply(&bytes, &[Operands::new(&op).change()]);
    }

    #[test]
    fn whole_documents(document in document(), seed in seed()) {
        let path = seed.path(&document);
        let path: Vec<&[u8]> = path.iter().map(String::as_bytes).collect();
        let other = Json::object([("id".into(), Json::Num("1".into()))]).binary();
        call_all(&document.binary(), &other, &path);
    }
}

#[test]
fn deep_documents_and_long_paths_cost_no_stack() {
    let depth = 100_000;
    let keys = vec![&b"k"[..]; depth];
    let patch = Json::object([("id".into(), Json::Num("1".into()))]).binary();
    let empty = Json::object([]).binary();
    let deep = merge_at_path(&empty, &patch, &keys).unwrap();
    assert_eq!(validate(&deep), Ok(()));
    assert!(has_path_changed(&deep, &empty, &keys).unwrap());
    let again = merge_at_path(&deep, &patch, &keys).unwrap();
    assert_eq!(again, deep);
    call_all(&deep[..], &patch, &[b"k", b"k"]);
}

#[test]
#[ignore = "takes half a gigabyte of memory"]
fn a_result_beyond_the_formats_limit_is_refused() {
    let long = vec![b'x'; 100_000_000];
    let element = build_value(Value::String(&long)).unwrap();
    let empty = Json::Arr(vec![]).binary();
    let insert = Change::InsertAt { path: &[], position: 0, element: &element };
    assert!(apply(&empty, &[insert; 2]).is_ok());
    assert_eq!(apply(&empty, &[insert; 3]), Err(CoreError::TooLarge { limit: Limit::ArrayBytes }));
    let longer = vec![b'x'; 1 << 28];
    assert_eq!(build_value(Value::String(&longer)), Err(CoreError::TooLarge { limit: Limit::StringBytes }));
}
