//! `kill -9` at random moments of an export, and the same command again until it is through.
//!
//! `ROWMILL_FAULT_ROWS` and `ROWMILL_FAULT_KILLS` set the size, `ROWMILL_FAULT_SEED` repeats the
//! moments of an earlier run.

use crate::support::loading::Input;
use crate::support::rowmill;
use std::collections::BTreeMap;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect(name))
}

#[test]
fn a_csv_file_of_one_worker_survives_kills_at_random_moments() {
    Campaign::new("csv", "export.csv", 1).run();
}

/// batch R11
#[test]
fn a_csv_file_of_four_workers_survives_kills_at_random_moments() {
    Campaign::new("csv", "export.csv", 4).run();
}

#[test]
fn an_ndjson_file_of_four_workers_survives_kills_at_random_moments() {
    Campaign::new("ndjson", "export.ndjson", 4).run();
}

/// batch R11
#[test]
fn a_folder_of_parts_of_four_workers_survives_kills_at_random_moments() {
    Campaign::new("csv", "night/", 4).run();
}

#[cfg(feature = "parquet")]
#[test]
fn a_parquet_file_of_four_workers_survives_kills_at_random_moments() {
    Campaign::new("parquet", "export.parquet", 4).run();
}

#[cfg(feature = "parquet")]
#[test]
fn a_folder_of_parquet_files_of_four_workers_survives_kills_at_random_moments() {
    Campaign::new("parquet", "night/", 4).run();
}

/// All that is to be seen of an output, by name, and what its hidden folder should not have.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    files: BTreeMap<String, Vec<u8>>,
    leftovers: Vec<String>,
}

impl Seen {
    fn of(folder: &Path) -> Self {
        let mut seen = Self { files: BTreeMap::new(), leftovers: Vec::new() };
        for path in files_under(folder) {
            let name = path.strip_prefix(folder).unwrap().display().to_string();
            if !name.contains(".rowmill/") {
                seen.files.insert(name, fs::read(&path).unwrap());
            } else if !name.ends_with("ledger.db") {
                seen.leftovers.push(name);
            }
        }
        seen
    }
}

fn files_under(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_under(&path));
        } else {
            files.push(path);
        }
    }
    files
}

struct Campaign {
    input: Input,
    kind: &'static str,
    output: &'static str,
    workers: u32,
    random: u64,
}

impl Campaign {
    fn new(kind: &'static str, output: &'static str, workers: u32) -> Self {
        let rows = setting("ROWMILL_FAULT_ROWS", 40_000) as usize;
        let random = setting("ROWMILL_FAULT_SEED", RandomState::new().hash_one(0) >> 1);
        Self { input: Input::lineitem(rows, 9_973, false), kind, output, workers, random }
    }

    fn job(&self, folder: &Path) -> PathBuf {
        let path = self.input.folder().join("export.toml");
        let text = format!(
            "name = \"export\"\n[source]\nkind = \"csv\"\npath = \"{}\"\n\
             [target]\nkind = \"{}\"\npath = \"${{OUT}}/{}\"\n\
             [limits]\nbatch_rows = 1000\nworkers = {}\n[columns]\n\
             l_orderkey = \"bigint\"\nl_partkey = \"bigint\"\nl_extendedprice = \"numeric(15,2)\"\n\
             l_shipdate = \"date\"\nl_comment = \"text\"\n",
            self.input.path().display(),
            self.kind,
            self.output,
            self.workers
        );
        fs::write(&path, text).unwrap();
        fs::create_dir_all(folder).unwrap();
        path
    }

    fn start(&self, folder: &Path) -> crate::support::Running {
        let job = self.job(folder);
        rowmill(["run", "--quiet"]).arg(job).env("OUT", folder).spawn()
    }

    /// Kills as often as asked for, each time later in the time that is left, then lets it end.
    fn run(mut self) {
        let seed = self.random;
        let (calm, began) = (tempfile::tempdir().unwrap(), Instant::now());
        let run = self.start(calm.path()).wait();
        assert_eq!(run.code, Some(0), "{run}");
        let mut whole = began.elapsed();
        let expected = Seen::of(calm.path());
        assert_eq!(expected.leftovers, Vec::<String>::new());
        assert!(expected.files.len() >= 2, "{:?}", expected.files.keys());

        let (mut kills, wanted) = (0, setting("ROWMILL_FAULT_KILLS", 5));
        for _ in 0..20 {
            if kills >= wanted {
                break;
            }
            let folder = tempfile::tempdir().unwrap();
            for _ in 0..3 {
                let moment = whole.mul_f64(self.next());
                match self.kill_at(&folder, moment, seed) {
                    None => kills += 1,
                    // The machine had more to do before.
                    Some(took) => whole = whole.min(took),
                }
            }
            let run = self.start(folder.path()).wait();
            assert_eq!(run.code, Some(0), "seed {seed}: {run}");
            let output = Seen::of(folder.path());
            assert_eq!(output.leftovers, Vec::<String>::new(), "seed {seed}");
            assert!(
                output == expected,
                "seed {seed}: the output differs: {:?}",
                output.files.keys()
            );
        }
        assert!(kills >= wanted, "too few kills hit: {kills}, seed {seed}");
        let Self { kind, workers, output, .. } = self;
        eprintln!("FAULTS export {kind} {output} workers={workers} kills={kills} seed={seed}");
    }

    /// How long it took, if it was through before.
    fn kill_at(&self, folder: &TempDir, moment: Duration, seed: u64) -> Option<Duration> {
        let began = Instant::now();
        let mut run = self.start(folder.path());
        if !run.wait_until(|_| began.elapsed() >= moment) {
            let run = run.wait();
            assert_eq!(run.code, Some(0), "seed {seed}: {run}");
            return Some(began.elapsed());
        }
        run.kill().code.map(|_| began.elapsed())
    }

    /// A random number below 1 (splitmix64).
    fn next(&mut self) -> f64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) as f64 / u64::MAX as f64
    }
}

#[test]
fn the_comparison_of_outputs_sees_a_doubled_row_and_a_leftover() {
    let folder = tempfile::tempdir().unwrap();
    let hidden = folder.path().join(".rowmill");
    fs::create_dir(&hidden).unwrap();
    fs::write(hidden.join("ledger.db"), "").unwrap();
    fs::write(folder.path().join("x.csv"), "1\n2\n").unwrap();
    let good = Seen::of(folder.path());
    assert!(good.leftovers.is_empty());
    fs::write(folder.path().join("x.csv"), "1\n2\n2\n").unwrap();
    assert_ne!(Seen::of(folder.path()), good);
    fs::write(folder.path().join("x.csv"), "1\n2\n").unwrap();
    fs::create_dir(hidden.join("parts-1")).unwrap();
    fs::write(hidden.join("parts-1/part-1.new"), "").unwrap();
    assert_eq!(Seen::of(folder.path()).leftovers.len(), 1);
}
