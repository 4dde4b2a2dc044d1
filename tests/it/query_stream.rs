//! Rows one after the other, in constant memory.

use crate::support::chinook::{Track, on_both_filled};
use rowmill::{Engine, Entity, ErrorKind, Query};

/// Has many rows, on PostgreSQL and on SQLite.
const MANY: &str = "create view numbers as with recursive n(id) as \
    (select 1 union all select id + 1 from n where id < 50000000) select cast(id as bigint) as id from n";

#[derive(Debug, PartialEq, Entity)]
#[entity(table = "numbers")]
struct Number {
    #[entity(key)]
    id: i64,
}

#[derive(Debug, Entity)]
#[entity(table = "broken")]
struct Broken {
    #[entity(key)]
    id: i64,
    milliseconds: i32,
}

fn is_idle(engine: &Engine) -> bool {
    engine.stats().in_use == 0
}

#[test]
fn a_stream_hands_out_every_row_in_order_and_gives_its_connection_back() {
    on_both_filled(|home| {
        let query = Query::<Track>::new().order_by(Track::id.asc());
        let all = query.all(home.engine()).unwrap();
        let streamed: Vec<Track> =
            query.iter(home.engine()).unwrap().collect::<Result<_, _>>().unwrap();
        assert_eq!(streamed, all);
        let chunks: Vec<Vec<Track>> =
            query.chunks(home.engine(), 150).unwrap().collect::<Result<_, _>>().unwrap();
        assert_eq!(chunks.iter().map(Vec::len).collect::<Vec<_>>(), [150, 150, 150, 50]);
        assert!(is_idle(home.engine()));
    });
}

#[test]
fn a_stream_that_is_dropped_early_is_cancelled_and_its_connection_is_used_again() {
    on_both_filled(|home| {
        home.sql(MANY);
        let engine = home.engine();
        let mut stream = Query::<Number>::new().iter(engine).unwrap();
        let first: Vec<i64> = stream.by_ref().take(300).map(|row| row.unwrap().id).collect();
        assert_eq!((first[0], first[299]), (1, 300));
        drop(stream);
        assert!(is_idle(engine));
        assert_eq!(Query::<Track>::new().count(engine).unwrap(), 500);
    });
}

#[test]
fn a_stream_that_nobody_has_read_from_is_dropped() {
    on_both_filled(|home| {
        home.sql(MANY);
        drop(Query::<Number>::new().iter(home.engine()).unwrap());
        drop(Query::<Track>::new().chunks(home.engine(), 1).unwrap());
        assert!(is_idle(home.engine()));
    });
}

#[test]
fn an_error_ends_the_stream() {
    on_both_filled(|home| {
        home.sql(
            "create view broken as select id, name, album_id, genre_id, composer, milliseconds, \
                  cents from tracks where id < 300 union all select id + 1000, name, album_id, \
                  genre_id, composer, null, cents from tracks where id = 1",
        );
        let query = Query::<Broken>::new();
        let rows: Vec<_> = query.iter(home.engine()).unwrap().collect();
        let error = rows.last().unwrap().as_ref().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode);
        assert_eq!(error.place().column.as_deref(), Some("milliseconds"));
        assert!(rows[..rows.len() - 1].iter().all(Result::is_ok));
        let missing = Query::<Number>::new().iter(home.engine()).unwrap().next().unwrap();
        assert_eq!(missing.unwrap_err().kind(), ErrorKind::Database);
        assert!(is_idle(home.engine()));
    });
}

#[test]
fn the_thread_that_reads_a_stream_is_refused_a_second_connection() {
    on_both_filled(|home| {
        let stream = Query::<Track>::new().iter(home.engine()).unwrap();
        let nested = Query::<Track>::new().count(home.engine()).unwrap_err();
        assert_eq!(nested.kind(), ErrorKind::NestedCheckout);
        drop(stream);
        assert_eq!(Query::<Track>::new().count(home.engine()).unwrap(), 500);
        assert_eq!(
            Query::<Track>::new().chunks(home.engine(), 0).unwrap_err().kind(),
            ErrorKind::Config
        );
    });
}
