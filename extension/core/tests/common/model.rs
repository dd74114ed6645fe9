//! The operations on a plain tree, in the most direct way.
//!
//! In: a tree and an operation. Out: the tree after it, or what kind of error and at which length
//! of the path. Always: an operation that fails leaves nothing to look at.

use super::json::{Json, key};
use jsonb_core::{Change, CoreError, Place};

#[derive(Debug, Clone)]
pub enum Op {
    Merge { path: Vec<String>, patch: Json },
    PatchArray { path: Vec<String>, patch: Json, key: String },
    UpdateWhere { path: Vec<String>, key: String, value: Json, updates: Json },
    UpsertWhere { path: Vec<String>, key: String, value: Json, element: Json },
    DeleteWhere { path: Vec<String>, key: String, value: Json },
    InsertAt { path: Vec<String>, position: i32, element: Json },
}

/// The kind of an error, and how many path elements it names.
#[derive(Debug, Clone, PartialEq)]
pub enum Failure {
    NotAnObject(usize, &'static str),
    NotAnArray(usize, &'static str),
    Argument(&'static str),
    InvalidIndex(usize),
    OutOfRange(usize),
}

#[derive(Clone, Copy, PartialEq)]
enum Missing {
    Ignore,
    MakeObject,
    MakeArray,
}

impl Op {
    pub fn path(&self) -> &[String] {
        match self {
            Op::Merge { path, .. }
            | Op::PatchArray { path, .. }
            | Op::UpdateWhere { path, .. }
            | Op::UpsertWhere { path, .. }
            | Op::DeleteWhere { path, .. }
            | Op::InsertAt { path, .. } => path,
        }
    }

    pub fn run(&self, document: &mut Json) -> Result<(), Failure> {
        match self {
            Op::Merge { path, patch } => {
                expect_object(patch, "patch")?;
                match reach(document, path, 0, Missing::MakeObject)? {
                    Some(Json::Obj(pairs)) => merge(pairs, patch),
                    Some(other) => return Err(Failure::NotAnObject(path.len(), other.kind())),
                    None => unreachable!("merging creates what is missing"),
                }
            }
            Op::PatchArray { path, patch, key: k } => {
                let Json::Obj(pairs) = patch else {
                    return Err(Failure::Argument("patch"));
                };
                let Some(value) = pairs.get(&key(k)) else {
                    return Ok(());
                };
                update(document, path, k, value, patch)?;
            }
            Op::UpdateWhere { path, key, value, updates } => {
                expect_object(updates, "updates")?;
                update(document, path, key, value, updates)?;
            }
            Op::UpsertWhere { path, key, value, element } => {
                let elements = array(document, path, Missing::MakeArray)?.unwrap();
                match position(elements, key, value) {
                    Some(at) => elements[at] = element.clone(),
                    None => elements.push(element.clone()),
                }
            }
            Op::DeleteWhere { path, key, value } => {
                if let Some(elements) = array(document, path, Missing::Ignore)? {
                    if let Some(at) = position(elements, key, value) {
                        elements.remove(at);
                    }
                }
            }
            Op::InsertAt { path, position, element } => {
                let elements = array(document, path, Missing::MakeArray)?.unwrap();
                let len = elements.len() as i64;
                let at = i64::from(*position);
                let at = if at < 0 { (len + at).max(0) } else { at.min(len) };
                elements.insert(at as usize, element.clone());
            }
        }
        Ok(())
    }
}

fn expect_object(json: &Json, name: &'static str) -> Result<(), Failure> {
    if matches!(json, Json::Obj(_)) { Ok(()) } else { Err(Failure::Argument(name)) }
}

fn merge(pairs: &mut std::collections::BTreeMap<super::json::Key, Json>, patch: &Json) {
    if let Json::Obj(patch) = patch {
        pairs.extend(patch.clone());
    }
}

fn update(document: &mut Json, path: &[String], key: &str, value: &Json, patch: &Json) -> Result<(), Failure> {
    let Some(elements) = array(document, path, Missing::Ignore)? else {
        return Ok(());
    };
    if let Some(at) = position(elements, key, value) {
        if let Json::Obj(pairs) = &mut elements[at] {
            merge(pairs, patch);
        }
    }
    Ok(())
}

fn array<'j>(document: &'j mut Json, path: &[String], missing: Missing) -> Result<Option<&'j mut Vec<Json>>, Failure> {
    match reach(document, path, 0, missing)? {
        Some(Json::Arr(elements)) => Ok(Some(elements)),
        Some(other) => Err(Failure::NotAnArray(path.len(), other.kind())),
        None => Ok(None),
    }
}

pub fn position(elements: &[Json], k: &str, value: &Json) -> Option<usize> {
    let matches = |element: &Json| match element {
        Json::Obj(pairs) => pairs.get(&key(k)).is_some_and(|found| found.same_value(value)),
        _ => false,
    };
    elements.iter().position(matches)
}

/// What an index addresses in an array of `len`.
pub fn index(element: &str, len: usize) -> Option<Option<usize>> {
    let index: i64 = element.parse::<i32>().ok()?.into();
    let index = if index < 0 { index + len as i64 } else { index };
    Some(usize::try_from(index).ok().filter(|index| *index < len))
}

fn reach<'j>(
    json: &'j mut Json,
    path: &[String],
    depth: usize,
    missing: Missing,
) -> Result<Option<&'j mut Json>, Failure> {
    let Some(element) = path.get(depth) else {
        return Ok(Some(json));
    };
    match json {
        Json::Obj(pairs) => {
            let k = key(element);
            if !pairs.contains_key(&k) {
                if missing == Missing::Ignore {
                    return Ok(None);
                }
                let is_last = depth + 1 == path.len();
                let make_array = is_last && missing == Missing::MakeArray;
                pairs.insert(k.clone(), if make_array { Json::Arr(vec![]) } else { Json::object([]) });
            }
            reach(pairs.get_mut(&k).unwrap(), path, depth + 1, missing)
        }
        Json::Arr(elements) => match index(element, elements.len()) {
            None => Err(Failure::InvalidIndex(depth + 1)),
            Some(Some(at)) => reach(&mut elements[at], path, depth + 1, missing),
            Some(None) if missing == Missing::Ignore => Ok(None),
            Some(None) => Err(Failure::OutOfRange(depth + 1)),
        },
        scalar => Err(Failure::NotAnObject(depth, scalar.kind())),
    }
}

/// The value at a path, as `#>` gives it.
pub fn get<'j>(json: &'j Json, path: &[String]) -> Option<&'j Json> {
    let Some((element, rest)) = path.split_first() else {
        return Some(json);
    };
    match json {
        Json::Obj(pairs) => get(pairs.get(&key(element))?, rest),
        Json::Arr(elements) => get(elements.get(index(element, elements.len())??)?, rest),
        _ => None,
    }
}

/// The crate's error in the model's terms.
pub fn failure(error: &CoreError) -> Failure {
    let word = |kind: &jsonb_core::Kind| {
        let words = ["null", "boolean", "number", "string", "array", "object"];
        words.into_iter().find(|word| *word == kind.to_string()).unwrap()
    };
    match error {
        CoreError::NotAnObject { place: Place::Argument(name), .. } => Failure::Argument(name),
        CoreError::NotAnObject { place: Place::Path(path), found } => Failure::NotAnObject(path.len(), word(found)),
        CoreError::NotAnArray { place: Place::Path(path), found } => Failure::NotAnArray(path.len(), word(found)),
        CoreError::InvalidIndex { path } => Failure::InvalidIndex(path.len()),
        CoreError::IndexOutOfRange { path, .. } => Failure::OutOfRange(path.len()),
        other => panic!("the model knows no such error: {other}"),
    }
}

/// An operation's operands as bytes, which a [`Change`] can borrow.
#[derive(Debug)]
pub struct Operands<'o> {
    op: &'o Op,
    path: Vec<&'o [u8]>,
    first: Vec<u8>,
    second: Vec<u8>,
}

impl<'o> Operands<'o> {
    pub fn new(op: &'o Op) -> Self {
        let (first, second) = match op {
            Op::Merge { patch, .. } | Op::PatchArray { patch, .. } => (patch.binary(), vec![]),
            Op::UpdateWhere { value, updates, .. } => (value.binary(), updates.binary()),
            Op::UpsertWhere { value, element, .. } => (value.binary(), element.binary()),
            Op::DeleteWhere { value, .. } => (value.binary(), vec![]),
            Op::InsertAt { element, .. } => (element.binary(), vec![]),
        };
        Operands { op, path: op.path().iter().map(String::as_bytes).collect(), first, second }
    }

    pub fn change(&self) -> Change<'_> {
        let (path, first, second) = (&self.path[..], &self.first[..], &self.second[..]);
        match self.op {
            Op::Merge { .. } => Change::Merge { path, patch: first },
            Op::PatchArray { key, .. } => Change::PatchArray { path, patch: first, match_key: key.as_bytes() },
            Op::UpdateWhere { key, .. } => {
                Change::UpdateWhere { path, match_key: key.as_bytes(), match_value: first, updates: second }
            }
            Op::UpsertWhere { key, .. } => {
                Change::UpsertWhere { path, match_key: key.as_bytes(), match_value: first, element: second }
            }
            Op::DeleteWhere { key, .. } => Change::DeleteWhere { path, match_key: key.as_bytes(), match_value: first },
            Op::InsertAt { position, .. } => Change::InsertAt { path, position: *position, element: first },
        }
    }
}
