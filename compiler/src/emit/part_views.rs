//! The views and functions that values and elements are read through.
//!
//! In: a tview and the layout of its view's text. Out: `tview.…__parts`, with a column per value, and for each array
//! `tview.…__elements__n`, with a row per element, and the functions `…__array__n`, `…__beside__n` and, where there are arrays in the
//! elements, `…__element__n`. What always holds: both views are the user's own query with another select list, so that what they show
//! for a key is what the view shows at that place; no name that they add is a word of that query; the functions are STABLE:
//! they see what the statement sees that calls them. They are functions because few writes need them, and a statement that has them in
//! itself prepares them each time.

use std::collections::BTreeSet;

use super::narrow;
use super::patch::joined;
use super::templates::{
    self, ArrayFunction, ArrayFunctions, BesideFunction, ElementFunction, PartViewModel, PartViewsSql,
};
use super::tview::key_columns;
use super::{Program, list, names, one_line, path_sql, search_path};
use crate::catalog::Relation;
use crate::cut::{Edit, Text};
use crate::names::Ident;
use crate::plan::{ArrayId, ArrayPart, Layout, Sort, Tview, TviewParts, Value, ValueId};
use crate::resolve::{ColumnRef, JsonType, ReadView, TOP};

/// The views and functions of a tview: their names and their definitions.
pub struct PartViews {
    /// Without the schema.
    pub views: Vec<String>,
    /// The same of functions.
    pub functions: Vec<String>,
    /// As SQL; empty where there are none.
    pub definitions: String,
}

/// The columns of the views, apart from the key's.
pub struct Columns<'p> {
    /// The key's, and all that the query could mean by a name of its own.
    taken: Vec<&'p Ident>,
    words: Option<&'p BTreeSet<Ident>>,
    values: Vec<ValueId>,
}

impl<'p> Columns<'p> {
    /// Those of a tview.
    pub fn of(tview: &'p Tview, parts: &'p TviewParts) -> Self {
        let words = parts.layout.as_ref().map(|l| &l.words);
        Columns { taken: tview.key_names(), words, values: parts.values.iter().copied().collect() }
    }

    fn free(&self, name: &str) -> String {
        names::free(name, |name| self.taken.contains(&name) || self.words.is_some_and(|w| w.contains(name))).sql()
    }

    /// Of a value.
    pub fn value(&self, id: ValueId) -> String {
        let number = self.values.partition_point(|known| *known < id) + 1;
        self.free(&format!("value_{number}"))
    }

    /// The key of the other tview's document that a value is.
    pub fn document_key(&self, id: ValueId, number: usize) -> String {
        let value = self.values.partition_point(|known| *known < id) + 1;
        self.free(&format!("of_{value}_{}", number + 1))
    }

    /// The match key of an element around the array, of the outermost the first.
    pub fn outer(&self, number: usize) -> String {
        self.free(&format!("outer_{}", number + 1))
    }

    /// The match key of an element.
    pub fn matched(&self) -> String {
        self.free("match")
    }

    /// The element.
    pub fn element(&self) -> String {
        self.free("element")
    }

    /// What the rows of an array are called among those of the array around it, or of the view.
    fn rows(&self, depth: usize) -> String {
        self.free(&if depth == 0 { "tview_element".into() } else { format!("tview_element_{}", depth + 1) })
    }

    /// What elements are sorted by.
    pub fn sort(&self, number: usize) -> String {
        self.free(&format!("sort_{}", number + 1))
    }
}

/// The number of an array among those of its tview.
pub fn array_number(parts: &TviewParts, id: &ArrayId) -> usize {
    parts.arrays.keys().take_while(|known| *known != id).count() + 1
}

/// The views of a tview, by its index.
pub fn views(program: &Program, at: usize) -> PartViews {
    let (tview, parts) = (&program.tviews[at], &program.parts[at]);
    let (Some(layout), Some(Relation::View(view))) = (&parts.layout, program.catalog.relations.get(&tview.view.name))
    else {
        return PartViews { views: Vec::new(), functions: Vec::new(), definitions: String::new() };
    };
    let given = narrow::Given::of(program);
    let text = given.text(view);
    // The tview of a joined view is read rather than another form of that view.
    let mut edits = level_by_level(program, tview);
    edits.extend(narrow::changes(given, program.name, view, tview).edits);
    let writer = Writer { program, tview, parts, layout, text: &text, edits };
    let mut views = vec![PartViewModel {
        purpose: "Values in the documents, one column each: what a write changes is computed again by itself.".into(),
        name: names::parts(program.name, &tview.name).sql(),
        query: writer.values(),
    }];
    views.extend(parts.arrays.keys().map(|id| PartViewModel {
        purpose: one_line(&format!("The elements of {}, one row each.", array_place(tview, layout, id))),
        name: names::elements(program.name, &tview.name, array_number(parts, id)).sql(),
        query: writer.elements(id),
    }));
    let arrays: Vec<ArrayFunctions> = parts.arrays.keys().filter_map(|id| writer.functions(program.name, id)).collect();
    let (path, script_path) = (path_sql(&view.search_path), search_path(program));
    let definitions = templates::text(&PartViewsSql {
        views: &views,
        arrays: &arrays,
        path_differs: path != script_path,
        search_path: path,
        script_path: &script_path,
    });
    let names = |a: ArrayFunctions| [a.array.map(|a| a.name), a.element.map(|e| e.name), a.beside.map(|b| b.name)];
    let functions = arrays.into_iter().flat_map(names).flatten().collect();
    PartViews { views: views.into_iter().map(|v| v.name).collect(), functions, definitions }
}

/// What elements are sorted by; the match key decides where nothing else does.
fn order(sorts: &[Sort], part: &ArrayPart, columns: &Columns) -> String {
    let sort = |(n, sort): (usize, &Sort)| {
        let direction = if sort.descending { " DESC" } else { "" };
        let nulls = match (sort.nulls_first == sort.descending, sort.nulls_first) {
            (true, _) => "",
            (false, true) => " NULLS FIRST",
            (false, false) => " NULLS LAST",
        };
        format!("w.{}{direction}{nulls}", columns.sort(n))
    };
    let last = (!part.sorted_by_match).then(|| format!("w.{}", columns.matched()));
    list(sorts.iter().enumerate().map(sort).chain(last))
}

/// Documents of a view that is joined by its key are read from its tview, where the function that writes has just put them: no
/// later table can make a tview that comes first in the order wrong, and whoever changes it changes this one next.
fn level_by_level(program: &Program, tview: &Tview) -> Vec<Edit> {
    let edit = |(read, other): (&ReadView, &Tview)| Edit {
        at: read.name.start..read.name.end,
        text: match read.is_renamed {
            true => other.name.sql(),
            false => format!("{} AS {}", other.name.sql(), read.shown.sql()),
        },
    };
    joined_tviews(program, tview).into_iter().map(edit).collect()
}

/// The views whose tviews come before this one and are read instead.
fn joined_tviews<'p>(program: &'p Program, tview: &'p Tview) -> Vec<(&'p ReadView, &'p Tview)> {
    let [variant] = tview.relations.variants.as_slice() else { return Vec::new() };
    let view = &variant.view;
    // A row of a tview is of another type than one of its view, which a user's function may ask for.
    if view.calls_user_functions {
        return Vec::new();
    }
    let at = program.by_view.get(&tview.view.name).copied().unwrap_or_default();
    let is_given = |read: &ReadView, column: ColumnRef| {
        let inside = |c: ColumnRef| (read.uses.0..read.uses.1).contains(&c.use_id.0);
        view.equalities.iter().any(|e| {
            let sides = [(e.left, e.right), (e.right, e.left)];
            e.block == read.block && !e.null_safe && sides.iter().any(|(own, other)| *own == column && !inside(*other))
        })
    };
    let tview_of = |read: &'p ReadView| {
        let other = &program.tviews[*program.by_view.get(&read.view).filter(|n| **n < at)?];
        let by_key = other.key_names().into_iter().all(|name| {
            let column = read.columns.iter().find(|(known, _)| known == name);
            column.is_some_and(|(_, column)| is_given(read, *column))
        });
        by_key.then_some((read, other))
    };
    view.own_views.iter().filter_map(tview_of).collect()
}

/// Where a value is the document of another tview and may be large: that document's key, as the query can write it. Many documents may
/// show the same one.
pub fn document_shown(program: &Program, tview: &Tview, value: &Value) -> Option<Vec<String>> {
    let relation = value.column_of.as_ref()?;
    let is_shown = |(read, _): &(&ReadView, &Tview)| read.block == TOP && read.shown == *relation;
    let (read, other) = joined_tviews(program, tview).into_iter().find(is_shown)?;
    let key = || other.key_names().into_iter().map(|name| format!("{}.{}", read.shown.sql(), name.sql())).collect();
    other.documents.has_arrays.then(key)
}

/// The place of a value, beginning with the output column.
pub fn place(tview: &Tview, value: &Value) -> String {
    super::place(tview.view.outputs[value.output].name.as_str(), &value.path)
}

/// The place of an array, through the elements of those around it.
pub fn array_place(tview: &Tview, layout: &Layout, id: &ArrayId) -> String {
    let path: Vec<String> = id.chain().filter_map(|id| layout.array(&id)).flat_map(|(path, _)| path.to_vec()).collect();
    super::place(tview.view.outputs[layout.values[id.value].output].name.as_str(), &path)
}

struct Writer<'w> {
    program: &'w Program<'w>,
    tview: &'w Tview,
    parts: &'w TviewParts,
    layout: &'w Layout,
    text: &'w Text<'w>,
    edits: Vec<Edit>,
}

impl Writer<'_> {
    fn written(&self, at: &std::ops::Range<usize>) -> String {
        self.text.changed(at.clone(), &self.edits)
    }

    /// The key columns as select items.
    fn keys(&self) -> Vec<String> {
        let outputs = self.tview.relations.key.columns.iter().map(|k| k.output);
        let item = |output: usize| {
            let name = &self.tview.view.outputs[output].name;
            format!("{} AS {}", self.written(&self.layout.items[output]), name.sql())
        };
        outputs.map(item).collect()
    }

    /// The view's query with another select list, and with more behind its FROM clause.
    fn query(&self, selected: String, more: Option<String>) -> String {
        let mut edits = self.edits.clone();
        edits.push(Edit { at: self.layout.list.clone(), text: selected });
        edits.extend(more.map(|text| Edit { at: self.layout.from_end..self.layout.from_end, text }));
        edits.extend(self.layout.order.clone().map(|at| Edit { at, text: String::new() }));
        self.text.with(&edits).trim_end().to_owned()
    }

    fn values(&self) -> String {
        let columns = Columns::of(self.tview, self.parts);
        let value = |id: &ValueId| {
            let value = &self.layout.values[*id];
            let written = self.written(&value.at);
            let shown = match (value.path.is_empty(), self.is_jsonb(value)) {
                (true, _) => written,
                (false, true) => format!("coalesce({written}, 'null')"),
                (false, false) => format!("coalesce(to_jsonb({written}), 'null')"),
            };
            format!("{shown} AS {}", columns.value(*id))
        };
        let of = |id: &ValueId| {
            let key = document_shown(self.program, self.tview, &self.layout.values[*id]).unwrap_or_default();
            key.into_iter()
                .enumerate()
                .map(|(n, key)| format!("{key} AS {}", columns.document_key(*id, n)))
                .collect::<Vec<_>>()
        };
        let values = self.parts.values.iter().flat_map(|id| std::iter::once(value(id)).chain(of(id)));
        let items = self.keys().into_iter().chain(values);
        self.query(items.collect::<Vec<_>>().join(",\n    "), None)
    }

    fn is_jsonb(&self, value: &Value) -> bool {
        let expr = crate::plan::value_expr(&self.tview.view, value);
        expr.is_some_and(|e| e.json == Some(JsonType::Jsonb))
    }

    /// The elements of an array, with the keys of those around them.
    fn elements(&self, id: &ArrayId) -> String {
        let rows = Columns::of(self.tview, self.parts).rows(0);
        let items = list(self.keys().into_iter().chain([format!("{rows}.*")]));
        let around: Vec<ArrayId> = id.chain().collect();
        self.query(items, Some(self.level(&around, 0)))
    }

    /// The rows of one of the arrays around an element, with those of the arrays within, or the elements themselves.
    fn level(&self, arrays: &[ArrayId], depth: usize) -> String {
        let columns = Columns::of(self.tview, self.parts);
        let (id, alias) = (&arrays[depth], columns.rows(depth));
        let (Some((_, array)), Some(part)) = (self.layout.array(id), self.parts.arrays.get(id)) else {
            unreachable!("a part's arrays are in the layout")
        };
        let (selected, within) = if depth + 1 < arrays.len() {
            let selected =
                vec![format!("{} AS {}", part.written, columns.outer(depth)), format!("{}.*", columns.rows(depth + 1))];
            (selected, self.level(arrays, depth + 1))
        } else {
            // Who asks for neighbours needs to know what they are sorted by.
            let sorts = array.sorts.iter().enumerate().filter(|_| part.descending.is_none());
            let sorts = sorts.map(|(n, sort)| format!("{} AS {}", self.written(&sort.at), columns.sort(n)));
            let element = [
                format!("{} AS {}", part.written, columns.matched()),
                format!("{} AS {}", self.written(&array.element), columns.element()),
            ];
            (element.into_iter().chain(sorts).collect(), String::new())
        };
        let conditions: Vec<String> =
            [&array.conditions, &array.filter].into_iter().flatten().map(|at| self.written(at)).collect();
        let conditions = match conditions.as_slice() {
            [] => String::new(),
            [one] => format!("\n    WHERE {one}"),
            several => format!("\n    WHERE ({})", several.join(") AND (")),
        };
        format!(
            ",\n    LATERAL (SELECT {}\n    FROM {}{within}{conditions}) AS {alias}",
            selected.join(",\n        "),
            self.written(&array.from),
        )
    }

    /// What is computed of an array where its elements are not enough.
    fn functions(&self, program: &str, id: &ArrayId) -> Option<ArrayFunctions> {
        let (parts, name) = (self.parts, &self.tview.name);
        let (part, (_, text)) = (parts.arrays.get(id)?, self.layout.array(id)?);
        let columns = Columns::of(self.tview, parts);
        let number = array_number(parts, id);
        let outer: Vec<(usize, &ArrayPart)> =
            id.around().iter().flat_map(ArrayId::chain).filter_map(|id| parts.arrays.get(&id)).enumerate().collect();
        let keys = key_columns(self.tview);
        let of_keys = (1..).zip(&keys).map(|(n, key)| format!("key_{n} {}", key.ty));
        let of_outer = outer.iter().map(|(n, part)| format!("outer_{} {}", n + 1, part.ty));
        let is_key = (1..).zip(&keys).map(|(n, key)| format!("w.{} = key_{n}", key.name.sql()));
        let is_outer = outer.iter().map(|(n, _)| format!("w.{} = outer_{}", columns.outer(*n), n + 1));
        let array = || ArrayFunction {
            name: names::array(program, name, number).sql(),
            values: names::parts(program, name).sql(),
            value: columns.value(id.value),
        };
        let element =
            || ElementFunction { name: names::element(program, name, number).sql(), element: columns.element() };
        let beside = || BesideFunction {
            name: names::beside(program, name, number).sql(),
            order: order(&text.sorts, part, &columns),
        };
        Some(ArrayFunctions {
            place: one_line(&array_place(self.tview, self.layout, id)),
            elements: names::elements(program, name, number).sql(),
            matched: columns.matched(),
            ty: part.ty.clone(),
            parameters: list(of_keys.chain(of_outer)),
            is_of_array: joined(is_key.chain(is_outer)),
            array: id.around().is_none().then(array),
            element: parts.arrays.keys().any(|other| other.around().as_ref() == Some(id)).then(element),
            beside: (part.descending.is_none() && !text.sorts.is_empty()).then(beside),
        })
    }
}
