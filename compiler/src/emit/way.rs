//! Ways and hashes as SQL.
//!
//! In: a [`Way`] of the plan. Out: a SELECT that begins at the arrays of changed rows and joins base
//! tables as they are now. The aliases are those of the view, so that a reader finds its joins again.

use super::{base_table, list, names};
use crate::names::Ident;
use crate::plan::{TablePlan, Tview, Way};
use crate::relate::ValueLock;
use crate::resolve::{ColumnRef, UseId};

use super::Program;

/// Which images of the changed rows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Images {
    /// Before and after.
    Both,
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
}

impl Context<'_> {
    /// A column of a use, qualified.
    pub fn column(&self, column: ColumnRef) -> String {
        let owner = self.tview.view.use_of(column);
        let table = base_table(self.program.catalog, &owner.table);
        format!("{}.{}", self.alias(column.use_id), table.columns[column.column].name.sql())
    }

    fn is_alias(&self, name: &Ident) -> bool {
        self.tview.view.uses.iter().any(|u| &u.alias == name)
    }

    /// `new` and `old` are record variables of a trigger function.
    fn alias(&self, use_id: UseId) -> String {
        let alias = &self.tview.view.uses[use_id.0].alias;
        let mut name = alias.clone();
        while matches!(name.as_str(), "new" | "old") || (name != *alias && self.is_alias(&name)) {
            name = Ident::new(format!("{name}_row"));
        }
        name.sql()
    }

    /// `FROM unnest(…) AS a(id) JOIN … WHERE …`, with `conditions` added.
    fn from(&self, way: &Way, images: Images, flag: Option<usize>, conditions: &[String], indent: &str) -> String {
        let table = base_table(self.program.catalog, &self.plan.table);
        let mut arrays = Vec::new();
        let mut aliases = Vec::new();
        for column in self.start_columns(way) {
            let name = &table.columns[column].name;
            arrays.push(match images {
                Images::Both => {
                    format!("{} || {}", names::variable("old", name, column), names::variable("new", name, column))
                }
                Images::New => names::variable("new", name, column),
            });
            aliases.push(name.sql());
        }
        let mut conditions = conditions.to_vec();
        if let Some(flag) = flag {
            let variable = flag_variable(flag);
            arrays.push(if images == Images::Both { format!("{variable} || {variable}") } else { variable.clone() });
            let mut name = Ident::new("is_changed");
            while aliases.contains(&name.sql()) {
                name = Ident::new(format!("{name}_"));
            }
            conditions.insert(0, format!("coalesce({}.{}, true)", self.alias(way.start), name.sql()));
            aliases.push(name.sql());
        }
        let start = self.alias(way.start);
        let mut sql = format!("FROM unnest({}) AS {start}({})", list(arrays), list(aliases));
        for (use_id, on) in &way.joins {
            let owner = &self.tview.view.uses[use_id.0];
            let on: Vec<String> =
                on.iter().map(|(a, b)| format!("{} = {}", self.column(*a), self.column(*b))).collect();
            sql += &format!("\n{indent}JOIN {} AS {} ON {}", owner.table.sql(), self.alias(*use_id), on.join(" AND "));
        }
        if !conditions.is_empty() {
            sql += &format!("\n{indent}WHERE {}", conditions.join(&format!("\n{indent}  AND ")));
        }
        sql
    }

    fn start_columns(&self, way: &Way) -> Vec<usize> {
        let joined = way.joins.iter().flat_map(|(_, on)| on.iter().map(|(_, known)| *known));
        let all = joined.chain(way.select.iter().copied()).filter(|c| c.use_id == way.start);
        let mut columns: Vec<usize> = all.map(|c| c.column).collect();
        columns.sort_unstable();
        columns.dedup();
        columns
    }

    /// The values at the end of a way.
    pub fn select(&self, way: &Way, images: Images, flag: Option<usize>, indent: &str) -> String {
        let values = list(way.select.iter().map(|c| self.column(*c)));
        format!("SELECT {values}\n{indent}{}", self.from(way, images, flag, &[], indent))
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
        let values: Vec<String> = way.select.iter().map(|c| self.column(*c)).collect();
        let present: Vec<String> = values.iter().map(|v| format!("{v} IS NOT NULL")).collect();
        format!("SELECT {}\n{indent}{}", hash(&values, lock), self.from(way, images, flag, &present, indent))
    }

    /// Whether there is any row.
    pub fn exists(&self, way: &Way, images: Images, flag: Option<usize>, indent: &str) -> String {
        let values: Vec<String> = way.select.iter().map(|c| format!("{} IS NOT NULL", self.column(*c))).collect();
        format!("EXISTS (SELECT {})", self.from(way, images, flag, &values, indent))
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
