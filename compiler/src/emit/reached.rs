//! What a write under snapshot isolation is checked by.
//!
//! In: a [`TablePlan`]. Out: a function that takes the locks of a write again and tells which documents its rows reach, all as
//! the snapshot shows it that it is called under. Always: it locks in the order of the plan, and tells of every document that the write
//! may have changed.

use super::locks;
use super::table::{MAX_ARGUMENTS, call_parameters, find, guard};
use super::templates::{Carried, FlagModel, ReachedSql};
use super::tview::key_columns;
use super::way::Context;
use super::{Program, list, names, one_line};
use crate::names::sql_literal;
use crate::plan::{LockStep, Reach, TablePlan, TviewStep, UseStep};

/// What looks under the latest snapshot takes the query, how often, and `before`.
const OWN_ARGUMENTS: usize = 3;

/// The function of a base table; `None` where it would have too many arguments.
pub fn model(
    program: &Program,
    plan: &TablePlan,
    carried: &[Carried],
    flags: &[FlagModel],
    settings: &str,
) -> Option<ReachedSql> {
    let arguments = call_parameters(carried, flags);
    if OWN_ARGUMENTS + arguments.len() > MAX_ARGUMENTS {
        return None;
    }
    let name = names::reached(program.name, &plan.table);
    let steps: Vec<String> = plan.steps.iter().map(|s| step(program, plan, s)).collect();
    // With each snapshot what stands one join further on a way is locked.
    let sources = plan.steps.iter().flat_map(|s| &s.locks).flat_map(LockStep::sources);
    let hops = sources.map(|s| s.way.joins.len() + 1).max().unwrap_or_default();
    Some(ReachedSql {
        function: name.sql(),
        literal: sql_literal(name.as_str()),
        count: 1 + arguments.len(),
        arguments: list(arguments),
        hops,
        settings: settings.to_owned(),
        steps,
    })
}

fn step(program: &Program, plan: &TablePlan, step: &TviewStep) -> String {
    let tview = &program.tviews[step.tview];
    let context = Context { program, plan, tview, parts: &program.parts[step.tview] };
    let guard = guard(step.reached.iter().map(|u| u.changed));
    let indent = if guard.is_some() { "        " } else { "    " };
    let mut sql = format!("    -- {}", one_line(&tview.name.to_string()));
    if let Some(condition) = &guard {
        sql += &format!("\n    IF {condition} THEN");
    }
    for lock in &step.locks {
        sql += &locks::take_again(&context, lock, indent);
    }
    let (whole, keyed): (Vec<&UseStep>, Vec<&UseStep>) = step.reached.iter().partition(|u| u.reach == Reach::Whole);
    if !keyed.is_empty() {
        sql += &find_keys(&context, &keyed, indent);
    }
    if !whole.is_empty() {
        sql += &compare_all(&context, indent);
    }
    if guard.is_some() {
        sql += "\n    END IF;";
    }
    sql
}

fn find_keys(context: &Context, steps: &[&UseStep], indent: &str) -> String {
    let tview = context.tview;
    let fields =
        key_columns(tview).into_iter().map(|k| format!("{}, k.{}", sql_literal(k.name.as_str()), k.name.sql()));
    let aggregate = format!("jsonb_agg(jsonb_build_object({}))", list(fields));
    let name = sql_literal(&tview.name.to_string());
    let differ = sql_literal(names::differ(context.program.name, &tview.name).as_str());
    find(context, steps, &aggregate, "keys", indent)
        + &format!("\n{indent}reached := reached || tview.seen({name}, {differ}, before, keys);")
}

/// Nothing links the rows to single documents.
fn compare_all(context: &Context, indent: &str) -> String {
    let name = sql_literal(&context.tview.name.to_string());
    let check = names::check(context.program.name, &context.tview.name).sql();
    format!("\n{indent}PERFORM tview.require_seen({name}, before IS NULL OR NOT EXISTS (SELECT FROM tview.{check}()));")
}
