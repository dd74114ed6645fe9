//! Path elements: how they are read as array indexes and how a path is shown.
//!
//! In: the bytes of the elements of a `text[]`. Out: an index into an array of known length, or the
//! path as PostgreSQL prints that `text[]`. Always: the same spellings of an integer are accepted
//! as by `#>` and `jsonb_set` (leading white space and a sign), and nothing outside the range of a
//! 32-bit integer.

use std::fmt;

/// A path kept for an error message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathText {
    elements: Vec<Vec<u8>>,
}

impl PathText {
    /// Copies the elements.
    pub fn new<'a>(elements: impl IntoIterator<Item = &'a [u8]>) -> Self {
        PathText { elements: elements.into_iter().map(<[u8]>::to_vec).collect() }
    }

    /// The elements of `path` up to and with the one at `last`.
    pub(crate) fn up_to(path: &[&[u8]], last: usize) -> Self {
        PathText::new(path.iter().take(last.saturating_add(1)).copied())
    }

    /// How many elements it has.
    pub fn len(&self) -> usize {
        self.elements.len()
    }

    /// Whether it is the path of the document itself.
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    pub(crate) fn last_lossy(&self) -> String {
        self.elements.last().map(|element| String::from_utf8_lossy(element).into_owned()).unwrap_or_default()
    }
}

impl fmt::Display for PathText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (i, element) in self.elements.iter().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            write_element(f, &String::from_utf8_lossy(element))?;
        }
        f.write_str("}")
    }
}

/// Quotes where PostgreSQL's output of a `text[]` quotes: so `path::text` in PL/pgSQL reads the
/// same.
fn write_element(f: &mut fmt::Formatter<'_>, element: &str) -> fmt::Result {
    let special = |c: char| matches!(c, '{' | '}' | ',' | '"' | '\\') || (c.is_ascii() && is_space(c as u8));
    if !element.is_empty() && !element.eq_ignore_ascii_case("null") && !element.contains(special) {
        return f.write_str(element);
    }
    f.write_str("\"")?;
    for c in element.chars() {
        if matches!(c, '"' | '\\') {
            f.write_str("\\")?;
        }
        write!(f, "{c}")?;
    }
    f.write_str("\"")
}

/// White space of the C locale.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

/// Reads a path element as an integer; `None` if it is not one.
pub(crate) fn parse_integer(element: &[u8]) -> Option<i32> {
    let start = element.iter().position(|&b| !is_space(b))?;
    let body = element.get(start..)?;
    // Rust accepts a leading '+' or '-' too, and nothing else beside digits.
    std::str::from_utf8(body).ok()?.parse().ok()
}

/// The element of an array of `len` elements that `index` addresses, counting from the end if
/// negative.
pub(crate) fn resolve(index: i32, len: usize) -> Option<usize> {
    let distance = usize::try_from(index.unsigned_abs()).ok()?;
    let resolved = if index < 0 { len.checked_sub(distance)? } else { distance };
    (resolved < len).then_some(resolved)
}

/// Where `jsonb_insert` would insert before `position`: past either end means at that end.
pub(crate) fn insertion_point(position: i32, len: usize) -> usize {
    let distance = usize::try_from(position.unsigned_abs()).unwrap_or(usize::MAX);
    if position < 0 { len.saturating_sub(distance) } else { distance.min(len) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_as_the_server_reads_them() {
        for (text, expected) in [
            ("0", Some(0)),
            ("-1", Some(-1)),
            ("+7", Some(7)),
            (" \t12", Some(12)),
            ("007", Some(7)),
            ("-0", Some(0)),
            ("-2147483648", Some(i32::MIN)),
            ("2147483648", None),
            ("", None),
            (" ", None),
            ("-", None),
            ("1 ", None),
            ("1.0", None),
            ("x", None),
            ("+-1", None),
        ] {
            assert_eq!(parse_integer(text.as_bytes()), expected, "{text:?}");
        }
        assert_eq!(parse_integer(&[0xff, b'1']), None);
    }

    #[test]
    fn indexes_count_from_either_end() {
        assert_eq!([resolve(0, 3), resolve(2, 3), resolve(3, 3)], [Some(0), Some(2), None]);
        assert_eq!([resolve(-1, 3), resolve(-3, 3), resolve(-4, 3)], [Some(2), Some(0), None]);
        assert_eq!([resolve(0, 0), resolve(-1, 0), resolve(i32::MIN, 9)], [None, None, None]);
    }

    #[test]
    fn insertion_is_clamped() {
        let at: Vec<usize> = [0, 2, 3, 9, -1, -3, -9, i32::MIN].map(|p| insertion_point(p, 3)).to_vec();
        assert_eq!(at, [0, 2, 3, 3, 2, 0, 0, 0]);
    }

    #[test]
    fn paths_are_shown_as_text_arrays() {
        let shown = |elements: &[&str]| PathText::new(elements.iter().map(|e| e.as_bytes())).to_string();
        assert_eq!(shown(&[]), "{}");
        assert_eq!(shown(&["a", "0", "é"]), "{a,0,é}");
        assert_eq!(shown(&["", "NULL", "a b", "c,d", "{", "q\"\\"]), r#"{"","NULL","a b","c,d","{","q\"\\"}"#);
    }
}
