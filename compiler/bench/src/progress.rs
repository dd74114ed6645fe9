//! How far a run has come, on standard error: one line that is written over on a terminal, few lines elsewhere.

use std::cell::Cell;
use std::io::{IsTerminal, Write};

/// Where it is shown.
pub struct Progress {
    is_terminal: bool,
    tenths: Cell<usize>,
}

impl Default for Progress {
    fn default() -> Self {
        Self { is_terminal: std::io::stderr().is_terminal(), tenths: Cell::new(0) }
    }
}

impl Progress {
    /// So many rounds of `all` are done.
    pub fn step(&self, what: &str, done: usize, all: usize) {
        let tenths = done * 10 / all.max(1);
        if self.is_terminal {
            self.write(&format!("\r\x1b[K{what}: {done} of {all}"));
        } else if done == 1 || tenths / 5 > self.tenths.get() / 5 {
            self.write(&format!("{what}: {done} of {all}\n"));
        }
        self.tenths.set(if done == all { 0 } else { tenths });
        if done == all && self.is_terminal {
            self.write("\n");
        }
    }

    /// Something else that takes a while.
    pub fn note(&self, text: &str) {
        if self.is_terminal {
            self.write(&format!("\r\x1b[K{text}"));
        }
    }

    /// A line that stays.
    pub fn say(&self, text: &str) {
        self.write(&format!("{text}\n"));
    }

    fn write(&self, text: &str) {
        // Standard error may be closed; there is nowhere left to say so.
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
    }
}
