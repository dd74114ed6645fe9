//! The early end of a stream.
//!
//! In: SIGINT, SIGTERM, or a reader of standard output that has gone, seen at once even while the server works and nothing is
//! written. Out: the query is cancelled in the server, then this process ends. A cancelled query that its session's end
//! would have ended too does no harm; one that waits for a lock or sorts would not notice that end for a long time.

use std::sync::OnceLock;
use std::thread;

use postgres::{CancelToken, NoTls};
use rustix::event::{PollFd, PollFlags, poll};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// The query to cancel.
static QUERY: OnceLock<CancelToken> = OnceLock::new();

/// From now on the server's query ends with this process.
pub(super) fn watch(query: CancelToken) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let _ = QUERY.set(query);
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        if let Some(signal) = signals.forever().next() {
            // As shells report a process that a signal has ended.
            end(128 + signal);
        }
    })?;
    thread::Builder::new().name("reader".to_owned()).spawn(wait_for_reader)?;
    Ok(())
}

/// Nobody reads any more, and that is how readers say that they have enough.
pub(super) fn reader_is_gone() -> ! {
    end(0)
}

/// Ends when the other end of standard output is closed, if it has one.
fn wait_for_reader() {
    let out = std::io::stdout();
    loop {
        let mut polled = [PollFd::new(&out, PollFlags::empty())];
        match poll(&mut polled, None) {
            Ok(_) if polled[0].revents().intersects(PollFlags::ERR | PollFlags::HUP) => reader_is_gone(),
            Err(rustix::io::Errno::INTR) => {}
            // Something that cannot be waited for: the next write tells.
            _ => return,
        }
    }
}

fn end(code: i32) -> ! {
    if let Some(query) = QUERY.get() {
        // Without a server there is nothing to cancel.
        let _ = query.cancel_query(NoTls);
    }
    std::process::exit(code)
}
