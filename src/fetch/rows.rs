//! Rows one after the other, in constant memory, on a connection and a thread of their own.
//!
//! Two chunks of rows are there at once: the one that is handed out, and one that waits. The thread
//! stands still while nobody takes them, and the database with it.

use super::query::read_row;
use super::run;
use crate::backend::interrupt::Interrupt;
use crate::engine::Acquire;
use crate::error::{Error, ErrorKind, Result};
use crate::pool::Pooled;
use crate::query::{Query, Read, Statement};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::{fmt, mem, vec};

/// How many rows of a [`RowStream`] travel together.
const ROWS_TOGETHER: usize = 256;

/// The rows of a query, some at a time: what [`Query::chunks`] makes.
pub struct Chunks<R> {
    /// `None` once the stream has ended.
    arriving: Option<Receiver<Result<Vec<R>>>>,
    reader: Option<JoinHandle<()>>,
    interrupt: Option<Arc<dyn Interrupt>>,
}

/// The rows of a query, one after the other: what [`Query::iter`] makes.
pub struct RowStream<R> {
    chunks: Chunks<R>,
    rows: vec::IntoIter<R>,
}

impl<R: Send + 'static> Chunks<R> {
    #[track_caller]
    pub(super) fn start<S>(query: &Query<S, R>, from: &impl Acquire, size: usize) -> Result<Self> {
        if size == 0 {
            return Err(Error::new(ErrorKind::Config, "a chunk has no rows: its size is 0"));
        }
        let connection = from.acquire(query.intent())?;
        let statement = query.statement(connection.capabilities().dialect)?;
        let interrupt = connection.interrupt();
        let (sender, arriving) = sync_channel(0);
        let reading = Reading { connection, statement, read: query.read.clone(), size, sender };
        let reader = thread::Builder::new().name("rowmill-rows".into()).spawn(|| reading.run());
        let reader = reader.map_err(|error| {
            Error::new(ErrorKind::Connect, "no thread can be started to read rows")
                .with_source(error)
        })?;
        Ok(Self { arriving: Some(arriving), reader: Some(reader), interrupt })
    }
}

impl<R: Send + 'static> RowStream<R> {
    #[track_caller]
    pub(super) fn start<S>(query: &Query<S, R>, from: &impl Acquire) -> Result<Self> {
        let chunks = Chunks::start(query, from, ROWS_TOGETHER)?;
        Ok(Self { chunks, rows: Vec::new().into_iter() })
    }
}

/// What the thread does.
struct Reading<R> {
    connection: Pooled,
    statement: Statement,
    read: Read<R>,
    size: usize,
    sender: SyncSender<Result<Vec<R>>>,
}

impl<R> Reading<R> {
    fn run(self) {
        let Self { mut connection, statement, read, size, sender } = self;
        let mut chunk = Vec::new();
        let params = run::params(&statement.values);
        let done = connection.query(&statement.sql, &params, &mut |row| {
            chunk.push(read_row(row, &read)?);
            if chunk.len() < size {
                return Ok(());
            }
            sender.send(Ok(mem::take(&mut chunk))).map_err(|_| unwanted())
        });
        // ORDER: the connection is back in the pool before the end of the stream is seen.
        drop(connection);
        // Nobody listens where the stream was dropped.
        let _ = match done {
            Ok(()) if chunk.is_empty() => Ok(()),
            Ok(()) => sender.send(Ok(chunk)),
            Err(error) => sender.send(Err(error)),
        };
    }
}

fn unwanted() -> Error {
    Error::new(ErrorKind::Stopped, "the rows are not wanted any more")
}

impl<R> Iterator for Chunks<R> {
    type Item = Result<Vec<R>>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.arriving.as_ref()?.recv() {
            Ok(Ok(rows)) => Some(Ok(rows)),
            Ok(Err(error)) => {
                self.end();
                Some(Err(error))
            }
            Err(_) => self.end().map(Err),
        }
    }
}

impl<R> Chunks<R> {
    /// Waits for the thread; a panic of it is an error.
    fn end(&mut self) -> Option<Error> {
        self.arriving = None;
        let joined = self.reader.take()?.join();
        joined.err().map(|_| Error::new(ErrorKind::Panic, "reading a row panicked"))
    }
}

impl<R> Drop for Chunks<R> {
    fn drop(&mut self) {
        // ORDER: without a receiver the thread ends at its next row, and the request to cancel
        // makes the rest of the result short.
        if self.arriving.take().is_some()
            && let Some(interrupt) = &self.interrupt
            && self.reader.as_ref().is_some_and(|reader| !reader.is_finished())
        {
            interrupt.cancel();
        }
        self.end();
    }
}

impl<R> Iterator for RowStream<R> {
    type Item = Result<R>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(row) = self.rows.next() {
                return Some(Ok(row));
            }
            match self.chunks.next()? {
                Ok(rows) => self.rows = rows.into_iter(),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl<R> fmt::Debug for Chunks<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chunks").field("ended", &self.arriving.is_none()).finish_non_exhaustive()
    }
}

impl<R> fmt::Debug for RowStream<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowStream").field("chunks", &self.chunks).finish_non_exhaustive()
    }
}
