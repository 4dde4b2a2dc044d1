//! The faults, and when they strike.

use std::time::Duration;

/// What a proxy does to what passes through it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    Pass,
    /// Everything comes later, in both directions: by `least` and up to `jitter` more.
    Delay { least: Duration, jitter: Duration },
    /// No more than so many bytes a second pass, in each direction. 1 is a drip.
    Throttle { bytes_per_second: u32 },
    /// The sockets stay open and nothing passes any more, until another fault is set.
    Stall,
    /// Whoever comes is taken and told nothing; those who are there pass.
    Silent,
    /// Whoever asks for TLS hears `N`, whatever the server can do.
    RefuseTls,
    /// A start-up message with options is refused, as by a pooler.
    RefuseOptions,
    /// Whoever comes hears that the database system is starting up (57P03).
    StartingUp,
    /// Whoever comes is turned away at once, as by a port on which nobody listens.
    TurnAway,
    /// When the server ends a session, the client is not told: the FIN does not arrive.
    KeepOpen,
    /// One session is cut, once; afterwards everything passes.
    Cut { at: Moment, end: End },
}

/// When a session is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// A COMMIT came from the client; it is not passed on.
    BeforeCommit,
    /// A COMMIT was passed on and the server has answered; the answer is not passed on.
    AfterCommit,
    /// In the middle of the answer to a COMMIT.
    InReplyToCommit,
    /// In the middle of the next message of the server.
    InReply,
    /// The next message of a client; it is not passed on.
    BeforeMessage,
    /// The messages of all clients are counted from when the fault was set; this one, from 1, is
    /// not passed on.
    ClientMessage(u64),
    /// So many bytes of all clients have passed since the fault was set.
    ClientByte(u64),
    /// So many bytes of the server have passed since the fault was set.
    ServerByte(u64),
}

/// How a session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The client's socket is closed in order.
    Fin,
    /// The client's socket is reset.
    Rst,
    /// The client is told nothing; its socket stays open and silent.
    Silence,
}
