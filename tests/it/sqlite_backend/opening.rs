//! How a database is opened.

use super::*;

#[test]
fn a_missing_directory_a_directory_and_a_file_of_something_else_are_refused_with_what_to_do() {
    let database = Database::new();
    let other = database.folder.path().join("notes.txt");
    std::fs::write(&other, "this is a text and no database, and long enough to be read as one")
        .unwrap();
    for (path, said) in [
        (database.folder.path().join("none/test.db"), "does not exist"),
        (database.folder.path().to_owned(), "is a directory"),
        (other, "not a database"),
    ] {
        let error = open(&path).unwrap().connect(soon()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
        assert!(error.message().contains(said), "{error}");
        assert!(error.hint().is_some(), "{error}");
        assert!(!error.is_transient(), "{error}");
    }
}

#[test]
fn a_file_is_opened_in_wal_mode_with_foreign_keys() {
    let database = Database::new();
    let mut connection = connect(&database.backend());
    for (pragma, value) in [("journal_mode", "'wal'"), ("synchronous", "1"), ("foreign_keys", "1")]
    {
        assert_eq!(one(&mut *connection, &format!("pragma {pragma}")), value, "{pragma}");
    }
}

#[test]
fn a_name_that_looks_like_a_uri_is_a_file_all_the_same() {
    let database = Database::new();
    let path = database.folder.path().join("file:a?mode=memory");
    connect(&open(&path).unwrap()).run("create table t (a)").unwrap();
    assert!(path.exists());
}

#[test]
fn many_first_connections_to_a_new_file_all_succeed() {
    for _ in 0..10 {
        let database = Database::new();
        let backend = database.backend();
        let start = Barrier::new(8);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    start.wait();
                    connect(&backend).ping(soon()).unwrap();
                });
            }
        });
    }
}

#[test]
fn a_database_in_memory_survives_between_its_borrowers_and_is_clean() {
    let backend = memory();
    assert_eq!(backend.max_connections(), Some(1));
    let mut first = connect(&backend);
    first.run("create table t (a)").unwrap();
    let error = backend.connect(Instant::now()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
    first.begin().unwrap();
    first.run("insert into t values (1)").unwrap();
    drop(first);
    let mut second = connect(&backend);
    assert!(!second.in_transaction());
    assert_eq!(one(&mut *second, "select count(*) from t"), "0");
}

#[test]
fn two_databases_in_memory_are_two() {
    let (one, other) = (memory(), memory());
    connect(&one).run("create table t (a)").unwrap();
    assert!(connect(&other).table_info(&table("t")).unwrap().is_none());
}

#[test]
fn no_debug_output_shows_more_than_the_path() {
    let database = Database::new();
    let backend = database.backend();
    let connection = connect(&backend);
    assert_eq!(
        format!("{connection:?}"),
        "SqliteConnection { in_memory: false, in_transaction: false, broken: false, .. }"
    );
    assert!(backend.describe().ends_with("test.db"));
}

#[test]
fn an_engine_is_opened_from_the_url_of_a_file_and_of_memory() {
    let database = Database::new();
    for url in [format!("sqlite:{}", database.path().display()), "sqlite::memory:".to_owned()] {
        let engine = rowmill::Engine::open(&url).unwrap();
        engine.run("create table t (a)").unwrap();
        assert_eq!(engine.execute("insert into t values ($1)", &[1.into()]).unwrap(), 1);
    }
}
