//! Who writes.

use crate::backend::Connection;
use crate::error::Result;
use crate::mapping::cell::Cell;

/// The user of a connection, as a message and a `GRANT` name it.
///
/// # Errors
/// `Database` or `Disconnect`.
pub(crate) fn name_of_user(connection: &mut dyn Connection) -> Result<String> {
    let mut user = "the target's user".to_owned();
    if let Some(sql) = connection.capabilities().dialect.current_user() {
        connection.query(sql, &[], &mut |row| {
            user = String::unpack(row.cell(0)?)?;
            Ok(())
        })?;
    }
    Ok(user)
}
