//! The blog: an author is renamed, which cascades to posts, comments and comments inside posts.
//!
//! In: how many authors; posts are ten times as many, comments fifty times. Out: the time of a rename in each arm. Every comment
//! of every post is kept right, whoever wrote it.

use super::Request;
use crate::error::Result;
use crate::paired::{Op, Target};
use crate::program::{Program, Tview};
use crate::result::Workload;

const ROWS: &str = "
INSERT INTO bench_authors (name, email, created_at)
SELECT 'Author ' || i, 'author' || i || '@example.com', timestamptz '2024-01-01 00:00:00+00' + i * interval '1 hour'
  FROM generate_series(1, {n}) AS i;
INSERT INTO bench_posts (author_id, title, content, status, created_at)
SELECT (i * 48271 + i * i * 16807) % 2147483647 % {n} + 1, 'Post Title ' || i, repeat('Content goes here. ', 25),
       CASE WHEN i % 5 = 0 THEN 'draft' ELSE 'published' END, timestamptz '2024-02-01 00:00:00+00' + i * interval '10 minutes'
  FROM generate_series(1::bigint, {n} * 10) AS i;
INSERT INTO bench_comments (post_id, author_id, content, created_at)
SELECT (i * 69621 + i * i * 40692) % 2147483399 % ({n} * 10) + 1, (i * 39373 + i * i * 40014) % 2147483563 % {n} + 1,
       'This is comment ' || i || '. ' || repeat('Comment content here. ', 10),
       timestamptz '2024-03-01 00:00:00+00' + i * interval '1 minute'
  FROM generate_series(1::bigint, {n} * 50) AS i;
";

const TVIEWS: [Tview; 2] = [
    Tview {
        table: "tv_bench_comments",
        view: "v_bench_comments",
        feeds: &[
            ("bench_comments", "SELECT c.id FROM changed AS c"),
            ("bench_authors", "SELECT c.id FROM changed AS a JOIN bench_comments AS c ON c.author_id = a.id"),
        ],
    },
    Tview {
        table: "tv_bench_posts",
        view: "v_bench_posts",
        feeds: &[
            ("bench_posts", "SELECT p.id FROM changed AS p"),
            ("bench_comments", "SELECT c.post_id FROM changed AS c"),
            (
                "bench_authors",
                "SELECT p.id FROM changed AS a JOIN bench_posts AS p ON p.author_id = a.id
                 UNION SELECT c.post_id FROM changed AS a JOIN bench_comments AS c ON c.author_id = a.id",
            ),
        ],
    },
];

/// The program with its rows.
pub fn program(authors: i32) -> Program {
    Program {
        name: "blog",
        views: include_str!("../../../../examples/blog/views.sql").to_owned(),
        rows: ROWS.replace("{n}", &authors.to_string()),
        after: String::new(),
        hand: Some(include_str!("../../sql/blog_triggers.sql")),
        comparison: None,
        has_ceiling: false,
        tviews: TVIEWS.to_vec(),
    }
}

/// Measures it.
pub fn run(request: &Request<'_>) -> Result<Workload> {
    let authors = request.size("authors");
    let rename = "UPDATE bench_authors SET name = 'Author ' || $1 || '.' || $2::int WHERE id = $1";
    let ops = vec![Op::new("an author renamed", authors, rename).goal(Target::Faster(1.5))];
    request.paired(&program(authors), ops, 200)
}
