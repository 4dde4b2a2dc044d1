//! How many connections a server has room for.

/// How many connections a server has room for, for the user that asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerLimit {
    /// Connections that the server takes at all (`max_connections`).
    pub most: u32,
    /// Of those, the ones it keeps for superusers (`superuser_reserved_connections`).
    pub reserved: u32,
    /// Connections that are open now, of everybody.
    pub open: u32,
    /// How many this user may have (`rolconnlimit`), or the database (`datconnlimit`), whichever
    /// is less; `None` for no such limit.
    pub own: Option<u32>,
}

impl ServerLimit {
    /// The most connections that one user without special rights can have.
    pub fn usable(self) -> u32 {
        let most = self.most.saturating_sub(self.reserved);
        self.own.map_or(most, |own| own.min(most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_narrowest_limit_counts() {
        let limit = ServerLimit { most: 100, reserved: 3, open: 7, own: None };
        assert_eq!(limit.usable(), 97);
        assert_eq!(ServerLimit { own: Some(20), ..limit }.usable(), 20);
        assert_eq!(ServerLimit { own: Some(200), ..limit }.usable(), 97);
    }
}
