//! rowmill, by its public API: jobs where it is a job, so that each of these would be carried on
//! after `kill -9` and has each row once.

use super::{rows, timed, total, turns};
use crate::constants::{
    LOOK_UP, MOVE, NOTE, SLEEP, SLEEPS, TYPED_COLUMNS, account_of, pieces, ranges, transform,
};
use crate::line_item::{LineItem, orders};
use crate::task::{Answer, Task};
use ::rowmill::prelude::*;
use ::rowmill::{
    Append, CellRef, ColumnType, Consistency, Csv, Draft, Duplicates, Executor, Feed, Ident,
    Intent, Iter, Job, MaxRejects, Mode, Param, Query, RowRef, Table, TableColumn, TableColumns,
    TableName, Target, Upsert,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// A job of this name, of this night: one that ran before is complete.
fn job(name: &str) -> Draft {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970");
    Job::named(name).param("night", now.as_nanos().to_string())
}

fn engine(url: &str, connections: usize) -> Engine {
    let builder = Engine::builder(url).pool_size(connections as u32).max_overflow(0);
    builder.build().expect("make an engine")
}

/// Rows of the program: their numbers are cut into batches, and the workers make the rows.
pub fn load(task: &Task) -> Answer {
    timed(|| {
        let engine = engine(&task.url, task.connections);
        let last = task.rows;
        let job = job("load")
            .read(Iter::new("numbers", move || 0..last))
            .map(|number| Ok(LineItem::nth(number)))
            .write(Append::<LineItem>::new())
            .batch_rows(task.batch as u64)
            .workers(task.connections);
        rows(job.run(&engine).expect("load").written)
    })
}

/// A CSV file; what is bad in it is kept in the reject store.
pub fn file(task: &Task) -> Answer {
    timed(|| {
        let engine = engine(&task.url, task.connections);
        let job = job("file")
            .read(Csv::<LineItem>::open(task.file.as_path()).expect("open the file"))
            .write(Append::<LineItem>::new())
            .batch_rows(task.batch as u64)
            .max_rejects(MaxRejects::Share(0.05))
            .workers(task.connections);
        rows(job.run(&engine).expect("load").written)
    })
}

/// A query on each connection, each row a struct.
pub fn read(task: &Task) -> Answer {
    timed(|| {
        let engine = engine(&task.url, task.connections);
        let part = |low: i64, high: i64| {
            let mut answer = Answer::default();
            let part = Query::<LineItem>::new().filter(LineItem::l_orderkey.between(low, high));
            let read = part.each(&engine, |item| {
                answer.sum = answer.sum.wrapping_add(item.sum());
                answer.rows += 1;
                Ok(())
            });
            read.expect("read");
            answer
        };
        let part = &part;
        let parts = ranges(orders(task.rows), task.connections);
        thread::scope(|scope| {
            let threads = parts.into_iter().map(|(low, high)| scope.spawn(move || part(low, high)));
            let threads: Vec<_> = threads.collect();
            total(threads.into_iter().map(|thread| thread.join().expect("a thread")))
        })
    })
}

#[derive(Clone, Entity)]
#[entity(table = "items")]
struct Item {
    #[entity(key)]
    id: i64,
    amount: i64,
    label: String,
}

#[derive(Entity)]
#[entity(table = "results")]
struct Scored {
    #[entity(key)]
    id: i64,
    amount: i64,
    score: i64,
    label: String,
}

impl From<Item> for Scored {
    fn from(item: Item) -> Self {
        let Item { id, amount, label } = item;
        Self { id, amount, score: transform(id, amount), label }
    }
}

/// A table is cut by its key, changed, and upserted: exactly once.
pub fn upsert(task: &Task) -> Answer {
    timed(|| {
        let engine = engine(&task.url, task.connections);
        let items = Table::<Item>::all().on(&engine).consistency(Consistency::PerBatch);
        let job = job("upsert")
            .read(items)
            .map(|item| Ok(Scored::from(item)))
            .write(Upsert::<Scored>::new())
            .batch_rows(task.batch as u64)
            .workers(task.connections);
        let report = job.run(&engine).expect("upsert");
        rows(report.written + report.unchanged)
    })
}

/// The same by hand, without a ledger, as the other contenders do it.
pub fn upsert_by_hand(task: &Task) -> Answer {
    timed(|| {
        let engine = engine(&task.url, task.connections);
        let pieces = pieces(task.rows as i64, task.batch);
        let next = AtomicUsize::new(0);
        let worker = || {
            let mut count = 0;
            while let Some((low, high)) = pieces.get(next.fetch_add(1, Ordering::Relaxed)) {
                let found = Query::<Item>::new().filter(Item::id.between(*low, *high));
                let found = found.all(&engine).expect("read");
                let scored: Vec<_> = found.into_iter().map(Scored::from).collect();
                let done = Scored::upsert_many(&engine, &scored, Duplicates::Error);
                let done = done.expect("write");
                count += done.inserted + done.updated + done.unchanged;
            }
            rows(count)
        };
        let worker = &worker;
        thread::scope(|scope| {
            let threads: Vec<_> = (0..task.connections).map(|_| scope.spawn(worker)).collect();
            total(threads.into_iter().map(|thread| thread.join().expect("a thread")))
        })
    })
}

/// A connection taken and given back, and nothing else; a turn is a thousand of them, for one alone is less
/// than what the clock costs.
pub fn check_out(task: &Task) -> Answer {
    const EACH: u32 = 1_000;
    let engine = engine(&task.url, task.connections);
    let answer = turns::threads(task, |_| {
        for _ in 0..EACH {
            drop(engine.get().expect("take a connection"));
        }
    });
    let each = f64::from(EACH);
    Answer {
        rows: answer.rows * u64::from(EACH),
        rate: answer.rate * each,
        p50: answer.p50 / each,
        p99: answer.p99 / each,
        ..answer
    }
}

/// One row by its key.
pub fn look_up(task: &Task) -> Answer {
    let engine = engine(&task.url, task.connections);
    turns::threads(task, |turn| {
        let mut length = 0;
        let mut connection = engine.get().expect("take a connection");
        let asked = connection.query(LOOK_UP, &[Param::Int(account_of(turn))], &mut |row| {
            if let CellRef::Packed(ColumnType::Text, bytes) = row.cell(0)? {
                length = bytes.len();
            } else if let CellRef::Text(text) = row.cell(0)? {
                length = text.len();
            }
            Ok(())
        });
        asked.expect("ask");
        assert_eq!(length, 64);
    })
}

/// One row by its key, sent together with those of other callers.
pub fn look_up_together(task: &Task) -> Answer {
    let engine = engine(&task.url, task.connections);
    let flights = engine.flights(task.connections as u32).expect("send statements together");
    turns::threads(task, |turn| {
        let mut length = 0;
        let asked = flights.with(Intent::Read, |connection| {
            connection.query(LOOK_UP, &[Param::Int(account_of(turn))], &mut |row| {
                if let CellRef::Packed(ColumnType::Text, bytes) = row.cell(0)? {
                    length = bytes.len();
                }
                Ok(())
            })
        });
        asked.expect("ask");
        assert_eq!(length, 64);
    })
}

/// An update and an insert that hold together.
pub fn transaction(task: &Task) -> Answer {
    let engine = engine(&task.url, task.connections);
    turns::threads(task, |turn| {
        let account = account_of(turn);
        let values = [account.into(), 1.into()];
        // As the async programs have it: both go out before the answer to the first is there.
        let both: [(&str, &[Param<'_>]); 2] = [(MOVE, &values), (NOTE, &values)];
        let done = engine.transaction(|transaction| transaction.execute_together(&both));
        done.expect("write");
    })
}

/// Slow statements, all at once, each on a thread.
pub fn sleep(task: &Task) -> Answer {
    let engine = engine(&task.url, task.connections);
    // All connections are open before the clock starts.
    let barrier = std::sync::Barrier::new(task.callers + 1);
    thread::scope(|scope| {
        let sleeper = || {
            let held = engine.get().expect("take a connection");
            barrier.wait();
            drop(held);
            for _ in 0..SLEEPS {
                engine.query(SLEEP, &[], |_: &dyn RowRef| Ok(())).expect("sleep");
            }
            SLEEPS as u64
        };
        let sleepers: Vec<_> = (0..task.callers).map(|_| scope.spawn(sleeper)).collect();
        barrier.wait();
        let start = Instant::now();
        let slept = sleepers.into_iter().map(|sleeper| sleeper.join().expect("a thread")).sum();
        Answer { seconds: start.elapsed().as_secs_f64(), ..rows(slept) }
    })
}

/// From one server to another, as a job: the columns as they are.
pub fn copy(task: &Task) -> Answer {
    timed(|| {
        let from = engine(&task.url, task.connections);
        let target = engine(&task.other, task.connections);
        let columns = TYPED_COLUMNS.split(" not null").filter_map(|column| {
            let (name, typed) = column.trim_start_matches(", ").split_once(' ')?;
            let typed = ColumnType::parse(typed).expect("a type");
            Some(TableColumn::new(Ident::new(name).expect("a name"), typed))
        });
        // As of one instant, which is what all others do.
        let feed = TableColumns::table("lineitem", columns.collect()).expect("a table");
        let feed = feed.on(&from).consistency(Consistency::Snapshot);
        let table = TableName::parse("lineitem").expect("a name");
        let columns = feed.columns().to_vec();
        let into = Target::new(table, columns, Vec::new(), Mode::Append).expect("a target");
        let job = job("copy").feed(Arc::new(feed), into);
        let job = job.batch_rows(task.batch as u64).workers(task.connections);
        rows(job.run(&target).expect("copy").written)
    })
}
