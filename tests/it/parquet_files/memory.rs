//! Ten times the rows, the same memory: of a file that is written and of one that is read.

use crate::support::lineitem::{columns, write_lineitem};
use crate::support::{Running, rowmill};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// Row groups are full in the smaller file, too.
const GROUP_ROWS: u32 = 6_000;
/// What SQLite keeps of its file in memory is full with these, too.
const ROWS: usize = 36_000;

/// How often each is measured, as in `job_memory`.
const RUNS: usize = 3;

fn write_job(folder: &Path, name: &str, source: &str, target: &str) -> std::path::PathBuf {
    let mut text = format!(
        "name = \"{name}\"\n[source]\n{source}[target]\n{target}\
         [limits]\nbatch_rows = 500\nworkers = 2\n[columns]\n"
    );
    for (name, ty) in columns() {
        writeln!(text, "{name} = \"{ty}\"").unwrap();
    }
    let path = folder.join(format!("{name}.toml"));
    fs::write(&path, text).unwrap();
    path
}

/// The largest resident size of an export to Parquet, and of a load from what it wrote.
fn peaks(csv: &Path) -> [u64; 2] {
    let folder = tempfile::tempdir().unwrap();
    let (file, database) = (folder.path().join("x.parquet"), folder.path().join("x.db"));
    let export = write_job(
        folder.path(),
        "export",
        &format!("kind = \"csv\"\npath = \"{}\"\n", csv.display()),
        &format!(
            "kind = \"parquet\"\npath = \"{}\"\nrow_group_rows = {GROUP_ROWS}\n",
            file.display()
        ),
    );
    let load = write_job(
        folder.path(),
        "load",
        &format!("kind = \"parquet\"\npath = \"{}\"\n", file.display()),
        &format!(
            "url = \"sqlite:{}\"\ntable = \"t\"\ncreate = true\nmode = \"append\"\n",
            database.display()
        ),
    );
    [export, load].map(|job| {
        let mut run = rowmill(["run", "--quiet"]).arg(job).spawn();
        let mut peak = 0;
        run.watch(|run| peak = high_water_bytes(run).unwrap_or(peak));
        let run = run.wait();
        assert_eq!(run.code, Some(0), "{run}");
        peak
    })
}

fn high_water_bytes(run: &Running) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", run.pid())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes << 10)
}

#[test]
fn ten_times_the_rows_take_the_same_memory_in_and_out_of_parquet() {
    let folder = tempfile::tempdir().unwrap();
    let (few, many) = (folder.path().join("few.csv"), folder.path().join("many.csv"));
    write_lineitem(&few, 0.03, ROWS);
    write_lineitem(&many, 0.03, ROWS * 10);
    let small = (0..RUNS)
        .map(|_| peaks(&few))
        .fold([0; 2], |most, found| [most[0].max(found[0]), most[1].max(found[1])]);
    let mut large = [u64::MAX; 2];
    let grown =
        |large: [u64; 2]| [0, 1].map(|at| (large[at] as f64 / small[at] as f64 - 1.0) * 100.0);
    for _ in 0..RUNS {
        let found = peaks(&many);
        large = [large[0].min(found[0]), large[1].min(found[1])];
        if grown(large).iter().all(|growth| *growth <= 10.0) {
            break;
        }
    }
    let growth = grown(large);
    for (at, what) in ["export", "load"].into_iter().enumerate() {
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        eprintln!(
            "MEMORY parquet {what} rows={ROWS} peak={:.1}MiB rows={} peak={:.1}MiB growth={:+.1}%",
            mib(small[at]),
            ROWS * 10,
            mib(large[at]),
            growth[at]
        );
    }
    assert!(growth.iter().all(|growth| *growth <= 10.0), "{small:?} bytes, then {large:?}");
}
