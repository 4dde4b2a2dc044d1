//! A struct with `#[derive(Entity)]`, parsed and checked.

use crate::attributes::{Faults, checked_name};
use crate::field_options::{FieldOptions, References};
use crate::struct_options::{DeclaredIndex, StructOptions};
use crate::types::{check_rust_type, check_sql_type};
use std::collections::HashSet;
use syn::ext::IdentExt;
use syn::{
    Data, DeriveInput, Error, Fields, Ident, LitInt, LitStr, Path, Result, Type, Visibility,
    parse_quote,
};

/// The struct.
pub(crate) struct Entity {
    pub(crate) ident: Ident,
    pub(crate) vis: Visibility,
    pub(crate) krate: Path,
    pub(crate) table: String,
    /// The module for the constants of the fields, where they are not to be the struct's own.
    pub(crate) fields: Option<Ident>,
    /// The columns that rows carry, then the generated ones, each in the order of the struct.
    pub(crate) columns: Vec<Column>,
    /// How many of them rows carry.
    pub(crate) written: usize,
    /// The names of the key's columns, in the order of the struct.
    pub(crate) key: Vec<String>,
    /// Those of single fields in the order of the struct, then those over several.
    pub(crate) indexes: Vec<Index>,
    pub(crate) skipped: Vec<Ident>,
}

/// A field that is a column.
pub(crate) struct Column {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    pub(crate) name: String,
    pub(crate) sql: Option<LitStr>,
    pub(crate) vis: Visibility,
    pub(crate) length: Option<LitInt>,
    pub(crate) made: Made,
    pub(crate) version: bool,
    pub(crate) references: Option<References>,
    pub(crate) on_delete: Option<LitStr>,
    pub(crate) key: bool,
    pub(crate) shard_key: bool,
}

/// Who makes the values of a column.
pub(crate) enum Made {
    /// The rows carry them.
    ByRows,
    /// The database, in its own way.
    ByDatabase,
    /// The database, by an expression.
    ByDefault(LitStr),
    /// Somebody else.
    Elsewhere,
}

/// An index: the names of its columns.
pub(crate) struct Index {
    pub(crate) columns: Vec<String>,
    pub(crate) unique: bool,
}

enum Field {
    Column(Box<Column>, Option<Index>),
    Skipped(Ident),
}

impl Entity {
    pub(crate) fn parse(input: &DeriveInput) -> Result<Self> {
        let mut faults = Faults::default();
        let fields = named_fields(input)?;
        let options = faults.keep(StructOptions::parse(input)).unwrap_or_default();
        let (mut columns, mut indexes, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
        for field in fields {
            match faults.keep(parse_field(field)) {
                Some(Field::Column(column, index)) => {
                    indexes.extend(index);
                    columns.push(*column);
                }
                Some(Field::Skipped(ident)) => skipped.push(ident),
                None => {}
            }
        }
        check_together(&columns, &mut faults);
        let StructOptions { table, fields, krate, indexes: declared } = options;
        let shared = declared.iter().map(|index| faults.keep(index_of(index, &columns)));
        indexes.extend(shared.collect::<Vec<_>>().into_iter().flatten());
        let key = columns.iter().filter(|column| column.key).map(|c| c.name.clone()).collect();
        // The sort is stable: among themselves they keep the order of the struct.
        columns.sort_by_key(|column| !matches!(column.made, Made::ByRows));
        let written = columns.iter().filter(|c| matches!(c.made, Made::ByRows)).count();
        faults.or(())?;
        if columns.is_empty() {
            return Err(Error::new_spanned(&input.ident, "an entity needs at least one column"));
        }
        let krate = krate.unwrap_or_else(default_path);
        let (ident, vis) = (input.ident.clone(), input.vis.clone());
        Ok(Self { ident, vis, krate, table, fields, columns, written, key, indexes, skipped })
    }
}

/// Checks what no column can be told alone.
fn check_together(columns: &[Column], faults: &mut Faults) {
    let mut taken = HashSet::new();
    let (mut has_version, mut has_shard_key) = (false, false);
    for column in columns {
        if !taken.insert(&column.name) {
            let message = format!("another field is the column {:?} too", column.name);
            faults.keep::<()>(Err(Error::new_spanned(&column.ident, message)));
        }
        if column.version && has_version {
            let message = "another field is the version too";
            faults.keep::<()>(Err(Error::new_spanned(&column.ident, message)));
        }
        has_version |= column.version;
        if column.shard_key && has_shard_key {
            let message = "another field is the shard key too";
            faults.keep::<()>(Err(Error::new_spanned(&column.ident, message)));
        }
        has_shard_key |= column.shard_key;
    }
}

fn default_path() -> Path {
    parse_quote!(::rowmill)
}

fn named_fields(input: &DeriveInput) -> Result<impl Iterator<Item = &syn::Field>> {
    let refused = |what| {
        let message = format!("Entity is derived for structs with named fields, not for {what}");
        Err(Error::new_spanned(&input.ident, message))
    };
    if !input.generics.params.is_empty() {
        let message = "Entity is not derived for structs with generics: a row owns its values, \
                       and each table has one struct";
        return Err(Error::new_spanned(&input.generics, message));
    }
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => Ok(fields.named.iter()),
            Fields::Unnamed(_) => refused("tuple structs"),
            Fields::Unit => refused("structs without fields"),
        },
        Data::Enum(_) => refused("enums: use SqlEnum for an enum of the database"),
        Data::Union(_) => refused("unions"),
    }
}

/// An index over several fields.
fn index_of(declared: &DeclaredIndex, columns: &[Column]) -> Result<Index> {
    let name = |field: &Ident| {
        let column = columns.iter().find(|column| column.ident == *field);
        let column = column.ok_or_else(|| Error::new_spanned(field, "no field that is a column"));
        column.map(|column| column.name.clone())
    };
    let columns = declared.fields.iter().map(name).collect::<Result<_>>()?;
    Ok(Index { columns, unique: declared.unique })
}

fn parse_field(field: &syn::Field) -> Result<Field> {
    let options = FieldOptions::parse(field)?;
    let Some(ident) = field.ident.clone() else {
        return Err(Error::new_spanned(field, "a field without a name"));
    };
    if options.skip.is_some() {
        return if options.is_bare() {
            Ok(Field::Skipped(ident))
        } else {
            Err(Error::new_spanned(&ident, "a skipped field is no column: nothing goes with skip"))
        };
    }
    check_rust_type(&field.ty)?;
    options.check(field)?;
    if let Some(sql) = &options.column_type {
        check_sql_type(sql)?;
    }
    let name = match &options.column {
        Some(name) => name.value(),
        None => ident.unraw().to_string(),
    };
    match &options.column {
        Some(written) => checked_name(&name, written)?,
        None => checked_name(&name, &ident)?,
    }
    Ok(of_options(field, ident, name, options))
}

fn of_options(field: &syn::Field, ident: Ident, name: String, options: FieldOptions) -> Field {
    let is_indexed = options.unique.is_some() || options.index.is_some();
    let index =
        is_indexed.then(|| Index { columns: vec![name.clone()], unique: options.unique.is_some() });
    let varchar = |length: &LitInt| {
        LitStr::new(&format!("varchar({})", length.base10_digits()), length.span())
    };
    let made = match (options.default, options.generated, options.read_only) {
        (Some(expression), ..) => Made::ByDefault(expression),
        (None, Some(()), _) => Made::ByDatabase,
        (None, None, Some(())) => Made::Elsewhere,
        (None, None, None) => Made::ByRows,
    };
    let column = Column {
        ident,
        ty: field.ty.clone(),
        name,
        sql: options.column_type.or_else(|| options.length.as_ref().map(varchar)),
        vis: field.vis.clone(),
        length: options.length,
        made,
        version: options.version.is_some(),
        references: options.references,
        on_delete: options.on_delete,
        key: options.key.is_some(),
        shard_key: options.shard_key.is_some(),
    };
    Field::Column(Box::new(column), index)
}
