//! What other sessions say (`NOTIFY`) to one that listens.

use crate::backend::postgres::connection::PostgresConnection;
use crate::backend::postgres::guard::guarded;
use crate::backend::postgres::wire::tags::Tags;
use postgres::fallible_iterator::FallibleIterator;

/// Throws away what came: nobody here asks for it, and the driver would keep it for ever. Never
/// blocks, and costs nothing where nothing was listened to.
pub(crate) fn throw_away(connection: &mut PostgresConnection) {
    if connection.broken || !connection.wire.tags().has(Tags::LISTEN) {
        return;
    }
    let Some(client) = &mut connection.client else { return };
    // What goes wrong here goes wrong again where somebody waits for an answer.
    while let Ok(Ok(Some(_))) = guarded(|| client.notifications().iter().next()) {}
}
