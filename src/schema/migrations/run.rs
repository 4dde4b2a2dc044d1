//! Applying what is pending.

use super::file::Migration;
use super::folder::Migrations;
use super::record;
use super::state::{self, MigrationState, MigrationStatus};
use crate::backend::{Connection, JobLock};
use crate::engine::{Engine, Executor, Intent};
use crate::error::{Error, ErrorKind, Locate, Result};
use crate::sql::dialect::Dialect;
use crate::sql::script;
use std::thread;
use std::time::{Duration, Instant};

/// The number of the lock of whoever migrates a database.
const LOCK: i64 = 8_251_966_271_236_480;
/// How long to wait before asking for it again.
const PAUSE: Duration = Duration::from_millis(100);

/// A migration that was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AppliedMigration {
    /// The name of its file.
    pub name: String,
    /// How long it took.
    pub took: Duration,
}

/// The state of all migrations.
pub(super) fn status(migrations: &Migrations, on: &Engine) -> Result<Vec<MigrationStatus>> {
    let records = on.with(Intent::Read, |connection| record::list(connection))?;
    Ok(state::of_all(&migrations.files, &records, migrations.out_of_order))
}

/// Applies what is pending, in order, and tells `each` of every one.
pub(super) fn run(
    migrations: &Migrations,
    engine: &Engine,
    each: &mut dyn FnMut(&AppliedMigration),
) -> Result<()> {
    // Where nothing is to be done, nobody is locked out.
    if pending(migrations, engine)?.is_empty() {
        return Ok(());
    }
    let mut lock = lock(engine, migrations.wait)?;
    engine.atomically(|connection| record::create(connection))?;
    // Another one may have been at it in the meantime.
    for migration in pending(migrations, engine)? {
        if !lock.is_held() {
            return Err(lost(migration));
        }
        let start = Instant::now();
        let applied = apply(&mut *engine.get()?, migration, start);
        applied.locate(|place| place.file = Some(migration.name().to_owned()))?;
        each(&AppliedMigration { name: migration.name().to_owned(), took: start.elapsed() });
    }
    Ok(())
}

fn pending<'a>(migrations: &'a Migrations, engine: &Engine) -> Result<Vec<&'a Migration>> {
    let all = status(migrations, engine)?;
    state::check(&all)?;
    let is_pending = |migration: &&Migration| {
        all.iter().any(|status| {
            status.version == migration.version() && status.state == MigrationState::Pending
        })
    };
    Ok(migrations.files.iter().filter(is_pending).collect())
}

/// Asks for the lock until it is there: a statement that waited for it would have a snapshot, for
/// which a `CREATE INDEX CONCURRENTLY` of its holder would wait in turn.
fn lock(engine: &Engine, wait: Duration) -> Result<Box<dyn JobLock>> {
    let start = Instant::now();
    loop {
        if let Some(lock) = engine.lock_job(LOCK)? {
            return Ok(lock);
        }
        if start.elapsed() >= wait {
            let message = format!("another process has been migrating this database for {wait:?}");
            return Err(Error::new(ErrorKind::AlreadyRunning, message)
                .with_hint("wait for its end, or give more time"));
        }
        thread::sleep(PAUSE.min(wait));
    }
}

fn lost(migration: &Migration) -> Error {
    let message = format!("the lock was lost before {} was applied", migration.name());
    Error::new(ErrorKind::Disconnect, message).with_hint("run the same again")
}

fn apply(connection: &mut dyn Connection, migration: &Migration, start: Instant) -> Result<()> {
    if !migration.in_transaction() {
        run_alone(connection, migration)?;
        return record::add(connection, migration, start.elapsed());
    }
    connection.begin()?;
    connection.run(migration.sql())?;
    if !connection.in_transaction() {
        let message = "the file ends the transaction in which it runs, and is not recorded";
        return Err(Error::new(ErrorKind::Config, message).with_hint(
            "leave COMMIT and ROLLBACK out, or say -- rowmill: no-transaction; what the file did \
             before is in the database",
        ));
    }
    record::add(connection, migration, start.elapsed())?;
    connection.commit()
}

/// Statements that are sent together are one transaction on PostgreSQL.
fn run_alone(connection: &mut dyn Connection, migration: &Migration) -> Result<()> {
    match connection.capabilities().dialect {
        Dialect::PostgreSql => script::statements(migration.sql())
            .into_iter()
            .try_for_each(|statement| connection.run(statement)),
        Dialect::Sqlite => connection.run(migration.sql()),
    }
}
