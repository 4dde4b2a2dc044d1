//! How many connections the server has room for, and how long a statement may take.

use crate::backend::postgres::connection::PostgresConnection;
use crate::backend::postgres::errors;
use crate::backend::postgres::session::setup;
use crate::backend::postgres::wire::tags::Tags;
use crate::backend::server_limit::ServerLimit;
use crate::error::Result;
use std::time::Duration;

/// `reserved_connections` came with version 16. Superusers alone see all of `pg_stat_activity`,
/// but everybody sees that a connection is there.
const LIMIT: &str = "
SELECT pg_catalog.current_setting('max_connections')::int4,
       pg_catalog.current_setting('superuser_reserved_connections')::int4
         + coalesce(pg_catalog.current_setting('reserved_connections', true), '0')::int4,
       (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client backend')::int4,
       (SELECT min(x) FROM (VALUES
         ((SELECT rolconnlimit FROM pg_catalog.pg_roles WHERE rolname = session_user)),
         ((SELECT datconnlimit FROM pg_catalog.pg_database
           WHERE datname = pg_catalog.current_database()))) AS l (x) WHERE x >= 0)::int4";

/// Asks; see [`Connection::server_limit`](crate::backend::Connection::server_limit).
pub(crate) fn server_limit(connection: &mut PostgresConnection) -> Result<ServerLimit> {
    let row = connection.with_client(|client, _| client.query_typed_one(LIMIT, &[]))?;
    let number = |index| {
        let number: Option<i32> = row.try_get(index).map_err(errors::statement)?;
        Ok(number.and_then(|number| u32::try_from(number).ok()))
    };
    Ok(ServerLimit {
        most: number(0)?.unwrap_or(0),
        reserved: number(1)?.unwrap_or(0),
        open: number(2)?.unwrap_or(0),
        own: number(3)?,
    })
}

/// Sets how long a statement may take; see [`Connection::set_statement_timeout`](crate::backend::Connection::set_statement_timeout).
pub(crate) fn set_statement_timeout(
    connection: &mut PostgresConnection,
    limit: Option<Duration>,
) -> Result<()> {
    connection.check_usable()?;
    if connection.setup.pooled {
        // The next transaction tells the server; until then the watchdog alone keeps it.
        connection.limit = limit;
        return Ok(());
    }
    // ORDER: before the server is told, so that one that is silent is not waited for any longer.
    let before = connection.limit;
    connection.limit = limit.or(before);
    if let Err(error) = connection.batch(&setup::limit_sql(limit)) {
        connection.limit = before;
        return Err(error);
    }
    connection.limit = limit;
    connection.left.explained = connection.left.explained.with(Tags::SET);
    connection.left.session |= limit != connection.setup.limit;
    Ok(())
}
