//! What a connection is wanted for.

/// What a connection is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Intent {
    /// Reading only: a replica will do, where there is one.
    Read,
    /// Reading and writing: the primary.
    Write,
}
