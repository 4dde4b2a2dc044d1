//! One host, to be tried once.

use super::attempt::Wires;
use super::identity::Identity;
use super::refusal::{self, refused};
use super::remaining;
use super::shortcut::{Found, Search, Then, Way};
use crate::backend::postgres::connection::PostgresConnection;
use crate::backend::postgres::deadline::blockers::Blockers;
use crate::backend::postgres::deadline::interrupt::Interrupter;
use crate::backend::postgres::deadline::watchdog::{self, Rung};
use crate::backend::postgres::errors;
use crate::backend::postgres::session::notices::Notices;
use crate::backend::postgres::session::opened::Setup;
use crate::backend::postgres::session::setup::{self, Purpose};
use crate::backend::postgres::settings::{Endpoint, Target};
use crate::backend::postgres::statement::cache::Statements;
use crate::backend::postgres::statement::resolver::Resolver;
use crate::backend::postgres::wire::connector::Connector;
use crate::backend::postgres::wire::server::Place;
use crate::backend::postgres::wire::socket_table::{self, Ends};
use crate::backend::postgres::wire::state::Wire;
use crate::error::{Error, ErrorKind, Result};
use crate::sqlstate::Class;
use crate::url::TargetSessionAttrs;
use postgres::{Client, Config};
use r2d2_postgres::PostgresConnectionManager;
use r2d2_postgres::r2d2::ManageConnection;
use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What a connection and its runtime need besides its socket, with some to spare.
const DESCRIPTORS: usize = 8;

/// One host of a target, to be tried once.
pub(super) struct Host {
    pub(super) target: Target,
    pub(super) index: usize,
    pub(super) role: TargetSessionAttrs,
    pub(super) purpose: Purpose,
    /// How long it may take.
    pub(super) part: Duration,
    /// When that is over.
    pub(super) deadline: Instant,
    pub(super) wires: Arc<Wires>,
}

/// A session that was opened.
struct Opened {
    client: Client,
    /// What has to be set again after `RESET ALL`.
    restore: Option<String>,
    connector: Connector,
    wire: Arc<Wire>,
    notices: Arc<Notices>,
}

impl Opened {
    /// Closes it, and waits until the server has: nobody counts one session more than there are.
    fn close(self, patience: Instant) {
        let port = self.wire.port();
        drop(self.client);
        if let Some(port) = port {
            port.wait_for_end(patience);
        }
    }
}

impl Host {
    pub(super) fn open(mut self) -> Result<PostgresConnection> {
        check_descriptors()?;
        self.ask_for_password()?;
        let Opened { client, restore, connector, wire, notices } = self.open_nearest()?;
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

    fn ask_for_password(&mut self) -> Result<()> {
        let asked = self.endpoint().asked_password()?;
        if let Some((password, endpoint)) = asked.zip(self.target.endpoints.get_mut(self.index)) {
            endpoint.config.password(password.expose());
        }
        Ok(())
    }

    /// Goes to the socket of a server on this machine where there is one; wherever that fails, the
    /// port that the user named is still there.
    fn open_nearest(&self) -> Result<Opened> {
        let Some(shortcut) = &self.endpoint().shortcut else { return self.open_port() };
        // What was known may have ended; what is found anew is believed once.
        for _ in 0..2 {
            let found = match shortcut.way(Instant::now() + remaining(self.deadline) / 4) {
                Way::Port => break,
                Way::Search(search) => return self.search(search),
                Way::Socket(found) => found,
            };
            match self.open_socket(&found) {
                Ok(opened) => return Ok(opened),
                Err(error) => match shortcut.failed(&found, &error, &self.endpoint().label) {
                    Then::Fail => return Err(error),
                    Then::Port => {}
                },
            }
        }
        self.open_port()
    }

    /// Goes to the port, and moves to the socket if its server has one.
    fn search(&self, search: Search<'_>) -> Result<Opened> {
        let mut opened = self.open_port()?;
        let label = &self.endpoint().label;
        match self.find(&mut opened) {
            Some((found, nearer)) => {
                opened.close(Instant::now() + remaining(self.deadline) / 4);
                search.found(found, label);
                Ok(nearer)
            }
            None => {
                search.in_vain(label);
                Ok(opened)
            }
        }
    }

    /// The socket of the server at the other end, and a session over it.
    fn find(&self, opened: &mut Opened) -> Option<(Found, Opened)> {
        let ends = opened.wire.port()?.ends().filter(Ends::are_here)?;
        let sockets = socket_table::sockets_of(ends.theirs.port());
        if sockets.is_empty() {
            return None;
        }
        let server = Identity::ask(&mut opened.client).filter(|server| server.is_at(&ends))?;
        let owner = socket_table::owner_of(&ends);
        for socket in sockets {
            let place = Place::Found(socket.into(), owner);
            let found = Found { place, server: server.clone() };
            match self.open_socket(&found) {
                Ok(nearer) => return Some((found, nearer)),
                // Who does not even listen to us is not the one.
                Err(error) if error.class() == Class::Disconnect => {}
                Err(_) => break,
            }
        }
        None
    }

    /// A session over a socket that was found; an error if another server is there.
    fn open_socket(&self, found: &Found) -> Result<Opened> {
        // One more may be open meanwhile.
        check_descriptors()?;
        let notices = Arc::default();
        let (config, is_ours) = self.config(&notices);
        if !is_ours {
            return Err(astray("the driver opens its own sockets"));
        }
        let wire = self.wires.add();
        // ORDER: the port must have its turn before the deadline.
        let alarm = watchdog::sever_at(Instant::now() + remaining(self.deadline) / 2, &wire);
        let connector = Connector::new(Arc::clone(&wire), None, self.patience());
        let mut dialled = Dialled { places: std::slice::from_ref(&found.place), connector };
        let (mut client, restore) = self.negotiate(config, &mut dialled)?;
        let server = Identity::ask(&mut client);
        if server.is_none_or(|server| !server.is_same_server(&found.server))
            || alarm.stop() == Rung::Severed
        {
            return Err(astray("this is not the server"));
        }
        Ok(Opened { client, restore, connector: dialled.connector, wire, notices })
    }

    /// A session as the user named it.
    fn open_port(&self) -> Result<Opened> {
        let notices = Arc::default();
        let (config, is_ours) = self.config(&notices);
        let places = if is_ours { self.endpoint().server.places()? } else { Vec::new() };
        let wire = self.wires.add();
        let (client, restore, connector) = self.secure(&config, &places, &wire)?;
        Ok(Opened { client, restore, connector, wire, notices })
    }

    /// The driver's settings, and whether it leaves its sockets to us.
    fn config(&self, notices: &Arc<Notices>) -> (Config, bool) {
        let mut config = self.endpoint().config.clone();
        let is_ours = self.endpoint().server.claim(&mut config);
        config.connect_timeout(self.patience());
        let heard = Arc::clone(notices);
        config.notice_callback(move |notice| heard.hear(notice.code().code()));
        if self.purpose == Purpose::Lock {
            config.application_name("rowmill lock");
        }
        (config, is_ours)
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
        wire: &Arc<Wire>,
    ) -> Result<(Client, Option<String>, Connector)> {
        let security = &self.endpoint().security;
        let connector = |handshake| Connector::new(Arc::clone(wire), handshake, self.patience());
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
    fn open_plain(&self, config: Config, to: &mut Dialled<'_>) -> Result<(Client, Option<String>)> {
        let mut client = self.dial_plain(config, to)?;
        let restore = setup::set(&mut client, self.purpose, self.options(), self.target.limit)
            .map_err(errors::statement)?;
        Ok((client, Some(restore)))
    }

    /// With the options of the user alone; ours are set in each transaction.
    fn open_pooled(
        &self,
        config: Config,
        to: &mut Dialled<'_>,
    ) -> Result<(Client, Option<String>)> {
        Ok((self.dial_plain(config, to)?, None))
    }

    fn dial_plain(&self, mut config: Config, to: &mut Dialled<'_>) -> Result<Client> {
        if let Some(options) = self.options() {
            config.options(options);
        }
        to.dial(&config).map_err(|error| refused(&error))
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

/// There is no way to the server by a socket.
fn astray(what: &str) -> Error {
    Error::new(ErrorKind::Connect, what).with_sqlstate(errors::code("08001"))
}

/// The driver panics when it cannot open the descriptors of its runtime, so they are tried first.
fn check_descriptors() -> Result<()> {
    let opened: io::Result<Vec<File>> = (0..DESCRIPTORS).map(|_| File::open("/dev/null")).collect();
    match opened {
        // Anything else means that there is no such file here, which proves nothing.
        Err(error) if matches!(error.raw_os_error(), Some(23 | 24)) => {
            Err(refusal::out_of_descriptors())
        }
        _ => Ok(()),
    }
}
