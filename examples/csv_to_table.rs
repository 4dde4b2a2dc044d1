//! A CSV file goes into a table: fields become values, rows are changed and filtered in parallel.
//! Run with `cargo run --example csv_to_table`; on PostgreSQL with `ROWMILL_TARGET=postgresql://...`.
//! You should see `6 in, 4 written, 1 filtered, 1 rejected`: a length of `long` is no number.
#![allow(clippy::print_stdout, clippy::expect_used, reason = "an example")]

use rowmill::{Csv, Engine, Entity, Job, Mirror};
use std::time::SystemTime;

#[derive(Entity)]
#[entity(table = "example_runways")]
struct Runway {
    #[entity(key)]
    id: i64,
    length_ft: Option<i32>,
    surface: Option<String>,
    closed: bool,
}

const FILE: &str = "\
id,airport,length_ft,surface,closed
1,KABC,2500,ASPH,0
2,KABC,long,ASPH,0
3,KXYZ,,turf,f
4,KXYZ,9000,Concrete,no
5,KXYZ,4000,\"asph, new\",0
6,KXYZ,1200,,true
";

fn main() -> rowmill::Result<()> {
    let folder = tempfile::tempdir().expect("make a folder");
    let path = folder.path().join("runways.csv");
    std::fs::write(&path, FILE).expect("write the file");
    let file = format!("sqlite:{}", folder.path().join("example.db").display());
    let engine = Engine::open(&std::env::var("ROWMILL_TARGET").unwrap_or(file))?;

    let report = Job::named("example runways")
        .param("at", format!("{:?}", SystemTime::now()))
        .read(Csv::open(&path)?)
        .filter(|runway: &Runway| !runway.closed)
        .map(|mut runway| {
            runway.surface = runway.surface.map(|surface| surface.to_uppercase());
            Ok(runway)
        })
        .write(Mirror::<Runway>::new().create(true))
        .run(&engine)?;

    // A mirror is equal to the file: what an earlier run left there is gone or brought up to date.
    let mut feet = Vec::new();
    engine.query("select * from example_runways order by id", &[], |row| {
        feet.push(Runway::unpack(&mut |column| row.cell(column))?.length_ft);
        Ok(())
    })?;
    assert_eq!(feet, [Some(2_500), None, Some(9_000), Some(4_000)]);
    assert!(report.balances());
    println!(
        "{} in, {} written, {} filtered, {} rejected",
        report.read,
        report.written + report.unchanged,
        report.filtered,
        report.rejected
    );
    Ok(())
}
