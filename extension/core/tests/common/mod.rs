//! What the integration tests share: a plain JSON tree with its own encoder, a model of the
//! operations on it, and generators of documents and operations. Nothing here uses the crate's
//! reading or writing of bytes, so that agreement with it means something.
#![allow(dead_code, reason = "each test binary uses a part of this")]

pub mod elements;
pub mod generate;
pub mod json;
pub mod model;
