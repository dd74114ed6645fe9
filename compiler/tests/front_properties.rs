//! No input makes the front stages panic, and every span is a place in the text.

use proptest::prelude::*;
use tviewc::diagnostics::Diagnostics;
use tviewc::diagnostics::render::{Color, Format, render};
use tviewc::source::{SourceFile, Sources};
use tviewc::{catalog, syntax};

/// A bit of everything, to be cut and shuffled.
const SEED: &str = r#"
SET search_path TO app, public; SELECT set_config('search_path', 'a,b', false);
CREATE TABLE "Post" (id int4 PRIMARY KEY, t varchar(20)[] DEFAULT '{}'::text[] NOT NULL, v int GENERATED ALWAYS AS (id) STORED,
  r int REFERENCES x (id) ON DELETE SET NULL (r) DEFERRABLE, CONSTRAINT u UNIQUE (a, b), LIKE q INCLUDING ALL) INHERITS (z) PARTITION BY LIST (id);
CREATE TABLE p PARTITION OF "Post" (id NOT NULL) FOR VALUES IN (1);
ALTER TABLE ONLY p ADD COLUMN c interval day to second(3), DROP CONSTRAINT u, ALTER c TYPE timestamp(3) with time zone USING x;
ALTER TABLE p RENAME COLUMN c TO d; ALTER TABLE p RENAME TO pp; ALTER TABLE p ATTACH PARTITION pp DEFAULT; DROP TABLE pp CASCADE;
CREATE UNIQUE INDEX i ON p USING btree (lower(a), b DESC NULLS LAST) INCLUDE (c) WHERE a > 0;
CREATE TYPE m AS ENUM ('a'); CREATE DOMAIN e AS m NOT NULL; CREATE TYPE c AS (a int, b m[]);
CREATE FUNCTION f(a int DEFAULT 1) RETURNS SETOF int IMMUTABLE LANGUAGE sql BEGIN ATOMIC SELECT 1; END;
COPY t FROM stdin;
1	'
\.
\echo 'x
-- tviewc: key(id, "b"), skip table(x)
CREATE OR REPLACE VIEW v (a, "ü") WITH (security_barrier) AS SELECT DISTINCT ON (a) a.*, U&'x' || E'\'' || $q$ ; $q$, -a ^ 2 ~ b, j ->> 'k', 0x1F,
  (SELECT jsonb_agg(x ORDER BY y) FILTER (WHERE z) FROM t), CASE WHEN a IS NULL THEN 1 END FROM a LEFT JOIN LATERAL (b) ON a = b AND NOT c
  WHERE x IN (1, 2) AND y = ANY($1) GROUP BY 1 HAVING count(*) > 1 UNION ALL TABLE z LIMIT 1 WITH CHECK OPTION; /* a /* b */ */
"#;

fn front(text: &str) {
    let file = |text: &str| SourceFile { name: "x.sql".into(), text: text.into(), context_only: false };
    let sources = Sources { files: vec![file(text), file("CREATE VIEW last AS SELECT 1;")] };
    let mut diagnostics = Diagnostics::default();
    let statements = syntax::parse(&sources, &mut diagnostics);
    for statement in &statements {
        let mut end = statement.span.start;
        for (_, span) in &statement.tokens {
            assert!(end <= span.start && span.start < span.end && span.end <= statement.span.end, "{span:?}");
            assert!(!sources.text(*span).starts_with(|c: char| c.is_ascii_whitespace()), "{span:?}");
            end = span.end;
        }
    }
    catalog::build(&sources, &statements, &mut diagnostics);
    for format in [Format::Full, Format::Concise, Format::Json, Format::Github, Format::Sarif] {
        render(&diagnostics, &sources, format, Color::Never);
    }
}

/// The seed with pieces removed, repeated, moved, or replaced by something hostile.
fn mutated() -> impl Strategy<Value = String> {
    let hostile = prop::sample::select(vec![
        "(", ")", "'", "\"", "$$", ";", "--", "/*", "*/", "\\", "é", "😀", "\r\n", "\t", ".", ",", ":", "[", "]",
        "\u{a0}", "\0",
    ]);
    let edit = (0..SEED.len(), 0..60usize, 0..SEED.len(), hostile, 0..4u8);
    prop::collection::vec(edit, 1..8).prop_map(|edits| {
        let mut text: Vec<char> = SEED.chars().collect();
        for (at, length, to, hostile, kind) in edits {
            let at = at.min(text.len());
            let end = (at + length).min(text.len());
            match kind {
                0 => drop(text.drain(at..end)),
                1 => {
                    let piece: Vec<char> = text[at..end].to_vec();
                    let to = to.min(text.len());
                    text.splice(to..to, piece);
                }
                2 => drop(text.splice(at..at, hostile.chars())),
                _ => text.truncate(text.len() - (text.len() - at) / 4),
            }
        }
        text.into_iter().collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_text_never_panics(text in any::<String>()) {
        front(&text);
    }

    #[test]
    fn arbitrary_sql_like_text_never_panics(text in "(CREATE|VIEW|TABLE|AS|SELECT|FROM|[a-z\"'$;(),.é\\n -]){0,60}") {
        front(&text);
    }

    #[test]
    fn mutated_sql_never_panics(text in mutated()) {
        front(&text);
    }
}

#[test]
fn the_seed_itself() {
    front(SEED);
    front("-- tviewc: 😀\nCREATE VIEW v AS SELECT 1;");
    front("SELECT E'\\é");
}
