//! What is connected to, host by host.

use crate::backend::postgres::connecting::Shortcut;
use crate::backend::postgres::session::code::knowledge::Knowledge;
use crate::backend::postgres::statement::known_types::TypeCache;
use crate::backend::postgres::wire::server::{Server, Watch};
use crate::backend::postgres::wire::tls::Security;
use crate::error::Result;
use crate::url::{
    self, PasswordRequest, PasswordSource, PostgresHost, PostgresSettings, Secret,
    TargetSessionAttrs,
};
use postgres::Config;
use postgres::config::ChannelBinding;
use socket2::TcpKeepalive;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A dead peer is noticed after half a minute of silence and three unanswered questions, and
/// after a minute in which it acknowledged nothing.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_COUNT: u32 = 3;
const TCP_USER_TIMEOUT: Duration = Duration::from_mins(1);

/// A server: one host, or several that are tried in order.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) role: TargetSessionAttrs,
    /// Whether each transaction may be on another session: a pooler stands in between.
    pub(super) pooled: bool,
    /// Whether statements may go without the driver.
    pub(super) direct: bool,
    /// How long a statement may take.
    pub(super) limit: Option<Duration>,
    description: String,
    /// Set once a server refused the start-up options, so that the next connection does not try.
    plain: Arc<AtomicBool>,
    /// What is known of the code in the database.
    pub(super) knowledge: Arc<Knowledge>,
}

/// One host.
#[derive(Clone)]
pub(super) struct Endpoint {
    /// Has no host and no options.
    pub(super) config: Config,
    host: PostgresHost,
    /// Who is asked for the password, where `config` has none.
    password_source: Option<PasswordSource>,
    pub(super) server: Server,
    /// What comes before the first message.
    pub(super) security: Security,
    /// The options of the user for the session.
    pub(super) options: Option<String>,
    /// `host:port/database as user`.
    pub(super) label: String,
    /// What is known of the types of its database.
    pub(super) types: Arc<TypeCache>,
    /// The way by its Unix socket; `None` where it must not be looked for.
    pub(super) shortcut: Option<Arc<Shortcut>>,
}

impl Target {
    /// The server of these settings.
    pub(super) fn new(settings: &PostgresSettings) -> Self {
        Self {
            endpoints: settings.hosts.iter().map(|host| Endpoint::new(settings, host)).collect(),
            role: settings.target_session_attrs,
            limit: settings.statement_timeout,
            pooled: !settings.prepared_statements,
            direct: settings.direct,
            description: settings.to_string(),
            plain: Arc::default(),
            knowledge: Arc::default(),
        }
    }

    /// One of its hosts, whatever role it has, for statements without a limit.
    pub(super) fn only(&self, host: usize) -> Self {
        let endpoints = self.endpoints.get(host).cloned().into_iter().collect();
        Self { endpoints, role: TargetSessionAttrs::Any, limit: None, ..self.clone() }
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

impl Endpoint {
    fn new(settings: &PostgresSettings, host: &PostgresHost) -> Self {
        let mut config = Config::new();
        config
            .user(&settings.user)
            .dbname(&settings.database)
            .application_name(&settings.application_name)
            .channel_binding(binding(settings.tls.channel_binding));
        let password_source = settings.password_source.clone();
        if let Some(password) = settings.password_for(host)
            && password_source.is_none()
        {
            config.password(password.expose());
        }
        // Behind a pooler the next transaction may be on another server.
        let may_look = settings.prepared_statements && settings.may_use_socket_of(host);
        Self {
            server: Server::new(host, watch(&mut config, settings)),
            config,
            host: host.clone(),
            password_source,
            security: Security::new(settings, host),
            options: settings.options.clone(),
            label: format!("{host}/{} as {}", settings.database, settings.user),
            types: Arc::default(),
            shortcut: may_look.then(Arc::default),
        }
    }

    /// The password of a new connection, if there is somebody to be asked for it.
    ///
    /// # Errors
    /// What that one says.
    pub(super) fn asked_password(&self) -> Result<Option<Secret>> {
        let Some(source) = &self.password_source else { return Ok(None) };
        let request = PasswordRequest {
            host: &self.host,
            user: self.config.get_user().unwrap_or_default(),
            database: self.config.get_dbname().unwrap_or_default(),
        };
        source.ask(&request).map(Some)
    }
}

fn binding(binding: url::ChannelBinding) -> ChannelBinding {
    match binding {
        url::ChannelBinding::Disable => ChannelBinding::Disable,
        url::ChannelBinding::Prefer => ChannelBinding::Prefer,
        url::ChannelBinding::Require => ChannelBinding::Require,
    }
}

/// Has the system notice a peer that is gone, on a socket of ours or on the driver's.
fn watch(config: &mut Config, settings: &PostgresSettings) -> Watch {
    let idle = settings.keepalives_idle.unwrap_or(KEEPALIVE_IDLE);
    let interval = settings.keepalives_interval.unwrap_or(KEEPALIVE_INTERVAL);
    let count = settings.keepalives_count.unwrap_or(KEEPALIVE_COUNT);
    let unacknowledged = settings.tcp_user_timeout.unwrap_or(TCP_USER_TIMEOUT);
    config
        .keepalives(settings.keepalives)
        .keepalives_idle(idle)
        .keepalives_interval(interval)
        .keepalives_retries(count)
        .tcp_user_timeout(unacknowledged);
    let asked = TcpKeepalive::new().with_time(idle).with_interval(interval).with_retries(count);
    Watch { keepalive: settings.keepalives.then_some(asked), unacknowledged }
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
