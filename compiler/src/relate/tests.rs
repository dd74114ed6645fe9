//! Keys and links of small views: what is proved, what is followed, and what is not.

use crate::catalog::{self, Catalog};
use crate::diagnostics::Diagnostics;
use crate::relate::{Pair, Relations, ValueLock, relate};
use crate::resolve::{ColumnRef, FlatView, resolve};
use crate::source::{SourceFile, Sources};
use crate::syntax;

const TABLES: &str = "
CREATE TABLE a (id integer PRIMARY KEY, code text UNIQUE, name text);
CREATE TABLE p (id integer PRIMARY KEY, a_id integer, kind text NOT NULL, UNIQUE (a_id, kind));
CREATE TABLE c (id bigint PRIMARY KEY, p_id bigint, a_id integer, body text);
CREATE TABLE line (p_id integer, no integer, PRIMARY KEY (p_id, no));
CREATE TABLE big (p_id bigint, no bigint, size real, bits bytea NOT NULL, PRIMARY KEY (p_id, no));
CREATE TABLE loose (p_id integer, late integer UNIQUE DEFERRABLE);
CREATE TABLE stay (id integer PRIMARY KEY, begins timestamp NOT NULL);
";

/// Key and links of the view `v`, or the titles of what was found.
fn related(view: &str) -> Result<(FlatView, Relations, Catalog), Vec<String>> {
    let text = format!("{TABLES}CREATE VIEW v AS {view};");
    let file = SourceFile { name: "test.sql".into(), text, context_only: false };
    let sources = Sources { files: vec![file] };
    let mut found = Diagnostics::default();
    let statements = syntax::parse(&sources, &mut found);
    let catalog = catalog::build(&sources, &statements, &mut found);
    let mut views = resolve(&sources, &statements, &catalog, &mut found);
    let relations = views.first().and_then(|v| relate(v, &catalog, &mut found));
    match relations {
        Some(relations) if !found.has_errors() => Ok((views.remove(0), relations, catalog)),
        _ => Err(found.sorted().iter().map(|d| d.title.clone()).collect()),
    }
}

/// `c.p_id = p.id, p.a_id = a.id; …`, one entry per link, in locking order.
fn links(view: &str) -> String {
    all_links(view).swap_remove(0)
}

/// Those of each variant.
fn all_links(view: &str) -> Vec<String> {
    let (flat, relations, catalog) = related(view).unwrap_or_else(|titles| panic!("{view}: {titles:?}"));
    let name = |c: ColumnRef| {
        let owner = flat.use_of(c);
        let table = catalog.table(&owner.table);
        format!("{}.{}", owner.alias, table.columns[c.column].name)
    };
    let pairs = |l: &super::Link| l.on.iter().map(|p: &Pair| p.text(&name)).collect::<Vec<_>>().join(" and ");
    let of_variant = |variant: &super::Variant| {
        let links = variant.links.iter().map(pairs).filter(|l| !l.is_empty());
        links.collect::<Vec<_>>().join(", ")
    };
    relations.variants.iter().map(of_variant).collect()
}

fn key(view: &str) -> String {
    let (flat, relations, _) = related(view).unwrap_or_else(|titles| panic!("{view}: {titles:?}"));
    relations.key.columns.iter().map(|k| flat.outputs[k.output].name.to_string()).collect::<Vec<_>>().join(", ")
}

/// Of each key column whether it can be NULL.
fn nullable(view: &str) -> Vec<bool> {
    let (_, relations, _) = related(view).unwrap_or_else(|titles| panic!("{view}: {titles:?}"));
    relations.key.columns.iter().map(|k| k.nullable).collect()
}

fn refused(view: &str, title: &str) {
    match related(view) {
        Ok(_) => panic!("this was accepted: {view}"),
        Err(titles) => assert!(titles.iter().any(|t| t.contains(title)), "{view}: {titles:?}"),
    }
}

#[test]
fn keys_follow_from_declared_keys() {
    assert_eq!(key("SELECT p.id, to_jsonb(a) AS d FROM p JOIN a ON a.id = p.a_id"), "id");
    assert_eq!(key("SELECT p.id, to_jsonb(a) AS d FROM p LEFT JOIN a ON a.id = p.a_id"), "id");
    // An equal column serves as well.
    assert_eq!(key("SELECT l.p_id AS x, l.no, to_jsonb(p) AS d FROM p JOIN line l ON l.p_id = p.id"), "x, no");
    assert_eq!(key("SELECT p.id AS x, l.no, to_jsonb(p) AS d FROM p JOIN line l ON l.p_id = p.id"), "x, no");
    // A constant completes a key of two columns; the other comes from a join.
    let fixed = "SELECT a.id, to_jsonb(p) AS d FROM a LEFT JOIN p ON p.a_id = a.id AND p.kind = 'x'";
    assert_eq!(key(fixed), "id");
    let fixed = "SELECT a.id, to_jsonb(p) AS d FROM a JOIN p ON p.a_id = a.id WHERE p.kind = 'x'";
    assert_eq!(key(fixed), "id");
}

#[test]
fn what_multiplies_rows_or_may_be_null_is_no_key() {
    refused("SELECT a.id, to_jsonb(p) AS d FROM a JOIN p ON p.a_id = a.id", "no key");
    refused("SELECT a.id, p.id AS p, to_jsonb(p) AS d FROM a LEFT JOIN p ON p.a_id = a.id", "no key");
    refused("SELECT l.late, to_jsonb(l) AS d FROM loose l", "no key");
    // UNIQUE without NOT NULL.
    refused("SELECT a.code, to_jsonb(a) AS d FROM a", "no key");
    // A join by a nullable unique column finds at most one row all the same.
    assert_eq!(key("SELECT c.id, to_jsonb(a) AS d FROM c LEFT JOIN a ON a.code = c.body"), "id");
    refused(
        "SELECT a.id AS id, p.kind AS kind, count(*), jsonb_build_array() AS d FROM p LEFT JOIN a ON a.id = p.a_id GROUP BY a.id, p.kind",
        "can be NULL",
    );
}

#[test]
fn each_side_of_a_union_has_a_key() {
    let union = |side: &str| format!("SELECT a.id, 'x' AS k, to_jsonb(a) AS d FROM a UNION ALL SELECT {side}");
    assert_eq!(key(&union("p.id, 'y', to_jsonb(p) FROM p")), "id, k");
    refused(&union("a.id, 'y', to_jsonb(p) FROM a JOIN p ON p.a_id = a.id"), "no key");
    refused(&union("p.a_id, 'y', to_jsonb(p) FROM p WHERE p.a_id IS NOT NULL"), "no key");
    refused(&union("length(p.kind), 'y', to_jsonb(p) FROM p"), "no key");
    let in_from = "SELECT u.id, u.k, u.d FROM (SELECT a.id, 'x' AS k, to_jsonb(a) AS d FROM a
                     UNION ALL SELECT a.id, 'y', to_jsonb(p) FROM a JOIN p ON p.a_id = a.id) AS u";
    refused(in_from, "no key");
}

#[test]
fn a_text_with_a_key_in_it_is_one() {
    assert_eq!(key("SELECT 'a-' || a.id AS key, to_jsonb(a) AS d FROM a"), "key");
    assert_eq!(key("SELECT concat('a-', a.id) AS key, to_jsonb(a) AS d FROM a"), "key");
    let feed = |other: &str| {
        format!(
            "SELECT 'a-' || a.id AS key, to_jsonb(a) AS d FROM a UNION ALL SELECT {other} || p.id, to_jsonb(p) FROM p"
        )
    };
    assert_eq!(key(&feed("'p-'")), "key");
    // `a-` and `1` is `a-1`.
    refused(&feed("'a'"), "no key");
    refused("SELECT 'a-' || a.name AS key, to_jsonb(a) AS d FROM a", "no key");
    refused("SELECT 'a-' || p.id / 2 AS key, to_jsonb(p) AS d FROM p", "no key");
    // NULL is as good as an empty text to concat; and what is no text is told by no text before it.
    assert_eq!(key("SELECT 'a' || a.code AS k, count(*), to_jsonb(a.code) AS d FROM a GROUP BY a.code"), "k");
    refused("SELECT concat('a', a.code) AS k, count(*), to_jsonb(a.code) AS d FROM a GROUP BY a.code", "no key");
    refused(
        "SELECT 'a' || b.bits AS k, b.p_id, b.no, to_jsonb(1) AS d FROM big b UNION ALL SELECT 'b' || b.bits, b.p_id, b.no, to_jsonb(2) FROM big b",
        "no key",
    );
}

#[test]
fn a_column_that_equals_an_aggregate_follows_from_what_that_reads() {
    let latest =
        "SELECT l.p_id, to_jsonb(l) AS d FROM line l WHERE l.no = (SELECT max(x.no) FROM line x WHERE x.p_id = l.p_id)";
    assert_eq!(key(latest), "p_id");
    let joined = "SELECT l.p_id, to_jsonb(l) AS d FROM line l
                    JOIN (SELECT x.p_id, max(x.no) AS no FROM line x GROUP BY x.p_id) m ON m.p_id = l.p_id AND m.no = l.no";
    assert_eq!(key(joined), "p_id");
    // Of another column there may be several rows, and a query may have one for each row.
    refused(&latest.replace("x.p_id = l.p_id", "x.p_id = l.no"), "no key");
    refused(&latest.replace("l.no = (SELECT", "l.no >= (SELECT"), "no key");
    refused(&joined.replace("GROUP BY x.p_id) m", "GROUP BY x.p_id, x.no) m"), "no key");
    // Two numbers of the one type can be equal to one of the other.
    let measured =
        "SELECT b.p_id, to_jsonb(b) AS d FROM big b WHERE b.no = (SELECT max(x.no) FROM big x WHERE x.p_id = b.p_id)";
    assert_eq!(key(measured), "p_id");
    refused(&measured.replace("max(x.no)", "max(x.size)"), "no key");
    refused(&measured.replace("max(x.no)", "max(x.no + 0.5::float8)"), "no key");
    // What is a constant of each side of a union is none of both.
    let sides = "SELECT l.p_id, jsonb_agg(u.g ORDER BY u.g) AS d FROM line l
                   JOIN (SELECT 1 AS g, a.id FROM a UNION ALL SELECT 2, p.id FROM p) u ON u.id = l.p_id
                  WHERE l.no = (SELECT max(x.no) FROM line x WHERE x.p_id = l.p_id AND x.no < u.g) GROUP BY l.p_id, l.no";
    refused(sides, "no key");
}

#[test]
fn null_is_a_value_of_a_key_that_rows_tell() {
    assert_eq!(nullable("SELECT c.a_id, jsonb_agg(c.body ORDER BY c.id) AS d FROM c GROUP BY c.a_id"), [true]);
    let present = "SELECT c.a_id, jsonb_agg(c.body ORDER BY c.id) AS d FROM c WHERE c.a_id IS NOT NULL GROUP BY 1";
    assert_eq!(nullable(present), [false]);
    // Of one of several rows with NULL nobody can tell which it is.
    refused("SELECT a.code, to_jsonb(a) AS d FROM a", "no key");
    refused("-- tviewc: key(a_id)\nSELECT c.a_id, to_jsonb(c) AS d FROM c", "no key");
}

#[test]
fn a_column_of_the_other_side_is_null_where_an_outer_join_finds_nothing() {
    let shown = "SELECT s.id, to_jsonb(a) AS d FROM a
                   LEFT JOIN LATERAL (SELECT a.id FROM p WHERE p.a_id = a.id ORDER BY p.id LIMIT 1) s ON true";
    refused(shown, "no key");
}

#[test]
fn links_are_chains_of_equalities() {
    let chain = "SELECT c.id, to_jsonb(a) AS d FROM c JOIN p ON p.id = c.p_id JOIN a ON a.id = p.a_id";
    assert_eq!(links(chain), "p.id = c.p_id, a.id = p.a_id");
    let nested = "SELECT a.id, jsonb_build_object('n', (SELECT count(*) FROM p WHERE p.a_id = a.id AND EXISTS (
                      SELECT FROM c WHERE c.p_id = p.id))) AS d FROM a";
    assert_eq!(links(nested), "p.a_id = a.id, c.p_id = p.id");
    // Two levels up at once: the shortest way wins.
    let skipping = "SELECT a.id, jsonb_build_object('n', (SELECT count(*) FROM p WHERE p.a_id = a.id AND EXISTS (
                        SELECT FROM c WHERE c.p_id = p.id AND c.a_id = a.id))) AS d FROM a";
    assert_eq!(links(skipping), "p.a_id = a.id, c.a_id = a.id");
}

#[test]
fn each_part_of_a_condition_leads_to_documents_of_its_own() {
    let counted = |condition: &str| {
        format!("SELECT a.id, jsonb_build_object('n', (SELECT count(*) FROM p WHERE {condition})) AS d FROM a")
    };
    let shared = "EXISTS (SELECT FROM c WHERE c.p_id = p.id AND c.a_id = a.id)";
    let either = all_links(&counted(&format!("p.a_id = a.id OR {shared}")));
    assert_eq!(either, ["p.a_id = a.id, c.a_id = a.id", "c.a_id = a.id, p.id = c.p_id"]);
    // NULL is as good as false there.
    let among =
        all_links(&counted("(p.a_id = a.id OR p.id IN (SELECT c.p_id FROM c WHERE c.a_id = a.id)) AND p.kind <> 'x'"));
    assert_eq!(among, ["p.a_id = a.id, c.a_id = a.id", "c.a_id = a.id, p.id = c.p_id"]);
    // What all rows fulfil links by itself.
    assert_eq!(all_links(&counted(&format!("p.a_id = a.id AND (p.kind = 'x' OR {shared})"))).len(), 1);
    // A part that leads nowhere leads everywhere.
    for part in [
        "p.kind = 'x'",
        "NOT EXISTS (SELECT FROM c WHERE c.p_id = p.id AND c.a_id = a.id)",
        "p.id IN (SELECT c.p_id FROM c)",
    ] {
        refused(&counted(&format!("p.a_id = a.id OR {shared} OR {part}")), "nothing links");
    }
    // The first that is there is one of them.
    let first =
        "SELECT c.id, jsonb_build_object('n', (SELECT count(*) FROM a WHERE a.name = coalesce(c.body, p.kind))) AS d
                   FROM c JOIN p ON p.id = c.p_id";
    assert_eq!(all_links(first), ["p.id = c.p_id, a.name = c.body", "p.id = c.p_id, a.name = p.kind"]);
    // The key rests on no part.
    let unproved =
        "SELECT p.a_id, to_jsonb(p) AS d FROM p WHERE p.kind = 'x' OR EXISTS (SELECT FROM a WHERE a.id = p.a_id)";
    refused(unproved, "no key of view");
}

#[test]
fn a_value_that_a_query_has_to_have_is_that_of_one_of_its_rows() {
    let within = "SELECT a.id, jsonb_build_object('n', (SELECT count(*) FROM p WHERE p.id = (SELECT c.p_id FROM c WHERE c.a_id = a.id))) AS d FROM a";
    assert_eq!(links(within), "c.a_id = a.id, p.id = c.p_id");
    for other in ["SELECT max(c.p_id)", "SELECT c.p_id", "SELECT c.p_id + 0 * count(*) OVER ()"] {
        let limit = if other == "SELECT c.p_id" { "ORDER BY c.id LIMIT 1" } else { "" };
        let view = within.replace("SELECT c.p_id", other).replace("a.id))) AS", &format!("a.id {limit}))) AS"));
        refused(&view, "nothing links");
    }
}

#[test]
fn an_outer_join_is_followed_from_its_nullable_side_only() {
    // b influences rows of a only through ON, which holds for the nullable side.
    let down = "SELECT a.id, to_jsonb(p) AS d FROM a LEFT JOIN p ON p.id = a.id";
    assert_eq!(links(down), "p.id = a.id");
    // ON compares two tables of the preserved side: every row of c appears with every row of a, partner or not.
    let sideways = "SELECT a.id, to_jsonb(c) AS d FROM a CROSS JOIN (SELECT c.a_id, c.id FROM c LIMIT 1) c
                      LEFT JOIN p ON p.id = a.id AND c.a_id = a.id";
    refused(sideways, "nothing links");
}

#[test]
fn a_formula_is_not_followed_from_where_an_outer_join_puts_nulls() {
    // c's absence is what the condition may ask for: its row leads to the rows of a that it stops from being shown.
    let inside = "SELECT a.id, (SELECT count(p.id) FROM p) AS n, to_jsonb(a) AS d FROM a
                    LEFT JOIN (p LEFT JOIN c ON c.p_id = p.id) ON coalesce(c.a_id, 0) = a.id";
    refused(inside, "no key");
    let counted = "SELECT a.id, jsonb_build_object('n', (SELECT count(*) FROM p LEFT JOIN c ON c.p_id = p.id
                     WHERE coalesce(c.a_id, 0) = a.id)) AS d FROM a";
    refused(counted, "nothing links `p`");
    let nested = "SELECT a.id, jsonb_build_object('n', (SELECT count(*) FROM line l
                     LEFT JOIN (p LEFT JOIN c ON c.p_id = p.id) ON coalesce(c.a_id, 0) = l.no WHERE l.p_id = a.id)) AS d FROM a";
    refused(nested, "nothing links `c`");
    // The join's own nullable side is whole when its condition is read.
    let own = "SELECT a.id, jsonb_build_object('n', (SELECT count(*) FROM line l
                     LEFT JOIN c ON coalesce(c.a_id, 0) = l.no WHERE l.p_id = a.id)) AS d FROM a";
    assert_eq!(links(own), "l.p_id = a.id, coalesce(c.a_id, 0) = l.no");
}

#[test]
fn one_row_is_fetched_as_one_is_limited_to() {
    let lateral = |limit: &str| {
        format!(
            "SELECT a.id, to_jsonb(x) AS d FROM a LEFT JOIN LATERAL (SELECT p.id FROM p WHERE p.a_id = a.id ORDER BY p.id {limit}) x ON true"
        )
    };
    for one in ["LIMIT 1", "FETCH FIRST ROW ONLY", "FETCH FIRST 1 ROW ONLY", "OFFSET 1 FETCH NEXT 1 ROWS ONLY"] {
        assert_eq!(key(&lateral(one)), "id", "{one}");
    }
    for more in ["LIMIT 2", "FETCH FIRST 2 ROWS ONLY", "FETCH FIRST ROW WITH TIES"] {
        refused(&lateral(more), "no key of view");
    }
}

#[test]
fn a_limit_is_no_way_through() {
    let inside = "SELECT a.id, to_jsonb(x) AS d FROM a
                    LEFT JOIN LATERAL (SELECT p.id FROM p WHERE p.a_id = a.id ORDER BY p.id LIMIT 1) x ON true";
    assert_eq!(links(inside), "p.a_id = a.id");
    // The condition comes after the limit: a changed row of p moves other rows into it.
    let outside = "SELECT a.id, to_jsonb(x) AS d FROM a
                     LEFT JOIN (SELECT p.id, p.a_id FROM p ORDER BY p.id LIMIT 1) x ON x.a_id = a.id";
    refused(outside, "nothing links");
    // Groups are crossed by what they are grouped by.
    let groups = "SELECT a.id, to_jsonb(s) AS d FROM a
                    LEFT JOIN (SELECT p.a_id, count(*) AS n FROM p GROUP BY p.a_id) s ON s.a_id = a.id";
    assert_eq!(links(groups), "p.a_id = a.id");
    let picked = "SELECT a.id, to_jsonb(s) AS d FROM a
                    LEFT JOIN (SELECT p.a_id, count(*) AS n FROM p GROUP BY p.a_id LIMIT 3) s ON s.a_id = a.id";
    refused(picked, "nothing links");
}

#[test]
fn conditions_that_are_no_equalities_link_as_a_whole() {
    let under_or =
        "SELECT a.id, to_jsonb(a) AS d FROM a WHERE EXISTS (SELECT FROM p WHERE p.a_id = a.id OR p.kind = a.name)";
    assert_eq!(links(under_or), "p.a_id = a.id or p.kind = a.name");
    let negated = "SELECT a.id, to_jsonb(a) AS d FROM a WHERE EXISTS (SELECT FROM p WHERE NOT p.a_id = a.id)";
    assert_eq!(links(negated), "not p.a_id = a.id");
    refused("SELECT a.id, to_jsonb(a) AS d FROM a WHERE a.id NOT IN (SELECT p.a_id FROM p)", "nothing links");
}

#[test]
fn values_of_both_sides_have_one_lock() {
    let lock = |view: &str| {
        let (_, relations, _) = related(view).unwrap_or_else(|titles| panic!("{titles:?}"));
        relations.variants[0].links.iter().filter_map(|l| l.lock.clone()).next()
    };
    // integer and bigint hash alike.
    let integers = "SELECT c.id, to_jsonb(p) AS d FROM c LEFT JOIN p ON p.id = c.p_id";
    assert_eq!(lock(integers), Some(ValueLock::Values(vec![None])));
    // A use that carries the key needs no lock of its own.
    assert_eq!(lock("SELECT a.id, to_jsonb(p) AS d FROM a LEFT JOIN p ON p.id = a.id"), None);
}

#[test]
fn texts_that_a_collation_may_equate_have_no_common_hash() {
    let locks = |collation: &str| {
        let view = format!(
            "SELECT a.id, jsonb_build_object('n', (SELECT count(*) FROM c WHERE c.body COLLATE {collation} = a.name)) AS data FROM a"
        );
        let (_, relations, _) = related(&view).unwrap();
        relations.variants[0].links.iter().filter_map(|l| l.lock.clone()).collect::<Vec<_>>()
    };
    assert!(matches!(&locks("\"C\"")[..], [ValueLock::Values(_)]));
    assert!(matches!(&locks("folded")[..], [ValueLock::Relation(_)]));
    assert!(matches!(&locks("\n    folded")[..], [ValueLock::Relation(_)]));
}

#[test]
fn a_collation_that_may_equate_texts_proves_nothing() {
    let view = |collation: &str| {
        format!("SELECT c.id, to_jsonb(a) AS d FROM c LEFT JOIN a ON a.code = c.body COLLATE {collation}")
    };
    assert_eq!(key(&view("\"C\"")), "id");
    refused(&view("folded"), "no key of view `v` can be found");
}

#[test]
fn lossy_conversions_prove_nothing() {
    // Two different numerics can equal one float: such a join may find several rows.
    let text = "CREATE TABLE n (id numeric PRIMARY KEY); CREATE TABLE f (id integer PRIMARY KEY, x double precision);
                CREATE VIEW v AS SELECT f.id, to_jsonb(n) AS d FROM f LEFT JOIN n ON n.id = f.x;";
    let file = SourceFile { name: "test.sql".into(), text: text.into(), context_only: false };
    let compilation = crate::compile(&Sources { files: vec![file] }, &crate::Options::default());
    assert!(compilation.output.is_none());
}

#[test]
fn a_formula_of_a_nullable_lateral_query_says_nothing_of_rows_without_it() {
    // Rows of a without a match are shown all the same: what leads to them is not the condition inside.
    let lateral = "SELECT a.id, jsonb_build_object('n', (SELECT count(*) FROM line l
                     LEFT JOIN LATERAL (SELECT c.id FROM c WHERE lower(c.body) = lower(a.code)) s ON true
                     WHERE l.p_id = a.id)) AS d FROM a";
    assert_eq!(links(lateral), "l.p_id = a.id, lower(c.body) = lower(a.code)");
    let outer = "SELECT a.id, jsonb_build_object('n', (SELECT count(*) FROM p
                     LEFT JOIN LATERAL (SELECT c.id FROM c WHERE lower(c.body) = lower(p.kind)) s ON true
                     JOIN c AS d ON d.id = s.id)) AS d FROM a WHERE a.id = 1";
    refused(outer, "nothing links");
}

#[test]
fn a_constant_of_another_type_may_be_equal_to_several_values() {
    let with =
        |kind: &str| format!("SELECT a.id, to_jsonb(p) AS d FROM a JOIN p ON p.a_id = a.id WHERE p.kind = {kind}");
    assert_eq!(key(&with("'x'::text")), "id");
    refused(&with("'x'::bpchar"), "no key");
}

#[test]
fn a_cast_that_different_values_survive_tells_the_column() {
    assert_eq!(key("SELECT a.id::text AS x, to_jsonb(a) AS d FROM a"), "x");
    assert_eq!(key("SELECT CAST((p.id) AS bigint) AS x, to_jsonb(a) AS d FROM p JOIN a ON a.id = p.a_id"), "x");
    // It may cut, round, or be followed by something that does.
    refused("SELECT a.id::varchar(3) AS x, to_jsonb(a) AS d FROM a", "no key");
    refused("SELECT c.id::real AS x, to_jsonb(c) AS d FROM c", "no key");
    refused("SELECT left(a.id::text, 3) AS x, to_jsonb(a) AS d FROM a", "no key");
    refused("SELECT -a.id::text AS x, to_jsonb(a) AS d FROM a", "no key");
}

#[test]
fn rows_of_a_cross_product_have_the_keys_of_both() {
    let cross = "SELECT a.id, p.id AS p, to_jsonb(c) AS d FROM a CROSS JOIN p LEFT JOIN c ON c.id = p.id";
    assert_eq!(key(cross), "id, p");
    assert_eq!(links(cross), "true, c.id = p.id");
    let below = "SELECT a.id, p.id AS p, to_jsonb(c) AS d FROM a CROSS JOIN p LEFT JOIN c ON c.id = p.id
                   WHERE EXISTS (SELECT FROM line l WHERE l.no = a.id)";
    assert_eq!(links(below), "l.no = a.id, true, c.id = p.id");
    // What has no part in the key concerns every document.
    refused("SELECT a.id, jsonb_build_object('n', (SELECT count(*) FROM c)) AS d FROM a", "nothing links");
}

#[test]
fn rows_that_are_made_distinct_in_from_are_groups() {
    let distinct = "SELECT s.kind, to_jsonb(s) AS d FROM (SELECT DISTINCT p.kind FROM p JOIN a ON a.id = p.a_id) s";
    assert_eq!(key(distinct), "kind");
    let except = "SELECT s.x, to_jsonb(s) AS d FROM (SELECT l.no AS x FROM line l EXCEPT SELECT p.a_id FROM p) s";
    assert_eq!(key(except), "x");
    refused(
        "SELECT s.x, to_jsonb(s) AS d FROM (SELECT l.no AS x FROM line l EXCEPT ALL SELECT p.a_id FROM p) s",
        "no key",
    );
    // Values that are no terms: of rows that are equal in them there is one, but nobody can say of which.
    let made = "SELECT s.no, to_jsonb(s) AS d FROM (SELECT DISTINCT l.no, (SELECT count(*) FROM p WHERE p.id = l.p_id) AS n FROM line l) s";
    refused(made, "no key");
}

#[test]
fn groups_of_rows_of_several_sides_are_told_by_what_both_have() {
    let union = "(SELECT 'a' AS side, a.id, a.name FROM a UNION ALL SELECT 'p', p.id, p.kind FROM p) s";
    let grouped = |select: &str, by: &str| format!("SELECT {select}, to_jsonb(count(*)) AS d FROM {union} {by}");
    assert_eq!(key(&grouped("s.id, s.side", "GROUP BY s.id, s.side")), "id, side");
    refused(&grouped("s.id", "GROUP BY s.id, s.side"), "no key");
    // A name follows from an id on either side, but is another one.
    refused(&grouped("s.id", "GROUP BY s.id, s.name"), "no key");
    // What follows from it outside of the sides, is one.
    assert_eq!(key(&grouped("s.id", "JOIN c ON c.id = s.id GROUP BY s.id, c.body")), "id");
    assert_eq!(key(&grouped("c.id", "JOIN c ON c.id = s.id GROUP BY s.id, c.id, c.body")), "id");
    refused(&grouped("s.id", "JOIN line l ON l.p_id = s.id GROUP BY s.id, l.no"), "no key");
}

#[test]
fn what_compares_with_constants_holds_the_key() {
    let series = |join: &str| {
        format!(
            "SELECT g.n, jsonb_build_object('p', count(p.id), 'c', count(c.id)) AS d
               FROM generate_series(1, 3) AS g(n) {join} LEFT JOIN c ON c.p_id = p.id GROUP BY g.n"
        )
    };
    assert_eq!(key(&series("LEFT JOIN p ON p.a_id = g.n")), "n");
    assert_eq!(links(&series("LEFT JOIN p ON p.a_id = g.n AND p.id > 2")), "c.p_id = p.id");
    // A row of p appears wherever the rest of the condition holds.
    refused(&series("LEFT JOIN p ON p.a_id = g.n OR p.id = g.n"), "nothing links");
    refused(&series("LEFT JOIN p ON p.a_id > g.n"), "nothing links");
    refused(&series("LEFT JOIN p ON p.a_id = g.n::numeric"), "nothing links");
    // Which rows LIMIT leaves is no matter of one value.
    let picked = "SELECT g.n, jsonb_build_object('n', s.n) AS d FROM generate_series(1, 3) AS g(n)
                    LEFT JOIN (SELECT p.a_id, count(*) AS n FROM p GROUP BY p.a_id ORDER BY n LIMIT 2) s ON s.a_id = g.n";
    refused(picked, "nothing links");
    let values = "SELECT v.k, jsonb_build_object('n', (SELECT count(*) FROM p WHERE p.kind = v.k)) AS d
                    FROM (VALUES ('x', 1), ('y', 1)) AS v(k, n)";
    assert_eq!(key(values), "k");
    assert_eq!(key(&values.replace("'x', 1", "'x'::text, 1::bigint")), "k");
    refused(&values.replace("'y'", "'x'"), "no key");
    refused(&values.replace("'y'", "'x '::bpchar"), "no key");
    refused(&values.replace("'y'", "NULL"), "no key");
    refused(&values.replace("p.kind = v.k", "p.kind = v.k COLLATE \"und-x-icu\""), "nothing links");
}

#[test]
fn what_is_said_of_constants_is_said_of_no_other_row() {
    // The condition of the join is no guard of the constants: a has documents without a partner.
    let guarded = "SELECT a.id, s.x::int AS n, jsonb_build_object('n', count(p.id)) AS d
                     FROM a CROSS JOIN (VALUES ('1'), ('2')) AS s(x) LEFT JOIN p ON p.a_id = a.id AND p.kind = s.x GROUP BY a.id, s.x::int";
    assert_eq!(key(guarded), "id, n");
    let (_, relations, _) = related(guarded).expect("accepted");
    assert!(
        relations.variants[0].key.iter().all(|term| term.uses().len() < 2 && !format!("{term:?}").contains("CASE"))
    );
    // Both joins have c alone on their nullable side: what ON says may be said of the NULLs of the inner one.
    let twice = "SELECT g.n, jsonb_build_object('c', count(v.x)) AS d FROM generate_series(0, 4) AS g(n)
                   LEFT JOIN (generate_series(1, 1) AS v(x) LEFT JOIN c ON c.id > 0) ON coalesce(c.a_id, 0) = g.n GROUP BY g.n";
    refused(twice, "nothing links");
    let once = "SELECT g.n, jsonb_build_object('c', count(c.id)) AS d FROM generate_series(0, 4) AS g(n)
                  LEFT JOIN c ON coalesce(c.a_id, 0) = g.n GROUP BY g.n";
    assert_eq!(key(once), "n");
    let infinite = "SELECT t.id, v.m, jsonb_build_object('n', 1) AS d FROM stay t
                      CROSS JOIN LATERAL (VALUES (to_char(t.begins, 'YYYY'))) AS v(m) GROUP BY t.id, v.m";
    assert_eq!(nullable(infinite), [false, true]);
}
