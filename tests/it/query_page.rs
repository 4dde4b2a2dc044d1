//! Pages that go on behind the last row.

use crate::support::chinook::{Album, Track, on_both_filled};
use rowmill::{ErrorKind, PageToken, Query};

fn ids(query: &Query<Track>, engine: &rowmill::Engine, size: u64) -> Vec<i64> {
    let pages: Vec<Vec<Track>> = query.pages(engine, size).map(Result::unwrap).collect();
    let full = pages.iter().take(pages.len() - 1).all(|page| page.len() as u64 == size);
    assert!(full, "only the last page is short");
    pages.into_iter().flatten().map(|track| track.id).collect()
}

#[test]
fn pages_together_are_the_query_whatever_its_order() {
    on_both_filled(|home| {
        let engine = home.engine();
        let orders = [
            (Query::<Track>::new(), "id"),
            (Query::new().order_by(Track::cents.asc()), "cents, id"),
            (Query::new().order_by(Track::cents.desc()), "cents desc, id"),
            (
                Query::new().order_by(Track::cents.desc()).order_by(Track::id.desc()),
                "cents desc, id desc",
            ),
            (
                Query::new().order_by(Track::genre_id.coalesce(-1).asc()),
                "coalesce(genre_id, -1), id",
            ),
        ];
        for (query, order) in orders {
            let expected = home.rows(&format!("select id from tracks order by {order}"));
            for size in [7, 250, 500, 1_000] {
                let ids: Vec<_> =
                    ids(&query, engine, size).iter().map(ToString::to_string).collect();
                assert_eq!(ids, expected, "by {order}, {size} a page");
            }
        }
    });
}

#[test]
fn a_place_is_kept_as_a_text_and_found_again() {
    on_both_filled(|home| {
        let engine = home.engine();
        let query = Query::<Track>::new()
            .filter(Track::cents.eq(99))
            .order_by(Track::name.asc())
            .select((Track::name, Track::id));
        let first = query.page(engine, 10, None).unwrap();
        let kept = first.next.clone().unwrap().to_string();
        let again: PageToken = kept.parse().unwrap();
        let second = query.page(engine, 10, Some(&again)).unwrap();
        let both: Vec<_> = first.rows.into_iter().chain(second.rows).collect();
        assert_eq!(both, query.clone().order_by(Track::id.asc()).limit(20).all(engine).unwrap());
        assert!(!format!("{again:?}").contains(&kept));
    });
}

#[test]
fn rows_that_come_in_the_meantime_shift_nothing() {
    on_both_filled(|home| {
        let engine = home.engine();
        let query = Query::<Track>::new().order_by(Track::id.asc()).select(Track::id);
        let first = query.page(engine, 100, None).unwrap();
        home.sql("insert into tracks (id, name, milliseconds, cents) values (0, 'new', 1, 1)");
        let second = query.page(engine, 100, first.next.as_ref()).unwrap();
        assert_eq!((first.rows[99], second.rows[0]), (100, 101));
    });
}

#[test]
fn what_has_no_place_is_refused() {
    on_both_filled(|home| {
        let engine = home.engine();
        let by_null = Query::<Track>::new().order_by(Track::album_id.desc());
        assert_eq!(by_null.page(engine, 3, None).unwrap_err().kind(), ErrorKind::Config);
        let grouped = Query::<Track>::new().group_by(Track::cents).select(Track::cents);
        assert_eq!(grouped.page(engine, 3, None).unwrap_err().kind(), ErrorKind::Config);
        let token = Query::<Album>::new().page(engine, 3, None).unwrap().next.unwrap();
        let other = Query::<Track>::new().order_by(Track::cents.asc());
        assert_eq!(other.page(engine, 3, Some(&token)).unwrap_err().kind(), ErrorKind::Config);
        assert_eq!(other.page(engine, 0, None).unwrap_err().kind(), ErrorKind::Config);
        for text in ["", "x", "69:7", "6:77", "zz:00", "é:é"] {
            assert!(text.parse::<PageToken>().is_err(), "{text:?}");
        }
    });
}
