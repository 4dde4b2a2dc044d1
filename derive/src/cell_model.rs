//! A type with `#[derive(Cell)]`, parsed and checked.

use crate::attributes::{checked_name, once, path, text};
use crate::names::quoted_type;
use crate::types::{check_rust_type, check_sql_type};
use syn::ext::IdentExt;
use syn::{
    Data, DeriveInput, Error, Fields, Ident, LitStr, Member, Path, Result, Type, parse_quote,
};

/// The type.
pub(crate) struct Cell {
    pub(crate) ident: Ident,
    /// Its name, for messages.
    pub(crate) rust: String,
    pub(crate) krate: Path,
    pub(crate) travel: Travel,
    pub(crate) column_type: Option<ColumnType>,
}

/// As what its values travel.
pub(crate) enum Travel {
    /// As its only field.
    Field(Member, Box<Type>),
    /// As its only field, a text, of which the NULs are treated by the policy of that name.
    Sanitized(Member, Box<Type>, Ident),
    /// As another type, with `TryFrom` and `Into`.
    Via(Box<Type>),
    /// As a text, with `Display` and `FromStr`.
    Text,
}

/// The type of a column that is created.
pub(crate) enum ColumnType {
    Sql(LitStr),
    /// A type of the database itself, quoted.
    Named(String),
}

#[derive(Default)]
struct Options {
    krate: Option<Path>,
    text: Option<()>,
    via: Option<Type>,
    nul: Option<Ident>,
    column_type: Option<LitStr>,
    domain: Option<LitStr>,
}

impl Cell {
    pub(crate) fn parse(input: &DeriveInput) -> Result<Self> {
        if !input.generics.params.is_empty() {
            let message = "Cell is not derived for types with generics";
            return Err(Error::new_spanned(&input.generics, message));
        }
        let options = options(input)?;
        let column_type = match (&options.column_type, &options.domain) {
            (Some(_), Some(domain)) => {
                let message = "a domain is the type of the column: no column_type goes with it";
                return Err(Error::new_spanned(domain, message));
            }
            (Some(sql), None) => {
                check_sql_type(sql)?;
                Some(ColumnType::Sql(sql.clone()))
            }
            (None, Some(domain)) => Some(ColumnType::Named(named(domain)?)),
            (None, None) => None,
        };
        Ok(Self {
            ident: input.ident.clone(),
            rust: input.ident.unraw().to_string(),
            krate: options.krate.clone().unwrap_or_else(|| parse_quote!(::rowmill)),
            travel: travel(input, &options)?,
            column_type,
        })
    }
}

/// A name of a type of the database, with its schema or without.
pub(crate) fn named(written: &LitStr) -> Result<String> {
    let name = written.value();
    if name.split('.').count() > 2 {
        return Err(Error::new_spanned(written, "expected name or schema.name"));
    }
    for part in name.split('.') {
        checked_name(part, written)?;
    }
    Ok(quoted_type(&name))
}

fn options(input: &DeriveInput) -> Result<Options> {
    let mut options = Options::default();
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("cell")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("text") {
                once(&mut options.text, (), &meta)
            } else if meta.path.is_ident("via") {
                let ty: Type = text(&meta)?.parse()?;
                check_rust_type(&ty)?;
                once(&mut options.via, ty, &meta)
            } else if meta.path.is_ident("nul") {
                once(&mut options.nul, policy(&text(&meta)?)?, &meta)
            } else if meta.path.is_ident("column_type") {
                once(&mut options.column_type, text(&meta)?, &meta)
            } else if meta.path.is_ident("domain") {
                once(&mut options.domain, text(&meta)?, &meta)
            } else if meta.path.is_ident("crate") {
                once(&mut options.krate, path(&meta)?, &meta)
            } else {
                Err(meta.error("expected text, via, nul, column_type, domain or crate"))
            }
        })?;
    }
    Ok(options)
}

/// The variant of `rowmill::NulPolicy`.
fn policy(written: &LitStr) -> Result<Ident> {
    let variant = match written.value().as_str() {
        "reject" => "Reject",
        "strip" => "Strip",
        "replace" => "Replace",
        _ => return Err(Error::new_spanned(written, "expected reject, strip or replace")),
    };
    Ok(Ident::new(variant, written.span()))
}

fn travel(input: &DeriveInput, options: &Options) -> Result<Travel> {
    let alone = |message| Err(Error::new_spanned(&input.ident, message));
    match (options.text, &options.via, &options.nul) {
        (Some(()), None, None) => return Ok(Travel::Text),
        (None, Some(ty), None) => return Ok(Travel::Via(Box::new(ty.clone()))),
        (None, None, _) => {}
        _ => return alone("text, via and nul exclude each other"),
    }
    let (member, ty) = only_field(input)?;
    check_rust_type(&ty)?;
    Ok(match &options.nul {
        None => Travel::Field(member, Box::new(ty)),
        Some(policy) => Travel::Sanitized(member, Box::new(ty), policy.clone()),
    })
}

fn only_field(input: &DeriveInput) -> Result<(Member, Type)> {
    const HINT: &str = "Cell is derived for structs with one field; anything else says as what it \
                        travels: #[cell(text)] or #[cell(via = \"type\")]";
    let refused = || Err(Error::new_spanned(&input.ident, HINT));
    let Data::Struct(data) = &input.data else { return refused() };
    let fields = match &data.fields {
        Fields::Named(fields) => &fields.named,
        Fields::Unnamed(fields) => &fields.unnamed,
        Fields::Unit => return refused(),
    };
    let (Some(field), 1) = (fields.first(), fields.len()) else { return refused() };
    let member = field.ident.clone().map_or_else(|| Member::from(0), Member::Named);
    Ok((member, field.ty.clone()))
}
