//! Where the time of an operation goes.
//!
//! In: an operation, run some times in a session of its own, in which the server explains every statement, also those in
//! triggers (`auto_explain`, which is part of PostgreSQL's contrib). Out: a [`Split`]. Measuring slows short statements down, so
//! that the parts say more about their proportions than about the whole; nothing else is taken from these runs.

use std::collections::BTreeMap;
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

/// Statements come in the order in which they end, so that those of triggers stand before the one that fired them. A statement that
/// reads and writes no rows only calls a function, whose statements stand there themselves, or is inside a patch, whose time the
/// statement that patches has.
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
            if inner.text.contains("advisory") {
                parts.locking += inner.milliseconds;
            } else if touches_rows(&inner.plan) {
                inner.add_to(&mut parts);
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

impl Statement {
    /// Adds each node's own time to the part that it belongs to; together they are no more than the statement took.
    fn add_to(&self, parts: &mut Split) {
        let mut own = Split::default();
        add(&self.plan, &mut ctes(&self.plan), &mut own);
        let sum = own.finding + own.jsonb + own.writing + own.locking;
        // What is evaluated once and read in several places can be in several nodes' times.
        let scale = if sum > self.milliseconds { self.milliseconds / sum } else { 1.0 };
        parts.finding += own.finding * scale;
        parts.jsonb += own.jsonb * scale;
        parts.writing += own.writing * scale;
        parts.locking += own.locking * scale;
    }
}

/// Adds each node's own time. A CTE is evaluated by its first reader, and a query that is evaluated once by whoever asks first: that
/// stands among the children of another node, in whose time it is no more than in its reader's.
fn add(node: &Value, ctes: &mut BTreeMap<String, f64>, parts: &mut Split) {
    let children: Vec<&Value> = node["Plans"].as_array().into_iter().flatten().collect();
    let below = children.iter().filter(|child| child["Parent Relationship"] != "InitPlan").map(|child| time(child));
    let read = node["CTE Name"].as_str().and_then(|name| ctes.remove(name)).unwrap_or(0.0);
    // Statements of a function of ours that is called stand in the list themselves.
    let own = if calls_ours(node) { 0.0 } else { (time(node) - below.sum::<f64>() - read).max(0.0) };
    let part = match node["Node Type"].as_str().unwrap_or_default() {
        "ModifyTable" => &mut parts.writing,
        "LockRows" => &mut parts.locking,
        _ if makes(node, "jsonb_") || makes(node, "json_") || makes(node, "to_jsonb") => &mut parts.jsonb,
        _ => &mut parts.finding,
    };
    *part += own;
    for child in children {
        add(child, ctes, parts);
    }
}

/// The time of each CTE, by its name.
fn ctes(node: &Value) -> BTreeMap<String, f64> {
    let mut found = BTreeMap::new();
    for child in node["Plans"].as_array().into_iter().flatten() {
        found.extend(ctes(child));
        if let Some(name) = child["Subplan Name"].as_str().and_then(|name| name.strip_prefix("CTE ")) {
            found.insert(name.to_owned(), time(child));
        }
    }
    found
}

/// Whether rows of a table, or changed rows, are read or written.
fn touches_rows(node: &Value) -> bool {
    node["Relation Name"].is_string()
        || node["Node Type"] == "Named Tuplestore Scan"
        || node["Plans"].as_array().into_iter().flatten().any(touches_rows)
}

/// Milliseconds in all loops, with what is below.
fn time(node: &Value) -> f64 {
    node["Actual Total Time"].as_f64().unwrap_or(0.0) * node["Actual Loops"].as_f64().unwrap_or(0.0)
}

/// Whether a node itself calls something: what it only passes on stands in parentheses.
fn makes(node: &Value, name: &str) -> bool {
    outputs(node).any(|output| output.contains(name))
}

/// Whether it calls a function of the migration, other than those that patch.
fn calls_ours(node: &Value) -> bool {
    outputs(node).any(|output| output.starts_with("tview.") && !output.starts_with("tview.jsonb_"))
}

fn outputs(node: &Value) -> impl Iterator<Item = &str> {
    let outputs = node["Output"].as_array().into_iter().flatten().filter_map(Value::as_str);
    outputs.filter(|output| !output.starts_with('('))
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
            {"Node Type": "Index Scan", "Parent Relationship": "InitPlan", "Subplan Name": "CTE f", "Relation Name": "b", "Output": ["b.x"],
             "Actual Total Time": 0.5, "Actual Loops": 1},
            {"Node Type": "Nested Loop", "Output": ["jsonb_build_object('a', a.x)", "t.ctid"], "Actual Total Time": 3.0, "Actual Loops": 1, "Plans": [
                {"Node Type": "CTE Scan", "CTE Name": "f", "Output": ["f.x"], "Actual Total Time": 0.5, "Actual Loops": 1},
                {"Node Type": "Index Scan", "Output": ["a.x"], "Actual Total Time": 0.25, "Actual Loops": 2}]}]}}"#;
        let wrapper = r#"{"Query Text": "SELECT tview.f(array_agg(n.id)) FROM new_rows AS n", "Plan": {"Node Type": "Aggregate",
            "Output": ["tview.f(array_agg(n.id))"], "Actual Total Time": 7.0, "Actual Loops": 1, "Plans": [
                {"Node Type": "Named Tuplestore Scan", "Output": ["n.id"], "Actual Total Time": 0.0, "Actual Loops": 1}]}}"#;
        let lock = r#"{"Query Text": "SELECT pg_advisory_xact_lock(1)", "Plan": {"Node Type": "Result", "Actual Total Time": 1.0, "Actual Loops": 1}}"#;
        let outer = r#"{"Query Text": "/* operation */ UPDATE a", "Plan": {"Node Type": "ModifyTable", "Actual Total Time": 2.0, "Actual Loops": 1},
            "Triggers": [{"Trigger Name": "zzz", "Time": 8.0, "Calls": 1}]}"#;
        let split = split(
            [statement(1.0, lock), statement(5.0, inner), statement(7.0, wrapper), statement(10.0, outer)].into_iter(),
        )
        .unwrap();
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
