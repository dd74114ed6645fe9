//! Comparing two values, by value or by text.
//!
//! In: two values. Out: whether they are equal. Always: no recursion, so depth costs memory and not
//! stack; how entries are encoded makes no difference; identical bytes are equal without being
//! looked into.

use crate::container::{Container, Value};
use crate::error::Result;

/// Down to this depth, containers are compared as bytes first. Deeper, the bytes have been looked
/// at often enough: without a bound the cost would be the size times the depth.
const SHORTCUT_DEPTH: usize = 32;

/// When two numbers count as equal.
#[derive(Clone, Copy)]
enum Numbers {
    ByValue,
    ByText,
}

/// Equality as of jsonb's `=`: `1` equals `1.00`.
pub fn same_value(a: Value<'_>, b: Value<'_>) -> Result<bool> {
    same(a, b, Numbers::ByValue)
}

/// Whether both would be shown as the same text: `1` and `1.00` would not.
pub fn same_text(a: Value<'_>, b: Value<'_>) -> Result<bool> {
    same(a, b, Numbers::ByText)
}

fn same(a: Value<'_>, b: Value<'_>, numbers: Numbers) -> Result<bool> {
    let mut nested = Vec::new();
    let mut next = Some((a, b));
    while let Some((a, b)) = next {
        let equal = match (a, b) {
            (Value::Null, Value::Null) => true,
            (Value::Boolean(a), Value::Boolean(b)) => a == b,
            (Value::String(a), Value::String(b)) => a == b,
            (Value::Number(a), Value::Number(b)) => match numbers {
                Numbers::ByValue => a.same_value(b)?,
                Numbers::ByText => a.same_text(b)?,
            },
            (Value::Array(a), Value::Array(b)) | (Value::Object(a), Value::Object(b)) => {
                let identical = nested.len() < SHORTCUT_DEPTH && a.as_bytes() == b.as_bytes();
                if !identical {
                    if !same_shape(&a, &b)? {
                        return Ok(false);
                    }
                    nested.push(a.elements().zip(b.elements()));
                }
                true
            }
            _ => false,
        };
        if !equal {
            return Ok(false);
        }
        next = next_pair(&mut nested)?;
    }
    Ok(true)
}

/// The next two values to compare, from the innermost containers that have any left.
fn next_pair<'a, 'b, I>(nested: &mut Vec<I>) -> Result<Option<(Value<'a>, Value<'b>)>>
where
    I: Iterator<Item = (Result<Value<'a>>, Result<Value<'b>>)>,
{
    while let Some(innermost) = nested.last_mut() {
        match innermost.next() {
            Some((a, b)) => return Ok(Some((a?, b?))),
            None => nested.pop(),
        };
    }
    Ok(None)
}

/// Whether two arrays have as many elements, or two objects the same keys.
fn same_shape(a: &Container<'_>, b: &Container<'_>) -> Result<bool> {
    if a.len() != b.len() {
        return Ok(false);
    }
    for (a, b) in a.keys().zip(b.keys()) {
        if a? != b? {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::from_text;

    fn compare(a: &str, b: &str) -> (bool, bool) {
        let (a, b) = (from_text(a).unwrap(), from_text(b).unwrap());
        let (a, b) = (Value::document(&a).unwrap(), Value::document(&b).unwrap());
        (same_value(a, b).unwrap(), same_text(a, b).unwrap())
    }

    #[test]
    fn numbers_compare_by_value_or_by_text() {
        assert_eq!(compare("1", "1.00"), (true, false));
        assert_eq!(compare("0", "-0.0"), (true, false));
        assert_eq!(compare("[1, {\"a\": [2.0]}]", "[1.0, {\"a\": [2]}]"), (true, false));
        assert_eq!(compare("100", "1e2"), (true, true));
        assert_eq!(compare("1", "2"), (false, false));
    }

    #[test]
    fn kinds_and_shapes_differ() {
        for (a, b) in [
            ("1", "\"1\""),
            ("null", "false"),
            ("[]", "{}"),
            ("[1]", "1"),
            ("[1, 2]", "[1]"),
            (r#"{"a": 1}"#, r#"{"b": 1}"#),
            (r#"{"a": 1}"#, r#"{"a": 1, "b": 1}"#),
            (r#"[[], {"a": "x"}]"#, r#"[[], {"a": "y"}]"#),
        ] {
            assert_eq!(compare(a, b), (false, false), "{a} and {b}");
        }
    }

    #[test]
    fn depth_does_not_cost_stack() {
        let deep = |leaf: &str| format!("{}{leaf}{}", "[".repeat(20_000), "]".repeat(20_000));
        assert_eq!(compare(&deep("1"), &deep("1.0")), (true, false));
    }
}
