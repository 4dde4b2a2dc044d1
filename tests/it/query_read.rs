//! Filters, orders, projections and groups: each against SQL that was written by hand.

use crate::support::Home;
use crate::support::chinook::{
    Album, Artist, Customer, Invoice, PlaylistTrack, Track, on_both_filled,
};
use rowmill::{ErrorKind, Expr, Query, count_all, fragment, has, value};

/// The ids that a query for tracks finds are those that `sql` finds.
fn same(home: &Home, query: Query<Track>, condition: &str) {
    let found: Vec<_> =
        query.order_by(Track::id.asc()).all(home.engine()).unwrap().into_iter().collect();
    let ids: Vec<_> = found.iter().map(|track| track.id.to_string()).collect();
    let expected = home.rows(&format!("select id from tracks where {condition} order by id"));
    assert_eq!(ids, expected, "{condition}");
    assert!(!expected.is_empty() && expected.len() < 500, "{condition} tells nothing apart");
}

fn tracks() -> Query<Track> {
    Query::new()
}

#[test]
fn every_comparison_means_what_sql_means() {
    on_both_filled(|home| {
        same(home, tracks().filter(Track::id.eq(7)), "id = 7");
        same(home, tracks().filter(Track::cents.ne(99)), "cents <> 99");
        same(home, tracks().filter(Track::milliseconds.lt(100_000)), "milliseconds < 100000");
        same(home, tracks().filter(Track::milliseconds.le(100_000)), "milliseconds <= 100000");
        same(home, tracks().filter(Track::album_id.gt(40)), "album_id > 40");
        same(home, tracks().filter(Track::album_id.ge(40)), "album_id >= 40");
        same(home, tracks().filter(Track::id.between(10, 20)), "id between 10 and 20");
        same(home, tracks().filter(Track::composer.is_null()), "composer is null");
        same(home, tracks().filter(Track::composer.is_not_null()), "composer is not null");
        same(home, tracks().filter(Track::album_id.eq(None)), "album_id is null");
        same(home, tracks().filter(Track::album_id.ne(None)), "album_id is not null");
        same(home, tracks().filter(Track::album_id.ne(3)), "album_id <> 3");
        same(
            home,
            tracks().filter(Track::album_id.is_distinct_from(3)),
            "album_id is distinct from 3",
        );
        same(home, tracks().filter(Track::name.eq(Track::composer)), "name = composer");
        same(home, tracks().filter(Track::id.is_in([3, 5, 900])), "id in (3, 5, 900)");
        same(home, tracks().filter(Track::id.is_not_in(3..=490)), "id not between 3 and 490");
        same(home, tracks().filter(Track::genre_id.is_in([Some(2)])), "genre_id in (2)");
        same(home, tracks().filter(Track::genre_id.coalesce(0).eq(0)), "coalesce(genre_id, 0) = 0");
    });
}

#[test]
fn conditions_are_combined_as_they_are_written() {
    on_both_filled(|home| {
        let (a, b, c) = (Track::cents.eq(99), Track::genre_id.eq(2), Track::composer.is_null());
        same(
            home,
            tracks().filter(a.clone().and(b.clone()).or(c.clone())),
            "(cents = 99 and genre_id = 2) or composer is null",
        );
        same(
            home,
            tracks().filter(a.clone().and(b.clone().or(c.clone()))),
            "cents = 99 and (genre_id = 2 or composer is null)",
        );
        same(home, tracks().filter(!(a.clone().or(b.clone()))), "not (cents = 99 or genre_id = 2)");
        same(home, tracks().filter(a.clone()).filter(b.clone()), "cents = 99 and genre_id = 2");
        same(
            home,
            tracks().filter(Expr::all([a.clone(), b.clone()])),
            "cents = 99 and genre_id = 2",
        );
        same(
            home,
            tracks().filter(Expr::any([a, b, c])),
            "cents = 99 or genre_id = 2 or composer is null",
        );
    });
}

#[test]
fn an_empty_list_and_no_condition_have_their_logical_meaning() {
    on_both_filled(|home| {
        let engine = home.engine();
        assert_eq!(tracks().filter(Track::id.is_in([0_i64; 0])).count(engine).unwrap(), 0);
        assert_eq!(tracks().filter(Track::id.is_not_in([0_i64; 0])).count(engine).unwrap(), 500);
        assert_eq!(tracks().filter(Expr::<Track, _>::all([])).count(engine).unwrap(), 500);
        assert_eq!(tracks().filter(Expr::<Track, _>::any([])).count(engine).unwrap(), 0);
    });
}

#[test]
fn texts_are_matched_alike_on_every_database_whatever_is_in_the_pattern() {
    on_both_filled(|home| {
        same(home, tracks().filter(Track::name.starts_with("100%")), "substr(name, 1, 4) = '100%'");
        same(
            home,
            tracks().filter(Track::name.ends_with("under_score")),
            "substr(name, length(name) - 10) = 'under_score'",
        );
        same(
            home,
            tracks().filter(Track::name.contains("O'H")),
            "replace(name, 'O''H', '') <> name",
        );
        same(
            home,
            tracks().filter(Track::name.like("%moon")),
            "substr(name, length(name) - 3) = 'moon'",
        );
        same(home, tracks().filter(Track::name.like(r"100\% %")), "substr(name, 1, 5) = '100% '");
        same(home, tracks().filter(Track::name.not_like("%oo%")), "replace(name, 'oo', '') = name");
        same(
            home,
            tracks().filter(Track::name.ilike("BLUE%")),
            "lower(substr(name, 1, 4)) = 'blue'",
        );
        same(
            home,
            tracks().filter(Track::name.lower().eq("blue blue")),
            "lower(name) = 'blue blue'",
        );
        let upper = tracks().filter(Track::name.like("%MOON%")).count(home.engine()).unwrap();
        assert_eq!(upper, 0, "case matters");
    });
}

#[test]
fn values_are_calculated_by_the_database() {
    on_both_filled(|home| {
        same(
            home,
            tracks().filter((Track::milliseconds / 1_000).gt(300)),
            "milliseconds / 1000 > 300",
        );
        same(home, tracks().filter((Track::cents * 2 + Track::id).lt(300)), "cents * 2 + id < 300");
        let odd = fragment::<Track, i64, _>("({} % {})", (Track::id, value(2_i64)));
        same(home, tracks().filter(odd.eq(1)), "id % 2 = 1");
    });
}

#[test]
fn the_first_the_only_one_and_how_many_are_told_apart() {
    on_both_filled(|home| {
        let engine = home.engine();
        let by_id = |id| Query::<Artist>::new().filter(Artist::id.eq(id));
        assert_eq!(by_id(13).one(engine).unwrap(), Artist { id: 13, name: None });
        assert_eq!(by_id(99).one_or_none(engine).unwrap(), None);
        let missing = by_id(99).one(engine).unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::NotFound);
        assert_eq!(missing.place().table.as_deref(), Some("artists"));
        let all = Query::<Artist>::new();
        assert_eq!(all.one_or_none(engine).unwrap_err().kind(), ErrorKind::NotUnique);
        let last = all.clone().order_by(Artist::id.desc()).first(engine).unwrap();
        assert_eq!(last.map(|artist| artist.id), Some(20));
        assert_eq!(
            (all.count(engine).unwrap(), all.clone().limit(3).count(engine).unwrap()),
            (20, 3)
        );
        assert!(by_id(13).exists(engine).unwrap());
        assert!(!by_id(99).exists(engine).unwrap());
    });
}

#[test]
fn null_is_the_largest_value_on_every_database_unless_it_is_told_otherwise() {
    on_both_filled(|home| {
        let first = |order| {
            let query = tracks().order_by(order).order_by(Track::id.asc());
            query.first(home.engine()).unwrap().unwrap().album_id
        };
        assert_eq!(first(Track::album_id.asc()), Some(1));
        assert_eq!(first(Track::album_id.desc()), None);
        assert_eq!(first(Track::album_id.asc().nulls_first()), None);
        assert_eq!(first(Track::album_id.desc().nulls_last()), Some(50));
    });
}

#[test]
fn limit_and_offset_cut_what_is_ordered() {
    on_both_filled(|home| {
        let ids = |query: Query<Track>| -> Vec<i64> {
            query.order_by(Track::id.asc()).select(Track::id).all(home.engine()).unwrap()
        };
        assert_eq!(ids(tracks().limit(3)), [1, 2, 3]);
        assert_eq!(ids(tracks().limit(2).offset(10)), [11, 12]);
        assert_eq!(ids(tracks().offset(498)), [499, 500]);
        assert_eq!(ids(tracks().limit(0)), [0_i64; 0]);
    });
}

#[test]
fn a_projection_hands_out_values_and_tuples() {
    on_both_filled(|home| {
        let engine = home.engine();
        let prices: Vec<i64> = Query::<Track>::new()
            .distinct()
            .order_by(Track::cents.asc())
            .select(Track::cents)
            .all(engine)
            .unwrap();
        assert_eq!(prices, [99, 129, 199]);
        let one: (i64, Option<String>, i64) = Query::<Track>::new()
            .filter(Track::id.eq(5))
            .select((Track::id, Track::composer.upper(), Track::cents + 1))
            .one(engine)
            .unwrap();
        let expected = home.rows("select id, upper(composer), cents + 1 from tracks where id = 5");
        assert_eq!(
            format!("{}|{}|{}", one.0, one.1.as_deref().unwrap_or("NULL"), one.2),
            expected[0]
        );
    });
}

#[test]
fn groups_are_counted_summed_and_filtered() {
    on_both_filled(|home| {
        let found = Query::<Track>::new()
            .group_by(Track::genre_id)
            .having(count_all::<Track>().gt(60))
            .order_by(Track::genre_id.asc())
            .select((
                Track::genre_id,
                count_all::<Track>(),
                Track::milliseconds.sum(),
                Track::milliseconds.max(),
                Track::cents.min(),
            ))
            .all(home.engine())
            .unwrap();
        let shown: Vec<_> = found
            .iter()
            .map(|(genre, count, sum, max, min)| {
                let genre = genre.map_or("NULL".to_owned(), |genre| genre.to_string());
                format!("{genre}|{count}|{}|{}|{}", sum.unwrap(), max.unwrap(), min.unwrap())
            })
            .collect();
        let expected = home.rows(
            "select genre_id, count(*), sum(milliseconds), max(milliseconds), min(cents) from tracks \
             group by genre_id having count(*) > 60 order by genre_id nulls last",
        );
        assert_eq!(shown, expected);
        assert!(expected.len() > 2);
    });
}

#[test]
fn aggregates_of_nothing_are_none_and_a_mean_is_a_float() {
    on_both_filled(|home| {
        let engine = home.engine();
        let nothing = Query::<Track>::new().filter(Track::id.eq(0));
        let none: (i64, Option<i64>, Option<f64>, Option<i64>) = nothing
            .select((Track::id.count(), Track::cents.sum(), Track::cents.avg(), Track::id.max()))
            .one(engine)
            .unwrap();
        assert_eq!(none, (0, None, None, None));
        let (mean, kinds) = Query::<Track>::new()
            .filter(Track::id.is_in([1, 2]))
            .select((Track::id.avg(), Track::id.count_distinct()))
            .one(engine)
            .unwrap();
        assert_eq!((mean, kinds), (Some(1.5), 2));
    });
}

#[test]
fn how_many_rows_a_query_with_groups_or_a_limit_has_is_counted_as_it_is() {
    on_both_filled(|home| {
        let engine = home.engine();
        let genres = Query::<Track>::new().group_by(Track::genre_id).select(Track::genre_id);
        assert_eq!(genres.count(engine).unwrap(), 6);
        assert!(genres.exists(engine).unwrap());
        let prices = Query::<Track>::new().distinct().select(Track::cents);
        assert_eq!(prices.count(engine).unwrap(), 3);
        assert_eq!(tracks().offset(490).count(engine).unwrap(), 10);
    });
}

#[test]
fn a_query_within_a_query_is_one_statement_and_a_column_of_bool_is_a_condition() {
    on_both_filled(|home| {
        let engine = home.engine();
        let unpaid =
            Query::<Invoice>::new().filter(Invoice::paid.eq(false)).select(Invoice::customer_id);
        let count =
            Query::<Customer>::new().filter(Customer::id.is_in_query(unpaid.clone())).count(engine);
        let expected = home.rows(
            "select count(*) from customers where id in (select customer_id from invoices where not paid)",
        );
        assert_eq!(count.unwrap().to_string(), expected[0]);
        let others =
            Query::<Customer>::new().filter(Customer::id.is_not_in_query(unpaid)).count(engine);
        assert_eq!((others.unwrap() + expected[0].parse::<u64>().unwrap()), 30);
    });
}

#[test]
fn whether_there_is_a_child_is_asked_by_its_foreign_key() {
    on_both_filled(|home| {
        let engine = home.engine();
        let blue = Query::<Artist>::new()
            .filter(has(Album::artist_id, |albums| albums.filter(Album::title.contains("Blue"))))
            .order_by(Artist::id.asc())
            .select(Artist::id)
            .all(engine)
            .unwrap();
        let expected = home.rows(
            "select id from artists a where exists (select 1 from albums where artist_id = a.id and \
             replace(title, 'Blue', '') <> title) order by id",
        );
        assert_eq!(blue.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
        let without = Query::<Artist>::new().filter(!has(Album::artist_id, |albums| albums));
        assert!(without.count(engine).unwrap() >= 5);
        // Two levels, and a key of two columns.
        let listed = Query::<Album>::new().filter(has(Track::album_id, |tracks| {
            tracks.filter(has(PlaylistTrack::track_id, |links| {
                links.filter(PlaylistTrack::playlist_id.eq(7))
            }))
        }));
        let expected = home.rows(
            "select count(*) from albums where id in (select album_id from tracks where id in \
             (select track_id from playlist_tracks where playlist_id = 7))",
        );
        assert_eq!(listed.count(engine).unwrap().to_string(), expected[0]);
    });
}

#[test]
fn what_goes_wrong_while_a_query_is_made_is_said_when_it_is_run() {
    on_both_filled(|home| {
        let wrong = fragment::<Track, bool, _>("{} = {}", Track::id);
        let error = tracks().filter(wrong).all(home.engine()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        let query = Query::<Album>::new().filter(Album::title.eq("\0"));
        if let Err(error) = query.all(home.engine()) {
            assert!(!error.to_string().contains('\0'));
        }
    });
}
