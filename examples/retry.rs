//! Four threads move money between ten accounts, and whoever meets another is run again as a whole.
//! Run with `cargo run --example retry`; on PostgreSQL with `ROWMILL_TARGET=postgresql://...`.
//! You should see `200 transfers by 4 threads, 100000 cents before and after`.
#![allow(clippy::print_stdout, clippy::expect_used, reason = "an example")]

use rowmill::{
    Cell, Engine, ErrorKind, Isolation, Result, RetryPolicy, Transaction, TransactionOptions,
};
use std::thread;

const ACCOUNTS: i64 = 10;
const THREADS: i64 = 4;
const TRANSFERS: i64 = 50;

fn cents(transaction: &mut Transaction, sql: &str) -> Result<i64> {
    let mut found = 0;
    transaction.query(sql, &[], |row| {
        found = Cell::unpack(row.cell(0)?)?;
        Ok(())
    })?;
    Ok(found)
}

/// Moves 7 cents: both halves, or none.
fn transfer(transaction: &mut Transaction, from: i64, to: i64) -> Result<u64> {
    let add = "update example_accounts set cents = cents + $1 where id = $2";
    transaction.execute(add, &[7.into(), to.into()])?;
    transaction.execute(add, &[(-7).into(), from.into()])
}

fn main() -> Result<()> {
    let folder = tempfile::tempdir().expect("make a folder");
    let file = format!("sqlite:{}", folder.path().join("example.db").display());
    let engine = Engine::open(&std::env::var("ROWMILL_TARGET").unwrap_or(file))?;
    engine.run("drop table if exists example_accounts")?;
    engine.run("create table example_accounts (id bigint primary key, cents bigint not null)")?;
    engine.transaction(|transaction| {
        for id in 0..ACCOUNTS {
            let row = "insert into example_accounts values ($1, 10000)";
            transaction.execute(row, &[id.into()])?;
        }
        Ok(())
    })?;

    let options =
        TransactionOptions::new().isolation(Isolation::Serializable).retry(RetryPolicy::default());
    thread::scope(|scope| {
        for worker in 0..THREADS {
            let (engine, options) = (&engine, &options);
            scope.spawn(move || {
                for number in 0..TRANSFERS {
                    let (from, to) = ((worker + number) % ACCOUNTS, (worker * number) % ACCOUNTS);
                    let moved = engine.transact(options, |it| transfer(it, from, to));
                    assert_eq!(moved.expect("move"), 1);
                }
            });
        }
    });

    let total = engine.transaction(|transaction| {
        // What fails within a savepoint is taken back alone.
        let refused: Result<()> = transaction.savepoint(|transaction| {
            transaction.execute("delete from example_accounts", &[])?;
            Err(rowmill::Error::new(ErrorKind::Config, "on second thoughts"))
        });
        assert!(refused.is_err());
        // PostgreSQL's sum of bigints is a numeric.
        cents(transaction, "select cast(sum(cents) as bigint) from example_accounts")
    })?;
    assert_eq!(total, ACCOUNTS * 10_000);
    println!(
        "{} transfers by {THREADS} threads, {total} cents before and after",
        THREADS * TRANSFERS
    );
    Ok(())
}
