//! A plan outlives its process; a table that changed is refused where instants would be mixed.

use super::consistency::{Row, home_with_rows, wait_until_counted};
use crate::support::Home;
use rowmill::{Append, Consistency, Entity, Error, ErrorKind, Job, Partitions, Result, Table};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A job from `a` to `b`; `meanwhile` may fail at a row, of which it is told how many came before.
fn job(table: Table<Row>, meanwhile: impl Fn(u64) -> Result<()> + Send + Sync + 'static) -> Job {
    let seen = AtomicU64::new(0);
    Job::named("the same")
        .read(table)
        .map(move |row: Row| {
            meanwhile(seen.fetch_add(1, Ordering::SeqCst))?;
            Ok(row)
        })
        .write(Append::<Row>::new().table("b"))
        .batch_rows(100)
        .workers(1)
}

/// Fails in the middle of the table, or at its first row.
fn broken_off(home: &Home, table: Table<Row>, at: u64) {
    let fail = move |seen| match seen {
        seen if seen >= at => Err(Error::new(ErrorKind::Internal, "power cut")),
        _ => Ok(()),
    };
    let error = job(table, fail).run(home.engine()).unwrap_err();
    assert!(error.to_string().contains("power cut"), "{error}");
}

fn carried_on(home: &Home, table: Table<Row>) -> Result<u64> {
    job(table, |_| Ok(())).run(home.engine()).map(|report| report.batches_reused)
}

fn tables() -> Vec<fn() -> Table<Row>> {
    vec![
        Table::all,
        || Table::all().consistency(Consistency::Snapshot),
        || Table::all().consistency(Consistency::Snapshot).partitions(Partitions::Blocks),
        || Table::all().consistency(Consistency::Static),
    ]
}

#[test]
fn what_was_begun_is_carried_on_with_the_plan_that_was_kept() {
    for table in tables() {
        let home = home_with_rows();
        broken_off(&home, table(), 450);
        assert!(carried_on(&home, table()).unwrap() >= 1);
        super::assert_same(&home, "before", "b");
    }
}

#[test]
fn key_by_key_a_restart_goes_on_whatever_was_written_meanwhile() {
    let home = home_with_rows();
    broken_off(&home, Table::all(), 450);
    home.sql("insert into a values (0, 0), (3000, 0); delete from a where id in (1, 1000)");
    assert!(carried_on(&home, Table::all()).unwrap() >= 4);
    assert_eq!(home.rows("select id from b group by id having count(*) > 1"), [] as [&str; 0]);
    let missing = "select id from (select id from before union select id from a) x \
                   where id not in (select id from b) order by id";
    assert_eq!(home.rows(missing), ["0", "1000"]);
}

/// batch R10
#[test]
fn instants_are_not_mixed_and_the_difference_is_told() {
    for table in tables().split_off(1) {
        let home = home_with_rows();
        broken_off(&home, table(), 450);
        home.sql("delete from a where id = 1000");
        wait_until_counted(&home, 1);
        let error = carried_on(&home, table()).unwrap_err().to_string();
        assert!(error.contains("it was 1000 inserted, 0 updated, 0 deleted"), "{error}");
        assert!(error.contains("it is 1000 inserted, 0 updated, 1 deleted"), "{error}");
        assert!(error.contains("[job the same, table a]"), "{error}");
    }
}

#[test]
fn a_snapshot_of_which_nothing_was_stored_is_taken_anew() {
    let home = home_with_rows();
    let table = || Table::all().consistency(Consistency::Snapshot);
    broken_off(&home, table(), 0);
    home.sql("update a set v = 0; insert into a values (5000, 1); delete from a where id = 7");
    carried_on(&home, table()).unwrap();
    super::assert_same(&home, "a", "b");
}

#[test]
fn a_table_that_was_rewritten_or_altered_is_another_input() {
    for change in ["vacuum full a", "truncate a", "alter table a add column more text"] {
        let home = home_with_rows();
        broken_off(&home, Table::all(), 450);
        home.sql(change);
        let error = carried_on(&home, Table::all()).unwrap_err().to_string();
        assert!(error.contains("the input changed after a run had begun"), "{change}: {error}");
    }
}

#[test]
fn a_snapshot_whose_holder_was_lost_ends_the_run_and_the_next_one_carries_on() {
    let home = Arc::new(home_with_rows());
    let table = || Table::all().consistency(Consistency::Snapshot);
    let lose = {
        let home = Arc::clone(&home);
        move |seen| {
            if seen == 450 {
                // It is the one that is idle in its transaction.
                home.rows(
                    "select pg_terminate_backend(pid, 10000) from pg_stat_activity \
                     where state = 'idle in transaction' and datname = current_database()",
                );
            }
            Ok(())
        }
    };
    let error = job(table(), lose).run(home.engine()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Source);
    assert!(error.to_string().contains("the snapshot is gone"), "{error}");
    assert!(carried_on(&home, table()).unwrap() >= 1);
    super::assert_same(&home, "before", "b");
}

/// A row that does not fit into what a server sends ahead.
#[derive(Clone, Debug, Entity)]
#[entity(table = "a")]
struct Fat {
    #[entity(key)]
    id: i64,
    v: i64,
    filler: String,
}

#[test]
fn a_connection_that_is_lost_while_a_batch_is_read_costs_a_second_reading() {
    let home = Arc::new(home_with_rows());
    home.sql("alter table a add filler text not null default repeat('x', 400000)");
    home.sql("delete from a where id > 400; delete from before where id > 400");
    let seen = AtomicU64::new(0);
    let server = Arc::clone(&home);
    let report = Job::named("fat")
        .read(Table::<Fat>::all())
        .map(move |row: Fat| {
            if seen.fetch_add(1, Ordering::SeqCst) == 150 {
                server.rows(
                    "select pg_terminate_backend(pid) from pg_stat_activity \
                     where query like 'COPY (SELECT%' and datname = current_database()",
                );
            }
            assert_eq!(row.filler.len(), 400_000);
            Ok(Row { id: row.id, v: row.v })
        })
        .write(Append::<Row>::new().table("b"))
        .batch_rows(100)
        .workers(1)
        .run(home.engine())
        .unwrap();
    assert_eq!((report.read, report.retries), (400, 1));
    super::assert_same(&home, "before", "b");
}
