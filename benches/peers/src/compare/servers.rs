//! The private servers, and the files beside them.

use super::constants::BAD_EVERY;
use super::line_item::write_csv;
use super::support::Cluster;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;
use std::sync::OnceLock;

/// As the tests' own: fsync is off, which is the same for everybody. Nothing else happens while
/// something is measured.
const SETTINGS: [&str; 7] = [
    "shared_buffers=1GB",
    "max_wal_size=16GB",
    "checkpoint_timeout=1h",
    "autovacuum=off",
    "max_connections=200",
    "max_parallel_workers_per_gather=0",
    "jit=off",
];

/// One server, and another one for who needs two.
pub struct Servers {
    first: Cluster,
    second: OnceLock<Cluster>,
}

impl Servers {
    pub fn start() -> Self {
        Self { first: Cluster::start_with(&SETTINGS), second: OnceLock::new() }
    }

    fn second(&self) -> &Cluster {
        self.second.get_or_init(|| Cluster::start_with(&SETTINGS))
    }

    pub fn settings() -> String {
        format!("fsync=off, {}", SETTINGS.join(", "))
    }

    pub fn url(&self) -> String {
        self.first.url()
    }

    pub fn other_url(&self) -> String {
        self.second().url()
    }

    /// Their first processes.
    pub fn pids(&self) -> Vec<u32> {
        let second = self.second.get().map(Cluster::pid);
        std::iter::once(self.first.pid()).chain(second).collect()
    }

    pub fn connect(&self) -> postgres::Client {
        self.first.connect("postgres")
    }

    pub fn sql(&self, sql: &str) {
        self.first.sql(sql);
    }

    pub fn sql_other(&self, sql: &str) {
        self.second().sql(sql);
    }

    /// A count and a text.
    pub fn pair(&self, sql: &str) -> String {
        pair(&self.first, sql)
    }

    pub fn pair_other(&self, sql: &str) -> String {
        pair(self.second(), sql)
    }

    pub fn version(&self) -> String {
        let row = self.connect().query_one("show server_version", &[]).expect("ask");
        row.get::<_, String>(0)
    }

    pub fn program(&self, name: &str) -> PathBuf {
        self.first.program(name)
    }

    /// A place that the server can write.
    pub fn file(&self, name: &str) -> PathBuf {
        self.first.folder().join("data").join(name)
    }

    /// The rows as CSV, made when they are first asked for.
    pub fn csv(&self, rows: u64) -> PathBuf {
        self.made(&format!("lineitem-{rows}.csv"), rows, None)
    }

    /// The same with bad rows among them.
    pub fn bad_csv(&self, rows: u64) -> PathBuf {
        self.made(&format!("lineitem-{rows}-bad.csv"), rows, Some(BAD_EVERY))
    }

    fn made(&self, name: &str, rows: u64, bad: Option<u64>) -> PathBuf {
        let path = self.first.folder().join(name);
        if !path.is_file() {
            let mut out = BufWriter::new(File::create(&path).expect("create a file"));
            write_csv(&mut out, rows, bad).and_then(|()| out.flush()).expect("write a file");
        }
        path
    }

    /// The rows as the server itself writes them in COPY's binary form.
    pub fn binary(&self, rows: u64) -> PathBuf {
        let path = self.file(&format!("lineitem-{rows}.bin"));
        if !path.is_file() {
            let types = super::constants::TYPED_COLUMNS;
            self.sql(&format!(
                "create table made ({types}); copy made from '{}' (format csv, header);
                 copy made to '{}' (format binary); drop table made",
                self.csv(rows).display(),
                path.display()
            ));
        }
        path
    }
}

fn pair(cluster: &Cluster, sql: &str) -> String {
    let row = cluster.connect("postgres").query_one(sql, &[]).expect("count");
    let (count, text): (i64, String) = (row.get(0), row.get(1));
    format!("{count} {text}")
}
