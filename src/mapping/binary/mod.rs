//! Values of results whose type has no column type of its own.
//!
//! - `parts`: such values taken apart
//! - `show`:  the texts that PostgreSQL prints for them
//!
//! Results come in the server's binary format, whatever the type. A column of such a type is
//! declared by its name ([`ColumnType::Other`]), and what is written to it travels as text that the
//! database casts; what is read from it is one of these.

pub(in crate::mapping) mod parts;
mod show;

pub(in crate::mapping) use show::{show, show_address, show_mac, show_pairs};

use super::column_type::ColumnType;

/// The type of a cell in the server's binary format that has no [`ColumnType`] of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BinaryType {
    /// `oid` and the types that are one: `regclass`, `xid` and others, by name.
    Oid(String),
    /// `inet` and `cidr`, by name.
    Inet(String),
    /// `macaddr`
    MacAddr,
    /// A range of values of a type.
    Range(ColumnType),
    /// A multirange of values of a type.
    Multirange(ColumnType),
    /// `hstore`
    Hstore,
    /// A composite type: its name, and the names and types of its fields in order.
    Composite(String, Vec<(String, ColumnType)>),
    /// Any other type, by the name the database gives it. Only a Rust type that knows what it
    /// reads can read it; a query makes it a text: `column::text`.
    Unknown(String),
}

impl BinaryType {
    /// Its name, for messages.
    pub fn name(&self) -> String {
        match self {
            Self::Oid(name) | Self::Inet(name) | Self::Composite(name, _) | Self::Unknown(name) => {
                name.clone()
            }
            Self::MacAddr => "macaddr".to_owned(),
            Self::Range(element) => format!("a range of {element}"),
            Self::Multirange(element) => format!("a multirange of {element}"),
            Self::Hstore => "hstore".to_owned(),
        }
    }
}
