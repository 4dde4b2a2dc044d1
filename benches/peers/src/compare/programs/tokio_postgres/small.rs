//! Small statements, and statements that wait.

use super::super::{on_runtime, rows, total, turns};
use super::pools::{Lend, Prepare as _};
use crate::constants::{LOOK_UP, MOVE, NOTE, SLEEP, SLEEPS, account_of};
use crate::task::{Answer, Task};
use ::tokio_postgres::types::{ToSql, Type};
use ::tokio_postgres::{Client, NoTls, Statement};
use futures_util::future::{join_all, try_join, try_join_all};
use std::sync::Arc;
use std::time::Instant;

/// One row by its key.
pub fn look_up<P: Lend>(task: &Task) -> Answer {
    on_runtime(async {
        let pool = P::open(&task.url, task.connections).await;
        turns::tasks(task, move |turn| {
            let pool = pool.clone();
            async move {
                let loan = pool.lend().await;
                let (client, key) = (loan.as_ref(), account_of(turn));
                let row = match loan.statement(LOOK_UP).await {
                    Some(look_up) => client.query_one(&look_up, &[&key]).await,
                    None => client.query_typed_one(LOOK_UP, &[(&key, Type::INT8)]).await,
                };
                assert_eq!(row.expect("a row").get::<_, &str>(0).len(), 64);
            }
        })
        .await
    })
}

/// At its best: all callers share two clients, which pipeline what comes.
pub fn look_up_shared(task: &Task) -> Answer {
    on_runtime(async {
        let clients = Arc::new(join_all((0..2).map(|_| client(&task.url, LOOK_UP))).await);
        turns::tasks(task, move |turn| {
            let clients = Arc::clone(&clients);
            async move {
                let (client, look_up) = &clients[(turn >> 32) as usize % clients.len()];
                let row = client.query_one(look_up, &[&account_of(turn)]).await.expect("a row");
                assert_eq!(row.get::<_, &str>(0).len(), 64);
            }
        })
        .await
    })
}

async fn client(url: &str, sql: &str) -> (Client, Statement) {
    let (client, connection) = ::tokio_postgres::connect(url, NoTls).await.expect("connect");
    tokio::spawn(connection);
    let statement = client.prepare(sql).await.expect("prepare");
    (client, statement)
}

/// An update and an insert that hold together.
pub fn transaction<P: Lend>(task: &Task) -> Answer {
    on_runtime(async {
        let pool = P::open(&task.url, task.connections).await;
        turns::tasks(task, move |turn| {
            let pool = pool.clone();
            async move {
                let mut loan = pool.lend().await;
                let account = account_of(turn);
                let (change, note) = (loan.statement(MOVE).await, loan.statement(NOTE).await);
                let transaction = loan.as_mut().transaction().await.expect("begin");
                let plain: [&(dyn ToSql + Sync); 2] = [&account, &1_i64];
                let values = plain.map(|value| (value, Type::INT8));
                if let Some((change, note)) = change.zip(note) {
                    // Both go out before the answer to the first is there.
                    let change = transaction.execute(&change, &plain);
                    let note = transaction.execute(&note, &plain);
                    try_join(change, note).await.expect("write");
                } else {
                    let change = transaction.execute_typed(MOVE, &values);
                    let note = transaction.execute_typed(NOTE, &values);
                    try_join(change, note).await.expect("write");
                }
                transaction.commit().await.expect("commit");
            }
        })
        .await
    })
}

/// Slow statements, all at once.
pub fn sleep<P: Lend>(task: &Task) -> Answer {
    on_runtime(async {
        let pool = P::open(&task.url, task.connections).await;
        warm(&pool, task.connections).await;
        let start = Instant::now();
        let sleepers = (0..task.callers).map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move {
                for _ in 0..SLEEPS {
                    let loan = pool.lend().await;
                    loan.as_ref().simple_query(SLEEP).await.expect("sleep");
                }
                rows(SLEEPS as u64)
            })
        });
        let answer = total(try_join_all(sleepers).await.expect("a task"));
        Answer { seconds: start.elapsed().as_secs_f64(), ..answer }
    })
}

/// Opens all connections.
async fn warm<P: Lend>(pool: &P, connections: usize) {
    drop(join_all((0..connections).map(|_| pool.lend())).await);
}
