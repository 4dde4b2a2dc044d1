//! `rowmill rejects list`

use super::super::args::ListArguments;
use super::super::console::Console;
use super::super::exit::Exit;
use super::super::figures::{counted, grouped};
use super::super::ledger_of::{Wanted, title, wanted};
use super::{filter, form};
use crate::backend::Connection;
use crate::batch::ledger::{Ledger, RejectFilter, RejectGroup, RejectView};
use crate::error::Result;
use serde::Serialize;

pub(in crate::cli) fn list(arguments: &ListArguments, console: Console) -> Result<Exit> {
    let wanted = wanted(&arguments.look, &|name| std::env::var(name).ok())?;
    let filter = filter(&arguments.filter);
    let mut objects = Vec::new();
    let (lines, exit) = Wanted::each(&wanted, |wanted| {
        let mut found = None;
        let lines = wanted.look(console, |ledger, connection, _| {
            let all = Found::find(ledger, connection, wanted, &filter, arguments.groups)?;
            let lines = all.lines(wanted);
            found = Some(all);
            if !lines.is_empty() {
                return Ok(lines);
            }
            let is_known = !ledger.jobs(connection, &wanted.jobs(), 1)?.is_empty();
            Ok(vec![if is_known { "no rejects".to_owned() } else { wanted.none() }])
        })?;
        let found = found.unwrap_or_default();
        objects.push(found.json(wanted.shard.as_deref(), arguments.groups));
        Ok(lines)
    })?;
    // An object for each shard that could be asked.
    console.answer(if arguments.json { &objects } else { &lines })?;
    Ok(exit)
}

/// So many are shown; a file with more of them is looked at with SQL, or exported.
const MOST: u64 = 10_000;

/// So many groups are shown.
const MOST_GROUPS: u64 = 20;

/// So many bytes of a record are shown.
const MOST_BYTES: usize = 4 << 10;

/// What there is to show.
#[derive(Default)]
struct Found {
    count: u64,
    /// One more than are shown, where there are more.
    groups: Vec<RejectGroup>,
    rejects: Vec<RejectView>,
    /// How many were to be shown at most.
    most: u64,
}

#[derive(Serialize)]
struct Json<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    shard: Option<&'a str>,
    count: u64,
    groups: Vec<JsonGroup<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rejects: Option<Vec<form::Shown<'a>>>,
}

#[derive(Serialize)]
struct JsonGroup<'a> {
    count: u64,
    job: &'a str,
    params: serde_json::Value,
    stage: &'a str,
    sqlstate: Option<&'a str>,
    message: &'a str,
    one_message: bool,
    column: Option<&'a str>,
    constraint: Option<&'a str>,
    caused_by: Option<&'a str>,
}

impl Found {
    fn find(
        ledger: &Ledger,
        connection: &mut dyn Connection,
        wanted: &Wanted,
        filter: &RejectFilter,
        only_groups: bool,
    ) -> Result<Self> {
        let jobs = wanted.jobs();
        let most = filter.limit.unwrap_or(u64::MAX).min(MOST);
        let mut found = Self { most, ..Self::default() };
        found.count = ledger.reject_count(connection, &jobs, filter)?;
        found.groups = ledger.reject_groups(connection, &jobs, filter, MOST_GROUPS + 1)?;
        if !only_groups {
            let mut limited = filter.clone();
            limited.limit = Some(most);
            ledger.rejects(connection, &jobs, &limited, &mut |mut reject| {
                cut(&mut reject);
                found.rejects.push(reject);
                Ok(())
            })?;
        }
        Ok(found)
    }

    /// The counts of what the rejects have in common, where there are several, and then a line for
    /// each, with the record as it stands in the source.
    fn lines(&self, wanted: &Wanted) -> Vec<String> {
        let one_of_several = wanted.params.is_none();
        let mut lines = Vec::new();
        if self.count > 1 || (self.count == 1 && self.rejects.is_empty()) {
            lines.push(format!("{}:", counted(self.count, "reject", "rejects")));
            let shown = self.groups.iter().take(MOST_GROUPS as usize);
            lines.extend(shown.map(|group| group_line(group, one_of_several)));
            if self.groups.len() as u64 > MOST_GROUPS {
                lines.push("           and others of more kinds".to_owned());
            }
            if !self.rejects.is_empty() {
                lines.push(String::new());
            }
        }
        lines.extend(self.rejects.iter().map(|reject| line(reject, one_of_several)));
        let more = self.count.saturating_sub(self.most);
        if more > 0 && self.most == MOST && !self.rejects.is_empty() {
            lines.push(format!("and {} more, in the table of rejects", grouped(more)));
        }
        lines
    }

    fn json(&self, shard: Option<&str>, only_groups: bool) -> String {
        let groups = self.groups.iter().take(MOST_GROUPS as usize).map(json_group).collect();
        let rejects = (!only_groups).then(|| self.rejects.iter().map(form::shown).collect());
        serde_json::to_string(&Json { shard, count: self.count, groups, rejects })
            .unwrap_or_default()
    }
}

/// Cuts what is shown of a record, between two characters.
fn cut(reject: &mut RejectView) {
    if reject.raw.len() <= MOST_BYTES {
        return;
    }
    let is_within = |at: &usize| reject.raw[*at] & 0xc0 == 0x80;
    let end = (MOST_BYTES - 3..=MOST_BYTES).rev().find(|at| !is_within(at)).unwrap_or(MOST_BYTES);
    reject.raw.truncate(end);
    reject.truncated = true;
}

fn json_group(group: &RejectGroup) -> JsonGroup<'_> {
    JsonGroup {
        count: group.count,
        job: &group.job,
        params: serde_json::from_str(&group.params).unwrap_or_default(),
        stage: &group.stage,
        sqlstate: group.sqlstate.as_deref(),
        message: &group.message,
        one_message: group.one_message,
        column: group.column.as_deref(),
        constraint: group.constraint.as_deref(),
        caused_by: group.caused_by.as_deref(),
    }
}

fn group_line(group: &RejectGroup, one_of_several: bool) -> String {
    let job = match one_of_several {
        true => title(&group.job, &group.params),
        false => group.job.clone(),
    };
    let RejectGroup { count, stage, message, .. } = group;
    let such_as = if group.one_message { "" } else { "such as: " };
    let [code, column, constraint, cause] =
        [&group.sqlstate, &group.column, &group.constraint, &group.caused_by].map(Option::as_deref);
    let marks = marks(code, column, constraint, cause);
    format!("{:>9}  {job}: {stage}: {such_as}{message}{marks}", grouped(*count))
}

/// What is told of a reject behind its message.
fn marks(
    sqlstate: Option<&str>,
    column: Option<&str>,
    constraint: Option<&str>,
    cause: Option<&str>,
) -> String {
    let of = |text: Option<&str>, show: &dyn Fn(&str) -> String| text.map(show).unwrap_or_default();
    [
        of(sqlstate, &|code| format!(" ({code})")),
        of(column, &|name| format!(" [column {name}]")),
        of(constraint, &|name| format!(" [constraint {name}]")),
        of(cause, &|cause| format!(" [caused by {cause}]")),
    ]
    .concat()
}

/// One of several jobs of a name is told with its parameters.
fn line(reject: &RejectView, one_of_several: bool) -> String {
    let job = match one_of_several {
        true => title(&reject.job, &reject.params),
        false => reject.job.clone(),
    };
    let place =
        reject.line.map_or_else(|| format!("row {}", reject.row), |line| format!("line {line}"));
    let RejectView { sqlstate, column, constraint, caused_by, .. } = reject;
    let [code, column, constraint, cause] =
        [sqlstate, column, constraint, caused_by].map(Option::as_deref);
    let marks = marks(code, column, constraint, cause);
    let resolved =
        reject.resolved_by.map_or(String::new(), |run| format!(" [resolved by run {run}]"));
    let raw = printable(&String::from_utf8_lossy(&reject.raw));
    let cut = if reject.truncated { "..." } else { "" };
    format!("{job} {place}: {}: {}{marks}{resolved}: {raw}{cut}", reject.stage, reject.message)
}

/// The text without control characters, which in a broken record could be commands to a terminal.
fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_shown_as_it_stands_but_for_control_characters() {
        assert_eq!(
            printable("1,\"a, b\",\u{e9}\t\u{1b}[2J\n"),
            "1,\"a, b\",\u{e9}\\t\\u{1b}[2J\\n"
        );
    }
}
