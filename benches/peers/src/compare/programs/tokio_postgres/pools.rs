//! The pools, behind the same calls.

use ::tokio_postgres::{Client, NoTls, Statement};
use deadpool_postgres::{ManagerConfig, RecyclingMethod};

pub type Deadpool = deadpool_postgres::Pool;
pub type Bb8 = bb8::Pool<bb8_postgres::PostgresConnectionManager<NoTls>>;

/// A pool that lends clients.
pub trait Lend: Clone + Send + Sync + 'static {
    fn open(url: &str, most: usize) -> impl Future<Output = Self> + Send;
    fn lend(&self) -> impl Future<Output = impl Prepare + Send + '_> + Send;
}

/// A client on loan. What has prepared a statement before does not do it again.
pub trait Prepare: AsMut<Client> + AsRef<Client> {
    fn statement(&self, sql: &str) -> impl Future<Output = Option<Statement>> + Send;
}

impl Lend for Deadpool {
    async fn open(url: &str, most: usize) -> Self {
        let config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let config = (url.parse().expect("a URL"), config);
        let manager = deadpool_postgres::Manager::from_config(config.0, NoTls, config.1);
        Self::builder(manager).max_size(most).build().expect("make a pool")
    }

    async fn lend(&self) -> impl Prepare + Send + '_ {
        DeadpoolLoan(self.get().await.expect("take a connection"))
    }
}

struct DeadpoolLoan(deadpool_postgres::Object);

impl AsRef<Client> for DeadpoolLoan {
    fn as_ref(&self) -> &Client {
        &self.0
    }
}

impl AsMut<Client> for DeadpoolLoan {
    fn as_mut(&mut self) -> &mut Client {
        &mut self.0
    }
}

impl Prepare for DeadpoolLoan {
    async fn statement(&self, sql: &str) -> Option<Statement> {
        Some(self.0.prepare_cached(sql).await.expect("prepare"))
    }
}

impl Lend for Bb8 {
    async fn open(url: &str, most: usize) -> Self {
        let manager =
            bb8_postgres::PostgresConnectionManager::new(url.parse().expect("a URL"), NoTls);
        let builder = Self::builder().max_size(most as u32).test_on_check_out(false);
        builder.build(manager).await.expect("make a pool")
    }

    async fn lend(&self) -> impl Prepare + Send + '_ {
        Bb8Loan(self.get().await.expect("take a connection"))
    }
}

struct Bb8Loan<'a>(bb8::PooledConnection<'a, bb8_postgres::PostgresConnectionManager<NoTls>>);

impl AsRef<Client> for Bb8Loan<'_> {
    fn as_ref(&self) -> &Client {
        &self.0
    }
}

impl AsMut<Client> for Bb8Loan<'_> {
    fn as_mut(&mut self) -> &mut Client {
        &mut self.0
    }
}

impl Prepare for Bb8Loan<'_> {
    async fn statement(&self, _: &str) -> Option<Statement> {
        None
    }
}
