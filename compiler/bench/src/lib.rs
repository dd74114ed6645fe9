//! What keeping documents costs, measured so that it can be believed and guarded.
//!
//! In: nothing but the machine's server programs. Out: results as JSON ([`result`]), a report made of them ([`report`]), and a
//! verdict against a baseline ([`guard`]). Always: what is compared is measured in turns in one run ([`rounds`]), documents equal
//! their views before and after, and raw samples are kept.
//!
//! | module | what it is for |
//! |---|---|
//! | `program` | tables, views and rows, and the arms that keep the documents |
//! | `clients` | throughput of several clients |
//! | `paired` | one operation on every arm's database, in turns |
//! | `passes` | the same again, on databases made anew |
//! | `probe`, `profile` | what the server counts; where the time goes |
//! | `stats` | quantiles, intervals, the two-sample test |
//! | `workloads` | what is measured |

#![forbid(unsafe_code)]

pub mod clients;
pub mod error;
pub mod guard;
pub mod machine;
pub mod paired;
pub mod passes;
pub mod probe;
pub mod profile;
pub mod program;
pub mod progress;
pub mod report;
pub mod result;
pub mod rounds;
pub mod stats;
pub mod workloads;
