//! Decide: the strategy for each use of a table in a tview.
//!
//! In: what [`patch`](super::patch) and [`parts`](super::parts) prove. Out: a [`Decision`], which the plan is made of, and
//! [`Decisions`], which tell of all uses what happens to them. What always holds: each column that a use reads is patched, or
//! decides values that are computed again, or has the documents recomputed.

use std::collections::BTreeMap;

use serde::Serialize;

use super::parts::Moves;
use super::patch::Patch;
use super::{
    ColumnSet, ElementMoves, ElementStep, PartStep, PatchStep, Reader, TablePlan, Tview, TviewParts, TviewStep,
    ValueId, read_columns,
};
use crate::resolve::UseId;

/// What a change of a row of one use does.
pub(super) struct Decision {
    pub patch: Option<PatchStep>,
    pub parts: Vec<PartStep>,
    /// What keeps it from being patched.
    pub missing: Option<String>,
    pub recomputed: Recomputed,
}

/// When the documents that a changed row reaches are computed again.
pub(super) enum Recomputed {
    /// Its parts are all that it can change.
    Never,
    /// Where the flag says so.
    If(Option<usize>),
    /// Where anything that the use reads has changed.
    Always,
}

/// A value of which some use of the table has to compute all is computed as a whole for the others as well.
pub(super) fn whole_values(parts: &mut [PartStep]) {
    let whole: BTreeMap<ValueId, String> =
        parts.iter().filter_map(|p| Some((p.value, p.element.as_ref().err()?.clone()))).collect();
    for part in parts {
        if let (Ok(element), Some(reason)) = (&part.element, whole.get(&part.value)) {
            let keys = part.way.select.len() - element.array.chain().count();
            part.way.select.truncate(keys);
            part.way.null_safe.truncate(keys);
            part.element = Err(reason.clone());
        }
    }
}

impl TablePlan {
    /// What a change of a row of a use does to the documents.
    pub(super) fn decide(&mut self, reader: &Reader, use_id: UseId) -> Decision {
        let reads = read_columns(reader.tview, use_id);
        let mut decision = Decision { patch: None, parts: Vec::new(), missing: None, recomputed: Recomputed::Always };
        let prover = match &reader.prover {
            Ok(prover) => prover,
            Err(reason) => {
                decision.missing = Some((*reason).to_owned());
                return decision;
            }
        };
        let pairing = self.pairing.clone();
        let patch = prover.patch(use_id, &reads, pairing.as_deref());
        let patched = patch.as_ref().map(|p| p.columns.clone()).unwrap_or_default();
        let parts = prover.parts(use_id, &(&reads - &patched), pairing.as_deref());
        // A row without a partner differs in the key that pairs rows, whatever else it holds.
        let identifying = || pairing.iter().flatten().copied().collect::<ColumnSet>();
        if parts.is_some() && !prover.is_outermost(use_id) {
            decision.recomputed = Recomputed::Never;
        } else if parts.is_some() || patch.is_ok() {
            let left = match &parts {
                Some(parts) => parts.others.clone(),
                None => &reads - &patched,
            };
            let others = &left | &identifying();
            decision.recomputed = Recomputed::If(self.flag(others));
        }
        if let Some(parts) = parts {
            for part in parts.list {
                let changed = self.flag(&part.columns | &identifying());
                let (way, element) = match part.element {
                    Ok(element) => {
                        let moves = match element.moves {
                            Moves::Never => ElementMoves::Never,
                            Moves::Always => ElementMoves::If(None),
                            Moves::Columns(columns) => ElementMoves::If(self.flag(&columns | &identifying())),
                        };
                        (element.way, Ok(ElementStep { array: element.array, moves }))
                    }
                    Err(reason) => (parts.way.clone(), Err(reason)),
                };
                decision.parts.push(PartStep {
                    use_id,
                    value: part.value,
                    changed,
                    way,
                    columns: part.columns,
                    element,
                });
            }
            decision.missing =
                patch.as_ref().err().cloned().filter(|_| matches!(decision.recomputed, Recomputed::If(_)));
        }
        match (patch, &decision.recomputed) {
            (Ok(patch), Recomputed::If(Some(other))) => {
                let others = &self.flags[*other];
                // What is read and is not among the others is patched.
                let only_choice = self.reads.is_subset(&(others | &patch.columns));
                let changed = if only_choice { None } else { self.flag(patch.columns.clone()) };
                decision.patch = Some(PatchStep { use_id, other: *other, changed, patch });
            }
            (Ok(_), _) => decision.missing = Some("no column tells its rows apart".into()),
            (Err(reason), Recomputed::Always) => decision.missing = Some(reason),
            (Err(_), _) => {}
        }
        decision
    }
}

/// What happens where a row of a use changes, for pictures and messages.
#[derive(Clone, Debug, Default)]
pub struct Handling<'p> {
    /// The columns that are patched, and the proof.
    pub patch: Option<&'p Patch>,
    /// The values and elements that are computed again.
    pub parts: Vec<&'p PartStep>,
    /// What is missing for a patch, or for anything cheaper than computing the documents again.
    pub missing: Option<&'p str>,
}

impl Handling<'_> {
    /// As written in the metadata: the cheapest that is taken.
    pub fn strategy(&self) -> &'static str {
        match (self.patch, self.parts.as_slice()) {
            (Some(_), _) => "patch",
            (None, parts) if parts.iter().any(|p| p.element.is_ok()) => "array_patch",
            (None, [_, ..]) => "path_recompute",
            (None, []) => "key_recompute",
        }
    }
}

impl TviewStep {
    /// What a write can do to the tview, the cheapest first.
    pub fn strategies(&self) -> Vec<&'static str> {
        let all = [
            (!self.patches.is_empty(), "patch"),
            (self.parts.iter().any(|p| p.element.is_ok()), "array_patch"),
            (self.parts.iter().any(|p| p.element.is_err()), "path_recompute"),
            (!self.uses.is_empty(), "key_recompute"),
        ];
        all.into_iter().filter_map(|(does, name)| does.then_some(name)).collect()
    }
}

/// That of all uses.
pub struct Decisions<'p> {
    of_use: BTreeMap<(usize, UseId), Handling<'p>>,
    parts: &'p [TviewParts],
}

/// A value, or an array, that is changed by itself.
#[derive(Clone, Debug, Serialize)]
pub struct Changed<'p> {
    /// The output column, and the fields below it.
    pub path: Vec<String>,
    /// Of an array, by which its elements are told apart; `None` where the value is computed again.
    pub match_key: Option<&'p str>,
    /// The same of the arrays around it, the outermost first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub within: Vec<&'p str>,
    /// Why elements are not changed by themselves, where the value is an array.
    pub missing: Option<&'p str>,
}

impl<'p> Decisions<'p> {
    /// Those of all plans.
    pub fn of(tables: &'p [TablePlan], parts: &'p [TviewParts]) -> Self {
        let mut all: BTreeMap<(usize, UseId), Handling> = BTreeMap::new();
        for step in tables.iter().flat_map(|t| &t.steps) {
            for patch in &step.patches {
                all.entry((step.tview, patch.use_id)).or_default().patch = Some(&patch.patch);
            }
            for part in &step.parts {
                all.entry((step.tview, part.use_id)).or_default().parts.push(part);
            }
            for (use_id, missing) in &step.missing {
                all.entry((step.tview, *use_id)).or_default().missing = Some(missing);
            }
        }
        Decisions { of_use: all, parts }
    }

    /// That of one use, by the index of its tview.
    pub fn of_use(&self, tview: usize, use_id: UseId) -> Handling<'p> {
        self.of_use.get(&(tview, use_id)).cloned().unwrap_or_default()
    }

    /// What a part changes, in the tview of an index.
    pub fn changed(&self, at: usize, tview: &Tview, part: &'p PartStep) -> Changed<'p> {
        let parts = &self.parts[at];
        let value = parts.layout.as_ref().map(|l| &l.values[part.value]);
        let is_array = value.is_some_and(|v| v.array.is_some());
        let missing = part.element.as_ref().err().map(String::as_str).filter(|_| is_array);
        let mut path: Vec<String> = value.iter().map(|v| tview.view.outputs[v.output].name.to_string()).collect();
        let Ok(element) = &part.element else {
            path.extend(value.iter().flat_map(|v| v.path.iter().cloned()));
            return Changed { path, match_key: None, within: Vec::new(), missing };
        };
        let mut within: Vec<&str> = Vec::new();
        for id in element.array.chain() {
            path.extend(parts.layout.iter().filter_map(|l| l.array(&id)).flat_map(|(path, _)| path.iter().cloned()));
            within.extend(parts.arrays.get(&id).map(|array| array.field.as_str()));
        }
        Changed { path, match_key: within.pop(), within, missing }
    }
}
