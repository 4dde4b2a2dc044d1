//! rowmill's pool.

use super::{Failure, Lent, Setup, Subject};
use rowmill::{CellRef, Engine, Error, ErrorKind, Pooled};
use std::time::Duration;

/// An engine whose pool has exactly the size of the setup, and where it pings, pings always: by
/// default, a connection that was used within the last 500 ms is not asked.
pub fn engine(setup: &Setup) -> Engine {
    Engine::builder(&setup.url)
        .pool_size(setup.size)
        .max_overflow(0)
        .timeout(setup.timeout)
        .connect_timeout(setup.connect_timeout)
        .pre_ping(setup.pre_ping)
        .pool(|options| options.ping_bypass(Duration::ZERO))
        .build()
        .expect("an engine opens nothing yet")
}

impl Subject for Engine {
    fn get(&self) -> Result<Box<dyn Lent>, Failure> {
        Ok(Box::new(Self::get(self)?))
    }
}

impl Lent for Pooled {
    fn run(&mut self, sql: &str) -> Result<(), Failure> {
        Ok((**self).run(sql)?)
    }

    fn text(&mut self, sql: &str) -> Result<String, Failure> {
        let mut found = Err(Failure::said("no row"));
        self.query(sql, &[], &mut |row| {
            found = match row.cell(0)? {
                CellRef::Packed(_, bytes) => Ok(String::from_utf8_lossy(bytes).into_owned()),
                other => Err(Failure::said(format!("{other:?}"))),
            };
            Ok(())
        })?;
        found
    }

    fn read_one_row_of(&mut self, sql: &str) {
        let enough = || Err(Error::new(ErrorKind::Stopped, "enough"));
        self.query(sql, &[], &mut |_| enough()).expect_err("the rest is not read");
    }
}
