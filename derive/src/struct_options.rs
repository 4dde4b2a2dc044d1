//! The attributes of a struct.

use crate::attributes::{checked_name, once, path, text};
use crate::names::snake_case;
use syn::ext::IdentExt;
use syn::meta::ParseNestedMeta;
use syn::{DeriveInput, Error, Ident, LitStr, Path, Result};

/// What `#[entity(...)]` says on a struct.
#[derive(Default)]
pub(crate) struct StructOptions {
    pub(crate) table: String,
    pub(crate) fields: Option<Ident>,
    pub(crate) krate: Option<Path>,
    pub(crate) indexes: Vec<DeclaredIndex>,
}

/// `unique(a, b)` or `index(a, b)`.
pub(crate) struct DeclaredIndex {
    pub(crate) fields: Vec<Ident>,
    pub(crate) unique: bool,
}

impl StructOptions {
    pub(crate) fn parse(input: &DeriveInput) -> Result<Self> {
        let mut table: Option<LitStr> = None;
        let (mut fields, mut krate, mut indexes) = (None, None, Vec::new());
        for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("entity"))
        {
            attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("table") {
                    once(&mut table, text(&meta)?, &meta)
                } else if meta.path.is_ident("fields") {
                    once(&mut fields, text(&meta)?.parse()?, &meta)
                } else if meta.path.is_ident("crate") {
                    once(&mut krate, path(&meta)?, &meta)
                } else if meta.path.is_ident("unique") || meta.path.is_ident("index") {
                    indexes.push(index(&meta)?);
                    Ok(())
                } else {
                    Err(meta.error("expected table, fields, unique, index or crate on a struct"))
                }
            })?;
        }
        Ok(Self { table: table_name(table.as_ref(), input)?, fields, krate, indexes })
    }
}

/// Reads `(a, b)` behind `unique` or `index`.
fn index(meta: &ParseNestedMeta<'_>) -> Result<DeclaredIndex> {
    let mut fields: Vec<Ident> = Vec::new();
    if !meta.input.peek(syn::token::Paren) {
        return Err(meta.error("expected fields in parentheses, as in unique(first, second)"));
    }
    meta.parse_nested_meta(|field| {
        let name = field.path.require_ident()?.clone();
        if fields.contains(&name) {
            return Err(field.error("named twice"));
        }
        fields.push(name);
        Ok(())
    })?;
    if fields.is_empty() {
        return Err(meta.error("expected fields in parentheses, as in unique(first, second)"));
    }
    Ok(DeclaredIndex { fields, unique: meta.path.is_ident("unique") })
}

fn table_name(written: Option<&LitStr>, input: &DeriveInput) -> Result<String> {
    let Some(written) = written else {
        let name = snake_case(&input.ident.unraw().to_string());
        checked_name(&name, &input.ident)?;
        return Ok(name);
    };
    let name = written.value();
    if name.split('.').count() > 2 {
        return Err(Error::new_spanned(written, "expected table or schema.table"));
    }
    for part in name.split('.') {
        checked_name(part, written)?;
    }
    Ok(name)
}
