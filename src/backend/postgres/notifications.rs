//! What other sessions say (`NOTIFY`) to one that listens.

use super::connection::PostgresConnection;
use super::guard::guarded;
use super::tags::Tags;
use postgres::fallible_iterator::FallibleIterator;

/// Throws away what came: nobody here asks for it, and the driver would keep it for ever. Never
/// blocks, and costs nothing where nothing was listened to.
pub(super) fn throw_away(connection: &mut PostgresConnection) {
    if connection.broken || !connection.wire.tags().has(Tags::LISTEN) {
        return;
    }
    let Some(client) = &mut connection.client else { return };
    // What goes wrong here goes wrong again where somebody waits for an answer.
    while let Ok(Ok(Some(_))) = guarded(|| client.notifications().iter().next()) {}
}
