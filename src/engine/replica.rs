//! A server beside the primary, as it is declared.

use crate::error::{Error, ErrorKind, Result};
use crate::url::DatabaseUrl;

/// A server beside the primary, as it is declared to
/// [`EngineBuilder::replica_with`](super::EngineBuilder::replica_with). That it is a replica is
/// asked of it: a URL only says where it is.
#[derive(Clone, Debug)]
pub struct Replica {
    pub(super) url: Result<DatabaseUrl, String>,
    pub(super) weight: f64,
    pub(super) labels: Vec<String>,
}

impl Replica {
    /// The server of this URL. Pool options in it are for its own pool; those that it leaves out are
    /// those of the primary's.
    pub fn new(url: &str) -> Self {
        Self::at(DatabaseUrl::parse(url))
    }

    /// The server of a URL that was read before.
    pub fn at(url: Result<DatabaseUrl>) -> Self {
        // A declaration can be cloned, an error cannot.
        let url = url.map_err(|error| error.to_string());
        Self { url, weight: 1.0, labels: Vec::new() }
    }

    /// Sets its share of the reads, beside those of the others. Default: 1.
    #[must_use]
    pub fn weight(mut self, weight: f64) -> Self {
        self.weight = weight;
        self
    }

    /// Adds a label, by which reads can ask for it ([`Reader::labelled`](super::Reader::labelled)).
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.labels.push(label.into());
        self
    }

    pub(super) fn checked(self) -> Result<(DatabaseUrl, f64, Vec<String>)> {
        let Self { url, weight, labels } = self;
        let url = url.map_err(|message| {
            Error::new(ErrorKind::Url, format!("the URL of a replica: {message}"))
        })?;
        if !(weight.is_finite() && weight > 0.0) {
            return Err(Error::new(ErrorKind::Config, "the weight of a replica must be above 0")
                .with_hint("leave it out for 1"));
        }
        Ok((url, weight, labels))
    }
}
