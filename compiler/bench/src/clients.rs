//! Throughput: several clients at once, each in a thread and a session of its own.
//!
//! In: how many, for how long, and what a client does in one turn. Out: how many turns per second committed, of all together. All
//! begin together when all are connected.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};

/// Plans become generic after the fifth turn.
const WARM: i32 = 7;

/// Per second. `session` connects a client, by number, and gives what it does in each turn; that says whether it committed.
pub fn throughput<W>(clients: i32, slice: Duration, session: impl Fn(i32) -> Result<W> + Sync) -> Result<f64>
where
    W: FnMut(i32) -> Result<bool>,
{
    let parties = usize::try_from(clients).unwrap_or(0) + 1;
    let (ready, done, commits) = (Barrier::new(parties), AtomicBool::new(false), AtomicUsize::new(0));
    let work = |client: i32| -> Result<()> {
        let connected = session(client).and_then(|mut turn_of| {
            (0..WARM).try_for_each(|turn| turn_of(turn).map(drop))?;
            Ok(turn_of)
        });
        // Also without a session, or the others would wait for ever.
        ready.wait();
        let mut turn_of = connected?;
        for turn in WARM.. {
            if done.load(Ordering::Relaxed) {
                break;
            }
            if turn_of(turn)? {
                commits.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let work = &work;
        let workers: Vec<_> = (0..clients).map(|client| scope.spawn(move || work(client))).collect();
        ready.wait();
        let begun = Instant::now();
        std::thread::sleep(slice);
        let made = commits.load(Ordering::Relaxed);
        let took = begun.elapsed();
        done.store(true, Ordering::Relaxed);
        for worker in workers {
            worker.join().map_err(|_| Error::Program("a client ended without a result".to_owned()))??;
        }
        Ok(made as f64 / took.as_secs_f64())
    })
}
