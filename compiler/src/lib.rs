//! `tviewc` compiles PostgreSQL views that build JSON documents into tables that cascade triggers
//! keep equal to them. The stages are pure functions; see `docs/architecture.md` for the table of
//! them. No module below the command line does any input or output.

pub mod advice;
pub mod catalog;
pub mod compile;
mod cut;
pub mod diagnostics;
pub mod document;
pub mod emit;
pub mod explain;
mod field_names;
pub mod graph;
pub mod keywords;
pub mod names;
mod order;
pub mod plan;
pub mod relate;
pub mod resolve;
pub mod source;
pub mod syntax;

pub use compile::{Compilation, Options, Output, compile};
