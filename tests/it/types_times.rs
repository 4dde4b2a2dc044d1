//! Dates, times, timestamps and intervals, of `chrono`, of `jiff` and of our own.

use crate::support::on_both;
use crate::support::round_trip::Journey;
use proptest::prelude::*;
use rowmill::{Cell, ErrorKind, Interval, Locate, Moment, SqlState};

/// Microseconds since 1970, of the years -4713 to 9999.
const MICROSECONDS: std::ops::Range<i64> = -210_866_803_200_000_000..253_402_207_200_000_000;

mod with_chrono {
    use super::*;
    use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};

    fn instant() -> impl Strategy<Value = DateTime<Utc>> + Clone {
        MICROSECONDS.prop_map(|micros| DateTime::from_timestamp_micros(micros).unwrap())
    }

    fn day(year: i32, month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(year, month, day).unwrap()
    }

    /// The first and the last day that both have.
    fn days() -> Vec<NaiveDate> {
        vec![day(-4713, 11, 24), day(0, 2, 29), day(1, 1, 1), day(1970, 1, 1), NaiveDate::MAX]
    }

    fn last() -> NaiveTime {
        NaiveTime::from_hms_micro_opt(23, 59, 59, 999_999).unwrap()
    }

    #[test]
    fn dates_and_times_come_back() {
        Journey::new(days()).run(&instant().prop_map(|instant| instant.date_naive()));
        Journey::new(vec![NaiveTime::MIN, last()])
            .run(&instant().prop_map(|instant| instant.time()));
    }

    #[test]
    fn timestamps_come_back() {
        let civil: Vec<NaiveDateTime> =
            days().into_iter().map(|day| day.and_time(last())).collect();
        Journey::new(civil.clone()).run(&instant().prop_map(|instant| instant.naive_utc()));
        Journey::new(civil.iter().map(NaiveDateTime::and_utc).collect()).run(&instant());
    }

    #[test]
    fn moments_come_back() {
        let ends = [Moment::NegativeInfinity, Moment::Infinity];
        let dates = days().into_iter().map(Moment::Finite).chain(ends).collect();
        Journey::new(dates).run(&instant().prop_map(|instant| instant.date_naive().into()));
        let ends = vec![Moment::NegativeInfinity, Moment::Infinity];
        Journey::new(ends).run(&instant().prop_map(|instant| instant.naive_utc().into()));
        let ends = vec![Moment::NegativeInfinity, Moment::Infinity];
        Journey::new(ends).run(&instant().prop_map(Moment::Finite));
    }
}

mod with_jiff {
    use super::*;
    use jiff::Timestamp;
    use jiff::civil::{Date, DateTime, Time, date};
    use jiff::tz::TimeZone;

    fn instant() -> impl Strategy<Value = Timestamp> + Clone {
        MICROSECONDS.prop_map(|micros| Timestamp::from_microsecond(micros).unwrap())
    }

    fn civil() -> impl Strategy<Value = DateTime> + Clone {
        instant().prop_map(|instant| instant.to_zoned(TimeZone::UTC).datetime())
    }

    fn days() -> Vec<Date> {
        vec![date(-4713, 11, 24), date(0, 2, 29), date(1, 1, 1), date(1970, 1, 1), Date::MAX]
    }

    fn last() -> Time {
        Time::new(23, 59, 59, 999_999_000).unwrap()
    }

    #[test]
    fn dates_and_times_come_back() {
        Journey::new(days()).run(&civil().prop_map(DateTime::date));
        Journey::new(vec![Time::MIN, last()]).run(&civil().prop_map(DateTime::time));
    }

    #[test]
    fn timestamps_come_back() {
        Journey::new(days().into_iter().map(|day| day.to_datetime(last())).collect()).run(&civil());
        let least = Timestamp::from_microsecond(MICROSECONDS.start).unwrap();
        let most = Timestamp::from_microsecond(MICROSECONDS.end).unwrap();
        Journey::new(vec![least, Timestamp::UNIX_EPOCH, most]).run(&instant());
    }

    #[test]
    fn moments_come_back() {
        let ends = [Moment::NegativeInfinity, Moment::Infinity];
        let dates = days().into_iter().map(Moment::Finite).chain(ends).collect();
        Journey::new(dates).run(&civil().prop_map(|civil| civil.date().into()));
        let ends = vec![Moment::NegativeInfinity, Moment::Infinity];
        Journey::new(ends).run(&instant().prop_map(Moment::Finite));
    }
}

#[test]
fn intervals_come_back() {
    let interval = (any::<i32>(), any::<i32>(), any::<i64>())
        .prop_map(|(months, days, microseconds)| Interval { months, days, microseconds });
    let edge = |months, days, microseconds| Interval { months, days, microseconds };
    let edges = vec![
        Interval::default(),
        edge(i32::MIN, i32::MIN, i64::MIN + 1),
        edge(i32::MAX, i32::MAX, i64::MAX - 1),
        edge(-13, 1, -1),
    ];
    Journey::new(edges).run(&interval);
}

#[test]
fn a_day_that_the_type_does_not_have_is_refused_with_its_column_and_what_helps() {
    on_both(|home| {
        let refused = |text: &str, read: &dyn Fn(rowmill::CellRef<'_>) -> rowmill::Result<()>| {
            let sql = match home.is_postgres() {
                true => format!("select date '{text}' as day"),
                false => format!("select '{text}' as day"),
            };
            let each = |row: &dyn rowmill::RowRef| {
                let name = row.name(0).to_owned();
                read(row.cell(0)?).locate(|place| place.column = Some(name))
            };
            home.engine().query(&sql, &[], each).unwrap_err()
        };
        let as_chrono = |cell: rowmill::CellRef<'_>| chrono::NaiveDate::unpack(cell).map(drop);
        let as_jiff = |cell: rowmill::CellRef<'_>| jiff::civil::Date::unpack(cell).map(drop);
        for (text, hint) in
            [("infinity", "Moment"), ("-infinity", "Moment"), ("5874897-12-31", "::text")]
        {
            for read in
                [&as_chrono as &dyn Fn(rowmill::CellRef<'_>) -> rowmill::Result<()>, &as_jiff]
            {
                let error = refused(text, read);
                assert_eq!(error.kind(), ErrorKind::Decode);
                assert_eq!(error.sqlstate(), Some(SqlState::DATETIME_OVERFLOW));
                assert_eq!(error.place().column.as_deref(), Some("day"));
                assert!(error.to_string().contains(hint), "{error}");
                assert!(!error.to_string().contains("5874897"), "no value in a message");
            }
        }
    });
}
