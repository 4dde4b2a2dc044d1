//! A private PostgreSQL server.
//!
//! It lives in a folder of its own under the temporary directory, listens on a free port of
//! 127.0.0.1 and on a socket in its folder, and asks for a password (SCRAM). It goes away with the
//! process of the tests however that ends: statics are not dropped in Rust and `kill -9` runs no
//! destructor, so a watchdog (a shell at the other end of a pipe) stops the server and removes the
//! folder when the pipe closes.

use super::island::Island;
use super::port::free_port;
use super::server::{self, User};
use super::{LIMIT, TestDb};
use std::fmt::Write as _;
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// The superuser's password: it must never be seen in a message, a log or a `Debug`.
pub const PASSWORD: &str = "pw-4-the-mill";

/// The name of the superuser.
pub const USER: &str = "postgres";

/// How long to wait before asking again whether the server is there.
const POLL: Duration = Duration::from_millis(20);

/// How often another port is tried when one was taken between looking and binding.
const PORT_ATTEMPTS: u32 = 5;

/// A running server with a cluster of its own.
#[derive(Debug)]
pub struct Cluster {
    bin: PathBuf,
    folder: PathBuf,
    user: Option<User>,
    port: u16,
    host: String,
    settings: Vec<String>,
    island: Option<Island>,
    postmaster: Mutex<Option<Child>>,
    databases: AtomicU32,
    /// The process that writes the log of changes for those who do not wait for it, while it is held.
    held: Mutex<Option<u32>>,
    // Dropping its standard input wakes it.
    watchdog: Child,
}

/// The cluster that all tests of this process share, started on first use. Tests that stop, kill
/// or freeze a server start their own.
pub fn shared() -> &'static Cluster {
    static SHARED: OnceLock<Cluster> = OnceLock::new();
    SHARED.get_or_init(Cluster::start)
}

impl Cluster {
    /// Starts a cluster that does not wait for the disk: fast, and lost in a crash of the machine
    /// (not of the server).
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same, with settings of its own: `name=value`.
    pub fn start_with(settings: &[&str]) -> Self {
        Self::create(false, settings, None)
    }

    /// Starts one of another server: of the programs in a folder.
    pub fn of_server(bin: &Path) -> Self {
        Self::build_of(bin.to_owned(), false, &[], None, None)
    }

    /// Starts a cluster that can be cut off.
    pub fn on_island(island: Island) -> Self {
        Self::create(false, &[], Some(island))
    }

    /// Starts a cluster that writes to the disk as it does in production: for crash tests.
    pub fn durable() -> Self {
        Self::create(true, &[], None)
    }

    /// The same, with room in memory for its log of changes: see [`Self::hold_log`].
    pub fn forgetful() -> Self {
        let settings = [
            "wal_writer_delay=10s",
            "wal_buffers=64MB",
            "bgwriter_lru_maxpages=0",
            "checkpoint_timeout=1h",
        ];
        Self::create(true, &settings, None)
    }

    /// A cluster with its log of changes in a folder of its own, which must not be there yet.
    pub fn start_with_wal_in(folder: &Path, settings: &[&str]) -> Self {
        Self::build(false, settings, None, Some(folder))
    }

    /// Starts a replica that follows `primary`, from a backup of it.
    pub fn replica_of(primary: &Self, settings: &[&str]) -> Self {
        let (bin, user) = (primary.bin.clone(), primary.user);
        let folder = make_folder(user);
        let watchdog = start_watchdog(&folder);
        let output = server::command(&bin.join("pg_basebackup"), user, &folder)
            .args(["--write-recovery-conf", "--checkpoint=fast", "--no-sync"])
            .arg(format!("--dbname={}", primary.conninfo()))
            .arg("--pgdata")
            .arg(folder.join("data"))
            .output()
            .expect("run pg_basebackup");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "pg_basebackup failed: {said}");
        let first = ["fsync=off", "full_page_writes=off", "wal_retrieve_retry_interval=100ms"];
        let mut cluster = Self {
            bin,
            folder,
            user,
            port: 0,
            host: "127.0.0.1".to_owned(),
            settings: first.iter().chain(settings).map(ToString::to_string).collect(),
            island: None,
            postmaster: Mutex::new(None),
            databases: AtomicU32::new(0),
            held: Mutex::new(None),
            watchdog,
        };
        cluster.start_on_a_free_port();
        cluster
    }

    /// How another server connects to this one.
    fn conninfo(&self) -> String {
        format!("host={} port={} user={USER} password={PASSWORD}", self.host, self.port)
    }

    /// Has a running replica follow another server from now on.
    pub fn follow(&self, primary: &Self) {
        self.sql(&format!("alter system set primary_conninfo = '{}'", primary.conninfo()));
        self.sql("select pg_reload_conf()");
    }

    /// Has a server that is stopped come back as a replica of another, and starts it.
    pub fn come_back_following(&self, primary: &Self) {
        let data = self.folder.join("data");
        File::create(data.join("standby.signal")).expect("make standby.signal");
        server::give(&data.join("standby.signal"), self.user);
        let line = format!("primary_conninfo = '{}'\n", primary.conninfo());
        let conf = File::options().append(true).open(data.join("postgresql.auto.conf"));
        std::io::Write::write_all(&mut conf.expect("open the settings"), line.as_bytes())
            .expect("write the settings");
        self.restart();
    }

    /// Makes a replica a primary, and waits until it is one.
    pub fn promote(&self) {
        self.sql("select pg_promote(true, 60)");
    }

    fn create(fsync: bool, settings: &[&str], island: Option<Island>) -> Self {
        Self::build(fsync, settings, island, None)
    }

    fn build(fsync: bool, settings: &[&str], island: Option<Island>, wal: Option<&Path>) -> Self {
        Self::build_of(server::bin_folder(), fsync, settings, island, wal)
    }

    fn build_of(
        bin: PathBuf,
        fsync: bool,
        settings: &[&str],
        island: Option<Island>,
        wal: Option<&Path>,
    ) -> Self {
        let user = User::unprivileged();
        let folder = make_folder(user);
        let watchdog = start_watchdog(&folder);
        init(&bin, user, &folder, wal);
        if let Some(island) = &island {
            admit(&folder, island);
        }
        let onoff = if fsync { "on" } else { "off" };
        let first = [format!("fsync={onoff}"), format!("full_page_writes={onoff}")];
        let host = island.as_ref().map_or("127.0.0.1".to_owned(), |it| it.address().to_string());
        let mut cluster = Self {
            bin,
            folder,
            user,
            port: 0,
            host,
            settings: first.into_iter().chain(settings.iter().map(ToString::to_string)).collect(),
            island,
            postmaster: Mutex::new(None),
            databases: AtomicU32::new(0),
            held: Mutex::new(None),
            watchdog,
        };
        cluster.start_on_a_free_port();
        cluster
    }

    fn start_on_a_free_port(&mut self) {
        for _ in 0..PORT_ATTEMPTS {
            self.port = free_port();
            match self.try_start() {
                Ok(()) => return,
                Err(status) => {
                    let log = self.log();
                    assert!(log.contains("could not bind"), "the server ended, {status}:\n{log}");
                }
            }
        }
        panic!("no free port in {PORT_ATTEMPTS} attempts:\n{}", self.log());
    }

    /// The URL of the database `postgres` by its TCP port, with the password: as users write it, so
    /// that its socket is used where that can be.
    pub fn url(&self) -> String {
        self.url_of(USER)
    }

    /// The URL of a database by its TCP port, with the password.
    pub fn url_of(&self, database: &str) -> String {
        // What is not this machine has to be asked for without TLS.
        let plain = self.island.as_ref().map_or("", |_| "?sslmode=disable");
        format!("postgresql://{USER}:{PASSWORD}@{}:{}/{database}{plain}", self.host, self.port)
    }

    /// The URL of the database `postgres` that keeps to TCP, with the password.
    pub fn tcp_url(&self) -> String {
        self.tcp_url_of(USER)
    }

    /// The URL of a database that keeps to TCP, with the password.
    pub fn tcp_url_of(&self, database: &str) -> String {
        let url = self.url_of(database);
        format!("{url}{}local_socket=never", if url.contains('?') { '&' } else { '?' })
    }

    /// The URL of the database `postgres` over the server's socket, with the password.
    pub fn socket_url(&self) -> String {
        self.socket_url_of(USER)
    }

    /// The URL of a database over the server's socket, with the password.
    pub fn socket_url_of(&self, database: &str) -> String {
        let (folder, port) = (self.folder.display(), self.port);
        format!("postgresql://{USER}:{PASSWORD}@/{database}?host={folder}&port={port}")
    }

    /// Where it is, if it can be cut off.
    pub fn island(&self) -> Option<&Island> {
        self.island.as_ref()
    }

    /// The TCP port, on 127.0.0.1 unless it is on an island.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder of the server's socket, log and data.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The superuser's password.
    #[expect(clippy::unused_self, reason = "a caller does not care that all clusters share it")]
    pub fn password(&self) -> &'static str {
        PASSWORD
    }

    /// A fresh database, dropped at the end of the test; `label` is part of its name.
    pub fn database(&self, label: &str) -> TestDb<'_> {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        TestDb::create(self, format!("{label}_{number}"))
    }

    /// Runs statements in the database `postgres`.
    pub fn sql(&self, sql: &str) {
        self.connect(USER).batch_execute(sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    /// A connection of the driver's own, beside everything that is tested.
    pub fn connect(&self, database: &str) -> postgres::Client {
        self.try_connect(database).expect("connect to the test's server")
    }

    pub fn try_connect(&self, database: &str) -> Result<postgres::Client, postgres::Error> {
        postgres::Config::new()
            .host_path(&self.folder)
            .port(self.port)
            .user(USER)
            .password(PASSWORD)
            .dbname(database)
            .connect_timeout(Duration::from_secs(10))
            .connect(postgres::NoTls)
    }

    /// A program that belongs to the server: `psql`, `pg_dump`.
    pub fn program(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }

    /// What the server wrote to its log.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// The process id of the server's first process.
    pub fn pid(&self) -> u32 {
        self.postmaster().as_ref().expect("the server is stopped").id()
    }

    /// Stops the server at once: every connection is cut, nothing is flushed.
    pub fn stop_immediate(&self) {
        self.end(|child| server::signal("QUIT", &[child.id()]));
    }

    /// Stops the server in order: every session is told (57P01), and then it ends.
    pub fn stop_fast(&self) {
        self.end(|child| server::signal("INT", &[child.id()]));
    }

    /// Kills one of the server's processes with `kill -9`: the server then ends every session
    /// (57P02) and starts over by itself.
    pub fn kill_backend(&self, pid: i32) {
        let pid = u32::try_from(pid).expect("a process id");
        assert!(server::children(self.pid()).contains(&pid), "{pid} is not of this server");
        server::signal("KILL", &[pid]);
    }

    /// Kills the server's first process with `kill -9`; the others follow on their own.
    pub fn kill(&self) {
        self.end(|child| child.kill().expect("kill the server"));
    }

    /// Kills all of the server's processes with `kill -9`: one that works and is not waited for would go on
    /// without the first.
    pub fn kill_all(&self) {
        let children = server::children(self.pid());
        self.kill();
        server::signal("KILL", &children);
    }

    /// Starts the server again on the same port, after stopping it if it runs.
    pub fn restart(&self) {
        self.stop_immediate();
        let deadline = Instant::now() + LIMIT;
        // After a kill -9 the last children may still hold the shared memory for a moment.
        while let Err(status) = self.try_start() {
            assert!(Instant::now() < deadline, "no restart, {status}:\n{}", self.log());
            std::thread::sleep(POLL);
        }
    }

    /// Stops every process of the server in its tracks until the guard is dropped: connections
    /// stay open and silent, new ones are taken by the kernel and never answered.
    pub fn freeze(&self) -> Frozen {
        let pid = self.pid();
        // ORDER: the first process before its children, or it starts others meanwhile.
        server::signal("STOP", &[pid]);
        let mut pids = server::children(pid);
        server::signal("STOP", &pids);
        pids.push(pid);
        Frozen { pids }
    }

    /// Leaves the log of changes in memory until the guard is dropped or the server stopped: whoever
    /// stops it meanwhile makes it forget all commits that did not wait for the disk, but for those in
    /// front of one that did. Databases cannot be made or dropped meanwhile.
    pub fn hold_log(&self) -> HeldLog<'_> {
        let sql = "select pid from pg_stat_activity where backend_type = 'walwriter'";
        let deadline = Instant::now() + LIMIT;
        let mut client = self.connect(USER);
        let row = loop {
            if let Some(row) = client.query_opt(sql, &[]).expect("ask for the walwriter") {
                break row;
            }
            assert!(Instant::now() < deadline, "no walwriter");
            std::thread::sleep(POLL);
        };
        let pid = u32::try_from(row.get::<_, i32>(0)).expect("a process id");
        server::signal("STOP", &[pid]);
        *self.held() = Some(pid);
        HeldLog(self)
    }

    fn held(&self) -> MutexGuard<'_, Option<u32>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, stop: impl FnOnce(&mut Child)) {
        if let Some(mut child) = self.postmaster().take() {
            stop(&mut child);
            // It hears nothing but that, and the others would wait for it.
            server::signal("KILL", self.held().take().as_slice());
            child.wait().expect("wait for the server");
        }
    }

    /// Starts the server and waits until it answers; its exit status if it ended instead.
    fn try_start(&self) -> Result<(), ExitStatus> {
        let mut child = self.spawn_postmaster();
        let deadline = Instant::now() + LIMIT;
        while let Err(error) = self.try_connect(USER) {
            if let Some(status) = child.try_wait().expect("wait for the server") {
                return Err(status);
            }
            assert!(Instant::now() < deadline, "no answer: {error}\n{}", self.log());
            std::thread::sleep(POLL);
        }
        *self.postmaster() = Some(child);
        Ok(())
    }

    fn spawn_postmaster(&self) -> Child {
        let log = File::options().create(true).append(true).open(self.folder.join("log"));
        let log = log.expect("open the server's log");
        let settings = [
            format!("listen_addresses={}", self.host),
            format!("port={}", self.port),
            format!("unix_socket_directories={}", self.folder.display()),
            "max_connections=100".to_owned(),
            "shared_buffers=32MB".to_owned(),
            "timezone=UTC".to_owned(),
        ];
        let program = self.bin.join("postgres");
        let mut command = match &self.island {
            None => server::command(&program, self.user, &self.folder),
            Some(island) => {
                server::command_behind(&island.prefix(), &program, self.user, &self.folder)
            }
        };
        command.arg("-D").arg(self.folder.join("data"));
        command.args(settings.iter().chain(&self.settings).flat_map(|setting| ["-c", setting]));
        command.stdout(Stdio::null()).stderr(log).spawn().expect("start the server")
    }

    fn postmaster(&self) -> MutexGuard<'_, Option<Child>> {
        self.postmaster.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop_immediate();
        drop(self.watchdog.stdin.take());
        // It removes the folder; a folder left behind by a failure here is no reason to panic.
        let _ = self.watchdog.wait();
    }
}

/// A server that stands still; dropping this lets it go on.
#[derive(Debug)]
pub struct Frozen {
    pids: Vec<u32>,
}

impl Drop for Frozen {
    fn drop(&mut self) {
        server::signal("CONT", &self.pids);
    }
}

/// A server that leaves its log of changes in memory; dropping this lets it write it.
#[derive(Debug)]
pub struct HeldLog<'a>(&'a Cluster);

impl Drop for HeldLog<'_> {
    fn drop(&mut self) {
        server::signal("CONT", self.0.held().take().as_slice());
    }
}

fn make_folder(user: Option<User>) -> PathBuf {
    // The path of a socket may have about 100 bytes in all.
    let mut parent = std::env::temp_dir();
    if parent.as_os_str().len() > 60 {
        parent = PathBuf::from("/tmp");
    }
    let folder = tempfile::Builder::new().prefix("rowmill-pg-").tempdir_in(parent);
    let folder = folder.expect("make a folder for the cluster").keep();
    server::give(&folder, user);
    folder
}

fn start_watchdog(folder: &Path) -> Child {
    // A server that was frozen by a test that died must be woken to hear that it is to stop. The
    // process id is checked against the command line: it may be another's by now.
    let script = r#"
        cat >/dev/null
        pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null)
        ours() { [ -n "$pid" ] && { cat "/proc/$pid/cmdline" 2>/dev/null || ps -o args= -p "$pid"; } \
            | grep -aqF "$1"; }
        if ours "$1"; then
            kids=$(cat "/proc/$pid/task/$pid/children" 2>/dev/null || pgrep -P "$pid")
            kill -QUIT "$pid"; kill -CONT "$pid" $kids
            tries=0
            while ours "$1" && [ $tries -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
            if ours "$1"; then kill -KILL "$pid"; fi
        fi
        rm -rf "$1"
    "#;
    Command::new("sh")
        .args(["-c", script, "rowmill-test-watchdog"])
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .current_dir("/")
        .process_group(0)
        .spawn()
        .expect("start the watchdog")
}

fn init(bin: &Path, user: Option<User>, folder: &Path, wal: Option<&Path>) {
    let password_file = folder.join("password");
    std::fs::write(&password_file, PASSWORD).expect("write the password file");
    let output = server::command(&bin.join("initdb"), user, folder)
        .args(["--username", USER, "--auth", "scram-sha-256", "--no-sync", "--no-instructions"])
        .args(["--encoding", "UTF8", "--locale", "C"])
        .arg("--pwfile")
        .arg(&password_file)
        .arg("--pgdata")
        .arg(folder.join("data"))
        .args(wal.map(|wal| format!("--waldir={}", wal.display())))
        .output()
        .expect("run initdb");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "initdb failed: {said}");
}

/// Lets clients from this side of an island in.
fn admit(folder: &Path, island: &Island) {
    let path = folder.join("data/pg_hba.conf");
    let mut rules = std::fs::read_to_string(&path).expect("read pg_hba.conf");
    writeln!(rules, "host all all {}/32 scram-sha-256", island.near()).expect("write to a text");
    std::fs::write(&path, rules).expect("write pg_hba.conf");
}
