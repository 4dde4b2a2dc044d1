//! How many rows may be rejected, and what happens then.

use super::*;
use crate::support::fake::until;
use rowmill::{Engine, Status};

const TABLE: &str = "create table t (id bigint primary key, n integer check (n > 0))";
const COLUMNS: [&str; 2] = ["id bigint", "n integer"];

/// `rows` rows, of which those that `bad` names are: every second one for the converter, the
/// others for the database.
fn csv(rows: u64, bad: &[u64]) -> String {
    let line = |id: u64| match bad.iter().position(|row| *row == id) {
        Some(place) if place % 2 == 0 => format!("{id},x\n"),
        Some(_) => format!("{id},0\n"),
        None => format!("{id},{id}\n"),
    };
    format!("id,n\n{}", (1..=rows).map(line).collect::<String>())
}

fn job(home: &Home, mode: Mode, rows: u64, bad: &[u64]) -> Job {
    home.csv_job(mode, "t", &COLUMNS, "id", csv(rows, bad)).batch_rows(7)
}

#[test]
fn the_limit_itself_is_allowed() {
    on_both(|home| {
        home.sql(TABLE);
        for (limit, bad) in [
            (MaxRejects::Count(0), [].as_slice()),
            (MaxRejects::Count(4), [1, 20, 21, 100].as_slice()),
            (MaxRejects::Share(0.04), [1, 20, 21, 100].as_slice()),
            (MaxRejects::Share(0.29), &(2..31).collect::<Vec<_>>()),
        ] {
            for mode in MODES {
                home.sql("delete from t");
                let counts = home.run(&job(home, mode, 100, bad).max_rejects(limit));
                assert_eq!(counts, tally(100, 100 - bad.len() as u64), "{mode} {limit:?}");
            }
        }
    });
}

/// batch 3.3.2
#[test]
fn one_more_stops_the_job_and_a_higher_limit_carries_on() {
    on_both(|home| {
        home.sql(TABLE);
        for mode in MODES {
            for (limit, raised) in [
                (MaxRejects::Count(3), MaxRejects::Count(4)),
                (MaxRejects::Share(0.039), MaxRejects::Share(0.04)),
            ] {
                home.sql("delete from t");
                let before = home.rejects_or_none().len();
                let job = job(home, mode, 100, &[10, 30, 60, 100]);
                let (report, error) = job.clone().max_rejects(limit).report(home.engine());
                let error = error.unwrap();
                assert_eq!(error.kind(), ErrorKind::RejectLimit, "{mode}: {error}");
                assert_eq!(report.status, Status::RejectLimit);
                assert!(report.rejected <= 3, "{mode}");
                let rejects = home.rejects();
                assert_eq!(rejects.len() - before, report.rejected as usize, "{mode}");

                // The same again stops again, and nothing is counted twice.
                let again = job.clone().max_rejects(limit).run(home.engine()).unwrap_err();
                assert_eq!(again.kind(), ErrorKind::RejectLimit, "{mode}");

                let counts = home.run(&job.max_rejects(raised));
                assert_eq!(counts, tally(100, 96), "{mode}");
                let rejects = home.rejects_of("input_row, stage, sqlstate");
                let expected = [
                    "10|convert|22P02|10,x",
                    "30|store|23514|30,0",
                    "60|convert|22P02|60,x",
                    "100|store|23514|100,0",
                ];
                assert_eq!(&rejects[before..], expected, "{mode}");
                assert_eq!(home.rows("select count(*) from t"), ["96"], "{mode}");
            }
        }
    });
}

/// F53: eight workers meet bad rows at once; none of them is stored beyond the limit, and whatever
/// was stored below it stays once.
#[test]
fn eight_workers_never_exceed_the_limit_and_a_higher_one_carries_on() {
    let home = Home::postgres();
    home.sql(TABLE);
    let engine = Engine::builder(home.url()).pool_size(8).build().unwrap();
    let bad: Vec<u64> = (1..=400).step_by(2).collect();
    for limit in [0, 1, 17, 100, 199] {
        home.sql("delete from t");
        let before = home.rejects_or_none().len() as u64;
        let job = job(&home, Mode::Append, 400, &bad).workers(8);
        let (report, error) = job.clone().max_rejects(MaxRejects::Count(limit)).report(&engine);
        assert_eq!(error.unwrap().kind(), ErrorKind::RejectLimit, "{limit}");
        assert_eq!(report.status, Status::RejectLimit);
        let stored = home.rejects().len() as u64 - before;
        assert!(stored <= limit && report.rejected == stored, "{stored} of {limit}: {report:?}");
        let report = job.max_rejects(MaxRejects::Count(200)).run(&engine).unwrap();
        assert_eq!((report.inserted, report.rejected), (200, 200), "{limit}");
        assert_eq!(home.rejects().len() as u64 - before, 200, "{limit}");
    }
}

/// F53: eight workers have a reject each, and all of them have come to count it before the first
/// commits: a count that is looked at without a lock would let all of them through.
#[test]
fn eight_workers_that_count_at_the_same_moment_keep_to_the_limit() {
    let home = Home::postgres();
    home.sql(TABLE);
    let engine = Engine::builder(home.url()).pool_size(8).build().unwrap();
    // The ledger is there before its table gets a trigger.
    job(&home, Mode::Append, 7, &[]).run(&engine).unwrap();
    home.sql(
        "delete from t;
         create function gate() returns trigger language plpgsql as $$ begin
             perform pg_advisory_xact_lock_shared(4711); return new; end $$;
         create trigger gate before update on rowmill.batch for each row execute function gate()",
    );
    let mut holder = postgres::Client::connect(home.url(), postgres::NoTls).unwrap();
    holder.batch_execute("select pg_advisory_lock(4711)").unwrap();
    let bad: Vec<u64> = (1..=56).step_by(7).collect();
    let job = job(&home, Mode::Append, 56, &bad).workers(8).max_rejects(MaxRejects::Count(3));
    let (report, error) = std::thread::scope(|scope| {
        let running = scope.spawn(|| job.report(&engine));
        // The first stands before its mark, the others before the count.
        let waiting = "select count(*) = 8 from pg_stat_activity \
                       where datname = current_database() and wait_event_type = 'Lock'";
        let holder = std::sync::Mutex::new(holder);
        until("all eight wait", || holder.lock().unwrap().query_one(waiting, &[]).unwrap().get(0));
        drop(holder);
        running.join().unwrap()
    });
    assert_eq!(error.unwrap().kind(), ErrorKind::RejectLimit);
    assert_eq!((home.rejects().len(), report.rejected), (3, 3));
    assert_eq!(home.rows("select count(*) from t"), ["18"]);
}

#[cfg(feature = "cli")]
#[test]
fn the_command_exits_with_3_and_carries_on_with_a_higher_limit() {
    on_both(|home| {
        home.sql(TABLE);
        let data = home.file("data.csv", csv(50, &[5, 6, 40]));
        let text = |limit: &str| {
            format!(
                "name = \"limited\"\n[source]\nkind = \"csv\"\npath = \"{}\"\n\
                 [target]\nurl = \"{}\"\ntable = \"t\"\nmode = \"upsert\"\nkey = [\"id\"]\n\
                 [limits]\nbatch_rows = 7\nmax_rejects = {limit}\n\
                 [columns]\nid = \"bigint\"\nn = \"integer\"\n",
                data.display(),
                home.url()
            )
        };
        let report = home.folder().join("report.json");
        for (limit, code, status) in
            [("2", 3, "reject_limit"), ("\"5%\"", 3, "reject_limit"), ("\"6%\"", 0, "complete")]
        {
            let file = home.file("job.toml", text(limit));
            let run =
                crate::support::rowmill(["run", "--quiet", "--report"]).arg(&report).arg(file);
            let run = run.finish();
            assert_eq!(run.code, Some(code), "{run}");
            let json = std::fs::read_to_string(&report).unwrap();
            let json: serde_json::Value = serde_json::from_str(&json).unwrap();
            assert_eq!(json["status"], status, "{limit}");
            let rejected = home.rejects().len();
            assert_eq!(json["rejected"], rejected);
            assert_eq!(rejected == 3, code == 0);
        }
        assert_eq!(home.rows("select count(*) from t"), ["47"]);
    });
}

#[test]
fn kinds_are_counted_once_no_other_batch_can_count_its_own() {
    let database = crate::support::shared().database("kinds");
    database.sql(TABLE);
    let engine = rowmill::Engine::open(&database.url()).unwrap();
    let files = Home::sqlite();
    let job = files.csv_job(Mode::Append, "t", &COLUMNS, "id", "id,n\n1,x\n2,x\n");
    let job = job.batch_rows(1).workers(2);
    let planned = job.clone().max_rejects(MaxRejects::Count(0)).run(&engine).unwrap_err();
    assert_eq!(planned.kind(), ErrorKind::RejectLimit);
    // Both batches write their rejects before either of them counts.
    database.sql(
        "create function gate() returns trigger language plpgsql as $$ begin \
         perform pg_advisory_xact_lock_shared(4711); return null; end $$; \
         create trigger gate before update on rowmill.job for each statement \
         execute function gate()",
    );
    let mut holder = database.connect();
    holder.batch_execute("select pg_advisory_lock(4711)").unwrap();
    let convert = rowmill::RejectClass::parse("convert").unwrap();
    let limited = job.max_rejects_of(convert, MaxRejects::Count(1));
    std::thread::scope(|scope| {
        let run = scope.spawn(|| limited.run(&engine));
        database.wait_until(
            "select count(*) = 2 from pg_locks l join pg_database d on d.oid = l.database \
             where d.datname = current_database() and locktype = 'advisory' and objid = 4711 \
             and not granted",
        );
        drop(holder);
        let error = run.join().unwrap().unwrap_err();
        assert_eq!(error.message(), "2 rows rejected by convert, 1 are allowed");
    });
    assert_eq!(database.count("rowmill.reject"), 1);
}
