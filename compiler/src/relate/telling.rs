//! Telling rows of different variants apart.
//!
//! In: output columns that identify rows within each variant. Out: those and what else is needed for rows of two variants
//! never to have the same key: a column of different constants for the sides of a set operation; for a FULL JOIN
//! what it compares, merged by USING or COALESCE, because rows of both joins with equal values are one row. Where rows of both
//! sides fall into one group, the key has to tell the group's values, whichever side they come from.

use std::collections::BTreeSet;

use super::injective::label;
use super::sides::tell_groups;
use crate::catalog::Catalog;
use crate::diagnostics::{Code, Diagnostic};
use crate::resolve::{BlockId, Expr, ExprKind, FlatView, Piece, TOP};

/// The outputs of a key over all variants that give rows.
pub(super) fn tell_apart(
    view: &FlatView,
    giving: &[&(Vec<usize>, FlatView)],
    mut outputs: Vec<usize>,
    catalog: &Catalog,
) -> Result<Vec<usize>, Box<Diagnostic>> {
    for alternative in 0..view.alternatives.len() {
        let chosen = |(choice, _): &&&(Vec<usize>, FlatView)| choice[alternative];
        let is_either = giving.iter().map(|v| chosen(&v)).collect::<BTreeSet<_>>().len() > 1;
        if is_either && !view.alternatives[alternative].is_full_join() {
            tell_groups(view, alternative, giving, &mut outputs, catalog)?;
        }
    }
    for (at, (choice, one)) in giving.iter().enumerate() {
        for (other_choice, other) in &giving[at + 1..] {
            let differing: Vec<usize> = (0..choice.len())
                .filter(|n| choice[*n] != other_choice[*n] && splits_rows(view, view.alternatives[*n].block))
                .collect();
            let same_rows = differing.is_empty();
            if same_rows || outputs.iter().any(|o| differ(one, other, *o, catalog)) {
                continue;
            }
            let full_joins = differing.iter().filter(|n| view.alternatives[**n].is_full_join());
            if let Some(merged) = full_joins.filter_map(|n| merged(view, *n)).next() {
                outputs.extend(merged);
                outputs.sort_unstable();
                outputs.dedup();
                continue;
            }
            match (0..view.outputs.len()).find(|o| differ(one, other, *o, catalog)) {
                Some(output) => outputs.push(output),
                None => return Err(untold(view, differing[0])),
            }
        }
    }
    Ok(outputs)
}

/// Whether rows of a block are rows of the view: not where they are grouped on the way.
fn splits_rows(view: &FlatView, block: BlockId) -> bool {
    let state = &view.blocks[block.0];
    if state.grouped.is_some() || state.aggregated {
        return false;
    }
    block == TOP || view.derived_by(block).is_some_and(|d| splits_rows(view, d.block))
}

/// The outputs that show all that the FULL JOIN compares.
fn merged(view: &FlatView, alternative: usize) -> Option<Vec<usize>> {
    if !view.alternatives[alternative].merges {
        return None;
    }
    let pairs = view.full_join_pairs(alternative);
    let output = |left: &Expr| view.outputs.iter().position(|o| shows(view, &o.expr, alternative, left));
    let outputs: Vec<usize> = pairs.iter().map(|(left, _)| output(left)).collect::<Option<_>>()?;
    (!outputs.is_empty()).then_some(outputs)
}

/// Whether an expression is the value that a FULL JOIN compares, on whichever side it is: perhaps merged again with that of
/// further tables.
fn shows(view: &FlatView, expr: &Expr, alternative: usize, left: &Expr) -> bool {
    let ExprKind::Either(n, list) = &expr.kind else { return false };
    if *n == alternative {
        return list.first().is_some_and(|e| e.is_same(left));
    }
    let merges = view.alternatives[*n].merges
        && view.full_join_pairs(*n).iter().any(|(left, _)| list.first().is_some_and(|e| e.is_same(left)));
    merges && list.iter().any(|e| shows(view, e, alternative, left))
}

/// Whether a column is another constant in each of two variants, or begins with another one.
fn differ(one: &FlatView, other: &FlatView, output: usize, catalog: &Catalog) -> bool {
    let labelled = |view: &FlatView| label(view, catalog, &view.outputs[output].expr.as_term()?);
    if let (Some(a), Some(b)) = (labelled(one), labelled(other)) {
        return !a.starts_with(&b) && !b.starts_with(&a);
    }
    let constant = |view: &FlatView| {
        let formula = view.outputs[output].expr.formula.clone()?;
        match formula.pieces.as_slice() {
            [Piece::Text(text)] => literal(text),
            _ => None,
        }
    };
    matches!((constant(one), constant(other)), (Some(a), Some(b)) if a != b)
}

/// Literals of which different texts are different values: plain strings without a cast, whole numbers, true and false.
fn literal(text: &str) -> Option<String> {
    let word = text.trim().to_ascii_lowercase();
    if matches!(word.as_str(), "true" | "false") {
        return Some(word);
    }
    let whole = text.parse::<i64>().ok().map(|n| n.to_string());
    let text = text.strip_suffix("::text").unwrap_or(text);
    let inner = text.strip_prefix('\'').and_then(|t| t.strip_suffix('\''));
    whole.or_else(|| inner.filter(|t| !t.contains('\'')).map(|t| format!("'{t}'")))
}

fn untold(view: &FlatView, alternative: usize) -> Box<Diagnostic> {
    let title = format!("no key of view `{}` can be found", view.name.name);
    let alternative = &view.alternatives[alternative];
    let diagnostic = Diagnostic::new(Code::MissingKey, title, view.span)
        .label("its rows must be identified by columns beside the document");
    Box::new(if alternative.is_full_join() {
        diagnostic
            .also(alternative.span, "rows of both sides of this FULL JOIN can have the same key")
            .help("join by USING (…) and select the merged columns")
    } else {
        diagnostic
            .also(alternative.span, "rows of different sides can have the same key")
            .help("select a constant that tells the sides apart: `SELECT 'order' AS kind, …`")
    })
}
