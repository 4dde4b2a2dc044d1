//! `tokio-postgres`, on the pools `deadpool` and `bb8`.
//!
//! - `pools`:  the two, behind the same calls
//! - `load`:   rows of the program, and those of another server, by COPY
//! - `file`:   a CSV file, as it is or row by row
//! - `read`:   rows as structs
//! - `upsert`: read, change, upsert; one after the other, or pipelined
//! - `small`:  look-ups, transactions, statements that wait

mod file;
mod load;
mod pools;
mod read;
mod small;
mod upsert;

pub use file::{bad, file_text};
pub use load::{copy, load_binary, load_text};
pub use pools::{Bb8, Deadpool};
pub use read::{item, read, read_copy};
pub use small::{look_up, look_up_shared, sleep, transaction};
pub use upsert::{upsert, upsert_pipelined};

use super::total;
use crate::line_item::LineItem;
use crate::task::{Answer, Task};
use ::tokio_postgres::types::{ToSql, Type};
use futures_util::future::try_join_all;
use pools::Lend;

/// The types of the columns of `lineitem`.
pub const TYPES: [Type; 16] = [
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT4,
    Type::NUMERIC,
    Type::NUMERIC,
    Type::NUMERIC,
    Type::NUMERIC,
    Type::BPCHAR,
    Type::BPCHAR,
    Type::DATE,
    Type::DATE,
    Type::DATE,
    Type::BPCHAR,
    Type::BPCHAR,
    Type::VARCHAR,
];

/// How large a piece of text is sent at once.
const PIECE_BYTES: usize = 256 << 10;

/// Runs `part` for each of some shares of the work, on a task and a connection of its own.
async fn in_parts<P, S, F>(task: &Task, parts: Vec<S>, part: fn(P, S) -> F) -> Answer
where
    P: Lend,
    S: Send + 'static,
    F: Future<Output = Answer> + Send + 'static,
{
    let pool = P::open(&task.url, task.connections).await;
    let parts = parts.into_iter().map(|share| tokio::spawn(part(pool.clone(), share)));
    total(try_join_all(parts).await.expect("a task"))
}

/// The columns of a row, in order.
pub fn values(row: &LineItem) -> [&(dyn ToSql + Sync); 16] {
    [
        &row.l_orderkey,
        &row.l_partkey,
        &row.l_suppkey,
        &row.l_linenumber,
        &row.l_quantity,
        &row.l_extendedprice,
        &row.l_discount,
        &row.l_tax,
        &row.l_returnflag,
        &row.l_linestatus,
        &row.l_shipdate,
        &row.l_commitdate,
        &row.l_receiptdate,
        &row.l_shipinstruct,
        &row.l_shipmode,
        &row.l_comment,
    ]
}
