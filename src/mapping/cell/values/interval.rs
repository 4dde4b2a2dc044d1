//! `Interval`: months, days and microseconds.

use super::super::array::Element;
use super::super::fault::{damaged, exactly, malformed, not_packable, not_readable};
use super::super::{Cell, CellRef};
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::column_type::ColumnType;
use crate::mapping::text;
use crate::sqlstate::SqlState;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// An `interval`: its months, its days and its microseconds are apart, because a month has no fixed
/// number of days, nor a day of hours.
///
/// Two are equal if all three are: a month is not 30 days here. It is read from every text that
/// PostgreSQL reads, and shown as PostgreSQL shows it.
///
/// ```
/// use rowmill::Interval;
/// let interval: Interval = "1 year 2 months 3 days 04:05:06.5".parse()?;
/// assert_eq!(interval, Interval { months: 14, days: 3, microseconds: 14_706_500_000 });
/// assert_eq!(interval.to_string(), "1 year 2 mons 3 days 04:05:06.5");
/// # Ok::<(), rowmill::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Interval {
    /// Its months; twelve for each year.
    pub months: i32,
    /// Its days.
    pub days: i32,
    /// Its microseconds, of hours, minutes and seconds together.
    pub microseconds: i64,
}

impl Interval {
    fn packed(self) -> [u8; 16] {
        let mut packed = [0; 16];
        packed[..8].copy_from_slice(&self.microseconds.to_be_bytes());
        packed[8..12].copy_from_slice(&self.days.to_be_bytes());
        packed[12..].copy_from_slice(&self.months.to_be_bytes());
        packed
    }

    fn of_packed(bytes: &[u8]) -> Result<Self> {
        let packed: [u8; 16] = exactly(&ColumnType::Interval, bytes)?;
        let (microseconds, rest) =
            packed.split_first_chunk().ok_or_else(|| damaged(&ColumnType::Interval))?;
        let (days, months) =
            rest.split_first_chunk().ok_or_else(|| damaged(&ColumnType::Interval))?;
        Ok(Self {
            months: i32::from_be_bytes(exactly(&ColumnType::Interval, months)?),
            days: i32::from_be_bytes(*days),
            microseconds: i64::from_be_bytes(*microseconds),
        })
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = String::new();
        text::output(&ColumnType::Interval, &self.packed(), &mut shown).map_err(|_| fmt::Error)?;
        f.pad(&shown)
    }
}

impl FromStr for Interval {
    type Err = Error;

    /// Reads what PostgreSQL reads: `1 day 02:00`, `P1Y2M`, `-3 weeks`.
    ///
    /// # Errors
    /// `Encode`: 22007 if it is none, 22015 if it is outside the range of the type.
    fn from_str(text: &str) -> Result<Self> {
        let mut packed = Vec::new();
        text::input(&ColumnType::Interval, text, &mut packed)?;
        Self::of_packed(&packed)
    }
}

impl TryFrom<Duration> for Interval {
    type Error = Error;

    /// As microseconds alone.
    ///
    /// # Errors
    /// `Encode` (22008) if it is longer than 292471 years, or has a part of a microsecond.
    fn try_from(duration: Duration) -> Result<Self> {
        let microseconds = i64::try_from(duration.as_micros()).ok();
        match microseconds.filter(|_| duration.subsec_nanos().is_multiple_of(1_000)) {
            Some(microseconds) => Ok(Self { microseconds, ..Self::default() }),
            None => {
                let message = "a duration that an interval does not hold exactly";
                Err(Error::new(ErrorKind::Encode, message)
                    .with_sqlstate(SqlState::DATETIME_OVERFLOW))
            }
        }
    }
}

impl Element for Interval {}

impl Cell for Interval {
    fn column_type() -> ColumnType {
        ColumnType::Interval
    }

    fn pack(&self, column_type: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
        match column_type {
            ColumnType::Interval => out.extend_from_slice(&self.packed()),
            other => return Err(not_packable("Interval", other)),
        }
        Ok(true)
    }

    fn unpack(cell: CellRef<'_>) -> Result<Self> {
        match cell {
            CellRef::Packed(ColumnType::Interval, bytes) => Self::of_packed(bytes),
            CellRef::Text(text) => text.parse().map_err(|_| malformed("interval")),
            other => Err(not_readable("Interval", other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_interval_comes_back_packed_and_as_text(months: i32, days: i32, microseconds: i64) {
            let interval = Interval { months, days, microseconds };
            prop_assert_eq!(Interval::of_packed(&interval.packed()).unwrap(), interval);
            prop_assert_eq!(interval.to_string().parse::<Interval>().unwrap(), interval);
        }
    }

    #[test]
    fn a_duration_is_an_interval_if_nothing_of_it_is_lost() {
        let hour = Interval { microseconds: 3_600_000_000, ..Interval::default() };
        assert_eq!(Interval::try_from(Duration::from_hours(1)).unwrap(), hour);
        assert!(Interval::try_from(Duration::from_nanos(1_001)).is_err());
        assert!(Interval::try_from(Duration::MAX).is_err());
        assert!(Interval::unpack(CellRef::Text("secret")).is_err());
    }
}
