//! A document with edits pending: only the containers on the paths of the edits are opened.
//!
//! In: a document, and steps that replace, insert or remove children. Out: a tree in which
//! unchanged children are still runs of the original container. Always: nodes live in one vector
//! and refer to each other by number, so neither dropping nor writing a tree of any depth recurses;
//! nothing is copied before writing.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::container::{Container, Value, compare_keys};
use crate::error::{CoreError, Result};

/// The number of an opened container.
pub(crate) type NodeId = usize;

/// A child: as stored somewhere, or opened.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Slot<'a> {
    Kept(Value<'a>),
    Opened(NodeId),
}

/// An opened container.
#[derive(Debug)]
pub(crate) enum Node<'a> {
    Object(ObjectEdit<'a>),
    Array(ArrayEdit<'a>),
}

/// A key in the order in which objects store keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key<'a>(pub &'a [u8]);

impl Ord for Key<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        compare_keys(self.0, other.0)
    }
}

impl PartialOrd for Key<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// An object and the pairs that replace or extend its own.
#[derive(Debug, Default)]
pub(crate) struct ObjectEdit<'a> {
    pub base: Option<Container<'a>>,
    pub pairs: BTreeMap<Key<'a>, Slot<'a>>,
}

impl<'a> ObjectEdit<'a> {
    pub fn get(&self, key: &[u8]) -> Result<Option<Slot<'a>>> {
        if let Some(slot) = self.pairs.get(&Key(key)) {
            return Ok(Some(*slot));
        }
        match &self.base {
            Some(base) => Ok(base.get(key)?.map(Slot::Kept)),
            None => Ok(None),
        }
    }

    pub fn set(&mut self, key: &'a [u8], slot: Slot<'a>) {
        self.pairs.insert(Key(key), slot);
    }
}

/// Part of an array: elements of the original, or one other element.
#[derive(Debug, Clone)]
pub(crate) enum Segment<'a> {
    Run(Range<usize>),
    One(Slot<'a>),
}

impl Segment<'_> {
    pub fn len(&self) -> usize {
        match self {
            Segment::Run(run) => run.len(),
            Segment::One(_) => 1,
        }
    }
}

/// An array as a sequence of segments, none of them empty.
#[derive(Debug, Default)]
pub(crate) struct ArrayEdit<'a> {
    pub base: Option<Container<'a>>,
    pub segments: Vec<Segment<'a>>,
    pub len: usize,
}

impl<'a> ArrayEdit<'a> {
    fn new(base: Container<'a>) -> Self {
        let len = base.len();
        let segments = if len == 0 { Vec::new() } else { vec![Segment::Run(0..len)] };
        ArrayEdit { base: Some(base), segments, len }
    }

    /// The element at `index`, which must be less than the length.
    pub fn get(&self, index: usize) -> Result<Slot<'a>> {
        let (at, within) = self.locate(index);
        match (self.segments.get(at), &self.base) {
            (Some(Segment::One(slot)), _) => Ok(*slot),
            (Some(Segment::Run(run)), Some(base)) => base.element(run.start + within).map(Slot::Kept),
            _ => Err(CoreError::corrupt("an element beyond the array")),
        }
    }

    /// Replaces `removed` elements from `index` on by `inserted`.
    pub fn splice(&mut self, index: usize, removed: usize, inserted: Option<Slot<'a>>) {
        let first = self.split(index);
        let last = self.split(index.saturating_add(removed));
        let added = usize::from(inserted.is_some());
        self.segments.splice(first..last, inserted.map(Segment::One));
        self.len = self.len.saturating_sub(removed).saturating_add(added);
    }

    pub fn push(&mut self, slot: Slot<'a>) {
        self.segments.push(Segment::One(slot));
        self.len += 1;
    }

    /// The segment that holds `index`, and how far into it.
    fn locate(&self, index: usize) -> (usize, usize) {
        let mut rest = index;
        for (at, segment) in self.segments.iter().enumerate() {
            if rest < segment.len() {
                return (at, rest);
            }
            rest -= segment.len();
        }
        (self.segments.len(), 0)
    }

    /// Makes a segment begin at `index`; returns its position.
    fn split(&mut self, index: usize) -> usize {
        let (at, within) = self.locate(index);
        if within == 0 {
            return at;
        }
        if let Some(Segment::Run(run)) = self.segments.get_mut(at) {
            let tail = run.start + within..run.end;
            run.end = tail.start;
            self.segments.insert(at + 1, Segment::Run(tail));
        }
        at + 1
    }
}

/// Where a slot is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Holder<'a> {
    Root,
    Pair(NodeId, &'a [u8]),
    Element(NodeId, usize),
}

/// The document with its edits.
#[derive(Debug)]
pub(crate) struct Tree<'a> {
    nodes: Vec<Node<'a>>,
    pub root: Slot<'a>,
    /// Whether anything was edited; opening alone edits nothing.
    pub changed: bool,
}

impl<'a> Tree<'a> {
    pub fn new(root: Slot<'a>) -> Self {
        Tree { nodes: Vec::new(), root, changed: false }
    }

    pub fn add(&mut self, node: Node<'a>) -> NodeId {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    pub fn node(&self, id: NodeId) -> Result<&Node<'a>> {
        self.nodes.get(id).ok_or_else(no_node)
    }

    pub fn object_mut(&mut self, id: NodeId) -> Option<&mut ObjectEdit<'a>> {
        match self.nodes.get_mut(id) {
            Some(Node::Object(object)) => Some(object),
            _ => None,
        }
    }

    pub fn array_mut(&mut self, id: NodeId) -> Option<&mut ArrayEdit<'a>> {
        match self.nodes.get_mut(id) {
            Some(Node::Array(array)) => Some(array),
            _ => None,
        }
    }

    /// Opens the container in `slot`, which `holder` keeps; a scalar is given back instead.
    pub fn open(&mut self, holder: Holder<'a>, slot: Slot<'a>) -> std::result::Result<NodeId, Value<'a>> {
        let node = match slot {
            Slot::Opened(id) => return Ok(id),
            Slot::Kept(Value::Object(base)) => Node::Object(ObjectEdit { base: Some(base), pairs: BTreeMap::new() }),
            Slot::Kept(Value::Array(base)) => Node::Array(ArrayEdit::new(base)),
            Slot::Kept(scalar) => return Err(scalar),
        };
        let id = self.add(node);
        self.put(holder, Slot::Opened(id));
        Ok(id)
    }

    /// Replaces what `holder` keeps.
    pub fn put(&mut self, holder: Holder<'a>, slot: Slot<'a>) {
        match holder {
            Holder::Root => self.root = slot,
            Holder::Pair(id, key) => {
                if let Some(object) = self.object_mut(id) {
                    object.set(key, slot);
                }
            }
            Holder::Element(id, index) => {
                if let Some(array) = self.array_mut(id) {
                    array.splice(index, 1, Some(slot));
                }
            }
        }
    }
}

/// Node numbers only come from [`Tree::add`], so this is never seen.
fn no_node() -> CoreError {
    CoreError::corrupt("a reference to a node that does not exist")
}
