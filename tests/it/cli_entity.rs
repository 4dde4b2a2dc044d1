//! `rowmill entity` prints what a program needs of a table that is there.

use crate::support::{on_both, rowmill};

const ARTISTS: &str = "create table artists (id bigint not null primary key, name varchar(160) \
    not null unique, born date)";

#[test]
fn the_source_of_an_entity_is_all_that_is_on_standard_output() {
    on_both(|home| {
        home.sql(ARTISTS);
        let words = ["entity", "artists", "--name", "Artist", "--chrono", "--target", home.url()];
        let done = rowmill(words).finish();
        let expected = "\
// Features of rowmill: chrono.
use rowmill::Entity;

/// A row of `artists`.
#[derive(Clone, Debug, PartialEq, Entity)]
#[entity(table = \"artists\")]
pub struct Artist {
    #[entity(key)]
    pub id: i64,
    #[entity(length = 160, unique)]
    pub name: String,
    pub born: Option<chrono::NaiveDate>,
}
";
        assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""));
        assert_eq!(done.stdout, expected);
    });
}

#[test]
fn several_tables_refer_to_each_other_by_their_entities() {
    on_both(|home| {
        home.sql(ARTISTS);
        home.sql("create table albums (title text, artist bigint references artists (id))");
        let done =
            rowmill(["entity", "albums", "artists"]).env("ROWMILL_TARGET", home.url()).finish();
        assert_eq!(done.code, Some(0), "{done}");
        let field = "    #[entity(references = Artists)]\n    pub artist: Option<i64>,\n";
        assert!(done.stdout.contains(field), "{done}");
    });
}

#[test]
fn a_table_or_a_database_that_is_not_there_is_one_line_and_exit_code_2() {
    on_both(|home| {
        home.sql(ARTISTS);
        let done = rowmill(["entity", "nowhere", "--target", home.url()]).finish();
        assert_eq!((done.code, done.stdout.as_str()), (Some(2), ""), "{done}");
        assert!(done.stderr.starts_with("rowmill: there is no table nowhere: "), "{done}");
        assert_eq!(done.stderr.lines().count(), 1);
    });
    let folder = tempfile::tempdir().unwrap();
    let done = rowmill(["entity", "t", "--target", "sqlite:no.db"]).cwd(folder.path()).finish();
    assert_eq!(done.code, Some(2), "{done}");
    assert!(!folder.path().join("no.db").exists());
    let done = rowmill(["entity", "t"]).finish();
    let line = "rowmill: no database is named: give --target URL, or set ROWMILL_TARGET\n";
    assert_eq!((done.code, done.stderr.as_str()), (Some(2), line));
}
