//! What an entity says of the table that is created for it.

use rowmill::{ColumnType, Entity, Made, OnDelete, Result, SqlEnum, TableShape};

#[derive(Debug, PartialEq, SqlEnum)]
#[sql_enum(name = "media.Kind", rename_all = "lowercase")]
enum Kind {
    Studio,
    Live,
}

#[derive(Entity)]
#[entity(table = "artists")]
struct Artist {
    #[entity(key, generated, column = "artist_id")]
    id: i64,
    #[entity(length = 160, unique)]
    name: String,
    #[entity(index)]
    country: Option<String>,
}

#[derive(Entity)]
#[entity(unique(artist, title), index(r#type, title))]
struct Album {
    #[entity(key, default = "gen_random_uuid()")]
    id: String,
    #[entity(references = Artist, on_delete = "cascade", column = "artist_ref")]
    artist: i64,
    #[entity(references = "etl.labels.code", on_delete = "set null")]
    label: Option<String>,
    title: String,
    r#type: Option<Kind>,
    #[entity(generated)]
    number: i32,
    #[entity(generated)]
    search: String,
    #[entity(read_only)]
    changed_by: String,
}

/// The indexes of a shape: `unique (a, b)`.
fn indexes(shape: &TableShape) -> Vec<String> {
    let show = |index: &rowmill::Index| {
        let columns: Vec<_> = index.columns.iter().map(rowmill::Ident::as_str).collect();
        format!("{}({})", if index.unique { "unique " } else { "" }, columns.join(", "))
    };
    shape.indexes.iter().map(show).collect()
}

#[test]
fn a_length_is_the_type_of_the_column_and_of_its_constant() -> Result<()> {
    let shape = TableShape::of::<Artist>()?;
    let found: Vec<_> = shape.columns.iter().map(|column| column.column_type.sql()).collect();
    assert_eq!(found, ["varchar(160)", "text", "bigint"]);
    assert_eq!(Artist::name.column_type()?, ColumnType::Varchar(Some(160)));
    Ok(())
}

#[test]
fn indexes_of_fields_come_before_those_over_several_and_name_columns() -> Result<()> {
    assert_eq!(indexes(&TableShape::of::<Artist>()?), ["unique (name)", "(country)"]);
    let album = TableShape::of::<Album>()?;
    assert_eq!(indexes(&album), ["unique (artist_ref, title)", "(type, title)"]);
    Ok(())
}

#[test]
fn what_the_database_makes_is_generated_and_says_how() -> Result<()> {
    let shape = TableShape::of::<Album>()?;
    let made: Vec<_> = shape
        .columns
        .iter()
        .map(|column| (column.name.as_str(), column.generated, column.made.clone()))
        .collect();
    let default = Made::Default("gen_random_uuid()".into());
    assert_eq!(
        made,
        [
            ("artist_ref", false, Made::Nowhere),
            ("label", false, Made::Nowhere),
            ("title", false, Made::Nowhere),
            ("type", false, Made::Nowhere),
            ("id", true, default),
            ("number", true, Made::Identity),
            ("search", true, Made::Nowhere),
            ("changed_by", true, Made::Elsewhere),
        ]
    );
    Ok(())
}

#[test]
fn a_reference_says_what_becomes_of_the_row() -> Result<()> {
    let shape = TableShape::of::<Album>()?;
    let actions: Vec<_> = shape
        .columns
        .iter()
        .filter_map(|column| column.references.as_ref())
        .map(|to| (to.table.plain(), to.column.as_str().to_owned(), to.on_delete))
        .collect();
    let expected = [
        ("artists".to_owned(), "artist_id".to_owned(), OnDelete::Cascade),
        ("etl.labels".to_owned(), "code".to_owned(), OnDelete::SetNull),
    ];
    assert_eq!(actions, expected);
    Ok(())
}

#[test]
fn a_column_knows_the_labels_of_its_enum_and_the_enum_is_quoted_where_it_has_to_be() -> Result<()> {
    let shape = TableShape::of::<Album>()?;
    let column = shape.columns.iter().find(|column| column.name.as_str() == "type").unwrap();
    assert_eq!(column.labels, ["studio", "live"]);
    assert_eq!(column.column_type, ColumnType::Enum("media.\"Kind\"".into()));
    Ok(())
}

#[test]
fn the_index_of_the_key_is_not_declared_twice() -> Result<()> {
    #[derive(Entity)]
    #[entity(unique(id))]
    struct Plain {
        #[entity(key, unique)]
        id: i64,
    }
    let shape = TableShape::of::<Plain>()?;
    assert!(shape.indexes.is_empty());
    Ok(())
}
