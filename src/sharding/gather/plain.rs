//! Rows that are whole on their shard: asked for in order and with a limit, and merged.

use super::cell_key::unordered;
use super::merge::Direction;
use crate::error::Result;
use crate::mapping::column_type::ColumnType;
use crate::query::{Node, Select, Text};
use crate::sql::dialect::Dialect;

/// What each shard is asked: in the same order, as many rows as the whole may need, each with what it
/// is ordered by.
///
/// # Errors
/// `Unsupported` if only a database knows the order.
pub(super) fn on_each(select: &Select) -> Result<Select> {
    let mut each = select.clone();
    for sort in &mut each.order_by {
        match &sort.column_type {
            Some(
                unknown @ (ColumnType::Other(_)
                | ColumnType::Enum(_)
                | ColumnType::Json
                | ColumnType::Jsonb),
            ) => return Err(unordered(unknown)),
            Some(column_type) if is_text(column_type) => {
                sort.node = in_byte_order(sort.node.clone());
            }
            _ => {}
        }
    }
    each.extra = each.order_by.iter().map(|sort| sort.node.clone()).collect();
    each.limit = select.limit.map(|limit| limit.saturating_add(select.offset.unwrap_or(0)));
    each.offset = None;
    Ok(each)
}

/// How each value orders the rows.
pub(super) fn directions(select: &Select) -> Vec<Direction> {
    let direction = |descending: bool, nulls_first: Option<bool>| Direction {
        descending,
        nulls_first: nulls_first.unwrap_or(descending),
    };
    select.order_by.iter().map(|sort| direction(sort.descending, sort.nulls_first)).collect()
}

/// Whether the order of a type depends on a collation.
pub(super) fn is_text(column_type: &ColumnType) -> bool {
    matches!(column_type, ColumnType::Text | ColumnType::Varchar(_) | ColumnType::Char(_))
}

/// Each database may have a collation of its own, and nobody else knows what it does; so texts of
/// several shards are in the order of their bytes.
pub(super) fn in_byte_order(node: Node) -> Node {
    let spelled = |dialect| match dialect {
        Dialect::Sqlite => "({} COLLATE BINARY)",
        Dialect::PostgreSql => "({} COLLATE \"C\")",
    };
    Node::Raw(Text::Of(spelled), vec![node])
}
