//! The whole load of TPC-H's `lineitem` from CSV into PostgreSQL, beside `psql \copy` of the same
//! file.
//!
//! `cargo bench --bench load` runs both in turns, each time into a fresh database of a private
//! server, and prints the medians. The processor time is that of the client alone: the server works
//! as much for either. `LOAD_ROWS` and `LOAD_RUNS` change how much is done; `-- --test` does very
//! little, only to see that it runs.
#![allow(
    clippy::expect_used,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    missing_docs,
    unreachable_pub,
    reason = "a bench fails by panicking, prints, and exports nothing"
)]

#[path = "../tests/it/support/mod.rs"]
mod support;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use support::{Cluster, TestDb, lineitem};

const ROWS: usize = 1_200_000;
const RUNS: usize = 5;
const WORKERS: &str = "2";
/// The rows and runs of `--test`.
const FEW: (usize, usize) = (2_000, 1);
const SCALE_FACTOR: f64 = 1.0;
/// How often the memory of a contender is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// Loads the file into the table `lineitem` of a database.
trait Contender {
    fn name(&self) -> &'static str;
    fn command(&self, database: &TestDb<'_>) -> Command;
}

struct Psql {
    program: PathBuf,
    csv: PathBuf,
}

impl Contender for Psql {
    fn name(&self) -> &'static str {
        "psql \\copy"
    }

    fn command(&self, database: &TestDb<'_>) -> Command {
        let mut command = Command::new(&self.program);
        let csv = self.csv.display();
        command.args(["-X", "-q", "-d", &database.url()]);
        command.args(["-c", &format!("\\copy lineitem from '{csv}' (format csv, header)")]);
        command
    }
}

struct Rowmill {
    job: PathBuf,
}

impl Contender for Rowmill {
    fn name(&self) -> &'static str {
        "rowmill run"
    }

    fn command(&self, database: &TestDb<'_>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rowmill"));
        command.arg("run").arg(&self.job).args(["--quiet", "--workers", WORKERS]);
        command.env("ROWMILL_TARGET", database.url());
        command
    }
}

/// What a run took.
#[derive(Clone, Copy, Default)]
struct Cost {
    wall_seconds: f64,
    user_seconds: f64,
    system_seconds: f64,
    peak_bytes: f64,
}

impl Cost {
    fn processor_seconds(&self) -> f64 {
        self.user_seconds + self.system_seconds
    }
}

fn main() {
    let (rows, runs) = size();
    let folder = tempfile::tempdir().expect("make a folder");
    let csv = folder.path().join("lineitem.csv");
    let rows = lineitem::write_lineitem(&csv, SCALE_FACTOR, rows);
    let cluster = Cluster::start();
    let job = write_job(folder.path(), &csv);
    let contenders: [&dyn Contender; 2] =
        [&Psql { program: cluster.program("psql"), csv: csv.clone() }, &Rowmill { job }];
    let mut costs = [Vec::new(), Vec::new()];
    for _ in 0..runs {
        for (contender, costs) in contenders.iter().zip(&mut costs) {
            costs.push(run(*contender, &cluster, rows));
        }
    }
    let bytes = fs::metadata(&csv).expect("look at the file").len();
    println!("lineitem: {rows} rows, {} MB of CSV, median of {runs} runs", bytes / 1_000_000);
    println!("{}", machine());
    print!(
        "{}",
        table(contenders.map(Contender::name), costs.each_ref().map(|costs| median(costs)), rows)
    );
}

/// How many rows, and how many runs.
fn size() -> (usize, usize) {
    // Cargo says `--bench` when it runs benches, and nothing when it runs them as tests.
    let arguments: Vec<_> = std::env::args().collect();
    let has = |wanted: &str| arguments.iter().any(|argument| argument == wanted);
    if has("--test") || !has("--bench") {
        return FEW;
    }
    let number = |name| std::env::var(name).ok().map(|text| text.parse().expect("a number"));
    (number("LOAD_ROWS").unwrap_or(ROWS), number("LOAD_RUNS").unwrap_or(RUNS).max(1))
}

fn write_job(folder: &Path, csv: &Path) -> PathBuf {
    let mut job = format!(
        "name = \"lineitem\"\n\
         [source]\nkind = \"csv\"\npath = \"{}\"\n\
         [target]\nurl = \"${{ROWMILL_TARGET}}\"\ntable = \"lineitem\"\nmode = \"append\"\n\
         [columns]\n",
        csv.display()
    );
    for column in lineitem::COLUMNS.split(", ") {
        let (name, column_type) = column.split_once(' ').expect("a name and a type");
        let column_type = column_type.trim_end_matches(" not null");
        writeln!(job, "{name} = \"{column_type}\"").expect("write to a string");
    }
    let path = folder.join("lineitem.toml");
    fs::write(&path, job).expect("write the job file");
    path
}

fn run(contender: &dyn Contender, cluster: &Cluster, rows: u64) -> Cost {
    let database = cluster.database("load");
    database.sql(&format!("create table lineitem ({})", lineitem::COLUMNS));
    // What the run before has left to write must not slow this one down.
    database.sql("checkpoint");
    let cost = measure(contender.command(&database));
    assert_eq!(database.count("lineitem"), rows, "{}", contender.name());
    cost
}

fn measure(mut command: Command) -> Cost {
    command.stdin(Stdio::null());
    let before = children_seconds();
    let start = Instant::now();
    let mut child = command.spawn().expect("start a contender");
    let (pid, peak, ended) = (child.id(), AtomicU64::new(0), AtomicBool::new(false));
    let (status, wall) = thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                peak.fetch_max(peak_bytes(pid).unwrap_or(0), Ordering::Relaxed);
                thread::sleep(LOOK);
            }
        });
        let status = child.wait().expect("wait for a contender");
        let wall = start.elapsed();
        ended.store(true, Ordering::Relaxed);
        (status, wall)
    });
    assert!(status.success(), "a contender failed: {status}");
    let after = children_seconds();
    Cost {
        wall_seconds: wall.as_secs_f64(),
        user_seconds: after.0 - before.0,
        system_seconds: after.1 - before.1,
        peak_bytes: peak.into_inner() as f64,
    }
}

/// The processor time of all children of this process that have ended: user and system.
fn children_seconds() -> (f64, f64) {
    static TICKS: LazyLock<f64> = LazyLock::new(ticks);
    // ORDER: whoever is asked for the ticks is a child too.
    let ticks = *TICKS;
    let stat = fs::read_to_string("/proc/self/stat").expect("read the times of this process");
    // The name of the program stands in brackets and may contain anything.
    let (_, fields) = stat.rsplit_once(')').expect("a name in brackets");
    let mut fields = fields.split_whitespace().skip(13).map(str::parse::<f64>);
    let mut next = || fields.next().and_then(Result::ok).expect("a number of ticks") / ticks;
    (next(), next())
}

/// The clock ticks of a second.
fn ticks() -> f64 {
    let output = Command::new("getconf").arg("CLK_TCK").output().expect("run getconf");
    String::from_utf8_lossy(&output.stdout).trim().parse().expect("a number of ticks")
}

/// The largest resident memory of a process so far.
fn peak_bytes(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}

/// The median of each figure, on its own.
fn median(costs: &[Cost]) -> Cost {
    let of = |figure: fn(&Cost) -> f64| {
        let mut figures: Vec<_> = costs.iter().map(figure).collect();
        figures.sort_by(f64::total_cmp);
        figures[figures.len() / 2]
    };
    Cost {
        wall_seconds: of(|cost| cost.wall_seconds),
        user_seconds: of(|cost| cost.user_seconds),
        system_seconds: of(|cost| cost.system_seconds),
        peak_bytes: of(|cost| cost.peak_bytes),
    }
}

fn machine() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = thread::available_parallelism().map_or(0, usize::from);
    format!("{} cores of {}", cores, model.map_or("an unknown processor", |(_, name)| name))
}

/// One line for each contender, and one for how often the first goes into the second.
fn table(names: [&str; 2], costs: [Cost; 2], rows: u64) -> String {
    let mut table = format!(
        "{:<12} {:>8} {:>10} {:>8} {:>8} {:>8} {:>12}\n",
        "", "wall s", "client s", "user s", "sys s", "peak MB", "rows/s"
    );
    let mut line = |name: &str, cost: Cost, processor: f64, rate: f64, digits: usize| {
        let Cost { wall_seconds, user_seconds, system_seconds, peak_bytes } = cost;
        let _ = writeln!(
            table,
            "{name:<12} {wall_seconds:>8.2} {processor:>10.2} {user_seconds:>8.2} \
             {system_seconds:>8.2} {peak_bytes:>8.1} {rate:>12.digits$}"
        );
    };
    for (name, cost) in names.into_iter().zip(costs) {
        let shown = Cost { peak_bytes: cost.peak_bytes / 1e6, ..cost };
        line(name, shown, cost.processor_seconds(), rows as f64 / cost.wall_seconds, 0);
    }
    let [psql, rowmill] = costs;
    let ratio = Cost {
        wall_seconds: rowmill.wall_seconds / psql.wall_seconds,
        user_seconds: rowmill.user_seconds / psql.user_seconds,
        system_seconds: rowmill.system_seconds / psql.system_seconds,
        peak_bytes: rowmill.peak_bytes / psql.peak_bytes,
    };
    let processor = rowmill.processor_seconds() / psql.processor_seconds();
    line("ratio", ratio, processor, psql.wall_seconds / rowmill.wall_seconds, 2);
    table
}
