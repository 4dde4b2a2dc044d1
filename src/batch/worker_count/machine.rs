//! What the system says of the processors; nothing where it does not tell.

use std::fs;
use std::num::NonZeroUsize;
use std::thread;
use std::time::Duration;

/// The unit of `proc(5)`, which is the same on every architecture that is in use.
const TICK_MILLIS: u64 = 10;

/// How many processors this process may use.
pub(super) fn processors() -> usize {
    thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// The processor time of this process so far.
pub(super) fn own() -> Option<Duration> {
    own_of(&fs::read_to_string("/proc/self/stat").ok()?)
}

/// The time for which processors of this machine had nothing to do so far, all together.
pub(super) fn idle() -> Option<Duration> {
    idle_of(&fs::read_to_string("/proc/stat").ok()?)
}

fn own_of(stat: &str) -> Option<Duration> {
    // The name of the program may have anything in it, also `)`.
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut ticks = fields.split_ascii_whitespace().skip(11).map(str::parse::<u64>);
    let (user, system) = (ticks.next()?.ok()?, ticks.next()?.ok()?);
    Some(time_of(user.saturating_add(system)))
}

fn idle_of(stat: &str) -> Option<Duration> {
    let ticks = stat.lines().next()?.strip_prefix("cpu ")?;
    let ticks: Vec<u64> =
        ticks.split_ascii_whitespace().map_while(|ticks| ticks.parse().ok()).collect();
    let &[_, _, _, idle, disk, ..] = &ticks[..] else { return None };
    // One that counts nothing shows zeros.
    let counts = ticks.iter().any(|&ticks| ticks > 0);
    counts.then(|| time_of(idle.saturating_add(disk)))
}

fn time_of(ticks: u64) -> Duration {
    Duration::from_millis(ticks.saturating_mul(TICK_MILLIS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_process_is_that_of_its_threads_in_user_and_kernel() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194304 100 0 0 0 123 45 9 9 20 0 1 0 5 6 7";
        assert_eq!(own_of(stat), Some(Duration::from_millis(1_680)));
        assert_eq!(own_of("7 (a) S 1"), None);
    }

    #[test]
    fn what_waits_for_a_disk_is_idle_and_zeros_are_no_answer() {
        let stat = "cpu  10 0 10 300 20 0 1 0 0 0\ncpu0 5 0 5 150 10 0 1 0 0 0\n";
        assert_eq!(idle_of(stat), Some(Duration::from_millis(3_200)));
        assert_eq!(idle_of("cpu  0 0 0 0 0 0 0 0 0 0\n"), None);
        assert_eq!(idle_of("intr 5\n"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_is_told() {
        assert!(own().is_some() && processors() > 0);
    }
}
