//! The script for those who come from jsonb_delta: its calls work, in either runtime.

use tview_runtime_suite::{has_native, portable_database};

const SCRIPT: &str = include_str!("../../../compat/jsonb_delta.sql");

const CASES: &[(&str, &str)] = &[
    (r#"jsonb_merge_shallow('{"a": 1}', '{"b": 2}')"#, r#"{"a": 1, "b": 2}"#),
    (r#"jsonb_merge_at_path('{"a": {"x": 1}}', '{"y": 2}', ARRAY['a'])"#, r#"{"a": {"x": 1, "y": 2}}"#),
    (
        r#"jsonb_deep_merge('{"a": {"b": {"c": 1.10, "d": 2}}, "x": [1], "e": {}}', '{"a": {"b": {"c": 9}}, "x": [], "y": {"z": 1}}')"#,
        r#"{"a": {"b": {"c": 9, "d": 2}}, "e": {}, "x": [], "y": {"z": 1}}"#,
    ),
    (r#"jsonb_deep_merge('{"a": 1}', '{}')"#, r#"{"a": 1}"#),
    (r#"jsonb_smart_patch_scalar('{"a": 1}', '{"a": 2}')"#, r#"{"a": 2}"#),
    (r#"jsonb_smart_patch_nested('{"a": {"b": {}}}', '{"c": 1}', ARRAY['a', 'b'])"#, r#"{"a": {"b": {"c": 1}}}"#),
    (
        r#"jsonb_smart_patch_array('{"tasks": [{"id": 1}, {"id": 2}]}', '{"status": "done"}', 'tasks', 'id', '2')"#,
        r#"{"tasks": [{"id": 1}, {"id": 2, "status": "done"}]}"#,
    ),
    (
        r#"jsonb_array_update_where('{"a.b": [{"id": 1}]}', 'a.b', 'id', '1'::jsonb, '{"n": 1}')"#,
        r#"{"a.b": [{"n": 1, "id": 1}]}"#,
    ),
    (
        r#"jsonb_array_update_where('{"a": {"b": [{"id": 1}]}}', ARRAY['a', 'b'], 'id', '1', '{"n": 1}')"#,
        r#"{"a": {"b": [{"n": 1, "id": 1}]}}"#,
    ),
    (
        r#"jsonb_array_update_where_batch('{"a": [{"id": 1}, {"id": 2}, {"id": 3}]}', 'a', 'id',
            '[{"match_value": 1, "updates": {"n": 1}}, {"match_value": 3, "updates": {"n": 3}}, {"other": 1}]')"#,
        r#"{"a": [{"n": 1, "id": 1}, {"id": 2}, {"n": 3, "id": 3}]}"#,
    ),
    (
        r#"(SELECT jsonb_agg(result) FROM jsonb_array_update_multi_row(
            ARRAY['{"a": [{"id": 1}]}', '{"a": []}']::jsonb[], 'a', 'id', '1', '{"n": 1}'))"#,
        r#"[{"a": [{"n": 1, "id": 1}]}, {"a": []}]"#,
    ),
    (r#"jsonb_array_delete_where('{"a": [{"id": 1}, {"id": 2}]}', 'a', 'id', '1')"#, r#"{"a": [{"id": 2}]}"#),
    (r#"jsonb_array_delete_where('{"b": 1}', 'a', 'id', '1')"#, r#"{"b": 1}"#),
    (
        r#"jsonb_array_insert_where('{"a": [{"p": 1}, {"p": 3}]}', 'a', '{"p": 2}', 'p', 'ASC')"#,
        r#"{"a": [{"p": 1}, {"p": 2}, {"p": 3}]}"#,
    ),
    (
        r#"jsonb_array_insert_where('{"a": [{"p": 3}, {"p": 1}]}', 'a', '{"p": 2}', 'p', 'DESC')"#,
        r#"{"a": [{"p": 3}, {"p": 2}, {"p": 1}]}"#,
    ),
    (
        r#"jsonb_array_insert_where('{"a": [{"p": 1}]}', 'a', '{"p": 1, "n": 1}', 'p', NULL)"#,
        r#"{"a": [{"p": 1}, {"n": 1, "p": 1}]}"#,
    ),
    (r#"jsonb_array_insert_where('{"a": [3, 1]}', 'a', '2', NULL, NULL)"#, r#"{"a": [3, 1, 2]}"#),
    (r#"jsonb_array_insert_where('{}', 'a', '{"id": 1}', NULL, NULL)"#, r#"{"a": [{"id": 1}]}"#),
    (r#"to_jsonb(jsonb_array_contains_id('{"a": [{"id": 1}]}', 'a', 'id', '1.0'))"#, "true"),
    (r#"to_jsonb(jsonb_array_contains_id('{"a": 7}', 'a', 'id', '1'))"#, "false"),
    (r#"to_jsonb(jsonb_extract_id('{"id": 42}'))"#, r#""42""#),
    (r#"coalesce(to_jsonb(jsonb_extract_id('{"uuid": {}}', 'uuid')), 'null')"#, "null"),
    (
        r#"jsonb_delta_set_path('{"orders": [{"items": [{}]}]}', 'orders[0].items[0].price', '29.90')"#,
        r#"{"orders": [{"items": [{"price": 29.90}]}]}"#,
    ),
    (r#"jsonb_delta_set_path('{"items": []}', 'items[0]', '{"n": 1}')"#, r#"{"items": [{"n": 1}]}"#),
    (r#"jsonb_delta_set_path('{}', 'user.theme', '"dark"')"#, r#"{"user": {"theme": "dark"}}"#),
    (r#"jsonb_delta_set_path('{}', 'email', '1')"#, r#"{"email": 1}"#),
    (
        r#"jsonb_delta_array_update_where_path('{"users": [{"id": 1, "p": {"t": "l"}}, {"id": 2}]}', 'users', 'id', '1', 'p.t', '"d"')"#,
        r#"{"users": [{"p": {"t": "d"}, "id": 1}, {"id": 2}]}"#,
    ),
    (r#"jsonb_delta_array_update_where_path('{"a": []}', 'a', 'id', '1', 'p', '1')"#, r#"{"a": []}"#),
    (r#"jsonb_array_upsert_where('{"a": []}', ARRAY['a'], 'id', '1', '{"id": 1}')"#, r#"{"a": [{"id": 1}]}"#),
    (r#"to_jsonb(jsonb_has_path_changed('{"a": 1}', NULL, ARRAY['a']))"#, "true"),
];

#[test]
fn calls_of_jsonb_delta_work() {
    let mut client = portable_database("compat");
    for _ in 0..2 {
        client.batch_execute(SCRIPT).unwrap_or_else(|error| panic!("{error:?}"));
    }
    client.batch_execute("SET search_path = jsonb_delta, public").expect("a setting");
    for runtime in ["portable", "native"] {
        for (call, expected) in CASES {
            let row = client.query_one(&format!("SELECT ({call})::text"), &[]);
            let row = row.unwrap_or_else(|error| panic!("{runtime}: {call}: {error:?}"));
            assert_eq!(row.get::<_, &str>(0), *expected, "{runtime}: {call}");
        }
        if !has_native() {
            return;
        }
        client.batch_execute("CREATE EXTENSION IF NOT EXISTS tview_native").expect("the extension is created");
    }
    let array = client.query_one("SELECT jsonb_delta_set_path('{}', 'a[0]', '1')", &[]).expect_err("refused");
    assert_eq!(array.code().map(|code| code.code()), Some("0A000"));
}
