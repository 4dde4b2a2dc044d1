//! A CSV file goes into a table, and the table's rows go into a CSV file again: two jobs, one chain.
//! Run with `cargo run --example export_csv`; on PostgreSQL with `ROWMILL_TARGET=postgresql://...`.
//! You should see `3 in, 3 out, the same bytes`: NULL, the empty text and quotes come through.
#![allow(clippy::print_stdout, clippy::expect_used, reason = "an example")]

use rowmill::{Csv, CsvFile, Engine, Entity, Find, Iter, Job, Mirror};
use std::time::SystemTime;

#[derive(Clone, Entity)]
#[entity(table = "example_exported_runways")]
struct Runway {
    #[entity(key)]
    id: i64,
    surface: Option<String>,
    closed: bool,
}

const FILE: &str = "\
id,surface,closed
1,,f
2,\"\",t
3,\"asph, \"\"new\"\"\",f
";

fn main() -> rowmill::Result<()> {
    let folder = tempfile::tempdir().expect("make a folder");
    let path = folder.path().join("runways.csv");
    std::fs::write(&path, FILE).expect("write the file");
    let database = format!("sqlite:{}", folder.path().join("example.db").display());
    let engine = Engine::open(&std::env::var("ROWMILL_TARGET").unwrap_or(database))?;

    let loaded = Job::named("example runways in")
        .param("at", format!("{:?}", SystemTime::now()))
        .read(Csv::<Runway>::open(&path)?)
        .write(Mirror::<Runway>::new().create(true))
        .run(&engine)?;

    // The file appears whole or not at all; run again after a crash, the job carries on.
    let rows = Runway::query().order_by(Runway::id.asc()).all(&engine)?;
    let file = CsvFile::create(folder.path().join("out/runways.csv"));
    let exported = Job::named("example runways out")
        .read(Iter::new("runways", move || rows.clone()))
        .write_file(file.clone())
        .run(&file.ledger()?)?;

    let written = std::fs::read_to_string(file.path()).expect("read the file");
    assert_eq!(written, FILE);
    assert!(loaded.balances() && exported.balances());
    println!("{} in, {} out, the same bytes", loaded.read, exported.written);
    Ok(())
}
