//! Somebody who does a piece of work, and how that is started.

use super::servers::Servers;
use super::task::{Answer, Task};

/// What a contender is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The server alone: nobody can be faster who uses one connection.
    Limit,
    /// No load at all: a part of what the others do.
    Nobody,
    Ours,
    Async,
    Blocking,
    Tool,
    Python,
    /// Python's mappers of objects, which take tens of times as long.
    PythonMapper,
}

impl Kind {
    /// Whether it does all of the work, and is none of ours.
    pub fn is_rival(self) -> bool {
        !matches!(self, Self::Limit | Self::Nobody | Self::Ours)
    }
}

/// How it is started.
#[derive(Clone, Copy)]
pub enum Program {
    /// This program, in a process of its own.
    Here(fn(&Task) -> Answer),
    /// A statement that the server does alone.
    Server(fn(&Servers, &Task) -> String),
    /// A statement of each of the two servers, one after the other: their time over the cores.
    Both(fn(&Servers, &Task) -> [String; 2]),
    /// Another program.
    Command(fn(&Servers, &Task) -> Vec<String>),
    /// The script `compare.py`.
    Script,
}

/// How the server is named to a contender.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Way {
    /// By the URL that all have; rowmill finds the server's Unix socket by itself.
    #[default]
    Url,
    /// By its Unix socket, in the URL of a rival.
    Socket,
    /// By the URL that all have, and rowmill is told to stay with TCP.
    Tcp,
}

/// Somebody who does a piece of work.
#[derive(Clone, Copy)]
pub struct Contender {
    pub name: &'static str,
    pub kind: Kind,
    pub connections: usize,
    pub way: Way,
    pub program: Program,
}

impl Contender {
    pub const fn here(
        name: &'static str,
        kind: Kind,
        connections: usize,
        work: fn(&Task) -> Answer,
    ) -> Self {
        Self { name, kind, connections, way: Way::Url, program: Program::Here(work) }
    }

    /// The same on that way.
    pub const fn by(self, way: Way) -> Self {
        Self { way, ..self }
    }

    pub const fn python(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, connections: 1, way: Way::Url, program: Program::Script }
    }

    pub const fn server(name: &'static str, sql: fn(&Servers, &Task) -> String) -> Self {
        Self {
            name,
            kind: Kind::Limit,
            connections: 1,
            way: Way::Url,
            program: Program::Server(sql),
        }
    }

    pub const fn tool(
        name: &'static str,
        connections: usize,
        command: fn(&Servers, &Task) -> Vec<String>,
    ) -> Self {
        Self {
            name,
            kind: Kind::Tool,
            connections,
            way: Way::Url,
            program: Program::Command(command),
        }
    }
}
