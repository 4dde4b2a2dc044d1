use crate::support::{TestDb, shared};
use parking_lot::Mutex;
use rowmill::url::Secret;
use rowmill::{Clock, Engine, EngineBuilder, Error, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

/// A role with the password, in a database of the test's own.
fn database_with(role: &str, password: &str) -> TestDb<'static> {
    let db = shared().database("source");
    db.sql(&format!("create role {role} login password '{password}'"));
    db
}

/// An engine as the role, whose URL has a password that is wrong.
fn builder(db: &TestDb<'_>, role: &str) -> EngineBuilder {
    let (_, at) = db.url().split_once('@').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let builder = Engine::builder(&format!("postgresql://{role}:of-the-url@{at}"));
    builder.pool_size(2).max_overflow(0).pool(|pool| pool.allow_nested(2, 1))
}

/// pool-contract H28
#[test]
fn each_new_connection_has_the_password_that_its_source_says_then() {
    let db = database_with("rotated", "first");
    let password = Arc::new(Mutex::new("first"));
    let (told, asked) = (Arc::clone(&password), Arc::new(Mutex::new(Vec::new())));
    let heard = Arc::clone(&asked);
    let engine = builder(&db, "rotated").password_from(move |request| {
        heard.lock().push(format!("{}@{}/{}", request.user, request.host, request.database));
        Ok(Secret::new(*told.lock()))
    });
    let clock = Clock::manual();
    let engine = engine.hooks(|hooks| hooks.clock(&clock)).build().unwrap();
    let old = engine.get().unwrap();
    db.sql("alter role rotated password 'second'");
    let refused = engine.get().unwrap_err();
    assert_eq!(refused.sqlstate().unwrap().code(), "28P01");
    *password.lock() = "second";
    // What was refused is not tried again at once.
    clock.advance(Duration::from_secs(2));
    drop(old);
    let (mut kept, mut new) = (engine.get().unwrap(), engine.get().unwrap());
    kept.run("select 1").unwrap();
    new.run("select 1").unwrap();
    let place = format!("rotated@127.0.0.1:{}/{}", shared().port(), db.name());
    assert!(asked.lock().iter().all(|request| *request == place), "{:?}", asked.lock());
    assert_eq!(asked.lock().len(), 3, "one for each attempt, and none for what is kept");
    assert!(!format!("{engine:?} {refused:?}").contains("second"));
}

#[test]
fn what_the_source_says_and_its_panic_are_errors_of_the_connection() {
    let db = database_with("refused", "no");
    let builder = || builder(&db, "refused");
    let closed = || Error::new(ErrorKind::Config, "the token service is closed");
    let fails = builder().password_from(move |_| Err(closed())).build().unwrap();
    let error = fails.get().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("as refused: the token service is closed"), "{error}");
    let panics = builder().password_from(|_| panic!("at the source")).build().unwrap();
    let error = panics.get().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Panic);
    assert!(error.to_string().contains("the source of its password panicked"), "{error}");
}

#[test]
fn a_database_without_passwords_refuses_a_source_of_them() {
    let builder = Engine::builder("sqlite::memory:").password_from(|_| Ok(Secret::new("no")));
    let error = builder.build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.hint().unwrap().contains("password_from"), "{error}");
}
