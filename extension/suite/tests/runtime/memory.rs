//! Calls leave nothing behind: what the backend process holds does not grow.

use postgres::Client;
use tview_runtime_suite::{database, has_native, server};

const DOCUMENT: &str = "
    CREATE TABLE document (doc jsonb, changes jsonb);
    ALTER TABLE document ALTER doc SET STORAGE EXTENDED;
    INSERT INTO document
    SELECT jsonb_build_object('author', jsonb_build_object('name', 'x'), 'items', jsonb_agg(jsonb_build_object(
               'id', i, 'price', i * 1.10, 'text', md5(i::text) || md5((i + 1)::text)))),
           jsonb_build_array(
               jsonb_build_object('op', 'merge', 'path', '[\"author\"]'::jsonb, 'value', '{\"name\": \"y\"}'::jsonb),
               jsonb_build_object('op', 'delete', 'path', '[\"items\"]'::jsonb, 'key', 'id', 'match', 500))
      FROM generate_series(1, 950) AS i;
    CREATE FUNCTION fail_often(times integer) RETURNS void LANGUAGE plpgsql AS $$
    DECLARE
        d jsonb := (SELECT doc FROM document);
    BEGIN
        FOR i IN 1 .. times LOOP
            BEGIN
                PERFORM tview_native.jsonb_merge_at_path(d, '{}', '{items}');
            EXCEPTION WHEN invalid_parameter_value THEN
            END;
        END LOOP;
    END $$;";

const CALLS: i32 = 10_000;

/// Kilobytes of the backend's memory, now and at most.
pub fn memory(client: &mut Client) -> (u64, u64) {
    let pid: i32 = client.query_one("SELECT pg_backend_pid()", &[]).expect("a number").get(0);
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the backend's status");
    let field = |name: &str| -> u64 {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("the field");
        line.split_whitespace().next().and_then(|kilobytes| kilobytes.parse().ok()).expect("a number")
    };
    // What is shared with other processes does not count as the backend's growth.
    (field("RssAnon:"), field("VmHWM:"))
}

fn repeated(client: &mut Client, expression: &str, times: i32) {
    // Aggregated, so that each result is computed and dropped; the call depends on the row, so that it is not folded.
    let sql = format!(
        "SELECT count(pg_column_size({expression})) FROM document, generate_series(1, {times}) AS n OFFSET 0",
        expression = expression.replace("{n}", "n")
    );
    client.query_one(&sql, &[]).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
}

#[test]
#[cfg(target_os = "linux")]
fn ten_thousand_calls_grow_the_backend_by_nothing() {
    let mut client = database("memory");
    if !has_native() {
        return;
    }
    client.batch_execute(DOCUMENT).expect("the document is stored");
    let size: i32 = client.query_one("SELECT length(doc::text) FROM document", &[]).expect("a size").get(0);
    assert!((90_000..120_000).contains(&size), "{size} characters");
    for expression in [
        "tview_native.jsonb_array_update_where(doc, '{items}', 'id', to_jsonb(n % 950), '{\"x\": 1}')",
        "tview_native.jsonb_array_upsert_where(doc, '{items}', 'id', to_jsonb(n), '{\"x\": 1}')",
        "tview_native.jsonb_array_delete_where(doc, '{items}', 'id', to_jsonb(n))",
        "tview_native.jsonb_merge_at_path(doc, jsonb_build_object('n', n), '{author}')",
        "tview_native.jsonb_apply(doc, changes || jsonb_build_array())",
        "tview_native.jsonb_put(doc, jsonb_build_object('n', n), '{author,name}', to_jsonb(n), '{items,5}', 'null')",
        "tview_native.jsonb_put(doc, '{items,-2000}', to_jsonb(n))",
        "tview_native.jsonb_change_elements(doc, '{items}', 'id', ARRAY[to_jsonb(n % 950), to_jsonb(n)],
            ARRAY['{}', to_jsonb(n)], '{f,t}', '{NULL,NULL}', '{NULL,NULL}', n % 2 = 0, 16)",
        "tview_native.jsonb_change_sorted_elements(doc, '{items}', 'id', ARRAY[to_jsonb(n % 950), to_jsonb(n)],
            ARRAY['{}', to_jsonb(n)], false, 16)",
        "tview_native.jsonb_has_path_changed(doc, jsonb_build_object('items', n), '{items,5}')",
    ] {
        // What the statement itself holds: the rows of generate_series.
        repeated(&mut client, "n", CALLS);
        expect_no_growth(&mut client, expression, |client, calls| repeated(client, expression, calls));
    }
    expect_no_growth(&mut client, "failing calls", |client, calls| {
        client.query_one("SELECT fail_often($1)", &[&calls]).expect("errors are caught");
    });
}

/// A leak shows each time; what the process itself takes now and then (its caches, its allocator) does not.
fn expect_no_growth(client: &mut Client, what: &str, run: impl Fn(&mut Client, i32)) {
    run(client, 300);
    let mut seen = Vec::new();
    for _ in 0..3 {
        let before = memory(client).0;
        run(client, CALLS);
        let after = memory(client).0;
        if after <= before + 64 {
            return;
        }
        seen.push(format!("from {before} kB to {after} kB"));
    }
    panic!("{what}: {}", seen.join(", "));
}

/// The most memory of one call, in a fresh backend, beside the most of the same in native SQL.
#[test]
#[cfg(target_os = "linux")]
fn one_call_needs_no_more_than_native_sql() {
    let mut client = database("peak");
    if !has_native() {
        return;
    }
    client
        .batch_execute(
            "CREATE TABLE document (doc jsonb);
             INSERT INTO document
             SELECT jsonb_build_object('items', jsonb_agg(jsonb_build_object('id', i, 'text', repeat(md5(i::text), 10))))
               FROM generate_series(1, 50000) AS i;",
        )
        .expect("the document is stored");
    let peak = |expression: &str| -> u64 {
        let mut fresh = server().connect("peak", tviewc_verify::SUPERUSER).expect("a connection");
        let warm =
            format!("SELECT pg_column_size({})", expression.replace("doc", "'{\"items\": [{\"id\": 0}]}'::jsonb"));
        fresh.query_one(&warm, &[]).unwrap_or_else(|error| panic!("{warm}: {error:?}"));
        let before = memory(&mut fresh).1;
        fresh.query_one(&format!("SELECT pg_column_size({expression}) FROM document"), &[]).expect("a result");
        memory(&mut fresh).1 - before
    };
    let native = peak("tview_native.jsonb_array_update_where(doc, '{items}', 'id', '25000', '{\"x\": 1}')");
    let set = peak("jsonb_set(doc, '{items,24999,x}', '1')");
    assert!(native * 2 <= set * 3, "{native} kB against {set} kB of jsonb_set");
}
