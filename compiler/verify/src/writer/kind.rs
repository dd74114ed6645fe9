//! The kinds of statement that the writer makes, and the count of what became of them.

use std::collections::BTreeMap;
use std::fmt;

/// A kind of statement, or of what is done around statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "each name says it")]
pub enum Kind {
    InsertOne,
    InsertMany,
    InsertDefaults,
    InsertSelect,
    InsertParentAndChild,
    ConflictNothing,
    ConflictUpdate,
    UpdateOne,
    UpdateSome,
    UpdateAll,
    UpdateKey,
    UpdateForeignKey,
    UpdateNull,
    UpdateNoop,
    UpdateEqual,
    UpdateFromTwice,
    DeleteOne,
    DeleteSome,
    DeleteTree,
    Truncate,
    Merge,
    WithWrites,
    Copy,
    NoRows,
    DoBlock,
    Prepared,
    SavepointRollback,
    Rollback,
    Settings,
}

impl Kind {
    /// All kinds of statement, with the weight of each. The last three kinds are not chosen as statements.
    pub const STATEMENTS: [(Self, u32); 26] = [
        (Self::InsertOne, 8),
        (Self::InsertMany, 7),
        (Self::InsertDefaults, 3),
        (Self::InsertSelect, 4),
        (Self::InsertParentAndChild, 6),
        (Self::ConflictNothing, 4),
        (Self::ConflictUpdate, 6),
        (Self::UpdateOne, 10),
        (Self::UpdateSome, 6),
        (Self::UpdateAll, 3),
        (Self::UpdateKey, 4),
        (Self::UpdateForeignKey, 8),
        (Self::UpdateNull, 4),
        (Self::UpdateNoop, 3),
        (Self::UpdateEqual, 3),
        (Self::UpdateFromTwice, 4),
        (Self::DeleteOne, 7),
        (Self::DeleteSome, 4),
        (Self::DeleteTree, 4),
        (Self::Truncate, 1),
        (Self::Merge, 5),
        (Self::WithWrites, 5),
        (Self::Copy, 4),
        (Self::NoRows, 2),
        (Self::DoBlock, 4),
        (Self::Prepared, 4),
    ];

    /// Kinds that only add rows.
    pub(crate) fn adds(self) -> bool {
        matches!(
            self,
            Self::InsertOne
                | Self::InsertMany
                | Self::InsertDefaults
                | Self::InsertSelect
                | Self::InsertParentAndChild
                | Self::ConflictNothing
                | Self::ConflictUpdate
                | Self::Copy
                | Self::Merge
        )
    }

    /// Kinds that remove rows.
    pub(crate) fn removes(self) -> bool {
        matches!(self, Self::DeleteOne | Self::DeleteSome | Self::DeleteTree)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// What became of the statements of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Count {
    /// How many succeeded.
    pub succeeded: u64,
    /// How many of those changed at least one row, as far as the server's answer tells.
    pub effective: u64,
    /// How many failed, by SQLSTATE.
    pub failed: BTreeMap<String, u64>,
}

/// Counts per kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally(pub BTreeMap<Kind, Count>);

impl Tally {
    /// The counts of one kind.
    pub fn of(&self, kind: Kind) -> Count {
        self.0.get(&kind).cloned().unwrap_or_default()
    }

    /// Notes a success.
    pub(crate) fn success(&mut self, kind: Kind, rows: u64) {
        let count = self.0.entry(kind).or_default();
        count.succeeded += 1;
        count.effective += u64::from(rows > 0);
    }

    /// Notes a failure.
    pub(crate) fn failure(&mut self, kind: Kind, code: &str) {
        let count = self.0.entry(kind).or_default();
        *count.failed.entry(code.to_owned()).or_default() += 1;
    }

    /// Adds the counts of another run.
    pub fn add(&mut self, other: &Self) {
        for (&kind, theirs) in &other.0 {
            let ours = self.0.entry(kind).or_default();
            ours.succeeded += theirs.succeeded;
            ours.effective += theirs.effective;
            for (code, n) in &theirs.failed {
                *ours.failed.entry(code.clone()).or_default() += n;
            }
        }
    }

    /// Kinds of statement that succeeded fewer than `minimum` times. Some never can: MERGE before version 15, a
    /// foreign key's update in a schema without one.
    pub fn below(&self, minimum: u64) -> Vec<Kind> {
        let kinds = Kind::STATEMENTS.iter().map(|(kind, _)| *kind);
        kinds.filter(|&kind| self.of(kind).succeeded < minimum).collect()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (kind, count) in &self.0 {
            write!(f, "{:<20} {:>6} ok, {:>6} with effect", kind.to_string(), count.succeeded, count.effective)?;
            for (code, n) in &count.failed {
                write!(f, ", {n} × {code}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
