//! Which server a session is on, and whether anything stands in between.

use crate::backend::postgres::wire::socket_table::Ends;
use postgres::{Client, SimpleQueryMessage, SimpleQueryRow};
use std::net::SocketAddr;

/// When it was started, to the microsecond, and on which port, is not the same of any two servers of
/// a machine.
const SQL: &str = "SELECT extract(epoch FROM pg_catalog.pg_postmaster_start_time()), \
    pg_catalog.current_setting('port'), \
    pg_catalog.host(pg_catalog.inet_client_addr()), pg_catalog.inet_client_port(), \
    pg_catalog.host(pg_catalog.inet_server_addr()), pg_catalog.inet_server_port()";

/// A server, as it says itself.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    pub(super) started: String,
    pub(super) port: String,
    /// The ends of the connection as they are seen from there; `None` over a Unix socket.
    pub(super) seen: Option<Ends>,
}

impl Identity {
    /// Asks a session; `None` if it does not say.
    pub(super) fn ask(client: &mut Client) -> Option<Self> {
        let answer = client.simple_query(SQL).ok()?;
        answer.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Self::read(row),
            _ => None,
        })
    }

    fn read(row: &SimpleQueryRow) -> Option<Self> {
        let text = |at| row.try_get(at).ok().flatten();
        let end = |address, port| {
            Some(SocketAddr::new(text(address)?.parse().ok()?, text(port)?.parse().ok()?))
        };
        Some(Self {
            started: text(0)?.to_owned(),
            port: text(1)?.to_owned(),
            seen: end(2, 3).zip(end(4, 5)).map(|(ours, theirs)| Ends::new(ours, theirs)),
        })
    }

    pub(super) fn is_same_server(&self, other: &Self) -> bool {
        (&self.started, &self.port) == (&other.started, &other.port)
    }

    /// Whether the server has the ends of the connection that we have: nobody takes what we send and
    /// sends it on.
    pub(super) fn is_at(&self, ends: &Ends) -> bool {
        self.seen == Some(*ends) && self.port == ends.theirs.port().to_string()
    }
}
