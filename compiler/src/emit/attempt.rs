//! Patches of documents that nobody has locked, as SQL.
//!
//! In: a [`PatchStep`] whose changed rows constraints say to show in a document each. Out: the statement that finds the documents and
//! changes them, and what looks at it again. What always holds: documents are written in the order of their keys, which is the order in which others
//! lock them; what was not there, or was another row's, is computed again before anybody can see it ("Written before they are locked" in
//! docs/architecture.md has the argument).

use super::patch::{
    self, Part, Put, calls_runtime, changed, changes_all, indented, joined, look_up, one_use, result_columns, rows,
    update,
};
use super::templates::{self, KeysModel, PartColumn};
use super::way::Context;
use super::{lines, list, names};
use crate::plan::PatchStep;

/// Changes the documents of one use that nobody has locked; `written` are variables for the keys of those that it has changed. Where one
/// was not there, or belongs to another row by now, they are computed again.
pub fn attempt(
    context: &Context,
    step: &PatchStep,
    patched: &[KeysModel],
    written: &[KeysModel],
    indent: &str,
) -> String {
    let (changes, parts) = one_use(context, step, None);
    let relation = context.free_alias("changes");
    let way = &step.patch.way;
    let alias = context.alias(way.start);
    let rows = rows(context, step, &way.needs().into_iter().collect::<Vec<_>>(), &alias);
    let from = format!("unnest({}) AS {alias}({})", rows.arrays, rows.columns);
    // A small document is read twice, to be compared and to be changed; one that is stored apart would be fetched for each.
    let (update, document) = match context.tview.documents.has_arrays && !changes_all(context, step) {
        true => (templates::text(&update_of_versions(context, &relation, &parts)), "document".to_owned()),
        false => {
            let update = update_in_order(context, step, &relation, &parts);
            (templates::text(&update), update.document)
        }
    };
    let keys: Vec<String> = context.tview.key_names().iter().map(|n| n.sql()).collect();
    let written_keys = context.free_alias("written");
    let numbered = |q: &str| (1..=patched.len()).map(|n| format!("array_agg({q}.key_{n})")).collect::<Vec<_>>();
    let names = |variables: &[KeysModel]| variables.iter().map(|v| v.name.clone()).collect::<Vec<_>>();
    let statement = templates::PatchAttemptSql {
        columns: list(result_columns(way.select.len(), &parts)),
        written_columns: list(result_columns(way.select.len(), &[])),
        returned: list(keys.iter().map(|name| format!("{document}.{name}"))),
        changes,
        update: lines(&update).into_iter().map(str::to_owned).collect(),
        found: list(numbered(&relation)),
        changed: numbered(&written_keys)
            .into_iter()
            .map(|keys| format!("(SELECT {keys} FROM {written_keys})"))
            .collect(),
        variables: list(names(patched).into_iter().chain(names(written))),
        patched: list(names(patched)),
        first: patched[0].name.clone(),
        written: list(names(written)),
        first_written: written[0].name.clone(),
        recompute: names::recompute(context.program.name, &context.tview.name).sql(),
        again: list(keys.iter().map(|name| format!("array_agg(k.{name})"))),
        keys: list(keys),
        // Where the changed rows hold the keys, nobody else can move them.
        way: (!way.joins.is_empty())
            .then(|| std::iter::once(from).chain(way.joins.iter().map(|j| context.join(j))).collect()),
        condition: rows.condition,
        relation,
        written_keys,
    };
    indented(&templates::text(&statement), indent)
}

/// The statement that changes documents one after the other. Another plan than a loop over their keys could take them in another order: so the
/// keys are compared by an operator that no index is without and no hash or merge join knows.
fn update_in_order(context: &Context, step: &PatchStep, relation: &str, parts: &[Part]) -> templates::PatchSql {
    let update = update(context, step, relation, vec![relation.to_owned()], parts);
    let keys = context.tview.key_names().into_iter().zip(1..);
    let is_key = keys.map(|(name, n)| format!("{}.{} = ANY (ARRAY[{relation}.key_{n}])", update.document, name.sql()));
    templates::PatchSql { document_is_key: joined(is_key), ..update }
}

/// The statement that changes documents which are looked up first. A version that another transaction has replaced meanwhile is not written:
/// to older servers its place would do for the new one, whose other values are not those that were read.
fn update_of_versions(context: &Context, relation: &str, parts: &[Part]) -> templates::PartWriteSql {
    let tview = context.tview;
    let shown = context.free_alias("shown");
    let mut looked_up = vec![format!("{shown}.xmin")];
    let mut columns = Vec::new();
    for (output, value) in changed(context, parts, &shown) {
        let name = tview.view.outputs[output].name.sql();
        looked_up.push(patch::looked_up(&shown, &name, parts.iter().any(|p| p.output() == output && p.is_put())));
        columns.push(PartColumn { old: format!("{shown}.{name}"), value: value.sql(), name });
    }
    let keys: Vec<String> = (1..=tview.key_names().len()).map(|n| format!("{relation}.key_{n}")).collect();
    let old = |output: usize| format!("{shown}.{}", tview.view.outputs[output].name.sql());
    let differs = parts.iter().map(|part| part.differs(Put::into(context, old(part.output())))).collect();
    templates::PartWriteSql {
        name: tview.name.sql(),
        runtime: columns.iter().any(|c| calls_runtime(context, &c.value)).then(|| context.free_alias("runtime")),
        from: std::iter::once(relation.to_owned()).chain(look_up(tview, &shown, &looked_up, &keys)).collect(),
        columns,
        differs,
        shown,
    }
}
