//! What an engine makes of its URL and its options.

use crate::support::fake::Fake;
use rowmill::{Acquire, Engine, ErrorKind, Intent, PoolOptions};
use std::sync::Arc;

#[test]
fn work_asks_through_the_trait() {
    let fake = Fake::default();
    let engine = Engine::from_backend(Arc::new(fake.clone()), PoolOptions::new()).unwrap();
    let lender: &dyn Acquire = &engine;
    assert_eq!(lender.capacity(), 15);
    assert!(lender.acquire(Intent::Read).is_ok());
    assert!(engine.check().is_ok());
    assert_eq!((engine.execute("id", &[]).unwrap(), engine.stats().total), (0, 1));
}

#[test]
fn a_check_that_gets_no_answer_closes_the_connection() {
    let fake = Fake::default();
    let engine = Engine::from_backend(Arc::new(fake.clone()), PoolOptions::new()).unwrap();
    fake.fall_silent();
    assert!(engine.check().unwrap_err().is_disconnect());
    assert_eq!((fake.open(), engine.stats().in_use), (0, 0));
}

#[test]
fn a_disposed_engine_lends_nothing() {
    let engine = Engine::from_backend(Arc::new(Fake::default()), PoolOptions::new()).unwrap();
    let clone = engine.clone();
    engine.dispose();
    assert_eq!(clone.get().unwrap_err().kind(), ErrorKind::PoolClosed);
}

#[test]
fn an_option_that_cannot_be_used_is_refused_before_anything_is_opened() {
    let error = Engine::open("sqlite:nightly.db?min_idle=6").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    let error = Engine::builder("sqlite:nightly.db").max_overflow(20_000).build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
}
