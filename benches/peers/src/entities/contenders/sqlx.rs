//! `sqlx`, with statements by hand and rows as structs; many rows go as arrays, as its answers to
//! frequent questions have it.

use super::Mapper;
use crate::person::{COLUMNS, person};
use ::sqlx::{Connection, FromRow, PgConnection};
use chrono::{DateTime, Utc};
use std::ops::RangeInclusive;
use tokio::runtime::{Builder, Runtime};

#[derive(FromRow)]
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

const INSERT: &str = "insert into people (id, branch, name, email, joined, balance, active, visits)
    values ($1, $2, $3, $4, $5, $6, $7, $8)";

const INSERT_MANY: &str =
    "insert into people (id, branch, name, email, joined, balance, active, visits)
    select * from unnest($1::bigint[], $2::integer[], $3::text[], $4::text[], $5::timestamptz[],
        $6::double precision[], $7::boolean[], $8::bigint[])";

const UPDATE: &str = "update people set balance = changed.balance, visits = changed.visits
    from unnest($1::bigint[], $2::double precision[], $3::bigint[]) changed (id, balance, visits)
    where people.id = changed.id";

/// A connection, the runtime that it needs, and the people that are updated.
pub struct Sqlx {
    runtime: Runtime,
    connection: PgConnection,
    select: String,
    load: String,
    people: Vec<Person>,
}

impl Mapper for Sqlx {
    type Person = Person;

    fn open(url: &str) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let connection = runtime.block_on(PgConnection::connect(url)).expect("connect");
        let load = format!("select {COLUMNS} from people");
        let select = format!("{load} where id = $1");
        Self { runtime, connection, select, load, people: Vec::new() }
    }

    fn person(n: i64) -> Person {
        person!(Person, n)
    }

    fn select(&mut self, id: i64) -> Person {
        let found = ::sqlx::query_as(::sqlx::AssertSqlSafe(self.select.as_str())).bind(id);
        self.runtime.block_on(found.fetch_one(&mut self.connection)).expect("select")
    }

    fn insert(&mut self, person: Person) {
        let insert = ::sqlx::query(INSERT)
            .bind(person.id)
            .bind(person.branch)
            .bind(person.name)
            .bind(person.email)
            .bind(person.joined)
            .bind(person.balance)
            .bind(person.active)
            .bind(person.visits);
        self.runtime.block_on(insert.execute(&mut self.connection)).expect("insert");
    }

    fn insert_many(&mut self, people: Vec<Person>) {
        let insert = ::sqlx::query(INSERT_MANY)
            .bind(people.iter().map(|person| person.id).collect::<Vec<_>>())
            .bind(people.iter().map(|person| person.branch).collect::<Vec<_>>())
            .bind(people.iter().map(|person| person.name.as_str()).collect::<Vec<_>>())
            .bind(people.iter().map(|person| person.email.as_deref()).collect::<Vec<_>>())
            .bind(people.iter().map(|person| person.joined).collect::<Vec<_>>())
            .bind(people.iter().map(|person| person.balance).collect::<Vec<_>>())
            .bind(people.iter().map(|person| person.active).collect::<Vec<_>>())
            .bind(people.iter().map(|person| person.visits).collect::<Vec<_>>());
        self.runtime.block_on(insert.execute(&mut self.connection)).expect("insert");
    }

    fn load(&mut self) -> Vec<Person> {
        let all = ::sqlx::query_as(::sqlx::AssertSqlSafe(self.load.as_str()));
        self.runtime.block_on(all.fetch_all(&mut self.connection)).expect("load")
    }

    fn update(&mut self, ids: RangeInclusive<i64>, turn: i64) {
        if self.people.is_empty() {
            self.people = ids.map(|id| self.select(id)).collect();
        }
        for person in &mut self.people {
            person.balance = (person.id + turn) as f64;
            person.visits += 1;
        }
        let update = ::sqlx::query(UPDATE)
            .bind(self.people.iter().map(|person| person.id).collect::<Vec<_>>())
            .bind(self.people.iter().map(|person| person.balance).collect::<Vec<_>>())
            .bind(self.people.iter().map(|person| person.visits).collect::<Vec<_>>());
        self.runtime.block_on(update.execute(&mut self.connection)).expect("update");
    }
}
