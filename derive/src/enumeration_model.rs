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
    pub(crate) storage: Storage,
    /// Each variant and its label; where the column has none, the labels are its names.
    pub(crate) variants: Vec<(Ident, String)>,
}

/// What the column holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Storage {
    /// The labels, as an enum of the database.
    Enum,
    /// The labels, as a text.
    Text,
    /// The discriminants, as the variant of `rowmill::ColumnType` of that name.
    Int(&'static str),
}

struct Options {
    krate: Path,
    name: String,
    case: Case,
    storage: Storage,
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
            let Some(label) = faults.keep(label(variant, &options)) else { continue };
            if !labels.insert(label.clone()) {
                let message = format!("another variant has the label {label:?} too");
                faults.keep::<()>(Err(Error::new_spanned(&variant.ident, message)));
            }
            variants.push((variant.ident.clone(), label));
        }
        let Options { krate, name, storage, .. } = options;
        faults.or(Self { ident: input.ident.clone(), krate, name, storage, variants })
    }
}

fn options(input: &DeriveInput) -> Result<Options> {
    let (mut name, mut case, mut krate) = (None::<LitStr>, None, None);
    let mut storage = None;
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("sql_enum")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("name") {
                once(&mut name, text(&meta)?, &meta)
            } else if meta.path.is_ident("rename_all") {
                let written = text(&meta)?;
                let of_name = Case::of_name(&written.value());
                let known = of_name.ok_or_else(|| Error::new_spanned(&written, Case::EXPECTED))?;
                once(&mut case, (known, meta.path.clone()), &meta)
            } else if meta.path.is_ident("text") {
                once(&mut storage, (Storage::Text, meta.path.clone()), &meta)
            } else if meta.path.is_ident("int") {
                once(&mut storage, (Storage::Int(integer(input)?), meta.path.clone()), &meta)
            } else if meta.path.is_ident("crate") {
                once(&mut krate, path(&meta)?, &meta)
            } else {
                Err(meta.error("expected name, text, int, rename_all or crate on an enum"))
            }
        })?;
    }
    if let (Some(name), Some((_, _))) = (&name, &storage) {
        let message = "a column of texts or numbers has no type of its own: no name goes with it";
        return Err(Error::new_spanned(name, message));
    }
    if let (Some((_, written)), Some((Storage::Int(_), _))) = (&case, &storage) {
        return Err(Error::new_spanned(written, "a column of numbers has no labels"));
    }
    Ok(Options {
        krate: krate.unwrap_or_else(|| parse_quote!(::rowmill)),
        name: type_name(name, input)?,
        case: case.map_or(Case::AsItIs, |(case, _)| case),
        storage: storage.map_or(Storage::Enum, |(storage, _)| storage),
    })
}

fn type_name(written: Option<LitStr>, input: &DeriveInput) -> Result<String> {
    let Some(written) = written else { return Ok(snake_case(&input.ident.unraw().to_string())) };
    checked_name(&written.value(), &written)?;
    Ok(written.value())
}

/// The narrowest type that holds the discriminants of the representation.
fn integer(input: &DeriveInput) -> Result<&'static str> {
    let mut column_type = "Int4";
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("repr")) {
        attribute.parse_nested_meta(|meta| {
            let Some(ident) = meta.path.get_ident() else { return Ok(()) };
            column_type = match ident.to_string().as_str() {
                "i8" | "u8" | "i16" => "Int2",
                "u32" | "i64" => "Int8",
                "u64" | "usize" | "i128" | "u128" => {
                    return Err(meta.error("numbers that no column has: use i64"));
                }
                _ => column_type,
            };
            Ok(())
        })?;
    }
    Ok(column_type)
}

fn label(variant: &Variant, options: &Options) -> Result<String> {
    if !matches!(variant.fields, Fields::Unit) {
        let message = "SqlEnum is derived for enums whose variants have no fields: the database \
                       keeps a label and nothing else";
        return Err(Error::new_spanned(&variant.fields, message));
    }
    let mut written: Option<LitStr> = None;
    for attribute in variant.attrs.iter().filter(|attribute| attribute.path().is_ident("sql_enum"))
    {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("label") && matches!(options.storage, Storage::Int(_)) {
                Err(meta.error("a column of numbers has no labels: write a discriminant"))
            } else if meta.path.is_ident("label") {
                once(&mut written, text(&meta)?, &meta)
            } else {
                Err(meta.error("expected label on a variant"))
            }
        })?;
    }
    let Some(written) = written else {
        let label = options.case.apply(&variant.ident.unraw().to_string());
        checked_name(&label, &variant.ident)?;
        return Ok(label);
    };
    checked_name(&written.value(), &written)?;
    Ok(written.value())
}
