//! `postgres`, by hand: statements that are prepared once, COPY for many rows, and arrays for
//! changing many.

use super::Mapper;
use crate::person::{COLUMNS, person};
use chrono::{DateTime, Utc};
use postgres::binary_copy::BinaryCopyInWriter;
use postgres::fallible_iterator::FallibleIterator;
use postgres::types::Type;
use postgres::{Client, NoTls, Row, Statement};
use std::ops::RangeInclusive;

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

impl From<Row> for Person {
    fn from(row: Row) -> Self {
        Self {
            id: row.get(0),
            branch: row.get(1),
            name: row.get(2),
            email: row.get(3),
            joined: row.get(4),
            balance: row.get(5),
            active: row.get(6),
            visits: row.get(7),
        }
    }
}

const TYPES: [Type; 8] = [
    Type::INT8,
    Type::INT4,
    Type::TEXT,
    Type::TEXT,
    Type::TIMESTAMPTZ,
    Type::FLOAT8,
    Type::BOOL,
    Type::INT8,
];

const UPDATE: &str = "update people set balance = changed.balance, visits = changed.visits
    from unnest($1::bigint[], $2::double precision[], $3::bigint[]) changed (id, balance, visits)
    where people.id = changed.id";

/// A client and its statements.
pub struct Plain {
    client: Client,
    select: Statement,
    insert: Statement,
    load: Statement,
    update: Statement,
    people: Vec<Person>,
}

impl Mapper for Plain {
    type Person = Person;

    fn open(url: &str) -> Self {
        let mut client = Client::connect(url, NoTls).expect("connect");
        let mut prepare = |sql: &str| client.prepare(sql).expect("prepare");
        let select = prepare(&format!("select {COLUMNS} from people where id = $1"));
        let load = prepare(&format!("select {COLUMNS} from people"));
        let values = "values ($1, $2, $3, $4, $5, $6, $7, $8)";
        let insert = prepare(&format!("insert into people ({COLUMNS}) {values}"));
        let update = prepare(UPDATE);
        Self { client, select, insert, load, update, people: Vec::new() }
    }

    fn person(n: i64) -> Person {
        person!(Person, n)
    }

    fn select(&mut self, id: i64) -> Person {
        self.client.query_one(&self.select, &[&id]).expect("select").into()
    }

    fn insert(&mut self, person: Person) {
        let Person { id, branch, name, email, joined, balance, active, visits } = &person;
        let values: [&(dyn postgres::types::ToSql + Sync); 8] =
            [id, branch, name, email, joined, balance, active, visits];
        self.client.execute(&self.insert, &values).expect("insert");
    }

    fn insert_many(&mut self, people: Vec<Person>) {
        let copy = format!("copy people ({COLUMNS}) from stdin (format binary)");
        let mut writer =
            BinaryCopyInWriter::new(self.client.copy_in(&copy).expect("start"), &TYPES);
        for person in &people {
            let Person { id, branch, name, email, joined, balance, active, visits } = person;
            writer
                .write(&[id, branch, name, email, joined, balance, active, visits])
                .expect("write");
        }
        writer.finish().expect("insert");
    }

    fn load(&mut self) -> Vec<Person> {
        let nothing: [i64; 0] = [];
        let rows = self.client.query_raw(&self.load, nothing).expect("load");
        rows.map(|row| Ok(row.into())).collect().expect("load")
    }

    fn update(&mut self, ids: RangeInclusive<i64>, turn: i64) {
        if self.people.is_empty() {
            self.people = ids.map(|id| self.select(id)).collect();
        }
        for person in &mut self.people {
            person.balance = (person.id + turn) as f64;
            person.visits += 1;
        }
        let ids: Vec<_> = self.people.iter().map(|person| person.id).collect();
        let balances: Vec<_> = self.people.iter().map(|person| person.balance).collect();
        let visits: Vec<_> = self.people.iter().map(|person| person.visits).collect();
        self.client.execute(&self.update, &[&ids, &balances, &visits]).expect("update");
    }
}
