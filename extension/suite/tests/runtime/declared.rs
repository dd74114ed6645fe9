//! What SQL is told about the functions is the same in both schemas, and true.

use tview_runtime_suite::{PORTABLE, database, has_native, server};
use tviewc_verify::SUPERUSER;

/// Name, arguments with their defaults, result, and how it may be planned; not of what only the runtime itself and generated functions call.
const DECLARED: &str =
    "SELECT p.proname || '(' || pg_get_function_arguments(p.oid) || ') ' || pg_get_function_result(p.oid)
        || ' ' || p.provolatile::text || ' ' || p.proparallel::text || ' ' || p.proisstrict
    FROM pg_proc AS p
   WHERE p.pronamespace = $1::text::regnamespace
     AND p.proname NOT IN ('jsonb_check', 'jsonb_walk', 'jsonb_create', 'jsonb_position', 'jsonb_merge_into',
                           'jsonb_change_elements')
   ORDER BY 1";

#[test]
fn both_schemas_declare_the_same() {
    let mut client = database("declared");
    let mut declared = |schema: &str| -> Vec<String> {
        client.query(DECLARED, &[&schema]).expect("a catalog query").iter().map(|row| row.get(0)).collect()
    };
    let portable = declared("tview");
    assert_eq!(portable.len(), 12, "{portable:#?}");
    if has_native() {
        assert_eq!(portable, declared("tview_native"));
    }
}

/// The caller's search_path leads to operators and functions that would be chosen, if any name were looked up in it.
#[test]
fn no_name_is_looked_up_in_the_callers_path() {
    let mut client = database("hostile");
    client
        .batch_execute(
            "CREATE SCHEMA hostile;
             CREATE FUNCTION hostile.never(jsonb, jsonb) RETURNS boolean LANGUAGE sql AS 'SELECT 1 / 0 = 1';
             CREATE OPERATOR hostile.= (LEFTARG = jsonb, RIGHTARG = jsonb, PROCEDURE = hostile.never);
             CREATE FUNCTION hostile.never(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT 1 / 0 = 1';
             CREATE OPERATOR hostile.= (LEFTARG = text, RIGHTARG = text, PROCEDURE = hostile.never);
             CREATE FUNCTION hostile.none(jsonb, text[]) RETURNS jsonb LANGUAGE sql AS 'SELECT to_jsonb(1 / 0)';
             CREATE OPERATOR hostile.#> (LEFTARG = jsonb, RIGHTARG = text[], PROCEDURE = hostile.none);
             CREATE OPERATOR hostile.#- (LEFTARG = jsonb, RIGHTARG = text[], PROCEDURE = hostile.none);
             CREATE FUNCTION hostile.none(jsonb, jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT to_jsonb(1 / 0)';
             CREATE OPERATOR hostile.|| (LEFTARG = jsonb, RIGHTARG = jsonb, PROCEDURE = hostile.none);
             CREATE FUNCTION hostile.none(jsonb, integer) RETURNS jsonb LANGUAGE sql AS 'SELECT to_jsonb(1 / 0)';
             CREATE OPERATOR hostile.-> (LEFTARG = jsonb, RIGHTARG = integer, PROCEDURE = hostile.none);
             CREATE FUNCTION hostile.none(jsonb, text) RETURNS jsonb LANGUAGE sql AS 'SELECT to_jsonb(1 / 0)';
             CREATE OPERATOR hostile.-> (LEFTARG = jsonb, RIGHTARG = text, PROCEDURE = hostile.none);
             CREATE FUNCTION hostile.none(integer, integer) RETURNS integer LANGUAGE sql AS 'SELECT 1 OPERATOR(pg_catalog./) 0';
             CREATE OPERATOR hostile.- (LEFTARG = integer, RIGHTARG = integer, PROCEDURE = hostile.none);
             CREATE FUNCTION hostile.array_append(text[], text) RETURNS text[] LANGUAGE sql AS 'SELECT ARRAY[(1 / 0)::text]';
             CREATE FUNCTION hostile.array_ndims(text[]) RETURNS integer LANGUAGE sql AS 'SELECT 1 / 0';
             CREATE FUNCTION hostile.cardinality(text[]) RETURNS integer LANGUAGE sql AS 'SELECT 1 / 0';
             CREATE FUNCTION hostile.jsonb_build_array(jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT to_jsonb(1 / 0)';
             CREATE DOMAIN hostile.text AS integer;
             CREATE DOMAIN hostile.jsonb AS integer;
             CREATE DOMAIN hostile.name AS integer;
             SET search_path = hostile, pg_catalog, public;",
        )
        .expect("the schema is made");
    for schema in if has_native() { &["tview", "tview_native"][..] } else { &["tview"] } {
        let calls = [
            ("jsonb_merge_at_path('{\"a\": {}}', '{\"b\": 1}', '{a}')", r#"{"a": {"b": 1}}"#),
            ("jsonb_merge_at_path('{}', '{\"b\": 1}', '{a,c}')", r#"{"a": {"c": {"b": 1}}}"#),
            ("jsonb_merge_shallow('{}', '{\"b\": 1}')", r#"{"b": 1}"#),
            ("jsonb_smart_patch_array('[[{\"id\": 1}]]', '{\"id\": 1, \"b\": 1}', '{0}')", r#"[[{"b": 1, "id": 1}]]"#),
            ("jsonb_array_upsert_where('[{\"id\": 1}]', '{}', 'id', '2', '3')", r#"[{"id": 1}, 3]"#),
            ("jsonb_array_upsert_where('{}', '{a}', 'id', '2', '3')", r#"{"a": [3]}"#),
            ("jsonb_array_delete_where('[{\"id\": 1}]', '{}', 'id', '1')", "[]"),
            ("jsonb_array_insert_at('[]', '{}', 0, '1')", "[1]"),
            (
                "jsonb_apply('{}', '[{\"op\": \"merge\", \"path\": [\"x\"], \"value\": {\"b\": 1}}]')",
                r#"{"x": {"b": 1}}"#,
            ),
            ("jsonb_has_path_changed('{}', '{\"a\": 1}', '{a}')", "true"),
            ("jsonb_delta_available()", if has_native() { "true" } else { "false" }),
        ];
        for (call, expected) in calls {
            let sql = format!("SELECT ({schema}.{call})::pg_catalog.text");
            let row = client.query_one(&sql, &[]).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
            assert_eq!(row.get::<_, &str>(0), expected, "{sql}");
        }
    }
}

/// Definer functions look for functions in schema tview_native, so it may not be a stranger's.
#[test]
fn a_native_schema_of_somebody_else_is_refused() {
    for role in ["schema_owner", "stranger"] {
        server().create_role(role).expect("the role is created");
    }
    server().create_database("strangers", "schema_owner", None).expect("the database is created");
    let mut admin = server().connect("strangers", SUPERUSER).expect("a connection");
    admin.batch_execute("CREATE SCHEMA tview_native AUTHORIZATION stranger").expect("a schema");
    let mut client = server().connect("strangers", "schema_owner").expect("a connection");
    client
        .batch_execute("CREATE SCHEMA tview; CREATE TABLE tview.created_object (program text, kind text, name text)")
        .expect("what comes before in a migration");
    let error = client.batch_execute(PORTABLE).expect_err("refused");
    let message = error.as_db_error().map(|error| error.message().to_owned()).unwrap_or_default();
    assert!(message.starts_with("schema tview_native belongs to stranger"), "{message}");
    admin.batch_execute("ALTER SCHEMA tview_native OWNER TO postgres").expect("another owner");
    client.batch_execute(PORTABLE).expect("a superuser's is accepted");
}

/// The extension is trusted: the owner of a database creates it there, and others call it.
#[test]
fn no_superuser_is_needed() {
    if !has_native() {
        return;
    }
    for role in ["plain_owner", "plain_caller"] {
        server().create_role(role).expect("the role is created");
    }
    server().create_database("trusted", "plain_owner", None).expect("the database is created");
    let mut owner = server().connect("trusted", "plain_owner").expect("a connection");
    let mut caller = server().connect("trusted", "plain_caller").expect("a connection");
    assert!(caller.batch_execute("CREATE EXTENSION tview_native").is_err());
    owner.batch_execute("CREATE EXTENSION tview_native").expect("the owner creates it");
    let sql = "SELECT tview_native.jsonb_merge_shallow('{\"a\": 1}', '{\"b\": 2}')::text";
    assert_eq!(caller.query_one(sql, &[]).expect("a result").get::<_, &str>(0), r#"{"a": 1, "b": 2}"#);
    assert!(caller.batch_execute("CREATE FUNCTION tview_native.f() RETURNS int LANGUAGE sql AS 'SELECT 1'").is_err());
    owner.batch_execute("DROP EXTENSION tview_native").expect("and drops it");
}
