//! Running one order of steps.
//!
//! In: a fresh database, the sessions, an order. Out: a trace. Each session has its own thread and connection; this
//! module hands out the steps. After each step it waits until the session has answered or is blocked by another one.
//! Steps of a blocked session wait in its queue. A session that failed rolls back and skips the rest of its steps.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use postgres::Client;

use super::{Session, watch};
use crate::error::{Doing, Error, Result};
use crate::server::{SUPERUSER, Server};

/// How long to wait for an answer before asking the server whether the session waits.
const POLL: Duration = Duration::from_millis(2);

/// What one order did.
#[derive(Debug, Clone, Default)]
pub struct Trace {
    /// What happened, in order.
    pub events: Vec<Event>,
}

/// Something that happened to a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The session's name.
    pub session: String,
    /// The number of its step; the count of its steps for the final ROLLBACK.
    pub step: usize,
    /// The step's text.
    pub sql: String,
    /// What happened.
    pub what: What,
}

/// What can happen to a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// It was sent.
    Sent,
    /// It was found waiting for these sessions.
    Waits(Vec<String>),
    /// It succeeded.
    Done,
    /// It failed: SQLSTATE and text.
    Failed(String, String),
    /// The session has come to its end; the failure that ended it, if any.
    Ended(Option<(String, String)>),
}

impl Trace {
    /// The course of events as a text, equal for orders that only differ in how long steps stood in a queue.
    pub(crate) fn schedule(&self) -> String {
        let relevant = self.events.iter().filter_map(|event| match &event.what {
            What::Done => Some(format!("{}.{} done", event.session, event.step)),
            What::Failed(code, _) => Some(format!("{}.{} {code}", event.session, event.step)),
            What::Waits(_) => Some(format!("{}.{} waits", event.session, event.step)),
            What::Sent | What::Ended(_) => None,
        });
        relevant.collect::<Vec<_>>().join("; ")
    }

    /// How many steps had to wait.
    pub fn waits(&self) -> usize {
        self.events.iter().filter(|event| matches!(event.what, What::Waits(_))).count()
    }

    /// How each session ended: `None`, or SQLSTATE and text of its failure.
    pub(crate) fn ends(&self) -> impl Iterator<Item = Option<(&str, &str)>> {
        self.events.iter().filter_map(|event| match &event.what {
            What::Ended(end) => Some(end.as_ref().map(|(code, text)| (code.as_str(), text.as_str()))),
            _ => None,
        })
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Event { session, step, sql, what } in &self.events {
            match what {
                What::Sent => writeln!(f, "  {session}.{step}: {sql}")?,
                What::Waits(blockers) => writeln!(f, "  {session}.{step} waits for {}", blockers.join(", "))?,
                What::Done => writeln!(f, "  {session}.{step} done")?,
                What::Failed(_, text) => writeln!(f, "  {session}.{step} failed: {text}")?,
                What::Ended(None) => writeln!(f, "  {session} ended")?,
                What::Ended(Some((code, _))) => writeln!(f, "  {session} ended after {code}")?,
            }
        }
        Ok(())
    }
}

/// A session's answer to a step.
struct Answer {
    session: usize,
    result: std::result::Result<(), (String, String)>,
}

/// A session as seen from here.
struct Lane<'a> {
    session: &'a Session,
    pid: i32,
    commands: Option<Sender<String>>,
    thread: Option<JoinHandle<()>>,
    /// Steps that were due but not sent, because an earlier one has not been answered.
    queue: VecDeque<usize>,
    /// The step in progress, and whether it was seen waiting.
    current: Option<(usize, bool)>,
    failure: Option<(String, String)>,
}

struct Drive<'a> {
    lanes: Vec<Lane<'a>>,
    answers: Receiver<Answer>,
    monitor: Client,
    trace: Trace,
    deadline: Instant,
}

/// Runs one order. The superuser's connection that watched it is handed on to the check.
pub(crate) fn run(
    server: &Server,
    database: &str,
    sessions: &[Session],
    order: &[usize],
    watchdog: Duration,
) -> Result<(Trace, Client)> {
    let mut drive = Drive::start(server, database, sessions, watchdog)?;
    let result = drive.run(order);
    if result.is_err() {
        drive.terminate();
    }
    let ended = drive.finish();
    result.map(|()| ended)
}

impl<'a> Drive<'a> {
    fn start(server: &Server, database: &str, sessions: &'a [Session], watchdog: Duration) -> Result<Self> {
        let monitor = server.connect(database, SUPERUSER)?;
        let (report, answers) = channel();
        let mut lanes = Vec::new();
        for (number, session) in sessions.iter().enumerate() {
            let (client, pid) = connect(server, database, session)?;
            let (commands, steps) = channel();
            let report = report.clone();
            let thread = std::thread::Builder::new()
                .name(format!("session {}", session.name))
                .spawn(move || serve(client, number, &steps, &report))
                .doing(|| "starting a session's thread".to_owned())?;
            lanes.push(Lane {
                session,
                pid,
                commands: Some(commands),
                thread: Some(thread),
                queue: VecDeque::new(),
                current: None,
                failure: None,
            });
        }
        Ok(Self { lanes, answers, monitor, trace: Trace::default(), deadline: Instant::now() + watchdog })
    }

    fn run(&mut self, order: &[usize]) -> Result<()> {
        let mut next = vec![0; self.lanes.len()];
        for &session in order {
            self.lanes[session].queue.push_back(next[session]);
            next[session] += 1;
            self.settle()?;
            self.end_finished(&next)?;
        }
        // What is queued now waits for sessions that have nothing left to do but to end.
        while self.lanes.iter().any(|lane| lane.thread_is_open()) {
            let before = self.trace.events.len();
            self.settle()?;
            self.end_finished(&next)?;
            if self.trace.events.len() == before {
                return Err(self.stuck("all sessions wait for each other"));
            }
        }
        Ok(())
    }

    /// Ends sessions that have taken all their steps, which rolls back what they left open.
    fn end_finished(&mut self, next: &[usize]) -> Result<()> {
        let mut ended = false;
        for (session, &taken) in next.iter().enumerate() {
            let lane = &mut self.lanes[session];
            let all_taken = taken == lane.session.steps.len();
            if all_taken && lane.thread_is_open() && lane.queue.is_empty() && lane.current.is_none() {
                lane.commands = None;
                // The thread rolls back and disconnects; nothing can make that wait.
                if let Some(thread) = lane.thread.take() {
                    thread.join().map_err(|_| Error::Worker("ending a session".to_owned()))?;
                }
                let pid = lane.pid;
                let (step, failure) = (lane.session.steps.len(), lane.failure.clone());
                self.note(session, step, What::Ended(failure));
                self.wait_until_gone(pid)?;
                ended = true;
            }
        }
        if ended { self.settle() } else { Ok(()) }
    }

    /// Session-level locks go with the backend, a moment after the client has left.
    fn wait_until_gone(&mut self, pid: i32) -> Result<()> {
        let sql = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)";
        while self.monitor.query_one(sql, &[&pid]).doing(|| "waiting for a session's end".to_owned())?.get(0) {
            if Instant::now() > self.deadline {
                return Err(self.stuck("a session that was closed does not go away"));
            }
            std::thread::sleep(POLL);
        }
        Ok(())
    }

    /// Sends what can be sent, and returns when no session can move before another step is taken.
    fn settle(&mut self) -> Result<()> {
        loop {
            self.send_queued()?;
            let busy: Vec<i32> = self.busy().collect();
            if busy.is_empty() {
                return Ok(());
            }
            match self.answers.recv_timeout(POLL) {
                Ok(answer) => {
                    self.take(answer);
                    continue;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Error::Worker("a step was running".to_owned()));
                }
            }
            if self.look(&busy)? {
                return Ok(());
            }
            if Instant::now() > self.deadline {
                return Err(self.stuck("the watchdog's time is over"));
            }
        }
    }

    /// Asks the server who waits. True when nothing can move by itself. An answer that arrives during the question
    /// makes the picture old, so it is looked at once more afterwards.
    fn look(&mut self, busy: &[i32]) -> Result<bool> {
        let blocked = watch::blocked(&mut self.monitor, busy)?;
        for session in 0..self.lanes.len() {
            let lane = &mut self.lanes[session];
            if let (Some((step, seen @ false)), Some(blockers)) = (lane.current.as_mut(), blocked.get(&lane.pid)) {
                *seen = true;
                let step = *step;
                let blockers = blockers.iter().map(|&pid| self.name_of(pid)).collect();
                self.note(session, step, What::Waits(blockers));
            }
        }
        if let Ok(answer) = self.answers.try_recv() {
            self.take(answer);
            return Ok(false);
        }
        let mut ours: BTreeSet<i32> = self.lanes.iter().map(|lane| lane.pid).collect();
        ours.insert(watch::PREPARED);
        Ok(watch::is_settled(&blocked, busy, &ours))
    }

    fn send_queued(&mut self) -> Result<()> {
        for session in 0..self.lanes.len() {
            let lane = &mut self.lanes[session];
            if lane.current.is_some() {
                continue;
            }
            if lane.failure.is_some() {
                lane.queue.clear();
            }
            let Some(step) = lane.queue.pop_front() else {
                continue;
            };
            let sql = lane.session.steps[step].clone();
            let sent = lane.commands.as_ref().is_some_and(|commands| commands.send(sql).is_ok());
            if !sent {
                return Err(Error::Worker(format!("session {} had steps left", lane.session.name)));
            }
            lane.current = Some((step, false));
            self.note(session, step, What::Sent);
        }
        Ok(())
    }

    fn take(&mut self, answer: Answer) {
        let lane = &mut self.lanes[answer.session];
        let step = lane.current.take().map_or(0, |(step, _)| step);
        let what = match answer.result {
            Ok(()) => What::Done,
            Err((code, text)) => {
                lane.failure = Some((code.clone(), text.clone()));
                What::Failed(code, text)
            }
        };
        self.note(answer.session, step, what);
    }

    fn busy(&self) -> impl Iterator<Item = i32> {
        self.lanes.iter().filter(|lane| lane.current.is_some()).map(|lane| lane.pid)
    }

    fn name_of(&self, pid: i32) -> String {
        if pid == watch::PREPARED {
            return "a prepared transaction".to_owned();
        }
        let lane = self.lanes.iter().find(|lane| lane.pid == pid);
        lane.map_or_else(|| format!("process {pid}"), |lane| lane.session.name.clone())
    }

    fn note(&mut self, session: usize, step: usize, what: What) {
        let session = self.lanes[session].session;
        let sql = session.steps.get(step).cloned().unwrap_or_default();
        self.trace.events.push(Event { session: session.name.clone(), step, sql, what });
    }

    fn stuck(&mut self, reason: &str) -> Error {
        Error::Stuck(format!("{reason}\n{}{}", self.trace, watch::picture(&mut self.monitor)))
    }

    /// Ends all backends of the order, so that their threads come back.
    fn terminate(&mut self) {
        let pids: Vec<i32> = self.lanes.iter().map(|lane| lane.pid).collect();
        // Dropping the database with FORCE would do the same later; an error here changes nothing.
        let _ = self.monitor.execute("SELECT pg_terminate_backend(p) FROM unnest($1::int4[]) p", &[&pids]);
    }

    fn finish(mut self) -> (Trace, Client) {
        for lane in &mut self.lanes {
            lane.commands = None;
            if let Some(thread) = lane.thread.take() {
                let _ = thread.join();
            }
        }
        (self.trace, self.monitor)
    }
}

impl Lane<'_> {
    fn thread_is_open(&self) -> bool {
        self.thread.is_some()
    }
}

fn connect(server: &Server, database: &str, session: &Session) -> Result<(Client, i32)> {
    let mut client = server.connect(database, &session.user)?;
    if let Some(level) = &session.isolation {
        let sql = format!("SET default_transaction_isolation = '{}'", level.to_lowercase());
        client.batch_execute(&sql).doing(|| sql.clone())?;
    }
    let row = client.query_one("SELECT pg_backend_pid()", &[]).doing(|| "asking for the process id".to_owned())?;
    Ok((client, row.get(0)))
}

/// The thread of a session: answers each step, rolls back after a failure and at the end.
fn serve(mut client: Client, session: usize, steps: &Receiver<String>, report: &Sender<Answer>) {
    while let Ok(sql) = steps.recv() {
        let result = client.batch_execute(&sql).map_err(|error| {
            let code = error.code().map(|code| code.code().to_owned()).unwrap_or_default();
            (code, crate::error::describe(&error))
        });
        if result.is_err() {
            let _ = client.batch_execute("ROLLBACK");
        }
        if report.send(Answer { session, result }).is_err() {
            return;
        }
    }
    let _ = client.batch_execute("ROLLBACK");
}
