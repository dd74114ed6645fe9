//! Both runtimes give the same, byte for byte.

mod cases;
mod compat;
mod declared;
mod generated;
mod memory;
mod random;
mod stored;
mod switch;
mod triggers;

#[path = "../../../core/tests/common/mod.rs"]
mod common;
