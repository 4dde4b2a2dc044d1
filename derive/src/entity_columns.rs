//! What a struct says of the columns and indexes of its table.

use crate::attributes::respanned;
use crate::entity_model::{Column, Entity, Made};
use crate::field_options::References;
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Path;
use syn::spanned::Spanned;

/// An expression for each column.
pub(crate) fn columns(model: &Entity) -> impl Iterator<Item = TokenStream> {
    model.columns.iter().map(|field| column(field, &model.krate))
}

fn column(field: &Column, krate: &Path) -> TokenStream {
    let (ty, name) = (&field.ty, &field.name);
    let mut column = quote_spanned!(ty.span()=> #krate::mapping::derived::column::<#ty>(#name)?);
    if let Some(sql) = &field.sql {
        column = quote!({
            let mut column = #column;
            column.column_type = #krate::ColumnType::parse(#sql)?;
            column
        });
    }
    column = match &field.made {
        Made::ByRows => column,
        Made::ByDatabase => quote!(#krate::mapping::derived::generated(#column)),
        Made::ByDefault(expression) => quote!(#column.default_value(#expression)),
        Made::Elsewhere => quote!(#column.read_only()),
    };
    if field.version {
        column = quote!(#column.version());
    }
    match reference(field, krate) {
        Some(reference) => quote!(#column.references(#reference)),
        None => column,
    }
}

fn reference(field: &Column, krate: &Path) -> Option<TokenStream> {
    let reference = match field.references.as_ref()? {
        References::Entity(entity) => quote_spanned!(entity.span()=>
            #krate::mapping::derived::reference::<#entity>()?),
        References::Column(target) => {
            quote!(#krate::mapping::derived::reference_to(#target)?)
        }
    };
    let Some(on_delete) = &field.on_delete else { return Some(reference) };
    let action = match on_delete.value().as_str() {
        "cascade" => quote!(Cascade),
        "restrict" => quote!(Restrict),
        _ => quote!(SetNull),
    };
    Some(quote!(#reference.on_delete(#krate::OnDelete::#action)))
}

/// The method that lists the indexes; none where the default will do.
pub(crate) fn indexes(model: &Entity) -> Option<TokenStream> {
    let krate = &model.krate;
    let indexes = model.indexes.iter().map(|index| {
        let (columns, unique) = (&index.columns, index.unique);
        quote!(#krate::mapping::derived::index(&[#(#columns),*], #unique)?)
    });
    (!model.indexes.is_empty()).then(|| {
        quote! {
            fn indexes() -> #krate::Result<::std::vec::Vec<#krate::Index>> {
                ::core::result::Result::Ok(::std::vec![#(#indexes),*])
            }
        }
    })
}

/// What only the compiler can tell of the type of a field, told where the attribute stands.
pub(crate) fn checks(model: &Entity) -> TokenStream {
    let krate = &model.krate;
    let lengths = model.columns.iter().filter_map(|field| {
        let at = field.length.as_ref()?.span();
        let ty = respanned(&field.ty, at);
        Some(quote_spanned!(at=> const _: () = #krate::mapping::derived::has_length::<#ty>();))
    });
    let nulls = model.columns.iter().filter_map(|field| {
        let action = field.on_delete.as_ref().filter(|action| action.value() == "set null")?;
        let ty = respanned(&field.ty, action.span());
        let message = "on_delete = \"set null\" needs a field that can be NULL: an Option";
        Some(quote_spanned!(action.span()=>
            const _: () = ::core::assert!(<#ty as #krate::Cell>::NULLABLE, #message);))
    });
    quote!(#(#lengths)* #(#nulls)*)
}
