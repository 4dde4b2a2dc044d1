//! SQL as it is written, and its rows.

use crate::support::chinook::{Album, Artist, Track, on_both_filled};
use rowmill::{Entity, ErrorKind, Sql};

#[derive(Debug, PartialEq, Entity)]
struct Sum {
    genre: Option<i32>,
    cents: i64,
}

#[test]
fn rows_are_read_by_the_names_of_their_columns_wherever_they_stand() {
    on_both_filled(|home| {
        let engine = home.engine();
        let album: Album =
            Sql::new("select artist_id, 'x' as more, title, id from albums where id = :id")
                .bind("id", 7_i64)
                .one(engine)
                .unwrap();
        let expected = home.rows("select id, title, artist_id from albums where id = 7");
        assert_eq!(format!("{}|{}|{}", album.id, album.title, album.artist_id), expected[0]);
        let sums: Vec<Sum> = Sql::new(
            "select cast(sum(cents) as bigint) as cents, genre_id as genre from tracks \
             group by genre_id order by genre_id nulls last",
        )
        .all(engine)
        .unwrap();
        assert_eq!((sums.len(), sums[5].genre), (6, None));
    });
}

#[test]
fn values_are_given_by_name_or_in_turn() {
    on_both_filled(|home| {
        let engine = home.engine();
        let by_name: (i64,) = Sql::new(
            "select count(*) from tracks where cents = :cents and (name like :like or cents = :cents)",
        )
        .bind("like", "Blue%")
        .bind("cents", 99_i64)
        .one(engine)
        .unwrap();
        let in_turn: (i64,) = Sql::new("select count(*) from tracks where cents = $1 and id > $2")
            .value(99_i64)
            .value(0_i64)
            .one(engine)
            .unwrap();
        assert_eq!(by_name, in_turn);
        let changed = Sql::new("update artists set name = :name where id <= :id")
            .bind("name", Some("one name"))
            .bind("id", 3_i64)
            .run(engine);
        assert_eq!(changed.unwrap(), 3);
    });
}

#[test]
fn a_column_that_is_missing_or_there_twice_is_an_error_that_names_it() {
    on_both_filled(|home| {
        let engine = home.engine();
        let missing = Sql::new("select id from artists").first::<Artist>(engine).unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::Decode);
        assert_eq!(missing.place().column.as_deref(), Some("name"));
        let twice = Sql::new("select a.*, b.* from artists a join artists b on a.id = b.id");
        let twice = twice.first::<Artist>(engine).unwrap_err();
        assert_eq!(twice.place().column.as_deref(), Some("id"));
        let few = Sql::new("select 1, 2").one::<(i64,)>(engine).unwrap_err();
        assert_eq!(few.kind(), ErrorKind::Decode);
        let null = Sql::new(
            "select null as id, 'x' as name, 1 as album_id, 1 as genre_id, \
                             'x' as composer, 1 as milliseconds, 1 as cents",
        );
        let null = null.one::<Track>(engine).unwrap_err();
        assert_eq!(null.place().column.as_deref(), Some("id"));
    });
}

#[test]
fn one_row_is_one_row() {
    on_both_filled(|home| {
        let engine = home.engine();
        let none = Sql::new("select 1 from artists where id = 0");
        assert_eq!(none.one::<(i64,)>(engine).unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(none.one_or_none::<(i64,)>(engine).unwrap(), None);
        let many = Sql::unchecked(format!("select id from {}", "artists"));
        assert_eq!(many.one::<(i64,)>(engine).unwrap_err().kind(), ErrorKind::NotUnique);
        assert_eq!(many.first::<(i64,)>(engine).unwrap().map(|row| row.0 > 0), Some(true));
    });
}

#[test]
fn one_value_is_no_tuple() {
    on_both_filled(|home| {
        let engine = home.engine();
        let count: i64 = Sql::new("select count(*) from tracks").scalar(engine).unwrap();
        assert_eq!(count, 500);
        let none: Option<String> = Sql::new("select name from artists where id = :id")
            .bind("id", 13_i64)
            .scalar(engine)
            .unwrap();
        assert_eq!(none, None);
        let ids: Vec<i64> = Sql::new("select id from genres order by id").scalars(engine).unwrap();
        assert_eq!(ids, [1, 2, 3, 4, 5, 6].map(i64::from));
        let two = Sql::new("select id, name from genres").scalars::<i64>(engine).unwrap_err();
        assert_eq!(two.kind(), ErrorKind::Decode);
    });
}
