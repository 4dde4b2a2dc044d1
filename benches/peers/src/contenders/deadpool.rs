//! `deadpool`, with `deadpool-postgres`.

use crate::scenario::{HOLD, POINT};
use crate::tasks::{Lend, Serve};
use deadpool::managed::{Manager, Metrics, Object, Pool, RecycleResult};
use deadpool_postgres::{ManagerConfig, RecyclingMethod};
use std::convert::Infallible;
use tokio_postgres::NoTls;

type Server = deadpool_postgres::Manager;

/// Makes connections that do nothing.
pub struct Trivial;

impl Manager for Trivial {
    type Type = ();
    type Error = Infallible;

    async fn create(&self) -> Result<(), Infallible> {
        Ok(())
    }

    async fn recycle(&self, (): &mut (), _: &Metrics) -> RecycleResult<Infallible> {
        Ok(())
    }
}

fn pool<M: Manager>(manager: M, most: u32) -> Pool<M> {
    Pool::builder(manager).max_size(most as usize).build().expect("make a pool")
}

/// A pool of connections that do nothing.
pub fn trivial(most: u32) -> impl Lend {
    pool(Trivial, most)
}

/// A pool of connections to the server.
pub fn real(url: &str, most: u32) -> impl Serve {
    let config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    pool(Server::from_config(url.parse().expect("a URL"), NoTls, config), most)
}

impl<M: Manager + 'static> Lend for Pool<M>
where
    M::Type: Send,
{
    type Loan<'a> = Object<M>;

    async fn get(&self) -> Object<M> {
        let Ok(loan) = Pool::get(self).await else { panic!("take a connection") };
        loan
    }
}

impl Serve for Pool<Server> {
    async fn hold(loan: &mut Self::Loan<'_>) {
        loan.batch_execute(HOLD).await.expect("hold a connection");
    }

    async fn point(loan: &mut Self::Loan<'_>, key: i64) -> usize {
        let statement = loan.prepare_cached(POINT).await.expect("prepare");
        let row = loan.query_one(&statement, &[&key]).await.expect("ask");
        row.get::<_, &str>(0).len()
    }
}
