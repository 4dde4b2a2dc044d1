//! What is printed, and written to `RESULTS.md` with its plots.

use super::contenders::Kind;
use super::goals::{self, Goal};
use super::options::Options;
use super::plot::{self, Series};
use super::run::Section;
use super::servers::Servers;
use super::work::Work;
use super::{machine, table};
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::time::Duration;

/// All that was measured.
pub struct Results<'a> {
    pub options: &'a Options,
    /// All sections, with those of the grid and of the growing data.
    pub sections: &'a [Section],
    pub grid: &'a [Section],
    pub scaling: &'a [Section],
    pub server: String,
    /// How long all contenders took, then the grid and the growing data, where they were asked for.
    pub took: [Duration; 3],
}

impl Results<'_> {
    /// The sections that are neither of the grid nor of the growing data.
    fn main(&self) -> &[Section] {
        &self.sections[..self.sections.len() - self.grid.len() - self.scaling.len()]
    }

    fn goals(&self) -> Vec<Goal> {
        goals::of(&goals::Measured { main: self.main(), scaling: self.scaling })
    }

    pub fn text(&self) -> String {
        let mut text = format!("{}\n", self.circumstances().join("\n"));
        for (tool, why) in machine::missing() {
            let _ = writeln!(text, "skipped: {tool}: {why}");
        }
        for section in self.main() {
            text += &table::of(section).text();
        }
        text += &self.grid_table();
        text += &self.scaling_table();
        for goal in self.goals() {
            let [what, aim, ratio, reached] = goal.row();
            let _ = writeln!(text, "{reached:<8} {what}: {ratio} ({aim})");
            for line in goal.why().into_iter().flat_map(str::lines) {
                let _ = writeln!(text, "         {line}");
            }
        }
        text
    }

    /// Writes the file and its plots; a part of the work is not the results.
    pub fn write(&self) -> io::Result<()> {
        if !self.options.is_whole() {
            println!("only a part was measured: RESULTS.md is left as it is");
            return Ok(());
        }
        let folder = &self.options.folder;
        let plots = self.plots();
        fs::create_dir_all(folder.join("results"))?;
        for (name, svg) in &plots {
            fs::write(folder.join("results").join(name), svg)?;
        }
        fs::write(folder.join("RESULTS.md"), self.markdown(&plots))
    }

    fn markdown(&self, plots: &[(&'static str, String)]) -> String {
        let mut text = "# Results\n\nWritten by `benches/compare`; `benches/peers/README.md` says what is \
            measured, and how. \"x limit\" and \"x rowmill\" are times (in W4 rates) divided by those \
            of the limit and of rowmill's fastest form. Client CPU and peak memory are of the whole \
            process, server CPU of all of the server's. The number in brackets is that of connections. \
            \"turns\" are those of the median: who is slow has fewer.\n\n"
            .to_owned();
        for line in self.circumstances() {
            let _ = writeln!(text, "- {line}");
        }
        for (tool, why) in machine::missing() {
            let _ = writeln!(text, "- skipped: {tool}: {why}");
        }
        text += "\n## What was aimed at\n\n| | aim | here | |\n|---|---|---:|---|\n";
        let goals = self.goals();
        for goal in &goals {
            let cells = goal.row().map(|cell| table::escaped(&cell));
            let _ = writeln!(text, "| {} |", cells.join(" | "));
        }
        if goals.iter().any(|goal| !goal.reached()) {
            text += "\nWhy the rest was missed, and what would have to change:\n";
        }
        for (goal, why) in goals.iter().filter_map(|goal| Some((goal, goal.why()?))) {
            let [what, aim, ratio, _] = goal.row();
            let _ = writeln!(text, "\n**{what}**: {ratio} ({aim}). {why}");
        }
        text += "\n## Plots\n\n";
        for (name, _) in plots {
            let _ = writeln!(text, "![{}](results/{name})\n", name.trim_end_matches(".svg"));
        }
        text += "## Tables\n";
        for section in self.main() {
            text += &table::of(section).markdown();
        }
        text += &self.grid_table();
        text += &self.scaling_table();
        text
    }

    fn circumstances(&self) -> Vec<String> {
        let (rows, rounds) = (self.options.rows, self.options.rounds);
        let mode = if self.options.quick { "quick mode" } else { "full mode" };
        let mut took = format!("{} s", self.took[0].as_secs());
        for (what, time) in [("grid", self.took[1]), ("growing data", self.took[2])] {
            if !time.is_zero() {
                let _ = write!(took, ", {what} {} s", time.as_secs());
            }
        }
        vec![
            format!("{mode}: lineitem of {rows} rows, {rounds} rounds, {took}"),
            machine::machine(),
            format!(
                "PostgreSQL {} on the same machine, named by its TCP port: {}",
                self.server,
                Servers::settings()
            ),
            format!("rowmill at commit {}", machine::commit()),
            format!("beside {}", machine::versions()),
        ]
    }

    /// Times by the size of the pool and of a batch.
    fn grid_table(&self) -> String {
        let Some(first) = self.grid.first() else { return String::new() };
        let mut text = "\n### W3 upsert: rows/s by connections and rows of a batch\n\n".to_owned();
        let names = || {
            self.grid.iter().map(|section| match section.connections {
                Some(4) if section.batch != 1_000 => format!("{} rows", section.batch),
                Some(connections) => format!("{connections} of {}", section.batch),
                None => String::new(),
            })
        };
        let _ = writeln!(
            text,
            "| connections of batch, or batch on 4 | {} |",
            names().collect::<Vec<_>>().join(" | ")
        );
        let _ = writeln!(text, "|---|{}", "---:|".repeat(self.grid.len()));
        for line in &first.lines {
            let cells = self.grid.iter().map(|section| {
                let line = section.line(line.contender.name, 0);
                line.map_or("-".to_owned(), |line| {
                    format!("{:.0}", section.rows as f64 / line.seconds())
                })
            });
            let _ = writeln!(
                text,
                "| {} | {} |",
                line.contender.name,
                cells.collect::<Vec<_>>().join(" | ")
            );
        }
        text
    }

    /// Time for a row, and memory, as the data grow.
    fn scaling_table(&self) -> String {
        if self.scaling.is_empty() {
            return String::new();
        }
        let mut text = "\n### W1 to W3 with 1, 3 and 10 times the data\n\n\
            | | rows | s | us a row, beside the first | peak MB, beside the first |\n\
            |---|---:|---:|---:|---:|\n"
            .to_owned();
        for group in self.scaling.chunks(3) {
            for line in &group[0].lines {
                let name = line.contender.name;
                for section in group {
                    let (Some(one), Some(now)) = (group[0].line(name, 0), section.line(name, 0))
                    else {
                        continue;
                    };
                    let each = |section: &Section, seconds: f64| seconds / section.rows as f64;
                    let memory = |line: &super::run::Line| line.median(|cost| cost.memory) / 1e6;
                    let _ = writeln!(
                        text,
                        "| {} {}, {name} | {} | {:.3} | {:.2} | {:.0}, {:.2} |",
                        section.work.names().0,
                        section.work.names().1,
                        section.rows,
                        now.seconds(),
                        each(section, now.seconds()) / each(&group[0], one.seconds()),
                        memory(now),
                        memory(now) / memory(one)
                    );
                }
            }
        }
        text
    }

    /// The time of a row of rowmill's as the data grow, beside that with the least data.
    fn growth(&self) -> Vec<Series> {
        let each = |section: &Section| {
            let ours = goals::fastest(section, Kind::Ours)?;
            Some(ours.seconds() / section.rows as f64)
        };
        let series = |group: &[Section]| {
            let (first, base) = (group.first()?, each(group.first()?)?);
            let (issue, name) = first.work.names();
            let points = group.iter().filter_map(|section| {
                Some((section.rows as f64 / first.rows as f64, each(section)? / base))
            });
            Some((format!("{issue} {name}"), points.collect()))
        };
        self.scaling.chunks(3).filter_map(series).collect()
    }

    fn plots(&self) -> Vec<(&'static str, String)> {
        let sizes: Vec<_> = self.grid.iter().filter(|section| section.batch == 1_000).collect();
        // The size of a batch that is also that of the others comes a second time.
        let sizes = &sizes[..sizes.len().min(5)];
        let pool = series(
            sizes,
            |section| section.connections.unwrap_or(1) as f64,
            |section, line| section.rows as f64 / line.seconds(),
        );
        let scaling: Vec<_> =
            self.scaling.iter().filter(|section| section.work == Work::Load).collect();
        let memory = series(
            &scaling,
            |section| section.rows as f64,
            |_, line| line.median(|cost| cost.memory) / 1e6,
        );
        let reads: Vec<_> =
            self.scaling.iter().filter(|section| section.work == Work::Read).collect();
        let read_memory = series(
            &reads,
            |section| section.rows as f64,
            |_, line| line.median(|cost| cost.memory) / 1e6,
        );
        let mut plots = vec![
            (
                "rows_by_pool_size.svg",
                plot::lines("W3: rows/s by the size of the pool", "connections", "rows/s", &pool),
            ),
            (
                "memory_of_load.svg",
                plot::lines("W1: peak memory by the size of the data", "rows", "MB", &memory),
            ),
            (
                "memory_of_read.svg",
                plot::lines("W2: peak memory by the size of the data", "rows", "MB", &read_memory),
            ),
        ];
        if !self.scaling.is_empty() {
            let title = "rowmill: time of a row by the size of the data";
            let svg = plot::lines(title, "times the data", "beside the least", &self.growth());
            plots.push(("time_by_size.svg", svg));
        }
        for (work, name, title) in [
            (Work::Load, "cpu_of_load.svg", "W1: client CPU for a million rows"),
            (Work::Read, "cpu_of_read.svg", "W2: client CPU for a million rows"),
        ] {
            let section = self.main().iter().find(|section| section.work == work);
            plots.extend(
                section.map(|section| (name, plot::bars(title, "seconds", &processor(section)))),
            );
        }
        plots
    }
}

fn series(
    sections: &[&Section],
    across: impl Fn(&Section) -> f64,
    up: impl Fn(&Section, &super::run::Line) -> f64,
) -> Vec<Series> {
    let Some(first) = sections.first() else { return Vec::new() };
    let names = first.lines.iter().map(|line| line.contender.name);
    let of = |name: &str| {
        let points = sections
            .iter()
            .filter_map(|section| Some((across(section), up(section, section.line(name, 0)?))));
        (name.to_owned(), points.collect())
    };
    names.map(of).collect()
}

/// The client's processor time for a million rows.
fn processor(section: &Section) -> Vec<(String, f64, bool)> {
    let lines = section
        .lines
        .iter()
        .filter(|line| !line.costs.is_empty() && line.contender.kind != Kind::Limit);
    let bar = |line: &super::run::Line| {
        let seconds = line.median(|cost| cost.client) / section.rows as f64 * 1e6;
        (line.title(), seconds, line.contender.kind == Kind::Ours)
    };
    let mut bars: Vec<_> = lines.map(bar).collect();
    bars.sort_by(|a, b| a.1.total_cmp(&b.1));
    bars
}
