//! The PostgreSQL extension: the patch functions on the binary jsonb.
//!
//! In: calls from SQL, see `sql/`. Out: their results, or PostgreSQL errors. Always: this crate only takes
//! datums apart and puts them together; what is computed is in `jsonb-core`, which has no `unsafe`. No panic
//! and no `longjmp` passes a frame that holds something: a Rust panic becomes an error of the statement where
//! PostgreSQL called, and an error of PostgreSQL becomes a panic where it was called.

mod datum;
mod functions;
mod latest;

pgrx::pg_module_magic!(name, version);
