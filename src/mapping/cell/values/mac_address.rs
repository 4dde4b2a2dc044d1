//! `MacAddress`: six bytes.

use super::super::array::Element;
use super::super::fault::{damaged, malformed, not_readable};
use super::super::text::{pack_text, read_text};
use super::super::{Cell, CellRef};
use super::binary_of;
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::binary::{BinaryType, show_mac};
use crate::mapping::column_type::ColumnType;
use crate::sqlstate::SqlState;
use std::fmt;
use std::str::FromStr;

/// The address of a network interface: a value of a `macaddr`.
///
/// ```
/// use rowmill::MacAddress;
/// let address: MacAddress = "08:00:2B:01:02:03".parse()?;
/// assert_eq!(address.to_string(), "08:00:2b:01:02:03");
/// # Ok::<(), rowmill::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MacAddress(pub [u8; 6]);

impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = String::new();
        show_mac(self.0, &mut shown);
        f.pad(&shown)
    }
}

impl FromStr for MacAddress {
    type Err = Error;

    /// Reads six pairs of hexadecimal digits with `:` or `-` between them.
    ///
    /// # Errors
    /// `Encode` (22P02) if it is none.
    fn from_str(text: &str) -> Result<Self> {
        let none = || {
            Error::new(ErrorKind::Encode, "a text is no address of an interface")
                .with_sqlstate(SqlState::INVALID_TEXT)
        };
        let mut bytes = [0; 6];
        let mut pairs = text.split([':', '-']);
        for byte in &mut bytes {
            let pair = pairs.next().filter(|pair| pair.len() == 2).ok_or_else(none)?;
            let is_hex = pair.bytes().all(|digit| digit.is_ascii_hexdigit());
            *byte = u8::from_str_radix(pair, 16).ok().filter(|_| is_hex).ok_or_else(none)?;
        }
        pairs.next().is_none().then_some(Self(bytes)).ok_or_else(none)
    }
}

impl Element for MacAddress {}

impl Cell for MacAddress {
    fn column_type() -> ColumnType {
        ColumnType::Other("macaddr".to_owned())
    }

    fn pack(&self, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
        pack_text(&self.to_string(), column_type, out)
    }

    fn unpack(cell: CellRef<'_>) -> Result<Self> {
        match binary_of(cell) {
            Some((BinaryType::MacAddr | BinaryType::Unknown(_), bytes)) => bytes
                .try_into()
                .map(Self)
                .map_err(|_| damaged(&ColumnType::Other("macaddr".into()))),
            Some(_) => Err(not_readable("MacAddress", cell)),
            None => read_text(cell, "MacAddress")?.parse().map_err(|_| malformed("macaddr")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_pairs_of_digits_and_nothing_else_are_an_address() {
        assert!("08-00-2b-01-02-03".parse::<MacAddress>().is_ok());
        for text in
            ["", "08:00:2b:01:02", "08:00:2b:01:02:03:04", "8:0:2b:1:2:3", "08:00:2b:01:02:+3"]
        {
            assert!(text.parse::<MacAddress>().is_err(), "{text}");
        }
    }
}
