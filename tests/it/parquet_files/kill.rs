//! kill -9, and the same command again. `ROWMILL_FAULT_KILLS` and `ROWMILL_FAULT_SEED` as for CSV;
//! exports are killed in `job_kill_export`.

use crate::support::lineitem::{columns, write_lineitem};
use crate::support::{Cluster, Running, TestDb, rowmill};
use std::fmt::Write as _;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const ROWS: usize = 60_000;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect(name))
}

/// A file of rows of lineitem in row groups that are no multiple of a batch.
fn parquet(folder: &Path) -> PathBuf {
    let (csv, path) = (folder.join("in.csv"), folder.join("in.parquet"));
    write_lineitem(&csv, 0.02, ROWS);
    let target = format!(
        "kind = \"parquet\"\npath = \"{}\"\nrow_group_rows = 7919\ncompression = \"snappy\"\n",
        path.display()
    );
    let job = write_job(folder, "make", "csv", &csv, &target);
    let run = rowmill(["run", "--quiet"]).arg(job).finish();
    assert_eq!(run.code, Some(0), "{run}");
    path
}

fn write_job(folder: &Path, name: &str, kind: &str, from: &Path, target: &str) -> PathBuf {
    let mut text = format!(
        "name = \"{name}\"\n[source]\nkind = \"{kind}\"\npath = \"{}\"\n[target]\n{target}\
         [limits]\nbatch_rows = 1000\nworkers = 2\n[columns]\n",
        from.display()
    );
    for (name, ty) in columns() {
        writeln!(text, "{name} = {{ type = \"{ty}\", not_null = true }}").unwrap();
    }
    let path = folder.join(format!("{name}.toml"));
    fs::write(&path, text).unwrap();
    path
}

fn start(job: &Path) -> Running {
    rowmill(["run", "--quiet"]).arg(job).spawn()
}

/// All rows, in a few words.
fn content(database: &TestDb<'_>) -> String {
    database.value("select count(*) || ' ' || sum(hashtextextended(t::text, 0)) from lineitem t")
}

#[test]
fn a_load_from_a_parquet_file_survives_kills_at_random_moments() {
    let cluster = Cluster::durable();
    let folder = tempfile::tempdir().unwrap();
    let input = parquet(folder.path());
    let load = |database: &TestDb<'_>| {
        let target = format!(
            "url = \"{}\"\ntable = \"lineitem\"\ncreate = true\nmode = \"append\"\n",
            database.url()
        );
        write_job(folder.path(), "load", "parquet", &input, &target)
    };
    let calm = cluster.database("calm");
    let began = Instant::now();
    let run = start(&load(&calm)).wait();
    assert_eq!(run.code, Some(0), "{run}");
    let mut whole = began.elapsed();
    let expected = content(&calm);
    assert!(expected.starts_with(&format!("{ROWS} ")), "{expected}");

    let seed = setting("ROWMILL_FAULT_SEED", RandomState::new().hash_one(0) >> 1);
    let (mut random, mut kills, wanted) = (seed, 0, setting("ROWMILL_FAULT_KILLS", 6));
    for _ in 0..20 {
        if kills >= wanted {
            break;
        }
        let database = cluster.database("kill");
        let job = load(&database);
        for _ in 0..3 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let moment = whole.mul_f64((random >> 33) as f64 / f64::from(1_u32 << 31));
            match kill_at(&job, moment, seed) {
                None => kills += 1,
                // The machine had more to do before.
                Some(took) => whole = whole.min(took),
            }
        }
        let run = start(&job).wait();
        assert_eq!(run.code, Some(0), "seed {seed}: {run}");
        assert_eq!(content(&database), expected, "seed {seed}");
    }
    assert!(kills >= wanted, "too few kills hit: {kills}, seed {seed}");
    eprintln!("FAULTS parquet load kills={kills} seed={seed} lost=0 duplicated=0");
}

/// How long it took, if it was through before.
fn kill_at(job: &Path, moment: Duration, seed: u64) -> Option<Duration> {
    let began = Instant::now();
    let mut run = start(job);
    if !run.wait_until(|_| began.elapsed() >= moment) {
        let run = run.wait();
        assert_eq!(run.code, Some(0), "seed {seed}: {run}");
        return Some(began.elapsed());
    }
    run.kill().code.map(|_| began.elapsed())
}
