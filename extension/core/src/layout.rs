//! The numbers of PostgreSQL's binary jsonb format, and the two words it is made of.
//!
//! In: 32-bit words in the machine's byte order. Out: their fields. Always: pure bit operations,
//! nothing that looks at data behind a word.
//!
//! A container is a header word, one entry word per child, then the children's data. The header
//! holds the number of elements or of pairs in 28 bits, and whether the container is an array, an
//! object, or the one-element array that stands for a scalar document. An entry holds the child's
//! type in three bits, and in 28 bits either the length of its data or, where the top bit is set,
//! the offset at which its data ends, counted from where the container's data begins. Numbers and
//! containers are aligned to four bytes; the padding before them is part of their entry's length.
//! An object has its keys first, sorted by length and then by bytes, then its values in the order
//! of the keys.

/// The bits of the header that count, and the bits of an entry that measure.
pub(crate) const LOW_MASK: u32 = 0x0FFF_FFFF;
/// Header flag: the document is a scalar.
pub(crate) const FLAG_SCALAR: u32 = 0x1000_0000;
/// Header flag: object.
pub(crate) const FLAG_OBJECT: u32 = 0x2000_0000;
/// Header flag: array, scalar documents included.
pub(crate) const FLAG_ARRAY: u32 = 0x4000_0000;

/// Entry flag: the low bits are an end offset, not a length.
pub(crate) const HAS_OFFSET: u32 = 0x8000_0000;
/// The bits of an entry that hold its type.
pub(crate) const TYPE_MASK: u32 = 0x7000_0000;
pub(crate) const TYPE_STRING: u32 = 0x0000_0000;
pub(crate) const TYPE_NUMERIC: u32 = 0x1000_0000;
pub(crate) const TYPE_FALSE: u32 = 0x2000_0000;
pub(crate) const TYPE_TRUE: u32 = 0x3000_0000;
pub(crate) const TYPE_NULL: u32 = 0x4000_0000;
pub(crate) const TYPE_CONTAINER: u32 = 0x5000_0000;

/// Every entry whose index is a multiple of this stores an end offset.
pub(crate) const OFFSET_STRIDE: usize = 32;
/// The size of a header or entry word.
pub(crate) const WORD: usize = 4;

/// The most bytes that the children of a container, or one string, can have.
pub const MAX_BYTES: usize = LOW_MASK as usize;
/// The most elements that PostgreSQL builds an array with: its largest allocation over the size of
/// a value.
pub const MAX_ELEMENTS: usize = 0x3fff_ffff / 32;
/// The most pairs that PostgreSQL builds an object with, likewise.
pub const MAX_PAIRS: usize = 0x3fff_ffff / 72;

/// One entry word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry(pub u32);

impl Entry {
    pub fn kind(self) -> u32 {
        self.0 & TYPE_MASK
    }

    pub fn has_offset(self) -> bool {
        self.0 & HAS_OFFSET != 0
    }

    pub fn low(self) -> usize {
        (self.0 & LOW_MASK) as usize
    }

    /// Where the child's data ends, given where it begins.
    pub fn end(self, start: usize) -> usize {
        if self.has_offset() { self.low() } else { start.saturating_add(self.low()) }
    }

    /// Whether the child's data is aligned, so that padding may come before it.
    pub fn is_aligned(self) -> bool {
        matches!(self.kind(), TYPE_NUMERIC | TYPE_CONTAINER)
    }
}

/// How many bytes of padding an aligned child at `offset` begins with.
pub(crate) fn padding(offset: usize) -> usize {
    offset.wrapping_neg() % WORD
}

/// Reads the word at `at`; `None` if it is not all there.
pub(crate) fn word_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk::<WORD>().map(|word| u32::from_ne_bytes(*word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_reaches_the_next_word() {
        assert_eq!([0, 1, 2, 3, 4, 5].map(padding), [0, 3, 2, 1, 0, 3]);
    }

    #[test]
    fn words_are_read_only_whole() {
        let bytes = 7u32.to_ne_bytes();
        assert_eq!(word_at(&bytes, 0), Some(7));
        assert_eq!([word_at(&bytes, 1), word_at(&bytes, 5), word_at(&bytes, usize::MAX)], [None; 3]);
    }

    #[test]
    fn an_entry_ends_by_length_or_by_offset() {
        assert_eq!(Entry(TYPE_NUMERIC | 8).end(5), 13);
        assert_eq!(Entry(HAS_OFFSET | TYPE_STRING | 8).end(5), 8);
    }
}
