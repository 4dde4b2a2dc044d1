//! What a job does about an error, code by code: the table of `SqlState::class`, with errors that a
//! server raised.

use crate::support::{TestDb, shared};
use rowmill::{Append, Class, Engine, Entity, Iter, Job, Report, SqlState, Status};

const ROWS: i64 = 20;

#[derive(Entity)]
#[entity(table = "numbers")]
struct Number {
    id: i64,
}

/// Every line of the table.
const LINES: [(Class, &str); 7] = [
    (Class::Transient, "40001 40P01 55P03 55006 57014 26000"),
    (Class::Disconnect, "08000 08001 08003 08004 08006 08007 40003 57P01 57P02 57P05 25P03 25006"),
    (Class::Unavailable, "57P03 53300"),
    (Class::Resource, "53000 53100 53200 53400 58030"),
    (
        Class::Data,
        "22001 22003 22007 22021 22P02 22P05 23502 23503 23505 23514 23P01 54000 P0001 21000",
    ),
    (Class::Aborted, "25P02"),
    (Class::Permanent, "28000 28P01 3D000 42501 42P01 42703 42883 0A000 XX000 XX001 XX002"),
];

fn run(database: &TestDb<'_>, name: &str) -> (Report, Option<rowmill::Error>) {
    let job = Job::named(name)
        .read(Iter::new("numbers", || 0..ROWS))
        .map(|id| Ok(Number { id }))
        .write(Append::<Number>::new())
        .batch_rows(10)
        .workers(1);
    job.report(&Engine::open(&database.url()).unwrap())
}

/// Row 5 meets an error of that code: always, or only the first time.
fn meets(database: &TestDb<'_>, code: &str, always: bool) {
    database.sql(&format!(
        "truncate numbers; alter sequence shots restart; \
         create or replace function meet() returns trigger language plpgsql as $$ begin \
         if new.id = 5 and ({always} or nextval('public.shots') = 1) then \
         raise exception 'as told' using errcode = '{code}'; end if; return new; end $$"
    ));
}

/// batch 3.4, exactly-once 4a, 11f
#[test]
fn every_code_of_the_table_does_what_its_class_says() {
    let database = shared().database("errors");
    database.sql(
        "create table numbers (id bigint); create sequence shots; \
         create function meet() returns trigger language plpgsql as $$ begin return new; end $$; \
         create trigger meet before insert on numbers for each row execute function meet()",
    );
    for (class, codes) in LINES {
        for code in codes.split(' ') {
            assert_eq!(SqlState::parse(code).unwrap().class(), class, "{code}");
            meets(&database, code, class == Class::Data);
            let (report, error) = run(&database, code);
            let rejects = database.count("rowmill.reject");
            let kept = "select count(*) || ' ' || count(distinct id) from numbers";
            match class {
                Class::Data => {
                    assert_eq!(
                        (report.status, rejects),
                        (Status::Complete, 1),
                        "{code}: {error:?}"
                    );
                    let stored = database.value("select sqlstate from rowmill.reject");
                    assert_eq!(stored, code);
                    assert_eq!(database.value(kept), "19 19", "{code}");
                    database.sql("delete from rowmill.reject");
                }
                Class::Transient | Class::Disconnect | Class::Unavailable => {
                    assert_eq!(report.status, Status::Complete, "{code}: {error:?}");
                    assert_eq!((report.retries, rejects), (1, 0), "{code}");
                    assert_eq!(database.value(kept), "20 20", "{code}");
                }
                _ => {
                    let error = error.expect(code);
                    assert_eq!(error.sqlstate(), SqlState::parse(code), "{error}");
                    assert_eq!((report.status, rejects), (Status::Failed, 0), "{code}: {error}");
                    assert_eq!(report.retries, 0, "{code}");
                    // Resumable: once it has passed, the same command carries on.
                    let (report, error) = run(&database, code);
                    assert_eq!(report.status, Status::Complete, "{code}: {error:?}");
                    assert_eq!(database.value(kept), "20 20", "{code}");
                }
            }
        }
    }
}
