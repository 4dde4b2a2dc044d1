//! What the server says besides.
//!
//! Its warnings never reach a log, because a function can put the values of a row into one. Two
//! of them tell what no other answer tells: that there was no transaction to commit, and that
//! there was one already.

use std::sync::atomic::{AtomicBool, Ordering};

/// The warnings that count.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    no_transaction: AtomicBool,
    transaction_already: AtomicBool,
}

impl Notices {
    /// Looks at the code of a warning.
    pub(crate) fn hear(&self, code: &str) {
        match code {
            "25P01" => self.no_transaction.store(true, Ordering::Release),
            "25001" => self.transaction_already.store(true, Ordering::Release),
            _ => {}
        }
    }

    /// Forgets what was heard, before a statement whose warnings matter.
    pub(crate) fn clear(&self) {
        self.no_transaction.store(false, Ordering::Release);
        self.transaction_already.store(false, Ordering::Release);
    }

    /// Whether the server said that there is no transaction.
    pub(crate) fn no_transaction(&self) -> bool {
        self.no_transaction.load(Ordering::Acquire)
    }

    /// Whether the server said that a transaction is open already.
    pub(crate) fn transaction_already(&self) -> bool {
        self.transaction_already.load(Ordering::Acquire)
    }
}
