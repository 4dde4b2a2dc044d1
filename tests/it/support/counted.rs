//! An engine that tells which statements were run.

use super::Home;
use rowmill::Engine;
use std::sync::{Arc, Mutex};

/// An engine on the database of a [`Home`], and the statements that it has run.
#[derive(Debug)]
pub struct Counted {
    pub engine: Engine,
    statements: Arc<Mutex<Vec<String>>>,
}

impl Counted {
    /// A second engine on the database of `home`.
    pub fn on(home: &Home) -> Self {
        let statements = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&statements);
        let engine = Engine::builder(home.url())
            .echo(move |event| told.lock().unwrap().push(event.sql.to_owned()))
            .build()
            .unwrap();
        Self { engine, statements }
    }

    /// What was run since it was asked before.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.statements.lock().unwrap())
    }
}
