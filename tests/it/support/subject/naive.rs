//! `r2d2` and `r2d2_postgres` as their READMEs show them.

use super::{Failure, Lent, Setup, Subject};
use postgres::NoTls;
use postgres::fallible_iterator::FallibleIterator;
use r2d2_postgres::PostgresConnectionManager;
use std::time::Duration;

type Manager = PostgresConnectionManager<NoTls>;

/// The naive pool: `Pool::builder().build(manager)`, with the size and the time-out that an
/// experiment compares at. `pre_ping` is r2d2's `test_on_check_out`, which is on by default.
pub fn naive_pool(setup: &Setup) -> Result<r2d2::Pool<Manager>, Failure> {
    let config = setup.url.parse::<postgres::Config>()?;
    Ok(r2d2::Pool::builder()
        .max_size(setup.size)
        .connection_timeout(setup.timeout.max(Duration::from_millis(1)))
        .test_on_check_out(setup.pre_ping)
        .error_handler(Box::new(r2d2::NopErrorHandler))
        .build(Manager::new(config, NoTls))?)
}

impl Subject for r2d2::Pool<Manager> {
    fn get(&self) -> Result<Box<dyn Lent>, Failure> {
        Ok(Box::new(Self::get(self)?))
    }
}

impl Lent for r2d2::PooledConnection<Manager> {
    fn run(&mut self, sql: &str) -> Result<(), Failure> {
        Ok(self.batch_execute(sql)?)
    }

    fn text(&mut self, sql: &str) -> Result<String, Failure> {
        Ok(self.query_one(sql, &[])?.try_get(0)?)
    }

    fn read_one_row_of(&mut self, sql: &str) {
        let mut rows = self.query_raw(sql, Vec::<i32>::new()).expect("it starts");
        rows.next().expect("the first row").expect("it is there");
    }
}
