//! The code for a type that travels as another one.

use crate::cell_model::{Cell, ColumnType, Travel};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Member, Type};

pub(crate) fn generate(model: &Cell) -> TokenStream {
    let Cell { ident, krate, .. } = model;
    let inner = inner(model);
    let column_type = column_type(model, &inner);
    let (pack, pack_sized, unpack) = (pack(model), pack_sized(model), unpack(model));
    quote! {
        #[automatically_derived]
        impl #krate::Cell for #ident {
            const NULLABLE: bool = <#inner as #krate::Cell>::NULLABLE;

            fn column_type() -> #krate::ColumnType {
                #column_type
            }

            fn pack(
                &self,
                column_type: &#krate::ColumnType,
                out: &mut ::std::vec::Vec<u8>,
            ) -> #krate::Result<bool> {
                #pack
            }

            #pack_sized

            fn unpack(cell: #krate::CellRef<'_>) -> #krate::Result<Self> {
                #unpack
            }
        }

        // The lifetime makes the bound one that is looked at where the trait is used: a type
        // around one that is no element is none either, and still a column.
        #[automatically_derived]
        impl #krate::mapping::cell::Element for #ident
        where
            for<'__element> #inner: #krate::mapping::cell::Element,
        {
        }
    }
}

/// The type that its values travel as.
fn inner(model: &Cell) -> Type {
    match &model.travel {
        Travel::Field(_, ty) | Travel::Sanitized(_, ty, _) | Travel::Via(ty) => (**ty).clone(),
        Travel::Text => syn::parse_quote!(::std::string::String),
    }
}

fn column_type(model: &Cell, inner: &Type) -> TokenStream {
    let krate = &model.krate;
    let of_inner = quote_spanned!(inner.span()=> <#inner as #krate::Cell>::column_type());
    match &model.column_type {
        None => of_inner,
        Some(ColumnType::Sql(sql)) => quote! {
            #krate::ColumnType::parse(#sql).unwrap_or_else(|_| #of_inner)
        },
        Some(ColumnType::Named(name)) => quote! {
            #krate::ColumnType::Other(::std::string::String::from(#name))
        },
    }
}

fn pack(model: &Cell) -> TokenStream {
    let krate = &model.krate;
    match &model.travel {
        Travel::Field(member, ty) => quote_spanned! {ty.span()=>
            #krate::mapping::derived::pack_inner::<#ty>(&self.#member, column_type, out)
        },
        Travel::Sanitized(member, ty, policy) => quote_spanned! {ty.span()=>
            #krate::mapping::derived::pack_sanitized(
                ::core::convert::AsRef::<str>::as_ref(&self.#member),
                #krate::NulPolicy::#policy,
                column_type,
                out,
            )
        },
        Travel::Via(ty) => quote_spanned! {ty.span()=>
            #krate::mapping::derived::pack_inner::<#ty>(
                &::core::convert::Into::into(::core::clone::Clone::clone(self)),
                column_type,
                out,
            )
        },
        Travel::Text => quote! {
            #krate::mapping::derived::pack_display(self, column_type, out)
        },
    }
}

/// The method that writes a field at once, as the type of the only field does; none where the
/// default will do.
fn pack_sized(model: &Cell) -> Option<TokenStream> {
    let krate = &model.krate;
    let Travel::Field(member, ty) = &model.travel else { return None };
    let pack = quote_spanned! {ty.span()=>
        #krate::mapping::derived::pack_inner_sized::<Self, #ty>(self, &self.#member, column_type, out)
    };
    Some(quote! {
        #[inline]
        fn pack_sized(
            &self,
            column_type: &#krate::ColumnType,
            out: &mut ::std::vec::Vec<u8>,
        ) -> #krate::Result<bool> {
            #pack
        }
    })
}

fn unpack(model: &Cell) -> TokenStream {
    let (krate, rust) = (&model.krate, &model.rust);
    match &model.travel {
        Travel::Field(member, ty) | Travel::Sanitized(member, ty, _) => {
            let value =
                quote_spanned!(ty.span()=> #krate::mapping::derived::unpack_inner::<#ty>(cell)?);
            match member {
                Member::Named(name) => quote!(::core::result::Result::Ok(Self { #name: #value })),
                Member::Unnamed(_) => quote!(::core::result::Result::Ok(Self(#value))),
            }
        }
        Travel::Via(ty) => quote_spanned! {ty.span()=>
            #krate::mapping::derived::unpack_converted::<#ty, Self>(cell, #rust)
        },
        Travel::Text => quote! {
            #krate::mapping::derived::unpack_parsed(cell, #rust)
        },
    }
}
