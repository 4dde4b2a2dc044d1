//! Diesel, a connection for each thread.

use super::{rows, shares, timed, total};
use crate::constants::{BATCH_ROWS, ranges};
use crate::line_item::{LineItem, orders};
use crate::task::{Answer, Task};
use ::diesel::pg::PgRowByRowLoadingMode;
use ::diesel::prelude::*;
use std::thread;

::diesel::table! {
    lineitem (l_orderkey, l_linenumber) {
        l_orderkey -> BigInt,
        l_partkey -> BigInt,
        l_suppkey -> BigInt,
        l_linenumber -> Integer,
        l_quantity -> Numeric,
        l_extendedprice -> Numeric,
        l_discount -> Numeric,
        l_tax -> Numeric,
        l_returnflag -> Bpchar,
        l_linestatus -> Bpchar,
        l_shipdate -> Date,
        l_commitdate -> Date,
        l_receiptdate -> Date,
        l_shipinstruct -> Bpchar,
        l_shipmode -> Bpchar,
        l_comment -> Text,
    }
}

/// 16 values each, of the 65,535 that a statement may have.
pub const ROWS_OF_INSERT: u64 = 4_000;

fn in_parts<S: Send>(
    task: &Task,
    parts: Vec<S>,
    part: impl Fn(&mut PgConnection, S) -> Answer + Sync,
) -> Answer {
    let part = &part;
    timed(|| {
        thread::scope(|scope| {
            let threads: Vec<_> = parts
                .into_iter()
                .map(|share| {
                    scope.spawn(move || {
                        part(&mut PgConnection::establish(&task.url).expect("connect"), share)
                    })
                })
                .collect();
            total(threads.into_iter().map(|thread| thread.join().expect("a thread")))
        })
    })
}

/// By its `copy_from`, which wants all rows of a COPY at once: a batch at a time.
pub fn load_copy(task: &Task) -> Answer {
    in_parts(task, shares(task.rows, task.connections), |connection, share| {
        let numbers: Vec<_> = share.collect();
        let mut count = 0;
        for some in numbers.chunks(BATCH_ROWS) {
            let items: Vec<_> = some.iter().map(|number| LineItem::nth(*number)).collect();
            let copy = ::diesel::copy_from(lineitem::table).from_insertable(&items);
            count += copy.execute(connection).expect("load") as u64;
        }
        rows(count)
    })
}

/// By statements of many rows.
pub fn load_insert(task: &Task) -> Answer {
    in_parts(task, shares(task.rows, task.connections), |connection, share| {
        let numbers: Vec<_> = share.collect();
        let mut count = 0;
        for some in numbers.chunks(ROWS_OF_INSERT as usize) {
            let items: Vec<_> = some.iter().map(|number| LineItem::nth(*number)).collect();
            let insert = ::diesel::insert_into(lineitem::table).values(items);
            count += RunQueryDsl::execute(insert, connection).expect("insert") as u64;
        }
        rows(count)
    })
}

/// Row by row, in constant memory.
pub fn read(task: &Task) -> Answer {
    in_parts(task, ranges(orders(task.rows), task.connections), |connection, (low, high)| {
        let part = lineitem::table
            .filter(lineitem::l_orderkey.between(low, high))
            .select(LineItem::as_select());
        let found = part.load_iter::<LineItem, PgRowByRowLoadingMode>(connection).expect("ask");
        let mut answer = Answer::default();
        for item in found {
            answer.sum = answer.sum.wrapping_add(item.expect("a row").sum());
            answer.rows += 1;
        }
        answer
    })
}
