//! JSON documents whose arrays have no order.
//!
//! In: the text of two documents. Out: whether they are equal when every array is taken as a multiset. Nothing but the order of
//! array elements is forgiven: numbers, keys and strings are compared as they are written.

/// Whether two texts are JSON and differ at most in the order of array elements.
pub(crate) fn equal(left: &str, right: &str) -> bool {
    left == right || normal(left).is_some_and(|l| normal(right).is_some_and(|r| l == r))
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
        assert!(!equal("{1,2}", "{2,1}"));
        assert!(!equal("[1, 2", "[2, 1"));
        assert!(equal("not json", "not json"));
    }
}
