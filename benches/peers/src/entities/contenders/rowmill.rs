//! rowmill, through its engine.

use super::Mapper;
use crate::person::person;
use ::rowmill::Query;
use ::rowmill::prelude::*;
use chrono::{DateTime, Utc};
use std::ops::RangeInclusive;

#[derive(Entity)]
#[entity(table = "people")]
pub struct Person {
    #[entity(key)]
    id: i64,
    branch: i32,
    name: String,
    email: Option<String>,
    joined: DateTime<Utc>,
    balance: f64,
    active: bool,
    visits: i64,
}

/// An engine, and a session with the people that are updated.
pub struct Rowmill {
    engine: Engine,
    session: Session,
    people: Vec<Tracked<Person>>,
}

impl Mapper for Rowmill {
    type Person = Person;

    fn open(url: &str) -> Self {
        let engine = Engine::builder(url).pool_size(1).max_overflow(0).build().expect("connect");
        let session = engine.session().expect("a session");
        Self { engine, session, people: Vec::new() }
    }

    fn person(n: i64) -> Person {
        person!(Person, n)
    }

    fn select(&mut self, id: i64) -> Person {
        Person::get(&self.engine, id).expect("select").expect("a person")
    }

    fn insert(&mut self, mut person: Person) {
        person.insert(&self.engine).expect("insert");
    }

    fn insert_many(&mut self, mut people: Vec<Person>) {
        Person::insert_many(&self.engine, &mut people).expect("insert");
    }

    fn load(&mut self) -> Vec<Person> {
        Query::<Person>::new().all(&self.engine).expect("load")
    }

    fn update(&mut self, ids: RangeInclusive<i64>, turn: i64) {
        let Self { engine, session, people } = self;
        if people.is_empty() {
            let chosen = Person::id.between(*ids.start(), *ids.end());
            let found = Query::<Person>::new().filter(chosen).all(engine).expect("load");
            let tracked = found.into_iter().map(|person| session.track(person));
            people.extend(tracked.map(|person| person.expect("track")));
        }
        for person in people {
            let mut person = person.edit();
            person.balance = (person.id + turn) as f64;
            person.visits += 1;
        }
        session.commit().expect("update");
    }
}
