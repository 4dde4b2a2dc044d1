//! Values in the server's binary format, taken apart; `None` where the bytes are no such value.
//!
//! The formats are those of `range_send`, `multirange_send`, `record_send`, `hstore_send` and
//! `network_send`. All are lengths before bytes, big-endian.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Bound;

const EMPTY: u8 = 0x01;
const LOWER_INCLUDED: u8 = 0x02;
const UPPER_INCLUDED: u8 = 0x04;
const LOWER_UNBOUNDED: u8 = 0x08;
const UPPER_UNBOUNDED: u8 = 0x10;

/// The bounds of a range; `None` if it is empty.
pub(in crate::mapping) type Bounds<T> = Option<(Bound<T>, Bound<T>)>;

/// The bounds of a range.
pub(in crate::mapping) fn range(bytes: &[u8]) -> Option<Bounds<&[u8]>> {
    let (flags, rest) = bytes.split_first()?;
    if flags & EMPTY != 0 {
        return rest.is_empty().then_some(None);
    }
    let mut parts = Parts(rest);
    let mut bound = |unbounded: u8, included: u8| {
        if flags & unbounded != 0 {
            return Some(Bound::Unbounded);
        }
        let value = parts.field().ok()??;
        Some(if flags & included == 0 { Bound::Excluded(value) } else { Bound::Included(value) })
    };
    let lower = bound(LOWER_UNBOUNDED, LOWER_INCLUDED)?;
    let upper = bound(UPPER_UNBOUNDED, UPPER_INCLUDED)?;
    parts.end(Some((lower, upper)))
}

/// The ranges of a multirange, each as [`range`] takes it apart.
pub(in crate::mapping) fn multirange(bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let mut parts = Parts(bytes);
    let count = parts.word()?;
    let mut ranges = Vec::new();
    for _ in 0..count {
        ranges.push(parts.field().ok()??);
    }
    parts.end(ranges)
}

/// A field of a record: the number of its type, and its value.
pub(in crate::mapping) type Field<'a> = (u32, Option<&'a [u8]>);

/// The fields of a record.
pub(in crate::mapping) fn record(bytes: &[u8]) -> Option<Vec<Field<'_>>> {
    let mut parts = Parts(bytes);
    let count = parts.word()?;
    let mut fields = Vec::new();
    for _ in 0..count {
        fields.push((parts.word()? as u32, parts.field().ok()?));
    }
    parts.end(fields)
}

/// A key, and its value.
pub(in crate::mapping) type Pair<'a> = (&'a str, Option<&'a str>);

/// The pairs of an `hstore`.
pub(in crate::mapping) fn pairs(bytes: &[u8]) -> Option<Vec<Pair<'_>>> {
    let text = |bytes| std::str::from_utf8(bytes).ok();
    let mut parts = Parts(bytes);
    let count = parts.word()?;
    let mut pairs = Vec::new();
    for _ in 0..count {
        let key = text(parts.field().ok()??)?;
        let value = match parts.field().ok()? {
            Some(value) => Some(text(value)?),
            None => None,
        };
        pairs.push((key, value));
    }
    parts.end(pairs)
}

/// An address and how many of its bits are those of the network.
pub(in crate::mapping) fn address(bytes: &[u8]) -> Option<(IpAddr, u8)> {
    let [family, bits, _is_cidr, _length, address @ ..] = bytes else { return None };
    let address: IpAddr = match family {
        2 => Ipv4Addr::from(<[u8; 4]>::try_from(address).ok()?).into(),
        3 => Ipv6Addr::from(<[u8; 16]>::try_from(address).ok()?).into(),
        _ => return None,
    };
    (*bits <= longest_prefix(address)).then_some((address, *bits))
}

/// How many bits an address has.
pub(in crate::mapping) fn longest_prefix(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// Bytes are missing.
struct Torn;

/// What is left of a value.
struct Parts<'a>(&'a [u8]);

impl<'a> Parts<'a> {
    fn word(&mut self) -> Option<i32> {
        let (word, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(i32::from_be_bytes(*word))
    }

    /// A length and as many bytes; a negative length is NULL.
    fn field(&mut self) -> Result<Option<&'a [u8]>, Torn> {
        let Ok(length) = usize::try_from(self.word().ok_or(Torn)?) else { return Ok(None) };
        let (field, rest) = self.0.split_at_checked(length).ok_or(Torn)?;
        self.0 = rest;
        Ok(Some(field))
    }

    fn end<T>(&self, value: T) -> Option<T> {
        self.0.is_empty().then_some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_bytes_are_taken_apart_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = (range(&bytes), multirange(&bytes), record(&bytes), pairs(&bytes), address(&bytes));
        }
    }

    #[test]
    fn the_bytes_are_those_of_the_server() {
        // select range_send('[1,3)'::int4range), range_send('empty'::int4range), ...
        let bytes = [2, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 3];
        let (one, three) = ([0, 0, 0, 1], [0, 0, 0, 3]);
        let bounds = (Bound::Included(&one[..]), Bound::Excluded(&three[..]));
        assert_eq!(range(&bytes), Some(Some(bounds)));
        assert_eq!(range(&[1]), Some(None));
        assert_eq!(range(&[0x18]), Some(Some((Bound::Unbounded, Bound::Unbounded))));
        assert_eq!(range(&[0x18, 0]), None);
        // select inet_send('10.0.0.1/8')
        assert_eq!(address(&[2, 8, 0, 4, 10, 0, 0, 1]), Some(("10.0.0.1".parse().unwrap(), 8)));
        assert_eq!(address(&[2, 33, 0, 4, 10, 0, 0, 1]), None);
        // select hstore_send('a=>NULL')
        let pair = [0, 0, 0, 1, 0, 0, 0, 1, b'a', 255, 255, 255, 255];
        assert_eq!(pairs(&pair), Some(vec![("a", None)]));
    }
}
