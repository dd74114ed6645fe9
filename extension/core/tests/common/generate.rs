//! Generators of documents, and of operations that fit a document more often than not.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::json::{Json, key};
use super::model::{Op, get};

/// Numbers of every header form, several of them equal in value.
const NUMBERS: &[&str] = &[
    "0",
    "0.0",
    "1",
    "1.0",
    "1.00",
    "-1",
    "7",
    "10000",
    "99999999",
    "12345.678",
    "0.0001",
    "-0.00000001",
    "1234567890123456789012345678901234567890",
    "3.14159265358979323846264338327950288419716939937510582097494459230781640628620899",
];

const STRINGS: &[&str] = &["", "a", "ab", "abc", "abcd", "é", "日本語", "😀", "quote\" \\ \n\t\u{1}", "1"];

const KEYS: &[&str] = &["id", "a", "b", "c", "é", "0", "", "name", "longer key", "ключ"];

pub fn number() -> impl Strategy<Value = Json> {
    prop_oneof![
        3 => prop::sample::select(NUMBERS).prop_map(str::to_owned),
        2 => any::<i64>().prop_map(|n| n.to_string()),
        2 => (any::<i32>(), 0u32..100_000).prop_map(|(whole, part)| format!("{whole}.{part:05}")),
        1 => (1usize..300).prop_map(|n| format!("1{}", "0".repeat(n))),
        1 => (1usize..300).prop_map(|n| format!("0.{}5", "0".repeat(n))),
    ]
    .prop_map(Json::Num)
}

pub fn scalar() -> impl Strategy<Value = Json> {
    prop_oneof![
        1 => Just(Json::Null),
        1 => any::<bool>().prop_map(Json::Bool),
        4 => number(),
        3 => prop::sample::select(STRINGS).prop_map(|s| Json::Str(s.into())),
        1 => "\\PC{0,12}".prop_map(Json::Str),
        1 => (100usize..400).prop_map(|n| Json::Str("x".repeat(n))),
    ]
}

/// A small number or string, so that matches happen.
fn identity() -> impl Strategy<Value = Json> {
    prop_oneof![
        (0u8..5).prop_map(|n| Json::Num(n.to_string())),
        (0u8..5).prop_map(|n| Json::Num(format!("{n}.0"))),
        prop::sample::select(STRINGS).prop_map(|s| Json::Str(s.into())),
    ]
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(KEYS).prop_map(str::to_owned),
        1 => (0u8..120).prop_map(|n| format!("k{n}")),
    ]
}

fn object_of(value: impl Strategy<Value = Json>, size: std::ops::Range<usize>) -> impl Strategy<Value = Json> {
    btree_map(name(), value, size).prop_map(Json::object)
}

/// An array as read models have them: objects with an `id`.
fn rows(value: impl Strategy<Value = Json>) -> impl Strategy<Value = Json> {
    let row = (identity(), btree_map(name(), value, 0..3)).prop_map(|(id, mut pairs)| {
        pairs.insert("id".into(), id);
        Json::object(pairs)
    });
    vec(row, 0..6).prop_map(Json::Arr)
}

pub fn json() -> impl Strategy<Value = Json> {
    scalar().prop_recursive(4, 60, 5, |inner| {
        prop_oneof![
            3 => vec(inner.clone(), 0..6).prop_map(Json::Arr),
            3 => object_of(inner.clone(), 0..6),
            3 => rows(inner),
            1 => vec(scalar(), 30..110).prop_map(Json::Arr),
            1 => btree_map("[a-z]{1,3}", scalar(), 15..80).prop_map(Json::object),
        ]
    })
}

/// A document: mostly an object, with something in it.
pub fn document() -> impl Strategy<Value = Json> {
    prop_oneof![
        6 => object_of(json(), 1..6),
        2 => json(),
        2 => (vec(json(), 0..4), 25usize..70, vec(json(), 0..4)).prop_map(|(mut head, bulk, tail)| {
            let row = |n: usize| Json::object([("id".into(), Json::Num(n.to_string()))]);
            head.extend((0..bulk).map(row));
            head.extend(tail);
            Json::object([("a".into(), Json::Arr(head))])
        }),
    ]
}

/// What an operation is made of before it is fitted to a document.
#[derive(Debug, Clone)]
pub struct Seed {
    kind: u8,
    steps: Vec<u16>,
    patch: Json,
    value: Json,
    pick: u16,
    position: i32,
}

pub fn seed() -> impl Strategy<Value = Seed> {
    let patch = prop_oneof![9 => object_of(json(), 0..4), 1 => json()];
    let position = prop_oneof![4 => -8i32..8, 1 => any::<i32>()];
    (any::<u8>(), vec(any::<u16>(), 0..4), patch, json(), any::<u16>(), position)
        .prop_map(|(kind, steps, patch, value, pick, position)| Seed { kind, steps, patch, value, pick, position })
}

impl Seed {
    /// An operation whose path and match value mostly exist in `document`.
    pub fn fit(&self, document: &Json) -> Op {
        let path = self.path(document);
        let key = if self.pick % 16 == 0 { "a".to_owned() } else { "id".to_owned() };
        let value = self.wanted(get(document, &path), &key);
        match self.kind % 6 {
            0 => Op::Merge { path, patch: self.patch.clone() },
            1 => Op::PatchArray { path, patch: with(&self.patch, &key, value), key },
            2 => Op::UpdateWhere { path, key, value, updates: self.patch.clone() },
            3 => Op::UpsertWhere { path, key, value, element: self.value.clone() },
            4 => Op::DeleteWhere { path, key, value },
            _ => Op::InsertAt { path, position: self.position, element: self.value.clone() },
        }
    }

    /// Follows the document; for the array operations, on to an array if one is near.
    pub fn path(&self, document: &Json) -> Vec<String> {
        let mut path = Vec::new();
        for step in &self.steps {
            let Some(here) = get(document, &path) else {
                break;
            };
            path.push(child(here, *step));
        }
        let is_array = matches!(get(document, &path), Some(Json::Arr(_)));
        if self.kind % 6 != 0 && self.pick % 8 != 1 && !is_array {
            let mut arrays = Vec::new();
            arrays_below(document, &mut Vec::new(), &mut arrays);
            if !arrays.is_empty() {
                return arrays.swap_remove(usize::from(self.pick) % arrays.len());
            }
        }
        path
    }

    fn wanted(&self, array: Option<&Json>, k: &str) -> Json {
        if let Some(Json::Arr(elements)) = array {
            if let Some(Json::Obj(pairs)) = elements.get(usize::from(self.pick) % elements.len().max(1)) {
                match pairs.get(&key(k)) {
                    // The same number with another scale.
                    Some(Json::Num(text)) if self.pick % 2 == 0 && !text.contains('.') => {
                        return Json::Num(format!("{text}.00"));
                    }
                    Some(value) => return value.clone(),
                    None => {}
                }
            }
        }
        self.value.clone()
    }
}

/// The paths of all arrays of objects.
fn arrays_below(json: &Json, path: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    let mut visit = |step: String, child: &Json| {
        path.push(step);
        arrays_below(child, path, found);
        path.pop();
    };
    match json {
        Json::Obj(pairs) => pairs.iter().for_each(|((_, k), value)| visit(k.clone(), value)),
        Json::Arr(elements) => {
            elements.iter().enumerate().for_each(|(i, value)| visit(i.to_string(), value));
            if elements.iter().any(|element| matches!(element, Json::Obj(_))) {
                found.push(path.clone());
            }
        }
        _ => {}
    }
}

fn child(json: &Json, step: u16) -> String {
    let stray = ["a", "zz", "0", "-1", "99", "x", "", "-2"];
    if step % 16 == 0 {
        return stray[usize::from(step / 16) % stray.len()].to_owned();
    }
    let step = usize::from(step);
    match json {
        Json::Obj(pairs) if !pairs.is_empty() => pairs.keys().nth(step % pairs.len()).unwrap().1.clone(),
        Json::Arr(elements) if !elements.is_empty() => {
            let at = step % elements.len();
            if step % 3 == 0 { format!("-{}", elements.len() - at) } else { at.to_string() }
        }
        _ => "new".to_owned(),
    }
}

fn with(patch: &Json, k: &str, value: Json) -> Json {
    match patch {
        Json::Obj(pairs) => {
            let mut pairs = pairs.clone();
            // Now and then the patch has no key to match by.
            if pairs.len() != 2 {
                pairs.insert(key(k), value);
            }
            Json::Obj(pairs)
        }
        other => other.clone(),
    }
}
