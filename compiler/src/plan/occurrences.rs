//! Occurrences: what each column of a view decides.
//!
//! In: the one variant of a view, and the layout of its text. Out: for each column the places that hold it and nothing else,
//! the values that are computed from it, and whether it decides more than these: which documents there are, or which
//! rows they show. What always holds: every occurrence of a column is in one of the three.

use std::collections::{BTreeMap, BTreeSet};

use super::layout::Layout;
use super::patch::Site;
use crate::relate::{Pair, Variant};
use crate::resolve::{BlockId, ColumnRef, ComparisonKind, Expr, ExprKind, FlatView, Formula, JsonType, TOP, Term};

/// Index of a value in the layout.
pub type ValueId = usize;

/// What a query within the view, or a column, decides.
#[derive(Clone, Debug, Default)]
pub(super) struct Decides {
    /// These values.
    pub values: BTreeSet<ValueId>,
    /// More than values: what it is.
    pub elsewhere: Option<&'static str>,
}

impl Decides {
    fn add(&mut self, other: &Decides) -> bool {
        let before = (self.values.len(), self.elsewhere.is_some());
        self.values.extend(&other.values);
        self.elsewhere = self.elsewhere.or(other.elsewhere);
        before != (self.values.len(), self.elsewhere.is_some())
    }
}

/// Where each column of the view occurs.
pub(super) struct Occurrences {
    sites: BTreeMap<ColumnRef, Vec<Site>>,
    /// Besides its sites.
    decides: BTreeMap<ColumnRef, Decides>,
    /// The first occurrence that is no site.
    reasons: BTreeMap<ColumnRef, &'static str>,
    /// By output column: its values.
    values: BTreeMap<usize, Vec<(Vec<String>, ValueId)>>,
    /// By block.
    blocks: Vec<Decides>,
}

impl Occurrences {
    pub fn of(variant: &Variant, layout: Option<&Layout>) -> Self {
        let view = &variant.view;
        let mut values: BTreeMap<usize, Vec<(Vec<String>, ValueId)>> = BTreeMap::new();
        for (id, value) in layout.iter().flat_map(|l| &l.values).enumerate() {
            values.entry(value.output).or_default().push((value.path.clone(), id));
        }
        let mut found = Occurrences {
            sites: BTreeMap::new(),
            decides: BTreeMap::new(),
            reasons: BTreeMap::new(),
            values,
            blocks: vec![Decides::default(); view.blocks.len()],
        };
        found.reach_blocks(view);
        for key in &variant.key {
            found.term(key, "is part of the key", TOP);
        }
        for link in variant.links.iter() {
            let block = view.uses[link.child.0].block;
            link.on.iter().flat_map(Pair::reads).for_each(|c| found.not(c, "is compared by a link", block));
            link.key.iter().flatten().for_each(|t| found.term(t, "is part of the key", block));
        }
        for (n, block) in view.blocks.iter().enumerate() {
            let at = BlockId(n);
            block.conditions.iter().for_each(|e| found.expr(e, "is read by a condition", at));
            block.order_by.iter().for_each(|e| found.expr(e, "decides an order", at));
            block.grouped.iter().flatten().for_each(|e| found.expr(e, "decides a group", at));
        }
        found.conditions(view);
        for (output, column) in view.outputs.iter().enumerate() {
            found.value(&column.expr, output, &mut Vec::new());
        }
        found
    }

    fn conditions(&mut self, view: &FlatView) {
        const WHY: &str = "is read by a condition";
        for equality in &view.equalities {
            [equality.left, equality.right].into_iter().for_each(|c| self.not(c, WHY, equality.block));
        }
        for comparison in &view.comparisons {
            match &comparison.kind {
                ComparisonKind::Equal(left, right) | ComparisonKind::Same(left, right) => {
                    [left, right].into_iter().for_each(|t| self.term(t, WHY, comparison.block));
                }
                ComparisonKind::Holds(formula) => self.formula(formula, WHY, comparison.block),
            }
        }
        view.stated.iter().for_each(|s| self.not(s.column, WHY, s.block));
        view.present.iter().for_each(|(f, block)| self.formula(f, WHY, *block));
    }

    /// What each block decides: the rows of a subquery, the value that it is part of.
    fn reach_blocks(&mut self, view: &FlatView) {
        self.blocks[TOP.0].elsewhere = Some("decides which documents there are");
        for (output, column) in view.outputs.iter().enumerate() {
            self.reach(&column.expr, output, &mut Vec::new());
        }
        let mut changed = true;
        while changed {
            changed = false;
            for (n, block) in view.blocks.iter().enumerate() {
                let around = self.blocks[n].clone();
                for expr in block.conditions.iter().chain(&block.order_by).chain(block.grouped.iter().flatten()) {
                    for inner in opened(expr) {
                        changed |= self.blocks[inner.0].add(&around);
                    }
                }
            }
            for derived in &view.derived {
                if let Some(inner) = derived.inner {
                    let around = self.blocks[derived.block.0].clone();
                    changed |= self.blocks[inner.0].add(&around);
                }
            }
        }
    }

    fn reach(&mut self, expr: &Expr, output: usize, path: &mut Vec<String>) {
        if let (ExprKind::Object(fields), None) = (&expr.kind, self.value_at(output, path)) {
            for (name, value) in fields {
                path.push(name.clone());
                self.reach(value, output, path);
                path.pop();
            }
            return;
        }
        let decides = self.computed(output, path);
        for inner in opened(expr) {
            self.blocks[inner.0].add(&decides);
        }
    }

    /// What an expression at a path is part of.
    fn computed(&self, output: usize, path: &[String]) -> Decides {
        match self.value_at(output, path) {
            Some(value) => Decides { values: BTreeSet::from([value]), elsewhere: None },
            None => Decides { values: BTreeSet::new(), elsewhere: Some("shows in an expression") },
        }
    }

    /// The value that stands at a path, or that what stands there is a part of.
    pub fn value_at(&self, output: usize, path: &[String]) -> Option<ValueId> {
        let values = self.values.get(&output)?;
        values.iter().find(|(at, _)| path.starts_with(at)).map(|(_, id)| *id)
    }

    /// What the presence of rows of a block decides.
    pub fn block(&self, block: BlockId) -> &Decides {
        &self.blocks[block.0]
    }

    /// The sites of a column that occurs nowhere else.
    pub fn sites(&self, column: ColumnRef, pairing: &[usize]) -> Result<Vec<Site>, &'static str> {
        if pairing.contains(&column.column) {
            return Err("identifies the row");
        }
        if let Some(reason) = self.reasons.get(&column) {
            return Err(reason);
        }
        self.sites.get(&column).cloned().ok_or("shows nowhere as it is")
    }

    /// The values that a column has a part in, or what else it decides.
    pub fn decided(&self, column: ColumnRef) -> Result<BTreeSet<ValueId>, &'static str> {
        let mut values = BTreeSet::new();
        if let Some(decides) = self.decides.get(&column) {
            if let Some(reason) = decides.elsewhere {
                return Err(self.reasons.get(&column).copied().unwrap_or(reason));
            }
            values.extend(&decides.values);
        }
        for site in self.sites.get(&column).into_iter().flatten() {
            values.insert(self.value_at(site.output, &site.path).ok_or("shows in an expression")?);
        }
        Ok(values)
    }

    fn not(&mut self, column: ColumnRef, why: &'static str, block: BlockId) {
        let decides = self.blocks[block.0].clone();
        self.add(column, why, &decides);
    }

    fn add(&mut self, column: ColumnRef, why: &'static str, decides: &Decides) {
        self.reasons.entry(column).or_insert(why);
        self.decides.entry(column).or_default().add(decides);
    }

    fn formula(&mut self, formula: &Formula, why: &'static str, block: BlockId) {
        formula.columns().into_iter().for_each(|c| self.not(c, why, block));
    }

    fn term(&mut self, term: &Term, why: &'static str, block: BlockId) {
        term.columns().into_iter().for_each(|c| self.not(c, why, block));
    }

    fn expr(&mut self, expr: &Expr, why: &'static str, block: BlockId) {
        let decides = self.blocks[block.0].clone();
        columns(expr).into_iter().for_each(|c| self.add(c, why, &decides));
    }

    /// The value at a path of an output column. Only objects are passed through: what stands in an array, a subquery or
    /// an expression is not at a known place, or not by itself.
    fn value(&mut self, expr: &Expr, output: usize, path: &mut Vec<String>) {
        match &expr.kind {
            ExprKind::Column(column) => {
                let site = Site { output, path: path.clone(), column: column.column };
                self.sites.entry(*column).or_default().push(site);
            }
            ExprKind::Object(fields) if expr.json == Some(JsonType::Jsonb) => {
                let mut times: BTreeMap<&str, usize> = BTreeMap::new();
                fields.iter().for_each(|(name, _)| *times.entry(name).or_default() += 1);
                for (name, value) in fields {
                    path.push(name.clone());
                    match times[name.as_str()] {
                        1 => self.value(value, output, path),
                        _ => self.part(value, "shows in a field that occurs twice", output, path),
                    }
                    path.pop();
                }
            }
            ExprKind::Object(_) => self.part(expr, "shows in a json object, which has no patches", output, path),
            ExprKind::ArrayAgg(_) | ExprKind::Subquery(..) => self.part(expr, "shows in a subquery", output, path),
            _ => self.part(expr, "shows in an expression", output, path),
        }
    }

    fn part(&mut self, expr: &Expr, why: &'static str, output: usize, path: &[String]) {
        let decides = self.computed(output, path);
        columns(expr).into_iter().for_each(|c| self.add(c, why, &decides));
    }
}

/// The blocks that an expression opens itself.
pub(super) fn opened(expr: &Expr) -> Vec<BlockId> {
    let mut blocks = Vec::new();
    expr.visit(&mut |e| blocks.extend(e.block()));
    blocks
}

/// The columns that an expression reads, those of its subqueries' conditions excepted.
pub(super) fn columns(expr: &Expr) -> BTreeSet<ColumnRef> {
    let mut columns = BTreeSet::new();
    expr.visit(&mut |e| {
        columns.extend(e.as_column());
        columns.extend(e.formula.iter().flat_map(|f| f.columns()));
    });
    columns
}
