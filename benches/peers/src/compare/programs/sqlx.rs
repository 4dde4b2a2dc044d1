//! `sqlx`, with its own pool.

use super::{on_runtime, rows, shares, total, turns};
use crate::constants::{
    COLUMNS, LOOK_UP, MOVE, NOTE, READ, READ_ITEMS, SLEEP, SLEEPS, UPSERT, account_of, pieces,
    ranges, transform,
};
use crate::line_item::{LineItem, orders};
use crate::task::{Answer, Task};
use ::sqlx::postgres::PgPoolOptions;
use ::sqlx::{Executor as _, PgPool, Postgres, QueryBuilder};
use futures_util::TryStreamExt as _;
use futures_util::future::{join_all, try_join_all};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

const PIECE_BYTES: usize = 256 << 10;
/// 16 values each, of the 65,535 that a statement may have.
const ROWS_OF_INSERT: usize = 4_000;

fn pool(task: &Task) -> PgPool {
    let options = PgPoolOptions::new().max_connections(task.connections as u32);
    let options = options.test_before_acquire(false).max_lifetime(None).idle_timeout(None);
    options.connect_lazy(&task.url).expect("make a pool")
}

async fn in_parts<S, F>(task: &Task, parts: Vec<S>, part: fn(PgPool, S) -> F) -> Answer
where
    S: Send + 'static,
    F: Future<Output = Answer> + Send + 'static,
{
    let pool = pool(task);
    let parts = parts.into_iter().map(|share| tokio::spawn(part(pool.clone(), share)));
    total(try_join_all(parts).await.expect("a task"))
}

/// By COPY's text form, in large pieces.
pub fn load_text(task: &Task) -> Answer {
    on_runtime(in_parts(task, shares(task.rows, task.connections), |pool, share| async move {
        let mut connection = pool.acquire().await.expect("take a connection");
        let copy = format!("copy lineitem ({COLUMNS}) from stdin");
        let mut sink = connection.copy_in_raw(&copy).await.expect("start");
        let mut text = String::with_capacity(PIECE_BYTES + 1_024);
        for number in share {
            LineItem::nth(number).write_line(&mut text, '\t');
            if text.len() > PIECE_BYTES {
                sink.send(text.as_bytes()).await.expect("write");
                text.clear();
            }
        }
        sink.send(text.as_bytes()).await.expect("write");
        rows(sink.finish().await.expect("load"))
    }))
}

/// By statements of many rows.
pub fn load_insert(task: &Task) -> Answer {
    on_runtime(in_parts(task, shares(task.rows, task.connections), |pool, share| async move {
        let mut connection = pool.acquire().await.expect("take a connection");
        let numbers: Vec<_> = share.collect();
        let mut count = 0;
        for some in numbers.chunks(ROWS_OF_INSERT) {
            let mut insert =
                QueryBuilder::<Postgres>::new(format!("insert into lineitem ({COLUMNS}) "));
            insert.push_values(
                some.iter().map(|number| LineItem::nth(*number)),
                |mut row, item| {
                    row.push_bind(item.l_orderkey)
                        .push_bind(item.l_partkey)
                        .push_bind(item.l_suppkey)
                        .push_bind(item.l_linenumber)
                        .push_bind(item.l_quantity)
                        .push_bind(item.l_extendedprice)
                        .push_bind(item.l_discount)
                        .push_bind(item.l_tax)
                        .push_bind(item.l_returnflag)
                        .push_bind(item.l_linestatus)
                        .push_bind(item.l_shipdate)
                        .push_bind(item.l_commitdate)
                        .push_bind(item.l_receiptdate)
                        .push_bind(item.l_shipinstruct)
                        .push_bind(item.l_shipmode)
                        .push_bind(item.l_comment);
                },
            );
            let done = insert.build().execute(&mut *connection).await.expect("insert");
            count += done.rows_affected();
        }
        rows(count)
    }))
}

pub fn read(task: &Task) -> Answer {
    on_runtime(in_parts(
        task,
        ranges(orders(task.rows), task.connections),
        |pool, (low, high)| async move {
            let part = ::sqlx::query_as::<_, LineItem>(READ).bind(low).bind(high);
            let mut found = part.fetch(&pool);
            let mut answer = Answer::default();
            while let Some(item) = found.try_next().await.expect("a row") {
                answer.sum = answer.sum.wrapping_add(item.sum());
                answer.rows += 1;
            }
            answer
        },
    ))
}

pub fn upsert(task: &Task) -> Answer {
    on_runtime(async {
        let pool = pool(task);
        let pieces = Arc::new(pieces(task.rows as i64, task.batch));
        let next = Arc::new(AtomicUsize::new(0));
        let workers = (0..task.connections).map(|_| {
            let (pool, pieces, next) = (pool.clone(), Arc::clone(&pieces), Arc::clone(&next));
            tokio::spawn(async move {
                let mut count = 0;
                while let Some((low, high)) = pieces.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let found = ::sqlx::query_as::<_, (i64, i64, String)>(READ_ITEMS);
                    let found = found.bind(low).bind(high).fetch_all(&pool).await.expect("read");
                    let (mut ids, mut amounts, mut scores, mut labels) =
                        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
                    for (id, amount, label) in found {
                        ids.push(id);
                        amounts.push(amount);
                        scores.push(transform(id, amount));
                        labels.push(label);
                    }
                    let write = ::sqlx::query(UPSERT).bind(ids).bind(amounts).bind(scores);
                    let written = write.bind(labels).execute(&pool).await.expect("write");
                    count += written.rows_affected();
                }
                rows(count)
            })
        });
        total(try_join_all(workers).await.expect("a task"))
    })
}

pub fn look_up(task: &Task) -> Answer {
    on_runtime(async {
        let pool = pool(task);
        turns::tasks(task, move |turn| {
            let pool = pool.clone();
            async move {
                let payload = ::sqlx::query_scalar::<_, String>(LOOK_UP).bind(account_of(turn));
                assert_eq!(payload.fetch_one(&pool).await.expect("ask").len(), 64);
            }
        })
        .await
    })
}

pub fn transaction(task: &Task) -> Answer {
    on_runtime(async {
        let pool = pool(task);
        turns::tasks(task, move |turn| {
            let pool = pool.clone();
            async move {
                let account = account_of(turn);
                let mut transaction = pool.begin().await.expect("begin");
                for sql in [MOVE, NOTE] {
                    let write = ::sqlx::query(sql).bind(account).bind(1_i64);
                    write.execute(&mut *transaction).await.expect("write");
                }
                transaction.commit().await.expect("commit");
            }
        })
        .await
    })
}

pub fn sleep(task: &Task) -> Answer {
    on_runtime(async {
        let pool = pool(task);
        drop(join_all((0..task.connections).map(|_| pool.acquire())).await);
        let start = Instant::now();
        let sleepers = (0..task.callers).map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move {
                for _ in 0..SLEEPS {
                    pool.execute(::sqlx::raw_sql(SLEEP)).await.expect("sleep");
                }
                rows(SLEEPS as u64)
            })
        });
        let answer = total(try_join_all(sleepers).await.expect("a task"));
        Answer { seconds: start.elapsed().as_secs_f64(), ..answer }
    })
}
