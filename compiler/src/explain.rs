//! Explain: what a change of a column does, for people.
//!
//! In: the plans. Out: [`Effect`]s, one for each set of columns of a base table that does the same to one tview for the same
//! reason. What always holds: every column of every base table that a tview reads, or that none reads, is in an effect.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::{Catalog, Table};
use crate::document::Dependency;
use crate::emit::{flat_path, place, within};
use crate::names::QualName;
use crate::plan::{
    Changed, ColumnSet, Decisions, LockStep, MANY_ELEMENTS, PartStep, Patch, Source, TablePlan, Tview, TviewStep,
};
use crate::relate::{Link, Pair};
use crate::resolve::UseId;

/// What a change of some columns of a table does to one tview.
#[derive(Clone, Debug)]
pub struct Effect {
    /// The table.
    pub table: QualName,
    /// Its columns.
    pub columns: Vec<String>,
    /// The tview, its view, and as what that reads the table; `None` for columns that no view reads.
    pub reached: Option<Reached>,
}

/// What is reached.
#[derive(Clone, Debug)]
pub struct Reached {
    /// The tview.
    pub tview: QualName,
    /// Its view.
    pub view: QualName,
    /// The table's alias there.
    pub alias: String,
    /// `patch`, `array_patch`, `path_recompute`, `key_recompute` or `full_refresh`.
    pub strategy: &'static str,
    /// Places in the documents, beginning with the output column.
    pub paths: Vec<String>,
    /// What runs.
    pub statement: String,
    /// In the order in which they are taken.
    pub locks: Vec<String>,
    /// The proof, or what is missing for a cheaper strategy.
    pub because: String,
}

/// The effects of all columns, table by table.
pub fn effects(tviews: &[Tview], tables: &[TablePlan], decisions: &Decisions, catalog: &Catalog) -> Vec<Effect> {
    let mut effects = Vec::new();
    for plan in tables {
        let table = catalog.table(&plan.table);
        for step in &plan.steps {
            effects.extend(Context::new(plan, step, &tviews[step.tview], catalog).effects(decisions));
        }
        let unread: ColumnSet = (0..table.columns.len()).filter(|c| !plan.reads.contains(c)).collect();
        if !unread.is_empty() {
            effects.push(Effect { table: plan.table.clone(), columns: names(table, &unread), reached: None });
        }
    }
    effects
}

fn names(table: &Table, columns: &ColumnSet) -> Vec<String> {
    columns.iter().map(|c| table.columns[*c].name.to_string()).collect()
}

struct Context<'p> {
    plan: &'p TablePlan,
    step: &'p TviewStep,
    tview: &'p Tview,
    table: &'p Table,
    catalog: &'p Catalog,
    links: BTreeMap<(UseId, usize), &'p Link>,
    /// The uses whose changes concern all documents.
    whole: BTreeSet<UseId>,
    /// By use: where it shows.
    places: BTreeMap<UseId, Vec<String>>,
}

impl<'p> Context<'p> {
    fn new(plan: &'p TablePlan, step: &'p TviewStep, tview: &'p Tview, catalog: &'p Catalog) -> Self {
        let mut places: BTreeMap<UseId, Vec<String>> = BTreeMap::new();
        for Dependency { use_id, column, path, .. } in &tview.documents.dependencies {
            places.entry(*use_id).or_default().push(place(column, path));
        }
        let links = tview.relations.locked_links().into_iter().map(|l| ((l.child, l.number), l)).collect();
        let whole = tview.relations.whole().collect();
        Context { plan, step, tview, table: catalog.table(&plan.table), catalog, links, whole, places }
    }

    fn effects(&self, decisions: &Decisions) -> Vec<Effect> {
        let mut uses: Vec<UseId> = self.step.patches.iter().map(|p| p.use_id).collect();
        uses.extend(
            self.step.parts.iter().map(|p| p.use_id).chain(self.step.missing.iter().map(|(use_id, _)| *use_id)),
        );
        let mut seen = BTreeSet::new();
        uses.retain(|use_id| seen.insert(*use_id));
        uses.into_iter().flat_map(|use_id| self.of_use(use_id, decisions)).collect()
    }

    /// What each column of a use does.
    fn of_use(&self, use_id: UseId, decisions: &Decisions) -> Vec<Effect> {
        let handling = decisions.of_use(self.step.tview, use_id);
        let reads: ColumnSet = self.tview.documents.reads.get(&use_id).into_iter().flatten().copied().collect();
        let (mut left, mut effects) = (reads, Vec::new());
        if let Some(patch) = handling.patch {
            effects.push(self.patched(use_id, patch));
            left = &left - &patch.columns;
        }
        for part in &handling.parts {
            effects.push(self.part(part, &decisions.changed(self.step.tview, self.tview, part)));
            left = &left - &part.columns;
        }
        // What a reason is known for is told with it.
        let mut others: BTreeMap<&str, ColumnSet> = BTreeMap::new();
        let reason = |column: &usize| {
            let known = handling.patch.iter().flat_map(|p| &p.others).find(|(c, _)| c == column);
            known.map_or(handling.missing.unwrap_or("it decides more than single values"), |(_, reason)| reason)
        };
        for column in &left {
            others.entry(reason(column)).or_default().insert(*column);
        }
        effects.extend(others.into_iter().map(|(reason, columns)| self.recomputed(use_id, &columns, reason)));
        effects
    }

    fn patched(&self, use_id: UseId, patch: &Patch) -> Effect {
        let output = |n: usize| self.tview.view.outputs[n].name.to_string();
        let paths = patch.sites.iter().map(|s| place(&output(s.output), &s.path)).collect();
        let statement = format!("UPDATE {} at these paths", self.tview.name);
        self.reached(use_id, &patch.columns, "patch", paths, statement, &patch.proof)
    }

    /// A value that is computed again, or elements of an array.
    fn part(&self, step: &PartStep, changed: &Changed) -> Effect {
        let path = flat_path(&changed.path);
        let (strategy, statement, because) = match changed.match_key {
            Some(key) => (
                "array_patch",
                format!(
                    "elements at {path} are replaced, inserted at their rank, or removed, by {key}{}; more than {MANY_ELEMENTS}: evaluated as a whole",
                    within(changed)
                ),
                format!("one row per element, told apart by {key}; the columns have no part in anything else"),
            ),
            None => (
                "path_recompute",
                format!("what stands at {path} is evaluated for the documents' keys"),
                changed.missing.unwrap_or("the columns have no part in anything else").to_owned(),
            ),
        };
        self.reached(step.use_id, &step.columns, strategy, vec![path], statement, &because)
    }

    fn recomputed(&self, use_id: UseId, columns: &ColumnSet, because: &str) -> Effect {
        let paths = self.places.get(&use_id).cloned().unwrap_or_default();
        let whole = self.whole.contains(&use_id);
        let statement = match whole {
            true => format!("all documents of {} are compared with the view", self.tview.name),
            false => format!("{} is evaluated for the documents' keys", self.tview.view.name),
        };
        let strategy = if whole { "full_refresh" } else { "key_recompute" };
        self.reached(use_id, columns, strategy, paths, statement, because)
    }

    fn reached(
        &self,
        use_id: UseId,
        columns: &ColumnSet,
        strategy: &'static str,
        paths: Vec<String>,
        statement: String,
        because: &str,
    ) -> Effect {
        let reached = Reached {
            tview: self.tview.name.clone(),
            view: self.tview.view.name.clone(),
            alias: self.tview.view.uses[use_id.0].alias.to_string(),
            strategy,
            paths,
            statement,
            locks: self.locks(use_id, columns),
            because: because.to_owned(),
        };
        Effect { table: self.plan.table.clone(), columns: names(self.table, columns), reached: Some(reached) }
    }

    fn locks(&self, use_id: UseId, columns: &ColumnSet) -> Vec<String> {
        let concerns = |source: &Source| {
            let asked = source.flag.is_none_or(|f| !self.plan.flags[f].is_disjoint(columns));
            source.way.start == use_id && asked
        };
        let mut locks = Vec::new();
        for lock in &self.step.locks {
            let on = self.link(lock);
            if lock.exclusive.iter().any(concerns) {
                locks.push(format!("exclusive on the value of {on}"));
            } else if lock.shared.iter().any(concerns) {
                locks.push(format!("shared on the value of {on}"));
            }
        }
        locks.push(format!("keys without a document, then the documents of {} in key order", self.tview.name));
        locks
    }

    fn link(&self, lock: &LockStep) -> String {
        let name = |c: crate::resolve::ColumnRef| {
            let owner = self.tview.view.use_of(c);
            format!("{}.{}", owner.alias, self.catalog.table(&owner.table).columns[c.column].name)
        };
        let link = self.links.get(&(lock.link, lock.number));
        let on: Vec<String> = link.iter().flat_map(|l| &l.on).map(|p: &Pair| p.text(&name)).collect();
        on.join(" AND ")
    }
}

impl Effect {
    /// Whether someone who asks for a table, a column, a view or a tview means it.
    pub fn is_meant(&self, subject: &str) -> bool {
        let spelled = |name: &QualName| [name.to_string(), name.name.to_string()];
        let is = |text: &str| text == subject || text == subject.to_lowercase();
        let table = spelled(&self.table);
        let column = |t: &String| self.columns.iter().any(|c| is(&format!("{t}.{c}")));
        let reached = self.reached.iter().flat_map(|r| spelled(&r.tview).into_iter().chain(spelled(&r.view)));
        table.iter().any(|t| is(t) || column(t)) || reached.into_iter().any(|name| is(&name))
    }

    /// As text.
    pub fn text(&self) -> String {
        let head = format!("{} ({})", self.table, self.columns.join(", "));
        let Some(reached) = &self.reached else {
            return format!("{head}\n  skip: no view reads this; one comparison, no lock, no write\n");
        };
        let why = if matches!(reached.strategy, "patch" | "array_patch") { "proof" } else { "missing" };
        let mut text = format!("{head}\n  {} as {}: {}\n", reached.tview, reached.alias, reached.strategy);
        let mut line = |label: &str, value: &str| text += &format!("    {label:<9} {value}\n");
        line("path", &reached.paths.join(", "));
        line("statement", &reached.statement);
        reached.locks.iter().for_each(|lock| line("lock", lock));
        line(why, &reached.because);
        text
    }
}
