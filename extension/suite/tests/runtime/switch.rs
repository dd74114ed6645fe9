//! The switch: functions that are installed call the native ones as soon as the extension is there, and the portable
//! ones as soon as it is gone, in sessions that have planned their statements long before and go on writing.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use postgres::Client;
use tview_runtime_suite::{has_native, portable_database, server};
use tviewc_verify::SUPERUSER;

/// A trigger function as generated ones are: definer rights, a fixed search_path with both schemas, static SQL that reads
/// `patch_runtime` and calls the functions by their bare names. `runtime()` tells which are called, from where their error comes.
const PROGRAM: &str = "
    CREATE TABLE public.post (id integer PRIMARY KEY, title text NOT NULL);
    CREATE TABLE public.tv_post (id integer PRIMARY KEY, data jsonb NOT NULL);
    INSERT INTO public.post SELECT n, 'new' FROM generate_series(1, 64) AS n;
    INSERT INTO public.tv_post
    SELECT p.id, jsonb_build_object('post', jsonb_build_object('title', p.title), 'list', '[{\"id\": 1}]'::jsonb) FROM post p;

    CREATE FUNCTION tview.post_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, tview_native, tview_portable, pg_temp
    SET plan_cache_mode = force_generic_plan
    AS $$
    BEGIN
        UPDATE public.tv_post AS t
           SET data = jsonb_put(t.data, '{post}'::text[], jsonb_build_object('title', n.title))
          FROM patch_runtime AS runtime, new_rows AS n
         WHERE t.id = n.id;
        -- Once more, in a statement whose plan is another one.
        UPDATE public.tv_post AS t
           SET data = w.data
          FROM patch_runtime AS runtime,
               (SELECT n.id, jsonb_change_elements(t.data, '{list}'::text[], 'id'::text, '{1}'::jsonb[],
                           ARRAY[jsonb_build_object('id', 1, 'title', n.title)], '{f}'::boolean[], '{NULL}'::jsonb[],
                           '{NULL}'::jsonb[], true, 16) AS data
                  FROM new_rows AS n JOIN public.tv_post AS t ON t.id = n.id OFFSET 0) AS w
         WHERE t.id = w.id;
        RETURN NULL;
    END $$;
    CREATE TRIGGER changed AFTER UPDATE ON public.post REFERENCING NEW TABLE AS new_rows
        FOR EACH STATEMENT EXECUTE FUNCTION tview.post_changed();

    CREATE FUNCTION public.runtime() RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, tview_native, tview_portable, tview, pg_temp
    AS $$
    DECLARE
        no_object jsonb := '[]';
        context   text;
    BEGIN
        PERFORM jsonb_merge_at_path(t.data, no_object, '{}') FROM patch_runtime AS runtime, public.tv_post AS t WHERE t.id = 1;
    EXCEPTION WHEN invalid_parameter_value THEN
        GET STACKED DIAGNOSTICS context = PG_EXCEPTION_CONTEXT;
        RETURN CASE WHEN strpos(context, 'tview.jsonb_check') > 0 THEN 'portable' ELSE 'native' END;
    END $$;";

fn runtime(client: &mut Client) -> String {
    client.query_one("SELECT public.runtime()", &[]).unwrap_or_else(|error| panic!("{error:?}")).get(0)
}

#[test]
fn without_the_extension_the_portable_functions_are_called() {
    let mut client = portable_database("switch_none");
    client.batch_execute(PROGRAM).expect("the program is installed");
    client.batch_execute("UPDATE post SET title = 'x' WHERE id = 1").expect("a write");
    assert_eq!(runtime(&mut client), "portable");
    let row = client.query_one("SELECT data::text FROM tv_post WHERE id = 1", &[]).expect("a document");
    assert_eq!(row.get::<_, &str>(0), r#"{"list": [{"id": 1, "title": "x"}], "post": {"title": "x"}}"#);
}

/// The cases in which a session could keep a plan: planned before, planned in a transaction that is still open, the
/// schema made by the migration or by CREATE EXTENSION.
#[test]
fn plans_that_are_cached_follow() {
    if !has_native() {
        return;
    }
    let mut admin = portable_database("switch_cached");
    admin.batch_execute(PROGRAM).expect("the program is installed");
    let connect = || server().connect("switch_cached", SUPERUSER).expect("a connection");
    let (mut idle, mut open) = (connect(), connect());
    for round in 0..3 {
        // Often enough for a generic plan.
        for _ in 0..7 {
            assert_eq!([runtime(&mut idle), runtime(&mut admin)], ["portable", "portable"], "round {round}");
        }
        open.batch_execute("BEGIN").expect("a transaction begins");
        assert_eq!(runtime(&mut open), "portable");
        admin.batch_execute("CREATE EXTENSION tview_native").expect("the extension is created");
        assert_eq!([runtime(&mut idle), runtime(&mut admin), runtime(&mut open)], ["native"; 3], "round {round}");
        open.batch_execute("COMMIT; BEGIN").expect("the next transaction");
        for _ in 0..7 {
            assert_eq!([runtime(&mut idle), runtime(&mut open)], ["native", "native"], "round {round}");
        }
        admin.batch_execute("DROP EXTENSION tview_native").expect("the extension is dropped");
        assert_eq!([runtime(&mut idle), runtime(&mut admin), runtime(&mut open)], ["portable"; 3], "round {round}");
        open.batch_execute("COMMIT").expect("the transaction ends");
        if round == 1 {
            // The schema is then made by CREATE EXTENSION, and the next time it is there already.
            admin.batch_execute("DROP SCHEMA tview_native").expect("the schema is empty");
        }
    }
    // Rolled back, it was never there.
    admin.batch_execute("BEGIN; CREATE EXTENSION tview_native").expect("the extension is created");
    assert_eq!(runtime(&mut admin), "native");
    // Others wait to see what comes of it.
    idle.batch_execute("SET lock_timeout = '100ms'").expect("a setting");
    let error = idle.query_one("SELECT public.runtime()", &[]).expect_err("it waits");
    assert_eq!(error.code().map(|code| code.code()), Some("55P03"));
    admin.batch_execute("ROLLBACK").expect("taken back");
    assert_eq!([runtime(&mut admin), runtime(&mut idle)], ["portable", "portable"]);
}

#[test]
fn writers_do_not_notice() {
    if !has_native() {
        return;
    }
    let mut admin = portable_database("switch_busy");
    admin.batch_execute(PROGRAM).expect("the program is installed");
    let long = std::env::var_os("TVIEWC_TEST_FULL").is_some();
    let until = Instant::now() + Duration::from_secs(if long { 120 } else { 6 });
    let (stop, writes, switches) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|number| {
                let (stop, writes) = (&stop, &writes);
                scope.spawn(move || {
                    let mut client = server().connect("switch_busy", SUPERUSER).expect("a connection");
                    let sql = "UPDATE public.post SET title = title || $1::text WHERE id = ANY ($2)";
                    let statement = client.prepare(sql).expect("a statement");
                    let mut turn = 0;
                    while !stop.load(Ordering::Relaxed) {
                        turn += 1;
                        let ids: Vec<i32> = (0..3).map(|n| number * 16 + 1 + (turn + n) % 16).collect();
                        if turn % 97 == 0 {
                            // Sessions that have planned nothing yet.
                            client = server().connect("switch_busy", SUPERUSER).expect("a connection");
                            let title = format!("UPDATE public.post SET title = 'short' WHERE id = {}", ids[0]);
                            client.batch_execute(&title).unwrap_or_else(|error| panic!("{error:?}"));
                            writes.fetch_add(1, Ordering::Relaxed);
                            continue;
                        }
                        if turn < 97 {
                            client.execute(&statement, &[&"x", &ids]).unwrap_or_else(|error| panic!("{error:?}"));
                        } else {
                            client.execute(sql, &[&"y", &ids]).unwrap_or_else(|error| panic!("{error:?}"));
                        }
                        writes.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        while Instant::now() < until && writers.iter().all(|writer| !writer.is_finished()) {
            admin.batch_execute("CREATE EXTENSION tview_native").expect("the extension is created");
            std::thread::sleep(Duration::from_millis(10));
            admin.batch_execute("DROP EXTENSION tview_native").expect("the extension is dropped");
            std::thread::sleep(Duration::from_millis(10));
            switches.fetch_add(2, Ordering::Relaxed);
        }
        stop.store(true, Ordering::Relaxed);
        for writer in writers {
            writer.join().expect("no write fails");
        }
    });
    let stale = "SELECT count(*) FROM post p JOIN tv_post t USING (id)
                  WHERE t.data #>> '{post,title}' <> p.title OR t.data #>> '{list,0,title}' NOT IN ('new', p.title)";
    assert_eq!(admin.query_one(stale, &[]).expect("a count").get::<_, i64>(0), 0);
    let (writes, switches) = (writes.load(Ordering::Relaxed), switches.load(Ordering::Relaxed));
    assert!(writes > 100 && switches > 20, "{writes} writes, {switches} switches");
}
