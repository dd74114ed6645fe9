//! How the current rows of some keys are read.
//!
//! In: a tview. Out: the views that it is read through by key, where that is not its own view, and the query. What always
//! holds: the query shows the rows of the keys and no others.

use super::narrow::{Below, Narrowed, Partition, narrow};
use super::patch::joined;
use super::templates::{self, Fresh, FreshPartition, NarrowRows, NarrowSql, Together};
use super::tview::KeyColumnSql;
use super::{Program, equal_or_null, list, names, one_line, path_sql, search_path};
use crate::catalog::{Relation, View};
use crate::names::{Ident, sql_literal};
use crate::plan::Tview;

/// How a tview's rows are read by key.
pub struct ByKey {
    /// What is made for that.
    pub views: Vec<String>,
    /// What these read in the place of the user's; not only these.
    pub below: Vec<String>,
    /// As SQL.
    pub definitions: String,
    /// A relation with all rows, to look for keys in.
    pub rows: String,
    /// The query.
    pub fresh: String,
}

/// What the query needs of the key.
pub struct KeyNames<'a> {
    /// The arrays of keys, one of each column; they are of one length.
    pub variables: &'a [String],
    /// The key columns.
    pub columns: &'a [KeyColumnSql],
}

impl KeyNames<'_> {
    /// The condition that a row of a view is that of a key `k`, where it is looked up: the rows of several conditions, of which one is true
    /// for any key. So each of them is one that an index on the column serves, with NULL or without.
    pub fn look_up(&self) -> Vec<String> {
        let nullable: Vec<usize> = (0..self.columns.len()).filter(|n| self.columns[*n].nullable).collect();
        let name = |n: usize| self.columns[n].name.sql();
        let equal = |n: usize| format!("w.{0} = k.{0}", name(n));
        let absent = |n: usize| format!("k.{0} IS NULL AND w.{0} IS NULL", name(n));
        let all = 0..self.columns.len();
        if nullable.len() <= MAX_NULLABLE {
            // Of each that can be NULL a bit: whether it is.
            let is_null = |combination: usize, n: usize| {
                nullable.iter().position(|at| *at == n).is_some_and(|bit| combination >> bit & 1 == 1)
            };
            let exact = |combination: usize| {
                joined(all.clone().map(|n| if is_null(combination, n) { absent(n) } else { equal(n) }))
            };
            return (0..1 << nullable.len()).map(exact).collect();
        }
        let any = nullable.iter().map(|n| format!("k.{} IS NULL", name(*n))).collect::<Vec<_>>().join(" OR ");
        let either = |n: usize| match self.columns[n].nullable {
            true => equal_or_null(&format!("w.{}", name(n)), &format!("k.{}", name(n))),
            false => equal(n),
        };
        vec![joined(all.clone().map(equal)), joined(std::iter::once(format!("({any})")).chain(all.map(either)))]
    }
}

/// With so many columns of a key that can be NULL there is a query for each combination of these; with more, one for keys without NULL and
/// one for all others.
const MAX_NULLABLE: usize = 3;

/// How a tview's rows are read by key.
pub fn by_key(program: &Program, tview: &Tview, keys: &KeyNames) -> ByKey {
    let own = tview.view.name.sql();
    let narrowed = match program.catalog.relations.get(&tview.view.name) {
        Some(Relation::View(view)) => narrow(program, view, tview).map(|n| (view, n)),
        _ => None,
    };
    let Some((view, narrowed)) = narrowed else {
        let fresh = fresh(tview, keys, &own, None);
        return ByKey { views: Vec::new(), below: Vec::new(), definitions: String::new(), rows: own, fresh };
    };
    let name = names::narrowed(program.name, &tview.name).sql();
    let rows_name = names::partitions(program.name, &tview.name).sql();
    let (read, in_rows) = (format!("tview.{name}"), format!("tview.{rows_name}"));
    let partition = narrowed.partition.as_ref().map(|p| partition(p, &in_rows));
    let fresh = fresh(tview, keys, &read, partition);
    let has_partition = narrowed.partition.is_some();
    let below: Vec<String> = narrowed.below.iter().map(|b| b.name.sql()).collect();
    let definitions = definitions(program, view, &name, &rows_name, narrowed);
    // In the order in which they can be removed.
    let views = std::iter::once(name).chain(has_partition.then_some(rows_name)).collect();
    ByKey { views, below, definitions, rows: if has_partition { in_rows } else { read }, fresh }
}

fn definitions(program: &Program, view: &View, name: &str, rows_name: &str, narrowed: Narrowed) -> String {
    let Narrowed { below, query, partition } = narrowed;
    let reason = match partition {
        Some(_) => "a condition on what its windows are partitioned by passes them",
        None if below.is_empty() => "conditions on its key reach CTEs and grouped queries",
        None => "conditions on its key reach what it reads",
    };
    let rows = partition.map(|p| NarrowRows { name: rows_name.to_owned(), query: p.rows });
    let what = format!("The view once more, for reading it by key: {reason}.");
    let below = below.into_iter().map(|b| {
        let Below { view, name, query } = b;
        let what =
            format!("{} once more: conditions reach the rows, windows are computed for their partitions.", view.name);
        definition(program, view, &name.sql(), what, query, None) + "\n\n"
    });
    below.collect::<String>() + &definition(program, view, name, what, query, rows)
}

/// A view that shows what one of the user's shows.
fn definition(
    program: &Program,
    view: &View,
    name: &str,
    what: String,
    query: String,
    rows: Option<NarrowRows>,
) -> String {
    let (path, script_path) = (path_sql(&view.search_path), search_path(program));
    let columns = list(view.column_aliases.iter().map(Ident::sql));
    templates::text(&NarrowSql {
        name: name.to_owned(),
        what: one_line(&what),
        columns: if columns.is_empty() { columns } else { format!(" ({columns})") },
        query,
        rows,
        path_differs: path != script_path,
        search_path: path,
        script_path: &script_path,
    })
}

fn partition(partition: &Partition, rows: &str) -> FreshPartition {
    let of = |q: &str| list(partition.columns.iter().map(|(c, _)| format!("{q}.{}", c.sql())));
    // NULL is a partition of its own.
    let equal = |(c, can_be_null): &(Ident, bool)| match can_be_null {
        true => equal_or_null(&format!("w.{}", c.sql()), &format!("p.{}", c.sql())),
        false => format!("w.{c} = p.{c}", c = c.sql()),
    };
    FreshPartition {
        rows: rows.to_owned(),
        r_columns: of("r"),
        w_columns: of("w"),
        w_is_p: partition.columns.iter().map(equal).collect::<Vec<_>>().join("\n                AND "),
    }
}

/// Windows below the view are computed for each row over its partitions. Rows that change together are mostly of one partition, so that
/// this takes the square of their number.
fn together(tview: &Tview, keys: &KeyNames) -> Together {
    let first = &keys.variables[0];
    Together {
        view: tview.view.name.sql(),
        are_few: format!(
            "cardinality({first})::bigint * cardinality({first})\n            \
             <= (SELECT greatest(c.reltuples, 10000) FROM pg_class AS c WHERE c.oid = {}::regclass)",
            sql_literal(&tview.name.sql())
        ),
    }
}

fn fresh(tview: &Tview, keys: &KeyNames, view: &str, partition: Option<FreshPartition>) -> String {
    templates::text(&Fresh {
        view,
        partition,
        at_once: tview.computed_whole.at_once,
        together: (tview.computed_whole.by_row && !tview.computed_whole.at_once).then(|| together(tview, keys)),
        key_variables: &keys.variables.join(", "),
        key_aliases: &list(keys.columns.iter().map(|k| k.name.sql())),
        w_is_k: &keys.look_up(),
        v_is_k: joined(keys.columns.iter().map(|k| k.equal("v", "k"))),
        v_columns: list(tview.view.outputs.iter().map(|o| format!("v.{}", o.name.sql()))),
    })
}
