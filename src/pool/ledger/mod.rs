//! The counts, the line of those who wait, and the connections that sleep.
//!
//! - `entries`: what is under the one lock, and the small steps on it
//! - `life`:    how a ledger begins and ends
//! - `line`:    taking a seat, waiting for one, giving it back
//! - `waiter`:  one who stands in the line
//! - `turns`:   what one who has a seat and no connection does next
//! - `seats`:   the rights to have a connection, and who has them
//!
//! The lock is never held while anything is opened, closed or asked.
//!
//! As many seats are taken and connections asleep, together, as may be open, never more: a seat
//! without a connection is only given where none sleeps.

mod entries;
mod life;
mod line;
mod seats;
mod turns;
mod waiter;

pub(super) use entries::{Ledger, Terms};
pub(super) use line::{NoSeat, Parked, Seated};
pub(super) use seats::{Loan, Seat};
pub(super) use turns::Turn;
