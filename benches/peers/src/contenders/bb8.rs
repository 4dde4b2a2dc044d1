//! `bb8`, with `bb8-postgres`.

use crate::scenario::{HOLD, POINT};
use crate::tasks::{Lend, Serve};
use bb8::{ManageConnection, Pool, PooledConnection};
use bb8_postgres::PostgresConnectionManager;
use std::convert::Infallible;
use tokio_postgres::NoTls;
use tokio_postgres::types::Type;

type Server = PostgresConnectionManager<NoTls>;

/// Makes connections that do nothing.
pub struct Trivial;

impl ManageConnection for Trivial {
    type Connection = ();
    type Error = Infallible;

    async fn connect(&self) -> Result<(), Infallible> {
        Ok(())
    }

    async fn is_valid(&self, (): &mut ()) -> Result<(), Infallible> {
        Ok(())
    }

    fn has_broken(&self, (): &mut ()) -> bool {
        false
    }
}

async fn pool<M: ManageConnection>(manager: M, most: u32) -> Pool<M> {
    let builder = Pool::builder().max_size(most).test_on_check_out(false);
    builder.max_lifetime(None).idle_timeout(None).build(manager).await.expect("make a pool")
}

/// A pool of connections that do nothing.
pub async fn trivial(most: u32) -> impl Lend {
    pool(Trivial, most).await
}

/// A pool of connections to the server.
pub async fn real(url: &str, most: u32) -> impl Serve {
    pool(Server::new(url.parse().expect("a URL"), NoTls), most).await
}

impl<M: ManageConnection> Lend for Pool<M> {
    type Loan<'a> = PooledConnection<'a, M>;

    async fn get(&self) -> PooledConnection<'_, M> {
        Pool::get(self).await.expect("take a connection")
    }
}

impl Serve for Pool<Server> {
    async fn hold(loan: &mut Self::Loan<'_>) {
        loan.batch_execute(HOLD).await.expect("hold a connection");
    }

    async fn point(loan: &mut Self::Loan<'_>, key: i64) -> usize {
        let rows = loan.query_typed(POINT, &[(&key, Type::INT8)]).await.expect("ask");
        rows[0].get::<_, &str>(0).len()
    }
}
