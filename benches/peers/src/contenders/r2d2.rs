//! Plain `r2d2`, with `r2d2_postgres`.

use crate::blocking::{Lend, Serve};
use crate::scenario::{HOLD, POINT};
use postgres::NoTls;
use postgres::types::Type;
use r2d2::{ManageConnection, Pool, PooledConnection};
use r2d2_postgres::PostgresConnectionManager;
use std::convert::Infallible;

type Server = PostgresConnectionManager<NoTls>;

/// Makes connections that do nothing.
pub struct Trivial;

impl ManageConnection for Trivial {
    type Connection = ();
    type Error = Infallible;

    fn connect(&self) -> Result<(), Infallible> {
        Ok(())
    }

    fn is_valid(&self, (): &mut ()) -> Result<(), Infallible> {
        Ok(())
    }

    fn has_broken(&self, (): &mut ()) -> bool {
        false
    }
}

fn pool<M: ManageConnection>(manager: M, most: u32) -> Pool<M> {
    let builder = Pool::builder().max_size(most).test_on_check_out(false);
    builder.max_lifetime(None).idle_timeout(None).build(manager).expect("make a pool")
}

/// A pool of connections that do nothing.
pub fn trivial(most: u32) -> impl Lend {
    pool(Trivial, most)
}

/// A pool of connections to the server.
pub fn real(url: &str, most: u32) -> impl Serve {
    pool(Server::new(url.parse().expect("a URL"), NoTls), most)
}

impl<M: ManageConnection> Lend for Pool<M> {
    type Loan = PooledConnection<M>;

    fn get(&self) -> Self::Loan {
        Pool::get(self).expect("take a connection")
    }
}

impl Serve for Pool<Server> {
    fn hold(loan: &mut Self::Loan) {
        loan.batch_execute(HOLD).expect("hold a connection");
    }

    fn point(loan: &mut Self::Loan, key: i64) -> usize {
        let rows = loan.query_typed(POINT, &[(&key, Type::INT8)]).expect("ask");
        rows[0].get::<_, &str>(0).len()
    }
}
