//! What `r2d2` keeps: slots, each with a connection or without.

use crate::backend::capabilities::Capabilities;
use crate::backend::table_info::TableInfo;
use crate::backend::{Connection, RowRef};
use crate::error::{Error, ErrorKind, Result};
use crate::ident::TableName;
use crate::mapping::column::Column;
use crate::mapping::param::Param;
use crate::mapping::rows::Rows;
use crate::sql::dialect::Dialect;
use std::convert::Infallible;
use std::mem;
use std::ops::Range;
use std::time::{Duration, Instant};

/// A place for a connection.
#[derive(Debug)]
pub(super) struct Slot {
    /// The connection; [`Gone`] in an empty slot.
    pub(super) connection: Box<dyn Connection>,
    /// When it was opened; `None` in an empty slot.
    pub(super) opened: Option<Instant>,
}

impl Slot {
    pub(super) fn is_empty(&self) -> bool {
        self.opened.is_none()
    }

    pub(super) fn fill(&mut self, connection: Box<dyn Connection>) {
        self.connection = connection;
        self.opened = Some(Instant::now());
    }

    /// Takes the connection out, if there is one.
    pub(super) fn empty(&mut self) -> Option<Box<dyn Connection>> {
        self.opened.take().map(|_| mem::replace(&mut self.connection, Box::new(Gone)))
    }
}

/// Makes empty slots, and throws empty slots away. Nothing here can fail or block.
#[derive(Debug)]
pub(super) struct Slots;

impl r2d2::ManageConnection for Slots {
    type Connection = Slot;
    type Error = Infallible;

    fn connect(&self) -> Result<Slot, Infallible> {
        Ok(Slot { connection: Box::new(Gone), opened: None })
    }

    fn is_valid(&self, _: &mut Slot) -> Result<(), Infallible> {
        Ok(())
    }

    fn has_broken(&self, slot: &mut Slot) -> bool {
        slot.is_empty()
    }
}

/// A shelf with room for `limit` slots.
pub(super) fn shelf(limit: u32) -> r2d2::Pool<Slots> {
    r2d2::Pool::builder()
        .max_size(limit)
        .min_idle(Some(0))
        .test_on_check_out(false)
        // Age and idleness are judged where a connection is handed out, not by a reaper.
        .max_lifetime(None)
        .idle_timeout(None)
        .connection_timeout(Duration::from_secs(30))
        .build_unchecked(Slots)
}

/// What stands in an empty slot: a connection that was lost.
#[derive(Debug)]
struct Gone;

const NOTHING: Capabilities = Capabilities::none(Dialect::PostgreSql);

fn gone<T>() -> Result<T> {
    Err(Error::new(ErrorKind::Disconnect, "this connection was given up")
        .with_hint("take another one from the pool"))
}

impl Connection for Gone {
    fn capabilities(&self) -> &Capabilities {
        &NOTHING
    }

    fn run(&mut self, _: &str) -> Result<()> {
        gone()
    }

    fn execute(&mut self, _: &str, _: &[Param<'_>]) -> Result<u64> {
        gone()
    }

    fn query(
        &mut self,
        _: &str,
        _: &[Param<'_>],
        _: &mut dyn FnMut(&dyn RowRef) -> Result<()>,
    ) -> Result<()> {
        gone()
    }

    fn load(&mut self, _: &TableName, _: &[Column], _: &Rows, _: Range<usize>) -> Result<u64> {
        gone()
    }

    fn begin(&mut self) -> Result<()> {
        gone()
    }

    fn commit(&mut self) -> Result<()> {
        gone()
    }

    fn rollback(&mut self) -> Result<()> {
        gone()
    }

    fn table_info(&mut self, _: &TableName) -> Result<Option<TableInfo>> {
        gone()
    }

    fn ping(&mut self, _: Instant) -> Result<()> {
        gone()
    }

    fn in_transaction(&self) -> bool {
        false
    }

    fn is_broken(&self) -> bool {
        true
    }
}
