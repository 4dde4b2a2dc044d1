//! Several databases that are the shards of one map.

use super::{TestDb, shared};
use rowmill::{Engine, ShardMap, ShardedEngine};
use tempfile::TempDir;

/// Empty databases, one for each shard, called `a`, `b`, `c` and so on.
#[derive(Debug)]
pub struct Shards {
    folder: TempDir,
    databases: Vec<TestDb<'static>>,
    urls: Vec<(String, String)>,
}

/// Runs `test` on `count` shards that are SQLite files, and on as many of PostgreSQL.
pub fn on_both_shards(count: usize, test: impl Fn(&Shards)) {
    test(&Shards::sqlite(count));
    test(&Shards::postgres(count));
}

fn names(count: usize) -> impl Iterator<Item = String> {
    ('a'..='z').take(count).map(String::from)
}

impl Shards {
    pub fn sqlite(count: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = |name: &str| format!("sqlite:{}.db", folder.path().join(name).display());
        let urls = names(count).map(|name| (name.clone(), url(&name))).collect();
        eprintln!("on SQLite");
        Self { folder, databases: Vec::new(), urls }
    }

    /// Databases of the shared server.
    pub fn postgres(count: usize) -> Self {
        let databases: Vec<_> = (0..count).map(|_| shared().database("shards")).collect();
        let urls = names(count).zip(databases.iter().map(TestDb::url)).collect();
        eprintln!("on PostgreSQL");
        Self { folder: tempfile::tempdir().unwrap(), databases, urls }
    }

    /// The names of the shards, each with its URL.
    pub fn urls(&self) -> &[(String, String)] {
        &self.urls
    }

    /// The names of the shards.
    pub fn names(&self) -> Vec<String> {
        self.urls.iter().map(|(name, _)| name.clone()).collect()
    }

    /// Whether they are databases of PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        !self.databases.is_empty()
    }

    /// The databases, where they are of PostgreSQL.
    pub fn databases(&self) -> &[TestDb<'static>] {
        &self.databases
    }

    /// A map by hash over all of them.
    pub fn map(&self) -> ShardMap {
        ShardMap::hashed(self.names()).unwrap()
    }

    /// An engine for all of them, checked.
    pub fn open(&self) -> ShardedEngine {
        ShardedEngine::open(self.map(), self.urls().iter().cloned()).unwrap()
    }

    /// An engine for one of them alone.
    pub fn alone(&self, index: usize) -> Engine {
        Engine::open(&self.urls[index].1).unwrap()
    }
}
