//! Who holds the lock of a job.

use super::*;

#[test]
fn a_job_has_one_holder_in_this_process_and_in_others() {
    let database = Database::new();
    let (here, there) = (database.backend(), database.backend());
    let mut lock = here.lock_job(7, soon()).unwrap().unwrap();
    assert!(lock.is_held());
    assert!(here.lock_job(7, soon()).unwrap().is_none());
    assert!(there.lock_job(7, soon()).unwrap().is_none());
    assert!(there.lock_job(8, soon()).unwrap().is_some());
    drop(lock);
    assert!(there.lock_job(7, soon()).unwrap().is_some());
}

#[test]
fn a_job_in_memory_has_one_holder() {
    let backend = memory();
    let lock = backend.lock_job(-7, soon()).unwrap().unwrap();
    assert!(backend.lock_job(-7, soon()).unwrap().is_none());
    drop(lock);
    assert!(backend.lock_job(-7, soon()).unwrap().is_some());
}

#[test]
fn at_most_one_of_many_holds_the_lock_at_any_time() {
    let database = Database::new();
    let backend = database.backend();
    let held = AtomicUsize::new(0);
    let taken = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..200 {
                    if let Some(lock) = backend.lock_job(1, soon()).unwrap() {
                        assert_eq!(held.fetch_add(1, Ordering::SeqCst), 0);
                        taken.fetch_add(1, Ordering::SeqCst);
                        held.fetch_sub(1, Ordering::SeqCst);
                        drop(lock);
                    }
                }
            });
        }
    });
    assert!(taken.load(Ordering::SeqCst) > 0);
}

#[cfg(unix)]
#[test]
fn a_database_has_the_same_locks_by_whatever_name_it_is_reached() {
    let database = Database::new();
    let link = database.folder.path().join("link.db");
    connect(&database.backend());
    std::os::unix::fs::symlink(database.path(), &link).unwrap();
    let _lock = database.backend().lock_job(1, soon()).unwrap().unwrap();
    assert!(open(&link).unwrap().lock_job(1, soon()).unwrap().is_none());
}

#[test]
fn a_lock_in_a_directory_that_is_not_there_is_an_error_with_what_to_do() {
    let database = Database::new();
    let backend = open(&database.folder.path().join("none/test.db")).unwrap();
    let error = backend.lock_job(1, soon()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.hint().is_some());
    assert!(!error.is_transient());
}

/// The name of the database for the process that [`holder`] becomes.
const HELD_DATABASE: &str = "ROWMILL_TEST_HELD_DATABASE";

/// Not a test of its own: the next test runs it in a process that is killed.
#[test]
fn holder() {
    let Ok(path) = std::env::var(HELD_DATABASE) else { return };
    let backend = open(Path::new(&path)).unwrap();
    let _lock = backend.lock_job(1, soon()).unwrap().unwrap();
    let mut connection = connect(&backend);
    connection.run("create table t (a); insert into t values ('committed')").unwrap();
    connection.begin().unwrap();
    connection.run("insert into t values ('open')").unwrap();
    std::fs::write(format!("{path}.ready"), "").unwrap();
    // Until it is killed; an end of the input means that the test is gone.
    let _ = std::io::stdin().read_line(&mut String::new());
}

#[test]
fn a_killed_process_loses_its_locks_and_its_open_transaction_and_nothing_else() {
    let database = Database::new();
    let program = std::env::current_exe().unwrap();
    let mut child = std::process::Command::new(program)
        .args(["--exact", "sqlite_backend::locks::holder"])
        .env(HELD_DATABASE, database.path())
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let ready = database.folder.path().join("test.db.ready");
    while !ready.exists() && child.try_wait().unwrap().is_none() {
        thread::yield_now();
    }
    let backend = database.backend();
    assert!(backend.lock_job(1, soon()).unwrap().is_none());
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(backend.lock_job(1, soon()).unwrap().is_some());
    let mut connection = connect(&backend);
    connection.begin().unwrap();
    assert_eq!(one(&mut *connection, "select a from t"), "'committed'");
}
