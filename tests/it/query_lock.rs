//! Rows that are locked while a transaction works on them.

use crate::support::Home;
use crate::support::chinook::{Invoice, fill};
use rowmill::{ErrorKind, Find, Query, Transaction, Update};
use std::collections::BTreeSet;
use std::sync::{Barrier, Mutex};
use std::thread;

fn next_unpaid() -> Query<Invoice> {
    Invoice::query().filter(Invoice::paid.eq(false)).order_by(Invoice::id).limit(1).for_update()
}

fn filled() -> Home {
    let home = Home::postgres();
    fill(&home);
    home
}

#[test]
fn two_transactions_take_different_rows_of_a_queue() {
    let home = filled();
    let (first, second) = (home.engine().begin().unwrap(), second_engine(&home));
    let second = second.begin().unwrap();
    let queue = next_unpaid().skip_locked();
    let one = queue.one(&first).unwrap();
    let two = queue.one(&second).unwrap();
    assert!(one.id < two.id);
    first.rollback().unwrap();
    assert_eq!(queue.one(&second).unwrap(), one, "what was given up is there again");
}

/// A thread is refused a second connection of one engine; this is another one.
fn second_engine(home: &Home) -> rowmill::Engine {
    rowmill::Engine::open(home.url()).unwrap()
}

#[test]
fn workers_share_a_queue_and_each_job_is_done_once() {
    let home = filled();
    let unpaid = home.rows("select id from invoices where not paid order by id");
    let (done, start) = (Mutex::new(Vec::new()), Barrier::new(4));
    let pay_next = |transaction: &mut Transaction| {
        let Some(invoice) = next_unpaid().skip_locked().first(transaction)? else {
            return Ok(None);
        };
        let paid = Update::<Invoice>::new().set(Invoice::paid, true);
        paid.filter(Invoice::id.eq(invoice.id)).run(transaction)?;
        Ok(Some(invoice.id))
    };
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                start.wait();
                while let Some(id) = home.engine().transaction(pay_next).unwrap() {
                    done.lock().unwrap().push(id);
                }
            });
        }
    });
    let done = done.into_inner().unwrap();
    let once: BTreeSet<_> = done.iter().copied().collect();
    assert_eq!(once.iter().map(ToString::to_string).collect::<Vec<_>>(), unpaid);
    assert_eq!(done.len(), unpaid.len());
    assert!(unpaid.len() > 10);
}

#[test]
fn who_does_not_want_to_wait_is_told() {
    let home = filled();
    let first = home.engine().begin().unwrap();
    let locked = next_unpaid().one(&first).unwrap();
    let other = second_engine(&home);
    let error = next_unpaid().no_wait().one(&other).unwrap_err();
    assert_eq!(error.sqlstate().unwrap().to_string(), "55P03");
    // Who only reads does not wait.
    let read = Invoice::query().filter(Invoice::id.eq(locked.id)).one(&other).unwrap();
    assert_eq!(read, locked);
}

#[test]
fn a_database_that_locks_no_rows_says_so_where_it_would_matter() {
    let home = Home::sqlite();
    fill(&home);
    assert!(next_unpaid().first(home.engine()).unwrap().is_some());
    for query in [next_unpaid().skip_locked(), next_unpaid().no_wait()] {
        assert_eq!(query.first(home.engine()).unwrap_err().kind(), ErrorKind::Unsupported);
    }
}
