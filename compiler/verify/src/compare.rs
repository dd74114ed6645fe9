//! Comparison of every tview with its view.
//!
//! In: a connection of a role that may read both (a superuser in tests). Out: a `Report` with one entry per row of
//! `tview.pg_tview_meta`. Two rows are equal when the text of every column is byte-equal under pinned rendering
//! settings, so `1.0` and `1.00` differ. The database compares; only differing rows travel.

use std::collections::BTreeSet;
use std::fmt;

use postgres::{Client, IsolationLevel, Row, Transaction};

use crate::error::{Doing, Error, Result};
use crate::multiset;
use crate::quote;

/// How to compare.
#[derive(Debug, Clone)]
pub struct CompareOptions {
    /// Rendering settings for both sides, on top of the server's defaults.
    pub settings: Vec<(String, String)>,
    /// How many differing rows of one tview to fetch; all are counted.
    pub limit: i64,
    /// Views, as `schema.view`, whose arrays have no total order: the order of elements in their documents is no difference.
    pub multisets: BTreeSet<String>,
}

impl Default for CompareOptions {
    fn default() -> Self {
        let pinned = [
            ("TimeZone", "UTC"),
            ("DateStyle", "ISO, MDY"),
            ("IntervalStyle", "postgres"),
            ("extra_float_digits", "1"),
            ("bytea_output", "hex"),
            ("quote_all_identifiers", "off"),
            ("xmlbinary", "base64"),
            ("row_security", "off"),
        ];
        let settings = pinned.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { settings, limit: 20, multisets: BTreeSet::new() }
    }
}

/// The result for all tviews of a database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// One entry per tview, by name.
    pub tviews: Vec<TviewReport>,
}

impl Report {
    /// Whether every tview equals its view.
    pub fn is_equal(&self) -> bool {
        self.tviews.iter().all(|tview| tview.differing_rows == 0 && tview.differences.is_empty())
    }

    /// All differences that were fetched.
    pub fn differences(&self) -> impl Iterator<Item = &Difference> {
        self.tviews.iter().flat_map(|tview| &tview.differences)
    }
}

/// The result for one tview.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TviewReport {
    /// The tview.
    pub tview: String,
    /// Its view.
    pub view: String,
    /// How many rows the view shows.
    pub view_rows: i64,
    /// How many rows the tview holds.
    pub tview_rows: i64,
    /// How many rows differ, fetched or not.
    pub differing_rows: i64,
    /// What differs, up to the limit.
    pub differences: Vec<Difference>,
}

/// One thing in which a tview differs from its view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The tview.
    pub tview: String,
    /// The row's key, as `id=3`; empty where the whole tview is meant.
    pub key: String,
    /// What differs.
    pub kind: DifferenceKind,
}

/// What differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DifferenceKind {
    /// The view shows a row that the tview lacks; its columns.
    MissingInTview(Vec<(String, Option<String>)>),
    /// The tview holds a row that the view does not show; its columns.
    MissingInView(Vec<(String, Option<String>)>),
    /// A column has two values.
    Column {
        /// The column.
        column: String,
        /// The view's value.
        view: Option<String>,
        /// The tview's value.
        tview: Option<String>,
    },
    /// The view shows several rows for this key.
    DuplicateKey(i64),
    /// The view has a column that the tview lacks.
    NoSuchColumn(String),
}

/// Compares under the default settings.
pub fn compare(client: &mut Client) -> Result<Report> {
    compare_with(client, &CompareOptions::default())
}

/// Compares. All tviews are read in one snapshot.
pub fn compare_with(client: &mut Client, options: &CompareOptions) -> Result<Report> {
    let mut transaction = client
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .doing(|| "starting the comparison".to_owned())?;
    let settings = options.settings.iter();
    let settings: Vec<String> =
        settings.map(|(name, value)| format!("SET LOCAL {} = {}", quote::ident(name), setting(value))).collect();
    let settings = settings.join("; ");
    transaction.batch_execute(&settings).doing(|| settings.clone())?;
    let mut report = Report::default();
    for target in targets(&mut transaction)? {
        report.tviews.push(target.compare(&mut transaction, options)?);
    }
    transaction.rollback().doing(|| "ending the comparison".to_owned())?;
    Ok(report)
}

/// DateStyle takes a list, so `ISO, MDY` is two values.
fn setting(value: &str) -> String {
    value.split(", ").map(quote::literal).collect::<Vec<_>>().join(", ")
}

/// One tview and what is known about it.
struct Target {
    tview: String,
    view: String,
    keys: Vec<String>,
    columns: Vec<Column>,
}

struct Column {
    name: String,
    blank_padded: bool,
    in_tview: bool,
}

fn targets(transaction: &mut Transaction<'_>) -> Result<Vec<Target>> {
    let known = transaction
        .query_one("SELECT to_regclass('tview.pg_tview_meta') IS NOT NULL", &[])
        .doing(|| "looking for tview.pg_tview_meta".to_owned())?;
    if !known.get::<_, bool>(0) {
        let text = "this database has no table tview.pg_tview_meta; run the compiled migration first";
        return Err(Error::Setup(text.to_owned()));
    }
    // The names are rendered under a fixed search_path, so that they are qualified and always the same.
    let sql = "SELECT format('%I.%I', tn.nspname, t.relname), format('%I.%I', vn.nspname, v.relname), \
               m.key_columns::text[], t.oid, v.oid \
               FROM tview.pg_tview_meta m \
               LEFT JOIN pg_catalog.pg_class t ON t.oid = m.tview_oid::oid \
               LEFT JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace \
               LEFT JOIN pg_catalog.pg_class v ON v.oid = m.view_oid::oid \
               LEFT JOIN pg_catalog.pg_namespace vn ON vn.oid = v.relnamespace \
               ORDER BY tn.nspname::text COLLATE \"C\", t.relname::text COLLATE \"C\"";
    let rows = transaction.query(sql, &[]).doing(|| "reading tview.pg_tview_meta".to_owned())?;
    rows.iter().map(|row| target(transaction, row)).collect()
}

fn target(transaction: &mut Transaction<'_>, row: &Row) -> Result<Target> {
    let (Some(tview_oid), Some(view_oid)) = (row.get::<_, Option<u32>>(3), row.get::<_, Option<u32>>(4)) else {
        let text = "tview.pg_tview_meta names a tview or a view that no longer exists; run the migration again";
        return Err(Error::Setup(text.to_owned()));
    };
    let sql = "SELECT v.attname::text, \
               coalesce(nullif(ty.typbasetype, 0), ty.oid) = 'pg_catalog.bpchar'::regtype, \
               EXISTS (SELECT FROM pg_catalog.pg_attribute t WHERE t.attrelid = $2 AND t.attname = v.attname \
                       AND t.attnum > 0 AND NOT t.attisdropped) \
               FROM pg_catalog.pg_attribute v JOIN pg_catalog.pg_type ty ON ty.oid = v.atttypid \
               WHERE v.attrelid = $1 AND v.attnum > 0 AND NOT v.attisdropped ORDER BY v.attnum";
    let columns = transaction.query(sql, &[&view_oid, &tview_oid]).doing(|| "reading a view's columns".to_owned())?;
    let columns =
        columns.iter().map(|row| Column { name: row.get(0), blank_padded: row.get(1), in_tview: row.get(2) }).collect();
    let keys: Option<Vec<String>> = row.get(2);
    Ok(Target { tview: row.get(0), view: row.get(1), keys: keys.unwrap_or_default(), columns })
}

impl Target {
    fn compare(&self, transaction: &mut Transaction<'_>, options: &CompareOptions) -> Result<TviewReport> {
        let unordered = options.multisets.contains(&self.view);
        // Whether a row differs is known only when its arrays have been looked at, so all of them are fetched.
        let limit = if unordered { i64::MAX } else { options.limit };
        let mut differences: Vec<Difference> = self
            .columns
            .iter()
            .filter(|column| !column.in_tview)
            .map(|column| self.difference("", DifferenceKind::NoSuchColumn(column.name.clone())))
            .collect();
        let rows = transaction.query(&self.query(limit), &[]).doing(|| format!("comparing {}", self.tview))?;
        let (mut counts, mut forgiven) = ((0, 0, 0), 0);
        for row in &rows {
            counts = (row.get(0), row.get(1), row.get(2));
            let before = differences.len();
            self.explain(row, &mut differences);
            let reordered = |d: &Difference| {
                matches!(&d.kind, DifferenceKind::Column { view: Some(view), tview: Some(tview), .. }
                if multiset::equal(view, tview))
            };
            if unordered && differences.len() > before && differences[before..].iter().all(reordered) {
                differences.truncate(before);
                forgiven += 1;
            }
        }
        Ok(TviewReport {
            tview: self.tview.clone(),
            view: self.view.clone(),
            view_rows: counts.0,
            tview_rows: counts.1,
            differing_rows: counts.2 - forgiven,
            differences,
        })
    }

    /// One row per differing row (at least one row in any case), each with the three counts in front.
    fn query(&self, limit: i64) -> String {
        let keys: Vec<String> = self.keys.iter().map(|key| self.text_of(key)).collect();
        let columns: Vec<String> = self.common().map(|column| text_of(&column.name, column.blank_padded)).collect();
        let (keys, columns) = (keys.join(", "), columns.join(", "));
        let (view, tview) = (&self.view, &self.tview);
        // text[] equality treats NULL elements as equal, and under "C" it is equality of bytes.
        format!(
            "WITH v AS MATERIALIZED (SELECT ARRAY[{keys}]::text[] AS k, ARRAY[{columns}]::text[] AS r FROM {view} q),\n\
             t AS MATERIALIZED (SELECT ARRAY[{keys}]::text[] AS k, ARRAY[{columns}]::text[] AS r FROM {tview} q),\n\
             n AS MATERIALIZED (SELECT k, count(*) AS n FROM v GROUP BY k HAVING count(*) > 1),\n\
             d AS MATERIALIZED (\n\
             SELECT coalesce(v.k, t.k) AS k, v.r AS vr, t.r AS tr, 1::bigint AS n FROM v FULL JOIN t ON v.k = t.k\n\
             WHERE v.k IS NULL OR t.k IS NULL OR v.r <> t.r\n\
             UNION ALL SELECT k, NULL, NULL, n FROM n)\n\
             SELECT (SELECT count(*) FROM v), (SELECT count(*) FROM t), (SELECT count(*) FROM d), d.k, d.vr, d.tr, d.n\n\
             FROM (SELECT) one LEFT JOIN (SELECT * FROM d ORDER BY k, vr, tr LIMIT {limit}) d ON true"
        )
    }

    fn common(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| column.in_tview)
    }

    fn text_of(&self, name: &str) -> String {
        let blank_padded = self.columns.iter().any(|column| column.name == name && column.blank_padded);
        text_of(name, blank_padded)
    }

    fn explain(&self, row: &Row, differences: &mut Vec<Difference>) {
        let Some(key) = row.get::<_, Option<Vec<Option<String>>>>(3) else {
            return;
        };
        let key = self.key_text(&key);
        let view: Option<Vec<Option<String>>> = row.get(4);
        let tview: Option<Vec<Option<String>>> = row.get(5);
        let named = |values: Vec<Option<String>>| -> Vec<(String, Option<String>)> {
            self.common().map(|column| column.name.clone()).zip(values).collect()
        };
        match (view, tview) {
            (Some(view), Some(tview)) => {
                for ((column, view), tview) in self.common().zip(view).zip(tview) {
                    if view != tview {
                        let column = column.name.clone();
                        differences.push(self.difference(&key, DifferenceKind::Column { column, view, tview }));
                    }
                }
            }
            (Some(view), None) => {
                differences.push(self.difference(&key, DifferenceKind::MissingInTview(named(view))));
            }
            (None, Some(tview)) => {
                differences.push(self.difference(&key, DifferenceKind::MissingInView(named(tview))));
            }
            (None, None) => differences.push(self.difference(&key, DifferenceKind::DuplicateKey(row.get(6)))),
        }
    }

    fn key_text(&self, key: &[Option<String>]) -> String {
        let parts = self.keys.iter().zip(key);
        let parts = parts.map(|(name, value)| format!("{name}={}", value.as_deref().unwrap_or("NULL")));
        parts.collect::<Vec<_>>().join(", ")
    }

    fn difference(&self, key: &str, kind: DifferenceKind) -> Difference {
        Difference { tview: self.tview.clone(), key: key.to_owned(), kind }
    }
}

/// The column's full text. The cast of `char(n)` to text drops blanks, so that type goes through its output function.
fn text_of(name: &str, blank_padded: bool) -> String {
    let column = format!("q.{}", quote::ident(name));
    if blank_padded {
        format!("CASE WHEN {column} IS NOT NULL THEN concat({column}) END COLLATE \"C\"")
    } else {
        format!("{column}::text COLLATE \"C\"")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for tview in &self.tviews {
            write!(f, "{}", tview)?;
        }
        Ok(())
    }
}

impl fmt::Display for TviewReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.differing_rows == 0 && self.differences.is_empty() {
            return writeln!(f, "{} = {} ({} rows)", self.tview, self.view, self.view_rows);
        }
        writeln!(
            f,
            "{} <> {}: {} of {} rows differ (the tview holds {})",
            self.tview, self.view, self.differing_rows, self.view_rows, self.tview_rows
        )?;
        for difference in &self.differences {
            writeln!(f, "  {difference}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tview, key, kind } = self;
        match kind {
            DifferenceKind::MissingInTview(row) => {
                write!(f, "{tview} lacks the row {key}: {}", row_text(row))
            }
            DifferenceKind::MissingInView(row) => {
                write!(f, "{tview} has the row {key}, which the view does not show: {}", row_text(row))
            }
            DifferenceKind::DuplicateKey(n) => {
                write!(f, "the view of {tview} shows {n} rows for the key {key}")
            }
            DifferenceKind::NoSuchColumn(column) => {
                write!(f, "{tview} lacks the view's column {column}")
            }
            DifferenceKind::Column { column, view, tview: ours } => {
                let (view, ours) = around_difference(view.as_deref(), ours.as_deref());
                write!(f, "{tview} {key}, column {column}\n    view:  {view}\n    tview: {ours}")
            }
        }
    }
}

fn row_text(row: &[(String, Option<String>)]) -> String {
    let parts = row.iter().map(|(name, value)| format!("{name}={}", clip(value.as_deref().unwrap_or("NULL"), 0)));
    parts.collect::<Vec<_>>().join(", ")
}

const WINDOW: usize = 160;

/// Both texts, cut to the part around the first byte in which they differ.
fn around_difference(left: Option<&str>, right: Option<&str>) -> (String, String) {
    let (Some(left), Some(right)) = (left, right) else {
        let show = |text: Option<&str>| text.map_or_else(|| "NULL".to_owned(), |text| clip(text, 0));
        return (show(left), show(right));
    };
    let first = left.bytes().zip(right.bytes()).take_while(|(a, b)| a == b).count();
    let from = first.saturating_sub(WINDOW / 2);
    (clip(left, from), clip(right, from))
}

/// At most `WINDOW` bytes of `text` from about byte `from`, with marks where something was cut off.
fn clip(text: &str, from: usize) -> String {
    let boundary = |at: usize| (0..=at.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    let (start, end) = (boundary(from), boundary(from + WINDOW));
    let before = if start > 0 { "…" } else { "" };
    let after = if end < text.len() { "…" } else { "" };
    format!("{before}{}{after}", &text[start..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_the_place_of_the_difference() {
        let long = "x".repeat(500);
        let (left, right) = around_difference(Some(&format!("{long}1.0 end")), Some(&format!("{long}1.00 end")));
        assert!(left.starts_with('…') && left.ends_with("1.0 end"), "{left}");
        assert!(right.ends_with("1.00 end"), "{right}");
    }

    #[test]
    fn cuts_between_characters() {
        let text = "é".repeat(200);
        assert!(clip(&text, 3).starts_with("…é"));
        assert_eq!(around_difference(None, Some("a")), ("NULL".to_owned(), "a".to_owned()));
    }

    #[test]
    fn splits_list_settings() {
        assert_eq!(setting("ISO, MDY"), "'ISO', 'MDY'");
    }
}
