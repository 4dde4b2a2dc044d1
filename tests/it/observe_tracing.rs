//! Spans and events for `tracing`: which there are, and that no value is in them.

use crate::support::Home;
use crate::support::fake::Fake;
use rowmill::{Engine, Job, Mode, PoolOptions};
use std::cell::RefCell;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Once};
use std::time::Duration;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber, callsite, subscriber};

const CANARY: &str = "canary-4711";

thread_local! {
    /// What is collected of this thread, if anything is, and in how many spans it is.
    static COLLECTED: RefCell<Option<(Vec<String>, usize)>> = const { RefCell::new(None) };
}

/// Takes every span and event at every level, with all fields, of threads that ask for it.
///
/// It is installed once for all threads: with one for each test, `tracing` may ask a thread that
/// has none whether a place is of interest, and believe it for everybody.
struct Collector {
    spans: AtomicU64,
}

impl Collector {
    /// Runs `work` on this thread and returns what was collected of it.
    fn of<T>(work: impl FnOnce() -> T) -> (T, Vec<String>) {
        static INSTALLED: Once = Once::new();
        INSTALLED.call_once(|| {
            subscriber::set_global_default(Self { spans: AtomicU64::new(0) }).unwrap();
        });
        callsite::rebuild_interest_cache();
        COLLECTED.set(Some(Default::default()));
        let value = work();
        (value, COLLECTED.take().unwrap().0)
    }

    fn push(what: &str, metadata: &Metadata<'_>, fields: &Fields) {
        let (level, name) = (metadata.level(), metadata.name());
        let name = if metadata.is_span() { name } else { "" };
        Self::with(|lines, depth| {
            lines.push(format!("{what} {level} {name}{} depth={depth}", fields.0));
        });
    }

    fn with(note: impl FnOnce(&mut Vec<String>, &mut usize)) {
        COLLECTED.with_borrow_mut(|collected| {
            if let Some((lines, depth)) = collected {
                note(lines, depth);
            }
        });
    }
}

#[derive(Default)]
struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

impl Subscriber for Collector {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, _: &Metadata<'_>) -> bool {
        COLLECTED.with_borrow(Option::is_some)
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        Self::push("span", attributes.metadata(), &fields);
        Id::from_u64(self.spans.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut fields = Fields::default();
        values.record(&mut fields);
        Self::with(|lines, _| lines.push(format!("record{}", fields.0)));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        Self::push("event", event.metadata(), &fields);
    }

    fn enter(&self, _: &Id) {
        Self::with(|_, depth| *depth += 1);
    }

    fn exit(&self, _: &Id) {
        Self::with(|_, depth| *depth -= 1);
    }
}

fn has(lines: &[String], wanted: &str) -> bool {
    lines.iter().any(|line| line.contains(wanted))
}

#[test]
fn a_statement_is_a_span_with_its_rows_and_without_its_parameters() {
    let home = Home::memory();
    let ask = || home.engine().query("select $1", &[CANARY.into()], |_| Ok(()));
    let (asked, lines) = Collector::of(ask);
    asked.unwrap();
    let statement = r#"span DEBUG statement kind="query" sql="select $1""#;
    assert!(has(&lines, "span DEBUG check_out"), "{lines:#?}");
    assert!(has(&lines, statement) && has(&lines, "record rows=1"), "{lines:#?}");
    assert!(!has(&lines, CANARY), "{lines:#?}");
}

#[test]
fn a_run_has_batches_and_they_have_statements() {
    let home = Home::sqlite();
    home.sql("create table t (a integer primary key)");
    let job = home.csv_job(Mode::Append, "t", &["a integer"], "", "a\n1\n2\n").batch_rows(1);
    let (report, lines) = Collector::of(|| job.run_serial(home.engine()));
    report.unwrap();
    let run = format!("span INFO run job=\"{}\" depth=0", job.name());
    assert!(has(&lines, &run), "{lines:#?}");
    for number in [0, 1] {
        let batch = format!(r#"span DEBUG batch phase="load" number={number} depth=1"#);
        assert!(has(&lines, &batch), "{lines:#?}");
    }
    assert!(has(&lines, "span DEBUG check_out depth=2"), "{lines:#?}");
    assert!(
        has(&lines, r#"span DEBUG statement kind="commit" sql="COMMIT" depth=2"#),
        "{lines:#?}"
    );
}

#[test]
fn what_failed_is_in_its_span() {
    let engine = Engine::open("sqlite::memory:").unwrap();
    let (failed, lines) = Collector::of(|| engine.run("select nonsense"));
    assert!(failed.is_err() && has(&lines, "record error=no such column"), "{lines:#?}");
}

#[test]
fn a_check_out_that_fails_says_so() {
    let fake = Fake::default();
    let options = PoolOptions::new().timeout(Duration::from_secs(5));
    let engine = Engine::from_backend(Arc::new(fake.clone()), options).unwrap();
    fake.fail_with(&["28P01"]);
    let (failed, lines) = Collector::of(|| engine.get());
    assert!(failed.is_err() && has(&lines, "record error=refused with 28P01"), "{lines:#?}");
}

#[test]
fn what_a_person_should_know_of_a_pool_is_a_warning() {
    let options = PoolOptions::new().pool_size(1).max_overflow(0);
    let fake = Fake::default();
    let engine = Engine::from_backend(Arc::new(fake.clone()), options).unwrap();
    // It passes: the pool tries again.
    fake.fail_with(&["57P03"]);
    let ((), lines) = Collector::of(|| {
        engine.get().unwrap().begin().unwrap();
    });
    let warnings: Vec<_> = lines.iter().filter(|line| line.starts_with("event WARN")).collect();
    let has = |wanted: &str| warnings.iter().any(|line| line.contains(wanted));
    assert!(has("no connection after") && has("refused with 57P03"), "{warnings:#?}");
    assert!(has("left behind an open transaction"), "{warnings:#?}");
}

/// The whole of a job at every level: good rows, rejected rows, a failing statement, a password.
#[test]
fn no_value_and_no_password_is_in_any_span_or_event() {
    for home in [Home::sqlite(), Home::postgres()] {
        home.sql("create table t (a integer primary key, b text check (b not like '%-bad'))");
        let csv = format!("a,b\n1,{CANARY}\n{CANARY},x\n2,{CANARY}-bad\n3,{CANARY}-good\n");
        let columns = ["a integer", "b text"];
        let job: Job = home.csv_job(Mode::Upsert, "t", &columns, "a", csv);
        let work = || {
            let report = job.run_serial(home.engine()).unwrap();
            assert_eq!((report.inserted, report.rejected), (2, 2));
            let again = [7.into(), format!("{CANARY}-bad").into()];
            home.engine().execute("insert into t values ($1, $2)", &again).unwrap_err();
            home.engine().query("select b from t", &[], |_| Ok(())).unwrap();
            let wrong = home.url().replace("pw-4-the-mill", CANARY);
            if home.is_postgres() {
                Engine::open(&wrong).unwrap().check().unwrap_err();
            }
        };
        let ((), lines) = Collector::of(work);
        assert!(lines.len() > 30, "{lines:#?}");
        for secret in [CANARY, "pw-4-the-mill"] {
            let shown: Vec<_> = lines.iter().filter(|line| line.contains(secret)).collect();
            assert!(shown.is_empty(), "{shown:#?}");
        }
    }
}
