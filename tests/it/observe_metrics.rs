//! Figures for `metrics`: that they are right, and that their names are those that are documented.

use crate::support::fake::{Fake, take, until};
use crate::support::recorder::Figures;
use crate::support::{Home, on_both};
use rowmill::{
    BatchDone, Clock, Mode, Observer, Pool, PoolHooks, PoolMetrics, PoolOptions, PoolStats,
    RunMetrics, observe,
};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

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

/// A pool with figures, and how to read one of them.
struct Watched {
    fake: Fake,
    pool: Pool,
    metrics: Arc<PoolMetrics>,
    figures: Figures,
}

impl Watched {
    fn new(options: PoolOptions, hooks: PoolHooks) -> Self {
        let (fake, figures) = (Fake::default(), Figures::default());
        let metrics = Arc::new(figures.during(|| PoolMetrics::of("warehouse")));
        let pool = fake.hooked(options, hooks.listener(Arc::clone(&metrics) as _));
        Self { fake, pool, metrics, figures }
    }

    fn figure(&self, name: &str) -> u64 {
        self.figures.value(&format!("rowmill_pool_{name}{{pool=warehouse}}")) as u64
    }

    fn samples(&self, name: &str) -> usize {
        self.figures.samples(&format!("rowmill_pool_{name}_seconds{{pool=warehouse}}")).len()
    }

    /// In use, idle, total; they must be what the pool itself says.
    fn gauges(&self) -> [u32; 3] {
        let gauges = ["in_use", "idle", "total"].map(|name| self.figure(name) as u32);
        let PoolStats { in_use, idle, total, .. } = self.pool.stats();
        assert_eq!(gauges, [in_use, idle, total]);
        gauges
    }
}

fn small() -> PoolOptions {
    PoolOptions::new().pool_size(2).max_overflow(1)
}

#[test]
fn the_gauges_of_a_pool_are_its_counts_whatever_becomes_of_a_connection() {
    let watched = Watched::new(small(), PoolHooks::new());
    let mut taken = take(&watched.pool, 3);
    assert_eq!(watched.gauges(), [3, 0, 3]);
    drop(taken.pop());
    assert_eq!(watched.gauges(), [2, 1, 3]);
    let mut given_up = taken.pop().unwrap();
    given_up.invalidate();
    drop(given_up);
    assert_eq!(watched.gauges(), [1, 1, 2]);
    let detached = taken.pop().unwrap().detach();
    assert_eq!(watched.gauges(), [0, 1, 1]);
    drop(detached);
    drop(take(&watched.pool, 2));
    assert_eq!(watched.gauges(), [0, 2, 2]);
    watched.pool.dispose();
    assert_eq!(watched.gauges(), [0, 0, 0]);
    assert_eq!((watched.figure("connects_total"), watched.figure("closes_total")), (4, 3));
}

#[test]
fn waits_uses_and_connects_of_a_pool_are_timed() {
    let watched = Watched::new(small(), PoolHooks::new());
    drop(take(&watched.pool, 2));
    drop(watched.pool.get().unwrap());
    assert_eq!(["wait", "use", "connect"].map(|name| watched.samples(name)), [3, 3, 2]);
}

#[test]
fn who_waits_is_known_when_it_is_sampled() {
    let watched = Watched::new(small(), PoolHooks::new());
    let taken = take(&watched.pool, 3);
    thread::scope(|scope| {
        scope.spawn(|| drop(watched.pool.get()));
        until("somebody waits", || watched.pool.stats().waiting == 1);
        watched.metrics.sample(&watched.pool.stats());
        assert_eq!((watched.figure("waiting"), watched.figure("limit")), (1, 3));
        drop(taken);
    });
}

#[test]
fn who_waits_is_known_when_the_pool_is_tended_or_resized() {
    let watched = Watched::new(small(), PoolHooks::new());
    let taken = take(&watched.pool, 3);
    thread::scope(|scope| {
        scope.spawn(|| drop(watched.pool.get()));
        until("somebody waits", || watched.pool.stats().waiting == 1);
        watched.pool.tend();
        assert_eq!((watched.figure("waiting"), watched.figure("limit")), (1, 3));
        watched.pool.resize(2, 0).unwrap();
        assert_eq!((watched.figure("waiting"), watched.figure("limit")), (1, 2));
        drop(taken);
    });
}

#[test]
fn what_goes_wrong_in_a_pool_is_counted() {
    let clock = Clock::manual();
    let options = small().leak_after(Duration::from_secs(5));
    let watched = Watched::new(options, PoolHooks::new().clock(&clock));
    // It passes: the pool tries again.
    watched.fake.fail_with(&["57P03"]);
    let mut taken = take(&watched.pool, 3);
    let short = Duration::from_millis(1);
    thread::scope(|scope| scope.spawn(|| watched.pool.get_within(short).unwrap_err()).join())
        .unwrap();
    taken[0].begin().unwrap();
    clock.advance(Duration::from_secs(6));
    watched.pool.tend();
    drop(taken);
    let names = ["connect_failures_total", "timeouts_total", "resets_total", "leaks_total"];
    assert_eq!(names.map(|name| watched.figure(name)), [1, 1, 1, 3]);
}
