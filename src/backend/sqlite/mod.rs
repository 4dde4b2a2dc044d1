//! SQLite, embedded: `rusqlite` is known here and nowhere else.
//!
//! - `abilities`:  what it can do
//! - `backend`:    opens connections to one database and holds the locks of jobs
//! - `open`:       a file or memory made into a connection, with errors that say what to do
//! - `memory`:     the one connection of a database in memory, lent and given back
//! - `patience`:   how long a statement waits for the lock of another process
//! - `gate`:       whose turn it is to write, first come, first served
//! - `job_lock`:   the lock of a job: a file beside the database
//! - `connection`: statements and transactions
//! - `turn`:       the turn of a connection at the gate, and what became of its transaction
//! - `deferred`:   whether a foreign key is left unresolved by the transaction so far
//! - `traces`:     what statements may have left on a connection, and taking it away
//! - `watch`:      ending a statement before it is through
//! - `values`:     packed fields and parameters as SQLite's values
//! - `bind`:       values bound to `$1`, `$2`, ... whatever their order
//! - `row`:        a row of a result
//! - `load`:       packed rows into a table
//! - `unload`:     rows read in bulk
//! - `catalog`:    what `sqlite_schema` and the pragmas say of a table
//! - `declared`:   what the declared type of a column means
//! - `errors`:     SQLite's codes as SQLSTATEs
//!
//! Four promises.
//!
//! *One writer, in turn.* SQLite has one writer at a time. Within a backend, writers queue at a
//! gate and get it in the order in which they came; readers never queue, because the database is
//! in WAL mode. Between processes the busy timeout decides.
//!
//! *What was committed survives the death of the process.* WAL with `synchronous = NORMAL` writes
//! a commit to the operating system before it returns, so `kill -9` at any instant loses nothing.
//! A loss of power may take back the last commits; they go together with the ledger rows that
//! were written in them, so that a restart does these batches again and the result is the same.
//!
//! *A transaction that SQLite rolled back by itself is not carried on by accident.* Disk full, an
//! I/O error or a trigger with `RAISE(ROLLBACK)` ends a transaction; every later statement is
//! refused with 25P02 until a rollback, instead of being committed on its own.
//!
//! *Nothing waits for ever*: not at the gate, not for another process, not for the one connection
//! of a database in memory.

mod abilities;
mod backend;
mod bind;
mod catalog;
mod connection;
mod declared;
mod deferred;
mod errors;
mod gate;
mod job_lock;
mod load;
mod memory;
mod open;
mod patience;
mod row;
mod traces;
mod turn;
mod unload;
mod values;
mod watch;

pub use backend::SqliteBackend;
