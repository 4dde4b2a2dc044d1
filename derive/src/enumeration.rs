//! The code for an enum.

use crate::enumeration_model::Enumeration;
use proc_macro2::TokenStream;
use quote::quote;

pub(crate) fn generate(model: &Enumeration) -> TokenStream {
    let Enumeration { ident, krate, name, variants } = model;
    let rust = ident.to_string();
    let (idents, labels): (Vec<_>, Vec<_>) = variants.iter().cloned().unzip();
    quote! {
        #[automatically_derived]
        impl #krate::Cell for #ident {
            fn column_type() -> #krate::ColumnType {
                #krate::mapping::derived::enum_type(#name)
            }

            fn labels() -> &'static [&'static str] {
                &[#(#labels),*]
            }

            fn pack(
                &self,
                column_type: &#krate::ColumnType,
                out: &mut ::std::vec::Vec<u8>,
            ) -> #krate::Result<bool> {
                let label = match self { #(Self::#idents => #labels,)* };
                #krate::mapping::derived::pack_label(label, column_type, out)
            }

            fn unpack(cell: #krate::CellRef<'_>) -> #krate::Result<Self> {
                match #krate::mapping::derived::read_label(cell, #rust)? {
                    #(#labels => ::core::result::Result::Ok(Self::#idents),)*
                    _ => ::core::result::Result::Err(
                        #krate::mapping::derived::unknown_label(#name, &[#(#labels),*]),
                    ),
                }
            }
        }
    }
}
