//! Writing a tree of edits as bytes.
//!
//! In: a tree and the node to begin at. Out: a document, appended to a buffer. Always: one pass and
//! one copy, with an explicit stack; what was not opened is copied as runs; the layout is the one
//! PostgreSQL would build.

use crate::container::{Container, Value};
use crate::error::{CoreError, Result};
use crate::tree::{ArrayEdit, Node, NodeId, ObjectEdit, Segment, Slot, Tree};
use crate::writer::{ContainerWriter, Shape};

/// What comes next in a container: a run of the original's entries, or one child.
enum Piece<'a> {
    Run(usize, usize),
    Child(Slot<'a>),
}

/// A container being written.
struct Frame<'a> {
    writer: ContainerWriter,
    base: Option<Container<'a>>,
    pieces: std::vec::IntoIter<Piece<'a>>,
}

/// Appends the container of `root` as a document.
pub(crate) fn encode(tree: &Tree<'_>, root: NodeId, out: &mut Vec<u8>) -> Result<()> {
    let origin = out.len();
    let mut outer = Vec::new();
    let mut frame = open(tree.node(root)?, out, origin)?;
    loop {
        if let Some(nested) = write_pieces(&mut frame, out)? {
            let inner = open(tree.node(nested)?, out, origin)?;
            outer.push(std::mem::replace(&mut frame, inner));
            continue;
        }
        let length = frame.writer.finish(out)?;
        match outer.pop() {
            Some(parent) => frame = parent,
            None => return Ok(()),
        }
        frame.writer.push_nested(out, length)?;
    }
}

/// Appends any value as a document: a scalar gets the container that stands for one.
pub(crate) fn encode_value(value: Value<'_>, out: &mut Vec<u8>) -> Result<()> {
    if let Value::Array(container) | Value::Object(container) = value {
        out.extend_from_slice(container.as_bytes());
        return Ok(());
    }
    let origin = out.len();
    let mut writer = ContainerWriter::begin(out, origin, Shape::Scalar, 1)?;
    writer.push(out, value)?;
    writer.finish(out).map(drop)
}

/// Appends whatever `slot` holds as a document.
pub(crate) fn encode_slot(tree: &Tree<'_>, slot: Slot<'_>, out: &mut Vec<u8>) -> Result<()> {
    match slot {
        Slot::Kept(value) => encode_value(value, out),
        Slot::Opened(id) => encode(tree, id, out),
    }
}

/// Writes until the container ends (`None`) or an opened child comes, which has to be written next.
fn write_pieces(frame: &mut Frame<'_>, out: &mut Vec<u8>) -> Result<Option<NodeId>> {
    for piece in frame.pieces.by_ref() {
        match (piece, &frame.base) {
            (Piece::Run(start, end), Some(base)) => frame.writer.push_run(out, base, start, end)?,
            (Piece::Run(..), None) => {}
            (Piece::Child(Slot::Kept(value)), _) => frame.writer.push(out, value)?,
            (Piece::Child(Slot::Opened(id)), _) => return Ok(Some(id)),
        }
    }
    Ok(None)
}

fn open<'a>(node: &Node<'a>, out: &mut Vec<u8>, origin: usize) -> Result<Frame<'a>> {
    match node {
        Node::Object(object) => open_object(object, out, origin),
        Node::Array(array) => open_array(array, out, origin),
    }
}

fn open_array<'a>(array: &ArrayEdit<'a>, out: &mut Vec<u8>, origin: usize) -> Result<Frame<'a>> {
    let writer = ContainerWriter::begin(out, origin, Shape::Array, array.len)?;
    let pieces = array.segments.iter().map(|segment| match segment {
        Segment::Run(run) => Piece::Run(run.start, run.end),
        Segment::One(slot) => Piece::Child(*slot),
    });
    Ok(Frame { writer, base: array.base, pieces: pieces.collect::<Vec<_>>().into_iter() })
}

/// Begins an object and writes its keys, which come before all values.
fn open_object<'a>(object: &ObjectEdit<'a>, out: &mut Vec<u8>, origin: usize) -> Result<Frame<'a>> {
    let plan = plan_pairs(object)?;
    let count = plan.iter().map(PairPiece::len).sum();
    let mut writer = ContainerWriter::begin(out, origin, Shape::Object, count)?;
    let base_len = object.base.map_or(0, |base| base.len());
    let mut pieces = Vec::with_capacity(plan.len());
    for piece in plan {
        match (piece, &object.base) {
            (PairPiece::Run(start, end), Some(base)) => {
                writer.push_run(out, base, start, end)?;
                pieces.push(Piece::Run(base_len + start, base_len + end));
            }
            (PairPiece::Run(..), None) => {}
            (PairPiece::Pair(key, slot), _) => {
                writer.push(out, Value::String(key))?;
                pieces.push(Piece::Child(slot));
            }
        }
    }
    Ok(Frame { writer, base: object.base, pieces: pieces.into_iter() })
}

/// What comes next in an object: a run of the original's pairs, or one other pair.
enum PairPiece<'a> {
    Run(usize, usize),
    Pair(&'a [u8], Slot<'a>),
}

impl PairPiece<'_> {
    fn len(&self) -> usize {
        match self {
            PairPiece::Run(start, end) => end - start,
            PairPiece::Pair(..) => 1,
        }
    }
}

/// Merges the edited pairs into the original's, both being in order.
fn plan_pairs<'a>(object: &ObjectEdit<'a>) -> Result<Vec<PairPiece<'a>>> {
    let mut plan = Vec::with_capacity(object.pairs.len().saturating_mul(2).saturating_add(1));
    let mut done = 0;
    for (key, slot) in &object.pairs {
        if let Some(base) = &object.base {
            let (at, next) = match base.search(key.0)? {
                Ok(index) => (index, index + 1),
                Err(index) => (index, index),
            };
            if at < done {
                return Err(CoreError::corrupt("an object's keys are not in order"));
            }
            if done < at {
                plan.push(PairPiece::Run(done, at));
            }
            done = next;
        }
        plan.push(PairPiece::Pair(key.0, *slot));
    }
    if let Some(base) = object.base.filter(|base| done < base.len()) {
        plan.push(PairPiece::Run(done, base.len()));
    }
    Ok(plan)
}
