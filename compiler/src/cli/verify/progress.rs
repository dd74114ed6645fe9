//! How far a run has come, on standard error.
//!
//! In: a number of steps done. Out: one line that is written over on a terminal, a line per tenth elsewhere; nothing
//! where a machine reads the messages.

use std::io::{IsTerminal, Write};

use crate::cli::{Global, MessageFormat};

/// Where the steps are shown.
pub(super) struct Progress {
    terminal: bool,
    silent: bool,
    shown: usize,
}

impl Progress {
    pub(super) fn new(global: &Global) -> Self {
        let silent = matches!(global.message_format, MessageFormat::Json | MessageFormat::Sarif);
        Self { terminal: std::io::stderr().is_terminal(), silent, shown: 0 }
    }

    /// So many of `all` steps are done.
    pub(super) fn step(&mut self, done: usize, all: usize, what: &str) {
        let tenths = done * 10 / all.max(1);
        if self.terminal {
            self.write(&format!("\rtviewc: {done} of {all} {what}"));
        } else if tenths > self.shown {
            self.write(&format!("tviewc: {done} of {all} {what}\n"));
        }
        self.shown = tenths;
        if done == all {
            self.end();
        }
    }

    /// Something whose end is not known.
    pub(super) fn note(&mut self, text: &str) {
        if self.terminal {
            self.write(&format!("\rtviewc: {text}"));
        }
    }

    /// What comes next begins on a line of its own.
    pub(super) fn end(&mut self) {
        self.shown = 0;
        if self.terminal {
            self.write("\n");
        }
    }

    /// A line for people.
    pub(super) fn say(&mut self, text: &str) {
        self.write(&format!("tviewc: {text}\n"));
    }

    fn write(&self, text: &str) {
        if !self.silent {
            // Standard error may be closed; there is nowhere left to say so.
            let _ = std::io::stderr().lock().write_all(text.as_bytes());
        }
    }
}
