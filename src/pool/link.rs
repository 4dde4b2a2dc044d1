//! A connection and what its pool knows of it.

use super::badge::Badge;
use super::budget::Unit;
use super::hooks::ConnectionData;
use super::verdict::Judge;
use crate::backend::Connection;
use crate::error::Error;
use std::sync::Arc;
use std::time::Instant;

/// A connection and what its pool knows of it.
#[derive(Debug)]
pub(super) struct Link {
    // ORDER: the unit of the budget is given back after the connection is closed.
    pub(super) connection: Box<dyn Connection>,
    pub(super) badge: Arc<Badge>,
    pub(super) opened: Instant,
    /// When it is to be replaced.
    pub(super) expires: Option<Instant>,
    /// When it came back last.
    pub(super) used: Instant,
    /// When it last gave a sign of life.
    pub(super) alive: Instant,
    /// Which generation of the pool's connections it belongs to.
    pub(super) generation: u64,
    /// The error that said that it was lost.
    pub(super) lost: Option<Error>,
    /// Whether it was the first of its generation to be lost, and nobody was told yet.
    pub(super) has_news: bool,
    /// Whether it is to be replaced when it is next asked for.
    pub(super) is_doubtful: bool,
    /// Whether it was not lent yet.
    pub(super) is_new: bool,
    /// What the hooks of the user keep with it.
    pub(super) data: ConnectionData,
    pub(super) judge: Arc<Judge>,
    pub(super) unit: Option<Unit>,
}

impl Link {
    pub(super) fn id(&self) -> u64 {
        self.badge.id
    }

    /// Whether it has reached its age.
    pub(super) fn is_expired(&self, now: Instant) -> bool {
        self.expires.is_some_and(|end| now >= end)
    }

    /// Whether all connections of its generation were given up.
    pub(super) fn is_outdated(&self) -> bool {
        self.is_doubtful || self.generation < self.judge.generation()
    }

    /// Notes what an error of a statement says of the connection; the error says more, where more
    /// is known.
    pub(super) fn note(&mut self, error: Error) -> Error {
        let error = self.judge.explain(self.generation, error);
        self.regard(&error);
        error
    }

    /// Notes what an error says of the connection.
    pub(super) fn regard(&mut self, error: &Error) {
        if self.lost.is_none() && self.judge.is_lost(error, false) {
            // At once and not when it comes back: nobody is to meet the others meanwhile.
            self.lose(error);
        }
    }

    /// It was lost: those that are as old are not to be trusted either.
    pub(super) fn lose(&mut self, error: &Error) {
        self.has_news |= self.judge.give_up(self.generation);
        self.lost = Some(error.without_source());
    }
}
