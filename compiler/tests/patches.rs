//! What is patched and what is not: the proofs, view by view.

use tviewc::plan::Strategy;
use tviewc::source::{SourceFile, Sources};
use tviewc::{Options, Output, compile};

const TABLES: &str = "
CREATE TABLE a (id integer PRIMARY KEY, name text NOT NULL, code text UNIQUE, nick text, n numeric UNIQUE);
CREATE TABLE p (id integer PRIMARY KEY, a_id integer NOT NULL, b_id integer, title text, state text, x double precision);
CREATE TABLE c (id integer PRIMARY KEY, p_id integer NOT NULL, a_id integer, body text);
CREATE TABLE loose (id integer NOT NULL, a_id integer NOT NULL, note text);
CREATE TABLE parted (id integer, region text, name text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE parted_loose (id integer NOT NULL, region text NOT NULL, name text) PARTITION BY LIST (region);
";

fn output(text: String, strategy: Strategy) -> Result<Output, String> {
    let file = SourceFile { name: "test.sql".into(), text, context_only: false };
    let compilation = compile(&Sources { files: vec![file] }, &Options { strategy, graph: true, ..Options::default() });
    let titles: Vec<&str> = compilation.diagnostics.sorted().iter().map(|d| d.title.as_str()).collect();
    compilation.output.ok_or_else(|| titles.join("; "))
}

/// A query is the view of its name; what is more than a query is taken as it is.
fn program(view: &str) -> String {
    match view.starts_with("SELECT") {
        true => format!("{TABLES}CREATE VIEW v AS {view};"),
        false => format!("{TABLES}{view};"),
    }
}

fn dependencies(view: &str, strategy: Strategy) -> Vec<serde_json::Value> {
    let output = output(program(view), strategy).unwrap_or_else(|titles| panic!("{view}: {titles}"));
    output.graph.expect("a graph").json["tviews"][0]["dependencies"].as_array().expect("a list").clone()
}

fn found(view: &str, alias: &str) -> serde_json::Value {
    let list = dependencies(view, Strategy::Auto);
    let of_alias = list.iter().find(|d| d["alias"] == alias);
    of_alias.unwrap_or_else(|| panic!("{view}: no {alias}")).clone()
}

/// The columns of a use that are patched, joined by blanks.
fn patched(view: &str, alias: &str) -> String {
    let found = found(view, alias);
    let columns = found["patched"].as_array().expect("a list");
    assert_eq!(columns.is_empty(), found["proof"].is_null(), "{found}");
    assert_eq!(columns.is_empty(), found["strategy"] != "patch", "{found}");
    columns.iter().filter_map(|c| c.as_str()).collect::<Vec<_>>().join(" ")
}

/// What a use does that is not patched: its strategy, the place, and the match key.
fn part(view: &str, alias: &str) -> String {
    let found = found(view, alias);
    let [only] = found["parts"].as_array().expect("a list").as_slice() else { panic!("{view}: {found}") };
    let path: Vec<&str> = only["path"].as_array().expect("a path").iter().filter_map(|p| p.as_str()).collect();
    let key = only["match_key"].as_str().map(|key| format!(" by {key}")).unwrap_or_default();
    format!("{} of {}{key}", found["strategy"].as_str().expect("a name"), path.join("."))
}

fn missing(view: &str, alias: &str, fact: &str) {
    let found = found(view, alias);
    let text = found["missing"].as_str().unwrap_or_else(|| panic!("this is patched: {view}: {found}"));
    assert!(text.contains(fact), "{view}: {text}");
}

/// A view of posts with their authors, with these fields and after these words.
fn posts(fields: &str, rest: &str) -> String {
    format!("SELECT p.id, jsonb_build_object('id', p.id, {fields}) AS data FROM p JOIN a ON a.id = p.a_id {rest}")
}

#[test]
fn values_in_objects_are_patched() {
    let nested =
        posts("'title', p.title, 'author', jsonb_build_object('id', a.id, 'name', a.name, 'nick', a.nick)", "");
    assert_eq!(patched(&nested, "a"), "name nick");
    assert_eq!(patched(&nested, "p"), "title");
    let deep = posts("'x', jsonb_build_object('y', jsonb_build_object('z', a.name), 'own', p.state)", "");
    assert_eq!((patched(&deep, "a"), patched(&deep, "p")), ("name".into(), "state".into()));
    assert_eq!(patched(&posts("'author', to_jsonb(a)", ""), "a"), "name code nick n");
}

#[test]
fn an_output_column_that_is_the_column_is_patched_with_it() {
    let both = "SELECT p.id, a.name, jsonb_build_object('name', a.name) AS data FROM p JOIN a ON a.id = p.a_id";
    assert_eq!(patched(both, "a"), "name");
    let computed =
        "SELECT p.id, upper(a.name) AS name, jsonb_build_object('name', a.name) AS data FROM p JOIN a ON a.id = p.a_id";
    missing(computed, "a", "expression");
}

#[test]
fn what_decides_something_is_not_patched() {
    let view = |rest: &str| posts("'name', a.name, 'title', p.title", rest);
    missing(&view("WHERE a.name <> 'x'"), "a", "condition");
    missing(&view("WHERE EXISTS (SELECT FROM c WHERE c.p_id = p.id AND c.body = a.name)"), "a", "condition");
    missing(&view("ORDER BY a.name"), "a", "order");
    assert_eq!(patched(&view("WHERE p.state = 'public'"), "a"), "name");
    assert_eq!(patched(&view("WHERE p.state = 'public'"), "p"), "title");
    let joined =
        "SELECT p.id, jsonb_build_object('code', a.code, 'state', p.state) AS data FROM p JOIN a ON a.code = p.state";
    missing(joined, "a", "");
    missing(joined, "p", "");
}

#[test]
fn keys_are_not_patched() {
    let view = "SELECT a.code, a.id, jsonb_build_object('code', a.code, 'name', a.name) AS data FROM a WHERE a.code IS NOT NULL";
    assert_eq!(patched(view, "a"), "name");
    missing("SELECT a.id, jsonb_build_object('id', a.id) AS data FROM a", "a", "");
}

#[test]
fn what_is_computed_is_not_patched() {
    for value in [
        "coalesce(a.nick, 'none')",
        "CASE WHEN a.nick = 'x' THEN 1 END",
        "upper(a.nick)",
        "a.nick || '!'",
        "jsonb_strip_nulls(jsonb_build_object('nick', a.nick))",
        "json_build_object('nick', a.nick)",
        "coalesce(jsonb_build_object('nick', a.nick), '{}')",
        "(SELECT a.nick)",
        "(SELECT jsonb_agg(jsonb_build_object('nick', a.nick, 'id', c.id) ORDER BY c.id) FROM c WHERE c.p_id = p.id)",
        "first_value(a.nick) OVER (PARTITION BY p.id ORDER BY p.id)",
    ] {
        let view = posts(&format!("'nick', {value}"), "");
        assert_eq!(patched(&view, "a"), "", "{value}");
        let with_name = posts(&format!("'name', a.name, 'nick', {value}"), "");
        assert_eq!(patched(&with_name, "a"), "name", "{value}");
    }
}

#[test]
fn json_documents_are_not_patched() {
    let view = "SELECT p.id, json_build_object('name', a.name) AS data FROM p JOIN a ON a.id = p.a_id";
    missing(view, "a", "json object");
    let inside = "SELECT p.id, json_build_object('author', jsonb_build_object('name', a.name)) AS data FROM p JOIN a ON a.id = p.a_id";
    missing(inside, "a", "json object");
}

#[test]
fn one_row_per_document_has_to_be_proved() {
    let elements = "SELECT p.id, jsonb_build_object('comments', (SELECT jsonb_agg(jsonb_build_object('id', c.id, 'body', c.body) ORDER BY c.id) FROM c WHERE c.p_id = p.id)) AS data FROM p";
    assert_eq!(part(elements, "c"), "array_patch of data.comments by id");
    let grouped = "SELECT a.id, jsonb_build_object('name', a.name, 'n', count(*)) AS data FROM a JOIN p ON p.a_id = a.id GROUP BY a.id";
    missing(grouped, "a", "groups");
    let several = "SELECT a.id, p.id AS p_id, jsonb_build_object('name', a.name, 'title', p.title) AS data FROM a JOIN p ON p.a_id = a.id";
    assert_eq!((patched(several, "a"), patched(several, "p")), ("name".into(), "title".into()));
    // Different numbers may be equal as floating point numbers.
    let lossy = "SELECT p.id, jsonb_build_object('name', a.name) AS data FROM p JOIN a ON a.n = p.x";
    if let Some(found) = dependencies_or_none(lossy) {
        assert!(found.iter().all(|d| d["alias"] != "a" || d["strategy"] != "patch"), "{found:?}");
    }
}

fn dependencies_or_none(view: &str) -> Option<Vec<serde_json::Value>> {
    let output = output(program(view), Strategy::Auto).ok()?;
    output.graph.expect("a graph").json["tviews"][0]["dependencies"].as_array().cloned()
}

#[test]
fn outer_joins_are_patched_where_the_link_alone_decides() {
    let view = |on: &str, rest: &str| {
        format!(
            "SELECT p.id, jsonb_build_object('name', a.name, 'title', p.title) AS data FROM p LEFT JOIN a ON {on} {rest}"
        )
    };
    assert_eq!(patched(&view("a.id = p.a_id", ""), "a"), "name");
    assert_eq!(patched(&view("a.id = p.a_id", "WHERE p.state = 'x'"), "a"), "name");
    for on in [
        "a.id = p.a_id AND a.nick = 'x'",
        "a.id = p.a_id AND p.state = 'x'",
        "a.id = p.a_id AND a.nick = p.state AND p.state IS NOT NULL",
        "a.id = p.a_id AND a.nick <> p.state",
        "a.id = p.a_id AND false",
        "(a.id, a.nick) = (p.a_id, p.state) AND a.code IS NOT NULL",
        "a.id = p.a_id AND EXISTS (SELECT FROM c WHERE c.p_id = p.id)",
        "a.id = p.a_id AND a.code = a.nick",
    ] {
        assert_eq!(patched(&view(on, ""), "a"), "", "{on}");
        assert_eq!(patched(&view(on, ""), "p"), "title", "{on}");
    }
    let inner = "SELECT p.id, jsonb_build_object('name', s.name) AS data FROM p LEFT JOIN (SELECT * FROM a WHERE a.nick = 'x') s ON s.id = p.a_id";
    missing(inner, "a", "outer-joined by more");
    let several = "SELECT p.id, jsonb_build_object('name', a.name) AS data FROM p LEFT JOIN (a JOIN c ON c.a_id = a.id) ON a.id = p.a_id AND c.id = p.b_id";
    missing(several, "a", "");
    let chain = "SELECT c.id, jsonb_build_object('title', p.title, 'name', a.name) AS data FROM c LEFT JOIN p ON p.id = c.p_id LEFT JOIN a ON a.id = p.a_id";
    assert_eq!((patched(chain, "p"), patched(chain, "a")), ("title".into(), "name".into()));
    let filtered = "SELECT c.id, jsonb_build_object('title', p.title, 'name', a.name) AS data FROM c LEFT JOIN p ON p.id = c.p_id AND p.state = 'x' LEFT JOIN a ON a.id = p.a_id";
    assert_eq!((patched(filtered, "p"), patched(filtered, "a")), (String::new(), String::new()));
    // The title is NULL where no author is found.
    let lateral = "SELECT p.id, jsonb_build_object('title', s.title) AS data FROM p LEFT JOIN LATERAL (SELECT p.title, a.id FROM a WHERE a.id = p.a_id) s ON true";
    missing(lateral, "p", "outer join");
}

#[test]
fn each_use_has_its_own_proof() {
    let view = "SELECT p.id, jsonb_build_object('author', jsonb_build_object('name', a.name), 'editor', jsonb_build_object('name', b.name)) AS data
        FROM p JOIN a ON a.id = p.a_id JOIN a AS b ON b.id = p.b_id WHERE b.name <> ''";
    assert_eq!(patched(view, "a"), "name");
    missing(view, "b", "condition");
}

#[test]
fn rows_without_a_key_are_not_patched() {
    let view =
        "SELECT a.id, jsonb_build_object('note', l.note, 'name', a.name) AS data FROM a JOIN loose l ON l.a_id = a.id";
    if let Some(found) = dependencies_or_none(view) {
        assert!(found.iter().all(|d| d["alias"] != "l" || d["strategy"] == "key_recompute"), "{found:?}");
    }
}

#[test]
fn views_of_several_variants_are_not_patched() {
    let union = "SELECT 'a' AS kind, a.id, jsonb_build_object('name', a.name) AS data FROM a
        UNION ALL SELECT 'p', p.id, jsonb_build_object('name', p.title) FROM p";
    missing(union, "a", "union");
    missing(union, "p", "union");
    let except = "SELECT a.id, jsonb_build_object('name', a.name) AS data FROM a
        EXCEPT SELECT p.id, jsonb_build_object('name', p.title) FROM p";
    missing(except, "a", "union");
    let full = "SELECT id, jsonb_build_object('name', a.name, 'title', p.title) AS data FROM a FULL JOIN p USING (id)";
    missing(full, "a", "union");
    missing(full, "p", "union");
    // A union that a value is made of makes no other rows, but the proof does not follow it.
    let inside = posts(
        "'name', a.name, 'all', (SELECT count(*) FROM (SELECT c.id FROM c WHERE c.p_id = p.id UNION SELECT c.id FROM c WHERE c.a_id = a.id) u)",
        "",
    );
    missing(&inside, "a", "union");
}

#[test]
fn what_a_window_reads_is_not_patched() {
    let view = |window: &str| posts(&format!("'title', p.title, 'state', p.state, 'name', a.name, 'w', {window}"), "");
    let rank = view("rank() OVER (PARTITION BY p.a_id ORDER BY p.state, p.id)");
    assert_eq!((patched(&rank, "p"), patched(&rank, "a")), ("title".into(), "name".into()));
    let dependencies = dependencies(&rank, Strategy::Auto);
    let copies: Vec<_> = dependencies.iter().filter(|d| d["alias"] != "p" && d["alias"] != "a").collect();
    assert!(!copies.is_empty() && copies.iter().all(|d| d["strategy"] == "key_recompute"), "{copies:?}");
    let lag = view("lag(p.title) OVER (PARTITION BY p.a_id ORDER BY p.id)");
    assert_eq!((patched(&lag, "p"), patched(&lag, "a")), ("state".into(), "name".into()));
    let partition = view("count(*) OVER (PARTITION BY p.state)");
    assert_eq!((patched(&partition, "p"), patched(&partition, "a")), ("title".into(), "name".into()));
    let filter = view("count(*) FILTER (WHERE a.name <> '') OVER (PARTITION BY p.a_id)");
    assert_eq!((patched(&filter, "p"), patched(&filter, "a")), ("title state".into(), String::new()));
    // What decides which rows there are decides what the window counts.
    let filtered = posts("'title', p.title, 'w', count(*) OVER (PARTITION BY p.a_id)", "WHERE p.title <> ''");
    missing(&filtered, "p", "condition");
    // In a derived table the window is a value of the query around.
    let derived = "SELECT w.id, jsonb_build_object('title', w.title, 'state', w.state, 'n', w.n) AS data
        FROM (SELECT p.*, row_number() OVER (PARTITION BY p.a_id ORDER BY p.title, p.id) AS n FROM p) w";
    assert_eq!(patched(derived, "p"), "state");
}

#[test]
fn computed_keys_and_links_are_not_patched() {
    let key =
        "SELECT upper(a.code) AS code, jsonb_build_object('name', a.name) AS data FROM a WHERE a.code IS NOT NULL";
    let computed = format!("-- tviewc: key(code)\nCREATE VIEW v AS {key}");
    missing(&computed, "a", "asserted");
    let grouped =
        "SELECT lower(p.state) AS state, jsonb_build_object('n', count(*)) AS data FROM p GROUP BY lower(p.state)";
    for found in dependencies_or_none(grouped).into_iter().flatten() {
        assert_ne!(found["strategy"], "patch", "{found}");
    }
    for on in [
        "a.id = p.a_id + 1",
        "upper(a.code) = p.state",
        "a.id BETWEEN p.a_id AND p.b_id",
        "a.id IS NOT DISTINCT FROM p.a_id",
    ] {
        let view = format!(
            "SELECT p.id, a.id AS a_id, jsonb_build_object('name', a.name, 'title', p.title) AS data FROM p JOIN a ON {on}"
        );
        for found in dependencies_or_none(&view).into_iter().flatten().filter(|d| d["alias"] == "a") {
            assert_ne!(found["strategy"], "patch", "{on}: {found}");
        }
    }
    missing(&posts("'name', b.name", "JOIN a b ON b.id = p.b_id + 1"), "b", "linked by");
    // A formula beside the key may leave rows out, but shows no other ones.
    assert_eq!(patched(&posts("'name', b.name", "JOIN a b ON b.id = p.b_id AND b.id < p.a_id"), "b"), "name");
}

#[test]
fn a_key_of_several_tables_is_not_patched() {
    let view = "SELECT a.id, q.id AS q_id, jsonb_build_object('name', a.name, 'title', q.title, 'body', c.body) AS data
        FROM c JOIN a ON a.id = c.a_id JOIN p q ON q.id = c.p_id GROUP BY a.id, q.id, c.body";
    for found in dependencies_or_none(view).into_iter().flatten() {
        assert_ne!(found["strategy"], "patch", "{found}");
    }
    let plain = "SELECT a.id, q.id AS q_id, jsonb_build_object('name', a.name, 'title', q.title) AS data
        FROM a JOIN p q ON q.state = a.nick";
    for alias in ["a", "q"] {
        missing(plain, alias, "several tables");
    }
}

#[test]
fn a_table_that_concerns_all_documents_is_not_patched() {
    let view = "-- tviewc: full_refresh\nCREATE VIEW v AS
        SELECT p.id, jsonb_build_object('title', p.title, 'name', a.name, 'all', (SELECT count(*) FROM a AS every)) AS data
        FROM p JOIN a ON a.id = p.a_id";
    missing(view, "a", "nothing links");
    missing(view, "every", "");
    // Which documents show a post, and what of it, has nothing to do with it.
    assert_eq!(patched(view, "p"), "title");
    let limited = "-- tviewc: full_refresh\nCREATE VIEW v AS
        SELECT p.id, jsonb_build_object('title', p.title) AS data FROM p ORDER BY p.id LIMIT 10";
    missing(limited, "p", "");
    let recursive = "-- tviewc: full_refresh\nCREATE VIEW v AS WITH RECURSIVE up AS (
            SELECT p.id, p.b_id FROM p UNION ALL SELECT up.id, q.b_id FROM up JOIN p q ON q.id = up.b_id)
        SELECT p.id, jsonb_build_object('title', p.title, 'n', (SELECT count(*) FROM up WHERE up.id = p.id)) AS data FROM p";
    for found in dependencies_or_none(recursive).into_iter().flatten() {
        assert_ne!(found["strategy"], "patch", "{found}");
    }
}

#[test]
fn an_asserted_key_is_not_patched() {
    let view =
        "-- tviewc: key(id)\nCREATE VIEW v AS SELECT l.id, jsonb_build_object('note', l.note, 'name', a.name) AS data
        FROM loose l JOIN a ON a.id = l.a_id";
    missing(view, "a", "asserted");
    missing(view, "l", "");
}

#[test]
fn distinct_rows_are_not_patched() {
    missing("SELECT DISTINCT a.id, jsonb_build_object('name', a.name) AS data FROM a", "a", "");
    let inside = "SELECT p.id, jsonb_build_object('title', p.title, 'name', s.name) AS data
        FROM p JOIN (SELECT DISTINCT a.id, a.name FROM a) s ON s.id = p.a_id";
    missing(inside, "a", "DISTINCT");
    missing(inside, "p", "DISTINCT");
    let picked = "SELECT DISTINCT ON (p.a_id) p.a_id, jsonb_build_object('title', p.title, 'name', a.name) AS data
        FROM p JOIN a ON a.id = p.a_id ORDER BY p.a_id, p.id";
    missing(picked, "p", "");
    missing(picked, "a", "");
    let picked_inside = "SELECT a.id, jsonb_build_object('name', a.name, 'last', s.title) AS data
        FROM a JOIN (SELECT DISTINCT ON (p.a_id) p.a_id, p.title FROM p ORDER BY p.a_id, p.id DESC) s ON s.a_id = a.id";
    missing(picked_inside, "p", "not joined by the query itself");
    assert_eq!(patched(picked_inside, "a"), "name");
    let grouped_inside = "SELECT a.id, jsonb_build_object('name', a.name, 'a', s.a_id, 'n', s.n) AS data
        FROM a LEFT JOIN (SELECT p.a_id, count(*) AS n FROM p GROUP BY p.a_id) s ON s.a_id = a.id";
    missing(grouped_inside, "p", "not joined by the query itself");
    assert_eq!(patched(grouped_inside, "a"), "name");
    let last = "SELECT a.id, jsonb_build_object('name', a.name, 'last', s.title) AS data
        FROM a LEFT JOIN LATERAL (SELECT p.title FROM p WHERE p.a_id = a.id ORDER BY p.id DESC LIMIT 1) s ON true";
    missing(last, "p", "not joined by the query itself");
}

#[test]
fn rows_that_functions_and_values_make_are_not_patched() {
    for from in ["generate_series(1, 3) AS g", "(VALUES (1), (2)) AS g(g)"] {
        let view = format!(
            "-- tviewc: key(id)\nCREATE VIEW v AS SELECT a.id, jsonb_build_object('name', a.name) AS data FROM a, {from}"
        );
        for found in dependencies_or_none(&view).into_iter().flatten() {
            assert_ne!(found["strategy"], "patch", "{from}: {found}");
        }
    }
    // A table that is joined to elements is shown by several rows, or by one in several rows.
    let elements = "SELECT t.name, jsonb_build_object('team', t.name, 'name', a.name) AS data
        FROM tagged t CROSS JOIN LATERAL unnest(t.tags) AS e(id) JOIN a ON a.id = e.id";
    let view = format!(
        "CREATE TABLE tagged (name text PRIMARY KEY, tags integer[]);\n-- tviewc: key(name)\nCREATE VIEW v AS {elements}"
    );
    for alias in ["a", "t"] {
        missing(&view, alias, "");
    }
    let inside = "CREATE TABLE tagged (name text PRIMARY KEY, note text, tags integer[]);
        CREATE VIEW v AS SELECT t.name, jsonb_build_object('note', t.note, 'of',
            (SELECT jsonb_agg(a.name ORDER BY a.id) FROM unnest(t.tags) AS e(id) JOIN a ON a.id = e.id)) AS data FROM tagged t";
    assert_eq!(part(inside, "a"), "path_recompute of data.of");
    assert_eq!(patched(inside, "t"), "note");
}

#[test]
fn the_other_outer_joins_are_not_patched() {
    let right =
        "SELECT a.id, jsonb_build_object('title', p.title, 'name', a.name) AS data FROM p RIGHT JOIN a ON a.id = p.id";
    missing(right, "p", "outer join");
    missing(right, "a", "outer join");
    // NULL, not an object of NULLs, where there is no author.
    let object = "SELECT p.id, jsonb_build_object('author', s.o) AS data
        FROM p LEFT JOIN (SELECT a.id, jsonb_build_object('name', a.name, 'kind', 'author') AS o FROM a) s ON s.id = p.a_id";
    assert_eq!(patched(object, "a"), "name");
    let borrowed = "SELECT p.id, jsonb_build_object('author', s.o) AS data
        FROM p LEFT JOIN LATERAL (SELECT jsonb_build_object('name', a.name, 'title', p.title) AS o FROM a WHERE a.id = p.a_id) s ON true";
    missing(borrowed, "a", "outer join");
    missing(borrowed, "p", "outer join");
}

#[test]
fn partitioned_tables_are_patched_by_their_key() {
    let view = |table: &str| {
        format!("SELECT r.id, r.region, jsonb_build_object('name', r.name, 'where', r.region) AS data FROM {table} r")
    };
    assert_eq!(patched(&view("parted"), "r"), "name");
    let loose = format!("-- tviewc: key(id, region)\nCREATE VIEW v AS {}", view("parted_loose"));
    missing(&loose, "r", "");
    // A part of the key is not the key.
    let part =
        "SELECT p.id, r.region, jsonb_build_object('name', r.name) AS data FROM p JOIN parted r ON r.id = p.a_id";
    for found in dependencies_or_none(part).into_iter().flatten().filter(|d| d["alias"] == "r") {
        assert!(
            found["strategy"] != "patch" || found["proof"].as_str().is_some_and(|p| p.contains("r.region")),
            "{found}"
        );
    }
    let by_part = "SELECT p.id, jsonb_build_object('name', (SELECT min(r.name) FROM parted r WHERE r.id = p.a_id)) AS data FROM p";
    assert_eq!(self::part(by_part, "r"), "path_recompute of data.name");
}

#[test]
fn definitions_are_patched_like_views() {
    for what in ["CREATE TABLE tv_x AS", "CREATE MATERIALIZED VIEW tv_x AS"] {
        let view = format!("{what} {}", posts("'title', p.title, 'name', a.name", ""));
        assert_eq!((patched(&view, "p"), patched(&view, "a")), ("title".into(), "name".into()));
    }
}

#[test]
fn views_on_views_are_patched_where_they_only_join() {
    let view = "CREATE VIEW author AS SELECT a.id, upper(a.code) AS code, a.name FROM a WHERE a.nick <> 'x';
        CREATE VIEW v AS SELECT p.id, jsonb_build_object('name', w.name, 'code', w.code) AS data FROM p JOIN author w ON w.id = p.a_id";
    assert_eq!(patched(view, "a"), "name");
    let left = view.replace("JOIN author", "LEFT JOIN author");
    missing(&left, "a", "outer-joined by more");
}

#[test]
fn what_the_users_own_functions_make_is_not_patched() {
    let own = "CREATE FUNCTION own.jsonb_build_object(key text, value text) RETURNS jsonb LANGUAGE sql IMMUTABLE AS 'SELECT NULL::jsonb';
        CREATE VIEW v AS SELECT p.id, own.jsonb_build_object('name', a.name) AS data FROM p JOIN a ON a.id = p.a_id";
    missing(own, "a", "expression");
}

#[test]
fn a_view_that_reads_the_clock_is_not_patched() {
    let view = format!("-- tviewc: allow(TV0303)\nCREATE VIEW v AS {}", posts("'name', a.name, 'as_of', now()", ""));
    missing(&view, "a", "clock");
}

#[test]
fn too_many_places_are_not_patched() {
    let places = |n: usize| {
        let place = |n: usize| format!("'o{n}', jsonb_build_object('name', a.name, 'n', {n})");
        posts(&(0..n).map(place).collect::<Vec<_>>().join(", "), "")
    };
    assert_eq!(patched(&places(16), "a"), "name");
    missing(&places(17), "a", "more than 16 places");
}

#[test]
fn a_whole_row_is_not_replaced() {
    let up =
        |value: &str| output(program(&posts(&format!("'author', {value}"), "")), Strategy::Auto).expect("compiles").up;
    // It shows columns that the table has got since.
    let row = up("to_jsonb(a)");
    assert!(row.contains("jsonb_put(document.data, '{author}'::text[], coalesce(nullif(document.data #> '{author}', 'null'), '{}') || changes.value_1"), "{row}");
    assert!(row.contains("(SELECT a.id, jsonb_build_object('code', a.code, "), "{row}");
    let object = up("jsonb_build_object('id', a.id, 'name', a.name, 'code', a.code)");
    assert!(object.contains("jsonb_put(document.data, '{author}'::text[], changes.value_1)"), "{object}");
    assert!(object.contains("jsonb_build_object('id', a.id, 'name', a.name, 'code', a.code) AS part_1"), "{object}");
    let field = up("jsonb_build_object('name', a.name, 'kind', 'author')");
    assert!(field.contains("jsonb_put(document.data, '{author,name}'::text[], changes.value_1)"), "{field}");
    assert!(field.contains("coalesce(to_jsonb(a.name), 'null') AS part_1"), "{field}");
}

#[test]
fn patches_can_be_turned_off() {
    let view = posts("'name', a.name", "");
    for (strategy, only) in
        [(Strategy::Recompute, &["key_recompute"][..]), (Strategy::Path, &["key_recompute", "path_recompute"])]
    {
        let all = dependencies(&view, strategy);
        assert!(all.iter().all(|d| d["strategy"].as_str().is_some_and(|s| only.contains(&s))), "{all:?}");
    }
}

/// A view of posts with an array of their comments.
fn comments(element: &str, rest: &str) -> String {
    format!(
        "SELECT p.id, jsonb_build_object('comments', (SELECT jsonb_agg({element}) FROM c {rest} WHERE c.p_id = p.id)) AS data FROM p"
    )
}

#[test]
fn elements_are_told_apart_by_declared_keys_alone() {
    let by_id = "array_patch of data.comments by id";
    assert_eq!(
        part(&comments("jsonb_build_object('id', c.id, 'body', c.body) ORDER BY c.body DESC, c.id", ""), "c"),
        by_id
    );
    assert_eq!(
        part(&comments("jsonb_build_object('key', c.id) ORDER BY c.id", ""), "c"),
        "array_patch of data.comments by key"
    );
    // The joined table's rows are elements' as well; its `id` tells them apart only where a comment has its own author.
    let joined = comments("jsonb_build_object('id', c.id, 'name', a.name) ORDER BY c.id", "JOIN a ON a.id = c.a_id");
    assert_eq!((part(&joined, "c"), part(&joined, "a")), (by_id.into(), by_id.into()));
    let anothers = comments("jsonb_build_object('id', a.id, 'body', c.body) ORDER BY c.id", "JOIN a ON a.id = c.a_id");
    assert_eq!(part(&anothers, "c"), "path_recompute of data.comments");
    let no_key = "SELECT p.id, jsonb_build_object('notes', (SELECT jsonb_agg(jsonb_build_object('id', l.id) ORDER BY l.id) FROM loose l WHERE l.a_id = p.id)) AS data FROM p";
    assert_eq!(part(no_key, "l"), "path_recompute of data.notes");
}

#[test]
fn arrays_that_are_no_elements_of_rows_are_computed_again() {
    for (element, rest) in [
        ("DISTINCT jsonb_build_object('id', c.id)", ""),
        ("c.body ORDER BY c.id", ""),
        ("jsonb_build_object('id', c.id) || '{}' ORDER BY c.id", ""),
    ] {
        assert_eq!(part(&comments(element, rest), "c"), "path_recompute of data.comments", "{element} {rest}");
    }
    let limited = "SELECT p.id, jsonb_build_object('top', (SELECT jsonb_agg(s.o) FROM (SELECT jsonb_build_object('id', c.id) AS o FROM c WHERE c.p_id = p.id ORDER BY c.id LIMIT 3) AS s)) AS data FROM p";
    assert_eq!(part(limited, "c"), "path_recompute of data.top");
}

#[test]
fn what_decides_which_documents_there_are_is_recomputed() {
    let filtered = "SELECT p.id, jsonb_build_object('n', (SELECT count(*) FROM c WHERE c.p_id = p.id)) AS data FROM p
        WHERE EXISTS (SELECT FROM c WHERE c.p_id = p.id AND c.body <> 'x')";
    assert_eq!(found(filtered, "c")["strategy"], "key_recompute");
    assert_eq!(part(filtered, "c_2"), "path_recompute of data.n");
    let grouped =
        "SELECT p.id, jsonb_build_object('n', count(c.id)) AS data FROM p LEFT JOIN c ON c.p_id = p.id GROUP BY p.id";
    assert_eq!(found(grouped, "c")["strategy"], "key_recompute");
}

#[test]
fn several_values_are_computed_by_themselves() {
    let view = "SELECT p.id, upper(p.title) AS shout, jsonb_build_object('a', lower(p.title), 'b', jsonb_build_object('c', p.title || p.state)) AS data FROM p";
    let found = found(view, "p");
    let paths: Vec<String> = found["parts"].as_array().expect("a list").iter().map(|p| p["path"].to_string()).collect();
    assert_eq!(paths, [r#"["shout"]"#, r#"["data","a"]"#, r#"["data","b","c"]"#]);
}
