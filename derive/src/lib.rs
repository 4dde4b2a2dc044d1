//! The derive macros of rowmill: [`Entity`](macro@Entity) for structs, [`SqlEnum`] for enums,
//! [`Cell`](macro@Cell) for types around others, [`Composite`](macro@Composite) for composite types.
//!
//! - `entity_model`: a struct, parsed and checked; `struct_options` and `field_options` are what its
//!   attributes say
//! - `entity`, `entity_columns`, `entity_fields`: what is generated for it
//! - `enumeration`, `enumeration_model`: an enum, likewise
//! - `cell`, `cell_model`: a type that travels as another one, likewise
//! - `composite`, `composite_model`: a struct that is a composite type, likewise
//! - `attributes`: what all read from their attributes
//! - `names`: a Rust name as the name of a table or a label
//! - `types`: which types are refused, and which SQL types there are
//!
//! Every path that is generated is absolute: nothing that the user's module names, renames or
//! shadows changes its meaning. Whoever has renamed the crate says so with `crate = "..."`.

mod attributes;
mod cell;
mod cell_model;
mod composite;
mod composite_model;
mod entity;
mod entity_columns;
mod entity_fields;
mod entity_model;
mod enumeration;
mod enumeration_model;
mod field_options;
mod names;
mod struct_options;
mod types;

use proc_macro::TokenStream;
use syn::{DeriveInput, Error, parse_macro_input};

/// Maps a struct to a table: writes `rowmill::Entity` for it, `rowmill::Keyed` if it has a key, and
/// for each field that is a column a constant `rowmill::Field` of the same name.
///
/// On the struct:
/// - `#[entity(table = "schema.name")]`: the table. Default: the name in `snake_case`.
/// - `#[entity(fields = "name")]`: a module for the constants of the fields, for a struct that has
///   methods of the same names. Default: they are the struct's own, `Runway::length`.
/// - `#[entity(unique(first, second))]`, `#[entity(index(first, second))]`: an index over several
///   fields; may be given more than once.
/// - `#[entity(crate = "path")]`: where rowmill is. Default: `::rowmill`.
///
/// On a field:
/// - `#[entity(key)]`: it is (a part of) the key.
/// - `#[entity(column = "name")]`: the column. Default: the name of the field.
/// - `#[entity(column_type = "numeric(15,2)")]`: the type of a column that is created for it.
///   Default: that of the field's type.
/// - `#[entity(length = 160)]`: it is a text of so many characters at most: a `varchar(160)`.
/// - `#[entity(unique)]`, `#[entity(index)]`: it has an index of its own, a unique one or not.
/// - `#[entity(generated)]`: the database makes it: it is read and never written. A whole number is
///   an identity in a table that is created for the entity.
/// - `#[entity(default = "now()")]`: the database makes it by this expression: it is read and never
///   written.
/// - `#[entity(read_only)]`: somebody else makes it, a trigger for instance: it is read and never
///   written.
/// - `#[entity(version)]`: it counts the versions of its row: an update of a row that somebody else
///   has updated in the meantime fails.
/// - `#[entity(references = Artist)]`: it is a foreign key: the key of a row of that entity. Also
///   `"table.column"`, where there is no entity.
/// - `#[entity(on_delete = "cascade")]`, beside `references`: what becomes of a row when the row it
///   refers to is deleted; also `"restrict"` and `"set null"`. Default: that row cannot be deleted.
/// - `#[entity(shard_key)]`: it says on which shard the row is: `rowmill::Sharded` is written too.
/// - `#[entity(skip)]`: it is no column; `Default::default()` when a row is read.
#[proc_macro_derive(Entity, attributes(entity))]
pub fn derive_entity(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    entity_model::Entity::parse(&input)
        .map_or_else(Error::into_compile_error, |model| entity::generate(&model))
        .into()
}

/// Maps an enum without fields to a column: writes `rowmill::Cell` for it. The column is an enum of
/// the database, or of texts or whole numbers.
///
/// On the enum:
/// - `#[sql_enum(name = "mood")]`: the type in the database. Default: the name in `snake_case`.
/// - `#[sql_enum(text)]`: the column is a `text` of the labels.
/// - `#[sql_enum(int)]`: the column is a whole number, the discriminant: `smallint` under
///   `#[repr(i8)]`, `#[repr(u8)]` and `#[repr(i16)]`, `bigint` under `#[repr(u32)]` and
///   `#[repr(i64)]`, otherwise `integer`. There are no labels.
/// - `#[sql_enum(rename_all = "snake_case")]`: the labels; also `kebab-case`, `lowercase`,
///   `UPPERCASE`, `SCREAMING_SNAKE_CASE`, `camelCase` and `PascalCase`. Default: as they are.
/// - `#[sql_enum(crate = "path")]`: where rowmill is. Default: `::rowmill`.
///
/// On a variant:
/// - `#[sql_enum(label = "...")]`: its label.
#[proc_macro_derive(SqlEnum, attributes(sql_enum))]
pub fn derive_sql_enum(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    enumeration_model::Enumeration::parse(&input)
        .map_or_else(Error::into_compile_error, |model| enumeration::generate(&model))
        .into()
}

/// Makes a column of a type around another one: writes `rowmill::Cell` for it, so that it, an
/// `Option` and a `Vec` of it can be fields of an entity.
///
/// A struct with one field travels as that field. On the type:
/// - `#[cell(text)]`: it travels as a text, by its `Display` and its `FromStr`.
/// - `#[cell(via = "i64")]`: it travels as another type, by `Clone` and `Into` there and `TryFrom`
///   back.
/// - `#[cell(nul = "strip")]`: what becomes of NULs in its only field, a text: `reject`, `strip` or
///   `replace`.
/// - `#[cell(column_type = "varchar(20)")]`: the type of a column that is created for it. Default:
///   that of what it travels as.
/// - `#[cell(domain = "shop.email")]`: the same, a domain or another type of the database itself.
/// - `#[cell(crate = "path")]`: where rowmill is. Default: `::rowmill`.
///
/// What `FromStr` and `TryFrom` say of a value that they refuse is in no error: it can show it.
#[proc_macro_derive(Cell, attributes(cell))]
pub fn derive_cell(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    cell_model::Cell::parse(&input)
        .map_or_else(Error::into_compile_error, |model| cell::generate(&model))
        .into()
}

/// Maps a struct to a composite type of the database: writes `rowmill::Cell` for it, so that it, an
/// `Option` and a `Vec` of it can be fields of an entity, and of another composite.
///
/// Its fields have to be those of the composite type, in the same order: a record that is written
/// has no names for them. What is read is compared with the names, where the server gives them.
///
/// On the struct:
/// - `#[composite(name = "shop.address")]`: the type in the database. Default: the name in
///   `snake_case`.
/// - `#[composite(crate = "path")]`: where rowmill is. Default: `::rowmill`.
///
/// On a field:
/// - `#[composite(field = "house no")]`: its name in the database. Default: the name of the field.
#[proc_macro_derive(Composite, attributes(composite))]
pub fn derive_composite(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    composite_model::Composite::parse(&input)
        .map_or_else(Error::into_compile_error, |model| composite::generate(&model))
        .into()
}
