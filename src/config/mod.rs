//! The options of a pool: their defaults, where they come from, and what they may be.
//!
//! - `pool_options`: [`PoolOptions`]: what there is, and the defaults
//! - `setters`:      one method for each option, with what it means
//! - `choices`:      the options that are a word and not a number
//! - `validate`:     which options cannot be used, and which are worth a note
//!
//! A typed option wins over one in the URL, and that over the default.

mod choices;
mod pool_options;
mod setters;
mod validate;

pub use choices::{Order, Overflow, PoolKind, ResetPolicy, Start};
pub use pool_options::PoolOptions;
