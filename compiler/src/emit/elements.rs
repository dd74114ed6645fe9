//! Elements of arrays as SQL, also of arrays in the elements of others.
//!
//! In: a [`Group`] that is an array, and the statement that writes, as it grows. Out: what the statement reads for it, and what the
//! document becomes. What always holds: an element is evaluated anew by all its match keys, and put, in its array, where it belongs or
//! taken out; where an array cannot be changed so, the element that it is in is evaluated anew, or in the end the outermost array.

use super::part_views::{Columns, array_number};
use super::parts::{Change, Group, put};
use super::patch::{self, Put};
use super::{lines, list, names};
use crate::names::sql_literal;
use crate::plan::{ArrayId, ArrayPart, ArrayText, MANY_ELEMENTS};

/// What is known of the elements of one array: columns of a relation.
struct Known {
    matches: String,
    elements: String,
    /// Where they may come, go or move: whether they do, and what they stand between; else nothing.
    moves: Vec<String>,
}

/// Keeps of the elements of one array no more than tell that they are too many to be changed one by one.
pub fn at_most(group: &Group, indent: &str) -> String {
    let keys: Vec<String> = (1..=group.keys).map(|n| format!("e.key_{n}")).collect();
    let outer: Vec<String> = group.outer().iter().map(|o| format!("e.{o}")).collect();
    let of_array = list(keys.iter().chain(&outer).cloned());
    let moves = match group.asks_moves {
        true => format!(", array_agg(e.moves AND e.elements <= {MANY_ELEMENTS})"),
        false => String::new(),
    };
    let count = if group.asks_moves { " count(*) OVER of_array AS elements," } else { "" };
    // The same of the elements around them.
    let ranks = outer.iter().enumerate().map(|(n, own)| {
        let around = list(keys.iter().chain(&outer[..n]).cloned());
        format!(
            ",\n{indent}                   dense_rank() OVER (PARTITION BY {around} ORDER BY {own}) AS rank_{}",
            n + 1
        )
    });
    let few = (1..=outer.len()).map(|n| format!(" AND e.rank_{n} <= {MANY_ELEMENTS} + 1"));
    let aggregates = keys.iter().chain(&outer).map(|c| format!("array_agg({c})"));
    format!(
        "\n{indent}IF cardinality({}) > {MANY_ELEMENTS} THEN -- where they are of one array, so that it is computed again, one more than that is enough\n\
         {indent}    SELECT {}, array_agg(e.match){moves}\n\
         {indent}      INTO {}\n\
         {indent}      FROM (SELECT e.*,{count} row_number() OVER of_array AS number{}\n\
         {indent}              FROM unnest({}) AS e({})\n\
         {indent}            WINDOW of_array AS (PARTITION BY {of_array})) AS e\n\
         {indent}     WHERE e.number <= {MANY_ELEMENTS} + 1{};\n\
         {indent}END IF;",
        group.variables[0].name,
        list(aggregates),
        group.arrays(),
        ranks.collect::<String>(),
        group.arrays(),
        list(group.columns()),
        few.collect::<String>(),
    )
}

impl Change<'_> {
    /// Elements that are computed again. Where they do not fit, the array is.
    pub fn elements(&mut self, group: &Group, id: &ArrayId, relation: &str) {
        let context = self.context;
        let (lines, columns) = self.element_rows(group, id);
        self.join(relation, lines, &columns);
        let outermost = ArrayId::outermost(id.value);
        let value = &context.layout().values[id.value];
        let mut old = self.value(value.output).sql();
        if self.values.contains_key(&value.output) {
            // It is mentioned several times.
            let before = context.free_alias(&format!("before_{}", self.relations));
            self.before.push(format!("CROSS JOIN LATERAL (SELECT {old} AS value OFFSET 0) AS {before}"));
            old = format!("{before}.value");
        }
        let known = match group.depth() {
            0 => Known::of(relation, &columns),
            _ => self.around(group, id, &old, relation),
        };
        let inner = "\n                           ";
        let changed = self.changed(&old, self.array(&outermost), &value.path, &known, &format!("{inner}    "));
        let function = names::array(context.program.name, &context.tview.name, self.number(&outermost)).sql();
        let computed = format!("tview.{function}({})", list((1..=group.keys).map(|n| format!("{relation}.key_{n}"))));
        let computed = put(value, Put::into(context, old.clone()), computed).sql();
        let new = format!("coalesce({inner}{changed},{inner}{computed})");
        self.becomes(value.output, Put::into(context, self.found(relation, new, &old)), true);
    }

    fn array(&self, id: &ArrayId) -> (&ArrayPart, &ArrayText) {
        let text = self.context.layout().array(id).map(|(_, text)| text);
        let known = self.context.parts.arrays.get(id).zip(text);
        known.unwrap_or_else(|| unreachable!("a part's arrays are in the layout"))
    }

    fn number(&self, id: &ArrayId) -> usize {
        array_number(self.context.parts, id)
    }

    /// The call that changes elements of the array at a path of a document, or of an element.
    fn changed(
        &self,
        target: &str,
        (part, text): (&ArrayPart, &ArrayText),
        path: &[String],
        known: &Known,
        line: &str,
    ) -> String {
        let Known { matches, elements, moves } = known;
        let moves = moves.iter().map(|column| format!("{column}, ")).collect::<String>();
        let (function, order) = match part.descending {
            Some(descending) => ("jsonb_change_sorted_elements", descending),
            None => ("jsonb_change_elements", !text.sorts.is_empty()),
        };
        format!(
            "{}{function}({target}, {}::text[], {}::text, {matches}, {elements},{line}{moves}{order}, {MANY_ELEMENTS})",
            if self.context.program.calls_own_functions { "tview." } else { "" },
            patch::path_sql(path),
            sql_literal(&part.field),
        )
    }

    /// The elements by document: what they are and, where they may come, go or move, what they stand between; and the names of these.
    fn element_rows(&self, group: &Group, id: &ArrayId) -> (Vec<String>, Vec<String>) {
        let (program, tview) = (self.context.program.name, &self.context.tview.name);
        let columns = Columns::of(self.context.tview, self.context.parts);
        let (matched, element) = (columns.matched(), columns.element());
        let sorted = !self.array(id).1.sorts.is_empty();
        let keys = list((1..=group.keys).map(|n| format!("e.key_{n}")));
        let outer: Vec<String> = group.outer().iter().map(|o| format!("e.{o}")).collect();
        let elements = names::elements(program, tview, self.number(id)).sql();
        let mut shown: Vec<String> = group.outer();
        shown.extend(["matches".into(), "elements".into()]);
        let mut aggregates: Vec<String> = outer.iter().map(|o| format!("array_agg({o})")).collect();
        aggregates.extend(["array_agg(to_jsonb(e.match))".into(), "array_agg(e.element)".into()]);
        let mut neighbours = String::new();
        if group.asks_moves {
            shown.extend(["moves".into(), "preceding".into(), "following".into()]);
            aggregates.push("array_agg(e.moves)".into());
            aggregates.extend(match sorted {
                true => ["array_agg(e.beside[1])".to_owned(), "array_agg(e.beside[2])".to_owned()],
                false => ["NULL::jsonb[]".to_owned(), "NULL::jsonb[]".to_owned()],
            });
        }
        if group.asks_moves && sorted {
            let of_array = list(std::iter::once(keys.clone()).chain(outer.iter().cloned()));
            neighbours = format!(
                ",\n               CASE WHEN e.moves AND w.{element} IS NOT NULL THEN tview.{}({of_array}, e.match) END AS beside",
                names::beside(program, tview, self.number(id)).sql()
            );
        }
        let around = outer.iter().enumerate().map(|(n, o)| format!("w.{} = {o}", columns.outer(n)));
        let rows = format!(
            "SELECT {keys}, {}\n  \
             FROM (SELECT e.*, w.{element} AS element{neighbours}\n          \
             FROM unnest({}) AS e({})\n          \
             LEFT JOIN LATERAL (SELECT w.{element} FROM tview.{elements} AS w\n                              \
             WHERE {} AND w.{matched} = e.match OFFSET 0) AS w ON true OFFSET 0) AS e\n \
             GROUP BY {keys}",
            list(aggregates),
            group.arrays(),
            list(group.columns()),
            patch::joined(std::iter::once(self.is_key("w", "e")).chain(around)),
        );
        (lines(&rows).into_iter().map(str::to_owned).collect(), shown)
    }

    /// Changes of an array in elements as changes of the elements of the outermost array: each as it was but for them. From the inside
    /// out, those of one element are put together.
    fn around(&mut self, group: &Group, id: &ArrayId, old: &str, relation: &str) -> Known {
        let outer = group.outer();
        let moves: &[&str] = if group.asks_moves { &["moves", "preceding", "following"] } else { &[] };
        let given = |columns: [&str; 2]| {
            let all = outer.iter().map(String::as_str).chain(columns).chain(moves.iter().copied());
            all.map(str::to_owned).collect::<Vec<_>>()
        };
        let arrays = list(given(["matches", "elements"]).iter().map(|c| format!("{relation}.{c}")));
        let mut rows = format!("unnest({arrays}) AS e({})", list(given(["match", "element"])));
        let mut matched = "e.match";
        let mut own = moves.iter().map(|c| format!("array_agg(e.{c})")).collect::<Vec<_>>();
        let chain: Vec<ArrayId> = id.chain().collect();
        for depth in (1..chain.len()).rev() {
            let known =
                Known { matches: format!("array_agg({matched})"), elements: "array_agg(e.element)".into(), moves: own };
            let changed = self.inner(&chain[..=depth], old, &known);
            let (shown, last) = (&outer[..depth - 1], &outer[depth - 1]);
            let of_element = list(outer[..depth].iter().map(|o| format!("e.{o}")));
            let keys = list((1..=group.keys).map(|n| format!("{relation}.key_{n}")));
            let function =
                names::element(self.context.program.name, &self.context.tview.name, self.number(&chain[depth - 1]))
                    .sql();
            let selected = shown.iter().map(|o| format!("e.{o}, ")).collect::<String>();
            rows = format!(
                "(SELECT {selected}e.{last} AS match,\n        coalesce({changed},\n                 tview.{function}({keys}, {of_element})) AS element\n   \
                 FROM {rows}\n  GROUP BY {of_element}) AS e"
            );
            matched = "to_jsonb(e.match)";
            own = self.staying(&chain[depth - 1], "array_agg(false)");
        }
        let around = self.context.free_alias(&format!("around_{}", self.relations));
        let moved = if own.is_empty() { "" } else { ", array_agg(false) AS moves" };
        let text = format!(
            "CROSS JOIN LATERAL (SELECT array_agg({matched}) AS matches, array_agg(e.element) AS elements{moved}\n  \
             FROM {rows}\nOFFSET 0) AS {around}"
        );
        self.before.extend(lines(&text).into_iter().map(str::to_owned));
        Known {
            matches: format!("{around}.matches"),
            elements: format!("{around}.elements"),
            moves: self.staying(&chain[0], &format!("{around}.moves")),
        }
    }

    /// What is said of elements that stay where they are.
    fn staying(&self, id: &ArrayId, moves: &str) -> Vec<String> {
        match self.array(id).0.descending {
            Some(_) => Vec::new(),
            None => vec![moves.to_owned(), "NULL".into(), "NULL".into()],
        }
    }

    /// The call that changes an array in an element, which is found by the match keys of the elements around.
    fn inner(&self, chain: &[ArrayId], old: &str, known: &Known) -> String {
        let path = |id: &ArrayId| self.context.layout().array(id).map(|(path, _)| path).unwrap_or_default();
        let mut element = old.to_owned();
        for (id, n) in chain[..chain.len() - 1].iter().zip(1..) {
            let found = element_path(path(id), &self.array(id).0.field);
            element = format!(
                "jsonb_path_query_first({element}, {}, jsonb_build_object('match', e.outer_{n}))",
                sql_literal(&found)
            );
        }
        let own = &chain[chain.len() - 1];
        self.changed(&element, self.array(own), path(own), known, "\n                     ")
    }
}

/// The jsonpath of the elements of an array that have `$match` in a field: what it finds is copied, and nothing that it passes.
fn element_path(path: &[String], field: &str) -> String {
    let quoted = |name: &str| serde_json::Value::from(name).to_string();
    let array: String = path.iter().map(|name| format!(".{}", quoted(name))).collect();
    format!("${array}[*] ? (@.{} == $match)", quoted(field))
}

impl Known {
    /// From columns of a relation.
    fn of(relation: &str, columns: &[String]) -> Self {
        let mut columns = columns.iter().map(|c| format!("{relation}.{c}"));
        let mut next = || columns.next().unwrap_or_default();
        Known { matches: next(), elements: next(), moves: columns.collect() }
    }
}
