//! What can go wrong, as one type.
//!
//! In: the place and the finding. Out: a message that names the path (as PostgreSQL prints a
//! `text[]`) and what was found there (as `jsonb_typeof` names it), so that the portable runtime
//! can word it alike. Always: no variant is used for a bug of this crate, and building an error
//! never fails.

use std::fmt;

use crate::path::PathText;

/// The result of everything in this crate that reads bytes.
pub type Result<T> = std::result::Result<T, CoreError>;

/// The kind of a JSON value; `Display` gives the word that `jsonb_typeof` gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// JSON `null`, which is a value and not a missing one.
    Null,
    /// `true` or `false`.
    Boolean,
    /// A number.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Null => "null",
            Kind::Boolean => "boolean",
            Kind::Number => "number",
            Kind::String => "string",
            Kind::Array => "array",
            Kind::Object => "object",
        })
    }
}

/// Where a value of the wrong kind was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// At this path of the document that is changed.
    Path(PathText),
    /// The argument of this name, as a whole.
    Argument(&'static str),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Path(path) => write!(f, "at path {path}"),
            Place::Argument(name) => write!(f, "as argument \"{name}\""),
        }
    }
}

/// A size that the format, or PostgreSQL's builder of it, cannot exceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// The bytes of an array's elements.
    ArrayBytes,
    /// The bytes of an object's keys and values.
    ObjectBytes,
    /// The number of an array's elements.
    Elements,
    /// The number of an object's pairs.
    Pairs,
    /// The bytes of one string.
    StringBytes,
}

/// An error of this crate. Bytes of any content produce one of these, never a panic.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CoreError {
    /// The bytes are not binary jsonb.
    Corrupt {
        /// What is wrong with them.
        what: &'static str,
    },
    /// An array was needed.
    NotAnArray {
        /// Where.
        place: Place,
        /// What was there.
        found: Kind,
    },
    /// An object was needed, or something that a path can go through.
    NotAnObject {
        /// Where.
        place: Place,
        /// What was there.
        found: Kind,
    },
    /// A path element that addresses an array is not an integer.
    InvalidIndex {
        /// The path up to and with that element.
        path: PathText,
    },
    /// A path element addresses an array element that does not exist, where one would have to be
    /// created.
    IndexOutOfRange {
        /// The path up to and with that element.
        path: PathText,
        /// How many elements the array has.
        len: usize,
    },
    /// The result would exceed a limit of the format.
    TooLarge {
        /// Which limit.
        limit: Limit,
    },
    /// There is no memory for the result.
    OutOfMemory,
    /// A path is a `text[]` of more than one dimension.
    PathDimensions,
    /// A path has a NULL in it.
    PathNull {
        /// Which element, counted from one.
        position: usize,
    },
    /// A change in a list is not of the form that changes have.
    Change {
        /// Which one, counted from one.
        number: usize,
        /// What is wrong with it.
        problem: ChangeProblem,
    },
}

/// What can be wrong with the form of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeProblem {
    /// It does not name an operation.
    NoOperation,
    /// It has not exactly the operands of its operation.
    Operands {
        /// The operation.
        name: &'static str,
        /// Its operands.
        names: &'static [&'static str],
    },
    /// One of its operands is of the wrong kind.
    Operand {
        /// The operation.
        name: &'static str,
        /// The operand and what it is not.
        what: &'static str,
    },
}

impl CoreError {
    #[cold]
    pub(crate) fn corrupt(what: &'static str) -> Self {
        CoreError::Corrupt { what }
    }

    /// The SQLSTATE that PostgreSQL uses for the nearest error of its own.
    pub fn sqlstate(&self) -> &'static str {
        match self {
            CoreError::Corrupt { .. } => "XX001",
            CoreError::NotAnArray { .. } | CoreError::NotAnObject { .. } | CoreError::Change { .. } => "22023",
            CoreError::InvalidIndex { .. } => "22P02",
            CoreError::IndexOutOfRange { .. } | CoreError::PathDimensions => "2202E",
            CoreError::TooLarge { .. } => "54000",
            CoreError::OutOfMemory => "53200",
            CoreError::PathNull { .. } => "22004",
        }
    }
}

impl fmt::Display for CoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CoreError::Corrupt { what } => write!(f, "invalid binary jsonb: {what}"),
            CoreError::NotAnArray { place, found } => {
                write!(f, "expected an array {place}, found {found}")
            }
            CoreError::NotAnObject { place, found } => {
                write!(f, "expected an object {place}, found {found}")
            }
            CoreError::InvalidIndex { path } => write!(
                f,
                "path element at position {} of {path} is not an integer: \"{}\"",
                path.len(),
                path.last_lossy()
            ),
            CoreError::IndexOutOfRange { path, len } => {
                write!(f, "array index at path {path} is out of range: the array has {len} elements")
            }
            CoreError::TooLarge { limit } => limit.fmt(f),
            CoreError::OutOfMemory => f.write_str("out of memory"),
            CoreError::PathDimensions => f.write_str("wrong number of array subscripts"),
            CoreError::PathNull { position } => write!(f, "path element at position {position} is null"),
            CoreError::Change { number, problem } => write!(f, "change {number} {problem}"),
        }
    }
}

impl fmt::Display for ChangeProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ChangeProblem::NoOperation => {
                f.write_str("is no object with an \"op\" of merge, patch, update, upsert, delete or insert")
            }
            ChangeProblem::Operands { name, names } => {
                write!(f, "({name}) needs these operands and no others: {}", names.join(", "))
            }
            ChangeProblem::Operand { name, what } => write!(f, "({name}): {what}"),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use crate::layout::{MAX_BYTES, MAX_ELEMENTS, MAX_PAIRS};
        match self {
            Limit::ArrayBytes => {
                write!(f, "total size of jsonb array elements exceeds the maximum of {MAX_BYTES} bytes")
            }
            Limit::ObjectBytes => {
                write!(f, "total size of jsonb object elements exceeds the maximum of {MAX_BYTES} bytes")
            }
            Limit::Elements => {
                write!(f, "number of jsonb array elements exceeds the maximum allowed ({MAX_ELEMENTS})")
            }
            Limit::Pairs => write!(f, "number of jsonb object pairs exceeds the maximum allowed ({MAX_PAIRS})"),
            Limit::StringBytes => {
                write!(f, "jsonb string exceeds the maximum of {MAX_BYTES} bytes")
            }
        }
    }
}

impl std::error::Error for CoreError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_the_path_and_the_finding() {
        let at = |elements: &[&str]| PathText::new(elements.iter().map(|e| e.as_bytes()));
        let not_object = CoreError::NotAnObject { place: Place::Path(at(&["a", "b c"])), found: Kind::Number };
        assert_eq!(not_object.to_string(), r#"expected an object at path {a,"b c"}, found number"#);
        let not_array = CoreError::NotAnArray { place: Place::Path(at(&[])), found: Kind::Null };
        assert_eq!(not_array.to_string(), "expected an array at path {}, found null");
        let argument = CoreError::NotAnObject { place: Place::Argument("patch"), found: Kind::Array };
        assert_eq!(argument.to_string(), "expected an object as argument \"patch\", found array");
        let index = CoreError::InvalidIndex { path: at(&["a", "x"]) };
        assert_eq!(index.to_string(), "path element at position 2 of {a,x} is not an integer: \"x\"");
        let range = CoreError::IndexOutOfRange { path: at(&["a", "-7"]), len: 3 };
        assert_eq!(range.to_string(), "array index at path {a,-7} is out of range: the array has 3 elements");
        let large = CoreError::TooLarge { limit: Limit::ObjectBytes };
        assert_eq!(large.to_string(), "total size of jsonb object elements exceeds the maximum of 268435455 bytes");
    }

    #[test]
    fn states_are_five_characters() {
        let error = CoreError::corrupt("x");
        assert_eq!((error.sqlstate(), error.to_string().as_str()), ("XX001", "invalid binary jsonb: x"));
    }
}
