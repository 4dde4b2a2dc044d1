//! The known keys, and where each comes from when it is not given.

use super::values::Expected;
use crate::error::{Error, ErrorKind, Result};
use crate::nearest::nearest;
use std::collections::BTreeMap;

/// Which keys a text may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeySet {
    /// Those of libpq that mean something here, and the pool's.
    Postgres,
    /// Those of SQLite, and the pool's.
    Sqlite,
}

/// The keys of a PostgreSQL server, and the variables that stand in for them.
const POSTGRES: [(&str, &str); 33] = [
    ("host", "PGHOST"),
    ("hostaddr", "PGHOSTADDR"),
    ("port", "PGPORT"),
    ("user", "PGUSER"),
    ("password", "PGPASSWORD"),
    ("passfile", "PGPASSFILE"),
    ("dbname", "PGDATABASE"),
    ("sslmode", "PGSSLMODE"),
    ("sslnegotiation", "PGSSLNEGOTIATION"),
    ("sslrootcert", "PGSSLROOTCERT"),
    ("sslcrl", "PGSSLCRL"),
    ("sslcrldir", "PGSSLCRLDIR"),
    ("sslcert", "PGSSLCERT"),
    ("sslkey", "PGSSLKEY"),
    ("ssl_min_protocol_version", "PGSSLMINPROTOCOLVERSION"),
    ("ssl_max_protocol_version", "PGSSLMAXPROTOCOLVERSION"),
    ("channel_binding", "PGCHANNELBINDING"),
    ("application_name", "PGAPPNAME"),
    ("fallback_application_name", ""),
    ("options", "PGOPTIONS"),
    ("connect_timeout", "PGCONNECT_TIMEOUT"),
    ("target_session_attrs", "PGTARGETSESSIONATTRS"),
    ("client_encoding", ""),
    ("keepalives", ""),
    ("keepalives_idle", ""),
    ("keepalives_interval", ""),
    ("keepalives_count", ""),
    ("tcp_user_timeout", ""),
    ("statement_timeout", ""),
    ("prepared_statements", ""),
    ("direct", ""),
    ("local_socket", ""),
    ("gssencmode", "PGGSSENCMODE"),
];

const SQLITE: [&str; 2] = ["busy_timeout", "connect_timeout"];

const POOL: [&str; 11] = [
    "pool_size",
    "max_overflow",
    "pool_timeout",
    "pool_recycle",
    "pool_pre_ping",
    "pool_use_lifo",
    "pool_keepalive",
    "min_idle",
    "idle_timeout",
    "max_waiting",
    "leak_after",
];

/// Keys that libpq or others know and that do not exist here.
const WITHOUT: [(&str, &str); 8] = [
    ("ssl", "write sslmode=verify-full"),
    ("requiressl", "write sslmode=require, or better verify-full"),
    ("sslpassword", "an encrypted key cannot be read; decrypt it into a file of mode 600"),
    ("sslcertmode", "a client certificate is shown to a server that asks, if there is one"),
    ("sslcompression", "TLS never compresses here"),
    ("sslsni", "the name of the host is always sent"),
    ("service", "service files are not read; write the settings out"),
    ("load_balance_hosts", "hosts are tried in their order"),
];

/// What a text or a variable says.
struct Given {
    value: String,
    /// The name to use in messages: the key, or the variable it came from.
    name: &'static str,
    /// Whether the value may be repeated in a message.
    shown: bool,
}

/// Keys with their values; a key that is not known cannot get in.
pub(super) struct Parameters {
    set: KeySet,
    given: BTreeMap<&'static str, Given>,
    /// Whether the pieces of the text may be repeated in messages: not once a password was read
    /// that may have been cut in the wrong place.
    trusted: bool,
}

impl Parameters {
    pub(super) fn new(set: KeySet) -> Self {
        Self { set, given: BTreeMap::new(), trusted: true }
    }

    /// From here on, the pieces of the text are not repeated in messages.
    pub(super) fn distrust(&mut self) {
        self.trusted = false;
    }

    /// Sets `key`; the last one wins, as in libpq.
    pub(super) fn set(&mut self, key: &str, value: String) -> Result<()> {
        let Some(name) = self.known().find(|known| *known == key) else {
            return Err(self.unknown(key));
        };
        self.given.insert(name, Given { value, name, shown: self.trusted });
        Ok(())
    }

    /// Adds what the text left out from the environment.
    pub(super) fn add_environment(&mut self, lookup: &dyn Fn(&str) -> Option<String>) {
        for (key, variable) in POSTGRES {
            if variable.is_empty() || self.get(key).is_some() {
                continue;
            }
            if let Some(value) = lookup(variable) {
                self.given.insert(key, Given { value, name: variable, shown: true });
            }
        }
    }

    /// The value of `key`; an empty one counts as none, as in libpq.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.given.get(key).map(|given| given.value.as_str()).filter(|value| !value.is_empty())
    }

    /// The value of `key`, read by `read`.
    pub(super) fn read<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(&str) -> std::result::Result<T, Expected>,
    ) -> Result<Option<T>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        read(value).map(Some).map_err(|expected| self.refused(key, &expected))
    }

    /// The error for the value of `key`.
    pub(super) fn refused(&self, key: &'static str, expected: &Expected) -> Error {
        let given = self.given.get(key);
        let name = given.map_or(key, |given| given.name);
        let is_word = |value: &&str| {
            value.len() <= 20 && value.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        };
        let value = given
            .filter(|given| given.shown && expected.is_choice)
            .map(|given| given.value.as_str())
            .filter(is_word);
        match value {
            Some(value) => Error::new(ErrorKind::Url, format!("unknown {name} \"{value}\""))
                .with_hint(&*expected.what),
            None => Error::new(ErrorKind::Url, format!("{name} is not as it must be"))
                .with_hint(&*expected.what),
        }
    }

    fn known(&self) -> impl Iterator<Item = &'static str> {
        let postgres = POSTGRES.iter().map(|(key, _)| *key);
        let (servers, files) = match self.set {
            KeySet::Postgres => (POSTGRES.len(), 0),
            KeySet::Sqlite => (0, SQLITE.len()),
        };
        postgres.take(servers).chain(SQLITE.into_iter().take(files)).chain(POOL)
    }

    fn unknown(&self, key: &str) -> Error {
        let near = nearest(key, self.known());
        let is_word = key.len() <= 32 && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let message = if self.trusted && is_word {
            format!("unknown key \"{key}\" in the connection settings")
        } else {
            "unknown key in the connection settings".to_owned()
        };
        let error = Error::new(ErrorKind::Url, message);
        if let Some((_, reason)) = WITHOUT.iter().find(|(known, _)| *known == key) {
            return error.with_hint(*reason);
        }
        match near {
            Some(near) => error.with_hint(format!("did you mean {near}?")),
            None if self.trusted => error.with_hint(format!("known are {}", self.all())),
            None => error.with_hint("a password with spaces, & or @ must be escaped"),
        }
    }

    fn all(&self) -> String {
        self.known().collect::<Vec<_>>().join(", ")
    }
}
