//! Names of what a migration makes.
//!
//! In: program, tables, tviews, links. Out: identifiers of at most 63 bytes, the same for the same
//! input, different for different objects: what would be too long is cut and ends in a hash of the
//! whole.

use sha2::{Digest, Sha256};

use crate::names::{Ident, MAX_IDENT_BYTES, QualName, truncate};
use crate::plan::{Tview, TviewParts};
use crate::resolve::UseId;

/// Parts joined by two underscores, within the length of an identifier.
fn bounded(parts: &[&str]) -> Ident {
    let whole = parts.join("__");
    if whole.len() <= MAX_IDENT_BYTES {
        return Ident::new(whole);
    }
    let hash: String = Sha256::digest(whole.as_bytes()).iter().take(4).map(|b| format!("{b:02x}")).collect();
    let mut end = MAX_IDENT_BYTES - 9;
    while !whole.is_char_boundary(end) {
        end -= 1;
    }
    Ident::new(format!("{}_{hash}", &whole[..end]))
}

/// The schema is left out where it is the usual one.
fn qualified(name: &QualName) -> Vec<&str> {
    match name.schema.as_str() {
        "public" => vec![name.name.as_str()],
        schema => vec![schema, name.name.as_str()],
    }
}

fn of_object(program: &str, object: &QualName, rest: &[&str]) -> Ident {
    let mut parts = vec![program];
    parts.extend(qualified(object));
    parts.extend(rest);
    bounded(&parts)
}

/// The name, or the name and as many underscores as it takes to be nobody else's.
pub fn free(name: &str, is_taken: impl Fn(&Ident) -> bool) -> Ident {
    let mut name = Ident::new(name);
    while is_taken(&name) {
        name = Ident::new(format!("{name}_"));
    }
    name
}

/// The trigger function of a base table.
pub fn table_function(program: &str, table: &QualName) -> Ident {
    of_object(program, table, &[])
}

/// The function that writes documents for changed rows of a base table.
pub fn write(program: &str, table: &QualName) -> Ident {
    of_object(program, table, &["write"])
}

/// The function that locks and tells which documents changed rows of a base table reach.
pub fn reached(program: &str, table: &QualName) -> Ident {
    of_object(program, table, &["reached"])
}

/// The function that tries once to lock documents by key.
pub fn try_lock(program: &str, tview: &QualName) -> Ident {
    of_object(program, tview, &["try_lock"])
}

/// The function that locks documents by key.
pub fn lock(program: &str, tview: &QualName) -> Ident {
    of_object(program, tview, &["lock"])
}

/// The function that tells whether all documents of some keys are seen.
pub fn known(program: &str, tview: &QualName) -> Ident {
    of_object(program, tview, &["known"])
}

/// The function that recomputes documents by key.
pub fn recompute(program: &str, tview: &QualName) -> Ident {
    of_object(program, tview, &["recompute"])
}

/// The function that compares all documents.
pub fn refresh(program: &str, tview: &QualName) -> Ident {
    of_object(program, tview, &["refresh"])
}

/// The function that compares all documents with the view.
pub fn check(program: &str, tview: &QualName) -> Ident {
    of_object(program, tview, &["check"])
}

/// The function that compares documents with the view by key.
pub fn differ(program: &str, tview: &QualName) -> Ident {
    of_object(program, tview, &["differ"])
}

/// The function that mends documents by key.
pub fn repair(program: &str, tview: &QualName) -> Ident {
    of_object(program, tview, &["repair"])
}

/// The view that a tview is read through by key, where that is not its own.
pub fn narrowed(program: &str, tview: &QualName) -> Ident {
    of_object(program, tview, &["by_key"])
}

/// The view that tells in which partitions the rows of a tview are.
pub fn partitions(program: &str, tview: &QualName) -> Ident {
    of_object(program, tview, &["partitions"])
}

/// The view that takes the place of one below, where a tview is read by key.
pub fn below(program: &str, tview: &QualName, view: &QualName) -> Ident {
    let mut rest = vec!["of"];
    rest.extend(qualified(view));
    of_object(program, tview, &rest)
}

/// The view that shows values of a tview's documents, one column each.
pub fn parts(program: &str, tview: &QualName) -> Ident {
    of_object(program, tview, &["parts"])
}

/// The view that shows the elements of an array in a tview's documents, one row each.
pub fn elements(program: &str, tview: &QualName, number: usize) -> Ident {
    of_object(program, tview, &["elements", &number.to_string()])
}

/// The function that tells which elements of an array stand beside one.
pub fn beside(program: &str, tview: &QualName, number: usize) -> Ident {
    of_object(program, tview, &["beside", &number.to_string()])
}

/// The function that computes an element of an array that has arrays in its elements.
pub fn element(program: &str, tview: &QualName, number: usize) -> Ident {
    of_object(program, tview, &["element", &number.to_string()])
}

/// The function that computes an array in a tview's document.
pub fn array(program: &str, tview: &QualName, number: usize) -> Ident {
    of_object(program, tview, &["array", &number.to_string()])
}

/// The table that stands for the keys of a tview.
pub fn key_lock(program: &str, tview: &QualName) -> Ident {
    of_object(program, tview, &["lock_key"])
}

/// The table that stands for a link; a use has several where the view has several variants.
pub fn link_lock(program: &str, tview: &Tview, child: UseId, number: usize) -> Ident {
    let alias = &tview.view.uses[child.0].alias;
    match number {
        0 => of_object(program, &tview.name, &["lock", alias.as_str()]),
        n => of_object(program, &tview.name, &["lock", alias.as_str(), &(n + 1).to_string()]),
    }
}

/// A trigger; `zzz` makes it fire after the user's own.
pub fn trigger(program: &str, event: &str) -> Ident {
    bounded(&[&format!("zzz_tview_{program}"), event])
}

/// A PL/pgSQL variable for a column's values.
pub fn variable(prefix: &str, column: &Ident, index: usize) -> String {
    let name = format!("{prefix}_{column}");
    // No column gives a name with `$` in this place.
    let name = if truncate(&name) == name { name } else { format!("{prefix}$column_{}", index + 1) };
    Ident::new(name).sql()
}

/// Every function and relation that a program makes in the schema `tview`: all of them must differ.
pub fn object_names(
    program: &str,
    tviews: &[Tview],
    parts: &[TviewParts],
    tables: &[QualName],
) -> Vec<(Ident, String)> {
    let mut names: Vec<(Ident, String)> = Vec::new();
    for table in tables {
        names.push((table_function(program, table), format!("the trigger function of {table}")));
        names.push((write(program, table), format!("the writing function of {table}")));
        names.push((reached(program, table), format!("a function for {table}")));
    }
    for (tview, parts) in tviews.iter().zip(parts) {
        for number in 1..=parts.arrays.len() {
            names.push((elements(program, &tview.name, number), format!("a view for {}", tview.name)));
            names.push((beside(program, &tview.name, number), format!("a function for {}", tview.name)));
            names.push((array(program, &tview.name, number), format!("a function for {}", tview.name)));
            names.push((element(program, &tview.name, number), format!("a function for {}", tview.name)));
        }
        names.push((try_lock(program, &tview.name), format!("the locking function of {}", tview.name)));
        names.push((lock(program, &tview.name), format!("the lock function of {}", tview.name)));
        names.push((known(program, &tview.name), format!("a function for {}", tview.name)));
        names.push((recompute(program, &tview.name), format!("the recompute function of {}", tview.name)));
        names.push((refresh(program, &tview.name), format!("the refresh function of {}", tview.name)));
        names.push((check(program, &tview.name), format!("the check function of {}", tview.name)));
        names.push((differ(program, &tview.name), format!("a function for {}", tview.name)));
        names.push((repair(program, &tview.name), format!("the repair function of {}", tview.name)));
        names.push((key_lock(program, &tview.name), format!("the key lock of {}", tview.name)));
        names.push((narrowed(program, &tview.name), format!("a view for {}", tview.name)));
        names.push((partitions(program, &tview.name), format!("a view for {}", tview.name)));
        names.push((self::parts(program, &tview.name), format!("a view for {}", tview.name)));
        for view in &tview.view.reads_views {
            names.push((below(program, &tview.name, view), format!("a view for {}", tview.name)));
        }
        for link in tview.relations.locked_links() {
            let name = link_lock(program, tview, link.child, link.number);
            names.push((name, format!("a lock of {}", tview.name)));
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_stay_different() {
        let long = "x".repeat(70);
        let (a, b) = (bounded(&["p", &long, "a"]), bounded(&["p", &long, "b"]));
        assert_eq!(a.as_str().len(), 63);
        assert_ne!(a, b);
    }

    #[test]
    fn the_usual_schema_is_left_out() {
        let name = |s: &str| QualName::new(Ident::new(s), Ident::new("post"));
        assert_eq!(table_function("blog", &name("public")).as_str(), "blog__post");
        assert_eq!(table_function("blog", &name("app")).as_str(), "blog__app__post");
    }
}
