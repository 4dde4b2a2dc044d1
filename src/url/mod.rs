//! Where the data is: connection URLs, libpq strings, the `PG*` environment and `.pgpass`.
//!
//! - `database_url`: what a text becomes: the database, and the pool options of the query
//! - `postgres`:     how to reach a PostgreSQL server
//! - `sqlite`:       where an SQLite database is
//! - `pool_query`:   pool options that stand in a URL
//! - `secret`:       a password that does not show itself
//! - `uri`, `key_value`, `percent`: the two notations of libpq, read into keys and values
//! - `keys`:         the known keys, and where each comes from when it is not given
//! - `values`:       numbers, durations and choices
//! - `settle`:       keys and values made into the settings of a PostgreSQL server
//! - `tls`:          what the settings say about TLS
//! - `transport`:    which hosts are reached through TLS, what may travel without, and which may be
//!   reached by a socket of this machine
//! - `passfile`:     `.pgpass`
//! - `password_source`: a password that is asked for when it is needed
//!
//! It promises three things. What it does not know it refuses by name, with the nearest name it
//! does know. It never lets data travel in the clear over a network, nor to a server that did not
//! prove who it is, unless it was told to. And no
//! message shows a password, nor any part of a malformed text that may be one: a password with an
//! unescaped `@`, `/` or space splits a URL in the wrong place, so the pieces are not repeated.

mod database_url;
mod key_value;
mod keys;
mod passfile;
mod password_source;
mod percent;
mod pool_query;
mod postgres;
mod secret;
mod settle;
mod sqlite;
mod tls;
mod transport;
mod uri;
mod values;

pub use database_url::{Database, DatabaseUrl};
pub use password_source::{PasswordRequest, PasswordSource};
pub use pool_query::PoolQuery;
pub use postgres::{LocalSocket, PostgresHost, PostgresSettings, Reach, TargetSessionAttrs};
pub use secret::Secret;
pub use sqlite::{SqliteLocation, SqliteSettings};
pub use tls::{
    ChannelBinding, ClientCertificate, RootCertificates, SslMode, SslNegotiation, TlsSettings,
    TlsVersion,
};
