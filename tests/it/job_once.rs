//! A job is done once: one run at a time, none after the last, and a run that is stopped or
//! changed on the way leaves no half of anything.

use crate::support::fake::until;
use crate::support::loading::{Input, JobFile, JobText, Place};
use crate::support::{Finished, Running, rowmill, shared};

const ROWS: usize = 20_000;
const BATCH_ROWS: u64 = 250;

/// A load that is large enough to be met in the middle.
struct Load<'a> {
    input: Input,
    place: Place<'a>,
    text: JobText,
    job: JobFile,
}

impl<'a> Load<'a> {
    fn on(place: Place<'a>) -> Self {
        let input = Input::lineitem(ROWS, 1_999, false);
        let mut text = JobText::of_mode("append", BATCH_ROWS);
        "workers = 2\n".clone_into(&mut text.limits);
        place.create_lineitem(false);
        let job = text.write(&input, &place);
        Self { input, place, text, job }
    }

    fn on_both() -> [Self; 2] {
        [Self::on(Place::Postgres(shared().database("once"))), Self::on(Place::sqlite())]
    }

    /// A run that has done some of it.
    fn start_and_wait_for(&self, units: u64) -> Running {
        let mut run = self.job.start();
        let mut probe = self.place.probe();
        assert!(run.wait_until(|_| probe.units_done() >= units), "too fast: {}", run.stderr());
        run
    }

    /// Lets nobody write rows until the guard is dropped.
    fn hold_writers(&self) -> Holder {
        match &self.place {
            Place::Postgres(database) => {
                let mut holder = database.connect();
                holder.batch_execute("begin; lock table lineitem in exclusive mode").unwrap();
                Holder::Postgres(holder)
            }
            Place::Sqlite(_) => {
                let holder = rusqlite::Connection::open(sqlite_path(&self.place).unwrap()).unwrap();
                holder.execute_batch("pragma journal_mode = wal; begin immediate").unwrap();
                Holder::Sqlite(holder)
            }
        }
    }

    /// Stops a run in its tracks, and lets the server finish what it has been sent.
    fn freeze(&self, run: &Running) {
        run.freeze();
        if let Place::Postgres(database) = &self.place {
            let busy = "select count(*) from pg_stat_activity where datname = current_database() \
                        and pid <> pg_backend_pid() and state = 'active' \
                        and wait_event_type is distinct from 'Client'";
            until("the server is idle", || database.value(busy) == "0");
        }
    }

    fn crash(&self) {
        let run = self.start_and_wait_for(3).kill();
        assert_eq!(run.code, None, "too fast: {run}");
    }

    fn units_done(&self) -> u64 {
        self.place.probe().units_done()
    }

    fn table_rows(&self) -> u64 {
        self.place.number("select count(*) from lineitem")
    }

    /// The rows of the table are those of the batches that are done: no batch is half in.
    fn assert_no_partial_batch(&self) {
        let batch = self.place.own("batch");
        let counted = format!("select sum(inserted) from {batch}");
        assert_eq!(self.place.number(&counted), self.table_rows(), "{}", self.place.name());
        let rejects = self.place.number(&format!("select sum(rejected) from {batch}"));
        let stored = format!("select count(*) from {}", self.place.own("reject"));
        assert_eq!(self.place.number(&stored), rejects, "{}", self.place.name());
    }

    /// Everything that rowmill keeps, and the table.
    fn snapshot(&self) -> Vec<String> {
        let mut texts = Vec::new();
        for table in ["version", "job", "run", "batch", "reject"].map(|name| self.place.own(name)) {
            let sql = match self.place {
                Place::Postgres(_) => format!("select xmin || ' ' || t::text from {table} t"),
                Place::Sqlite(_) => format!("select count(*) from {table}"),
            };
            self.place.texts(&sql, |text| texts.push(text.to_owned()));
        }
        texts.push(self.table_rows().to_string());
        texts.sort();
        texts
    }

    fn complete(&self) {
        let run = self.job.start().wait();
        assert_eq!(run.code, Some(0), "{run}");
        self.input.assert_exact(&self.place, "completed");
    }
}

/// A transaction that is rolled back with its connection.
#[expect(dead_code, reason = "it is held, not looked at")]
enum Holder {
    Postgres(postgres::Client),
    Sqlite(rusqlite::Connection),
}

fn sqlite_path(place: &Place<'_>) -> Option<String> {
    place.url().strip_prefix("sqlite:").map(str::to_owned)
}

fn assert_says(run: &Finished, code: i32, words: &[&str]) {
    assert_eq!(run.code, Some(code), "{run}");
    for word in words {
        assert!(run.stderr.contains(word), "{word:?} is not in: {run}");
    }
}

/// batch R3, exactly-once 2b
#[test]
fn a_second_start_names_the_first_and_touches_nothing() {
    for load in Load::on_both() {
        let first = load.start_and_wait_for(3);
        load.freeze(&first);
        let before = load.snapshot();
        let second = load.job.start().wait();
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        let who = format!("already running on {}, process {}", host.trim(), first.pid());
        assert_says(&second, 5, &[&who]);
        assert_eq!(load.snapshot(), before);
        assert_eq!(load.job.report()["status"], "already_running");
        first.signal("CONT");
        assert_says(&first.wait(), 0, &["complete"]);
        load.input.assert_exact(&load.place, "the first");
    }
}

/// batch R3, F47, exactly-once 1d
#[test]
fn a_run_that_was_killed_is_shown_as_crashed_and_marked_so_by_the_next() {
    for load in Load::on_both() {
        let status = || {
            let shown = rowmill(["status"]).env("ROWMILL_TARGET", load.place.url()).finish();
            assert_eq!(shown.code, Some(0), "{shown}");
            shown.stdout
        };
        let run = load.start_and_wait_for(3);
        let (pid, working) = (run.pid(), status());
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        let who = format!("run 1 on {}, process {pid}, ", host.trim());
        assert!(working.contains(&format!("{who}running since 20")), "{working}");
        assert_eq!(run.kill().code, None);
        // A server takes a moment to notice.
        until("it is dead", || status().contains(&format!("{who}crashed; it began 20")));
        load.complete();
        let run = load.place.own("run");
        let marked = format!("select status || ': ' || cause from {run} where number = 1");
        let marked = load.place.value(&marked);
        assert!(marked.starts_with("crashed: it ended without a word"), "{marked}");
        assert!(marked.ends_with(&format!(" on {}", host.trim())), "{marked}");
        let others = format!("select status from {run} where number > 1");
        assert_eq!(load.place.value(&others), "complete");
    }
}

/// batch R3, F47, exactly-once 2b
#[test]
fn of_two_starts_at_once_exactly_one_runs() {
    for load in Load::on_both() {
        let held = load.hold_writers();
        let mut first = load.job.start();
        let mut second = load.job.start();
        // Neither can finish, so the one that ends is the one that was turned away.
        assert!(!first.wait_until(|_| !second.is_running()) || !second.is_running());
        if second.is_running() {
            std::mem::swap(&mut first, &mut second);
        }
        assert_says(&second.wait(), 5, &["already running"]);
        drop(held);
        assert_says(&first.wait(), 0, &["complete"]);
        load.input.assert_exact(&load.place, "two starts");
        let runs = format!("select count(*) from {}", load.place.own("run"));
        assert_eq!(load.place.number(&runs), 1);
    }
}

/// batch R3, F51
#[test]
fn a_start_of_a_complete_job_says_so_and_writes_nothing() {
    for load in Load::on_both() {
        load.complete();
        let before = load.snapshot();
        let version = data_version(&load.place);
        assert_says(&load.job.start().wait(), 0, &["already complete"]);
        assert_eq!(load.snapshot(), before);
        assert!(version.is_none_or(|version| version.is_unchanged()));
        let report = load.job.report();
        assert_eq!(report["status"], "already_complete");
        assert_eq!(report["inserted"], load.input.good_rows());
        assert_eq!(report["rejected"], load.input.bad_rows());
        assert_eq!(report["batches_reused"], report["batches"]);
    }
}

/// SQLite's own mark of whether anybody else wrote to the database.
struct DataVersion {
    sqlite: rusqlite::Connection,
    version: i64,
}

fn data_version(place: &Place<'_>) -> Option<DataVersion> {
    let sqlite = rusqlite::Connection::open(sqlite_path(place)?).unwrap();
    let version = version_of(&sqlite);
    Some(DataVersion { sqlite, version })
}

fn version_of(sqlite: &rusqlite::Connection) -> i64 {
    sqlite.query_row("pragma data_version", [], |row| row.get(0)).unwrap()
}

impl DataVersion {
    fn is_unchanged(&self) -> bool {
        version_of(&self.sqlite) == self.version
    }
}

/// batch R12, F44, exactly-once 10a, 10b
#[test]
fn a_signal_stops_the_run_between_batches_and_the_next_completes() {
    for signal in ["TERM", "INT"] {
        for load in Load::on_both() {
            let run = load.start_and_wait_for(3);
            run.signal(signal);
            assert_says(&run.wait(), 6, &["the batches in flight are finished", "stopped"]);
            assert_eq!(load.job.report()["status"], "stopped");
            load.assert_no_partial_batch();
            let done = load.units_done();
            assert!((3..ROWS as u64 / BATCH_ROWS).contains(&done), "{done}");
            load.complete();
            assert_eq!(load.job.report()["batches_reused"], done);
        }
    }
}

/// A load on PostgreSQL whose batches wait for the lock that is returned.
fn held_load() -> (Load<'static>, postgres::Client) {
    let load = Load::on(Place::Postgres(shared().database("held")));
    load.place.sql(
        "create function gate() returns trigger language plpgsql as $$ begin \
         perform pg_advisory_xact_lock_shared(4711); return null; end $$; \
         create trigger gate after insert on lineitem for each statement execute function gate()",
    );
    let Place::Postgres(database) = &load.place else { unreachable!() };
    let mut holder = database.connect();
    holder.batch_execute("select pg_advisory_lock(4711)").unwrap();
    (load, holder)
}

/// Waits until both workers stand before the lock.
fn wait_until_held(run: &mut Running, holder: &mut postgres::Client) {
    let sql = "select count(*) = 2 from pg_locks l join pg_database d on d.oid = l.database \
               where d.datname = current_database() and locktype = 'advisory' \
               and objid = 4711 and not granted";
    let held = run.wait_until(|_| holder.query_one(sql, &[]).unwrap().get(0));
    assert!(held, "it ended without being held: {}", run.stderr());
}

#[test]
fn the_first_signal_finishes_what_is_in_flight() {
    let (load, mut holder) = held_load();
    let mut run = load.job.start();
    wait_until_held(&mut run, &mut holder);
    run.signal("TERM");
    assert!(run.wait_until(|run| run.stderr().contains("in flight are finished")));
    drop(holder);
    assert_says(&run.wait(), 6, &["stopped"]);
    assert_eq!(load.units_done(), 2);
    load.assert_no_partial_batch();
    load.complete();
}

/// batch R12, F44
#[test]
fn a_second_signal_rolls_back_what_is_in_flight() {
    let (load, mut holder) = held_load();
    let mut run = load.job.start();
    wait_until_held(&mut run, &mut holder);
    run.signal("TERM");
    assert!(run.wait_until(|run| run.stderr().contains("in flight are finished")));
    run.signal("INT");
    assert!(run.wait_until(|run| run.stderr().contains("in flight are rolled back")));
    drop(holder);
    assert_says(&run.wait(), 6, &["stopped"]);
    assert_eq!((load.units_done(), load.table_rows()), (0, 0));
    load.complete();
}

/// batch R9
#[test]
fn an_input_that_grew_after_a_crash_is_refused_until_the_old_one_is_back() {
    for load in Load::on_both() {
        load.crash();
        let (done, path) = (load.units_done(), load.input.path());
        let old = std::fs::read(&path).unwrap();
        let mut grown = old.clone();
        grown.extend_from_within(old.len() - 10..);
        std::fs::write(&path, grown).unwrap();
        let refused = load.job.start().wait();
        assert_says(&refused, 2, &["the input changed after a run had begun", "lineitem.csv"]);
        assert_eq!(load.units_done(), done);
        std::fs::write(&path, old).unwrap();
        load.complete();
    }
}

#[test]
fn an_input_of_the_same_size_that_differs_in_its_middle_is_refused_at_the_batch() {
    for load in Load::on_both() {
        load.crash();
        let path = load.input.path();
        let old = std::fs::read(&path).unwrap();
        let mut changed = old.clone();
        let middle = old.len() / 2;
        let digit = changed[middle..].iter().position(u8::is_ascii_digit).unwrap();
        let digit = &mut changed[middle + digit];
        *digit = if *digit == b'1' { b'2' } else { b'1' };
        assert!(middle > 1 << 20, "the middle must be in no sample: {middle}");
        std::fs::write(&path, changed).unwrap();
        let refused = load.job.start().wait();
        assert_says(&refused, 4, &["the file changed since it was planned", "batch"]);
        load.assert_no_partial_batch();
        std::fs::write(&path, old).unwrap();
        load.complete();
    }
}

#[test]
fn a_job_file_that_changed_after_a_crash_is_refused_until_the_old_one_is_back() {
    for load in Load::on_both() {
        load.crash();
        let done = load.units_done();
        let old = std::fs::read_to_string(load.job.path()).unwrap();
        let changes = [
            ("mode = \"append\"", "mode = \"replace\""),
            ("l_comment = \"varchar(44)\"", "l_comment = \"varchar(40)\""),
            ("l_partkey = \"bigint\"", "l_partkey = { type = \"bigint\", from = \"l_suppkey\" }"),
            ("l_tax = \"numeric(15,2)\"", "l_tax = { type = \"numeric(15,2)\", trim = true }"),
            ("kind = \"csv\"", "kind = \"csv\"\nnull = [\"\", \"NONE\"]"),
        ];
        for (was, is) in changes {
            assert!(old.contains(was), "{was}");
            std::fs::write(load.job.path(), old.replace(was, is)).unwrap();
            let refused = load.job.start().wait();
            assert_eq!(refused.code, Some(2), "{is}: {refused}");
            assert!(refused.stderr.contains("changed"), "{is}: {refused}");
            assert_eq!(load.units_done(), done, "{is}");
        }
        std::fs::write(load.job.path(), &old).unwrap();
        load.complete();
    }
}

/// batch R9
#[test]
fn limits_may_change_between_a_crash_and_the_next_start() {
    for mut load in Load::on_both() {
        load.crash();
        load.text.batch_rows = 77;
        load.text.limits = "workers = 1\n".to_owned();
        load.job = load.text.write(&load.input, &load.place);
        load.complete();
    }
}
