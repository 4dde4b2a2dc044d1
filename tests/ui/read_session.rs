//! A session that only reads has no method to write.

use rowmill::prelude::*;

#[derive(Entity)]
struct Artist {
    #[entity(key)]
    id: i64,
}

fn main() -> Result<()> {
    let engine = Engine::open("sqlite::memory:")?;
    let session = engine.read_session()?;
    session.add(Artist { id: 1 });
    session.commit()
}
