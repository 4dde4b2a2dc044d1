//! Where a row of a table stands, for the reject store.
//!
//! The record of a rejected row is one JSON object, so that it is found again and can be read by
//! any program:
//!
//! ```text
//! {"table": "public.t", "key": {"id": "7"}, "ctid": "(0,7)", "row": {"id": "7", "name": null}}
//! ```
//!
//! Every value is the text that PostgreSQL prints for it, or NULL. `key` and `ctid` stand there
//! where rows are found by them.

use crate::error::Result;
use crate::mapping::column_type::ColumnType;
use crate::mapping::rows::Fields;
use crate::mapping::text;
use crate::source::bounds::{Bounds, Origin};
use crate::source::stateful::Kept;
use serde_json::{Map, Value};

/// The columns of a tuple that tell where it stands, and by which names.
#[derive(Clone, Debug, Default)]
pub(super) struct Positions(pub(super) Vec<(String, usize)>);

/// The name under which the block and the place in it are told.
pub(super) const ADDRESS: &str = "ctid";

impl Positions {
    /// What finds the row of a tuple again.
    pub(super) fn of(&self, fields: &Fields<'_>, types: &[ColumnType]) -> Map<String, Value> {
        let fields: Vec<_> = fields.clone().collect();
        let (mut position, mut key) = (Map::new(), Map::new());
        for (name, at) in &self.0 {
            let value = shown(types.get(*at), fields.get(*at).copied().flatten());
            if name == ADDRESS {
                position.insert(ADDRESS.to_owned(), value);
            } else {
                key.insert(name.clone(), value);
            }
        }
        if !key.is_empty() {
            position.insert("key".to_owned(), Value::Object(key));
        }
        position
    }
}

/// The record of a row of `table`, at `position`, whose columns have `names` and `types`.
pub(super) fn record(
    table: &str,
    mut position: Map<String, Value>,
    names: &[String],
    fields: Fields<'_>,
    types: &[ColumnType],
) -> Vec<u8> {
    let mut row = Map::new();
    for ((name, ty), field) in names.iter().zip(types).zip(fields) {
        row.insert(name.clone(), shown(Some(ty), field));
    }
    position.insert("table".to_owned(), table.into());
    position.insert("row".to_owned(), Value::Object(row));
    Value::Object(position).to_string().into_bytes()
}

/// The record of a row that the target refused, from what is left of it.
/// Where nothing was noted of its position, `key` says which of its columns have the key.
pub(super) fn kept(
    table: &str,
    key: &[(String, usize)],
    bounds: &Bounds,
    index: u32,
    kept: Option<Kept<'_>>,
) -> Result<Origin> {
    let raw = match kept {
        Some(kept) => {
            let noted = kept.position.and_then(|bytes| serde_json::from_slice(bytes).ok());
            let columns = &kept.layout.columns;
            let names: Vec<_> = columns.iter().map(|c| c.name.as_str().to_owned()).collect();
            let types: Vec<_> = columns.iter().map(|c| c.column_type.clone()).collect();
            let position =
                noted.unwrap_or_else(|| Positions(key.to_vec()).of(&kept.fields, &types));
            record(table, position, &names, kept.fields, &types)
        }
        None => record(table, Map::new(), &[], Fields::default(), &[]),
    };
    Ok(Origin::of_row(bounds.first_row + u64::from(index), raw))
}

fn shown(ty: Option<&ColumnType>, field: Option<&[u8]>) -> Value {
    let (Some(ty), Some(bytes)) = (ty, field) else { return Value::Null };
    let mut out = String::new();
    match text::output(ty, bytes, &mut out) {
        Ok(()) => Value::String(out),
        // What cannot be printed is shown as it is.
        Err(_) => Value::String(String::from_utf8_lossy(bytes).into_owned()),
    }
}
