//! How a comparison reads.
//!
//! In: a report. Out: text for people; a long value is cut to the part around the first difference.

use std::fmt;

use super::{Difference, DifferenceKind, Report, TviewReport};

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
}
