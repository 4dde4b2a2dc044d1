//! The pool of `sqlx`.

use crate::scenario::{HOLD, POINT};
use crate::tasks::{Lend, Serve};
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::{Executor, Postgres};

/// A pool of connections to the server.
pub fn real(url: &str, most: u32) -> impl Serve {
    let options = PgPoolOptions::new().max_connections(most).test_before_acquire(false);
    options.max_lifetime(None).idle_timeout(None).connect_lazy(url).expect("make a pool")
}

impl Lend for PgPool {
    type Loan<'a> = PoolConnection<Postgres>;

    async fn get(&self) -> PoolConnection<Postgres> {
        self.acquire().await.expect("take a connection")
    }
}

impl Serve for PgPool {
    async fn hold(loan: &mut Self::Loan<'_>) {
        loan.execute(sqlx::raw_sql(HOLD)).await.expect("hold a connection");
    }

    async fn point(loan: &mut Self::Loan<'_>, key: i64) -> usize {
        let payload = sqlx::query_scalar::<_, String>(POINT).bind(key);
        payload.fetch_one(&mut **loan).await.expect("ask").len()
    }
}
