//! Live tests: compiled migrations on a real PostgreSQL.
//!
//! `TVIEWC_TEST_FULL=1` makes the random runs long; `TVIEWC_PG_BIN` chooses the server.

mod apply;
mod change_elements;
mod concurrency;
mod drift;
mod dump;
mod faults;
mod group_pairs;
mod key_pairs;
mod lost_locks;
mod more_pairs;
mod needed_locks;
mod operations;
mod partitions;
mod patch_pairs;
mod plan_pairs;
mod random;
mod reads;
mod scans;
mod sessions;
#[path = "../common/server.rs"]
mod shared;
mod snapshots;
mod stream_command;
mod support;
mod verify_command;
mod writes;
