//! Which ledger, and which job in it, `status` and `rejects` look into.

use super::args::LookArguments;
use super::console::Console;
use super::contact::contact;
use super::exit::Exit;
use super::job_file::JobFile;
use super::target_url::target_url;
use crate::backend::Connection;
use crate::batch::identity::Identity;
use crate::batch::ledger::{self, Ledger, LedgerName};
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use std::collections::BTreeMap;
use std::path::Path;

/// A ledger and the jobs that are asked for.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    /// The URL of the database that has the ledger. It may contain a password: never show it.
    pub(super) url: String,
    /// The name of the shard, where it is that of one of several.
    pub(super) shard: Option<String>,
    /// The name of the ledger.
    pub(super) ledger: LedgerName,
    /// The name of the job; all jobs without one.
    pub(super) name: Option<String>,
    /// Its parameters, where a job file told them; else every run of that name.
    pub(super) params: Option<BTreeMap<String, String>>,
}

impl Wanted {
    /// Does this for each of several ledgers; one that fails keeps nothing from the others.
    ///
    /// # Errors
    /// What `each` returns, if there is only one.
    pub(super) fn each(
        all: &[Self],
        mut each: impl FnMut(&Self) -> Result<Vec<String>>,
    ) -> Result<(Vec<String>, Exit)> {
        let (mut lines, mut exit) = (Vec::new(), Exit::Complete);
        for one in all {
            match each(one) {
                Ok(told) => lines.extend(one.told(told)),
                Err(error) if one.shard.is_some() => {
                    exit = Exit::of(&error);
                    lines.extend(one.told(vec![error.to_string()]));
                }
                Err(error) => return Err(error),
            }
        }
        Ok((lines, exit))
    }

    /// The lines that `tell` makes of the ledger; where there is none, one line that says so.
    ///
    /// # Errors
    /// `Url` or `Connect` if the database cannot be reached; what `tell` returns.
    pub(super) fn look(
        &self,
        console: Console,
        tell: impl FnOnce(&Ledger, &mut dyn Connection, &Engine) -> Result<Vec<String>>,
    ) -> Result<Vec<String>> {
        let engine = Engine::builder(&self.url).read_only(true).build()?;
        if !contact(&engine, console)? {
            return Ok(vec![format!("no job has run here yet: there is no {}", engine.describe())]);
        }
        let mut connection = engine.get()?;
        match Ledger::find(&mut *connection, &self.ledger)? {
            Some(ledger) => tell(&ledger, &mut *connection, &engine),
            None => Ok(vec!["no job has run here yet".to_owned()]),
        }
    }

    /// Lines as they are told of this ledger: with the shard, where there are several.
    pub(super) fn told(&self, lines: Vec<String>) -> Vec<String> {
        match &self.shard {
            Some(shard) => lines.into_iter().map(|line| format!("shard {shard}: {line}")).collect(),
            None => lines,
        }
    }

    /// What to tell where the ledger has none of the jobs.
    pub(super) fn none(&self) -> String {
        let what = if self.name.is_none() { "no job" } else { "no such job" };
        format!("{what} has run here yet")
    }

    /// The jobs, as the ledger is asked for them.
    pub(super) fn jobs(&self) -> ledger::Wanted {
        let identity = self
            .params
            .as_ref()
            .zip(self.name.as_ref())
            .map(|(params, name)| Identity { name: name.clone(), params: params.clone() });
        ledger::Wanted { name: self.name.clone(), identity }
    }
}

impl std::fmt::Debug for Wanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wanted")
            .field("name", &self.name)
            .field("params", &self.params)
            .finish_non_exhaustive()
    }
}

/// A job as a person knows it: `orders (night=2026-03-01)`; `params` is the ledger's JSON.
pub(super) fn title(name: &str, params: &str) -> String {
    let params: BTreeMap<String, String> = serde_json::from_str(params).unwrap_or_default();
    if params.is_empty() {
        return name.to_owned();
    }
    let params: Vec<_> = params.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{name} ({})", params.join(", "))
}

/// Understands the words behind `status` and `rejects list`: JOB is a job file if it ends in
/// `.toml`, else a name. One over shards has a ledger on each of them. Without a job file the URL is that of `--target`, or of the variable
/// `ROWMILL_TARGET`.
///
/// # Errors
/// `Config` if nothing says which database, or the job file cannot be used.
pub(super) fn wanted(
    arguments: &LookArguments,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<Wanted>> {
    let settings = &arguments.settings;
    let name = match &arguments.job {
        Some(file) if is_file_name(file) => {
            let job = JobFile::read(Path::new(file), &settings.overrides())?;
            let JobFile { name, params, target, ledger, .. } = job;
            let of = |shard, url| Wanted {
                url,
                shard,
                ledger: ledger.clone(),
                name: Some(name.clone()),
                params: Some(params.clone()),
            };
            let Some(shards) = target.shards() else { return Ok(vec![of(None, target.url()?)]) };
            let urls = shards.urls.iter().map(|(_, url)| url.clone());
            return Ok(shards
                .names()
                .map(Some)
                .zip(urls)
                .map(|(name, url)| of(name, url))
                .collect());
        }
        name => name.clone(),
    };
    if !settings.params.is_empty() {
        return Err(Error::new(ErrorKind::Config, "-p needs the job file")
            .with_hint("name JOB.toml, or leave -p out to see every run of the job"));
    }
    let hint = "name JOB.toml, give --target URL, or set ROWMILL_TARGET";
    let url = target_url(settings.target.as_ref(), environment, hint)?;
    let ledger = arguments.ledger.clone().unwrap_or_default();
    Ok(vec![Wanted { url, shard: None, ledger, name, params: None }])
}

/// Whether a word is the name of a job file, and not that of a job.
pub(super) fn is_file_name(job: &str) -> bool {
    Path::new(job).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::Settings;

    fn look(job: Option<&str>, target: Option<&str>, params: &[(&str, &str)]) -> LookArguments {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let settings = Settings {
            params: params.iter().map(owned).collect(),
            target: target.map(str::to_owned),
        };
        LookArguments { job: job.map(str::to_owned), ledger: None, settings }
    }

    fn only(wanted: Result<Vec<Wanted>>) -> Wanted {
        let mut all = wanted.unwrap();
        assert_eq!(all.len(), 1);
        all.remove(0)
    }

    #[test]
    fn a_job_file_names_the_database_the_job_and_its_parameters() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("job.toml");
        let text = "name = \"a\"\nparams = { n = 1 }\n\
            source = { kind = \"csv\", path = \"x.csv\" }\n\
            target = { url = \"sqlite:x.db\", table = \"t\", mode = \"append\" }\n\
            columns = { id = \"bigint\" }\n";
        std::fs::write(&path, text).unwrap();
        let wanted = only(wanted(&look(path.to_str(), None, &[("n", "2")]), &|_| None));
        assert_eq!((wanted.url.as_str(), wanted.name.as_deref()), ("sqlite:x.db", Some("a")));
        assert_eq!(wanted.params.unwrap()["n"], "2");
    }

    #[test]
    fn a_name_needs_a_database() {
        let variable = |name: &str| (name == "ROWMILL_TARGET").then(|| "sqlite:env.db".to_owned());
        let named = only(wanted(&look(Some("a"), Some("sqlite:x.db"), &[]), &variable));
        assert_eq!((named.url.as_str(), named.name.as_deref()), ("sqlite:x.db", Some("a")));
        let all = only(wanted(&look(None, None, &[]), &variable));
        assert_eq!((all.url.as_str(), all.name), ("sqlite:env.db", None));
        let error = wanted(&look(Some("a"), None, &[]), &|_| None).unwrap_err();
        assert!(error.to_string().starts_with("no database is named: "), "{error}");
    }

    #[test]
    fn a_job_is_called_by_its_name_and_parameters() {
        assert_eq!(title("orders", "{}"), "orders");
        assert_eq!(title("orders", r#"{"night":"1","zone":"a"}"#), "orders (night=1, zone=a)");
    }

    #[test]
    fn parameters_need_the_job_file() {
        let arguments = look(Some("a"), Some("sqlite:x.db"), &[("n", "1")]);
        assert_eq!(wanted(&arguments, &|_| None).unwrap_err().kind(), ErrorKind::Config);
    }
}
