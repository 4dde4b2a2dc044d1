//! An enum with `#[derive(SqlEnum)]`, parsed and checked.

use crate::attributes::{Faults, checked_name, once, path, text};
use crate::names::{Case, snake_case};
use std::collections::HashSet;
use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Error, Fields, Ident, LitStr, Path, Result, Variant, parse_quote};

/// The enum.
pub(crate) struct Enumeration {
    pub(crate) ident: Ident,
    pub(crate) krate: Path,
    pub(crate) name: String,
    pub(crate) variants: Vec<(Ident, String)>,
}

struct Options {
    krate: Path,
    name: String,
    case: Case,
}

impl Enumeration {
    pub(crate) fn parse(input: &DeriveInput) -> Result<Self> {
        let Data::Enum(data) = &input.data else {
            return Err(Error::new_spanned(&input.ident, "SqlEnum is derived for enums"));
        };
        if !input.generics.params.is_empty() {
            let message = "SqlEnum is not derived for enums with generics";
            return Err(Error::new_spanned(&input.generics, message));
        }
        if data.variants.is_empty() {
            return Err(Error::new_spanned(&input.ident, "an enum without variants has no value"));
        }
        let options = options(input)?;
        let mut faults = Faults::default();
        let mut labels = HashSet::new();
        let mut variants = Vec::new();
        for variant in &data.variants {
            let Some(label) = faults.keep(label(variant, options.case)) else { continue };
            if !labels.insert(label.clone()) {
                let message = format!("another variant has the label {label:?} too");
                faults.keep::<()>(Err(Error::new_spanned(&variant.ident, message)));
            }
            variants.push((variant.ident.clone(), label));
        }
        let Options { krate, name, .. } = options;
        faults.or(Self { ident: input.ident.clone(), krate, name, variants })
    }
}

fn options(input: &DeriveInput) -> Result<Options> {
    let (mut name, mut case, mut krate) = (None::<LitStr>, None, None);
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("sql_enum")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("name") {
                once(&mut name, text(&meta)?, &meta)
            } else if meta.path.is_ident("rename_all") {
                let written = text(&meta)?;
                let of_name = Case::of_name(&written.value());
                let known = of_name.ok_or_else(|| Error::new_spanned(&written, Case::EXPECTED))?;
                once(&mut case, known, &meta)
            } else if meta.path.is_ident("crate") {
                once(&mut krate, path(&meta)?, &meta)
            } else {
                Err(meta.error("expected name, rename_all or crate on an enum"))
            }
        })?;
    }
    let name = match name {
        Some(written) => {
            checked_name(&written.value(), &written)?;
            written.value()
        }
        None => snake_case(&input.ident.unraw().to_string()),
    };
    Ok(Options {
        krate: krate.unwrap_or_else(|| parse_quote!(::rowmill)),
        name,
        case: case.unwrap_or(Case::AsItIs),
    })
}

fn label(variant: &Variant, case: Case) -> Result<String> {
    if !matches!(variant.fields, Fields::Unit) {
        let message = "SqlEnum is derived for enums whose variants have no fields: the database \
                       keeps a label and nothing else";
        return Err(Error::new_spanned(&variant.fields, message));
    }
    let mut written: Option<LitStr> = None;
    for attribute in variant.attrs.iter().filter(|attribute| attribute.path().is_ident("sql_enum"))
    {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("label") {
                once(&mut written, text(&meta)?, &meta)
            } else {
                Err(meta.error("expected label on a variant"))
            }
        })?;
    }
    let Some(written) = written else {
        let label = case.apply(&variant.ident.unraw().to_string());
        checked_name(&label, &variant.ident)?;
        return Ok(label);
    };
    checked_name(&written.value(), &written)?;
    Ok(written.value())
}
