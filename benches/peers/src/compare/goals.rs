//! What was aimed at, as ratios within one run, and what was reached.

use super::contenders::Kind;
use super::run::{Line, Section};
use super::work::Work;

/// One of them.
pub struct Goal {
    pub text: String,
    pub aim: f64,
    pub ratio: f64,
    /// Whether more is better.
    pub more: bool,
}

impl Goal {
    pub fn reached(&self) -> bool {
        if self.more { self.ratio >= self.aim } else { self.ratio <= self.aim }
    }

    pub fn row(&self) -> [String; 4] {
        let sign = if self.more { "at least" } else { "at most" };
        let reached = if self.reached() { "reached" } else { "missed" };
        [
            self.text.clone(),
            format!("{sign} {}", self.aim),
            format!("{:.2}", self.ratio),
            reached.to_owned(),
        ]
    }
}

/// Those that the measured sections tell something about.
pub fn of(sections: &[Section]) -> Vec<Goal> {
    let mut goals = Vec::new();
    let mut goal = |text: &str, aim: f64, ratio: Option<f64>, more: bool| {
        goals.extend(ratio.map(|ratio| Goal { text: text.to_owned(), aim, ratio, more }));
    };
    let find = |work: Work, callers: usize| {
        sections.iter().find(|section| section.work == work && section.callers == callers)
    };
    let client = |line: &Line| line.median(|cost| cost.client);
    if let Some(load) = find(Work::Load, 1) {
        let ours = fastest(load, Kind::Ours, |_| true);
        let other = fastest(load, Kind::Async, |_| true);
        goal(
            "W1 load: time, beside the fastest async contender",
            0.85,
            over(ours, other, Line::seconds),
            false,
        );
        let psql = load.line("psql \\copy, from CSV", 0);
        goal(
            "W1 load: time, beside one session of psql \\copy",
            0.5,
            over(ours, psql, Line::seconds),
            false,
        );
        let tokio = load.line("tokio-postgres + deadpool, binary COPY", 2);
        let two = load.line("rowmill, job", 2);
        goal(
            "W1 load: client CPU, beside tokio-postgres, both on 2 connections",
            0.25,
            over(two, tokio, client),
            false,
        );
        let made = load.line("the rows alone, made and dropped", 0).map_or(0.0, client);
        let net = |line: &Line| client(line) - made;
        goal(
            "W1 load: the same, without what making the rows costs",
            0.25,
            over(two, tokio, net),
            false,
        );
    }
    if let Some(read) = find(Work::Read, 1) {
        let ours = read.line("rowmill, query", 2);
        let other = fastest(read, Kind::Async, |line| line.contender.connections == 2);
        goal(
            "W2 read: time, beside the fastest async contender on 2 connections",
            0.7,
            over(ours, other, Line::seconds),
            false,
        );
        goal("W2 read: client CPU, beside the same", 0.4, over(ours, other, client), false);
    }
    for (work, aim) in [(Work::Upsert, 0.97), (Work::UpsertNew, 0.87)] {
        let Some(upsert) = find(work, 1) else { continue };
        let other = fastest(upsert, Kind::Async, |_| true);
        let name = work.names().1;
        let job = upsert.line("rowmill, job", 0);
        goal(
            &format!("W3 {name}: time of the job, beside the fastest async contender"),
            aim,
            over(job, other, Line::seconds),
            false,
        );
        let hand = upsert.line("rowmill, upsert_many by hand", 0);
        goal(
            &format!("W3 {name}: time without a ledger, as the others, beside the same"),
            aim,
            over(hand, other, Line::seconds),
            false,
        );
    }
    let p50 = |line: &Line| line.median(|cost| cost.answer.p50);
    let rate = |line: &Line| line.median(|cost| cost.answer.rate);
    if let Some(one) = find(Work::LookUp, 1) {
        let bare = fastest(one, Kind::Limit, |_| true);
        goal(
            "W4 look-up: p50 of 1 caller, beside a bare prepared statement",
            1.1,
            over(one.line("rowmill", 0), bare, p50),
            false,
        );
    }
    if let Some(many) = find(Work::LookUp, 64) {
        let ours = many.line("rowmill, flights", 0);
        let deadpool = many.line("tokio-postgres + deadpool", 0);
        goal(
            "W4 look-up: rate of 64 callers, sent together, beside deadpool",
            2.0,
            over(ours, deadpool, rate),
            true,
        );
        let p99 = ours.map(|line| line.median(|cost| cost.answer.p99) * 1e3);
        goal("W4 look-up: p99 of 64 callers, sent together, in ms", 1.0, p99, false);
    }
    if let Some(eight) = find(Work::Transaction, 8) {
        let (ours, deadpool) =
            (eight.line("rowmill", 0), eight.line("tokio-postgres + deadpool", 0));
        goal(
            "W4 transaction: rate of 8 callers, beside deadpool",
            1.4,
            over(ours, deadpool, rate),
            true,
        );
    }
    if let Some(copy) = find(Work::Copy, 1) {
        let ours = copy.line("rowmill, job", 0);
        goal(
            "W5 copy: time, beside psql | psql",
            0.7,
            over(ours, copy.line("psql | psql", 0), Line::seconds),
            false,
        );
        goal(
            "W5 copy: time, beside pgcopydb",
            0.7,
            over(ours, copy.line("pgcopydb", 0), Line::seconds),
            false,
        );
    }
    if let (Some(bad), Some(file)) = (find(Work::Bad, 1), find(Work::File, 1)) {
        let ours = |section| Section::line(section, "rowmill, job", 0);
        goal(
            "W6 bad rows: time, beside the same file without them",
            1.2,
            over(ours(bad), ours(file), Line::seconds),
            false,
        );
    }
    let streams =
        sections.iter().filter(|section| !section.work.is_timed() && section.work != Work::Sleep);
    let memory = streams.flat_map(|section| &section.lines);
    let memory = memory.filter(|line| line.contender.kind == Kind::Ours && !line.costs.is_empty());
    let memory = memory.map(|line| line.median(|cost| cost.memory) / 1e6).fold(0.0, f64::max);
    goal(
        "peak memory of rowmill in W1, W2, W3, W5 and W6, in MB",
        64.0,
        (memory > 0.0).then_some(memory),
        false,
    );
    if let Some(sleep) = find(Work::Sleep, 1) {
        let (ours, other) =
            (fastest(sleep, Kind::Ours, |_| true), fastest(sleep, Kind::Async, |_| true));
        goal(
            "W7 waiting: client CPU, beside the fastest async contender, which should win",
            1.0,
            over(ours, other, client),
            false,
        );
    }
    goals
}

fn fastest(section: &Section, kind: Kind, keep: impl Fn(&Line) -> bool) -> Option<&Line> {
    let lines = section.lines.iter().filter(|line| !line.costs.is_empty());
    let lines = lines.filter(|line| line.contender.kind == kind && keep(line));
    lines.min_by(|a, b| a.seconds().total_cmp(&b.seconds()))
}

fn over(ours: Option<&Line>, other: Option<&Line>, figure: impl Fn(&Line) -> f64) -> Option<f64> {
    Some(figure(ours?) / figure(other?))
}
