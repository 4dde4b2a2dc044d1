//! How a session is when it was just opened.

use super::code::knowledge::Knowledge;
use crate::backend::postgres::deadline::blockers::Blockers;
use crate::url::TargetSessionAttrs;
use std::sync::Arc;
use std::time::Duration;

/// How a session is when it was just opened.
#[derive(Debug)]
pub(crate) struct Setup {
    /// What the server must be.
    pub(crate) role: TargetSessionAttrs,
    /// Whether it said that it is a standby.
    pub(crate) standby: Option<bool>,
    /// How long a statement may take.
    pub(crate) limit: Option<Duration>,
    /// Whether each transaction may be on another session.
    pub(crate) pooled: bool,
    /// Whether statements may go without the driver.
    pub(crate) direct: bool,
    /// What has to be set again after `RESET ALL`.
    pub(crate) restore: Option<String>,
    /// What is known of the code in the database.
    pub(crate) knowledge: Arc<Knowledge>,
    /// Who knows for whom a statement waits.
    pub(crate) blockers: Option<Arc<Blockers>>,
}
