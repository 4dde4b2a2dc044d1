//! Others write and read while buckets are moved.

use crate::support::LIMIT;
use crate::support::fake::until;
use crate::support::reshard::{
    Sale, assert_nothing_is_left, grown, reshard, rows, sales, with_sales,
};
use crate::support::shards::on_both_shards;
use rowmill::{
    Delete, Duplicates, ErrorKind, Find, MoveStatus, MoveStep, Result, ShardWrites, ShardedEngine,
    Update,
};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Instant;

const WRITERS: i64 = 3;

/// How far the writers are.
#[derive(Default)]
struct Pace {
    commits: Mutex<u64>,
    changed: Condvar,
}

impl Pace {
    fn committed(&self) {
        *self.commits.lock().unwrap() += 1;
        self.changed.notify_all();
    }

    /// Waits until there are so many commits more than now.
    fn wait_for(&self, more: u64) {
        let commits = self.commits.lock().unwrap();
        let wanted = *commits + more;
        let (commits, end) =
            self.changed.wait_timeout_while(commits, LIMIT, |commits| *commits < wanted).unwrap();
        drop(commits);
        assert!(!end.timed_out(), "the writers do not get on");
    }
}

/// A program that writes by a map, and takes the newer one where it is refused.
struct Writer {
    engine: ShardedEngine,
    new_shard: (String, String),
    model: BTreeMap<i64, Sale>,
    /// The next number of its own pseudo-random sequence.
    dice: u64,
    refused: u64,
}

impl Writer {
    fn roll(&mut self, sides: u64) -> u64 {
        self.dice = self
            .dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.dice >> 33) % sides
    }

    /// Does one write until all of it is committed.
    fn step(&mut self, own: i64) {
        let id = own + WRITERS * self.roll(600) as i64;
        let cents = self.roll(1_000_000) as i64;
        let sale = Sale { id, customer: id * 7, cents };
        match self.roll(10) {
            0..=2 => {
                self.write(|engine| {
                    let row = Delete::<Sale>::new().filter(Sale::id.eq(id));
                    engine.writer().delete(&row.filter(Sale::customer.eq(id * 7)))
                });
                self.model.remove(&id);
            }
            3..=5 if self.model.contains_key(&id) => {
                self.write(|engine| {
                    let row = Update::<Sale>::new().set(Sale::cents, cents);
                    let row = row.filter(Sale::id.eq(id)).filter(Sale::customer.eq(id * 7));
                    engine.writer().update(&row)
                });
                self.model.insert(id, sale);
            }
            _ => {
                let rows = [sale.clone()];
                self.write(|engine| engine.writer().upsert_many(&rows, Duplicates::Last));
                self.model.insert(id, sale);
            }
        }
    }

    fn write<T>(&mut self, write: impl Fn(&ShardedEngine) -> Result<ShardWrites<T>>) {
        let since = Instant::now();
        loop {
            let done = write(&self.engine).and_then(ShardWrites::all);
            let Err(error) = done else { return };
            // By an older map; or by the newer one, where that is not stored yet.
            assert_eq!(error.kind(), ErrorKind::Shard, "{error}");
            assert!(since.elapsed() < LIMIT, "refused for ever: {error}");
            self.refused += 1;
            let map = self.engine.stored_map().unwrap();
            let mut builder = self.engine.with_map(map.clone());
            let (name, url) = &self.new_shard;
            if map.shard_named(name).is_some() && self.engine.map().shard_named(name).is_none() {
                builder = builder.shard(name, url);
            }
            self.engine = builder.build().unwrap();
        }
    }
}

#[test]
fn nothing_is_lost_doubled_or_stale_while_others_write_all_the_time() {
    on_both_shards(3, |shards| {
        let first = sales(600 * WRITERS);
        let before = with_sales(shards, 2, &first);
        let after = grown(shards, &before);
        let (pace, done) = (Arc::new(Pace::default()), AtomicBool::new(false));
        let refused = AtomicU64::new(0);
        let written = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..WRITERS)
                .map(|own| {
                    let (pace, done, refused) = (pace.clone(), &done, &refused);
                    let own_rows = first.iter().filter(|sale| sale.id % WRITERS == own);
                    let mut writer = Writer {
                        engine: ShardedEngine::open(
                            before.map().clone(),
                            shards.urls()[..2].iter().cloned(),
                        )
                        .unwrap(),
                        new_shard: shards.urls()[2].clone(),
                        model: own_rows.map(|sale| (sale.id, sale.clone())).collect(),
                        dice: own as u64 + 1,
                        refused: 0,
                    };
                    scope.spawn(move || {
                        while !done.load(Ordering::Acquire) {
                            writer.step(own);
                            pace.committed();
                        }
                        refused.fetch_add(writer.refused, Ordering::Relaxed);
                        writer.model
                    })
                })
                .collect();
            let seen = Mutex::new(None);
            let beside = pace.clone();
            // At every step they get on before it begins.
            let wait = move |status: &MoveStatus| {
                let mut seen = seen.lock().unwrap();
                // From the switch to the end of the merge some of them have to wait.
                if *seen != Some(status.step) && status.step != MoveStep::Merge {
                    *seen = Some(status.step);
                    beside.wait_for(60);
                }
            };
            let moved = reshard(&after).on_progress(wait).run();
            pace.wait_for(60);
            done.store(true, Ordering::Release);
            let models: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
            let moved = moved.unwrap();
            assert!(moved.step == MoveStep::Done && moved.rows_caught_up > 0, "{moved:?}");
            models.into_iter().flatten().collect::<BTreeMap<_, _>>()
        });
        assert!(refused.load(Ordering::Relaxed) >= WRITERS as u64);
        assert_eq!(rows(&after), written.into_values().collect::<Vec<_>>());
        assert_nothing_is_left(shards);
    });
}

#[test]
fn who_has_the_older_map_is_refused_after_the_switch_and_goes_on_with_the_newer_one() {
    on_both_shards(3, |shards| {
        let before = with_sales(shards, 2, &sales(300));
        let after = grown(shards, &before);
        let reader = before.with_map(before.map().clone()).build().unwrap();
        assert_eq!(Sale::query().scatter(&reader).count().unwrap(), 300);
        let moves = |sale: &Sale| {
            let to = after.shard_of_entity(sale).unwrap();
            to != before.shard_of_entity(sale).unwrap()
        };
        let sale = sales(300).into_iter().find(moves).unwrap();
        let mut session = before.session();
        session.add(Sale { id: 8_888, ..sale.clone() }).unwrap();
        reshard(&after).run().unwrap();

        let written = session.commit();
        assert_eq!(written.failed().next().unwrap().1.kind(), ErrorKind::Shard, "{written}");
        let error = Sale::query().scatter(&reader).count().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Shard, "{error}");
        assert!(error.to_string().contains("version 1 here, and version 2 is stored"), "{error}");
        let late = before.writer().insert_many(vec![Sale { id: 9_999, ..sale.clone() }]).unwrap();
        assert_eq!(late.failed().next().unwrap().1.kind(), ErrorKind::Shard);

        let (name, url) = &shards.urls()[2];
        let map = before.stored_map().unwrap();
        assert_eq!(&map, after.map());
        let newer = before.with_map(map).shard(name, url).build().unwrap();
        let mut session = newer.session();
        session.get::<Sale>(sale.customer, sale.id).unwrap().unwrap().edit().cents = -5;
        assert!(session.commit().is_complete());
        let mut expected = sales(300);
        expected.iter_mut().filter(|other| other.id == sale.id).for_each(|sale| sale.cents = -5);
        assert_eq!(rows(&newer), expected);
    });
}

/// What all shards have together is all there is, at every instant, or is not told.
#[test]
fn who_reads_all_shards_meanwhile_sees_every_row_once_or_is_refused() {
    on_both_shards(3, |shards| {
        let before = with_sales(shards, 2, &sales(1_500));
        let grown = grown(shards, &before);
        let b = grown.map().shard_named("b").unwrap();
        let emptied = grown.map().with_buckets_on(0..64, b).unwrap();
        let emptied = grown.with_map(emptied).build().unwrap();
        // One shard takes buckets that is asked already, and one that is not.
        for (old, new) in [(&before, &grown), (&grown, &emptied)] {
            let read = |engine: &ShardedEngine| match Sale::query().scatter(engine).count() {
                Ok(count) => {
                    assert_eq!(count, 1_500);
                    true
                }
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Shard, "{error}");
                    false
                }
            };
            let (first, second) = (old.clone(), new.clone());
            let (done, answers) = (AtomicBool::new(false), Arc::new(AtomicU64::new(0)));
            std::thread::scope(|scope| {
                let readers = [old, new].map(|engine| {
                    let (done, answers) = (&done, answers.clone());
                    scope.spawn(move || {
                        while !done.load(Ordering::Acquire) {
                            let is_answer = read(engine) && std::ptr::eq(engine, old);
                            answers.fetch_add(u64::from(is_answer), Ordering::Relaxed);
                        }
                    })
                });
                let beside = answers.clone();
                let told = move |status: &MoveStatus| {
                    if status.step == MoveStep::Copy {
                        until("it is read", || beside.load(Ordering::Relaxed) > 0);
                    }
                    let (by_old, by_new) = (read(&first), read(&second));
                    match status.step {
                        MoveStep::Copy | MoveStep::CatchUp => assert!(by_old && !by_new),
                        MoveStep::Merge => assert!(!by_old && !by_new),
                        MoveStep::Clean | MoveStep::Done => assert!(!by_old && by_new),
                        // The map is stored behind its beginning.
                        _ => assert!(!by_new),
                    }
                };
                let moved = reshard(new).on_progress(told).run();
                done.store(true, Ordering::Release);
                for reader in readers {
                    reader.join().unwrap();
                }
                moved.unwrap();
            });
            assert!(read(new) && !read(old));
        }
        assert_eq!(rows(&emptied), sales(1_500));
    });
}
