//! The databases of the shards, one by one.

use super::engine::ShardedEngine;
use super::map::ShardMap;
use crate::engine::{Engine, EngineBuilder};
use crate::error::{Error, ErrorKind, Result};
use crate::pool::Budget;
use std::collections::BTreeMap;
use std::fmt;

/// Makes a [`ShardedEngine`]: which database each shard of a map is, and how they are connected to.
#[must_use = "it makes nothing until `build` is called"]
pub struct ShardedEngineBuilder {
    map: ShardMap,
    given: Vec<(String, Given)>,
    replicas: Vec<(String, String)>,
    budget: Option<Budget>,
    configure: Configure,
}

enum Given {
    Url(String),
    Engine(Engine),
}

/// What is changed of the engine of the shard of that name.
type Configure = Box<dyn Fn(&str, EngineBuilder) -> EngineBuilder>;

impl ShardedEngineBuilder {
    pub(super) fn new(map: ShardMap) -> Self {
        let configure: Configure = Box::new(|_, builder| builder);
        Self { map, given: Vec::new(), replicas: Vec::new(), budget: None, configure }
    }

    /// Says which database a shard is.
    pub fn shard(mut self, name: impl Into<String>, url: &str) -> Self {
        self.given.push((name.into(), Given::Url(url.to_owned())));
        self
    }

    /// The same, with an engine that is there already; it has its own options, and no part in the
    /// budget.
    pub fn shard_engine(mut self, name: impl Into<String>, engine: Engine) -> Self {
        self.given.push((name.into(), Given::Engine(engine)));
        self
    }

    /// Adds a replica of a shard, which reads may go to; see [`EngineBuilder::replica`].
    pub fn replica(mut self, name: impl Into<String>, url: &str) -> Self {
        self.replicas.push((name.into(), url.to_owned()));
        self
    }

    /// Sets how many connections all shards may have open together. Default: what the pools of the
    /// shards may have, each for itself.
    ///
    /// A query that goes to all shards takes one of each, one after the other where the budget
    /// is smaller than that.
    pub fn connections(self, connections: u32) -> Self {
        self.budget(Budget::new(connections))
    }

    /// The same, with a budget that others share, too.
    pub fn budget(mut self, budget: Budget) -> Self {
        self.budget = Some(budget);
        self
    }

    /// Sets the options of the shards that have a URL: `change` gets the name of the shard, and an
    /// engine in the making. Default: the options of its URL.
    pub fn engines(
        mut self,
        change: impl Fn(&str, EngineBuilder) -> EngineBuilder + 'static,
    ) -> Self {
        self.configure = Box::new(change);
        self
    }

    /// The engine. It opens no connection: [`ShardedEngine::check`] does.
    ///
    /// # Errors
    /// `Config` if a shard of the map has no database, or two, or a name is none of the map's; as
    /// [`EngineBuilder::build`].
    #[track_caller]
    pub fn build(mut self) -> Result<ShardedEngine> {
        let mut given = BTreeMap::new();
        for (name, database) in std::mem::take(&mut self.given) {
            self.known(&name)?;
            if given.insert(name.clone(), database).is_some() {
                let message = format!("the shard {name} has two databases");
                return Err(Error::new(ErrorKind::Config, message));
            }
        }
        self.replicas.iter().try_for_each(|(name, _)| self.known(name))?;
        let mut engines = Vec::new();
        for name in self.map.shards() {
            let database = given.remove(name).ok_or_else(|| {
                Error::new(
                    ErrorKind::Config,
                    format!("the shard {name} of the map has no database"),
                )
            })?;
            engines.push(self.engine(name, database)?);
        }
        ShardedEngine::of(self.map, engines, self.budget)
    }

    fn known(&self, name: &str) -> Result<()> {
        if self.map.shard_named(name).is_some() {
            return Ok(());
        }
        let names = self.map.shards().join(", ");
        let message = format!("{name:?} is no shard of the map, which has {names}");
        Err(Error::new(ErrorKind::Config, message))
    }

    #[track_caller]
    fn engine(&self, name: &str, database: Given) -> Result<Engine> {
        let url = match database {
            Given::Engine(engine) => return Ok(engine),
            Given::Url(url) => url,
        };
        let mut builder = (self.configure)(name, Engine::builder(&url));
        if let Some(budget) = &self.budget {
            builder = builder.hooks(|hooks| hooks.budget(budget));
        }
        for (_, replica) in self.replicas.iter().filter(|(of, _)| of == name) {
            builder = builder.replica(replica);
        }
        builder.build().map_err(|error| error.locate(|place| place.shard = Some(name.to_owned())))
    }
}

impl fmt::Debug for ShardedEngineBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // URLs may contain passwords.
        f.debug_struct("ShardedEngineBuilder").field("map", &self.map).finish_non_exhaustive()
    }
}
