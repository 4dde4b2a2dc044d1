//! The code for a struct.

use crate::entity_model::{Column, Entity};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Path;
use syn::spanned::Spanned;

pub(crate) fn generate(model: &Entity) -> TokenStream {
    let Entity { ident, krate, table, key, .. } = model;
    let columns = model.columns.iter().map(|field| column(field, krate));
    let pack = model.columns.iter().take(model.written).enumerate().map(|(index, field)| {
        let (name, ty) = (&field.ident, &field.ty);
        quote_spanned!(ty.span()=>
            #krate::mapping::derived::pack_field::<#ty>(&self.#name, columns, #index, row)?;)
    });
    let unpack = model.columns.iter().enumerate().map(|(index, field)| {
        let (name, ty, column) = (&field.ident, &field.ty, &field.name);
        quote_spanned!(ty.span()=>
            #name: #krate::mapping::derived::unpack_field::<#ty>(cell, #index, #column)?,)
    });
    let skipped = model
        .skipped
        .iter()
        .map(|name| quote_spanned!(name.span()=> #name: ::core::default::Default::default(),));
    // A struct of which the database makes every column writes nothing.
    let unused = (model.written == 0).then(|| quote!(let _ = (columns, row);));
    quote! {
        #[automatically_derived]
        impl #krate::Entity for #ident {
            fn table() -> #krate::Result<#krate::TableName> {
                #krate::TableName::parse(#table)
            }

            fn columns() -> #krate::Result<::std::vec::Vec<#krate::Column>> {
                ::core::result::Result::Ok(::std::vec![#(#columns),*])
            }

            fn key() -> &'static [&'static str] {
                &[#(#key),*]
            }

            fn pack(
                &self,
                columns: &[#krate::Column],
                row: &mut #krate::RowWriter<'_>,
            ) -> #krate::Result<()> {
                #unused
                #(#pack)*
                ::core::result::Result::Ok(())
            }

            fn unpack<'a>(
                cell: &mut dyn ::core::ops::FnMut(usize) -> #krate::Result<#krate::CellRef<'a>>,
            ) -> #krate::Result<Self> {
                ::core::result::Result::Ok(Self { #(#unpack)* #(#skipped)* })
            }
        }
    }
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
    if field.generated {
        column = quote!(#column.generated());
    }
    column
}
