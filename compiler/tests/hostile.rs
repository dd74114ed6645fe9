//! No input makes the compiler panic, hang or take more than its share of time.
//!
//! In: inputs that are deep, long or broken: some built for it, others made from the corpus by random edits (the same
//! ones in every run; a second of them, a minute with `TVIEWC_TEST_FULL=1`). The whole `compile()` runs on each.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use tviewc::diagnostics::render::{Color, Format, render};
use tviewc::source::{SourceFile, Sources};
use tviewc::{Options, compile};

/// The processor time that one input may take: many times what it does take, and nothing to what it would take if the
/// time grew with the square of its size.
const LIMIT: Duration = Duration::from_secs(4);

fn sources(text: &str) -> Sources {
    Sources { files: vec![SourceFile { name: "hostile.sql".into(), text: text.to_owned(), context_only: false }] }
}

/// Processor time of this process so far; the wall clock would count what else runs on the machine.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Fields 14 and 15, counted behind the program's name, in hundredths of a second.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    Duration::from_millis(fields.filter_map(|f| f.parse::<u64>().ok()).sum::<u64>() * 10)
}

/// Whether an input has not ended in time.
static STILL_RUNNING: AtomicBool = AtomicBool::new(false);

/// Compiles in a thread of its own, one at a time, so that a hang is a failure with its input.
fn survives(what: &str, text: &str) -> bool {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    // What still runs would be counted too.
    assert!(!STILL_RUNNING.load(Ordering::Relaxed), "{what} was not tried: an earlier input still runs");
    let (sender, receiver) = mpsc::channel();
    let input = sources(text);
    let start = processor_time();
    std::thread::spawn(move || {
        let result = std::panic::catch_unwind(|| {
            let compilation = compile(&input, &Options::default());
            let text = render(&compilation.diagnostics, &input, Format::Full, Color::Never);
            compilation.output.is_some() && !text.starts_with("error")
        });
        let _ = sender.send(result);
    });
    // Code without optimisation takes about five times as long.
    let limit = if cfg!(debug_assertions) { LIMIT * 5 } else { LIMIT };
    let mut result = receiver.recv_timeout(Duration::from_millis(100));
    while result.is_err() && processor_time() - start < limit {
        result = receiver.recv_timeout(Duration::from_millis(100));
    }
    STILL_RUNNING.store(result.is_err(), Ordering::Relaxed);
    let taken = processor_time() - start;
    println!("{what}: {} bytes, {taken:?}", text.len());
    if !matches!(result, Ok(Ok(_))) || taken >= limit {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hostile.sql");
        let _ = std::fs::write(&file, text);
        let verdict = if matches!(result, Ok(Err(_))) { "panics" } else { "takes too long" };
        panic!("{what} {verdict} ({taken:?} of processor time); the input is in {}", file.display());
    }
    matches!(result, Ok(Ok(true)))
}

const TABLE: &str = "CREATE TABLE t (id int PRIMARY KEY, a int, d jsonb);\n";

fn view(select: &str, tail: &str) -> String {
    format!("{TABLE}CREATE VIEW v AS SELECT id, jsonb_build_object('a', {select}) AS data FROM t {tail};")
}

fn nested(open: &str, inner: &str, close: &str, n: usize) -> String {
    format!("{}{inner}{}", open.repeat(n), close.repeat(n))
}

#[test]
fn deep_expressions() {
    for n in [150, 10_000] {
        survives("parentheses", &view(&nested("(", "a", ")", n), ""));
        survives("open parentheses", &view(&"(".repeat(n), ""));
        survives("calls", &view(&nested("abs(", "a", ")", n), ""));
        survives("CASE", &view(&nested("CASE WHEN a > 1 THEN ", "a", " END", n), ""));
        survives("NOT", &view(&nested("NOT ", "true", "", n), ""));
        survives("minus", &view(&nested("- ", "a", "", n), ""));
        survives("casts", &view(&format!("a{}", "::int".repeat(n)), ""));
        survives("subscripts", &view(&format!("a{}", "[1]".repeat(n)), ""));
        survives("arrows", &view(&format!("d{}", " -> 'x'".repeat(n)), ""));
        survives("arrays", &view(&nested("ARRAY[", "a", "]", n), ""));
        survives("rows", &view(&nested("ROW(", "a", ")", n), ""));
        survives("scalar subqueries", &view(&nested("(SELECT ", "a", ")", n), ""));
        survives("EXISTS", &view("a", &format!("WHERE {}", nested("EXISTS (SELECT 1 WHERE ", "true", ")", n))));
        survives("IN", &view("a", &format!("WHERE {}", nested("a IN (SELECT a FROM t WHERE ", "true", ")", n))));
        survives("objects", &view(&nested("jsonb_build_object('x', ", "a", ")", n), ""));
    }
}

#[test]
fn long_chains() {
    for n in [900, 100_000] {
        survives("AND", &view("a", &format!("WHERE true{}", " AND a = 1".repeat(n))));
        survives("OR", &view("a", &format!("WHERE true{}", " OR a = id".repeat(n))));
        survives("plus", &view(&format!("1{}", " + a".repeat(n)), ""));
        survives("concatenation", &view(&format!("''{}", " || a".repeat(n)), ""));
        survives("columns", &format!("CREATE TABLE t (id int PRIMARY KEY{});", ", c int".repeat(n)));
        survives("UNION", &view("a", &" UNION ALL SELECT id, d FROM t".repeat(n)));
        survives("semicolons", &";".repeat(n));
        survives("directives", &format!("{}CREATE VIEW v AS SELECT 1;", "-- tviewc: skip\n".repeat(n / 10)));
        survives("broken statements", &"CREATE VIEW v AS SELECT ( FROM;\n".repeat(n / 50));
        survives("quotes", &"'".repeat(n + 1));
        survives("comments", &"/*".repeat(n));
        survives("dollars", &"$a$ $b$ ".repeat(n / 10));
        survives("dots", &view(&"a.".repeat(n), ""));
    }
}

#[test]
fn lists_on_one_line() {
    for n in [900, 100_000] {
        survives("CTEs", &format!("CREATE VIEW v AS WITH a AS (SELECT 1){} SELECT 1;", ", b AS (SELECT 1)".repeat(n)));
        survives("IN list", &view("a", &format!("WHERE a IN (1{})", ", 2".repeat(n))));
        survives("arguments", &view(&format!("coalesce(a{})", ", 2".repeat(n)), ""));
        survives("order", &view("a", &format!("ORDER BY id{}", ", a".repeat(n))));
        survives("stars", &view("a", "").replacen("SELECT id", &format!("SELECT id{}", ", t.*".repeat(n)), 1));
        let values = |row: &str| format!("CROSS JOIN (VALUES {row}{}) AS s (x)", format!(", {row}").repeat(n));
        survives("VALUES", &view("s.x", &values("(1)")));
        survives("wide VALUES", &view("s.x", &format!("CROSS JOIN (VALUES (1{})) AS s (x)", ", 'y'".repeat(n))));
    }
}

/// What the compiler says of an input, one finding a line.
fn findings(text: &str) -> String {
    let input = sources(text);
    render(&compile(&input, &Options::default()).diagnostics, &input, Format::Concise, Color::Never)
}

#[test]
fn many_rows_of_constants() {
    let of_board = |n: usize, width: usize| {
        let row = (0..width).map(|c| format!("'{c}'")).collect::<Vec<_>>().join(", ");
        let item = format!("LEFT JOIN LATERAL (VALUES ({row}), ({row})) AS s# (x) ON s#.x = t.a::text ");
        joins(n, &item)
    };
    survives("boards", &of_board(900, 2));
    survives("wide boards", &of_board(900, 30));
    let compared: String = (0..900).map(|i| format!(" LEFT JOIN t AS t{i} ON t{i}.a = s.x")).collect();
    let side_by_side = format!(
        "{TABLE}CREATE VIEW v AS SELECT s.x AS id, jsonb_build_object('n', count(*)) AS data FROM generate_series(1, 9) AS s (x){compared} GROUP BY s.x;"
    );
    assert!(survives("compared side by side", &side_by_side));
}

fn joins(n: usize, join: &str) -> String {
    let joins: String = (0..n).map(|i| join.replace('#', &i.to_string())).collect();
    view("t.a", &joins).replace("SELECT id,", "SELECT t.id,")
}

#[test]
fn many_joins() {
    for n in [100, 300, 990, 10_000] {
        let compiled = survives("joins", &joins(n, " JOIN t t# ON t#.id = t.a"));
        assert_eq!(compiled, n < 1_000, "{n}");
        survives("left joins", &joins(n, " LEFT JOIN t t# ON t#.id = t.a"));
        survives("commas", &joins(n, ", t t#"));
        survives("pairs", &joins(n, ", t t# JOIN t u# ON t#.id = u#.a"));
        survives("USING", &joins(n, " JOIN t t# USING (id)"));
        survives("functions", &joins(n, ", generate_series(1, t.a) AS g#(x)"));
        survives("LATERAL", &joins(n, " LEFT JOIN LATERAL (SELECT a FROM t u WHERE u.id = t.a LIMIT 1) t# ON true"));
        survives(
            "subqueries",
            &view(&format!("coalesce({})", vec!["(SELECT a FROM t u WHERE u.id = t.a)"; n].join(", ")), ""),
        );
        survives("nested joins", &view("1", &format!("JOIN {}", nested("(t x JOIN ", "t", " ON true) ON true", n))));
    }
    assert!(findings(&joins(1_001, ", t t#")).contains("error[TV0301]: more than 1000 relations in one view\n"));
}

/// A view that joins `n` tables, each to the one before it.
fn chain(n: usize) -> String {
    let before = |i: usize| if i == 0 { "t".to_owned() } else { format!("t{}", i - 1) };
    let joins: String = (0..n).map(|i| format!(" JOIN t t{i} ON t{i}.id = {}.a", before(i))).collect();
    view("t.a", &joins).replace("SELECT id,", "SELECT t.id,")
}

#[test]
fn long_ways() {
    assert!(survives("a chain of joins", &chain(32)));
    for n in [33, 100, 990, 10_000] {
        assert!(!survives("a long chain of joins", &chain(n)));
    }
    assert!(findings(&chain(33)).contains("error[TV0301]: `t32` is more than 32 joins away from the key of `v`\n"));
}

/// `n` views, each made from the number of the one below by `select`.
fn tower(n: usize, select: &str) -> String {
    let mut text = format!("{TABLE}CREATE VIEW v0 AS SELECT id, a, d AS data FROM t;\n");
    for i in 1..n {
        text += &format!("CREATE VIEW v{i} AS {};\n", select.replace('#', &(i - 1).to_string()));
    }
    text
}

#[test]
fn views_on_views() {
    for n in [60, 500] {
        survives("a tower of views", &tower(n, "SELECT id, a, jsonb_build_object('x', data) AS data FROM v#"));
    }
    // Each view reads the one below twice: 2^n uses, if nothing stopped it.
    let doubling = "SELECT x.id, x.a, jsonb_build_object('x', y.data) AS data FROM v# x JOIN v# y ON x.id = y.id";
    survives("doubling views", &tower(40, doubling));
    assert!(findings(&tower(40, doubling)).contains("error[TV0301]: more than 1000 relations in one view\n"));
    let nothing =
        tower(40, doubling).replace("SELECT id, a, d AS data FROM t;", "SELECT 1 AS id, 2 AS a, '1'::jsonb AS data;");
    survives("doubling views of no table", &nothing);
    survives(
        "doubling subqueries",
        &tower(40, "SELECT id, (SELECT a FROM v# LIMIT 1) + (SELECT a FROM v# LIMIT 1) AS a, data FROM v#"),
    );
    // Each level mentions the column below twice.
    let doubling = tower(40, "SELECT id, a + a AS a, jsonb_build_object('x', data, 'y', data) AS data FROM v#");
    survives("doubling expressions", &doubling);
    assert!(findings(&doubling).contains("error[TV0301]: more than 100000 expressions in one view\n"));
    // Many views that are nearly too large.
    let wide: String = (0..1_000).map(|i| format!("CREATE VIEW w{i} AS SELECT id, data FROM v9;\n")).collect();
    survives(
        "a thousand large views",
        &(tower(10, "SELECT id, a + a AS a, jsonb_build_object('x', data, 'y', data) AS data FROM v#") + &wide),
    );
    let cycle: String = (0..300).map(|i| format!("CREATE VIEW v{i} AS SELECT * FROM v{};\n", (i + 1) % 300)).collect();
    survives("a long cycle", &cycle);
}

/// `n` copies of a piece of text, in which `#` is the number of the copy.
fn numbered(n: usize, piece: &str, separator: &str) -> String {
    (0..n).map(|i| piece.replace('#', &i.to_string())).collect::<Vec<_>>().join(separator)
}

#[test]
fn many_ways_to_read() {
    let side = "SELECT id, '#' AS kind, jsonb_build_object('a', a) AS data FROM t";
    for n in [8, 64, 65, 900] {
        let union = format!("{TABLE}CREATE VIEW v AS {};", numbered(n, side, " UNION ALL "));
        assert_eq!(survives("sides of a union", &union), n <= 64);
        survives("sides that are not told apart", &union.replace("'0'", "'1'"));
        let wide = numbered(100, "'#' AS c#", ", ");
        survives("wide sides", &union.replace("AS kind", &format!("AS kind, {wide}")));
    }
    for n in [6, 7, 300, 990] {
        survives("full joins", &joins(n, " FULL JOIN t t# ON t#.id = t.id"));
        survives("merged columns", &joins(n, " FULL JOIN t t# USING (id)").replace("SELECT t.id", "SELECT id"));
    }
    // Each of the variants is as large as the view.
    for n in [100, 300, 990] {
        let inner = numbered(n, " JOIN t t# ON t#.id = t.a", "");
        let full = numbered(6, " FULL JOIN t u# ON u#.id = t.id", "");
        survives("full joins of many", &joins(0, "").replace("FROM t ", &format!("FROM t {inner}{full}")));
    }
}

#[test]
fn many_windows() {
    for n in [10, 300, 5_000] {
        let calls = numbered(n, "row_number() OVER (PARTITION BY a ORDER BY id)", ", ");
        survives("calls over one window", &view(&format!("jsonb_build_array({calls})"), ""));
        let calls = numbered(n, "row_number() OVER (PARTITION BY a + # ORDER BY id)", ", ");
        survives("calls over different windows", &view(&format!("jsonb_build_array({calls})"), ""));
        let calls = numbered(n, "count(*) OVER w", ", ");
        let long = numbered(n, "a + #", ", ");
        survives(
            "calls over a named window",
            &view(&format!("jsonb_build_array({calls})"), &format!("WINDOW w AS (PARTITION BY {long})")),
        );
        let named = numbered(n, "w# AS (w)", ", ");
        survives("named windows", &view("count(*) OVER w1", &format!("WINDOW w AS (PARTITION BY a), {named}")));
    }
    survives("a window of itself", &view("count(*) OVER w", "WINDOW w AS (w ORDER BY id)"));
    // Each level copies the FROM of the one below once more.
    let doubling = "SELECT id, a, jsonb_build_object('n', count(*) OVER (PARTITION BY a), 'x', data) AS data FROM v#";
    survives("windows over windows", &tower(40, doubling));
}

#[test]
fn many_formulas() {
    for n in [100, 900, 5_000] {
        let equal = numbered(n, "lower(t.d ->> '#') = lower(u.d ->> '#')", " AND ");
        survives("equalities of formulas", &joins(1, &format!(" JOIN t u ON {equal}")));
        let held = numbered(n, "(t.a > u.a + # OR u.id = t.id)", " AND ");
        survives("conditions between tables", &joins(1, &format!(" JOIN t u ON {held}")));
        let grouped = numbered(n, "a + #", ", ");
        survives("groups by formulas", &view("count(*)", &format!("GROUP BY id, {grouped}")));
        survives("groups by formulas alone", &view("count(*)", &format!("GROUP BY {grouped}")));
        let named = numbered(n, "a + # AS c#", ", ");
        survives("distinct formulas", &view("1", "").replacen("SELECT id", &format!("SELECT DISTINCT {named}, id"), 1));
        survives(
            "all that is selected is the key",
            &view("1", "").replacen("SELECT id", &format!("SELECT DISTINCT {named}"), 1),
        );
        survives("functions of many columns", &view("1", &format!(", unnest({})", numbered(n, "ARRAY[t.a, #]", ", "))));
    }
    // What is grouped by a formula, and compared with one.
    for n in [30, 300] {
        let groups = " JOIN (SELECT lower(d ->> 'x') AS x, count(*) AS n FROM t GROUP BY lower(d ->> 'x')) g# ON g#.x = lower(t.d ->> 'x')";
        survives("grouped relations", &joins(n, groups));
    }
    // A formula that mentions the formula below twice.
    let doubling = "SELECT id, a + a * 2 AS a, jsonb_build_object('x', 1) AS data FROM v# WHERE a > id + 1";
    survives("doubling formulas", &tower(40, doubling));
    // Text that no place of the parser's fits.
    let odd = numbered(
        900,
        "((((a IS NOT NULL)))::text COLLATE \"C\" = '#') = (interval '1 day' * a > interval '# day')",
        " AND ",
    );
    survives(
        "odd conditions",
        &view("a", &format!("JOIN t u ON {}", odd.replace("(a ", "(u.a ").replace("* a ", "* t.a ")))
            .replace("SELECT id", "SELECT t.id"),
    );
}

#[test]
fn keys_of_many_tables() {
    for n in [31, 32, 100, 600] {
        let tables = numbered(n, " JOIN t t# ON t#.a = t.a", "");
        let keys = numbered(n, "t#.id AS k#", ", ");
        let text = view("t.a", &tables).replace("SELECT id,", &format!("SELECT t.id, {keys},"));
        assert_eq!(survives("a key of many tables", &text), n < 32);
    }
    // None of them is the root of all others.
    for n in [100, 990] {
        survives("pairs of tables", &joins(n, " LEFT JOIN t t# ON t#.a = t.a LEFT JOIN t u# ON u#.a > t#.a"));
        survives("conditions", &joins(n, " JOIN t t# ON t#.a > t.a"));
    }
}

#[test]
fn long_files() {
    survives("broken statements", &"CREATE VIEW v AS SELECT ( FROM;\n".repeat(10_000));
    survives("broken statements on one line", &"CREATE VIEW v AS SELECT ( FROM; ".repeat(10_000));
    survives("unfinished tables", &"CREATE TABLE (id int,;\n".repeat(10_000));
    survives("wrong names", &format!("{TABLE}{}", "CREATE VIEW v AS SELECT x FROM t;\n".repeat(10_000)));
    let row = "1\tsome text; that isn't SQL\t{\"a\": [1, 2, 3]}\t2026-01-01 00:00:00\n";
    let data = format!("COPY public.t (id, a, d, at) FROM stdin;\n{}\\.\n\n", row.repeat(20_000));
    survives("a dump with data", &format!("{TABLE}{}", data.repeat(15)));
    let insert = "INSERT INTO t VALUES (1, 2, '{\"a\": \"it''s; text\"}');\n";
    survives("a dump of INSERTs", &format!("{TABLE}{}", insert.repeat(200_000)));
}

/// Everything that holds SQL among the test data.
fn corpus() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<PathBuf> = Vec::new();
    for folder in ["tests/data/ok", "tests/data/err", "tests/data/schemas", "tests/data/live"] {
        files.extend(std::fs::read_dir(root.join(folder)).unwrap().map(|e| e.unwrap().path()));
    }
    files.push(root.join("tests/data/names.sql"));
    files.retain(|f| f.extension().is_some_and(|e| e == "sql"));
    files.sort();
    files.iter().map(|f| std::fs::read_to_string(f).unwrap()).collect()
}

/// A small generator, so that a seed gives the same inputs on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % n.max(1)
    }

    /// A place on a character boundary.
    fn place(&mut self, text: &str) -> usize {
        let mut at = self.below(text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }
}

/// Pieces that mean something to one stage or another, between bars.
const HOSTILE: &str = "(|)|'|\"|$$|;|--|/*|*/|\\|é|😀|\r\n|.|,|::|[|]|\u{a0}|\0| AS | JOIN | USING (id) | NATURAL JOIN | LATERAL \
    | WITH RECURSIVE x AS (SELECT 1) | GROUP BY 1 | ORDER BY 1 | UNION ALL SELECT | OVER () | FILTER (WHERE true) \
    | NULL |*|t.*|jsonb_agg(|U&'\\0061'|0x1F|-- tviewc: key(id)\n|CREATE VIEW v AS |ALTER TABLE | RENAME TO x;|E'\\'\
    |99999999999999999999";

fn mutated(texts: &[String], dice: &mut Dice) -> String {
    let hostile: Vec<&str> = HOSTILE.split('|').collect();
    let mut text = texts[dice.below(texts.len())].clone();
    for _ in 0..=dice.below(8) {
        let (a, b) = (dice.place(&text), dice.place(&text));
        let (from, to) = (a.min(b), a.max(b).min(a.min(b) + 200));
        let to = (from..=to).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(from);
        match dice.below(5) {
            0 => text.replace_range(from..to, ""),
            1 => text.insert_str(from, hostile[dice.below(hostile.len())]),
            2 => text.replace_range(from..to, hostile[dice.below(hostile.len())]),
            3 => {
                let piece = text[from..to].to_owned();
                let at = dice.place(&text);
                text.insert_str(at, &piece);
            }
            _ => {
                let other = &texts[dice.below(texts.len())];
                let start = dice.place(other);
                let end = (start..=(start + 300).min(other.len())).rev().find(|i| other.is_char_boundary(*i));
                text.insert_str(from, &other[start..end.unwrap_or(start)]);
            }
        }
    }
    text
}

#[test]
fn random_edits_of_the_corpus() {
    let full = std::env::var_os("TVIEWC_TEST_FULL").is_some_and(|v| v == "1");
    let end = Instant::now() + Duration::from_secs(if full { 60 } else { 1 });
    let texts = corpus();
    let (mut dice, mut tried, mut compiled) = (Dice(7), 0, 0);
    while Instant::now() < end {
        let text = mutated(&texts, &mut dice);
        compiled += u32::from(survives(&format!("edit number {tried}"), &text));
        tried += 1;
    }
    println!("{tried} inputs, {compiled} compiled");
}
