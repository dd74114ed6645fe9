//! JSON text to binary.
//!
//! In: JSON text. Out: a document. Always: of several pairs with the same key the last one stays.

use super::{TextError, number};
use crate::container::Value;
use crate::encode::encode_slot;
use crate::numeric::Numeric;
use crate::tree::{ArrayEdit, Node, ObjectEdit, Slot, Tree};

type Parsed<T> = std::result::Result<T, TextError>;

/// A parsed value; containers refer to their children by number.
enum Item {
    Null,
    Boolean(bool),
    Number(Vec<u8>),
    String(String),
    Array(Vec<usize>),
    Object(Vec<(String, usize)>),
}

/// Encodes JSON text as a document.
pub fn from_text(text: &str) -> Parsed<Vec<u8>> {
    let mut parser = Parser { text, at: 0, items: Vec::new() };
    let root = parser.document()?;
    encode_items(&parser.items, root)
}

/// Containers become nodes of a tree of edits, in the order of the items.
fn encode_items(items: &[Item], root: usize) -> Parsed<Vec<u8>> {
    let mut nodes = 0;
    let slots: Vec<Slot<'_>> = items.iter().map(|item| slot(item, &mut nodes)).collect();
    let slot_of = |id: &usize| slots.get(*id).copied().unwrap_or(Slot::Kept(Value::Null));
    let mut tree = Tree::new(slot_of(&root));
    for item in items {
        match item {
            Item::Array(children) => {
                let mut array = ArrayEdit::default();
                children.iter().for_each(|child| array.push(slot_of(child)));
                tree.add(Node::Array(array));
            }
            Item::Object(children) => {
                let mut object = ObjectEdit::default();
                children.iter().for_each(|(key, child)| object.set(key.as_bytes(), slot_of(child)));
                tree.add(Node::Object(object));
            }
            _ => {}
        }
    }
    let mut out = Vec::new();
    encode_slot(&tree, tree.root, &mut out)?;
    Ok(out)
}

fn slot<'a>(item: &'a Item, nodes: &mut usize) -> Slot<'a> {
    Slot::Kept(match item {
        Item::Null => Value::Null,
        Item::Boolean(value) => Value::Boolean(*value),
        Item::Number(bytes) => Value::Number(Numeric(bytes)),
        Item::String(text) => Value::String(text.as_bytes()),
        Item::Array(_) | Item::Object(_) => {
            *nodes += 1;
            return Slot::Opened(*nodes - 1);
        }
    })
}

/// A container whose end is still to come, and for an object the key of the value that comes next.
struct Open {
    id: usize,
    key: Option<String>,
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    items: Vec<Item>,
}

impl Parser<'_> {
    fn document(&mut self) -> Parsed<usize> {
        let mut open: Vec<Open> = Vec::new();
        loop {
            let Some(mut done) = self.begin_value(&mut open)? else {
                continue;
            };
            loop {
                self.space();
                let Some(parent) = open.last_mut() else {
                    return if self.at == self.text.len() { Ok(done) } else { self.fail() };
                };
                match (self.items.get_mut(parent.id), parent.key.take()) {
                    (Some(Item::Array(children)), _) => children.push(done),
                    (Some(Item::Object(children)), Some(key)) => children.push((key, done)),
                    _ => return self.fail(),
                }
                let is_array = matches!(self.items.get(parent.id), Some(Item::Array(_)));
                if self.eat(b',') {
                    parent.key = if is_array { None } else { Some(self.key()?) };
                    break;
                }
                if !self.eat(if is_array { b']' } else { b'}' }) {
                    return self.fail();
                }
                done = parent.id;
                open.pop();
            }
        }
    }

    /// Reads a whole value, or the beginning of a container that is not empty (`None`).
    fn begin_value(&mut self, open: &mut Vec<Open>) -> Parsed<Option<usize>> {
        self.space();
        let (container, close) = match self.peek() {
            Some(b'[') => (Item::Array(Vec::new()), b']'),
            Some(b'{') => (Item::Object(Vec::new()), b'}'),
            _ => {
                let scalar = self.scalar()?;
                return Ok(Some(self.add(scalar)));
            }
        };
        self.at += 1;
        let id = self.add(container);
        self.space();
        if self.eat(close) {
            return Ok(Some(id));
        }
        let key = if close == b'}' { Some(self.key()?) } else { None };
        open.push(Open { id, key });
        Ok(None)
    }

    fn add(&mut self, item: Item) -> usize {
        self.items.push(item);
        self.items.len() - 1
    }

    fn key(&mut self) -> Parsed<String> {
        self.space();
        let key = self.string()?;
        self.space();
        if self.eat(b':') { Ok(key) } else { self.fail() }
    }

    fn scalar(&mut self) -> Parsed<Item> {
        match self.peek() {
            Some(b'"') => self.string().map(Item::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ if self.eat_word("null") => Ok(Item::Null),
            _ if self.eat_word("true") => Ok(Item::Boolean(true)),
            _ if self.eat_word("false") => Ok(Item::Boolean(false)),
            _ => self.fail(),
        }
    }

    fn number(&mut self) -> Parsed<Item> {
        let start = self.at;
        self.eat(b'-');
        if !self.eat(b'0') {
            self.digits()?;
        }
        if self.eat(b'.') {
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            let _ = self.eat(b'+') || self.eat(b'-');
            self.digits()?;
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        number::encode(text).map(Item::Number)
    }

    fn digits(&mut self) -> Parsed<()> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { self.fail() }
    }

    fn string(&mut self) -> Parsed<String> {
        if !self.eat(b'"') {
            return self.fail();
        }
        let mut out = String::new();
        loop {
            let Some(c) = self.text.get(self.at..).and_then(|rest| rest.chars().next()) else {
                return self.fail();
            };
            if c < ' ' {
                return self.fail();
            }
            self.at += c.len_utf8();
            match c {
                '"' => return Ok(out),
                '\\' => out.push(self.escape()?),
                _ => out.push(c),
            }
        }
    }

    fn escape(&mut self) -> Parsed<char> {
        let Some(byte) = self.peek() else {
            return self.fail();
        };
        self.at += 1;
        Ok(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.code_point(),
            _ => {
                self.at -= 1;
                return self.fail();
            }
        })
    }

    fn code_point(&mut self) -> Parsed<char> {
        let first = self.code_unit()?;
        let mut units = vec![first];
        if (0xd800..0xdc00).contains(&first) {
            if !(self.eat(b'\\') && self.eat(b'u')) {
                return Err(TextError::Character);
            }
            units.push(self.code_unit()?);
        }
        match char::decode_utf16(units).next() {
            Some(Ok(c)) if c != '\0' => Ok(c),
            _ => Err(TextError::Character),
        }
    }

    fn code_unit(&mut self) -> Parsed<u16> {
        let digits = self.text.get(self.at..self.at + 4).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        let unit = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok());
        let unit = unit.ok_or(TextError::Syntax(self.at))?;
        self.at += 4;
        Ok(unit)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let found = self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word));
        self.at += if found { word.len() } else { 0 };
        found
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn fail<T>(&self) -> Parsed<T> {
        Err(TextError::Syntax(self.at))
    }
}
