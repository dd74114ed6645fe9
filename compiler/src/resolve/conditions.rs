//! Conditions: what WHERE and ON say.
//!
//! In: parsed conditions. Out: [`Conjunct`]s (equalities, facts about one expression, other comparisons), and the
//! condition itself among those of its block, so that whatever it reads is known to be read.

use std::sync::Arc;

use sqlparser::ast::{BinaryOperator, Expr as Ast, FunctionArguments, Query};

use super::formula::{Formula, plain_arguments};
use super::query::{Refused, Resolved, Resolver};
use super::typing::is_textual;
use super::{BlockId, Claim, ColumnRef, Disjunction, Expr, ExprKind, Fact, Membership, Output, Part, Scope};

impl<'a> Resolver<'a> {
    /// A condition: its conjuncts are told apart, and all are kept as reads. Gives the queries that have to have a row for it to hold.
    pub(super) fn condition(&mut self, condition: &'a Ast, block: BlockId, holds: Scope) -> Resolved<Vec<Asked>> {
        let (mut refused, mut asked) = (false, Vec::new());
        for conjunct in conjuncts(condition) {
            let parts = disjuncts(conjunct);
            let asks = parts.len() > 1 && parts.iter().flat_map(|part| conjuncts(part)).any(asks_a_query);
            let queries = match asks {
                true => self.disjunction(conjunct, &parts, block, holds),
                false => {
                    let query = self.conjunct(conjunct, block, holds, Place::Conjunct);
                    query.map(|query| query.map(|query| Asked { query, part: None }).into_iter().collect())
                }
            };
            match queries {
                Ok(queries) => asked.extend::<Vec<Asked>>(queries),
                Err(Refused) => refused = true,
            }
        }
        if refused { Err(Refused) } else { Ok(asked) }
    }

    /// `a OR b`: of a row that passes, one of the parts is true. What each says is kept as that of a part. (Where a part is NULL, the
    /// condition is what it would be were it false: so IN can be read as in a conjunct.)
    fn disjunction(
        &mut self,
        conjunct: &'a Ast,
        parts: &[&'a Ast],
        block: BlockId,
        holds: Scope,
    ) -> Resolved<Vec<Asked>> {
        let (condition, read) = (self.flat.parts.len(), self.flat.blocks[block.0].conditions.len());
        self.flat.parts.push(Disjunction { place: self.span(conjunct), parts: parts.len(), is_written: true });
        let (mut refused, mut asked) = (false, Vec::new());
        for (number, written) in parts.iter().enumerate() {
            let (part, said) = (Some(Part { condition, number }), self.flat.conjuncts.len());
            for conjunct in conjuncts(written) {
                match self.conjunct(conjunct, block, holds, Place::Part) {
                    Ok(query) => asked.extend(query.map(|query| Asked { query, part })),
                    Err(Refused) => refused = true,
                }
            }
            // What is said within a query of the part is said of its rows, whether the part holds or not.
            let own = self.flat.conjuncts[said..].iter_mut().filter(|c| c.block == block);
            own.for_each(|c| c.part = part);
        }
        if refused {
            return Err(Refused);
        }
        let parts = self.flat.blocks[block.0].conditions.split_off(read);
        let expr = Expr::plain(self.span(conjunct), ExprKind::Apply(parts));
        self.comparison(conjunct, &expr, block, holds)?;
        self.guard(conjunct, &expr, block, holds);
        self.flat.blocks[block.0].conditions.push(expr);
        Ok(asked)
    }

    /// Gives the query that has to have a row.
    fn conjunct(&mut self, conjunct: &'a Ast, block: BlockId, holds: Scope, place: Place) -> Resolved<Option<BlockId>> {
        let (mut asked, before) = (None, self.flat.blocks.len());
        let expr = match in_subquery(conjunct) {
            Some(among @ Among { negated: false, .. }) => {
                let member = self.among(&among, place, block)?;
                if let ExprKind::Apply(operands) = &member.kind {
                    asked = operands.last().and_then(Expr::block);
                }
                member
            }
            _ => self.expr(conjunct, block)?,
        };
        if let (Ast::Exists { negated: false, .. }, ExprKind::Exists(inner)) = (conjunct, &expr.kind) {
            asked = Some(*inner);
        }
        debug_assert!(asked.is_none_or(|b| b.0 >= before), "the query is the conjunct's own");
        match (conjunct, &expr.kind) {
            (Ast::IsNotNull(inner), ExprKind::Apply(operands)) => {
                self.count(&operands[..1], expr.span)?;
                let operand = self.with_formula(operands[0].clone(), inner);
                let claim = Claim::Fact(operand, Fact::Present);
                self.flat.says(claim, block, holds);
            }
            (Ast::IsNull(_), ExprKind::Apply(operands)) => {
                self.count(&operands[..1], expr.span)?;
                let claim = Claim::Fact(operands[0].clone(), Fact::Absent);
                self.flat.says(claim, block, holds);
            }
            (Ast::Function(call), ExprKind::Apply(operands))
                if self.builtin_name(call).is_some_and(|name| name.as_str() == "isfinite") && operands.len() == 1 =>
            {
                self.count(operands, expr.span)?;
                for fact in [Fact::Present, Fact::Finite] {
                    self.flat.says(Claim::Fact(operands[0].clone(), fact), block, holds);
                }
            }
            _ => {
                asked = asked.or(self.asked_for_a_value(conjunct, &expr)?);
                self.comparison(conjunct, &expr, block, holds)?;
                if place == Place::Conjunct {
                    self.first_that_is_there(conjunct, &expr, block, holds)?;
                }
            }
        }
        self.guard(conjunct, &expr, block, holds);
        self.flat.blocks[block.0].conditions.push(expr);
        Ok(asked)
    }

    /// `value = (SELECT …)`: a query has to have a row, with that value, as for IN. What it selects as one of several rows, or computes of
    /// them, is no value of a row.
    fn asked_for_a_value(&mut self, conjunct: &'a Ast, expr: &Expr) -> Resolved<Option<BlockId>> {
        let &[(left, right)] = equal_pairs(conjunct, expr).as_slice() else { return Ok(None) };
        let (own, inner, value) = match (&left.value.kind, &right.value.kind) {
            (ExprKind::Subquery(..), ExprKind::Subquery(..)) => return Ok(None),
            (_, ExprKind::Subquery(inner, value)) => (left, *inner, value),
            (ExprKind::Subquery(inner, value), _) => (right, *inner, value),
            _ => return Ok(None),
        };
        let state = &self.flat.blocks[inner.0];
        let computes = state.aggregated || state.grouped.is_some() || state.limited || state.picked || state.expands;
        if computes || self.flat.derived_by(inner).is_some() {
            return Ok(None);
        }
        self.count([own.value, value], expr.span)?;
        let own = self.with_formula(own.value.clone(), own.written);
        self.flat.says(Claim::Equal(own, value.as_ref().clone()), inner, Scope::Always);
        Ok(Some(inner))
    }

    /// What is said of one relation, or of elements of its arrays, keeps other expressions from its rows or from these elements.
    fn guard(&mut self, conjunct: &'a Ast, expr: &Expr, block: BlockId, holds: Scope) {
        // On each side of a set operation it is mostly one relation.
        if expr.uses().len() != 1 && !expr.is_either() {
            return;
        }
        let formula = if expr.is_made() { self.of_elements(conjunct) } else { self.holding(conjunct) };
        if let Some(formula) = formula {
            self.flat.says(Claim::Guard(formula), block, holds);
        }
    }

    /// Equalities pair by pair; anything else as a whole, where it compares relations.
    fn comparison(&mut self, conjunct: &'a Ast, expr: &Expr, block: BlockId, holds: Scope) -> Resolved<()> {
        let pairs = equal_pairs(conjunct, expr);
        let mut as_a_whole = pairs.is_empty();
        for &(left, right) in &pairs {
            self.count([left.value, right.value], expr.span)?;
            let (left, right) = (self.compared(left, right), self.compared(right, left));
            as_a_whole |= left.element.is_some() || right.element.is_some();
            let claim = Claim::Equal(left, right);
            self.flat.says(claim, block, holds);
        }
        match expr.uses().len() {
            0 => {}
            1 if as_a_whole => self.present_columns(conjunct, block, holds)?,
            _ if as_a_whole => {
                if let Some(formula) = self.holding(conjunct) {
                    self.flat.says(Claim::Holds(formula), block, holds);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// `x = coalesce(a, b)`, of several relations: x equals one of them. That is said as by a condition with a part for each.
    fn first_that_is_there(&mut self, conjunct: &'a Ast, expr: &Expr, block: BlockId, holds: Scope) -> Resolved<()> {
        let &[(left, right)] = equal_pairs(conjunct, expr).as_slice() else { return Ok(()) };
        let arguments = |side: Side<'a, '_>| match (side.written, &side.value.kind) {
            (Ast::Function(call), ExprKind::Coalesce(values)) => {
                let written = plain_arguments(call)?;
                let is_of_several = written.len() == values.len() && side.value.uses().len() > 1;
                is_of_several.then(|| written.into_iter().zip(values.iter().cloned()).collect::<Vec<_>>())
            }
            _ => None,
        };
        let (other, values) = match (arguments(left), arguments(right)) {
            (None, Some(values)) => (left, values),
            (Some(values), None) => (right, values),
            _ => return Ok(()),
        };
        let condition = self.flat.parts.len();
        self.flat.parts.push(Disjunction { place: expr.span, parts: values.len(), is_written: false });
        for (number, (written, value)) in values.iter().enumerate() {
            let said = self.flat.conjuncts.len();
            self.count([other.value, value], expr.span)?;
            let (one, other) =
                (self.compared(other, Side::new(written, value)), self.compared(Side::new(written, value), other));
            self.flat.says(Claim::Equal(one, other), block, holds);
            self.flat.conjuncts[said..].iter_mut().for_each(|c| c.part = Some(Part { condition, number }));
        }
        Ok(())
    }

    /// A condition on one relation that is not true of NULL says that its columns are not NULL.
    fn present_columns(&mut self, conjunct: &'a Ast, block: BlockId, holds: Scope) -> Resolved<()> {
        if !self.passes_null(conjunct) {
            return Ok(());
        }
        let mut mentions = Vec::new();
        if self.mentions(conjunct, &mut mentions).is_none() {
            return Ok(());
        }
        for (_, value) in mentions {
            self.count([&value], value.span)?;
            self.flat.says(Claim::Fact(value, Fact::Present), block, holds);
        }
        Ok(())
    }

    /// A side of an equality, with its formula. A constant that is cast to another type than that of the other side may be
    /// equal to several of its values, and is no constant then.
    fn compared(&mut self, side: Side<'a, '_>, other: Side<'a, '_>) -> Expr {
        let mut value = side.value.clone();
        if matches!((&value.kind, side.written), (ExprKind::Constant, Ast::Cast { .. } | Ast::TypedString(_))) {
            let types = (self.type_of(side.written), self.type_of(other.written));
            if !matches!(types, (Some(own), Some(other)) if own.base == other.base && own.dimensions == other.dimensions)
            {
                value = Expr::plain(value.span, ExprKind::Apply(vec![value]));
            }
        }
        let is_literal = matches!(side.written, Ast::Value(_)) && matches!(value.kind, ExprKind::Constant);
        let value = self.with_formula(value, side.written);
        match &value.formula {
            // A literal is read as what it is compared with: `c = 'x'` is said of one value of c, whatever its type is.
            Some(formula) if is_literal && formula.ty.as_ref().is_some_and(is_textual) => {
                let ty = self.type_of(other.written).or_else(|| formula.ty.clone());
                Expr { formula: Some(Arc::new(Formula { ty, ..formula.as_ref().clone() })), ..value }
            }
            _ => value,
        }
    }

    /// `value IN (SELECT …)`. As a conjunct false and NULL both leave the row out, so that it is EXISTS with an equality. Anywhere
    /// else, and for NOT IN, it is that of values that are never NULL: a first row, or a NULL, would change it for every value.
    pub(super) fn among(&mut self, among: &Among<'a>, place: Place, block: BlockId) -> Resolved<Expr> {
        let &Among { value, query, is_array, .. } = among;
        let span = self.span(value);
        let left = self.expr(value, block)?;
        let left = self.with_formula(left, value);
        let (inner, outputs) = self.subquery_block(query, block)?;
        // Which rows LIMIT and DISTINCT ON leave is decided before they are compared.
        let state = &self.flat.blocks[inner.0];
        let picks = state.limited || state.picked;
        let fields = self.fields_of(&left, value);
        if !picks && fields.len() == outputs.len() {
            let never_null =
                |e: &Expr| e.as_columns().is_some_and(|all| all.iter().all(|c| self.flat.is_present(self.catalog, *c)));
            let tells =
                |own: &Expr, output: &Output| place != Place::Value || never_null(own) && never_null(&output.expr);
            let fields = fields.into_iter().zip(&outputs).enumerate();
            let pairs: Vec<_> = fields.filter(|(_, ((own, _), output))| tells(own, output)).collect();
            if pairs.is_empty() {
                self.flat.untold.push(inner);
            }
            let mut compared = Vec::new();
            for (n, ((own, written), output)) in pairs {
                let columns = self.found_by(&own, written, output);
                compared.extend(columns.map(|columns| (self.span(written), n, columns)));
                self.count([&own, &output.expr], span)?;
                let claim = Claim::Equal(own, output.expr.clone());
                self.flat.says(claim, inner, Scope::Always);
            }
            // IN as a conjunct is a join to the planner.
            if place != Place::Conjunct || is_array {
                let query = self.span(query);
                self.flat.memberships.push(Membership { query, columns: outputs.len(), pairs: compared });
            }
        }
        let row = Expr::plain(span, ExprKind::Apply(outputs.into_iter().map(|o| o.expr).collect()));
        let rows = Expr::plain(span, ExprKind::Subquery(inner, Box::new(row)));
        Ok(Expr::plain(span, ExprKind::Apply(vec![left, rows])))
    }

    /// The columns that an index on each finds the rows of a value by, which is a name.
    fn found_by(&self, value: &Expr, written: &Ast, output: &Output) -> Option<Vec<ColumnRef>> {
        let is_name = matches!(written, Ast::Identifier(_) | Ast::CompoundIdentifier(_));
        let (term, columns) = (value.as_term()?, output.expr.as_columns()?);
        let ty = term.ty(&self.flat, self.catalog)?;
        let column = |c: &ColumnRef| &self.catalog.table(&self.flat.use_of(*c).table).columns[c.column];
        (is_name && columns.iter().all(|c| column(c).ty.converted_for(ty).is_none())).then_some(columns)
    }

    /// The fields of a row as it is written, or the value itself.
    fn fields_of(&mut self, value: &Expr, written: &'a Ast) -> Vec<(Expr, &'a Ast)> {
        let whole = Side::new(written, value);
        match whole.fields() {
            Some(fields) => {
                fields.into_iter().map(|f| (self.with_formula(f.value.clone(), f.written), f.written)).collect()
            }
            None => vec![(value.clone(), whole.written)],
        }
    }
}

/// Where a condition stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It has to hold.
    Conjunct,
    /// It is, or belongs to, one of several parts of which one has to hold.
    Part,
    /// Elsewhere.
    Value,
}

/// A query that has to have a row, where a part of a condition holds or always.
pub(crate) struct Asked {
    pub query: BlockId,
    pub part: Option<Part>,
}

/// A value and the query that gives what it is compared with.
pub(super) struct Among<'a> {
    pub value: &'a Ast,
    pub query: &'a Query,
    negated: bool,
    /// Whether the rows of the query are put into an array first.
    is_array: bool,
}

/// `value IN (query)`, `value = ANY (query)` and `value = ANY (ARRAY(query))`, or `NOT IN` and `<> ALL`.
pub(super) fn in_subquery(ast: &Ast) -> Option<Among<'_>> {
    let (value, right, negated) = match ast {
        Ast::InSubquery { expr, subquery, negated } => {
            return Some(Among { value: expr, query: subquery, negated: *negated, is_array: false });
        }
        Ast::AnyOp { left, compare_op: BinaryOperator::Eq, right, .. } => (left, right, false),
        Ast::AllOp { left, compare_op: BinaryOperator::NotEq, right, .. } => (left, right, true),
        _ => return None,
    };
    let (query, is_array) = match right.as_ref() {
        Ast::Subquery(query) => (query.as_ref(), false),
        Ast::Nested(inner) => (array_of_rows(inner)?, true),
        other => (array_of_rows(other)?, true),
    };
    Some(Among { value, query, negated, is_array })
}

/// The query of `ARRAY(query)`.
fn array_of_rows(ast: &Ast) -> Option<&Query> {
    match ast {
        Ast::Function(call) if call.name.to_string().eq_ignore_ascii_case("array") => match &call.args {
            FunctionArguments::Subquery(query) => Some(query),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a condition may ask for a row of a query.
fn asks_a_query(condition: &Ast) -> bool {
    let is_query = |side: &Ast| matches!(side, Ast::Subquery(_));
    match condition {
        Ast::Exists { negated, .. } => !negated,
        Ast::BinaryOp { left, op: BinaryOperator::Eq, right } => is_query(left) || is_query(right),
        other => in_subquery(other).is_some_and(|among| !among.negated),
    }
}

/// The parts of a condition that all have to hold.
pub fn conjuncts(condition: &Ast) -> Vec<&Ast> {
    match condition {
        Ast::BinaryOp { left, op: BinaryOperator::And, right } => {
            let mut all = conjuncts(left);
            all.extend(conjuncts(right));
            all
        }
        Ast::Nested(inner) => conjuncts(inner),
        other => vec![other],
    }
}

/// The parts of a condition of which one has to hold.
fn disjuncts(condition: &Ast) -> Vec<&Ast> {
    match condition {
        Ast::BinaryOp { left, op: BinaryOperator::Or, right } => {
            let mut all = disjuncts(left);
            all.extend(disjuncts(right));
            all
        }
        Ast::Nested(inner) => disjuncts(inner),
        other => vec![other],
    }
}

/// Whether a condition consists of equalities.
pub(super) fn is_equality(condition: &Ast) -> bool {
    conjuncts(condition).iter().all(|c| matches!(c, Ast::BinaryOp { op: BinaryOperator::Eq, .. }))
}

/// One side of an equality, as written and as resolved.
#[derive(Clone, Copy)]
struct Side<'a, 'e> {
    written: &'a Ast,
    value: &'e Expr,
}

impl<'a, 'e> Side<'a, 'e> {
    fn new(written: &'a Ast, value: &'e Expr) -> Self {
        match written {
            Ast::Nested(inner) => Side::new(inner, value),
            _ => Side { written, value },
        }
    }

    /// The fields of a row.
    fn fields(self) -> Option<Vec<Side<'a, 'e>>> {
        match (self.written, &self.value.kind) {
            (Ast::Tuple(written), ExprKind::Apply(values)) if written.len() == values.len() => {
                Some(written.iter().zip(values).map(|(w, v)| Side::new(w, v)).collect())
            }
            _ => None,
        }
    }
}

/// `a = b`, or `(a, b) = (c, d)` pair by pair.
fn equal_pairs<'a, 'e>(conjunct: &'a Ast, expr: &'e Expr) -> Vec<(Side<'a, 'e>, Side<'a, 'e>)> {
    let Ast::BinaryOp { left, op: BinaryOperator::Eq, right } = conjunct else { return Vec::new() };
    let ExprKind::Apply(sides) = &expr.kind else { return Vec::new() };
    let [left_value, right_value] = sides.as_slice() else { return Vec::new() };
    let (left, right) = (Side::new(left, left_value), Side::new(right, right_value));
    match (left.fields(), right.fields()) {
        (Some(l), Some(r)) if l.len() == r.len() => l.into_iter().zip(r).collect(),
        _ => vec![(left, right)],
    }
}
