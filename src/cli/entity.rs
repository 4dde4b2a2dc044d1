//! `rowmill entity`

use super::args::EntityArguments;
use super::console::Console;
use super::contact::contact;
use super::exit::Exit;
use super::target_url::{HINT, target_url};
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::TableName;
use crate::schema::{EntitySource, TimeTypes};

pub(super) fn entity(arguments: &EntityArguments, console: Console) -> Result<Exit> {
    let source = source(arguments)?;
    let given = arguments.database.target.as_ref();
    let url = target_url(given, &|name| std::env::var(name).ok(), HINT)?;
    let engine = Engine::builder(&url).read_only(true).build()?;
    if !contact(&engine, console)? {
        return Err(Error::new(ErrorKind::Schema, format!("there is no {}", engine.describe())));
    }
    let text = source.read(&engine)?;
    let lines: Vec<_> = text.lines().map(str::to_owned).collect();
    console.answer(&lines)?;
    Ok(Exit::Complete)
}

fn source(arguments: &EntityArguments) -> Result<EntitySource> {
    let times = if arguments.chrono { TimeTypes::Chrono } else { TimeTypes::Jiff };
    let mut source = EntitySource::new().times(times);
    for table in &arguments.tables {
        let table = TableName::parse(table)?;
        source = match &arguments.name {
            Some(name) => source.named(table, name),
            None => source.table(table),
        };
    }
    Ok(source)
}
