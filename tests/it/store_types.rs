//! Values of every type make the way of many rows, too: in arrays, in values, by COPY.

use crate::support::{Home, on_both};
use rowmill::prelude::*;
use rowmill::{Inet, Range, Schema};

#[derive(Clone, Copy, Debug, PartialEq, SqlEnum)]
#[sql_enum(name = "mood", rename_all = "snake_case")]
enum Mood {
    Calm,
    VeryHappy,
}

#[derive(Clone, Debug, PartialEq, Entity)]
struct Sample {
    #[entity(key)]
    id: i32,
    small: i16,
    truth: Option<bool>,
    real: f32,
    double: f64,
    #[entity(column_type = "varchar(8)")]
    word: String,
    #[entity(column_type = "char(4)")]
    code: String,
    bytes: Vec<u8>,
    document: serde_json::Value,
    mood: Option<Mood>,
    numbers: Vec<Option<i64>>,
    moods: Vec<Mood>,
    address: Option<Inet>,
    addresses: Vec<Inet>,
    span: Range<i64>,
    amount: rust_decimal::Decimal,
    day: jiff::civil::Date,
    moment: jiff::Timestamp,
    uuid: uuid::Uuid,
}

fn sample(id: i32) -> Sample {
    let is_odd = id % 2 == 1;
    let inet = |text: &str| text.parse::<Inet>().unwrap();
    Sample {
        id,
        small: -3,
        truth: is_odd.then_some(true),
        real: 1.5,
        double: f64::from(id) / 3.0,
        word: format!("w\"{id},\\"),
        code: "ab  ".to_owned(),
        bytes: vec![0, 255, b'\\'],
        document: serde_json::json!({ "id": id, "list": [1, null, "x"] }),
        mood: is_odd.then_some(Mood::VeryHappy),
        numbers: vec![Some(i64::from(id)), None],
        moods: vec![Mood::Calm, Mood::VeryHappy],
        address: is_odd.then(|| inet("10.0.0.1/8")),
        addresses: vec![inet("::1"), inet("192.168.0.0/16")],
        span: Range::from(1..i64::from(id) + 2),
        amount: rust_decimal::Decimal::new(i64::from(id) * 100 + 25, 2),
        day: jiff::civil::date(2026, 2, 28),
        moment: jiff::Timestamp::from_microsecond(1_234_567_890_123_456).unwrap(),
        uuid: uuid::Uuid::from_u128(u128::from(id.unsigned_abs()) << 64 | 7),
    }
}

fn with_table(test: impl Fn(&Home)) {
    on_both(|home| {
        Schema::new().with::<Sample>().create_all(home.engine()).unwrap();
        test(home);
    });
}

fn found(home: &Home, id: i32) -> Sample {
    Sample::get(home.engine(), id).unwrap().unwrap()
}

#[test]
fn a_value_of_any_type_is_what_it_was_whatever_the_number_of_rows() {
    with_table(|home| {
        // One row; a few; so many that they are loaded.
        let mut first = 0;
        for count in [1, 3, 1_001] {
            let mut samples: Vec<_> = (first..first + count).map(sample).collect();
            Sample::insert_many(home.engine(), &mut samples).unwrap();
            for id in [first, first + count - 1] {
                assert_eq!(found(home, id), sample(id), "{count} rows");
            }
            first += count;
        }
        Sample::insert_all(home.engine(), (first..first + 2).map(sample)).unwrap();
        assert_eq!(found(home, first), sample(first));
    });
}

#[test]
fn a_value_of_any_type_is_updated_and_compared() {
    with_table(|home| {
        let mut samples: Vec<_> = (0..4).map(sample).collect();
        Sample::insert_many(home.engine(), &mut samples).unwrap();
        let again = Sample::upsert_many(home.engine(), &samples, Duplicates::Error).unwrap();
        assert_eq!((again.unchanged, again.updated), (4, 0), "nothing differs");

        let other = |id: i32| Sample { id, ..sample(id + 7) };
        let mut changed: Vec<_> = (0..2).map(other).collect();
        let done = Sample::upsert_many(home.engine(), &changed, Duplicates::Error).unwrap();
        assert_eq!(done.updated, 2);
        assert_eq!(found(home, 1), other(1));

        changed = (2..4).map(other).collect();
        let fields = (
            (Sample::truth, Sample::word, Sample::document, Sample::mood),
            (Sample::numbers, Sample::moods, Sample::address, Sample::addresses),
            (Sample::span, Sample::amount, Sample::day, Sample::uuid),
            (Sample::double, Sample::code, Sample::moment),
        );
        assert_eq!(Sample::bulk_update(home.engine(), &mut changed, fields).unwrap(), 2);
        assert_eq!(found(home, 3), other(3));
    });
}

#[test]
fn a_value_of_any_type_is_tracked_and_taken_back() {
    with_table(|home| {
        let mut session = home.engine().session().unwrap();
        let samples = session.add_all((0..2).map(sample));
        session.commit().unwrap();
        for tracked in &samples {
            session.get::<Sample>(tracked.with(|sample| sample.id)).unwrap();
        }
        assert!(!session.has_changes());
        for tracked in &samples {
            let id = tracked.with(|sample| sample.id);
            *tracked.edit() = Sample { id, ..sample(9) };
        }
        session.flush().unwrap();
        session.rollback().unwrap();
        assert_eq!(*samples[1].read(), sample(1));
        *samples[1].edit() = Sample { id: 1, ..sample(9) };
        session.commit().unwrap();
        assert_eq!(found(home, 1), Sample { id: 1, ..sample(9) });
        assert_eq!(found(home, 0), sample(0));
    });
}
