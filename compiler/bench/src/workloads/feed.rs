//! Users, their posts and the comments on them: ordinary writes, by one client and by several.
//!
//! In: how many users; posts are ten times as many, comments fifty times. Out: times and throughput per arm.

use std::time::Duration;

use postgres::error::SqlState;
use tviewc_verify::{SUPERUSER, Server};

use super::{Request, Size, size};
use crate::clients;
use crate::error::{Doing, Result};
use crate::paired::{Op, Target};
use crate::program::{ArmKind, Program, Tview};
use crate::result::{Arm, Guard, Operation, Unit, Workload};
use crate::rounds::{Plan, Sample, Subject, interleave};

const ROWS: &str = "
INSERT INTO users SELECT i, 'user ' || i, repeat('All about me. ', 4) || i, '2026-01-01' FROM generate_series(1, {n}) AS i;
INSERT INTO posts SELECT i, 1 + (i * 7::bigint) % {n}, 'Title ' || i, repeat('What there is to say. ', 5) || i
  FROM generate_series(1, {n} * 10) AS i;
INSERT INTO comments SELECT i, 1 + (i * 13::bigint) % ({n} * 10), 1 + (i * 11::bigint) % {n}, repeat('Well said. ', 4) || i
  FROM generate_series(1, {n} * 50) AS i;
";

const TVIEWS: [Tview; 3] = [
    Tview { table: "tv_user", view: "v_user", feeds: &[("users", "SELECT u.id FROM changed AS u")] },
    Tview {
        table: "tv_post",
        view: "v_post",
        feeds: &[
            ("posts", "SELECT p.id FROM changed AS p"),
            ("users", "SELECT p.id FROM changed AS u JOIN posts AS p ON p.author_id = u.id"),
        ],
    },
    Tview {
        table: "tv_comment",
        view: "v_comment",
        feeds: &[
            ("comments", "SELECT c.id FROM changed AS c"),
            ("posts", "SELECT c.id FROM changed AS p JOIN comments AS c ON c.post_id = p.id"),
            ("users", "SELECT c.id FROM changed AS u JOIN comments AS c ON c.author_id = u.id"),
        ],
    },
];

const BIO: &str =
    "UPDATE users SET bio = 'All about me, again, and at some length, for the reader: ' || $2::int WHERE id = $1";
const COMMENT: &str = "UPDATE comments SET content = 'Well said, and said again: ' || $2::int WHERE id = $1";

/// The program with its rows.
pub fn program(users: i32) -> Program {
    Program {
        name: "feed",
        views: include_str!("../../sql/feed.sql").to_owned(),
        rows: ROWS.replace("{n}", &users.to_string()),
        after: include_str!("../../sql/touch.sql").to_owned(),
        hand: Some(include_str!("../../sql/feed_triggers.sql")),
        comparison: Some(include_str!("../../sql/compare_only.sql")),
        has_ceiling: false,
        tviews: TVIEWS.to_vec(),
    }
}

fn hundred_bios() -> String {
    BIO.replace("id = $1", "id BETWEEN $1 AND $1 + 99")
}

/// What the patches were made for, with what was asked of them.
pub fn writes(request: &Request<'_>) -> Result<Workload> {
    let users = request.size("users");
    let username = "UPDATE users SET username = 'user ' || $1 || '.' || $2::int WHERE id = $1";
    let title = "UPDATE posts SET title = 'Title ' || $1 || '.' || $2::int WHERE id = $1";
    let new = "INSERT INTO comments VALUES (1000000000 + $2::int, $1, 1 + $1 % 97, 'A comment that is new')";
    let bios = hundred_bios();
    let touched = "SELECT touch($1, 100, (SELECT max(id) FROM users)) + 0 * $2::int";
    let ops = vec![
        Op::new("a bio", users, BIO).goal(Target::Overhead(1.1)).goal(Target::Time(1.11)),
        Op::new("a username", users, username).goal(Target::Overhead(1.1)).goal(Target::Time(1.11)),
        Op::new("a title", users * 10, title).goal(Target::Overhead(1.1)).goal(Target::Time(1.11)),
        Op::new("a new comment", users * 10, new).goal(Target::Overhead(1.1)).goal(Target::Time(1.11)),
        Op::new("100 bios at once", users - 99, &bios).goal(Target::Time(0.9)).every(5),
        Op { is_timed_in_the_server: true, ..Op::new("a column that no view shows", users, touched) }
            .goal(Target::Comparison(1.3))
            .every(5),
    ];
    request.paired(&program(users), ops, 200)
}

/// The migration with and without GIN indexes.
pub fn gin(request: &Request<'_>) -> Result<Workload> {
    let users = request.size("users");
    let arms = vec![ArmKind::None, ArmKind::Auto, ArmKind::Gin];
    let ops = vec![
        Op::new("one comment", users * 50, COMMENT),
        Op::new("a bio shown by ten posts", users, BIO),
        Op::new("100 bios at once", users - 99, &hundred_bios()).every(5),
    ];
    Request { arms, ..request.clone() }.paired(&program(users), ops, 200)
}

/// One row of a table that one document shows.
pub fn single(request: &Request<'_>) -> Result<Workload> {
    let users = request.size("users");
    request.paired(&program(users), vec![Op::new("one comment", users * 50, COMMENT)], 200)
}

/// One row that its own document and those of ten posts show.
pub fn cascade(request: &Request<'_>) -> Result<Workload> {
    let users = request.size("users");
    request.paired(&program(users), vec![Op::new("a bio shown by ten posts", users, BIO)], 200)
}

/// 1,000 rows.
pub fn bulk_1k(request: &Request<'_>) -> Result<Workload> {
    bulk(request, 1_000, 60)
}

/// 100,000 rows: minutes for each round, and so too few rounds to be guarded.
pub fn bulk_100k(request: &Request<'_>) -> Result<Workload> {
    bulk(request, 100_000, 5)
}

fn bulk(request: &Request<'_>, rows: i32, rounds: usize) -> Result<Workload> {
    let users = request.size("users");
    let sql = COMMENT.replace("id = $1", &format!("id BETWEEN $1 AND $1 + {}", rows - 1));
    let name = format!("{rows} comments");
    let op = Op { is_heavy: true, ..Op::new(&name, users * 50 - rows + 1, &sql) };
    request.paired(&program(users), vec![op], rounds)
}

/// What `clients` takes.
pub const CLIENT_SIZES: &[Size] =
    &[size("users", 2_000, 200, 1_000_000), size("clients", 8, 2, 64), size("slice_ms", 400, 50, 60_000)];

/// Throughput: each client writes rows of its own.
pub fn clients(request: &Request<'_>) -> Result<Workload> {
    let (users, most) = (request.size("users"), request.size("clients"));
    let slice = Duration::from_millis(u64::try_from(request.size("slice_ms")).unwrap_or(400));
    let mut workload = Workload::default();
    let feed = program(users);
    let mut usable = Vec::new();
    for arm in request.arms_of(&feed, false) {
        match feed.install(request.server, arm)? {
            Ok(()) => usable.push(arm),
            Err(reason) => workload.notes.push(format!("{}: {reason}", arm.name())),
        }
    }
    for count in [1, most] {
        for (name, sql, keys) in [("bios", BIO, users), ("comments", COMMENT, users * 50)] {
            let write = Write { sql, keys, clients: count, slice };
            let title = format!("{name} by {count} client{}", if count == 1 { "" } else { "s" });
            if request.is_wanted(&title) {
                workload.operations.push(throughput(request, &feed, &usable, &title, &write)?);
            }
        }
    }
    for arm in usable {
        request.server.drop_database(&feed.database(arm))?;
    }
    Ok(workload)
}

struct Write {
    sql: &'static str,
    keys: i32,
    clients: i32,
    slice: Duration,
}

fn throughput(
    request: &Request<'_>,
    program: &Program,
    arms: &[ArmKind],
    title: &str,
    write: &Write,
) -> Result<Operation> {
    let mut subjects: Vec<Subject<'_>> = arms
        .iter()
        .map(|arm| -> Subject<'_> {
            let database = program.database(*arm);
            let refresh = arm.refresh(program);
            Box::new(move |round| Ok(Sample::of(transactions(request.server, &database, write, &refresh, round)?)))
        })
        .collect();
    let plan = Plan { warm: 1, ..request.plan(30) };
    let samples = interleave(&mut subjects, plan, &mut |done, all| request.progress.step(title, done, all))?;
    drop(subjects);
    let mut operation =
        Operation { name: title.to_owned(), what: write.sql.to_owned(), unit: Unit::PerSecond, ..Operation::default() };
    for (arm, samples) in arms.iter().zip(samples) {
        let mut client = request.server.connect(&program.database(*arm), SUPERUSER)?;
        let equal = arm.has_documents().then(|| program.equality(&mut client)).transpose()?;
        let samples = samples.iter().map(|sample| sample.value).collect();
        operation.arms.push(Arm { name: arm.name().to_owned(), samples, equal, ..Arm::default() });
    }
    let is_there = |name: &str| operation.arms.iter().any(|arm| arm.name == name);
    let pairs = [("auto", "none"), ("auto", "hand"), ("native", "auto")];
    let pairs = pairs.into_iter().filter(|(arm, yardstick)| is_there(arm) && is_there(yardstick));
    operation.guards = pairs.map(|(arm, yardstick)| Guard { arm: arm.into(), yardstick: yardstick.into() }).collect();
    Ok(operation)
}

/// Per second, of all clients together.
fn transactions(server: &Server, database: &str, write: &Write, refresh: &[String], round: usize) -> Result<f64> {
    clients::throughput(write.clients, write.slice, |client| {
        let mut session = server.connect(database, SUPERUSER)?;
        let statement = session.prepare(write.sql).doing(write.sql)?;
        // Each client has keys of its own, so that they meet in what they share and nowhere else.
        let own = write.keys / write.clients;
        Ok(move |turn: i32| {
            let turn = turn % 100_000;
            let key = 1 + client * own + (turn * 7_919 + 13) % own;
            let number = i32::try_from(round).unwrap_or(0) * 100_000 + turn;
            match session.execute(&statement, &[&key, &number]) {
                // What a program would do; the time is lost, and that is what is measured.
                Err(error) if error.code() == Some(&SqlState::T_R_DEADLOCK_DETECTED) => return Ok(false),
                other => other.doing(write.sql)?,
            };
            for sql in refresh {
                session.batch_execute(sql).doing(sql.as_str())?;
            }
            Ok(true)
        })
    })
}
