//! What only trigger functions call: case by case and at random, in both runtimes.

use jsonb_core::{ElementChange, PathValue, SortedChange, change_elements, change_sorted_elements, put, text};

use crate::cases::{Expected, check};
use crate::common::elements::{ElementJson, ElementSeed, change_elements as model};
use crate::common::generate::Seed;
use crate::common::json::Json;
use crate::common::model::get;
use crate::random::{Case, jsonb, text_array};
use Expected::{Fails, Is, Null};

/// Calls of `jsonb_change_elements` for elements of this array; what comes after them is the same in most.
fn elements(list: &str, changes: &str) -> String {
    format!(r#"@jsonb_change_elements('{{"list": {list}, "n": 1.10}}', '{{list}}', 'id', {changes})"#)
}

#[test]
fn elements_that_change() {
    let three = r#"[{"id": 1}, {"id": 2.0, "n": 2}, {"id": 3}]"#;
    let calls = [
        (elements(three, "'{}', '{}', '{}', '{}', '{}', true, 3"), Is(r#"{"n": 1.10, "list": [{"id": 1}, {"id": 2.0, "n": 2}, {"id": 3}]}"#)),
        // One that comes, one that goes, one that moves, each as those before it have left the array.
        (
            elements(three, r#"ARRAY['4', '2', '1']::jsonb[], ARRAY['{"id": 4}', NULL, '{"id": 1, "n": null}']::jsonb[],
                '{t,t,t}', ARRAY['3', NULL, '4.0']::jsonb[], '{NULL,NULL,NULL}', true, 3"#),
            Is(r#"{"n": 1.10, "list": [{"id": 3}, {"id": 4}, {"n": null, "id": 1}]}"#),
        ),
        // One that shows something else, there or not; without an order what comes is the last.
        (
            elements(three, r#"ARRAY['2', '9']::jsonb[], ARRAY['{"id": 2}', '{"id": 9}']::jsonb[], '{f,f}', '{NULL,NULL}', '{NULL,NULL}', true, 3"#),
            Is(r#"{"n": 1.10, "list": [{"id": 1}, {"id": 2}, {"id": 3}]}"#),
        ),
        (
            elements(three, r#"ARRAY['9', '1']::jsonb[], ARRAY['{"id": 9}', '7']::jsonb[], '{t,t}', '{NULL,NULL}', '{NULL,NULL}', false, 3"#),
            Is(r#"{"n": 1.10, "list": [7, {"id": 2.0, "n": 2}, {"id": 3}, {"id": 9}]}"#),
        ),
        (elements("[]", r#"'{1}', ARRAY['{"id": 1}']::jsonb[], '{t}', '{NULL}', '{NULL}', true, 1"#), Is(r#"{"n": 1.10, "list": [{"id": 1}]}"#)),
        // Whose neighbours do not stand side by side, the last one, too many, and no array.
        (elements(three, r#"'{4}', ARRAY['{"id": 4}']::jsonb[], '{t}', '{1}', '{3}', true, 3"#), Null),
        (elements(three, r#"'{4}', ARRAY['{"id": 4}']::jsonb[], '{t}', '{7}', '{NULL}', true, 3"#), Null),
        (elements(r#"[{"id": 1}]"#, "'{1}', '{NULL}', '{f}', '{NULL}', '{NULL}', true, 3"), Null),
        (elements(three, "'{1,2}', '{NULL,NULL}', '{f,f}', '{NULL,NULL}', '{NULL,NULL}', true, 1"), Null),
        (elements("null", "'{1}', '{NULL}', '{f}', '{NULL}', '{NULL}', true, 3"), Null),
        (elements(r#"{"id": 1}"#, "'{1}', '{NULL}', '{f}', '{NULL}', '{NULL}', true, 3"), Null),
        ("@jsonb_change_elements(NULL, '{list}', 'id', '{1}', '{NULL}', '{f}', '{NULL}', '{NULL}', true, 3)".into(), Null),
        ("@jsonb_change_elements('{}', NULL, 'id', '{1}', '{NULL}', '{f}', '{NULL}', '{NULL}', true, 3)".into(), Null),
        (
            r#"@jsonb_change_elements('[[{"k": "é"}, {"k": []}]]', '{-1}', 'k', ARRAY['"é"', '[]']::jsonb[], '{NULL,1}', '{f,f}', '{NULL,NULL}', '{NULL,NULL}', true, 3)"#.into(),
            Is("[[1]]"),
        ),
        (
            r#"@jsonb_change_elements('[{"id": null}, {"id": 2}]', '{}', 'id', ARRAY['null', NULL]::jsonb[], '{NULL,NULL}', '{f,f}', '{NULL,NULL}', '{NULL,NULL}', true, 3)"#.into(),
            Is(r#"[{"id": 2}]"#),
        ),
    ];
    let calls: Vec<(&str, Expected)> = calls.iter().map(|(call, expected)| (call.as_str(), *expected)).collect();
    check("elements_that_change", &calls);
}

/// Calls of `jsonb_change_sorted_elements` likewise.
fn sorted(list: &str, changes: &str) -> String {
    format!(r#"@jsonb_change_sorted_elements('{{"list": {list}, "n": 1.10}}', '{{list}}', 'id', {changes})"#)
}

#[test]
fn elements_that_change_in_their_order() {
    let three = r#"[{"id": 1}, {"id": 3.0, "n": 2}, {"id": 10}]"#;
    let calls = [
        (
            sorted(three, "'{}', '{}', false, 3"),
            Is(r#"{"n": 1.10, "list": [{"id": 1}, {"id": 3.0, "n": 2}, {"id": 10}]}"#),
        ),
        // One that comes, one that goes, one that shows something else, and the last.
        (
            sorted(
                three,
                r#"ARRAY['2', '3', '1', '11']::jsonb[], ARRAY['{"id": 2}', NULL, '{"id": 1, "n": null}', '{"id": 11}']::jsonb[], false, 4"#,
            ),
            Is(r#"{"n": 1.10, "list": [{"n": null, "id": 1}, {"id": 2}, {"id": 10}, {"id": 11}]}"#),
        ),
        (
            sorted(
                r#"[{"id": 3}, {"id": 1}]"#,
                r#"ARRAY['2', '0', '4']::jsonb[], ARRAY['{"id": 2}', '{"id": 0}', '{"id": 4}']::jsonb[], true, 3"#,
            ),
            Is(r#"{"n": 1.10, "list": [{"id": 4}, {"id": 3}, {"id": 2}, {"id": 1}, {"id": 0}]}"#),
        ),
        (sorted("[]", r#"'{1}', ARRAY['{"id": 1}']::jsonb[], NULL, NULL"#), Is(r#"{"n": 1.10, "list": [{"id": 1}]}"#)),
        (
            sorted(three, "'{9}', NULL, false, 1"),
            Is(r#"{"n": 1.10, "list": [{"id": 1}, {"id": 3.0, "n": 2}, {"id": 10}]}"#),
        ),
        // The last one, too many, no array, and what is no number.
        (sorted(r#"[{"id": 1}]"#, "'{1}', '{NULL}', false, 3"), Null),
        (sorted(three, "'{1,2}', '{NULL,NULL}', false, 1"), Null),
        (sorted("null", "'{1}', '{NULL}', false, 3"), Null),
        (sorted(r#"{"id": 1}"#, "'{1}', '{NULL}', false, 3"), Null),
        (sorted(r#"[{"id": 1}, {"id": "3"}]"#, "'{1}', '{NULL}', false, 3"), Null),
        (sorted("[1, 2]", "'{1}', '{NULL}', false, 3"), Null),
        (sorted(three, r#"'{NULL}', '{NULL}', false, 3"#), Null),
        (sorted(three, r#"ARRAY['"1"']::jsonb[], '{NULL}', false, 3"#), Null),
        ("@jsonb_change_sorted_elements(NULL, '{list}', 'id', '{1}', '{NULL}', false, 3)".into(), Null),
        ("@jsonb_change_sorted_elements('[]', NULL, 'id', '{1}', '{NULL}', false, 3)".into(), Null),
        ("@jsonb_change_sorted_elements('[]', '{}', NULL, '{1}', '{NULL}', false, 3)".into(), Null),
        ("@jsonb_change_sorted_elements('[]', '{}', 'id', NULL, '{NULL}', false, 3)".into(), Null),
    ];
    let calls: Vec<(&str, Expected)> = calls.iter().map(|(call, expected)| (call.as_str(), *expected)).collect();
    check("elements_that_change_in_their_order", &calls);
}

#[test]
fn values_that_are_put() {
    check(
        "values_that_are_put",
        &[
            (r#"@jsonb_put('{"a": 1.10, "b": {"x": 1}}', '{"b": {"y": 2.0}}')"#, Is(r#"{"a": 1.10, "b": {"y": 2.0}}"#)),
            ("@jsonb_put('{}', '{}')", Is("{}")),
            (r#"@jsonb_put('{"a": {"b": 1}}', '{a,b}', '{"c": 1}')"#, Is(r#"{"a": {"b": {"c": 1}}}"#)),
            (r#"@jsonb_put('{"a": {"b": 1}}', '{a,c}', NULL, '{a,d}', '[]')"#, Is(r#"{"a": {"b": 1, "d": []}}"#)),
            (
                r#"@jsonb_put('{"a": [{"x": 1}]}', '{a,0,x}', '2', '{a,-1,y}', '{}', '{a,0,y,z}', 'true')"#,
                Is(r#"{"a": [{"x": 2, "y": {"z": true}}]}"#),
            ),
            (r#"@jsonb_put('{"a": 1}', '{"b": {}}', '{b,c}', '"é"')"#, Is(r#"{"a": 1, "b": {"c": "é"}}"#)),
            (r#"@jsonb_put('{}', '{"b": {}}', '{b,c}', '1', '{b,c}', '2')"#, Is(r#"{"b": {"c": 2}}"#)),
            (
                r#"@jsonb_put('{"z": 0}', '{"b": {}}', '{b,c}', '{}', '{b,c,d}', '2', '{z}', 'null')"#,
                Is(r#"{"b": {"c": {"d": 2}}, "z": null}"#),
            ),
            // What has no place.
            (r#"@jsonb_put('{"n": null}', '{a,b}', '1', '{n,x}', '1', '{}', '1')"#, Is(r#"{"n": null}"#)),
            (r#"@jsonb_put('{"a": [1]}', '{a,5}', '2', '{a,-9}', '0')"#, Is(r#"{"a": [0, 1, 2]}"#)),
            ("@jsonb_put(NULL, '{}')", Null),
            ("@jsonb_put('{}', NULL)", Null),
            ("@jsonb_put(NULL, '{a}', '1')", Null),
            ("@jsonb_put('{}', NULL, '1')", Null),
            ("@jsonb_put('{}', '{a}', NULL)", Is("{}")),
            ("@jsonb_put('1', ARRAY['a', NULL], NULL)", Is("1")),
            // What || and jsonb_set say.
            ("@jsonb_put('[1]', '[2]')", Is("[1, 2]")),
            ("@jsonb_put('1', '2')", Is("[1, 2]")),
            ("@jsonb_put('1', '{a}', '2')", Fails("22023", "cannot set path in scalar")),
            ("@jsonb_put('1', '{}', '2')", Fails("22023", "cannot set path in scalar")),
            (
                r#"@jsonb_put('{"a": [1]}', '{a,x}', '2')"#,
                Fails("22P02", r#"path element at position 2 is not an integer: "x""#),
            ),
            ("@jsonb_put('{}', ARRAY[ARRAY['a']], '2')", Fails("2202E", "wrong number of array subscripts")),
            ("@jsonb_put('{}', ARRAY['a', NULL], '2')", Is("{}")),
            (r#"@jsonb_put('{"a": {}}', ARRAY['a', NULL], '2')"#, Fails("22004", "path element at position 2 is null")),
        ],
    );
}

/// Elements of an array of a document: each change fits what the ones before it leave, but mostly the last.
pub fn random_elements(document: &Json, at: &Seed, seeds: &[&ElementSeed], sorted: bool) -> Case {
    let path = at.path(document);
    let mut changes: Vec<ElementJson> = Vec::new();
    for seed in seeds {
        let state = model(document, &path, "id", &changes, sorted);
        match state.as_ref().and_then(|state| get(state, &path)) {
            Some(Json::Arr(list)) => changes.push(seed.fit(list, "id")),
            _ => break,
        }
    }
    let bytes = |json: &Option<Json>| json.as_ref().map(Json::binary);
    let operands: Vec<[Option<Vec<u8>>; 4]> =
        changes.iter().map(|c| [&c.matched, &c.element, &c.preceding, &c.following].map(bytes)).collect();
    let of_core =
        changes.iter().zip(&operands).map(|(change, [matched, element, preceding, following])| ElementChange {
            matched: matched.as_deref(),
            element: element.as_deref(),
            moves: change.moves != Some(false),
            preceding: preceding.as_deref(),
            following: following.as_deref(),
        });
    let elements: Vec<&[u8]> = path.iter().map(String::as_bytes).collect();
    let data = document.binary();
    let result = change_elements(&data, &elements, b"id", &of_core.collect::<Vec<_>>(), sorted).expect("jsonb");
    let array = |of: fn(&ElementJson) -> &Option<Json>| {
        let values: Vec<String> =
            changes.iter().map(|c| of(c).as_ref().map_or_else(|| "NULL".to_owned(), jsonb)).collect();
        format!("ARRAY[{}]::jsonb[]", values.join(", "))
    };
    let moves: Vec<String> =
        changes.iter().map(|c| c.moves.map_or_else(|| "NULL".to_owned(), |moves| moves.to_string())).collect();
    Case {
        sql: format!(
            "@jsonb_change_elements({}, {}, 'id', {}, {}, ARRAY[{}]::boolean[], {}, {}, {sorted}, 16)",
            jsonb(document),
            text_array(&path),
            array(|c| &c.matched),
            array(|c| &c.element),
            moves.join(", "),
            array(|c| &c.preceding),
            array(|c| &c.following),
        ),
        expected: Ok(result.map(|bytes| text::to_text(&bytes).expect("jsonb"))),
    }
}

/// Elements of a sorted array, or of whatever is at a place of another document.
pub fn random_sorted(
    mut list: Vec<i64>,
    stray: Option<(&Json, &Seed)>,
    changes: &[(i64, Option<&Json>)],
    descending: bool,
) -> Case {
    let element = |id: &i64, value: &Json| {
        Json::object([("id".to_owned(), Json::Num(id.to_string())), ("value".to_owned(), value.clone())])
    };
    list.sort_unstable();
    list.dedup();
    if descending {
        list.reverse();
    }
    let sorted = Json::Arr(list.iter().map(|id| element(id, &Json::Null)).collect());
    let (document, path) = match stray {
        Some((document, at)) => (document.clone(), at.path(document)),
        None => (Json::object([("list".to_owned(), sorted)]), vec!["list".to_owned()]),
    };
    let number = |id: &i64| Json::Num(id.to_string());
    let changes: Vec<(Json, Option<Json>)> =
        changes.iter().map(|(id, value)| (number(id), value.map(|value| element(id, value)))).collect();
    let operands: Vec<(Vec<u8>, Option<Vec<u8>>)> =
        changes.iter().map(|(id, element)| (id.binary(), element.as_ref().map(Json::binary))).collect();
    let of_core: Vec<SortedChange> = operands
        .iter()
        .map(|(matched, element)| SortedChange { matched: Some(matched), element: element.as_deref() })
        .collect();
    let data = document.binary();
    let elements: Vec<&[u8]> = path.iter().map(String::as_bytes).collect();
    let result = change_sorted_elements(&data, &elements, b"id", &of_core, descending).expect("jsonb");
    let array = |values: Vec<String>| format!("ARRAY[{}]::jsonb[]", values.join(", "));
    Case {
        sql: format!(
            "@jsonb_change_sorted_elements({}, {}, 'id', {}, {}, {descending}, 16)",
            jsonb(&document),
            text_array(&path),
            array(changes.iter().map(|(id, _)| jsonb(id)).collect()),
            array(changes.iter().map(|(_, made)| made.as_ref().map_or_else(|| "NULL".to_owned(), jsonb)).collect()),
        ),
        expected: Ok(result.map(|bytes| text::to_text(&bytes).expect("jsonb"))),
    }
}

/// Values at paths; nothing where the core leaves them to the server.
pub fn random_values(document: &Json, fields: Option<&Json>, values: &[(Vec<String>, Option<&Json>)]) -> Option<Case> {
    let (data, added) = (document.binary(), fields.map(Json::binary));
    let paths: Vec<Vec<&[u8]>> = values.iter().map(|(path, _)| path.iter().map(String::as_bytes).collect()).collect();
    let operands: Vec<Option<Vec<u8>>> = values.iter().map(|(_, value)| value.map(Json::binary)).collect();
    let of_core: Vec<PathValue> =
        paths.iter().zip(&operands).map(|(path, value)| (&path[..], value.as_deref())).collect();
    let result = put(&data, added.as_deref(), &of_core).expect("jsonb")?;
    let mut arguments = vec![jsonb(document)];
    arguments.extend(fields.map(jsonb));
    for (path, value) in values {
        arguments.push(text_array(path));
        arguments.push(value.map_or_else(|| "NULL".to_owned(), jsonb));
    }
    let expected = Ok(Some(text::to_text(&result).expect("jsonb")));
    Some(Case { sql: format!("@jsonb_put({})", arguments.join(", ")), expected })
}
