//! The pools, each behind the same few calls.
//!
//! None of them asks a connection for a sign of life before it hands it out, none retires one by
//! age, and each may have as many connections as the scenario says. A query is asked the cheapest
//! way that the library offers: a statement that it prepared before, else one message.

mod bb8;
mod deadpool;
mod r2d2;
mod rowmill;
mod sqlx;

use crate::figures::Figures;
use crate::scenario::Scenario;
use crate::{blocking, tasks};
use std::time::Duration;

/// A pool that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contender {
    Rowmill,
    R2d2,
    Deadpool,
    Bb8,
    Sqlx,
}

impl Contender {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 5] = [Self::Rowmill, Self::R2d2, Self::Deadpool, Self::Bb8, Self::Sqlx];

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|contender| contender.name() == name)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rowmill => "rowmill",
            Self::R2d2 => "r2d2",
            Self::Deadpool => "deadpool",
            Self::Bb8 => "bb8",
            Self::Sqlx => "sqlx",
        }
    }

    /// Its name, with what its callers are.
    pub fn title(self) -> String {
        let callers = match self {
            Self::Rowmill | Self::R2d2 => "threads",
            Self::Deadpool | Self::Bb8 | Self::Sqlx => "tasks",
        };
        format!("{} ({callers})", self.name())
    }

    /// Whether it can be measured so: the pool of sqlx holds nothing but its own connections.
    pub fn can(self, scenario: Scenario) -> bool {
        scenario != Scenario::GetTrivial || self != Self::Sqlx
    }

    /// Measures it.
    pub fn run(self, scenario: Scenario, time: Duration, url: &str) -> Figures {
        let most = scenario.connections();
        match (self, scenario) {
            (Self::Rowmill, Scenario::GetTrivial) => {
                blocking::uncontended(&rowmill::trivial(most), time)
            }
            (Self::Rowmill, _) => threads(&rowmill::real(url, most), scenario, time),
            (Self::R2d2, Scenario::GetTrivial) => blocking::uncontended(&r2d2::trivial(most), time),
            (Self::R2d2, _) => threads(&r2d2::real(url, most), scenario, time),
            (Self::Deadpool, Scenario::GetTrivial) => tasks::on_runtime(async {
                tasks::uncontended(&deadpool::trivial(most), time).await
            }),
            (Self::Deadpool, _) => tasks::on_runtime(async {
                on_tasks(deadpool::real(url, most), scenario, time).await
            }),
            (Self::Bb8, Scenario::GetTrivial) => tasks::on_runtime(async {
                tasks::uncontended(&bb8::trivial(most).await, time).await
            }),
            (Self::Bb8, _) => tasks::on_runtime(async {
                on_tasks(bb8::real(url, most).await, scenario, time).await
            }),
            (Self::Sqlx, _) => {
                tasks::on_runtime(async { on_tasks(sqlx::real(url, most), scenario, time).await })
            }
        }
    }
}

fn threads(pool: &impl blocking::Serve, scenario: Scenario, time: Duration) -> Figures {
    match scenario {
        Scenario::GetTrivial | Scenario::GetReal => blocking::uncontended(pool, time),
        Scenario::Wait(callers) => blocking::waits(pool, callers, time),
        Scenario::Point(callers) => blocking::points(pool, callers, time),
    }
}

async fn on_tasks(pool: impl tasks::Serve, scenario: Scenario, time: Duration) -> Figures {
    match scenario {
        Scenario::GetTrivial | Scenario::GetReal => tasks::uncontended(&pool, time).await,
        Scenario::Wait(callers) => tasks::waits(pool, callers, time).await,
        Scenario::Point(callers) => tasks::points(pool, callers, time).await,
    }
}
