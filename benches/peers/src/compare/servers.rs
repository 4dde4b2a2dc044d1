//! The private servers, and the files beside them.

use super::constants::BAD_EVERY;
use super::contenders::Way;
use super::line_item::write_csv;
use super::support::Cluster;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

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

/// A database of the first server that has one table: what copies whole databases copies nothing else.
pub const SOURCE: &str = "source";

/// How often it is asked whether a server is done with who was killed, and how long between.
const PATIENCE: u32 = 1_500;
const POLL: Duration = Duration::from_millis(20);

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

    fn url(&self) -> String {
        self.first.url()
    }

    /// The first server, or a database of it, as a contender is to reach it.
    pub fn url_by(&self, way: Way, database: Option<&str>) -> String {
        let folder = self.first.folder().display().to_string().replace('/', "%2F");
        let url = database.map_or_else(|| self.url(), |name| self.first.url_of(name));
        match way {
            Way::Url => url,
            Way::Socket => url.replacen("127.0.0.1:", &format!("{folder}:"), 1),
            Way::Tcp => format!("{url}?local_socket=never"),
        }
    }

    /// Makes [`SOURCE`] anew, and runs statements in it.
    pub fn make_source(&self, statements: &[&str]) {
        self.sql(&format!("drop database if exists {SOURCE} with (force)"));
        self.sql(&format!("create database {SOURCE}"));
        let mut client = self.first.connect(SOURCE);
        for sql in statements {
            client.batch_execute(sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        }
    }

    /// The same server over its Unix socket, as pgloader writes it.
    pub fn socket_url(&self) -> String {
        let folder = self.first.folder().display().to_string();
        self.url().replacen("127.0.0.1:", &format!("unix:{folder}:"), 1)
    }

    pub fn other_url(&self) -> String {
        self.second().url()
    }

    /// Their first processes, as far as they run.
    pub fn pids(&self) -> [Option<u32>; 2] {
        [Some(self.first.pid()), self.second.get().map(Cluster::pid)]
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

    /// A count and a text, or why there are none.
    pub fn pair(&self, sql: &str) -> Result<String, String> {
        pair(&self.first, sql)
    }

    pub fn pair_other(&self, sql: &str) -> Result<String, String> {
        pair(self.second(), sql)
    }

    /// Ends what a contender that was killed has left under way, and waits until it is gone: a server
    /// goes on with a statement for a while, and holds its locks.
    pub fn clear(&self) {
        let others = "from pg_stat_activity where pid <> pg_backend_pid()
            and backend_type = 'client backend'";
        for cluster in std::iter::once(&self.first).chain(self.second.get()) {
            let mut client = cluster.connect("postgres");
            let ask = format!("select count(pg_terminate_backend(pid)) {others}");
            let mut left = || client.query_one(&ask, &[]).map_or(0, |row| row.get::<_, i64>(0));
            for _ in 0..PATIENCE {
                if left() == 0 {
                    break;
                }
                std::thread::sleep(POLL);
            }
        }
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

    /// A folder for what a program leaves lying about; it goes away with the server.
    pub fn litter(&self) -> PathBuf {
        self.first.folder().join("litter")
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

fn pair(cluster: &Cluster, sql: &str) -> Result<String, String> {
    let mut client = cluster.connect("postgres");
    // Counting and summing is what a run does besides: with all cores it is sooner done.
    client.batch_execute("set max_parallel_workers_per_gather = 2").map_err(|e| e.to_string())?;
    let row = client.query_one(sql, &[]);
    let row = row.map_err(|error| match error.as_db_error() {
        Some(error) => error.message().to_owned(),
        None => error.to_string(),
    })?;
    let (count, text): (i64, String) = (row.get(0), row.get(1));
    Ok(format!("{count} {text}"))
}
