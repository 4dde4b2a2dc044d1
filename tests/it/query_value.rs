//! Values that are made of others: cases, fragments, what there is of children. Each against SQL
//! that was written by hand.

use crate::support::chinook::{Album, Artist, Customer, Invoice, Track, on_both_filled};
use rowmill::{
    Dialect, Find, OrderBy, Query, count_all, count_of, fragment, fragment_for, has, value,
    value_of, when,
};

fn joined<T: ToString>(values: impl IntoIterator<Item = T>) -> Vec<String> {
    values.into_iter().map(|value| value.to_string()).collect()
}

#[test]
fn the_first_condition_that_holds_decides() {
    on_both_filled(|home| {
        let band = when(Track::cents.gt(150), value("dear"))
            .when(Track::cents.gt(100), value("fair"))
            .otherwise(value("cheap"));
        let rows = Track::query()
            .group_by(band.clone())
            .order_by(band.clone())
            .select((band, count_all::<Track>()))
            .all(home.engine())
            .unwrap();
        let expected = home.rows(
            "select case when cents > 150 then 'dear' when cents > 100 then 'fair' else 'cheap' end \
             as band, count(*) from tracks group by 1 order by 1",
        );
        assert_eq!(joined(rows.iter().map(|(band, count)| format!("{band}|{count}"))), expected);
        assert_eq!(expected.len(), 3);
        let dear = when(Track::cents.gt(150), Track::id).or_null();
        let count = Track::query().select(dear.count()).one(home.engine()).unwrap();
        assert_eq!(home.rows("select count(*) from tracks where cents > 150"), [count.to_string()]);
    });
}

#[test]
fn a_fragment_with_values_is_grouped_by_and_selected() {
    on_both_filled(|home| {
        let minutes = fragment::<Track, i32, _>("({} / {})", (Track::milliseconds, value(60_000)));
        let rows = Track::query()
            .group_by(minutes.clone())
            .order_by(minutes.clone().desc())
            .select((minutes, Track::cents.sum()))
            .all(home.engine())
            .unwrap();
        let expected = home
            .rows("select milliseconds / 60000, sum(cents) from tracks group by 1 order by 1 desc");
        let shown = rows.iter().map(|(minutes, cents)| format!("{minutes}|{}", cents.unwrap()));
        assert_eq!(joined(shown), expected);
    });
}

#[test]
fn a_window_function_is_a_fragment() {
    on_both_filled(|home| {
        let place = fragment::<Track, i64, _>(
            "rank() OVER (PARTITION BY {} ORDER BY {} DESC, {})",
            (Track::genre_id, Track::milliseconds, Track::id),
        );
        let rows = Track::query()
            .filter(Track::id.le(40))
            .order_by(Track::id)
            .select((Track::id, place))
            .all(home.engine())
            .unwrap();
        let expected = home.rows(
            "select id, rank() over (partition by genre_id order by milliseconds desc, id) \
             from tracks where id <= 40 order by id",
        );
        assert_eq!(joined(rows.iter().map(|(id, place)| format!("{id}|{place}"))), expected);
    });
}

#[test]
fn what_databases_spell_differently_is_one_expression() {
    on_both_filled(|home| {
        let position = fragment_for::<Artist, i64, _>(
            |dialect| match dialect {
                Dialect::Sqlite => "instr({}, {})",
                _ => "CAST(strpos({}, {}) AS bigint)",
            },
            (Artist::name, value("River")),
        );
        let found = Artist::query().filter(position.gt(1)).order_by(Artist::id).select(Artist::id);
        let expected = home.rows("select id from artists where name like '% River' and name not like 'River%' order by id");
        assert_eq!(joined(found.all(home.engine()).unwrap()), expected);
    });
}

#[test]
fn children_are_counted_beside_their_parent() {
    on_both_filled(|home| {
        let blue =
            count_of(Album::artist_id, |albums| albums.filter(Album::title.contains("Blue")));
        let all = count_of(Album::artist_id, |albums| albums);
        let rows = Artist::query()
            .order_by((all.clone().desc(), Artist::id))
            .select((Artist::id, all, blue))
            .all(home.engine())
            .unwrap();
        let expected = home.rows(
            "select a.id, count(b.id), count(case when b.title like '%Blue%' then 1 end) \
             from artists a left join albums b on b.artist_id = a.id group by a.id \
             order by 2 desc, 1",
        );
        let shown = rows.iter().map(|(id, all, blue)| format!("{id}|{all}|{blue}"));
        assert_eq!(joined(shown), expected);
        assert_eq!(rows.len(), 20);
    });
}

#[test]
fn a_value_of_children_is_none_where_there_are_none() {
    on_both_filled(|home| {
        let longest = value_of(Track::album_id, |tracks| tracks.select(Track::milliseconds.max()));
        let first = value_of(Album::artist_id, |albums| {
            albums.order_by(Album::id).limit(1).select(Album::title)
        });
        let rows = Artist::query()
            .filter(!has(Album::artist_id, |albums| albums))
            .select((Artist::id, first.clone()))
            .all(home.engine())
            .unwrap();
        assert!(!rows.is_empty() && rows.iter().all(|(_, title)| title.is_none()));
        let titles = Artist::query().filter(Artist::id.eq(1)).select(first).one(home.engine());
        let expected =
            home.rows("select title from albums where artist_id = 1 order by id limit 1");
        assert_eq!(titles.unwrap().as_ref(), expected.first());
        let albums = Album::query()
            .order_by(Album::id)
            .select((Album::id, longest.flatten()))
            .all(home.engine())
            .unwrap();
        let expected = home.rows(
            "select b.id, max(t.milliseconds) from albums b left join tracks t on t.album_id = b.id \
             group by b.id order by b.id",
        );
        let shown = albums.iter().map(|(id, longest)| match longest {
            Some(longest) => format!("{id}|{longest}"),
            None => format!("{id}|NULL"),
        });
        assert_eq!(joined(shown), expected);
    });
}

#[test]
fn the_largest_of_what_may_be_null_is_one_option() {
    on_both_filled(|home| {
        let largest: Option<i64> =
            Track::query().select(Track::album_id.max().flatten()).one(home.engine()).unwrap();
        assert_eq!(largest, Some(50));
        let none: Option<i64> = Track::query()
            .filter(Track::album_id.is_null())
            .select(Track::album_id.max().flatten())
            .one(home.engine())
            .unwrap();
        assert_eq!(none, None);
    });
}

#[test]
fn an_order_is_a_column_a_tuple_or_a_list_made_at_run_time() {
    on_both_filled(|home| {
        let ids = |query: Query<Track>| {
            joined(query.limit(50).select(Track::id).all(home.engine()).unwrap())
        };
        let expected = home
            .rows("select id from tracks order by cents desc, genre_id nulls last, id limit 50");
        let tuple = (Track::cents.desc(), Track::genre_id, Track::id);
        assert_eq!(ids(Track::query().order_by(tuple)), expected);
        let mut list: Vec<OrderBy<Track>> = vec![Track::cents.desc()];
        list.push(Track::genre_id.asc());
        assert_eq!(ids(Track::query().order_by(list).order_by(Track::id)), expected);
        let by_length = Track::query().order_by((Track::milliseconds * -1, Track::id));
        let expected = home.rows("select id from tracks order by milliseconds desc, id limit 50");
        assert_eq!(ids(by_length), expected);
    });
}

#[test]
fn a_list_may_be_borrowed_and_hold_texts() {
    on_both_filled(|home| {
        let engine = home.engine();
        let wanted: Vec<i64> = vec![3, 5, 900];
        assert_eq!(Track::query().filter(Track::id.is_in(&wanted)).count(engine).unwrap(), 2);
        let countries = ["Brazil", "Norway"];
        let expected =
            home.rows("select count(*) from customers where country in ('Brazil', 'Norway')");
        for query in [
            Customer::query().filter(Customer::country.is_in(countries)),
            Customer::query().filter(Customer::country.is_in(countries.iter())),
            Customer::query().filter(Customer::country.is_in(countries.map(str::to_owned))),
            Customer::query()
                .filter(Customer::country.is_in(countries.map(|it| Some(it.to_owned())))),
        ] {
            assert_eq!(query.count(engine).unwrap().to_string(), expected[0]);
        }
        let genres = Track::query().filter(Track::genre_id.is_in([1, 2])).count(engine).unwrap();
        let expected = home.rows("select count(*) from tracks where genre_id in (1, 2)");
        assert_eq!(genres.to_string(), expected[0]);
    });
}

#[test]
fn conditions_have_the_operators_of_python() {
    on_both_filled(|home| {
        let wanted = (Track::cents.eq(99) & Track::genre_id.eq(2)) | !Track::composer.is_null();
        let expected = home.rows(
            "select count(*) from tracks where (cents = 99 and genre_id = 2) or composer is not null",
        );
        assert_eq!(
            Track::query().filter(wanted).count(home.engine()).unwrap().to_string(),
            expected[0]
        );
    });
}

#[test]
fn rows_become_structs_also_in_pages_and_streams() {
    #[derive(Debug, PartialEq)]
    struct Total {
        customer: i64,
        cents: i64,
    }
    on_both_filled(|home| {
        let engine = home.engine();
        let totals = Invoice::query()
            .filter(Invoice::paid)
            .order_by(Invoice::id)
            .select((Invoice::customer_id, Invoice::total_cents))
            .map(|(customer, cents)| Total { customer, cents });
        let all = totals.all(engine).unwrap();
        let expected =
            home.rows("select customer_id, total_cents from invoices where paid order by id");
        let shown = all.iter().map(|total| format!("{}|{}", total.customer, total.cents));
        assert_eq!(joined(shown), expected);
        let paged: Vec<Total> = totals.pages(engine, 7).flat_map(Result::unwrap).collect();
        assert_eq!(paged, all);
        let streamed: Vec<Total> = totals.iter(engine).unwrap().map(Result::unwrap).collect();
        assert_eq!(streamed, all);
    });
}
