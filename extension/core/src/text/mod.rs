//! JSON text to binary and back, for tests and tools.
//!
//! In: JSON text, or binary jsonb. Out: the other of the two, as PostgreSQL's input and output of
//! jsonb give it. Always: no recursion; the text is UTF-8. The extension does not use this: it
//! would cost what splicing saves.

mod number;
mod parse;
mod render;

use std::fmt;

pub use parse::from_text;
pub use render::{to_text, value_to_text};

use crate::error::CoreError;

/// Why text is not jsonb.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextError {
    /// It is not JSON, from this byte on.
    Syntax(usize),
    /// A number is beyond what `numeric` can hold.
    NumberOutOfRange,
    /// A string contains U+0000 or half of a surrogate pair, which PostgreSQL cannot store.
    Character,
    /// The document exceeds a limit of the format.
    Core(CoreError),
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TextError::Syntax(at) => write!(f, "not JSON from byte {at} on"),
            TextError::NumberOutOfRange => f.write_str("a number is out of range"),
            TextError::Character => f.write_str("a string contains a character that cannot be stored"),
            TextError::Core(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for TextError {}

impl From<CoreError> for TextError {
    fn from(error: CoreError) -> Self {
        TextError::Core(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(text: &str) -> String {
        to_text(&from_text(text).unwrap()).unwrap()
    }

    #[test]
    fn text_is_rendered_as_the_server_renders_it() {
        for (text, expected) in [
            (r#" { "bb":1 , "a":[ ] ,"c":{}, "a":[1,2] } "#, r#"{"a": [1, 2], "c": {}, "bb": 1}"#),
            (r#""\u00e9\ud83d\ude00\n\u0001\/\\\"""#, "\"é😀\\n\\u0001/\\\\\\\"\""),
            ("\"\\b\\f\\r\\t\u{7f}\"", "\"\\b\\f\\r\\t\u{7f}\""),
            ("[true,false,null]", "[true, false, null]"),
        ] {
            assert_eq!(round_trip(text), expected);
        }
    }

    #[test]
    fn numbers_keep_scale_and_lose_exponents() {
        let forty = "1234567890123456789012345678901234567890";
        for (text, expected) in [
            ("1.10", "1.10"),
            (forty, forty),
            ("-0", "0"),
            ("-0.00", "0.00"),
            ("1e5", "100000"),
            ("1.5E+3", "1500"),
            ("1.23456e2", "123.456"),
            ("12e-3", "0.012"),
            ("1e-10", "0.0000000001"),
            ("10000", "10000"),
            ("99999999.99990000", "99999999.99990000"),
            ("0.00001", "0.00001"),
            ("-123456.7", "-123456.7"),
            ("0e99", "0"),
        ] {
            assert_eq!(round_trip(text), expected);
        }
        let long = format!("0.{}1", "0".repeat(300));
        assert_eq!(round_trip(&long), long);
        assert_eq!(round_trip("1e300"), format!("1{}", "0".repeat(300)));
    }

    #[test]
    fn what_is_not_json_is_an_error() {
        for text in [
            "",
            "[",
            "{",
            "[1,]",
            "{\"a\"}",
            "{\"a\":}",
            "{1:2}",
            "01",
            "1.",
            ".5",
            "+1",
            "1e",
            "-",
            "nul",
            "\"",
            "[1}",
            "1 2",
            "\"\\x\"",
            "\"\n\"",
            "{\"a\":1,}",
        ] {
            assert!(matches!(from_text(text), Err(TextError::Syntax(_))), "{text:?}");
        }
        for text in [r#""\u0000""#, r#""\ud800""#, r#""\udc00""#, r#""\ud800\u0041""#] {
            assert_eq!(from_text(text), Err(TextError::Character), "{text}");
        }
        assert_eq!(from_text("1e200000"), Err(TextError::NumberOutOfRange));
        assert_eq!(from_text("1e-20000"), Err(TextError::NumberOutOfRange));
    }

    #[test]
    fn depth_does_not_cost_stack() {
        let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
        assert_eq!(round_trip(&deep), deep);
    }
}
