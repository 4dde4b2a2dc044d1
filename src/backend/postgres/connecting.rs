//! Opening a connection before a deadline, on a thread that can be abandoned.
//!
//! The driver bounds only the TCP handshake. Name resolution, authentication and set-up can take
//! for ever, so each attempt runs on a thread of its own: at the deadline the caller goes on
//! without it, and its connection is cut, which ends it. Where it cannot be cut (the resolution of
//! a name, a Unix socket without a tap) an abandoned thread ends when its server says anything or its socket dies,
//! and closes what it then has. There are at most [`MAX_ATTEMPTS`] of them; more are refused.

use super::connection::PostgresConnection;
use super::errors::{self, code};
use super::runtime;
use super::settings::{Endpoint, Target};
use crate::backend::postgres::deadline::blockers::Blockers;
use crate::backend::postgres::deadline::interrupt::Interrupter;
use crate::backend::postgres::session::notices::Notices;
use crate::backend::postgres::session::opened::Setup;
use crate::backend::postgres::session::setup::{self, Purpose};
use crate::backend::postgres::statement::cache::Statements;
use crate::backend::postgres::statement::resolver::Resolver;
use crate::backend::postgres::wire::connector::Connector;
use crate::backend::postgres::wire::server::Place;
use crate::backend::postgres::wire::state::Wire;
use crate::backend::postgres::wire::tap::ReadablePassword;
use crate::backend::postgres::wire::tls;
use crate::error::{Error, ErrorKind, Result};
use crate::sqlstate::Class;
use crate::url::TargetSessionAttrs;
use postgres::{Client, Config};
use r2d2_postgres::PostgresConnectionManager;
use r2d2_postgres::r2d2::ManageConnection;
use std::error::Error as StdError;
use std::fs::File;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::{Duration, Instant};

const MAX_ATTEMPTS: usize = 64;

/// What a connection and its runtime need besides its socket, with some to spare.
const DESCRIPTORS: usize = 8;

static ATTEMPTS: AtomicUsize = AtomicUsize::new(0);

/// Opens a connection for work.
pub(super) fn connect(target: &Target, deadline: Instant) -> Result<PostgresConnection> {
    open(target, Purpose::Work, deadline, Ok)
}

/// Opens a connection to the first host that can be used, and lets `then` do the rest of the work
/// before the deadline, on the same thread.
pub(super) fn open<T: Send + 'static>(
    target: &Target,
    purpose: Purpose,
    deadline: Instant,
    then: impl Fn(PostgresConnection) -> Result<T> + Clone + Send + 'static,
) -> Result<T> {
    runtime::refuse()?;
    if target.role == TargetSessionAttrs::PreferStandby {
        let half = Instant::now() + remaining(deadline) / 2;
        if let Ok(opened) =
            try_hosts(target, TargetSessionAttrs::Standby, purpose, half, then.clone())
        {
            return Ok(opened);
        }
        return try_hosts(target, TargetSessionAttrs::Any, purpose, deadline, then);
    }
    try_hosts(target, target.role, purpose, deadline, then)
}

fn try_hosts<T: Send + 'static>(
    target: &Target,
    role: TargetSessionAttrs,
    purpose: Purpose,
    deadline: Instant,
    then: impl Fn(PostgresConnection) -> Result<T> + Clone + Send + 'static,
) -> Result<T> {
    let mut last = None;
    for (index, endpoint) in target.endpoints.iter().enumerate() {
        // Each host gets an equal part of what is left: a silent one must not take it all.
        let part = remaining(deadline) / (target.endpoints.len() - index) as u32;
        let wire = Arc::new(Wire::default());
        let host =
            Host { target: target.clone(), index, role, purpose, part, wire: Arc::clone(&wire) };
        let then = then.clone();
        let opened = attempt(Instant::now() + part, &wire, move || host.open().and_then(then));
        if opened.is_err() {
            endpoint.types.retire_current();
        }
        match opened.map_err(|error| at_host(endpoint, &error)) {
            Err(error) if error.class() != Class::Permanent => last = Some(error),
            decided => return decided,
        }
    }
    Err(last.unwrap_or_else(|| Error::new(ErrorKind::Url, "the URL names no host")))
}

fn remaining(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

/// Runs `work` on a thread of its own and waits for it until the deadline; then `wire` is cut.
fn attempt<T: Send + 'static>(
    deadline: Instant,
    wire: &Wire,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let slot = Slot::take()?;
    let (sender, receiver) = sync_channel(1);
    let run = move || {
        let _slot = slot;
        let outcome = catch_unwind(AssertUnwindSafe(work));
        // Nobody listens any more after the deadline; what was opened is closed by its drop.
        let _ = sender.send(outcome.unwrap_or_else(|_| Err(out_of_descriptors())));
    };
    thread::Builder::new().name("rowmill-connect".into()).spawn(run).map_err(|error| {
        Error::new(ErrorKind::Connect, "no thread could be started to connect").with_source(error)
    })?;
    receiver.recv_timeout(remaining(deadline)).unwrap_or_else(|_| {
        wire.sever();
        Err(Error::new(ErrorKind::Connect, "no answer in time").with_sqlstate(code("08001")))
    })
}

/// The right to run an attempt.
struct Slot;

impl Slot {
    fn take() -> Result<Self> {
        if ATTEMPTS.fetch_add(1, Ordering::AcqRel) < MAX_ATTEMPTS {
            return Ok(Self);
        }
        ATTEMPTS.fetch_sub(1, Ordering::AcqRel);
        let message = format!("{MAX_ATTEMPTS} attempts to connect are still without an answer");
        Err(Error::new(ErrorKind::Connect, message).with_sqlstate(code("08001")))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        ATTEMPTS.fetch_sub(1, Ordering::AcqRel);
    }
}

/// One host of a target, to be tried once.
struct Host {
    target: Target,
    index: usize,
    role: TargetSessionAttrs,
    purpose: Purpose,
    part: Duration,
    wire: Arc<Wire>,
}

impl Host {
    fn open(&self) -> Result<PostgresConnection> {
        check_descriptors()?;
        let notices = Arc::new(Notices::default());
        let (config, places) = self.config(&notices)?;
        let (client, restore, connector) = self.secure(&config, &places)?;
        let wire = Arc::clone(&self.wire);
        let interrupter = Interrupter::new(Arc::clone(&wire), client.cancel_token(), &connector);
        let limit = if self.purpose == Purpose::Work { self.target.limit } else { None };
        let blockers = Blockers::new(&self.target, self.index, Arc::clone(&wire));
        let setup = Setup {
            role: self.role,
            standby: wire.is_standby(),
            limit,
            pooled: self.target.pooled,
            direct: self.target.direct,
            restore,
            knowledge: Arc::clone(&self.target.knowledge),
            blockers: blockers.map(Arc::new),
        };
        let types = Resolver::new(Arc::clone(&wire), Arc::clone(&self.endpoint().types));
        let statements = Statements::new(!setup.pooled, types);
        let mut connection =
            PostgresConnection::new(client, statements, notices, wire, interrupter, setup);
        connection.check_role(self.role)?;
        Ok(connection)
    }

    /// The driver's settings, and the places to be tried; none where it opens its own sockets.
    fn config(&self, notices: &Arc<Notices>) -> Result<(Config, Vec<Place>)> {
        let mut config = self.endpoint().config.clone();
        let server = &self.endpoint().server;
        let places = if server.claim(&mut config) { server.places()? } else { Vec::new() };
        config.connect_timeout(self.patience());
        let heard = Arc::clone(notices);
        config.notice_callback(move |notice| heard.hear(notice.code().code()));
        if self.purpose == Purpose::Lock {
            config.application_name("rowmill lock");
        }
        Ok((config, places))
    }

    /// Half, so that a second address of the name has its turn.
    fn patience(&self) -> Duration {
        self.part / 2
    }

    /// Connects through TLS or without it, as the mode of the host has it. A mode that can do
    /// without tries again without what the server refused with it.
    fn secure(
        &self,
        config: &Config,
        places: &[Place],
    ) -> Result<(Client, Option<String>, Connector)> {
        let security = &self.endpoint().security;
        let connector =
            |handshake| Connector::new(Arc::clone(&self.wire), handshake, self.patience());
        let mut dialled = Dialled { places, connector: connector(security.prepare()?) };
        let mut opened = self.negotiate(config.clone(), &mut dialled);
        if let Err(error) = &opened
            && security.may_do_without(error)
        {
            dialled.connector = connector(None);
            // If that does not help either, the first error says more.
            opened = self.negotiate(config.clone(), &mut dialled).or(opened);
        }
        opened.map(|(client, restore)| (client, restore, dialled.connector))
    }

    /// Connects with the settings of the session as options, or without if the server refuses
    /// any; then there are statements that set them.
    fn negotiate(&self, config: Config, to: &mut Dialled<'_>) -> Result<(Client, Option<String>)> {
        if self.target.pooled {
            return self.open_pooled(config, to);
        }
        if self.target.is_plain() {
            return self.open_plain(config, to);
        }
        let mut with_options = config.clone();
        with_options.options(&setup::options(self.purpose, self.options(), self.target.limit));
        match to.dial(&with_options) {
            Err(error) if setup::refuses_options(&error) => {
                let opened = self.open_plain(config, to)?;
                self.target.set_plain();
                Ok(opened)
            }
            opened => opened.map(|client| (client, None)).map_err(|error| refused(&error)),
        }
    }

    /// With the options of the user alone; ours are set by statement.
    fn open_plain(
        &self,
        mut config: Config,
        to: &mut Dialled<'_>,
    ) -> Result<(Client, Option<String>)> {
        if let Some(options) = self.options() {
            config.options(options);
        }
        let mut client = to.dial(&config).map_err(|error| refused(&error))?;
        let restore = setup::set(&mut client, self.purpose, self.options(), self.target.limit)
            .map_err(errors::statement)?;
        Ok((client, Some(restore)))
    }

    /// With the options of the user alone; ours are set in each transaction.
    fn open_pooled(
        &self,
        mut config: Config,
        to: &mut Dialled<'_>,
    ) -> Result<(Client, Option<String>)> {
        if let Some(options) = self.options() {
            config.options(options);
        }
        let opened = to.dial(&config);
        opened.map(|client| (client, None)).map_err(|error| refused(&error))
    }

    fn endpoint(&self) -> &Endpoint {
        &self.target.endpoints[self.index]
    }

    fn options(&self) -> Option<&str> {
        self.endpoint().options.as_deref()
    }
}

/// The addresses of a host, and what connects to one of them; in the end, to the one that answered.
struct Dialled<'a> {
    places: &'a [Place],
    connector: Connector,
}

impl Dialled<'_> {
    /// Connects to the first of the addresses where that is possible; gives the error of the last.
    fn dial(&mut self, config: &Config) -> Result<Client, postgres::Error> {
        let Some((last, others)) = self.places.split_last() else { return self.connect(config) };
        for place in others {
            self.connector.aim(place);
            if let Ok(client) = self.connect(config) {
                return Ok(client);
            }
        }
        self.connector.aim(last);
        self.connect(config)
    }

    fn connect(&self, config: &Config) -> Result<Client, postgres::Error> {
        PostgresConnectionManager::new(config.clone(), self.connector.clone()).connect()
    }
}

/// The driver panics when it cannot open the descriptors of its runtime, so they are tried first.
fn check_descriptors() -> Result<()> {
    let opened: io::Result<Vec<File>> = (0..DESCRIPTORS).map(|_| File::open("/dev/null")).collect();
    match opened {
        // Anything else means that there is no such file here, which proves nothing.
        Err(error) if matches!(error.raw_os_error(), Some(23 | 24)) => Err(out_of_descriptors()),
        _ => Ok(()),
    }
}

fn out_of_descriptors() -> Error {
    Error::new(ErrorKind::Connect, "no file descriptor is left for a connection")
        .with_hint("raise the limit (ulimit -n) or lower the size of the pool")
}

/// What the driver says of an attempt that failed.
fn refused(error: &postgres::Error) -> Error {
    if let Some(server) = error.as_db_error() {
        let refusal = errors::of_server(&server.into(), ErrorKind::Connect);
        return match server.code().code() {
            "28P01" => refusal.with_hint("correct it in the URL, PGPASSWORD or ~/.pgpass"),
            "3D000" => refusal.with_hint("create it, or correct the URL"),
            _ => refusal,
        };
    }
    if let Some(refusal) = error.source().and_then(ours) {
        return refusal;
    }
    let what = error.to_string();
    let reason = error.source().map_or_else(|| what.clone(), ToString::to_string);
    let refusal =
        |reason: &str, state| Error::new(ErrorKind::Connect, reason).with_sqlstate(code(state));
    match what.as_str() {
        "invalid configuration" if reason.contains("password") => {
            refusal("the server asks for a password, and none was given", "28P01")
                .with_hint("put it into PGPASSWORD or ~/.pgpass")
        }
        "invalid configuration" | "authentication error" => refusal(&reason, "28000"),
        _ if is_readable_password(error) => refusal(&reason, "28000")
            .with_hint("have the server ask for it by scram-sha-256 (pg_hba.conf), or use TLS"),
        _ if is_refused(error) => {
            refusal(&reason, "08001").with_hint("start the server, or correct the URL")
        }
        _ => refusal(&reason, "08001"),
    }
}

/// What the connector said, which comes back from inside the driver, or what TLS said later.
fn ours(cause: &(dyn StdError + 'static)) -> Option<Error> {
    match cause.downcast_ref::<Error>() {
        Some(error) => Some(copy(error, error.message().to_owned())),
        None => tls::refusal(cause),
    }
}

/// Whether the password would have gone out readable.
fn is_readable_password(error: &postgres::Error) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<io::Error>());
    cause
        .and_then(io::Error::get_ref)
        .is_some_and(<dyn StdError + Send + Sync>::is::<ReadablePassword>)
}

/// Whether there is a machine and nobody listens.
fn is_refused(error: &postgres::Error) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<io::Error>());
    cause.is_some_and(|cause| {
        matches!(cause.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound)
    })
}

/// The same error, with the host in its message.
fn at_host(endpoint: &Endpoint, error: &Error) -> Error {
    copy(error, format!("cannot connect to {}: {}", endpoint.label, error.message()))
}

/// The same error with another message.
fn copy(error: &Error, message: String) -> Error {
    let mut copy = Error::new(ErrorKind::Connect, message);
    if let Some(state) = error.sqlstate() {
        copy = copy.with_sqlstate(state);
    }
    match error.hint() {
        Some(hint) => copy.with_hint(hint),
        None => copy,
    }
}
