//! Entities and their tables, without a session.

use crate::support::{Home, on_both};

// guide
use rowmill::prelude::*;

#[derive(Clone, Debug, PartialEq, Entity)]
#[entity(table = "artists")]
pub struct Artist {
    #[entity(key, generated)]
    pub id: i64,
    #[entity(length = 120, index)]
    pub name: String,
    pub country: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Entity)]
#[entity(table = "albums", unique(artist_id, title))]
pub struct Album {
    #[entity(key, generated)]
    pub id: i64,
    #[entity(length = 160)]
    pub title: String,
    #[entity(references = Artist, on_delete = "cascade")]
    pub artist_id: i64,
}
// guide

pub fn artist(name: &str) -> Artist {
    Artist { id: 0, name: name.to_owned(), country: None }
}

pub fn tables(engine: &Engine) -> Result<()> {
    // guide
    let schema = rowmill::Schema::new().with::<Artist>().with::<Album>();
    schema.create_all(engine)?; // or create_missing
    schema.verify(engine)?; // every difference between the structs and the database, at once
    // guide
    Ok(())
}

/// Runs `test` on both databases, which have the tables.
pub fn on_both_with_tables(test: impl Fn(&Home) -> Result<()>) {
    on_both(|home| {
        tables(home.engine()).unwrap();
        test(home).unwrap();
    });
}

#[test]
fn tables_are_created_from_structs() {
    on_both_with_tables(|home| {
        home.sql("insert into artists (name) values ('Nina Simone')");
        home.sql("insert into albums (title, artist_id) values ('Pastel Blues', 1)");
        home.sql("delete from artists");
        assert_eq!(home.rows("select count(*) from albums"), ["0"]);
        rowmill::Schema::new().with::<Artist>().with::<Album>().drop_all(home.engine())
    });
}

#[test]
fn one_row_is_created_read_updated_and_deleted() {
    on_both_with_tables(|home| {
        let engine = home.engine();
        // guide
        let mut nina = Artist { id: 0, name: "Nina".to_owned(), country: None };
        nina.insert(engine)?; // the database has made nina.id
        let same = Artist::get(engine, nina.id)?; // an Option
        assert_eq!(same.as_ref(), Some(&nina));

        nina.name = "Nina Simone".to_owned();
        nina.update(engine)?; // an error, if somebody has deleted her
        nina.save(engine)?; // update, or insert if she is not there
        // guide
        assert_eq!(home.rows("select id, name from artists"), [format!("{}|Nina Simone", nina.id)]);
        // guide
        let was_there = nina.delete(engine)?;
        // guide
        assert!(was_there);
        assert_eq!(home.rows("select count(*) from artists"), ["0"]);
        Ok(())
    });
}

#[test]
fn many_rows_are_few_statements() {
    on_both_with_tables(|home| {
        let engine = home.engine();
        let names = ["Nina Simone", "Sarah Vaughan", "Ella Fitzgerald"];
        // guide
        let mut artists: Vec<Artist> = names
            .iter()
            .map(|name| Artist { id: 0, name: (*name).to_owned(), country: None })
            .collect();
        Artist::insert_many(engine, &mut artists)?; // all or none; each has its id now

        for artist in &mut artists {
            artist.country = Some("US".to_owned());
        }
        Artist::bulk_update(engine, &mut artists, Artist::country)?;
        Artist::bulk_delete(engine, artists.iter().skip(2).map(|artist| artist.id))?;
        // guide
        let expected = ["Nina Simone|US", "Sarah Vaughan|US"];
        assert_eq!(home.rows("select name, country from artists order by id"), expected);
        // guide
        let many =
            (0..10_000).map(|n| Artist { id: 0, name: format!("artist {n}"), country: None });
        let stored = Artist::insert_all(engine, many)?; // COPY, in constant memory
        // guide
        assert_eq!(stored, 10_000);
        assert_eq!(home.rows("select count(*) from artists"), ["10002"]);
        Ok(())
    });
}

#[test]
fn rows_are_changed_without_being_read() {
    on_both_with_tables(|home| {
        let engine = home.engine();
        for name in ["a", "b", "c"] {
            artist(name).insert(engine)?;
        }
        // guide
        let changed = Update::<Artist>::new()
            .set(Artist::country, "NO")
            .filter(Artist::country.is_null())
            .run(engine)?;
        let deleted: Vec<Artist> =
            Delete::<Artist>::new().filter(Artist::name.is_in(["a", "b"])).returning(engine)?;
        // guide
        assert_eq!((changed, deleted.len()), (3, 2));
        assert_eq!(home.rows("select name, country from artists"), ["c|NO"]);
        assert_eq!(Delete::<Artist>::new().run(engine).unwrap_err().kind(), ErrorKind::Config);
        Ok(())
    });
}

#[test]
fn files_of_sql_change_a_database() {
    on_both_with_tables(|home| {
        home.file("0001_add_born.sql", "alter table artists add column born integer;");
        let (engine, folder) = (home.engine(), home.folder());
        // guide
        let migrations = rowmill::Migrations::read(folder)?; // or built into the program: of(..)
        let applied = migrations.run(engine)?; // each file once, in one transaction with its record
        // guide
        assert_eq!(applied.len(), 1);
        assert!(migrations.run(engine)?.is_empty());
        assert_eq!(home.rows("select count(born) from artists"), ["0"]);
        Ok(())
    });
}
