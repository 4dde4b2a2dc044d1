//! Diesel.

use super::Mapper;
use crate::person::person;
use ::diesel::prelude::*;
use chrono::{DateTime, Utc};
use std::ops::RangeInclusive;

::diesel::table! {
    people (id) {
        id -> BigInt,
        branch -> Integer,
        name -> Text,
        email -> Nullable<Text>,
        joined -> Timestamptz,
        balance -> Double,
        active -> Bool,
        visits -> BigInt,
    }
}

#[derive(Queryable, Selectable, Identifiable, Insertable)]
#[diesel(table_name = people, check_for_backend(::diesel::pg::Pg))]
pub struct Person {
    id: i64,
    branch: i32,
    name: String,
    email: Option<String>,
    joined: DateTime<Utc>,
    balance: f64,
    active: bool,
    visits: i64,
}

/// A connection, and the people that are updated.
pub struct Diesel {
    connection: PgConnection,
    people: Vec<Person>,
}

impl Mapper for Diesel {
    type Person = Person;

    fn open(url: &str) -> Self {
        let connection = PgConnection::establish(url).expect("connect");
        Self { connection, people: Vec::new() }
    }

    fn person(n: i64) -> Person {
        person!(Person, n)
    }

    fn select(&mut self, id: i64) -> Person {
        let found = people::table.find(id).select(Person::as_select());
        found.first(&mut self.connection).expect("select")
    }

    fn insert(&mut self, person: Person) {
        let insert = ::diesel::insert_into(people::table).values(&person);
        insert.execute(&mut self.connection).expect("insert");
    }

    fn insert_many(&mut self, people: Vec<Person>) {
        let insert = ::diesel::insert_into(people::table).values(&people);
        insert.execute(&mut self.connection).expect("insert");
    }

    fn load(&mut self) -> Vec<Person> {
        let all = people::table.select(Person::as_select());
        all.load(&mut self.connection).expect("load")
    }

    fn update(&mut self, ids: RangeInclusive<i64>, turn: i64) {
        let Self { connection, people } = self;
        if people.is_empty() {
            let chosen = people::table.filter(people::id.between(ids.start(), ids.end()));
            *people = chosen.select(Person::as_select()).load(connection).expect("load");
        }
        connection
            .transaction(|connection| {
                for person in people {
                    person.balance = (person.id + turn) as f64;
                    person.visits += 1;
                    let changed =
                        (people::balance.eq(person.balance), people::visits.eq(person.visits));
                    ::diesel::update(&*person).set(changed).execute(connection)?;
                }
                QueryResult::Ok(())
            })
            .expect("update");
    }
}
