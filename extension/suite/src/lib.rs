//! Both runtimes on one throwaway server.
//!
//! In: the programs of a server, found as for all live tests; with the extension among what it can create, or
//! without. Out: databases with the portable functions and, if they can be had, the native ones, and the outcome of
//! calls in either. Always: a missing extension is said on standard error, past what the test harness captures; with
//! `TVIEWC_NATIVE=required` it is a failure.

use std::io::Write;
use std::sync::OnceLock;

use postgres::Client;
use tviewc_verify::{SUPERUSER, Server, ServerOptions};

/// The portable functions, as they are in every migration.
pub const PORTABLE: &str = include_str!("../../../templates/patch.sql");

/// What a migration asks of its schemas before anything else.
pub const TRUSTED: &str = include_str!("../../../templates/trusted.sql");

/// What the portable functions find in a migration.
const BEFORE: &str = "CREATE SCHEMA tview;
    CREATE TABLE tview.created_object (program text, kind text, name text, PRIMARY KEY (program, kind, name));";

/// Runs an expression and says what came of it. The result is not passed through `to_jsonb`, which would build it
/// anew.
const OUTCOME: &str = "CREATE FUNCTION public.outcome(call text, OUT result jsonb, OUT state text, OUT message text)
    LANGUAGE plpgsql AS $$
    BEGIN
        EXECUTE 'SELECT ' || call INTO result;
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
    END $$;";

/// What stands for the schema in the text of a call.
pub const SCHEMA: char = '@';

/// What only trigger functions call: its portable form is in a schema of its own.
const OF_TRIGGERS: [&str; 3] = ["jsonb_put(", "jsonb_change_elements(", "jsonb_change_sorted_elements("];

/// A call in the portable runtime.
pub fn portable(call: &str) -> String {
    let call = OF_TRIGGERS.iter().fold(call.to_owned(), |call, function| {
        call.replace(&format!("{SCHEMA}{function}"), &format!("tview_portable.{function}"))
    });
    call.replace(SCHEMA, "tview.")
}

/// The same call in the native one.
pub fn native(call: &str) -> String {
    call.replace(SCHEMA, "tview_native.")
}

/// The result of a call as text, or SQLSTATE and message.
pub type Outcome = Result<Option<String>, (String, String)>;

/// The server of this test binary.
pub fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| Server::start(&ServerOptions::default()).expect("a server starts"))
}

/// Whether the server can create the extension.
pub fn has_native() -> bool {
    static NATIVE: OnceLock<bool> = OnceLock::new();
    *NATIVE.get_or_init(|| {
        let sql = "SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'tview_native')";
        let mut admin = server().admin().expect("a connection");
        let found: bool = admin.query_one(sql, &[]).expect("a catalog query").get(0);
        if !found {
            let required = std::env::var("TVIEWC_NATIVE").is_ok_and(|value| value == "required");
            assert!(!required, "{} has no extension tview_native", server().bin_dir().display());
            // Not by a macro: those are captured.
            let _ = writeln!(
                std::io::stderr(),
                "SKIPPED: the native half of this suite; {} has no extension tview_native (make test-extension)",
                server().bin_dir().display()
            );
        }
        found
    })
}

/// A database of this name with the portable functions and, where they can be had, the native ones.
pub fn database(name: &str) -> Client {
    let mut client = portable_database(name);
    if has_native() {
        client.batch_execute("CREATE EXTENSION tview_native").expect("the extension is created");
    }
    client
}

/// A database of this name with the portable functions.
pub fn portable_database(name: &str) -> Client {
    server().create_database(name, SUPERUSER, None).expect("the database is created");
    let mut client = server().connect(name, SUPERUSER).expect("a connection");
    for script in [BEFORE, PORTABLE, OUTCOME] {
        client.batch_execute(script).unwrap_or_else(|error| panic!("{error:?}"));
    }
    client
}

/// What became of calls in both runtimes.
#[derive(Debug)]
pub struct Both {
    /// In schema tview.
    pub portable: Outcome,
    /// In schema tview_native; the same where that was skipped.
    pub native: Outcome,
    /// Whether the bytes are those of the other runtime, and those that the server itself would store for the text.
    pub same_bytes: bool,
}

/// Makes calls, in whose text `@` stands for the schema, in both runtimes.
pub fn call(client: &mut Client, calls: &[String]) -> Vec<Both> {
    let second = if has_native() { native } else { portable };
    let calls_of = |form: fn(&str) -> String| -> Vec<String> { calls.iter().map(|call| form(call)).collect() };
    let sql = "SELECT p.result::text, p.state, p.message, n.result::text, n.state, n.message,
                      record_image_eq(ROW(p.result), ROW(n.result))
                      AND record_image_eq(ROW(p.result), ROW(p.result::text::jsonb))
                 FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS c(portable, native, number),
                      LATERAL public.outcome(c.portable) AS p,
                      LATERAL public.outcome(c.native) AS n
                ORDER BY c.number";
    let rows = client.query(sql, &[&calls_of(portable), &calls_of(second)]).unwrap_or_else(|e| panic!("{e:?}"));
    let outcome = |row: &postgres::Row, at: usize| match row.get::<_, Option<String>>(at + 1) {
        Some(state) => Err((state, row.get(at + 2))),
        None => Ok(row.get(at)),
    };
    rows.iter().map(|row| Both { portable: outcome(row, 0), native: outcome(row, 3), same_bytes: row.get(6) }).collect()
}
