//! TLS to PostgreSQL: nothing is weaker than what was said.
//!
//! - `matrix`:   every mode against every kind of server
//! - `names`:    which names and authorities are accepted, and what is said of the others
//! - `identity`: client certificates
//! - `binding`:  channel binding, and one who stands between with a certificate that is valid
//! - `wire`:     what is seen of a connection from outside: requests to cancel, silent servers,
//!   answers that are none
//! - `relay`:    one who stands between

mod binding;
mod identity;
mod matrix;
mod names;
mod relay;
mod wire;

use crate::support::cluster::{Cluster, PASSWORD};
use crate::support::tls::{self, Authority};
use rowmill::backend::postgres::PostgresBackend;
use rowmill::backend::{Backend, Connection};
use rowmill::url::{Database, DatabaseUrl};
use rowmill::{CellRef, Class, ErrorKind};
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// The name that good certificates have.
const NAME: &str = "db.example.test";

/// A server with a good certificate, and what goes with it.
struct Good {
    cluster: Cluster,
    authority: Authority,
    /// Whose client certificates it takes.
    clients: Authority,
}

impl Good {
    fn start() -> Self {
        let (authority, clients) = (Authority::new("the root"), Authority::new("the clients"));
        let cluster = Cluster::start();
        tls::serve(&cluster, &authority.server(&[NAME, "127.0.0.1", "*.wild.test"]), &clients);
        for role in ["certified", "plainly", "secretly"] {
            cluster.sql(&format!("create role {role} login superuser password '{PASSWORD}'"));
        }
        tls::file(&cluster, "root.crt", &authority.certificate());
        Self { cluster, authority, clients }
    }

    /// The URL of a user, by the name of the certificate.
    fn url(&self, user: &str, query: &str) -> String {
        url(user, NAME, self.cluster.port(), query)
    }

    /// `sslrootcert`, with what goes before it.
    fn trusted(&self, query: &str) -> String {
        trusting(query, &self.cluster.folder().join("client/root.crt"))
    }
}

/// The one that all tests share which do not change it.
fn good() -> &'static Good {
    static GOOD: OnceLock<Good> = OnceLock::new();
    GOOD.get_or_init(Good::start)
}

/// A URL whose host has a name, and is here.
fn url(user: &str, name: &str, port: u16, query: &str) -> String {
    format!("postgresql://{user}:{PASSWORD}@{name}:{port}/postgres?hostaddr=127.0.0.1&{query}")
}

fn trusting(query: &str, root: &Path) -> String {
    format!("{query}&sslrootcert={}", root.display())
}

fn backend(url: &str) -> PostgresBackend {
    // The environment of whoever runs the tests must not matter.
    match DatabaseUrl::parse_with(url, &|_| None).unwrap().database {
        Database::Postgres(settings) => PostgresBackend::new(&settings),
        other => panic!("{other:?} is no PostgreSQL"),
    }
}

fn connect(url: &str) -> rowmill::Result<Box<dyn Connection>> {
    backend(url).connect(Instant::now() + Duration::from_secs(30))
}

/// Whether the server says that the connection came through TLS.
fn is_encrypted(connection: &mut dyn Connection) -> bool {
    text(connection, "select ssl::text from pg_stat_ssl where pid = pg_backend_pid()") == "true"
}

/// The one text that a query returns.
fn text(connection: &mut dyn Connection, sql: &str) -> String {
    let mut text = None;
    let take = &mut |row: &dyn rowmill::backend::RowRef| {
        if let CellRef::Packed(_, bytes) = row.cell(0)? {
            text = Some(String::from_utf8(bytes.to_vec()).unwrap());
        }
        Ok(())
    };
    connection.query(sql, &[], take).unwrap();
    text.expect("one row")
}

/// The error of a connection that must not come about: at once and for good, and without a secret.
fn refusal(url: &str) -> String {
    let started = Instant::now();
    let error = connect(url).expect_err(url);
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert_eq!((error.kind(), error.class()), (ErrorKind::Connect, Class::Permanent), "{error}");
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains(PASSWORD) && !shown.contains("PRIVATE"), "{shown}");
    error.to_string()
}
