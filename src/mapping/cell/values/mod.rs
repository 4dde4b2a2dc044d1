//! Values that PostgreSQL has and Rust has no type for.
//!
//! - `numeric`:  [`Numeric`], every `numeric` there is: any number of digits, NaN, infinity
//! - `moment`:   [`Moment`], a date or a timestamp that can be infinite
//! - `interval`: [`Interval`], months, days and microseconds
//! - `range`, `multirange`: [`Range`] and [`Multirange`], the values between bounds
//! - `inet`, `mac_address`: [`Inet`] and [`MacAddress`], addresses
//! - `hstore`:   [`Hstore`], texts by their keys
//!
//! Each holds what the database holds and nothing is rounded or cut; what another type cannot hold
//! is refused when it is converted.

mod hstore;
mod inet;
mod interval;
mod mac_address;
mod moment;
mod multirange;
mod numeric;
mod range;

pub use hstore::Hstore;
pub use inet::Inet;
pub use interval::Interval;
pub use mac_address::MacAddress;
pub use moment::{Moment, Temporal};
pub use multirange::Multirange;
pub use numeric::Numeric;
pub use range::{Bounded, Range};

use super::CellRef;
use crate::mapping::binary::BinaryType;
use crate::mapping::column_type::ColumnType;

/// The type and the bytes of a cell whose type only results have.
pub(in crate::mapping) fn binary_of(cell: CellRef<'_>) -> Option<(&BinaryType, &[u8])> {
    match cell {
        CellRef::Packed(ColumnType::Binary(ty), bytes) => Some((ty, bytes)),
        _ => None,
    }
}
