//! Numbers as they are stored: PostgreSQL's `numeric`, with its four-byte varlena header.
//!
//! In: the bytes of a number behind its padding. Out: its parts, and whether two numbers have the
//! same value or the same text. Always: the bytes are copied as they are, and only looked into for
//! comparing and checking; a header that lies is an error, not a panic. A one-byte varlena header
//! is refused: jsonb never stores one, because numbers are unpacked before they enter a document.

use std::cmp::Ordering;

use crate::error::{CoreError, Result};
use crate::layout::word_at;

const SPECIAL: u16 = 0xC000;
/// Of a special header: set in infinities, and not in NaN; then set in the negative one.
const INFINITE: u16 = 0x1000;
const NEGATIVE_INFINITE: u16 = 0x2000;
const SHORT: u16 = 0x8000;
const NEGATIVE: u16 = 0x4000;
const LONG_SCALE_MASK: u16 = 0x3FFF;
const SHORT_NEGATIVE: u16 = 0x2000;
const SHORT_SCALE_SHIFT: u16 = 7;
const SHORT_SCALE_MASK: u16 = 0x003F;
const SHORT_WEIGHT_NEGATIVE: u16 = 0x0040;
const SHORT_WEIGHT_MASK: u16 = 0x003F;
/// Each digit is one of base 10000.
const BASE: u16 = 10_000;

/// A stored number, not looked into yet.
#[derive(Debug, Clone, Copy)]
pub struct Numeric<'a>(pub(crate) &'a [u8]);

/// What a stored number consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parts<'a> {
    /// NaN or an infinity, told apart by the header word. Not JSON, but the format could hold them.
    Special(u16),
    Finite(Finite<'a>),
}

/// Sign, scale and digits, without leading and trailing zero digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Finite<'a> {
    pub negative: bool,
    /// Decimal digits shown behind the point.
    pub scale: u16,
    /// The power of 10000 that the first digit counts.
    pub weight: i32,
    pub digits: &'a [u8],
}

impl<'a> Numeric<'a> {
    /// The stored bytes, varlena header included.
    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// Whether both are the same number, whatever their scales: `1`, `1.0` and `1.00` are.
    pub fn same_value(self, other: Numeric<'_>) -> Result<bool> {
        if self.0 == other.0 {
            return Ok(true);
        }
        Ok(match (self.parts()?, other.parts()?) {
            (Parts::Finite(a), Parts::Finite(b)) => {
                a.negative == b.negative && a.weight == b.weight && a.digits == b.digits
            }
            (a, b) => a == b,
        })
    }

    /// Which one is greater, as numeric compares: NaN is greater than all others.
    pub fn compare(self, other: Numeric<'_>) -> Result<Ordering> {
        Ok(match (self.parts()?, other.parts()?) {
            (Parts::Finite(a), Parts::Finite(b)) => match (a.negative, b.negative) {
                (false, false) => a.compare_magnitude(&b),
                (true, true) => b.compare_magnitude(&a),
                (negative, _) => {
                    if negative {
                        Ordering::Less
                    } else {
                        Ordering::Greater
                    }
                }
            },
            (a, b) => a.rank().cmp(&b.rank()),
        })
    }

    /// Whether both are shown alike: `1.0` and `1.00` are not.
    pub fn same_text(self, other: Numeric<'_>) -> Result<bool> {
        Ok(self.0 == other.0 || self.parts()? == other.parts()?)
    }

    /// The number as an integer of 32 bits; `None` if it is not one.
    pub fn to_i32(self) -> Result<Option<i32>> {
        let Parts::Finite(number) = self.parts()? else {
            return Ok(None);
        };
        // Three digits of base 10000 are more than 32 bits, and digits behind the point are no integer.
        let whole = usize::try_from(number.weight.saturating_add(1)).unwrap_or(0);
        if whole > 3 || number.digits.len() / 2 > whole {
            return Ok(None);
        }
        let mut value = 0i64;
        for index in 0..whole {
            let digit = number.digits.get(index * 2..).and_then(|rest| rest.first_chunk::<2>());
            value = value * i64::from(BASE) + digit.map_or(0, |digit| i64::from(u16::from_ne_bytes(*digit)));
        }
        Ok(i32::try_from(if number.negative { -value } else { value }).ok())
    }

    pub(crate) fn parts(self) -> Result<Parts<'a>> {
        let body = self.body()?;
        let (header, rest) = split_u16(body)?;
        match header & SPECIAL {
            SPECIAL => Ok(Parts::Special(header)),
            SHORT => {
                let low = i32::from(header & SHORT_WEIGHT_MASK);
                let weight = if header & SHORT_WEIGHT_NEGATIVE != 0 { low - 64 } else { low };
                let scale = (header >> SHORT_SCALE_SHIFT) & SHORT_SCALE_MASK;
                finite(header & SHORT_NEGATIVE != 0, scale, weight, rest)
            }
            sign => {
                let (weight, digits) = split_u16(rest)?;
                let weight = i32::from(i16::from_ne_bytes(weight.to_ne_bytes()));
                finite(sign == NEGATIVE, header & LONG_SCALE_MASK, weight, digits)
            }
        }
    }

    /// Checks what [`Numeric::parts`] lets pass: digits in range.
    pub(crate) fn validate(self) -> Result<()> {
        if let Parts::Finite(finite) = self.parts()? {
            let in_range = |pair: &[u8]| split_u16(pair).is_ok_and(|(digit, _)| digit < BASE);
            if !finite.digits.chunks_exact(2).all(in_range) {
                return Err(CoreError::corrupt("a digit of a number is out of range"));
            }
        }
        Ok(())
    }

    /// What follows the varlena header, which must give the length of what is there.
    fn body(self) -> Result<&'a [u8]> {
        let header = word_at(self.0, 0).ok_or_else(|| CoreError::corrupt("a number is too short"))?;
        if varlena_length(header) != Some(self.0.len()) {
            return Err(CoreError::corrupt("the length in a number's header is not the number's length"));
        }
        self.0.get(4..).ok_or_else(|| CoreError::corrupt("a number is too short"))
    }
}

/// The length in a plain four-byte varlena header; `None` if the header is of another sort.
fn varlena_length(header: u32) -> Option<usize> {
    if cfg!(target_endian = "little") {
        (header & 3 == 0).then_some((header >> 2) as usize)
    } else {
        (header >> 30 == 0).then_some(header as usize)
    }
}

/// The plain four-byte varlena header for a datum of `length` bytes, header included.
#[cfg(any(test, feature = "text"))]
pub(crate) fn varlena_header(length: u32) -> u32 {
    if cfg!(target_endian = "little") { length << 2 } else { length }
}

fn split_u16(bytes: &[u8]) -> Result<(u16, &[u8])> {
    let (first, rest) = bytes.split_first_chunk::<2>().ok_or_else(|| CoreError::corrupt("a number is too short"))?;
    Ok((u16::from_ne_bytes(*first), rest))
}

/// The server strips zero digits at both ends; doing it here too makes the comparison safe for any
/// bytes.
fn finite(negative: bool, scale: u16, mut weight: i32, mut digits: &[u8]) -> Result<Parts<'_>> {
    if digits.len() % 2 != 0 {
        return Err(CoreError::corrupt("a number ends within a digit"));
    }
    while let Some(rest) = digits.strip_prefix(&[0, 0]) {
        digits = rest;
        weight = weight.saturating_sub(1);
    }
    while let Some(rest) = digits.strip_suffix(&[0, 0]) {
        digits = rest;
    }
    if digits.is_empty() {
        return Ok(Parts::Finite(Finite { negative: false, scale, weight: 0, digits }));
    }
    Ok(Parts::Finite(Finite { negative, scale, weight, digits }))
}

impl Parts<'_> {
    /// Where numbers that cannot be compared by digits stand among the others.
    fn rank(&self) -> u8 {
        match self {
            Parts::Special(header) if header & INFINITE == 0 => 3,
            Parts::Special(header) if header & NEGATIVE_INFINITE == 0 => 2,
            Parts::Finite(_) => 1,
            Parts::Special(_) => 0,
        }
    }
}

impl Finite<'_> {
    fn each_digit(&self) -> impl Iterator<Item = u16> {
        self.digits.chunks_exact(2).map(|digit| split_u16(digit).map_or(0, |(digit, _)| digit))
    }

    fn compare_magnitude(&self, other: &Finite<'_>) -> Ordering {
        match (self.digits.is_empty(), other.digits.is_empty()) {
            (false, false) => self.weight.cmp(&other.weight).then_with(|| self.each_digit().cmp(other.each_digit())),
            (is_zero, other_is_zero) => other_is_zero.cmp(&is_zero),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(words: &[u16]) -> Vec<u8> {
        let length = u32::try_from(4 + 2 * words.len()).unwrap();
        let mut bytes = varlena_header(length).to_ne_bytes().to_vec();
        words.iter().for_each(|word| bytes.extend(word.to_ne_bytes()));
        bytes
    }

    fn short(scale: u16, weight: u16, negative: bool) -> u16 {
        SHORT | (scale << SHORT_SCALE_SHIFT) | weight | if negative { SHORT_NEGATIVE } else { 0 }
    }

    fn compare(a: &[u16], b: &[u16]) -> (bool, bool) {
        let (a, b) = (stored(a), stored(b));
        let (a, b) = (Numeric(&a), Numeric(&b));
        (a.same_value(b).unwrap(), a.same_text(b).unwrap())
    }

    #[test]
    fn scale_matters_for_text_only() {
        assert_eq!(compare(&[short(0, 0, false), 1], &[short(2, 0, false), 1]), (true, false));
        assert_eq!(compare(&[short(0, 0, false)], &[short(1, 0, false)]), (true, false));
        assert_eq!(compare(&[short(0, 0, false), 1], &[short(0, 0, true), 1]), (false, false));
        assert_eq!(compare(&[short(0, 0, false), 1], &[short(0, 1, false), 1]), (false, false));
    }

    #[test]
    fn long_and_short_headers_compare() {
        // 1 with a negative short weight against a long header, and with zero digits that would be
        // stripped.
        assert_eq!(compare(&[short(4, 0x7f, false), 5], &[4, 0xffff, 5]), (true, true));
        assert_eq!(compare(&[short(0, 1, true), 5], &[NEGATIVE, 1, 5]), (true, true));
        assert_eq!(compare(&[short(0, 1, false), 0, 5, 0], &[short(0, 0, false), 5]), (true, true));
    }

    #[test]
    fn numbers_have_an_order() {
        let ascending: [&[u16]; 14] = [
            &[0xF000],
            &[short(0, 1, true), 2],
            &[short(0, 1, true), 1, 5],
            &[short(0, 1, true), 1],
            &[short(0, 0, true), 9_999],
            &[short(0, 0, true), 1],
            &[short(4, 0x7f, true), 5],
            &[short(0, 0, false)],
            &[short(4, 0x7f, false), 5],
            &[short(0, 0, false), 1],
            &[short(0, 0, false), 9_999],
            &[short(0, 1, false), 1, 5],
            &[0xD000],
            &[0xC000],
        ];
        for (n, a) in ascending.iter().enumerate() {
            for (m, b) in ascending.iter().enumerate() {
                let (a, b) = (stored(a), stored(b));
                assert_eq!(Numeric(&a).compare(Numeric(&b)).unwrap(), n.cmp(&m), "{n} and {m}");
            }
        }
        let (one, longer) = (stored(&[short(0, 0, false), 1]), stored(&[0, 1, 0, 1]));
        assert_eq!(Numeric(&one).compare(Numeric(&longer)).unwrap(), Ordering::Equal);
    }

    #[test]
    fn integers_are_told_from_other_numbers() {
        let integer = |words: &[u16]| Numeric(&stored(words)).to_i32().unwrap();
        assert_eq!(integer(&[short(0, 0, false)]), Some(0));
        assert_eq!(integer(&[short(2, 0, true), 7]), Some(-7));
        assert_eq!(integer(&[short(0, 1, false), 5]), Some(50_000));
        assert_eq!(integer(&[short(0, 2, false), 21, 4748, 3647]), Some(i32::MAX));
        assert_eq!(integer(&[short(0, 2, true), 21, 4748, 3648]), Some(i32::MIN));
        assert_eq!(integer(&[short(0, 2, false), 21, 4748, 3648]), None);
        assert_eq!(integer(&[short(0, 3, false), 1]), None);
        assert_eq!(integer(&[short(1, 0, false), 1, 5000]), None);
        assert_eq!(integer(&[short(1, 0x7f, false), 5000]), None);
        assert_eq!(integer(&[0xC000]), None);
    }

    #[test]
    fn specials_do_not_panic() {
        assert_eq!(compare(&[0xC000], &[0xC000]), (true, true));
        assert_eq!(compare(&[0xC000], &[0xD000]), (false, false));
        assert_eq!(compare(&[0xF000], &[short(0, 0, false), 1]), (false, false));
    }

    #[test]
    fn lying_headers_are_errors() {
        let whole = stored(&[short(0, 0, false), 1]);
        for cut in 0..whole.len() {
            assert!(Numeric(&whole[..cut]).parts().is_err(), "{cut} bytes");
        }
        let odd = [&varlena_header(7).to_ne_bytes()[..], &short(0, 0, false).to_ne_bytes(), &[1]].concat();
        assert!(Numeric(&odd).parts().is_err());
        assert!(Numeric(&stored(&[short(0, 0, false), 10_000])).validate().is_err());
        assert!(Numeric(&stored(&[short(0, 0, false), 9_999])).validate().is_ok());
    }
}
