//! Any bad rows, batches, workers and limits: a run stops exactly where a model that only counts
//! says so, what it has stored is whole batches within the limits, and it carries on.

use super::*;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rowmill::RejectClass;
use std::collections::BTreeSet;

/// What becomes of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Good,
    /// The record has too few fields: 22P04.
    Shapeless,
    /// The number is none: 22P02.
    NoNumber,
    /// The database refuses it: 23514.
    Checked,
}

impl Fate {
    fn line(self, id: usize) -> String {
        match self {
            Self::Good => format!("{id},{id}\n"),
            Self::Shapeless => format!("{id}\n"),
            Self::NoNumber => format!("{id},x\n"),
            Self::Checked => format!("{id},0\n"),
        }
    }

    /// Whether a kind of rejects has it; every kind of `""` has all that are bad.
    fn is(self, class: &str) -> bool {
        let (stage, code) = match self {
            Self::Good => return false,
            Self::Shapeless => ("parse", "22P04"),
            Self::NoNumber => ("convert", "22P02"),
            Self::Checked => ("store", "23514"),
        };
        class.is_empty() || stage == class || code.starts_with(class)
    }
}

#[derive(Clone, Debug)]
struct Case {
    rows: Vec<Fate>,
    batch_rows: usize,
    workers: usize,
    /// The limit on all, under the name `""`, and those on kinds.
    limits: Vec<(&'static str, Limit)>,
}

#[derive(Clone, Copy, Debug)]
enum Limit {
    Count(u64),
    Percent(u64),
}

impl Limit {
    fn of(self, rows: usize) -> u64 {
        match self {
            Self::Count(count) => count,
            Self::Percent(percent) => rows as u64 * percent / 100,
        }
    }

    fn max_rejects(self) -> MaxRejects {
        match self {
            Self::Count(count) => MaxRejects::Count(count),
            Self::Percent(percent) => MaxRejects::Share(percent as f64 / 100.0),
        }
    }
}

fn cases() -> impl Strategy<Value = Case> {
    let fate = prop_oneof![
        8 => Just(Fate::Good),
        1 => Just(Fate::Shapeless),
        1 => Just(Fate::NoNumber),
        1 => Just(Fate::Checked),
    ];
    // Each of them has to be the one that decides, often enough.
    let limit = prop_oneof![
        1 => Just(Limit::Count(1_000)),
        1 => (0..30_u64).prop_map(Limit::Count),
        1 => (0..40_u64).prop_map(Limit::Percent),
    ];
    let of_kind =
        prop_oneof![(0..8_u64).prop_map(Limit::Count), (0..15_u64).prop_map(Limit::Percent)];
    let kind = prop::sample::select(vec!["parse", "convert", "22", "22P02", "23", "23514", "42"]);
    let kinds = prop::collection::vec((kind, of_kind), 0..4);
    (prop::collection::vec(fate, 1..100), 1..20_usize, 1..=8_usize, limit, kinds).prop_map(
        |(rows, batch_rows, workers, limit, kinds)| {
            let mut limits = vec![("", limit)];
            for (kind, limit) in kinds {
                if limits.iter().all(|(known, _)| *known != kind) {
                    limits.push((kind, limit));
                }
            }
            Case { rows, batch_rows, workers, limits }
        },
    )
}

impl Case {
    /// Whether rejects of these rows are within all limits.
    fn bears(&self, rows: &[Fate]) -> bool {
        self.limits.iter().all(|(class, limit)| {
            rows.iter().filter(|fate| fate.is(class)).count() as u64 <= limit.of(self.rows.len())
        })
    }

    /// How many rows are in when a run that does one batch after the other is over.
    fn rows_in_turn(&self) -> usize {
        let ends = (0..=self.rows.len())
            .filter(|end| end.is_multiple_of(self.batch_rows) || *end == self.rows.len());
        ends.take_while(|end| self.bears(&self.rows[..*end])).last().unwrap_or(0)
    }

    fn job(&self, home: &Home) -> Job {
        let lines: String =
            self.rows.iter().enumerate().map(|(at, fate)| fate.line(at + 1)).collect();
        let csv = format!("id,n\n{lines}");
        home.csv_job(Mode::Append, "t", &["id bigint", "n integer"], "id", csv)
            .batch_rows(self.batch_rows as u64)
            .workers(self.workers)
            .max_rejects(MaxRejects::Count(1_000))
    }

    fn limited(&self, job: &Job) -> Job {
        self.limits.iter().fold(job.clone(), |job, (class, limit)| match *class {
            "" => job.max_rejects(limit.max_rejects()),
            class => job.max_rejects_of(RejectClass::parse(class).unwrap(), limit.max_rejects()),
        })
    }

    /// The rows that a run brought in or rejected, from 1; fails unless the books agree.
    fn settled(&self, home: &Home, job: &Job, counted: u64) -> BTreeSet<usize> {
        let own = |table: &str| {
            home.pick(&format!("rowmill_{table}"), &format!("rowmill.{table}")).to_owned()
        };
        let of_job = format!("(select id from {} where name = '{}')", own("job"), job.name());
        let rejects = home.rows(&format!(
            "select input_row from {} where job_id = {of_job} order by 1",
            own("reject")
        ));
        let told = home.rows(&format!("select rejected from {} where id = {of_job}", own("job")));
        assert_eq!(told, [rejects.len().to_string()], "{self:?}");
        assert_eq!(counted, rejects.len() as u64, "{self:?}");
        let good = home.rows("select id from t");
        let all: Vec<usize> = good.iter().chain(&rejects).map(|row| row.parse().unwrap()).collect();
        let set: BTreeSet<usize> = all.iter().copied().collect();
        assert_eq!(set.len(), all.len(), "a row is there twice: {self:?}");
        for row in &rejects {
            assert_ne!(self.rows[row.parse::<usize>().unwrap() - 1], Fate::Good, "{self:?}");
        }
        set
    }

    fn check(&self, home: &Home, serial: bool) {
        home.sql("delete from t");
        let job = self.job(home);
        let limited = self.limited(&job);
        let (counted, error) = if serial {
            match limited.run_serial(home.engine()) {
                Ok(report) => (Some(report.rejected), None),
                Err(error) => (None, Some(error)),
            }
        } else {
            let (report, error) = limited.report(home.engine());
            (Some(report.rejected), error)
        };
        assert_eq!(error.is_none(), self.bears(&self.rows), "{serial}, {error:?}: {self:?}");
        let kind = error.as_ref().map(rowmill::Error::kind);
        assert!(kind.is_none_or(|kind| kind == ErrorKind::RejectLimit), "{error:?}");
        let in_turn: BTreeSet<usize> = (1..=self.rows_in_turn()).collect();
        let counted = counted.unwrap_or_else(|| {
            in_turn.iter().filter(|row| self.rows[**row - 1] != Fate::Good).count() as u64
        });
        let settled = self.settled(home, &job, counted);
        if serial {
            assert_eq!(settled, in_turn, "{self:?}");
        }
        // Whole batches, and within every limit, whoever came first.
        for batch in (1..=self.rows.len()).collect::<Vec<_>>().chunks(self.batch_rows) {
            let there = batch.iter().filter(|row| settled.contains(row)).count();
            assert!(there == 0 || there == batch.len(), "half a batch: {self:?}");
        }
        let fates: Vec<_> = settled.iter().map(|row| self.rows[row - 1]).collect();
        assert!(self.bears(&fates), "{self:?}");
        // Without the limits it carries on, with as many workers.
        let report = job.run(home.engine()).unwrap();
        assert_eq!(report.rejected, self.rows.iter().filter(|f| f.is("")).count() as u64);
        assert_eq!(self.settled(home, &job, report.rejected).len(), self.rows.len(), "{self:?}");
    }
}

fn for_any_case(home: &Home, count: u32) {
    home.sql("create table t (id bigint primary key, n integer check (n > 0))");
    let config = Config { cases: count, failure_persistence: None, ..Config::default() };
    let tested = TestRunner::new(config).run(&cases(), |case| {
        case.check(home, false);
        case.check(home, true);
        Ok(())
    });
    tested.unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn a_run_stops_where_a_model_says_so_and_its_twin_at_that_very_batch() {
    for_any_case(&Home::sqlite(), 48);
}

#[test]
fn the_same_holds_where_workers_commit_at_the_same_time() {
    for_any_case(&Home::postgres(), 12);
}
