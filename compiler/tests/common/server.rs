//! The server that all tests of a process share.
//!
//! In: nothing but the machine's server programs. Out: a server with a role that owns the tables and is no superuser. It
//! goes with the process.

use std::sync::OnceLock;

use tviewc_verify::{Server, ServerOptions};

/// The role that owns the tables and applies the migrations; not a superuser.
pub const OWNER: &str = "app";

/// The server.
pub fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let server = Server::start(&ServerOptions::default()).expect("a PostgreSQL server starts");
        server.create_role(OWNER).expect("the role is created");
        server
    })
}
