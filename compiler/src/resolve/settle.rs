//! Settling: from a view as it was read to its variants.
//!
//! In: a [`FlatView`] with its conjuncts and alternatives. Out: one view per choice at each [`Alternative`]: no `Either`
//! is left in it, the sides of set operations that were not chosen are gone, a FULL JOIN is the outer join that was
//! chosen, and its equalities, comparisons and facts are told apart. What always holds: every row of the view is a row
//! of one of its variants, or a row of a variant takes it away (EXCEPT), so that what influences the view influences
//! a variant of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::formula::Element;
use super::{
    AlternativeKind, BlockId, Claim, ColumnRef, Comparison, ComparisonKind, Conjunct, Equality, Expr, ExprKind, Fact,
    FlatView, Formula, Guard, MadeEqual, OuterKind, Part, Picked, Piece, Rows, Scope, Stated, Term, Told,
};

/// Of how many comparisons with what is made of constants a view takes notice.
const MAX_MADE_EQUAL: usize = 2_000;

/// How many variants a view may have.
pub const MAX_VARIANTS: usize = 64;

impl FlatView {
    /// The variants of the view, each with the choice that it stands for.
    pub fn variants(&self) -> Vec<(Vec<usize>, FlatView)> {
        let mut choices: Vec<Vec<usize>> = vec![Vec::new()];
        for alternative in &self.alternatives {
            let longer = |choice: &Vec<usize>| {
                let choice = choice.clone();
                (0..alternative.choices).map(move |n| choice.iter().copied().chain([n]).collect::<Vec<_>>())
            };
            choices = choices.iter().flat_map(longer).collect();
        }
        // What was not chosen may hold alternatives of its own: choices that differ in those alone are one.
        let mut variants: Vec<(Vec<usize>, FlatView)> = Vec::new();
        for choice in choices {
            let chosen = self.chosen_blocks(&choice);
            let idle = |n: usize| !chosen[self.alternatives[n].block.0];
            if (0..choice.len()).all(|n| choice[n] == 0 || !idle(n)) {
                let view = self.variant(&choice, &chosen, &BTreeMap::new());
                variants.push((choice, view));
            }
        }
        variants
    }

    /// The variant of a choice, for rows for which certain parts of conditions hold.
    pub fn variant_where(&self, choice: &[usize], parts: &BTreeMap<usize, usize>) -> FlatView {
        self.variant(choice, &self.chosen_blocks(choice), parts)
    }

    /// By block: whether it and all blocks around it are among the chosen.
    fn chosen_blocks(&self, choice: &[usize]) -> Vec<bool> {
        let mut chosen = vec![true; self.blocks.len()];
        for derived in &self.derived {
            if let (Some(inner), Rows::Branch(alternative, side)) = (derived.inner, derived.rows) {
                chosen[inner.0] = choice[alternative] == side;
            }
        }
        // A block is opened after the blocks around it.
        for block in 0..self.blocks.len() {
            chosen[block] &= self.blocks[block].parent.is_none_or(|parent| chosen[parent.0]);
        }
        chosen
    }

    /// What a FULL JOIN compares: of the left side, and of the right one.
    pub fn full_join_pairs(&self, alternative: usize) -> Vec<(&Expr, &Expr)> {
        let pair = |c: &'_ super::Conjunct| match c.scope {
            Scope::Full(join) if c.part.is_none() && self.outer_joins[join].kind == OuterKind::Full(alternative) => {
                Some(join)
            }
            _ => None,
        };
        let sides = self.conjuncts.iter().filter_map(|c| match (&c.claim, pair(c)) {
            (Claim::Equal(left, right), Some(join)) => Some((left, right, self.outer_joins[join].left)),
            _ => None,
        });
        let ordered = sides.map(|(l, r, (from, to))| match l.uses().iter().all(|u| (from..to).contains(&u.0)) {
            true => (l, r),
            false => (r, l),
        });
        ordered.collect()
    }

    fn variant(&self, choice: &[usize], chosen: &[bool], parts: &BTreeMap<usize, usize>) -> FlatView {
        let mut view = self.clone();
        let holds = |part: Part| parts.get(&part.condition) == Some(&part.number);
        view.conjuncts.retain(|c| c.part.is_none_or(holds));
        let asked = std::mem::take(&mut view.asked_by).into_iter();
        view.asked.extend(asked.filter(|(part, ..)| holds(*part)).map(|(_, query, uses)| (query, uses)));
        if !self.alternatives.is_empty() {
            view.choose(choice, chosen);
        }
        view.settle();
        view
    }

    fn choose(&mut self, choice: &[usize], chosen: &[bool]) {
        let chosen = |block: BlockId| chosen[block.0];
        self.derived.retain(|d| d.inner.map_or_else(|| chosen(d.block), chosen));
        for derived in &mut self.derived {
            if let Some(Term::Formula(formula)) = &mut derived.told_by {
                *formula = Arc::new(formula.chosen(choice));
            }
            derived.call = derived.call.as_ref().map(|call| picked(call, choice));
        }
        self.conjuncts.retain(|c| chosen(c.block));
        self.orders.retain(|o| chosen(o.block));
        let pick = |expr: &mut Expr| expr.choose(choice);
        for block in &mut self.blocks {
            block.conditions.retain(|c| !matches!(c.kind, ExprKind::Exists(inner) if !chosen(inner)));
            block
                .conditions
                .iter_mut()
                .chain(&mut block.order_by)
                .chain(block.grouped.iter_mut().flatten())
                .for_each(pick);
        }
        self.outputs.iter_mut().for_each(|o| o.expr.choose(choice));
        self.numberings.iter_mut().flat_map(|n| &mut n.partition).for_each(pick);
        self.windows_below.iter_mut().flat_map(|w| &mut w.partition).for_each(pick);
        self.orders.iter_mut().flat_map(|o| o.order.iter_mut().chain(&mut o.values)).for_each(pick);
        for conjunct in &mut self.conjuncts {
            match &mut conjunct.claim {
                Claim::Equal(left, right) | Claim::Same(left, right) | Claim::Partition(left, right) => {
                    [left, right].into_iter().for_each(pick)
                }
                Claim::Fact(expr, _) => expr.choose(choice),
                Claim::Holds(formula) | Claim::Guard(formula) => *formula = Arc::new(formula.chosen(choice)),
            }
        }
        for join in &mut self.outer_joins {
            if let OuterKind::Full(alternative) = join.kind {
                join.kind = if choice[alternative] == 0 { OuterKind::Left } else { OuterKind::Right };
            }
        }
        self.merge_chosen();
        self.alternatives.clear();
    }

    /// The chosen sides of set operations become relations like others, or part of the block that reads them.
    fn merge_chosen(&mut self) {
        // From the inside outwards: later blocks lie within earlier ones.
        let mut at = self.derived.len();
        while at > 0 {
            at -= 1;
            let derived = self.derived[at].clone();
            let (Rows::Branch(..), Some(inner)) = (derived.rows, derived.inner) else { continue };
            match self.rows_of(inner) {
                Some(rows) => self.derived[at].rows = rows,
                None => {
                    self.derived.remove(at);
                    self.merge(inner, derived.block);
                }
            }
        }
    }

    /// What the rows of a block are to the block that reads them; `None` where it only joins and filters.
    pub(super) fn rows_of(&self, block: BlockId) -> Option<Rows> {
        let state = &self.blocks[block.0];
        match () {
            () if state.grouped.is_some() => Some(Rows::Groups),
            () if state.aggregated || state.single => Some(Rows::One),
            () if state.limited || state.recursive => Some(Rows::Joined),
            () => None,
        }
    }

    /// Makes the rows of `inner` rows of `outer`.
    pub(super) fn merge(&mut self, inner: BlockId, outer: BlockId) {
        self.uses.iter_mut().filter(|u| u.block == inner).for_each(|u| u.block = outer);
        self.conjuncts.iter_mut().filter(|c| c.block == inner).for_each(|c| c.block = outer);
        self.derived.iter_mut().filter(|d| d.block == inner).for_each(|d| d.block = outer);
        self.outer_joins.iter_mut().filter(|j| j.block == inner).for_each(|j| j.block = outer);
        self.alternatives.iter_mut().filter(|a| a.block == inner).for_each(|a| a.block = outer);
        self.orders.iter_mut().filter(|o| o.block == inner).for_each(|o| o.block = outer);
        self.windows_below.iter_mut().filter(|w| w.block == inner).for_each(|w| w.block = outer);
        self.from_clauses.iter_mut().filter(|f| f.block == inner).for_each(|f| f.block = outer);
        self.blocks.iter_mut().filter(|b| b.parent == Some(inner)).for_each(|b| b.parent = Some(outer));
        let conditions = std::mem::take(&mut self.blocks[inner.0].conditions);
        // The order of a relation's rows proves nothing to the query around it, but it can show there, for
        // example under LIMIT: what it compares is read.
        let order_by = std::mem::take(&mut self.blocks[inner.0].order_by);
        self.blocks[outer.0].conditions.retain(|c| !matches!(c.kind, ExprKind::Exists(b) if b == inner));
        self.blocks[outer.0].conditions.extend(conditions.into_iter().chain(order_by));
    }

    /// Tells the conjuncts apart, and which uses are nullable.
    fn settle(&mut self) {
        let mut conjuncts = std::mem::take(&mut self.conjuncts);
        for conjunct in &mut conjuncts {
            if let Scope::Full(join) = conjunct.scope {
                conjunct.scope = match self.outer_joins[join].nullable().first() {
                    Some(&(from, to)) => Scope::Outer { from, to },
                    None => Scope::Always,
                };
            }
        }
        self.drop_idle_outer_joins(&mut conjuncts);
        for join in &self.outer_joins {
            for (from, to) in join.nullable() {
                self.uses[from..to].iter_mut().for_each(|u| u.nullable = true);
            }
        }
        for Conjunct { claim, block, scope, at, .. } in conjuncts {
            match claim {
                Claim::Guard(formula) => self.guards.push(Guard { formula, block, scope, at }),
                other => self.claim(other, block, scope),
            }
        }
    }

    fn claim(&mut self, claim: Claim, block: BlockId, scope: Scope) {
        match claim {
            Claim::Equal(left, right) => self.equal(&left, &right, block, scope),
            Claim::Same(left, right) => self.same(&left, &right, block, scope, false),
            Claim::Partition(left, right) => self.same(&left, &right, block, scope, true),
            Claim::Fact(expr, fact) if scope == Scope::Always => match (expr.as_column(), &expr.formula) {
                (Some(column), _) => self.stated.push(Stated { column, fact, block }),
                (None, Some(formula)) if fact == Fact::Present => self.present.push((formula.clone(), block)),
                (None, None) if fact == Fact::Present => {
                    self.present.extend(expr.element.as_ref().and_then(|e| e.as_formula()).map(|f| (f, block)));
                }
                _ => {}
            },
            Claim::Fact(..) | Claim::Guard(_) => {}
            Claim::Holds(formula) => {
                self.comparisons.push(Comparison { kind: ComparisonKind::Holds(formula), block, scope });
            }
        }
    }

    fn same(&mut self, left: &Expr, right: &Expr, block: BlockId, scope: Scope, of_rows: bool) {
        match (left.as_term(), right.as_term()) {
            (Some(Term::Column(left)), Some(Term::Column(right))) => {
                self.equalities.push(Equality { left, right, block, scope, null_safe: true, of_rows });
            }
            (Some(left), Some(right)) => {
                self.comparisons.push(Comparison { kind: ComparisonKind::Same(left, right), block, scope });
            }
            _ => {}
        }
    }

    fn equal(&mut self, left: &Expr, right: &Expr, block: BlockId, scope: Scope) {
        let constant = |e: &Expr| matches!(e.kind, ExprKind::Constant);
        let stated = |column: ColumnRef| Stated { column, fact: Fact::Constant, block };
        if let (ExprKind::Number(numbering, _), ExprKind::Constant)
        | (ExprKind::Constant, ExprKind::Number(numbering, _)) = (&left.kind, &right.kind)
        {
            self.picked.push(Picked { numbering: *numbering, block, scope });
            return;
        }
        match (left.as_column(), right.as_column()) {
            (Some(left), Some(right)) if left != right => {
                self.equalities.push(Equality { left, right, block, scope, null_safe: false, of_rows: false });
            }
            (Some(column), None) if constant(right) && scope == Scope::Always => self.stated.push(stated(column)),
            (None, Some(column)) if constant(left) && scope == Scope::Always => self.stated.push(stated(column)),
            _ => match (left.as_term(), right.as_term()) {
                (Some(left), Some(right)) => {
                    self.comparisons.push(Comparison { kind: ComparisonKind::Equal(left, right), block, scope });
                }
                (Some(value), None) => self.equal_to_computed(value, right, block, scope),
                (None, Some(value)) => self.equal_to_computed(value, left, block, scope),
                (None, None) => {}
            },
        }
    }

    fn equal_to_computed(&mut self, value: Term, computed: &Expr, block: BlockId, scope: Scope) {
        if let (Term::Column(column), ExprKind::Subquery(..)) = (&value, &computed.kind) {
            self.told.push(Told { column: *column, value: computed.clone(), block, scope });
        }
        self.equal_to_made(value, computed, block, scope);
    }

    fn equal_to_made(&mut self, value: Term, made: &Expr, block: BlockId, scope: Scope) {
        if self.made_equal.len() < MAX_MADE_EQUAL
            && let Some(Term::Formula(made)) = made.as_key_term()
            && made.is_of_constants()
        {
            // Its text can be long.
            let known = self.made_equal.iter().map(|m| &m.made).find(|known| **known == made).cloned();
            self.made_equal.push(MadeEqual { value, made: known.unwrap_or(made), block, scope });
        }
    }
}

impl super::OuterJoin {
    /// The nullable sides.
    pub fn nullable(&self) -> Vec<(usize, usize)> {
        match self.kind {
            OuterKind::Left => vec![self.right],
            OuterKind::Right => vec![self.left],
            OuterKind::Full(_) => vec![self.left, self.right],
        }
    }
}

impl Expr {
    /// Replaces what is one of several by the chosen one.
    fn choose(&mut self, choice: &[usize]) {
        if let ExprKind::Either(alternative, list) = &mut self.kind {
            let chosen = list.swap_remove(choice[*alternative]);
            *self = Expr { span: self.span, json: self.json, ..chosen };
            return self.choose(choice);
        }
        self.formula = self.formula.as_ref().map(|f| Arc::new(f.chosen(choice)));
        self.element = self.element.as_ref().map(|e| Arc::new(e.chosen(choice)));
        match &mut self.kind {
            ExprKind::Column(_) | ExprKind::Constant | ExprKind::Exists(_) | ExprKind::Either(..) => {}
            ExprKind::Object(fields) => fields.iter_mut().for_each(|(_, e)| e.choose(choice)),
            ExprKind::ArrayAgg(agg) => {
                let super::ArrayAgg { element, order_by, filter, .. } = agg.as_mut();
                std::iter::once(element).chain(order_by).chain(filter).for_each(|e| e.choose(choice));
            }
            ExprKind::Subquery(_, value) => value.choose(choice),
            ExprKind::Coalesce(list)
            | ExprKind::Apply(list)
            | ExprKind::Made(list)
            | ExprKind::Aggregate(list)
            | ExprKind::Number(_, list) => {
                list.iter_mut().for_each(|e| e.choose(choice));
            }
        }
    }
}

impl Formula {
    fn chosen(&self, choice: &[usize]) -> Formula {
        let any_of = self.any_of.as_ref().map(|element| Arc::new(element.chosen(choice)));
        Formula { pieces: picked(&self.pieces, choice), calls: all_picked(&self.calls, choice), any_of, ..self.clone() }
    }
}

impl Element {
    fn chosen(&self, choice: &[usize]) -> Element {
        Element { pieces: picked(&self.pieces, choice), calls: all_picked(&self.calls, choice), ..self.clone() }
    }
}

fn all_picked(calls: &[Vec<Piece>], choice: &[usize]) -> Vec<Vec<Piece>> {
    calls.iter().map(|call| picked(call, choice)).collect()
}

/// The same pieces, of alternatives the chosen ones.
fn picked(pieces: &[Piece], choice: &[usize]) -> Vec<Piece> {
    fn pick(pieces: &[Piece], choice: &[usize], into: &mut Vec<Piece>) {
        for piece in pieces {
            match piece {
                Piece::Either(alternative, list) => pick(&list[choice[*alternative]], choice, into),
                other => into.push(other.clone()),
            }
        }
    }
    let mut all = Vec::with_capacity(pieces.len());
    pick(pieces, choice, &mut all);
    all
}

impl super::Alternative {
    /// Whether it is a FULL JOIN.
    pub fn is_full_join(&self) -> bool {
        self.kind == AlternativeKind::FullJoin
    }
}
