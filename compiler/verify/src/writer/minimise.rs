//! Making a failing history short.
//!
//! In: a failure of a random run and a copy of the database as it was before the run. Out: a script with what is left
//! of the history after everything was removed without which the same kind of failure still happens. Each trial runs
//! on a fresh copy. The result fails for certain; it need not be the shortest there is.

use std::sync::Arc;

use super::log::{Sent, TransactionLog, script};
use super::run::{Cause, Failure};
use super::session::Session;
use crate::compare::{CompareOptions, compare_with};
use crate::error::{Error, Result};
use crate::host::Host;
use crate::schema;

/// What has to happen again.
enum Goal {
    Differs,
    Raises(String),
}

struct Trials<'a> {
    host: &'a Host,
    template: &'a str,
    user: &'a str,
    compare: &'a CompareOptions,
    tviews: Arc<[String]>,
    goal: Goal,
    made: usize,
    left: usize,
    on_trial: &'a mut dyn FnMut(usize),
}

/// Shortens the history of a failure with at most `trials` trials (a few hundred are usual).
pub fn minimise(host: &Host, template: &str, user: &str, failure: &Failure, trials: usize) -> Result<String> {
    minimise_with(host, template, user, failure, trials, &CompareOptions::default(), &mut |_| {})
}

/// The same for a run that compared with options of its own; `on_trial` is told how many trials have been made.
pub fn minimise_with(
    host: &Host,
    template: &str,
    user: &str,
    failure: &Failure,
    trials: usize,
    compare: &CompareOptions,
    on_trial: &mut dyn FnMut(usize),
) -> Result<String> {
    let goal = match &*failure.cause {
        Cause::Differences(_) => Goal::Differs,
        Cause::Suspicious(suspicion) => Goal::Raises(suspicion.code.clone()),
        Cause::Harness(_) => {
            return Err(Error::Setup("a failure of the harness itself cannot be shortened".to_owned()));
        }
    };
    let mut admin = host.connect(template, host.administrator())?;
    let tviews: Vec<String> = schema::tviews(&mut admin)?.into_iter().map(|(_, name)| name).collect();
    drop(admin);
    let mut trials =
        Trials { host, template, user, compare, tviews: tviews.into(), goal, made: 0, left: trials, on_trial };
    let transactions: Vec<Vec<Sent>> = failure.history.iter().map(|log| log.sent.clone()).collect();
    if !trials.fails(&transactions.concat())? {
        let text = "the history does not fail again; is the template equal to the database before the run, and are \
                    its defaults free of randomness and of the clock?";
        return Err(Error::Setup(text.to_owned()));
    }
    // Whole transactions first: there are fewer of them, and most have no part in the failure.
    let transactions = trials.shorten(transactions, |kept| kept.concat())?;
    let texts = trials.shorten(transactions.concat(), <[Sent]>::to_vec)?;
    Ok(script(&[TransactionLog { sent: texts, ..TransactionLog::default() }]))
}

impl Trials<'_> {
    /// Removes ever smaller runs of items while the failure stays.
    fn shorten<T: Clone>(&mut self, mut items: Vec<T>, flat: impl Fn(&[T]) -> Vec<Sent>) -> Result<Vec<T>> {
        let mut size = items.len().div_ceil(2);
        while size > 0 {
            let mut removed = false;
            // From the end: what comes last is least likely to be what others rest on.
            let mut end = items.len();
            while end > 0 && self.left > 0 {
                let start = end.saturating_sub(size);
                let kept: Vec<T> = items[..start].iter().chain(&items[end..]).cloned().collect();
                if self.fails(&flat(&kept))? {
                    items = kept;
                    removed = true;
                }
                end = start;
            }
            size = if removed && size == 1 { 1 } else { size / 2 };
            if self.left == 0 {
                break;
            }
        }
        Ok(items)
    }

    fn fails(&mut self, texts: &[Sent]) -> Result<bool> {
        self.left = self.left.saturating_sub(1);
        self.made += 1;
        (self.on_trial)(self.made);
        let database = format!("minimise_{:08x}_{}", std::process::id(), self.left);
        self.host.create_database(&database, self.host.administrator(), Some(self.template))?;
        let result = self.replay(&database, texts);
        self.host.drop_database(&database)?;
        result
    }

    fn replay(&self, database: &str, texts: &[Sent]) -> Result<bool> {
        let mut client = self.host.connect(database, self.user)?;
        let mut session = Session::new(&mut client, Arc::clone(&self.tviews));
        for sent in texts {
            session.send(sent.kind, &sent.sql, sent.copy_data.as_deref());
        }
        session.control("ROLLBACK");
        let log = session.finish()?;
        match &self.goal {
            Goal::Raises(code) => Ok(log.suspicious.iter().any(|suspicion| suspicion.code == *code)),
            Goal::Differs => {
                let mut reader = self.host.connect(database, self.host.administrator())?;
                Ok(!compare_with(&mut reader, self.compare, &mut |_| Ok(()))?.is_equal())
            }
        }
    }
}
