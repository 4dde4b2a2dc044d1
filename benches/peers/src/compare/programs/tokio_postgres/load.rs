//! Rows go into a table by COPY.

use super::super::{on_runtime, rows, shares};
use super::pools::Lend;
use super::{PIECE_BYTES, TYPES, in_parts, values};
use crate::constants::{COLUMNS, READ, ranges};
use crate::line_item::{LineItem, orders};
use crate::task::{Answer, Task};
use ::tokio_postgres::NoTls;
use ::tokio_postgres::binary_copy::BinaryCopyInWriter;
use bytes::Bytes;
use futures_util::{SinkExt as _, TryStreamExt as _};
use std::pin::pin;

/// Rows of the program by binary COPY, row by row into its writer.
pub fn load_binary<P: Lend>(task: &Task) -> Answer {
    on_runtime(in_parts::<P, _, _>(
        task,
        shares(task.rows, task.connections),
        |pool, share| async move {
            let loan = pool.lend().await;
            let copy = format!("copy lineitem ({COLUMNS}) from stdin (format binary)");
            let sink = loan.as_ref().copy_in(&copy).await.expect("start");
            let mut writer = pin!(BinaryCopyInWriter::new(sink, &TYPES));
            for number in share {
                let row = LineItem::nth(number);
                writer.as_mut().write(&values(&row)).await.expect("write");
            }
            rows(writer.finish().await.expect("load"))
        },
    ))
}

/// Rows of the program by COPY's text form, in large pieces.
pub fn load_text<P: Lend>(task: &Task) -> Answer {
    on_runtime(in_parts::<P, _, _>(
        task,
        shares(task.rows, task.connections),
        |pool, share| async move {
            let loan = pool.lend().await;
            let copy = format!("copy lineitem ({COLUMNS}) from stdin");
            let mut sink = pin!(loan.as_ref().copy_in::<_, Bytes>(&copy).await.expect("start"));
            let mut text = String::with_capacity(PIECE_BYTES + 1_024);
            for number in share {
                LineItem::nth(number).write_line(&mut text, '\t');
                if text.len() > PIECE_BYTES {
                    sink.send(Bytes::from(std::mem::take(&mut text))).await.expect("write");
                    text.reserve(PIECE_BYTES + 1_024);
                }
            }
            sink.send(Bytes::from(text)).await.expect("write");
            rows(sink.finish().await.expect("load"))
        },
    ))
}

/// From one server to another: what COPY sends goes into COPY as it is.
pub fn copy<P: Lend>(task: &Task) -> Answer {
    let other = task.other.clone();
    let parts = ranges(orders(task.rows), task.connections);
    let parts = parts.into_iter().map(|range| (other.clone(), range)).collect();
    on_runtime(in_parts::<P, _, _>(task, parts, |pool, (other, (low, high))| async move {
        let loan = pool.lend().await;
        let (target, connection) = ::tokio_postgres::connect(&other, NoTls).await.expect("connect");
        tokio::spawn(connection);
        let query = READ.replace("$1", &low.to_string()).replace("$2", &high.to_string());
        let out = format!("copy ({query}) to stdout (format binary)");
        let into = format!("copy lineitem ({COLUMNS}) from stdin (format binary)");
        let stream = loan.as_ref().copy_out(&out).await.expect("read");
        let mut stream = pin!(stream);
        let mut sink = pin!(target.copy_in::<_, Bytes>(&into).await.expect("write"));
        while let Some(bytes) = stream.try_next().await.expect("read") {
            sink.feed(bytes).await.expect("write");
        }
        rows(sink.finish().await.expect("load"))
    }))
}
