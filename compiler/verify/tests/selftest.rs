//! Proof that the harness can fail: correct hand-written triggers pass, broken ones are caught.

#[path = "../../tests/common/server.rs"]
mod shared;

use std::time::Duration;
use tviewc_verify::writer::{Cause, Kind, WriterOptions, minimise};

use shared::server;
use tviewc_verify::interleave::tviews_are_equal;
use tviewc_verify::{
    Error, InterleaveOptions, LoadOptions, Orders, SUPERUSER, Session, compare, interleave, interleave_with, load,
    random_run,
};

const TABLES: &str = r"
CREATE SCHEMA tview;
CREATE TABLE tview.pg_tview_meta (tview_oid regclass PRIMARY KEY, view_oid regclass NOT NULL, program text NOT NULL,
                                  key_columns text[] NOT NULL);
CREATE TABLE parent (id int PRIMARY KEY, name text);
CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent ON DELETE SET NULL, body text,
                    weight numeric NOT NULL DEFAULT 1.0, status text CHECK (status IN ('draft', 'published')));
CREATE VIEW v_child AS SELECT c.id, jsonb_build_object('body', c.body, 'weight', c.weight,
       'parent', CASE WHEN p.id IS NOT NULL THEN jsonb_build_object('id', p.id, 'name', p.name) END) AS data
  FROM child c LEFT JOIN parent p ON p.id = c.parent_id WHERE c.status IS DISTINCT FROM 'draft';
CREATE TABLE tv_child AS SELECT * FROM v_child;
ALTER TABLE tv_child ADD PRIMARY KEY (id);
INSERT INTO tview.pg_tview_meta VALUES ('tv_child', 'v_child', 'selftest', '{id}');
CREATE FUNCTION tview.refresh(ids int[]) RETURNS void LANGUAGE sql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
  DELETE FROM public.tv_child t WHERE t.id = ANY (ids) AND NOT EXISTS (SELECT FROM public.v_child v WHERE v.id = t.id);
  INSERT INTO public.tv_child AS t SELECT * FROM public.v_child v WHERE v.id = ANY (ids)
  ON CONFLICT (id) DO UPDATE SET data = excluded.data;
$$;
";

/// `{parents}` is what a change of parents refreshes; `{lock}` is what runs before.
const TRIGGERS: &str = r"
CREATE FUNCTION tview.child_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
  {lock}
  IF TG_OP = 'TRUNCATE' THEN DELETE FROM public.tv_child;
  ELSIF TG_OP = 'INSERT' THEN PERFORM tview.refresh(ARRAY(SELECT id FROM n));
  ELSIF TG_OP = 'DELETE' THEN PERFORM tview.refresh(ARRAY(SELECT id FROM o));
  ELSE PERFORM tview.refresh(ARRAY(SELECT id FROM o UNION SELECT id FROM n));
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER a AFTER INSERT ON child REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION tview.child_changed();
CREATE TRIGGER b AFTER DELETE ON child REFERENCING OLD TABLE AS o FOR EACH STATEMENT EXECUTE FUNCTION tview.child_changed();
CREATE TRIGGER c AFTER UPDATE ON child REFERENCING OLD TABLE AS o NEW TABLE AS n
  FOR EACH STATEMENT EXECUTE FUNCTION tview.child_changed();
CREATE TRIGGER d AFTER TRUNCATE ON child FOR EACH STATEMENT EXECUTE FUNCTION tview.child_changed();
CREATE FUNCTION tview.parent_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
  {lock}
  PERFORM tview.refresh(ARRAY({parents}));
  RETURN NULL;
END $$;
CREATE TRIGGER c AFTER UPDATE ON parent REFERENCING OLD TABLE AS o NEW TABLE AS n
  FOR EACH STATEMENT EXECUTE FUNCTION tview.parent_changed();
";

const ALL_PARENTS: &str =
    "SELECT c.id FROM public.child c WHERE c.parent_id IN (SELECT id FROM o UNION SELECT id FROM n)";
/// Forgets that a change of the name changes documents, too.
const ONLY_MOVED_PARENTS: &str =
    "SELECT c.id FROM public.child c WHERE c.parent_id IN (SELECT id FROM n EXCEPT SELECT id FROM o)";

/// One lock for everything: slow, and right.
const LOCK: &str = "PERFORM pg_advisory_xact_lock(1);";

const ROWS: &str = "INSERT INTO parent VALUES (1, 'one'), (2, 'two');
INSERT INTO child VALUES (1, 1, 'first', 1.0, NULL), (2, 2, 'second', 2, 'published');";

fn database(name: &str, parents: &str, lock: &str) {
    let server = server();
    server.create_database(name, SUPERUSER, None).expect("the database is created");
    let grants = "GRANT ALL ON parent, child TO app;";
    let script = format!("{TABLES}{}{ROWS}{grants}", TRIGGERS.replace("{parents}", parents).replace("{lock}", lock));
    server.psql(name, SUPERUSER, &script).expect("the triggers are installed");
}

#[test]
fn correct_triggers_pass_and_every_kind_of_statement_runs() {
    database("correct", ALL_PARENTS, "");
    let report = random_run(server(), "correct", "app", 1, 400, &mut |_, _| {}).unwrap_or_else(|f| panic!("{f}"));
    println!("{report}");
    let missing = report.tally.below(2);
    let merge_is_known = server().major_version() >= 15;
    assert!(missing.iter().all(|&kind| kind == Kind::Merge && !merge_is_known), "hardly tried: {missing:?}");
    assert!(report.doubtful.is_empty(), "{report}");
    assert!(report.most_rows["public.v_child"] > 5);
}

#[test]
fn forgotten_renames_are_caught_with_a_history_that_replays() {
    database("sabotaged_start", ONLY_MOVED_PARENTS, "");
    server().create_database("sabotaged", SUPERUSER, Some("sabotaged_start")).expect("copied");
    let failure = random_run(server(), "sabotaged", "app", 1, 400, &mut |_, _| {}).expect_err("the fault is found");
    assert!(matches!(*failure.cause, Cause::Differences(_)), "{failure}");
    let short = minimise(server(), "sabotaged_start", "app", &failure, 300).expect("shortened");
    println!("{short}");
    assert!(short.lines().count() < 8, "{short}");

    server().psql("sabotaged_start", "app", &failure.to_string()).expect("the script runs");
    let mut client = server().connect("sabotaged_start", SUPERUSER).expect("connected");
    let report = compare(&mut client).expect("compared");
    let Cause::Differences(found) = &*failure.cause else { unreachable!() };
    assert_eq!(&report, found);
}

fn rename_and_insert() -> [Session; 2] {
    let rename = ["BEGIN", "UPDATE parent SET name = 'renamed' WHERE id = 1", "COMMIT"];
    let insert = ["BEGIN", "INSERT INTO child (id, parent_id, body) VALUES (9, 1, 'new')", "COMMIT"];
    [Session::new("rename", "app", &rename), Session::new("insert", "app", &insert)]
}

#[test]
fn a_stale_document_is_found_by_interleaving() {
    database("unlocked", ALL_PARENTS, "");
    let report = interleave(server(), "unlocked", &rename_and_insert()).expect("all orders run");
    println!("{report}");
    assert_eq!((report.orders, report.possible), (20, 20));
    assert!(!report.findings.is_empty() && report.findings.len() < 20, "{report}");
    assert!(report.to_string().contains("tview: "), "{report}");
    assert_eq!(report.completed, 40, "{report}");
}

#[test]
fn locks_prevent_it_and_their_waits_are_seen() {
    database("locked", ALL_PARENTS, LOCK);
    let report = interleave(server(), "locked", &rename_and_insert()).expect("all orders run");
    println!("{report}");
    assert!(report.findings.is_empty(), "{report}");
    assert!(report.waits > 0 && report.distinct_schedules < report.orders, "{report}");
    assert_eq!((report.deadlocks, report.completed), (0, 40), "{report}");
}

#[test]
fn deadlocks_and_failures_are_counted() {
    database("crossed", ALL_PARENTS, "");
    let one = "UPDATE parent SET name = 'x' WHERE id = 1";
    let two = "UPDATE parent SET name = 'x' WHERE id = 2";
    let sessions = [
        Session::new("up", "app", &["BEGIN", one, two, "COMMIT"]),
        Session::new("down", "app", &["BEGIN", two, one, "COMMIT"]),
        Session::new("wrong", "app", &["INSERT INTO parent VALUES (1, 'again')"]).isolation("repeatable read"),
    ];
    let options = InterleaveOptions { orders: Orders::Sample { count: 30, seed: 1 }, ..Default::default() };
    let report = interleave_with(server(), "crossed", &sessions, &options, &tviews_are_equal).expect("orders run");
    println!("{report}");
    assert_eq!(report.orders, 30);
    assert!(report.deadlocks > 0, "{report}");
    assert_eq!(report.failures["23505"], 30, "{report}");
    assert_eq!(report.completed + report.failures.values().sum::<usize>(), 90, "{report}");
}

#[test]
fn a_session_that_never_ends_is_reported_with_the_locks() {
    database("asleep", ALL_PARENTS, "");
    let sessions = [
        Session::new("sleeper", "app", &["BEGIN", "LOCK TABLE parent", "SELECT pg_sleep(600)"]),
        Session::new("waiter", "app", &["UPDATE parent SET name = 'x'"]),
    ];
    let orders = Orders::Sample { count: 1, seed: 1 };
    let options = InterleaveOptions { orders, watchdog: Duration::from_secs(3), parallel: 1 };
    let error =
        interleave_with(server(), "asleep", &sessions, &options, &tviews_are_equal).expect_err("the watchdog barks");
    assert!(matches!(error, Error::Stuck(_)), "{error}");
    assert!(error.to_string().contains("pg_sleep"), "{error}");
}

#[test]
fn load_keeps_locked_tviews_equal() {
    database("busy", ALL_PARENTS, LOCK);
    let options = LoadOptions { threads: 4, transactions: 20, retries: 100, ..Default::default() };
    let report = load(server(), "busy", "app", &options).expect("the load runs");
    println!("{report}");
    assert!(report.compared.is_equal(), "{report}");
    assert_eq!((report.suspicious_total, report.given_up), (0, 0), "{report}");
    assert!(report.commits > 40, "{report}");
}

/// A trigger before the statement fails when the server has already said that it takes the rows.
///
/// Which calls fail must not follow a period: when every other one did, a transaction of two copies met a failing
/// call each time it was run again, unless the other session happened to take one between them.
#[test]
fn load_goes_on_after_a_copy_that_met_another_writer() {
    database("copied", ALL_PARENTS, LOCK);
    let some = "CREATE SEQUENCE tview.calls;
        CREATE FUNCTION tview.collide() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
        BEGIN
          IF hashint8(nextval('tview.calls')) % 2 = 0 THEN
            RAISE 'as if there were a deadlock' USING ERRCODE = 'deadlock_detected';
          END IF;
          RETURN NULL;
        END $$;
        CREATE TRIGGER collides BEFORE INSERT ON child FOR EACH STATEMENT EXECUTE FUNCTION tview.collide();";
    server().connect("copied", SUPERUSER).expect("connect").batch_execute(some).expect("the trigger");
    let writer = WriterOptions { kinds: vec![Kind::Copy], ..WriterOptions::default() };
    let options = LoadOptions { threads: 2, transactions: 20, retries: 100, writer, ..Default::default() };
    let report = load(server(), "copied", "app", &options).expect("the load runs");
    println!("{report}");
    assert!(report.compared.is_equal(), "{report}");
    assert_eq!((report.suspicious_total, report.given_up), (0, 0), "{report}");
    assert!(report.failures().values().sum::<u64>() > 5, "{report}");
    assert!(report.commits > 10, "{report}");
}
