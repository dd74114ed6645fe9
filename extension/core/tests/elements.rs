//! Changes of elements and values put at paths, against the model on a plain tree.
//!
//! What is compared is bytes: the crate's result with the canonical encoding of the model's result.

mod common;

use std::collections::BTreeMap;

use common::elements::{ElementJson, ElementSeed, change_elements as model, element_seed};
use common::generate::{document, json, seed};
use common::json::Json;
use common::model::get;
use jsonb_core::{ElementChange, PathValue, SortedChange, change_elements, change_sorted_elements, put, validate};
use proptest::collection::vec;
use proptest::prelude::*;

/// Few cases unless more are asked for: `PROPTEST_CASES=100000 cargo test -p jsonb-core --release`.
fn config() -> ProptestConfig {
    let default = ProptestConfig { failure_persistence: None, max_shrink_iters: 5000, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_some() { default } else { ProptestConfig { cases: 64, ..default } }
}

fn run(document: &Json, path: &[String], changes: &[ElementJson], sorted: bool) -> Option<Vec<u8>> {
    let bytes = |json: &Option<Json>| json.as_ref().map(Json::binary);
    let operands: Vec<[Option<Vec<u8>>; 4]> =
        changes.iter().map(|c| [&c.matched, &c.element, &c.preceding, &c.following].map(bytes)).collect();
    let changes: Vec<ElementChange> = changes
        .iter()
        .zip(&operands)
        .map(|(change, [matched, element, preceding, following])| ElementChange {
            matched: matched.as_deref(),
            element: element.as_deref(),
            moves: change.moves != Some(false),
            preceding: preceding.as_deref(),
            following: following.as_deref(),
        })
        .collect();
    let path: Vec<&[u8]> = path.iter().map(String::as_bytes).collect();
    let data = document.binary();
    change_elements(&data, &path, b"id", &changes, sorted).expect("jsonb").map(|result| result.into_owned())
}

/// Each change is fitted to what the ones before leave; one that would not tell is left out, but for the last.
fn fitted(document: &Json, path: &[String], seeds: &[ElementSeed], sorted: bool) -> Vec<ElementJson> {
    let mut changes: Vec<ElementJson> = Vec::new();
    for (number, seed) in seeds.iter().enumerate() {
        let state = model(document, path, "id", &changes, sorted);
        let Some(Json::Arr(list)) = state.as_ref().and_then(|state| get(state, path)) else {
            break;
        };
        changes.push(seed.fit(list, "id"));
        if number + 1 < seeds.len() && model(document, path, "id", &changes, sorted).is_none() {
            changes.pop();
        }
    }
    changes
}

fn any_key() -> impl Strategy<Value = i64> {
    prop_oneof![3 => -20i64..20, 1 => any::<i64>(), 1 => (-9i64..9, 0u32..16).prop_map(|(n, power)| n * 10i64.pow(power))]
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn changed_elements_are_the_models(
        document in document(), at in seed(), seeds in vec(element_seed(), 1..6), sorted in prop::bool::weighted(0.8)
    ) {
        let path = at.path(&document);
        let changes = fitted(&document, &path, &seeds, sorted);
        let result = run(&document, &path, &changes, sorted);
        if let Some(bytes) = &result {
            prop_assert_eq!(validate(bytes), Ok(()));
        }
        prop_assert_eq!(result, model(&document, &path, "id", &changes, sorted).map(|json| json.binary()));
    }

    #[test]
    fn elements_with_equal_keys_are_taken_in_order(
        ids in vec(0u8..3, 0..40), seeds in vec(element_seed(), 1..6), sorted in prop::bool::weighted(0.8)
    ) {
        let element = |id: &u8| Json::object([("id".to_owned(), Json::Num(id.to_string()))]);
        let document = Json::Arr(ids.iter().map(element).collect());
        let changes = fitted(&document, &[], &seeds, sorted);
        let expected = model(&document, &[], "id", &changes, sorted).map(|json| json.binary());
        prop_assert_eq!(run(&document, &[], &changes, sorted), expected);
    }

    /// Keys of all lengths, by tens and by the base that numbers are stored in.
    #[test]
    fn sorted_elements_are_a_sorted_map(
        ids in vec(any_key(), 0..60), changes in vec((any_key(), any::<bool>(), any::<prop::sample::Index>(), any::<bool>()), 1..9),
        descending in any::<bool>()
    ) {
        let element = |id: i64, note: i64| Json::object([
            ("id".to_owned(), Json::Num(id.to_string())),
            ("note".to_owned(), Json::Num(note.to_string())),
        ]);
        let mut map: BTreeMap<i64, Json> = ids.iter().map(|id| (*id, element(*id, 0))).collect();
        let list = |map: &BTreeMap<i64, Json>| -> Json {
            let mut list: Vec<Json> = map.values().cloned().collect();
            if descending {
                list.reverse();
            }
            Json::Arr(list)
        };
        let data = list(&map).binary();
        let mut operands = Vec::new();
        let mut is_told = true;
        for (number, (new, of_list, which, stays)) in changes.iter().enumerate() {
            let id = if *of_list && !ids.is_empty() { *which.get(&ids) } else { *new };
            let made = stays.then(|| element(id, number as i64));
            operands.push((Json::Num(id.to_string()).binary(), made.as_ref().map(Json::binary)));
            match made {
                Some(made) => {
                    map.insert(id, made);
                }
                None if map.len() == 1 && map.contains_key(&id) => is_told = false,
                None => {
                    map.remove(&id);
                }
            }
            if !is_told {
                break;
            }
        }
        let all: Vec<SortedChange> = operands
            .iter()
            .map(|(matched, element)| SortedChange { matched: Some(matched), element: element.as_deref() })
            .collect();
        let result = change_sorted_elements(&data, &[], b"id", &all, descending).expect("jsonb");
        prop_assert_eq!(result.map(|bytes| bytes.into_owned()), is_told.then(|| list(&map).binary()));
    }

    #[test]
    fn values_are_put_as_set_one_after_the_other(
        document in document(), fields in prop::option::of(json()), seeds in vec((seed(), prop::option::weighted(0.9, json())), 0..6)
    ) {
        let data = document.binary();
        let added = fields.as_ref().map(Json::binary);
        let paths: Vec<Vec<String>> = seeds.iter().map(|(seed, _)| seed.path(&document)).collect();
        let paths: Vec<Vec<&[u8]>> = paths.iter().map(|path| path.iter().map(String::as_bytes).collect()).collect();
        let values: Vec<Option<Vec<u8>>> = seeds.iter().map(|(_, value)| value.as_ref().map(Json::binary)).collect();
        let all: Vec<PathValue> =
            paths.iter().zip(&values).map(|(path, value)| (&path[..], value.as_deref())).collect();
        let result = put(&data, added.as_deref(), &all).expect("jsonb");
        let mut state = document.clone();
        let mut is_plain = true;
        if let Some(fields) = &fields {
            match (&mut state, fields) {
                (Json::Obj(pairs), Json::Obj(more)) => pairs.extend(more.clone()),
                _ => is_plain = false,
            }
        }
        for ((path, _), (_, value)) in all.iter().zip(&seeds) {
            if let (Some(value), true) = (value, is_plain) {
                let path: Vec<&str> = path.iter().map(|element| std::str::from_utf8(element).expect("UTF-8")).collect();
                is_plain = set(&mut state, &path, value, true);
            }
        }
        prop_assert_eq!(result.map(|bytes| bytes.into_owned()), is_plain.then(|| state.binary()));
    }
}

/// As `jsonb_set` does, where it does so plainly.
fn set(json: &mut Json, path: &[&str], value: &Json, is_document: bool) -> bool {
    if is_document && !matches!(json, Json::Obj(_) | Json::Arr(_)) {
        return false;
    }
    let Some((element, rest)) = path.split_first() else {
        return true;
    };
    let child = match json {
        Json::Obj(pairs) if rest.is_empty() => {
            pairs.insert(common::json::key(element), value.clone());
            return true;
        }
        Json::Obj(pairs) => pairs.get_mut(&common::json::key(element)),
        Json::Arr(elements) => match common::model::index(element, elements.len()) {
            Some(Some(index)) if rest.is_empty() => {
                elements[index] = value.clone();
                return true;
            }
            Some(Some(index)) => elements.get_mut(index),
            _ => return false,
        },
        _ => return true,
    };
    child.is_none_or(|child| set(child, rest, value, false))
}
