//! Documents: where each base table shows in them.
//!
//! In: a resolved view with its relations. Out: [`Dependency`] values, one or more per use of a base
//! table: its kind, its path, its foreign key columns, the match key of the array it lies in, and the
//! columns it reads. What always holds: every column whose change can change the view is among the
//! columns that its use reads.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::Serialize;

use crate::catalog::{Catalog, Relation, Table};
use crate::diagnostics::{Code, Diagnostic, Diagnostics};
use crate::field_names;
use crate::order;
use crate::relate::{BlockRows, Pair, Relations, Variant, nullable_in_row};
use crate::resolve::{ArrayAgg, Block, BlockId, ColumnRef, Expr, ExprKind, FlatView, TOP, UseId};

/// How a use shows in a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DependencyKind {
    /// An object whose fields are all of the use's row.
    NestedObject,
    /// Elements of an array.
    Array,
    /// Single values, or an influence on the whole value at the path.
    Scalar,
}

impl DependencyKind {
    /// As written in the metadata.
    pub fn as_str(self) -> &'static str {
        match self {
            DependencyKind::NestedObject => "nested_object",
            DependencyKind::Array => "array",
            DependencyKind::Scalar => "scalar",
        }
    }
}

/// A field of the element that is unique and not null within one array.
#[derive(Clone, Debug, Serialize)]
pub struct MatchKey {
    /// The field's name.
    pub field: String,
    /// What proves it.
    pub proof: String,
}

/// One way in which one use of a base table shows in a tview.
#[derive(Clone, Debug)]
pub struct Dependency {
    /// The use.
    pub use_id: UseId,
    /// How.
    pub kind: DependencyKind,
    /// The output column and the fields below it.
    pub column: String,
    /// Fields from the root of that document; empty for the whole of it.
    pub path: Vec<String>,
    /// The parent's columns that refer to this use; empty for arrays and for the key holder.
    pub fk_columns: Vec<String>,
    /// Of the array that the path passes through, where it does and where one is proved.
    pub match_key: Option<MatchKey>,
}

/// What a view's documents consist of.
#[derive(Clone, Debug)]
pub struct Documents {
    /// In the order of the uses.
    pub dependencies: Vec<Dependency>,
    /// For each live use, the columns that are read, in table order.
    pub reads: BTreeMap<UseId, Vec<usize>>,
    /// Whether there are arrays in them, of which nothing is known to limit the size.
    pub has_arrays: bool,
    /// Whether it holds arrays whose elements may come in any order.
    pub has_unordered_arrays: bool,
}

/// Where a column's value shows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Site {
    output: usize,
    /// Fields down to the object, array or value that depends on the column.
    path: Vec<String>,
    /// The last step is a field that holds nothing but this column.
    plain: bool,
    /// The innermost array around it.
    array: Option<BlockId>,
}

struct Walk<'v> {
    view: &'v FlatView,
    catalog: &'v Catalog,
    sites: BTreeMap<UseId, BTreeSet<Site>>,
    reads: BTreeMap<UseId, BTreeSet<usize>>,
    /// For each array block: the path of the array and its match key.
    arrays: BTreeMap<BlockId, (Vec<String>, Option<MatchKey>)>,
    /// For each object: the uses that its plain fields come from.
    owners: BTreeMap<(usize, Vec<String>), BTreeSet<Option<UseId>>>,
}

/// Walks the documents of a view, variant by variant.
pub fn analyse(relations: &Relations, catalog: &Catalog, diagnostics: &mut Diagnostics) -> Documents {
    let mut all =
        Documents { dependencies: Vec::new(), reads: BTreeMap::new(), has_arrays: false, has_unordered_arrays: false };
    let mut seen = HashSet::new();
    for variant in &relations.variants {
        let documents = of_variant(variant, catalog, diagnostics);
        all.has_arrays |= documents.has_arrays;
        all.has_unordered_arrays |= documents.has_unordered_arrays;
        for dependency in documents.dependencies {
            // Another variant may say the same.
            let Dependency { use_id, kind, column, path, .. } = &dependency;
            if seen.insert((*use_id, *kind, column.clone(), path.clone())) {
                all.dependencies.push(dependency);
            }
        }
        for (use_id, columns) in documents.reads {
            let known: &mut Vec<usize> = all.reads.entry(use_id).or_default();
            known.extend(columns);
            known.sort_unstable();
            known.dedup();
        }
    }
    all.dependencies.sort_by_key(|d| d.use_id);
    all
}

fn of_variant(variant: &Variant, catalog: &Catalog, diagnostics: &mut Diagnostics) -> Documents {
    let view = &variant.view;
    let mut walk = Walk {
        view,
        catalog,
        sites: BTreeMap::new(),
        reads: BTreeMap::new(),
        arrays: BTreeMap::new(),
        owners: BTreeMap::new(),
    };
    let uses: Vec<UseId> = variant.links.iter().map(|l| l.child).chain(variant.links.whole.iter().copied()).collect();
    for use_id in &uses {
        walk.reads.entry(*use_id).or_default();
    }
    for (index, output) in view.outputs.iter().enumerate() {
        let place = Place { output: index, path: Vec::new(), array: None };
        walk.value(&output.expr, &place, diagnostics);
    }
    let has_unordered_arrays = order::check(view, catalog, diagnostics);
    field_names::check(view, catalog, diagnostics);
    for block in view.live_blocks() {
        let Block { conditions, order_by, grouped, .. } = &view.blocks[block.0];
        for expr in conditions.iter().chain(order_by).chain(grouped.iter().flatten()) {
            walk.read_all(expr);
        }
    }
    let dependencies = uses.iter().flat_map(|u| walk.classify(*u, variant)).collect();
    let reads = walk.reads.into_iter().map(|(u, columns)| (u, columns.into_iter().collect())).collect();
    Documents { dependencies, reads, has_arrays: !walk.arrays.is_empty(), has_unordered_arrays }
}

/// A place in a document.
#[derive(Clone)]
struct Place {
    output: usize,
    path: Vec<String>,
    array: Option<BlockId>,
}

impl Place {
    fn field(&self, name: &str) -> Place {
        let mut path = self.path.clone();
        path.push(name.to_owned());
        Place { path, ..self.clone() }
    }
}

impl Walk<'_> {
    /// The value that stands at a place.
    fn value(&mut self, expr: &Expr, place: &Place, diagnostics: &mut Diagnostics) {
        // An array of PostgreSQL's is made of rows as well, but nothing in it has a path.
        if let Some(block) = rows_of_array(expr).filter(|_| place.path.is_empty()) {
            self.arrays.entry(block).or_insert((Vec::new(), None));
        }
        match &expr.kind {
            ExprKind::Object(fields) => self.object(expr, fields, place, diagnostics),
            ExprKind::Coalesce(list) => {
                let constant = |e: &&Expr| !matches!(e.kind, ExprKind::Constant);
                match list.iter().filter(constant).collect::<Vec<_>>().as_slice() {
                    [only] => self.value(only, place, diagnostics),
                    several => several.iter().for_each(|e| self.opaque(e, place, false)),
                }
            }
            ExprKind::Subquery(_, inner) => match array_of(inner) {
                Some(agg) => self.array(agg, place, diagnostics),
                None => self.opaque(expr, place, false),
            },
            ExprKind::ArrayAgg(agg) => self.array(agg, place, diagnostics),
            ExprKind::Column(_) => self.opaque(expr, place, true),
            _ => self.opaque(expr, place, false),
        }
    }

    fn object(&mut self, expr: &Expr, fields: &[(String, Expr)], place: &Place, diagnostics: &mut Diagnostics) {
        let mut seen = BTreeSet::new();
        let slot = (place.output, place.path.clone());
        for (name, value) in fields {
            if !seen.insert(name) {
                diagnostics.push(
                    Diagnostic::new(
                        Code::DuplicateField,
                        format!("field `{name}` occurs twice in one object"),
                        expr.span,
                    )
                    .note("jsonb keeps the last one only"),
                );
            }
            let owner = match &value.kind {
                ExprKind::Constant => None,
                ExprKind::Column(column) => Some(Some(column.use_id)),
                _ => Some(None),
            };
            if let Some(owner) = owner {
                self.owners.entry(slot.clone()).or_default().insert(owner);
            }
            self.value(value, &place.field(name), diagnostics);
        }
    }

    fn array(&mut self, agg: &ArrayAgg, place: &Place, diagnostics: &mut Diagnostics) {
        let match_key = self.match_key(agg);
        self.arrays.insert(agg.block, (place.path.clone(), match_key));
        let inside = Place { array: Some(agg.block), ..place.clone() };
        self.value(&agg.element, &inside, diagnostics);
        agg.order_by.iter().chain(&agg.filter).for_each(|e| self.read_all(e));
    }

    fn match_key(&self, agg: &ArrayAgg) -> Option<MatchKey> {
        let (field, column) = match_field(self.view, self.catalog, agg)?;
        let table = table(self.catalog, self.view.use_of(column));
        let proof = format!("{}.{} identifies the row", table.name.name, table.columns[column.column].name);
        Some(MatchKey { field: field.to_owned(), proof })
    }

    /// A value without structure: every column below it shows at the place.
    fn opaque(&mut self, expr: &Expr, place: &Place, plain: bool) {
        let mut columns = Vec::new();
        expr.visit(&mut |e| {
            columns.extend(e.as_column());
            if let ExprKind::Subquery(block, _) | ExprKind::Exists(block) = e.kind {
                columns.extend(condition_columns(self.view, block));
            }
        });
        let site = Site { output: place.output, path: place.path.clone(), plain, array: place.array };
        for column in columns {
            self.reads.entry(column.use_id).or_default().insert(column.column);
            self.sites.entry(column.use_id).or_default().insert(site.clone());
        }
    }

    fn read_all(&mut self, expr: &Expr) {
        expr.visit(&mut |e| {
            if let Some(column) = e.as_column() {
                self.reads.entry(column.use_id).or_default().insert(column.column);
            }
        });
    }

    /// The dependencies of one use.
    fn classify(&self, use_id: UseId, variant: &Variant) -> Vec<Dependency> {
        let all: Vec<&Site> = self.sites.get(&use_id).into_iter().flatten().collect();
        let is_document = |s: &&Site| self.view.outputs[s.output].expr.json.is_some();
        let sites: Vec<&Site> = all.iter().copied().filter(is_document).collect();
        let first = self.view.outputs.iter().position(|o| o.expr.json.is_some()).unwrap_or(0);
        let make = |kind, output: usize, path: Vec<String>, array: Option<BlockId>| Dependency {
            use_id,
            kind,
            column: self.view.outputs[output].name.to_string(),
            path,
            fk_columns: if kind == DependencyKind::Array { Vec::new() } else { self.fk_columns(use_id, variant) },
            match_key: array.and_then(|block| self.arrays.get(&block)).and_then(|(_, key)| key.clone()),
        };
        if variant.is_root(use_id) {
            return vec![make(DependencyKind::Scalar, first, Vec::new(), None)];
        }
        if let Some((output, path, array)) = self.nested_object(use_id, &sites) {
            return vec![make(DependencyKind::NestedObject, output, path, array)];
        }
        let array = self.view_array(use_id);
        if let Some((block, path)) = array {
            let output = sites.first().map_or(first, |s| s.output);
            return vec![make(DependencyKind::Array, output, path, Some(block))];
        }
        if sites.is_empty() {
            return vec![make(DependencyKind::Scalar, first, Vec::new(), None)];
        }
        let mut places: Vec<_> = sites.iter().map(|s| (s.output, s.path.clone(), s.array)).collect();
        places.dedup();
        places.into_iter().map(|(output, path, array)| make(DependencyKind::Scalar, output, path, array)).collect()
    }

    /// The object that holds all plain fields of the use and nothing else.
    fn nested_object(&self, use_id: UseId, sites: &[&Site]) -> Option<(usize, Vec<String>, Option<BlockId>)> {
        let first = sites.first()?;
        let (_, parent) = first.path.split_last()?;
        let same =
            |s: &&Site| s.plain && s.output == first.output && s.path.split_last().is_some_and(|(_, p)| p == parent);
        let owners = self.owners.get(&(first.output, parent.to_vec()))?;
        let array_path = first.array.and_then(|b| self.arrays.get(&b)).map(|(path, _)| path.as_slice());
        let below_root = parent.len() > array_path.map_or(0, <[String]>::len);
        let alone = owners.iter().all(|o| *o == Some(use_id));
        (below_root && alone && sites.iter().all(same)).then(|| (first.output, parent.to_vec(), first.array))
    }

    /// The array whose rows the use belongs to.
    fn view_array(&self, use_id: UseId) -> Option<(BlockId, Vec<String>)> {
        let mut at = Some(self.view.uses[use_id.0].block);
        while let Some(block) = at {
            if let Some((path, _)) = self.arrays.get(&block) {
                return (block == self.view.uses[use_id.0].block).then(|| (block, path.clone()));
            }
            at = self.view.blocks[block.0].parent;
        }
        None
    }

    fn fk_columns(&self, use_id: UseId, variant: &Variant) -> Vec<String> {
        let Some(link) = variant.links.of(use_id) else { return Vec::new() };
        let pairs: Vec<(ColumnRef, ColumnRef)> = link.on.iter().filter_map(Pair::columns).collect();
        // A reference leads to one row: the compared columns of the use hold a key of its table.
        let keys = &table(self.catalog, &self.view.uses[use_id.0]).keys;
        let compared = |column: &usize| pairs.iter().any(|(child, _)| child.column == *column);
        if !keys.iter().any(|k| k.columns.iter().all(compared)) {
            return Vec::new();
        }
        let name = |c: ColumnRef| table(self.catalog, self.view.use_of(c)).columns[c.column].name.to_string();
        pairs.iter().map(|(_, parent)| name(*parent)).collect()
    }
}

/// A field of the element that one column fills which identifies the aggregated row.
pub(crate) fn match_field<'e>(view: &FlatView, catalog: &Catalog, agg: &'e ArrayAgg) -> Option<(&'e str, ColumnRef)> {
    let ExprKind::Object(fields) = &agg.element.kind else { return None };
    let rows = BlockRows::new(view, catalog, agg.block);
    let mut tried = BTreeSet::new();
    let mut fits = |value: &Expr| {
        value.as_column().filter(|c| {
            view.use_of(*c).block == agg.block
                && tried.insert(*c)
                && !nullable_in_row(view, catalog, *c)
                && rows.determined_by(&[*c])
        })
    };
    let (field, column) = fields.iter().find_map(|(name, value)| fits(value).map(|c| (name, c)))?;
    (fields.iter().filter(|(name, _)| name == field).count() == 1).then_some((field, column))
}

/// `jsonb_agg(…)`, also within COALESCE with a constant.
fn array_of(expr: &Expr) -> Option<&ArrayAgg> {
    match &expr.kind {
        ExprKind::ArrayAgg(agg) => Some(agg),
        ExprKind::Coalesce(list) => {
            let mut others = list.iter().filter(|e| !matches!(e.kind, ExprKind::Constant));
            match (others.next(), others.next()) {
                (Some(only), None) => array_of(only),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Of an array of json: the query whose rows are its elements.
fn rows_of_array(expr: &Expr) -> Option<BlockId> {
    expr.json.filter(|json| json.is_array())?;
    match &expr.kind {
        ExprKind::Aggregate(_) => Some(TOP),
        // ARRAY(SELECT …), each row of which is an element, or an aggregate of rows; not the array that a single row has.
        ExprKind::Subquery(block, value) => {
            let of_rows =
                matches!(value.kind, ExprKind::Aggregate(_)) || value.json.is_none_or(|json| !json.is_array());
            of_rows.then_some(*block)
        }
        // A cast.
        ExprKind::Apply(list) if list.len() == 1 => rows_of_array(&list[0]),
        _ => None,
    }
}

/// The columns that decide which rows a subquery sees.
fn condition_columns(view: &FlatView, block: BlockId) -> Vec<ColumnRef> {
    let mut columns = Vec::new();
    for expr in view.blocks[block.0].conditions.iter().chain(&view.blocks[block.0].order_by) {
        expr.visit(&mut |e| columns.extend(e.as_column().filter(|c| view.use_of(*c).block == block)));
    }
    columns
}

fn table<'c>(catalog: &'c Catalog, owner: &crate::resolve::Use) -> &'c Table {
    match &catalog.relations[&owner.table] {
        Relation::Table(table) => table,
        _ => unreachable!("uses are of base tables"),
    }
}
