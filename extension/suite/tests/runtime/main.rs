//! Both runtimes give the same, byte for byte.

mod cases;
mod compat;
mod declared;
mod memory;
mod random;
mod stored;
mod switch;

#[path = "../../../core/tests/common/mod.rs"]
mod common;
