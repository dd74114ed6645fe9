//! What is measured: the programs with their rows, and the writes.
//!
//! Every write takes two numbers, `$1` the key of a row and `$2` the number of the round, so that each round changes other
//! rows to values that they have not had.

use clap::Args;

/// How many rows there are.
#[derive(Clone, Copy, Args)]
pub struct Sizes {
    /// Users of the feed; posts are ten times as many, comments fifty times
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(i32).range(200..=1_000_000))]
    pub users: i32,
    /// Authors of the blog; posts are ten times as many, comments fifty times
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(i32).range(10..=1_000_000))]
    pub authors: i32,
}

/// Tables, views, rows, and the triggers written by hand.
pub struct Program {
    pub name: &'static str,
    pub views: &'static str,
    pub rows: &'static str,
    pub triggers: &'static str,
    /// A tview and its view.
    pub tviews: &'static [(&'static str, &'static str)],
    /// What is measured in it.
    pub writes: &'static [Write],
}

/// A statement to measure.
pub struct Write {
    pub name: &'static str,
    pub sql: &'static str,
    /// Of how many rows `$1` is one.
    pub keys: fn(Sizes) -> i32,
    /// One round in so many.
    pub every: usize,
    pub goal: Goal,
}

/// What the issue of patches asks for.
#[derive(Clone, Copy)]
pub enum Goal {
    /// The overhead is at most so many times that of the triggers written by hand, and the throughput at least 0.9 of theirs.
    Overhead(f64),
    /// The time is at most so many times that of the triggers written by hand.
    Time(f64),
    /// So many times faster than with key recompute only.
    Faster(f64),
    /// In the server, at most so many times the time of a trigger that only compares.
    Comparison(f64),
}

pub const PROGRAMS: &[Program] = &[FEED, BLOG];

const FEED: Program = Program {
    name: "feed",
    views: include_str!("feed.sql"),
    rows: "
INSERT INTO users SELECT i, 'user ' || i, repeat('All about me. ', 4) || i, '2026-01-01' FROM generate_series(1, {n}) AS i;
INSERT INTO posts SELECT i, 1 + (i * 7::bigint) % {n}, 'Title ' || i, repeat('What there is to say. ', 5) || i
  FROM generate_series(1, {n} * 10) AS i;
INSERT INTO comments SELECT i, 1 + (i * 13::bigint) % ({n} * 10), 1 + (i * 11::bigint) % {n}, repeat('Well said. ', 4) || i
  FROM generate_series(1, {n} * 50) AS i;
",
    triggers: include_str!("feed_triggers.sql"),
    tviews: &[("tv_user", "v_user"), ("tv_post", "v_post"), ("tv_comment", "v_comment")],
    writes: &[
        Write {
            name: "a bio",
            sql: "UPDATE users SET bio = 'All about me, again, and at some length, for the reader: ' || $2::int WHERE id = $1",
            keys: |sizes| sizes.users,
            every: 1,
            goal: Goal::Overhead(1.1),
        },
        Write {
            name: "a username",
            sql: "UPDATE users SET username = 'user ' || $1 || '.' || $2::int WHERE id = $1",
            keys: |sizes| sizes.users,
            every: 1,
            goal: Goal::Overhead(1.1),
        },
        Write {
            name: "a title",
            sql: "UPDATE posts SET title = 'Title ' || $1 || '.' || $2::int WHERE id = $1",
            keys: |sizes| sizes.users * 10,
            every: 1,
            goal: Goal::Overhead(1.1),
        },
        Write {
            name: "a new comment",
            sql: "INSERT INTO comments VALUES (1000000000 + $2::int, $1, 1 + $1 % 97, 'A comment that is new')",
            keys: |sizes| sizes.users * 10,
            every: 1,
            goal: Goal::Overhead(1.1),
        },
        Write {
            name: "100 bios at once",
            sql: "UPDATE users SET bio = 'All about me, again, and at some length, for the reader: ' || $2::int WHERE id BETWEEN $1 AND $1 + 99",
            keys: |sizes| sizes.users - 99,
            every: 5,
            goal: Goal::Time(0.9),
        },
        Write {
            name: "a column that no view shows",
            sql: "SELECT touch($1, 100, (SELECT max(id) FROM users)) + 0 * $2::int",
            keys: |sizes| sizes.users,
            every: 5,
            goal: Goal::Comparison(1.3),
        },
    ],
};

const BLOG: Program = Program {
    name: "blog",
    views: include_str!("../../../examples/blog/views.sql"),
    rows: "
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
",
    triggers: include_str!("blog_triggers.sql"),
    tviews: &[("tv_bench_comments", "v_bench_comments"), ("tv_bench_posts", "v_bench_posts")],
    writes: &[Write {
        name: "an author renamed",
        sql: "UPDATE bench_authors SET name = 'Author ' || $1 || '.' || $2::int WHERE id = $1",
        keys: |sizes| sizes.authors,
        every: 1,
        goal: Goal::Faster(1.5),
    }],
};

impl Program {
    /// The rows, made.
    pub fn rows(&self, sizes: Sizes) -> String {
        let count = if self.name == "feed" { sizes.users } else { sizes.authors };
        self.rows.replace("{n}", &count.to_string())
    }
}

impl Write {
    /// The row of a round: they jump about the table, the same in every run.
    pub fn key(&self, sizes: Sizes, round: usize) -> i32 {
        let step = (round as i64 * 7_919 + 13) % i64::from((self.keys)(sizes));
        1 + i32::try_from(step).unwrap_or(0)
    }

    /// Whether the statement measures itself, in microseconds.
    pub fn is_timed_in_the_server(&self) -> bool {
        matches!(self.goal, Goal::Comparison(_))
    }
}
