//! Written by the test beside it.
#![allow(dead_code)]

// Features of rowmill: jiff.
use rowmill::Entity;

/// A row of `artists`.
#[derive(Clone, Debug, PartialEq, Entity)]
#[entity(table = "artists")]
pub struct Artist {
    #[entity(key, generated, column = "ArtistId")]
    pub artist_id: i64,
    #[entity(column = "Name", length = 160, unique)]
    pub name: String,
    #[entity(column = "first album")]
    pub first_album: Option<jiff::civil::Date>,
    /// Where a statement leaves it out: `'band'`.
    pub r#type: String,
    #[entity(default = "current_timestamp")]
    pub added: String,
    pub price: Option<rowmill::Numeric>,
    pub rating: Option<f64>,
    pub photo: Option<Vec<u8>>,
    /// Where a statement leaves it out: `1`.
    pub is_active: bool,
    pub r#match: Option<i64>,
    #[entity(references = Artist, on_delete = "set null")]
    pub boss: Option<i64>,
    #[entity(read_only)]
    pub initial: Option<String>,
}

/// A row of `albums`.
#[derive(Clone, Debug, PartialEq, Entity)]
#[entity(table = "albums")]
#[entity(index(title, year))]
pub struct Album {
    #[entity(key, references = Artist, on_delete = "cascade")]
    pub artist: i64,
    #[entity(key)]
    pub title: String,
    #[entity(index)]
    pub year: Option<i64>,
}

/// A row of `plain`.
#[derive(Clone, Debug, PartialEq, Entity)]
#[entity(table = "plain")]
pub struct Plain {
    pub a: Option<String>,
    pub b: Option<i64>,
}

/// A row of `newest`.
#[derive(Clone, Debug, PartialEq, Entity)]
#[entity(table = "newest")]
pub struct Newest {
    pub title: Option<String>,
}
