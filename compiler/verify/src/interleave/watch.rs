//! Watching what the backends wait for.
//!
//! In: the backends' process ids. Out: who is blocked by whom, as the server sees it. The deadlock detector decides
//! about cycles; here they only mean that something is still going to happen.

use std::collections::{BTreeMap, BTreeSet};

use postgres::Client;

use crate::error::{Doing, Result};

/// For each process that waits for a lock, who is in its way.
pub(crate) type Blocked = BTreeMap<i32, Vec<i32>>;

/// What stands for prepared transactions among the blockers: they have no process.
pub(crate) const PREPARED: i32 = 0;

/// Asks who is blocked among these processes.
pub(crate) fn blocked(monitor: &mut Client, pids: &[i32]) -> Result<Blocked> {
    let sql = "SELECT p, pg_blocking_pids(p) FROM unnest($1::int4[]) p";
    let rows = monitor.query(sql, &[&pids]).doing(|| "looking for waiting sessions".to_owned())?;
    let all = rows.iter().map(|row| (row.get::<_, i32>(0), row.get::<_, Vec<i32>>(1)));
    Ok(all.filter(|(_, blockers)| !blockers.is_empty()).collect())
}

/// Whether nothing moves before some session takes another step: every busy session is blocked by sessions of this
/// order (not by a passing outsider), and none of them is in a cycle, which the deadlock detector would break.
pub(crate) fn is_settled(blocked: &Blocked, busy: &[i32], ours: &BTreeSet<i32>) -> bool {
    busy.iter().all(|pid| {
        let by_us = blocked.get(pid).is_some_and(|blockers| blockers.iter().all(|blocker| ours.contains(blocker)));
        by_us && !reaches(blocked, *pid, *pid, &mut BTreeSet::new())
    })
}

fn reaches(blocked: &Blocked, from: i32, goal: i32, seen: &mut BTreeSet<i32>) -> bool {
    let blockers = blocked.get(&from).map(Vec::as_slice).unwrap_or_default();
    blockers.iter().any(|&blocker| blocker == goal || seen.insert(blocker) && reaches(blocked, blocker, goal, seen))
}

/// What a person needs to see when nothing moves.
pub(crate) fn picture(monitor: &mut Client) -> String {
    let sql = "SELECT format('%s %s %s/%s blocked by %s: %s', a.pid, a.state, a.wait_event_type, a.wait_event, \
               pg_blocking_pids(a.pid), left(a.query, 200)) \
               FROM pg_stat_activity a WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() \
               UNION ALL \
               SELECT format('lock %s %s %s %s (%s, %s, %s) %s', l.pid, l.locktype, l.mode, l.relation::regclass, \
               l.classid, l.objid, l.transactionid, CASE WHEN l.granted THEN 'granted' ELSE 'WAITING' END) \
               FROM pg_locks l WHERE l.pid <> pg_backend_pid() \
               AND l.database IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))";
    match monitor.query(sql, &[]) {
        Ok(rows) => rows.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>().join("\n"),
        Err(error) => format!("(the locks could not be read: {error})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_settled_and_a_cycle_is_not() {
        let ours = BTreeSet::from([1, 2, 3]);
        let chain = Blocked::from([(2, vec![1]), (3, vec![2])]);
        assert!(is_settled(&chain, &[2, 3], &ours));
        let cycle = Blocked::from([(1, vec![2]), (2, vec![1])]);
        assert!(!is_settled(&cycle, &[1, 2], &ours));
        let outsider = Blocked::from([(2, vec![99])]);
        assert!(!is_settled(&outsider, &[2], &ours));
        assert!(!is_settled(&Blocked::new(), &[1], &ours));
    }
}
