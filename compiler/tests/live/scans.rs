//! No write reads a table as a whole unless a warning has named it, and key recompute compares no keys with each other.
//!
//! In: a fixture. Out: nothing; it fails where a statement of a trigger scans a table that the compiler has said nothing of. The server
//! explains the statements of triggers (`auto_explain`) while a random writer writes. Generated functions run with sequential scans
//! made dear, so that there is one only where no index helps, however few rows there are.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use postgres::{Client, NoTls};
use serde_json::Value;
use tviewc::diagnostics::Code;
use tviewc::plan::Strategy;
use tviewc::{Options, compile};
use tviewc_verify::SUPERUSER;
use tviewc_verify::writer::{Writer, WriterOptions};

use crate::support::{OWNER, fixture, installed, installed_with, run, server, sources};

const TRANSACTIONS: usize = 40;

/// What a scan costs at least that counts as made dear, before PostgreSQL 18 said so itself.
const DEAR: f64 = 1e10;

/// Statements that compare or make whole tviews, and say so.
const WHOLE: &[&str] = &["__refresh(", "__check(", "__differ(", "__repair("];

const EXPLAINED: &str = "SET auto_explain.log_min_duration = 0; SET auto_explain.log_nested_statements = on;
    SET auto_explain.log_analyze = on; SET auto_explain.log_timing = off;
    SET auto_explain.log_format = json; SET auto_explain.log_level = notice; SET auto_explain.log_verbose = on;";

/// Of an EXISTS in an expression the planner makes two plans, one that looks rows up and one that hashes a table as a whole. From this
/// version on it chooses by costs alone, of which a scan that is disabled has no more than another: while a table is small, it is hashed.
const CHOOSES_BY_COST: i32 = 18;

/// Before this version the planner joins by comparing all with all what it expects to be few, also where hashing costs about the same.
const HASHES_FEW: i32 = 14;

/// A plan, and the functions that it was made in.
type Heard = Arc<Mutex<Vec<(String, String)>>>;

/// The tables that warnings name; none where a view is computed as a whole, which is said of the view.
fn warned(sql: &str) -> Option<BTreeSet<String>> {
    let options = Options { program: Some("test".into()), ..Options::default() };
    let mut tables = BTreeSet::new();
    for diagnostic in compile(&sources(sql), &options).diagnostics.sorted() {
        match diagnostic.code {
            Code::MissingIndex | Code::MadeOfRows => {
                tables.extend(diagnostic.title.split('`').nth(1).map(str::to_owned));
            }
            Code::WindowOfAll | Code::ChainOfAll | Code::PartsOfAll | Code::GroupOfAll => return None,
            _ => {}
        }
    }
    Some(tables)
}

/// A session that is told the plans; none where the server has no auto_explain.
fn explained(database: &str) -> Option<(Client, Heard)> {
    let heard = Heard::default();
    let listener = Arc::clone(&heard);
    let mut config = server().config(database, SUPERUSER);
    config.notice_callback(move |notice| {
        let context = notice.where_().unwrap_or_default().to_owned();
        listener.lock().expect("nobody panics here").push((context, notice.message().to_owned()));
    });
    let mut client = config.connect(NoTls).expect("connected");
    client.batch_execute("LOAD 'auto_explain'").ok()?;
    client.batch_execute(EXPLAINED).expect("set up");
    Some((client, heard))
}

/// Tables with indexes on expressions: which ones is not known, and nothing is said of others.
const MAYBE_INDEXED: &str = "SELECT DISTINCT c.relname::text FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indrelid WHERE i.indexprs IS NOT NULL";

/// Parts of the names of the functions of tviews that every write may compare as a whole, as is said of their views.
fn compared(sql: &str) -> Vec<String> {
    let views = sql.split("tviewc: full_refresh").skip(1);
    let names = views.filter_map(|text| text.split_once("CREATE VIEW v_")?.1.split_whitespace().next());
    names.map(|name| format!("__tv_{name}__")).collect()
}

/// Takes the subqueries out of a plan that the planner may have chosen to hash.
fn without_hashed(plan: &mut Value, text: &str) {
    let is_hashed = |below: &Value| {
        let name = below["Subplan Name"].as_str().filter(|_| below["Parent Relationship"] == "SubPlan");
        name.is_some_and(|name| text.contains(&format!("(hashed {name})")))
    };
    if let Some(below) = plan["Plans"].as_array_mut() {
        below.retain(|below| !is_hashed(below));
        below.iter_mut().for_each(|below| without_hashed(below, text));
    }
}

/// The tables that a plan scans because nothing else is left.
fn scanned(plan: &Value, into: &mut BTreeSet<String>) {
    let is_dear = plan["Disabled"] == true || plan["Total Cost"].as_f64().is_some_and(|cost| cost >= DEAR);
    let is_dear = is_dear && plan["Actual Loops"].as_f64().is_some_and(|loops| loops > 0.0);
    if let ("Seq Scan", true, Some(table)) =
        (plan["Node Type"].as_str().unwrap_or_default(), is_dear, plan["Relation Name"].as_str())
    {
        into.insert(table.to_owned());
    }
    plan["Plans"].as_array().into_iter().flatten().for_each(|below| scanned(below, into));
}

/// The plans that were made in our functions since, with their statements' texts, but for those that compare as a whole.
fn plans_of_ours(heard: &Heard, compared: &[String]) -> Vec<(String, Value)> {
    let whole = || WHOLE.iter().copied().chain(compared.iter().map(String::as_str));
    let plan = |(context, message): (String, String)| {
        let is_ours = context.contains("function tview.") && !whole().any(|part| context.contains(part));
        let (_, plan) = message.split_once(" plan:").filter(|_| is_ours)?;
        let mut plan: Value = serde_json::from_str(plan).expect("a plan as JSON");
        Some((format!("{}\n{context}", plan["Query Text"]), plan["Plan"].take()))
    };
    heard.lock().expect("nobody panics here").drain(..).filter_map(plan).collect()
}

/// The most rows that any node of a plan has looked at.
fn most(plan: &Value) -> f64 {
    let number = |name: &str| plan[name].as_f64().unwrap_or(0.0);
    let removed = number("Rows Removed by Join Filter") + number("Rows Removed by Filter");
    let own = (number("Actual Rows") + removed) * number("Actual Loops");
    plan["Plans"].as_array().into_iter().flatten().map(most).fold(own, f64::max)
}

/// The planner expects ten elements of an array that it does not know, and takes a thousand times a thousand for a hundred.
#[test]
fn keys_are_not_compared_with_each_other() {
    compared_keys(Strategy::Recompute);
}

/// The same of parts and patches.
#[test]
fn keys_of_parts_are_not_compared_with_each_other() {
    if major(&mut server().connect("postgres", SUPERUSER).expect("connected")) < HASHES_FEW {
        return println!("docs/operations.md says that it is so on this version, up to 1,000 keys");
    }
    compared_keys(Strategy::Path);
    compared_keys(Strategy::Auto);
}

/// The server's major version.
fn major(client: &mut Client) -> i32 {
    let asked = client.query_one("SELECT current_setting('server_version_num')::int4 / 10000", &[]);
    asked.expect("asked").get(0)
}

fn compared_keys(strategy: Strategy) {
    const ROWS: i32 = 600;
    let fill = format!(
        "INSERT INTO bench_authors SELECT i, 'a' || i, i || '@x' FROM generate_series(1, {ROWS}) i;
         INSERT INTO bench_posts SELECT i, i, 't', 'c' FROM generate_series(1, {ROWS}) i;
         INSERT INTO bench_comments SELECT i, i, i, 'c' FROM generate_series(1, {ROWS}) i;"
    );
    let database = format!("compared_keys_{strategy:?}").to_lowercase();
    installed_with(&database, &fixture("examples/blog/views.sql"), strategy);
    run(&database, &fill);
    run(&database, "VACUUM ANALYZE");
    let writes = [
        "UPDATE bench_authors SET name = name || '.'",
        "UPDATE bench_posts SET title = title || '.'",
        "UPDATE bench_comments SET content = content || '.'",
        "UPDATE bench_comments SET content = content || '.', author_id = 601 - author_id",
        "INSERT INTO bench_comments SELECT 1000 + i, i, i, 'c' FROM generate_series(1, 600) i",
        "DELETE FROM bench_comments",
        "DELETE FROM bench_posts",
    ];
    looks_at_no_more(&database, &writes, 20 * ROWS);
}

/// No node of a plan of ours looks at more rows than these while this is written. The database is dropped.
fn looks_at_no_more(database: &str, writes: &[&str], rows: i32) {
    let Some((mut client, heard)) = explained(database) else { return };
    let mut found = Vec::new();
    for write in writes {
        client.batch_execute(write).expect("written");
        let plans = plans_of_ours(&heard, &[]);
        assert!(!plans.is_empty(), "{write}: no plan was told");
        for (text, plan) in plans.into_iter().filter(|(_, plan)| most(plan) > f64::from(rows)) {
            found.push(format!("{write}: {} rows, not {rows}: {text}\n{plan:#}", most(&plan)));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n\n"));
    drop(client);
    server().drop_database(database).expect("dropped");
}

/// An argument with a collation of its own would give it to all variables of a function: no index of the others would serve then.
#[test]
fn a_collation_of_one_column_is_not_that_of_the_others() {
    const ROWS: i32 = 3_000;
    let sql = "
        CREATE TABLE country (code text COLLATE \"C\" PRIMARY KEY, name text NOT NULL);
        CREATE TABLE city (id text PRIMARY KEY, country text COLLATE \"C\" NOT NULL REFERENCES country (code), name text NOT NULL);
        CREATE INDEX ON city (country);
        CREATE VIEW v_city AS
        SELECT c.id, jsonb_build_object('id', c.id, 'name', c.name, 'country', k.name) AS data
          FROM city AS c JOIN country AS k ON k.code = c.country;
        CREATE VIEW v_country AS
        SELECT k.code, jsonb_build_object('cities', (SELECT jsonb_agg(c.id ORDER BY c.id) FROM city AS c WHERE c.country = k.code)) AS data
          FROM country AS k;";
    for strategy in [Strategy::Recompute, Strategy::Auto] {
        let database = format!("collations_{strategy:?}").to_lowercase();
        installed_with(&database, sql, strategy);
        run(
            &database,
            &format!(
                "INSERT INTO country SELECT 'c' || i, 'n' FROM generate_series(1, {ROWS}) i;
                 INSERT INTO city SELECT 'i' || i, 'c' || i, 'n' FROM generate_series(1, {ROWS}) i;"
            ),
        );
        run(&database, "VACUUM ANALYZE");
        let writes = [
            "UPDATE city SET country = 'c7' WHERE id IN ('i1', 'i2', 'i3')",
            "UPDATE city SET name = name || '.' WHERE id IN ('i1', 'i2', 'i3')",
            "UPDATE country SET name = name || '.' WHERE code IN ('c7', 'c8', 'c9')",
            "INSERT INTO city SELECT 'j' || i, 'c' || i, 'n' FROM generate_series(1, 3) i",
            "DELETE FROM city WHERE id IN ('i1', 'i2', 'i3')",
        ];
        looks_at_no_more(&database, &writes, 100);
    }
}

/// Writes, and looks at the plans.
pub(crate) fn scans_of(name: &str, path: &str) {
    let sql = fixture(path);
    let Some(mut known) = warned(&sql) else { return };
    let database = format!("scans_{name}");
    installed(&database, &sql);
    let Some((mut client, heard)) = explained(&database) else { return };
    let mut reader = server().connect(&database, SUPERUSER).expect("connected");
    known.extend(reader.query(MAYBE_INDEXED, &[]).expect("asked").iter().map(|row| row.get::<_, String>(0)));
    let whole = compared(&sql);
    // RESET ALL would end the explaining.
    let options = WriterOptions { settings: false, ..WriterOptions::default() };
    let mut writer = Writer::for_role(&mut reader, OWNER, 11, options).expect("a writer");
    let (mut plans, mut found) = (0, BTreeMap::new());
    let major = major(&mut reader);
    for _ in 0..TRANSACTIONS {
        writer.transaction(&mut client).expect("the connection holds");
        for (text, mut plan) in plans_of_ours(&heard, &whole) {
            plans += 1;
            if major >= CHOOSES_BY_COST {
                let shown = plan.to_string();
                without_hashed(&mut plan, &shown);
            }
            let mut tables = BTreeSet::new();
            scanned(&plan, &mut tables);
            for table in tables.into_iter().filter(|table| !known.contains(table)) {
                found.entry(table).or_insert_with(|| text.clone());
            }
        }
    }
    assert!(plans > 100, "{name}: {plans} plans were looked at");
    assert!(found.is_empty(), "{name}: read as a whole without a warning: {found:#?}");
    drop((client, reader, writer));
    server().drop_database(&database).expect("dropped");
}
