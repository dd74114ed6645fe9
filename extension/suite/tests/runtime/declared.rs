//! What SQL is told about the functions is the same in both schemas, and true.

use postgres::Client;
use tview_runtime_suite::{PORTABLE, TRUSTED, database, has_native, native, portable, portable_database, server};
use tviewc_verify::SUPERUSER;

/// Name, arguments with their defaults, result, and how it may be planned; not of what only the portable functions call, nor of what
/// SQL cannot do.
const DECLARED: &str =
    "SELECT p.proname || '(' || pg_get_function_arguments(p.oid) || ') ' || pg_get_function_result(p.oid)
        || ' ' || p.provolatile::text || ' ' || p.proparallel::text || ' ' || p.proisstrict
    FROM pg_proc AS p
   WHERE p.pronamespace = ANY ($1::text[]::regnamespace[])
     AND p.proname NOT IN ('jsonb_check', 'jsonb_walk', 'jsonb_create', 'jsonb_position', 'jsonb_merge_into',
                           'jsonb_insert_between', 'under_latest_snapshot')
     AND NOT (p.proname IN ('jsonb_change_elements', 'jsonb_change_sorted_elements') AND p.pronamespace = to_regnamespace('tview'))
   ORDER BY 1";

#[test]
fn both_schemas_declare_the_same() {
    let mut client = database("declared");
    let mut declared = |schemas: &[&str]| -> Vec<String> {
        client.query(DECLARED, &[&schemas]).expect("a catalog query").iter().map(|row| row.get(0)).collect()
    };
    let portable = declared(&["tview", "tview_portable"]);
    assert_eq!(portable.len(), 21, "{portable:#?}");
    if has_native() {
        assert_eq!(portable, declared(&["tview_native"]));
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
    let forms: &[fn(&str) -> String] = if has_native() { &[portable, native] } else { &[portable] };
    for form in forms {
        let calls = [
            ("jsonb_put('{\"a\": {}}', '{\"b\": 1}', '{a,c}', '2')", r#"{"a": {"c": 2}, "b": 1}"#),
            (
                "jsonb_change_elements('[{\"id\": 1}]', '{}', 'id', ARRAY['2', '1']::pg_catalog.jsonb[], \
                 ARRAY['3', NULL]::pg_catalog.jsonb[], '{t,f}', '{NULL,NULL}', '{NULL,NULL}', false, 2)",
                "[3]",
            ),
            (
                "jsonb_change_sorted_elements('[{\"id\": 1}]', '{}', 'id', ARRAY['2', '1']::pg_catalog.jsonb[], \
                 ARRAY['{\"id\": 2}', NULL]::pg_catalog.jsonb[], false, 2)",
                r#"[{"id": 2}]"#,
            ),
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
            let sql = format!("SELECT ({})::pg_catalog.text", form(&format!("@{call}")));
            let row = client.query_one(&sql, &[]).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
            assert_eq!(row.get::<_, &str>(0), expected, "{sql}");
        }
    }
}

/// Definer functions look for functions in these schemas, so they may not be a stranger's, nor may strangers put any there.
#[test]
fn schemas_of_others_are_refused() {
    for role in ["schema_owner", "stranger"] {
        server().create_role(role).expect("the role is created");
    }
    server().create_database("strangers", "schema_owner", None).expect("the database is created");
    let mut admin = server().connect("strangers", SUPERUSER).expect("a connection");
    let mut client = server().connect("strangers", "schema_owner").expect("a connection");
    client
        .batch_execute("CREATE SCHEMA tview; CREATE TABLE tview.created_object (program text, kind text, name text)")
        .expect("what comes before in a migration");
    let mut refusal = || {
        let error = client.batch_execute(TRUSTED).expect_err("refused");
        error.as_db_error().map(|error| error.message().to_owned()).unwrap_or_default()
    };
    for schema in ["tview_native", "tview_portable"] {
        admin.batch_execute(&format!("CREATE SCHEMA {schema} AUTHORIZATION stranger")).expect("a schema");
        let message = refusal();
        assert!(message.starts_with(&format!("schema {schema} belongs to stranger")), "{message}");
        // A superuser is a member of every role, and does not run a stranger's functions for that.
        let error = admin.batch_execute(TRUSTED).expect_err("refused");
        assert!(error.as_db_error().is_some_and(|e| e.message().contains("belongs to")), "{error}");
        admin.batch_execute(&format!("ALTER SCHEMA {schema} OWNER TO postgres")).expect("another owner");
    }
    for (schema, role) in [("tview", "PUBLIC"), ("tview_native", "stranger"), ("tview_portable", "PUBLIC")] {
        admin.batch_execute(&format!("GRANT CREATE ON SCHEMA {schema} TO {role}")).expect("a grant");
        let message = refusal();
        assert!(message.contains(&format!("may create objects in schema {schema},")), "{message}");
        admin.batch_execute(&format!("REVOKE CREATE ON SCHEMA {schema} FROM {role}")).expect("taken back");
    }
    // What was put there before it was taken back.
    let planted = "CREATE FUNCTION tview_native.jsonb_put(jsonb, jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT $1';
        ALTER FUNCTION tview_native.jsonb_put(jsonb, jsonb) OWNER TO stranger";
    admin.batch_execute(planted).expect("a function");
    let message = refusal();
    assert!(message.starts_with("schema tview_native holds tview_native.jsonb_put(jsonb,jsonb)"), "{message}");
    admin.batch_execute("DROP FUNCTION tview_native.jsonb_put(jsonb, jsonb)").expect("dropped");
    admin.batch_execute("GRANT CREATE, USAGE ON SCHEMA tview_portable TO schema_owner").expect("a grant");
    client.batch_execute(TRUSTED).expect("a superuser's is accepted");
    client.batch_execute(PORTABLE).expect("with what this role needs in it");
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

/// The first version and what came after it, step by step, with the functions of the first in use.
#[test]
fn versions_are_updated() {
    if !has_native() {
        return;
    }
    let mut client = portable_database("updated");
    client.batch_execute("CREATE EXTENSION tview_native VERSION '0.1.0'").expect("the first version");
    let call = "SELECT tview_native.jsonb_merge_shallow('{\"a\": 1}', '{\"b\": 2}')::text";
    let statement = client.prepare(call).expect("a statement");
    let merged = |client: &mut Client| -> String { client.query_one(&statement, &[]).expect("a result").get(0) };
    assert_eq!(merged(&mut client), r#"{"a": 1, "b": 2}"#);
    client.batch_execute("ALTER EXTENSION tview_native UPDATE").expect("it is updated");
    assert_eq!(merged(&mut client), r#"{"a": 1, "b": 2}"#);
    let of_extension = |database: &str| -> Vec<String> {
        let mut client = server().connect(database, SUPERUSER).expect("a connection");
        let members = "SELECT pg_describe_object(d.classid, d.objid, d.objsubid) FROM pg_depend AS d
                        WHERE d.deptype = 'e' AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'tview_native')
                        UNION ALL SELECT extversion FROM pg_extension WHERE extname = 'tview_native' ORDER BY 1";
        client.query(members, &[]).expect("a catalog query").iter().map(|row| row.get(0)).collect()
    };
    let updated = of_extension("updated");
    drop(database("not_updated"));
    assert_eq!(updated, of_extension("not_updated"));
    assert!(updated.iter().any(|member| member.starts_with("function tview_native.jsonb_put(")), "{updated:#?}");
}
