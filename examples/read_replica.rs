//! A row is written, and read back from a replica that has it: never from one that does not yet.
//! Run with `cargo run --example read_replica`; `ROWMILL_TARGET` and `ROWMILL_REPLICA` name servers.
//! You should see `100 rows were there when they were read, and a reader cannot write`
#![allow(clippy::print_stdout, clippy::expect_used, reason = "an example")]

use rowmill::prelude::*;
use rowmill::{Freshness, Policy, Replica};
use std::time::Duration;

#[derive(Entity)]
#[entity(table = "example_readings")]
struct Reading {
    #[entity(key)]
    id: i64,
    celsius: f64,
}

/// A server alone is written to and read from. Beside it may be others: which of them is the primary
/// is asked of them, and writes follow it after a promotion.
fn engine(primary: &str) -> Result<Engine> {
    let mut builder = Engine::builder(primary).routing(|options| {
        options.policy(Policy::LeastInUse).max_lag(Duration::from_secs(5)).primary_share(0.1)
    });
    if let Ok(url) = std::env::var("ROWMILL_REPLICA") {
        builder = builder.replica_with(Replica::new(&url).label("reporting"));
    }
    builder.build()
}

fn main() -> Result<()> {
    let folder = tempfile::tempdir().expect("make a folder");
    let file = format!("sqlite:{}", folder.path().join("example.db").display());
    let engine = engine(&std::env::var("ROWMILL_TARGET").unwrap_or(file))?;
    engine.run("drop table if exists example_readings")?;
    engine.run(
        "create table example_readings (id bigint primary key, celsius double precision not null)",
    )?;

    let mut there = 0;
    for id in 0..100 {
        let transaction = engine.begin()?;
        Reading { id, celsius: 20.5 }.insert(&transaction)?;
        let token = transaction.commit_token()?;
        // Waits for a replica that has it, for a second at most; then the primary is read.
        let fresh = engine.reading(Freshness::After(token));
        let found = Reading::get(&fresh, id)?;
        there += u64::from(found.is_some_and(|reading| reading.celsius > 20.0));
    }
    assert_eq!(there, 100);

    // For who can do with what was so some seconds ago.
    let report = engine.reading(Freshness::MaxLag(Duration::from_secs(10))).labelled("reporting");
    assert!(Query::<Reading>::new().count(&report)? <= 100);
    let refused = Reading { id: 100, celsius: 0.0 }.insert(&report);
    assert!(refused.is_err());
    assert_eq!(Query::<Reading>::new().count(&engine.reading(Freshness::Primary))?, 100);

    for node in engine.nodes() {
        println!("{}: {:?}, {}, behind by {:?}", node.node, node.role, node.health, node.lag);
    }
    println!("{there} rows were there when they were read, and a reader cannot write");
    Ok(())
}
