//! Lines of JSON on their way out.
//!
//! In: the text of one JSON value per row. Out: whole lines, kept back until there are enough of them or the reader is to see
//! them. Always: one value is one line.

use std::io::{Result, Write};

/// How many bytes are kept back.
const BUFFER: usize = 1 << 16;

/// What writes them.
pub(super) struct Lines<W: Write> {
    out: W,
    buffer: Vec<u8>,
    count: u64,
}

impl<W: Write> Lines<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out, buffer: Vec::new(), count: 0 }
    }

    /// One more line.
    pub(super) fn write(&mut self, json: &str) -> Result<()> {
        // The type json keeps the text as it was given. A line break in it stands between tokens: in strings they are escaped.
        let line = json.bytes().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte });
        self.buffer.extend(line);
        self.buffer.push(b'\n');
        self.count += 1;
        if self.buffer.len() >= BUFFER { self.flush() } else { Ok(()) }
    }

    /// Sends what was kept back.
    pub(super) fn flush(&mut self) -> Result<()> {
        self.out.write_all(&self.buffer)?;
        self.buffer.clear();
        self.out.flush()
    }

    /// How many lines there were.
    pub(super) fn count(&self) -> u64 {
        self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_a_line() {
        let mut out = Vec::new();
        let mut lines = Lines::new(&mut out);
        lines.write("{\"a\":\r\n 1}").unwrap();
        lines.write(r#""a\nb""#).unwrap();
        lines.flush().unwrap();
        assert_eq!(lines.count(), 2);
        assert_eq!(String::from_utf8(out).unwrap(), "{\"a\":   1}\n\"a\\nb\"\n");
    }

    #[test]
    fn many_lines_are_sent_before_the_end() {
        let mut out = Vec::new();
        let mut lines = Lines::new(&mut out);
        let long = "1".repeat(BUFFER);
        lines.write(&long).unwrap();
        assert_eq!(out.len(), BUFFER + 1);
    }
}
