//! Locks of links as SQL.
//!
//! In: the locks that a write takes for a tview. Out: the statements that take them. What always holds: a function waits for each of them
//! in the order of the plan and, within a link, in the order of hashes, so that no two functions wait for each other; where that comes
//! too late, because a row on the way has moved meanwhile, all are given back and taken from the start.

use super::table::guard;
use super::way::{Context, Images, casts};
use super::{names, one_line};
use crate::names::sql_literal;
use crate::plan::{LockStep, Source};
use crate::relate::{Links, ValueLock};

/// Takes the locks of a tview's links.
pub fn take(context: &Context, locks: &[LockStep], indent: &str) -> String {
    if locks.iter().all(|l| l.again.is_empty()) {
        return locks.iter().map(|step| LinkLock::new(context, step, indent).take(None)).collect();
    }
    let (inner, deeper) = (format!("{indent}    "), format!("{indent}        "));
    let (mut declared, mut taken, mut all_held) = (String::new(), String::new(), Vec::new());
    for step in locks {
        let lock = LinkLock::new(context, step, &deeper);
        let held = (!step.again.is_empty()).then(|| format!("held_{}", all_held.len() + 1));
        taken += &lock.take(held.as_deref());
        if let Some(held) = held {
            let (ty, is_held) = lock.is_held(&held);
            declared += &format!("\n{deeper}{held} {ty};");
            all_held.push(is_held);
        }
    }
    let all_held = all_held.join(&format!("\n{deeper}      AND "));
    format!(
        "\n{indent}LOOP\n{inner}DECLARE{declared}\n{inner}BEGIN{taken}\n\
         {deeper}-- Rows on the way do not move any more. If one has moved while this waited, what is locked is given back.\n\
         {deeper}EXIT WHEN {all_held};\n\
         {deeper}RAISE EXCEPTION USING ERRCODE = 'TV001', MESSAGE = 'a row moved while it was waited for';\n\
         {inner}EXCEPTION\n{deeper}WHEN SQLSTATE 'TV001' THEN NULL;\n{inner}END;\n{indent}END LOOP;"
    )
}

/// Takes the locks of a link that this transaction mostly holds.
pub fn take_again(context: &Context, step: &LockStep, indent: &str) -> String {
    let lock = LinkLock::new(context, step, indent);
    let call = lock.call("lock_values_again", &lock.shared());
    lock.guarded("once more, as rows may have moved there while this waited", &call)
}

/// A lock table as a literal that PostgreSQL reads as its oid.
pub fn regclass(name: &str) -> String {
    sql_literal(&format!("tview.{name}"))
}

/// The locks on one link.
struct LinkLock<'c> {
    context: &'c Context<'c>,
    step: &'c LockStep,
    lock: &'c ValueLock,
    /// The images whose values are shared: a row that goes away with a part of the key only does not know the documents that come to be
    /// meanwhile.
    above: Images,
    /// Where only rows that change their links take locks, most updates need not ask.
    guard: Option<String>,
    indent: &'c str,
    /// The indentation of what is guarded.
    inner: String,
}

impl<'c> LinkLock<'c> {
    fn new(context: &'c Context<'c>, step: &'c LockStep, indent: &'c str) -> Self {
        let relations = &context.tview.relations;
        let lock = relations.lock_of(step.link, step.number);
        let lock = lock.unwrap_or_else(|| unreachable!("steps are made of links that have a lock"));
        let in_parts = |links: &Links| links.iter().next().is_some_and(|root| root.key.is_none());
        let has_parts = relations.variants.iter().any(|v| in_parts(&v.links));
        let above = if has_parts { Images::Both } else { Images::New };
        let guard = step.exclusive.is_empty().then(|| guard(step.shared.iter().map(|s| s.flag))).flatten();
        let inner = if guard.is_some() { format!("{indent}    ") } else { indent.to_owned() };
        LinkLock { context, step, lock, above, guard, indent, inner }
    }

    /// Takes them; what is shared is kept in a variable, where there is one for it.
    fn take(&self, held: Option<&str>) -> String {
        let why = match (self.step.exclusive.is_empty(), self.step.shared.is_empty()) {
            (false, true) => "what these rows mean to documents changes",
            (true, false) => "documents come to depend on these rows: wait for whoever is changing them",
            _ => "what these rows mean changes, and documents come to depend on them",
        };
        let shared = self.shared();
        let call = match held {
            Some(held) => format!("{}{held} := {shared};\n{}", self.inner, self.call("lock_values", held)),
            None => self.call("lock_values", &shared),
        };
        self.guarded(why, &call)
    }

    /// The type of the variable that keeps what is shared, and the condition that nothing else is to be locked now.
    fn is_held(&self, held: &str) -> (&'static str, String) {
        let deeper = format!("{}          ", self.indent);
        match casts(self.lock) {
            Some(casts) => {
                let now = self.hashes(&self.step.again, self.above, casts, &deeper);
                ("integer[]", format!("NOT EXISTS (\n{deeper}({now})\n{deeper}EXCEPT SELECT unnest({held}))"))
            }
            None => ("boolean", format!("({held} OR NOT ({}))", self.any_row(&self.step.again, self.above, &deeper))),
        }
    }

    fn guarded(&self, why: &str, statements: &str) -> String {
        let (indent, alias) = (self.indent, &self.context.tview.view.uses[self.step.link.0].alias);
        let comment = format!("\n{indent}-- {}: {why}", one_line(alias.as_str()));
        match &self.guard {
            Some(condition) => format!("{comment}\n{indent}IF {condition} THEN\n{statements}\n{indent}END IF;"),
            None => format!("{comment}\n{statements}"),
        }
    }

    /// What is shared: the values, or whether there is any row.
    fn shared(&self) -> String {
        match casts(self.lock) {
            Some(casts) => self.array_of_hashes(&self.step.shared, self.above, casts, &self.inner),
            None => self.any_row(&self.step.shared, self.above, &self.inner),
        }
    }

    fn call(&self, lock_values: &str, shared: &str) -> String {
        let (Context { program, tview, .. }, inner) = (self.context, &self.inner);
        let link = regclass(&names::link_lock(program.name, tview, self.step.link, self.step.number).sql());
        let (function, exclusive) = match self.lock {
            ValueLock::Values(casts) => {
                (lock_values, self.array_of_hashes(&self.step.exclusive, Images::Both, casts, inner))
            }
            ValueLock::Relation(_) => ("lock_link", self.any_row(&self.step.exclusive, Images::Both, inner)),
        };
        let reason = match self.lock {
            ValueLock::Relation(reason) => format!("{inner}-- As a whole: {}.\n", one_line(reason)),
            ValueLock::Values(_) => String::new(),
        };
        format!(
            "{reason}{inner}PERFORM tview.{function}({link},\n{inner}    exclusive => {exclusive},\n{inner}    shared => {shared});"
        )
    }

    fn array_of_hashes(&self, sources: &[Source], images: Images, casts: &[Option<String>], indent: &str) -> String {
        if sources.is_empty() {
            return "NULL".into();
        }
        let deeper = format!("{indent}        ");
        format!("ARRAY(\n{deeper}{})", self.hashes(sources, images, casts, &deeper))
    }

    /// A query for the hashes, each once.
    fn hashes(&self, sources: &[Source], images: Images, casts: &[Option<String>], indent: &str) -> String {
        let parts: Vec<String> =
            sources.iter().map(|s| self.context.hashes(&s.way, images, s.flag, casts, indent)).collect();
        match parts.as_slice() {
            [one] => one.replacen("SELECT ", "SELECT DISTINCT ", 1),
            several => several.join(&format!("\n{indent}UNION\n{indent}")),
        }
    }

    fn any_row(&self, sources: &[Source], images: Images, indent: &str) -> String {
        if sources.is_empty() {
            return "false".into();
        }
        let deeper = format!("{indent}        ");
        let parts = sources.iter().map(|s| self.context.exists(&s.way, images, s.flag, &deeper));
        parts.collect::<Vec<_>>().join(&format!("\n{deeper}OR "))
    }
}
