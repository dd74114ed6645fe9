//! Parts as SQL: values and elements of arrays that are computed again.
//!
//! In: the [`PartStep`]s of a table and a tview. Out: the statements that find the documents and elements, and the one that changes
//! the documents, also where patches of several uses or of large documents do. What always holds: all that is written is read from
//! the base tables in the statement that writes, after the locks, or stands in the document as it was; each document is written once, whatever of it changes.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::elements;
use super::part_views::{self, Columns, array_place, place};
use super::patch::{self, Keys, Put};
use super::templates::{self, KeysModel, PartColumn, PartWriteSql};
use super::tview::key_columns;
use super::way::{Context, Images};
use super::{list, names, one_line};
use crate::plan::{ArrayId, PartStep, TviewStep, Value, ValueId};

/// Values that are found by the same ways, or one array.
pub struct Group<'s> {
    values: Vec<ValueId>,
    /// The array, where its elements are found.
    pub array: Option<ArrayId>,
    steps: Vec<&'s PartStep>,
    /// The keys of the documents, and of elements the match keys of those around them, their own and, where that is asked, whether
    /// they may come, go or move.
    pub variables: Vec<KeysModel>,
    pub keys: usize,
    /// Whether elements are put between their neighbours.
    pub asks_moves: bool,
}

/// The parts of a step; the variables are numbered on from `first`. What is in elements of an array stands before that array.
pub fn groups<'s>(context: &Context, step: &'s TviewStep, first: usize) -> Vec<Group<'s>> {
    let mut values: Vec<ValueId> = step.parts.iter().map(|p| p.value).collect();
    values.sort_unstable();
    values.dedup();
    let mut groups: Vec<Group> = Vec::new();
    for value in values {
        let steps: Vec<&PartStep> = step.parts.iter().filter(|p| p.value == value).collect();
        let array_of = |part: &&PartStep| part.element.as_ref().ok().map(|e| e.array.clone());
        let mut arrays: Vec<Option<ArrayId>> = steps.iter().map(array_of).collect();
        arrays.sort_unstable_by_key(|id| id.as_ref().map(|id| (Reverse(id.inner.len()), id.clone())));
        arrays.dedup();
        let ways = |steps: &[&PartStep]| steps.iter().map(|p| (p.changed, p.way.clone())).collect::<Vec<_>>();
        let same = |g: &&mut Group| g.array.is_none() && arrays == [None] && ways(&g.steps) == ways(&steps);
        if let Some(known) = groups.iter_mut().find(same) {
            known.values.push(value);
            continue;
        }
        for array in arrays {
            let steps = steps.iter().filter(|part| array_of(part) == array).copied().collect();
            groups.push(Group::new(context, (value, array), steps, first + groups.len() + 1));
        }
    }
    groups
}

impl<'s> Group<'s> {
    fn new(
        context: &Context,
        (value, array): (ValueId, Option<ArrayId>),
        steps: Vec<&'s PartStep>,
        number: usize,
    ) -> Self {
        let of_arrays = &context.parts.arrays;
        let keys = key_columns(context.tview);
        let key = |(n, array_type): (usize, String)| {
            let name = if keys.len() == 1 { format!("part_{number}") } else { format!("part_{number}_{}", n + 1) };
            KeysModel { name, array_type }
        };
        let mut variables: Vec<KeysModel> = keys.iter().map(|k| k.array_type.clone()).enumerate().map(key).collect();
        let around: Vec<ArrayId> = array.iter().flat_map(ArrayId::chain).collect();
        for (id, level) in around.iter().zip(1..) {
            let is_own = level == around.len();
            let name = if is_own { format!("matches_{number}") } else { format!("outer_{number}_{level}") };
            variables.extend(of_arrays.get(id).map(|a| KeysModel { name, array_type: format!("{}[]", a.ty) }));
        }
        let asks_moves = array.as_ref().and_then(|id| of_arrays.get(id)).is_some_and(|a| a.descending.is_none());
        if asks_moves {
            variables.push(KeysModel { name: format!("moves_{number}"), array_type: "boolean[]".into() });
        }
        Group { values: vec![value], array, steps, variables, keys: keys.len(), asks_moves }
    }

    fn is_array(&self) -> bool {
        self.array.is_some()
    }

    /// How many arrays there are around the array.
    pub fn depth(&self) -> usize {
        self.array.as_ref().map_or(0, |id| id.inner.len())
    }

    /// `outer_1, outer_2`: the match keys of the elements around it.
    pub fn outer(&self) -> Vec<String> {
        (1..=self.depth()).map(|n| format!("outer_{n}")).collect()
    }

    /// What is found, for people.
    fn places(&self, context: &Context) -> String {
        match &self.array {
            Some(id) => array_place(context.tview, context.layout(), id),
            None => list(self.values.iter().map(|id| place(context.tview, &context.layout().values[*id]))),
        }
    }

    /// The variables that hold keys of documents.
    pub fn keys(&self) -> &[KeysModel] {
        &self.variables[..self.keys]
    }

    pub fn arrays(&self) -> String {
        list(self.variables.iter().map(|v| v.name.clone()))
    }

    /// `key_1, key_2`, and of elements `outer_1, match`.
    fn told(&self) -> Vec<String> {
        let matched = self.is_array().then(|| "match".to_owned());
        (1..=self.keys).map(|n| format!("key_{n}")).chain(self.outer()).chain(matched).collect()
    }

    /// The same, and `moves` where that is asked.
    pub fn columns(&self) -> Vec<String> {
        self.told().into_iter().chain(self.asks_moves.then(|| "moves".to_owned())).collect()
    }
}

/// Finds the documents, or elements, that are concerned; not those of documents that are recomputed.
pub fn find(context: &Context, group: &Group, recomputed: Option<&[KeysModel]>, indent: &str) -> String {
    let deeper = format!("{indent}        ");
    let way = |step: &&PartStep| match &step.element {
        Ok(element) if group.asks_moves => context.select_elements(&step.way, step.changed, element.moves, &deeper),
        _ => context.select(&step.way, Images::Both, step.changed, &deeper),
    };
    let mut ways: Vec<String> = group.steps.iter().map(way).collect();
    ways.dedup();
    let ways = ways.join(&format!("\n{deeper}UNION\n{deeper}"));
    let columns = group.columns();
    let told = group.told();
    let mut conditions: Vec<String> = told.iter().map(|c| format!("e.{c} IS NOT NULL")).collect();
    if let Some(recomputed) = recomputed {
        let keys = &columns[..group.keys];
        conditions.push(format!(
            "NOT EXISTS (SELECT FROM unnest({}) AS k({}) WHERE {})",
            list(recomputed.iter().map(|v| v.name.clone())),
            list(keys.iter().cloned()),
            patch::joined(keys.iter().map(|c| format!("k.{c} = e.{c}"))),
        ));
    }
    let aggregates = list(columns.iter().map(|c| format!("array_agg(e.{c})")));
    let told = list(told.into_iter().map(|c| format!("e.{c}")));
    let moves = if group.asks_moves { ", bool_or(e.moves)" } else { "" };
    let (all, conditions) = (list(columns.iter().cloned()), conditions.join(&format!("\n{indent}           AND ")));
    let places = group.places(context);
    let what = if group.is_array() { "elements that change in" } else { "documents that change at" };
    format!(
        "\n{indent}-- {}\n{indent}SELECT {aggregates}\n{indent}  INTO {}\n{indent}  FROM (SELECT {told}{moves}\n{indent}          FROM (\n\
         {deeper}{ways}\n{indent}               ) AS e({all})\n{indent}         WHERE {conditions}\n\
         {indent}         GROUP BY {told}) AS e({all});{}",
        one_line(&format!("{what} {places}")),
        group.arrays(),
        if group.is_array() { elements::at_most(group, indent) } else { String::new() },
    )
}

/// The keys of all documents that are patched or of which parts change, each once, in the variables of the patched ones.
pub fn all_keys(groups: &[Group], patched: &[KeysModel], has_patches: bool, indent: &str) -> String {
    let columns: Vec<String> = (1..=patched.len()).map(|n| format!("key_{n}")).collect();
    let select = |variables: &[KeysModel]| {
        let names = list(variables.iter().map(|v| v.name.clone()));
        format!("SELECT k.* FROM unnest({names}) AS k({})", list(columns.iter().cloned()))
    };
    let united = |sources: &[String], indent: &str| {
        let distinct = match sources {
            [one] => one.replacen("SELECT ", "SELECT DISTINCT ", 1),
            several => several.join(&format!("\n{indent}        UNION\n{indent}        ")),
        };
        format!(
            "\n{indent}SELECT {}\n{indent}  INTO {}\n{indent}  FROM ({distinct}) AS k({});",
            list(columns.iter().map(|c| format!("array_agg(k.{c})"))),
            list(patched.iter().map(|v| v.name.clone())),
            list(columns.iter().cloned()),
        )
    };
    let mut sources: Vec<String> = groups.iter().map(|g| select(g.keys())).collect();
    sources.extend(has_patches.then(|| select(patched)));
    let [group] = groups else { return united(&sources, indent) };
    if has_patches {
        return united(&sources, indent);
    }
    let same = |indent: &str| {
        let pairs = patched.iter().zip(group.keys());
        pairs.map(|(p, k)| format!("\n{indent}{} := {};", p.name, k.name)).collect::<String>()
    };
    let (deeper, first) = (format!("{indent}    "), &group.variables[0].name);
    match group.is_array() {
        // A document may be there with several elements.
        true => format!(
            "\n{indent}IF cardinality({first}) = 1 THEN{}\n{indent}ELSE{}\n{indent}END IF;",
            same(&deeper),
            united(&sources, &deeper)
        ),
        false => same(indent),
    }
}

/// Changes the documents, each once: fields that patches replace, values and elements.
pub fn write(context: &Context, step: &TviewStep, groups: &[Group], patched: &[KeysModel], indent: &str) -> String {
    let tview = context.tview;
    let names: Vec<String> = tview.key_names().iter().map(|n| n.sql()).collect();
    let arrays = list(patched.iter().map(|v| v.name.clone()));
    let keys = Keys { names, arrays, alias: context.free_alias("key") };
    let mut change = Change {
        context,
        shown: context.free_alias("shown"),
        keys: &keys,
        joins: Vec::new(),
        before: Vec::new(),
        values: Default::default(),
        put_into: Default::default(),
        relations: 0,
        alone: step.patches.is_empty() && groups.len() == 1,
    };
    if !change.alone {
        let writing = patch::several_uses(context, &step.patches, &keys);
        change.joins = writing.from;
        for part in &writing.parts {
            let old = change.old(part.output());
            let value = part.applied(change.value(part.output()), &old);
            change.becomes(part.output(), value, part.is_put());
        }
    }
    groups.iter().for_each(|group| change.group(group));
    let name = |output: &usize| tview.view.outputs[*output].name.sql();
    let column = |(output, value): (&usize, &Put)| PartColumn {
        name: name(output),
        old: change.old(*output),
        value: value.sql(),
    };
    let columns: Vec<PartColumn> = change.values.iter().map(column).collect();
    let statement = PartWriteSql {
        name: tview.name.sql(),
        runtime: columns.iter().any(|c| patch::calls_runtime(context, &c.value)).then(|| context.free_alias("runtime")),
        from: change.from(),
        columns,
        shown: change.shown,
        differs: Vec::new(),
    };
    patch::indented(&templates::text(&statement), indent) + ";"
}

/// The statement that writes, as it grows.
pub(super) struct Change<'c> {
    pub context: &'c Context<'c>,
    /// The document as it was.
    shown: String,
    keys: &'c Keys,
    /// What follows FROM: the keys with what is found of them.
    joins: Vec<String>,
    /// Behind the document: what others are made of.
    pub before: Vec<String>,
    /// By output column: what it becomes.
    pub values: BTreeMap<usize, Put>,
    /// The output columns that are documents in which something is changed.
    put_into: BTreeSet<usize>,
    pub relations: usize,
    /// Whether there is nothing else to change than one group of parts.
    alone: bool,
}

impl Change<'_> {
    fn old(&self, output: usize) -> String {
        format!("{}.{}", self.shown, self.context.tview.view.outputs[output].name.sql())
    }

    pub fn value(&self, output: usize) -> Put {
        self.values.get(&output).cloned().unwrap_or_else(|| Put::into(self.context, self.old(output)))
    }

    pub fn becomes(&mut self, output: usize, value: Put, is_put: bool) {
        self.values.insert(output, value);
        if is_put {
            self.put_into.insert(output);
        }
    }

    fn looked_up(&self, output: usize) -> String {
        let name = self.context.tview.view.outputs[output].name.sql();
        patch::looked_up(&self.shown, &name, self.put_into.contains(&output))
    }

    fn relation(&self, number: usize) -> String {
        self.context.free_alias(&format!("fresh_{number}"))
    }

    fn group(&mut self, group: &Group) {
        self.relations += 1;
        let relation = self.relation(self.relations);
        match &group.array {
            Some(id) => self.elements(group, id, &relation),
            None => self.computed(group, &relation),
        }
    }

    pub fn join(&mut self, relation: &str, lines: Vec<String>, columns: &[String]) {
        let keys = (1..=self.keys.names.len()).map(|k| format!("key_{k}"));
        let columns = list(keys.chain(columns.iter().cloned()));
        let (begin, end) = match self.alone {
            true => ("(".to_owned(), format!(") AS {relation}({columns})")),
            false => {
                let join = self.keys.join(self.context.tview);
                (format!("{join} ("), format!(") AS {relation}({columns}) ON {}", self.keys.are_of(relation)))
            }
        };
        let (last, indent) = (lines.len() - 1, " ".repeat(begin.len()));
        for (n, line) in lines.into_iter().enumerate() {
            let begin = if n == 0 { &begin } else { &indent };
            let end = if n == last { end.as_str() } else { "" };
            self.joins.push(format!("{begin}{line}{end}"));
        }
    }

    /// What follows FROM: the keys, what is found of them, and the documents as they were, with their places.
    fn from(&self) -> Vec<String> {
        let key = |(name, n): (&String, usize)| match self.alone {
            true => format!("{}.key_{n}", self.relation(1)),
            false => format!("{}.{name}", self.keys.alias),
        };
        let keys: Vec<String> = self.keys.names.iter().zip(1..).map(key).collect();
        let columns: Vec<String> = self.values.keys().map(|output| self.looked_up(*output)).collect();
        let mut lines = self.joins.clone();
        lines.extend(patch::look_up(self.context.tview, &self.shown, &columns, &keys));
        lines.extend(self.before.iter().cloned());
        lines
    }

    /// What a column becomes where the relation has a row for the document.
    pub fn found(&self, relation: &str, new: String, old: &str) -> String {
        match self.alone {
            true => new,
            false => format!("CASE WHEN {relation}.key_1 IS NULL THEN {old} ELSE {new} END"),
        }
    }

    /// The condition that a view's row is one of a key.
    pub fn is_key(&self, row: &str, of: &str) -> String {
        self.key_is(row, |n| format!("{of}.key_{n}"))
    }

    fn key_is(&self, row: &str, key: impl Fn(usize) -> String) -> String {
        patch::joined(self.keys.names.iter().zip(1..).map(|(name, n)| format!("{row}.{name} = {}", key(n))))
    }

    fn parts_view(&self) -> String {
        format!("tview.{}", names::parts(self.context.program.name, &self.context.tview.name).sql())
    }

    /// Values that are computed again.
    fn computed(&mut self, group: &Group, relation: &str) {
        let columns = Columns::of(self.context.tview, self.context.parts);
        let values: Vec<String> = group.values.iter().map(|id| columns.value(*id)).collect();
        let lines = self.shown_by_many(group, &columns).unwrap_or_else(|| {
            let of_row = |q: &str| list(values.iter().map(|v| format!("{q}.{v}")));
            vec![
                format!("SELECT {}, {}", list((1..=group.keys).map(|n| format!("k.key_{n}"))), of_row("w")),
                format!("  FROM unnest({}) AS k({})", group.arrays(), list(group.columns())),
                self.row_of(&of_row("w"), &self.is_key("w", "k")),
            ]
        });
        self.join(relation, lines, &values);
        for (id, column) in group.values.iter().zip(&values) {
            let value = &self.context.layout().values[*id];
            let (old, new) = (self.value(value.output), format!("{relation}.{column}"));
            let changed = match value.path.is_empty() {
                true => old.instead(self.found(relation, new, &old.sql())),
                // NULL, where the relation has no row, changes nothing.
                false => put(value, old, new),
            };
            self.becomes(value.output, changed, !value.path.is_empty());
        }
    }

    /// The row of a key in the view of the values.
    fn row_of(&self, selected: &str, is_key: &str) -> String {
        let view = self.parts_view();
        format!("  CROSS JOIN LATERAL (SELECT {selected} FROM {view} AS w WHERE {is_key} OFFSET 0) AS w")
    }

    /// The only value, where it is a document of another tview: it is fetched and unpacked once for all documents that show it.
    fn shown_by_many(&self, group: &Group, columns: &Columns) -> Option<Vec<String>> {
        let [id] = group.values.as_slice() else { return None };
        let value = &self.context.layout().values[*id];
        let key = part_views::document_shown(self.context.program, self.context.tview, value)?;
        let of = |q: &str| list((0..key.len()).map(|n| format!("{q}.{}", columns.document_key(*id, n))));
        let keys = |shown: &dyn Fn(usize) -> String| list((1..=group.keys).map(shown));
        let name = columns.value(*id);
        let (unpacked, is_first) =
            (format!("w.{name} #> '{{}}'::text[] AS {name}"), self.key_is("w", |n| format!("same.key_{n}[1]")));
        Some(vec![
            format!("SELECT {}, w.{name}", keys(&|n| format!("k.key_{n}"))),
            format!(
                "  FROM (SELECT {} -- a document that several show is read once",
                keys(&|n| format!("array_agg(k.key_{n}) AS key_{n}"))
            ),
            format!("          FROM unnest({}) AS k({})", group.arrays(), list(group.columns())),
            format!("        {}", self.row_of(&of("w"), &self.is_key("w", "k"))),
            format!("         GROUP BY {}) AS same", of("w")),
            self.row_of(&unpacked, &is_first),
            format!(
                "  CROSS JOIN unnest({}) AS k({})",
                keys(&|n| format!("same.key_{n}")),
                keys(&|n| format!("key_{n}"))
            ),
        ])
    }
}

/// A document with another value at its place.
pub(super) fn put(value: &Value, old: Put, new: String) -> Put {
    match value.path.is_empty() {
        true => old.instead(new),
        false => old.set(patch::path_sql(&value.path), new),
    }
}
