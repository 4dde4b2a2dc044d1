//! A column of a file that is wanted, found by its name.

use super::kind::Kind;
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::column_type::ColumnType;
use crate::nearest::nearest;
use parquet::basic::{Compression, ConvertedType, LogicalType, Repetition};
use parquet::schema::types::{SchemaDescriptor, Type};

/// A column of a file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Leaf {
    /// Its place among those of the file.
    pub(super) place: usize,
    /// What its values are, or the elements of its lists.
    pub(super) kind: Kind,
    /// How its levels are read.
    pub(super) shape: Shape,
    /// Whether each row has a value.
    pub(super) required: bool,
}

/// How the levels of a column are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A value a row, which is there at this level.
    Flat(i16),
    /// A list a row: an element is there from the first level on, its value at the second.
    List { element: i16, value: i16 },
}

impl Leaf {
    /// What a row of it is in PostgreSQL's terms.
    pub(super) fn column_type(&self) -> ColumnType {
        match self.shape {
            Shape::Flat(_) => self.kind.column_type(),
            Shape::List { .. } => ColumnType::Array(Box::new(match self.kind.column_type() {
                ColumnType::Numeric(_) => ColumnType::Numeric(None),
                element => element,
            })),
        }
    }

    /// Finds the column of that path: a name, and those of fields within it.
    ///
    /// # Errors
    /// `Source` if there is none; `Unsupported` if it is no column of values or lists of them.
    pub(super) fn find(schema: &SchemaDescriptor, path: &[String]) -> Result<Self> {
        let mut node = schema.root_schema();
        let mut names: Vec<&str> = Vec::new();
        for name in path {
            let fields = if node.is_group() { node.get_fields() } else { &[] };
            let Some(field) = fields.iter().find(|field| field.name() == name) else {
                return Err(absent(name, &names, fields.iter().map(|field| field.name())));
            };
            names.push(field.name());
            node = field;
        }
        Self::at(schema, &names, node)
    }

    /// The column of the schema's node at `path`.
    pub(super) fn at(schema: &SchemaDescriptor, path: &[&str], node: &Type) -> Result<Self> {
        let element = match node.is_group() {
            true => element_of(node).ok_or_else(|| nested(path, node))?,
            false => node,
        };
        let is_leaf = |at: &usize| {
            let parts = schema.column(*at).path().parts().to_vec();
            parts.len() >= path.len() && parts.iter().zip(path).all(|(a, b)| a == b)
        };
        let place = (0..schema.num_columns()).find(is_leaf).ok_or_else(|| nested(path, node))?;
        let column = schema.column(place);
        let value = column.max_def_level();
        let shape = match column.max_rep_level() {
            0 => Shape::Flat(value),
            1 if node.is_group() || is_repeated(element) => {
                Shape::List { element: column.repeated_ancestor_def_level(), value }
            }
            _ => return Err(nested(path, node)),
        };
        Ok(Self { place, kind: Kind::of(&column), shape, required: value == 0 })
    }
}

/// The elements of a list of values, in any of the forms that were ever written.
fn element_of(list: &Type) -> Option<&Type> {
    let info = list.get_basic_info();
    let is_list = matches!(info.logical_type_ref(), Some(LogicalType::List))
        || info.converted_type() == ConvertedType::LIST;
    let [repeated] = list.get_fields() else { return None };
    if !is_list || !is_repeated(repeated) {
        return None;
    }
    if repeated.is_primitive() {
        return Some(repeated);
    }
    match repeated.get_fields() {
        [only] if only.is_primitive() && !is_repeated(only) => Some(only),
        _ => None,
    }
}

fn is_repeated(node: &Type) -> bool {
    let info = node.get_basic_info();
    info.has_repetition() && info.repetition() == Repetition::REPEATED
}

#[cold]
fn absent<'a>(name: &str, above: &[&str], known: impl Iterator<Item = &'a str> + Clone) -> Error {
    let within = match above {
        [] => String::new(),
        above => format!(" in {:?}", above.join("/")),
    };
    let names: Vec<_> = known.clone().take(12).map(|name| format!("{name:?}")).collect();
    let hint = match nearest(name, known) {
        Some(meant) => format!("did you mean {meant:?}?"),
        None if names.is_empty() => "it has no fields".to_owned(),
        None => format!("it has {}", names.join(", ")),
    };
    Error::new(ErrorKind::Source, format!("the file has no column {name:?}{within}"))
        .with_hint(hint)
}

#[cold]
fn nested(path: &[&str], node: &Type) -> Error {
    let name = path.join("/");
    let info = node.get_basic_info();
    let is_map = matches!(info.logical_type_ref(), Some(LogicalType::Map))
        || matches!(info.converted_type(), ConvertedType::MAP | ConvertedType::MAP_KEY_VALUE);
    let is_list = matches!(info.logical_type_ref(), Some(LogicalType::List))
        || info.converted_type() == ConvertedType::LIST;
    let (what, hint) = match node {
        _ if is_map => ("a map", "leave it out, or write it as a column of JSON".to_owned()),
        node if is_list || is_repeated(node) || !node.is_group() => (
            "a list of what is no plain value",
            "leave it out, or write it as a column of JSON".to_owned(),
        ),
        node => {
            let first = node.get_fields().first().map_or("field", |field| field.name());
            ("a struct", format!("take its fields one by one: from = \"/{name}/{first}\""))
        }
    };
    Error::new(ErrorKind::Unsupported, format!("the column {name:?} is {what}")).with_hint(hint)
}

/// Refuses a column whose pages cannot be decompressed.
///
/// # Errors
/// `Unsupported`.
pub(super) fn check_compression(compression: Compression) -> Result<()> {
    match compression {
        Compression::UNCOMPRESSED
        | Compression::SNAPPY
        | Compression::GZIP(_)
        | Compression::ZSTD(_) => Ok(()),
        other => {
            let name = other.to_string();
            let name = name.split('(').next().unwrap_or_default().to_owned();
            let message = format!("its pages are compressed with {name}");
            Err(Error::new(ErrorKind::Unsupported, message)
                .with_hint("write them with zstd, snappy or gzip, or without compression"))
        }
    }
}
