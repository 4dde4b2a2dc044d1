//! What stands here in a build without the feature `tls`.

use crate::backend::postgres::errors::code;
use crate::backend::postgres::link::Link;
use crate::error::{Error, ErrorKind, Result};
use crate::url::{PostgresHost, PostgresSettings, SslMode};
use postgres::Socket;
use std::error::Error as StdError;

/// What holds for one host.
#[derive(Clone, Debug)]
pub(in crate::backend::postgres) struct Security {
    mode: SslMode,
}

impl Security {
    pub(in crate::backend::postgres) fn new(
        settings: &PostgresSettings,
        host: &PostgresHost,
    ) -> Self {
        Self { mode: settings.sslmode_for(host) }
    }

    /// No handshake; an error where TLS is demanded.
    pub(in crate::backend::postgres) fn prepare(&self) -> Result<Option<Handshake>> {
        if self.mode.demands_tls() {
            return Err(Error::new(ErrorKind::Connect, "TLS is not in this build")
                .with_sqlstate(code("0A000"))
                .with_hint("build with the feature \"tls\""));
        }
        Ok(None)
    }

    /// Never: there was no TLS to do without.
    #[expect(clippy::unused_self, reason = "its twin in a build with TLS asks the mode")]
    pub(in crate::backend::postgres) fn may_do_without(&self, _: &Error) -> bool {
        false
    }
}

/// There is none.
#[derive(Clone, Debug)]
pub(in crate::backend::postgres) enum Handshake {}

impl Handshake {
    #[expect(clippy::unused_async, reason = "its twin in a build with TLS waits for the server")]
    pub(in crate::backend::postgres) async fn begin(self, _: Socket) -> Result<Link> {
        match self {}
    }
}

/// None of the errors that lie below is one of TLS.
pub(in crate::backend::postgres) fn refusal(_: &(dyn StdError + 'static)) -> Option<Error> {
    None
}
