//! A plain JSON tree.
//!
//! In: values. Out: their text, and their canonical binary form by the most direct encoder that can
//! be written. Always: numbers are decimal text without exponents, as they are shown.

use std::collections::BTreeMap;

/// A key with its length first: the order of stored keys.
pub type Key = (usize, String);

#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    Null,
    Bool(bool),
    Num(String),
    Str(String),
    Arr(Vec<Json>),
    Obj(BTreeMap<Key, Json>),
}

pub fn key(text: &str) -> Key {
    (text.len(), text.to_owned())
}

const HAS_OFFSET: u32 = 1 << 31;

impl Json {
    pub fn object(pairs: impl IntoIterator<Item = (String, Json)>) -> Json {
        Json::Obj(pairs.into_iter().map(|(k, v)| (key(&k), v)).collect())
    }

    pub fn kind(&self) -> &'static str {
        match self {
            Json::Null => "null",
            Json::Bool(_) => "boolean",
            Json::Num(_) => "number",
            Json::Str(_) => "string",
            Json::Arr(_) => "array",
            Json::Obj(_) => "object",
        }
    }

    /// Equality that ignores the scale of numbers.
    pub fn same_value(&self, other: &Json) -> bool {
        match (self, other) {
            (Json::Num(a), Json::Num(b)) => normal(a) == normal(b),
            (Json::Arr(a), Json::Arr(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same_value(b)),
            (Json::Obj(a), Json::Obj(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|((k, v), (l, w))| k == l && v.same_value(w))
            }
            _ => self == other,
        }
    }

    /// The text that PostgreSQL shows.
    pub fn text(&self) -> String {
        match self {
            Json::Null => "null".into(),
            Json::Bool(value) => value.to_string(),
            Json::Num(text) => text.clone(),
            Json::Str(text) => quote(text),
            Json::Arr(elements) => {
                format!("[{}]", elements.iter().map(Json::text).collect::<Vec<_>>().join(", "))
            }
            Json::Obj(pairs) => {
                let pair = |((_, k), v): (&Key, &Json)| format!("{}: {}", quote(k), v.text());
                format!("{{{}}}", pairs.iter().map(pair).collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// The bytes that PostgreSQL stores behind the varlena header.
    pub fn binary(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Json::Arr(_) | Json::Obj(_) => {
                self.append(&mut out);
            }
            scalar => {
                out.extend((0x5000_0000u32 | 1).to_ne_bytes());
                out.extend([0; 4]);
                let (kind, length) = scalar.append(&mut out);
                out[4..8].copy_from_slice(&(kind | length | HAS_OFFSET).to_ne_bytes());
            }
        }
        out
    }

    /// Appends the value's data; returns its type bits and its length, padding included.
    fn append(&self, out: &mut Vec<u8>) -> (u32, u32) {
        let start = out.len();
        let kind = match self {
            Json::Null => 0x4000_0000,
            Json::Bool(false) => 0x2000_0000,
            Json::Bool(true) => 0x3000_0000,
            Json::Str(text) => {
                out.extend(text.as_bytes());
                0
            }
            Json::Num(text) => {
                align(out);
                out.extend(number(text));
                0x1000_0000
            }
            Json::Arr(elements) => {
                append_container(out, 0x4000_0000 | elements.len() as u32, &elements.iter().collect::<Vec<_>>());
                0x5000_0000
            }
            Json::Obj(pairs) => {
                let keys: Vec<Json> = pairs.keys().map(|(_, k)| Json::Str(k.clone())).collect();
                let children: Vec<&Json> = keys.iter().chain(pairs.values()).collect();
                append_container(out, 0x2000_0000 | pairs.len() as u32, &children);
                0x5000_0000
            }
        };
        (kind, (out.len() - start) as u32)
    }
}

fn append_container(out: &mut Vec<u8>, header: u32, children: &[&Json]) {
    align(out);
    out.extend(header.to_ne_bytes());
    let entries = out.len();
    out.extend(vec![0; 4 * children.len()]);
    let mut end = 0;
    for (i, child) in children.iter().enumerate() {
        let (kind, length) = child.append(out);
        end += length;
        let entry = if i % 32 == 0 { kind | end | HAS_OFFSET } else { kind | length };
        out[entries + 4 * i..][..4].copy_from_slice(&entry.to_ne_bytes());
    }
}

fn align(out: &mut Vec<u8>) {
    while out.len() % 4 != 0 {
        out.push(0);
    }
}

/// The stored form of a decimal number.
fn number(text: &str) -> Vec<u8> {
    let unsigned = text.trim_start_matches('-');
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let mut whole = whole.to_owned();
    while whole.len() % 4 != 0 {
        whole.insert(0, '0');
    }
    let mut decimals = fraction.to_owned();
    while decimals.len() % 4 != 0 {
        decimals.push('0');
    }
    let mut weight = whole.len() as i32 / 4 - 1;
    let all = whole + &decimals;
    let mut digits: Vec<u16> = (0..all.len() / 4).map(|i| all[4 * i..4 * i + 4].parse().unwrap()).collect();
    while digits.first() == Some(&0) {
        digits.remove(0);
        weight -= 1;
    }
    while digits.last() == Some(&0) {
        digits.pop();
    }
    let negative = text.starts_with('-') && !digits.is_empty();
    if digits.is_empty() {
        weight = 0;
    }
    let scale = fraction.len() as u16;
    let mut words = if scale < 64 && (-64..64).contains(&weight) {
        let sign = if weight < 0 { 0x40 } else { 0 };
        vec![0x8000 | if negative { 0x2000 } else { 0 } | scale << 7 | sign | weight as u16 & 0x3f]
    } else {
        vec![if negative { 0x4000 } else { 0 } | scale, weight as u16]
    };
    words.extend(digits);
    let length = 4 + 2 * words.len() as u32;
    let header = if cfg!(target_endian = "little") { length << 2 } else { length };
    header.to_ne_bytes().into_iter().chain(words.into_iter().flat_map(u16::to_ne_bytes)).collect()
}

/// A number without what does not count for its value.
fn normal(text: &str) -> String {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction = fraction.trim_end_matches('0');
    let sign = if text.starts_with('-') { "-" } else { "" };
    let whole = whole.trim_start_matches('-').trim_start_matches('0');
    if whole.is_empty() && fraction.is_empty() { "0".into() } else { format!("{sign}{whole}.{fraction}") }
}

fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out + "\""
}
