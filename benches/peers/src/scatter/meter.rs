//! How long pieces of work take.

use super::figures::Figures;
use std::fs;
use std::time::{Duration, Instant};

const LEAST_PIECES: usize = 3;

/// Does `work` until `time` is over and the least number of pieces is done; each is prepared by
/// `prepare`, which is not measured. Every piece has to say the same: that is the answer.
pub fn measure<T>(
    time: Duration,
    mut prepare: impl FnMut() -> T,
    mut work: impl FnMut(T) -> String,
) -> (Figures, String) {
    // Every connection is open and every statement known before the clock starts.
    let answer = work(prepare());
    let end = Instant::now() + time;
    let (mut times, mut processor) = (Vec::new(), 0.0);
    while Instant::now() < end || times.len() < LEAST_PIECES {
        let prepared = prepare();
        let (start, before) = (Instant::now(), processor_seconds());
        let said = work(prepared);
        times.push(start.elapsed().as_secs_f64() * 1e3);
        processor += processor_seconds() - before;
        assert_eq!(said, answer, "it said something else before");
    }
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    let processor = processor * 1e3 / times.len() as f64;
    (Figures { p50: at(0.5), p95: at(0.95), processor }, answer)
}

/// What all threads of this process have had of the processor so far.
fn processor_seconds() -> f64 {
    let threads = fs::read_dir("/proc/self/task").expect("the threads of this process");
    let nanoseconds = threads.map(|thread| {
        let path = thread.expect("a thread").path().join("schedstat");
        let times = fs::read_to_string(path).unwrap_or_default();
        times.split(' ').next().and_then(|time| time.parse::<f64>().ok()).unwrap_or(0.0)
    });
    nanoseconds.sum::<f64>() / 1e9
}
