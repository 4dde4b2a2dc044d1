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
//! where rows are found by them; `renamed` where the columns of `row` are called as in the target,
//! and that calls one otherwise than the source.

use crate::mapping::column_type::ColumnType;
use crate::mapping::rows::Fields;
use crate::mapping::text;
use crate::source::bounds::{Bounds, Origin};
use crate::source::stateful::Kept;
use serde_json::{Map, Value};

/// Says of a record that its columns are called as the target calls them.
pub(super) const RENAMED: &str = "renamed";

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

/// The fields of a row that is to be shown.
pub(super) struct Shown<'a> {
    pub(super) fields: Fields<'a>,
    pub(super) types: &'a [ColumnType],
    /// The field that is no value of its type, and what it is.
    pub(super) misfit: Option<(usize, &'a str)>,
}

/// The record of a row of `table`, at `position`, whose columns have `names`.
pub(super) fn record(
    table: &str,
    mut position: Map<String, Value>,
    names: &[String],
    row: Shown<'_>,
) -> Vec<u8> {
    let mut values = Map::new();
    for (at, ((name, ty), field)) in names.iter().zip(row.types).zip(row.fields).enumerate() {
        let value = match row.misfit {
            Some((misfit, text)) if misfit == at => text.into(),
            _ => shown(Some(ty), field),
        };
        values.insert(name.clone(), value);
    }
    position.insert("table".to_owned(), table.into());
    position.insert("row".to_owned(), Value::Object(values));
    Value::Object(position).to_string().into_bytes()
}

/// The record of a row that the target refused, from what is left of it.
/// Where nothing was noted of its position, `key` says which of its columns have the key.
pub(super) fn kept(
    table: &str,
    key: &[(String, usize)],
    renames: bool,
    (bounds, index): (&Bounds, u32),
    kept: Option<Kept<'_>>,
) -> Origin {
    let raw = match kept {
        Some(kept) => {
            let noted = kept.position.and_then(|bytes| serde_json::from_slice(bytes).ok());
            let columns = &kept.layout.columns;
            let names: Vec<_> = columns.iter().map(|c| c.name.as_str().to_owned()).collect();
            let types: Vec<_> = columns.iter().map(|c| c.column_type.clone()).collect();
            let mut position: Map<String, Value> =
                noted.unwrap_or_else(|| Positions(key.to_vec()).of(&kept.fields, &types));
            if renames {
                position.insert(RENAMED.to_owned(), true.into());
            }
            let shown = Shown { fields: kept.fields, types: &types, misfit: None };
            record(table, position, &names, shown)
        }
        None => {
            let nothing = Shown { fields: Fields::default(), types: &[], misfit: None };
            record(table, Map::new(), &[], nothing)
        }
    };
    Origin::of_row(bounds.first_row + u64::from(index), raw)
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
