//! How many connections the server has room for.

use crate::backend::postgres::connection::PostgresConnection;
use crate::backend::postgres::errors;
use crate::backend::server_limit::ServerLimit;
use crate::error::Result;

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
