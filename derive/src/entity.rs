//! The code for a struct.

use crate::entity_model::Entity;
use crate::{entity_columns, entity_fields};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

pub(crate) fn generate(model: &Entity) -> TokenStream {
    let Entity { ident, krate, table, key, .. } = model;
    let columns = entity_columns::columns(model);
    let indexes = entity_columns::indexes(model);
    let checks = entity_columns::checks(model);
    let constants = entity_fields::generate(model);
    let keyed = keyed(model);
    let (shard_key, sharded) = sharded(model);
    let methods =
        [pack(model), pack_field(model), fill_field(model), unpack(model), unpack_fields(model)];
    quote! {
        #constants
        #keyed
        #sharded
        #checks

        #[automatically_derived]
        impl #krate::Entity for #ident {
            fn table() -> #krate::Result<#krate::TableName> {
                #krate::TableName::parse(#table)
            }

            fn columns() -> #krate::Result<::std::vec::Vec<#krate::Column>> {
                ::core::result::Result::Ok(::std::vec![#(#columns),*])
            }

            #indexes

            fn key() -> &'static [&'static str] {
                &[#(#key),*]
            }

            #shard_key

            #(#methods)*
        }
    }
}

fn pack(model: &Entity) -> TokenStream {
    let krate = &model.krate;
    let fields = model.columns.iter().take(model.written).enumerate().map(|(index, field)| {
        let (name, ty) = (&field.ident, &field.ty);
        quote_spanned!(ty.span()=>
            #krate::mapping::derived::pack_field::<#ty>(&self.#name, columns, #index, row)?;)
    });
    // A struct of which the database makes every column writes nothing.
    let unused = (model.written == 0).then(|| quote!(let _ = (columns, row);));
    quote! {
        fn pack(
            &self,
            columns: &[#krate::Column],
            row: &mut #krate::RowWriter<'_>,
        ) -> #krate::Result<()> {
            #unused
            #(#fields)*
            ::core::result::Result::Ok(())
        }
    }
}

fn pack_field(model: &Entity) -> TokenStream {
    let krate = &model.krate;
    let fields = model.columns.iter().enumerate().map(|(index, field)| {
        let (name, ty, column) = (&field.ident, &field.ty, &field.name);
        quote_spanned!(ty.span()=> #index => #krate::mapping::derived::pack_value::<#ty>(
            &self.#name, #column, column_type, out,
        ),)
    });
    quote! {
        fn pack_field(
            &self,
            index: usize,
            column_type: &#krate::ColumnType,
            out: &mut ::std::vec::Vec<u8>,
        ) -> #krate::Result<bool> {
            match index {
                #(#fields)*
                _ => ::core::result::Result::Err(#krate::mapping::derived::no_column(index)),
            }
        }
    }
}

fn fill_field(model: &Entity) -> TokenStream {
    let krate = &model.krate;
    let fields = model.columns.iter().enumerate().map(|(index, field)| {
        let (name, ty, column) = (&field.ident, &field.ty, &field.name);
        quote_spanned!(ty.span()=> #index => {
            self.#name = #krate::mapping::derived::unpack_value::<#ty>(cell, #column)?;
        })
    });
    quote! {
        fn fill_field(&mut self, index: usize, cell: #krate::CellRef<'_>) -> #krate::Result<()> {
            match index {
                #(#fields)*
                _ => return ::core::result::Result::Err(
                    #krate::mapping::derived::no_column(index),
                ),
            }
            ::core::result::Result::Ok(())
        }
    }
}

fn unpack(model: &Entity) -> TokenStream {
    let krate = &model.krate;
    let fields = model.columns.iter().enumerate().map(|(index, field)| {
        let (name, ty, column) = (&field.ident, &field.ty, &field.name);
        quote_spanned!(ty.span()=>
            #name: #krate::mapping::derived::unpack_field::<#ty>(cell, #index, #column)?,)
    });
    let skipped = skipped(model);
    quote! {
        fn unpack<'a>(
            cell: &mut dyn ::core::ops::FnMut(usize) -> #krate::Result<#krate::CellRef<'a>>,
        ) -> #krate::Result<Self> {
            ::core::result::Result::Ok(Self { #(#fields)* #(#skipped)* })
        }
    }
}

fn unpack_fields(model: &Entity) -> TokenStream {
    let krate = &model.krate;
    // The fields of a struct are made in the order in which they are written here.
    let fields = model.columns.iter().map(|field| {
        let (name, ty, column) = (&field.ident, &field.ty, &field.name);
        quote_spanned!(ty.span()=>
            #name: #krate::mapping::derived::unpack_next::<#ty>(&mut fields, #column)?,)
    });
    let skipped = skipped(model);
    quote! {
        fn unpack_fields(mut fields: #krate::TypedFields<'_>) -> #krate::Result<Self> {
            ::core::result::Result::Ok(Self { #(#fields)* #(#skipped)* })
        }
    }
}

/// The fields of a struct that are no columns.
fn skipped(model: &Entity) -> impl Iterator<Item = TokenStream> {
    model
        .skipped
        .iter()
        .map(|name| quote_spanned!(name.span()=> #name: ::core::default::Default::default(),))
}

/// The key, where there is one.
fn keyed(model: &Entity) -> Option<TokenStream> {
    let Entity { ident, krate, .. } = model;
    let mut parts: Vec<_> = model.columns.iter().filter(|column| column.key).collect();
    parts.sort_by_key(|column| model.key.iter().position(|name| *name == column.name));
    let (names, types): (Vec<_>, Vec<_>) =
        parts.iter().map(|column| (&column.ident, &column.ty)).unzip();
    let clones = names.iter().map(|name| quote!(::core::clone::Clone::clone(&self.#name)));
    let (key, identity) = match types[..] {
        [] => return None,
        [ty] => (quote!(#ty), quote!(#(#clones)*)),
        _ => (quote!((#(#types),*)), quote!((#(#clones),*))),
    };
    Some(quote! {
        #[automatically_derived]
        impl #krate::Keyed for #ident {
            type Key = #key;

            fn identity(&self) -> Self::Key {
                #identity
            }
        }
    })
}

/// The method that names the shard key, and the trait that says of what type it is; neither where
/// the default will do.
fn sharded(model: &Entity) -> (Option<TokenStream>, Option<TokenStream>) {
    let Entity { ident, krate, .. } = model;
    let Some(column) = model.columns.iter().find(|column| column.shard_key) else {
        return (None, None);
    };
    let (name, ty) = (&column.name, &column.ty);
    let method = quote! {
        fn shard_key() -> ::core::option::Option<&'static str> {
            ::core::option::Option::Some(#name)
        }
    };
    let message = "a shard key cannot be NULL: a row without one would have no shard";
    let sharded = quote_spanned! {ty.span()=>
        const _: () = ::core::assert!(!<#ty as #krate::Cell>::NULLABLE, #message);

        #[automatically_derived]
        impl #krate::Sharded for #ident {
            type ShardKey = #ty;
        }
    };
    (Some(method), Some(sharded))
}
