//! One of three shards, each a server of its own, is down, silent, slow or on another map.

use crate::support::{Cluster, TestDb};
use rowmill::{
    Duplicates, Entity, ErrorKind, Find, Gathered, OnShardError, Placement, ShardKey, ShardMap,
    ShardedEngine, count_all,
};
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Entity)]
#[entity(table = "sale")]
struct Sale {
    #[entity(key)]
    id: i64,
    #[entity(shard_key)]
    customer: i64,
}

const NAMES: [&str; 3] = ["a", "b", "c"];

/// Long enough for a machine under load, short enough for a test.
const SOON: Duration = Duration::from_secs(2);

/// Three servers, and a database of each.
struct Servers<'a> {
    clusters: &'a [Cluster; 3],
    databases: Vec<TestDb<'a>>,
    engine: ShardedEngine,
}

fn clusters() -> [Cluster; 3] {
    std::array::from_fn(|_| Cluster::start())
}

fn sales() -> Vec<Sale> {
    (0..300).map(|id| Sale { id, customer: id }).collect()
}

impl<'a> Servers<'a> {
    fn new(clusters: &'a [Cluster; 3]) -> Self {
        let databases: Vec<_> = clusters.iter().map(|cluster| cluster.database("shard")).collect();
        let engine = open(&databases, ShardMap::hashed(NAMES).unwrap());
        engine.check().unwrap();
        let table = "create table sale (id bigint primary key, customer bigint not null)";
        engine.ids().for_each(|shard| engine.engine(shard).run(table).unwrap());
        engine.writer().insert_many(sales()).unwrap().all().unwrap();
        Self { clusters, databases, engine }
    }

    /// The rows that are not on the shard `b`.
    fn without_b(&self) -> Vec<Sale> {
        let b = self.engine.map().shard_named("b").unwrap();
        sales().into_iter().filter(|sale| self.engine.shard_of_entity(sale).unwrap() != b).collect()
    }

    /// The others answer, and `b` is missing.
    fn assert_b_is_missing(&self, kinds: &[ErrorKind]) {
        let ordered = Sale::query().order_by(Sale::id);
        let scatter = ordered.scatter(&self.engine).within(SOON);
        assert!(scatter.gather().is_err(), "nobody asked for a part");
        let error = scatter.all().unwrap_err();
        assert_eq!(error.place().shard.as_deref(), Some("b"), "{error}");
        assert!(kinds.contains(&error.kind()), "{error:?}");

        let Gathered { found, asked, missing, .. } = ordered
            .scatter(&self.engine)
            .within(SOON)
            .on_error(OnShardError::Partial)
            .gather()
            .unwrap();
        assert_eq!((found, asked, missing.len()), (self.without_b(), 3, 1));
        assert_eq!(missing[0].shard, "b");
        let count = Sale::query().select(count_all::<Sale>());
        let count =
            count.scatter(&self.engine).within(SOON).on_error(OnShardError::Partial).gather();
        assert_eq!(count.unwrap().found, [self.without_b().len() as i64]);

        // Who asks for what is elsewhere does not notice.
        let elsewhere = self.without_b().swap_remove(0);
        let by_key = Sale::query().filter(Sale::customer.eq(elsewhere.customer));
        assert_eq!(by_key.scatter(&self.engine).all().unwrap(), [elsewhere]);
    }

    fn assert_all_is_there(&self) {
        assert_eq!(Sale::query().order_by(Sale::id).scatter(&self.engine).all().unwrap(), sales());
    }
}

fn open(databases: &[TestDb<'_>], map: ShardMap) -> ShardedEngine {
    let builder = ShardedEngine::builder(map)
        .engines(|_, builder| builder.timeout(SOON).connect_timeout(SOON));
    let urls = NAMES.iter().zip(databases);
    urls.fold(builder, |builder, (name, db)| builder.shard(*name, &db.url())).build().unwrap()
}

#[test]
fn a_shard_that_is_down_is_missing_or_an_error_and_is_back_when_it_is() {
    let clusters = clusters();
    let servers = Servers::new(&clusters);
    clusters[1].stop_immediate();
    servers.assert_b_is_missing(&[ErrorKind::Connect, ErrorKind::Disconnect]);

    // What is written meanwhile is on the others; done again, it is complete.
    let more: Vec<_> = (0..400).map(|id| Sale { id, customer: id }).collect();
    let written = servers.engine.writer().upsert_many(&more, Duplicates::Last).unwrap();
    let committed: String = written.committed().map(|(shard, _)| shard).collect();
    assert_eq!(committed, "ac", "{written}");
    clusters[1].restart();
    servers.engine.writer().upsert_many(&more, Duplicates::Last).unwrap().all().unwrap();
    assert_eq!(Sale::query().order_by(Sale::id).scatter(&servers.engine).all().unwrap(), more);
}

#[test]
fn a_shard_that_is_silent_costs_no_more_than_the_time_that_was_given() {
    let clusters = clusters();
    let servers = Servers::new(&clusters);
    servers.assert_all_is_there();
    let frozen = clusters[1].freeze();
    servers.assert_b_is_missing(&[
        ErrorKind::Connect,
        ErrorKind::Disconnect,
        ErrorKind::Database,
        ErrorKind::PoolTimeout,
    ]);
    drop(frozen);
    servers.assert_all_is_there();
}

#[test]
fn a_shard_that_is_slow_is_left_out_and_nothing_of_its_statement_stays() {
    let clusters = clusters();
    let servers = Servers::new(&clusters);
    let mut lock = servers.databases[1].connect();
    lock.batch_execute("begin; lock table sale").unwrap();
    servers.assert_b_is_missing(&[ErrorKind::Database, ErrorKind::Disconnect]);
    drop(lock);
    servers.assert_all_is_there();
}

#[test]
fn a_shard_on_another_map_is_missing_and_not_written_to_while_the_others_go_on() {
    let clusters = clusters();
    let servers = Servers::new(&clusters);
    let map = servers.engine.map();
    // A bucket in which none of the rows is, so that none has to be moved.
    let Placement::Hash(buckets) = map.placement() else { panic!("a map by hash") };
    let used: Vec<_> =
        (0..1_100_i64).map(|id| buckets.bucket_of(&ShardKey::of(id).unwrap())).collect();
    let unused = (0..buckets.count()).find(|bucket| !used.contains(bucket)).unwrap();
    let newer = map.with_buckets_on([unused], map.shard_named("b").unwrap()).unwrap();
    let json = newer.to_json().unwrap();
    // As if who published it had died in the middle.
    servers.databases[1].sql(&format!("update rowmill.shard_map set version = 2, map = '{json}'"));

    let more: Vec<_> = (1_000..1_100).map(|id| Sale { id, customer: id }).collect();
    let written = servers.engine.writer().insert_many(more.clone()).unwrap();
    let failed: Vec<_> =
        written.failed().map(|(shard, error)| (shard.to_owned(), error.kind())).collect();
    assert_eq!(failed, [("b".to_owned(), ErrorKind::Shard)]);
    let late = open(&servers.databases, map.clone());
    let partial = Sale::query().scatter(&late).on_error(OnShardError::Partial);
    let partial = partial.gather_count().unwrap();
    assert_eq!(partial.missing[0].error.kind(), ErrorKind::Shard);

    // With the newer map everywhere, what was missing is written, and every row is there once.
    let engine = open(&servers.databases, newer);
    engine.publish().unwrap();
    engine.writer().upsert_many(&more, Duplicates::Last).unwrap().all().unwrap();
    let ids = Sale::query().filter(Sale::id.ge(1_000)).order_by(Sale::id).select(Sale::id);
    assert_eq!(ids.scatter(&engine).all().unwrap(), (1_000..1_100).collect::<Vec<i64>>());
    let _ = servers.clusters;
}

#[test]
fn a_statement_that_is_wrong_is_no_missing_shard() {
    let clusters = clusters();
    let servers = Servers::new(&clusters);
    servers.databases[1].sql("alter table sale rename column customer to client");
    let partial = Sale::query().scatter(&servers.engine).on_error(OnShardError::Partial).gather();
    let error = partial.unwrap_err();
    assert_eq!((error.kind(), error.place().shard.as_deref()), (ErrorKind::Database, Some("b")));
}
