//! Whatever is done in a session, the table and the objects are what a plain map says.

use crate::support::music::{Playlist, playlist, with_shop};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rowmill::prelude::*;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// What can be done; a number stands for a row.
#[derive(Clone, Debug)]
enum Step {
    Add(u8),
    Edit(u8, bool),
    Delete(u8),
    Flush,
    Commit,
    Rollback,
    /// Steps in a savepoint that holds or does not.
    Nested(Vec<Step>, bool),
}

type Model = BTreeMap<String, bool>;

fn steps(depth: u32) -> BoxedStrategy<Vec<Step>> {
    let row = 0..6_u8;
    let plain = prop_oneof![
        3 => row.clone().prop_map(Step::Add),
        4 => (row.clone(), any::<bool>()).prop_map(|(row, public)| Step::Edit(row, public)),
        2 => row.prop_map(Step::Delete),
        2 => Just(Step::Flush),
    ];
    let step = if depth == 0 {
        plain.boxed()
    } else {
        let nested = (steps(depth - 1), any::<bool>());
        prop_oneof![
            12 => plain,
            2 => nested.prop_map(|(steps, holds)| Step::Nested(steps, holds)),
        ]
        .boxed()
    };
    prop::collection::vec(step, 0..8).boxed()
}

fn script() -> BoxedStrategy<Vec<Step>> {
    let end = prop_oneof![3 => Just(Step::Commit), 2 => Just(Step::Rollback)];
    let part = (steps(2), end).prop_map(|(mut steps, end)| {
        steps.push(end);
        steps
    });
    prop::collection::vec(part, 1..6).prop_map(|parts| parts.concat()).boxed()
}

/// Does the steps to the session and to the model; a row is added once only, and found by its key.
fn run(
    session: &mut Session,
    model: &mut Model,
    committed: &mut Model,
    steps: &[Step],
) -> Result<()> {
    for step in steps {
        match step {
            Step::Add(row) => {
                let name = format!("list {row}");
                if let Entry::Vacant(vacant) = model.entry(name.clone()) {
                    // What was deleted before must be gone before it is added again.
                    session.flush()?;
                    session.add(playlist(&name));
                    vacant.insert(true);
                }
            }
            Step::Edit(row, public) => {
                let name = format!("list {row}");
                let found = session.get::<Playlist>(name.clone())?;
                assert_eq!(
                    found.as_ref().map(|list| list.read().public),
                    model.get(&name).copied()
                );
                if let Some(list) = found {
                    list.edit().public = *public;
                    model.insert(name, *public);
                }
            }
            Step::Delete(row) => {
                let name = format!("list {row}");
                if let Some(list) = session.get::<Playlist>(name.clone())? {
                    session.delete(&list)?;
                }
                model.remove(&name);
            }
            Step::Flush => session.flush()?,
            Step::Commit => {
                session.commit()?;
                committed.clone_from(model);
            }
            Step::Rollback => {
                session.rollback()?;
                model.clone_from(committed);
            }
            Step::Nested(steps, holds) => {
                let before = model.clone();
                let done = session.begin_nested(|session| {
                    run(session, model, committed, steps)?;
                    if *holds { Ok(()) } else { Err(Error::new(ErrorKind::Stopped, "taken back")) }
                });
                match done {
                    Ok(()) => {}
                    Err(error) if error.kind() == ErrorKind::Stopped => *model = before,
                    Err(error) => return Err(error),
                }
            }
        }
    }
    Ok(())
}

#[test]
fn a_session_does_what_a_map_does() {
    with_shop(|home| {
        // Handles that are held for the whole of a script, so that its objects stay the same.
        let config = Config { cases: 60, failure_persistence: None, ..Config::default() };
        let held = RefCell::new(Vec::new());
        TestRunner::new(config)
            .run(&script(), |steps| {
                home.sql("delete from playlist");
                held.borrow_mut().clear();
                let mut session = home.engine().session().unwrap();
                let (mut model, mut committed) = (Model::new(), Model::new());
                run(&mut session, &mut model, &mut committed, &steps).unwrap();
                for name in committed.keys() {
                    held.borrow_mut().push(session.get::<Playlist>(name.clone()).unwrap());
                }
                drop(session);
                let rows = home.rows(
                    "select name, case when public then 1 else 0 end from playlist order by name",
                );
                let expected: Vec<_> = committed
                    .iter()
                    .map(|(name, public)| format!("{name}|{}", i32::from(*public)))
                    .collect();
                prop_assert_eq!(rows, expected);
                Ok(())
            })
            .unwrap();
    });
}
