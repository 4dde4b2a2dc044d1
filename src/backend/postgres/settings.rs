//! What is connected to, host by host.

use super::session::Role;
use crate::error::{Error, ErrorKind, Result};
use postgres::Config;
use postgres::config::{Host, SslMode};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A dead peer is noticed after half a minute of silence and three unanswered questions, and
/// after a minute in which it acknowledged nothing.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_COUNT: u32 = 3;
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(60);

/// A server: one host, or several that are tried in order.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) role: Role,
    description: String,
    /// Set once a server refused the start-up options, so that the next connection does not try.
    plain: Arc<AtomicBool>,
}

/// One host.
#[derive(Clone)]
pub(super) struct Endpoint {
    /// Has this one host, no option of ours, no TLS.
    pub(super) config: Config,
    /// `host:port/database as user`.
    pub(super) label: String,
}

impl Target {
    /// Reads a URL or a libpq string.
    pub(super) fn parse(url: &str) -> Result<Self> {
        let parsed: Config = url
            .parse()
            .map_err(|_| Error::new(ErrorKind::Url, "this is no PostgreSQL connection URL"))?;
        let user = parsed.get_user().unwrap_or("postgres").to_owned();
        let database = parsed.get_dbname().unwrap_or(&user).to_owned();
        let mut endpoints = Vec::new();
        for (index, host) in parsed.get_hosts().iter().enumerate() {
            let ports = parsed.get_ports();
            let port = ports.get(index).or(ports.first()).copied().unwrap_or(5432);
            let mut config = Config::new();
            let name = match host {
                Host::Tcp(name) => {
                    config.host(name);
                    name.clone()
                }
                Host::Unix(path) => {
                    config.host_path(path);
                    path.display().to_string()
                }
            };
            config.port(port).user(&user).dbname(&database);
            if let Some(password) = parsed.get_password() {
                config.password(password);
            }
            if let Some(options) = parsed.get_options() {
                config.options(options);
            }
            config.application_name(parsed.get_application_name().unwrap_or("rowmill"));
            harden(&mut config);
            let label = format!("{name}:{port}/{database} as {user}");
            endpoints.push(Endpoint { config, label });
        }
        let description = match endpoints.first() {
            Some(first) => format!("postgresql {}", first.label),
            None => return Err(Error::new(ErrorKind::Url, "the URL names no host")),
        };
        Ok(Self { endpoints, role: Role::Any, description, plain: Arc::default() })
    }

    /// Whether a server refused the start-up options.
    pub(super) fn is_plain(&self) -> bool {
        self.plain.load(Ordering::Relaxed)
    }

    /// Remembers that a server refused the start-up options.
    pub(super) fn set_plain(&self) {
        self.plain.store(true, Ordering::Relaxed);
    }
}

fn harden(config: &mut Config) {
    config
        .ssl_mode(SslMode::Disable)
        .keepalives(true)
        .keepalives_idle(KEEPALIVE_IDLE)
        .keepalives_interval(KEEPALIVE_INTERVAL)
        .keepalives_retries(KEEPALIVE_COUNT)
        .tcp_user_timeout(TCP_USER_TIMEOUT);
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.description)
    }
}

/// Without the password.
impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.description)
    }
}
