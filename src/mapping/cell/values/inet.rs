//! `Inet`: an address with its network; and `IpAddr`, an address alone.

use super::super::array::Element;
use super::super::fault::{damaged, malformed, not_readable, unreadable};
use super::super::text::{pack_text, read_text};
use super::super::{Cell, CellRef};
use super::binary_of;
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::binary::{BinaryType, parts, show_address};
use crate::mapping::column_type::ColumnType;
use crate::sqlstate::SqlState;
use core::net::IpAddr;
use std::fmt;
use std::str::FromStr;

/// An address of version 4 or 6 and the length of the prefix that is its network: a value of an
/// `inet` or a `cidr`.
///
/// A plain [`IpAddr`] can be a column too: an `inet` whose values are addresses of hosts.
///
/// ```
/// use rowmill::Inet;
/// let inet: Inet = "10.1.2.3/8".parse()?;
/// assert_eq!((inet.address().to_string(), inet.prefix()), ("10.1.2.3".to_owned(), 8));
/// assert_eq!("::1".parse::<Inet>()?.to_string(), "::1", "a whole address is a host");
/// # Ok::<(), rowmill::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Inet {
    address: IpAddr,
    prefix: u8,
}

impl Inet {
    /// An address whose first `prefix` bits are its network's; the others may be set.
    ///
    /// # Errors
    /// `Encode` (22P02) if an address does not have as many bits.
    pub fn new(address: IpAddr, prefix: u8) -> Result<Self> {
        if prefix > parts::longest_prefix(address) {
            return Err(Error::new(ErrorKind::Encode, "a prefix is longer than its address")
                .with_sqlstate(SqlState::INVALID_TEXT));
        }
        Ok(Self { address, prefix })
    }

    /// The address.
    pub fn address(self) -> IpAddr {
        self.address
    }

    /// How many of its bits are those of the network.
    pub fn prefix(self) -> u8 {
        self.prefix
    }

    /// Whether it is a host: an address without a network.
    pub fn is_host(self) -> bool {
        self.prefix == parts::longest_prefix(self.address)
    }

    fn read(cell: CellRef<'_>, rust: &str) -> Result<Self> {
        match binary_of(cell) {
            Some((BinaryType::Inet(_) | BinaryType::Unknown(_), bytes)) => {
                let address = parts::address(bytes);
                let (address, prefix) =
                    address.ok_or_else(|| damaged(&ColumnType::Other("inet".into())))?;
                Ok(Self { address, prefix })
            }
            Some(_) => Err(not_readable(rust, cell)),
            None => read_text(cell, rust)?.parse().map_err(|_| malformed("address")),
        }
    }
}

impl From<IpAddr> for Inet {
    /// A host.
    fn from(address: IpAddr) -> Self {
        Self { address, prefix: parts::longest_prefix(address) }
    }
}

impl fmt::Display for Inet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = String::new();
        show_address(self.address, &mut shown);
        if !self.is_host() {
            shown.push('/');
            shown.push_str(&self.prefix.to_string());
        }
        f.pad(&shown)
    }
}

impl FromStr for Inet {
    type Err = Error;

    /// Reads an address, and a prefix where there is one. No part of an address can be left out.
    ///
    /// # Errors
    /// `Encode` (22P02) if it is none.
    fn from_str(text: &str) -> Result<Self> {
        let none = || {
            Error::new(ErrorKind::Encode, "a text is no address")
                .with_sqlstate(SqlState::INVALID_TEXT)
        };
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| none())?;
        match prefix {
            None => Ok(address.into()),
            Some(prefix) => Self::new(address, prefix.parse().map_err(|_| none())?),
        }
    }
}

impl Element for Inet {}

impl Cell for Inet {
    fn column_type() -> ColumnType {
        ColumnType::Other("inet".to_owned())
    }

    fn pack(&self, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
        pack_text(&self.to_string(), column_type, out)
    }

    fn unpack(cell: CellRef<'_>) -> Result<Self> {
        Self::read(cell, "Inet")
    }
}

impl Element for IpAddr {}

impl Cell for IpAddr {
    fn column_type() -> ColumnType {
        Inet::column_type()
    }

    fn pack(&self, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
        pack_text(&self.to_string(), column_type, out)
    }

    fn unpack(cell: CellRef<'_>) -> Result<Self> {
        let inet = Inet::read(cell, "IpAddr")?;
        if inet.is_host() {
            return Ok(inet.address);
        }
        Err(unreadable(
            "an address has a network, which IpAddr does not hold",
            SqlState::INVALID_TEXT,
        )
        .with_hint("a field that is an Inet holds both"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_with_a_network_is_no_plain_address() {
        let error = IpAddr::unpack(CellRef::Text("10.0.0.1/8")).unwrap_err();
        assert!(error.to_string().contains("Inet"), "{error}");
        assert!(IpAddr::unpack(CellRef::Text("10.0.0.1/32")).is_ok());
        for text in ["10.0.0.1/33", "10.0.0", "::1/129", "10.0.0.1/", "/8", "10.0.0.1/8/8"] {
            assert!(text.parse::<Inet>().is_err(), "{text}");
        }
    }
}
