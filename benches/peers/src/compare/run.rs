//! Contenders in turns.

use super::contenders::{Contender, Kind, Program, of};
use super::meter::{self, Cost};
use super::options::Options;
use super::servers::{SOURCE, Servers};
use super::task::Task;
use super::tools;
use super::work::Work;
use std::any::Any;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

/// A rival that takes more than four times as long as the fastest has a third of the turns, one that
/// takes more than twelve times as long a single one: nobody needs more of them to see it.
const SLOW: f64 = 4.0;
const VERY_SLOW: f64 = 12.0;

/// How many turns somebody has whose time is so many times that of the fastest.
fn turns_of(rounds: usize, times: f64) -> usize {
    match times {
        times if times > VERY_SLOW => 1,
        times if times > SLOW => rounds.div_ceil(3),
        _ => rounds,
    }
}

/// What a contender did.
pub struct Line {
    pub contender: Contender,
    pub costs: Vec<Cost>,
    /// Why it has no figures.
    pub failed: Option<String>,
}

impl Line {
    /// The median of a figure.
    pub fn median(&self, figure: impl Fn(&Cost) -> f64) -> f64 {
        let mut figures: Vec<_> = self.costs.iter().map(figure).collect();
        figures.sort_by(f64::total_cmp);
        let middle = |index: usize| figures.get(index).copied().unwrap_or(f64::NAN);
        // Of an even number it is the mean of the two in the middle.
        let half = figures.len() / 2;
        if figures.len() % 2 == 1 {
            middle(half)
        } else {
            f64::midpoint(middle(half.wrapping_sub(1)), middle(half))
        }
    }

    /// From the lowest to the highest of a figure, as a share of its median.
    pub fn spread(&self, figure: impl Fn(&Cost) -> f64) -> f64 {
        let figures = || self.costs.iter().map(&figure);
        let (low, high) = (figures().fold(f64::MAX, f64::min), figures().fold(0.0, f64::max));
        (high - low) / self.median(&figure)
    }

    pub fn seconds(&self) -> f64 {
        self.median(|cost| cost.seconds)
    }

    pub fn title(&self) -> String {
        match self.contender.connections {
            1 => self.contender.name.to_owned(),
            more => format!("{} ({more})", self.contender.name),
        }
    }
}

/// A table of the results.
pub struct Section {
    pub work: Work,
    pub rows: u64,
    /// Connections where they are not the contender's own; batch and callers, where they count.
    pub connections: Option<usize>,
    pub batch: usize,
    pub callers: usize,
    /// How many turns there were for whoever is not slow.
    pub rounds: usize,
    pub lines: Vec<Line>,
}

impl Section {
    pub fn line(&self, name: &str, connections: usize) -> Option<&Line> {
        let mut lines = self.lines.iter().filter(|line| !line.costs.is_empty());
        lines.find(|line| {
            line.contender.name == name
                && (connections == 0 || line.contender.connections == connections)
        })
    }
}

/// What is measured of a piece of work.
pub struct Plan {
    pub work: Work,
    pub rows: u64,
    pub connections: Option<usize>,
    pub batch: usize,
    pub callers: usize,
    pub rounds: usize,
    pub contenders: Vec<Contender>,
}

impl Plan {
    pub fn new(work: Work, rows: u64, rounds: usize) -> Self {
        let contenders = of(work);
        let batch = match work {
            Work::Upsert | Work::UpsertNew => 1_000,
            Work::Copy => super::constants::COPY_BATCH_ROWS,
            _ => super::constants::BATCH_ROWS,
        };
        Self { work, rows, connections: None, batch, callers: 1, rounds, contenders }
    }

    /// Only those of these names.
    pub fn only(mut self, keep: impl Fn(&Contender) -> bool) -> Self {
        self.contenders.retain(keep);
        self
    }

    /// Runs it: A B C, B C A, ... What fails before the first turn costs this table, not the others.
    pub fn run(self, servers: &Servers, options: &Options) -> Section {
        let start = Instant::now();
        let section = catch_unwind(AssertUnwindSafe(|| self.measure(servers, options)));
        let section = section.unwrap_or_else(|panic| {
            servers.clear();
            let why = format!("the work could not be prepared: {}", told(&*panic));
            let failed = |line| Line { failed: Some(why.clone()), ..line };
            self.section(self.lines().into_iter().map(failed).collect())
        });
        let (issue, name) = self.work.names();
        eprintln!(" {issue} {name}, {:.0} s", start.elapsed().as_secs_f64());
        section
    }

    fn measure(&self, servers: &Servers, options: &Options) -> Section {
        let Self { work, rows, rounds, .. } = *self;
        work.set_up(servers, rows);
        let expected = work.expected(servers, rows);
        let mut lines = self.lines();
        let (count, mut fastest) = (lines.len(), f64::MAX);
        for turn in 0..rounds * count {
            let line = &mut lines[(turn / count + turn) % count];
            let is_rival = line.contender.kind.is_rival();
            let times = if is_rival { line.seconds() / fastest } else { 1.0 };
            let enough = turns_of(rounds, times);
            // In the first round nobody knows who is the fastest.
            if line.failed.is_some() || (turn >= count && line.costs.len() >= enough) {
                continue;
            }
            work.prepare(servers);
            let task = self.task(servers, options, &line.contender);
            match line.turn(work, servers, &task, &expected, options.limit_of(rows)) {
                Ok(cost) => {
                    if is_rival || line.contender.kind == Kind::Ours {
                        fastest = fastest.min(cost.seconds);
                    }
                    line.costs.push(cost);
                }
                Err(why) => {
                    line.failed = Some(why);
                    line.costs.clear();
                }
            }
            eprint!("{}", if line.failed.is_some() { "!" } else { "." });
            let _ = std::io::stderr().flush();
        }
        self.section(lines)
    }

    fn lines(&self) -> Vec<Line> {
        let line = |contender: &Contender| {
            let connections = self.connections.unwrap_or(contender.connections);
            let contender = Contender { connections, ..*contender };
            Line { contender, costs: Vec::new(), failed: None }
        };
        self.contenders.iter().map(line).collect()
    }

    fn task(&self, servers: &Servers, options: &Options, contender: &Contender) -> Task {
        let Self { work, rows, batch, callers, .. } = *self;
        let copies = work == Work::Copy;
        Task {
            url: servers.url_by(contender.way, copies.then_some(SOURCE)),
            other: if copies { servers.other_url() } else { String::new() },
            rows,
            connections: contender.connections,
            batch,
            callers: if work == Work::Sleep { super::constants::SLEEPERS } else { callers },
            seconds: options.seconds,
            file: if work == Work::Bad { servers.bad_csv(rows) } else { servers.csv(rows) },
        }
    }

    fn section(&self, lines: Vec<Line>) -> Section {
        let Self { work, rows, connections, batch, callers, rounds, .. } = *self;
        Section { work, rows, connections, batch, callers, rounds, lines }
    }
}

/// What a panic said.
fn told(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked")
}

impl Line {
    /// One turn: a time counts only if the result is right.
    fn turn(
        &self,
        work: Work,
        servers: &Servers,
        task: &Task,
        expected: &str,
        limit: f64,
    ) -> Result<Cost, String> {
        let mut command = command(&self.contender, work, servers, task)?;
        // What Python read is summed in a pass before the timed one, which need not be repeated.
        let is_script = matches!(self.contender.program, Program::Script);
        let summed = self.costs.first().filter(|_| is_script);
        if summed.is_some() {
            command.push("summed".to_owned());
        }
        let mut cost =
            meter::run(&command, limit, servers.pids()).inspect_err(|_| servers.clear())?;
        if let Some(before) = summed {
            cost.answer.sum = before.answer.sum;
        }
        let nothing_read = matches!(self.contender.program, Program::Server(_));
        let unchecked = self.contender.kind == Kind::Nobody || (work == Work::Read && nothing_read);
        let outcome = work.outcome(servers, &cost.answer)?;
        if unchecked || outcome == expected {
            Ok(cost)
        } else {
            Err(format!("wrong result: {outcome}, not {expected}"))
        }
    }
}

/// How a contender is started.
fn command(
    contender: &Contender,
    work: Work,
    servers: &Servers,
    task: &Task,
) -> Result<Vec<String>, String> {
    let this = std::env::current_exe().expect("the path of this program").display().to_string();
    let name = contender.name.to_owned();
    let own = |what: &str, words: Vec<String>| {
        [vec![this, what.to_owned(), work.names().1.to_owned()], words].concat()
    };
    Ok(match contender.program {
        Program::Here(_) => own(super::CONTENDER, [vec![name], task.words()].concat()),
        Program::Server(sql) => own(super::STATEMENT, vec![task.url.clone(), sql(servers, task)]),
        Program::Both(sql) => {
            let [one, other] = sql(servers, task);
            own(super::STATEMENT, vec![task.url.clone(), one, task.other.clone(), other])
        }
        Program::Command(command) => command(servers, task),
        Program::Script => {
            let python =
                tools::python().ok_or("no Python with the packages of requirements.txt")?;
            let script = std::env::var("COMPARE_SCRIPT").unwrap_or_default();
            let work = work.names().1.to_owned();
            [vec![python, script, work, name], task.words()].concat()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_slow_has_fewer_turns_and_everybody_has_one() {
        assert_eq!(
            [1.0, 4.0, 4.1, 12.1, f64::NAN].map(|times| turns_of(5, times)),
            [5, 5, 2, 1, 5]
        );
        assert_eq!([1.0, 5.0, 20.0].map(|times| turns_of(1, times)), [1, 1, 1]);
    }
}
