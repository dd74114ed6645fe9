//! The record of what the writer did.
//!
//! In: each text sent to the server with what came of it. Out: a log that prints as a psql script, which replays the
//! same history on a copy of the initial database.

use std::fmt;

use super::classify::Suspicion;
use super::kind::Kind;

/// What became of one text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It succeeded; the number of rows as the server reports it.
    Done(u64),
    /// It failed.
    Failed {
        /// The SQLSTATE; empty when the connection itself failed.
        code: String,
        /// The server's message.
        message: String,
    },
}

/// One text that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The kind of statement it belongs to; `None` for BEGIN and the like.
    pub kind: Option<Kind>,
    /// The SQL, without the closing semicolon.
    pub sql: String,
    /// The data of a COPY.
    pub copy_data: Option<String>,
    /// What became of it.
    pub outcome: Outcome,
}

/// One transaction.
#[derive(Debug, Clone, Default)]
pub struct TransactionLog {
    /// Everything sent, in order.
    pub sent: Vec<Sent>,
    /// Whether anything was committed (also by a statement outside BEGIN and COMMIT).
    pub committed: bool,
    /// 40001 or 40P01, when the transaction was given up because of one; empty where a COPY did not say why it failed.
    pub retry: Option<String>,
    /// Errors that a correct installation should not raise.
    pub suspicious: Vec<Suspicion>,
}

impl fmt::Display for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{};", self.sql)?;
        match &self.outcome {
            Outcome::Failed { code, message } => write!(f, " -- {code} {}", message.replace('\n', " "))?,
            Outcome::Done(rows) if self.kind.is_some() => write!(f, " -- {rows}")?,
            Outcome::Done(_) => {}
        }
        match &self.copy_data {
            // Data follows on the next line, so the remark above must not hide it: psql drops comments.
            Some(data) => write!(f, "\n{data}\\."),
            None => Ok(()),
        }
    }
}

impl fmt::Display for TransactionLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for sent in &self.sent {
            writeln!(f, "{sent}")?;
        }
        Ok(())
    }
}

/// The history as a psql script.
pub fn script(history: &[TransactionLog]) -> String {
    let mut text = String::from("\\set ON_ERROR_STOP off\n\\encoding UTF8\n");
    for (number, log) in history.iter().enumerate() {
        text.push_str(&format!("-- transaction {number}\n{log}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_a_script() {
        let sent = Sent {
            kind: Some(Kind::Copy),
            sql: "COPY a.t (x) FROM STDIN".into(),
            copy_data: Some("1\n".into()),
            outcome: Outcome::Failed { code: "23505".into(), message: "duplicate\nkey".into() },
        };
        assert_eq!(sent.to_string(), "COPY a.t (x) FROM STDIN; -- 23505 duplicate key\n1\n\\.");
    }
}
