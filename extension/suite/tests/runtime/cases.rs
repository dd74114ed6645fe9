//! What each function does, case by case: in both runtimes.

use tview_runtime_suite::{call, database};

#[derive(Clone, Copy)]
pub enum Expected {
    Is(&'static str),
    Null,
    Fails(&'static str, &'static str),
}
use Expected::{Fails, Is, Null};

const DEEP_PATH: &str = "('{' || repeat('a,', 499) || 'a}')::text[]";

pub fn check(name: &str, cases: &[(&str, Expected)]) {
    let mut client = database(name);
    let calls: Vec<String> = cases.iter().map(|(call, _)| (*call).to_owned()).collect();
    for ((text, expected), both) in cases.iter().zip(call(&mut client, &calls)) {
        let expected = match expected {
            Is(json) => {
                let row = client.query_one("SELECT $1::text::jsonb::text", &[json]).expect("it is JSON");
                Ok(row.get(0))
            }
            Null => Ok(None),
            Fails(state, message) => Err(((*state).to_owned(), (*message).to_owned())),
        };
        assert_eq!(both.portable, expected, "portable: {text}");
        assert_eq!(both.native, expected, "native: {text}");
        assert!(both.same_bytes, "the bytes differ: {text}");
    }
}

#[test]
fn merging() {
    check(
        "merging",
        &[
            (
                r#"@jsonb_merge_shallow('{"a": 1.10, "b": {"x": 1}}', '{"b": {"y": 2.0}, "c": null}')"#,
                Is(r#"{"a": 1.10, "b": {"y": 2.0}, "c": null}"#),
            ),
            ("@jsonb_merge_shallow('{}', '{}')", Is("{}")),
            (r#"@jsonb_smart_patch_scalar('{"a": 1}', '{"a": "é😀"}')"#, Is(r#"{"a": "é😀"}"#)),
            (
                r#"@jsonb_smart_patch_nested('{"u": {"n": "x"}}', '{"m": 1234567890123456789012345678901234567890}', '{u}')"#,
                Is(r#"{"u": {"m": 1234567890123456789012345678901234567890, "n": "x"}}"#),
            ),
            (r#"@jsonb_merge_at_path('{"a": {}}', '{"x": 1}', '{}')"#, Is(r#"{"a": {}, "x": 1}"#)),
            (r#"@jsonb_merge_at_path('{}', '{"x": 1}', '{a,0,b}')"#, Is(r#"{"a": {"0": {"b": {"x": 1}}}}"#)),
            (r#"@jsonb_merge_at_path('{"a": {}}', '{}', '{a,b}')"#, Is(r#"{"a": {"b": {}}}"#)),
            (r#"@jsonb_merge_at_path('{"": {"": {}}}', '{"x": 1}', '{"",""}')"#, Is(r#"{"": {"": {"x": 1}}}"#)),
            (
                r#"@jsonb_merge_at_path('{"a": [{"x": 1}, {"x": 2}]}', '{"y": 3}', '{a,-1}')"#,
                Is(r#"{"a": [{"x": 1}, {"x": 2, "y": 3}]}"#),
            ),
            (
                r#"@jsonb_merge_at_path('{"a": [{"x": 1}]}', '{"y": 3}', '{a,"+0",n}')"#,
                Is(r#"{"a": [{"n": {"y": 3}, "x": 1}]}"#),
            ),
            (r#"@jsonb_merge_at_path('[{}]', '{"y": 3}', '{" 0"}')"#, Is(r#"[{"y": 3}]"#)),
            (
                r#"@jsonb_merge_at_path('{"a": {"b": {"c": 1}}}', '{"d": 2}', '[3:4]={a,b}'::text[])"#,
                Is(r#"{"a": {"b": {"c": 1, "d": 2}}}"#),
            ),
            (
                r#"@jsonb_merge_at_path('{"a": {}}', '{"d": 2}', '[3:5]={a,b,c}'::text[])"#,
                Is(r#"{"a": {"b": {"c": {"d": 2}}}}"#),
            ),
            // NULL is no change to make.
            ("@jsonb_merge_shallow(NULL, '{}')", Null),
            ("@jsonb_merge_shallow('{}', NULL)", Null),
            ("@jsonb_merge_at_path('{}', '{}', NULL)", Null),
            ("@jsonb_smart_patch_nested('[]', NULL, '{a}')", Null),
            // Indexes.
            (
                r#"@jsonb_merge_at_path('{"a": [{}, {}]}', '{}', '{a,2}')"#,
                Fails("2202E", "array index at path {a,2} is out of range: the array has 2 elements"),
            ),
            (
                r#"@jsonb_merge_at_path('{"a": [{}, {}]}', '{}', '{a,-3,b}')"#,
                Fails("2202E", "array index at path {a,-3} is out of range: the array has 2 elements"),
            ),
            (
                r#"@jsonb_merge_at_path('{"a": []}', '{}', '{a,0}')"#,
                Fails("2202E", "array index at path {a,0} is out of range: the array has 0 elements"),
            ),
            (
                r#"@jsonb_merge_at_path('{"a": [{}]}', '{}', '{a,x,y}')"#,
                Fails("22P02", r#"path element at position 2 of {a,x} is not an integer: "x""#),
            ),
            (
                r#"@jsonb_merge_at_path('{"a": [{}]}', '{}', '{a,"0 "}')"#,
                Fails("22P02", r#"path element at position 2 of {a,"0 "} is not an integer: "0 ""#),
            ),
            (
                r#"@jsonb_merge_at_path('[{}]', '{}', '{2147483648}')"#,
                Fails("22P02", r#"path element at position 1 of {2147483648} is not an integer: "2147483648""#),
            ),
            (
                r#"@jsonb_merge_at_path('[{}]', '{}', '{-2147483648}')"#,
                Fails("2202E", "array index at path {-2147483648} is out of range: the array has 1 elements"),
            ),
            (
                r#"@jsonb_merge_at_path('[{}]', '{}', ARRAY['', 'x'])"#,
                Fails("22P02", r#"path element at position 1 of {""} is not an integer: """#),
            ),
            (r#"@jsonb_merge_at_path('[{}]', '{}', ARRAY['00000000000000000000000'])"#, Is("[{}]")),
            // What is in the way.
            (
                r#"@jsonb_merge_at_path('{"a": 1}', '{}', '{a}')"#,
                Fails("22023", "expected an object at path {a}, found number"),
            ),
            (
                r#"@jsonb_merge_at_path('{"a": 1}', '{}', '{a,b,c}')"#,
                Fails("22023", "expected an object at path {a}, found number"),
            ),
            (
                r#"@jsonb_merge_at_path('{"a": null}', '{}', '{a,b}')"#,
                Fails("22023", "expected an object at path {a}, found null"),
            ),
            (
                r#"@jsonb_merge_at_path('{"a": {"b": "x"}}', '{}', '{a,b,c}')"#,
                Fails("22023", "expected an object at path {a,b}, found string"),
            ),
            (
                r#"@jsonb_merge_at_path('{"a": [true]}', '{}', '{a,0}')"#,
                Fails("22023", "expected an object at path {a,0}, found boolean"),
            ),
            (
                r#"@jsonb_merge_at_path('{"a b": [], "null": []}', '{}', '{a b}')"#,
                Fails("22023", r#"expected an object at path {"a b"}, found array"#),
            ),
            (
                r#"@jsonb_merge_at_path('{"null": []}', '{}', '{"null"}')"#,
                Fails("22023", r#"expected an object at path {"null"}, found array"#),
            ),
            (
                r#"@jsonb_merge_at_path('{"q\"\\,é": 0}', '{}', ARRAY[E'q"\\,é'])"#,
                Fails("22023", r#"expected an object at path {"q\"\\,é"}, found number"#),
            ),
            ("@jsonb_merge_shallow('[]', '{}')", Fails("22023", "expected an object at path {}, found array")),
            ("@jsonb_smart_patch_scalar('true', '{}')", Fails("22023", "expected an object at path {}, found boolean")),
            ("@jsonb_merge_at_path('7', '{}', '{0}')", Fails("22023", "expected an object at path {}, found number")),
            // Operands, before the document.
            (
                "@jsonb_merge_shallow('1', '[]')",
                Fails("22023", r#"expected an object as argument "source", found array"#),
            ),
            (
                "@jsonb_merge_at_path('1', 'null', '{a}')",
                Fails("22023", r#"expected an object as argument "source", found null"#),
            ),
            (
                "@jsonb_smart_patch_scalar('1', '\"x\"')",
                Fails("22023", r#"expected an object as argument "patch", found string"#),
            ),
            (
                "@jsonb_smart_patch_nested('1', 'false', '{a}')",
                Fails("22023", r#"expected an object as argument "patch", found boolean"#),
            ),
            // Paths, before the operands.
            (
                "@jsonb_merge_at_path('{}', '1', ARRAY[ARRAY['a'], ARRAY['b']])",
                Fails("2202E", "wrong number of array subscripts"),
            ),
            (
                r#"@jsonb_merge_at_path('{"a": {}}', '{}', ARRAY[ARRAY['a']])"#,
                Fails("2202E", "wrong number of array subscripts"),
            ),
            (
                "@jsonb_merge_at_path('{}', '1', ARRAY['a', NULL, NULL])",
                Fails("22004", "path element at position 2 is null"),
            ),
            (
                "@jsonb_smart_patch_nested('{}', '{}', '[0:1]={a,NULL}'::text[])",
                Fails("22004", "path element at position 2 is null"),
            ),
        ],
    );
}

#[test]
fn arrays_by_key() {
    check(
        "arrays_by_key",
        &[
            (
                r#"@jsonb_smart_patch_array('{"a": [0, [], {"no": 1}, {"id": "1"}, {"id": 1, "n": 1}, {"id": 1, "n": 2}]}', '{"id": 1.00, "n": null}', '{a}')"#,
                Is(r#"{"a": [0, [], {"no": 1}, {"id": "1"}, {"n": null, "id": 1.00}, {"n": 2, "id": 1}]}"#),
            ),
            (
                r#"@jsonb_smart_patch_array('[{"k": "x"}]', '{"k": "x", "v": 1}', '{}', 'k')"#,
                Is(r#"[{"k": "x", "v": 1}]"#),
            ),
            (
                r#"@jsonb_smart_patch_array('{"a": [{"id": 1}]}', '{"id": 1}', '{missing,x}')"#,
                Is(r#"{"a": [{"id": 1}]}"#),
            ),
            (r#"@jsonb_smart_patch_array('{"a": [{"id": 1}]}', '{"id": 1}', '{a,7}')"#, Is(r#"{"a": [{"id": 1}]}"#)),
            // Without its match key the patch is not tried on what is there, but its operands are looked at.
            (r#"@jsonb_smart_patch_array('{"n": null}', '{"x": 2}', '{n}')"#, Is(r#"{"n": null}"#)),
            (
                r#"@jsonb_smart_patch_array('{"n": null}', '7', '{n}')"#,
                Fails("22023", r#"expected an object as argument "patch", found number"#),
            ),
            (
                r#"@jsonb_smart_patch_array('{"n": null}', '["id"]', '{n}')"#,
                Fails("22023", r#"expected an object as argument "patch", found array"#),
            ),
            (
                r#"@jsonb_smart_patch_array('{}', '{"x": 2}', ARRAY[NULL]::text[])"#,
                Fails("22004", "path element at position 1 is null"),
            ),
            (
                r#"@jsonb_smart_patch_array('{}', '{"id": 2}', '{{a}}')"#,
                Fails("2202E", "wrong number of array subscripts"),
            ),
            (
                r#"@jsonb_smart_patch_array('{"n": null}', '{"id": 2}', '{n}')"#,
                Fails("22023", "expected an array at path {n}, found null"),
            ),
            (r#"@jsonb_smart_patch_array('{}', '{"id": 2}', '{a}', NULL)"#, Null),
            (
                r#"@jsonb_array_update_where('{"a": [{"id": [1, {"x": 2}]}]}', '{a}', 'id', '[1.0, {"x": 2.00}]', '{"y": 1}')"#,
                Is(r#"{"a": [{"y": 1, "id": [1, {"x": 2}]}]}"#),
            ),
            (
                r#"@jsonb_array_update_where('{"a": [{"id": null}, {"x": 0}]}', '{a}', 'id', 'null', '{}')"#,
                Is(r#"{"a": [{"id": null}, {"x": 0}]}"#),
            ),
            (
                r#"@jsonb_array_update_where('{"a": {"b": 1}}', '{a}', 'id', '1', '{}')"#,
                Fails("22023", "expected an array at path {a}, found object"),
            ),
            (
                r#"@jsonb_array_update_where('{"a": {"b": 1}}', '{a,b,c}', 'id', '1', '{}')"#,
                Fails("22023", "expected an object at path {a,b}, found number"),
            ),
            (
                "@jsonb_array_update_where('{}', '{a}', 'id', '1', '[]')",
                Fails("22023", r#"expected an object as argument "updates", found array"#),
            ),
            (
                "@jsonb_array_update_where('7', '{}', 'id', '1', '{}')",
                Fails("22023", "expected an array at path {}, found number"),
            ),
            (
                r#"@jsonb_array_update_where('{"l": [5]}', '{l,x}', 'id', '1', '{}')"#,
                Fails("22P02", r#"path element at position 2 of {l,x} is not an integer: "x""#),
            ),
            (r#"@jsonb_array_update_where('[{"id": 1}]', '{}', '', '1', '{}')"#, Is(r#"[{"id": 1}]"#)),
            (r#"@jsonb_array_update_where('[{"": 1}]', '{}', '', '1', '{"z": 0}')"#, Is(r#"[{"": 1, "z": 0}]"#)),
            (
                r#"@jsonb_array_upsert_where('{"a": [{"id": 1, "n": 1}, {"id": 2}]}', '{a}', 'id', '1', '{"id": 1}')"#,
                Is(r#"{"a": [{"id": 1}, {"id": 2}]}"#),
            ),
            (
                r#"@jsonb_array_upsert_where('{"a": [{"id": 1}]}', '{a}', 'id', '3', '[3]')"#,
                Is(r#"{"a": [{"id": 1}, [3]]}"#),
            ),
            (r#"@jsonb_array_upsert_where('{}', '{x,y}', 'id', '3', 'null')"#, Is(r#"{"x": {"y": [null]}}"#)),
            ("@jsonb_array_upsert_where('[]', '{}', 'id', '3', '3')", Is("[3]")),
            (
                "@jsonb_array_upsert_where('7', '{}', 'id', '3', '3')",
                Fails("22023", "expected an array at path {}, found number"),
            ),
            (
                r#"@jsonb_array_upsert_where('{"a": []}', '{a,2}', 'id', '3', '3')"#,
                Fails("2202E", "array index at path {a,2} is out of range: the array has 0 elements"),
            ),
            (
                r#"@jsonb_array_upsert_where('{"a": []}', '{{a}}', 'id', '3', '3')"#,
                Fails("2202E", "wrong number of array subscripts"),
            ),
            (
                r#"@jsonb_array_delete_where('{"a": [{"id": 1}, {"id": 1}]}', '{a}', 'id', '1.0')"#,
                Is(r#"{"a": [{"id": 1}]}"#),
            ),
            (r#"@jsonb_array_delete_where('{"a": [{"id": true}]}', '{a}', 'id', 'true')"#, Is(r#"{"a": []}"#)),
            (r#"@jsonb_array_delete_where('{"a": [{"id": 1}]}', '{a}', 'id', '"1"')"#, Is(r#"{"a": [{"id": 1}]}"#)),
            (r#"@jsonb_array_delete_where('{"a": [{"id": 1}]}', '{b,c}', 'id', '1')"#, Is(r#"{"a": [{"id": 1}]}"#)),
            (r#"@jsonb_array_delete_where('{"a": [[{"id": 1}]]}', '{a,-1}', 'id', '1')"#, Is(r#"{"a": [[]]}"#)),
            (
                r#"@jsonb_array_delete_where('{"a": "x"}', '{a}', 'id', '1')"#,
                Fails("22023", "expected an array at path {a}, found string"),
            ),
            (
                r#"@jsonb_array_delete_where('{"a": [{"id": 1}]}', '{{a}}', 'id', '2')"#,
                Fails("2202E", "wrong number of array subscripts"),
            ),
        ],
    );
}

#[test]
fn inserting() {
    check(
        "inserting",
        &[
            ("@jsonb_array_insert_at('[1, 2]', '{}', 0, '\"x\"')", Is(r#"["x", 1, 2]"#)),
            ("@jsonb_array_insert_at('[1, 2]', '{}', 1, '{}')", Is("[1, {}, 2]")),
            ("@jsonb_array_insert_at('[1, 2]', '{}', 2147483647, 'null')", Is("[1, 2, null]")),
            ("@jsonb_array_insert_at('[1, 2]', '{}', -1, '[]')", Is("[1, [], 2]")),
            ("@jsonb_array_insert_at('[1, 2]', '{}', -2147483648, '0')", Is("[0, 1, 2]")),
            (r#"@jsonb_array_insert_at('{}', '{a,b}', 5, '"x"')"#, Is(r#"{"a": {"b": ["x"]}}"#)),
            ("@jsonb_array_insert_at('[[]]', '{0}', -5, '\"x\"')", Is(r#"[["x"]]"#)),
            (
                r#"@jsonb_array_insert_at('{"a": {}}', '{a}', 0, '1')"#,
                Fails("22023", "expected an array at path {a}, found object"),
            ),
            ("@jsonb_array_insert_at('7', '{}', 0, '1')", Fails("22023", "expected an array at path {}, found number")),
            ("@jsonb_array_insert_at('[]', '{}', NULL, '1')", Null),
        ],
    );
}

#[test]
fn deep_paths() {
    check(
        "deep_paths",
        &[
            (&format!("@jsonb_merge_at_path('{{}}', '{{\"x\": 1}}', {DEEP_PATH}) #> {DEEP_PATH}"), Is(r#"{"x": 1}"#)),
            (
                &format!(
                    "@jsonb_merge_at_path(@jsonb_array_insert_at('{{}}', {DEEP_PATH} || 'b'::text, 0, '1'), '{{\"x\": 1}}', {DEEP_PATH}) #> {DEEP_PATH}"
                ),
                Is(r#"{"b": [1], "x": 1}"#),
            ),
        ],
    );
}

#[test]
fn changed_paths() {
    check(
        "changed_paths",
        &[
            (r#"to_jsonb(@jsonb_has_path_changed('{"a": 1.0}', '{"a": 1.00}', '{a}'))"#, Is("true")),
            (r#"to_jsonb(@jsonb_has_path_changed('{"a": 1.0, "b": 1}', '{"a": 1.0, "b": 2}', '{a}'))"#, Is("false")),
            (r#"to_jsonb(@jsonb_has_path_changed('{"a": null}', '{}', '{a}'))"#, Is("true")),
            (r#"to_jsonb(@jsonb_has_path_changed('{}', '[]', '{a}'))"#, Is("false")),
            (r#"to_jsonb(@jsonb_has_path_changed('{}', '[]', '{}'))"#, Is("true")),
            (r#"to_jsonb(@jsonb_has_path_changed('[1]', '1', '{}'))"#, Is("true")),
            (
                r#"to_jsonb(@jsonb_has_path_changed('{"a": [1, {"b": 2}]}', '{"x": 0, "a": [1, {"b": 2}]}', '{a,-1,b}'))"#,
                Is("false"),
            ),
            // NULL documents have nothing anywhere.
            (r#"to_jsonb(@jsonb_has_path_changed(NULL, '{"a": null}', '{a}'))"#, Is("true")),
            (r#"to_jsonb(@jsonb_has_path_changed('{"a": null}', NULL, '{a}'))"#, Is("true")),
            (r#"to_jsonb(@jsonb_has_path_changed('{"a": null}', NULL, '{b}'))"#, Is("false")),
            ("to_jsonb(@jsonb_has_path_changed(NULL, NULL, '{}'))", Is("false")),
            ("to_jsonb(@jsonb_has_path_changed('1', '2', NULL))", Null),
            ("to_jsonb(@jsonb_has_path_changed('[1]', '[2]', ARRAY['0', NULL]))", Is("false")),
            ("to_jsonb(@jsonb_has_path_changed('[[1]]', '[[2]]', ARRAY[['0'], ['0']]))", Is("true")),
        ],
    );
}

#[test]
fn lists_of_changes() {
    let none = r#"change 1 is no object with an "op" of merge, patch, update, upsert, delete or insert"#;
    check(
        "lists_of_changes",
        &[
            (
                r#"@jsonb_apply('{"a": [{"id": 1}]}', '[{"op": "merge", "path": ["b"], "value": {"x": 1.10}},
                   {"op": "patch", "path": ["a"], "key": "id", "value": {"id": 1, "y": 2}},
                   {"op": "insert", "path": ["a"], "position": 0, "value": "first"},
                   {"op": "upsert", "path": ["a"], "key": "id", "match": 2, "value": {"id": 2}},
                   {"op": "update", "path": ["a"], "key": "id", "match": 2, "value": {"z": null}},
                   {"op": "delete", "path": ["a"], "key": "id", "match": 1.0}]')"#,
                Is(r#"{"a": ["first", {"z": null, "id": 2}], "b": {"x": 1.10}}"#),
            ),
            ("@jsonb_apply('7', '[]')", Is("7")),
            ("@jsonb_apply(NULL, '[]')", Null),
            ("@jsonb_apply('[]', '[{\"op\": \"insert\", \"path\": [], \"position\": -1.0, \"value\": 1}]')", Is("[1]")),
            ("@jsonb_apply('{}', '{}')", Fails("22023", r#"expected an array as argument "changes", found object"#)),
            ("@jsonb_apply('{}', '\"x\"')", Fails("22023", r#"expected an array as argument "changes", found string"#)),
            ("@jsonb_apply('{}', '[null]')", Fails("22023", none)),
            ("@jsonb_apply('{}', '[[\"op\"]]')", Fails("22023", none)),
            (r#"@jsonb_apply('{}', '[{"op": 1}]')"#, Fails("22023", none)),
            (r#"@jsonb_apply('{}', '[{"op": "MERGE", "path": [], "value": {}}]')"#, Fails("22023", none)),
            (
                r#"@jsonb_apply('{}', '[{"op": "merge", "path": []}]')"#,
                Fails("22023", "change 1 (merge) needs these operands and no others: path, value"),
            ),
            (
                r#"@jsonb_apply('{}', '[{"op": "merge", "path": [], "value": {}, "key": "id"}]')"#,
                Fails("22023", "change 1 (merge) needs these operands and no others: path, value"),
            ),
            (
                r#"@jsonb_apply('{}', '[{"op": "insert", "path": [], "value": {}}]')"#,
                Fails("22023", "change 1 (insert) needs these operands and no others: path, position, value"),
            ),
            (
                r#"@jsonb_apply('{}', '[{"op": "merge", "path": ["a", 0], "value": {}}]')"#,
                Fails("22023", r#"change 1 (merge): "path" is not an array of strings"#),
            ),
            (
                r#"@jsonb_apply('{}', '[{"op": "merge", "path": [["a"]], "value": {}}]')"#,
                Fails("22023", r#"change 1 (merge): "path" is not an array of strings"#),
            ),
            (
                r#"@jsonb_apply('{}', '[{"op": "merge", "path": "a", "value": {}}]')"#,
                Fails("22023", r#"change 1 (merge): "path" is not an array of strings"#),
            ),
            (
                r#"@jsonb_apply('{}', '[{"op": "delete", "path": 1, "key": 1, "match": 1}]')"#,
                Fails("22023", r#"change 1 (delete): "path" is not an array of strings"#),
            ),
            (
                r#"@jsonb_apply('{}', '[{"op": "delete", "path": [], "key": null, "match": 1}]')"#,
                Fails("22023", r#"change 1 (delete): "key" is not a string"#),
            ),
            (
                r#"@jsonb_apply('[]', '[{"op": "insert", "path": [], "position": 1.5, "value": 1}]')"#,
                Fails("22023", r#"change 1 (insert): "position" is not an integer"#),
            ),
            (
                r#"@jsonb_apply('[]', '[{"op": "insert", "path": [], "position": 2147483648, "value": 1}]')"#,
                Fails("22023", r#"change 1 (insert): "position" is not an integer"#),
            ),
            (
                r#"@jsonb_apply('[]', '[{"op": "insert", "path": [], "position": "1", "value": 1}]')"#,
                Fails("22023", r#"change 1 (insert): "position" is not an integer"#),
            ),
            (r#"@jsonb_apply('[]', '[{"op": "insert", "path": [], "position": -2147483648, "value": 1}]')"#, Is("[1]")),
            // The first that fails is the one that is told, whatever comes behind it.
            (
                r#"@jsonb_apply('{"a": 1}', '[{"op": "merge", "path": ["a", "b"], "value": {}}, {"op": "x"}]')"#,
                Fails("22023", "expected an object at path {a}, found number"),
            ),
            (
                r#"@jsonb_apply('{"a": 1}', '[{"op": "merge", "path": [], "value": 3}]')"#,
                Fails("22023", r#"expected an object as argument "patch", found number"#),
            ),
            (
                r#"@jsonb_apply('{"a": 1}', '[{"op": "update", "path": [], "key": "id", "match": 1, "value": 3}]')"#,
                Fails("22023", r#"expected an object as argument "updates", found number"#),
            ),
            (
                r#"@jsonb_apply('{"a": 1}', '[{"op": "patch", "path": [], "key": "id", "value": 3}]')"#,
                Fails("22023", r#"expected an object as argument "patch", found number"#),
            ),
            (
                "to_jsonb(@jsonb_delta_available())",
                if tview_runtime_suite::has_native() { Is("true") } else { Is("false") },
            ),
        ],
    );
}
