//! A session, and what it looks after, belongs to one thread.

use rowmill::prelude::*;

#[derive(Entity)]
struct Artist {
    #[entity(key)]
    id: i64,
}

fn send<T: Send>(_: T) {}
fn share<T: Sync>(_: &T) {}

fn main() -> Result<()> {
    let engine = Engine::open("sqlite::memory:")?;
    let mut session = engine.session()?;
    let artist = session.add(Artist { id: 1 });
    share(&session);
    send(artist);
    send(session);
    send(engine.read_session()?);
    Ok(())
}
