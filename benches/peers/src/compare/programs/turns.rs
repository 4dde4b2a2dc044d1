//! Callers that do one small thing after the other, for some seconds.

use crate::task::{Answer, Task};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

/// Threads; `turn` is told its number.
pub fn threads(task: &Task, turn: impl Fn(u64) + Sync) -> Answer {
    let barrier = Barrier::new(task.callers);
    let caller = |number: u64| {
        let mut times = Times::new(task, number);
        while times.warming() {
            turn(times.next());
        }
        barrier.wait();
        times.begin();
        while times.on() {
            let number = times.next();
            times.time(|| turn(number));
        }
        times
    };
    let caller = &caller;
    let all: Vec<_> = thread::scope(|scope| {
        let callers = 0..task.callers as u64;
        let threads: Vec<_> = callers.map(|number| scope.spawn(move || caller(number))).collect();
        threads.into_iter().map(|thread| thread.join().expect("a caller")).collect()
    });
    Times::answer(all)
}

/// Tasks of an async runtime.
pub async fn tasks<F>(task: &Task, turn: impl Fn(u64) -> F + Send + Sync + 'static) -> Answer
where
    F: Future<Output = ()> + Send,
{
    let (turn, barrier) = (Arc::new(turn), Arc::new(tokio::sync::Barrier::new(task.callers)));
    let callers: Vec<_> = (0..task.callers as u64)
        .map(|number| {
            let (turn, barrier, task) = (Arc::clone(&turn), Arc::clone(&barrier), task.clone());
            tokio::spawn(async move {
                let mut times = Times::new(&task, number);
                while times.warming() {
                    turn(times.next()).await;
                }
                barrier.wait().await;
                times.begin();
                while times.on() {
                    let number = times.next();
                    let start = Instant::now();
                    turn(number).await;
                    times.took(start.elapsed());
                }
                times
            })
        })
        .collect();
    let mut all = Vec::new();
    for caller in callers {
        all.push(caller.await.expect("a caller"));
    }
    Times::answer(all)
}

/// The times of one caller.
struct Times {
    next: u64,
    warm: Instant,
    length: Duration,
    start: Instant,
    taken: Vec<Duration>,
}

impl Times {
    fn new(task: &Task, number: u64) -> Self {
        let length = Duration::from_secs_f64(task.seconds);
        let now = Instant::now();
        Self { next: number << 32, warm: now + length / 5, length, start: now, taken: Vec::new() }
    }

    fn next(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn warming(&self) -> bool {
        Instant::now() < self.warm
    }

    fn begin(&mut self) {
        self.start = Instant::now();
    }

    fn on(&self) -> bool {
        self.start.elapsed() < self.length
    }

    fn time(&mut self, turn: impl FnOnce()) {
        let start = Instant::now();
        turn();
        self.took(start.elapsed());
    }

    fn took(&mut self, time: Duration) {
        self.taken.push(time);
    }

    fn answer(callers: Vec<Self>) -> Answer {
        let length = callers.first().map_or(Duration::ZERO, |caller| caller.length).as_secs_f64();
        let mut times: Vec<_> = callers.into_iter().flat_map(|caller| caller.taken).collect();
        times.sort_unstable();
        let at = |share: f64| {
            let index = ((times.len() as f64 * share) as usize).min(times.len().max(1) - 1);
            times.get(index).map_or(0.0, Duration::as_secs_f64)
        };
        Answer {
            seconds: length,
            rows: times.len() as u64,
            rate: times.len() as f64 / length,
            p50: at(0.5),
            p99: at(0.99),
            ..Answer::default()
        }
    }
}
