//! A struct with `#[derive(Composite)]`, parsed and checked.

use crate::attributes::{Faults, checked_name, once, path, text};
use crate::cell_model::named;
use crate::names::{quoted_type, snake_case};
use crate::types::check_rust_type;
use std::collections::HashSet;
use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Error, Fields, Ident, LitStr, Path, Result, Type, parse_quote};

/// The struct.
pub(crate) struct Composite {
    pub(crate) ident: Ident,
    /// Its name, for messages.
    pub(crate) rust: String,
    pub(crate) krate: Path,
    /// The name of the type, as SQL reads it.
    pub(crate) name: String,
    pub(crate) fields: Vec<Field>,
}

/// A field.
pub(crate) struct Field {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    /// Its name in the database.
    pub(crate) name: String,
}

impl Composite {
    pub(crate) fn parse(input: &DeriveInput) -> Result<Self> {
        const HINT: &str = "Composite is derived for structs with named fields: a composite type \
                            of the database has names for its fields";
        if !input.generics.params.is_empty() {
            let message = "Composite is not derived for structs with generics";
            return Err(Error::new_spanned(&input.generics, message));
        }
        let Data::Struct(data) = &input.data else {
            return Err(Error::new_spanned(&input.ident, HINT));
        };
        let Fields::Named(written) = &data.fields else {
            return Err(Error::new_spanned(&input.ident, HINT));
        };
        if written.named.is_empty() {
            return Err(Error::new_spanned(&input.ident, "a composite type needs a field"));
        }
        let (krate, name) = options(input)?;
        let mut faults = Faults::default();
        let mut names = HashSet::new();
        let mut fields = Vec::new();
        for field in &written.named {
            let Some(field) = faults.keep(parse_field(field)) else { continue };
            if !names.insert(field.name.clone()) {
                let message = format!("another field is {:?} too", field.name);
                faults.keep::<()>(Err(Error::new_spanned(&field.ident, message)));
            }
            fields.push(field);
        }
        let rust = input.ident.unraw().to_string();
        faults.or(Self { ident: input.ident.clone(), rust, krate, name, fields })
    }
}

fn options(input: &DeriveInput) -> Result<(Path, String)> {
    let (mut name, mut krate) = (None::<LitStr>, None);
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("composite")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("name") {
                once(&mut name, text(&meta)?, &meta)
            } else if meta.path.is_ident("crate") {
                once(&mut krate, path(&meta)?, &meta)
            } else {
                Err(meta.error("expected name or crate on a struct"))
            }
        })?;
    }
    let name = match name {
        Some(written) => named(&written)?,
        None => quoted_type(&snake_case(&input.ident.unraw().to_string())),
    };
    Ok((krate.unwrap_or_else(|| parse_quote!(::rowmill)), name))
}

fn parse_field(field: &syn::Field) -> Result<Field> {
    let Some(ident) = field.ident.clone() else {
        return Err(Error::new_spanned(field, "a field without a name"));
    };
    check_rust_type(&field.ty)?;
    let mut written: Option<LitStr> = None;
    for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("composite")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("field") {
                once(&mut written, text(&meta)?, &meta)
            } else {
                Err(meta.error("expected field on a field"))
            }
        })?;
    }
    let name = match &written {
        Some(written) => {
            checked_name(&written.value(), written)?;
            written.value()
        }
        None => ident.unraw().to_string(),
    };
    Ok(Field { ident, ty: field.ty.clone(), name })
}
