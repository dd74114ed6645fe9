//! A list of changes as a jsonb document, which is how SQL passes several of them.
//!
//! In: an array of objects, each with `"op"` and the operands of its function. Out: the same as
//! [`Change`]s. Always: the first object that is not of that form ends the list with its error, so
//! that the changes before it are tried first, as one after the other would be.
//!
//! | op | operands |
//! |---|---|
//! | `merge` | `path`, `value` |
//! | `patch` | `path`, `key`, `value` |
//! | `update`, `upsert` | `path`, `key`, `match`, `value` |
//! | `delete` | `path`, `key`, `match` |
//! | `insert` | `path`, `position`, `value` |

use std::borrow::Cow;

use crate::build::build_value;
use crate::change::Change;
use crate::container::{Container, Value};
use crate::error::{ChangeProblem, CoreError, Place, Result};

/// The operations, their names and their operands.
const OPERATIONS: [(&str, Operation, &[&str]); 6] = [
    ("merge", Operation::Merge, &["path", "value"]),
    ("patch", Operation::Patch, &["path", "key", "value"]),
    ("update", Operation::Update, &["path", "key", "match", "value"]),
    ("upsert", Operation::Upsert, &["path", "key", "match", "value"]),
    ("delete", Operation::Delete, &["path", "key", "match"]),
    ("insert", Operation::Insert, &["path", "position", "value"]),
];

#[derive(Debug, Clone, Copy)]
enum Operation {
    Merge,
    Patch,
    Update,
    Upsert,
    Delete,
    Insert,
}

/// A list of changes, read.
#[derive(Debug)]
pub struct Changes<'a> {
    read: Vec<Operands<'a>>,
    error: Option<CoreError>,
}

/// One change; what its operation does not take is empty.
#[derive(Debug)]
struct Operands<'a> {
    operation: Operation,
    path: Vec<&'a [u8]>,
    key: &'a [u8],
    wanted: Cow<'a, [u8]>,
    value: Cow<'a, [u8]>,
    position: i32,
}

impl<'a> Changes<'a> {
    /// Reads a document.
    pub fn parse(changes: &'a [u8]) -> Result<Self> {
        let list = match Value::document(changes)? {
            Value::Array(list) => list,
            other => {
                return Err(CoreError::NotAnArray { place: Place::Argument("changes"), found: other.kind() });
            }
        };
        let mut read = Vec::with_capacity(list.len());
        for (index, change) in list.elements().enumerate() {
            match operands(change?, index.saturating_add(1)) {
                Ok(operands) => read.push(operands),
                Err(error) => return Ok(Changes { read, error: Some(error) }),
            }
        }
        Ok(Changes { read, error: None })
    }

    /// The changes in order; at the end, the error of the first that is not of the form.
    pub fn iter(&self) -> impl Iterator<Item = Result<Change<'_>>> {
        let error = self.error.iter().map(|error| Err(error.clone()));
        self.read.iter().map(|operands| Ok(operands.change())).chain(error)
    }
}

impl Operands<'_> {
    fn change(&self) -> Change<'_> {
        let Operands { operation, path, key, wanted, value, position } = self;
        match operation {
            Operation::Merge => Change::Merge { path, patch: value },
            Operation::Patch => Change::PatchArray { path, patch: value, match_key: key },
            Operation::Update => Change::UpdateWhere { path, match_key: key, match_value: wanted, updates: value },
            Operation::Upsert => Change::UpsertWhere { path, match_key: key, match_value: wanted, element: value },
            Operation::Delete => Change::DeleteWhere { path, match_key: key, match_value: wanted },
            Operation::Insert => Change::InsertAt { path, position: *position, element: value },
        }
    }
}

fn operands(change: Value<'_>, number: usize) -> Result<Operands<'_>> {
    let problem = |problem| CoreError::Change { number, problem };
    let Value::Object(change) = change else {
        return Err(problem(ChangeProblem::NoOperation));
    };
    let Some(Value::String(name)) = change.get(b"op")? else {
        return Err(problem(ChangeProblem::NoOperation));
    };
    let Some((name, operation, names)) = OPERATIONS.iter().find(|(known, ..)| known.as_bytes() == name) else {
        return Err(problem(ChangeProblem::NoOperation));
    };
    let mut given = Vec::with_capacity(names.len());
    for operand in *names {
        match change.get(operand.as_bytes())? {
            Some(value) => given.push((*operand, value)),
            None => return Err(problem(ChangeProblem::Operands { name, names })),
        }
    }
    if change.len() != names.len() + 1 {
        return Err(problem(ChangeProblem::Operands { name, names }));
    }
    let wrong = |what| CoreError::Change { number, problem: ChangeProblem::Operand { name, what } };
    let mut operands = Operands {
        operation: *operation,
        path: Vec::new(),
        key: &[],
        wanted: Cow::default(),
        value: Cow::default(),
        position: 0,
    };
    for (operand, value) in given {
        match (operand, value) {
            ("path", Value::Array(path)) => {
                operands.path = strings(path)?.ok_or_else(|| wrong("\"path\" is not an array of strings"))?;
            }
            ("path", _) => return Err(wrong("\"path\" is not an array of strings")),
            ("key", Value::String(key)) => operands.key = key,
            ("key", _) => return Err(wrong("\"key\" is not a string")),
            ("position", Value::Number(position)) => {
                operands.position = position.to_i32()?.ok_or_else(|| wrong("\"position\" is not an integer"))?;
            }
            ("position", _) => return Err(wrong("\"position\" is not an integer")),
            ("match", value) => operands.wanted = document(value)?,
            (_, value) => operands.value = document(value)?,
        }
    }
    Ok(operands)
}

/// The elements, if all of them are strings.
fn strings(array: Container<'_>) -> Result<Option<Vec<&[u8]>>> {
    let mut strings = Vec::with_capacity(array.len());
    for element in array.elements() {
        match element? {
            Value::String(string) => strings.push(string),
            _ => return Ok(None),
        }
    }
    Ok(Some(strings))
}

/// The value as a document of its own: a container is one where it stands.
fn document(value: Value<'_>) -> Result<Cow<'_, [u8]>> {
    match value {
        Value::Array(container) | Value::Object(container) => Ok(Cow::Borrowed(container.as_bytes())),
        scalar => build_value(scalar).map(Cow::Owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::apply_each;
    use crate::text::{from_text, to_text};

    fn applied(data: &str, changes: &str) -> String {
        let (data, changes) = (from_text(data).unwrap(), from_text(changes).unwrap());
        let result = Changes::parse(&changes)
            .and_then(|changes| apply_each(&data, changes.iter()).map(|result| to_text(&result).unwrap()));
        result.unwrap_or_else(|error| format!("{}: {error}", error.sqlstate()))
    }

    #[test]
    fn each_operation_is_its_function() {
        let changes = r#"[
            {"op": "merge", "path": ["b"], "value": {"x": 1.10}},
            {"op": "patch", "path": ["a"], "key": "id", "value": {"id": 1, "y": 2}},
            {"op": "insert", "path": ["a"], "position": 0.0, "value": "first"},
            {"op": "upsert", "path": ["a"], "key": "id", "match": "2", "value": {"id": "2"}},
            {"op": "update", "path": ["a"], "key": "id", "match": 1.0, "value": {"z": null}},
            {"op": "delete", "path": ["c"], "key": "id", "match": {"k": 1}}]"#;
        assert_eq!(
            applied(r#"{"a": [{"id": 1}], "c": [{"id": {"k": 1.0}}]}"#, changes),
            r#"{"a": ["first", {"y": 2, "z": null, "id": 1}, {"id": "2"}], "b": {"x": 1.10}, "c": []}"#
        );
        assert_eq!(applied("7", "[]"), "7");
    }

    #[test]
    fn other_forms_are_named() {
        let no_operation =
            r#"22023: change 1 is no object with an "op" of merge, patch, update, upsert, delete or insert"#;
        for (changes, message) in [
            ("{}", r#"22023: expected an array as argument "changes", found object"#),
            ("1", r#"22023: expected an array as argument "changes", found number"#),
            ("[1]", no_operation),
            ("[{}]", no_operation),
            (r#"[{"op": 1}]"#, no_operation),
            (r#"[{"op": "Merge"}]"#, no_operation),
            (
                r#"[{"op": "merge", "path": [], "value": {}}, {"op": "merge", "path": []}]"#,
                "22023: change 2 (merge) needs these operands and no others: path, value",
            ),
            (
                r#"[{"op": "delete", "path": [], "key": "id", "match": 1, "value": {}}]"#,
                "22023: change 1 (delete) needs these operands and no others: path, key, match",
            ),
            (
                r#"[{"op": "merge", "path": ["a", 0], "value": {}}]"#,
                "22023: change 1 (merge): \"path\" is not an array of strings",
            ),
            (
                r#"[{"op": "merge", "path": {}, "value": {}}]"#,
                "22023: change 1 (merge): \"path\" is not an array of strings",
            ),
            (
                r#"[{"op": "delete", "path": [], "key": null, "match": 1}]"#,
                "22023: change 1 (delete): \"key\" is not a string",
            ),
            (
                r#"[{"op": "insert", "path": [], "position": 1.5, "value": 1}]"#,
                "22023: change 1 (insert): \"position\" is not an integer",
            ),
            (
                r#"[{"op": "insert", "path": [], "position": 2147483648, "value": 1}]"#,
                "22023: change 1 (insert): \"position\" is not an integer",
            ),
        ] {
            assert_eq!(applied("{}", changes), message, "{changes}");
        }
    }

    #[test]
    fn the_first_error_of_the_list_is_reported() {
        let changes = r#"[{"op": "merge", "path": ["a", "b"], "value": {}}, {"op": "x"}]"#;
        assert_eq!(applied(r#"{"a": 1}"#, changes), "22023: expected an object at path {a}, found number");
    }
}
