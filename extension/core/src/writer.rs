//! Writing one container, child by child or in runs of children copied from another container.
//!
//! In: children in stored order (an object's keys first) and their number. Out: the container,
//! appended to a buffer, as PostgreSQL itself would lay it out. Always: alignment counts from
//! `origin`, padding is zero, every entry at a multiple of the stride holds an end offset and the
//! others a length, and sizes stay within the format's limits or the result is
//! [`CoreError::TooLarge`].

use crate::container::{Container, Value};
use crate::error::{CoreError, Limit, Result};
use crate::layout::{self, Entry, MAX_BYTES, OFFSET_STRIDE, WORD, padding};

/// What a container is the container of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Array,
    Object,
    Scalar,
}

/// A container being written at the end of a buffer.
#[derive(Debug)]
pub(crate) struct ContainerWriter {
    /// Where the document begins in the buffer.
    origin: usize,
    /// Where this container begins, its padding included.
    begin: usize,
    /// Where its next entry goes.
    entry_at: usize,
    next_entry: usize,
    /// The children's bytes so far.
    total: usize,
    shape: Shape,
}

impl ContainerWriter {
    /// Begins a container of `count` elements or pairs.
    pub fn begin(out: &mut Vec<u8>, origin: usize, shape: Shape, count: usize) -> Result<Self> {
        let (flags, entries, max, limit) = match shape {
            Shape::Array => (layout::FLAG_ARRAY, count, layout::MAX_ELEMENTS, Limit::Elements),
            Shape::Scalar => (layout::FLAG_ARRAY | layout::FLAG_SCALAR, count, 1, Limit::Elements),
            Shape::Object => (layout::FLAG_OBJECT, count.saturating_mul(2), layout::MAX_PAIRS, Limit::Pairs),
        };
        if count > max {
            return Err(CoreError::TooLarge { limit });
        }
        let begin = out.len();
        pad(out, origin);
        // The limits above leave room in 28 bits.
        out.extend((flags | (count as u32 & layout::LOW_MASK)).to_ne_bytes());
        let entry_at = out.len();
        out.resize(entry_at + entries * WORD, 0);
        Ok(ContainerWriter { origin, begin, entry_at, next_entry: 0, total: 0, shape })
    }

    /// Ends the container. Returns the length of its data in its parent, padding included.
    pub fn finish(self, out: &[u8]) -> Result<usize> {
        let length = out.len() - self.begin;
        if length > MAX_BYTES {
            return Err(self.too_large());
        }
        Ok(length)
    }

    /// Appends a child of any kind.
    pub fn push(&mut self, out: &mut Vec<u8>, value: Value<'_>) -> Result<()> {
        let before = out.len();
        let kind = match value {
            Value::Null => layout::TYPE_NULL,
            Value::Boolean(false) => layout::TYPE_FALSE,
            Value::Boolean(true) => layout::TYPE_TRUE,
            Value::String(bytes) => {
                if bytes.len() > MAX_BYTES {
                    return Err(CoreError::TooLarge { limit: Limit::StringBytes });
                }
                out.extend_from_slice(bytes);
                layout::TYPE_STRING
            }
            Value::Number(number) => {
                pad(out, self.origin);
                out.extend_from_slice(number.as_bytes());
                layout::TYPE_NUMERIC
            }
            Value::Array(container) | Value::Object(container) => {
                pad(out, self.origin);
                out.extend_from_slice(container.as_bytes());
                layout::TYPE_CONTAINER
            }
        };
        let length = out.len() - before;
        self.push_entry(out, kind, length)
    }

    /// Records a nested container that another writer appended.
    pub fn push_nested(&mut self, out: &mut [u8], length: usize) -> Result<()> {
        self.push_entry(out, layout::TYPE_CONTAINER, length)
    }

    /// Appends the children of `source` with entry indexes from `start` to before `end`.
    ///
    /// The data is copied in one piece if it lands in the phase of alignment it comes from.
    /// Otherwise the first aligned child gets other padding, and behind it both are in phase: so
    /// one child is treated on its own, no more.
    pub fn push_run(&mut self, out: &mut Vec<u8>, source: &Container<'_>, start: usize, end: usize) -> Result<()> {
        if start >= end {
            return Ok(());
        }
        let offset = source.start_of(start)?;
        if padding(offset) == padding(out.len() - self.origin) {
            return self.copy_verbatim(out, source, (start, end), offset).map(drop);
        }
        let unaligned = source.entry_range(start, end)?.take_while(|entry| !entry.is_aligned()).count();
        let aligned = start + unaligned;
        let offset = self.copy_verbatim(out, source, (start, aligned), offset)?;
        if aligned == end {
            return Ok(());
        }
        let offset = self.copy_realigned(out, source, aligned, offset)?;
        self.copy_verbatim(out, source, (aligned + 1, end), offset).map(drop)
    }

    /// Copies one aligned child whose data begins at `offset`, with the padding it needs here.
    fn copy_realigned(
        &mut self,
        out: &mut Vec<u8>,
        source: &Container<'_>,
        index: usize,
        offset: usize,
    ) -> Result<usize> {
        let entry = source.entry(index)?;
        let end = entry.end(offset);
        let body = source.data().get(offset.saturating_add(padding(offset))..end).ok_or_else(outside)?;
        let before = out.len();
        pad(out, self.origin);
        out.extend_from_slice(body);
        let length = out.len() - before;
        self.push_entry(out, entry.kind(), length)?;
        Ok(end)
    }

    /// Copies children whose data begins at `offset` as it is; returns where it ends.
    fn copy_verbatim(
        &mut self,
        out: &mut Vec<u8>,
        source: &Container<'_>,
        (start, end): (usize, usize),
        offset: usize,
    ) -> Result<usize> {
        let entries = source.entry_range(start, end)?;
        let room = entries.len() * WORD;
        let slots = out.get_mut(self.entry_at..).and_then(|rest| rest.get_mut(..room)).ok_or_else(outside)?;
        let mut at = offset;
        for (slot, entry) in slots.chunks_exact_mut(WORD).zip(entries) {
            let next = entry.end(at);
            let length =
                next.checked_sub(at).ok_or_else(|| CoreError::corrupt("an end offset lies before its child"))?;
            at = next;
            self.total = self.total.saturating_add(length);
            slot.copy_from_slice(&entry_word(entry.kind(), self.next_entry, length, self.total));
            self.next_entry += 1;
        }
        self.entry_at += room;
        if self.total > MAX_BYTES {
            return Err(self.too_large());
        }
        out.extend_from_slice(source.data().get(offset..at).ok_or_else(outside)?);
        Ok(at)
    }

    fn push_entry(&mut self, out: &mut [u8], kind: u32, length: usize) -> Result<()> {
        self.total = self.total.saturating_add(length);
        if self.total > MAX_BYTES {
            return Err(self.too_large());
        }
        let slot = out.get_mut(self.entry_at..).and_then(|rest| rest.first_chunk_mut::<WORD>());
        *slot.ok_or_else(outside)? = entry_word(kind, self.next_entry, length, self.total);
        self.entry_at += WORD;
        self.next_entry += 1;
        Ok(())
    }

    fn too_large(&self) -> CoreError {
        let limit = if self.shape == Shape::Object { Limit::ObjectBytes } else { Limit::ArrayBytes };
        CoreError::TooLarge { limit }
    }
}

/// The entry at `index`, whose data has `length` bytes and ends at `end`.
fn entry_word(kind: u32, index: usize, length: usize, end: usize) -> [u8; WORD] {
    let word = if index % OFFSET_STRIDE == 0 {
        layout::HAS_OFFSET | (end as u32 & layout::LOW_MASK)
    } else {
        length as u32 & layout::LOW_MASK
    };
    Entry(kind | word).0.to_ne_bytes()
}

fn outside() -> CoreError {
    CoreError::corrupt("a child's data exceeds its container")
}

fn pad(out: &mut Vec<u8>, origin: usize) {
    let zeros = padding(out.len() - origin);
    out.extend(std::iter::repeat_n(0, zeros));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_beyond_the_limits_are_refused() {
        let mut out = Vec::new();
        let begin = |out: &mut Vec<u8>, shape, count| ContainerWriter::begin(out, 0, shape, count).map(drop);
        assert_eq!(
            begin(&mut out, Shape::Array, layout::MAX_ELEMENTS + 1),
            Err(CoreError::TooLarge { limit: Limit::Elements })
        );
        assert_eq!(
            begin(&mut out, Shape::Object, layout::MAX_PAIRS + 1),
            Err(CoreError::TooLarge { limit: Limit::Pairs })
        );
        assert!(out.is_empty(), "refused before anything is allocated");
    }

    #[test]
    fn bytes_beyond_the_limit_are_refused() {
        // The entries are written without the data, which would be a quarter of a gigabyte.
        for (shape, limit) in [(Shape::Array, Limit::ArrayBytes), (Shape::Object, Limit::ObjectBytes)] {
            let mut out = Vec::new();
            let mut writer = ContainerWriter::begin(&mut out, 0, shape, 2).unwrap();
            writer.push_entry(&mut out, layout::TYPE_STRING, MAX_BYTES).unwrap();
            assert_eq!(writer.push_entry(&mut out, layout::TYPE_STRING, 1), Err(CoreError::TooLarge { limit }));
        }
    }

    #[test]
    fn more_children_than_announced_are_an_error() {
        let mut out = Vec::new();
        let mut writer = ContainerWriter::begin(&mut out, 0, Shape::Array, 1).unwrap();
        writer.push(&mut out, Value::Null).unwrap();
        assert!(writer.push(&mut out, Value::Null).is_err());
    }

    #[test]
    fn alignment_counts_from_the_origin() {
        let mut out = vec![9; 3];
        let writer = ContainerWriter::begin(&mut out, 3, Shape::Array, 0).unwrap();
        assert_eq!(writer.finish(&out).unwrap(), 4, "no padding at the origin");
    }
}
