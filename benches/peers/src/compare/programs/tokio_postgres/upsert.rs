//! A table is read in pieces, changed and upserted.

use super::super::{on_runtime, rows, total};
use super::pools::{Lend, Prepare as _};
use crate::constants::{READ_ITEMS, UPSERT, pieces, transform};
use crate::task::{Answer, Task};
use ::tokio_postgres::Row;
use ::tokio_postgres::types::ToSql;
use futures_util::future::{join, try_join, try_join_all};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The columns of changed rows, as arrays.
#[derive(Default)]
struct Changed {
    ids: Vec<i64>,
    amounts: Vec<i64>,
    scores: Vec<i64>,
    labels: Vec<String>,
}

impl Changed {
    fn of(rows: &[Row]) -> Self {
        let mut changed = Self::default();
        for row in rows {
            let (id, amount): (i64, i64) = (row.get(0), row.get(1));
            changed.ids.push(id);
            changed.amounts.push(amount);
            changed.scores.push(transform(id, amount));
            changed.labels.push(row.get(2));
        }
        changed
    }
}

/// A piece after the other on each connection: read, change, upsert arrays.
pub fn upsert<P: Lend>(task: &Task) -> Answer {
    on_runtime(async {
        let pool = P::open(&task.url, task.connections).await;
        let pieces = Arc::new(pieces(task.rows as i64, task.batch));
        let next = Arc::new(AtomicUsize::new(0));
        let workers = (0..task.connections).map(|_| {
            let (pool, pieces, next) = (pool.clone(), Arc::clone(&pieces), Arc::clone(&next));
            tokio::spawn(async move {
                let mut count = 0;
                while let Some((low, high)) = pieces.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let loan = pool.lend().await;
                    let client = loan.as_ref();
                    let found = match loan.statement(READ_ITEMS).await {
                        Some(read) => client.query(&read, &[low, high]).await,
                        None => client.query(READ_ITEMS, &[low, high]).await,
                    };
                    let Changed { ids, amounts, scores, labels } =
                        Changed::of(&found.expect("read"));
                    let values: [&(dyn ToSql + Sync); 4] = [&ids, &amounts, &scores, &labels];
                    let written = match loan.statement(UPSERT).await {
                        Some(write) => client.execute(&write, &values).await,
                        None => client.execute(UPSERT, &values).await,
                    };
                    count += written.expect("write");
                }
                rows(count)
            })
        });
        total(try_join_all(workers).await.expect("a task"))
    })
}

/// At its best: on each connection the next piece is read while this one is written.
pub fn upsert_pipelined<P: Lend>(task: &Task) -> Answer {
    on_runtime(async {
        let pool = P::open(&task.url, task.connections).await;
        let pieces = Arc::new(pieces(task.rows as i64, task.batch));
        let next = Arc::new(AtomicUsize::new(0));
        let workers = (0..task.connections).map(|_| {
            let (pool, pieces, next) = (pool.clone(), Arc::clone(&pieces), Arc::clone(&next));
            tokio::spawn(async move {
                let loan = pool.lend().await;
                let client = loan.as_ref();
                let (read, write) = try_join(client.prepare(READ_ITEMS), client.prepare(UPSERT))
                    .await
                    .expect("prepare");
                let take = || pieces.get(next.fetch_add(1, Ordering::Relaxed));
                let read = |(low, high): (i64, i64)| {
                    let read = &read;
                    async move { client.query(read, &[&low, &high]).await.expect("read") }
                };
                let mut count = 0;
                let Some(first) = take() else { return rows(0) };
                let mut found = Some(read(*first).await);
                while let Some(rows) = found {
                    let Changed { ids, amounts, scores, labels } = Changed::of(&rows);
                    let values: [&(dyn ToSql + Sync); 4] = [&ids, &amounts, &scores, &labels];
                    let ahead = async {
                        match take() {
                            Some(piece) => Some(read(*piece).await),
                            None => None,
                        }
                    };
                    let (written, ahead) = join(client.execute(&write, &values), ahead).await;
                    count += written.expect("write");
                    found = ahead;
                }
                rows(count)
            })
        });
        total(try_join_all(workers).await.expect("a task"))
    })
}
