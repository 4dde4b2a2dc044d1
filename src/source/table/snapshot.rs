//! The connection that keeps a snapshot alive for others.

use crate::engine::{Acquire, Intent};
use crate::error::{Error, ErrorKind, Result};
use crate::ident::TableName;
use crate::mapping::cell::Cell;
use crate::pool::Detached;
use crate::sql::partition::{EXPORT_SNAPSHOT, begin_holding};
use parking_lot::Mutex;

/// A snapshot, and the transaction that holds it. It is gone when this is dropped.
#[derive(Debug)]
pub(super) struct Snapshot {
    /// By which name others read as of it.
    pub(super) name: String,
    /// Nobody uses it; it only has to be there.
    _holder: Mutex<Detached>,
}

impl Snapshot {
    /// Takes a snapshot and keeps `tables` from being rewritten or emptied. Its connection leaves
    /// the pool, which may open another in its place: it is one more than the pool has, for as long
    /// as it lives.
    pub(super) fn take(engine: &dyn Acquire, tables: &[TableName]) -> Result<Self> {
        let mut holder = engine.acquire(Intent::Read)?.detach()?;
        holder.begin()?;
        holder.run(&begin_holding(tables))?;
        let mut name = String::new();
        holder.query(EXPORT_SNAPSHOT, &[], &mut |row| {
            name = String::unpack(row.cell(0)?)?;
            Ok(())
        })?;
        if name.is_empty() {
            return Err(Error::new(ErrorKind::Source, "the snapshot was not exported"));
        }
        Ok(Self { name, _holder: Mutex::new(holder) })
    }
}

/// The error of a reader for whom there is no snapshot any more, if it is that.
pub(super) fn gone(error: Error) -> Error {
    if error.sqlstate().is_some_and(|state| state.code() == "22023") {
        return Error::new(
            ErrorKind::Source,
            "the snapshot is gone, with the connection that held it",
        )
        .with_source(error)
        .with_hint("start the same command again: it goes on if the table did not change since");
    }
    error
}
