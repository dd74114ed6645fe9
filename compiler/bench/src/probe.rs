//! What the server counts while an arm works.
//!
//! In: an arm's database, before and after. Out: [`Counters`]. The WAL of one operation is the distance that the server's insert
//! position has moved: nobody else writes on a throwaway server.

use postgres::Client;
use tviewc_verify::{SUPERUSER, Server};

use crate::error::{Doing, Result};
use crate::machine::peak_memory;
use crate::program::Program;
use crate::result::Counters;

/// What had been counted at a time.
#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    buffers: i64,
    written: i64,
    updated: i64,
    hot: i64,
    size: i64,
}

/// Counts from when it is made.
pub struct Probe {
    database: String,
    tables: Vec<String>,
    before: Counted,
}

impl Probe {
    /// Of the documents of a program in a database.
    pub fn begin(server: &Server, database: &str, program: &Program) -> Result<Self> {
        let tables = program.tviews.iter().map(|tview| tview.table.to_owned()).collect();
        let mut probe = Probe { database: database.to_owned(), tables, before: Counted::default() };
        probe.before = probe.counted(server)?;
        Ok(probe)
    }

    /// Since it was made: `session` is the one that worked, which ends here, because sessions report what they have counted at
    /// their end at the latest.
    pub fn end(self, server: &Server, mut session: Client, operations: usize) -> Result<Counters> {
        let process: i32 = session.query_one("SELECT pg_backend_pid()", &[]).doing("asking for the process")?.get(0);
        let memory = memory(&mut session)?;
        let peak = peak_memory(process.into());
        // Says what is left, and is gone afterwards.
        session.close().doing("closing a session")?;
        wait_for_end(server, process)?;
        let after = self.counted(server)?;
        let each = |after: i64, before: i64| (after - before) as f64 / operations.max(1) as f64;
        let updated = after.updated - self.before.updated;
        Ok(Counters {
            buffers: each(after.buffers, self.before.buffers),
            documents: each(after.written, self.before.written),
            hot: (updated > 0).then(|| (after.hot - self.before.hot) as f64 / updated as f64),
            growth: after.size - self.before.size,
            memory,
            peak,
        })
    }

    fn counted(&self, server: &Server) -> Result<Counted> {
        let mut client = server.connect(&self.database, SUPERUSER)?;
        let sql = "SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::int8, coalesce(sum(n_tup_upd), 0)::int8,
                          coalesce(sum(n_tup_hot_upd), 0)::int8, coalesce(sum(pg_total_relation_size(relid)), 0)::int8
                     FROM pg_stat_user_tables WHERE relname = ANY ($1)";
        let tables = client.query_one(sql, &[&self.tables]).doing("counting documents")?;
        // Of the tables and indexes of users, with their toast: what sessions read of the catalog at their start is none of it.
        let sql = "SELECT coalesce(sum(coalesce(heap_blks_read, 0) + coalesce(heap_blks_hit, 0) + coalesce(idx_blks_read, 0)
                                     + coalesce(idx_blks_hit, 0) + coalesce(toast_blks_read, 0) + coalesce(toast_blks_hit, 0)
                                     + coalesce(tidx_blks_read, 0) + coalesce(tidx_blks_hit, 0)), 0)::int8
                     FROM pg_statio_user_tables";
        let blocks = client.query_one(sql, &[]).doing("counting buffers")?;
        Ok(Counted {
            buffers: blocks.get(0),
            written: tables.get(0),
            updated: tables.get(1),
            hot: tables.get(2),
            size: tables.get(3),
        })
    }
}

/// The server's position in the WAL, in bytes.
pub fn wal(client: &mut Client) -> Result<f64> {
    let sql = "SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::float8";
    Ok(client.query_one(sql, &[]).doing("asking for the WAL's position")?.get(0))
}

/// What a session holds, from PostgreSQL 14 on.
pub fn memory(session: &mut Client) -> Result<Option<i64>> {
    let known = "SELECT to_regclass('pg_catalog.pg_backend_memory_contexts') IS NOT NULL";
    if !session.query_one(known, &[]).doing("looking for memory contexts")?.get::<_, bool>(0) {
        return Ok(None);
    }
    let sql = "SELECT sum(total_bytes)::int8 FROM pg_backend_memory_contexts";
    Ok(Some(session.query_one(sql, &[]).doing("asking for memory")?.get(0)))
}

fn wait_for_end(server: &Server, process: i32) -> Result<()> {
    let mut client = server.admin()?;
    let sql = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)";
    while client.query_one(sql, &[&process]).doing("waiting for a session's end")?.get(0) {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    Ok(())
}
