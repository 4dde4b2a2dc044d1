//! The servers that an engine was declared with, each with its backend.

use super::echo::EchoOptions;
use super::open_backend::open_backend;
use super::replica::Replica;
use crate::config::PoolOptions;
use crate::error::{Error, ErrorKind, Result};
use crate::routing::NodeSpec;
use crate::url::{Database, DatabaseUrl, PasswordSource, PostgresSettings, TargetSessionAttrs};
use std::time::Duration;

/// What holds for all of them.
#[derive(Debug)]
pub(super) struct Common<'a> {
    pub(super) options: &'a PoolOptions,
    pub(super) echo: &'a EchoOptions,
    pub(super) read_only: bool,
    pub(super) statement_timeout: Option<Duration>,
    pub(super) prepared_statements: Option<bool>,
    pub(super) password_source: Option<&'a PasswordSource>,
}

impl Common<'_> {
    /// The one server of `url`, whatever its hosts.
    pub(super) fn one(&self, url: DatabaseUrl) -> Result<NodeSpec> {
        self.spec(url, self.options.clone(), 1.0, Vec::new())
    }

    /// The servers of `url`, each host one if `each_host` says so, and the replicas.
    pub(super) fn all(
        &self,
        url: &DatabaseUrl,
        replicas: Vec<Replica>,
        each_host: bool,
    ) -> Result<Vec<NodeSpec>> {
        let mut specs = Vec::new();
        for url in servers_of(url, each_host)? {
            specs.push(self.spec(url, self.options.clone(), 1.0, Vec::new())?);
        }
        for replica in replicas {
            let (url, weight, labels) = replica.checked()?;
            for url in servers_of(&url, each_host)? {
                let options = self.options.clone().with(&url.pool);
                specs.push(self.spec(url, options, weight, labels.clone())?);
            }
        }
        Ok(specs)
    }

    fn spec(
        &self,
        mut url: DatabaseUrl,
        options: PoolOptions,
        weight: f64,
        labels: Vec<String>,
    ) -> Result<NodeSpec> {
        match &mut url.database {
            Database::Sqlite(_) if self.password_source.is_some() => {
                let message = format!("{url} knows no passwords, and a source of them is given");
                return Err(Error::new(ErrorKind::Config, message)
                    .with_hint("leave password_from out for an SQLite database"));
            }
            Database::Sqlite(settings) => settings.read_only = self.read_only,
            Database::Postgres(settings) => {
                settings.password_source = self.password_source.cloned();
                if let Some(limit) = self.statement_timeout {
                    settings.statement_timeout = Some(limit).filter(|limit| !limit.is_zero());
                }
                settings.prepared_statements =
                    self.prepared_statements.unwrap_or(settings.prepared_statements);
            }
        }
        let backend = self.echo.clone().around(open_backend(&url)?);
        Ok(NodeSpec { backend, options, labels, weight })
    }
}

/// The servers of a URL. What each is like is asked of it, again and again: a URL that says what it
/// must be like would refuse it after a promotion.
fn servers_of(url: &DatabaseUrl, each_host: bool) -> Result<Vec<DatabaseUrl>> {
    let Database::Postgres(settings) = &url.database else {
        return Err(Error::new(ErrorKind::Unsupported, format!("{url} cannot have replicas"))
            .with_hint("use PostgreSQL, or an engine for each"));
    };
    if settings.hosts.len() > 1 && !each_host {
        let message = format!("{url} has several hosts, and is to be one server");
        return Err(Error::new(ErrorKind::Config, message)
            .with_hint("name one host in each URL, or call each_host(true)"));
    }
    let servers = settings.hosts.iter().map(|host| {
        let mut one: PostgresSettings = (**settings).clone();
        one.hosts = vec![host.clone()];
        one.target_session_attrs = TargetSessionAttrs::Any;
        DatabaseUrl { database: Database::Postgres(Box::new(one)), ..url.clone() }
    });
    Ok(servers.collect())
}
