//! What is measured.
//!
//! In: sizes and arms from the command line. Out: one [`Workload`] of the result. One file per kind of workload; those that are
//! operations on programs share `paired`.

mod arrays;
mod blog;
mod concurrency;
mod cqrs;
mod feed;
mod memory;
mod reads;
mod scale;
mod shapes;
mod stability;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use tviewc_verify::Server;

use crate::error::{Error, Result};
use crate::paired::{Context, Op, measure};
use crate::program::{ArmKind, Program};
use crate::progress::Progress;
use crate::result::Workload;
use crate::rounds::{ENOUGH, Plan};

/// What a workload is told.
#[derive(Clone)]
pub struct Request<'a> {
    /// Its server; workloads follow one another on it.
    pub server: &'a Server,
    /// The arms that are wanted.
    pub arms: Vec<ArmKind>,
    /// Rounds of one operation in all passes; each workload has its own number otherwise.
    pub rounds: Option<usize>,
    /// How often everything is measured, on databases made anew.
    pub passes: usize,
    /// For all rounds of one operation.
    pub limit: Duration,
    /// How many of what.
    pub sizes: BTreeMap<String, i64>,
    /// Only operations whose names contain this.
    pub only: String,
    /// The program `tviewc`, for readers.
    pub tviewc: Option<PathBuf>,
    /// Where progress is shown.
    pub progress: &'a Progress,
}

/// A workload.
pub struct Kind {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is about.
    pub about: &'static str,
    /// Its sizes with their defaults: name, value, the least and the largest value.
    pub sizes: &'static [Size],
    /// Measures it.
    run: fn(&Request<'_>) -> Result<Workload>,
}

/// A size on the command line.
pub struct Size {
    /// Its name.
    pub name: &'static str,
    /// What it is without being given.
    pub default: i64,
    /// The least and the largest.
    pub range: (i64, i64),
}

const fn size(name: &'static str, default: i64, least: i64, most: i64) -> Size {
    Size { name, default, range: (least, most) }
}

const AUTHORS: &[Size] = &[size("authors", 100, 10, 1_000_000)];
const USERS: &[Size] = &[size("users", 2_000, 200, 1_000_000)];
const BULK_USERS: &[Size] = &[size("users", 2_000, 2_000, 1_000_000)];

/// All of them.
pub const KINDS: &[Kind] = &[
    Kind {
        name: "blog",
        about: "An author is renamed: posts, comments, and comments inside posts.",
        sizes: AUTHORS,
        run: blog::run,
    },
    Kind {
        name: "cqrs",
        about: "DNS servers inside network configurations inside allocations: documents of 10 to 50 KB, three levels.",
        sizes: cqrs::SIZES,
        run: cqrs::run,
    },
    Kind {
        name: "writes",
        about: "Writes of users, posts and comments, against triggers written by hand.",
        sizes: USERS,
        run: feed::writes,
    },
    Kind {
        name: "clients",
        about: "The same writes by one client and by eight.",
        sizes: feed::CLIENT_SIZES,
        run: feed::clients,
    },
    Kind {
        name: "arrays",
        about: "An element of an array is changed, added and removed, for arrays of 10 to 10,000 elements.",
        sizes: arrays::SIZES,
        run: arrays::run,
    },
    Kind {
        name: "arrays_pglz",
        about: "The same with documents that are compressed by pglz, as servers without lz4 do.",
        sizes: arrays::SIZES,
        run: arrays::run_pglz,
    },
    Kind {
        name: "gin",
        about: "What a GIN index on each document costs: an update of an indexed column is never a heap-only one.",
        sizes: USERS,
        run: feed::gin,
    },
    Kind { name: "single_row_update", about: "One row, one document.", sizes: USERS, run: feed::single },
    Kind { name: "cascade_10_entities", about: "One row that ten documents show.", sizes: USERS, run: feed::cascade },
    Kind { name: "bulk_1k_rows", about: "1,000 rows by one statement.", sizes: USERS, run: feed::bulk_1k },
    Kind { name: "bulk_100k_rows", about: "100,000 rows by one statement.", sizes: BULK_USERS, run: feed::bulk_100k },
    Kind {
        name: "scale",
        about: "Single-row writes on tables of more and more rows, for every shape of view.",
        sizes: scale::SIZES,
        run: scale::run,
    },
    Kind {
        name: "stability",
        about: "Sustained writes: latency, size and memory over time.",
        sizes: stability::SIZES,
        run: stability::run,
    },
    Kind {
        name: "memory",
        about: "The patch functions on documents of 100 KB, many times in one session.",
        sizes: memory::SIZES,
        run: memory::run,
    },
    Kind {
        name: "reads",
        about: "Documents read: tview, view, materialized view.",
        sizes: reads::SIZES,
        run: reads::run,
    },
    Kind {
        name: "concurrency",
        about: "Whether writers of different documents wait for each other.",
        sizes: concurrency::SIZES,
        run: concurrency::run,
    },
];

impl Kind {
    /// By its name.
    pub fn parse(name: &str) -> std::result::Result<&'static Kind, String> {
        let all: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
        KINDS
            .iter()
            .find(|kind| kind.name == name)
            .ok_or_else(|| format!("there is no workload {name}; there are: {}", all.join(", ")))
    }

    /// Measures it. Of the sizes those that it has are taken.
    pub fn run(&self, request: &Request<'_>) -> Result<Workload> {
        let mut sizes = BTreeMap::new();
        for size in self.sizes {
            let value = request.sizes.get(size.name).copied().unwrap_or(size.default);
            let (least, most) = size.range;
            if !(least..=most).contains(&value) {
                return Err(Error::Usage(format!(
                    "{}: {}={value} is not within {least} and {most}",
                    self.name, size.name
                )));
            }
            sizes.insert(size.name.to_owned(), value);
        }
        let own = Request { sizes: sizes.clone(), ..request.clone() };
        let workload = (self.run)(&own)?;
        Ok(Workload { name: self.name.to_owned(), about: self.about.to_owned(), sizes, ..workload })
    }
}

impl Request<'_> {
    /// A size, which is there and fits.
    fn size(&self, name: &str) -> i32 {
        self.sizes.get(name).and_then(|value| i32::try_from(*value).ok()).unwrap_or(0)
    }

    /// Of one pass.
    fn plan(&self, rounds: usize) -> Plan {
        let part = |all: usize| all.div_ceil(self.passes);
        let limit = self.limit / u32::try_from(self.passes).unwrap_or(u32::MAX);
        Plan { warm: 10, rounds: part(self.rounds.unwrap_or(rounds)), limit, least: part(ENOUGH) }
    }

    /// The arms that say something of a program.
    fn arms_of(&self, program: &Program, compares: bool) -> Vec<ArmKind> {
        let says = |arm: &ArmKind| match arm {
            ArmKind::Comparison => compares,
            ArmKind::Ceiling => program.has_ceiling,
            _ => true,
        };
        self.arms.iter().copied().filter(says).collect()
    }

    fn is_wanted(&self, name: &str) -> bool {
        name.contains(&self.only)
    }

    /// Operations on the databases of one program.
    fn paired(&self, program: &Program, ops: Vec<Op>, rounds: usize) -> Result<Workload> {
        let ops: Vec<Op> = ops.into_iter().filter(|op| self.is_wanted(&op.name)).collect();
        // It says something where the server does the timing, and costs time everywhere.
        let compares = program.comparison.is_some() && ops.iter().any(|op| op.is_timed_in_the_server);
        let arms = self.arms_of(program, compares);
        let plan = self.plan(rounds);
        let context = Context { server: self.server, arms: &arms, plan, progress: self.progress };
        if ops.is_empty() {
            return Ok(Workload::default());
        }
        let (documents, operations) = measure(&context, program, &ops)?;
        Ok(Workload { documents, operations, ..Workload::default() })
    }
}
