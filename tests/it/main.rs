//! One binary for all integration tests: one module a behaviour.

mod sqlite_backend;
