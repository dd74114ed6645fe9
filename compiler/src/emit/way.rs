//! Ways and hashes as SQL.
//!
//! In: a [`Way`] of the plan. Out: a SELECT that begins at the arrays of changed rows and joins base
//! tables as they are now. The aliases are those of the view, so that a reader finds its joins again.

use super::tview::{KeyColumnSql, key_columns};
use super::{base_table, equal_or_null, list, names};
use crate::names::Ident;
use crate::plan::{ElementMoves, Join, Layout, TablePlan, Tview, TviewParts, Way, rows_of_keys};
use crate::relate::{Pair, ValueLock, is_scalar};
use crate::resolve::{ColumnRef, Term, UseId};

use super::Program;

/// Which images of the changed rows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Images {
    /// Before and after.
    Both,
    /// Before.
    Old,
    /// After.
    New,
}

/// What a way is written for.
pub struct Context<'a> {
    /// The program.
    pub program: &'a Program<'a>,
    /// The table whose rows changed.
    pub plan: &'a TablePlan,
    /// The tview.
    pub tview: &'a Tview,
    /// What of its documents is computed by itself.
    pub parts: &'a TviewParts,
}

impl Context<'_> {
    /// Where the parts of the view's query stand, where parts are computed by themselves.
    pub fn layout(&self) -> &Layout {
        self.parts.layout.as_ref().unwrap_or_else(|| unreachable!("parts have a layout"))
    }

    /// A column of a use, qualified.
    pub fn column(&self, column: ColumnRef) -> String {
        let owner = self.tview.view.use_of(column);
        let table = base_table(self.program.catalog, &owner.table);
        format!("{}.{}", self.alias(column.use_id), table.columns[column.column].name.sql())
    }

    fn is_alias(&self, name: &Ident) -> bool {
        self.tview.view.uses.iter().any(|u| &u.alias == name)
    }

    /// An alias that the view does not use.
    pub fn free_alias(&self, name: &str) -> String {
        names::free(name, |alias| self.is_alias(alias)).sql()
    }

    /// The alias of a use; `new` and `old` are record variables of a trigger function.
    pub fn alias(&self, use_id: UseId) -> String {
        let alias = &self.tview.view.uses[use_id.0].alias;
        let mut name = alias.clone();
        while matches!(name.as_str(), "new" | "old") || (name != *alias && self.is_alias(&name)) {
            name = Ident::new(format!("{name}_row"));
        }
        name.sql()
    }

    /// `FROM unnest(…) AS a(id) JOIN … WHERE …`, with `conditions` added.
    fn from(&self, way: &Way, images: Images, flag: Option<usize>, conditions: &[String], indent: &str) -> String {
        self.with_flag(way, images, (flag, None), conditions, indent).0
    }

    /// The same, and a second flag as a value.
    fn with_flag(
        &self,
        way: &Way,
        images: Images,
        (flag, shown): (Option<usize>, Option<usize>),
        conditions: &[String],
        indent: &str,
    ) -> (String, Option<String>) {
        let table = base_table(self.program.catalog, &self.plan.table);
        let mut arrays = Vec::new();
        let mut aliases = Vec::new();
        let mut values = Vec::new();
        let rows = self.alias(way.start);
        for column in self.start_columns(way) {
            let name = &table.columns[column].name;
            let ty = &table.columns[column].ty;
            let value = format!("r.{}", name.sql());
            values.push(match is_scalar(ty) {
                true => value,
                false => format!("{value}::{} AS {}", ty.sql, name.sql()),
            });
            let (old, new) = (names::variable("old", name, column), names::variable("new", name, column));
            arrays.push(match images {
                Images::Both => format!("{old} || {new}"),
                Images::Old => old,
                Images::New => new,
            });
            aliases.push(name.sql());
        }
        let mut conditions = conditions.to_vec();
        let mut flagged = |flag: usize, name: &str| {
            let variable = flag_variable(flag);
            arrays.push(if images == Images::Both { format!("{variable} || {variable}") } else { variable.clone() });
            let name = names::free(name, |name| aliases.contains(&name.sql()));
            aliases.push(name.sql());
            values.push(format!("r.{}", name.sql()));
            format!("coalesce({rows}.{}, true)", name.sql())
        };
        if let Some(flag) = flag {
            conditions.insert(0, flagged(flag, "is_changed"));
        }
        let shown = shown.map(|flag| flagged(flag, "is_moved"));
        // Arrays and rows are collected as text.
        let packed = values.iter().any(|v| v.contains("::"));
        let mut sql = match packed {
            true => format!(
                "FROM (SELECT {} FROM unnest({}) AS r({})) AS {rows}",
                list(values),
                list(arrays),
                list(aliases)
            ),
            false => format!("FROM unnest({}) AS {rows}({})", list(arrays), list(aliases)),
        };
        for join in &way.joins {
            sql += &format!("\n{indent}{}", self.join(join));
        }
        for call in self.calls(way) {
            sql += &format!("\n{indent}CROSS JOIN LATERAL {call}");
        }
        conditions.extend(way.absent.iter().map(|join| self.absence(join)));
        if !conditions.is_empty() {
            sql += &format!("\n{indent}WHERE {}", conditions.join(&format!("\n{indent}  AND ")));
        }
        (sql, shown)
    }

    /// The set-returning functions whose values are selected, each once.
    fn calls(&self, way: &Way) -> Vec<String> {
        let formulas = way.select.iter().filter_map(|t| match t {
            Term::Formula(formula) => Some(formula),
            Term::Column(_) => None,
        });
        let mut calls = Vec::new();
        for call in formulas.flat_map(|f| &f.calls) {
            let text = call.iter().map(|p| p.text(&|c| self.column(c))).collect::<String>();
            if !calls.contains(&text) {
                calls.push(text);
            }
        }
        calls
    }

    /// `JOIN … ON …`.
    pub fn join(&self, join: &Join) -> String {
        let owner = &self.tview.view.uses[join.use_id.0];
        let on = join.on.iter().map(|pair| self.condition(pair, join)).collect::<Vec<_>>().join(" AND ");
        format!("JOIN {} AS {} ON {on}", owner.table.sql(), self.alias(join.use_id))
    }

    /// The condition that a join finds no row.
    fn absence(&self, join: &Join) -> String {
        let table = &self.tview.view.uses[join.use_id.0].table;
        let on = join.on.iter().map(|pair| self.condition(pair, join)).collect::<Vec<_>>().join(" AND ");
        format!("NOT EXISTS (SELECT FROM {} AS {} WHERE {on})", table.sql(), self.alias(join.use_id))
    }

    /// What a join compares, its own side first.
    fn condition(&self, pair: &Pair, join: &Join) -> String {
        let Pair::Equal { child, parent, null_safe } = pair else { return self.pair(pair) };
        let (own, known) = if join.is_child { (child, parent) } else { (parent, child) };
        self.equality(own, known, *null_safe)
    }

    /// What a pair compares, the child first.
    pub fn pair(&self, pair: &Pair) -> String {
        match pair {
            Pair::Equal { child, parent, null_safe } => self.equality(child, parent, *null_safe),
            Pair::Holds(formula) => self.term(&Term::Formula(formula.clone())),
        }
    }

    fn equality(&self, left: &Term, right: &Term, null_safe: bool) -> String {
        let (l, r) = (self.term(left), self.term(right));
        if !null_safe || [left, right].into_iter().any(|t| self.is_present(t)) {
            return format!("{l} = {r}");
        }
        equal_or_null(&l, &r)
    }

    /// Whether a term is a column that is never NULL.
    fn is_present(&self, term: &Term) -> bool {
        term.as_column().is_some_and(|c| {
            let table = base_table(self.program.catalog, &self.tview.view.use_of(c).table);
            table.columns[c.column].not_null
        })
    }

    /// A term as SQL.
    pub fn term(&self, term: &Term) -> String {
        match term {
            Term::Column(column) => self.column(*column),
            Term::Formula(formula) => {
                format!("({})", formula.text(&|c| self.column(c)))
            }
        }
    }

    fn start_columns(&self, way: &Way) -> Vec<usize> {
        let columns: Vec<usize> = way.needs().into_iter().collect();
        // Rows have to come from somewhere, even where nothing of them is needed.
        if columns.is_empty() { self.plan.carried.iter().take(1).copied().collect() } else { columns }
    }

    /// The values at the end of a way.
    pub fn select(&self, way: &Way, images: Images, flag: Option<usize>, indent: &str) -> String {
        let values = list(way.select.iter().map(|t| self.term(t)));
        format!("SELECT {values}\n{indent}{}", self.from(way, images, flag, &[], indent))
    }

    /// The same, and whether elements may come, go or move.
    pub fn select_elements(&self, way: &Way, changed: Option<usize>, moves: ElementMoves, indent: &str) -> String {
        let shown = match moves {
            ElementMoves::If(flag) => flag,
            ElementMoves::Never => None,
        };
        let (from, shown) = self.with_flag(way, Images::Both, (changed, shown), &[], indent);
        let moves = shown.unwrap_or_else(|| (moves != ElementMoves::Never).to_string());
        let values = list(way.select.iter().map(|t| self.term(t)).chain([moves]));
        format!("SELECT {values}\n{indent}{from}")
    }

    /// The keys of the documents that show the values at the end of a way in these key columns.
    pub fn select_documents(&self, way: &Way, keys: &[usize], flag: Option<usize>, indent: &str) -> String {
        self.select_with_parts(way, keys, flag, (&self.tview.name.sql(), Vec::new()), indent)
    }

    /// The same of all combinations of rows as they are now, which may not have shown a document: for changed rows that may lead to another
    /// key than they did, or to none.
    pub fn select_hidden(
        &self,
        way: &Way,
        keys: &[usize],
        whole: &Way,
        flag: Option<usize>,
        indent: &str,
    ) -> Vec<String> {
        let names = self.tview.key_names();
        let rows = rows_of_keys(self.tview).into_iter().map(|rows| {
            let values =
                rows.select.iter().zip(&names).map(|(term, name)| format!("{} AS {}", self.term(term), name.sql()));
            let table = &self.tview.view.uses[rows.start.0].table;
            let mut sql =
                format!("(SELECT {}\n{indent}        FROM {} AS {}", list(values), table.sql(), self.alias(rows.start));
            let calls = self.calls(&rows).into_iter().map(|call| format!("CROSS JOIN LATERAL {call}"));
            for join in rows.joins.iter().map(|j| self.join(j)).chain(calls) {
                sql += &format!("\n{indent}        {join}");
            }
            sql + ")"
        });
        let is_gone = self.leads_nowhere(whole);
        // What that asks of the changed rows is at hand as well.
        let asked = whole.needs().into_iter().map(|column| Term::Column(ColumnRef { use_id: way.start, column }));
        let way = &Way { select: way.select.iter().cloned().chain(asked).collect(), ..way.clone() };
        rows.map(|rows| self.select_with_parts(way, keys, flag, (&rows, is_gone.clone()), indent)).collect()
    }

    /// Whether any changed row, as it was, may lead to another key than it did, or to none.
    pub fn any_leads_nowhere(&self, whole: &Way, flag: Option<usize>, indent: &str) -> String {
        format!(
            "EXISTS (SELECT {})",
            self.from(&self.start_of(whole), Images::Old, flag, &self.leads_nowhere(whole), indent)
        )
    }

    /// The beginning of a way alone, with all that it needs.
    fn start_of(&self, way: &Way) -> Way {
        let column = |column| Term::Column(ColumnRef { use_id: way.start, column });
        Way { joins: Vec::new(), select: way.needs().into_iter().map(column).collect(), ..way.clone() }
    }

    /// The conditions that rows on a way are gone, or may have been others before this transaction, though the changed row referred to some.
    fn leads_nowhere(&self, way: &Way) -> Vec<String> {
        let Some((first, others)) = way.joins.split_first() else { return Vec::new() };
        let refers = first.on.iter().filter_map(|pair| match pair {
            Pair::Equal { child, parent, null_safe: false } => Some(if first.is_child { parent } else { child }),
            _ => None,
        });
        let refers = refers.filter(|t| !self.is_present(t)).map(|t| format!("{} IS NOT NULL", self.term(t)));
        let table = &self.tview.view.uses[first.use_id.0].table;
        let joins = others.iter().map(|j| format!(" {}", self.join(j))).collect::<String>();
        let on = first.on.iter().map(|pair| self.condition(pair, first));
        let is_old = |j: &Join| format!("age({}.xmin) > age(pg_current_xact_id()::xid)", self.alias(j.use_id));
        let conditions = on.chain(way.joins.iter().map(is_old)).collect::<Vec<_>>().join(" AND ");
        let rows = format!("SELECT FROM {} AS {}{joins} WHERE {conditions}", table.sql(), self.alias(first.use_id));
        refers.chain([format!("NOT EXISTS ({rows})")]).collect()
    }

    fn select_with_parts(
        &self,
        way: &Way,
        keys: &[usize],
        flag: Option<usize>,
        (relation, more): (&str, Vec<String>),
        indent: &str,
    ) -> String {
        let alias = self.free_alias("document");
        let columns = key_columns(self.tview);
        let shown_as = |k: &KeyColumnSql| format!("{alias}.{}", k.name.sql());
        let shown = list(columns.iter().map(shown_as));
        let same =
            keys.iter().zip(&way.select).map(|(k, t)| columns[*k].equals(&shown_as(&columns[*k]), &self.term(t)));
        let from = self.from(way, Images::Old, None, &[], indent);
        let mut conditions = same.chain(more).collect::<Vec<_>>();
        if let Some(flag) = flag {
            conditions.insert(0, format!("coalesce(true = ANY ({}), true)", flag_variable(flag)));
        }
        format!("SELECT {shown}\n{indent}{from}\n{indent}JOIN {relation} AS {alias} ON {}", conditions.join(" AND "),)
    }

    /// The hashes of the values at the end of a way.
    pub fn hashes(
        &self,
        way: &Way,
        images: Images,
        flag: Option<usize>,
        lock: &[Option<String>],
        indent: &str,
    ) -> String {
        let values: Vec<String> = way.select.iter().map(|t| self.term(t)).collect();
        let from = self.from(way, images, flag, &self.present(way), indent);
        format!("SELECT {}\n{indent}{from}", hash(&values, lock))
    }

    /// Whether there is any row.
    pub fn exists(&self, way: &Way, images: Images, flag: Option<usize>, indent: &str) -> String {
        format!("EXISTS (SELECT {})", self.from(way, images, flag, &self.present(way), indent))
    }

    /// NULL equals nothing, where it is not said otherwise.
    fn present(&self, way: &Way) -> Vec<String> {
        let strict = way.select.iter().zip(&way.null_safe).filter(|(_, null_safe)| !**null_safe);
        strict.map(|(term, _)| format!("{} IS NOT NULL", self.term(term))).collect()
    }
}

/// The hash of values. `hash_array` hashes an element by its type's own hash function, which agrees
/// with `=`; text forms would not (`5` and `5.00`).
pub fn hash(values: &[String], casts: &[Option<String>]) -> String {
    let one = |(value, cast): (&String, &Option<String>)| match cast {
        Some(cast) => format!("hash_array(ARRAY[{value}::{cast}])"),
        None => format!("hash_array(ARRAY[{value}])"),
    };
    let hashes: Vec<String> = values.iter().zip(casts).map(one).collect();
    match hashes.as_slice() {
        [single] => single.clone(),
        several => format!("hash_array(ARRAY[{}])", several.join(", ")),
    }
}

/// The hash of a lock by values.
pub fn casts(lock: &ValueLock) -> Option<&[Option<String>]> {
    match lock {
        ValueLock::Values(casts) => Some(casts),
        ValueLock::Relation(_) => None,
    }
}

/// The variable of a flag.
pub fn flag_variable(flag: usize) -> String {
    format!("changed_{}", flag + 1)
}
