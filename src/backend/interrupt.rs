//! Ending, from another thread, what a connection does.

use std::fmt::Debug;

/// Ends what a connection does, from another thread. Neither call blocks, and neither harms a
/// connection that is already closed.
pub trait Interrupt: Debug + Send + Sync {
    /// Asks the server to end the statement that runs; the connection stays usable.
    fn cancel(&self);

    /// Cuts the connection: whoever waits for the server gets a `Disconnect` at once.
    fn sever(&self);
}
