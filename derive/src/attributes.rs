//! What both derives read from their attributes.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::meta::ParseNestedMeta;
use syn::{Error, LitStr, Path, Result};

/// The longest name PostgreSQL keeps, in bytes.
const MAX_NAME_BYTES: usize = 63;

/// Gathers the errors of a whole item, so that all are shown at once.
#[derive(Default)]
pub(crate) struct Faults(Option<Error>);

impl Faults {
    /// Keeps the error of `result`, if it has one.
    pub(crate) fn keep<T>(&mut self, result: Result<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                match &mut self.0 {
                    Some(first) => first.combine(error),
                    none => *none = Some(error),
                }
                None
            }
        }
    }

    /// The value, unless there were errors.
    pub(crate) fn or<T>(self, value: T) -> Result<T> {
        self.0.map_or(Ok(value), Err)
    }
}

/// Reads `name = "text"`.
pub(crate) fn text(meta: &ParseNestedMeta<'_>) -> Result<LitStr> {
    meta.value()?.parse()
}

/// Reads `crate = "path"`.
pub(crate) fn path(meta: &ParseNestedMeta<'_>) -> Result<Path> {
    text(meta)?.parse_with(Path::parse_mod_style)
}

/// Puts a value where none may be yet.
pub(crate) fn once<T>(slot: &mut Option<T>, value: T, meta: &ParseNestedMeta<'_>) -> Result<()> {
    if slot.replace(value).is_some() {
        return Err(meta.error("given twice"));
    }
    Ok(())
}

/// Checks the name of a column, a table, a schema, a type or a label.
pub(crate) fn checked_name(name: &str, at: &impl ToTokens) -> Result<()> {
    let fault = if name.is_empty() {
        "a name is empty".to_owned()
    } else if name.len() > MAX_NAME_BYTES {
        format!("a name has {} bytes, PostgreSQL keeps at most {MAX_NAME_BYTES}", name.len())
    } else if name.contains('\0') {
        "a name contains NUL".to_owned()
    } else {
        return Ok(());
    };
    Err(Error::new_spanned(at, fault))
}

/// The same tokens, so that what the compiler says of them is said at `span`.
pub(crate) fn respanned(tokens: &impl ToTokens, span: Span) -> TokenStream {
    fn moved(tokens: TokenStream, span: Span) -> TokenStream {
        tokens
            .into_iter()
            .map(|mut token| {
                if let TokenTree::Group(group) = &token {
                    token = Group::new(group.delimiter(), moved(group.stream(), span)).into();
                }
                token.set_span(token.span().located_at(span));
                token
            })
            .collect()
    }
    moved(tokens.to_token_stream(), span)
}
