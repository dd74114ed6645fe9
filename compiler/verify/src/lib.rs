//! Proving that tviews equal their views, on real servers.
//!
//! In: a program that was compiled and installed in a database. Out: evidence, or a counter-example that can be
//! replayed. `server` starts throwaway clusters, `compare` tells whether every tview equals its view, `writer` makes
//! random writes over any schema, `interleave` runs every order of the steps of several sessions, `load` lets many
//! clients write at once. Nothing here knows how the triggers work, so that it can judge them.
//!
//! ```no_run
//! use tviewc_verify::{SUPERUSER, Server, ServerOptions, Session, interleave, random_run};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let migration = "";
//! let server = Server::start(&ServerOptions::default())?;
//! server.create_role("app")?;
//! server.create_database("blog", SUPERUSER, None)?;
//! server.psql("blog", SUPERUSER, migration)?; // schema, triggers, GRANTs to app
//! server.create_database("blog_race", SUPERUSER, Some("blog"))?;
//!
//! let report = random_run(&server, "blog", "app", 1, 300, &mut |_, _| {})?; // the error prints a psql script
//! assert!(report.tally.below(1).is_empty(), "{report}");
//!
//! let rename = ["BEGIN", "UPDATE author SET name = 'x' WHERE id = 1", "COMMIT"];
//! let insert = ["BEGIN", "INSERT INTO post VALUES (9, 1)", "COMMIT"];
//! let sessions = [Session::new("rename", "app", &rename), Session::new("insert", "app", &insert)];
//! let report = interleave(&server, "blog_race", &sessions)?;
//! assert!(report.findings.is_empty(), "{report}");
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

pub mod binaries;
pub mod compare;
pub mod dice;
pub mod error;
mod hints;
pub mod host;
pub mod interleave;
pub mod load;
mod multiset;
pub mod quote;
pub mod schema;
pub mod server;
pub mod types;
pub mod writer;

pub use compare::{CompareOptions, Multisets, Report, compare, compare_with};
pub use error::{Error, Result};
pub use host::Host;
pub use interleave::{InterleaveOptions, InterleaveReport, Orders, Session, interleave, interleave_with};
pub use load::{LoadOptions, LoadReport, load};
pub use server::{SUPERUSER, Server, ServerOptions};
pub use writer::{Failure, RunOptions, RunReport, Writer, WriterOptions, minimise, random_run, random_run_with};
