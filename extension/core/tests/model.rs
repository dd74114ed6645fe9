//! Property tests: each operation, and lists of them, against the model on a plain tree.
//!
//! What is compared is bytes: the crate's result with the canonical encoding of the model's result.

mod common;

use std::borrow::Cow;

use common::generate::{document, json, seed};
use common::json::Json;
use common::model::{Failure, Op, Operands, failure, get};
use jsonb_core::{Value, apply, apply_into, get_path, has_path_changed, same_value, text, validate};
use proptest::collection::vec;
use proptest::prelude::*;

/// Few cases unless more are asked for: `PROPTEST_CASES=100000 cargo test -p jsonb-core --release`.
fn config() -> ProptestConfig {
    let default = ProptestConfig { failure_persistence: None, max_shrink_iters: 5000, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_some() { default } else { ProptestConfig { cases: 64, ..default } }
}

fn run(document: &Json, ops: &[Op]) -> Result<Vec<u8>, Failure> {
    let data = document.binary();
    let operands: Vec<Operands> = ops.iter().map(Operands::new).collect();
    let changes: Vec<_> = operands.iter().map(Operands::change).collect();
    apply(&data, &changes).map(Cow::into_owned).map_err(|error| failure(&error))
}

fn expected(document: &Json, ops: &[Op]) -> Result<Vec<u8>, Failure> {
    let mut document = document.clone();
    ops.iter().try_for_each(|op| op.run(&mut document))?;
    Ok(document.binary())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn one_change_is_the_models(document in document(), seed in seed()) {
        let ops = [seed.fit(&document)];
        let result = run(&document, &ops);
        if let Ok(bytes) = &result {
            prop_assert_eq!(validate(bytes), Ok(()));
        }
        prop_assert_eq!(result, expected(&document, &ops));
    }

    #[test]
    fn a_list_of_changes_is_the_models_one_after_the_other(document in document(), seeds in vec(seed(), 0..8)) {
        let mut state = document.clone();
        let mut ops = Vec::new();
        for seed in &seeds {
            // Fit to the document as it then is, so that changes meet what earlier ones made.
            let op = seed.fit(&state);
            let mut next = state.clone();
            if op.run(&mut next).is_ok() {
                state = next;
                ops.push(op);
            }
        }
        prop_assert_eq!(run(&document, &ops), Ok(state.binary()));
    }

    #[test]
    fn a_list_with_a_failing_change_fails_alike(document in document(), seeds in vec(seed(), 2..6)) {
        let ops: Vec<Op> = seeds.iter().map(|seed| seed.fit(&document)).collect();
        prop_assert_eq!(run(&document, &ops), expected(&document, &ops));
    }

    #[test]
    fn a_result_is_appended_at_any_offset(document in document(), seed in seed(), before in 0usize..9) {
        let op = seed.fit(&document);
        let (data, operands) = (document.binary(), Operands::new(&op));
        let mut out = vec![0xee; before];
        match apply_into(&data, &[operands.change()], &mut out) {
            Ok(true) => prop_assert_eq!(Ok(out[before..].to_vec()), expected(&document, &[op])),
            Ok(false) => {
                prop_assert_eq!(out.len(), before);
                prop_assert_eq!(Ok(data), expected(&document, &[op]));
            }
            Err(_) => prop_assert_eq!(out.len(), before),
        }
    }

    #[test]
    fn text_and_bytes_are_one(document in json()) {
        let bytes = document.binary();
        prop_assert_eq!(validate(&bytes), Ok(()));
        prop_assert_eq!(&text::to_text(&bytes).unwrap(), &document.text());
        prop_assert_eq!(text::from_text(&document.text()).unwrap(), bytes);
    }

    #[test]
    fn reading_a_path_is_the_models(document in document(), seed in seed()) {
        let path = seed.path(&document);
        let elements: Vec<&[u8]> = path.iter().map(String::as_bytes).collect();
        let bytes = document.binary();
        let found = get_path(&bytes, &elements).unwrap().map(|value| text::value_to_text(value).unwrap());
        prop_assert_eq!(found, get(&document, &path).map(Json::text));
    }

    #[test]
    fn a_path_has_changed_if_its_text_has(document in document(), first in seed(), second in seed()) {
        let mut changed = document.clone();
        let _ = first.fit(&document).run(&mut changed);
        for path in [first.path(&document), second.path(&document), vec![]] {
            let elements: Vec<&[u8]> = path.iter().map(String::as_bytes).collect();
            let differs = get(&document, &path).map(Json::text) != get(&changed, &path).map(Json::text);
            let answer = has_path_changed(&document.binary(), &changed.binary(), &elements);
            prop_assert_eq!(answer, Ok(differs));
        }
    }

    #[test]
    fn equality_by_value_is_the_models(a in json(), b in json()) {
        let rescaled = rescale(&a);
        for other in [&b, &rescaled, &a] {
            let (left, right) = (a.binary(), other.binary());
            let same = same_value(Value::document(&left).unwrap(), Value::document(&right).unwrap());
            prop_assert_eq!(same, Ok(a.same_value(other)));
        }
    }
}

/// The same value with other scales.
fn rescale(json: &Json) -> Json {
    match json {
        Json::Num(text) if text.contains('.') => Json::Num(format!("{text}000")),
        Json::Num(text) => Json::Num(format!("{text}.0")),
        Json::Arr(elements) => Json::Arr(elements.iter().map(rescale).collect()),
        Json::Obj(pairs) => Json::Obj(pairs.iter().map(|(k, v)| (k.clone(), rescale(v))).collect()),
        other => other.clone(),
    }
}

/// Every place of a splice against every phase of alignment, around every stride: not left to
/// chance.
#[test]
fn splices_at_every_phase_and_stride() {
    let element = |i: usize| match i % 5 {
        0 => Json::Str("s".repeat(i % 7)),
        1 => Json::Num(format!("{i}.5")),
        2 => Json::Arr(vec![Json::Str("y".repeat(i % 4))]),
        3 => Json::Null,
        _ => Json::object([("id".into(), Json::Num(i.to_string())), ("v".into(), Json::Str("z".repeat(i % 6)))]),
    };
    for size in [0, 1, 2, 5, 31, 32, 33, 64, 65, 100] {
        let document = Json::object([("a".into(), Json::Arr((0..size).map(element).collect()))]);
        for length in 0..5 {
            for position in [0, 1, 2, 3, 30, 31, 32, 33, 63, 64, 65, -1, -2, 100] {
                let element = Json::Str("i".repeat(length));
                let insert = Op::InsertAt { path: vec!["a".into()], position, element: element.clone() };
                assert_eq!(run(&document, std::slice::from_ref(&insert)), expected(&document, &[insert]));
                let value = Json::Num(position.to_string());
                let path = vec!["a".to_owned()];
                let delete = Op::DeleteWhere { path: path.clone(), key: "id".into(), value: value.clone() };
                assert_eq!(run(&document, std::slice::from_ref(&delete)), expected(&document, &[delete]));
                let upsert = Op::UpsertWhere { path, key: "id".into(), value, element };
                assert_eq!(run(&document, std::slice::from_ref(&upsert)), expected(&document, &[upsert]));
            }
        }
    }
}

/// Objects likewise: keys before and behind, so that the values move by every phase.
#[test]
fn merges_at_every_phase_and_stride() {
    let value = |i: usize| match i % 3 {
        0 => Json::Num(i.to_string()),
        1 => Json::Str("s".repeat(i % 5)),
        _ => Json::Arr(vec![Json::Num(i.to_string())]),
    };
    for size in [0, 1, 15, 16, 17, 31, 32, 33, 64, 70] {
        let document = Json::object((0..size).map(|i| (format!("k{i:02}"), value(i))));
        for key in ["", "k", "k00", "k15", "k16", "k31", "k32", "k69", "k99", "k5x", "zzzzz"] {
            for length in 0..5 {
                let patch = Json::object([(key.to_owned(), Json::Str("p".repeat(length)))]);
                let merge = Op::Merge { path: vec![], patch };
                assert_eq!(run(&document, std::slice::from_ref(&merge)), expected(&document, &[merge]));
            }
        }
    }
}
