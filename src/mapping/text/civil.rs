//! Days and microseconds since 2000-01-01, and the dates and times of the civil calendar.
//!
//! The calendar is the Gregorian one for all times, as in PostgreSQL; year 0 is 1 BC.

/// The Julian day of 2000-01-01, from which packed dates and timestamps count.
pub const EPOCH_JULIAN: i32 = 2_451_545;
/// The microseconds of a day.
pub const DAY_MICROSECONDS: i64 = 86_400_000_000;
/// The days that a `date` can be, from 4714-11-24 BC on.
pub const DATES: std::ops::Range<i32> = -EPOCH_JULIAN..2_147_483_494 - EPOCH_JULIAN;
/// The microseconds that a `timestamp` can be.
pub const TIMESTAMPS: std::ops::Range<i64> = -211_813_488_000_000_000..9_223_371_331_200_000_000;

/// The days from 2000-01-01 to a date; year 0 is 1 BC.
///
/// ```
/// use rowmill::mapping::text::civil;
/// assert_eq!(civil::days(2000, 3, 1), 60);
/// assert_eq!(civil::date(60), (2000, 3, 1));
/// ```
#[inline]
pub fn days(year: i32, month: i32, day: i32) -> i32 {
    julian_day(year, month, day).wrapping_sub(EPOCH_JULIAN)
}

/// The year, month and day that are `days` behind 2000-01-01.
pub fn date(days: i32) -> (i32, i32, i32) {
    date_of_julian(days.wrapping_add(EPOCH_JULIAN))
}

/// The hour, minute, second and microsecond of a time of day.
pub fn time(microseconds: i64) -> (i64, i64, i64, i64) {
    let seconds = microseconds / 1_000_000;
    (seconds / 3_600, seconds / 60 % 60, seconds % 60, microseconds % 1_000_000)
}

/// How many days a month (1 to 12) has; 0 for any other.
pub fn month_days(year: i32, month: i32) -> i32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    }
}

/// NOTE: it wraps for years that no date has; whoever takes years from outside checks them
/// afterwards, as PostgreSQL does.
#[inline]
pub(super) fn julian_day(year: i32, month: i32, day: i32) -> i32 {
    let (month, year) = if month > 2 {
        (month.wrapping_add(1), year.wrapping_add(4_800))
    } else {
        (month.wrapping_add(13), year.wrapping_add(4_799))
    };
    let century = year / 100;
    year.wrapping_mul(365)
        .wrapping_sub(32_167)
        .wrapping_add(year / 4 - century + century / 4)
        .wrapping_add(month.wrapping_mul(7_834) / 256)
        .wrapping_add(day)
}

pub(super) fn date_of_julian(julian: i32) -> (i32, i32, i32) {
    let days = (julian as u32).wrapping_add(32_044);
    let quad = days / 146_097;
    let extra = (days - quad * 146_097) * 4 + 3;
    let days = days.wrapping_add(60 + quad * 3 + extra / 146_097);
    let quad = days / 1_461;
    let days = days - quad * 1_461;
    let year = days * 4 / 1_461;
    let days = 123 + if year != 0 { (days + 305) % 365 } else { (days + 306) % 366 };
    let month = days * 2_141 / 65_536;
    let day = days - 7_834 * month / 256;
    ((year + quad * 4) as i32 - 4_800, ((month + 10) % 12 + 1) as i32, day as i32)
}

/// Whether a year and month lie in the range of Julian days that can be counted.
pub(super) fn is_countable(year: i32, month: i32) -> bool {
    (year > -4713 || year == -4713 && month >= 11)
        && (year < 5_874_898 || year == 5_874_898 && month < 6)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_edges_of_the_calendar_are_where_postgresql_has_them() {
        assert_eq!(date(DATES.start), (-4713, 11, 24));
        assert_eq!(date(DATES.end - 1), (5_874_897, 12, 31));
        assert_eq!(days(1970, 1, 1), -10_957);
        assert_eq!(time(DAY_MICROSECONDS), (24, 0, 0, 0));
    }

    proptest! {
        #[test]
        fn a_day_is_found_again(day in DATES) {
            let (year, month, of_month) = date(day);
            prop_assert_eq!(days(year, month, of_month), day);
            prop_assert!((1..=month_days(year, month)).contains(&of_month));
        }
    }
}
