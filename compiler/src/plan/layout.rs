//! Layout: where the parts of a view's query stand in its text.
//!
//! In: a view as it is written and as it was resolved. Out: a [`Layout`]: the bytes of the select items, of the values in the
//! documents that are built there, and of the arrays among these with their elements. What always holds: what stands at the
//! bytes of a value is the expression that was resolved for its path, alone; where the text has another form than these, it
//! is not listed.

use std::collections::BTreeSet;
use std::ops::Range;

use sqlparser::ast::SetExpr;
use sqlparser::tokenizer::Token;

use crate::catalog::View;
use crate::cut::Text;
use crate::names::Ident;
use crate::resolve::{ArrayAgg, BlockId, Expr, ExprKind, FlatView, JsonType};

/// Where the parts of a query stand, in bytes.
#[derive(Clone, Debug)]
pub struct Layout {
    /// The select list.
    pub list: Range<usize>,
    /// The expressions in it, one per output column.
    pub items: Vec<Range<usize>>,
    /// Where the FROM clause ends.
    pub from_end: usize,
    /// What follows the conditions: the order of rows.
    pub order: Option<Range<usize>>,
    /// The values that the documents are put together from; the order is that of the text.
    pub values: Vec<Value>,
    /// All words of the text: what is written into it is called otherwise.
    pub words: BTreeSet<Ident>,
}

/// An array whose elements are told apart: that of a value, or one in the elements of another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ArrayId {
    /// Index of the value in the layout.
    pub value: usize,
    /// From there inwards: which of the arrays in the element.
    pub inner: Vec<usize>,
}

impl ArrayId {
    /// The array that a value is.
    pub fn outermost(value: usize) -> Self {
        ArrayId { value, inner: Vec::new() }
    }

    /// Those that it is in, the outermost first, and itself.
    pub fn chain(&self) -> impl DoubleEndedIterator<Item = ArrayId> {
        let of = |depth| ArrayId { value: self.value, inner: self.inner[..depth].to_vec() };
        (0..=self.inner.len()).map(of)
    }

    /// The array in whose elements it is.
    pub fn around(&self) -> Option<ArrayId> {
        let (_, around) = self.inner.split_last()?;
        Some(ArrayId { value: self.value, inner: around.to_vec() })
    }

    /// One in its elements.
    fn within(&self, number: usize) -> ArrayId {
        let inner = self.inner.iter().copied().chain([number]).collect();
        ArrayId { value: self.value, inner }
    }
}

impl Layout {
    /// An array, and the fields that lead to it: from the output column, or from the element around it.
    pub fn array(&self, id: &ArrayId) -> Option<(&[String], &ArrayText)> {
        let value = self.values.get(id.value)?;
        let outermost = (value.path.as_slice(), value.array.as_ref()?);
        id.inner.iter().try_fold(outermost, |(_, around), number| {
            let inner = around.inner.get(*number)?;
            Some((inner.path.as_slice(), &inner.array))
        })
    }

    /// All arrays, each behind the one that it is in.
    pub fn arrays(&self) -> Vec<ArrayId> {
        let of_value = |(id, value): (usize, &Value)| value.array.is_some().then(|| ArrayId::outermost(id));
        let mut all: Vec<ArrayId> = self.values.iter().enumerate().filter_map(of_value).collect();
        let mut next = 0;
        while let Some(id) = all.get(next).cloned() {
            let inner = self.array(&id).map_or(0, |(_, array)| array.inner.len());
            all.extend((0..inner).map(|number| id.within(number)));
            next += 1;
        }
        all
    }
}

/// A value that can be computed by itself.
#[derive(Clone, Debug)]
pub struct Value {
    /// The output column.
    pub output: usize,
    /// Fields from the root of the document; empty where the output column itself is the value.
    pub path: Vec<String>,
    /// Its text.
    pub at: Range<usize>,
    /// The relation of which it is a jsonb column, where that is all that is written.
    pub column_of: Option<Ident>,
    /// Where it is an array that a subquery aggregates.
    pub array: Option<ArrayText>,
}

/// `(SELECT jsonb_agg(element ORDER BY sort) FILTER (WHERE filter) FROM from WHERE conditions)`.
#[derive(Clone, Debug)]
pub struct ArrayText {
    /// The subquery.
    pub block: BlockId,
    /// The element.
    pub element: Range<usize>,
    /// What its elements are sorted by.
    pub sorts: Vec<Sort>,
    /// FILTER.
    pub filter: Option<Range<usize>>,
    /// What stands behind FROM.
    pub from: Range<usize>,
    /// What stands behind WHERE.
    pub conditions: Option<Range<usize>>,
    /// Arrays of the same form in the element.
    pub inner: Vec<InnerArray>,
}

/// An array in the elements of another one.
#[derive(Clone, Debug)]
pub struct InnerArray {
    /// Fields from the element.
    pub path: Vec<String>,
    /// The array.
    pub array: ArrayText,
}

/// One of the expressions of an ORDER BY.
#[derive(Clone, Debug)]
pub struct Sort {
    /// The expression.
    pub at: Range<usize>,
    /// DESC.
    pub descending: bool,
    /// NULLs come first.
    pub nulls_first: bool,
}

/// The layout of a view's query, where it is a plain SELECT that names what it selects.
pub(super) fn layout(text: &Text, view: &View, flat: &FlatView) -> Option<Layout> {
    let SetExpr::Select(select) = view.query.body.as_ref() else { return None };
    let tokens = text.tokens();
    let clauses = text.clauses(text.outermost()?, tokens.end)?;
    let is_order = clauses.rest.is_empty() || text.is_word(clauses.rest.start, "order");
    let items = text.items(clauses.list.clone());
    let same = items.len() == select.projection.len() && items.len() == flat.outputs.len();
    if !same || !is_order || text.computes_windows(tokens.clone()) {
        return None;
    }
    let items = items.iter().zip(&select.projection).map(|(item, selected)| text.selected(item, selected));
    let items: Vec<Range<usize>> = items.collect::<Option<_>>()?;
    let mut reader = Reader { text, values: Vec::new() };
    for (output, (item, column)) in items.iter().zip(&flat.outputs).enumerate() {
        reader.value(item.clone(), &column.expr, output, &mut Vec::new());
    }
    Some(Layout {
        list: text.bytes(&clauses.list),
        items: items.iter().map(|item| text.bytes(item)).collect(),
        from_end: text.bytes(&clauses.from).end,
        order: (!clauses.rest.is_empty()).then(|| text.bytes(&clauses.rest)),
        values: reader.values,
        words: tokens.filter_map(|at| text.name(at)).collect(),
    })
}

/// The fields of an object, and where their values stand.
type Fields<'e> = Vec<(&'e (String, Expr), Range<usize>)>;

/// An aggregate, what stands in its parentheses, and FILTER.
type Aggregate<'e> = (&'e ArrayAgg, Range<usize>, Option<Range<usize>>);

struct Reader<'t> {
    text: &'t Text<'t>,
    values: Vec<Value>,
}

impl Reader<'_> {
    /// What stands at the tokens as values: of an object that is written there, its fields.
    fn value(&mut self, at: Range<usize>, expr: &Expr, output: usize, path: &mut Vec<String>) {
        if let Some(fields) = self.object(&at, expr) {
            for ((name, value), at) in fields {
                path.push(name.clone());
                self.value(at, value, output, path);
                path.pop();
            }
        } else if !matches!(expr.kind, ExprKind::Constant) {
            let array = self.array(at.clone(), expr);
            let column_of = self.relation(&at).filter(|_| expr.json == Some(JsonType::Jsonb));
            self.values.push(Value { output, path: path.clone(), at: self.text.bytes(&at), column_of, array });
        }
    }

    /// The arrays in an element.
    fn inner(&self, at: Range<usize>, expr: &Expr, path: &mut Vec<String>, found: &mut Vec<InnerArray>) {
        if let Some(fields) = self.object(&at, expr) {
            for ((name, value), at) in fields {
                path.push(name.clone());
                self.inner(at, value, path, found);
                path.pop();
            }
        } else if let Some(array) = self.array(at, expr) {
            found.push(InnerArray { path: path.clone(), array });
        }
    }

    /// The relation of `relation.column`.
    fn relation(&self, at: &Range<usize>) -> Option<Ident> {
        let is_qualified = at.len() == 3 && *self.text.token(at.start + 1) == Token::Period;
        self.text.name(at.start).filter(|_| is_qualified)
    }

    /// The fields of `jsonb_build_object(…)`, and where their values stand.
    fn object<'e>(&self, at: &Range<usize>, expr: &'e Expr) -> Option<Fields<'e>> {
        let ExprKind::Object(fields) = &expr.kind else { return None };
        let (inside, after) = self.text.call(at, "jsonb_build_object")?;
        let arguments = self.text.items(inside);
        let distinct: BTreeSet<&String> = fields.iter().map(|(name, _)| name).collect();
        let is_field = |((name, _), pair): (&(String, Expr), &[Range<usize>])| match self.text.token(pair[0].start) {
            Token::SingleQuotedString(written) => pair[0].len() == 1 && written == name,
            _ => false,
        };
        let is_written = expr.json == Some(JsonType::Jsonb)
            && after.is_empty()
            && arguments.len() == 2 * fields.len()
            && distinct.len() == fields.len()
            && fields.iter().zip(arguments.chunks(2)).all(is_field);
        is_written.then(|| fields.iter().zip(arguments.chunks(2).map(|pair| pair[1].clone())).collect())
    }

    /// `coalesce(array, constant)` or a subquery that aggregates.
    fn array(&self, at: Range<usize>, expr: &Expr) -> Option<ArrayText> {
        match &expr.kind {
            ExprKind::Coalesce(list) => {
                let (inside, after) = self.text.call(&at, "coalesce")?;
                let first = self.coalesced(inside).filter(|_| after.is_empty())?;
                self.array(first, coalesced(list)?)
            }
            ExprKind::Subquery(block, inner) => {
                if !self.text.is_in_parentheses(&at) || !self.text.is_word(at.start + 1, "select") {
                    return None;
                }
                let clauses = self.text.clauses(at.start + 1, at.end - 1)?;
                let items = self.text.items(clauses.list);
                let [item] = items.as_slice() else { return None };
                let (agg, inside, filter) = self.aggregate(item, inner)?;
                if agg.block != *block || !clauses.rest.is_empty() {
                    return None;
                }
                let from = self.text.bytes(&clauses.from);
                let conditions = clauses.conditions.map(|c| self.text.bytes(&c));
                self.aggregated(
                    agg,
                    inside,
                    ArrayText {
                        block: *block,
                        element: 0..0,
                        sorts: Vec::new(),
                        filter,
                        from,
                        conditions,
                        inner: Vec::new(),
                    },
                )
            }
            _ => None,
        }
    }

    /// The aggregate of a select item, what stands in its parentheses, and FILTER.
    fn aggregate<'e>(&self, item: &Range<usize>, expr: &'e Expr) -> Option<Aggregate<'e>> {
        match &expr.kind {
            ExprKind::Coalesce(list) => {
                let (inside, after) = self.text.call(item, "coalesce")?;
                let first = self.coalesced(inside).filter(|_| self.is_alias(&after))?;
                self.aggregate(&first, coalesced(list)?)
            }
            ExprKind::ArrayAgg(agg) => {
                let (inside, after) = self.text.call(item, "jsonb_agg")?;
                if !self.text.is_word(after.start, "filter") {
                    return self.is_alias(&after).then_some((agg, inside, None));
                }
                let open = after.start + 1;
                let close = self.text.closing(open).filter(|close| *close < after.end)?;
                let is_filter = self.text.is_word(open + 1, "where") && self.is_alias(&(close + 1..after.end));
                is_filter.then(|| (agg.as_ref(), inside, Some(self.text.bytes(&(open + 2..close)))))
            }
            _ => None,
        }
    }

    /// The first operand, where the others are written as no array with elements: these would stay when the first one comes.
    fn coalesced(&self, inside: Range<usize>) -> Option<Range<usize>> {
        let mut operands = self.text.items(inside).into_iter();
        let first = operands.next()?;
        let shows_no_element = |at: Range<usize>| {
            let at = self.text.call(&at, "cast").map_or(at, |(inside, _)| inside);
            match self.text.token(at.start) {
                Token::SingleQuotedString(text) => serde_json::from_str::<serde_json::Value>(text)
                    .is_ok_and(|value| value.as_array().is_none_or(Vec::is_empty)),
                _ => self.text.is_word(at.start, "null"),
            }
        };
        operands.all(shows_no_element).then_some(first)
    }

    /// Nothing, or a name that nobody reads.
    fn is_alias(&self, at: &Range<usize>) -> bool {
        let names = if self.text.is_word(at.start, "as") { at.start + 1..at.end } else { at.clone() };
        at.is_empty() || names.len() == 1 && matches!(self.text.token(names.start), Token::Word(_))
    }

    /// Element and order, from what stands in the parentheses of the aggregate.
    fn aggregated(&self, agg: &ArrayAgg, inside: Range<usize>, array: ArrayText) -> Option<ArrayText> {
        let is_order = |at: &usize| self.text.is_word(*at, "order") && self.text.is_word(*at + 1, "by");
        let order = self.text.level(inside.clone()).into_iter().find(is_order);
        let element = inside.start..order.unwrap_or(inside.end);
        let sorts = order.map(|at| self.text.items(at + 2..inside.end)).unwrap_or_default();
        let sorts: Vec<Sort> = sorts.into_iter().map(|sort| self.sort(sort)).collect::<Option<_>>()?;
        if agg.distinct || sorts.len() != agg.order_by.len() || self.text.items(element.clone()).len() != 1 {
            return None;
        }
        let mut inner = Vec::new();
        self.inner(element.clone(), &agg.element, &mut Vec::new(), &mut inner);
        Some(ArrayText { element: self.text.bytes(&element), sorts, inner, ..array })
    }

    /// `(a, b)` or `ROW(…)`: a view has no column of that type.
    fn is_row(&self, at: &Range<usize>) -> bool {
        let is_list = |at: &Range<usize>| self.text.items(at.start + 1..at.end - 1).len() > 1;
        let is_nested = |at: &Range<usize>| self.is_row(&(at.start + 1..at.end - 1));
        self.text.call(at, "row").is_some() || self.text.is_in_parentheses(at) && (is_list(at) || is_nested(at))
    }

    fn sort(&self, at: Range<usize>) -> Option<Sort> {
        let is = |at: usize, word: &str| self.text.is_word(at, word);
        let mut end = at.end;
        let nulls = (end > at.start + 2 && is(end - 2, "nulls")).then(|| is(end - 1, "first"));
        end -= if nulls.is_some() { 2 } else { 0 };
        let descending = is(end - 1, "desc");
        end -= usize::from(descending || is(end - 1, "asc"));
        let by_operator = self.text.level(at.clone()).into_iter().any(|at| is(at, "using"));
        (at.start < end && !by_operator && !self.is_row(&(at.start..end))).then(|| Sort {
            at: self.text.bytes(&(at.start..end)),
            descending,
            nulls_first: nulls.unwrap_or(descending),
        })
    }
}

/// The only operand that is no constant, where it is the first.
fn coalesced(list: &[Expr]) -> Option<&Expr> {
    let (first, others) = list.split_first()?;
    others.iter().all(|e| matches!(e.kind, ExprKind::Constant)).then_some(first)
}
