//! Values of any type.
//!
//! In: a type and the dice. Out: the text form of a value of that type, from a small pool, so that collisions and
//! joins happen often, with the awkward members of each type in it. A value may still be refused (a check, a
//! length): that is an expected failure of the statement.

use crate::dice::Dice;
use crate::schema::{TypeKind, TypeRef};

/// How wide the pool should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pool {
    /// A dozen values: for columns that should repeat.
    Small,
    /// Five dozen values: for unique columns.
    Wide,
}

const TEXTS: &[&str] = &[
    "a",
    "b",
    "c",
    "A",
    "",
    "O'Brien",
    "back\\slash",
    "say \"hi\"",
    "ünï©ode",
    "日本",
    "😀",
    "a b",
    " lead",
    "trail ",
    "100%_x",
    "line\nbreak",
    "tab\there",
    "{\"k\": 1}",
    "null",
    "NULL",
    "$1",
    "$$",
    "{}",
    "1",
    "1.0",
    "a,b",
    "(x)",
];
const NUMERICS: &[&str] = &[
    "0",
    "0.00",
    "1",
    "1.0",
    "1.00",
    "2",
    "2.5",
    "2.50",
    "10",
    "10.0",
    "-3.14",
    "0.001",
    "99.99",
    "100",
    "12345678.9",
];
const FLOATS: &[&str] =
    &["0", "-0", "1", "1.5", "-2.25", "0.1", "0.30000000000000004", "1e10", "1e-7", "NaN", "Infinity", "-Infinity"];
const DATES: &[&str] =
    &["2020-01-01", "2020-02-29", "1999-12-31", "2024-06-30", "2024-07-01", "0044-03-15 BC", "infinity", "-infinity"];
const TIMESTAMPS: &[&str] = &[
    "2020-01-01 00:00:00",
    "2020-02-29 12:34:56.789",
    "1999-12-31 23:59:59.999999",
    "2024-03-31 02:30:00",
    "2024-06-30 08:00:00",
    "infinity",
    "-infinity",
];
const TIMESTAMPTZS: &[&str] = &[
    "2020-01-01 00:00:00+00",
    "2020-06-15 12:00:00+02",
    "1999-12-31 23:59:59.5-08",
    "2024-03-31 02:30:00+01",
    "2024-10-27 00:30:00+00",
    "infinity",
    "-infinity",
];
const INTERVALS: &[&str] = &[
    "1 day",
    "24:00:00",
    "1 mon",
    "30 days",
    "-1 day +02:03:04",
    "00:00:00.000001",
    "1 year 2 mons",
    "0",
    "-00:00:01",
];
const JSONS: &[&str] = &[
    "{}",
    "[]",
    "null",
    "1",
    "1.0",
    "1.00",
    "\"a\"",
    "true",
    "{\"a\": 1}",
    "{\"a\": 1.0}",
    "{\"a\": null, \"b\": [1, 2]}",
    "{\"b\":  2,\"a\":{\"c\":[{\"id\":1},{\"id\":2}]}}",
    "[1, \"x\", null, {\"k\": \"v\"}]",
    "\"\\u00e9\\n\"",
];
const BYTEAS: &[&str] = &["\\x", "\\x00", "\\x00ff", "\\xdeadbeef", "\\x27", "\\x5c78"];

/// The text form of a random value; `None` when the type is not known well enough.
pub(crate) fn text(dice: &mut Dice, ty: &TypeRef, pool: Pool) -> Option<String> {
    match &ty.kind {
        TypeKind::Base(name) => Some(base(dice, name, ty.modifier, pool)),
        TypeKind::Enum(labels) => dice.pick(labels).cloned(),
        TypeKind::Domain { base, .. } => text(dice, base, pool),
        TypeKind::Array(element) => array(dice, element),
        TypeKind::Range(subtype) => range(dice, subtype),
        TypeKind::Multirange(subtype) => multirange(dice, subtype),
        TypeKind::Composite(fields) => composite(dice, fields),
        TypeKind::Other => None,
    }
}

fn base(dice: &mut Dice, name: &str, modifier: i32, pool: Pool) -> String {
    let small = |dice: &mut Dice| match pool {
        Pool::Small => dice.between(1, 12),
        Pool::Wide => dice.between(1, 60),
    };
    match name {
        "bool" => dice.word(&["t", "f"]).to_owned(),
        "int2" | "int4" | "int8" | "oid" => integer(dice, name, pool),
        "numeric" if pool == Pool::Wide => small(dice).to_string(),
        "numeric" if modifier < 0 && dice.percent(4) => "NaN".to_owned(),
        "numeric" => dice.word(NUMERICS).to_owned(),
        "float4" | "float8" if pool == Pool::Wide => small(dice).to_string(),
        "float4" | "float8" => dice.word(FLOATS).to_owned(),
        "money" => dice.word(&["0", "1.00", "-2.50", "99.99"]).to_owned(),
        "text" | "varchar" | "bpchar" | "citext" | "name" => string(dice, modifier, pool),
        "char" => dice.word(&["a", "b", "", "x"]).to_owned(),
        "date" if pool == Pool::Wide => {
            format!("2021-{:02}-{:02}", dice.between(1, 12), dice.between(1, 5))
        }
        "date" => dice.word(DATES).to_owned(),
        "timestamp" if pool == Pool::Wide => format!("2021-01-{:02} 10:00:00", dice.between(1, 31)),
        "timestamp" => dice.word(TIMESTAMPS).to_owned(),
        "timestamptz" if pool == Pool::Wide => {
            format!("2021-01-{:02} 10:00:00+00", dice.between(1, 31))
        }
        "timestamptz" => dice.word(TIMESTAMPTZS).to_owned(),
        "time" => dice.word(&["00:00:00", "12:30:00.5", "23:59:59.999999", "24:00:00"]).to_owned(),
        "timetz" => dice.word(&["00:00:00+00", "12:30:00+02", "10:30:00+00"]).to_owned(),
        "interval" => dice.word(INTERVALS).to_owned(),
        "uuid" => format!("00000000-0000-4000-8000-{:012}", small(dice)),
        "bytea" => dice.word(BYTEAS).to_owned(),
        "json" | "jsonb" => dice.word(JSONS).to_owned(),
        "inet" => dice.word(&["10.0.0.1", "10.0.0.0/8", "::1", "192.168.1.5/24"]).to_owned(),
        "cidr" => dice.word(&["10.0.0.0/8", "192.168.1.0/24", "::1/128"]).to_owned(),
        "macaddr" => dice.word(&["08:00:2b:01:02:03", "00:00:00:00:00:01"]).to_owned(),
        "bit" | "varbit" => bits(dice, name, modifier),
        "point" => dice.word(&["(0,0)", "(1,2)", "(1.0,2.50)", "(-0,1e-7)"]).to_owned(),
        "box" => dice.word(&["(1,1),(0,0)", "(2,2),(1,1)"]).to_owned(),
        "line" => dice.word(&["{1,2,3}", "{0,1,0}"]).to_owned(),
        "lseg" | "path" => dice.word(&["[(0,0),(1,2)]", "[(1,1),(2.50,-1)]"]).to_owned(),
        "polygon" => dice.word(&["((0,0),(1,2),(2,0))"]).to_owned(),
        "circle" => dice.word(&["<(0,0),1>", "<(1,2),2.5>"]).to_owned(),
        "macaddr8" => dice.word(&["08:00:2b:01:02:03:04:05"]).to_owned(),
        "jsonpath" => dice.word(&["$.a", "$[*]"]).to_owned(),
        "xml" => dice.word(&["<a/>", "<a>x</a>", "text"]).to_owned(),
        "tsvector" => dice.word(&["a b", "'fat':2 'rat':3"]).to_owned(),
        "tsquery" => dice.word(&["a & b", "!a"]).to_owned(),
        "hstore" => dice.word(&["a=>1", "", "a=>NULL, b=>\"x y\""]).to_owned(),
        "ltree" => dice.word(&["a", "a.b", "a.b.c"]).to_owned(),
        _ => dice.word(&["1", "a", "{}", "(1,2)"]).to_owned(),
    }
}

fn integer(dice: &mut Dice, name: &str, pool: Pool) -> String {
    let (low, high) = match name {
        "int2" => ("-32768", "32767"),
        "int8" => ("-9223372036854775808", "9223372036854775807"),
        "oid" => ("0", "4294967295"),
        _ => ("-2147483648", "2147483647"),
    };
    match (pool, dice.below(100)) {
        (_, 0) => low.to_owned(),
        (_, 1) => high.to_owned(),
        (Pool::Small, 2..=6) => "0".to_owned(),
        (Pool::Small, 7..=9) if name != "oid" => "-1".to_owned(),
        (Pool::Small, _) => dice.between(1, 12).to_string(),
        (Pool::Wide, _) => dice.between(1, 60).to_string(),
    }
}

fn string(dice: &mut Dice, modifier: i32, pool: Pool) -> String {
    let value = match pool {
        Pool::Wide => format!("k{}", dice.between(1, 60)),
        Pool::Small => dice.word(TEXTS).to_owned(),
    };
    // The modifier of varchar(n) and char(n) is n + 4. A few values are left too long on purpose.
    match usize::try_from(modifier - 4) {
        Ok(limit) if limit > 0 && !dice.percent(2) => value.chars().take(limit).collect(),
        _ => value,
    }
}

fn bits(dice: &mut Dice, name: &str, modifier: i32) -> String {
    let limit = usize::try_from(modifier).unwrap_or(4).clamp(1, 64);
    let length = if name == "bit" { limit } else { dice.below(limit + 1) };
    (0..length).map(|_| dice.word(&["0", "1"])).collect()
}

fn array(dice: &mut Dice, element: &TypeRef) -> Option<String> {
    let mut elements = Vec::new();
    for _ in 0..dice.below(4) {
        let element = if dice.percent(10) { None } else { Some(text(dice, element, Pool::Small)?) };
        elements.push(element.map_or_else(|| "NULL".to_owned(), |value| nested(&value)));
    }
    Some(format!("{{{}}}", elements.join(",")))
}

fn composite(dice: &mut Dice, fields: &[TypeRef]) -> Option<String> {
    let mut values = Vec::new();
    for field in fields {
        let value = if dice.percent(15) { String::new() } else { nested(&text(dice, field, Pool::Small)?) };
        values.push(value);
    }
    Some(format!("({})", values.join(",")))
}

/// A value within an array or a row: always in double quotes.
fn nested(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

fn range(dice: &mut Dice, subtype: &TypeRef) -> Option<String> {
    if dice.percent(10) {
        return Some("empty".to_owned());
    }
    let mut bounds = [text(dice, subtype, Pool::Wide)?, text(dice, subtype, Pool::Wide)?];
    // Digits sort by length first; for dates of one format that changes nothing.
    bounds.sort_by_key(|bound| (bound.len(), bound.clone()));
    let [low, high] = bounds.map(|bound| nested(&bound));
    let (open, close) = (dice.word(&["[", "("]), dice.word(&["]", ")"]));
    Some(match dice.below(8) {
        0 => format!("(,{high}{close}"),
        1 => format!("{open}{low},)"),
        _ => format!("{open}{low},{high}{close}"),
    })
}

fn multirange(dice: &mut Dice, subtype: &TypeRef) -> Option<String> {
    let mut ranges = Vec::new();
    for _ in 0..dice.below(3) {
        let range = range(dice, subtype)?;
        if range != "empty" {
            ranges.push(range);
        }
    }
    Some(format!("{{{}}}", ranges.join(",")))
}

/// A text of the same type that is equal under `=` and renders differently; `None` where the type has none.
pub(crate) fn equal_but_different(dice: &mut Dice, ty: &TypeRef, value: &str) -> Option<String> {
    let ty = ty.without_domains();
    let TypeKind::Base(name) = &ty.kind else {
        return None;
    };
    match name.as_str() {
        "numeric" if ty.modifier < 0 => rescaled(dice, value),
        "jsonb" if rescaled(dice, value).is_some() => rescaled(dice, value),
        "float4" | "float8" if value == "0" => Some("-0".to_owned()),
        "float4" | "float8" if value == "-0" => Some("0".to_owned()),
        "citext" => other_case(value),
        "interval" => Some(match value {
            "1 day" => "24:00:00".to_owned(),
            "24:00:00" => "1 day".to_owned(),
            "1 mon" => "30 days".to_owned(),
            "30 days" => "1 mon".to_owned(),
            _ => return None,
        }),
        _ => None,
    }
}

/// The number with another count of trailing zeros.
fn rescaled(dice: &mut Dice, value: &str) -> Option<String> {
    value.parse::<f64>().ok().filter(|number| number.is_finite())?;
    if value.contains(['e', 'E']) {
        return None;
    }
    if !value.contains('.') {
        return Some(format!("{value}.0"));
    }
    match value.strip_suffix('0') {
        Some(shorter) if dice.percent(50) => Some(shorter.trim_end_matches('.').to_owned()),
        _ => Some(format!("{value}0")),
    }
}

fn other_case(value: &str) -> Option<String> {
    let other = if value.to_uppercase() == value { value.to_lowercase() } else { value.to_uppercase() };
    (other != value).then_some(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base_type(name: &str) -> TypeRef {
        TypeRef { name: name.to_owned(), modifier: -1, kind: TypeKind::Base(name.to_owned()) }
    }

    #[test]
    fn rescales_numbers() {
        let mut dice = Dice::new(1);
        assert_eq!(equal_but_different(&mut dice, &base_type("numeric"), "1").as_deref(), Some("1.0"));
        assert_eq!(equal_but_different(&mut dice, &base_type("numeric"), "NaN"), None);
        assert_eq!(equal_but_different(&mut dice, &base_type("interval"), "1 day").as_deref(), Some("24:00:00"));
    }

    #[test]
    fn quotes_within_arrays() {
        assert_eq!(nested("a\"b\\"), "\"a\\\"b\\\\\"");
    }

    #[test]
    fn cuts_to_the_length() {
        let mut dice = Dice::new(3);
        let lengths = (0..200).filter(|_| string(&mut dice, 5, Pool::Small).chars().count() > 1).count();
        assert!(lengths < 20, "{lengths} values were too long");
    }
}
