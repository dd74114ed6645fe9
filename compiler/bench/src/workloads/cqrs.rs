//! Read models of three levels: servers inside configurations inside allocations.
//!
//! In: how many of each, and how many servers a configuration lists. Out: the time of a change at each level, with everything that
//! shows it. Each configuration lists different servers, all of which exist, and every configuration is shown by some allocations.

use super::{Request, Size, size};
use crate::error::Result;
use crate::paired::{Op, Target};
use crate::program::{Program, Tview};
use crate::result::Workload;

/// With the numbers of the plan that this comes from.
pub const SIZES: &[Size] = &[
    size("servers", 500, 10, 100_000),
    size("configurations", 100, 2, 100_000),
    size("per_configuration", 50, 1, 1_000),
    size("allocations", 500, 2, 1_000_000),
];

/// Notes that do not compress, 64 to 640 bytes long.
const ROWS: &str = "
INSERT INTO dns_server
SELECT i, 'dns ' || i, '10.' || i / 65536 || '.' || i / 256 % 256 || '.' || i % 256,
       (SELECT string_agg(md5(i || ' ' || k), '') FROM generate_series(1, 2 + i % 19) AS k)
  FROM generate_series(1, {servers}) AS i;
INSERT INTO configuration SELECT i, 'configuration ' || i FROM generate_series(1, {configurations}) AS i;
INSERT INTO configuration_server
SELECT c, p, 1 + (c * 13 + p * 7 - 7) % {servers}
  FROM generate_series(1, {configurations}) AS c, generate_series(1, least({per_configuration}, {servers})) AS p;
INSERT INTO allocation
SELECT i, 1 + i % {configurations}, 'allocation ' || i,
       (SELECT string_agg(md5('a' || i || ' ' || k), '') FROM generate_series(1, 1 + i % 400) AS k)
  FROM generate_series(1, {allocations}) AS i;
";

const TVIEWS: [Tview; 3] = [
    Tview { table: "tv_dns_server", view: "v_dns_server", feeds: &[("dns_server", "SELECT s.id FROM changed AS s")] },
    Tview {
        table: "tv_configuration",
        view: "v_configuration",
        feeds: &[
            ("configuration", "SELECT c.id FROM changed AS c"),
            ("configuration_server", "SELECT cs.configuration_id FROM changed AS cs"),
            (
                "dns_server",
                "SELECT cs.configuration_id FROM changed AS s JOIN configuration_server AS cs ON cs.server_id = s.id",
            ),
        ],
    },
    Tview {
        table: "tv_allocation",
        view: "v_allocation",
        feeds: &[
            ("allocation", "SELECT a.id FROM changed AS a"),
            ("configuration", "SELECT a.id FROM changed AS c JOIN allocation AS a ON a.configuration_id = c.id"),
            (
                "configuration_server",
                "SELECT a.id FROM changed AS cs JOIN allocation AS a ON a.configuration_id = cs.configuration_id",
            ),
            (
                "dns_server",
                "SELECT a.id FROM changed AS s JOIN configuration_server AS cs ON cs.server_id = s.id
                   JOIN allocation AS a ON a.configuration_id = cs.configuration_id",
            ),
        ],
    },
];

/// Cascades in a row.
const ROW: i32 = 100;

/// Never slower than the native cascade, and near to what the new versions of the documents cost by themselves.
fn judged(op: Op) -> Op {
    op.goal(Target::Time(1.0)).goal(Target::Ceiling(0.7))
}

/// Measures it.
pub fn run(request: &Request<'_>) -> Result<Workload> {
    let [servers, configurations, allocations] =
        ["servers", "configurations", "allocations"].map(|name| request.size(name));
    let mut rows = ROWS.to_owned();
    for size in SIZES {
        rows = rows.replace(&format!("{{{}}}", size.name), &request.size(size.name).to_string());
    }
    let program = Program {
        name: "cqrs",
        views: include_str!("../../sql/network.sql").to_owned(),
        rows,
        after: String::new(),
        hand: Some(include_str!("../../sql/network_triggers.sql")),
        comparison: None,
        has_ceiling: true,
        tviews: TVIEWS.to_vec(),
    };
    let change = |table: &str, key: &str| {
        format!("UPDATE {table} SET name = '{table} ' || $1 || '.' || $2::int WHERE id = {key}")
    };
    let (leaf, middle, top) = (change("dns_server", "$1"), change("configuration", "$1"), change("allocation", "$1"));
    let within = |table: &str, i: i32, count: i32| change(table, &format!("1 + ($1 + {i}) % {count}"));
    let in_a_row = (0..ROW).map(|i| within("dns_server", 7 * i, servers)).collect();
    let end_to_end =
        vec![leaf.clone(), within("configuration", 0, configurations), within("allocation", 0, allocations)];
    let ops = vec![
        judged(Op::new("a leaf: one server", servers, &leaf)),
        Op { is_fresh: true, ..Op::new("a leaf, in a session that is new", servers, &leaf) },
        judged(Op::new("in the middle: one configuration", configurations, &middle)),
        judged(Op::new("at the top: one allocation", allocations, &top)),
        judged(Op { steps: end_to_end, ..Op::new("end to end: all three in one transaction", servers, "") }),
        judged(Op { steps: in_a_row, is_vacuumed: true, ..Op::new("100 cascades in a row", servers, "") }.every(2)),
    ];
    let mut workload = request.paired(&program, ops, 60)?;
    workload.notes.push(
        "A new session has no plans and no catalog in its caches (cold); the others have them (warm). The server's buffers are warm in both."
            .to_owned(),
    );
    workload.notes.push(
        "The documents are vacuumed before each 100 cascades in a row: one round leaves a hundred versions of some."
            .to_owned(),
    );
    Ok(workload)
}
