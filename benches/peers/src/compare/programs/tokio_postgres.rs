//! `tokio-postgres`, on the pools `deadpool` and `bb8`.

use super::{on_runtime, rows, shares, total, turns};
use crate::constants::{
    BATCH_ROWS, COLUMNS, LOOK_UP, MOVE, NOTE, READ, READ_ITEMS, SLEEP, SLEEPS, UPSERT, account_of,
    pieces, ranges, transform,
};
use crate::line_item::{LineItem, orders};
use crate::task::{Answer, Task};
use ::tokio_postgres::binary_copy::{BinaryCopyInWriter, BinaryCopyOutStream};
use ::tokio_postgres::types::{ToSql, Type};
use ::tokio_postgres::{Client, NoTls, Row};
use bytes::Bytes;
use deadpool_postgres::{ManagerConfig, RecyclingMethod};
use futures_util::future::{join, join_all, try_join, try_join_all};
use futures_util::{SinkExt as _, TryStreamExt as _};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

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

/// How large a piece of COPY's text form is sent at once.
const PIECE_BYTES: usize = 256 << 10;

pub type Deadpool = deadpool_postgres::Pool;
pub type Bb8 = bb8::Pool<bb8_postgres::PostgresConnectionManager<NoTls>>;

/// A pool that lends clients.
pub trait Lend: Clone + Send + Sync + 'static {
    fn open(url: &str, most: usize) -> impl Future<Output = Self> + Send;
    fn lend(&self) -> impl Future<Output = impl Prepare + Send + '_> + Send;
}

/// A client on loan. What has prepared a statement before does not do it again.
pub trait Prepare: AsMut<Client> + AsRef<Client> {
    fn statement(
        &self,
        sql: &str,
    ) -> impl Future<Output = Option<::tokio_postgres::Statement>> + Send;
}

impl Lend for Deadpool {
    async fn open(url: &str, most: usize) -> Self {
        let config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let config = (url.parse().expect("a URL"), config);
        let manager = deadpool_postgres::Manager::from_config(config.0, NoTls, config.1);
        Self::builder(manager).max_size(most).build().expect("make a pool")
    }

    async fn lend(&self) -> impl Prepare + Send + '_ {
        DeadpoolLoan(self.get().await.expect("take a connection"))
    }
}

struct DeadpoolLoan(deadpool_postgres::Object);

impl AsRef<Client> for DeadpoolLoan {
    fn as_ref(&self) -> &Client {
        &self.0
    }
}

impl AsMut<Client> for DeadpoolLoan {
    fn as_mut(&mut self) -> &mut Client {
        &mut self.0
    }
}

impl Prepare for DeadpoolLoan {
    async fn statement(&self, sql: &str) -> Option<::tokio_postgres::Statement> {
        Some(self.0.prepare_cached(sql).await.expect("prepare"))
    }
}

impl Lend for Bb8 {
    async fn open(url: &str, most: usize) -> Self {
        let manager =
            bb8_postgres::PostgresConnectionManager::new(url.parse().expect("a URL"), NoTls);
        let builder = Self::builder().max_size(most as u32).test_on_check_out(false);
        builder.build(manager).await.expect("make a pool")
    }

    async fn lend(&self) -> impl Prepare + Send + '_ {
        Bb8Loan(self.get().await.expect("take a connection"))
    }
}

struct Bb8Loan<'a>(bb8::PooledConnection<'a, bb8_postgres::PostgresConnectionManager<NoTls>>);

impl AsRef<Client> for Bb8Loan<'_> {
    fn as_ref(&self) -> &Client {
        &self.0
    }
}

impl AsMut<Client> for Bb8Loan<'_> {
    fn as_mut(&mut self) -> &mut Client {
        &mut self.0
    }
}

impl Prepare for Bb8Loan<'_> {
    async fn statement(&self, _: &str) -> Option<::tokio_postgres::Statement> {
        None
    }
}

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

async fn client(url: &str, sql: &str) -> (Client, ::tokio_postgres::Statement) {
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
    let answer = on_runtime(async {
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
    });
    answer
}

/// Opens all connections.
async fn warm<P: Lend>(pool: &P, connections: usize) {
    drop(join_all((0..connections).map(|_| pool.lend())).await);
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
