//! A job that is started again and is not what it was: the change is named, or the job begins again
//! where that comes to the same.

use crate::support::both::{Home, on_both};
use rowmill::{
    BatchDone, ColumnType, CsvColumn, CsvColumns, CsvFormat, Error, Ident, Job, Mode, Observer,
    OnChange, Status, StopToken, TableName, Target,
};
use std::fmt::Write;
use std::sync::Arc;

const ROWS: u32 = 100;

fn rows(range: std::ops::Range<u32>) -> String {
    range.fold("id,name\n".to_owned(), |mut text, id| {
        writeln!(text, "{id},name {id}").unwrap();
        text
    })
}

fn job(home: &Home, mode: Mode) -> Job {
    let column = |name: &str, of| CsvColumn::new(Ident::new(name).unwrap(), of);
    let columns = vec![column("id", ColumnType::Int8), column("name", ColumnType::Text)];
    let feed = CsvColumns::open(home.folder().join("in.csv"), CsvFormat::new(), columns).unwrap();
    let columns = rowmill::Feed::columns(&feed).to_vec();
    let key = if mode == Mode::Append { Vec::new() } else { vec!["id".to_owned()] };
    let mut target = Target::new(TableName::parse("t").unwrap(), columns, key, mode).unwrap();
    target.create = true;
    Job::named("changes").feed(Arc::new(feed), target).batch_rows(10).workers(1)
}

/// Stops the run when so many batches are in, or when a phase begins.
struct StopAt(StopToken, &'static str);

impl Observer for StopAt {
    fn batch_done(&self, _: &BatchDone) {
        if self.1 == "load" {
            self.0.ask();
        }
    }

    fn phase(&self, name: &str) {
        if name == self.1 && name != "load" {
            self.0.ask();
        }
    }
}

fn stop_at(home: &Home, mode: Mode, phase: &'static str) {
    let stop = StopToken::new();
    let job = job(home, mode).stop(stop.clone()).observer(Arc::new(StopAt(stop, phase)));
    // Who may begin again says so from the first run on: it keeps rows out of the table for longer.
    let job = job.on_change(OnChange::Restart);
    assert_eq!(home.fails(&job).kind(), rowmill::ErrorKind::Stopped);
}

fn refused(home: &Home, mode: Mode, with: &str, words: &str) -> Error {
    home.file("in.csv", with);
    let error = home.fails(&job(home, mode));
    assert!(error.message().contains(words), "{words:?} is not in: {error}");
    error
}

/// batch R9, exactly-once 2a
#[test]
fn what_became_of_the_input_is_told_with_its_lines() {
    on_both(|home| {
        let old = rows(0..ROWS);
        home.file("in.csv", &old);
        stop_at(home, Mode::Append, "load");
        let grown = format!("{old}x,y\n");
        let error =
            refused(home, Mode::Append, &grown, "4 bytes were appended, the rest is as it was");
        assert!(error.to_string().contains("in.csv"), "{error}");
        let cut = &old[..old.len() - 11];
        refused(home, Mode::Append, cut, "11 bytes are missing at its end, the rest is as it was");
        let replaced = old.replace("55,name 55", "55,name 56");
        let words =
            "1 of 10 batches have other rows, or another order, between line 52 and line 61";
        refused(home, Mode::Append, &replaced, words);
        let mut lines: Vec<_> = old.lines().collect();
        lines[1..].reverse();
        refused(
            home,
            Mode::Append,
            &(lines.join("\n") + "\n"),
            "batches have other rows, or another order",
        );
        home.file("in.csv", &old);
        assert_eq!(job(home, Mode::Append).run(home.engine()).unwrap().status, Status::Complete);
        assert_eq!(home.rows("select count(*), count(distinct id) from t"), ["100|100"]);
    });
}

#[test]
fn what_became_of_the_declaration_is_told_with_both_values() {
    let home = Home::sqlite();
    home.file("in.csv", rows(0..ROWS));
    stop_at(&home, Mode::Upsert, "load");
    let error = home.fails(&job(&home, Mode::Mirror));
    let said =
        "the job was changed after a run of it had begun: mode was \"upsert\", is \"mirror\"";
    assert_eq!(error.message(), said);
}

/// batch R9, exactly-once 2a
#[test]
fn a_job_that_may_begins_again_with_the_new_input() {
    let modes = [
        (Mode::Mirror, "load"),
        (Mode::Mirror, "finish"),
        (Mode::Replace, "finish"),
        (Mode::Upsert, "load"),
        (Mode::Upsert, "merge"),
    ];
    for (mode, phase) in modes {
        on_both(|home| {
            home.file("in.csv", rows(0..ROWS));
            stop_at(home, mode, phase);
            home.file("in.csv", rows(50..150));
            let again = job(home, mode).on_change(OnChange::Restart);
            let report = again.run(home.engine()).unwrap();
            assert_eq!((report.status, report.read), (Status::Complete, 100), "{mode}");
            let range = "select min(id), max(id), count(*), count(distinct id) from t";
            assert_eq!(home.rows(range), ["50|149|100|100"], "{mode} stopped at {phase}");
            let job = home.pick("rowmill_job", "rowmill.job");
            let states = home.rows(&format!("select status from {job} order by id"));
            assert_eq!(states, ["abandoned", "complete"]);
            let left = home.pick(
                "select count(*) from sqlite_schema where name like 'rowmill_stage%'",
                "select count(*) from pg_tables where tablename like 'stage%'",
            );
            assert_eq!(home.rows(left), ["0"]);
        });
    }
}

#[test]
fn a_job_whose_old_rows_would_stay_does_not_begin_again() {
    for (mode, phase) in [(Mode::Append, "load"), (Mode::Upsert, "finish")] {
        on_both(|home| {
            let old = rows(0..ROWS);
            home.file("in.csv", &old);
            stop_at(home, mode, phase);
            home.file("in.csv", rows(50..150));
            let error = home.fails(&job(home, mode).on_change(OnChange::Restart));
            assert!(error.message().contains("the input changed"), "{error}");
            home.file("in.csv", &old);
            assert_eq!(job(home, mode).run(home.engine()).unwrap().status, Status::Complete);
            assert_eq!(home.rows("select count(*), count(distinct id) from t"), ["100|100"]);
        });
    }
}

/// A run that did not say so may have put rows of new keys into the table before the merge.
#[test]
fn a_job_whose_new_rows_are_in_the_table_already_does_not_begin_again() {
    let home = Home::postgres();
    let old = rows(0..ROWS);
    home.file("in.csv", &old);
    let stop = StopToken::new();
    let first = job(&home, Mode::Upsert).stop(stop.clone());
    let error = home.fails(&first.observer(Arc::new(StopAt(stop, "load"))));
    assert_eq!(error.kind(), rowmill::ErrorKind::Stopped);
    assert_eq!(home.rows("select count(*) from t"), ["10"]);
    home.file("in.csv", rows(50..150));
    let error = home.fails(&job(&home, Mode::Upsert).on_change(OnChange::Restart));
    assert!(error.message().contains("the input changed"), "{error}");
    home.file("in.csv", &old);
    assert_eq!(job(&home, Mode::Upsert).run(home.engine()).unwrap().inserted, 100);
    assert_eq!(home.rows("select count(*), count(distinct id) from t"), ["100|100"]);
}

#[test]
fn an_input_that_cannot_be_read_is_no_change_of_it() {
    on_both(|home| {
        let old = rows(0..ROWS);
        let path = home.file("in.csv", &old);
        stop_at(home, Mode::Mirror, "load");
        let again = job(home, Mode::Mirror).on_change(OnChange::Restart);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(home.fails(&again).kind(), rowmill::ErrorKind::Source);
        home.file("in.csv", &old);
        assert!(again.run(home.engine()).unwrap().batches_reused > 0, "it was begun again");
        let job = home.pick("rowmill_job", "rowmill.job");
        assert_eq!(home.rows(&format!("select status from {job}")), ["complete"]);
    });
}
