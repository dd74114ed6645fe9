//! Comparison of every tview with its view.
//!
//! In: a connection of a role that may read both (a superuser in tests). Out: a `Report` with one entry per row of
//! `tview.pg_tview_meta`. Two rows are equal when the text of every column is byte-equal under pinned rendering
//! settings, so `1.0` and `1.00` differ. The database compares, range by range of the key; only differing rows travel,
//! and of those no more than a few with their values. All is read in one snapshot that can write nothing.

mod show;
mod target;

use std::collections::BTreeSet;

use postgres::{Client, IsolationLevel};

use crate::error::{Doing, Result};
use crate::quote;

/// How to compare.
#[derive(Debug, Clone)]
pub struct CompareOptions {
    /// Rendering settings for both sides, on top of the server's defaults.
    pub settings: Vec<(String, String)>,
    /// How many differing rows of one tview to fetch; all are counted.
    pub limit: i64,
    /// How many rows of a tview to compare at a time.
    pub batch: i64,
    /// The tviews to compare, as `schema.tview`; empty for all.
    pub only: Vec<String>,
    /// Where the order of elements in arrays is no difference.
    pub multisets: Multisets,
}

/// Views whose arrays have no total order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Multisets {
    /// These, as `schema.view`.
    Of(BTreeSet<String>),
    /// Those of which `tview.pg_tview_meta` says so.
    AsInstalled,
}

/// What documents are rendered under: the settings on which the text of values depends.
pub const RENDERING: [(&str, &str); 7] = [
    ("TimeZone", "UTC"),
    ("DateStyle", "ISO, MDY"),
    ("IntervalStyle", "postgres"),
    ("extra_float_digits", "1"),
    ("bytea_output", "hex"),
    ("quote_all_identifiers", "off"),
    ("xmlbinary", "base64"),
];

impl Default for CompareOptions {
    fn default() -> Self {
        // A row that a policy hides would count as equal.
        let pinned = RENDERING.into_iter().chain([("row_security", "off")]);
        let settings = pinned.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { settings, limit: 20, batch: 5_000, only: Vec::new(), multisets: Multisets::Of(BTreeSet::new()) }
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

/// What a comparison tells while it runs.
pub enum Progress<'a> {
    /// So many rows of this tview have been compared.
    Compared {
        /// The tview.
        tview: &'a str,
        /// Rows of the tview so far.
        rows: i64,
    },
    /// A row differs.
    Differs {
        /// The tview, as `schema.tview`, each part quoted where it has to be.
        tview: &'a str,
        /// The row's key as a JSON object.
        key: &'a str,
    },
}

/// Compares under the default settings.
pub fn compare(client: &mut Client) -> Result<Report> {
    compare_with(client, &CompareOptions::default(), &mut |_| Ok(()))
}

/// Compares. All tviews are read in one snapshot.
pub fn compare_with(
    client: &mut Client,
    options: &CompareOptions,
    on_progress: &mut dyn FnMut(Progress<'_>) -> Result<()>,
) -> Result<Report> {
    let mut transaction = client
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .doing(|| "starting the comparison".to_owned())?;
    let settings = options.settings.iter();
    let settings: Vec<String> = settings.map(|(name, value)| set_local(name, value)).collect();
    let settings = settings.join("; ");
    transaction.batch_execute(&settings).doing(|| settings.clone())?;
    let mut report = Report::default();
    for target in target::all(&mut transaction, &options.only)? {
        report.tviews.push(target.compare(&mut transaction, options, on_progress)?);
    }
    transaction.rollback().doing(|| "ending the comparison".to_owned())?;
    Ok(report)
}

/// The statement that makes a setting hold until the transaction ends.
pub fn set_local(name: &str, value: &str) -> String {
    format!("SET LOCAL {} = {}", quote::ident(name), setting(value))
}

/// DateStyle takes a list, so `ISO, MDY` is two values.
fn setting(value: &str) -> String {
    value.split(", ").map(quote::literal).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_list_settings() {
        assert_eq!(setting("ISO, MDY"), "'ISO', 'MDY'");
    }
}
