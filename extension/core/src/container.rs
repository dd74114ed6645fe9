//! Reading one container: its header, its entries, its children.
//!
//! In: the bytes of a container, from its header word to its end. Out: children as values that
//! borrow the bytes. Always: every read is checked against the bytes, so a container that lies
//! gives [`CoreError::Corrupt`]; only what is asked for is read, so nested containers are not
//! looked into.

use std::cmp::Ordering;

use crate::error::{CoreError, Kind, Result};
use crate::layout::{self, Entry, WORD, word_at};
use crate::numeric::Numeric;

/// An array or object, not looked into beyond its header.
#[derive(Debug, Clone, Copy)]
pub struct Container<'a> {
    bytes: &'a [u8],
    count: u32,
    is_object: bool,
    is_scalar: bool,
}

/// A JSON value that borrows the bytes it is stored in.
#[derive(Debug, Clone, Copy)]
pub enum Value<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean(bool),
    /// A number as stored.
    Number(Numeric<'a>),
    /// A string in the encoding of the database.
    String(&'a [u8]),
    /// An array.
    Array(Container<'a>),
    /// An object.
    Object(Container<'a>),
}

impl<'a> Value<'a> {
    /// Reads a document: the bytes of a jsonb datum behind its varlena header.
    pub fn document(bytes: &'a [u8]) -> Result<Self> {
        let root = Container::parse(bytes)?;
        if !root.is_scalar {
            return Ok(root.into_value());
        }
        match root.children(0, 1).next() {
            Some(Ok(Value::Array(_) | Value::Object(_))) => {
                Err(CoreError::corrupt("a scalar document holds a container"))
            }
            Some(value) => value,
            None => Err(CoreError::corrupt("a scalar document is empty")),
        }
    }

    /// What kind of value it is.
    pub fn kind(self) -> Kind {
        match self {
            Value::Null => Kind::Null,
            Value::Boolean(_) => Kind::Boolean,
            Value::Number(_) => Kind::Number,
            Value::String(_) => Kind::String,
            Value::Array(_) => Kind::Array,
            Value::Object(_) => Kind::Object,
        }
    }
}

impl<'a> Container<'a> {
    /// Reads the header; the entries must fit into the bytes.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self> {
        let header = word_at(bytes, 0).ok_or_else(|| CoreError::corrupt("a container is too short"))?;
        let count = header & layout::LOW_MASK;
        const SCALAR: u32 = layout::FLAG_ARRAY | layout::FLAG_SCALAR;
        let (is_object, is_scalar) = match header & !layout::LOW_MASK {
            layout::FLAG_OBJECT => (true, false),
            layout::FLAG_ARRAY => (false, false),
            SCALAR if count == 1 => (false, true),
            _ => {
                return Err(CoreError::corrupt("a container's header has impossible flags"));
            }
        };
        let container = Container { bytes, count, is_object, is_scalar };
        if bytes.len() < container.data_start() {
            return Err(CoreError::corrupt("a container's entries exceed its bytes"));
        }
        Ok(container)
    }

    /// The number of elements, or of pairs.
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether it has no elements or pairs.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Its bytes, as stored. They begin aligned, so they mean the same wherever they are put
    /// aligned.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Whether it is an object.
    pub fn is_object(&self) -> bool {
        self.is_object
    }

    pub(crate) fn is_scalar(&self) -> bool {
        self.is_scalar
    }

    pub(crate) fn into_value(self) -> Value<'a> {
        if self.is_object { Value::Object(self) } else { Value::Array(self) }
    }

    /// The number of entries: elements, or keys and values.
    pub(crate) fn entries(&self) -> usize {
        if self.is_object { self.len().saturating_mul(2) } else { self.len() }
    }

    fn data_start(&self) -> usize {
        self.entries().saturating_add(1).saturating_mul(WORD)
    }

    /// The children's data.
    pub(crate) fn data(&self) -> &'a [u8] {
        self.bytes.get(self.data_start()..).unwrap_or_default()
    }

    pub(crate) fn entry(&self, index: usize) -> Result<Entry> {
        let word = if index < self.entries() { word_at(self.bytes, (index + 1) * WORD) } else { None };
        word.map(Entry).ok_or_else(|| CoreError::corrupt("an entry beyond the container"))
    }

    /// The entries with indexes from `start` to before `end`.
    pub(crate) fn entry_range(
        &self,
        start: usize,
        end: usize,
    ) -> Result<impl DoubleEndedIterator<Item = Entry> + ExactSizeIterator + use<'a>> {
        let words = self
            .bytes
            .get(WORD..self.data_start())
            .and_then(|all| all.get(start.saturating_mul(WORD)..end.saturating_mul(WORD)));
        let words = words.ok_or_else(|| CoreError::corrupt("an entry beyond the container"))?;
        Ok(words.chunks_exact(WORD).map(|word| Entry(word_at(word, 0).unwrap_or_default())))
    }

    /// Where the data of the child at `index` begins: lengths are summed back to the nearest stored
    /// offset.
    pub(crate) fn start_of(&self, index: usize) -> Result<usize> {
        let mut start = 0usize;
        for entry in self.entry_range(0, index)?.rev() {
            start = start.saturating_add(entry.low());
            if entry.has_offset() {
                break;
            }
        }
        Ok(start)
    }

    fn child_bytes(&self, start: usize, end: usize) -> Result<&'a [u8]> {
        self.data().get(start..end).ok_or_else(|| CoreError::corrupt("a child's data exceeds its container"))
    }

    /// The child that `entry` describes and whose data, padding included, is from `start` to `end`.
    pub(crate) fn child(&self, entry: Entry, start: usize, end: usize) -> Result<Value<'a>> {
        let bytes = self.child_bytes(start, end)?;
        let aligned = || {
            bytes
                .get(layout::padding(start)..)
                .ok_or_else(|| CoreError::corrupt("a child's data is shorter than its padding"))
        };
        match entry.kind() {
            layout::TYPE_STRING => Ok(Value::String(bytes)),
            layout::TYPE_NUMERIC => Ok(Value::Number(Numeric(aligned()?))),
            layout::TYPE_FALSE => Ok(Value::Boolean(false)),
            layout::TYPE_TRUE => Ok(Value::Boolean(true)),
            layout::TYPE_NULL => Ok(Value::Null),
            layout::TYPE_CONTAINER => {
                let nested = Container::parse(aligned()?)?;
                if nested.is_scalar {
                    return Err(CoreError::corrupt("a scalar document within a document"));
                }
                Ok(nested.into_value())
            }
            _ => Err(CoreError::corrupt("an entry of unknown type")),
        }
    }

    /// The child at `index` of all entries.
    pub(crate) fn child_at(&self, index: usize) -> Result<Value<'a>> {
        let entry = self.entry(index)?;
        let start = self.start_of(index)?;
        self.child(entry, start, entry.end(start))
    }

    /// The children with indexes from `start` to before `end`, of all entries.
    pub(crate) fn children(&self, start: usize, end: usize) -> Children<'a> {
        Children { container: *self, next: start, end: end.min(self.entries()), offset: None }
    }

    /// The elements of an array; of an object, its values.
    pub fn elements(&self) -> Children<'a> {
        let first = if self.is_object { self.len() } else { 0 };
        self.children(first, self.entries())
    }

    /// The element of an array at `index`, which must be less than [`Container::len`].
    pub fn element(&self, index: usize) -> Result<Value<'a>> {
        if self.is_object || index >= self.len() {
            return Err(CoreError::corrupt("an element beyond the array"));
        }
        self.child_at(index)
    }

    /// The keys of an object; of an array, nothing.
    pub fn keys(&self) -> impl Iterator<Item = Result<&'a [u8]>> + use<'a> {
        let keys = if self.is_object { self.len() } else { 0 };
        self.children(0, keys).map(|key| key.and_then(expect_key))
    }

    /// The pairs of an object in stored order; of an array, nothing.
    pub fn pairs(&self) -> impl Iterator<Item = Result<(&'a [u8], Value<'a>)>> + use<'a> {
        self.keys().zip(self.elements()).map(|(key, value)| Ok((key?, value?)))
    }

    /// The key of the pair at `index`.
    pub(crate) fn key_at(&self, index: usize) -> Result<&'a [u8]> {
        let entry = self.entry(index)?;
        if entry.kind() != layout::TYPE_STRING {
            return Err(CoreError::corrupt("a key is not a string"));
        }
        let start = self.start_of(index)?;
        self.child_bytes(start, entry.end(start))
    }

    /// Looks for a key: the pair's index, or where the pair would be.
    pub(crate) fn search(&self, key: &[u8]) -> Result<std::result::Result<usize, usize>> {
        if self.is_object && self.len() <= layout::OFFSET_STRIDE {
            return self.scan(key);
        }
        let (mut low, mut high) = (0, if self.is_object { self.len() } else { 0 });
        while low < high {
            let middle = low + (high - low) / 2;
            match compare_keys(self.key_at(middle)?, key) {
                Ordering::Equal => return Ok(Ok(middle)),
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
            }
        }
        Ok(Err(low))
    }

    /// As [`Container::search`], from the first key on: up to one stride, every probe of a binary search would add up
    /// the lengths of the keys before it, while most keys differ in length already.
    fn scan(&self, key: &[u8]) -> Result<std::result::Result<usize, usize>> {
        let mut start = 0;
        for (index, entry) in self.entry_range(0, self.len())?.enumerate() {
            let end = entry.end(start);
            let order = match end.saturating_sub(start).cmp(&key.len()) {
                Ordering::Equal if entry.kind() == layout::TYPE_STRING => self.child_bytes(start, end)?.cmp(key),
                Ordering::Equal => return Err(CoreError::corrupt("a key is not a string")),
                by_length => by_length,
            };
            match order {
                Ordering::Less => start = end,
                Ordering::Equal => return Ok(Ok(index)),
                Ordering::Greater => return Ok(Err(index)),
            }
        }
        Ok(Err(self.len()))
    }

    /// As [`Container::get`], trying the pair at `near` first and leaving there where the key was
    /// found.
    ///
    /// The elements of an array mostly have the same keys, so the first guess mostly saves the
    /// search.
    pub(crate) fn get_near(&self, key: &[u8], near: &mut usize) -> Result<Option<Value<'a>>> {
        let is_object_pair = self.is_object && *near < self.len();
        if !(is_object_pair && self.key_at(*near)? == key) {
            match self.search(key)? {
                Ok(index) => *near = index,
                Err(_) => return Ok(None),
            }
        }
        self.child_at(self.len() + *near).map(Some)
    }

    /// The value of an object's key; `None` if it has no such key or is an array.
    pub fn get(&self, key: &[u8]) -> Result<Option<Value<'a>>> {
        match self.search(key)? {
            Ok(index) => self.child_at(self.len() + index).map(Some),
            Err(_) => Ok(None),
        }
    }
}

/// The order of an object's keys: by length, then by bytes.
pub(crate) fn compare_keys(a: &[u8], b: &[u8]) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

fn expect_key(key: Value<'_>) -> Result<&[u8]> {
    match key {
        Value::String(key) => Ok(key),
        _ => Err(CoreError::corrupt("a key is not a string")),
    }
}

/// Children in stored order. It ends after the first error.
#[derive(Debug, Clone)]
pub struct Children<'a> {
    container: Container<'a>,
    next: usize,
    end: usize,
    /// Where the next child begins; found out when first needed.
    offset: Option<usize>,
}

impl<'a> Children<'a> {
    fn read(&mut self) -> Result<Value<'a>> {
        let start = match self.offset {
            Some(offset) => offset,
            None => self.container.start_of(self.next)?,
        };
        let entry = self.container.entry(self.next)?;
        let end = entry.end(start);
        self.offset = Some(end);
        self.next += 1;
        self.container.child(entry, start, end)
    }
}

impl<'a> Iterator for Children<'a> {
    type Item = Result<Value<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next >= self.end {
            return None;
        }
        let child = self.read();
        if child.is_err() {
            self.end = 0;
        }
        Some(child)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.end.saturating_sub(self.next)))
    }
}
