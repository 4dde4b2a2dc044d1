//! How the columns of a source become those of a target.

use super::facts::Facts;
use super::position::{ADDRESS, Positions, Shown, record};
use crate::backend::unloaded::Unloaded;
use crate::error::{Error, ErrorKind, Locate, Result};
use crate::ident::Ident;
use crate::mapping::column_type::ColumnType;
use crate::mapping::nul::NulPolicy;
use crate::mapping::rows::{Fields, RowWriter};
use crate::mapping::text::Input;
use crate::source::feed::Layout;

/// What becomes of the texts of a column, before they are read as its type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Handling {
    pub(super) trim: bool,
    pub(super) nul: NulPolicy,
    pub(super) nulls: Vec<String>,
}

impl Handling {
    fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Writes the value of a text.
    pub(super) fn pack(&self, text: &str, input: &Input, row: &mut RowWriter<'_>) -> Result<()> {
        let text = if self.trim { text.trim() } else { text };
        if self.nulls.iter().any(|null| null == text) {
            row.null();
            return Ok(());
        }
        row.field_with(|out| input.read(&self.nul.apply(text), out))
    }
}

/// How a field is packed.
#[derive(Debug)]
enum Way {
    /// As it came: it is packed as the target wants it.
    AsItIs,
    /// As a text that is read as the target's type.
    Read(Box<Input>, Handling),
}

/// The columns that are read, and how they become a row of a layout.
#[derive(Debug)]
pub(super) struct Selection {
    pub(super) expressions: Vec<String>,
    pub(super) types: Vec<ColumnType>,
    /// The names of the fields.
    pub(super) names: Vec<String>,
    pub(super) positions: Positions,
    ways: Vec<Way>,
    /// Whether every field goes as it came, and there is none beside them.
    whole: bool,
    /// Whether positions are not noted that are not to be told from the row that is kept.
    lacks_positions: bool,
    may_have_null: bool,
}

impl Selection {
    /// For `fields`, each a column of the source with its handling, as the columns of `layout`;
    /// `notes` says whether it is noted where rows stand, also where that costs something.
    pub(super) fn of(
        facts: &Facts,
        fields: &[(Ident, Handling)],
        layout: &Layout,
        has_blocks: bool,
        notes: bool,
    ) -> Result<Self> {
        if layout.columns.len() != fields.len() {
            return Err(Error::new(ErrorKind::Internal, "the layout is not that of the source"));
        }
        let mut selection = Self::empty();
        for ((name, handling), target) in fields.iter().zip(&layout.columns) {
            let column = facts.column(name.as_str())?;
            let (expression, ty, way) =
                way(facts, name, &column.column_type, &target.column_type, handling);
            selection.expressions.push(expression);
            selection.types.push(ty);
            selection.names.push(name.as_str().to_owned());
            selection.ways.push(way);
            selection.may_have_null |= column.nullable && !target.nullable;
        }
        selection.add_positions(facts, has_blocks, notes);
        Ok(selection)
    }

    /// For the columns of an entity, in their order: as the database has them.
    pub(super) fn of_entity(
        facts: &Facts,
        columns: &[(Ident, ColumnType)],
        has_blocks: bool,
    ) -> Result<Self> {
        let mut selection = Self::empty();
        let typed = facts.capabilities.transaction_modes;
        for (name, own) in columns {
            let found = &facts.column(name.as_str())?.column_type;
            let (expression, ty) = match typed {
                true if found.travels_as_text() => {
                    (format!("CAST(t.{name} AS text)"), ColumnType::Text)
                }
                true => (format!("t.{name}"), found.clone()),
                false => (format!("t.{name}"), own.clone()),
            };
            selection.expressions.push(expression);
            selection.types.push(ty);
            selection.names.push(name.as_str().to_owned());
            selection.ways.push(Way::AsItIs);
        }
        selection.add_positions(facts, has_blocks, true);
        Ok(selection)
    }

    fn empty() -> Self {
        Self {
            expressions: Vec::new(),
            types: Vec::new(),
            names: Vec::new(),
            positions: Positions::default(),
            ways: Vec::new(),
            whole: true,
            lacks_positions: false,
            may_have_null: false,
        }
    }

    /// Adds what tells where a row stands, where no field does.
    fn add_positions(&mut self, facts: &Facts, has_blocks: bool, notes: bool) {
        self.whole = self.ways.iter().all(|way| matches!(way, Way::AsItIs));
        let place_of = |name: &str| self.names.iter().position(|field| field == name);
        let places: Vec<_> =
            facts.key.iter().map(|column| place_of(column.name.as_str())).collect();
        let is_told = !places.is_empty() && places.iter().all(Option::is_some);
        self.lacks_positions = !(notes || self.whole && is_told);
        if self.lacks_positions {
            return;
        }
        if has_blocks && !is_told {
            self.add(ADDRESS, format!("CAST(t.{ADDRESS} AS text)"));
            return;
        }
        for (column, place) in facts.key.iter().zip(places) {
            let name = column.name.as_str();
            match place {
                Some(at) => self.positions.0.push((name.to_owned(), at)),
                None => self.add(name, format!("CAST(t.{} AS text)", column.name)),
            }
        }
    }

    /// Adds a field that is not the target's.
    fn add(&mut self, name: &str, expression: String) {
        self.positions.0.push((name.to_owned(), self.expressions.len()));
        self.expressions.push(expression);
        self.types.push(ColumnType::Text);
        self.whole = false;
    }

    /// How many fields a row of the target has.
    pub(super) fn width(&self) -> usize {
        self.ways.len()
    }

    /// Whether a row carries fields beside those of the target, or fields that are changed: then its
    /// position is not to be told from the row that is kept.
    pub(super) fn notes_positions(&self) -> bool {
        !self.whole && !self.lacks_positions
    }

    /// Whether what would have to be noted is not.
    pub(super) fn lacks_positions(&self) -> bool {
        self.lacks_positions
    }

    /// The record of a row, for the reject store.
    pub(super) fn record(&self, table: &str, row: &Unloaded<'_>) -> Vec<u8> {
        let position = self.positions.of(&row.fields, &self.types);
        let misfit = row.fault.as_ref().map(|fault| (fault.field, fault.shown.as_str()));
        record(
            table,
            position,
            &self.names,
            Shown { fields: row.fields.clone(), types: &self.types, misfit },
        )
    }

    /// Writes a row.
    pub(super) fn pack(
        &self,
        fields: &Fields<'_>,
        layout: &Layout,
        row: &mut RowWriter<'_>,
    ) -> Result<()> {
        if self.whole {
            row.fields(fields, self.width() as u16, self.may_have_null);
            return Ok(());
        }
        for ((way, field), column) in self.ways.iter().zip(fields.clone()).zip(&layout.columns) {
            way.pack(field, row)
                .locate(|place| place.column = Some(column.name.as_str().to_owned()))?;
        }
        Ok(())
    }

    /// Writes the fields of the key.
    pub(super) fn pack_key(
        &self,
        fields: &Fields<'_>,
        layout: &Layout,
        row: &mut RowWriter<'_>,
    ) -> Result<()> {
        let fields: Vec<_> = fields.clone().collect();
        let lacks = || Error::new(ErrorKind::Encode, "the key cannot be read");
        layout.key.iter().try_for_each(|&at| {
            let way = self.ways.get(at).ok_or_else(lacks)?;
            way.pack(fields.get(at).copied().ok_or_else(lacks)?, row)
        })
    }
}

impl Way {
    fn pack(&self, field: Option<&[u8]>, row: &mut RowWriter<'_>) -> Result<()> {
        let Some(bytes) = field else {
            row.null();
            return Ok(());
        };
        let Self::Read(input, handling) = self else { return row.field(bytes) };
        let text = std::str::from_utf8(bytes)
            .map_err(|_| Error::new(ErrorKind::Decode, "a text is not UTF-8"))?;
        handling.pack(text, input, row)
    }
}

/// The expression that is read, its type, and how it becomes a value of `target`.
fn way(
    facts: &Facts,
    name: &Ident,
    source: &ColumnType,
    target: &ColumnType,
    handling: &Handling,
) -> (String, ColumnType, Way) {
    let plain = format!("t.{name}");
    let as_text = || format!("CAST(t.{name} AS text)");
    let read = || Way::Read(Box::new(Input::of(target)), handling.clone());
    if !facts.capabilities.transaction_modes {
        // A database without types: the value becomes one of the target's where it is read.
        return match handling.is_none() {
            true => (plain, target.clone(), Way::AsItIs),
            false => (as_text(), ColumnType::Text, read()),
        };
    }
    if !handling.is_none() {
        return (as_text(), ColumnType::Text, read());
    }
    if target.travels_as_text() {
        return (as_text(), ColumnType::Text, Way::AsItIs);
    }
    if is_packed_alike(source, target) {
        return (plain, target.clone(), Way::AsItIs);
    }
    if widens(source, target) {
        // No value is lost by this cast, and none fails.
        return (format!("CAST(t.{name} AS {})", target.sql()), target.clone(), Way::AsItIs);
    }
    (as_text(), ColumnType::Text, read())
}

/// Whether values of both types have the same bytes; what does not fit the length of the target is
/// refused there.
fn is_packed_alike(source: &ColumnType, target: &ColumnType) -> bool {
    use ColumnType::{Char, Enum, Numeric, Text, Varchar};
    source == target && !source.travels_as_text()
        || matches!(
            (source, target),
            (Text | Varchar(_) | Enum(_), Text | Varchar(_))
                | (Numeric(_), Numeric(_))
                | (Text | Varchar(_), Char(_))
        )
}

fn widens(source: &ColumnType, target: &ColumnType) -> bool {
    use ColumnType::{Float4, Float8, Int2, Int4, Int8, Numeric};
    matches!(
        (source, target),
        (Int2, Int4 | Int8 | Numeric(None) | Float4 | Float8)
            | (Int4, Int8 | Numeric(None) | Float8)
            | (Int8, Numeric(None))
            | (Float4, Float8)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_whose_bytes_are_the_same_are_passed_through() {
        let ty = |sql: &str| ColumnType::parse(sql).unwrap();
        for (source, target, same) in [
            ("bigint", "bigint", true),
            ("varchar(3)", "text", true),
            ("numeric(9,2)", "numeric", true),
            ("char(3)", "text", false),
            ("timestamp", "timestamptz", false),
            ("integer", "bigint", false),
            ("json", "jsonb", false),
            ("inet", "inet", false),
            ("integer[]", "integer[]", true),
        ] {
            assert_eq!(is_packed_alike(&ty(source), &ty(target)), same, "{source} {target}");
        }
    }
}
