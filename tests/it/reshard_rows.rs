//! Buckets are moved from one shard to another: every row is where the new map looks for it, once.

use crate::support::reshard::{
    Sale, TABLE, assert_nothing_is_left, grown, reshard, rows, sales, with_sales,
};
use crate::support::shards::{Shards, on_both_shards};
use rowmill::{
    Cell, Delete, Engine, Entity, ErrorKind, Executor, Find, Intent, MoveStatus, MoveStep, Reshard,
    ShardMap, ShardedEngine, StopToken, StoredMap, Update,
};
use std::sync::{Arc, Mutex};

#[test]
fn a_new_shard_takes_its_share_and_every_row_is_where_the_map_says() {
    on_both_shards(3, |shards| {
        let before = with_sales(shards, 2, &sales(2_000));
        let after = grown(shards, &before);
        let moved = reshard(&after).run().unwrap();
        assert_eq!(moved.step, MoveStep::Done);
        assert_eq!(rows(&after), sales(2_000));
        let c = after.map().shard_named("c").unwrap();
        let there = Sale::query().count(after.engine(c)).unwrap();
        assert!(
            there > 0 && moved.rows_copied == there && moved.rows_deleted == there,
            "{moved:?}"
        );
        // What stays has not been touched: the others have less by what is there, and no more.
        for index in 0..3 {
            let stored = shards.alone(index).with(Intent::Write, StoredMap::read).unwrap().unwrap();
            assert_eq!(&stored.map, after.map());
        }
        assert_nothing_is_left(shards);
        // Done is done.
        assert_eq!(reshard(&after).run().unwrap().step, MoveStep::Done);
    });
}

#[test]
fn a_shard_is_emptied_and_filled_again_bucket_by_bucket() {
    on_both_shards(2, |shards| {
        let first = with_sales(shards, 2, &sales(500));
        let (a, b) = (first.map().shard_named("a").unwrap(), first.map().shard_named("b").unwrap());
        let emptied =
            first.with_map(first.map().with_buckets_on(0..64, a).unwrap()).build().unwrap();
        reshard(&emptied).run().unwrap();
        assert_eq!(rows(&emptied), sales(500));
        assert_eq!(Sale::query().count(emptied.engine(b)).unwrap(), 0);
        let back =
            emptied.with_map(emptied.map().with_buckets_on(0..9, b).unwrap()).build().unwrap();
        reshard(&back).run().unwrap();
        assert_eq!(rows(&back), sales(500));
        assert!(Sale::query().count(back.engine(b)).unwrap() > 0);
    });
}

#[test]
fn what_changes_between_copy_and_switch_is_moved_as_it_is_then() {
    on_both_shards(3, |shards| {
        let before = with_sales(shards, 2, &sales(1_000));
        let after = grown(shards, &before);
        let writer = before.clone();
        // When the catching-up begins, everything is copied.
        let change = move |status: &MoveStatus| {
            if status.step == MoveStep::CatchUp && status.rows_caught_up == 0 {
                let raise = Update::<Sale>::new().set(Sale::cents, -1).filter(Sale::id.lt(300));
                let drop = Delete::<Sale>::new().filter(Sale::id.ge(900));
                writer.writer().update(&raise).unwrap().all().unwrap();
                writer.writer().delete(&drop).unwrap().all().unwrap();
                let more = (1_000..1_100).map(|id| Sale { id, customer: id * 7, cents: 0 });
                writer.writer().insert_many::<Sale>(more.collect()).unwrap().all().unwrap();
            }
        };
        let changed = Mutex::new(false);
        let once = move |status: &MoveStatus| {
            let mut changed = changed.lock().unwrap();
            if !*changed && status.step == MoveStep::CatchUp {
                *changed = true;
                change(status);
            }
        };
        let moved = reshard(&after).on_progress(once).run().unwrap();
        assert!(moved.rows_caught_up > 0);
        let mut expected = sales(1_000);
        expected.iter_mut().filter(|sale| sale.id < 300).for_each(|sale| sale.cents = -1);
        expected.retain(|sale| sale.id < 900);
        expected.extend((1_000..1_100).map(|id| Sale { id, customer: id * 7, cents: 0 }));
        assert_eq!(rows(&after), expected);
    });
}

#[test]
fn a_move_that_is_cancelled_leaves_everything_as_it_was_and_can_be_begun_anew() {
    on_both_shards(3, |shards| {
        let before = with_sales(shards, 2, &sales(800));
        let after = grown(shards, &before);
        let stop = StopToken::new();
        let ask = stop.clone();
        let stopped = reshard(&after).stop(stop).on_progress(move |status| {
            if status.step == MoveStep::CatchUp {
                ask.ask();
            }
        });
        assert_eq!(stopped.run().unwrap_err().kind(), ErrorKind::Stopped);
        assert!(shards.alone(2).with(Intent::Write, MoveStatus::read).unwrap().is_some());

        let cancelled = reshard(&after).cancel().unwrap();
        assert_eq!((cancelled.step, cancelled.rows_deleted), (MoveStep::Cancelled, 0));
        assert_eq!(rows(&before), sales(800));
        assert_eq!(Sale::query().count(&shards.alone(2)).unwrap(), 0);
        assert_nothing_is_left(shards);
        before.check().unwrap();
        assert!(reshard(&after).cancel().unwrap_err().to_string().contains("no move is under way"));

        reshard(&after).run().unwrap();
        assert_eq!(rows(&after), sales(800));
        let late = reshard(&after).cancel().unwrap_err();
        assert_eq!(late.kind(), ErrorKind::Config);
    });
}

#[test]
fn rows_of_one_key_on_two_shards_are_refused_and_neither_is_lost() {
    on_both_shards(2, |shards| {
        let before = with_sales(shards, 2, &[]);
        // As a database numbers them for itself: the same key on each.
        let of = |shard: &str| {
            let map = before.map();
            let there = |customer: &i64| map.name_of(map.shard_of(*customer).unwrap()) == shard;
            (0..10_000).find(there).unwrap()
        };
        let two = ["a", "b"].map(|shard| Sale { id: 1, customer: of(shard), cents: 5 });
        before.writer().insert_many(two.to_vec()).unwrap().all().unwrap();
        let a = before.map().shard_named("a").unwrap();
        let after =
            before.with_map(before.map().with_buckets_on(0..64, a).unwrap()).build().unwrap();
        let error = reshard(&after).run().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Shard, "{error:?}");
        assert!(error.to_string().contains("has the primary key of a row of another"), "{error}");
        assert_eq!(rows(&before).len(), 2);
        reshard(&after).cancel().unwrap();
        let left = rows(&before);
        assert!(left.len() == 2 && two.iter().all(|sale| left.contains(sale)), "{left:?}");
    });
}

#[test]
fn what_does_not_follow_or_is_not_the_same_everywhere_is_refused_before_anything_is_done() {
    on_both_shards(3, |shards| {
        let before = with_sales(shards, 2, &sales(50));
        let after = grown(shards, &before);
        let refused = |reshard: &Reshard| {
            let error = reshard.run().unwrap_err();
            (error.kind(), error.to_string())
        };
        let (kind, said) = refused(&Reshard::to(&after));
        assert!(kind == ErrorKind::Config && said.contains("no table is named"), "{said}");
        let (kind, said) = refused(&Reshard::to(&after).table("sale", "client"));
        assert!(kind == ErrorKind::Schema && said.contains("no column client"), "{said}");
        let later =
            after.with_map(after.map().with_buckets_on([0], after.ids().last().unwrap()).unwrap());
        let (kind, said) = refused(&reshard(&later.build().unwrap()));
        assert!(kind == ErrorKind::Config && said.contains("does not follow version 1"), "{said}");

        shards.alone(2).run("drop table sale").unwrap();
        let (kind, said) = refused(&reshard(&after));
        assert!(
            kind == ErrorKind::Schema && said.contains("no such table") && said.contains("shard c"),
            "{said}"
        );
        shards
            .alone(2)
            .run("create table sale (id bigint primary key, customer bigint not null)")
            .unwrap();
        let (kind, said) = refused(&reshard(&after));
        assert!(kind == ErrorKind::Schema && said.contains("it has no column cents"), "{said}");
        assert_nothing_is_left(shards);
        assert!(reshard(&after).status().unwrap().is_none());

        shards.alone(2).run("drop table sale").unwrap();
        shards.alone(2).run(TABLE).unwrap();
        reshard(&after).run().unwrap();
        assert_eq!(rows(&after), sales(50));
    });
}

#[derive(Clone, Debug, PartialEq, Entity)]
#[entity(table = "client")]
struct Client {
    #[entity(key)]
    id: String,
}

/// Types that only the database knows, numbers that it makes, columns that it computes, a key of two
/// columns, and rows that refer to others and swap what is unique.
#[test]
fn rows_of_every_kind_are_moved_as_they_are_with_those_that_they_refer_to() {
    let shards = Shards::postgres(3);
    let ddl = "create type mood as enum ('calm', 'wild'); \
        create table client (id text primary key, box box, seen timestamptz default now()); \
        create table bill (client text not null references client on delete cascade, \
          number int generated always as identity, mood mood, tags text[] default '{a,b}', \
          notes jsonb, words tsvector default to_tsvector('one two'), place int, \
          twice int generated always as (place * 2) stored, primary key (client, number), \
          unique (client, place))";
    let map = ShardMap::hashed_over(64, ["a", "b"]).unwrap();
    let before = ShardedEngine::open(map, shards.urls()[..2].iter().cloned()).unwrap();
    (0..3).for_each(|index| shards.alone(index).run(ddl).unwrap());
    (0..400).for_each(|n| insert(&before, &format!("client {n}")));

    let (name, url) = &shards.urls()[2];
    let grown = before.map().with_shard("c").unwrap();
    let after = before.with_map(grown).shard(name, url).build().unwrap();
    let as_it_was = Arc::new(Mutex::new(None));
    let (changed, noted) = (Mutex::new(false), as_it_was.clone());
    let of_two: Vec<_> = shards.urls()[..2].to_vec();
    let change = move |status: &MoveStatus| {
        let mut changed = changed.lock().unwrap();
        if status.step == MoveStep::CatchUp && !*changed {
            *changed = true;
            change_bills(&before);
            (0..40).for_each(|n| insert(&before, &format!("new client {n}")));
        }
        if status.step == MoveStep::Switch && noted.lock().unwrap().is_none() {
            *noted.lock().unwrap() = Some(everything(&of_two));
        }
    };
    Reshard::to(&after)
        .table("client", "id")
        .table("bill", "client")
        .batch_rows(50)
        .on_progress(change)
        .run()
        .unwrap();
    for shard in after.ids() {
        for client in Client::query().all(after.engine(shard)).unwrap() {
            assert_eq!(after.shard_of(client.id.as_str()).unwrap(), shard, "{client:?}");
        }
    }
    let expected = as_it_was.lock().unwrap().take().unwrap();
    assert_eq!(expected.len(), (400 - 40 + 40) * 6);
    assert_eq!(everything(shards.urls()), expected);
    assert!(shards.databases()[2].count("bill") > 0);
    assert_nothing_is_left(&shards);
}

/// All rows of these shards, as the database prints them.
fn everything(urls: &[(String, String)]) -> Vec<String> {
    let mut all = Vec::new();
    for (_, url) in urls {
        let engine = Engine::open(url).unwrap();
        for table in ["client", "bill"] {
            let sql = format!("select '{table} ' || cast(t as text) from {table} t");
            engine
                .query(&sql, &[], |row| {
                    all.push(String::unpack(row.cell(0)?)?);
                    Ok(())
                })
                .unwrap();
        }
    }
    all.sort();
    all
}

fn insert(engine: &ShardedEngine, id: &str) {
    let written = engine.atomically_on(engine.shard_of(id).unwrap(), |connection| {
        let sql = "insert into client (id, box) values ($1, '((0,0),(1,2))')";
        connection.execute(sql, &[id.into()])?;
        let sql = "insert into bill (client, mood, notes, place) \
                   select $1, 'wild', '{\"a\": null}', n from generate_series(1, 5) n";
        connection.execute(sql, &[id.into()])
    });
    assert_eq!(written.unwrap(), 5);
}

fn change_bills(engine: &ShardedEngine) {
    for shard in engine.ids() {
        let changed = engine.atomically_on(shard, |connection| {
            for sql in [
                "delete from client where id like '%7'",
                "update bill set place = place + 100 where number % 2 = 0",
                // Two rows swap their places.
                "update bill set place = -place where place in (1, 3)",
                "update bill set place = case place when -1 then 3 else 1 end \
                 where place in (-1, -3)",
            ] {
                connection.execute(sql, &[])?;
            }
            Ok(())
        });
        changed.unwrap();
    }
}

#[test]
fn a_table_whose_rows_are_moved_is_not_truncated_meanwhile() {
    let shards = Shards::postgres(3);
    let before = with_sales(&shards, 2, &sales(100));
    let after = grown(&shards, &before);
    let writer = before.clone();
    let moved = reshard(&after).on_progress(move |status| {
        if status.step == MoveStep::CatchUp {
            let first = writer.ids().next().unwrap();
            let error = writer.engine(first).run("truncate sale").unwrap_err();
            assert_eq!(error.sqlstate().unwrap().code(), "55006", "{error}");
        }
    });
    moved.run().unwrap();
    assert_eq!(rows(&after), sales(100));
}
