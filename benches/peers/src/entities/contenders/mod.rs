//! The mappers, each behind the same few calls, and each as its documentation shows it.
//!
//! Each has one connection and keeps the statements that it has prepared. Where a library has
//! several forms for many rows, it is the fastest that its documentation has.

mod diesel;
mod plain;
mod rowmill;
mod sea_orm;
mod sqlx;

use super::figures::Figures;
use super::meter::measure;
use super::person::ROWS;
use super::scenario::{MANY, PIECE, Scenario};
use std::hint::black_box;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Rows as structs of a library.
trait Mapper {
    /// The struct.
    type Person;

    /// Connects.
    fn open(url: &str) -> Self;

    /// The struct of person `n`.
    fn person(n: i64) -> Self::Person;

    /// Reads one row.
    fn select(&mut self, id: i64) -> Self::Person;

    /// Inserts one row.
    fn insert(&mut self, person: Self::Person);

    /// Inserts rows, all or none.
    fn insert_many(&mut self, people: Vec<Self::Person>);

    /// Reads all rows.
    fn load(&mut self) -> Vec<Self::Person>;

    /// Gives each of the people with these ids, which it read when it was first asked and has kept
    /// since, another balance and more visits, and writes them, all or none.
    fn update(&mut self, ids: RangeInclusive<i64>, turn: i64);
}

/// A mapper that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contender {
    Rowmill,
    Plain,
    Diesel,
    SeaOrm,
    Sqlx,
}

impl Contender {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 5] = [Self::Rowmill, Self::Plain, Self::Diesel, Self::SeaOrm, Self::Sqlx];

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|contender| contender.name() == name)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rowmill => "rowmill",
            Self::Plain => "postgres",
            Self::Diesel => "diesel",
            Self::SeaOrm => "sea-orm",
            Self::Sqlx => "sqlx",
        }
    }

    /// Measures it.
    pub fn run(self, scenario: Scenario, time: Duration, url: &str) -> Figures {
        match self {
            Self::Rowmill => of::<rowmill::Rowmill>(scenario, time, url),
            Self::Plain => of::<plain::Plain>(scenario, time, url),
            Self::Diesel => of::<diesel::Diesel>(scenario, time, url),
            Self::SeaOrm => of::<sea_orm::SeaOrm>(scenario, time, url),
            Self::Sqlx => of::<sqlx::Sqlx>(scenario, time, url),
        }
    }
}

fn of<M: Mapper>(scenario: Scenario, time: Duration, url: &str) -> Figures {
    let mut mapper = M::open(url);
    let new = |piece: i64, count: i64| ROWS + piece * count + 1..=ROWS + (piece + 1) * count;
    match scenario {
        Scenario::Select => measure(
            time,
            |piece| (0..PIECE).map(|call| key(piece * PIECE + call)).collect::<Vec<_>>(),
            |keys| keys.into_iter().map(|id| black_box(mapper.select(id))).count(),
        ),
        Scenario::Insert => measure(
            time,
            |piece| new(piece, PIECE).map(M::person).collect::<Vec<_>>(),
            |people| people.into_iter().map(|person| mapper.insert(person)).count(),
        ),
        Scenario::InsertMany => measure(
            time,
            |piece| new(piece, MANY).map(M::person).collect::<Vec<_>>(),
            |people| {
                let count = people.len();
                mapper.insert_many(people);
                count
            },
        ),
        Scenario::Load => measure(time, drop, |()| {
            let count = black_box(mapper.load()).len();
            assert_eq!(count as i64, ROWS);
            count
        }),
        Scenario::Update => measure(
            time,
            |turn| turn,
            |turn| {
                mapper.update(1..=MANY, turn);
                MANY as usize
            },
        ),
    }
}

/// The key of a call: all over the table, the same for all.
fn key(call: i64) -> i64 {
    ((call as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as i64 % ROWS + 1
}
