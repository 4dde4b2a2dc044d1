//! Whose turn it is to write.

use super::*;

#[test]
fn eight_writers_take_turns_while_readers_progress() {
    const WRITERS: usize = 8;
    const EACH: usize = 20;
    let database = Database::new();
    let backend = database.backend();
    connect(&backend).run("create table t (writer, number)").unwrap();
    let done = AtomicBool::new(false);
    let reads = AtomicUsize::new(0);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let backend = &backend;
                scope.spawn(move || {
                    let mut connection = connect(backend);
                    for number in 0..EACH {
                        connection.begin().unwrap();
                        let params = [Param::Int(writer as i64), Param::Int(number as i64)];
                        connection.execute("insert into t values ($1, $2)", &params).unwrap();
                        connection.commit().unwrap();
                    }
                })
            })
            .collect();
        for _ in 0..2 {
            scope.spawn(|| {
                let mut connection = connect(&backend);
                while !done.load(Ordering::Relaxed) {
                    one(&mut *connection, "select count(*) from t");
                    reads.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for writer in writers {
            writer.join().unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
    assert!(reads.load(Ordering::Relaxed) > 0);
    let count = one(&mut *connect(&backend), "select count(*) from t");
    assert_eq!(count, (WRITERS * EACH).to_string());
}

#[test]
fn a_reader_is_not_stopped_by_an_open_write() {
    let database = Database::new();
    let backend = database.backend();
    let (mut writer, mut reader) = (connect(&backend), connect(&backend));
    writer.run("create table t (a)").unwrap();
    writer.begin().unwrap();
    writer.run("insert into t values (1)").unwrap();
    assert_eq!(one(&mut *reader, "select count(*) from t"), "0");
    writer.commit().unwrap();
    assert_eq!(one(&mut *reader, "select count(*) from t"), "1");
}

#[test]
fn a_writer_whose_turn_does_not_come_gets_a_transient_error() {
    let database = Database::new();
    let backend = database.backend().writer_timeout(Duration::from_millis(20));
    let (mut holder, mut other) = (connect(&backend), connect(&backend));
    holder.begin().unwrap();
    let error = other.begin().unwrap_err();
    assert_eq!((code(&error).as_str(), error.class()), ("55P03", Class::Transient), "{error}");
    assert!(!other.in_transaction());
    drop(holder);
    other.begin().unwrap();
}

#[test]
fn a_single_statement_waits_for_its_turn_too() {
    let database = Database::new();
    let backend = database.backend().writer_timeout(Duration::from_millis(20));
    let (mut holder, mut other) = (connect(&backend), connect(&backend));
    holder.run("create table t (a)").unwrap();
    holder.begin().unwrap();
    let error = other.execute("insert into t values (1)", &[]).unwrap_err();
    assert!(error.message().contains("turn"), "{error}");
    holder.rollback().unwrap();
    assert_eq!(other.execute("insert into t values (1)", &[]).unwrap(), 1);
}

#[test]
fn a_read_transaction_does_not_take_the_turn_of_writers() {
    let database = Database::new();
    let backend = database.backend().writer_timeout(Duration::from_millis(20));
    let (mut reader, mut writer) = (connect(&backend), connect(&backend));
    writer.run("create table t (a)").unwrap();
    reader.run("begin").unwrap();
    assert_eq!(one(&mut *reader, "select count(*) from t"), "0");
    writer.run("insert into t values (1)").unwrap();
    assert_eq!(one(&mut *reader, "select count(*) from t"), "0");
    // Its snapshot is older than the last commit: no wait would help.
    let error = reader.run("insert into t values (2)").unwrap_err();
    assert_eq!((code(&error).as_str(), error.class()), ("40001", Class::Transient), "{error}");
}

#[test]
fn the_lock_of_another_process_is_waited_for_until_the_busy_timeout() {
    let database = Database::new();
    let mut settings = SqliteSettings::new(SqliteLocation::File(database.path()));
    settings.busy_timeout = Duration::from_millis(30);
    // A backend with a gate of its own stands for another process.
    let (here, there) = (SqliteBackend::open(settings).unwrap(), database.backend());
    let (mut waiting, mut holder) = (connect(&here), connect(&there));
    holder.begin().unwrap();
    let started = Instant::now();
    let error = waiting.begin().unwrap_err();
    assert!(started.elapsed() >= Duration::from_millis(30));
    assert_eq!((code(&error).as_str(), error.class()), ("55P03", Class::Transient), "{error}");
    assert!(!waiting.is_broken());
    holder.commit().unwrap();
    waiting.begin().unwrap();
}

#[test]
fn writers_of_two_processes_both_get_through() {
    let database = Database::new();
    let (one_backend, other_backend) = (database.backend(), database.backend());
    connect(&one_backend).run("create table t (a)").unwrap();
    thread::scope(|scope| {
        for backend in [&one_backend, &other_backend] {
            for _ in 0..2 {
                scope.spawn(move || {
                    let mut connection = connect(backend);
                    for _ in 0..25 {
                        connection.begin().unwrap();
                        connection.run("insert into t values (1)").unwrap();
                        connection.commit().unwrap();
                    }
                });
            }
        }
    });
    assert_eq!(one(&mut *connect(&one_backend), "select count(*) from t"), "100");
}

#[test]
fn a_single_statement_waits_for_another_process_too() {
    let database = Database::new();
    let mut settings = SqliteSettings::new(SqliteLocation::File(database.path()));
    settings.busy_timeout = Duration::from_millis(30);
    let (here, there) = (SqliteBackend::open(settings).unwrap(), database.backend());
    let (mut waiting, mut holder) = (connect(&here), connect(&there));
    holder.run("create table t (a)").unwrap();
    holder.begin().unwrap();
    let started = Instant::now();
    let error = waiting.run("insert into t values (1)").unwrap_err();
    assert!(started.elapsed() >= Duration::from_millis(30));
    assert_eq!(code(&error), "55P03", "{error}");
}
