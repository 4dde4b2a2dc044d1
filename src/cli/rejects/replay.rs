//! `rowmill rejects replay`

use super::super::args::ReplayArguments;
use super::super::console::Console;
use super::super::exit::Exit;
use super::super::job_file::JobFile;
use super::super::plan::{Databases, Plan};
use super::super::signals;
use crate::batch::replay::Replayed;
use crate::error::Result;
use crate::stop::StopToken;

pub(in crate::cli) fn replay(arguments: &ReplayArguments, console: Console) -> Result<Exit> {
    let file = JobFile::read(&arguments.job, &arguments.settings.overrides())?;
    let plan = Plan::of(&file)?;
    plan.reach(console)?;
    let stop = StopToken::new();
    let listening =
        signals::listen(stop.clone(), move |asked| console.note(signals::answer(asked)))?;
    let job = plan.job(&file).stop(stop);
    let replayed = match &plan.databases {
        Databases::One(engine) => {
            job.replay(engine, arguments.overwrite).map(|done| (told(&done), Exit::Complete))
        }
        Databases::Shards(shards) => job.replay_on_shards(shards, arguments.overwrite).map(of_each),
    };
    drop(listening);
    let (lines, exit) = replayed?;
    console.answer(&lines)?;
    Ok(exit)
}

/// What became of the rejects of each shard.
fn of_each(shards: Vec<(String, Result<Replayed>)>) -> (Vec<String>, Exit) {
    let (mut lines, mut exit) = (Vec::new(), Exit::Complete);
    for (shard, replayed) in shards {
        let told = match replayed {
            Ok(done) => told(&done),
            Err(error) => {
                exit = Exit::of(&error);
                vec![error.to_string()]
            }
        };
        lines.extend(told.into_iter().map(|line| format!("shard {shard}: {line}")));
    }
    (lines, exit)
}

fn told(replayed: &Replayed) -> Vec<String> {
    let Replayed { open, resolved, refused, truncated, .. } = replayed;
    if *open == 0 {
        return vec!["no open rejects".to_owned()];
    }
    let mut lines = vec![format!("{open} rejects: {resolved} resolved, {refused} stay")];
    if *truncated > 0 {
        lines.push(format!(
            "{truncated} of them are longer than what is kept of a record: take them from the source"
        ));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_the_rejects_is_one_line() {
        let mut replayed = Replayed::default();
        assert_eq!(told(&replayed), ["no open rejects"]);
        (replayed.open, replayed.resolved, replayed.refused) = (7, 5, 2);
        assert_eq!(told(&replayed), ["7 rejects: 5 resolved, 2 stay"]);
        replayed.truncated = 1;
        assert_eq!(told(&replayed).len(), 2);
    }
}
