//! The data that the templates in `templates/` are filled with.
//!
//! In: SQL fragments, quoted by whoever made them. Out: text.

use askama::Template;

/// Rendering cannot fail: the templates call no fallible filter and write to a string.
pub fn text(template: &impl Template) -> String {
    template.render().unwrap_or_else(|error| unreachable!("template: {error}"))
}

#[derive(Template)]
#[template(path = "runtime.sql")]
pub struct Runtime {}

#[derive(Template)]
#[template(path = "up.sql")]
pub struct Up<'a> {
    pub version: &'a str,
    pub version_literal: String,
    pub sources: String,
    pub source_literals: String,
    pub program: &'a str,
    pub program_literal: String,
    pub hash: &'a str,
    pub hash_literal: String,
    pub summary: String,
    pub search_path: &'a str,
    pub runtime: String,
    pub lock_list: String,
    pub views: &'a [ViewModel],
    pub tviews: &'a [TviewModel],
    pub tables: &'a [TableModel],
}

/// The end of the migration.
#[derive(Template)]
#[template(path = "documents.sql")]
pub struct Documents<'a> {
    pub tviews: &'a [TviewModel],
}

#[derive(Template)]
#[template(path = "down.sql")]
pub struct Down<'a> {
    pub version: &'a str,
    pub sources: String,
    pub program: &'a str,
    pub program_literal: String,
    pub hash: &'a str,
    pub hash_literal: String,
    pub search_path: &'a str,
    pub views_reversed: Vec<&'a ViewModel>,
    pub tviews: &'a [TviewModel],
    pub tables: &'a [TableModel],
    pub partitions: bool,
    pub move_trigger: String,
    pub begin_literal: String,
}

/// A view that the migration defines.
pub struct ViewModel {
    pub place: String,
    pub name: String,
    pub name_literal: String,
    pub text: String,
    pub is_definition: bool,
    pub path_differs: bool,
    pub search_path: String,
}

/// A tview.
pub struct TviewModel {
    pub name: String,
    pub name_literal: String,
    pub try_lock: String,
    pub lock: String,
    pub known: String,
    pub recompute: String,
    pub refresh: String,
    pub check: String,
    pub differ: String,
    pub repair: String,
    pub key_types: String,
    /// Without the schema.
    pub narrowed_views: Vec<String>,
    pub part_functions: Vec<String>,
    pub lock_tables: Vec<LockTable>,
}

/// An empty table that stands for a link.
#[derive(Clone)]
pub struct LockTable {
    pub name: String,
    pub comment: String,
}

/// A base table.
pub struct TableModel {
    pub name: String,
    pub name_literal: String,
    pub partitioned: bool,
    pub function: String,
    pub function_literal: String,
    pub function_regproc: String,
    /// The function that it calls, if it does.
    pub write: Option<String>,
    /// The function that tells what it reaches, where there is one.
    pub reached: Option<String>,
    pub triggers: Vec<Trigger>,
    pub column_names: String,
    pub column_types: String,
    pub not_null: String,
    pub unique_keys: String,
    pub partial_keys: Vec<PartialKeyModel>,
}

/// A unique index over some rows that proofs rest on.
pub struct PartialKeyModel {
    pub column_names: String,
    pub condition: String,
}

/// A trigger.
#[derive(Clone)]
pub struct Trigger {
    pub name: String,
    pub literal: String,
    pub event: &'static str,
    pub referencing: &'static str,
}

#[derive(Template)]
#[template(path = "write.sql")]
pub struct Write {
    pub name: String,
    pub columns: String,
    pub assignments: String,
    pub t_columns: String,
    pub f_columns: String,
    pub t_is_f: String,
    /// Documents are looked up one by one in subqueries that the planner leaves as they are (`OFFSET 0`): how many rows it expects of
    /// the view decides nothing then, nor that it expects ten of any array.
    pub d_is_f: String,
    /// Whether the statement counts the rows that it writes, which are not those of some keys but all.
    pub counted: bool,
}

#[derive(Template)]
#[template(path = "patch_write.sql")]
pub struct PatchSql {
    pub name: String,
    pub document: String,
    pub assignments: Vec<String>,
    /// What `patch_runtime` is called, where its functions are.
    pub runtime: Option<String>,
    /// What follows FROM.
    pub from: Vec<String>,
    pub document_is_key: String,
    /// The conditions of which one holds where a document changes; none where all do.
    pub differs: Vec<String>,
}

/// Changes documents that nobody has locked yet, and computes them again where that was not right.
#[derive(Template)]
#[template(path = "patch_attempt.sql")]
pub struct PatchAttemptSql {
    /// What is written, by the keys of the documents.
    pub relation: String,
    pub columns: String,
    pub changes: Vec<String>,
    pub update: Vec<String>,
    /// The keys of the documents that have changed.
    pub written_keys: String,
    pub written_columns: String,
    pub returned: String,
    /// The keys that were found and those of what has changed, as they are collected, and the variables of both.
    pub found: String,
    pub changed: Vec<String>,
    pub variables: String,
    pub patched: String,
    pub first: String,
    pub written: String,
    pub first_written: String,
    /// The function that computes documents, and the keys for it.
    pub recompute: String,
    pub again: String,
    pub keys: String,
    /// From the changed rows to the keys, where others can move them.
    pub way: Option<Vec<String>>,
    pub condition: String,
}

/// Changes documents that are looked up, changed and compared first: what is large is fetched once.
#[derive(Template)]
#[template(path = "part_write.sql")]
pub struct PartWriteSql {
    pub name: String,
    pub columns: Vec<PartColumn>,
    /// The document as it was.
    pub shown: String,
    /// What `patch_runtime` is called, where its functions are.
    pub runtime: Option<String>,
    pub from: Vec<String>,
    /// Where somebody else may replace them while the statement runs: the conditions of which one holds where a document changes.
    /// Others are compared as a whole.
    pub differs: Vec<String>,
}

/// An output column, what it was and what it becomes.
pub struct PartColumn {
    pub name: String,
    pub old: String,
    pub value: String,
}

/// The views that values and elements are read through.
#[derive(Template)]
#[template(path = "parts.sql")]
pub struct PartViewsSql<'a> {
    pub views: &'a [PartViewModel],
    pub arrays: &'a [ArrayFunctions],
    pub path_differs: bool,
    pub search_path: String,
    pub script_path: &'a str,
}

/// What is computed of an array where its elements are not enough.
pub struct ArrayFunctions {
    pub place: String,
    /// The view of its elements, and the column of their match key with its type.
    pub elements: String,
    pub matched: String,
    pub ty: String,
    /// `key_1 integer, outer_1 integer`, and the condition that a row `w` of the elements, or of the values, is of that array.
    pub parameters: String,
    pub is_of_array: String,
    /// Where it is a value: all of it.
    pub array: Option<ArrayFunction>,
    /// Where there are arrays in its elements: one of them.
    pub element: Option<ElementFunction>,
    /// Where it is sorted: the elements that stand beside one.
    pub beside: Option<BesideFunction>,
}

/// The function that computes an array, and the view and the column that it is read from.
pub struct ArrayFunction {
    pub name: String,
    pub values: String,
    pub value: String,
}

/// The function that computes an element, and the column of the view of elements.
pub struct ElementFunction {
    pub name: String,
    pub element: String,
}

/// The function that tells which elements stand beside one.
pub struct BesideFunction {
    pub name: String,
    pub order: String,
}

/// One of them.
pub struct PartViewModel {
    pub purpose: String,
    pub name: String,
    pub query: String,
}

/// A key column of a tview, as its recompute function names it.
pub struct KeyVariable {
    pub absent: String,
    pub array_type: String,
}

/// The arrays of a metadata row, as lists of literals.
pub struct Meta {
    pub key_columns: String,
    pub sources: String,
    pub fk_columns: String,
    pub types: String,
    pub paths: String,
    pub match_keys: String,
    pub columns: String,
    pub strategies: String,
    pub source_oids: String,
}

/// A document column.
pub struct DocumentColumn {
    pub set_lz4: String,
}

#[derive(Template)]
#[template(path = "tview.sql")]
pub struct TviewSql {
    pub name: String,
    pub name_literal: String,
    pub view: String,
    pub view_literal: String,
    pub program_literal: String,
    pub place: String,
    pub proof: String,
    pub dependencies: Vec<String>,
    pub key_list: String,
    pub not_null: Vec<String>,
    pub documents: Vec<DocumentColumn>,
    pub lock_tables: Vec<LockTable>,
    pub key_lock: String,
    pub meta: Meta,
    pub try_lock: String,
    pub lock: String,
    pub known: String,
    pub known_literal: String,
    pub recompute: String,
    pub refresh: String,
    pub check: String,
    pub differ: String,
    pub repair: String,
    pub refresh_literal: String,
    pub check_literal: String,
    pub repair_literal: String,
    pub settings: String,
    pub key_parameters: String,
    pub key_types: String,
    pub keys: Vec<KeyVariable>,
    pub key_variables: String,
    pub key_aliases: String,
    pub first_key: String,
    pub first_absent: String,
    pub absent_variables: String,
    pub absent_aggregates: String,
    pub lock_absent: String,
    pub lock_first: String,
    pub t_keys: String,
    /// Where NULL is a value of the key: the columns of a unique index to which it is one.
    pub null_safe: Option<String>,
    /// The key was asserted by a directive.
    pub asserted: bool,
    pub k_keys: String,
    /// Where nothing proves that there is no NULL in the key.
    pub k_is_null: String,
    pub key_hint: String,
    pub view_name_literal: String,
    /// Columns of further indexes.
    pub lookup_indexes: Vec<String>,
    /// FROM and what restricts it to the documents of keys.
    pub of_keys: [String; 2],
    pub t_is_k: String,
    pub t_is_first: String,
    pub k_is_d: String,
    pub t_is_f: String,
    /// The views that it is read through by key.
    pub narrowed: String,
    pub part_views: String,
    pub unordered_arrays: bool,
    /// A view with all of its rows.
    pub view_of_rows: String,
    /// The rows of the keys.
    pub fresh: String,
    pub w_is_k: String,
    pub write: String,
    pub write_counted: String,
    pub operations: String,
}

/// Views that the planner can push keys into.
#[derive(Template)]
#[template(path = "narrow.sql")]
pub struct NarrowSql<'a> {
    pub name: String,
    /// What it is for, in one line.
    pub what: String,
    /// The names that the view gives its columns, in parentheses.
    pub columns: String,
    pub query: String,
    pub rows: Option<NarrowRows>,
    pub path_differs: bool,
    pub search_path: String,
    pub script_path: &'a str,
}

/// The view that tells in which partitions the rows are.
pub struct NarrowRows {
    pub name: String,
    pub query: String,
}

/// The current rows of some keys.
#[derive(Template)]
#[template(path = "fresh.sql")]
pub struct Fresh<'a> {
    pub view: &'a str,
    pub partition: Option<FreshPartition>,
    /// For all keys together.
    pub at_once: bool,
    /// Where many keys are better read together: the view as it is, and the condition that there are few.
    pub together: Option<Together>,
    pub key_variables: &'a str,
    pub key_aliases: &'a str,
    /// Where it is looked up: of several conditions all rows.
    pub w_is_k: &'a [String],
    pub v_is_k: String,
    pub v_columns: String,
}

/// How many keys are read together.
pub struct Together {
    pub view: String,
    pub are_few: String,
}

/// The same of a view whose rows are computed by partitions.
pub struct FreshPartition {
    pub rows: String,
    pub r_columns: String,
    pub w_columns: String,
    pub w_is_p: String,
}

/// A key column, as the functions that check and repair name it.
pub struct OperationKey {
    /// Quoted.
    pub name: String,
    pub literal: String,
    pub variable: String,
    pub array_type: String,
    pub element_type: String,
}

#[derive(Template)]
#[template(path = "tview_operations.sql")]
pub struct OperationsSql<'a> {
    pub name: String,
    pub view: String,
    /// The rows of the keys.
    pub fresh: &'a str,
    pub settings: &'a str,
    pub check: String,
    pub differ: String,
    pub repair: String,
    pub lock: String,
    pub recompute: String,
    pub keys: Vec<OperationKey>,
    /// A key column that is NULL where there is no row, quoted; empty where there is none.
    pub first: String,
    /// Where there is none: a name for a column that says so.
    pub there: Option<String>,
    pub t_is_k: String,
    pub t_is_v: String,
    /// That a key `k` has none of the NULLs that none has.
    pub present: String,
    /// Quoted.
    pub columns: Vec<String>,
    pub unordered_arrays: bool,
}

/// A column of the changed rows.
pub struct Carried {
    pub old: String,
    pub new: String,
    pub array_type: String,
}

/// A set of columns that may have changed.
pub struct FlagModel {
    pub name: String,
    pub columns: String,
}

/// A variable that holds keys.
#[derive(Clone)]
pub struct KeysModel {
    pub name: String,
    pub array_type: String,
}

/// A trigger function that only finds the changed rows, and calls another one with them.
pub struct SplitSql {
    pub write: String,
    /// Whether what is read differs in the pair of rows `o` and `n`.
    pub differs: String,
    /// All pairs of rows in which it does.
    pub changed: String,
    pub update_arguments: String,
    /// The same for the only pair, and whether its rows have the same key.
    pub one_row_arguments: String,
    pub same_row: String,
    pub insert_arguments: String,
    pub delete_arguments: String,
    pub truncate_arguments: String,
}

/// What a write under snapshot isolation is checked by.
pub struct ReachedSql {
    pub function: String,
    pub literal: String,
    /// Its arguments, as the function that writes has them, and how many these are.
    pub arguments: String,
    pub count: usize,
    /// How often it is asked before the documents are compared: each time may show more rows to lock.
    pub hops: usize,
    pub settings: String,
    pub steps: Vec<String>,
}

#[derive(Template)]
#[template(path = "table.sql")]
pub struct TableSql {
    pub name: String,
    pub name_literal: String,
    pub program_literal: String,
    pub partitioned: bool,
    pub purposes: Vec<String>,
    pub function: String,
    pub function_literal: String,
    /// Where the function that compares is not the one that writes.
    pub split: Option<SplitSql>,
    pub reached: Option<ReachedSql>,
    pub settings: String,
    pub carried: Vec<Carried>,
    pub flags: Vec<FlagModel>,
    pub key_variables: Vec<KeysModel>,
    pub patched_variables: Vec<KeysModel>,
    /// For the keys of documents that are patched without having been locked first.
    pub written_variables: Vec<KeysModel>,
    pub part_variables: Vec<KeysModel>,
    pub insert_aggregates: String,
    pub new_variables: String,
    pub delete_aggregates: String,
    pub old_variables: String,
    pub update: String,
    pub truncate: Vec<String>,
    pub refresh: Vec<String>,
    pub unpaired: String,
    pub first_old: String,
    pub first_new: String,
    pub many: usize,
    pub named_tables: String,
    pub steps: Vec<String>,
    pub triggers: Vec<Trigger>,
}
