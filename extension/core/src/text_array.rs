//! Reading a `text[]`, which is how SQL passes a path.
//!
//! In: the bytes of an array datum behind its varlena header. Out: its elements in order, whatever
//! its dimensions. Always: every read is checked, so bytes that are no `text[]` give
//! [`CoreError::Corrupt`]; elements are borrowed, not copied.
//!
//! The header holds the number of dimensions, the offset of the data if there are NULLs, the
//! element type, then per dimension a length and a lower bound, then one bit per element that is
//! not NULL. Offsets and alignment count from the four-byte varlena header, also where the datum
//! came with a shorter one.

use crate::error::{CoreError, Result};
use crate::layout::word_at;

/// What a datum's plain header takes, from which offsets count.
const HEADER: usize = 4;
/// Where the lengths of the dimensions begin.
const LENGTHS: usize = 16;
/// What the data as a whole is aligned to.
const DATA_ALIGN: usize = 8;
/// What an element with a four-byte header is aligned to.
const ELEMENT_ALIGN: usize = 4;
/// As many dimensions as the server allows.
const MAX_DIMENSIONS: u32 = 6;

/// The elements of a `text[]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextArray<'a> {
    /// The elements in storage order; `None` is NULL.
    pub elements: Vec<Option<&'a [u8]>>,
    /// How many dimensions it has; none if it is empty.
    pub dimensions: usize,
}

impl<'a> TextArray<'a> {
    /// Reads the bytes behind the varlena header.
    pub fn parse(bytes: &'a [u8]) -> Result<Self> {
        let array = Layout { bytes };
        let dimensions = array.word(4)?;
        if dimensions > MAX_DIMENSIONS {
            return Err(CoreError::corrupt("an array has too many dimensions"));
        }
        let dimensions = dimensions as usize;
        let mut count = usize::from(dimensions > 0);
        for dimension in 0..dimensions {
            count = count.saturating_mul(array.word(LENGTHS + 4 * dimension)? as usize);
        }
        // Each element takes a byte, or a bit if it is NULL.
        if count > bytes.len().saturating_mul(8) {
            return Err(CoreError::corrupt("an array has more elements than bytes"));
        }
        let bitmap = LENGTHS + 8 * dimensions;
        let nulls_end = array.word(8)? as usize;
        let mut at = if nulls_end == 0 { bitmap.next_multiple_of(DATA_ALIGN) } else { nulls_end };
        let mut elements = Vec::with_capacity(count);
        for index in 0..count {
            if nulls_end != 0 && array.byte(bitmap + index / 8)? & (1 << (index % 8)) == 0 {
                elements.push(None);
                continue;
            }
            let (element, end) = array.element(at)?;
            elements.push(Some(element));
            at = end;
        }
        Ok(TextArray { elements, dimensions })
    }

    /// The elements as a path along which something is to be changed: one dimension, no NULLs.
    pub fn path(&self) -> Result<Vec<&'a [u8]>> {
        if self.dimensions > 1 {
            return Err(CoreError::PathDimensions);
        }
        let element = |(index, element): (usize, &Option<&'a [u8]>)| {
            element.ok_or(CoreError::PathNull { position: index.saturating_add(1) })
        };
        self.elements.iter().enumerate().map(element).collect()
    }
}

/// Reads at offsets that count from a plain varlena header.
struct Layout<'a> {
    bytes: &'a [u8],
}

impl<'a> Layout<'a> {
    fn word(&self, at: usize) -> Result<u32> {
        word_at(self.bytes, at.saturating_sub(HEADER)).ok_or_else(too_short)
    }

    fn byte(&self, at: usize) -> Result<u8> {
        self.bytes.get(at.saturating_sub(HEADER)).copied().ok_or_else(too_short)
    }

    fn slice(&self, start: usize, length: usize) -> Result<&'a [u8]> {
        let start = start.saturating_sub(HEADER);
        self.bytes.get(start..start.saturating_add(length)).ok_or_else(too_short)
    }

    /// The element at or after `at`, and where it ends. Padding is zero, and the first byte of a
    /// one-byte header is not.
    fn element(&self, at: usize) -> Result<(&'a [u8], usize)> {
        if let Some(whole) = short_length(self.byte(at)?) {
            let length = whole.checked_sub(1).ok_or_else(|| CoreError::corrupt("an array's element is toasted"))?;
            return Ok((self.slice(at.saturating_add(1), length)?, at.saturating_add(whole)));
        }
        let at = at.next_multiple_of(ELEMENT_ALIGN);
        let whole = plain_length(self.word(at)?).ok_or_else(|| CoreError::corrupt("an array's element is toasted"))?;
        let length = whole.checked_sub(HEADER).ok_or_else(too_short)?;
        Ok((self.slice(at.saturating_add(HEADER), length)?, at.saturating_add(whole)))
    }
}

/// The length, header included, in a header of one byte; zero if it points elsewhere.
fn short_length(byte: u8) -> Option<usize> {
    if cfg!(target_endian = "little") {
        (byte & 1 == 1).then_some(usize::from(byte >> 1))
    } else {
        (byte & 0x80 != 0).then_some(usize::from(byte & 0x7f))
    }
}

/// The length, header included, in a header of four bytes; `None` if what follows is compressed.
fn plain_length(header: u32) -> Option<usize> {
    if cfg!(target_endian = "little") {
        (header & 3 == 0).then_some((header >> 2) as usize)
    } else {
        (header >> 30 == 0).then_some(header as usize)
    }
}

#[cold]
fn too_short() -> CoreError {
    CoreError::corrupt("an array is too short")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::varlena_header;

    const TEXT: u32 = 25;

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_ne_bytes()).collect()
    }

    /// What the server builds for elements of one dimension, behind the varlena header.
    fn array(elements: &[Option<&str>]) -> Vec<u8> {
        if elements.is_empty() {
            return words(&[0, 0, TEXT]);
        }
        let count = u32::try_from(elements.len()).unwrap();
        let has_nulls = elements.contains(&None);
        let mut bytes = words(&[1, 0, TEXT, count, 1]);
        if has_nulls {
            let mut bits = vec![0u8; elements.len().div_ceil(8)];
            for (index, _) in elements.iter().enumerate().filter(|(_, element)| element.is_some()) {
                bits[index / 8] |= 1 << (index % 8);
            }
            bytes.extend(bits);
        }
        pad(&mut bytes, DATA_ALIGN);
        if has_nulls {
            let offset = u32::try_from(bytes.len() + HEADER).unwrap();
            bytes[4..8].copy_from_slice(&offset.to_ne_bytes());
        }
        for element in elements.iter().flatten() {
            pad(&mut bytes, ELEMENT_ALIGN);
            bytes.extend(varlena_header(u32::try_from(element.len() + 4).unwrap()).to_ne_bytes());
            bytes.extend(element.as_bytes());
        }
        bytes
    }

    fn pad(bytes: &mut Vec<u8>, align: usize) {
        while !(bytes.len() + HEADER).is_multiple_of(align) {
            bytes.push(0);
        }
    }

    fn shown(bytes: &[u8]) -> Vec<Option<String>> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        TextArray::parse(bytes).unwrap().elements.into_iter().map(|element| element.map(text)).collect()
    }

    #[test]
    fn elements_come_back_in_order() {
        let long = "x".repeat(300);
        for elements in [&[][..], &["a"], &["", "ab", "é", "abcd"], &["a", &long, ""]] {
            let elements: Vec<_> = elements.iter().map(|element| Some(*element)).collect();
            let expected: Vec<_> = elements.iter().map(|element| element.map(str::to_owned)).collect();
            assert_eq!(shown(&array(&elements)), expected);
        }
    }

    #[test]
    fn nulls_are_told_by_position() {
        let mut elements = vec![Some("a"); 11];
        elements[1] = None;
        elements[9] = None;
        let bytes = array(&elements);
        let parsed = TextArray::parse(&bytes).unwrap();
        assert_eq!(parsed.elements.iter().map(Option::is_none).filter(|null| *null).count(), 2);
        assert_eq!(parsed.path(), Err(CoreError::PathNull { position: 2 }));
        assert_eq!(TextArray::parse(&array(&[None])).unwrap().elements, [None]);
    }

    #[test]
    fn short_headers_are_read_where_they_stand() {
        let mut bytes = words(&[1, 0, TEXT, 2, 1]);
        pad(&mut bytes, DATA_ALIGN);
        for element in ["ab", ""] {
            let length = u8::try_from(element.len() + 1).unwrap();
            bytes.push(if cfg!(target_endian = "little") { length << 1 | 1 } else { length | 0x80 });
            bytes.extend(element.as_bytes());
        }
        assert_eq!(shown(&bytes), [Some("ab".into()), Some(String::new())]);
    }

    #[test]
    fn more_dimensions_are_elements_but_no_path() {
        let mut bytes = words(&[2, 0, TEXT, 1, 2, 1, 1]);
        pad(&mut bytes, DATA_ALIGN);
        bytes.extend(words(&[varlena_header(4), varlena_header(4)]));
        let parsed = TextArray::parse(&bytes).unwrap();
        assert_eq!((parsed.elements.len(), parsed.dimensions), (2, 2));
        assert_eq!(parsed.path(), Err(CoreError::PathDimensions));
    }

    #[test]
    fn lies_are_errors() {
        let whole = array(&[Some("a"), None, Some("bcd")]);
        for cut in 0..whole.len() {
            assert!(TextArray::parse(&whole[..cut]).is_err(), "{cut} bytes");
        }
        assert!(TextArray::parse(&words(&[1, 0, TEXT, u32::MAX, 1])).is_err());
        assert!(TextArray::parse(&words(&[7, 0, TEXT])).is_err());
        assert!(TextArray::parse(&words(&[6, 0, TEXT, u32::MAX, u32::MAX, u32::MAX, u32::MAX, 9, 9])).is_err());
    }
}
