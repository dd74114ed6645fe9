//! Arrays in documents, short and long: one element is changed, added, removed.
//!
//! In: the length of the longest array; the others are shorter by tens. Out: a curve per kind of change and arm.

use super::{Request, Size, size};
use crate::error::Result;
use crate::paired::Op;
use crate::program::{Program, Tview};
use crate::result::Workload;

/// What it takes.
pub const SIZES: &[Size] = &[size("longest", 10_000, 10, 100_000), size("lists", 10, 1, 90)];

const VIEWS: &str = "
CREATE TABLE list (id integer PRIMARY KEY, name text NOT NULL);
CREATE TABLE item (
    id      integer PRIMARY KEY,
    list_id integer NOT NULL REFERENCES list (id),
    name    text NOT NULL,
    price   numeric NOT NULL
);
CREATE INDEX item_list ON item (list_id);
CREATE VIEW v_list AS
SELECT l.id,
       jsonb_build_object('id', l.id, 'name', l.name, 'items', coalesce(
           (SELECT jsonb_agg(jsonb_build_object('id', i.id, 'name', i.name, 'price', i.price) ORDER BY i.id)
              FROM item AS i WHERE i.list_id = l.id), '[]')) AS data
  FROM list AS l;
";

const TVIEWS: [Tview; 1] = [Tview {
    table: "tv_list",
    view: "v_list",
    feeds: &[("list", "SELECT l.id FROM changed AS l"), ("item", "SELECT i.list_id FROM changed AS i")],
}];

/// The numbers of a list's items begin there; new ones at the second.
const SPAN: i32 = 200_000;
const NEW: i32 = 100_000;

/// Where there are documents, they are written again under another compression.
const PGLZ: &str = "
DO $$
BEGIN
    IF to_regclass('tv_list') IS NOT NULL AND current_setting('server_version_num')::integer >= 140000 THEN
        EXECUTE 'ALTER TABLE tv_list ALTER COLUMN data SET COMPRESSION pglz';
        EXECUTE 'UPDATE tv_list SET data = data::text::jsonb';
    END IF;
END $$;
";

/// Measures it, as documents are compressed by the migration.
pub fn run(request: &Request<'_>) -> Result<Workload> {
    measure(request, "arrays", "")
}

/// The same with pglz.
pub fn run_pglz(request: &Request<'_>) -> Result<Workload> {
    measure(request, "arrays_pglz", PGLZ)
}

fn measure(request: &Request<'_>, name: &'static str, after: &str) -> Result<Workload> {
    let (longest, lists) = (request.size("longest"), request.size("lists"));
    let lengths: Vec<i32> =
        (1..).map(|power| 10_i32.pow(power)).take_while(|length| *length < longest).chain([longest]).collect();
    let mut rows = String::new();
    for (group, length) in lengths.iter().enumerate() {
        let first = group as i32 * 100;
        rows += &format!(
            "INSERT INTO list SELECT i, 'list ' || i FROM generate_series({first} + 1, {first} + {lists}) AS i;
             INSERT INTO item SELECT l * {SPAN} + k, l, 'item ' || md5(l || ' ' || k), k * 1.10
               FROM generate_series({first} + 1, {first} + {lists}) AS l, generate_series(1, {length}) AS k;\n"
        );
    }
    let program = Program {
        name,
        views: VIEWS.to_owned(),
        rows,
        after: after.to_owned(),
        hand: None,
        comparison: None,
        has_ceiling: false,
        tviews: TVIEWS.to_vec(),
    };
    let mut ops = Vec::new();
    for (group, length) in lengths.iter().enumerate() {
        let list = format!("({} + $1)", group * 100);
        let new = format!("{list} * {SPAN} + {NEW} + $2::int % {}", NEW - 1);
        let element = format!("{list} * {SPAN} + 1 + ($2::int % 100000 * 7919) % {length}");
        let writes = [
            ("changed", format!("UPDATE item SET price = 1 + $2::int * 0.01 WHERE id = {element}")),
            ("added", format!("INSERT INTO item SELECT {new}, {list}, 'new item ' || $2::int, 1")),
            // Those that were added: the same rounds of the same series choose them.
            ("removed", format!("DELETE FROM item WHERE id = {new}")),
        ];
        for (what, sql) in writes {
            let op = Op::new(&format!("one of {length} elements {what}"), lists, &sql);
            let op = op.at(&format!("an element {what}"), f64::from(*length));
            ops.push(Op { series: Some(1), ..op });
        }
    }
    request.paired(&program, ops, 60)
}
