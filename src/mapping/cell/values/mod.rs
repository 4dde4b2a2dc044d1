//! Values that PostgreSQL has and Rust has no type for.
//!
//! - `numeric`:  [`Numeric`], every `numeric` there is: any number of digits, NaN, infinity
//! - `moment`:   [`Moment`], a date or a timestamp that can be infinite
//! - `interval`: [`Interval`], months, days and microseconds
//!
//! Each holds what the database holds and nothing is rounded or cut; what another type cannot hold
//! is refused when it is converted.

mod interval;
mod moment;
mod numeric;

pub use interval::Interval;
pub use moment::{Moment, Temporal};
pub use numeric::Numeric;
