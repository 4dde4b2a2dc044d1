//! A source of one's own: a file of records of eight bytes, a sensor and what it measured.
//! Run with `cargo run --example custom_source`; on PostgreSQL with `ROWMILL_TARGET=...`.
//! You should see `5000 in, 4999 inserted, 1 rejected`: no sensor measures `i32::MIN`.
#![allow(clippy::print_stdout, clippy::expect_used, reason = "an example")]

use rowmill::{
    Append, Bounds, CutLimits, Engine, Entity, Error, ErrorKind, Fingerprint, Job, Origin, Refusal,
    Result, Source, Stage,
};
use std::time::SystemTime;

#[derive(Entity)]
#[entity(table = "example_measurements")]
struct Measurement {
    sensor: i32,
    value: i32,
}

/// Real sources open their file in `read`; this one has it in memory.
#[derive(Debug)]
struct Records(Vec<[u8; 8]>);

impl Source for Records {
    type Row = Measurement;

    fn describe(&self) -> String {
        "measurements".to_owned()
    }

    fn fingerprint(&self) -> Result<Fingerprint> {
        Ok(Fingerprint(format!("{} records", self.0.len())))
    }

    fn plan(&self, limits: CutLimits, each: &mut dyn FnMut(Bounds) -> Result<()>) -> Result<()> {
        let mut first_row = 1;
        for (number, batch) in (0..).zip(self.0.chunks(limits.rows as usize)) {
            each(Bounds::of_rows(number, first_row, batch.len() as u64))?;
            first_row += batch.len() as u64;
        }
        Ok(())
    }

    fn read(
        &self,
        bounds: &Bounds,
        each: &mut dyn FnMut(u32, std::result::Result<Measurement, Refusal>) -> Result<()>,
    ) -> Result<()> {
        let records = &self.0[bounds.start as usize..bounds.end as usize];
        for (index, &[a, b, c, d, rest @ ..]) in (0..).zip(records) {
            let row = match i32::from_le_bytes(rest) {
                i32::MIN => {
                    let error = Error::new(ErrorKind::Decode, "the sensor measured nothing");
                    Err(Refusal::new(Stage::Parse, error))
                }
                value => Ok(Measurement { sensor: i32::from_le_bytes([a, b, c, d]), value }),
            };
            each(index, row)?;
        }
        Ok(())
    }

    fn origin(&self, bounds: &Bounds, index: u32) -> Result<Origin> {
        let row = bounds.start + u64::from(index);
        Ok(Origin::of_row(row + 1, self.0[row as usize].to_vec()))
    }
}

fn main() -> Result<()> {
    let url = std::env::var("ROWMILL_TARGET").unwrap_or("sqlite::memory:".to_owned());
    let record = |n: i32| [n % 9, if n == 777 { i32::MIN } else { n }].map(i32::to_le_bytes);
    let records = (0..5_000).map(|n| record(n).concat().try_into().expect("eight bytes"));
    let report = Job::named("measurements")
        .param("at", format!("{:?}", SystemTime::now()))
        .read(Records(records.collect()))
        .write(Append::<Measurement>::new().create(true))
        .run(&Engine::open(&url)?)?;
    assert_eq!((report.batches, report.inserted, report.rejected), (1, 4_999, 1));
    println!("{} in, {} inserted, {} rejected", report.read, report.inserted, report.rejected);
    Ok(())
}
