//! Numbers that start behind the largest one.

use crate::backend::Connection;
use crate::error::Result;
use crate::mapping::column_type::ColumnType;
use crate::mapping::table_shape::TableShape;

/// Moves the sequences behind the columns of a table past the largest number there is.
pub(super) fn sync(connection: &mut dyn Connection, shape: &TableShape) -> Result<()> {
    let dialect = connection.capabilities().dialect;
    let is_number = |column_type: &ColumnType| {
        matches!(column_type, ColumnType::Int2 | ColumnType::Int4 | ColumnType::Int8)
    };
    let numbers = shape.columns.iter().filter(|column| is_number(&column.column_type));
    let queries: Vec<_> = numbers
        .filter_map(|column| Some((column, dialect.sync_sequence(&shape.table, &column.name)?)))
        .collect();
    if let Some(sql) = dialect.lock_writers(&shape.table).filter(|_| !queries.is_empty()) {
        connection.run(&sql)?;
    }
    for (column, sql) in queries {
        let params = [shape.table.to_string().into(), column.name.as_str().into()];
        connection.query(&sql, &params, &mut |_| Ok(()))?;
    }
    Ok(())
}
