//! `sea-orm`.

use super::{on_runtime, rows, shares, total};
use crate::constants::ranges;
use crate::line_item::{LineItem, orders};
use crate::task::{Answer, Task};
use ::sea_orm::entity::prelude::*;
use ::sea_orm::{ConnectOptions, Database, DatabaseConnection, IntoActiveModel};
use futures_util::TryStreamExt as _;
use futures_util::future::try_join_all;

mod lineitem {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "lineitem")]
    #[allow(clippy::struct_field_names, reason = "the columns of TPC-H are called so")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub l_orderkey: i64,
        pub l_partkey: i64,
        pub l_suppkey: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub l_linenumber: i32,
        pub l_quantity: Decimal,
        pub l_extendedprice: Decimal,
        pub l_discount: Decimal,
        pub l_tax: Decimal,
        pub l_returnflag: String,
        pub l_linestatus: String,
        pub l_shipdate: Date,
        pub l_commitdate: Date,
        pub l_receiptdate: Date,
        pub l_shipinstruct: String,
        pub l_shipmode: String,
        pub l_comment: String,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

use lineitem::Model;

const ROWS_OF_INSERT: usize = 4_000;

/// From one struct of the sixteen columns to another.
macro_rules! same_columns {
    ($from:expr => $to:ident) => {{
        let from = $from;
        $to {
            l_orderkey: from.l_orderkey,
            l_partkey: from.l_partkey,
            l_suppkey: from.l_suppkey,
            l_linenumber: from.l_linenumber,
            l_quantity: from.l_quantity,
            l_extendedprice: from.l_extendedprice,
            l_discount: from.l_discount,
            l_tax: from.l_tax,
            l_returnflag: from.l_returnflag,
            l_linestatus: from.l_linestatus,
            l_shipdate: from.l_shipdate,
            l_commitdate: from.l_commitdate,
            l_receiptdate: from.l_receiptdate,
            l_shipinstruct: from.l_shipinstruct,
            l_shipmode: from.l_shipmode,
            l_comment: from.l_comment,
        }
    }};
}

async fn in_parts<S, F>(task: &Task, parts: Vec<S>, part: fn(DatabaseConnection, S) -> F) -> Answer
where
    S: Send + 'static,
    F: Future<Output = Answer> + Send + 'static,
{
    let mut options = ConnectOptions::new(&task.url);
    options.max_connections(task.connections as u32).test_before_acquire(false);
    options.sqlx_logging(false);
    let database = Database::connect(options).await.expect("connect");
    let parts = parts.into_iter().map(|share| tokio::spawn(part(database.clone(), share)));
    total(try_join_all(parts).await.expect("a task"))
}

pub fn load_insert(task: &Task) -> Answer {
    on_runtime(in_parts(task, shares(task.rows, task.connections), |database, share| async move {
        let numbers: Vec<_> = share.collect();
        let mut count = 0;
        for some in numbers.chunks(ROWS_OF_INSERT) {
            let items = some.iter().map(|number| {
                let model: Model = same_columns!(LineItem::nth(*number) => Model);
                model.into_active_model().reset_all()
            });
            let insert = lineitem::Entity::insert_many(items);
            count += insert.exec_without_returning(&database).await.expect("insert");
        }
        rows(count)
    }))
}

pub fn read(task: &Task) -> Answer {
    on_runtime(in_parts(
        task,
        ranges(orders(task.rows), task.connections),
        |database, (low, high)| async move {
            let part =
                lineitem::Entity::find().filter(lineitem::Column::LOrderkey.between(low, high));
            let mut found = part.stream(&database).await.expect("ask");
            let mut answer = Answer::default();
            while let Some(model) = found.try_next().await.expect("a row") {
                let item: LineItem = same_columns!(model => LineItem);
                answer.sum = answer.sum.wrapping_add(item.sum());
                answer.rows += 1;
            }
            answer
        },
    ))
}
