//! Statements that the server no longer has, or that are no longer what they were.

use crate::backend::postgres::connection::PostgresConnection;
use crate::backend::postgres::direct::line::Line;
use crate::error::Error;
use crate::sqlstate::SqlState;

/// What a statement that was prepared earlier fails with in a transaction; it is prepared anew when
/// the transaction is run again.
pub(crate) fn passing(error: Error) -> Error {
    error.passing().with_hint(
        "the statement was prepared before a table or a type changed: run the transaction again",
    )
}

impl PostgresConnection {
    /// Forgets a statement that the server no longer has, or whose result or types are no longer
    /// what they were (a type that was dropped is an internal error to it); says whether it was
    /// kept, so that preparing it again can help.
    pub(crate) fn forget_if_stale(&mut self, sql: &str, error: &Error) -> bool {
        let state = error.sqlstate();
        let state = state.as_ref().map_or("", SqlState::code);
        if matches!(state, "0A000" | "42704" | "XX000") {
            self.statements.resolver.retire();
        }
        let is_stale = matches!(state, "0A000" | "26000" | "XX000");
        let mut was_kept = is_stale && self.statements.forget(sql);
        if is_stale {
            // Nobody knows which of them was meant.
            let went_ahead = self.line.as_mut().map(Line::take_prepared_ahead);
            for sql in went_ahead.into_iter().flatten() {
                was_kept |= self.statements.forget(&sql);
            }
        }
        if state == "26000" && !was_kept {
            // The driver has statements of its own, for the types it does not know; there is no
            // way to have it prepare those again.
            self.broken = true;
        }
        was_kept
    }
}
