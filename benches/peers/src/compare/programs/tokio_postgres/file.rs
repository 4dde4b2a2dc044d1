//! A CSV file goes into a table.

use super::super::{on_runtime, rows, shares, total};
use super::pools::Lend;
use super::{PIECE_BYTES, TYPES, in_parts, values};
use crate::constants::{BATCH_ROWS, COLUMNS};
use crate::line_item::LineItem;
use crate::task::{Answer, Task};
use ::tokio_postgres::Client;
use ::tokio_postgres::binary_copy::BinaryCopyInWriter;
use bytes::Bytes;
use futures_util::SinkExt as _;
use futures_util::future::try_join_all;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::pin::pin;
use std::sync::Arc;

/// A CSV file in pieces of whole lines, which the server parses: nothing is cheaper for a client.
pub fn file_text<P: Lend>(task: &Task) -> Answer {
    let size = std::fs::metadata(&task.file).expect("look at the file").len();
    let parts = shares(size, task.connections);
    let parts = parts.into_iter().map(|bytes| (task.file.clone(), bytes)).collect();
    on_runtime(in_parts::<P, _, _>(task, parts, |pool, (file, bytes)| async move {
        let loan = pool.lend().await;
        let copy = format!("copy lineitem ({COLUMNS}) from stdin (format csv)");
        let mut sink = pin!(loan.as_ref().copy_in::<_, Bytes>(&copy).await.expect("start"));
        let mut reader = BufReader::new(std::fs::File::open(file).expect("open the file"));
        // The line that a share begins in belongs to the share before; the first line is the header.
        reader.seek(SeekFrom::Start(bytes.start)).expect("go there");
        let mut at = bytes.start + reader.skip_until(b'\n').expect("read") as u64;
        // A line that begins where a share ends is the last one of that share.
        while at <= bytes.end {
            let whole = (bytes.end - at).min(PIECE_BYTES as u64);
            let mut piece = Vec::with_capacity(PIECE_BYTES + 1_024);
            reader.by_ref().take(whole).read_to_end(&mut piece).expect("read");
            if !piece.ends_with(b"\n") {
                reader.read_until(b'\n', &mut piece).expect("read");
            }
            if piece.is_empty() {
                break;
            }
            at += piece.len() as u64;
            sink.send(Bytes::from(piece)).await.expect("write");
        }
        rows(sink.finish().await.expect("load"))
    }))
}

/// A CSV file by the `csv` crate, batch by batch; a batch that is refused is inserted row by row.
/// What cannot be parsed is counted and left out.
pub fn bad<P: Lend>(task: &Task) -> Answer {
    on_runtime(async {
        let pool = P::open(&task.url, task.connections).await;
        let (sender, receiver) = tokio::sync::mpsc::channel::<Vec<LineItem>>(task.connections);
        let file = task.file.clone();
        let parser = tokio::task::spawn_blocking(move || parse(&file, &sender));
        let receiver = Arc::new(tokio::sync::Mutex::new(receiver));
        let workers = (0..task.connections).map(|_| {
            let (pool, receiver) = (pool.clone(), Arc::clone(&receiver));
            tokio::spawn(async move {
                let loan = pool.lend().await;
                let mut count = 0;
                loop {
                    let Some(batch) = receiver.lock().await.recv().await else { break };
                    count += store(loan.as_ref(), &batch).await;
                }
                rows(count)
            })
        });
        let answer = total(try_join_all(workers).await.expect("a task"));
        parser.await.expect("parse");
        answer
    })
}

fn parse(file: &std::path::Path, sender: &tokio::sync::mpsc::Sender<Vec<LineItem>>) {
    let mut reader = csv::Reader::from_path(file).expect("open the file");
    let (mut batch, mut record) = (Vec::with_capacity(BATCH_ROWS), csv::StringRecord::new());
    while reader.read_record(&mut record).expect("read") {
        batch.extend(row_of(&record));
        if batch.len() == BATCH_ROWS {
            sender.blocking_send(std::mem::take(&mut batch)).expect("hand it over");
        }
    }
    sender.blocking_send(batch).expect("hand it over");
}

fn row_of(record: &csv::StringRecord) -> Option<LineItem> {
    let decimal = |index: usize| record.get(index)?.parse().ok();
    let date = |index: usize| record.get(index)?.parse().ok();
    let number = |index: usize| record.get(index)?.parse().ok();
    let text = |index: usize| record.get(index).map(str::to_owned);
    Some(LineItem {
        l_orderkey: number(0)?,
        l_partkey: number(1)?,
        l_suppkey: number(2)?,
        l_linenumber: record.get(3)?.parse().ok()?,
        l_quantity: decimal(4)?,
        l_extendedprice: decimal(5)?,
        l_discount: decimal(6)?,
        l_tax: decimal(7)?,
        l_returnflag: text(8)?,
        l_linestatus: text(9)?,
        l_shipdate: date(10)?,
        l_commitdate: date(11)?,
        l_receiptdate: date(12)?,
        l_shipinstruct: text(13)?,
        l_shipmode: text(14)?,
        l_comment: text(15)?,
    })
}

async fn store(client: &Client, batch: &[LineItem]) -> u64 {
    let copy = format!("copy lineitem ({COLUMNS}) from stdin (format binary)");
    let sink = client.copy_in(&copy).await.expect("start");
    let mut writer = pin!(BinaryCopyInWriter::new(sink, &TYPES));
    for row in batch {
        writer.as_mut().write(&values(row)).await.expect("write");
    }
    if let Ok(count) = writer.finish().await {
        return count;
    }
    let places: Vec<_> = (1..=16).map(|place| format!("${place}")).collect();
    let insert = format!("insert into lineitem ({COLUMNS}) values ({})", places.join(", "));
    let insert = client.prepare(&insert).await.expect("prepare");
    let mut count = 0;
    for row in batch {
        count += client.execute(&insert, &values(row)).await.unwrap_or(0);
    }
    count
}
