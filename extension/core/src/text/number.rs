//! Numbers between JSON text and storage.
//!
//! In: a JSON number, or a stored one. Out: the other. Always: the shortest header that can hold
//! the number, as the server chooses it; digits behind the point are kept, exponents are not.

use super::TextError;
use crate::error::{CoreError, Result};
use crate::numeric::{Numeric, Parts, varlena_header};

const LARGEST_WEIGHT: i64 = 32_767;
const LARGEST_SCALE: i64 = 16_383;
const LARGEST_SHORT_SCALE: i64 = 63;

/// Encodes text that has the form of a JSON number.
pub(super) fn encode(text: &str) -> std::result::Result<Vec<u8>, TextError> {
    let (negative, unsigned) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let exponent: i64 = exponent.parse().map_err(|_| TextError::NumberOutOfRange)?;
    if exponent.abs() > i64::from(i32::MAX) {
        return Err(TextError::NumberOutOfRange);
    }
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let scale = (fraction.len() as i64 - exponent).max(0);
    let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).map(|byte| byte.wrapping_sub(b'0')).collect();
    let leading = digits.iter().take_while(|digit| **digit == 0).count();
    // The power of ten that the first digit which is not zero counts.
    let power = whole.len() as i64 + exponent - 1 - leading as i64;
    let significant = digits.get(leading..).unwrap_or_default();
    let (weight, groups) = group(power, significant);
    if !(-LARGEST_WEIGHT..=LARGEST_WEIGHT).contains(&weight) || scale > LARGEST_SCALE {
        return Err(TextError::NumberOutOfRange);
    }
    Ok(store(negative && !groups.is_empty(), weight, scale, &groups))
}

/// Groups decimal digits by four; returns the power of 10000 of the first group.
fn group(power: i64, digits: &[u8]) -> (i64, Vec<u16>) {
    if digits.is_empty() {
        return (0, Vec::new());
    }
    let weight = power.div_euclid(4);
    let lead = 3 - power.rem_euclid(4);
    let padded: Vec<u8> = std::iter::repeat_n(0, lead as usize).chain(digits.iter().copied()).collect();
    let value = |chunk: &[u8]| (0..4).fold(0u16, |sum, i| sum * 10 + u16::from(chunk.get(i).copied().unwrap_or(0)));
    let mut groups: Vec<u16> = padded.chunks(4).map(value).collect();
    while groups.last() == Some(&0) {
        groups.pop();
    }
    (weight, groups)
}

fn store(negative: bool, weight: i64, scale: i64, groups: &[u16]) -> Vec<u8> {
    let mut words = Vec::with_capacity(groups.len() + 2);
    if scale <= LARGEST_SHORT_SCALE && (-64..=63).contains(&weight) {
        let sign = if negative { 0x2000 } else { 0 };
        words.push(0x8000 | sign | ((scale as u16) << 7) | (weight as u16 & 0x007f));
    } else {
        words.push(if negative { 0x4000 } else { 0 } | scale as u16);
        words.push(weight as i16 as u16);
    }
    words.extend_from_slice(groups);
    let mut bytes = varlena_header((4 + 2 * words.len()) as u32).to_ne_bytes().to_vec();
    words.iter().for_each(|word| bytes.extend(word.to_ne_bytes()));
    bytes
}

/// Appends a stored number as text.
pub(super) fn render(number: Numeric<'_>, out: &mut String) -> Result<()> {
    let Parts::Finite(finite) = number.parts()? else {
        return Err(CoreError::corrupt("a number that JSON does not have"));
    };
    let digit = |power: i32| {
        let index = usize::try_from(finite.weight - power).ok();
        let pair = index.and_then(|index| finite.digits.get(index.checked_mul(2)?..)?.first_chunk::<2>());
        pair.map_or(0, |pair| u16::from_ne_bytes(*pair))
    };
    if finite.negative {
        out.push('-');
    }
    out.push_str(&digit(finite.weight.max(0)).to_string());
    (0..finite.weight.max(0)).rev().for_each(|power| out.push_str(&format!("{:04}", digit(power))));
    if finite.scale > 0 {
        out.push('.');
        let groups = i32::from(finite.scale.div_ceil(4));
        let fraction: String = (1..=groups).map(|power| format!("{:04}", digit(-power))).collect();
        out.push_str(fraction.get(..usize::from(finite.scale)).unwrap_or(&fraction));
    }
    Ok(())
}
