//! The attributes of a field.

use crate::attributes::{checked_name, once, text};
use syn::meta::ParseNestedMeta;
use syn::{Error, LitInt, LitStr, Path, Result};

/// The longest text that a column of PostgreSQL can be limited to, in characters.
const MAX_LENGTH: u32 = 10_485_760;

/// What `#[entity(...)]` says on a field.
#[derive(Default)]
pub(crate) struct FieldOptions {
    pub(crate) column: Option<LitStr>,
    pub(crate) column_type: Option<LitStr>,
    pub(crate) length: Option<LitInt>,
    pub(crate) key: Option<()>,
    pub(crate) unique: Option<()>,
    pub(crate) index: Option<()>,
    pub(crate) generated: Option<()>,
    pub(crate) default: Option<LitStr>,
    pub(crate) read_only: Option<()>,
    pub(crate) version: Option<()>,
    pub(crate) references: Option<References>,
    pub(crate) on_delete: Option<LitStr>,
    pub(crate) shard_key: Option<()>,
    pub(crate) skip: Option<()>,
}

/// What a foreign key refers to.
pub(crate) enum References {
    /// An entity.
    Entity(Path),
    /// `table.column`.
    Column(LitStr),
}

impl FieldOptions {
    pub(crate) fn parse(field: &syn::Field) -> Result<Self> {
        let mut options = Self::default();
        for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("entity"))
        {
            attribute.parse_nested_meta(|meta| options.read(&meta))?;
        }
        Ok(options)
    }

    fn read(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        let Some(word) = meta.path.get_ident() else { return Err(unknown(meta)) };
        match word.to_string().as_str() {
            "key" => once(&mut self.key, (), meta),
            "unique" => once(&mut self.unique, (), meta),
            "index" => once(&mut self.index, (), meta),
            "generated" => once(&mut self.generated, (), meta),
            "read_only" => once(&mut self.read_only, (), meta),
            "version" => once(&mut self.version, (), meta),
            "shard_key" => once(&mut self.shard_key, (), meta),
            "skip" => once(&mut self.skip, (), meta),
            "column" => once(&mut self.column, text(meta)?, meta),
            "column_type" => once(&mut self.column_type, text(meta)?, meta),
            "length" => once(&mut self.length, length(meta)?, meta),
            "default" => once(&mut self.default, default(meta)?, meta),
            "references" => once(&mut self.references, references(meta)?, meta),
            "on_delete" => once(&mut self.on_delete, on_delete(meta)?, meta),
            _ => Err(unknown(meta)),
        }
    }

    /// Whether nothing but `skip` may be there.
    pub(crate) fn is_bare(&self) -> bool {
        let flags = [self.key, self.unique, self.index, self.generated, self.read_only];
        flags.iter().all(Option::is_none)
            && self.version.is_none()
            && self.shard_key.is_none()
            && self.references.is_none()
            && self.on_delete.is_none()
            && self.default.is_none()
            && self.length.is_none()
            && self.column.is_none()
            && self.column_type.is_none()
    }

    /// What does not go together.
    pub(crate) fn check(&self, field: &syn::Field) -> Result<()> {
        let made = self.generated.is_some() || self.default.is_some() || self.read_only.is_some();
        if self.version.is_some() && (made || self.key.is_some()) {
            let message = "a version is counted by this crate: it is no key, and not generated";
            return Err(Error::new_spanned(&field.ident, message));
        }
        if self.shard_key.is_some() && (made || self.version.is_some()) {
            let message = "a shard key says where a row goes: the row has to carry it";
            return Err(Error::new_spanned(&field.ident, message));
        }
        if self.read_only.is_some() && (self.generated.is_some() || self.default.is_some()) {
            let message = "a column that is read only is made by somebody else: it goes with \
                           neither generated nor default";
            return Err(Error::new_spanned(&field.ident, message));
        }
        if let (Some(length), Some(_)) = (&self.length, &self.column_type) {
            let message = "the column_type says the length: \"varchar(n)\"";
            return Err(Error::new_spanned(length, message));
        }
        if let (Some(on_delete), None) = (&self.on_delete, &self.references) {
            let message = "on_delete goes with references";
            return Err(Error::new_spanned(on_delete, message));
        }
        Ok(())
    }
}

fn unknown(meta: &ParseNestedMeta<'_>) -> Error {
    meta.error(
        "expected key, column, column_type, length, unique, index, generated, default, read_only, \
         version, references, on_delete, shard_key or skip on a field",
    )
}

/// Reads `length = 160`.
fn length(meta: &ParseNestedMeta<'_>) -> Result<LitInt> {
    let length: LitInt = meta.value()?.parse()?;
    match length.base10_parse::<u32>() {
        Ok(1..=MAX_LENGTH) => Ok(length),
        _ => Err(Error::new_spanned(&length, format!("expected 1 to {MAX_LENGTH} characters"))),
    }
}

/// Reads `default = "expression"`.
fn default(meta: &ParseNestedMeta<'_>) -> Result<LitStr> {
    let expression = text(meta)?;
    if expression.value().trim().is_empty() {
        return Err(Error::new_spanned(
            &expression,
            "expected an SQL expression such as \"now()\"",
        ));
    }
    Ok(expression)
}

/// Reads `on_delete = "..."`.
fn on_delete(meta: &ParseNestedMeta<'_>) -> Result<LitStr> {
    let action = text(meta)?;
    match action.value().as_str() {
        "cascade" | "restrict" | "set null" => Ok(action),
        _ => Err(Error::new_spanned(&action, "expected cascade, restrict or set null")),
    }
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
