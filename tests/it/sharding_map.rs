//! The map of the shards: stored on each, and whoever has another one is refused.

use crate::support::shards::{Shards, on_both_shards};
use rowmill::{Entity, ErrorKind, Executor, Intent, ShardMap, ShardedEngine, StoredMap};

#[derive(Entity)]
#[entity(table = "orders")]
struct Order {
    #[entity(key)]
    id: i64,
    #[entity(shard_key)]
    customer: i32,
}

fn stored(shards: &Shards, index: usize) -> Option<StoredMap> {
    shards.alone(index).with(Intent::Write, StoredMap::read).unwrap()
}

#[test]
fn the_first_check_stores_the_map_on_every_shard() {
    on_both_shards(3, |shards| {
        let engine = shards.open();
        for (index, name) in shards.names().into_iter().enumerate() {
            let stored = stored(shards, index).unwrap();
            assert_eq!((stored.shard, &stored.map), (name, engine.map()));
        }
        // The second start finds it.
        shards.open();
    });
}

#[test]
fn an_entity_is_where_its_shard_key_is_whatever_the_width_of_the_column() {
    let engine = {
        let map = ShardMap::hashed(["a", "b", "c"]).unwrap();
        let builder = ShardedEngine::builder(map);
        let builder =
            ["a", "b", "c"].iter().fold(builder, |b, name| b.shard(*name, "sqlite::memory:"));
        builder.build().unwrap()
    };
    for customer in -50..50 {
        let shard = engine.shard_of_entity(&Order { id: 7, customer }).unwrap();
        assert_eq!(shard, engine.shard_of(i64::from(customer)).unwrap());
    }
}

#[test]
fn another_map_is_refused_at_the_start_with_the_difference() {
    on_both_shards(3, |shards| {
        shards.open();
        let map = shards.map();
        let b = map.shard_named("b").unwrap();
        let changed = map.with_buckets_on([0, 1], b).unwrap();
        let error = ShardedEngine::open(changed, shards.urls().iter().cloned()).unwrap_err();
        assert_eq!((error.kind(), error.place().shard.as_deref()), (ErrorKind::Shard, Some("a")));
        let said = error.to_string();
        assert!(
            said.contains("version 2 here, and version 1 is stored on the shard")
                && said.contains("2 buckets are elsewhere, bucket 0 on b here and on a there"),
            "{said}"
        );
    });
}

#[test]
fn shards_that_were_swapped_are_refused() {
    on_both_shards(3, |shards| {
        shards.open();
        let mut urls = shards.urls().to_vec();
        let first = urls[0].1.clone();
        urls[0].1 = std::mem::replace(&mut urls[1].1, first);
        let error = ShardedEngine::open(shards.map(), urls).unwrap_err().to_string();
        assert!(error.contains("this database is the shard b, not a [shard a]"), "{error}");
    });
}

#[test]
fn a_shard_without_a_map_is_refused_where_others_have_one_until_it_is_published() {
    on_both_shards(3, |shards| {
        let two = ShardMap::hashed(["a", "b"]).unwrap();
        ShardedEngine::open(two.clone(), shards.urls()[..2].iter().cloned()).unwrap();
        let three = two.with_shard("c").unwrap();
        let builder =
            shards.urls().iter().fold(ShardedEngine::builder(three), |builder, (name, url)| {
                builder.shard(name.clone(), url)
            });
        let engine = builder.build().unwrap();
        let error = engine.check().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Shard);
        engine.publish().unwrap();
        engine.check().unwrap();
        // What was older is refused from then on, and publishes nothing.
        let error = ShardedEngine::open(two, shards.urls()[..2].iter().cloned()).unwrap_err();
        assert!(
            error.to_string().contains("the shards are a, b here and a, b, c there"),
            "{error}"
        );
    });
}

#[test]
fn a_map_that_changes_stops_the_writers_of_the_older_one_and_their_rows_are_not_there() {
    on_both_shards(2, |shards| {
        let old = shards.open();
        let first = old.ids().next().unwrap();
        let table = "create table orders (id integer primary key, customer integer not null)";
        old.on_each(&old.ids().collect::<Vec<_>>(), |_, engine| engine.run(table)).unwrap();
        let write = |id: i64| {
            old.atomically_on(first, |connection| {
                connection.execute("insert into orders values ($1, 1)", &[id.into()])
            })
        };
        assert_eq!(write(1).unwrap(), 1);

        let changed = old.map().with_buckets_on([0], old.map().shard_named("b").unwrap()).unwrap();
        let new =
            shards.urls().iter().fold(ShardedEngine::builder(changed), |builder, (name, url)| {
                builder.shard(name.clone(), url)
            });
        new.build().unwrap().publish().unwrap();

        let error = write(2).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Shard);
        assert!(error.to_string().contains("bucket 0 on a here and on b there"), "{error}");
        let mut rows = 0;
        shards
            .alone(0)
            .query("select id from orders", &[], |_| {
                rows += 1;
                Ok(())
            })
            .unwrap();
        assert_eq!(rows, 1);
    });
}

#[test]
fn an_older_map_or_another_one_of_the_same_version_is_not_published_over_one_that_is_there() {
    on_both_shards(2, |shards| {
        let old = shards.open();
        let b = old.map().shard_named("b").unwrap();
        let with = |map: ShardMap| {
            let builder = ShardedEngine::builder(map);
            let urls = shards.urls().iter();
            urls.fold(builder, |builder, (name, url)| builder.shard(name.clone(), url))
                .build()
                .unwrap()
        };
        let newer = with(old.map().with_buckets_on([0], b).unwrap());
        newer.publish().unwrap();
        let same = with(old.map().with_buckets_on([1], b).unwrap());
        for refused in [&old, &same] {
            assert_eq!(refused.publish().unwrap_err().kind(), ErrorKind::Shard);
        }
        assert_eq!(&stored(shards, 0).unwrap().map, newer.map());
        // Again, as after a publication that broke off.
        newer.publish().unwrap();
    });
}

#[test]
fn sql_by_hand_is_not_run_where_another_map_is_stored() {
    on_both_shards(2, |shards| {
        let old = shards.open();
        let b = old.map().shard_named("b").unwrap();
        let builder = |map: ShardMap| {
            let urls = shards.urls().iter();
            urls.fold(ShardedEngine::builder(map), |builder, (name, url)| {
                builder.shard(name.clone(), url)
            })
        };
        let newer = builder(old.map().with_buckets_on([0], b).unwrap()).build().unwrap();
        newer.publish().unwrap();
        let late = builder(old.map().clone()).build().unwrap();
        let asked = rowmill::Sql::new("select 1").all_on_shards::<(i64,)>(&late);
        assert_eq!(asked.unwrap_err().kind(), ErrorKind::Shard);
        assert_eq!(late.check().unwrap_err().kind(), ErrorKind::Shard);
    });
}

#[test]
fn publishing_waits_for_those_who_write_by_the_older_map() {
    let shards = Shards::postgres(2);
    let old = shards.open();
    let first = old.ids().next().unwrap();
    let changed = old.map().with_buckets_on([0], old.map().shard_named("b").unwrap()).unwrap();
    let new = shards.urls().iter().fold(ShardedEngine::builder(changed), |builder, (name, url)| {
        builder.shard(name.clone(), url)
    });
    let new = new.build().unwrap();
    std::thread::scope(|scope| {
        let publishing = old
            .atomically_on(first, |_| {
                let publishing = scope.spawn(|| new.publish());
                shards.databases()[0].wait_until(
                    "select exists (select from pg_stat_activity where datname = \
                     current_database() and wait_event_type = 'Lock')",
                );
                Ok(publishing)
            })
            .unwrap();
        publishing.join().unwrap().unwrap();
    });
    assert_eq!(stored(&shards, 0).unwrap().map.version(), 2);
}

#[test]
fn one_budget_holds_for_the_connections_of_all_shards() {
    on_both_shards(3, |shards| {
        let builder = ShardedEngine::builder(shards.map()).connections(2);
        let engine = shards
            .urls()
            .iter()
            .fold(builder, |builder, (name, url)| builder.shard(name.clone(), url))
            .build()
            .unwrap();
        engine.check().unwrap();
        let budget = engine.budget().unwrap();
        let ids: Vec<_> = engine.ids().collect();
        let open = engine.on_each(&ids, |_, engine| {
            let _held = engine.get()?;
            Ok(budget.open())
        });
        assert!(open.unwrap().into_iter().all(|open| open.unwrap() <= 2));
        assert_eq!(budget.limit(), 2);
    });
}

#[test]
fn work_that_fails_or_panics_on_one_shard_does_not_stop_the_others() {
    on_both_shards(3, |shards| {
        let engine = shards.open();
        let ids: Vec<_> = engine.ids().collect();
        let done = engine.on_each(&ids, |shard, engine| match shard.index() {
            0 => engine.run("select nonsense from nowhere"),
            1 => panic!("on purpose"),
            _ => engine.run("select 1"),
        });
        let done = done.unwrap();
        let place = |index: usize| done[index].as_ref().unwrap_err().place().shard.clone();
        assert_eq!((place(0).as_deref(), place(1).as_deref()), (Some("a"), Some("b")));
        assert_eq!(done[1].as_ref().unwrap_err().kind(), ErrorKind::Panic);
        assert!(done[2].is_ok());
    });
}

#[test]
fn a_builder_refuses_shards_that_are_missing_unknown_or_there_twice() {
    let map = ShardMap::hashed(["a", "b"]).unwrap();
    let builder = || ShardedEngine::builder(map.clone()).shard("a", "sqlite::memory:");
    for (builder, words) in [
        (builder(), "the shard b of the map has no database"),
        (builder().shard("c", "sqlite::memory:"), "\"c\" is no shard of the map, which has a, b"),
        (builder().shard("a", "sqlite::memory:"), "the shard a has two databases"),
    ] {
        let error = builder.build().unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}
