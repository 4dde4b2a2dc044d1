//! Small statements of many threads are sent together, and each is as if alone.

use crate::support::fake::until;
use crate::support::{TestDb, shared};
use rowmill::{
    Cell, Crud, Engine, Entity, ErrorKind, Executor, Flights, Insert, Intent, Param, Query, Result,
};
use std::thread;
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Entity)]
#[entity(table = "things")]
struct Thing {
    #[entity(key)]
    id: i64,
    name: Option<String>,
}

fn things(db: &TestDb<'_>) {
    db.sql(
        "create table things (id bigint primary key, name text);
         insert into things select n, 'thing ' || n from generate_series(1, 1000) n;
         insert into things values (0, null)",
    );
}

fn engine(db: &TestDb<'_>) -> Engine {
    Engine::builder(&db.url()).pool_size(4).max_overflow(0).build().unwrap()
}

/// Has `work` run for each of `items` while the only flight waits for a lock, so that all of them go
/// together with the next one.
fn together<I: Sync, T: Send>(
    db: &TestDb<'_>,
    flights: &Flights,
    items: &[I],
    work: impl Fn(&Flights, &I) -> T + Sync,
) -> (Result<u64>, Vec<T>) {
    let blocker = engine(db);
    let mut blocking = blocker.begin().unwrap();
    blocking.run("update things set name = name where id = 0").unwrap();
    thread::scope(|scope| {
        let leader = scope.spawn(|| change(flights, "update things set name = null where id = 0"));
        until("the leader waits for the lock", || is_waiting(db));
        let others: Vec<_> = items
            .iter()
            .enumerate()
            .map(|(number, item)| {
                let other = scope.spawn(|| work(flights, item));
                until("one more waits", || flights.waiting() == number + 1);
                other
            })
            .collect();
        blocking.commit().unwrap();
        let others = others.into_iter().map(|other| other.join().unwrap()).collect();
        (leader.join().unwrap(), others)
    })
}

fn is_waiting(db: &TestDb<'_>) -> bool {
    let sql = "select count(*) from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'";
    db.connect().query_one(sql, &[]).unwrap().get::<_, i64>(0) > 0
}

fn change(on: &impl Executor, sql: &str) -> Result<u64> {
    on.with(Intent::Write, |connection| connection.execute(sql, &[]))
}

fn texts(on: &impl Executor, sql: &str, params: &[Param<'_>]) -> Result<Vec<Option<String>>> {
    on.with(Intent::Read, |connection| {
        let mut texts = Vec::new();
        connection.query(sql, params, &mut |row| {
            texts.push(Option::<String>::unpack(row.cell(0)?)?);
            Ok(())
        })?;
        Ok(texts)
    })
}

#[test]
fn those_who_wait_are_sent_together_and_each_gets_its_own_answer() {
    let db = shared().database("flights");
    things(&db);
    let engine = engine(&db);
    let flights = engine.flights(1).unwrap();
    let before = engine.pool().stats().check_outs;
    let ids: Vec<i64> = (1..=16).collect();
    let (leader, things) =
        together(&db, &flights, &ids, |on, id| Thing::get(on, *id).unwrap().unwrap());
    assert_eq!(leader.unwrap(), 1);
    for (id, thing) in ids.iter().zip(things) {
        assert_eq!(thing, Thing { id: *id, name: Some(format!("thing {id}")) });
    }
    assert_eq!(
        engine.pool().stats().check_outs - before,
        2,
        "the leader's, and that of all others"
    );
}

#[test]
fn one_that_fails_is_no_failure_of_another() {
    let db = shared().database("flights_fail");
    things(&db);
    let engine = engine(&db);
    let flights = engine.flights(1).unwrap();
    let statements = [
        "select name from things where id = 1",
        "insert into things values (1, 'again') returning name",
        "select name from nowhere",
        "select name from things where id / 0 = 1",
        "update things set name = 'changed' where id = 2 returning name",
        "select name from things where id = 3",
    ];
    let (_, outcomes) = together(&db, &flights, &statements, |on, sql| texts(on, sql, &[]));
    let shown: Vec<_> = outcomes
        .into_iter()
        .map(|outcome| match outcome {
            Ok(texts) => texts.into_iter().flatten().collect::<String>(),
            Err(error) => error.sqlstate().map_or("none".to_owned(), |it| it.code().to_owned()),
        })
        .collect();
    assert_eq!(shown, ["thing 1", "23505", "42P01", "22012", "changed", "thing 3"]);
    assert_eq!(
        texts(&flights, "select name from things where id = 2", &[]).unwrap()[0].as_deref(),
        Some("changed")
    );
}

#[test]
fn what_many_threads_do_is_what_one_would_have_done() {
    let db = shared().database("flights_many");
    things(&db);
    let engine = engine(&db);
    let flights = engine.flights(2).unwrap();
    thread::scope(|scope| {
        for worker in 0..16_i64 {
            let flights = &flights;
            scope.spawn(move || {
                for step in 0..50 {
                    let id = 10_000 + worker * 50 + step;
                    let mut thing = Thing { id, name: Some(format!("of {worker}")) };
                    thing.insert(flights).unwrap();
                    thing.name = None;
                    thing.update(flights).unwrap();
                    assert_eq!(Thing::get(flights, id).unwrap().as_ref(), Some(&thing));
                    assert_eq!(Thing::get(flights, step + 1).unwrap().unwrap().id, step + 1);
                }
            });
        }
    });
    let written = Query::<Thing>::new().filter(Thing::id.ge(10_000)).all(&engine).unwrap();
    assert_eq!(written.len(), 800);
    assert!(written.iter().all(|thing| thing.name.is_none()));
    assert_eq!(engine.pool().stats().in_use, 0);
}

#[test]
fn what_cannot_be_sent_with_others_gets_a_connection_of_its_own() {
    let db = shared().database("flights_own");
    things(&db);
    let engine = engine(&db);
    let flights = engine.flights(1).unwrap();
    flights
        .with(Intent::Write, |connection| {
            connection.execute("set search_path = pg_catalog", &[])?;
            connection.begin()?;
            assert!(connection.in_transaction());
            connection.execute("delete from public.things", &[])?;
            connection.rollback()
        })
        .unwrap();
    flights
        .atomically(|connection| {
            connection.execute("update things set name = 'both' where id in (1, 2)", &[])
        })
        .unwrap();
    // Neither the path nor the transaction is anybody else's.
    let sql = "select name from things where id = 1";
    assert_eq!(texts(&flights, sql, &[]).unwrap()[0].as_deref(), Some("both"));
    let sleeping = texts(&flights, "select pg_sleep(0)::text from things where id = 1", &[]);
    assert_eq!(sleeping.unwrap().len(), 1);
}

#[test]
fn a_lost_connection_is_the_failure_of_those_who_were_sent_with_it() {
    let db = shared().database("flights_lost");
    things(&db);
    let engine = engine(&db);
    let flights = engine.flights(1).unwrap();
    let mut blocking = engine.begin().unwrap();
    blocking.run("update things set name = name where id in (0, 7)").unwrap();
    let stuck = |id: i64| {
        let sql = format!("update things set name = 'mine' where id = {id}");
        change(&flights, &sql)
    };
    thread::scope(|scope| {
        let leader = scope.spawn(|| stuck(7));
        until("the leader waits for the lock", || is_waiting(&db));
        let others = [1, 2].map(|id| scope.spawn(move || stuck(id)));
        until("two wait", || flights.waiting() == 2);
        db.sql(
            "select pg_terminate_backend(pid) from pg_stat_activity
             where datname = current_database() and wait_event_type = 'Lock'",
        );
        assert_eq!(leader.join().unwrap().unwrap_err().kind(), ErrorKind::Disconnect);
        for other in others {
            assert_eq!(other.join().unwrap().unwrap(), 1, "it had not been sent yet");
        }
    });
    blocking.rollback().unwrap();
}

#[test]
fn all_who_were_sent_with_a_lost_connection_are_told() {
    let db = shared().database("flights_aboard");
    things(&db);
    let engine = engine(&db);
    let flights = engine.flights(1).unwrap();
    // The first of those that go together waits for a lock, the others behind it.
    let mut blocking = engine.begin().unwrap();
    blocking.run("update things set name = name where id = 7").unwrap();
    let killer = thread::scope(|scope| {
        let killer = scope.spawn(|| {
            until("the second flight waits", || is_blocked_by_seven(&db));
            db.sql(
                "select pg_terminate_backend(pid) from pg_stat_activity
                 where datname = current_database() and query like '%id = 7%' and wait_event_type = 'Lock'",
            );
        });
        let statements = [
            "update things set name = 'mine' where id = 7",
            "update things set name = 'mine' where id = 1",
            "select name from things where id = 2",
        ];
        let (_, outcomes) = together(&db, &flights, &statements, |on, sql| {
            on.with(Intent::Write, |connection| connection.execute(sql, &[]))
        });
        let kinds: Vec<_> = outcomes.into_iter().map(|it| it.unwrap_err().kind()).collect();
        assert_eq!(kinds, [ErrorKind::Disconnect; 3]);
        killer.join()
    });
    killer.unwrap();
    blocking.rollback().unwrap();
    assert!(Thing::get(&flights, 1_i64).is_ok(), "the next one flies again");
}

fn is_blocked_by_seven(db: &TestDb<'_>) -> bool {
    let sql = "select count(*) from pg_stat_activity where datname = current_database()
        and query like '%id = 7%' and wait_event_type = 'Lock'";
    db.connect().query_one(sql, &[]).unwrap().get::<_, i64>(0) > 0
}

#[test]
fn a_statement_that_takes_too_long_is_cancelled_and_no_other() {
    let db = shared().database("flights_limit");
    things(&db);
    let engine = Engine::builder(&db.url())
        .pool_size(4)
        .statement_timeout(Duration::from_secs(3))
        .build()
        .unwrap();
    let flights = engine.flights(1).unwrap();
    let holder = self::engine(&db);
    let mut blocking = holder.begin().unwrap();
    blocking.run("update things set name = name where id = 7").unwrap();
    let outcomes = thread::scope(|scope| {
        let first = scope.spawn(|| change(&flights, "update things set name = 'x' where id = 7"));
        until("it waits for the lock", || is_blocked_by_seven(&db));
        let second = scope.spawn(|| change(&flights, "update things set name = 'x' where id = 8"));
        [first.join().unwrap(), second.join().unwrap()]
    });
    let [first, second] = outcomes;
    assert_eq!(first.unwrap_err().sqlstate().unwrap().code(), "57014");
    assert_eq!(second.unwrap(), 1);
    blocking.rollback().unwrap();
}

#[test]
fn who_waits_longer_than_for_a_connection_is_told_so() {
    let db = shared().database("flights_wait");
    things(&db);
    let engine = Engine::builder(&db.url())
        .pool_size(2)
        .max_overflow(0)
        .timeout(Duration::from_secs(3))
        .build()
        .unwrap();
    let flights = engine.flights(1).unwrap();
    let (leader, refused) = {
        let holder = self::engine(&db);
        let mut blocking = holder.begin().unwrap();
        blocking.run("update things set name = name where id = 7").unwrap();
        thread::scope(|scope| {
            let leader =
                scope.spawn(|| change(&flights, "update things set name = 'x' where id = 7"));
            until("it waits for the lock", || is_blocked_by_seven(&db));
            let refused = change(&flights, "update things set name = 'x' where id = 8");
            blocking.rollback().unwrap();
            (leader.join().unwrap(), refused)
        })
    };
    assert_eq!(leader.unwrap(), 1);
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::PoolTimeout);
    assert_eq!(flights.waiting(), 0);
}

#[test]
fn a_table_that_changes_is_seen_as_it_is() {
    let db = shared().database("flights_stale");
    things(&db);
    let engine = engine(&db);
    let flights = engine.flights(1).unwrap();
    assert_eq!(width(&flights).unwrap(), 2);
    db.sql("alter table things add column extra int");
    let (_, widths) = together(&db, &flights, &[(); 3], |on, ()| width(on).unwrap());
    assert_eq!(widths, [3; 3]);
}

fn width(on: &impl Executor) -> Result<usize> {
    on.with(Intent::Read, |connection| {
        let mut width = 0;
        connection.query("select * from things where id = 1", &[], &mut |row| {
            width = row.len();
            Ok(())
        })?;
        Ok(width)
    })
}

#[test]
fn what_one_leaves_in_its_session_is_not_seen_by_those_sent_with_it() {
    let db = shared().database("flights_session");
    things(&db);
    let engine = engine(&db);
    let flights = engine.flights(1).unwrap();
    let statements = [
        "set search_path = pg_catalog",
        "select set_config('search_path', 'pg_catalog', false)",
        "begin",
        "select name from things where id = 1",
    ];
    let (_, outcomes) = together(&db, &flights, &statements, |on, sql| texts(on, sql, &[]));
    assert_eq!(outcomes.into_iter().last().unwrap().unwrap()[0].as_deref(), Some("thing 1"));
    assert_eq!(engine.pool().stats().in_use, 0);
}

#[test]
fn within_an_async_runtime_it_is_refused_and_nobody_else_is() {
    let db = shared().database("flights_runtime");
    things(&db);
    let engine = engine(&db);
    let flights = engine.flights(1).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let refused = runtime.block_on(async { change(&flights, "delete from things") });
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(change(&flights, "delete from things where id = 1").unwrap(), 1);
}

#[test]
fn a_result_that_is_too_large_is_refused_and_the_next_one_is_not() {
    let db = shared().database("flights_large");
    things(&db);
    let flights = engine(&db).flights(1).unwrap();
    let sql = "select repeat('x', 1000000) from things where id between 1 and $1";
    let refused = texts(&flights, sql, &[20.into()]).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unsupported);
    assert_eq!(texts(&flights, sql, &[3.into()]).unwrap().len(), 3);
}

#[test]
fn it_is_refused_where_it_cannot_be() {
    let memory = Engine::open("sqlite::memory:").unwrap();
    assert_eq!(memory.flights(1).unwrap_err().kind(), ErrorKind::Unsupported);
    let db = shared().database("flights_none");
    let engine = engine(&db);
    for connections in [0, 5] {
        assert_eq!(engine.flights(connections).unwrap_err().kind(), ErrorKind::Config);
    }
}

#[test]
fn through_the_driver_each_goes_by_itself() {
    let db = shared().database("flights_driver");
    things(&db);
    let mark = if db.url().contains('?') { '&' } else { '?' };
    let engine = Engine::open(&format!("{}{mark}direct=false", db.url())).unwrap();
    let flights = engine.flights(1).unwrap();
    assert_eq!(Thing::get(&flights, 5_i64).unwrap().unwrap().id, 5);
}

#[test]
fn who_comes_while_a_leader_has_no_connection_yet_goes_along_with_it() {
    let db = shared().database("flights_along");
    things(&db);
    let engine = Engine::builder(&db.url()).pool_size(2).max_overflow(0).build().unwrap();
    let flights = engine.flights(2).unwrap();
    engine.pool().suspend();
    let before = engine.stats().check_outs;
    let sql = "select name from things where id = $1";
    thread::scope(|scope| {
        let leader = scope.spawn(|| texts(&flights, sql, &[1.into()]));
        until("the leader waits for a connection", || engine.stats().waiting == 1);
        let other = scope.spawn(|| texts(&flights, sql, &[2.into()]));
        until("the other goes along", || flights.waiting() == 1);
        engine.pool().resume();
        for (rider, name) in [(leader, "thing 1"), (other, "thing 2")] {
            assert_eq!(rider.join().unwrap().unwrap()[0].as_deref(), Some(name));
        }
    });
    assert_eq!(engine.stats().check_outs - before, 1, "one for both statements");
}

/// A view whose rows say in which transaction they are read, and which note who looked at them.
fn looks(db: &TestDb<'_>) {
    things(db);
    db.sql(
        "create table looks (id bigint);
         create function look(id bigint) returns text volatile language sql as
             'insert into looks values (id);
              select pg_current_xact_id()::text where 1 / (id - 3) is not null';
         create view seen as select id, look(id) as within from things",
    );
}

/// What the transactions were in which `ids` were looked at together.
fn look_at(db: &TestDb<'_>, ids: &[i64]) -> Vec<Result<Vec<Option<String>>>> {
    let engine = engine(db);
    let flights = engine.flights(1).unwrap();
    let sql = "select within from seen where id = $1";
    together(db, &flights, ids, |on, id| texts(on, sql, &[(*id).into()])).1
}

#[test]
fn reads_of_one_text_that_are_sent_together_share_a_transaction() {
    let db = shared().database("flights_share");
    looks(&db);
    let mut within = look_at(&db, &[1, 2, 4]).into_iter().map(|texts| texts.unwrap());
    let first = within.next().unwrap();
    assert!(within.all(|other| other == first && other.len() == 1));
}

#[test]
fn who_shared_a_transaction_with_one_that_failed_is_as_if_alone() {
    let db = shared().database("flights_share_fail");
    looks(&db);
    let mut within = look_at(&db, &[1, 2, 3, 4, 5]);
    let failed = within.remove(2).unwrap_err();
    assert_eq!(failed.sqlstate().unwrap().code(), "22012");
    let mut alone: Vec<_> = within.into_iter().flat_map(|texts| texts.unwrap()).collect();
    alone.dedup();
    assert_eq!(alone.len(), 4, "each has a transaction of its own");
    let looks = texts(&engine(&db), "select id::text from looks order by id", &[]).unwrap();
    assert_eq!(
        looks.into_iter().flatten().collect::<String>(),
        "1245",
        "and did once what it does"
    );
}

#[test]
fn one_that_fails_only_because_of_another_beside_it_does_not_fail() {
    let db = shared().database("flights_share_other");
    things(&db);
    // The second look of a transaction divides by zero.
    db.sql(
        "create table looks (within xid8);
         create function look(id bigint) returns text volatile language sql as
             'insert into looks values (pg_current_xact_id());
              select id::text from looks where within = pg_current_xact_id()
              group by within having 1 / (2 - count(*)) is not null';
         create view seen as select id, look(id) as within from things",
    );
    let seen = look_at(&db, &[1, 2, 4]).into_iter().flat_map(|texts| texts.unwrap());
    assert_eq!(seen.flatten().collect::<String>(), "124");
}
