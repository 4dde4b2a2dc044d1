//! The constants for the fields of a struct.

use crate::entity_model::{Column, Entity};
use crate::field_options::References;
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Visibility;
use syn::spanned::Spanned;

/// The constants: the struct's own, or those of a module where its methods have the same names.
pub(crate) fn generate(model: &Entity) -> TokenStream {
    let Entity { ident, vis, .. } = model;
    let constants = model.columns.iter().enumerate();
    let Some(module) = &model.fields else {
        let constants = constants.map(|(index, field)| constant(model, index, field, &field.vis));
        return quote! {
            #[allow(non_upper_case_globals, dead_code)]
            #[automatically_derived]
            impl #ident {
                #(#constants)*
            }
        };
    };
    let inside: Visibility = syn::parse_quote!(pub(super));
    let constants = constants.map(|(index, field)| {
        let vis = if matches!(field.vis, Visibility::Public(_)) { &field.vis } else { &inside };
        constant(model, index, field, vis)
    });
    let about = format!("The columns of [`{ident}`].");
    quote! {
        #[doc = #about]
        #[allow(non_upper_case_globals, dead_code, unused_imports)]
        #vis mod #module {
            use super::*;
            #(#constants)*
        }
    }
}

fn constant(model: &Entity, index: usize, field: &Column, vis: &Visibility) -> TokenStream {
    let Entity { ident, krate, .. } = model;
    let Column { ident: name, ty, name: column, .. } = field;
    let declared = match &field.sql {
        Some(sql) => quote!(::core::option::Option::Some(#sql)),
        None => quote!(::core::option::Option::None),
    };
    let refers = match &field.references {
        Some(References::Entity(entity)) => quote!(#entity),
        _ => quote!(#krate::Nothing),
    };
    let about = format!("The column `{column}`.");
    quote_spanned! {ty.span()=>
        #[doc = #about]
        #vis const #name: #krate::Field<#ident, #ty, #refers> =
            #krate::mapping::derived::field(#column, #index, #declared);
    }
}
