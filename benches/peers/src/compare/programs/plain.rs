//! `r2d2` with `postgres` and `rayon`: what one writes without a library for it.

use super::tokio_postgres::item;
use super::{rows, shares, timed, total, turns};
use crate::constants::{
    COLUMNS, LOOK_UP, MOVE, NOTE, READ, READ_ITEMS, SLEEP, SLEEPS, UPSERT, account_of, pieces,
    ranges, transform,
};
use crate::line_item::{LineItem, orders};
use crate::task::{Answer, Task};
use postgres::NoTls;
use postgres::binary_copy::BinaryCopyInWriter;
use postgres::fallible_iterator::FallibleIterator;
use postgres::types::ToSql;
use r2d2_postgres::PostgresConnectionManager;
use rayon::prelude::*;
use std::thread;
use std::time::Instant;

type Pool = r2d2::Pool<PostgresConnectionManager<NoTls>>;

fn pool(task: &Task) -> Pool {
    let manager = PostgresConnectionManager::new(task.url.parse().expect("a URL"), NoTls);
    let builder = r2d2::Pool::builder().max_size(task.connections as u32);
    builder.test_on_check_out(false).build(manager).expect("make a pool")
}

/// The workers are threads of `rayon`, as many as there are connections.
fn in_parts<S: Send>(
    task: &Task,
    parts: Vec<S>,
    part: impl Fn(&mut postgres::Client, S) -> Answer + Sync,
) -> Answer {
    let builder = rayon::ThreadPoolBuilder::new().num_threads(task.connections);
    let workers = builder.build().expect("make workers");
    timed(|| {
        let pool = pool(task);
        let work = |share| part(&mut pool.get().expect("take a connection"), share);
        let parts: Vec<_> = workers.install(|| parts.into_par_iter().map(work).collect());
        total(parts)
    })
}

pub fn load(task: &Task) -> Answer {
    in_parts(task, shares(task.rows, task.connections), |client, share| {
        let copy = format!("copy lineitem ({COLUMNS}) from stdin (format binary)");
        let sink = client.copy_in(&copy).expect("start");
        let mut writer = BinaryCopyInWriter::new(sink, &super::tokio_postgres::TYPES);
        for number in share {
            let row = LineItem::nth(number);
            writer.write(&super::tokio_postgres::values(&row)).expect("write");
        }
        rows(writer.finish().expect("load"))
    })
}

pub fn read(task: &Task) -> Answer {
    in_parts(task, ranges(orders(task.rows), task.connections), |client, (low, high)| {
        let mut found = client.query_raw(READ, [low, high]).expect("ask");
        let mut answer = Answer::default();
        while let Some(row) = found.next().expect("a row") {
            answer.sum = answer.sum.wrapping_add(item(&row).sum());
            answer.rows += 1;
        }
        answer
    })
}

pub fn upsert(task: &Task) -> Answer {
    let pieces = pieces(task.rows as i64, task.batch);
    in_parts(task, pieces, |client, (low, high)| {
        let (mut ids, mut amounts, mut scores) = (Vec::new(), Vec::new(), Vec::new());
        let mut labels: Vec<String> = Vec::new();
        for row in client.query(READ_ITEMS, &[&low, &high]).expect("read") {
            let (id, amount): (i64, i64) = (row.get(0), row.get(1));
            ids.push(id);
            amounts.push(amount);
            scores.push(transform(id, amount));
            labels.push(row.get(2));
        }
        let values: [&(dyn ToSql + Sync); 4] = [&ids, &amounts, &scores, &labels];
        rows(client.execute(UPSERT, &values).expect("write"))
    })
}

pub fn look_up(task: &Task) -> Answer {
    let pool = pool(task);
    turns::threads(task, |turn| {
        let mut client = pool.get().expect("take a connection");
        let typed = [(&account_of(turn) as &(dyn ToSql + Sync), postgres::types::Type::INT8)];
        let found = client.query_typed(LOOK_UP, &typed).expect("ask");
        assert_eq!(found[0].get::<_, &str>(0).len(), 64);
    })
}

/// Neither a pool nor a choice: each caller has a client, and prepared its statement.
pub fn look_up_bare(task: &Task) -> Answer {
    let clients: Vec<_> = (0..task.callers)
        .map(|_| {
            let mut client = postgres::Client::connect(&task.url, NoTls).expect("connect");
            let statement = client.prepare(LOOK_UP).expect("prepare");
            parking_lot::Mutex::new((client, statement))
        })
        .collect();
    turns::threads(task, |turn| {
        let mut own = clients[(turn >> 32) as usize].lock();
        let (client, statement) = &mut *own;
        let row = client.query_one(&*statement, &[&account_of(turn)]).expect("ask");
        assert_eq!(row.get::<_, &str>(0).len(), 64);
    })
}

pub fn transaction(task: &Task) -> Answer {
    let pool = pool(task);
    turns::threads(task, |turn| {
        let mut client = pool.get().expect("take a connection");
        let account = account_of(turn);
        let mut transaction = client.transaction().expect("begin");
        transaction.execute(MOVE, &[&account, &1_i64]).expect("write");
        transaction.execute(NOTE, &[&account, &1_i64]).expect("write");
        transaction.commit().expect("commit");
    })
}

pub fn sleep(task: &Task) -> Answer {
    let pool = pool(task);
    let start = Instant::now();
    thread::scope(|scope| {
        let sleeper = || {
            for _ in 0..SLEEPS {
                let mut client = pool.get().expect("take a connection");
                client.simple_query(SLEEP).expect("sleep");
            }
            SLEEPS as u64
        };
        let sleepers: Vec<_> = (0..task.callers).map(|_| scope.spawn(sleeper)).collect();
        let slept = sleepers.into_iter().map(|sleeper| sleeper.join().expect("a thread")).sum();
        Answer { seconds: start.elapsed().as_secs_f64(), ..rows(slept) }
    })
}
