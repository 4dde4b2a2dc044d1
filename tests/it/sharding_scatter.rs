//! A query over all shards says what it would say over one database that has all rows.

use crate::support::shards::{Shards, on_both_shards};
use rowmill::{
    Engine, Entity, ErrorKind, Find, InsertMany, Query, ShardedEngine, Sql, count_all, equal,
    fragment,
};
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[derive(Clone, Debug, PartialEq, Entity)]
#[entity(table = "sale")]
struct Sale {
    #[entity(key)]
    id: i64,
    #[entity(shard_key)]
    customer: i64,
    country: String,
    cents: i64,
    weight: f64,
    note: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Entity)]
#[entity(table = "customer")]
struct Customer {
    #[entity(key, shard_key)]
    id: i64,
    name: String,
}

/// The same on every shard.
#[derive(Clone, Debug, PartialEq, Entity)]
#[entity(table = "country")]
struct Country {
    #[entity(key)]
    code: String,
    continent: String,
}

const TABLES: [&str; 3] = [
    "create table sale (id bigint primary key, customer bigint not null, country text not null, \
     cents bigint not null, weight double precision not null, note text)",
    "create table customer (id bigint primary key, name text not null)",
    "create table country (code text primary key, continent text not null)",
];

fn sales() -> Vec<Sale> {
    let countries = ["CH", "AT", "Österreich", "zz", "Zz", "DE"];
    (0..600)
        .map(|id| Sale {
            id,
            customer: id * 7 % 101,
            country: countries[(id * 5 % 6) as usize].to_owned(),
            cents: id * 37 % 50 - 10,
            weight: (id * 13 % 29) as f64 / 4.0 - 2.0,
            note: (id % 3 > 0).then(|| format!("n{}", id % 10)),
        })
        .collect()
}

/// Three shards with the rows, and one database with all of them.
struct Twins {
    shards: ShardedEngine,
    whole: Engine,
    _homes: [Shards; 1],
}

impl Twins {
    fn new(shards: &Shards) -> Self {
        let engine = shards.open();
        let (home, whole) = if shards.is_postgres() {
            let home = Shards::postgres(1);
            let whole = home.alone(0);
            (home, whole)
        } else {
            let home = Shards::sqlite(1);
            let whole = home.alone(0);
            (home, whole)
        };
        for on in engine.ids().map(|shard| engine.engine(shard)).chain([&whole]) {
            for table in TABLES {
                on.run(table).unwrap();
            }
            on.run("insert into country values ('CH', 'Europe'), ('AT', 'Europe')").unwrap();
        }
        let twins = Self { shards: engine, whole, _homes: [home] };
        twins.put(&sales());
        let customer = |id| Customer { id, name: format!("name {id}") };
        twins.put(&(0..101).map(customer).collect::<Vec<_>>());
        twins
    }

    fn put<E: rowmill::Sharded + Clone>(&self, rows: &[E]) {
        E::insert_many(&self.whole, &mut rows.to_owned()).unwrap();
        for shard in self.shards.ids() {
            let here =
                rows.iter().filter(|row| self.shards.shard_of_entity(*row).unwrap() == shard);
            E::insert_many(self.shards.engine(shard), &mut here.cloned().collect::<Vec<_>>())
                .unwrap();
        }
    }

    /// Both say the same, in the same order.
    fn agree<S, R: Send + Debug + PartialEq>(&self, query: &Query<S, R>) {
        let found = query.scatter(&self.shards).all().unwrap();
        assert_eq!(found, query.all(&self.whole).unwrap());
    }

    /// Both say the same, in whatever order.
    fn agree_unordered<S, R: Send + Debug>(&self, query: &Query<S, R>) {
        let sorted = |rows: Vec<R>| {
            let mut rows: Vec<_> = rows.iter().map(|row| format!("{row:?}")).collect();
            rows.sort();
            rows
        };
        let found = query.scatter(&self.shards).all().unwrap();
        assert_eq!(sorted(found), sorted(query.all(&self.whole).unwrap()));
    }
}

fn on_twins(test: impl Fn(&Twins)) {
    on_both_shards(3, |shards| test(&Twins::new(shards)));
}

#[test]
fn rows_come_in_the_order_that_was_asked_for_with_limit_and_offset() {
    on_twins(|twins| {
        let by_id = Sale::query().order_by(Sale::id.asc());
        twins.agree(&by_id);
        twins.agree(&by_id.clone().limit(100));
        twins.agree(&by_id.clone().limit(10).offset(95));
        twins.agree(&by_id.clone().offset(590));
        twins.agree(&by_id.limit(0));
        let mixed = (Sale::country.desc(), Sale::weight.asc(), Sale::id.desc());
        twins.agree(&Sale::query().order_by(mixed).limit(77));
        twins.agree(&Sale::query().order_by((Sale::note.asc(), Sale::id)));
        twins.agree(&Sale::query().order_by((Sale::note.desc(), Sale::id)));
        twins.agree(&Sale::query().order_by((Sale::note.asc().nulls_first(), Sale::id)).limit(50));
        twins.agree_unordered(&Sale::query().filter(Sale::cents.gt(20)));
        let computed = Sale::query().order_by(((Sale::cents + Sale::id).desc(), Sale::id));
        twins.agree(&computed.select((Sale::id, Sale::country)).limit(9));
    });
}

#[test]
fn each_shard_is_asked_for_no_more_rows_than_the_whole_may_need() {
    let shards = Shards::sqlite(3);
    Twins::new(&shards);
    let asked = Arc::new(AtomicUsize::new(0));
    let engine = counted(&shards, &asked);
    let query = Sale::query().order_by(Sale::id).limit(5).offset(2);
    assert_eq!(query.scatter(&engine).all().unwrap().len(), 5);
    assert_eq!(asked.load(Ordering::Relaxed), 3 * 7);
}

/// An engine that counts the rows which its shards hand out of sales.
fn counted(shards: &Shards, rows: &Arc<AtomicUsize>) -> ShardedEngine {
    let rows = Arc::clone(rows);
    let builder = ShardedEngine::builder(shards.map()).engines(move |_, builder| {
        let rows = Arc::clone(&rows);
        builder.echo(move |statement| {
            if statement.sql.contains("\"sale\"") {
                rows.fetch_add(statement.rows.unwrap_or(0) as usize, Ordering::Relaxed);
            }
        })
    });
    let builder =
        shards.urls().iter().fold(builder, |builder, (name, url)| builder.shard(name.clone(), url));
    builder.build().unwrap()
}

#[test]
fn aggregates_of_all_rows_are_those_of_one_database() {
    on_twins(|twins| {
        let all = (
            count_all::<Sale>(),
            Sale::note.count(),
            Sale::cents.sum(),
            Sale::weight.sum(),
            Sale::cents.min(),
            Sale::country.max(),
            Sale::cents.avg(),
            Sale::note.count_distinct(),
        );
        twins.agree(&Sale::query().select(all));
        twins.agree(&Sale::query().filter(Sale::id.lt(0)).select((
            count_all::<Sale>(),
            Sale::cents.sum(),
            Sale::weight.min(),
            Sale::cents.avg(),
            Sale::country.count_distinct(),
        )));
        twins.agree(&Sale::query().select((Sale::customer.count_distinct(), Sale::country.min())));
        // Where a shard has nothing but NULL, and another one has a value.
        for id in (0..60).step_by(3) {
            let two = Sale::query().filter(Sale::id.is_in([id, 1]));
            twins.agree(&two.select((Sale::note.min(), Sale::note.max())));
        }
    });
}

#[test]
fn groups_are_put_together_ordered_and_cut() {
    on_twins(|twins| {
        let by_country = || Sale::query().group_by(Sale::country);
        twins.agree_unordered(&by_country().select((Sale::country, count_all::<Sale>())));
        let everything = by_country().order_by(Sale::country.desc()).select((
            Sale::country,
            count_all::<Sale>(),
            Sale::cents.sum(),
            Sale::cents.avg(),
            Sale::note.count_distinct(),
            Sale::customer.count_distinct(),
            Sale::note.max(),
        ));
        twins.agree(&everything.limit(4).offset(1));
        let top = by_country()
            .order_by((count_all::<Sale>().desc(), Sale::country))
            .select((Sale::country, Sale::weight.max()));
        twins.agree(&top.limit(3));
        // The least of a group may be of another shard than the rest.
        let by_note = Sale::query().group_by(Sale::note).order_by(Sale::note);
        twins.agree(&by_note.select((Sale::note, Sale::id.min(), Sale::id.max())));
        let computed = fragment::<Sale, i64, _>("({} / 10)", Sale::cents);
        let by_ten = Sale::query().group_by(computed.clone()).order_by(computed.clone());
        twins.agree(&by_ten.select((computed, count_all::<Sale>(), Sale::cents.avg())));
        let counted = by_country().select(Sale::country);
        assert_eq!(counted.scatter(&twins.shards).count().unwrap(), 6);
    });
}

#[test]
fn groups_by_the_shard_key_are_whole_on_their_shards_also_with_having() {
    on_twins(|twins| {
        let groups = Sale::query()
            .group_by((Sale::customer, Sale::country))
            .having(count_all::<Sale>().gt(2))
            .order_by((count_all::<Sale>().desc(), Sale::customer, Sale::country))
            .select((Sale::customer, Sale::country, count_all::<Sale>()));
        twins.agree(&groups.clone().limit(10));
        twins.agree(&groups);
    });
}

#[test]
fn counts_and_distinct_rows_are_those_of_one_database() {
    on_twins(|twins| {
        let count = |query: &Query<Sale>| {
            assert_eq!(
                query.scatter(&twins.shards).count().unwrap(),
                query.count(&twins.whole).unwrap()
            );
        };
        count(&Sale::query());
        count(&Sale::query().filter(Sale::cents.lt(0)));
        count(&Sale::query().limit(500));
        count(&Sale::query().limit(500).offset(300));
        count(&Sale::query().offset(1_000));
        let distinct = Sale::query().select((Sale::country, Sale::note)).distinct();
        twins.agree_unordered(&distinct);
        assert_eq!(
            distinct.scatter(&twins.shards).count().unwrap(),
            distinct.count(&twins.whole).unwrap()
        );
        twins.agree(&distinct.order_by((Sale::country, Sale::note.desc())).limit(9).offset(2));
        let first = Sale::query().order_by(Sale::cents.desc()).order_by(Sale::id);
        assert_eq!(
            first.scatter(&twins.shards).first().unwrap(),
            first.first(&twins.whole).unwrap()
        );
    });
}

#[test]
fn a_query_that_carries_the_shard_key_goes_to_its_shard_alone() {
    on_both_shards(3, |shards| {
        let twins = Twins::new(shards);
        let asked = |query: &Query<Sale>| query.scatter(&twins.shards).gather().unwrap().asked;
        let of = Sale::query().filter(Sale::customer.eq(42));
        assert_eq!(asked(&of), 1);
        twins.agree_unordered(&of);
        assert_eq!(asked(&of.clone().filter(Sale::cents.gt(0))), 1);
        assert_eq!(asked(&Sale::query()), 3);
        assert_eq!(asked(&Sale::query().filter(Sale::id.eq(42))), 3);
        assert_eq!(asked(&Sale::query().filter(Sale::customer.eq(42).or(Sale::id.eq(1)))), 3);
        assert_eq!(asked(&Sale::query().filter(Sale::customer.gt(42))), 3);
        let several = Sale::query().filter(Sale::customer.is_in([1, 2, 3, 4]));
        twins.agree_unordered(&several);
        let others = Sale::query().filter(Sale::customer.is_not_in([1]));
        assert_eq!(asked(&others), 3);
        twins.agree_unordered(&others);
        let none = Sale::query().filter(Sale::customer.is_in(Vec::<i64>::new()));
        assert!(none.scatter(&twins.shards).all().unwrap().is_empty());
        assert_eq!(none.select(count_all::<Sale>()).scatter(&twins.shards).all().unwrap(), [0]);
        // Of one shard everything can be asked.
        let on_one = of.group_by(Sale::country).having(count_all::<Sale>().gt(0));
        twins.agree_unordered(&on_one.select((Sale::country, count_all::<Sale>())));
    });
}

#[test]
fn what_is_joined_on_the_same_shard_is_joined() {
    on_twins(|twins| {
        let named = Sale::query()
            .join_with::<Customer>()
            .on(equal(Sale::customer, Customer::id))
            .filter(Customer::name.eq("name 7"))
            .order_by(Sale::id)
            .select((Sale::id, Customer::name));
        twins.agree(&named);
        let placed = Sale::query()
            .join_with::<Country>()
            .on(equal(Sale::country, Country::code))
            .group_by(Country::continent)
            .select((Country::continent, count_all::<(Sale, Country)>()));
        twins.agree(&placed);
    });
}

#[test]
fn what_cannot_be_put_together_is_refused_and_never_guessed() {
    let shards = Shards::sqlite(2);
    let twins = Twins::new(&shards);
    let refused = |error: rowmill::Error, words: &str| {
        assert!(error.to_string().contains(words), "{error}");
        assert!(matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::Config), "{error:?}");
    };
    let on = &twins.shards;
    let by_country = Sale::query().group_by(Sale::country);
    let having = by_country.clone().having(count_all::<Sale>().gt(2)).select(Sale::country);
    refused(having.scatter(on).all().unwrap_err(), "HAVING");
    let per_row = by_country.select(Sale::cents.max().coalesce(Some(0)));
    refused(per_row.scatter(on).all().unwrap_err(), "something is made of an aggregate");
    let window = fragment::<Sale, i64, _>("rank() OVER (ORDER BY {})", Sale::cents);
    refused(
        Sale::query().select(window).scatter(on).all().unwrap_err(),
        "a fragment makes one value",
    );
    let raw = fragment::<Sale, i64, _>("sum({})", Sale::cents);
    refused(Sale::query().select(raw).scatter(on).all().unwrap_err(), "a fragment makes one value");
    let elsewhere = Sale::query().join_with::<Customer>().on(equal(Sale::id, Customer::id));
    refused(elsewhere.scatter(on).all().unwrap_err(), "rows of Customer on other shards would not");
    let inner = Sale::query().filter(Sale::id.is_in_query(Customer::query().select(Customer::id)));
    refused(
        inner.scatter(on).all().unwrap_err(),
        "rows of Customer on other shards would not be seen",
    );
    refused(Sale::query().for_update().scatter(on).all().unwrap_err(), "rows are locked");
    refused(Country::query().scatter(on).all().unwrap_err(), "Country has no shard key");
    let named = Sale::query().with("sale", "select * from sale");
    refused(named.scatter(on).all().unwrap_err(), "a query with a name is read from");
    let first = Sale::query().distinct_on(Sale::country).order_by(Sale::country);
    refused(first.scatter(on).all().unwrap_err(), "DISTINCT ON is asked for");
    let distinct = Sale::query().group_by(Sale::country).select(count_all::<Sale>()).distinct();
    refused(distinct.scatter(on).all().unwrap_err(), "groups are DISTINCT");
    // By the shard keys of both it can be done.
    let own =
        Sale::query().filter(Sale::customer.is_in_query(Customer::query().select(Customer::id)));
    assert_eq!(own.scatter(on).count().unwrap(), 600);
}

#[test]
fn a_sum_that_no_shard_alone_exceeds_is_refused_and_does_not_wrap() {
    let shards = Shards::sqlite(2);
    let twins = Twins::new(&shards);
    for shard in twins.shards.ids() {
        let engine = twins.shards.engine(shard);
        engine.run("update sale set cents = 0").unwrap();
        let most = "update sale set cents = 9223372036854775807 \
                    where id = (select min(id) from sale)";
        engine.run(most).unwrap();
    }
    let sum = Sale::query().select(Sale::cents.sum()).scatter(&twins.shards).all();
    assert_eq!(sum.unwrap_err().sqlstate().unwrap().code(), "22003");
}

#[test]
fn where_no_shard_answers_there_is_an_error_and_no_empty_result() {
    let shards = Shards::sqlite(2);
    let twins = Twins::new(&shards);
    let map = twins.shards.map();
    let newer = map.with_buckets_on([0], map.shard_named("b").unwrap()).unwrap();
    let urls = || shards.urls().iter();
    let with = |map| {
        urls()
            .fold(ShardedEngine::builder(map), |builder, (name, url)| {
                builder.shard(name.clone(), url)
            })
            .build()
            .unwrap()
    };
    let old = with(map.clone());
    with(newer).publish().unwrap();
    let partial = Sale::query().scatter(&old).on_error(rowmill::OnShardError::Partial);
    assert_eq!(partial.gather().unwrap_err().kind(), ErrorKind::Shard);
    assert_eq!(partial.gather_count().unwrap_err().kind(), ErrorKind::Shard);
}

#[test]
fn texts_are_in_the_order_of_their_bytes_whatever_the_collations() {
    let shards = Shards::postgres(3);
    let engine = shards.open();
    for (shard, collation) in engine.ids().zip(["und-x-icu", "de-x-icu", "und-x-icu"]) {
        let table =
            TABLES[0].replace("country text", &format!("country text collate \"{collation}\""));
        engine.engine(shard).run(&table).unwrap();
        let here =
            sales().into_iter().filter(|sale| engine.shard_of_entity(sale).unwrap() == shard);
        Sale::insert_many(engine.engine(shard), &mut here.collect::<Vec<_>>()).unwrap();
    }
    let ordered = Sale::query().order_by((Sale::country, Sale::id)).limit(550);
    let mut expected = sales();
    expected.sort_by(|one, other| (&one.country, one.id).cmp(&(&other.country, other.id)));
    expected.truncate(550);
    assert_eq!(ordered.scatter(&engine).all().unwrap(), expected);
    let ends = Sale::query().select((Sale::country.min(), Sale::country.max()));
    let (least, most) = ends.scatter(&engine).all().unwrap().remove(0);
    assert_eq!((least.as_deref(), most.as_deref()), (Some("AT"), Some("Österreich")));
}

#[test]
fn sql_by_hand_runs_on_every_shard_and_its_rows_are_one_shard_after_the_other() {
    on_twins(|twins| {
        let sql =
            Sql::new("select id from sale where cents > :cents order by id").bind("cents", 20);
        let rows: Vec<(i64,)> = sql.all_on_shards(&twins.shards).unwrap();
        let whole: Vec<(i64,)> = sql.all(&twins.whole).unwrap();
        assert!(!rows.is_sorted() && rows.len() == whole.len());
        let changed = Sql::new("update sale set cents = 0").run_on_shards(&twins.shards).unwrap();
        let changed: Vec<u64> = changed.into_iter().map(|(_, done)| done.unwrap()).collect();
        assert_eq!((changed.len(), changed.iter().sum::<u64>()), (3, 600));
    });
}
