//! One base table as SQL: the function behind its triggers, and the triggers.
//!
//! In: a [`TablePlan`]. Out: its filled template. Each statement of the function serves one step of
//! the plan and says which.

use std::collections::BTreeSet;

use super::locks::{self, regclass};
use super::parts::{self, Group};
use super::templates::{self, Carried, FlagModel, KeysModel, PartialKeyModel, SplitSql, TableModel, TableSql, Trigger};
use super::tview::{key_columns, present};
use super::way::{Context, Images, flag_variable};
use super::{Program, attempt, base_table, list, names, one_line, patch, reached};
use crate::catalog::restrictions::Restriction;
use crate::catalog::{PartialKey, Table, TableKind, TypeClass};
use crate::names::sql_literal;
use crate::plan::{ColumnSet, LockStep, PatchStep, Reach, TablePlan, TviewStep, UseStep};
use crate::relate::{is_scalar, relied_on, variable_type};
use crate::resolve::UseId;

/// The model of a base table, and its text.
pub fn model<'s>(program: &Program, plan: &TablePlan, settings: &impl Fn(bool) -> &'s str) -> (TableModel, String) {
    let table = base_table(program.catalog, &plan.table);
    let function = names::table_function(program.name, &plan.table);
    let triggers = triggers(program.name);
    let sql = sql(program, plan, table, &triggers, settings);
    let write = sql.split.as_ref().map(|split| split.write.clone());
    let reached = sql.reached.as_ref().map(|reached| reached.function.clone());
    let sql = templates::text(&sql);
    let column = |c: &usize| &table.columns[*c];
    let typed = |c: &usize| match column(c).ty.class {
        TypeClass::Unknown => "NULL".to_owned(),
        _ => sql_literal(&column(c).ty.sql),
    };
    let unique = table.keys.iter().map(|key| {
        let names = key.columns.iter().map(|c| array_element(column(c).name.as_str()));
        sql_literal(&format!("{{{}}}", names.collect::<Vec<_>>().join(",")))
    });
    // Proofs rest on these: of keys, of links out of NOT IN, of elements, of rows that an outer join found.
    let required = plan.reads.iter().filter(|c| column(c).not_null);
    let model = TableModel {
        name: plan.table.sql(),
        name_literal: sql_literal(&plan.table.sql()),
        partitioned: table.kind == TableKind::Partitioned,
        function: function.sql(),
        function_literal: sql_literal(function.as_str()),
        function_regproc: regclass(&function.sql()),
        write,
        reached,
        triggers,
        column_names: list(plan.reads.iter().map(|c| sql_literal(column(c).name.as_str()))),
        column_types: list(plan.reads.iter().map(typed)),
        not_null: list(required.map(|c| sql_literal(column(c).name.as_str()))),
        unique_keys: list(unique),
        partial_keys: partial_keys(program, table),
    };
    (model, sql)
}

/// The unique indexes over some rows of a table that a proof may rest on.
fn partial_keys(program: &Program, table: &Table) -> Vec<PartialKeyModel> {
    let variants = program.tviews.iter().flat_map(|t| &t.relations.variants);
    let uses = variants.flat_map(|v| (0..v.view.uses.len()).map(|at| (&v.view, UseId(at))));
    let of_table = uses.filter(|(view, at)| view.uses[at.0].table == table.name);
    let mut keys: Vec<_> = of_table.flat_map(|(view, at)| relied_on(view, program.catalog, at)).collect();
    keys.sort_by_key(|key| key.span);
    keys.dedup_by_key(|key| key.span);
    let name = |c: &usize| sql_literal(table.columns[*c].name.as_str());
    let model = |key: &PartialKey| PartialKeyModel {
        column_names: list(key.columns.iter().map(name)),
        condition: sql_literal(&key.only_where.iter().map(Restriction::sql).collect::<Vec<_>>().join(" AND ")),
    };
    keys.into_iter().map(model).collect()
}

/// A name within an array literal.
fn array_element(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

fn triggers(program: &str) -> Vec<Trigger> {
    let new = "REFERENCING NEW TABLE AS new_rows\n            ";
    let old = "REFERENCING OLD TABLE AS old_rows\n            ";
    let both = "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows\n            ";
    [("insert", "INSERT", new), ("update", "UPDATE", both), ("delete", "DELETE", old), ("truncate", "TRUNCATE", "")]
        .into_iter()
        .map(|(suffix, event, referencing)| {
            let name = names::trigger(program, suffix);
            Trigger { name: name.sql(), literal: sql_literal(name.as_str()), event, referencing }
        })
        .collect()
}

/// From so many rows or keys on, plans are made for them: a generic plan takes arrays for short.
const MANY: usize = 1_000;

/// How a patch of documents begins that nobody has locked.
const ATTEMPT: &str = "-- Written in the order of keys, which locks them in it, and looked at again.";

/// The variables that hold the keys of one step.
struct StepKeys<'s> {
    recomputed: Vec<KeysModel>,
    patched: Vec<KeysModel>,
    written: Vec<KeysModel>,
    parts: Vec<Group<'s>>,
}

/// Names of one column's variables.
struct Variables {
    column: String,
    /// How it is cast to be collected: an array of arrays is none of the rows' values.
    cast: &'static str,
    old: String,
    new: String,
}

fn sql<'s>(
    program: &Program,
    plan: &TablePlan,
    table: &Table,
    triggers: &[Trigger],
    settings: &impl Fn(bool) -> &'s str,
) -> TableSql {
    let function = names::table_function(program.name, &plan.table);
    let carried: Vec<Variables> = plan
        .carried
        .iter()
        .map(|&c| {
            let name = &table.columns[c].name;
            let cast = if is_scalar(&table.columns[c].ty) { "" } else { "::text" };
            let (old, new) = (names::variable("old", name, c), names::variable("new", name, c));
            Variables { column: name.sql(), cast, old, new }
        })
        .collect();
    let types = plan.carried.iter().map(|c| match &table.columns[*c].ty {
        ty if is_scalar(ty) => format!("{}[]", variable_type(ty)),
        _ => "text[]".to_owned(),
    });
    let mut keys = Vec::new();
    let (mut patched, mut written) = (Vec::new(), Vec::new());
    let mut parts: Vec<KeysModel> = Vec::new();
    let (mut steps, mut groups) = (Vec::new(), 0);
    for step in &plan.steps {
        let tview = &program.tviews[step.tview];
        let variables = |prefix: &str| -> Vec<KeysModel> {
            let columns = key_columns(tview).into_iter().enumerate();
            let name = |n: usize| format!("{prefix}_{}", keys.len() + n + 1);
            columns.map(|(n, k)| KeysModel { name: name(n), array_type: k.array_type }).collect()
        };
        let context = Context { program, plan, tview, parts: &program.parts[step.tview] };
        let of_step = StepKeys {
            recomputed: variables("keys"),
            patched: variables("patched"),
            written: variables("written"),
            parts: parts::groups(&context, step, groups),
        };
        groups += of_step.parts.len();
        steps.push(tview_step(&context, step, &of_step));
        if !step.patches.is_empty() || !step.parts.is_empty() {
            patched.extend(of_step.patched);
        }
        if attempted(step).is_some() {
            written.extend(of_step.written);
        }
        parts.extend(of_step.parts.into_iter().flat_map(|g| g.variables));
        keys.extend(of_step.recomputed);
    }
    let columns: Vec<Carried> = carried
        .iter()
        .zip(types)
        .map(|(v, array_type)| Carried { old: v.old.clone(), new: v.new.clone(), array_type })
        .collect();
    let flags: Vec<FlagModel> = plan
        .flags
        .iter()
        .enumerate()
        .map(|(n, f)| FlagModel { name: flag_variable(n), columns: one_line(&column_list(table, f)) })
        .collect();
    // An array that is written as text has to be read as it was.
    let packed = if carried.iter().all(|v| v.cast.is_empty()) { "" } else { "\nSET array_nulls = on" };
    let settings = |patches| format!("{}{packed}", settings(patches));
    let reached = reached::model(program, plan, &columns, &flags, &settings(false));
    let aggregates = |q: &str| list(carried.iter().map(|v| format!("array_agg({q}.{}{})", v.column, v.cast)));
    TableSql {
        name: plan.table.sql(),
        name_literal: sql_literal(&plan.table.sql()),
        purposes: plan.steps.iter().map(|s| one_line(&purpose(program, plan, s))).collect(),
        program_literal: sql_literal(program.name),
        partitioned: table.kind == TableKind::Partitioned,
        function: function.sql(),
        function_literal: sql_literal(function.as_str()),
        settings: settings(steps.iter().any(|step| step.contains("patch_runtime"))),
        split: split(program, plan, table, &carried),
        reached,
        carried: columns,
        flags,
        key_variables: keys,
        patched_variables: patched,
        written_variables: written,
        part_variables: parts,
        insert_aggregates: aggregates("n"),
        new_variables: list(carried.iter().map(|v| v.new.clone())),
        delete_aggregates: aggregates("o"),
        old_variables: list(carried.iter().map(|v| v.old.clone())),
        update: update(plan, table, &carried),
        truncate: refresh(program, plan, |lock| !lock.exclusive.is_empty()),
        refresh: refresh(program, plan, |_| true),
        unpaired: unpaired(plan, table),
        first_old: carried[0].old.clone(),
        first_new: carried[0].new.clone(),
        named_tables: named_tables(program, plan, &steps),
        many: MANY,
        steps,
        triggers: triggers.to_vec(),
    }
}

/// The base tables that the steps name, as literals: the views read what had these names when they were made.
fn named_tables(program: &Program, plan: &TablePlan, steps: &[String]) -> String {
    let uses = plan.steps.iter().flat_map(|s| &program.tviews[s.tview].view.uses);
    let names: BTreeSet<String> = uses.map(|u| u.table.sql()).collect();
    list(names.iter().filter(|name| steps.iter().any(|step| step.contains(*name))).map(|name| sql_literal(name)))
}

fn column_list(table: &Table, columns: &ColumnSet) -> String {
    columns.iter().map(|c| table.columns[*c].name.to_string()).collect::<Vec<_>>().join(", ")
}

/// `tv_post: as a, ca`.
fn purpose(program: &Program, plan: &TablePlan, step: &TviewStep) -> String {
    let tview = &program.tviews[step.tview];
    let table = base_table(program.catalog, &plan.table);
    let uses = step.read_as().into_iter().map(|use_id| {
        let reads: ColumnSet = tview.documents.reads[&use_id].iter().copied().collect();
        format!("as {} ({})", tview.view.uses[use_id.0].alias, column_list(table, &reads))
    });
    format!("{} reads it {}", tview.name.name, uses.collect::<Vec<_>>().join(" and "))
}

/// More arguments a function does not take.
pub const MAX_ARGUMENTS: usize = 100;

/// The function that is called with the changed rows, where the trigger function itself needs no settings: operators that it uses
/// are PostgreSQL's own, and arrays are of the types that the other one takes.
fn split(program: &Program, plan: &TablePlan, table: &Table, carried: &[Variables]) -> Option<SplitSql> {
    // What is collected as text has to be written and read under one set of settings.
    let own = |c: &usize| {
        let ty = &table.columns[*c].ty;
        matches!(ty.class, TypeClass::Builtin | TypeClass::Enum) && is_scalar(ty)
    };
    let pairing = plan.pairing.as_ref()?;
    let count = 1 + 2 * carried.len() + plan.flags.len();
    if table.kind == TableKind::Partitioned || count > MAX_ARGUMENTS || !plan.carried.iter().chain(pairing).all(own) {
        return None;
    }
    let array = |q: &str, v: &Variables| format!("pg_catalog.array_agg({q}.{})", v.column);
    let flags = plan.flags.iter().map(|f| format!("pg_catalog.array_agg({})", differs(table, f)));
    let one = |q: &str, v: &Variables| format!("ARRAY[{q}.{}]", v.column);
    let flags_of_one = plan.flags.iter().map(|f| format!("ARRAY[{}]", differs(table, f)));
    let same = pairing.iter().map(|c| format!("n.{0} OPERATOR(pg_catalog.=) o.{0}", table.columns[*c].name.sql()));
    let none = || "NULL".to_owned();
    let arguments = |old: &dyn Fn(&Variables) -> String, new: &dyn Fn(&Variables) -> String, flags: Vec<String>| {
        list(carried.iter().flat_map(|v| [old(v), new(v)]).chain(flags))
    };
    let no_flags = || plan.flags.iter().map(|_| none()).collect::<Vec<_>>();
    Some(SplitSql {
        write: names::write(program.name, &plan.table).sql(),
        differs: differs(table, &plan.reads),
        changed: changed_rows(table, plan, pairing, "OPERATOR(pg_catalog.=)", "                   "),
        update_arguments: arguments(&|v| array("o", v), &|v| array("n", v), flags.collect()),
        one_row_arguments: arguments(&|v| one("o", v), &|v| one("n", v), flags_of_one.collect()),
        same_row: same.collect::<Vec<_>>().join(" AND "),
        insert_arguments: arguments(&|_| none(), &|v| array("n", v), no_flags()),
        delete_arguments: arguments(&|v| array("o", v), &|_| none(), no_flags()),
        truncate_arguments: arguments(&|_| none(), &|_| none(), no_flags()),
    })
}

/// Whether any of these columns differs in a pair of rows.
fn differs(table: &Table, columns: &ColumnSet) -> String {
    let row = |q: &str| list(columns.iter().map(|c| format!("{q}.{}", table.columns[*c].name.sql())));
    format!("pg_catalog.record_image_ne(ROW({}), ROW({}))", row("o"), row("n"))
}

/// The variables of the function that writes, in the order of its parameters.
pub fn call_parameters(carried: &[Carried], flags: &[FlagModel]) -> Vec<String> {
    let rows = carried.iter().flat_map(|c| [c.old.clone(), c.new.clone()]);
    rows.chain(flags.iter().map(|f| f.name.clone())).collect()
}

/// Pairs old and new rows and keeps those in which a column that is read has changed.
fn changed_rows(table: &Table, plan: &TablePlan, pairing: &[usize], equals: &str, indent: &str) -> String {
    let on = pairing.iter().enumerate().map(|(n, c)| {
        let name = table.columns[*c].name.sql();
        match plan.may_repeat && n == 0 {
            true => format!("n.{name} {equals} CASE WHEN {} THEN NULL ELSE o.{name} END", repeated(table, pairing)),
            false => format!("n.{name} {equals} o.{name}"),
        }
    });
    format!(
        "FROM old_rows AS o\n{indent}FULL JOIN new_rows AS n ON {}\n{indent}WHERE {}",
        on.collect::<Vec<_>>().join(" AND "),
        differs(table, &plan.reads),
    )
}

/// Whether a key is shown twice: foreign keys' actions have changed a row again. Then no row is paired with another.
fn repeated(table: &Table, pairing: &[usize]) -> String {
    let any = |rows: &str| {
        let key = list(pairing.iter().map(|c| format!("r.{}", table.columns[*c].name.sql())));
        let distinct = format!("pg_catalog.count(*) OPERATOR(pg_catalog.<>) pg_catalog.count(DISTINCT ROW({key}))");
        format!("(SELECT {distinct} FROM {rows} AS r)")
    };
    format!("{} OR {}", any("old_rows"), any("new_rows"))
}

/// The same in a function that keeps the rows in variables.
fn update(plan: &TablePlan, table: &Table, carried: &[Variables]) -> String {
    let side = |q: &str| carried.iter().map(|v| format!("array_agg({q}.{}{})", v.column, v.cast)).collect::<Vec<_>>();
    let old: Vec<String> = carried.iter().map(|v| v.old.clone()).collect();
    let new: Vec<String> = carried.iter().map(|v| v.new.clone()).collect();
    let Some(pairing) = &plan.pairing else {
        return format!(
            "        -- No key pairs old and new rows: all of them count as changed.\n        SELECT {}\n          INTO {}\n          FROM old_rows AS o;\n        SELECT {}\n          INTO {}\n          FROM new_rows AS n;",
            side("o").join(", "),
            old.join(", "),
            side("n").join(", "),
            new.join(", "),
        );
    };
    let flags = plan.flags.iter().map(|f| format!("array_agg({})", differs(table, f)));
    let selected: Vec<String> = side("o").into_iter().chain(side("n")).chain(flags).collect();
    let variables = old.into_iter().chain(new).chain((0..plan.flags.len()).map(flag_variable));
    format!(
        "        -- Bytes are compared: 1.0 and 1.00 are equal and read differently.\n        SELECT {}\n          INTO {}\n          {};",
        selected.join(",\n               "),
        list(variables),
        changed_rows(table, plan, pairing, "=", "          "),
    )
}

/// A query for rows of an update that have no partner by the primary key.
fn unpaired(plan: &TablePlan, table: &Table) -> String {
    let Some(pairing) = &plan.pairing else { return "SELECT FROM old_rows".into() };
    let names: Vec<String> = pairing.iter().map(|c| table.columns[*c].name.sql()).collect();
    let on: Vec<String> = names.iter().map(|c| format!("n.{c} = o.{c}")).collect();
    format!(
        "SELECT FROM old_rows AS o FULL JOIN new_rows AS n ON {}\n                \
         WHERE o.{first} IS NULL OR n.{first} IS NULL",
        on.join(" AND "),
        first = names[0],
    )
}

/// Compares all rows of all tviews. TRUNCATE adds none that a document could come to depend on, and so needs only the
/// locks of rows that go; rows that nobody has seen need all.
fn refresh(program: &Program, plan: &TablePlan, needed: impl Fn(&LockStep) -> bool) -> Vec<String> {
    let mut lines = Vec::new();
    for step in &plan.steps {
        let tview = &program.tviews[step.tview];
        for lock in step.locks.iter().filter(|l| needed(l)) {
            let name = names::link_lock(program.name, tview, lock.link, lock.number).sql();
            lines.push(format!("PERFORM tview.lock_link({}, true, false);", regclass(&name)));
        }
        lines.push(format!("PERFORM tview.{}();", names::refresh(program.name, &tview.name).sql()));
    }
    lines
}

fn tview_step(context: &Context, step: &TviewStep, keys: &StepKeys) -> String {
    let tview = context.tview;
    let patched = step.patches.iter().map(|p| p.changed).chain(step.parts.iter().map(|p| p.changed));
    let guard = guard(step.uses.iter().map(|u| u.changed).chain(patched));
    let indent = if guard.is_some() { "        " } else { "    " };
    let place = context.program.lines.place(tview.view.span);
    let mut sql = format!("    -- {} ({})", one_line(&tview.name.to_string()), one_line(&place));
    if let Some(condition) = &guard {
        sql += &format!("\n    IF {condition} THEN");
    }
    sql += &locks::take(context, &step.locks, indent);
    sql += &match step.patches.is_empty() && step.parts.is_empty() {
        true => recompute(context, step, &keys.recomputed, indent),
        false => patch_or_recompute(context, step, keys, indent),
    };
    if guard.is_some() {
        sql += "\n    END IF;";
    }
    sql
}

/// Patches documents where nothing but patched columns, or what parts are computed from, has changed in any of the rows that they
/// show, and computes the others again.
fn patch_or_recompute(context: &Context, step: &TviewStep, keys: &StepKeys, indent: &str) -> String {
    let Some(patch) = attempted(step) else {
        return patch_locked_or_recompute(context, step, keys, indent);
    };
    let deeper = format!("{indent}    ");
    let recomputed = guard(step.uses.iter().map(|u| u.changed)).map(|recomputed| format!("NOT ({recomputed})"));
    // Plans for many rows may take documents in any order.
    let settings =
        ["current_setting('enable_seqscan') = 'off'", "current_setting('transaction_isolation') = 'read committed'"];
    let conditions: Vec<String> = recomputed.into_iter().chain(settings.map(str::to_owned)).collect();
    format!(
        "\n{indent}IF {} THEN\n{deeper}{ATTEMPT}{}\n{indent}ELSE{}\n{indent}END IF;",
        conditions.join(&format!("\n{indent}   AND ")),
        attempt::attempt(context, patch, &keys.patched, &keys.written, &deeper),
        patch_locked_or_recompute(context, step, keys, &deeper),
    )
}

/// What is patched without being locked first, where mostly all keys have documents.
fn attempted(step: &TviewStep) -> Option<&PatchStep> {
    single_patch(step).filter(|patch| patch.patch.all_shown)
}

/// Where a single use is patched and nothing else changes.
fn single_patch(step: &TviewStep) -> Option<&PatchStep> {
    match step.patches.as_slice() {
        [patch] if step.parts.is_empty() => Some(patch),
        _ => None,
    }
}

fn patch_locked_or_recompute(context: &Context, step: &TviewStep, keys: &StepKeys, indent: &str) -> String {
    let deeper = format!("{indent}    ");
    let all: Vec<&UseStep> = step.uses.iter().collect();
    let mut sql = match guard(step.uses.iter().map(|u| u.changed)) {
        _ if all.is_empty() => String::new(),
        Some(condition) => {
            let find = find_keys(context, &all, &keys.recomputed, &deeper);
            format!("\n{indent}IF {condition} THEN{find}\n{indent}END IF;")
        }
        None => find_keys(context, &all, &keys.recomputed, indent),
    };
    sql += &find_patched(context, step, keys, indent);
    let recomputed = (!all.is_empty()).then_some(keys.recomputed.as_slice());
    for group in &keys.parts {
        sql += &parts::find(context, group, recomputed, indent);
    }
    if !keys.parts.is_empty() {
        sql += &parts::all_keys(&keys.parts, &keys.patched, !step.patches.is_empty(), indent);
    }
    let patched = &keys.patched[0].name;
    let first = recomputed.map(|keys| keys[0].name.as_str());
    sql += &plan_for_many(&first.into_iter().chain([patched.as_str()]).collect::<Vec<_>>(), indent);
    let both = keys.recomputed.iter().zip(&keys.patched).map(|(r, p)| match recomputed {
        Some(_) => format!("{} || {}", r.name, p.name),
        None => p.name.clone(),
    });
    let lock = names::lock(context.program.name, &context.tview.name).sql();
    let lock = format!("PERFORM tview.{lock}({});", list(both));
    // To look for a change in a small document is cheap; one that is stored apart would be read for that and once more to be changed.
    let is_written_at_once =
        |patch: &&PatchStep| !context.tview.documents.has_arrays || patch::changes_all(context, patch);
    let writes = match single_patch(step).filter(is_written_at_once) {
        Some(patch) => patch::write(context, patch, &keys.patched, &deeper),
        None => parts::write(context, step, &keys.parts, &keys.patched, &deeper),
    };
    sql += &format!("\n{indent}IF {patched} IS NOT NULL THEN\n{deeper}{lock}{writes}\n{indent}END IF;");
    match recomputed {
        Some(recomputed) => sql + &call_recompute(context, recomputed, indent),
        None => sql,
    }
}

fn find_patched(context: &Context, step: &TviewStep, keys: &StepKeys, indent: &str) -> String {
    let table = base_table(context.program.catalog, &context.plan.table);
    let mut sql = String::new();
    for patch in &step.patches {
        let alias = &context.tview.view.uses[patch.use_id.0].alias;
        let columns = column_list(table, &patch.patch.columns);
        let comment = one_line(&format!("{alias}: where nothing but {columns} changed, documents are patched"));
        sql += &format!("\n{indent}-- {comment}");
    }
    if step.patches.is_empty() {
        return sql;
    }
    let any: Vec<String> = step.patches.iter().map(|p| format!("false = ANY ({})", flag_variable(p.other))).collect();
    let find = patch::find(context, &step.patches, &keys.recomputed, &keys.patched, &format!("{indent}    "));
    sql + &format!("\n{indent}IF {} THEN{find}\n{indent}END IF;", any.join(" OR "))
}

/// Finds the documents that are concerned, and computes them again.
fn recompute(context: &Context, step: &TviewStep, variables: &[KeysModel], indent: &str) -> String {
    let refresh = names::refresh(context.program.name, &context.tview.name).sql();
    let (whole, keyed): (Vec<&UseStep>, Vec<&UseStep>) = step.uses.iter().partition(|u| u.reach == Reach::Whole);
    if whole.is_empty() {
        return recompute_keys(context, &keyed, variables, indent);
    }
    let refresh = format!("PERFORM tview.{refresh}(); -- nothing links these rows to single documents");
    match guard(whole.iter().map(|u| u.changed)) {
        Some(condition) if !keyed.is_empty() => {
            let deeper = format!("{indent}    ");
            let keys = recompute_keys(context, &keyed, variables, &deeper);
            format!("\n{indent}IF {condition} THEN\n{deeper}{refresh}\n{indent}ELSE{keys}\n{indent}END IF;")
        }
        _ => format!("\n{indent}{refresh}"),
    }
}

fn recompute_keys(context: &Context, steps: &[&UseStep], variables: &[KeysModel], indent: &str) -> String {
    find_keys(context, steps, variables, indent)
        + &plan_for_many(&[&variables[0].name], indent)
        + &call_recompute(context, variables, indent)
}

fn call_recompute(context: &Context, variables: &[KeysModel], indent: &str) -> String {
    let recompute = names::recompute(context.program.name, &context.tview.name).sql();
    let names = list(variables.iter().map(|v| v.name.clone()));
    format!(
        "\n{indent}IF {} IS NOT NULL THEN\n{indent}    PERFORM tview.{recompute}({names});\n{indent}END IF;",
        variables[0].name
    )
}

fn find_keys(context: &Context, steps: &[&UseStep], variables: &[KeysModel], indent: &str) -> String {
    let names = list(variables.iter().map(|v| v.name.clone()));
    let aggregates = list(context.tview.key_names().iter().map(|k| format!("array_agg(k.{})", k.sql())));
    lock_hidden(context, steps, indent) + &find(context, steps, &aggregates, &names, indent)
}

/// Where rows that led to the rest of a key are gone or others, and no document may have shown it, nobody locks that key: so whoever has locked
/// one without a document is waited for, and the other way round.
fn lock_hidden(context: &Context, steps: &[&UseStep], indent: &str) -> String {
    let mut gone: Vec<String> = Vec::new();
    for step in steps.iter().filter(|_| context.tview.relations.hides) {
        if let Reach::Parts { whole, .. } = &step.reach {
            let is_gone = context.any_leads_nowhere(whole, step.changed, &format!("{indent}           "));
            if !gone.contains(&is_gone) {
                gone.push(is_gone);
            }
        }
    }
    if gone.is_empty() {
        return String::new();
    }
    let lock = regclass(&names::key_lock(context.program.name, &context.tview.name).sql());
    format!(
        "\n{indent}-- rows that led to the rest of a key may be gone or changed, and no document may have shown it\n{indent}IF {} THEN\n\
         {indent}    PERFORM tview.lock_link({lock}, true, false);\n{indent}END IF;",
        gone.join(&format!("\n{indent}   OR "))
    )
}

/// Collects the keys of the documents that rows reach, each once.
pub fn find(context: &Context, steps: &[&UseStep], aggregates: &str, variables: &str, indent: &str) -> String {
    let keys = key_columns(context.tview);
    let deeper = format!("{indent}        ");
    let mut ways: Vec<String> = Vec::new();
    for step in steps {
        let more = match &step.reach {
            Reach::Keys(way) => vec![context.select(way, Images::Both, step.changed, &deeper)],
            Reach::Parts { way, keys, whole } => {
                let shown = context.select_documents(way, keys, step.changed, &deeper);
                let hidden = context
                    .tview
                    .relations
                    .hides
                    .then(|| context.select_hidden(way, keys, whole, step.changed, &deeper));
                std::iter::once(shown).chain(hidden.into_iter().flatten()).collect()
            }
            Reach::Whole => continue,
        };
        for way in more {
            if !ways.contains(&way) {
                ways.push(way);
            }
        }
    }
    let union = ways.join(&format!("\n{deeper}UNION\n{deeper}"));
    let distinct = if ways.len() == 1 { union.replacen("SELECT ", "SELECT DISTINCT ", 1) } else { union };
    let present = match present(&keys) {
        none if none.is_empty() => none,
        present => format!("\n{indent} WHERE {present}"),
    };
    format!(
        "\n{indent}SELECT {aggregates}\n{indent}  INTO {variables}\n{indent}  FROM (\n{deeper}{distinct}\n{indent}       ) AS k({}){present};",
        list(keys.iter().map(|k| k.name.sql())),
    )
}

/// With many keys, plans for just these.
fn plan_for_many(arrays: &[&str], indent: &str) -> String {
    let many: Vec<String> = arrays.iter().map(|a| format!("cardinality({a}) > {MANY}")).collect();
    format!(
        "\n{indent}IF {} THEN\n{indent}    PERFORM set_config('plan_cache_mode', 'force_custom_plan', true), set_config('enable_seqscan', 'on', true);\n{indent}END IF;",
        many.join(" OR ")
    )
}

/// A condition under which any of the rows counts; `None` where all of them do.
pub fn guard(flags: impl Iterator<Item = Option<usize>>) -> Option<String> {
    let mut flags: Vec<usize> = flags.collect::<Option<_>>()?;
    flags.sort_unstable();
    flags.dedup();
    let any: Vec<String> =
        flags.iter().map(|f| format!("coalesce(true = ANY ({}), true)", flag_variable(*f))).collect();
    (!any.is_empty()).then(|| any.join(" OR "))
}
