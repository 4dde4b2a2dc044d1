//! `sea-orm`.

use super::Mapper;
use crate::person::person;
use ::sea_orm::entity::prelude::*;
use ::sea_orm::{
    ActiveValue::Set, ConnectOptions, Database, DatabaseConnection, IntoActiveModel,
    TransactionTrait,
};
use std::ops::RangeInclusive;
use tokio::runtime::{Builder, Runtime};

mod people {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "people")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i64,
        pub branch: i32,
        pub name: String,
        pub email: Option<String>,
        pub joined: DateTimeUtc,
        pub balance: f64,
        pub active: bool,
        pub visits: i64,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A pool of one connection, the runtime that it needs, and the people that are updated.
pub struct SeaOrm {
    runtime: Runtime,
    database: DatabaseConnection,
    people: Vec<people::Model>,
}

impl Mapper for SeaOrm {
    type Person = people::Model;

    fn open(url: &str) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let mut options = ConnectOptions::new(url);
        options.max_connections(1).test_before_acquire(false).sqlx_logging(false);
        let database = runtime.block_on(Database::connect(options)).expect("connect");
        Self { runtime, database, people: Vec::new() }
    }

    fn person(n: i64) -> people::Model {
        person!(people::Model, n)
    }

    fn select(&mut self, id: i64) -> people::Model {
        let found = people::Entity::find_by_id(id).one(&self.database);
        self.runtime.block_on(found).expect("select").expect("a person")
    }

    fn insert(&mut self, person: people::Model) {
        let insert = people::Entity::insert(all_set(person));
        self.runtime.block_on(insert.exec_without_returning(&self.database)).expect("insert");
    }

    fn insert_many(&mut self, people: Vec<people::Model>) {
        let insert = people::Entity::insert_many(people.into_iter().map(all_set));
        self.runtime.block_on(insert.exec_without_returning(&self.database)).expect("insert");
    }

    fn load(&mut self) -> Vec<people::Model> {
        self.runtime.block_on(people::Entity::find().all(&self.database)).expect("load")
    }

    fn update(&mut self, ids: RangeInclusive<i64>, turn: i64) {
        let Self { runtime, database, people } = self;
        if people.is_empty() {
            let chosen = people::Column::Id.between(*ids.start(), *ids.end());
            let chosen = people::Entity::find().filter(chosen).all(database);
            *people = runtime.block_on(chosen).expect("load");
        }
        let update = async {
            let transaction = database.begin().await?;
            for person in people {
                let mut changed = person.clone().into_active_model();
                changed.balance = Set((person.id + turn) as f64);
                changed.visits = Set(person.visits + 1);
                *person = changed.update(&transaction).await?;
            }
            transaction.commit().await
        };
        runtime.block_on(update).expect("update");
    }
}

fn all_set(person: people::Model) -> people::ActiveModel {
    person.into_active_model().reset_all()
}
