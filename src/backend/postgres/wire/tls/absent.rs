//! What stands here in a build without the feature `tls`.

use super::super::link::{Carrier, Link};
use super::super::socket::Stream;
use crate::backend::postgres::errors::code;
use crate::error::{Error, ErrorKind, Result};
use crate::url::{PostgresHost, PostgresSettings, SslMode};
use std::error::Error as StdError;
use std::io::{self, IoSlice};
use std::sync::Arc;

/// What holds for one host.
#[derive(Clone, Debug)]
pub(crate) struct Security {
    mode: SslMode,
}

impl Security {
    pub(crate) fn new(settings: &PostgresSettings, host: &PostgresHost) -> Self {
        Self { mode: settings.sslmode_for(host) }
    }

    /// No handshake; an error where TLS is demanded.
    pub(crate) fn prepare(&self) -> Result<Option<Handshake>> {
        if self.mode.demands_tls() {
            return Err(Error::new(ErrorKind::Connect, "TLS is not in this build")
                .with_sqlstate(code("0A000"))
                .with_hint("build with the feature \"tls\""));
        }
        Ok(None)
    }

    /// Never: there was no TLS to do without.
    #[expect(clippy::unused_self, reason = "its twin in a build with TLS asks the mode")]
    pub(crate) fn may_do_without(&self, _: &Error) -> bool {
        false
    }
}

/// There is none.
#[derive(Clone, Debug)]
pub(crate) enum Handshake {}

impl Handshake {
    #[expect(clippy::unused_async, reason = "its twin in a build with TLS waits for the server")]
    pub(crate) async fn begin(self, _: Carrier) -> Result<Link> {
        match self {}
    }
}

/// There is none.
#[derive(Debug)]
pub(crate) enum Session {}

impl Session {
    pub(crate) fn stream(&self) -> &Arc<Stream> {
        match *self {}
    }

    pub(crate) fn has_read(&self) -> bool {
        match *self {}
    }

    pub(crate) fn read(&self, _: &mut [u8]) -> io::Result<usize> {
        match *self {}
    }

    pub(crate) fn write(&self, _: &[IoSlice<'_>]) -> io::Result<usize> {
        match *self {}
    }

    pub(crate) fn flush(&self) -> io::Result<()> {
        match *self {}
    }

    pub(crate) fn close(&self) -> io::Result<()> {
        match *self {}
    }
}

/// None of the errors that lie below is one of TLS.
pub(crate) fn refusal(_: &(dyn StdError + 'static)) -> Option<Error> {
    None
}
