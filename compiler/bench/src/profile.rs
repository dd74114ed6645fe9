//! Where the time of an operation goes.
//!
//! In: an operation, run some times in a session of its own, in which the server explains every statement, also those in
//! triggers (`auto_explain`, which is part of PostgreSQL's contrib). Out: a [`Split`]. Measuring slows short statements down, so
//! that the parts say more about their proportions than about the whole; nothing else is taken from these runs.

use std::sync::{Arc, Mutex};

use postgres::{Client, NoTls};
use serde_json::Value;
use tviewc_verify::{SUPERUSER, Server};

use crate::error::{Doing, Result};
use crate::result::Split;

const SETTINGS: &str = "SET auto_explain.log_min_duration = 0; SET auto_explain.log_analyze = on;
    SET auto_explain.log_nested_statements = on; SET auto_explain.log_verbose = on; SET auto_explain.log_triggers = on;
    SET auto_explain.log_format = json; SET auto_explain.log_level = notice;";

/// A session that is explained.
pub struct Explained {
    /// The session.
    pub client: Client,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Explained {
    /// Connects; none where the server has no auto_explain.
    pub fn connect(server: &Server, database: &str) -> Result<Option<Self>> {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let mut config = server.config(database, SUPERUSER);
        let listener = Arc::clone(&heard);
        config.notice_callback(move |notice| {
            if let Ok(mut heard) = listener.lock() {
                heard.push(notice.message().to_owned());
            }
        });
        let mut client = config.connect(NoTls).doing("connecting")?;
        if client.batch_execute("LOAD 'auto_explain'").is_err() {
            return Ok(None);
        }
        Ok(Some(Self { client, heard }))
    }

    /// Explains what is run from now on.
    pub fn begin(&mut self) -> Result<()> {
        self.client.batch_execute(SETTINGS).doing("setting up auto_explain")?;
        if let Ok(mut heard) = self.heard.lock() {
            heard.clear();
        }
        Ok(())
    }

    /// What was explained since, as parts of the time of the statements that came from outside; none without any.
    pub fn split(mut self) -> Result<Option<Split>> {
        self.client.batch_execute("SET auto_explain.log_min_duration = -1").doing("ending auto_explain")?;
        let heard = self.heard.lock().map(|heard| heard.clone()).unwrap_or_default();
        Ok(split(heard.iter().filter_map(|text| Statement::read(text))))
    }
}

/// One explained statement.
struct Statement {
    milliseconds: f64,
    text: String,
    plan: Value,
    /// Whether triggers ran in it.
    triggers: f64,
}

impl Statement {
    /// Reads `duration: 0.123 ms  plan:` and the JSON behind it.
    fn read(text: &str) -> Option<Self> {
        let (time, json) = text.strip_prefix("duration: ")?.split_once(" ms  plan:")?;
        let explained: Value = serde_json::from_str(json).ok()?;
        let triggers = explained["Triggers"].as_array().into_iter().flatten();
        Some(Self {
            milliseconds: time.parse().ok()?,
            text: explained["Query Text"].as_str().unwrap_or_default().to_owned(),
            triggers: triggers.filter_map(|trigger| trigger["Time"].as_f64()).sum(),
            plan: explained["Plan"].clone(),
        })
    }
}

/// Statements come in the order in which they end, so that those of triggers stand before the one that fired them. A statement of
/// a function that another nested one called is in the time of that one too; only patches call any, and they count as jsonb there.
fn split(statements: impl Iterator<Item = Statement>) -> Option<Split> {
    let mut parts = Split::default();
    let mut whole = 0.0;
    let mut nested: Vec<Statement> = Vec::new();
    for statement in statements {
        if !is_from_outside(&statement) {
            nested.push(statement);
            continue;
        }
        whole += statement.milliseconds;
        parts.statement += (statement.milliseconds - statement.triggers).max(0.0);
        for inner in nested.drain(..) {
            if inner.text.contains("advisory") || inner.text.trim_start().to_uppercase().starts_with("LOCK") {
                parts.locking += inner.milliseconds;
            } else {
                add(&inner.plan, &mut parts);
            }
        }
    }
    if whole == 0.0 {
        return None;
    }
    for part in [&mut parts.statement, &mut parts.finding, &mut parts.jsonb, &mut parts.writing, &mut parts.locking] {
        *part /= whole;
    }
    let sum = parts.statement + parts.finding + parts.jsonb + parts.writing + parts.locking;
    parts.rest = (1.0 - sum).max(0.0);
    Some(parts)
}

/// Operations begin with this comment.
pub const MARK: &str = "/* operation */";

fn is_from_outside(statement: &Statement) -> bool {
    statement.text.contains(MARK)
}

/// Adds each node's own time to the part that it belongs to.
fn add(node: &Value, parts: &mut Split) {
    let children: Vec<&Value> = node["Plans"].as_array().into_iter().flatten().collect();
    let own = (time(node) - children.iter().map(|child| time(child)).sum::<f64>()).max(0.0);
    let part = match node["Node Type"].as_str().unwrap_or_default() {
        "ModifyTable" => &mut parts.writing,
        "LockRows" => &mut parts.locking,
        _ if makes(node, "advisory_xact_lock") => &mut parts.locking,
        _ if makes(node, "jsonb_") || makes(node, "json_") || makes(node, "to_jsonb") => &mut parts.jsonb,
        _ => &mut parts.finding,
    };
    *part += own;
    for child in children {
        add(child, parts);
    }
}

/// Milliseconds in all loops, with what is below.
fn time(node: &Value) -> f64 {
    node["Actual Total Time"].as_f64().unwrap_or(0.0) * node["Actual Loops"].as_f64().unwrap_or(0.0)
}

/// Whether a node itself calls something: what it only passes on stands in parentheses.
fn makes(node: &Value, name: &str) -> bool {
    let outputs = node["Output"].as_array().into_iter().flatten().filter_map(Value::as_str);
    outputs.into_iter().any(|output| !output.starts_with('(') && output.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(milliseconds: f64, json: &str) -> Statement {
        Statement::read(&format!("duration: {milliseconds} ms  plan:\n{json}")).unwrap()
    }

    #[test]
    fn times_go_to_the_nodes_that_spend_them() {
        let inner = r#"{"Query Text": "UPDATE tv", "Plan": {"Node Type": "ModifyTable", "Actual Total Time": 5.0, "Actual Loops": 1, "Plans": [
            {"Node Type": "Nested Loop", "Output": ["jsonb_build_object('a', a.x)", "t.ctid"], "Actual Total Time": 3.0, "Actual Loops": 1, "Plans": [
                {"Node Type": "Index Scan", "Output": ["a.x"], "Actual Total Time": 0.5, "Actual Loops": 2}]}]}}"#;
        let lock = r#"{"Query Text": "SELECT pg_advisory_xact_lock(1)", "Plan": {"Node Type": "Result", "Actual Total Time": 1.0, "Actual Loops": 1}}"#;
        let outer = r#"{"Query Text": "/* operation */ UPDATE a", "Plan": {"Node Type": "ModifyTable", "Actual Total Time": 2.0, "Actual Loops": 1},
            "Triggers": [{"Trigger Name": "zzz", "Time": 8.0, "Calls": 1}]}"#;
        let split = split([statement(1.0, lock), statement(5.0, inner), statement(10.0, outer)].into_iter()).unwrap();
        let expected = Split { statement: 0.2, finding: 0.1, jsonb: 0.2, writing: 0.2, locking: 0.1, rest: 0.2 };
        for (found, expected) in [
            (split.statement, expected.statement),
            (split.finding, expected.finding),
            (split.jsonb, expected.jsonb),
            (split.writing, expected.writing),
            (split.locking, expected.locking),
            (split.rest, expected.rest),
        ] {
            assert!((found - expected).abs() < 1e-9, "{split:?}");
        }
    }
}
