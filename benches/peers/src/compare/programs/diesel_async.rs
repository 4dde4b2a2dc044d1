//! Diesel's async sister, on `deadpool`.

use super::diesel::{ROWS_OF_INSERT, lineitem};
use super::{on_runtime, rows, shares, total};
use crate::constants::ranges;
use crate::line_item::{LineItem, orders};
use crate::task::{Answer, Task};
use ::diesel::prelude::*;
use ::diesel_async::pooled_connection::AsyncDieselConnectionManager;
use ::diesel_async::pooled_connection::deadpool::Pool;
use ::diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures_util::TryStreamExt as _;
use futures_util::future::try_join_all;

async fn in_parts<S, F>(
    task: &Task,
    parts: Vec<S>,
    part: fn(Pool<AsyncPgConnection>, S) -> F,
) -> Answer
where
    S: Send + 'static,
    F: Future<Output = Answer> + Send + 'static,
{
    let manager = AsyncDieselConnectionManager::<AsyncPgConnection>::new(&task.url);
    let pool = Pool::builder(manager).max_size(task.connections).build().expect("make a pool");
    let parts = parts.into_iter().map(|share| tokio::spawn(part(pool.clone(), share)));
    total(try_join_all(parts).await.expect("a task"))
}

pub fn load_insert(task: &Task) -> Answer {
    on_runtime(in_parts(task, shares(task.rows, task.connections), |pool, share| async move {
        let mut connection = pool.get().await.expect("take a connection");
        let numbers: Vec<_> = share.collect();
        let mut count = 0;
        for some in numbers.chunks(ROWS_OF_INSERT as usize) {
            let items: Vec<_> = some.iter().map(|number| LineItem::nth(*number)).collect();
            let insert = ::diesel::insert_into(lineitem::table).values(items);
            count += insert.execute(&mut connection).await.expect("insert") as u64;
        }
        rows(count)
    }))
}

pub fn read(task: &Task) -> Answer {
    on_runtime(in_parts(
        task,
        ranges(orders(task.rows), task.connections),
        |pool, (low, high)| async move {
            let mut connection = pool.get().await.expect("take a connection");
            let part = lineitem::table
                .filter(lineitem::l_orderkey.between(low, high))
                .select(LineItem::as_select());
            let mut found = part.load_stream::<LineItem>(&mut connection).await.expect("ask");
            let mut answer = Answer::default();
            while let Some(item) = found.try_next().await.expect("a row") {
                answer.sum = answer.sum.wrapping_add(item.sum());
                answer.rows += 1;
            }
            answer
        },
    ))
}
