//! Who is measured, and how each is started.

use super::figures::{Figures, Measured};
use super::sale;
use super::scenario::Scenario;
use super::shards::{Distance, Shards};
use std::process::{Command, Stdio};

/// Who is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contender {
    /// rowmill, all shards at once.
    Scatter,
    /// rowmill, the same engines one after the other, put together by hand.
    Loop,
    /// `ShardedSession`, its objects, its unit of work.
    SqlAlchemy,
    /// The same where it can do with less: columns in place of objects, inserts in bulk for each shard.
    SqlAlchemyCore,
}

impl Contender {
    const ALL: [Self; 4] = [Self::Scatter, Self::Loop, Self::SqlAlchemy, Self::SqlAlchemyCore];

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|contender| contender.name() == name)
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scatter => "scatter",
            Self::Loop => "loop",
            Self::SqlAlchemy => "sqlalchemy",
            Self::SqlAlchemyCore => "sqlalchemy-core",
        }
    }

    /// What it is, for a person.
    pub fn title(self) -> &'static str {
        match self {
            Self::Scatter => "rowmill, scatter",
            Self::Loop => "rowmill, a loop over the shards",
            Self::SqlAlchemy => "SQLAlchemy, ShardedSession",
            Self::SqlAlchemyCore => "the same, columns and bulk",
        }
    }

    /// Those that can be started here.
    pub fn available() -> Vec<Self> {
        if python().is_none() {
            eprintln!("SQLAlchemy is left out: {}", without_python());
        }
        let is_there = |contender: &Self| !contender.is_python() || python().is_some();
        Self::ALL.into_iter().filter(is_there).collect()
    }

    fn is_python(self) -> bool {
        matches!(self, Self::SqlAlchemy | Self::SqlAlchemyCore)
    }

    /// Runs a scenario in a process of its own.
    pub fn start(
        self,
        scenario: Scenario,
        seconds: f64,
        shards: &Shards,
        distance: Distance,
    ) -> Measured {
        shards.clean();
        let mut command = match python().filter(|_| self.is_python()) {
            Some(python) => {
                let mut command = Command::new(python);
                command
                    .arg(std::env::var_os("COMPARE_SCATTER").unwrap_or("python/scatter.py".into()));
                command
            }
            None => Command::new(std::env::current_exe().expect("the path of this program")),
        };
        let output = command
            .args([super::CHILD, self.name(), scenario.name(), &seconds.to_string()])
            .args(shards.urls(distance))
            .stdin(Stdio::null())
            .output()
            .map_err(|error| error.to_string())?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(said.trim().lines().last().unwrap_or("it failed").to_owned());
        }
        let (figures, answer) =
            Figures::parse(&String::from_utf8_lossy(&output.stdout)).ok_or("no figures")?;
        let is_right = answer == sale::right(scenario)
            && (scenario != Scenario::Load || shards.hold_what_was_loaded());
        if is_right { Ok(figures) } else { Err("its result is wrong".to_owned()) }
    }
}

fn python() -> Option<String> {
    std::env::var("COMPARE_PYTHON").ok().filter(|path| !path.is_empty())
}

fn without_python() -> String {
    let why = std::env::var("COMPARE_NO_PYTHON").ok().filter(|why| !why.is_empty());
    why.unwrap_or_else(|| "benches/scatter was not used".to_owned())
}
