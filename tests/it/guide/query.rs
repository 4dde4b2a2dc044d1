//! What is asked of one table, against SQL that was written by hand.

use crate::support::Home;
use crate::support::chinook::{Artist, Customer, Invoice, Track, on_both_filled};
use rowmill::prelude::*;

fn texts<T: ToString>(values: impl IntoIterator<Item = T>) -> Vec<String> {
    values.into_iter().map(|value| value.to_string()).collect()
}

fn ids(tracks: &[Track]) -> Vec<String> {
    texts(tracks.iter().map(|track| track.id))
}

fn on_both_databases(test: impl Fn(&Engine, &Home) -> Result<()>) {
    on_both_filled(|home| test(home.engine(), home).unwrap());
}

#[test]
fn rows_are_found() {
    on_both_databases(|engine, home| {
        // guide
        let dear: Vec<Track> = Track::query().filter(Track::cents.gt(150)).all(engine)?;
        let first: Option<Track> = Track::query().order_by(Track::name).first(engine)?;
        let only: Artist = Artist::query().filter(Artist::id.eq(7)).one(engine)?;
        let perhaps: Option<Artist> =
            Artist::query().filter(Artist::id.eq(99)).one_or_none(engine)?;
        let names: Vec<String> = Track::query().select(Track::name).distinct().all(engine)?;
        // guide
        let mut found = texts(dear.iter().map(|track| track.id));
        found.sort();
        assert_eq!(
            found,
            home.rows("select id from tracks where cents > 150 order by cast(id as text)")
        );
        let expected = home.rows("select min(name) from tracks");
        assert_eq!(first.map(|track| track.name), expected.first().cloned());
        assert_eq!((only.id, perhaps), (7, None));
        assert_eq!(home.rows("select count(distinct name) from tracks"), [names.len().to_string()]);
        Ok(())
    });
}

#[test]
fn conditions_are_combined() {
    on_both_databases(|engine, home| {
        // guide
        let query = Track::query()
            .filter(Track::milliseconds.between(120_000, 300_000))
            .filter(Track::genre_id.is_in([1, 2]) | Track::composer.is_null())
            .filter(!Track::name.contains("River"))
            .filter(Track::name.starts_with("Blue").or(Track::cents.ne(99)));
        // guide
        let expected = home.rows(
            "select id from tracks where milliseconds between 120000 and 300000 \
             and (genre_id in (1, 2) or composer is null) and name not like '%River%' \
             and (name like 'Blue%' or cents <> 99) order by id",
        );
        assert_eq!(ids(&query.order_by(Track::id).all(engine)?), expected);
        assert!(expected.len() > 10);
        Ok(())
    });
}

fn search(engine: &Engine, name: Option<&str>, most_cents: Option<i64>) -> Result<Vec<Track>> {
    // guide
    let mut query = Track::query();
    if let Some(name) = name {
        query = query.filter(Track::name.ilike(format!("%{name}%")));
    }
    if let Some(cents) = most_cents {
        query = query.filter(Track::cents.le(cents));
    }
    let found = query.order_by(Track::id).all(engine)?;
    // guide
    Ok(found)
}

#[test]
fn a_query_is_put_together_at_run_time() {
    on_both_databases(|engine, home| {
        assert_eq!(search(engine, None, None)?.len(), 500);
        let expected = home.rows(
            "select id from tracks where lower(name) like '%moon%' and cents <= 129 order by id",
        );
        assert_eq!(ids(&search(engine, Some("MOON"), Some(129))?), expected);
        Ok(())
    });
}

#[test]
fn rows_are_ordered_and_cut() {
    on_both_databases(|engine, home| {
        // guide
        let query = Track::query().order_by((Track::cents.desc(), Track::genre_id, Track::id));
        let third_page = query.clone().limit(20).offset(40).all(engine)?;

        // Behind the last row of a page, by an index: the tenth page costs what the first costs.
        let by_name = Track::query().order_by(Track::name);
        let page = by_name.page(engine, 20, None)?;
        let next = by_name.page(engine, 20, page.next.as_ref())?; // its text fits into a link
        // guide
        let expected = home.rows(
            "select id from tracks order by cents desc, genre_id nulls last, id limit 20 offset 40",
        );
        assert_eq!(ids(&third_page), expected);
        let expected = home.rows("select name from tracks order by name, id limit 20 offset 20");
        assert_eq!(texts(next.rows.iter().map(|track| &track.name)), expected);
        Ok(())
    });
}

#[test]
fn rows_are_counted_and_grouped() {
    on_both_databases(|engine, home| {
        // guide
        let count: u64 = Track::query().filter(Track::cents.eq(99)).count(engine)?;
        let any: bool = Track::query().filter(Track::cents.gt(500)).exists(engine)?;
        let longest: Option<i32> = Track::query().select(Track::milliseconds.max()).one(engine)?;
        // guide
        assert_eq!(home.rows("select count(*) from tracks where cents = 99"), [count.to_string()]);
        assert!(!any);
        assert_eq!(home.rows("select max(milliseconds) from tracks"), texts(longest));
        // guide
        let by_customer: Vec<(i64, i64, Option<i64>)> = Invoice::query()
            .filter(Invoice::paid)
            .group_by(Invoice::customer_id)
            .having(count_all::<Invoice>().ge(3))
            .order_by(Invoice::total_cents.sum().desc())
            .order_by(Invoice::customer_id)
            .select((Invoice::customer_id, count_all::<Invoice>(), Invoice::total_cents.sum()))
            .all(engine)?;
        // guide
        let shown = by_customer.iter().map(|(id, n, sum)| format!("{id}|{n}|{}", sum.unwrap()));
        let expected = home.rows(
            "select customer_id, count(*), sum(total_cents) from invoices where paid \
             group by customer_id having count(*) >= 3 order by 3 desc, 1",
        );
        assert_eq!(texts(shown), expected);
        assert!(expected.len() > 3);
        Ok(())
    });
}

#[test]
fn values_are_made_of_values() {
    on_both_databases(|engine, home| {
        // guide
        struct Priced {
            name: String,
            price: String,
            place: i64,
        }

        let price = when(Track::cents.gt(150), value("dear"))
            .when(Track::cents.gt(100), value("fair"))
            .otherwise(value("cheap"));
        let place = fragment::<Track, i64, _>(
            "rank() OVER (PARTITION BY {} ORDER BY {} DESC)",
            (Track::genre_id, Track::milliseconds),
        );
        let priced: Vec<Priced> = Track::query()
            .order_by(Track::id)
            .select((Track::name.upper(), price, place))
            .map(|(name, price, place)| Priced { name, price, place })
            .all(engine)?;
        // guide
        let expected = home.rows(
            "select upper(name), case when cents > 150 then 'dear' when cents > 100 then 'fair' \
             else 'cheap' end, rank() over (partition by genre_id order by milliseconds desc) \
             from tracks order by id",
        );
        let shown = priced.iter().map(|it| format!("{}|{}|{}", it.name, it.price, it.place));
        assert_eq!(texts(shown).len(), expected.len());
        let ascii = |row: &&String| row.is_ascii();
        let shown = texts(priced.iter().map(|it| format!("{}|{}|{}", it.name, it.price, it.place)));
        assert!(shown.iter().filter(ascii).eq(expected.iter().filter(ascii)));
        Ok(())
    });
}

#[test]
fn queries_stand_within_queries() {
    on_both_databases(|engine, home| {
        // guide
        let in_debt = Invoice::query().filter(Invoice::paid.eq(false)).select(Invoice::customer_id);
        let debtors = Customer::query().filter(Customer::id.is_in_query(in_debt));
        let loyal = Customer::query().filter(!has(Invoice::customer_id, |invoices| {
            invoices.filter(Invoice::paid.eq(false))
        }));
        let with_counts: Vec<(String, i64)> = Customer::query()
            .order_by(Customer::id)
            .select((Customer::last_name, count_of(Invoice::customer_id, |invoices| invoices)))
            .all(engine)?;
        // guide
        let (debtors, loyal) = (debtors.count(engine)?, loyal.count(engine)?);
        let expected = home.rows(
            "select count(distinct customer_id), 30 - count(distinct customer_id) \
             from invoices where not paid",
        );
        assert_eq!([format!("{debtors}|{loyal}")], expected[..]);
        let expected = home.rows(
            "select c.last_name, count(i.id) from customers c \
             left join invoices i on i.customer_id = c.id group by c.id, c.last_name order by c.id",
        );
        let shown = with_counts.iter().map(|(name, count)| format!("{name}|{count}"));
        assert_eq!(texts(shown), expected);
        Ok(())
    });
}
