//! A struct with `#[derive(Entity)]`, parsed and checked.

use crate::attributes::{Faults, checked_name, once, path, text};
use crate::names::snake_case;
use crate::types::{check_rust_type, check_sql_type};
use std::collections::HashSet;
use syn::ext::IdentExt;
use syn::meta::ParseNestedMeta;
use syn::{
    Data, DeriveInput, Error, Fields, Ident, LitStr, Path, Result, Type, Visibility, parse_quote,
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
    pub(crate) skipped: Vec<Ident>,
}

/// A field that is a column.
pub(crate) struct Column {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    pub(crate) name: String,
    pub(crate) sql: Option<LitStr>,
    pub(crate) vis: Visibility,
    pub(crate) generated: bool,
    pub(crate) version: bool,
    pub(crate) references: Option<References>,
    pub(crate) key: bool,
}

/// What a foreign key refers to.
pub(crate) enum References {
    /// An entity.
    Entity(Path),
    /// `table.column`.
    Column(LitStr),
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
        check_together(&columns, &mut faults);
        let key = columns.iter().filter(|column| column.key).map(|c| c.name.clone()).collect();
        // The sort is stable: among themselves they keep the order of the struct.
        columns.sort_by_key(|column| column.generated);
        let written = columns.iter().filter(|column| !column.generated).count();
        let StructOptions { table, fields, krate } = faults.or(options)?.unwrap_or_default();
        if columns.is_empty() {
            return Err(Error::new_spanned(&input.ident, "an entity needs at least one column"));
        }
        let krate = krate.unwrap_or_else(default_path);
        let (ident, vis) = (input.ident.clone(), input.vis.clone());
        Ok(Self { ident, vis, krate, table, fields, columns, written, key, skipped })
    }
}

/// Checks what no column can be told alone.
fn check_together(columns: &[Column], faults: &mut Faults) {
    let mut taken = HashSet::new();
    let mut has_version = false;
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

#[derive(Default)]
struct StructOptions {
    table: String,
    fields: Option<Ident>,
    krate: Option<Path>,
}

fn struct_options(input: &DeriveInput) -> Result<StructOptions> {
    let mut table: Option<LitStr> = None;
    let (mut fields, mut krate) = (None, None);
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("entity")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("table") {
                once(&mut table, text(&meta)?, &meta)
            } else if meta.path.is_ident("fields") {
                once(&mut fields, text(&meta)?.parse()?, &meta)
            } else if meta.path.is_ident("crate") {
                once(&mut krate, path(&meta)?, &meta)
            } else {
                Err(meta.error("expected table, fields or crate on a struct"))
            }
        })?;
    }
    let Some(table) = table else {
        let name = snake_case(&input.ident.unraw().to_string());
        checked_name(&name, &input.ident)?;
        return Ok(StructOptions { table: name, fields, krate });
    };
    let name = table.value();
    if name.split('.').count() > 2 {
        return Err(Error::new_spanned(&table, "expected table or schema.table"));
    }
    for part in name.split('.') {
        checked_name(part, &table)?;
    }
    Ok(StructOptions { table: name, fields, krate })
}

#[derive(Default)]
struct FieldOptions {
    column: Option<LitStr>,
    column_type: Option<LitStr>,
    key: Option<()>,
    generated: Option<()>,
    version: Option<()>,
    references: Option<References>,
    skip: Option<()>,
}

impl FieldOptions {
    /// Whether nothing but `skip` may be there.
    fn is_bare(&self) -> bool {
        self.key.is_none()
            && self.generated.is_none()
            && self.version.is_none()
            && self.references.is_none()
            && self.column.is_none()
            && self.column_type.is_none()
    }
}

fn field_options(field: &syn::Field) -> Result<FieldOptions> {
    let mut options = FieldOptions::default();
    for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("entity")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("key") {
                once(&mut options.key, (), &meta)
            } else if meta.path.is_ident("generated") {
                once(&mut options.generated, (), &meta)
            } else if meta.path.is_ident("version") {
                once(&mut options.version, (), &meta)
            } else if meta.path.is_ident("references") {
                once(&mut options.references, references(&meta)?, &meta)
            } else if meta.path.is_ident("skip") {
                once(&mut options.skip, (), &meta)
            } else if meta.path.is_ident("column") {
                once(&mut options.column, text(&meta)?, &meta)
            } else if meta.path.is_ident("column_type") {
                once(&mut options.column_type, text(&meta)?, &meta)
            } else {
                Err(meta.error(
                    "expected key, column, column_type, generated, version, references or skip on \
                     a field",
                ))
            }
        })?;
    }
    Ok(options)
}

/// Reads `references = Entity` or `references = "table.column"`.
fn references(meta: &ParseNestedMeta<'_>) -> Result<References> {
    let value = meta.value()?;
    if !value.peek(LitStr) {
        return value.parse().map(References::Entity);
    }
    let target: LitStr = value.parse()?;
    let name = target.value();
    if !matches!(name.split('.').count(), 2 | 3) {
        return Err(Error::new_spanned(&target, "expected table.column or schema.table.column"));
    }
    for part in name.split('.') {
        checked_name(part, &target)?;
    }
    Ok(References::Column(target))
}

fn parse_field(field: &syn::Field) -> Result<Field> {
    let options = field_options(field)?;
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
    if options.version.is_some() && (options.generated.is_some() || options.key.is_some()) {
        let message = "a version is counted by this crate: it is no key, and not generated";
        return Err(Error::new_spanned(&ident, message));
    }
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
        vis: field.vis.clone(),
        generated: options.generated.is_some(),
        version: options.version.is_some(),
        references: options.references,
        key: options.key.is_some(),
    })))
}
