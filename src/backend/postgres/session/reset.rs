//! Making a session what it was when it was opened.
//!
//! As `DISCARD ALL`, but what was prepared through the driver stays: it would not notice. All of
//! it goes to the server in one message, and none where nothing can have been left. What is done as a
//! precaution, because the code in the database might have changed the session, is not reported as
//! something that was left.

use crate::backend::Connection;
use crate::backend::leftovers::Leftovers;
use crate::backend::postgres::ahead;
use crate::backend::postgres::connection::PostgresConnection;
use crate::backend::postgres::deadline::watchdog::{self, Rung};
use crate::backend::postgres::errors;
use crate::backend::postgres::session::code::knowledge;
use crate::backend::postgres::session::left::Left;
use crate::backend::postgres::wire::tags::Tags;
use crate::error::Result;
use crate::ident::Ident;
use postgres::SimpleQueryMessage;
use std::time::Instant;

/// ORDER: the role goes back before the settings, which it may not be allowed to reset.
/// The column of the last query is where the names of statements are found that SQL prepared.
const RESET: &str = "CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ROLE; RESET ALL; \
     UNLISTEN *; SELECT pg_catalog.pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES; \
     SELECT name AS prepared FROM pg_catalog.pg_prepared_statements WHERE from_sql";

/// The tags that must be explained by the text of a statement, or else something is left.
const TELLING: Tags = Tags::SET
    .with(Tags::LISTEN)
    .with(Tags::PREPARE)
    .with(Tags::CURSOR)
    .with(Tags::DISCARD)
    .with(Tags::CODE)
    .with(Tags::REPORTED);

/// Resets; see [`Connection::reset`].
pub(crate) fn reset(connection: &mut PostgresConnection, deadline: Instant) -> Result<Leftovers> {
    ahead::forget(connection);
    settle(connection, deadline)?;
    let leftovers = leftovers(connection);
    let is_on_server = leftovers.transaction && !connection.forget_begin();
    if connection.setup.pooled {
        return reset_pooled(connection, leftovers, deadline);
    }
    let is_clean = !leftovers.session && !is_on_server;
    if is_clean && is_beyond_doubt(connection) {
        forget_traces(connection);
        return Ok(leftovers);
    }
    if !connection.wire.is_tapped() {
        // Nothing could end what comes next; so at least the server answers now.
        connection.ping(deadline)?;
    }
    let alarm = watchdog::sever_at(deadline, &connection.wire);
    let outcome = clean(connection, Leftovers { transaction: is_on_server, ..leftovers });
    let outcome = match alarm.stop() {
        Rung::Severed => Err(errors::disconnect("the connection could not be reset in time")),
        _ => outcome,
    };
    connection.broken |= outcome.is_err();
    outcome.map(|()| leftovers)
}

/// Behind a pooler the session is another one by now, and not ours to reset.
fn reset_pooled(
    connection: &mut PostgresConnection,
    leftovers: Leftovers,
    deadline: Instant,
) -> Result<Leftovers> {
    connection.limit = connection.setup.limit;
    if leftovers.transaction {
        let _alarm = watchdog::sever_at(deadline, &connection.wire);
        connection.rollback()?;
    }
    if leftovers.session {
        connection.broken = true;
        return Err(errors::disconnect("what was left in a session of the pooler cannot be reset")
            .with_hint("behind a pooler in transaction mode, use SET LOCAL and the like"));
    }
    forget_traces(connection);
    Ok(leftovers)
}

/// Makes sure that the server waits for a statement. An error is handed out before the server's
/// final answer was read; that answer may still be on its way.
fn settle(connection: &mut PostgresConnection, deadline: Instant) -> Result<()> {
    if !connection.wire.is_copying() && !connection.is_broken() {
        if connection.wire.is_settled() {
            return Ok(());
        }
        connection.ping(deadline)?;
        if connection.wire.is_settled() {
            return Ok(());
        }
    }
    // A COPY or a result is under way; ending it could take for ever.
    connection.broken = true;
    Err(errors::disconnect("a statement was under way when the connection came back"))
}

/// What is, or may be, left.
fn leftovers(connection: &PostgresConnection) -> Leftovers {
    let tags = connection.wire.tags();
    let explained = connection.left.explained;
    let explained =
        // A pooler says it by itself when the session is another one.
        if explained.has(Tags::SET) || connection.setup.pooled { explained.with(Tags::REPORTED) } else { explained };
    let telling = tags.without(explained).has(TELLING);
    Leftovers {
        transaction: connection.in_transaction(),
        session: connection.left.session || telling,
    }
}

/// Whether no code in the database can have changed the session, as far as is known without asking.
fn is_beyond_doubt(connection: &PostgresConnection) -> bool {
    let left = &connection.left;
    let is_judged = !left.doubt && !left.unjudged && !left.creates;
    !left.ran || (is_judged && connection.setup.knowledge.is_fresh(Instant::now()))
}

fn clean(connection: &mut PostgresConnection, leftovers: Leftovers) -> Result<()> {
    connection.limit = None;
    if connection.left.creates {
        // It is committed by now, or never.
        connection.setup.knowledge.forget();
    }
    let is_dirty = leftovers.session || connection.left.doubt;
    if leftovers.transaction && !is_dirty {
        connection.batch("ROLLBACK")?;
    }
    let is_judged = !connection.left.unjudged && !connection.left.creates;
    if is_dirty || (connection.left.ran && !knowledge::holds(connection, is_judged)?) {
        start_again(connection, leftovers.transaction && is_dirty)?;
    }
    connection.limit = connection.setup.limit;
    connection.in_transaction = false;
    forget_traces(connection);
    Ok(())
}

/// What is known of the session is that nothing was done in it.
fn forget_traces(connection: &mut PostgresConnection) {
    connection.left = Left::default();
    connection.wire.forget(Tags::ALL);
}

/// Takes away all that can be in a session, and first of all its transaction if there is one.
fn start_again(connection: &mut PostgresConnection, is_in_transaction: bool) -> Result<()> {
    let sql = if is_in_transaction { &format!("ROLLBACK; {RESET}") } else { RESET };
    let answer = connection.with_client(|client, _| client.simple_query(sql))?;
    let mut again = deallocate(&answer)?;
    again.push_str(connection.setup.restore.as_deref().unwrap_or_default());
    if !again.is_empty() {
        connection.batch(&again)?;
    }
    Ok(())
}

/// Statements that throw away what SQL prepared.
fn deallocate(answer: &[SimpleQueryMessage]) -> Result<String> {
    let mut sql = String::new();
    for message in answer {
        let SimpleQueryMessage::Row(row) = message else { continue };
        if let Ok(Some(name)) = row.try_get("prepared") {
            sql.extend(["DEALLOCATE ", &Ident::new(name)?.to_string(), "; "]);
        }
    }
    Ok(sql)
}
