//! Documents whose arrays have no order.
//!
//! In: the text of two documents, JSON or arrays of PostgreSQL's. Out: whether they are equal when every array is taken as a
//! multiset. Nothing but the order of array elements is forgiven: numbers, keys and strings are compared as they are written.

/// Whether two texts differ at most in the order of array elements.
pub(crate) fn equal(left: &str, right: &str) -> bool {
    let same = |normal: fn(&str) -> Option<String>| normal(left).is_some_and(|l| normal(right).is_some_and(|r| l == r));
    left == right || same(normal) || same(array)
}

/// An array of one dimension as PostgreSQL writes it, `{1,"a \"b\"",NULL}`, with its elements sorted; elements that are JSON are
/// taken as such. `None` for anything else.
fn array(text: &str) -> Option<String> {
    let inside = text.strip_prefix('{')?.strip_suffix('}')?;
    let mut elements = Vec::new();
    let mut characters = inside.chars().peekable();
    while characters.peek().is_some() {
        let mut element = String::new();
        let is_quoted = characters.next_if_eq(&'"').is_some();
        loop {
            match characters.next() {
                Some('\\') => element.push(characters.next()?),
                Some('"') if is_quoted => break,
                Some('{' | '}' | '"') if !is_quoted => return None,
                Some(other) => element.push(other),
                None => return None,
            }
            if !is_quoted && matches!(characters.peek(), None | Some(',')) {
                break;
            }
        }
        // NULL and "NULL" are not the same.
        let mark = if is_quoted { 'q' } else { 'u' };
        elements.push(format!("{mark}{}", normal(&element).unwrap_or(element)));
        if characters.next().is_some_and(|c| c != ',' || characters.peek().is_none()) {
            return None;
        }
    }
    elements.sort();
    Some(format!("{elements:?}"))
}

/// The document with the elements of every array sorted by their text; `None` for what is not JSON.
fn normal(text: &str) -> Option<String> {
    let mut reader = Reader { rest: text };
    let value = reader.value()?;
    reader.skip_blanks();
    reader.rest.is_empty().then_some(value)
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn takes(&mut self, token: char) -> bool {
        self.skip_blanks();
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn value(&mut self) -> Option<String> {
        self.skip_blanks();
        match self.rest.chars().next()? {
            '{' => self.list('{', '}', Self::member).map(|members| format!("{{{}}}", members.join(","))),
            '[' => self.list('[', ']', Self::value).map(|mut elements| {
                elements.sort();
                format!("[{}]", elements.join(","))
            }),
            '"' => self.string(),
            _ => {
                let end = self.rest.find([',', ']', '}', ' ', '\n', '\t', '\r']).unwrap_or(self.rest.len());
                let (scalar, rest) = self.rest.split_at(end);
                self.rest = rest;
                (!scalar.is_empty()).then(|| scalar.to_owned())
            }
        }
    }

    fn list(&mut self, open: char, close: char, item: fn(&mut Self) -> Option<String>) -> Option<Vec<String>> {
        let mut items = Vec::new();
        if !self.takes(open) {
            return None;
        }
        if self.takes(close) {
            return Some(items);
        }
        loop {
            items.push(item(self)?);
            if self.takes(close) {
                return Some(items);
            }
            if !self.takes(',') {
                return None;
            }
        }
    }

    fn member(&mut self) -> Option<String> {
        self.skip_blanks();
        let key = self.string()?;
        let value = if self.takes(':') { self.value()? } else { return None };
        Some(format!("{key}:{value}"))
    }

    fn string(&mut self) -> Option<String> {
        let mut escaped = false;
        let end = self.rest.char_indices().skip(1).find_map(|(at, c)| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends.then_some(at + 1)
        })?;
        let (string, rest) = self.rest.split_at(end);
        self.rest = rest;
        string.starts_with('"').then(|| string.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forgives_the_order_of_elements_and_nothing_else() {
        assert!(equal(r#"{"a": [1, [2, 3]], "b": "x"}"#, r#"{"a": [[3, 2], 1], "b": "x"}"#));
        assert!(equal(r#"[{"k": "]\"\\"}, "]"]"#, r#"["]", {"k": "]\"\\"}]"#));
        assert!(!equal("[1, 1, 2]", "[1, 2, 2]"));
        assert!(!equal("[1.0]", "[1.00]"));
        assert!(!equal(r#"{"a": 1, "a": 2}"#, r#"{"a": 2, "a": 1}"#));
        assert!(!equal("[1, 2", "[2, 1"));
        assert!(equal("not json", "not json"));
    }

    #[test]
    fn takes_arrays_of_postgresql_as_multisets_too() {
        assert!(equal("{1,2}", "{2,1}"));
        assert!(equal(r#"{"{\"a\": [1, 2]}",NULL}"#, r#"{NULL,"{\"a\": [2, 1]}"}"#));
        assert!(equal(r#"{"a,b","c\"\\"}"#, r#"{"c\"\\","a,b"}"#));
        assert!(!equal("{1,1,2}", "{1,2,2}"));
        assert!(!equal(r#"{NULL}"#, r#"{"NULL"}"#));
        assert!(!equal("{1,2}", "{2,1,}"));
        assert!(!equal("{{1,2},{3,4}}", "{{3,4},{1,2}}"));
        assert!(!equal("{1", "1}"));
        assert!(!equal("{}", "{1}"));
    }
}
