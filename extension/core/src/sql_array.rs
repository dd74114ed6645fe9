//! Reading an array of SQL: a `text[]`, which is how SQL passes a path, a `jsonb[]` or a `boolean[]`.
//!
//! In: the bytes of an array datum behind its varlena header. Out: the path that it is, or its elements. Always: every
//! read is checked, so bytes that are no array give [`CoreError::Corrupt`]; elements are borrowed, not copied.
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

/// An array, its header read.
#[derive(Debug, Clone, Copy)]
pub struct SqlArray<'a> {
    layout: Layout<'a>,
    /// How many dimensions it has; none if it is empty.
    dimensions: usize,
    count: usize,
    /// Where the data begins if there are NULLs, else zero.
    nulls_end: usize,
}

impl<'a> SqlArray<'a> {
    /// Reads the header in the bytes behind the varlena header.
    pub fn parse(bytes: &'a [u8]) -> Result<Self> {
        let layout = Layout { bytes };
        let dimensions = layout.word(4)?;
        if dimensions > MAX_DIMENSIONS {
            return Err(CoreError::corrupt("an array has too many dimensions"));
        }
        let dimensions = dimensions as usize;
        let mut count = usize::from(dimensions > 0);
        for dimension in 0..dimensions {
            count = count.saturating_mul(layout.word(LENGTHS + 4 * dimension)? as usize);
        }
        // Each element takes a byte at least, or a bit if it is NULL.
        if count > bytes.len().saturating_mul(8) {
            return Err(CoreError::corrupt("an array has more elements than bytes"));
        }
        Ok(SqlArray { layout, dimensions, count, nulls_end: layout.word(8)? as usize })
    }

    /// The elements as a path along which something is to be changed: one dimension, no NULLs.
    pub fn path(&self) -> Result<Path<'a>> {
        if self.dimensions > 1 {
            return Err(CoreError::PathDimensions);
        }
        let mut path = Path::default();
        self.each(|index, element| match element {
            Some(element) => {
                path.push(element);
                Ok(())
            }
            None => Err(CoreError::PathNull { position: index.saturating_add(1) }),
        })?;
        Ok(path)
    }

    /// The elements as a path to read, as `#>` takes it: dimensions do not matter, and with a NULL it leads nowhere.
    pub fn path_to_read(&self) -> Result<Option<Path<'a>>> {
        let (mut path, mut has_null) = (Path::default(), false);
        self.each(|_, element| {
            match element {
                Some(element) => path.push(element),
                None => has_null = true,
            }
            Ok(())
        })?;
        Ok(if has_null { None } else { Some(path) })
    }

    /// How many elements it has.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The elements of an array of a type with a varlena header, such as jsonb, in storage order.
    pub fn values(&self) -> Result<Vec<Option<&'a [u8]>>> {
        let mut values = Vec::with_capacity(self.count);
        self.each(|_, element| {
            values.push(element);
            Ok(())
        })?;
        Ok(values)
    }

    /// The elements of a `boolean[]`.
    pub fn booleans(&self) -> Result<Vec<Option<bool>>> {
        let mut at = self.data();
        let mut values = Vec::with_capacity(self.count);
        for index in 0..self.count {
            let is_null = self.is_null(index)?;
            values.push(if is_null { None } else { Some(self.layout.byte(at)? != 0) });
            at += usize::from(!is_null);
        }
        Ok(values)
    }

    /// Calls `visit` with the number and the bytes of each element, in storage order.
    fn each(&self, mut visit: impl FnMut(usize, Option<&'a [u8]>) -> Result<()>) -> Result<()> {
        self.elements().enumerate().try_for_each(|(index, element)| visit(index, element?))
    }

    /// The elements of an array of a type with a varlena header, in storage order; after an error there are more.
    pub(crate) fn elements(&self) -> impl Iterator<Item = Result<Option<&'a [u8]>>> + use<'a> {
        let (array, mut at) = (*self, self.data());
        (0..self.count).map(move |index| {
            if array.is_null(index)? {
                return Ok(None);
            }
            let (element, end) = array.layout.element(at)?;
            at = end;
            Ok(Some(element))
        })
    }

    /// Where the bits are that say which elements are not NULL, should any be.
    fn bitmap(&self) -> usize {
        LENGTHS + 8 * self.dimensions
    }

    /// Where the elements begin.
    fn data(&self) -> usize {
        if self.nulls_end == 0 { self.bitmap().next_multiple_of(DATA_ALIGN) } else { self.nulls_end }
    }

    fn is_null(&self, index: usize) -> Result<bool> {
        Ok(self.nulls_end != 0 && self.layout.byte(self.bitmap() + index / 8)? & (1 << (index % 8)) == 0)
    }
}

/// How many elements of a path are kept without an allocation.
const INLINE: usize = 8;

/// The elements of a path.
#[derive(Debug, Clone, Default)]
pub struct Path<'a> {
    inline: [&'a [u8]; INLINE],
    count: usize,
    /// All of them, once they are more.
    more: Vec<&'a [u8]>,
}

impl<'a> Path<'a> {
    fn push(&mut self, element: &'a [u8]) {
        match self.inline.get_mut(self.count) {
            Some(place) => *place = element,
            None => {
                if self.more.is_empty() {
                    self.more.extend(self.inline);
                }
                self.more.push(element);
            }
        }
        self.count += 1;
    }
}

impl<'a> std::ops::Deref for Path<'a> {
    type Target = [&'a [u8]];

    fn deref(&self) -> &[&'a [u8]] {
        if self.more.is_empty() { self.inline.get(..self.count).unwrap_or_default() } else { &self.more }
    }
}

/// Reads at offsets that count from a plain varlena header.
#[derive(Debug, Clone, Copy)]
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

    fn shown(bytes: &[u8]) -> Option<Vec<String>> {
        let path = SqlArray::parse(bytes).unwrap().path_to_read().unwrap()?;
        Some(path.iter().map(|element| String::from_utf8(element.to_vec()).unwrap()).collect())
    }

    #[test]
    fn elements_come_back_in_order() {
        let long = "x".repeat(300);
        let many: Vec<&str> = std::iter::repeat_n(["a", "", "é"], 7).flatten().collect();
        for elements in [&[][..], &["a"], &["", "ab", "é", "abcd"], &["a", &long, ""], &many[..8], &many[..9], &many] {
            let stored: Vec<_> = elements.iter().map(|element| Some(*element)).collect();
            let expected: Vec<_> = elements.iter().map(|element| (*element).to_owned()).collect();
            let bytes = array(&stored);
            assert_eq!(shown(&bytes), Some(expected));
            let path = SqlArray::parse(&bytes).unwrap().path().unwrap();
            assert!(path.iter().copied().eq(elements.iter().map(|element| element.as_bytes())));
        }
    }

    #[test]
    fn nulls_are_told_by_position() {
        let mut elements = vec![Some("a"); 11];
        elements[1] = None;
        elements[9] = None;
        let bytes = array(&elements);
        assert_eq!(shown(&bytes), None);
        assert_eq!(SqlArray::parse(&bytes).unwrap().path().unwrap_err(), CoreError::PathNull { position: 2 });
        elements[1] = Some("b");
        let error = SqlArray::parse(&array(&elements)).unwrap().path().unwrap_err();
        assert_eq!(error, CoreError::PathNull { position: 10 });
        assert_eq!(shown(&array(&[None])), None);
    }

    #[test]
    fn values_are_read_with_their_nulls() {
        let bytes = array(&[Some("a"), None, Some("bcd")]);
        let values = SqlArray::parse(&bytes).unwrap().values().unwrap();
        assert_eq!(values, [Some(&b"a"[..]), None, Some(b"bcd")]);
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
        assert_eq!(shown(&bytes), Some(vec!["ab".into(), String::new()]));
    }

    #[test]
    fn more_dimensions_are_elements_but_no_path() {
        let mut bytes = words(&[2, 0, TEXT, 1, 2, 1, 1]);
        pad(&mut bytes, DATA_ALIGN);
        bytes.extend(words(&[varlena_header(4), varlena_header(4)]));
        assert_eq!(shown(&bytes), Some(vec![String::new(); 2]));
        assert_eq!(SqlArray::parse(&bytes).unwrap().path().unwrap_err(), CoreError::PathDimensions);
    }

    #[test]
    fn booleans_take_a_byte_each() {
        let mut bytes = words(&[1, 0, 16, 3, 1]);
        pad(&mut bytes, DATA_ALIGN);
        bytes.extend([1, 0, 1]);
        assert_eq!(SqlArray::parse(&bytes).unwrap().booleans().unwrap(), [true, false, true].map(Some));
        let mut bytes = words(&[1, 0, 16, 3, 1]);
        bytes.push(0b101);
        pad(&mut bytes, DATA_ALIGN);
        let offset = u32::try_from(bytes.len() + HEADER).unwrap();
        bytes[4..8].copy_from_slice(&offset.to_ne_bytes());
        bytes.extend([0, 1]);
        assert_eq!(SqlArray::parse(&bytes).unwrap().booleans().unwrap(), [Some(false), None, Some(true)]);
        assert!(SqlArray::parse(&bytes[..bytes.len() - 1]).unwrap().booleans().is_err());
        assert_eq!(SqlArray::parse(&words(&[0, 0, 16])).unwrap().booleans().unwrap(), []);
    }

    #[test]
    fn lies_are_errors() {
        let reads = |bytes: &[u8]| SqlArray::parse(bytes).and_then(|array| array.path_to_read()).is_ok();
        let whole = array(&[Some("a"), None, Some("bcd")]);
        assert!(reads(&whole));
        for cut in 0..whole.len() {
            assert!(!reads(&whole[..cut]), "{cut} bytes");
        }
        assert!(!reads(&words(&[1, 0, TEXT, u32::MAX, 1])));
        assert!(!reads(&words(&[7, 0, TEXT])));
        assert!(!reads(&words(&[6, 0, TEXT, u32::MAX, u32::MAX, u32::MAX, u32::MAX, 9, 9])));
        assert!(!reads(&words(&[1, u32::MAX, TEXT, 1, 1, 9, 9])));
    }
}
