//! Rows become structs.

use super::super::on_runtime;
use super::pools::Lend;
use super::{TYPES, in_parts};
use crate::constants::{READ, ranges};
use crate::line_item::{LineItem, orders};
use crate::task::{Answer, Task};
use ::tokio_postgres::Row;
use ::tokio_postgres::binary_copy::BinaryCopyOutStream;
use futures_util::TryStreamExt as _;
use std::pin::pin;

/// Rows as a stream, each made a struct.
pub fn read<P: Lend>(task: &Task) -> Answer {
    on_runtime(in_parts::<P, _, _>(
        task,
        ranges(orders(task.rows), task.connections),
        |pool, (low, high)| async move {
            let loan = pool.lend().await;
            let params: [i64; 2] = [low, high];
            let stream = loan.as_ref().query_raw(READ, params).await.expect("ask");
            let mut stream = pin!(stream);
            let mut answer = Answer::default();
            while let Some(row) = stream.try_next().await.expect("a row") {
                answer.sum = answer.sum.wrapping_add(item(&row).sum());
                answer.rows += 1;
            }
            answer
        },
    ))
}

/// The same by binary COPY out.
pub fn read_copy<P: Lend>(task: &Task) -> Answer {
    on_runtime(in_parts::<P, _, _>(
        task,
        ranges(orders(task.rows), task.connections),
        |pool, (low, high)| async move {
            let loan = pool.lend().await;
            let query = READ.replace("$1", &low.to_string()).replace("$2", &high.to_string());
            let copy = format!("copy ({query}) to stdout (format binary)");
            let stream = loan.as_ref().copy_out(&copy).await.expect("ask");
            let mut stream = pin!(BinaryCopyOutStream::new(stream, &TYPES));
            let mut answer = Answer::default();
            while let Some(row) = stream.try_next().await.expect("a row") {
                let item = LineItem {
                    l_orderkey: row.get(0),
                    l_partkey: row.get(1),
                    l_suppkey: row.get(2),
                    l_linenumber: row.get(3),
                    l_quantity: row.get(4),
                    l_extendedprice: row.get(5),
                    l_discount: row.get(6),
                    l_tax: row.get(7),
                    l_returnflag: row.get(8),
                    l_linestatus: row.get(9),
                    l_shipdate: row.get(10),
                    l_commitdate: row.get(11),
                    l_receiptdate: row.get(12),
                    l_shipinstruct: row.get(13),
                    l_shipmode: row.get(14),
                    l_comment: row.get(15),
                };
                answer.sum = answer.sum.wrapping_add(item.sum());
                answer.rows += 1;
            }
            answer
        },
    ))
}

pub fn item(row: &Row) -> LineItem {
    LineItem {
        l_orderkey: row.get(0),
        l_partkey: row.get(1),
        l_suppkey: row.get(2),
        l_linenumber: row.get(3),
        l_quantity: row.get(4),
        l_extendedprice: row.get(5),
        l_discount: row.get(6),
        l_tax: row.get(7),
        l_returnflag: row.get(8),
        l_linestatus: row.get(9),
        l_shipdate: row.get(10),
        l_commitdate: row.get(11),
        l_receiptdate: row.get(12),
        l_shipinstruct: row.get(13),
        l_shipmode: row.get(14),
        l_comment: row.get(15),
    }
}
