//! Rows in a second, processor time, memory.

use super::figures::{Figures, middle};
use std::fs;
use std::time::{Duration, Instant};

/// Runs pieces of work until `time` is over and the least number of them is done; each is prepared
/// by `prepare`, which is not measured, and done by `work`, which says how many rows it was.
pub fn measure<T>(
    time: Duration,
    mut prepare: impl FnMut(i64) -> T,
    mut work: impl FnMut(T) -> usize,
) -> Figures {
    // Every statement is known before the clock starts.
    work(prepare(0));
    let end = Instant::now() + time;
    let (mut rates, mut processor, mut rows) = (Vec::new(), 0.0, 0.0);
    while Instant::now() < end || rates.len() < LEAST_PIECES {
        let prepared = prepare(rates.len() as i64 + 1);
        let (start, before) = (Instant::now(), processor_seconds());
        let done = work(prepared) as f64;
        rates.push(done / start.elapsed().as_secs_f64());
        processor += processor_seconds() - before;
        rows += done;
    }
    Figures { rate: middle(rates), processor: processor / rows * 1e6, memory: peak_memory() }
}

const LEAST_PIECES: usize = 3;

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

/// The most memory that this process had at once, in MiB.
fn peak_memory() -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("the state of this process");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = peak.and_then(|peak| peak.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    kib.expect("the peak of its memory") / 1024.0
}
