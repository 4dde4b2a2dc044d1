//! Writes in two phases that meet something in between: a shard that is lost, or ended by others.

use crate::support::proxy::{End, Fault, Moment, Proxy};
use crate::support::{Cluster, TestDb};
use rowmill::backend::Connection;
use rowmill::{ErrorKind, ShardId, ShardMap, ShardOutcome, ShardWrites, ShardedEngine};
use std::thread;

/// Two shards; the way to the second one can be cut.
struct Pair<'a> {
    databases: [TestDb<'a>; 2],
    way: Proxy,
    engine: ShardedEngine,
}

const TABLE: &str = "create table sale (id bigint primary key)";

fn cluster() -> Cluster {
    Cluster::start_with(&["max_prepared_transactions=20"])
}

impl<'a> Pair<'a> {
    fn new(cluster: &'a Cluster) -> Self {
        let databases = std::array::from_fn(|_| cluster.database("pair"));
        let way = Proxy::to(cluster.port());
        let engine = Self::open(&databases, &way, ShardMap::hashed(["a", "b"]).unwrap());
        engine.check().unwrap();
        for database in &databases {
            database.sql(TABLE);
        }
        Self { databases, way, engine }
    }

    fn open(databases: &[TestDb<'_>; 2], way: &Proxy, map: ShardMap) -> ShardedEngine {
        let builder = ShardedEngine::builder(map).shard("a", &databases[0].url());
        builder.shard("b", &way.instead_of(&databases[1].url())).build().unwrap()
    }

    /// A row on each shard; `then` is done on the connection to the second one.
    fn write(
        &self,
        name: &str,
        then: impl Fn(&mut dyn Connection) + Sync,
    ) -> rowmill::Result<ShardWrites<()>> {
        let parts: Vec<(ShardId, bool)> =
            self.engine.ids().map(|shard| (shard, shard.index() == 1)).collect();
        self.engine.two_phase(name).unwrap().write(parts, |connection, is_second| {
            connection.execute("insert into sale values (1)", &[])?;
            if is_second {
                then(connection);
            }
            Ok(())
        })
    }

    fn rows(&self) -> [i64; 2] {
        self.databases.each_ref().map(|database| {
            database.connect().query_one("select count(*) from sale", &[]).unwrap().get(0)
        })
    }
}

#[test]
fn a_shard_that_is_lost_after_it_prepared_is_rolled_back_with_the_others() {
    let cluster = cluster();
    let pair = Pair::new(&cluster);
    // The next that it says is that it has prepared.
    let cut = Fault::Cut { at: Moment::InReply, end: End::Fin };
    let written = pair.write("lost", |_| pair.way.set(cut)).unwrap();
    assert_eq!(written.committed().count(), 0, "{written}");
    assert_eq!((pair.rows(), pair.engine.prepared().unwrap()), ([0, 0], Vec::new()));
}

#[test]
fn a_shard_that_is_lost_before_it_prepared_has_failed_and_is_not_unknown() {
    let cluster = cluster();
    let pair = Pair::new(&cluster);
    let written = pair.write("lost", |_| pair.way.cut(End::Fin)).unwrap();
    let failed =
        |(_, outcome): &(String, ShardOutcome<()>)| matches!(outcome, ShardOutcome::Failed(_));
    assert!(written.outcomes().iter().all(failed), "{written}");
    assert_eq!((pair.rows(), pair.engine.prepared().unwrap()), ([0, 0], Vec::new()));
}

#[test]
fn a_shard_that_cannot_be_told_is_unknown_and_says_how_to_end_it() {
    let cluster = cluster();
    let pair = Pair::new(&cluster);
    let mut deciding = pair.databases[0].connect();
    let held = "begin; lock table rowmill.shard_decision in share row exclusive mode";
    deciding.batch_execute(held).unwrap();
    let written = thread::scope(|scope| {
        let writing = scope.spawn(|| pair.write("told", |_| {}).unwrap());
        pair.databases[0].wait_until(
            "select exists (select from pg_stat_activity where datname = current_database() \
             and wait_event_type = 'Lock')",
        );
        // Somebody ends what is prepared, before it is decided.
        pair.databases[1].sql("rollback prepared 'rowmill:told:b'");
        deciding.batch_execute("commit").unwrap();
        writing.join().unwrap()
    });
    let [(_, ShardOutcome::Committed(())), (_, ShardOutcome::Unknown(why))] = written.outcomes()
    else {
        panic!("{written}")
    };
    assert!(why.to_string().contains("rowmill shards resolve told"), "{why}");
}

#[test]
fn by_an_older_map_nothing_is_prepared() {
    let cluster = cluster();
    let pair = Pair::new(&cluster);
    let map = pair.engine.map();
    let newer = map.with_buckets_on([0], map.shard_named("b").unwrap()).unwrap();
    Pair::open(&pair.databases, &pair.way, newer).publish().unwrap();
    let written = pair.write("old", |_| {}).unwrap();
    assert!(written.failed().all(|(_, error)| error.kind() == ErrorKind::Shard), "{written}");
    assert_eq!((written.failed().count(), pair.rows()), (2, [0, 0]));
}

#[test]
fn a_decision_is_on_the_disk_also_where_commits_are_not() {
    let cluster = cluster();
    let pair = Pair::new(&cluster);
    pair.databases[0].sql(
        "create table noted (commits text);
         create function note() returns trigger language plpgsql as $$ begin
             insert into noted values (current_setting('synchronous_commit')); return new; end $$;
         create trigger note before insert on rowmill.shard_decision
             for each row execute function note()",
    );
    let name = pair.databases[0].name();
    cluster.sql(&format!("alter database \"{name}\" set synchronous_commit = off"));
    // Sessions that begin from now on.
    let engine = Pair::open(&pair.databases, &pair.way, pair.engine.map().clone());
    let parts: Vec<_> = engine.ids().map(|shard| (shard, ())).collect();
    let insert = |on: &mut dyn Connection, ()| on.execute("insert into sale values (1)", &[]);
    assert!(engine.two_phase("disk").unwrap().write(parts, insert).unwrap().is_complete());
    let mut client = pair.databases[0].connect();
    let noted: String = client.query_one("select commits from noted", &[]).unwrap().get(0);
    assert_eq!(noted, "on");
}

#[test]
fn what_others_have_prepared_is_neither_listed_nor_ended() {
    let cluster = cluster();
    let pair = Pair::new(&cluster);
    for (gid, id) in [("rowmill:mine:z", 7), ("mine", 8), ("rowmill:other:a", 9)] {
        pair.databases[0]
            .sql(&format!("begin; insert into sale values ({id}); prepare transaction '{gid}'"));
    }
    let listed = pair.engine.prepared().unwrap();
    let names: Vec<_> = listed.iter().map(|it| (it.shard.as_str(), it.name.as_str())).collect();
    assert_eq!(names, [("a", "other")]);
    assert!(pair.engine.resolve("mine").unwrap().shards.is_empty());
    assert_eq!(pair.engine.resolve("other").unwrap().shards, ["a"]);
    let left = "select string_agg(gid, ' ' order by gid) from pg_prepared_xacts";
    let left: String = pair.databases[0].connect().query_one(left, &[]).unwrap().get(0);
    assert_eq!(left, "mine rowmill:mine:z");
    pair.databases[0].sql("rollback prepared 'mine'");
    pair.databases[0].sql("rollback prepared 'rowmill:mine:z'");
}

#[test]
fn a_commit_whose_answer_was_lost_on_one_shard_is_unknown_there() {
    let cluster = cluster();
    let pair = Pair::new(&cluster);
    let parts: Vec<_> = pair.engine.ids().map(|shard| (shard, shard.index() == 1)).collect();
    let cut = Fault::Cut { at: Moment::AfterCommit, end: End::Fin };
    let written = pair.engine.writer().write(parts, |connection, is_second| {
        connection.execute("insert into sale values (1)", &[])?;
        if is_second {
            pair.way.set(cut);
        }
        Ok(())
    });
    let written = written.unwrap();
    let [(_, ShardOutcome::Committed(())), (_, ShardOutcome::Unknown(why))] = written.outcomes()
    else {
        panic!("{written}")
    };
    assert_eq!((why.kind(), pair.rows()), (ErrorKind::CommitUnknown, [1, 1]));
}
