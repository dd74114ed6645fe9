//! Random documents and operations: the portable functions, the native ones and the core agree.
//!
//! `TVIEWC_RANDOM_OPERATIONS` says how many (by default 3,000; with `TVIEWC_TEST_FULL` 100,000, or 1,000,000 where the native
//! functions are there), `TVIEWC_SEED` which. The backend may not grow meanwhile.

use jsonb_core::{CoreError, apply, array_delete_where, array_insert_at, array_update_where, array_upsert_where};
use jsonb_core::{has_path_changed, merge_at_path, merge_shallow, smart_patch_array, smart_patch_nested};
use jsonb_core::{smart_patch_scalar, text};
use postgres::Client;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use tview_runtime_suite::{Outcome, call, database, has_native};
use tviewc_verify::quote::literal;

use crate::common::elements::{ElementSeed, element_seed};
use crate::common::generate::{Seed, document, json, seed};
use crate::common::json::Json;
use crate::common::model::{Op, Operands};
use crate::memory::memory;
use crate::triggers::{random_elements, random_sorted, random_values};

/// How many calls go to the server at once.
const BATCH: usize = 250;
/// For how many operations a pool of documents is used.
const POOL_LASTS: u64 = 5_000;

/// A call in SQL and what the core makes of it.
pub struct Case {
    pub sql: String,
    pub expected: Outcome,
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{variable} is no number")))
}

#[test]
fn random_operations() {
    let full = std::env::var_os("TVIEWC_TEST_FULL").is_some();
    let by_default = match (full, has_native()) {
        (true, true) => 1_000_000,
        (true, false) => 100_000,
        (false, _) => 3_000,
    };
    let count = number("TVIEWC_RANDOM_OPERATIONS").unwrap_or(by_default);
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&number("TVIEWC_SEED").unwrap_or(0).to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let mut client = database("random");
    let mut pool = Pool::draw(&mut runner);
    let (mut done, mut failing, mut held) = (0, 0, Vec::new());
    while done < count {
        if done % POOL_LASTS == 0 {
            pool = Pool::draw(&mut runner);
            held.extend(kilobytes(&mut client));
        }
        let cases: Vec<Case> = std::iter::repeat_with(|| case(&mut runner, &pool)).take(BATCH).collect();
        let calls: Vec<String> = cases.iter().map(|case| case.sql.clone()).collect();
        for (case, both) in cases.iter().zip(call(&mut client, &calls)) {
            assert_eq!(both.portable, case.expected, "portable: {}", case.sql);
            assert_eq!(both.native, case.expected, "native: {}", case.sql);
            assert!(both.same_bytes, "the bytes differ: {}", case.sql);
            failing += u64::from(case.expected.is_err());
        }
        done += BATCH as u64;
    }
    assert!(failing * 2 < done, "{failing} of {done} operations fail: too many to mean anything");
    expect_no_growth(&held);
}

/// What the backend holds besides what it shares with others.
fn kilobytes(client: &mut Client) -> Option<u64> {
    cfg!(target_os = "linux").then(|| memory(client).0)
}

/// What the backend holds goes up and down with the size of its documents; in a long run the least of it stays. A leak of
/// a few bytes per call is more than the bound.
fn expect_no_growth(held: &[u64]) {
    const LONG: usize = 100;
    let third = held.len() / 3;
    if held.len() < LONG {
        return;
    }
    let least = |part: &[u64]| part.iter().min().copied().unwrap_or_default();
    let (middle, last) = (least(&held[third..2 * third]), least(&held[2 * third..]));
    assert!(last <= middle + 4_096, "the backend grew from {middle} kB to {last} kB: {held:?}");
}

/// Drawing takes longer than calling, so documents and what operations are made of are combined anew for a while.
struct Pool {
    documents: Vec<Json>,
    seeds: Vec<Seed>,
    elements: Vec<ElementSeed>,
    values: Vec<Json>,
}

impl Pool {
    fn draw(runner: &mut TestRunner) -> Pool {
        Pool {
            documents: (0..60).map(|_| draw(runner, &document())).collect(),
            seeds: (0..150).map(|_| draw(runner, &seed())).collect(),
            elements: (0..150).map(|_| draw(runner, &element_seed())).collect(),
            values: (0..100).map(|_| draw(runner, &json())).collect(),
        }
    }
}

fn draw<S: Strategy>(runner: &mut TestRunner, strategy: &S) -> S::Value {
    strategy.new_tree(runner).expect("a value").current()
}

fn pick<'p, T>(runner: &mut TestRunner, pool: &'p [T]) -> &'p T {
    &pool[draw(runner, &(0..pool.len()))]
}

fn case(runner: &mut TestRunner, pool: &Pool) -> Case {
    let document = pick(runner, &pool.documents);
    let seeds = [(); 4].map(|()| pick(runner, &pool.seeds));
    match draw(runner, &(0u8..16)) {
        10 | 11 => {
            let (count, sorted) = (draw(runner, &(1usize..5)), draw(runner, &(0u8..5)) > 0);
            let elements: Vec<&ElementSeed> = (0..count).map(|_| pick(runner, &pool.elements)).collect();
            random_elements(document, seeds[0], &elements, sorted)
        }
        14 | 15 => {
            let list: Vec<i64> = (0..draw(runner, &(0usize..40))).map(|_| draw(runner, &(-30i64..30))).collect();
            let changes: Vec<(i64, Option<&Json>)> = (0..draw(runner, &(1usize..6)))
                .map(|_| {
                    (draw(runner, &(-33i64..33)), (draw(runner, &(0u8..3)) > 0).then(|| pick(runner, &pool.values)))
                })
                .collect();
            // Now and then of another document: then nothing is found, or no number.
            let stray = (draw(runner, &(0u8..8)) == 0).then_some((document, seeds[0]));
            random_sorted(list, stray, &changes, draw(runner, &(0u8..2)) > 0)
        }
        12 | 13 => {
            let fields = draw(runner, &(0u8..2)) > 0;
            let fields = fields.then(|| pick(runner, &pool.values)).filter(|fields| matches!(fields, Json::Obj(_)));
            let count = draw(runner, &(usize::from(fields.is_none())..4));
            let mut values = Vec::new();
            for seed in seeds.iter().take(count) {
                let value = (draw(runner, &(0u8..8)) > 0).then(|| pick(runner, &pool.values));
                values.push((seed.path(document), value));
            }
            // What is left to the server is the server's in both runtimes.
            random_values(document, fields, &values).unwrap_or_else(|| change_of_path(document, seeds[0], seeds[1]))
        }
        0 => change_of_path(document, seeds[0], seeds[1]),
        1 | 2 => list(document, &seeds),
        choice => single(document, &seeds[0].fit(document), choice),
    }
}

fn single(document: &Json, op: &Op, choice: u8) -> Case {
    let data = document.binary();
    let path: Vec<&[u8]> = op.path().iter().map(String::as_bytes).collect();
    let (doc, at) = (jsonb(document), text_array(op.path()));
    let (sql, result) = match op {
        Op::Merge { patch, .. } => {
            let (source, sql) = (patch.binary(), jsonb(patch));
            match (path.is_empty(), choice % 2) {
                (true, 0) => (format!("@jsonb_merge_shallow({doc}, {sql})"), merge_shallow(&data, &source)),
                (true, _) => (format!("@jsonb_smart_patch_scalar({doc}, {sql})"), smart_patch_scalar(&data, &source)),
                (_, 0) => (format!("@jsonb_merge_at_path({doc}, {sql}, {at})"), merge_at_path(&data, &source, &path)),
                _ => (
                    format!("@jsonb_smart_patch_nested({doc}, {sql}, {at})"),
                    smart_patch_nested(&data, &source, &path),
                ),
            }
        }
        Op::PatchArray { patch, key, .. } => (
            format!("@jsonb_smart_patch_array({doc}, {}, {at}, {})", jsonb(patch), literal(key)),
            smart_patch_array(&data, &patch.binary(), &path, key.as_bytes()),
        ),
        Op::UpdateWhere { key, value, updates, .. } => (
            format!("@jsonb_array_update_where({doc}, {at}, {}, {}, {})", literal(key), jsonb(value), jsonb(updates)),
            array_update_where(&data, &path, key.as_bytes(), &value.binary(), &updates.binary()),
        ),
        Op::UpsertWhere { key, value, element, .. } => (
            format!("@jsonb_array_upsert_where({doc}, {at}, {}, {}, {})", literal(key), jsonb(value), jsonb(element)),
            array_upsert_where(&data, &path, key.as_bytes(), &value.binary(), &element.binary()),
        ),
        Op::DeleteWhere { key, value, .. } => (
            format!("@jsonb_array_delete_where({doc}, {at}, {}, {})", literal(key), jsonb(value)),
            array_delete_where(&data, &path, key.as_bytes(), &value.binary()),
        ),
        Op::InsertAt { position, element, .. } => (
            format!("@jsonb_array_insert_at({doc}, {at}, {position}, {})", jsonb(element)),
            array_insert_at(&data, &path, *position, &element.binary()),
        ),
    };
    Case { sql, expected: outcome(result.map(|bytes| text::to_text(&bytes).expect("jsonb"))) }
}

fn list(document: &Json, seeds: &[&Seed]) -> Case {
    let (mut ops, mut after) = (Vec::new(), document.clone());
    for seed in seeds {
        // Fitted to what the ones before leave, so that not all but the first fail.
        let op = seed.fit(&after);
        let _ = op.run(&mut after);
        ops.push(op);
    }
    let data = document.binary();
    let operands: Vec<Operands> = ops.iter().map(Operands::new).collect();
    let changes: Vec<_> = operands.iter().map(Operands::change).collect();
    let expected = outcome(apply(&data, &changes).map(|bytes| text::to_text(&bytes).expect("jsonb")));
    let list = Json::Arr(ops.iter().map(encoded).collect());
    Case { sql: format!("@jsonb_apply({}, {})", jsonb(document), jsonb(&list)), expected }
}

fn change_of_path(document: &Json, change: &Seed, reader: &Seed) -> Case {
    let mut after = document.clone();
    let _ = change.fit(document).run(&mut after);
    let path = reader.path(document);
    let elements: Vec<&[u8]> = path.iter().map(String::as_bytes).collect();
    let changed = has_path_changed(&document.binary(), &after.binary(), &elements).expect("jsonb");
    let (old, new) = (jsonb(document), jsonb(&after));
    Case {
        sql: format!("to_jsonb(@jsonb_has_path_changed({old}, {new}, {}))", text_array(&path)),
        expected: Ok(Some(changed.to_string())),
    }
}

fn encoded(op: &Op) -> Json {
    let string = |text: &str| Json::Str(text.to_owned());
    let path = Json::Arr(op.path().iter().map(|element| string(element)).collect());
    let (name, mut pairs) = match op {
        Op::Merge { patch, .. } => ("merge", vec![("value", patch.clone())]),
        Op::PatchArray { patch, key, .. } => ("patch", vec![("key", string(key)), ("value", patch.clone())]),
        Op::UpdateWhere { key, value, updates, .. } => {
            ("update", vec![("key", string(key)), ("match", value.clone()), ("value", updates.clone())])
        }
        Op::UpsertWhere { key, value, element, .. } => {
            ("upsert", vec![("key", string(key)), ("match", value.clone()), ("value", element.clone())])
        }
        Op::DeleteWhere { key, value, .. } => ("delete", vec![("key", string(key)), ("match", value.clone())]),
        Op::InsertAt { position, element, .. } => {
            ("insert", vec![("position", Json::Num(position.to_string())), ("value", element.clone())])
        }
    };
    pairs.extend([("op", string(name)), ("path", path)]);
    Json::object(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)))
}

fn outcome(result: Result<String, CoreError>) -> Outcome {
    result.map(Some).map_err(|error| (error.sqlstate().to_owned(), error.to_string()))
}

pub fn jsonb(json: &Json) -> String {
    // The schema's place must not be found in the operands.
    let text = json.text().replace('@', "\\u0040");
    format!("{}::jsonb", literal(&text))
}

pub fn text_array(path: &[String]) -> String {
    let elements: Vec<String> = path.iter().map(|element| literal(element)).collect();
    format!("ARRAY[{}]::text[]", elements.join(", "))
}
