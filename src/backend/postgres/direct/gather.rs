//! Letting much of a long answer gather before it is read on.
//!
//! A server sends a long answer in pieces of 8 KiB. Whoever reads faster than it sends finds nothing behind each
//! of them, and is woken for the next one, or looks for it all the time. So where much has come already, a
//! reader that finds nothing sleeps by the clock instead: until it wakes, the server sends many pieces
//! and wakes nobody. It sleeps longer and longer as long as what comes meanwhile is much less than the socket
//! has room for, which is some 130 KB; a server that finds no room has to wait itself.
//!
//! What that can cost is that the end of an answer is seen later, so it never sleeps longer than a small part
//! of the time that a server takes for what came. Where less came in the meantime than waiting would have
//! brought, the server is slow: it is then waited for, and the sleep is tried more and more seldom, up to
//! [`MOST`] times.

use std::time::Duration;

/// An answer is long from here on. It takes a server more than a millisecond to make as much.
const LONG: usize = 512 * 1024;

/// It sleeps no more than a microsecond for each of so many bytes of the answer: a sixteenth of the time
/// that they take a server that makes 250 MB in a second. The kernel adds 50 µs.
const BYTES_A_MICROSECOND: usize = 4_096;

/// In microseconds.
const SHORTEST: u64 = 125;
const LONGEST: u64 = 1_000;

/// What is not worth a sleep: two pieces.
const LITTLE: usize = 16 * 1024;

/// What is to come in a sleep: enough, and not so much that the server finds no room.
const ENOUGH: usize = 96 * 1024;
const MUCH: usize = 120 * 1024;

/// How often it is waited for the server instead, at most.
const MOST: u32 = 64;

/// How much of an answer came, and how long it is worth while to let more of it gather.
#[derive(Debug)]
pub(super) struct Gather {
    came: usize,
    /// What had come before the last sleep, until it is known what that brought.
    before: Option<usize>,
    /// In microseconds.
    moment: u64,
    /// How often the server is still waited for.
    waits: u32,
    /// How often it was behind the last sleep.
    behind: u32,
}

impl Default for Gather {
    fn default() -> Self {
        Self { came: 0, before: None, moment: SHORTEST, waits: 0, behind: 0 }
    }
}

impl Gather {
    /// Begins with an answer.
    pub(super) fn begin(&mut self) {
        (self.came, self.before) = (0, None);
    }

    /// Notes that more came.
    pub(super) fn note(&mut self, bytes: usize) {
        self.came += bytes;
    }

    /// Whether the answer is a long one.
    pub(super) fn is_long(&self) -> bool {
        self.came >= LONG
    }

    /// How long to sleep now that nothing of a long answer is there; `None` where the server is to be waited
    /// for.
    pub(super) fn moment(&mut self) -> Option<Duration> {
        if let Some(before) = self.before.take() {
            self.judge(self.came - before);
        }
        if self.waits > 0 {
            self.waits -= 1;
            return None;
        }
        self.before = Some(self.came);
        let most = (self.came / BYTES_A_MICROSECOND) as u64;
        Some(Duration::from_micros(self.moment.min(most)))
    }

    /// Learns from what came in the last sleep.
    fn judge(&mut self, came: usize) {
        self.behind = if came < LITTLE { (2 * self.behind).clamp(1, MOST) } else { 0 };
        self.waits = self.behind;
        let moment = match came {
            ..ENOUGH => self.moment + self.moment / 2,
            MUCH.. => self.moment - self.moment / 4,
            _ => self.moment,
        };
        self.moment = moment.clamp(SHORTEST, LONGEST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn long_answer() -> Gather {
        let mut gather = Gather::default();
        gather.note(100 * LONG);
        gather
    }

    /// The moments, in microseconds, where so much comes in each of them.
    fn moments(gather: &mut Gather, count: usize, came: usize) -> Vec<u64> {
        let mut moments = Vec::new();
        while moments.len() < count {
            moments.extend(gather.moment().map(|moment| moment.as_micros() as u64));
            gather.note(came);
        }
        moments
    }

    #[test]
    fn each_answer_is_short_until_much_of_it_came() {
        let mut gather = Gather::default();
        for _ in 0..2 {
            gather.begin();
            gather.note(LONG - 1);
            assert!(!gather.is_long());
            gather.note(1);
            assert!(gather.is_long());
        }
    }

    #[test]
    fn it_sleeps_the_longer_the_less_comes_and_the_shorter_the_more() {
        let mut gather = long_answer();
        assert_eq!(moments(&mut gather, 4, LITTLE), [125, 187, 280, 420]);
        assert_eq!(moments(&mut gather, 20, LITTLE).last(), Some(&LONGEST));
        assert_eq!(moments(&mut gather, 4, MUCH), [LONGEST, 750, 563, 423]);
        assert_eq!(moments(&mut gather, 20, MUCH).last(), Some(&SHORTEST));
        assert_eq!(moments(&mut gather, 3, ENOUGH), [SHORTEST; 3]);
    }

    #[test]
    fn it_sleeps_no_longer_than_a_small_part_of_the_answer() {
        let mut gather = Gather { moment: LONGEST, ..Gather::default() };
        gather.note(LONG);
        assert_eq!(gather.moment(), Some(Duration::from_micros(128)));
        gather.note(LONG);
        assert_eq!(gather.moment(), Some(Duration::from_micros(256)));
    }

    #[test]
    fn where_next_to_nothing_comes_the_server_is_waited_for_the_more_often() {
        let mut gather = long_answer();
        let mut waits = || {
            assert!(gather.moment().is_some());
            gather.note(LITTLE - 1);
            let mut count = 0;
            while gather.waits > 0 || gather.before.is_some() {
                assert_eq!(gather.moment(), None);
                count += 1;
            }
            count
        };
        assert_eq!([waits(), waits(), waits()], [1, 2, 4]);
        assert_eq!((0..10).map(|_| waits()).last(), Some(MOST));
        gather.behind = MOST;
        assert_eq!(moments(&mut gather, 2, LITTLE).len(), 2);
        assert_eq!(gather.behind, 0);
    }
}
