//! The edits themselves, on a tree.
//!
//! In: a tree, a path and operands as documents. Out: the tree with the edit pending. Always: each
//! edit sees the ones before it; the operands are checked before the path, and the path before the
//! search.
//!
//! How a path is followed, for every edit:
//!
//! | at a path element | what happens |
//! |---|---|
//! | object with the key | go on |
//! | object without it, or a missing level | merging, upserting and inserting create objects from there on; the others change nothing |
//! | array, integer in range (negative from the end) | go on |
//! | array, integer out of range | merging, upserting and inserting: `IndexOutOfRange`; the others change nothing |
//! | array, not an integer | `InvalidIndex` |
//! | scalar, JSON `null` included | `NotAnObject`, naming the path of the scalar |
//!
//! At the end of the path a merge needs an object and the array edits need an array; anything else
//! that is there, JSON `null` included, is an error naming the path.

use crate::compare::same_value;
use crate::container::{Container, Value};
use crate::encode::encode_slot;
use crate::error::{CoreError, Kind, Place, Result};
use crate::path::{PathText, insertion_point, parse_integer, resolve};
use crate::tree::{ArrayEdit, Holder, Node, NodeId, ObjectEdit, Segment, Slot, Tree};

/// What to create where the path ends and nothing is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Create {
    Nothing,
    Object,
    Array,
}

/// Which elements of an array are meant: the first whose value for `key` equals `value`.
#[derive(Clone, Copy)]
pub(crate) struct Match<'a> {
    pub key: &'a [u8],
    pub value: Value<'a>,
}

impl<'a> Tree<'a> {
    /// Merges the pairs of `patch` into the object at `path`, creating it if missing.
    pub fn merge(&mut self, path: &'a [&'a [u8]], patch: Container<'a>) -> Result<()> {
        match self.walk(path, Create::Object)? {
            Some(id) => self.merge_node(id, path, patch),
            None => Ok(()),
        }
    }

    /// Merges `patch` into the matching element of the array at `path`.
    pub fn update_where(&mut self, path: &'a [&'a [u8]], wanted: Match<'a>, patch: Container<'a>) -> Result<()> {
        let Some((array, Some(index))) = self.find(path, wanted, Create::Nothing)? else {
            return Ok(());
        };
        let slot = self.array(array, path)?.get(index)?;
        match self.open(Holder::Element(array, index), slot) {
            // Only objects match, so the path of the array is never shown for this.
            Ok(id) => self.merge_node(id, path, patch),
            Err(scalar) => Err(not_an_object(path, path.len(), scalar.kind())),
        }
    }

    /// Replaces the matching element, or appends one, creating the array if missing.
    pub fn upsert_where(&mut self, path: &'a [&'a [u8]], wanted: Match<'a>, element: Value<'a>) -> Result<()> {
        let Some((array, found)) = self.find(path, wanted, Create::Array)? else {
            return Ok(());
        };
        let len = self.array(array, path)?.len;
        let (index, removed) = found.map_or((len, 0), |index| (index, 1));
        self.splice(array, index, removed, Some(Slot::Kept(element)));
        Ok(())
    }

    /// Removes the matching element.
    pub fn delete_where(&mut self, path: &'a [&'a [u8]], wanted: Match<'a>) -> Result<()> {
        if let Some((array, Some(index))) = self.find(path, wanted, Create::Nothing)? {
            self.splice(array, index, 1, None);
        }
        Ok(())
    }

    /// Inserts before the element that `position` addresses, creating the array if missing.
    pub fn insert_at(&mut self, path: &'a [&'a [u8]], position: i32, element: Value<'a>) -> Result<()> {
        let Some(array) = self.walk(path, Create::Array)? else {
            return Ok(());
        };
        let index = insertion_point(position, self.array(array, path)?.len);
        self.splice(array, index, 0, Some(Slot::Kept(element)));
        Ok(())
    }

    pub fn splice(&mut self, array: NodeId, index: usize, removed: usize, inserted: Option<Slot<'a>>) {
        if let Some(array) = self.array_mut(array) {
            array.splice(index, removed, inserted);
            self.changed = true;
        }
    }

    fn merge_node(&mut self, id: NodeId, path: &[&[u8]], patch: Container<'a>) -> Result<()> {
        let Some(object) = self.object_mut(id) else {
            return Err(not_an_object(path, path.len(), Kind::Array));
        };
        for pair in patch.pairs() {
            let (key, value) = pair?;
            object.set(key, Slot::Kept(value));
        }
        self.changed |= !patch.is_empty();
        Ok(())
    }

    /// Opens every container on the path and the one at its end; `None` if missing and not to be
    /// created.
    pub fn walk(&mut self, path: &'a [&'a [u8]], create: Create) -> Result<Option<NodeId>> {
        let (mut holder, mut slot) = (Holder::Root, self.root);
        for (at, element) in path.iter().copied().enumerate() {
            let id = self.open(holder, slot).map_err(|found| not_an_object(path, at, found.kind()))?;
            (holder, slot) = match self.node(id)? {
                Node::Object(object) => match (object.get(element)?, create) {
                    (Some(slot), _) => (Holder::Pair(id, element), slot),
                    (None, Create::Nothing) => return Ok(None),
                    (None, _) => return Ok(Some(self.create(id, path, at, create))),
                },
                Node::Array(array) => match (index_in(array.len, path, at)?, create) {
                    (Some(index), _) => (Holder::Element(id, index), array.get(index)?),
                    (None, Create::Nothing) => return Ok(None),
                    (None, _) => {
                        return Err(CoreError::IndexOutOfRange { path: PathText::up_to(path, at), len: array.len });
                    }
                },
            };
        }
        match self.open(holder, slot) {
            Ok(id) => Ok(Some(id)),
            Err(found) if create == Create::Object => Err(not_an_object(path, path.len(), found.kind())),
            Err(found) => Err(not_an_array(path, found.kind())),
        }
    }

    /// Creates the levels of `path` from `at` on, in the object `id`; returns the last of them.
    fn create(&mut self, id: NodeId, path: &'a [&'a [u8]], at: usize, create: Create) -> NodeId {
        self.changed = true;
        let mut parent = id;
        for (level, element) in path.iter().copied().enumerate().skip(at) {
            let is_last = level + 1 == path.len();
            let node = match create {
                Create::Array if is_last => Node::Array(ArrayEdit::default()),
                _ => Node::Object(ObjectEdit::default()),
            };
            let child = self.add(node);
            self.put(Holder::Pair(parent, element), Slot::Opened(child));
            parent = child;
        }
        parent
    }

    pub fn array(&self, id: NodeId, path: &[&[u8]]) -> Result<&ArrayEdit<'a>> {
        match self.node(id)? {
            Node::Array(array) => Ok(array),
            Node::Object(_) => Err(not_an_array(path, Kind::Object)),
        }
    }

    /// The array at `path` and its first matching element; `None` if there is no array.
    fn find(
        &mut self,
        path: &'a [&'a [u8]],
        wanted: Match<'a>,
        create: Create,
    ) -> Result<Option<(NodeId, Option<usize>)>> {
        match self.walk(path, create)? {
            Some(id) => Ok(Some((id, self.position(self.array(id, path)?, wanted)?))),
            None => Ok(None),
        }
    }

    fn position(&self, array: &ArrayEdit<'a>, wanted: Match<'a>) -> Result<Option<usize>> {
        let (mut before, mut near) = (0, 0);
        for segment in &array.segments {
            match (segment, &array.base) {
                (Segment::Run(run), Some(base)) => {
                    for (offset, element) in base.children(run.start, run.end).enumerate() {
                        if matches_kept(element?, wanted, &mut near)? {
                            return Ok(Some(before + offset));
                        }
                    }
                    before += run.len();
                }
                (Segment::One(slot), _) => {
                    if self.matches(*slot, wanted)? {
                        return Ok(Some(before));
                    }
                    before += 1;
                }
                (Segment::Run(_), None) => {}
            }
        }
        Ok(None)
    }

    fn matches(&self, element: Slot<'a>, wanted: Match<'a>) -> Result<bool> {
        let id = match element {
            Slot::Kept(value) => return matches_kept(value, wanted, &mut 0),
            Slot::Opened(id) => id,
        };
        let Node::Object(object) = self.node(id)? else {
            return Ok(false);
        };
        match object.get(wanted.key)? {
            Some(Slot::Kept(value)) => same_value(value, wanted.value),
            Some(opened) => {
                // An earlier change edited the very value that this one matches by: rare, so write
                // it out.
                let mut bytes = Vec::new();
                encode_slot(self, opened, &mut bytes)?;
                same_value(Value::document(&bytes)?, wanted.value)
            }
            None => Ok(false),
        }
    }
}

/// `near` carries where the key was in the element before.
pub(crate) fn matches_kept(element: Value<'_>, wanted: Match<'_>, near: &mut usize) -> Result<bool> {
    match element {
        Value::Object(object) => match object.get_near(wanted.key, near)? {
            Some(value) => same_value(value, wanted.value),
            None => Ok(false),
        },
        _ => Ok(false),
    }
}

/// The element that the path's element `at` addresses in an array of `len`; `None` if out of range.
fn index_in(len: usize, path: &[&[u8]], at: usize) -> Result<Option<usize>> {
    match path.get(at).and_then(|element| parse_integer(element)) {
        Some(index) => Ok(resolve(index, len)),
        None => Err(CoreError::InvalidIndex { path: PathText::up_to(path, at) }),
    }
}

/// `length` is that of the part of the path that was followed.
fn not_an_object(path: &[&[u8]], length: usize, found: Kind) -> CoreError {
    let path = PathText::new(path.iter().take(length).copied());
    CoreError::NotAnObject { place: Place::Path(path), found }
}

fn not_an_array(path: &[&[u8]], found: Kind) -> CoreError {
    CoreError::NotAnArray { place: Place::Path(PathText::new(path.iter().copied())), found }
}

/// The object that the operand `name` must be.
pub(crate) fn object_operand<'a>(bytes: &'a [u8], name: &'static str) -> Result<Container<'a>> {
    match Value::document(bytes)? {
        Value::Object(object) => Ok(object),
        other => Err(CoreError::NotAnObject { place: Place::Argument(name), found: other.kind() }),
    }
}
