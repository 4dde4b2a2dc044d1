//! TLS to a server.
//!
//! - `security`:  what holds for one host, and what is prepared for a connection to it
//! - `handshake`: asking the server for TLS, and the handshake
//! - `session`:   a session, for the driver's runtime and for those who speak without it
//! - `verifier`:  whom to believe that he is the server
//! - `roots`:     the certificates of authorities, and the lists of what they revoked
//! - `identity`:  the certificate of the client and its key
//! - `binding`:   what binds the exchange of a password to the TLS session
//! - `faults`:    what failed, in words
//! - `absent`:    what stands here in a build without the feature `tls`
//!
//! It promises: a connection is never weaker than its mode says. The signature of the handshake is
//! checked in every mode, also where the certificate is not: who shows a certificate has its key,
//! or channel binding would prove nothing. A certificate that is not accepted is an error of the
//! class `Permanent`, so that nobody tries again; no message holds any part of a key.
//!
//! The driver's own negotiation is not used: it knows three modes, and takes any answer but `S`
//! for a no.

#[cfg(feature = "tls")]
mod binding;
#[cfg(feature = "tls")]
mod faults;
#[cfg(feature = "tls")]
mod handshake;
#[cfg(feature = "tls")]
mod identity;
#[cfg(feature = "tls")]
mod roots;
#[cfg(feature = "tls")]
mod security;
#[cfg(feature = "tls")]
mod session;
#[cfg(feature = "tls")]
mod verifier;

#[cfg(not(feature = "tls"))]
mod absent;

#[cfg(not(feature = "tls"))]
pub(crate) use absent::{Handshake, Security, Session, refusal};
#[cfg(feature = "tls")]
pub(crate) use faults::refusal;
#[cfg(feature = "tls")]
pub(crate) use handshake::Handshake;
#[cfg(feature = "tls")]
pub(crate) use security::Security;
#[cfg(feature = "tls")]
pub(crate) use session::Session;
