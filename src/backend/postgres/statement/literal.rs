//! Packed values that are sent as a literal.

use super::params::is_label;
use crate::error::Result;
use crate::mapping::column_type::ColumnType;
use crate::mapping::text;
use postgres::types::private::BytesMut;
use postgres::types::{Kind, Type};

/// Whether a value that is no label goes as the literal that the server reads: where the server
/// still has to find out the type, an array where it expects one of other elements, and a document
/// where it expects the other kind of document.
pub(super) fn is_sent(column_type: &ColumnType, server: &Type) -> bool {
    let fits = match column_type {
        ColumnType::Array(_) => matches!(server.kind(), Kind::Array(_)),
        ColumnType::Jsonb => *server == Type::JSON,
        _ => false,
    };
    (fits || *server == Type::UNKNOWN) && !is_label(column_type)
}

/// Writes the literal.
pub(super) fn write(column_type: &ColumnType, bytes: &[u8], out: &mut BytesMut) -> Result<()> {
    let mut shown = String::new();
    text::output(column_type, bytes, &mut shown)?;
    out.extend_from_slice(shown.as_bytes());
    Ok(())
}
