//! What is written to several shards: on each as a whole or not at all, and a report of which.

use crate::support::shards::{Shards, on_both_shards};
use crate::support::{Cluster, TestDb};
use rowmill::{
    Delete, Duplicates, Entity, ErrorKind, Find, ShardMap, ShardOutcome, ShardWrites,
    ShardedEngine, Sql, Update,
};

#[derive(Clone, Debug, PartialEq, Entity)]
#[entity(table = "sale")]
struct Sale {
    #[entity(key)]
    id: i64,
    #[entity(shard_key)]
    customer: i64,
    cents: i64,
}

const TABLE: &str =
    "create table sale (id bigint primary key, customer bigint not null, cents bigint not null)";

fn with_tables(shards: &Shards) -> ShardedEngine {
    let engine = shards.open();
    engine.ids().for_each(|shard| engine.engine(shard).run(TABLE).unwrap());
    engine
}

fn sales(count: i64) -> Vec<Sale> {
    (0..count).map(|id| Sale { id, customer: id % 40, cents: id * 3 }).collect()
}

/// The rows of every shard, each of which has to be where it belongs.
fn all(engine: &ShardedEngine) -> Vec<Sale> {
    for shard in engine.ids() {
        for sale in Sale::query().all(engine.engine(shard)).unwrap() {
            assert_eq!(engine.shard_of_entity(&sale).unwrap(), shard, "{sale:?}");
        }
    }
    Sale::query().order_by(Sale::id).scatter(engine).all().unwrap()
}

fn names<T>(writes: &ShardWrites<T>) -> (String, String) {
    let committed: String = writes.committed().map(|(shard, _)| shard).collect();
    (committed, writes.failed().map(|(shard, _)| shard).collect())
}

#[test]
fn every_row_goes_to_its_shard_and_comes_back_from_it() {
    on_both_shards(3, |shards| {
        let engine = with_tables(shards);
        let written = engine.writer().insert_many(sales(1_000)).unwrap();
        assert_eq!(names(&written), ("abc".to_owned(), String::new()));
        let rows: usize = written.committed().map(|(_, rows)| rows.len()).sum();
        assert_eq!((rows, all(&engine)), (1_000, sales(1_000)));

        let mut changed = sales(1_100);
        changed.iter_mut().filter(|sale| sale.id % 10 == 0).for_each(|sale| sale.cents = -1);
        let done = engine.writer().upsert_many(&changed, Duplicates::Last).unwrap().all().unwrap();
        let sum =
            |of: fn(&rowmill::Upserted) -> u64| done.iter().map(|(_, done)| of(done)).sum::<u64>();
        assert_eq!(
            (sum(|d| d.inserted), sum(|d| d.updated), sum(|d| d.unchanged)),
            (100, 100, 900)
        );
        assert_eq!(all(&engine), changed);
    });
}

#[test]
fn rows_of_one_customer_touch_one_shard_alone() {
    on_both_shards(3, |shards| {
        let engine = with_tables(shards);
        let rows = sales(400).into_iter().filter(|sale| sale.customer == 7).collect();
        assert_eq!(engine.writer().insert_many::<Sale>(rows).unwrap().outcomes().len(), 1);
        assert!(engine.writer().insert_many::<Sale>(Vec::new()).unwrap().outcomes().is_empty());
    });
}

#[test]
fn a_shard_that_fails_leaves_nothing_and_the_report_says_which_it_was() {
    on_both_shards(3, |shards| {
        let engine = with_tables(shards);
        let b = engine.map().shard_named("b").unwrap();
        let in_the_way =
            sales(200).into_iter().rfind(|sale| engine.shard_of_entity(sale).unwrap() == b);
        engine.writer().insert_many(vec![in_the_way.clone().unwrap()]).unwrap().all().unwrap();

        let written = engine.writer().insert_many(sales(200)).unwrap();
        assert_eq!(names(&written), ("ac".to_owned(), "b".to_owned()));
        let said = written.all().unwrap_err();
        assert_eq!(said.place().shard.as_deref(), Some("b"));
        assert!(said.to_string().ends_with("it is committed on a, c"), "{said}");
        assert_eq!(Sale::query().count(engine.engine(b)).unwrap(), 1);

        // Done again by key, it does what is missing.
        let again = engine.writer().upsert_many(&sales(200), Duplicates::Last).unwrap();
        assert!(again.is_complete());
        assert_eq!(all(&engine), sales(200));
    });
}

#[test]
fn a_row_without_a_shard_is_found_before_anything_is_written() {
    let shards = Shards::sqlite(2);
    let map = ShardMap::lookup([(1_i64, "a"), (2, "b")], None).unwrap();
    let engine = ShardedEngine::open(map, shards.urls().iter().cloned()).unwrap();
    engine.ids().for_each(|shard| engine.engine(shard).run(TABLE).unwrap());
    let rows = [1, 2, 3].map(|customer| Sale { id: customer, customer, cents: 0 });
    let error = engine.writer().insert_many(rows.to_vec()).unwrap_err();
    assert_eq!((error.kind(), error.place().row), (ErrorKind::Config, Some(3)));
    assert_eq!(error.place().column.as_deref(), Some("customer"));
    assert_eq!(Sale::query().scatter(&engine).count().unwrap(), 0);
}

#[test]
fn a_session_writes_its_objects_to_their_shards_and_reads_them_from_there() {
    on_both_shards(3, |shards| {
        let engine = with_tables(shards);
        let mut session = engine.session();
        let handles: Vec<_> =
            sales(50).into_iter().map(|sale| session.add(sale).unwrap()).collect();
        assert!(session.commit().is_complete());
        assert_eq!(all(&engine), sales(50));

        handles[3].edit().cents = 1_000_000;
        session.delete(&handles[4]).unwrap();
        let found = session.get::<Sale>(3_i64, 3_i64).unwrap().unwrap();
        assert_eq!(found.read().cents, 1_000_000);
        assert!(session.get::<Sale>(4_i64, 999_i64).unwrap().is_none());
        let done = session.commit();
        assert!(done.is_complete(), "{done}");
        let rows = all(&engine);
        assert_eq!((rows.len(), rows[3].cents, rows[4].id), (49, 1_000_000, 5));

        handles[5].edit().cents = 7;
        session.rollback().unwrap();
        assert_eq!(handles[5].read().cents, 15);
    });
}

#[test]
fn a_session_whose_shard_fails_commits_the_others_and_says_so() {
    on_both_shards(3, |shards| {
        let engine = with_tables(shards);
        let b = engine.map().shard_named("b").unwrap();
        engine.engine(b).run("drop table sale").unwrap();
        let mut session = engine.session();
        for sale in sales(50) {
            session.add(sale).unwrap();
        }
        let done = session.commit();
        assert_eq!(names(&done), ("ac".to_owned(), "b".to_owned()));
        engine.engine(b).run(TABLE).unwrap();
        assert!(all(&engine).iter().all(|sale| engine.shard_of_entity(sale).unwrap() != b));
    });
}

#[test]
fn a_session_of_an_older_map_commits_nothing() {
    on_both_shards(2, |shards| {
        let engine = with_tables(shards);
        let mut session = engine.session();
        for sale in sales(20) {
            session.add(sale).unwrap();
        }
        let changed =
            engine.map().with_buckets_on([0], engine.map().shard_named("b").unwrap()).unwrap();
        let newer = ShardedEngine::builder(changed);
        let newer =
            shards.urls().iter().fold(newer, |newer, (name, url)| newer.shard(name.clone(), url));
        let newer = newer.build().unwrap();
        newer.publish().unwrap();
        let done = session.commit();
        assert!(done.failed().all(|(_, error)| error.kind() == ErrorKind::Shard), "{done}");
        assert_eq!(names(&done).1, "ab");
        assert_eq!(Sale::query().scatter(&newer).count().unwrap(), 0);
    });
}

/// Three databases of a server that allows transactions in two phases.
struct TwoPhase<'a> {
    databases: Vec<TestDb<'a>>,
    engine: ShardedEngine,
}

fn cluster() -> Cluster {
    Cluster::start_with(&["max_prepared_transactions=20"])
}

impl<'a> TwoPhase<'a> {
    fn new(cluster: &'a Cluster) -> Self {
        let databases: Vec<_> = (0..3).map(|_| cluster.database("two_phase")).collect();
        let engine = Self::open(&databases);
        engine.ids().for_each(|shard| engine.engine(shard).run(TABLE).unwrap());
        Self { databases, engine }
    }

    fn open(databases: &[TestDb<'_>]) -> ShardedEngine {
        let map = ShardMap::hashed(["a", "b", "c"]).unwrap();
        let names = ["a", "b", "c"].into_iter();
        ShardedEngine::open(map, names.zip(databases.iter().map(TestDb::url))).unwrap()
    }

    fn count(&self) -> u64 {
        Sale::query().scatter(&self.engine).count().unwrap()
    }

    /// What a coordinator leaves behind that dies before it decides.
    fn leave_behind(&self, name: &str, id: i64) {
        for (database, shard) in self.databases.iter().zip(["a", "b", "c"]) {
            database.sql(&format!(
                "begin; insert into sale values ({id}, 1, 1); prepare transaction 'rowmill:{name}:{shard}'"
            ));
        }
    }
}

#[test]
fn in_two_phases_all_shards_commit_or_none() {
    let cluster = cluster();
    let trio = TwoPhase::new(&cluster);
    let engine = &trio.engine;
    let written = engine.two_phase("first").unwrap().insert_many(sales(100)).unwrap();
    assert!(written.is_complete(), "{written}");
    assert_eq!(trio.count(), 100);
    // The second half is new, the first is in the way on every shard but one.
    let mixed: Vec<_> = (90..200).map(|id| Sale { id, customer: id % 40, cents: 0 }).collect();
    let written = engine.two_phase("second").unwrap().insert_many(mixed).unwrap();
    assert_eq!(written.committed().count(), 0);
    assert!(
        written.outcomes().iter().all(|(_, o)| matches!(o, ShardOutcome::Failed(_))),
        "{written}"
    );
    assert_eq!((trio.count(), engine.prepared().unwrap()), (100, Vec::new()));
    // A name that was committed writes nothing again.
    let error = engine.two_phase("first").unwrap().insert_many(sales(500)).unwrap_err();
    assert!(error.to_string().contains("was committed before"), "{error}");
    assert_eq!(trio.count(), 100);
}

#[test]
fn what_a_dead_coordinator_left_is_listed_and_ended_as_was_decided() {
    let cluster = cluster();
    let trio = TwoPhase::new(&cluster);
    let engine = &trio.engine;
    trio.leave_behind("undecided", 1_000);
    trio.leave_behind("decided", 1_001);
    trio.databases[0]
        .sql("insert into rowmill.shard_decision (name, committed) values ('decided', true)");
    trio.databases[1].sql("commit prepared 'rowmill:decided:b'");
    let listed: Vec<_> = engine.prepared().unwrap();
    let listed: Vec<_> = listed.iter().map(|t| (&*t.shard, &*t.name, t.decided)).collect();
    assert_eq!(
        listed,
        [
            ("a", "decided", Some(true)),
            ("a", "undecided", None),
            ("b", "undecided", None),
            ("c", "decided", Some(true)),
            ("c", "undecided", None),
        ]
    );
    let resolved = engine.resolve("decided").unwrap();
    assert_eq!((resolved.committed, resolved.shards), (true, vec!["a".to_owned(), "c".to_owned()]));
    let resolved = engine.resolve("undecided").unwrap();
    assert_eq!((resolved.committed, resolved.shards.len()), (false, 3));
    assert_eq!((trio.count(), engine.prepared().unwrap()), (3, Vec::new()));
}

#[test]
fn a_coordinator_that_was_given_up_while_it_lived_commits_nothing() {
    let cluster = cluster();
    let trio = TwoPhase::new(&cluster);
    let other = TwoPhase::open(&trio.databases);
    let parts = trio.engine.ids().map(|shard| (shard, shard)).collect();
    let late = trio.engine.ids().last().unwrap();
    let done = trio.engine.two_phase("late").unwrap().write(parts, |connection, shard| {
        connection.execute("insert into sale values (1, 1, 1)", &[])?;
        if shard == late {
            std::thread::scope(|scope| scope.spawn(|| other.resolve("late")).join().unwrap())?;
        }
        Ok(())
    });
    let done = done.unwrap();
    assert_eq!(done.committed().count(), 0, "{done}");
    assert_eq!((trio.count(), other.prepared().unwrap()), (0, Vec::new()));
}

#[test]
fn two_phases_are_refused_where_the_database_has_none_or_forbids_them() {
    let sqlite = Shards::sqlite(2);
    let engine = with_tables(&sqlite);
    let written = engine.two_phase("x").unwrap().insert_many(sales(10)).unwrap();
    assert!(written.failed().all(|(_, error)| error.kind() == ErrorKind::Unsupported), "{written}");
    assert!(engine.prepared().unwrap().is_empty());
    let postgres = Shards::postgres(2);
    let engine = with_tables(&postgres);
    let said = engine.two_phase("x").unwrap().insert_many(sales(10)).unwrap().all().unwrap_err();
    assert!(said.to_string().contains("max_prepared_transactions"), "{said}");
    assert_eq!(
        Sql::new("select count(*) from sale")
            .scalar::<i64>(engine.engine(engine.ids().next().unwrap()))
            .unwrap(),
        0
    );
    let long = "x".repeat(101);
    for name in ["x'y", "", &long] {
        assert_eq!(engine.two_phase(name).unwrap_err().kind(), ErrorKind::Config, "{name:?}");
    }
}

#[test]
fn rows_are_updated_and_deleted_by_a_condition_on_every_shard_that_can_have_them() {
    on_both_shards(3, |shards| {
        let engine = with_tables(shards);
        engine.writer().insert_many(sales(1_000)).unwrap().all().unwrap();

        let raise =
            Update::<Sale>::new().set(Sale::cents, Sale::cents + 1).filter(Sale::id.lt(300));
        let raised = engine.writer().update(&raise).unwrap();
        assert_eq!(names(&raised), ("abc".to_owned(), String::new()));
        assert_eq!(raised.all().unwrap().iter().map(|(_, rows)| rows).sum::<u64>(), 300);

        // A condition on the shard key goes to its shard alone.
        let delete = Delete::<Sale>::new().filter(Sale::customer.eq(7)).filter(Sale::id.ge(300));
        let deleted = engine.writer().delete(&delete).unwrap().all().unwrap();
        let home = engine.map().name_of(engine.shard_of(7_i64).unwrap()).to_owned();
        let mut expected = sales(1_000);
        expected.iter_mut().filter(|sale| sale.id < 300).for_each(|sale| sale.cents += 1);
        expected.retain(|sale| sale.customer != 7 || sale.id < 300);
        assert_eq!(deleted, [(home, 1_000 - expected.len() as u64)]);
        assert_eq!(all(&engine), expected);
    });
}

#[test]
fn a_change_that_fails_on_one_shard_is_committed_on_the_others_and_done_again_completes_it() {
    on_both_shards(3, |shards| {
        let engine = with_tables(shards);
        engine.writer().insert_many(sales(300)).unwrap().all().unwrap();
        let b = engine.map().shard_named("b").unwrap();
        engine.engine(b).run("alter table sale rename to away").unwrap();
        let free = Update::<Sale>::new().set(Sale::cents, 0).every_row();
        let done = engine.writer().update(&free).unwrap();
        assert_eq!(names(&done), ("ac".to_owned(), "b".to_owned()));
        engine.engine(b).run("alter table away rename to sale").unwrap();
        engine.writer().update(&free).unwrap().all().unwrap();
        assert!(all(&engine).iter().all(|sale| sale.cents == 0));
    });
}

#[test]
fn a_change_without_a_condition_of_the_shard_key_or_by_rows_of_other_shards_is_refused() {
    let shards = Shards::sqlite(2);
    let engine = with_tables(&shards);
    let refused = |update: Update<Sale>| engine.writer().update(&update).unwrap_err();
    let error = refused(Update::new().set(Sale::cents, 1));
    assert!(error.to_string().contains("would change every row of Sale"), "{error}");
    let error = refused(Update::new().set(Sale::customer, 1).every_row());
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("the shard key of Sale cannot be changed"), "{error}");
    let cheap = Sale::query().filter(Sale::cents.lt(10)).select(Sale::id);
    let error = refused(Update::new().set(Sale::cents, 1).filter(Sale::id.is_in_query(cheap)));
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
}
