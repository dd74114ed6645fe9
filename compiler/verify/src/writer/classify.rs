//! Which failures are expected.
//!
//! In: an error of a random statement. Out: whether it is a plain refusal (a constraint, a value out of range), or
//! something that a correct installation should not raise. The context of an error tells whether a generated
//! function was running.

use std::fmt;

use postgres::error::DbError;

/// Why an error is suspicious.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SuspicionKind {
    /// It came from a generated function or from a tview, or it is an internal error.
    Generated,
    /// 0A000: the portable runtime refused an isolation level, or a feature is missing.
    Unsupported,
    /// 40001 or 40P01, which a single session should never see.
    Concurrency,
    /// A data exception (class 22) within a generated function: the view's own expressions may raise it as well.
    Data,
    /// The random statement itself seems to be wrong: a fault of the writer or of a user's trigger.
    Statement,
    /// The connection was lost.
    Connection,
}

/// An error worth a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspicion {
    /// Why.
    pub kind: SuspicionKind,
    /// The SQLSTATE.
    pub code: String,
    /// The statement.
    pub sql: String,
    /// The message with detail, hint and context.
    pub text: String,
}

impl fmt::Display for Suspicion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}\nSTATEMENT: {}", self.kind, self.text, self.sql)
    }
}

/// The parts of an error that matter here.
pub(crate) struct Symptoms<'a> {
    pub(crate) code: &'a str,
    pub(crate) message: &'a str,
    pub(crate) context: &'a str,
    pub(crate) table: &'a str,
    pub(crate) schema: &'a str,
    pub(crate) sql: &'a str,
}

impl<'a> Symptoms<'a> {
    pub(crate) fn of(error: &'a DbError, sql: &'a str) -> Self {
        Self {
            code: error.code().code(),
            message: error.message(),
            context: error.where_().unwrap_or_default(),
            table: error.table().unwrap_or_default(),
            schema: error.schema().unwrap_or_default(),
            sql,
        }
    }

    /// `None` for an expected refusal.
    pub(crate) fn suspicion(&self, tviews: &[String]) -> Option<SuspicionKind> {
        let class = self.code.get(..2).unwrap_or_default();
        match (self.code, class) {
            ("40001" | "40P01", _) => Some(SuspicionKind::Concurrency),
            // TRUNCATE without CASCADE of a table that a foreign key references.
            ("0A000", _) if self.sql.starts_with("TRUNCATE") && self.context.is_empty() => None,
            // A write to a partition of rows that belong to another one, with a user's trigger on it.
            ("0A000", _) if self.message.starts_with("moving row to another partition") => None,
            // Infinity or NaN as an integer, in the view's own expressions: as with other values below.
            ("0A000", _) if self.message.starts_with("cannot convert") => {
                self.is_from_tview(tviews).then_some(SuspicionKind::Data)
            }
            ("0A000", _) => Some(SuspicionKind::Unsupported),
            // Internal errors, lack of resources (a full lock table), limits, timeouts.
            (_, "XX" | "53" | "54" | "57" | "58") => Some(SuspicionKind::Generated),
            // An overflow or a division by zero in the view's own expressions: the view fails as well then.
            (_, "22") => self.is_from_tview(tviews).then_some(SuspicionKind::Data),
            _ if self.is_from_tview(tviews) => Some(SuspicionKind::Generated),
            // Not allowed, GENERATED ALWAYS, no matching constraint for ON CONFLICT (an index that was dropped).
            ("42501" | "428C9", _) => None,
            (_, "42" | "26" | "34") => Some(SuspicionKind::Statement),
            _ => None,
        }
    }

    fn is_from_tview(&self, tviews: &[String]) -> bool {
        self.context.contains("tview")
            || self.schema == "tview"
            || tviews.iter().any(|tview| tview == self.table || self.context.contains(tview.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suspicion(code: &str, context: &str, table: &str) -> Option<SuspicionKind> {
        Symptoms { code, message: "", context, table, schema: "public", sql: "" }.suspicion(&["tv_post".to_owned()])
    }

    #[test]
    fn refusals_are_expected() {
        assert_eq!(suspicion("23505", "", "post"), None);
        assert_eq!(suspicion("22012", "", ""), None);
        assert_eq!(suspicion("22012", "PL/pgSQL function tview.x() line 3", ""), Some(SuspicionKind::Data));
        assert_eq!(suspicion("P0001", "PL/pgSQL function guard() line 3", ""), None);
        let infinite = "cannot convert infinity to integer";
        let symptoms = Symptoms { code: "0A000", message: infinite, context: "tview", table: "", schema: "", sql: "" };
        assert_eq!(symptoms.suspicion(&[]), Some(SuspicionKind::Data));
    }

    #[test]
    fn errors_of_generated_code_are_not() {
        assert_eq!(suspicion("23505", "", "tv_post"), Some(SuspicionKind::Generated));
        assert_eq!(suspicion("42703", "PL/pgSQL function tview.x() line 3", ""), Some(SuspicionKind::Generated));
        assert_eq!(suspicion("P0001", "PL/pgSQL function tview.x() line 3", ""), Some(SuspicionKind::Generated));
        assert_eq!(suspicion("40P01", "", ""), Some(SuspicionKind::Concurrency));
        assert_eq!(suspicion("42601", "", ""), Some(SuspicionKind::Statement));
    }
}
