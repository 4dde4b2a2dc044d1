//! Figures for `metrics`: that they are right, and that their names are those that are documented.

use crate::support::recorder::Figures;
use crate::support::{Home, on_both};
use rowmill::{BatchDone, Mode, Observer, PoolMetrics, RunMetrics, observe};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

#[test]
fn the_figures_of_a_run_are_those_of_its_report() {
    on_both(|home| {
        let figures = Figures::default();
        let watch = Arc::new(figures.during(|| RunMetrics::of("nightly")));
        home.sql("create table t (a integer primary key)");
        let csv = "a\n1\n2\nx\n4\n5\n";
        let job = home.csv_job(Mode::Append, "t", &["a integer"], "", csv).batch_rows(2);
        let report = job.observer(watch).run(home.engine()).unwrap();
        let of = |name: &str| figures.value(&format!("rowmill_run_{name}{{job=nightly}}"));
        assert_eq!((of("rows_total"), of("rejects_total"), of("retries_total")), (5.0, 1.0, 0.0));
        assert_eq!((of("planned_rows"), of("planned_batches")), (5.0, report.batches as f64));
        assert_eq!((of("batches_total"), of("bytes_total")), (report.batches as f64, 10.0));
        let times = figures.samples("rowmill_run_batch_seconds{job=nightly}");
        assert_eq!(times.len() as u64, report.batches);
        assert!(times.iter().all(|time| *time > 0.0));
    });
}

#[test]
fn what_is_tried_again_is_counted() {
    let figures = Figures::default();
    let watch = figures.during(|| RunMetrics::of("nightly"));
    watch.waiting(&rowmill::Error::new(rowmill::ErrorKind::Disconnect, "gone"));
    let retries = figures.value("rowmill_run_retries_total{job=nightly}");
    assert!(retries > 0.5 && retries < 1.5, "{retries}");
}

#[test]
fn a_job_may_be_watched_by_several() {
    #[derive(Default)]
    struct Count(AtomicU64);
    impl Observer for Count {
        fn batch_done(&self, done: &BatchDone) {
            self.0.fetch_add(done.rows, Ordering::Relaxed);
        }
    }
    let home = Home::memory();
    home.sql("create table t (a integer)");
    let counts = [Arc::new(Count::default()), Arc::new(Count::default())];
    let job = home.csv_job(Mode::Append, "t", &["a integer"], "", "a\n1\n2\n");
    let job = counts.iter().fold(job, |job, count| job.observer(Arc::clone(count) as _));
    job.run(home.engine()).unwrap();
    assert_eq!(counts.map(|count| count.0.load(Ordering::Relaxed)), [2, 2]);
}

/// The table in the documentation, the figures that are made, and those that are described.
#[test]
fn every_figure_is_documented_and_described() {
    let figures = Figures::default();
    figures.during(|| {
        let _ = (PoolMetrics::of("p"), RunMetrics::of("j"));
        observe::describe();
    });
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/src/observe/mod.rs");
    let page = std::fs::read_to_string(page).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("//! | `")?.split('`').next());
    let documented: BTreeSet<_> = rows.map(str::to_owned).collect();
    let made: BTreeSet<_> = figures.names().into_iter().collect();
    assert_eq!(documented, made);
    assert_eq!(documented, figures.described().into_iter().collect());
}
