//! What all cases came to.
//!
//! In: the reports of cases. Out: how many views of each shape compile, what the others are refused for, and the failures.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::run::{CaseReport, Failed, Verdict};
use crate::shapes::Shape;

#[derive(Default)]
struct Count {
    compiled: usize,
    refused: usize,
    /// Compiled, and it showed rows.
    filled: usize,
}

#[derive(Default)]
pub struct Summary {
    pub cases: usize,
    views: Count,
    commits: usize,
    shapes: BTreeMap<Shape, Count>,
    /// By code, title without names, and what the view is about: how many, and the shortest view that it was said of.
    refusals: BTreeMap<(&'static str, String, String), (usize, String)>,
    pub failures: Vec<Failed>,
}

impl Summary {
    pub fn add(&mut self, report: CaseReport) {
        self.cases += 1;
        self.commits += report.commits;
        for (view, verdict) in report.verdicts {
            let filled = usize::from(report.filled.contains(&view.name));
            let counts = view.shapes.iter().copied();
            let (compiled, refused) = match &verdict {
                Verdict::Compiled => (1, 0),
                Verdict::Refused(_) => (0, 1),
                Verdict::NotAsked => continue,
            };
            self.views.add(compiled, refused, filled);
            for shape in counts {
                self.shapes.entry(shape).or_default().add(compiled, refused, filled);
            }
            let Verdict::Refused(errors) = verdict else { continue };
            for (code, title) in errors {
                let subject = view.name.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
                let refusal = self.refusals.entry((code.number(), without_names(&title), subject)).or_default();
                refusal.0 += 1;
                if refusal.1.is_empty() || view.sql.len() < refusal.1.len() {
                    refusal.1 = view.sql.clone();
                }
            }
        }
        if let Some(failed) = &report.failed {
            failed.save();
        }
        self.failures.extend(report.failed);
    }

    /// A run that compiles nothing, or compares nothing but empty views, proves nothing.
    pub fn assert_worth(&self) {
        assert!(self.cases >= 5 && self.commits > 5 * self.cases, "too little was run: {self}");
        assert!(self.views.compiled > self.views.refused, "most views are refused: {self}");
        assert!(2 * self.views.filled > self.views.compiled, "most views show no rows: {self}");
    }

    /// Writes refused views, one for each kind and subject, into a file, for those who want to extend the compiler.
    pub fn save_refusals(&self) {
        let refused: String = (self.refusals.iter())
            .map(|((code, title, _), (count, view))| format!("-- {count} × {code} {title}\n{view}\n"))
            .collect();
        std::fs::write(folder().join("refused.sql"), refused).expect("the refusals are saved");
    }

    /// The first failures in full, the others by their kind.
    pub fn failed(&self) -> String {
        let mut text: String = self.failures.iter().take(3).map(Failed::to_string).collect();
        for failed in self.failures.iter().skip(3) {
            text.push_str(&format!("seed {}: {}\n", failed.seed, failed.what));
        }
        text
    }
}

/// Where failures are kept.
fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("generated");
    std::fs::create_dir_all(&folder).expect("the folder is made");
    folder
}

impl Failed {
    /// At once, so that a run that is stopped has not been for nothing.
    fn save(&self) {
        let path = folder().join(format!("seed_{}.sql", self.seed));
        std::fs::write(&path, self.to_string()).expect("the failure is saved");
        println!("seed {}: {}; saved as {}", self.seed, self.what, path.display());
    }
}

impl Count {
    fn add(&mut self, compiled: usize, refused: usize, filled: usize) {
        self.compiled += compiled;
        self.refused += refused;
        self.filled += filled;
    }
}

/// The title without what stands in backquotes, so that refusals of one kind are counted together.
fn without_names(title: &str) -> String {
    let parts = title.split('`').enumerate().map(|(n, part)| if n % 2 == 0 { part } else { "_" });
    parts.collect()
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.compiled + self.refused;
        let percent = (100 * self.refused).checked_div(all).unwrap_or(0);
        write!(f, "{all:>6} views, {percent:>3} % refused, {:>6} compared with rows in them", self.filled)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} cases, {} commits, {} failures", self.cases, self.commits, self.failures.len())?;
        writeln!(f, "{:<22}{}", "all", self.views)?;
        for (shape, count) in &self.shapes {
            writeln!(f, "{:<22}{count}", shape.name())?;
        }
        let mut titles: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for ((code, title, _), (count, _)) in &self.refusals {
            *titles.entry((code, title)).or_default() += count;
        }
        for ((code, title), count) in titles {
            writeln!(f, "{count:>6} × {code} {title}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "-- seed {}: {}\n{}\n", self.seed, self.what, self.sql)?;
        writeln!(f, "{}", self.text)
    }
}
