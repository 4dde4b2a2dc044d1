//! The code for an enum.

use crate::enumeration_model::{Enumeration, Storage};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

pub(crate) fn generate(model: &Enumeration) -> TokenStream {
    let Enumeration { ident, krate, name, storage, .. } = model;
    let column_type = match storage {
        Storage::Enum => quote!(#krate::mapping::derived::enum_type(#name)),
        Storage::Text => quote!(#krate::ColumnType::Text),
        Storage::Int(column_type) => {
            let variant = format_ident!("{column_type}");
            quote!(#krate::ColumnType::#variant)
        }
    };
    // What is stored otherwise has no type of its own in the database.
    let labels = model.variants.iter().map(|(_, label)| label);
    let labels = labels.filter(|_| matches!(storage, Storage::Enum));
    let (pack, unpack) = match storage {
        Storage::Int(_) => by_number(model),
        Storage::Enum | Storage::Text => by_label(model),
    };
    quote! {
        #[automatically_derived]
        impl #krate::Cell for #ident {
            fn column_type() -> #krate::ColumnType {
                #column_type
            }

            fn labels() -> &'static [&'static str] {
                &[#(#labels),*]
            }

            fn pack(
                &self,
                column_type: &#krate::ColumnType,
                out: &mut ::std::vec::Vec<u8>,
            ) -> #krate::Result<bool> {
                #pack
            }

            fn unpack(cell: #krate::CellRef<'_>) -> #krate::Result<Self> {
                #unpack
            }
        }

        #[automatically_derived]
        impl #krate::mapping::cell::Element for #ident {}
    }
}

fn by_label(model: &Enumeration) -> (TokenStream, TokenStream) {
    let Enumeration { ident, krate, name, variants, .. } = model;
    let rust = ident.to_string();
    let (idents, labels): (Vec<_>, Vec<_>) = variants.iter().cloned().unzip();
    let pack = quote! {
        let label = match self { #(Self::#idents => #labels,)* };
        #krate::mapping::derived::pack_label(label, column_type, out)
    };
    let unpack = quote! {
        match #krate::mapping::derived::read_label(cell, #rust)? {
            #(#labels => ::core::result::Result::Ok(Self::#idents),)*
            _ => ::core::result::Result::Err(
                #krate::mapping::derived::unknown_label(#name, &[#(#labels),*]),
            ),
        }
    };
    (pack, unpack)
}

fn by_number(model: &Enumeration) -> (TokenStream, TokenStream) {
    let Enumeration { krate, name, variants, .. } = model;
    let idents: Vec<_> = variants.iter().map(|(ident, _)| ident).collect();
    let pack = quote! {
        let number = match self { #(Self::#idents => Self::#idents as i64,)* };
        #krate::mapping::derived::pack_inner::<i64>(&number, column_type, out)
    };
    let unpack = quote! {
        let number = <i64 as #krate::Cell>::unpack(cell)?;
        #(if number == Self::#idents as i64 {
            return ::core::result::Result::Ok(Self::#idents);
        })*
        ::core::result::Result::Err(#krate::mapping::derived::unknown_number(#name))
    };
    (pack, unpack)
}
