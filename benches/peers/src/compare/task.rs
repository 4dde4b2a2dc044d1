//! What a contender is told, and what it answers.

use std::fmt;
use std::path::PathBuf;

/// One piece of work. It reaches a process as words of its command line.
#[derive(Clone, Debug, Default)]
pub struct Task {
    pub url: String,
    /// The second server, where there is one.
    pub other: String,
    pub rows: u64,
    pub connections: usize,
    pub batch: usize,
    pub callers: usize,
    pub seconds: f64,
    pub file: PathBuf,
}

impl Task {
    /// The words that [`Task::parse`] reads.
    pub fn words(&self) -> Vec<String> {
        let Self { url, other, rows, connections, batch, callers, seconds, file } = self;
        vec![
            url.clone(),
            other.clone(),
            rows.to_string(),
            connections.to_string(),
            batch.to_string(),
            callers.to_string(),
            seconds.to_string(),
            file.display().to_string(),
        ]
    }

    pub fn parse(words: &[String]) -> Option<Self> {
        let [url, other, rows, connections, batch, callers, seconds, file] = words else {
            return None;
        };
        Some(Self {
            url: url.clone(),
            other: other.clone(),
            rows: rows.parse().ok()?,
            connections: connections.parse().ok()?,
            batch: batch.parse().ok()?,
            callers: callers.parse().ok()?,
            seconds: seconds.parse().ok()?,
            file: file.into(),
        })
    }
}

/// What a contender says of its work; what it does not say is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Answer {
    /// From before the first connection to after the last one's work.
    pub seconds: f64,
    pub rows: u64,
    /// Of what was read.
    pub sum: u64,
    /// Turns in a second, and seconds of one, of the small statements.
    pub rate: f64,
    pub p50: f64,
    pub p99: f64,
    /// Processor time of the work, where it is not that of the whole process.
    pub client: f64,
}

impl Answer {
    pub fn parse(text: &str) -> Option<Self> {
        let line = text.lines().rev().find_map(|line| line.strip_prefix("answer "))?;
        let mut words = line.split(' ');
        let mut number = || words.next()?.parse::<f64>().ok();
        let (seconds, rate, p50, p99) = (number()?, number()?, number()?, number()?);
        let client = number()?;
        let mut whole = || words.next()?.parse::<u64>().ok();
        Some(Self { seconds, rate, p50, p99, client, rows: whole()?, sum: whole()? })
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seconds, rows, sum, rate, p50, p99, client } = self;
        write!(f, "answer {seconds} {rate} {p50} {p99} {client} {rows} {sum}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_among_other_lines() {
        let answer = Answer {
            seconds: 1.5,
            rows: 3,
            sum: u64::MAX,
            rate: 2.0,
            p50: 0.5,
            p99: 0.75,
            client: 0.0,
        };
        assert_eq!(Answer::parse(&format!("hello\n{answer}\nbye\n")), Some(answer));
        assert_eq!(Answer::parse("nothing"), None);
    }
}
