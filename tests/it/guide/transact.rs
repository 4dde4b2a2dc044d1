//! Transactions, locks, threads.

use super::model::{Artist, artist, on_both_with_tables};
use crate::support::Home;
use crate::support::chinook::{Invoice, Track, fill, on_both_filled};
use rowmill::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

#[test]
fn several_statements_hold_together_or_not_at_all() {
    on_both_with_tables(|home| {
        let engine = home.engine();
        let told = Arc::new(AtomicU32::new(0));
        let tell = Arc::clone(&told);
        // guide
        let id = engine.transaction(|transaction| {
            let mut nina = Artist { id: 0, name: "Nina".to_owned(), country: None };
            nina.insert(transaction)?;
            // What fails in here is taken back alone.
            let tried = transaction.savepoint(|transaction| {
                Delete::<Artist>::new().every_row().run(transaction)?;
                Err::<(), _>(Error::new(ErrorKind::Config, "on second thoughts"))
            });
            assert!(tried.is_err());
            transaction.on_commit(move || _ = tell.fetch_add(1, Ordering::Relaxed));
            Ok(nina.id)
        })?; // an error or a panic rolls back

        let guard = engine.begin()?;
        Artist::get(&guard, id)?;
        guard.commit()?; // without it: rolled back
        // guide
        assert_eq!(home.rows("select id, name from artists"), [format!("{id}|Nina")]);
        assert_eq!(told.load(Ordering::Relaxed), 1);
        Ok(())
    });
}

#[test]
fn a_transaction_is_run_again_after_what_may_pass() {
    on_both_with_tables(|home| {
        let engine = home.engine();
        artist("a").insert(engine)?;
        // guide
        let options = TransactionOptions::new()
            .isolation(rowmill::Isolation::Serializable)
            .retry(rowmill::RetryPolicy::default())
            .deadline(Duration::from_secs(10));
        let changed = engine.transact(&options, |transaction| {
            Update::<Artist>::new().set(Artist::country, "NO").every_row().run(transaction)
        })?;
        // guide
        assert_eq!(changed, 1);
        assert_eq!(home.rows("select country from artists"), ["NO"]);
        Ok(())
    });
}

/// PostgreSQL alone has locks of rows.
#[test]
fn a_table_is_a_queue_of_work() {
    let home = Home::postgres();
    fill(&home);
    let engine = home.engine();
    let pay = || {
        // guide
        engine.transaction(|transaction| {
            let next = Invoice::query()
                .filter(Invoice::paid.eq(false))
                .order_by(Invoice::id)
                .for_update()
                .skip_locked()
                .first(transaction)?;
            let Some(invoice) = next else { return Ok(false) };
            Update::<Invoice>::new()
                .set(Invoice::paid, true)
                .filter(Invoice::id.eq(invoice.id))
                .run(transaction)?;
            Ok(true)
        })
        // guide
    };
    while pay().unwrap() {}
    assert_eq!(home.rows("select count(*) from invoices where not paid"), ["0"]);
}

#[test]
fn a_lock_has_a_name() {
    on_both_with_tables(|home| {
        let engine = home.engine();
        // guide
        let lock = engine.advisory_lock("nightly invoices", Duration::from_secs(5))?;
        // ... what one process at a time may do ...
        drop(lock);
        let lock = engine.try_advisory_lock("nightly invoices")?; // an Option, without waiting
        // guide
        assert!(lock.is_some());
        Ok(())
    });
}

#[test]
fn threads_share_an_engine() {
    on_both_filled(|home| {
        let engine = home.engine();
        // guide
        let counts: Vec<Result<u64>> = std::thread::scope(|scope| {
            let workers: Vec<_> = [99, 129, 199]
                .map(|cents| {
                    scope.spawn(move || Track::query().filter(Track::cents.eq(cents)).count(engine))
                })
                .into();
            workers.into_iter().map(|worker| worker.join().expect("no panic")).collect()
        });
        // guide
        assert_eq!(counts.into_iter().map(Result::unwrap).sum::<u64>(), 500);
    });
}

#[test]
fn a_job_is_what_a_pool_of_threads_was_for() {
    on_both_filled(|home| {
        let engine = home.engine();
        let run = || -> Result<()> {
            // guide
            #[derive(Clone, Debug, Entity)]
            #[entity(table = "squares")]
            struct Square {
                #[entity(key)]
                number: i64,
                square: i64,
            }

            let report = rowmill::Job::named("squares")
                .read(rowmill::Iter::new("numbers", || 1..=10_000_i64))
                .map(|number| Ok(Square { number, square: number * number })) // on all workers
                .write(rowmill::Upsert::<Square>::new().create(true)) // each batch: one transaction
                .batch_rows(1_000)
                .run(engine)?;
            // guide
            assert_eq!(report.read, 10_000);
            Ok(())
        };
        run().unwrap();
        assert_eq!(home.rows("select count(*), max(square) from squares"), ["10000|100000000"]);
    });
}
