//! What went wrong, in words that both pools have.

use std::fmt;

/// What went wrong.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The whole text, as a user sees it.
    pub text: String,
    /// The SQLSTATE, where there is one.
    pub state: Option<String>,
    /// Whether it says that the connection is gone.
    pub is_disconnect: bool,
    /// Whether it says that no connection was free in time.
    pub is_timeout: bool,
}

impl Failure {
    /// A failure that is only a text.
    pub fn said(text: impl fmt::Display) -> Self {
        Self { text: text.to_string(), state: None, is_disconnect: false, is_timeout: false }
    }

    /// Whether it has this SQLSTATE.
    pub fn is_state(&self, state: &str) -> bool {
        self.state.as_deref() == Some(state)
    }
}

impl From<rowmill::Error> for Failure {
    fn from(error: rowmill::Error) -> Self {
        Self {
            text: format!("{error} {error:?}"),
            state: error.sqlstate().map(|state| state.to_string()),
            is_disconnect: error.is_disconnect(),
            is_timeout: error.kind() == rowmill::ErrorKind::PoolTimeout,
        }
    }
}

impl From<postgres::Error> for Failure {
    fn from(error: postgres::Error) -> Self {
        Self {
            text: error.to_string(),
            state: error.code().map(|code| code.code().to_owned()),
            // What a user of the driver can ask.
            is_disconnect: error.is_closed(),
            is_timeout: false,
        }
    }
}

impl From<r2d2::Error> for Failure {
    fn from(error: r2d2::Error) -> Self {
        Self { is_timeout: true, ..Self::said(error) }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
