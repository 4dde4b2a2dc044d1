//! A PgBouncer in transaction mode before a cluster.

use super::cluster::{Cluster, PASSWORD, USER};
use super::port::free_port;
use super::{LIMIT, server};
use server::User;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A pooler that gives every transaction another session, of two.
#[derive(Debug)]
pub struct PgBouncer {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl PgBouncer {
    /// Starts one; it ends with this value.
    pub fn before(cluster: &Cluster) -> Self {
        let folder = tempfile::Builder::new().prefix("rowmill-pgb-").tempdir();
        let folder = folder.expect("make a folder for the pooler");
        let port = free_port();
        let user = User::unprivileged();
        let users = folder.path().join("users");
        std::fs::write(&users, format!("\"{USER}\" \"{PASSWORD}\"\n")).expect("write the users");
        let file = folder.path().join("pgbouncer.ini");
        std::fs::write(&file, settings(cluster, port, &users)).expect("write the settings");
        server::give(folder.path(), user);
        let mut command = server::command(&program(), user, folder.path());
        command.arg(&file).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().expect("start pgbouncer");
        let started = Self { child, port, _folder: folder };
        started.wait();
        started
    }

    /// The URL of a database behind it.
    pub fn url_of(&self, database: &str) -> String {
        format!("postgresql://{USER}:{PASSWORD}@127.0.0.1:{}/{database}", self.port)
    }

    fn wait(&self) {
        let deadline = Instant::now() + LIMIT;
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < deadline, "pgbouncer does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The sessions take turns, so that no two transactions of a client are on one by chance; and each
/// session shows in its own setting which one it is.
fn settings(cluster: &Cluster, port: u16, users: &Path) -> String {
    format!(
        "[databases]\n* = host=127.0.0.1 port={} user={USER} password={PASSWORD}\n\
         [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
         auth_type = scram-sha-256\nauth_file = {}\npool_mode = transaction\n\
         default_pool_size = 3\nserver_round_robin = 1\n",
        cluster.port(),
        users.display()
    )
}

fn program() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/bin".into()]);
    folders
        .map(|folder| folder.join("pgbouncer"))
        .find(|program| program.is_file())
        .expect("no pgbouncer on this machine: run tests/run once: it installs what is missing")
}
