//! The code for a struct that is a composite type.

use crate::composite_model::Composite;
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

pub(crate) fn generate(model: &Composite) -> TokenStream {
    let Composite { ident, rust, krate, name, fields } = model;
    let names = fields.iter().map(|field| &field.name);
    let pack = fields.iter().map(|field| {
        let (name, ty) = (&field.ident, &field.ty);
        quote_spanned!(ty.span()=> record.field::<#ty>(&self.#name)?;)
    });
    let unpack = fields.iter().enumerate().map(|(index, field)| {
        let (name, ty) = (&field.ident, &field.ty);
        quote_spanned!(ty.span()=> #name: record.field::<#ty>(#index)?,)
    });
    quote! {
        #[automatically_derived]
        impl #krate::Cell for #ident {
            fn column_type() -> #krate::ColumnType {
                #krate::ColumnType::Other(::std::string::String::from(#name))
            }

            fn pack(
                &self,
                column_type: &#krate::ColumnType,
                out: &mut ::std::vec::Vec<u8>,
            ) -> #krate::Result<bool> {
                let mut record = #krate::mapping::derived::RecordWriter::default();
                #(#pack)*
                record.finish(column_type, out)
            }

            fn unpack(cell: #krate::CellRef<'_>) -> #krate::Result<Self> {
                let record =
                    #krate::mapping::derived::RecordReader::new(cell, #rust, &[#(#names),*])?;
                ::core::result::Result::Ok(Self { #(#unpack)* })
            }
        }

        #[automatically_derived]
        impl #krate::mapping::cell::Element for #ident {}
    }
}
