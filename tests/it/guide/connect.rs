//! Engines and their pools.

use crate::support::on_both;
use rowmill::{Engine, Result};
use std::time::Duration;

fn open(url: &str) -> Result<Engine> {
    // guide
    let engine = Engine::builder(url)
        .pool_size(20)
        .max_overflow(5)
        .timeout(Duration::from_secs(30))
        .recycle(Duration::from_mins(30))
        .pre_ping(true)
        .echo(|statement| eprintln!("{statement}"))
        .build()?;
    engine.check()?; // fails now, and not in the middle of the work
    // guide
    Ok(engine)
}

fn see(engine: &Engine) {
    // guide
    let pool = engine.stats();
    println!("{} in use, {} idle, {} waiting", pool.in_use, pool.idle, pool.waiting);
    engine.dispose();
    // guide
}

#[test]
fn an_engine_has_a_pool_and_an_echo() {
    on_both(|home| {
        let engine = open(home.url()).unwrap();
        assert_eq!((engine.capacity(), engine.stats().in_use), (25, 0));
        see(&engine);
        assert!(engine.get().is_err());
    });
}
