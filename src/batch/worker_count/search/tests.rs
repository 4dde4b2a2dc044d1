//! Servers whose best number of workers is known.

use super::*;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A client and a server; times are in microseconds.
#[derive(Clone, Copy)]
struct World {
    /// How long a transaction takes that begins as one of so many in flight.
    takes: fn(u64) -> u64,
    /// Of it, processor time of this process, and of a server on the same machine.
    own: u64,
    server: u64,
    commit: u64,
    /// A transaction takes up to so many percent longer, by chance.
    noise: u64,
    /// How many batches share a transaction after so many transactions.
    together: fn(usize) -> usize,
    /// The transaction during which something is tried again.
    fails: Option<usize>,
    /// In one transaction of so many a row is refused.
    refuses: usize,
}

/// A server that is far, and does whatever it is given.
const FAR_AWAY: World = World {
    takes: |_| 100_000,
    own: 2_000,
    server: 0,
    commit: 20_000,
    noise: 0,
    together: |_| 1,
    fails: None,
    refuses: usize::MAX,
};

/// One that is near, and has a lock that two can keep busy.
const LOCKED: World = World {
    takes: |in_flight| if in_flight > 2 { 6_000 * in_flight } else { 10_000 },
    own: 2_000,
    commit: 200,
    ..FAR_AWAY
};

const PROCESSORS: usize = 2;
const MOST: usize = 16;

/// What is found for `batches` batches, and how long they take.
fn run(world: World, batches: usize, mut random: u64) -> (WorkerChoice, Duration) {
    let micros = Duration::from_micros;
    let (start, mut now) = (Instant::now(), 0);
    let mut search = Search::new(2, MOST, PROCESSORS);
    let (mut left, mut ended, mut spent) = (batches, 0, (0, 0));
    let mut in_flight = BinaryHeap::new();
    loop {
        while in_flight.len() < search.count() && left > 0 {
            let together = (world.together)(ended).min(left);
            let time = (world.takes)(in_flight.len() as u64 + 1) * together as u64;
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let noise = time * world.noise * (random >> 33) / (100 << 31);
            left -= together;
            in_flight.push(Reverse((now + time + noise, time + noise, together)));
        }
        let taken = in_flight.len();
        let Some(Reverse((at, time, together))) = in_flight.pop() else { break };
        now = at;
        spent.0 += world.own * together as u64;
        spent.1 += world.server * together as u64;
        ended += 1;
        let has_refused = ended.is_multiple_of(world.refuses);
        let done = Done {
            rows: 1_000 * together as u64,
            time: micros(if has_refused { 10 * time } else { time }),
            in_flight: taken,
            together: (world.together)(ended),
            left,
            is_smooth: world.fails != Some(ended),
            has_refused,
        };
        search.ended(&done, start + micros(now), || Reading {
            own: Some(micros(spent.0)),
            idle: Some(micros((PROCESSORS as u64 * now).saturating_sub(spent.0 + spent.1))),
            commit: micros(world.commit),
        });
    }
    (search.choice(), micros(now))
}

fn found(world: World, batches: usize) -> WorkerChoice {
    run(world, batches, 1).0
}

fn kept(choice: &WorkerChoice) -> Vec<(usize, bool)> {
    choice.trials.iter().map(|trial| (trial.to, trial.kept)).collect()
}

#[test]
fn a_server_that_is_far_gets_as_many_as_there_may_be() {
    let (choice, time) = run(FAR_AWAY, 1_000, 1);
    assert_eq!((choice.count, choice.most, choice.reason), (16, 16, WorkerReason::Measured));
    assert_eq!(kept(&choice), [(4, true), (8, true), (16, true)]);
    assert!(choice.trials.iter().all(|trial| trial.gain.is_some_and(|gain| gain > 0.9)));
    // Two would take 50 s, and sixteen from the start on 6.3 s.
    assert!(time < Duration::from_secs(9), "{time:?}");
}

#[test]
fn a_server_that_is_far_does_not_get_more_than_this_machine_can_feed() {
    // Eight keep 1.6 of two processors busy.
    let choice = found(World { own: 20_000, ..FAR_AWAY }, 1_000);
    assert_eq!((choice.count, kept(&choice)), (8, vec![(4, true), (8, true)]));
}

#[test]
fn a_server_with_eight_processors_gets_eight() {
    let takes = |in_flight: u64| 20_000 * in_flight.max(8) / 8;
    let choice = found(World { takes, commit: 200, ..FAR_AWAY }, 5_000);
    assert_eq!((choice.count, kept(&choice)), (8, vec![(4, true), (8, true), (16, false)]));
}

#[test]
fn where_two_are_best_a_trial_is_short_and_the_only_one() {
    let (choice, time) = run(LOCKED, 2_000, 1);
    assert_eq!((choice.count, choice.reason), (2, WorkerReason::Measured));
    assert_eq!(kept(&choice), [(4, false)]);
    assert!(choice.trials[0].gain.is_some_and(|gain| gain < 0.0), "{choice:?}");
    let best = Duration::from_secs(10);
    assert!(time < best + best / 100, "{time:?}");
}

#[test]
fn nothing_is_tried_while_the_processors_are_busy() {
    let closures = World { own: 6_000, ..LOCKED };
    let on_this_machine = World { server: 7_000, ..LOCKED };
    for world in [closures, on_this_machine] {
        let choice = found(world, 1_000);
        assert_eq!((choice.count, choice.reason), (2, WorkerReason::Busy));
        assert_eq!(choice.trials, []);
    }
    // What others do on this machine does not keep from waiting for a server that is far.
    assert_eq!(found(World { server: 100_000, ..FAR_AWAY }, 1_000).count, 16);
}

#[test]
fn chance_moves_nothing() {
    let same = |in_flight: u64| 10_000 * in_flight.max(2) / 2;
    let slow = |in_flight: u64| 150_000 * in_flight.max(2) / 2;
    for seed in 0..200 {
        for takes in [same, slow] {
            let world = World { takes, noise: 30, ..LOCKED };
            assert_eq!(run(world, 2_000, seed).0.count, 2, "seed {seed}");
        }
        let choice = run(World { noise: 50, ..FAR_AWAY }, 2_000, seed).0;
        assert!(choice.count >= 8, "seed {seed}: {choice:?}");
    }
}

#[test]
fn it_waits_until_as_many_batches_share_a_transaction_as_will() {
    // Rows come in faster because transactions have more of them, and not because of more workers.
    let together = |ended: usize| (1 + ended / 6).min(16);
    let takes = |in_flight: u64| 10_000 * in_flight.max(2) / 2;
    let choice = found(World { takes, together, ..LOCKED }, 20_000);
    assert_eq!((choice.count, kept(&choice)), (2, vec![(4, false)]));
    assert_eq!(found(World { together, ..FAR_AWAY }, 20_000).count, 16);
}

#[test]
fn a_trial_during_which_transactions_grow_is_begun_anew_and_one_in_which_they_shrink_is_not() {
    let grows = World { together: |ended| if ended < 12 { 1 } else { 2 }, ..FAR_AWAY };
    let choice = found(grows, 2_000);
    assert_eq!(choice.trials[0], WorkerTrial { from: 2, to: 4, gain: None, kept: false });
    assert_eq!((choice.count, choice.trials.len()), (16, 4));
    let shrinks = World { together: |ended| if ended < 12 { 2 } else { 1 }, ..FAR_AWAY };
    let choice = found(shrinks, 2_000);
    assert_eq!((choice.count, kept(&choice)), (16, vec![(4, true), (8, true), (16, true)]));
    // One that grows and shrinks all the time has a few of them.
    let flaps = World { together: |ended| 1 + ended / 12 % 2, ..FAR_AWAY };
    let choice = found(flaps, 2_000);
    assert_eq!((choice.count, choice.trials.len()), (2, MOST_CUT_SHORT));
}

#[test]
fn a_batch_that_is_tried_again_ends_the_trial() {
    let choice = found(World { fails: Some(12), ..FAR_AWAY }, 1_000);
    let lost = WorkerTrial { from: 2, to: 4, gain: None, kept: false };
    assert_eq!((choice.count, choice.trials), (2, vec![lost]));
    // Before it, it is measured anew.
    let choice = found(World { fails: Some(3), ..FAR_AWAY }, 1_000);
    assert_eq!(choice.count, 16);
}

#[test]
fn a_batch_with_a_bad_row_is_no_measure() {
    let choice = found(World { refuses: 5, ..FAR_AWAY }, 1_000);
    let gains = choice.trials.iter().map(|trial| trial.gain.map(f64::round));
    assert_eq!((choice.count, gains.collect()), (16, vec![Some(1.0); 3]));
}

#[test]
fn where_nothing_stays_as_it_is_nothing_is_compared() {
    let together = |ended: usize| 1 + ended % 2;
    let choice = found(World { together, ..FAR_AWAY }, 1_000);
    assert_eq!((choice.count, choice.reason), (2, WorkerReason::Unsteady));
}

#[test]
fn with_few_batches_nothing_is_tried() {
    let choice = found(FAR_AWAY, 20);
    assert_eq!((choice.count, choice.reason), (2, WorkerReason::TooFewBatches));
    // A trial that the end cuts short says so.
    let choice = found(FAR_AWAY, 28);
    let cut_short = WorkerTrial { from: 2, to: 4, gain: None, kept: false };
    assert_eq!((choice.count, choice.trials), (2, vec![cut_short]));
}
