//! What is measured, and how often.

use super::constants::ROWS_OF_SCALE;
use super::work::Work;

/// The command line.
#[derive(Clone, Debug)]
pub struct Options {
    /// Rows of `lineitem`.
    pub rows: u64,
    /// Rows that are upserted.
    pub items: u64,
    pub rounds: usize,
    /// How long each of the small statements is measured.
    pub seconds: f64,
    /// How many seconds a turn may take with `rows`: who needs longer is left out, with the reason.
    pub limit: f64,
    /// The pieces of work; empty means all of them.
    pub only: Vec<Work>,
    /// Whether the grid of pool sizes and batch sizes, and the growing data, are measured.
    pub grid: bool,
    pub scaling: bool,
    /// Where the results go.
    pub folder: std::path::PathBuf,
    pub quick: bool,
}

pub const USAGE: &str = "benches/compare [--quick] [--scale FACTOR] [--rounds N] [--only NAME,...] \
    [--limit SECONDS] [--scaling] [--out FOLDER]
  --quick         small data and few rounds: under five minutes
  --scale FACTOR  of TPC-H's lineitem, 6,000,000 rows: 0.2 by default, 0.02 with --quick
  --rounds N      how often each contender has its turn: 5 by default, 2 with --quick
  --limit SECONDS how long a turn may take, 120 by default, 30 with --quick: who needs longer is killed
                  and left out, with the reason
  --only NAME,... load, file, read, upsert, upsert-new, look-up, transaction, copy, bad, sleep,
                  grid (pool and batch sizes), scaling (1, 3 and 10 times the data)
  --scaling       the same as --only scaling
  --out FOLDER    where RESULTS.md and its plots are written: benches by default
  --check         every contender once with little data, only to see that all agree; writes nothing";

impl Options {
    pub fn parse(words: &[String]) -> Result<Self, String> {
        let mut options = Self::full();
        if words.iter().any(|word| word == "--quick") {
            options = Self {
                rows: rows_of(0.02),
                items: 20_000,
                rounds: 2,
                seconds: 0.25,
                limit: 30.0,
                quick: true,
                ..options
            };
        }
        let mut words = words.iter().map(String::as_str);
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{word} needs a value"));
            match word {
                "--quick" => {}
                "--scale" => options.scale(rows_of(number(word, value()?)?)),
                "--rounds" => options.rounds = number::<usize>(word, value()?)?.max(1),
                "--limit" => options.limit = number(word, value()?)?,
                "--only" => options.choose(value()?)?,
                "--scaling" => options.choose("scaling")?,
                "--out" => options.folder = value()?.into(),
                _ => return Err(format!("{word}: unknown\n{USAGE}")),
            }
        }
        Ok(options)
    }

    fn full() -> Self {
        Self {
            rows: rows_of(0.2),
            items: 200_000,
            rounds: 5,
            seconds: 1.0,
            limit: 120.0,
            only: Vec::new(),
            grid: true,
            scaling: true,
            folder: "..".into(),
            quick: false,
        }
    }

    /// Takes so many rows; more of them have more time.
    fn scale(&mut self, rows: u64) {
        (self.limit, self.rows) = (self.limit_of(rows), rows);
    }

    fn choose(&mut self, names: &str) -> Result<(), String> {
        (self.grid, self.scaling) = (false, false);
        for name in names.split(',') {
            match (name, Work::named(name)) {
                ("grid", _) => self.grid = true,
                ("scaling", _) => self.scaling = true,
                (_, Some(work)) => self.only.push(work),
                _ => return Err(format!("--only {name}: unknown\n{USAGE}")),
            }
        }
        Ok(())
    }

    /// How many seconds a turn with so many rows may take.
    pub fn limit_of(&self, rows: u64) -> f64 {
        self.limit * (rows as f64 / self.rows as f64).max(1.0)
    }

    pub fn wants(&self, work: Work) -> bool {
        let all = self.only.is_empty() && self.grid && self.scaling;
        all || self.only.contains(&work)
    }

    pub fn is_whole(&self) -> bool {
        self.only.is_empty() && self.grid && self.scaling
    }
}

fn rows_of(scale: f64) -> u64 {
    // A whole number of orders, so that every part of the keys has all of its lines.
    (scale * ROWS_OF_SCALE / 400.0).ceil() as u64 * 400
}

fn number<T: std::str::FromStr>(word: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("{word} {value}: not a number"))
}
