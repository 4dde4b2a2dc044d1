//! A struct with `#[derive(Entity)]`, parsed and checked.

use crate::attributes::{Faults, checked_name, once, path, text};
use crate::names::snake_case;
use crate::types::{check_rust_type, check_sql_type};
use std::collections::HashSet;
use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Error, Fields, Ident, LitStr, Path, Result, Type, parse_quote};

/// The struct.
pub(crate) struct Entity {
    pub(crate) ident: Ident,
    pub(crate) krate: Path,
    pub(crate) table: String,
    /// The columns that rows carry, then the generated ones, each in the order of the struct.
    pub(crate) columns: Vec<Column>,
    /// How many of them rows carry.
    pub(crate) written: usize,
    /// The names of the key's columns, in the order of the struct.
    pub(crate) key: Vec<String>,
    pub(crate) skipped: Vec<Ident>,
}

/// A field that is a column.
pub(crate) struct Column {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    pub(crate) name: String,
    pub(crate) sql: Option<LitStr>,
    pub(crate) generated: bool,
    key: bool,
}

enum Field {
    Column(Box<Column>),
    Skipped(Ident),
}

impl Entity {
    pub(crate) fn parse(input: &DeriveInput) -> Result<Self> {
        let mut faults = Faults::default();
        let fields = named_fields(input)?;
        let options = faults.keep(struct_options(input));
        let mut columns = Vec::new();
        let mut skipped = Vec::new();
        for field in fields {
            match faults.keep(parse_field(field)) {
                Some(Field::Column(column)) => columns.push(*column),
                Some(Field::Skipped(ident)) => skipped.push(ident),
                None => {}
            }
        }
        let mut taken = HashSet::new();
        for column in &columns {
            if !taken.insert(&column.name) {
                let message = format!("another field is the column {:?} too", column.name);
                faults.keep::<()>(Err(Error::new_spanned(&column.ident, message)));
            }
        }
        let key = columns.iter().filter(|column| column.key).map(|c| c.name.clone()).collect();
        // The sort is stable: among themselves they keep the order of the struct.
        columns.sort_by_key(|column| column.generated);
        let written = columns.iter().filter(|column| !column.generated).count();
        let (table, krate) = faults.or(options)?.unwrap_or_else(|| (String::new(), default_path()));
        if columns.is_empty() {
            return Err(Error::new_spanned(&input.ident, "an entity needs at least one column"));
        }
        Ok(Self { ident: input.ident.clone(), krate, table, columns, written, key, skipped })
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

fn struct_options(input: &DeriveInput) -> Result<(String, Path)> {
    let mut table: Option<LitStr> = None;
    let mut krate = None;
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("entity")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("table") {
                once(&mut table, text(&meta)?, &meta)
            } else if meta.path.is_ident("crate") {
                once(&mut krate, path(&meta)?, &meta)
            } else {
                Err(meta.error("expected table or crate on a struct"))
            }
        })?;
    }
    let krate = krate.unwrap_or_else(default_path);
    let Some(table) = table else {
        let name = snake_case(&input.ident.unraw().to_string());
        checked_name(&name, &input.ident)?;
        return Ok((name, krate));
    };
    let name = table.value();
    if name.split('.').count() > 2 {
        return Err(Error::new_spanned(&table, "expected table or schema.table"));
    }
    for part in name.split('.') {
        checked_name(part, &table)?;
    }
    Ok((name, krate))
}

#[derive(Default)]
struct FieldOptions {
    column: Option<LitStr>,
    column_type: Option<LitStr>,
    key: Option<()>,
    generated: Option<()>,
    skip: Option<()>,
}

fn field_options(field: &syn::Field) -> Result<FieldOptions> {
    let mut options = FieldOptions::default();
    for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("entity")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("key") {
                once(&mut options.key, (), &meta)
            } else if meta.path.is_ident("generated") {
                once(&mut options.generated, (), &meta)
            } else if meta.path.is_ident("skip") {
                once(&mut options.skip, (), &meta)
            } else if meta.path.is_ident("column") {
                once(&mut options.column, text(&meta)?, &meta)
            } else if meta.path.is_ident("column_type") {
                once(&mut options.column_type, text(&meta)?, &meta)
            } else {
                Err(meta.error("expected key, column, column_type, generated or skip on a field"))
            }
        })?;
    }
    Ok(options)
}

fn parse_field(field: &syn::Field) -> Result<Field> {
    let options = field_options(field)?;
    let Some(ident) = field.ident.clone() else {
        return Err(Error::new_spanned(field, "a field without a name"));
    };
    if options.skip.is_some() {
        let alone = options.key.is_none()
            && options.generated.is_none()
            && options.column.is_none()
            && options.column_type.is_none();
        return if alone {
            Ok(Field::Skipped(ident))
        } else {
            Err(Error::new_spanned(&ident, "a skipped field is no column: nothing goes with skip"))
        };
    }
    check_rust_type(&field.ty)?;
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
    Ok(Field::Column(Box::new(Column {
        ident,
        ty: field.ty.clone(),
        name,
        sql: options.column_type,
        generated: options.generated.is_some(),
        key: options.key.is_some(),
    })))
}
