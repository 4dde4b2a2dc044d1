//! Every statement is told to whoever asked for it, and no value with it.

use crate::support::{Home, on_both};
use rowmill::{Engine, EngineBuilder, Mode, StatementEvent, StatementKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const CANARY: &str = "canary-4711";

/// What a sink was told, one line for each statement.
#[derive(Clone, Debug, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    fn sink(
        &self,
        show: fn(&StatementEvent<'_>) -> String,
    ) -> impl Fn(&StatementEvent<'_>) + use<> {
        let told = self.clone();
        move |event| told.0.lock().unwrap().push(show(event))
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// Without the time and the connection.
fn short(event: &StatementEvent<'_>) -> String {
    let rows = event.rows.map_or("-".to_owned(), |rows| rows.to_string());
    let failed = if event.error.is_some() { " failed" } else { "" };
    format!("{} {rows} {}{failed}", event.kind.name(), event.sql)
}

/// An engine on the database of `home`, and what is told of it.
fn echoing(
    home: &Home,
    show: fn(&StatementEvent<'_>) -> String,
    more: impl FnOnce(EngineBuilder) -> EngineBuilder,
) -> (Engine, Told) {
    let told = Told::default();
    let builder = more(Engine::builder(home.url()).echo(told.sink(show)));
    (builder.build().unwrap(), told)
}

#[test]
fn every_statement_is_told_with_its_rows() {
    on_both(|home| {
        let (engine, told) = echoing(home, short, |builder| builder);
        engine.run("create table t (a integer)").unwrap();
        engine.execute("insert into t values ($1), ($2)", &[1.into(), 2.into()]).unwrap();
        let mut connection = engine.get().unwrap();
        connection.begin().unwrap();
        connection.query("select a from t where a > $1", &[1.into()], &mut |_| Ok(())).unwrap();
        connection.rollback().unwrap();
        connection.rollback().unwrap();
        drop(connection);
        let expected = [
            "run - create table t (a integer)",
            "execute 2 insert into t values ($1), ($2)",
            "begin - BEGIN",
            "query 1 select a from t where a > $1",
            "rollback - ROLLBACK",
        ];
        assert_eq!(told.take(), expected);
    });
}

#[test]
fn parameters_are_counted_and_not_shown() {
    on_both(|home| {
        let all = |event: &StatementEvent<'_>| format!("{event} {event:?} {:?}", event.parameters);
        let (engine, told) = echoing(home, all, |builder| builder);
        engine.run("create table t (a text)").unwrap();
        engine.execute("insert into t values ($1)", &[CANARY.into()]).unwrap();
        let told = told.take().join("\n");
        assert!(!told.contains(CANARY), "{told}");
        assert!(told.contains("insert into t values ($1) (1 parameter hidden)"), "{told}");
    });
}

#[test]
fn parameters_are_shown_where_that_was_asked_for_by_name() {
    let line = |event: &StatementEvent<'_>| event.to_string();
    let (engine, told) = echoing(&Home::memory(), line, EngineBuilder::show_parameters_in_echo);
    engine.query("select $1", &[CANARY.into()], |_| Ok(())).unwrap();
    let told = told.take().join("\n");
    assert!(told.ends_with(&format!("1 row: select $1 ($1 = \"{CANARY}\")")), "{told}");
}

#[test]
fn a_failed_statement_is_told_with_its_error() {
    on_both(|home| {
        let (engine, told) = echoing(home, short, |builder| builder);
        engine.run("select nonsense").unwrap_err();
        assert_eq!(told.take(), ["run - select nonsense failed"]);
    });
}

#[test]
fn only_slow_statements_are_told_where_there_is_a_threshold() {
    let slow = Duration::from_millis(50);
    let home = Home::postgres();
    let (engine, told) = echoing(&home, short, |builder| builder.slow_statements(slow));
    let mut connection = engine.get().unwrap();
    // Whatever else is slow on a busy machine may be told too.
    connection.run("select 1").unwrap();
    connection.run("select pg_sleep(0.05)").unwrap();
    assert!(told.take().contains(&"run - select pg_sleep(0.05)".to_owned()));
    let never = Duration::from_hours(1);
    let (engine, told) = echoing(&Home::memory(), short, |builder| builder.slow_statements(never));
    engine.run("select 1").unwrap();
    assert!(told.take().is_empty());
}

#[test]
fn a_transaction_that_was_left_open_is_told_when_it_is_taken_away() {
    on_both(|home| {
        let (engine, told) = echoing(home, short, |builder| builder);
        let mut connection = engine.get().unwrap();
        connection.begin().unwrap();
        drop(connection);
        let told = told.take();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[1].starts_with("reset - RESET an open transaction"), "{told:?}");
    });
}

#[test]
fn connections_are_told_apart() {
    let home = Home::postgres();
    let number = |event: &StatementEvent<'_>| event.connection.to_string();
    let (engine, told) = echoing(&home, number, |builder| builder);
    let mut first = engine.get().unwrap();
    first.run("select 1").unwrap();
    std::thread::scope(|scope| scope.spawn(|| engine.run("select 1").unwrap()).join().unwrap());
    first.run("select 1").unwrap();
    assert_eq!(told.take(), ["1", "2", "1"]);
}

#[test]
fn a_job_does_the_same_with_an_echo_and_no_value_is_told() {
    on_both(|home| {
        let all = |event: &StatementEvent<'_>| format!("{event} {event:?}");
        let (engine, told) = echoing(home, all, |builder| builder);
        let csv = format!("a,b\n1,{CANARY}\n{CANARY},x\n2,{CANARY}-too\n");
        home.sql("create table t (a integer primary key, b text)");
        let job = home.csv_job(Mode::Upsert, "t", &["a integer", "b text"], "a", csv);
        let report = job.run(&engine).unwrap();
        assert_eq!((report.inserted, report.rejected), (2, 1));
        let told = told.take().join("\n");
        assert!(!told.contains(CANARY), "{told}");
        assert!(told.contains("COMMIT"), "{told}");
    });
}

#[test]
fn a_load_is_told_by_its_table_and_columns() {
    on_both(|home| {
        let (engine, told) = echoing(home, short, |builder| builder);
        home.sql("create table t (a integer, b text)");
        let job = home.csv_job(Mode::Append, "t", &["a integer", "b text"], "", "a,b\n1,x\n2,y\n");
        job.run(&engine).unwrap();
        let told = told.take();
        let load = r#"load 2 LOAD "t" ("a", "b")"#;
        assert!(told.iter().any(|line| line == load), "{told:#?}");
    });
}

#[test]
fn a_sink_that_panics_costs_no_connection() {
    let engine = Engine::builder("sqlite::memory:").echo(|_| panic!("sink")).build().unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| engine.run("select 1"))).is_err());
    assert_eq!(engine.stats().in_use, 0);
}

#[test]
fn kinds_have_names() {
    let kinds = [StatementKind::Run, StatementKind::Load, StatementKind::Reset];
    assert_eq!(kinds.map(StatementKind::name), ["run", "load", "reset"]);
}

/// A default body of the seam that something in between does not pass on would hide what a backend
/// can do: so it is with the echo, and with what the pool hands out.
#[test]
fn every_call_of_the_seam_is_passed_on() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/src/");
    let read = |path: &str| std::fs::read_to_string(format!("{root}{path}")).unwrap();
    let seam = read("backend/mod.rs");
    for (of_trait, between) in [
        ("Backend", "engine/echo/backend.rs"),
        ("Connection", "engine/echo/connection.rs"),
        ("Connection", "pool/watched.rs"),
    ] {
        let (_, body) = seam.split_once(&format!("pub trait {of_trait}:")).unwrap();
        let body = body.split("\npub ").next().unwrap();
        let calls: Vec<_> = body.lines().filter_map(|line| line.strip_prefix("    fn ")).collect();
        assert!(calls.len() > 4, "the trait {of_trait} was not found");
        let text = read(between);
        for call in calls {
            let name = call.split('(').next().unwrap();
            let passed_on = [format!(".{name}("), format!("::{name})")];
            let is_there = text.contains(&format!("    fn {name}("))
                && passed_on.iter().any(|call| text.contains(call));
            assert!(is_there, "{between} does not pass on {name}");
        }
    }
}
