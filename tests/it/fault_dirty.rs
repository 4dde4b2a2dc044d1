//! Faults 3.1, F11: what a borrower leaves behind, and who gets to see it.

use crate::support::subject::{Failure, Kind, Lent, Setup, Subject, pid};
use crate::support::trial::{Sheet, in_time, sized, tell_apart};
use crate::support::{LIMIT, TestDb, shared};
use std::time::{Duration, Instant};

/// How long a lock may outlive the return of its holder.
const RELEASE: Duration = Duration::from_secs(1);

const SCHEMA: &str = "create table t (n int); create schema evil;
    insert into t select generate_series(1, 200000);
    create table tuned (n int); create table guarded (n int);
    create function tune() returns trigger language plpgsql as
        $$ begin perform set_config('work_mem', '64MB', false); return new; end $$;
    create function guard() returns trigger language plpgsql as
        $$ begin perform pg_advisory_lock(43); return new; end $$;
    create trigger tune before insert on tuned for each row execute function tune();
    create trigger guard before insert on guarded for each row execute function guard()";

/// Something to leave behind.
struct Mess {
    name: &'static str,
    leave: fn(&mut dyn Lent) -> Result<(), Failure>,
    /// Whether the next borrower is free of it.
    clean: &'static str,
    /// Whether the same session must come back, rather than another.
    keeps_session: bool,
}

/// For what is seen from outside: no transaction is open, nothing runs, no lock is held.
const AT_REST_IS_ENOUGH: &str = "select 'true'::text";

const MESSES: [Mess; 15] = [
    Mess {
        name: "an open transaction",
        leave: |lent| lent.run("begin; lock table t; select pg_sleep(0.001)"),
        clean: AT_REST_IS_ENOUGH,
        keeps_session: true,
    },
    Mess {
        name: "an aborted transaction",
        leave: |lent| {
            lent.run("begin; lock table t")?;
            lent.run("select 1 / 0").expect_err("it is no number");
            Ok(())
        },
        clean: AT_REST_IS_ENOUGH,
        keeps_session: true,
    },
    Mess {
        name: "a setting",
        leave: |lent| lent.run("set lock_timeout = '77s'"),
        clean: "select (current_setting('lock_timeout') <> '77s')::text",
        keeps_session: false,
    },
    Mess {
        name: "the kind of its transactions",
        leave: |lent| {
            lent.run(
                "set session characteristics as transaction isolation level serializable, read only",
            )
        },
        clean: "select (current_setting('default_transaction_isolation') <> 'serializable' and \
                current_setting('default_transaction_read_only') = 'off')::text",
        keeps_session: false,
    },
    Mess {
        name: "a role",
        leave: |lent| lent.run("set role pg_monitor"),
        clean: "select (current_user = session_user)::text",
        keeps_session: false,
    },
    Mess {
        name: "a search path",
        leave: |lent| lent.run("set search_path = evil"),
        clean: "select (current_setting('search_path') <> 'evil')::text",
        keeps_session: false,
    },
    Mess {
        name: "a temporary table",
        leave: |lent| lent.run("create temp table left_behind (n int)"),
        clean: "select (to_regclass('pg_temp.left_behind') is null)::text",
        keeps_session: false,
    },
    Mess {
        name: "a session's advisory lock",
        leave: |lent| lent.run("select pg_advisory_lock(42)"),
        clean: "select (not exists (select from pg_locks where locktype = 'advisory' \
                and pid = pg_backend_pid()))::text",
        keeps_session: false,
    },
    Mess {
        name: "a subscription",
        leave: |lent| lent.run("listen left_behind"),
        clean: "select (not exists (select pg_listening_channels()))::text",
        keeps_session: false,
    },
    Mess {
        name: "a cursor that holds",
        leave: |lent| lent.run("declare left_behind cursor with hold for select n from t"),
        clean: "select (not exists (select from pg_cursors where name = 'left_behind'))::text",
        keeps_session: false,
    },
    Mess {
        name: "a prepared statement",
        leave: |lent| lent.run("prepare left_behind as select 1"),
        clean: "select (not exists (select from pg_prepared_statements \
                where name = 'left_behind'))::text",
        keeps_session: false,
    },
    Mess {
        name: "a setting of a trigger",
        leave: |lent| lent.run("insert into tuned values (1)"),
        clean: "select (current_setting('work_mem') <> '64MB')::text",
        keeps_session: false,
    },
    Mess {
        name: "a lock of a trigger",
        leave: |lent| lent.run("insert into guarded values (1)"),
        clean: "select (not exists (select from pg_locks where locktype = 'advisory' \
                and pid = pg_backend_pid()))::text",
        keeps_session: false,
    },
    Mess {
        name: "an unfinished COPY",
        leave: |lent| {
            lent.run("copy t from stdin").expect_err("no rows follow");
            Ok(())
        },
        clean: AT_REST_IS_ENOUGH,
        keeps_session: false,
    },
    Mess {
        name: "a half-read result",
        leave: |lent| {
            lent.read_one_row_of("select n from t");
            Ok(())
        },
        clean: AT_REST_IS_ENOUGH,
        keeps_session: false,
    },
];

/// Whether no session of the database holds a lock, is in a transaction or at work.
const AT_REST: &str = "select not exists (select from pg_stat_activity a \
    where a.datname = current_database() and a.pid <> pg_backend_pid() \
      and a.backend_type = 'client backend' and (a.state <> 'idle' or exists \
          (select from pg_locks l where l.pid = a.pid and l.locktype in ('relation', 'advisory'))))";

/// How long it takes until nothing is held any more, without anybody's touching the pool.
fn time_to_rest(db: &TestDb<'_>) -> Option<Duration> {
    let since = Instant::now();
    while db.watch(AT_REST) != "t" {
        if since.elapsed() > RELEASE {
            return None;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Some(since.elapsed())
}

/// What is wrong after one mess: `None` if the next borrower sees nothing of it.
fn after(
    mess: &Mess,
    pool: &dyn Subject,
    db: &TestDb<'_>,
    slowest: &mut Duration,
) -> Result<Option<&'static str>, Failure> {
    let mut lent = pool.get()?;
    let first = pid(&mut *lent)?;
    (mess.leave)(&mut *lent)?;
    drop(lent);
    match time_to_rest(db) {
        Some(time) => *slowest = (*slowest).max(time),
        None => {
            // The next measure is not to suffer for it.
            db.terminate_all();
            return Ok(Some("held after the return"));
        }
    }
    let mut lent = pool.get()?;
    if lent.text(mess.clean)? != "true" {
        db.terminate_all();
        return Ok(Some("seen by the next"));
    }
    let changed = pid(&mut *lent)? != first;
    Ok((mess.keeps_session && changed).then_some("a session thrown away"))
}

fn dirty(kind: Kind, sheet: &mut Sheet) {
    let db = shared().database("dirty");
    db.sql(SCHEMA);
    let (mut leaked, mut slowest) = (Vec::new(), Duration::ZERO);
    for _ in 0..sized(1, 10) {
        for mess in &MESSES {
            let setup = Setup::new(db.url(), 1).timeout(Duration::from_secs(3));
            let pool = setup.open(kind).unwrap();
            let outcome = after(mess, &*pool, &db, &mut slowest);
            let wrong = outcome.unwrap_or_else(|failure| {
                eprintln!("{}: {failure}", mess.name);
                Some("the next got an error")
            });
            if let Some(wrong) = wrong {
                leaked.push(format!("{}: {wrong}", mess.name));
            }
        }
    }
    leaked.sort();
    leaked.dedup();
    sheet.set("messes", MESSES.len());
    sheet.set("leaked_states", leaked.len());
    sheet.set_ms("longest_lock_after_return_ms", slowest);
    for leak in leaked {
        sheet.expect(false, leak);
    }
}

/// F11, pool-contract C5, C6 and H20: the next borrower never sees what was left behind, and no lock
/// outlives the return of its holder.
#[test]
fn nothing_that_was_left_behind_is_seen_by_the_next() {
    tell_apart("F11", 5 * LIMIT, |kind, _, sheet| {
        in_time(kind, sheet, |sheet| dirty(kind, sheet));
    });
}
