//! `#[derive(Entity)]` and `#[derive(SqlEnum)]`: what they write reads back.

use rowmill::{
    Cell, CellRef, Column, ColumnType, Entity, ErrorKind, Key, Keyed, Result, Rows, SqlEnum,
    TypedFields,
};

#[derive(Clone, Copy, Debug, PartialEq, SqlEnum)]
#[sql_enum(name = "surface_kind", rename_all = "snake_case")]
enum Surface {
    Asphalt,
    LooseGravel,
    #[sql_enum(label = "H2O")]
    Water,
}

#[derive(Debug, Default, PartialEq, Entity)]
#[entity(table = "etl.runways")]
struct Runway {
    #[entity(generated)]
    loaded_by: String,
    #[entity(key)]
    id: i64,
    #[entity(key, column = "airport ref")]
    airport_ref: i32,
    r#type: Option<String>,
    #[entity(column_type = "numeric(15,2)")]
    length: i64,
    surface: Option<Surface>,
    #[entity(skip)]
    cache: Vec<u32>,
}

#[derive(Debug, PartialEq, Entity)]
struct LineItem {
    id: i64,
}

fn runway() -> Runway {
    Runway {
        loaded_by: String::new(),
        id: 7,
        airport_ref: -3,
        r#type: None,
        length: 3_000,
        surface: Some(Surface::LooseGravel),
        cache: vec![1],
    }
}

/// Packs an entity as a row of `columns`.
fn packed<E: Entity>(entity: &E, columns: &[Column]) -> Result<Rows> {
    let mut rows = Rows::new(columns.iter().filter(|column| !column.generated).count() as u16);
    let mut row = rows.begin();
    entity.pack(columns, &mut row)?;
    row.finish()?;
    Ok(rows)
}

/// Reads a row of `columns`; generated columns are `made`.
fn unpacked<E: Entity>(rows: &Rows, columns: &[Column], made: &str) -> Result<E> {
    let fields: Vec<_> = rows.row(0).collect();
    E::unpack(&mut |index| {
        Ok(match fields.get(index) {
            Some(Some(bytes)) => CellRef::Packed(&columns[index].column_type, bytes),
            Some(None) => CellRef::Null,
            None => CellRef::Text(made),
        })
    })
}

#[test]
fn the_table_the_key_and_the_columns_are_as_declared() -> Result<()> {
    assert_eq!(Runway::table()?.plain(), "etl.runways");
    assert_eq!(LineItem::table()?.plain(), "line_item");
    assert_eq!(Runway::key(), ["id", "airport ref"]);
    let columns: Vec<_> = Runway::columns()?
        .iter()
        .map(|c| (c.name.as_str().to_owned(), c.column_type.sql(), c.nullable, c.generated))
        .collect();
    let expected = [
        ("id", "bigint", false, false),
        ("airport ref", "integer", false, false),
        ("type", "text", true, false),
        ("length", "numeric(15,2)", false, false),
        ("surface", "surface_kind", true, false),
        ("loaded_by", "text", false, true),
    ]
    .map(|(name, sql, nullable, generated)| (name.to_owned(), sql.to_owned(), nullable, generated));
    assert_eq!(columns, expected);
    Ok(())
}

#[test]
fn a_row_comes_back_without_what_is_skipped_and_with_what_is_generated() -> Result<()> {
    let columns = Runway::columns()?;
    let rows = packed(&runway(), &columns)?;
    assert_eq!(rows.row(0).count(), 5, "the generated column is never written");
    let back: Runway = unpacked(&rows, &columns, "trigger")?;
    assert_eq!(back, Runway { loaded_by: "trigger".into(), cache: vec![], ..runway() });
    Ok(())
}

#[test]
fn a_row_is_packed_as_the_types_of_the_table_and_not_of_the_struct() -> Result<()> {
    let mut columns = Runway::columns()?;
    columns[0].column_type = ColumnType::Int2;
    let rows = packed(&runway(), &columns)?;
    assert_eq!(rows.row(0).next(), Some(Some(&[0, 7][..])));
    assert_eq!(unpacked::<Runway>(&rows, &columns, "")?.id, 7);
    Ok(())
}

#[test]
fn fields_that_are_read_one_after_the_other_are_the_cells_of_the_row() -> Result<()> {
    let columns = Runway::columns()?;
    let types: Vec<_> = columns.iter().map(|column| column.column_type.clone()).collect();
    let mut rows = Rows::new(columns.len() as u16);
    let (whole, mut no_key) = (runway(), runway());
    no_key.id = 0;
    for entity in [&whole, &no_key] {
        let mut row = rows.begin();
        entity.pack(&columns, &mut row)?;
        row.cell(&"night".to_owned(), &ColumnType::Text)?;
        row.finish()?;
    }
    for index in 0..rows.len() {
        let read = Runway::unpack_fields(TypedFields::new(rows.row(index), &types))?;
        let fields: Vec<_> = rows.row(index).collect();
        let expected = Runway::unpack(&mut |at| {
            Ok(fields[at].map_or(CellRef::Null, |bytes| CellRef::Packed(&types[at], bytes)))
        })?;
        assert_eq!(read, expected);
        assert_eq!(read.loaded_by, "night");
    }
    Ok(())
}

#[test]
fn a_field_that_cannot_be_read_names_its_column_and_so_does_one_that_is_missing() -> Result<()> {
    let columns = Runway::columns()?;
    let types: Vec<_> = columns.iter().map(|column| column.column_type.clone()).collect();
    let rows = packed(&runway(), &columns)?;
    let fault = |types: &[ColumnType]| {
        let error = Runway::unpack_fields(TypedFields::new(rows.row(0), types)).unwrap_err();
        (error.kind(), error.place().column.clone().unwrap_or_default())
    };
    // Nothing was packed for the generated column, which comes last.
    assert_eq!(fault(&types), (ErrorKind::Decode, "loaded_by".to_owned()));
    let mut other = types;
    other[1] = ColumnType::Date;
    assert_eq!(fault(&other), (ErrorKind::Decode, "airport ref".to_owned()));
    Ok(())
}

#[test]
fn untyped_cells_are_read() -> Result<()> {
    let cells = [
        CellRef::Integer(7),
        CellRef::Integer(-3),
        CellRef::Null,
        CellRef::Text("3000.00"),
        CellRef::Text("loose_gravel"),
        CellRef::Text(""),
    ];
    let read = Runway::unpack(&mut |index| Ok(cells[index]))?;
    assert_eq!(read, Runway { cache: vec![], ..runway() });
    Ok(())
}

#[test]
fn an_error_names_the_column_and_no_value() {
    let mut columns = Runway::columns().unwrap();
    columns[1].column_type = ColumnType::Date;
    let error = packed(&runway(), &columns).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Encode);
    assert_eq!(error.place().column.as_deref(), Some("airport ref"));

    let error = LineItem::unpack(&mut |_| Ok(CellRef::Null)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert_eq!(error.to_string(), "NULL in a field that is not an Option [column id]");
}

#[test]
fn too_few_columns_are_an_error_and_no_panic() {
    let columns = Runway::columns().unwrap();
    assert_eq!(packed(&runway(), &columns[..2]).unwrap_err().kind(), ErrorKind::Internal);
}

#[test]
fn an_enum_travels_as_its_label() -> Result<()> {
    for (value, label) in [
        (Surface::Asphalt, "asphalt"),
        (Surface::LooseGravel, "loose_gravel"),
        (Surface::Water, "H2O"),
    ] {
        for column_type in [Surface::column_type(), ColumnType::Text, ColumnType::Char(20)] {
            let mut out = Vec::new();
            assert!(value.pack(&column_type, &mut out)?);
            assert_eq!(String::from_utf8_lossy(&out).trim_end(), label);
            assert_eq!(Surface::unpack(CellRef::Packed(&column_type, &out))?, value);
        }
    }
    assert_eq!(Surface::column_type(), ColumnType::Enum("surface_kind".into()));
    Ok(())
}

#[test]
fn an_unknown_label_is_an_error_that_names_the_known_ones_and_not_itself() {
    let error = Surface::unpack(CellRef::Text("secret")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    let line = error.to_string();
    assert!(line.contains("asphalt, loose_gravel, H2O"), "{line}");
    assert!(!line.contains("secret"), "{line}");
}

#[test]
fn the_types_that_the_derive_knows_are_those_of_the_crate() -> Result<()> {
    // The derive has its own list, because it cannot see the crate: every type of the crate must
    // compile here.
    #[derive(Entity)]
    #[entity(crate = "rowmill")]
    struct All {
        #[entity(column_type = "double precision")]
        a: f64,
        #[entity(column_type = "character varying(20)")]
        b: String,
        #[entity(column_type = "timestamp with time zone")]
        c: Option<String>,
        #[entity(column_type = "smallint[]")]
        d: Vec<i16>,
    }
    let sql: Vec<_> = All::columns()?.iter().map(|c| c.column_type.sql()).collect();
    assert_eq!(sql, ["double precision", "varchar(20)", "timestamptz", "smallint[]"]);
    Ok(())
}

#[derive(Clone, Debug, PartialEq, Entity)]
#[entity(table = "artists")]
struct Artist {
    #[entity(key, generated, column = "artist_id")]
    id: i64,
    #[entity(version)]
    version: i32,
}

#[derive(Clone, Debug, PartialEq, Entity)]
#[entity(fields = "album")]
struct Album {
    #[entity(key)]
    title: String,
    #[entity(key, references = Artist)]
    artist_id: i64,
    #[entity(references = "etl.labels.code")]
    label: Option<String>,
}

impl Album {
    /// Would be defined twice if the constants were the struct's own.
    fn title(&self) -> &str {
        &self.title
    }
}

fn packed_field<E: Entity>(entity: &E, index: usize, column_type: &ColumnType) -> Vec<u8> {
    let mut out = Vec::new();
    assert!(entity.pack_field(index, column_type, &mut out).unwrap());
    out
}

#[test]
fn every_column_has_a_constant_that_knows_its_name_its_place_and_its_type() -> Result<()> {
    assert_eq!((Artist::id.name(), Artist::id.index()), ("artist_id", 1));
    assert_eq!((Artist::version.name(), Artist::version.index()), ("version", 0));
    assert_eq!(Runway::length.column_type()?.sql(), "numeric(15,2)");
    assert_eq!(Runway::surface.column_type()?.sql(), "surface_kind");
    let by_name = |field: rowmill::Field<Album, i64, Artist>| field.name();
    assert_eq!(by_name(album::artist_id), "artist_id");
    assert_eq!((album::title.index(), album::label.index()), (0, 2));
    Ok(())
}

#[test]
fn a_key_is_a_value_or_a_tuple_in_the_order_of_the_struct() -> Result<()> {
    let album = Album { title: "Blue".into(), artist_id: 7, label: None };
    assert_eq!(album.identity(), (album.title().to_owned(), 7));
    assert_eq!(Artist { id: 7, version: 1 }.identity(), 7);
    let mut out = Vec::new();
    assert!(album.identity().pack_part(1, &ColumnType::Int8, &mut out)?);
    assert_eq!(out, 7_i64.to_be_bytes());
    assert_eq!(
        album.identity().pack_part(2, &ColumnType::Int8, &mut out).unwrap_err().kind(),
        ErrorKind::Internal
    );
    assert_eq!((<i64 as Key>::COLUMNS, <(String, i64) as Key>::COLUMNS), (1, 2));
    Ok(())
}

#[test]
fn one_column_is_packed_and_filled_also_where_the_database_makes_it() -> Result<()> {
    let mut artist = Artist { id: 7, version: 1 };
    assert_eq!(packed_field(&artist, 1, &ColumnType::Int8), 7_i64.to_be_bytes());
    artist.fill_field(1, CellRef::Integer(8))?;
    artist.fill_field(0, CellRef::Integer(2))?;
    assert_eq!(artist, Artist { id: 8, version: 2 });
    let error = artist.fill_field(1, CellRef::Null).unwrap_err();
    assert_eq!(error.place().column.as_deref(), Some("artist_id"));
    assert_eq!(artist.fill_field(2, CellRef::Null).unwrap_err().kind(), ErrorKind::Internal);
    let refused = artist.pack_field(2, &ColumnType::Int8, &mut Vec::new());
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Internal);
    Ok(())
}

#[test]
fn a_column_says_what_it_refers_to_and_whether_it_is_the_version() -> Result<()> {
    let columns = Album::columns()?;
    let target = |index: usize| {
        let reference = columns[index].references.as_ref();
        reference.map(|to| (to.table.plain(), to.column.as_str().to_owned()))
    };
    assert_eq!(target(0), None);
    assert_eq!(target(1), Some(("artists".into(), "artist_id".into())));
    assert_eq!(target(2), Some(("etl.labels".into(), "code".into())));
    let versions: Vec<_> = Artist::columns()?.iter().map(|column| column.version).collect();
    assert_eq!(versions, [true, false]);
    Ok(())
}

#[test]
fn a_reference_to_an_entity_with_two_keys_is_an_error_that_says_what_to_write() {
    #[derive(Entity)]
    struct Review {
        #[entity(references = Album)]
        album: String,
    }
    let error = Review::columns().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("references = \"table.column\""), "{error}");
    assert_eq!(Review::album.name(), "album");
}

mod shadowed {
    //! Names of the user that generated code must not fall for.
    #![allow(dead_code, non_camel_case_types, reason = "they are only there to be in the way")]

    type Result = ();
    type Option = ();
    type Vec = ();
    type String = ();
    type Ok = ();
    mod std {}
    mod core {}

    #[derive(::rowmill::Entity)]
    struct Plain {
        id: i64,
    }

    #[derive(::rowmill::SqlEnum)]
    enum Mood {
        Ok,
        Err,
    }
}
