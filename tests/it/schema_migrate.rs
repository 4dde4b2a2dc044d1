//! Plain SQL files change a database, each once and in order, on both databases.

use crate::support::{Home, on_both};
use rowmill::{Engine, ErrorKind, MigrationState, Migrations};
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

const ARTISTS: (&str, &str) =
    ("0001_artists.sql", "create table artists (id bigint primary key, name text)");
const NAMES: (&str, &str) = ("0002_names.sql", "insert into artists values (1, 'Simone')");
const YEARS: (&str, &str) = ("0010_years.sql", "alter table artists add column year bigint;");

fn migrations(files: &[(&str, &str)]) -> Migrations {
    Migrations::of(files.iter().copied()).unwrap()
}

fn run(home: &Home, files: &[(&str, &str)]) -> Vec<String> {
    let applied = migrations(files).run(home.engine()).unwrap();
    applied.into_iter().map(|migration| migration.name).collect()
}

fn refused(home: &Home, files: &[(&str, &str)]) -> String {
    let error = migrations(files).run(home.engine()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    error.message().to_owned()
}

fn recorded(home: &Home) -> Vec<String> {
    let table = home.pick("rowmill_migration", "rowmill.migration");
    home.rows(&format!("select version, name from {table} order by version"))
}

#[test]
fn files_are_applied_by_number_and_never_again() {
    on_both(|home| {
        assert_eq!(run(home, &[NAMES, ARTISTS]), ["0001_artists.sql", "0002_names.sql"]);
        assert_eq!(recorded(home), ["1|0001_artists.sql", "2|0002_names.sql"]);
        assert_eq!(run(home, &[ARTISTS, NAMES]), [""; 0]);
        assert_eq!(run(home, &[ARTISTS, NAMES, YEARS]), ["0010_years.sql"]);
        assert_eq!(home.rows("select id, name, year from artists"), ["1|Simone|NULL"]);
    });
}

#[test]
fn a_file_that_was_changed_or_is_gone_or_was_overtaken_is_named_and_nothing_is_applied() {
    on_both(|home| {
        run(home, &[ARTISTS, NAMES]);
        let changed = (NAMES.0, "insert into artists values (1, 'Vaughan')");
        let message = "0002_names.sql was changed after it was applied";
        assert_eq!(refused(home, &[ARTISTS, changed, YEARS]), message);
        let message = "0001_artists.sql was applied and its file is gone";
        assert_eq!(refused(home, &[NAMES, YEARS]), message);
        assert_eq!(recorded(home).len(), 2);

        run(home, &[ARTISTS, NAMES, YEARS]);
        let late = ("0003_late.sql", "create table late (id bigint)");
        let all = [ARTISTS, NAMES, late, YEARS];
        let message = "0003_late.sql was overtaken: one with a higher number is applied";
        assert_eq!(refused(home, &all), message);
        let applied = migrations(&all).out_of_order(true).run(home.engine()).unwrap();
        assert_eq!(applied[0].name, "0003_late.sql");
    });
}

#[test]
fn a_file_that_fails_leaves_nothing_and_those_before_it_stay() {
    on_both(|home| {
        let broken =
            (NAMES.0, "insert into artists values (1, 'Simone'); insert into nowhere values (1)");
        let error = migrations(&[ARTISTS, broken, YEARS]).run(home.engine()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Database);
        assert_eq!(error.place().file.as_deref(), Some("0002_names.sql"));
        assert_eq!(recorded(home), ["1|0001_artists.sql"]);
        assert_eq!(home.rows("select count(*) from artists"), ["0"]);
        // It was not applied, so it may be changed.
        assert_eq!(run(home, &[ARTISTS, NAMES, YEARS]), ["0002_names.sql", "0010_years.sql"]);
    });
}

#[test]
fn a_file_that_says_so_runs_outside_of_a_transaction_statement_by_statement() {
    on_both(|home| {
        let alone = (
            "0002_alone.sql",
            home.pick(
                "-- rowmill: no-transaction\nvacuum; create index a on artists (name);",
                "-- Two, which cannot be sent as one.\n-- rowmill: no-transaction\n\
                 create index concurrently if not exists a on artists (name);\n\
                 create index concurrently if not exists b on artists (id, name);",
            ),
        );
        assert_eq!(run(home, &[ARTISTS, alone]).len(), 2);
        assert_eq!(recorded(home).len(), 2);
        let within = ("0003_within.sql", alone.1.lines().last().unwrap());
        if home.is_postgres() {
            let error = migrations(&[ARTISTS, alone, within]).run(home.engine()).unwrap_err();
            assert_eq!(error.sqlstate().unwrap().to_string(), "25001", "{error}");
        }
    });
}

#[test]
fn a_file_that_ends_its_transaction_is_refused_and_not_recorded() {
    on_both(|home| {
        let ends = ("0002_ends.sql", "create table other (id bigint); commit");
        let message = refused(home, &[ARTISTS, ends]);
        assert!(message.starts_with("the file ends the transaction"), "{message}");
        assert_eq!(recorded(home), ["1|0001_artists.sql"]);
    });
}

#[test]
fn several_who_migrate_at_once_apply_each_file_once() {
    on_both(|home| {
        let index = (
            "0003_index.sql",
            home.pick(
                "create index by_name on artists (name)",
                // Would wait for ever for somebody who waits for the lock with a snapshot.
                "-- rowmill: no-transaction\ncreate index concurrently by_name on artists (name)",
            ),
        );
        let start = Barrier::new(4);
        let applied = thread::scope(|scope| {
            let migrate = || {
                let engine = Engine::open(home.url()).unwrap();
                start.wait();
                migrations(&[ARTISTS, NAMES, index]).run(&engine).unwrap().len()
            };
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(migrate)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>()
        });
        assert_eq!(applied, 3);
        assert_eq!(home.rows("select count(*) from artists"), ["1"]);
    });
}

#[test]
fn somebody_who_migrates_is_waited_for_and_not_for_ever() {
    on_both(|home| {
        home.sql("create table other (id bigint)");
        let held = home.engine().lock_job(8_251_966_271_236_480).unwrap().unwrap();
        let impatient = migrations(&[ARTISTS]).wait(Duration::ZERO);
        let error = impatient.run(home.engine()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyRunning, "{error}");
        drop(held);
        assert_eq!(impatient.run(home.engine()).unwrap().len(), 1);
        // Who finds nothing to do needs no lock.
        let _held = home.engine().lock_job(8_251_966_271_236_480).unwrap().unwrap();
        assert_eq!(impatient.run(home.engine()).unwrap().len(), 0);
    });
}

#[test]
fn looking_changes_nothing() {
    on_both(|home| {
        let migrations = migrations(&[ARTISTS, NAMES]);
        let states = || -> Vec<_> {
            migrations.status(home.engine()).unwrap().iter().map(|status| status.state).collect()
        };
        assert_eq!(states(), [MigrationState::Pending; 2]);
        let table = home.pick("rowmill_migration", "migration");
        let tables = home.pick(
            "select count(*) from sqlite_schema where name = ",
            "select count(*) from pg_class where relname = ",
        );
        assert_eq!(home.rows(&format!("{tables}'{table}'")), ["0"]);
        run(home, &[ARTISTS]);
        assert_eq!(states(), [MigrationState::Applied, MigrationState::Pending]);
        let found = &migrations.status(home.engine()).unwrap()[0];
        assert!(found.applied_at.as_ref().unwrap().starts_with("20"));
    });
}

#[test]
fn a_folder_is_read_and_names_that_are_none_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("0002_b.sql", "b");
    write("0001_a.sql", "a");
    write("README.md", "nothing");
    let names = || -> Vec<_> {
        let read = Migrations::read(folder.path()).unwrap();
        read.files().iter().map(|file| file.name().to_owned()).collect()
    };
    assert_eq!(names(), ["0001_a.sql", "0002_b.sql"]);
    write("2_again.sql", "b");
    let error = Migrations::read(folder.path()).unwrap_err();
    assert!(error.message().ends_with("have one number"), "{error}");
    write("notes.sql", "");
    let error = Migrations::read(folder.path()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert_eq!(Migrations::read("no such folder").unwrap_err().kind(), ErrorKind::Source);
}
