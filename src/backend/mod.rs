//! The one seam to a database.
//!
//! - `capabilities`: what a database can do; everything above asks for these, never for a product
//! - `fate`:         what became of a transaction whose end nobody saw
//! - `flight`:       statements that are sent together
//! - `interrupt`:    ending, from another thread, what a connection does
//! - `leftovers`:    what a borrower left behind
//! - `refusal`:      why a row was refused, as code in the database noted it
//! - `server_limit`: how many connections the server has room for
//! - `server_state`: what a server says of itself and of its place among its replicas
//! - `table_info`:   what the catalog says of a table
//! - `table_storage`: where its rows lie
//! - `together`:     statements none of which needs the answer to another, in few flights
//! - `unloaded`:     a row that was read in bulk
//! - `postgres`:     PostgreSQL 14 and later
//! - `sqlite`:       SQLite, embedded
//!
//! A [`Backend`] opens connections and holds the lock of a job. A [`Connection`] runs statements,
//! reads rows as typed cells, loads packed rows in bulk and knows whether it is still clean. SQL
//! is written with `$1` placeholders, also where the product spells them differently.

pub mod capabilities;
pub mod fate;
pub mod flight;
pub mod interrupt;
pub mod leftovers;
pub mod postgres;
pub mod refusal;
pub mod server_limit;
pub mod server_state;
pub mod sqlite;
pub mod table_info;
pub mod table_storage;
pub(crate) mod together;
pub mod unloaded;

use crate::error::{Error, Result};
use crate::ident::{Ident, TableName};
use crate::mapping::cell::CellRef;
use crate::mapping::column::Column;
use crate::mapping::column_type::ColumnType;
use crate::mapping::param::Param;
use crate::mapping::rows::Rows;
use crate::mapping::typed_fields::TypedFields;
use capabilities::Capabilities;
use fate::{Fate, TransactionId};
use flight::Request;
use interrupt::Interrupt;
use leftovers::Leftovers;
use refusal::Refusal;
use server_limit::ServerLimit;
use server_state::{Fork, LogPlace, ServerState};
use std::fmt::Debug;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};
use table_info::TableInfo;
use table_storage::TableStorage;
use unloaded::Unloaded;

/// Opens connections to one database.
pub trait Backend: Debug + Send + Sync {
    /// Opens a connection before `deadline`: TCP, authentication and session set-up together.
    ///
    /// # Errors
    /// `Connect`, with the SQLSTATE where the server gave one.
    fn connect(&self, deadline: Instant) -> Result<Box<dyn Connection>>;

    /// The most connections that make sense at once, where the database has such a limit: 1 for a
    /// database in memory.
    fn max_connections(&self) -> Option<u32>;

    /// Takes the lock of a job, held until it is dropped or its holder dies; `None` if another
    /// holds it.
    ///
    /// # Errors
    /// `Connect` or `Database` if it cannot be asked for.
    fn lock_job(&self, key: i64, deadline: Instant) -> Result<Option<Box<dyn JobLock>>>;

    /// Takes the lock of a job beside others that share it; `None` if one holds it alone. Held as
    /// that of [`lock_job`](Self::lock_job) is.
    ///
    /// # Errors
    /// `Unsupported` where it cannot be shared; as [`lock_job`](Self::lock_job).
    fn share_job(&self, key: i64, deadline: Instant) -> Result<Option<Box<dyn JobLock>>>;

    /// Whether anybody holds the lock of each of these jobs, alone or shared. Takes none.
    ///
    /// # Errors
    /// As [`lock_job`](Self::lock_job).
    fn locked_jobs(&self, keys: &[i64], deadline: Instant) -> Result<Vec<bool>>;

    /// Whether the database is there; one that is not is made by the first connection. Opens
    /// nothing, and says yes where only a connection can tell.
    ///
    /// # Errors
    /// `Connect` if it is not there and cannot be made.
    fn is_there(&self) -> Result<bool> {
        Ok(true)
    }

    /// What it connects to, for messages: without the password.
    fn describe(&self) -> String;
}

/// The lock of a job; dropping it gives it back.
pub trait JobLock: Debug + Send {
    /// Whether it is still held; a lock whose connection was lost is not.
    fn is_held(&mut self) -> bool;

    /// Takes another lock, which is held and lost together with this one; `false` if another holds
    /// it.
    ///
    /// # Errors
    /// As [`Backend::lock_job`].
    fn also(&mut self, key: i64) -> Result<bool>;

    /// Takes away what a holder of another lock has left, if it died; best effort.
    fn sweep(&mut self, key: i64);
}

/// A connection to a database. It is used by one thread at a time.
///
/// No method has a default: what wraps a connection would lose it silently.
pub trait Connection: Debug + Send {
    /// What the database behind it can do.
    fn capabilities(&self) -> &Capabilities;

    /// Runs one or more statements without parameters and forgets their results.
    ///
    /// # Errors
    /// `Database` or `Disconnect`.
    fn run(&mut self, sql: &str) -> Result<()>;

    /// Has statements without parameters run ahead of the next request, and sent with it where they
    /// can be, so that they cost no round trip of their own. They must not end the transaction, nor a
    /// part of it: then, and where nothing can be sent together, they run at once. What they fail with,
    /// the next request fails with; a rollback that comes before it takes them back unsent.
    ///
    /// # Errors
    /// As [`run`](Self::run), where they run at once.
    fn ahead(&mut self, sql: &str) -> Result<()>;

    /// As [`ahead`](Self::ahead), one statement with parameters, whose rows nobody wants. It may have to be
    /// prepared, which takes a round trip on each connection, once, and sends what went before it.
    ///
    /// # Errors
    /// As [`execute`](Self::execute), where it runs at once; that of preparing it, or of what went before.
    fn execute_ahead(&mut self, sql: &str, params: &[Param<'_>]) -> Result<()>;

    /// Runs one statement and returns how many rows it changed.
    ///
    /// # Errors
    /// `Database` or `Disconnect`.
    fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64>;

    /// Runs one query and hands each row to `each`, in constant memory. After an error of `each`
    /// the rest of the result is thrown away.
    ///
    /// # Errors
    /// `Database` or `Disconnect`; what `each` returns.
    fn query(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
        each: &mut dyn FnMut(&dyn RowRef) -> Result<()>,
    ) -> Result<()>;

    /// Sends statements together and notes what came of each. Outside of a transaction it is as if each
    /// were run alone, so one that fails keeps no other from being run; in one, those behind it are not
    /// run. One that may leave something behind is not sent, and in a transaction none behind it is;
    /// their outcomes say so. After an error of the whole, nobody knows what became of a request whose
    /// outcome is unknown.
    ///
    /// # Errors
    /// `Disconnect`; `Unsupported` where statements cannot be sent together.
    fn fly(&mut self, requests: &mut [Request]) -> Result<()>;

    /// Loads the rows of `range` into `columns` of `table` the fastest way there is (COPY BINARY,
    /// multi-row statements) and returns how many there were. All or none: in a transaction, an
    /// error asks for a rollback to a savepoint before the next statement.
    ///
    /// # Errors
    /// `Database` or `Disconnect`; the place has the row of the range, from 1, where it is known.
    fn load(
        &mut self,
        table: &TableName,
        columns: &[Column],
        rows: &Rows,
        range: Range<usize>,
    ) -> Result<u64>;

    /// Runs one query without parameters the fastest way there is (COPY BINARY) and hands each row
    /// to `each`, packed, in constant memory; returns how many there were. The columns of the
    /// query are values of `types`: who asks has cast them, where the database has types. After an
    /// error of `each` the rest of the result is thrown away.
    ///
    /// # Errors
    /// `Database` or `Disconnect`; what `each` returns.
    fn unload(
        &mut self,
        select: &str,
        types: &[ColumnType],
        each: &mut dyn FnMut(Unloaded<'_>) -> Result<()>,
    ) -> Result<u64>;

    /// Starts a transaction that is going to write. The server may be told only with its first statement,
    /// which then says what is wrong with either.
    ///
    /// # Errors
    /// `Database` or `Disconnect`.
    fn begin(&mut self) -> Result<()>;

    /// Starts a transaction that is going to write and runs `settings` in it, which may be nothing:
    /// ahead of its first statement, as [`ahead`](Self::ahead).
    ///
    /// # Errors
    /// As [`begin`](Self::begin), where it is started at once.
    fn begin_with(&mut self, settings: &str) -> Result<()>;

    /// Commits. After an error other than one of the class `Data` or `Transient` nobody knows
    /// whether it held.
    ///
    /// # Errors
    /// `Database` or `Disconnect`.
    fn commit(&mut self) -> Result<()>;

    /// Rolls back; without a transaction it does nothing.
    ///
    /// # Errors
    /// `Disconnect`.
    fn rollback(&mut self) -> Result<()>;

    /// The number of the open transaction, by which [`fate`](Self::fate) finds it again; `None`
    /// where it has written nothing, or the database numbers none.
    ///
    /// # Errors
    /// `Database` or `Disconnect`.
    fn transaction_id(&mut self) -> Result<Option<TransactionId>>;

    /// What became of a transaction of another connection.
    ///
    /// # Errors
    /// `Database` or `Disconnect`.
    fn fate(&mut self, transaction: &TransactionId) -> Result<Fate>;

    /// Checks now the constraints that the open transaction has left to its end, where they cannot
    /// be checked by the statements themselves (`deferred_constraints`); elsewhere it does nothing.
    ///
    /// # Errors
    /// `Database`, with the SQLSTATE that `commit` would have failed with; `Disconnect`.
    fn check_constraints(&mut self) -> Result<()>;

    /// What the catalog says of a table; `None` if there is none of that name.
    ///
    /// # Errors
    /// `Database` or `Disconnect`.
    fn table_info(&mut self, table: &TableName) -> Result<Option<TableInfo>>;

    /// Where the rows of a table lie, and what is known of the values of its column `key`; `None` if
    /// there is no table of that name.
    ///
    /// # Errors
    /// `Database` or `Disconnect`.
    fn table_storage(
        &mut self,
        table: &TableName,
        key: Option<&Ident>,
    ) -> Result<Option<TableStorage>>;

    /// Asks whether the other side still answers, before `deadline`, and is still what it was when
    /// the connection was opened: a primary that became a standby is not.
    ///
    /// # Errors
    /// `Disconnect`.
    fn ping(&mut self, deadline: Instant) -> Result<()>;

    /// Makes it, before `deadline`, what it was when it was opened, and says what was left behind:
    /// an open transaction, or anything that outlives one (settings, a role, temporary tables,
    /// locks, prepared statements, cursors, subscriptions). Costs nothing where nothing can have
    /// been left. After an error the connection is to be closed.
    ///
    /// # Errors
    /// `Database` or `Disconnect`.
    fn reset(&mut self, deadline: Instant) -> Result<Leftovers>;

    /// Has the next reset take away all that can be left, if any statement ran, whatever is known of
    /// it. Sends nothing.
    fn distrust(&mut self);

    /// Sets how long one statement may take from now on, `None` for as long as it wants; a reset
    /// takes it back. A statement that takes longer is cancelled, and where that does not help,
    /// because the other side is silent, the connection is severed.
    ///
    /// # Errors
    /// `Unsupported` where statements cannot be bounded; `Database` or `Disconnect`.
    fn set_statement_timeout(&mut self, limit: Option<Duration>) -> Result<()>;

    /// What another thread can end its statement with; `None` where nothing can.
    fn interrupt(&self) -> Option<Arc<dyn Interrupt>>;

    /// How many connections the server has room for; `None` where there is no such limit.
    ///
    /// # Errors
    /// `Database` or `Disconnect`.
    fn server_limit(&mut self) -> Result<Option<ServerLimit>>;

    /// What the server says of itself and of its place among its replicas, before `deadline`; `None`
    /// where there is no such thing as a replica.
    ///
    /// # Errors
    /// `Database` or `Disconnect`.
    fn server_state(&mut self, deadline: Instant) -> Result<Option<ServerState>>;

    /// How far the log of the server is written now, which is behind everything that was committed
    /// before; on a standby, how much of it shows. `None` where there is no such thing as a replica.
    ///
    /// # Errors
    /// `Database` or `Disconnect`.
    fn log_place(&mut self) -> Result<Option<LogPlace>>;

    /// Where the branches that lead to `timeline` left each other, asked of a server of that branch
    /// before `deadline`; `None` where the user may not see that, or where there is no such thing.
    ///
    /// # Errors
    /// `Database` or `Disconnect`.
    fn log_forks(&mut self, timeline: u32, deadline: Instant) -> Result<Option<Vec<Fork>>>;

    /// Why a row was refused, as an error without values of the row.
    fn explain(&self, refusal: Refusal) -> Error;

    /// Whether it is in a transaction, as far as the statements that ran through it tell.
    fn in_transaction(&self) -> bool;

    /// Whether it must not be used again. Never blocks.
    fn is_broken(&self) -> bool;
}

/// A row of a result.
pub trait RowRef {
    /// How many cells it has.
    fn len(&self) -> usize;

    /// Whether it has no cell.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The name of cell `index`.
    fn name(&self, index: usize) -> &str;

    /// Cell `index`.
    ///
    /// # Errors
    /// `Decode` if there is no such cell.
    fn cell(&self, index: usize) -> Result<CellRef<'_>>;

    /// Its cells, packed, where all of them lie one behind the other. Default: they do not.
    fn fields(&self) -> Option<TypedFields<'_>> {
        None
    }
}
