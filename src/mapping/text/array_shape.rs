//! The dimensions of an array literal: what is written before it, and what its braces say.

use super::array::{MAX_DIMENSIONS, malformed};
use super::fault::{ARRAY_SUBSCRIPT, LIMIT_EXCEEDED, refused};
use crate::error::Result;

/// The dimensions of an array.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) dimensions: usize,
    pub(super) lengths: [i32; MAX_DIMENSIONS],
    pub(super) lower: [i32; MAX_DIMENSIONS],
}

impl Shape {
    /// The dimensions of a literal, and the literal from its first brace on.
    pub(super) fn of(text: &str) -> Result<(Self, &str)> {
        let mut shape =
            Self { dimensions: 0, lengths: [0; MAX_DIMENSIONS], lower: [1; MAX_DIMENSIONS] };
        let mut rest = text.trim_start_matches(is_blank);
        while let Some(tail) = rest.strip_prefix('[') {
            rest = shape.read_dimension(tail)?.trim_start_matches(is_blank);
        }
        if shape.dimensions > 0 {
            rest = rest.strip_prefix('=').ok_or_else(malformed)?.trim_start_matches(is_blank);
        }
        if !rest.starts_with('{') {
            return Err(malformed());
        }
        let (dimensions, lengths) = Braces::count(rest)?;
        if shape.dimensions == 0 {
            (shape.dimensions, shape.lengths) = (dimensions, lengths);
        } else if (shape.dimensions, shape.lengths) != (dimensions, lengths) {
            return Err(malformed());
        }
        shape.check_bounds()?;
        Ok((shape, rest))
    }

    /// How many elements there are.
    pub(super) fn items(&self) -> usize {
        match self.dimensions {
            0 => 0,
            dimensions => self.lengths[..dimensions]
                .iter()
                .fold(1_usize, |items, length| items.saturating_mul(*length as usize)),
        }
    }

    fn read_dimension<'a>(&mut self, text: &'a str) -> Result<&'a str> {
        if self.dimensions >= MAX_DIMENSIONS {
            return Err(limit());
        }
        let (first, mut rest) = bound(text)?;
        let (mut lower, mut upper) = (1, first);
        if let Some(tail) = rest.strip_prefix(':') {
            (upper, rest) = bound(tail)?;
            lower = first;
        }
        let rest = rest.strip_prefix(']').ok_or_else(malformed)?;
        if upper < lower {
            return Err(refused(ARRAY_SUBSCRIPT, "an upper bound below the lower one"));
        }
        self.lengths[self.dimensions] = upper.wrapping_sub(lower).wrapping_add(1);
        self.lower[self.dimensions] = lower;
        self.dimensions += 1;
        Ok(rest)
    }

    fn check_bounds(&self) -> Result<()> {
        // As many elements as PostgreSQL has room for in one array.
        if self.items() > 134_217_727 {
            return Err(limit());
        }
        for dimension in 0..self.dimensions {
            if self.lengths[dimension].checked_add(self.lower[dimension]).is_none() {
                return Err(limit());
            }
        }
        Ok(())
    }
}

pub(super) fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
}

fn limit() -> crate::error::Error {
    refused(LIMIT_EXCEEDED, "an array with more dimensions or elements than there can be")
}

/// A bound: C's `atoi` of all digits and signs that follow.
fn bound(text: &str) -> Result<(i32, &str)> {
    let end = text
        .find(|character: char| !character.is_ascii_digit() && !matches!(character, '+' | '-'))
        .unwrap_or(text.len());
    if end == 0 {
        return Err(malformed());
    }
    let (number, rest) = text.split_at(end);
    let signs = usize::from(number.starts_with(['+', '-']));
    let digits = number[signs..].find(['+', '-']).map_or(number.len(), |at| at + signs);
    let negative = number.starts_with('-');
    let value = number[signs..digits].bytes().fold(0_i64, |value, digit| {
        let digit = i64::from(digit - b'0');
        value.saturating_mul(10).saturating_add(if negative { -digit } else { digit })
    });
    Ok((value as i32, rest))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    NoLevel,
    LevelStarted,
    Element,
    Quoted,
    QuotedEnd,
    Delimited,
    LevelEnd,
    LevelDelimited,
}

/// Counts the elements of each level of braces: `ArrayCount`.
struct Braces {
    state: State,
    in_quotes: bool,
    empty: bool,
    level: usize,
    dimensions: usize,
    sums: [i32; MAX_DIMENSIONS],
    counts: [i32; MAX_DIMENSIONS],
    last_counts: [i32; MAX_DIMENSIONS],
}

impl Braces {
    fn count(text: &str) -> Result<(usize, [i32; MAX_DIMENSIONS])> {
        let mut braces = Self {
            state: State::NoLevel,
            in_quotes: false,
            empty: true,
            level: 0,
            dimensions: 1,
            sums: [0; MAX_DIMENSIONS],
            counts: [1; MAX_DIMENSIONS],
            last_counts: [0; MAX_DIMENSIONS],
        };
        let mut bytes = text.bytes();
        loop {
            if matches!(braces.state, State::Element | State::Quoted) {
                braces.empty = false;
            }
            match bytes.next().ok_or_else(malformed)? {
                b'\\' => {
                    braces.escape()?;
                    bytes.next().ok_or_else(malformed)?;
                }
                b'"' => braces.quote()?,
                _ if braces.in_quotes => {}
                b'{' => braces.open()?,
                b'}' if braces.close()? => break,
                b'}' => {}
                b',' => braces.delimiter()?,
                byte if is_blank(byte.into()) => {}
                _ => braces.plain()?,
            }
        }
        braces.sums[braces.dimensions - 1] += 1;
        if bytes.any(|byte| !is_blank(byte.into())) {
            return Err(malformed());
        }
        if braces.empty {
            return Ok((0, [0; MAX_DIMENSIONS]));
        }
        Ok((braces.dimensions, braces.sums))
    }

    fn expect(&self, states: &[State]) -> Result<()> {
        if states.contains(&self.state) { Ok(()) } else { Err(malformed()) }
    }

    fn escape(&mut self) -> Result<()> {
        self.expect(&[State::LevelStarted, State::Element, State::Quoted, State::Delimited])?;
        if self.state != State::Quoted {
            self.state = State::Element;
        }
        Ok(())
    }

    fn quote(&mut self) -> Result<()> {
        self.expect(&[State::LevelStarted, State::Quoted, State::Delimited])?;
        self.in_quotes = !self.in_quotes;
        self.state = if self.in_quotes { State::Quoted } else { State::QuotedEnd };
        Ok(())
    }

    fn plain(&mut self) -> Result<()> {
        self.expect(&[State::LevelStarted, State::Element, State::Delimited])?;
        self.state = State::Element;
        Ok(())
    }

    fn open(&mut self) -> Result<()> {
        self.expect(&[State::NoLevel, State::LevelStarted, State::LevelDelimited])?;
        self.state = State::LevelStarted;
        if self.level >= MAX_DIMENSIONS {
            return Err(limit());
        }
        self.sums[self.level] = 0;
        self.level += 1;
        self.dimensions = self.dimensions.max(self.level);
        Ok(())
    }

    /// Returns whether it was the last brace.
    fn close(&mut self) -> Result<bool> {
        if !(self.level == 1 && self.state == State::LevelStarted) {
            self.expect(&[State::Element, State::QuotedEnd, State::LevelEnd])?;
        }
        self.state = State::LevelEnd;
        self.level = self.level.checked_sub(1).ok_or_else(malformed)?;
        let (count, last) = (self.counts[self.level], self.last_counts[self.level]);
        if last != 0 && count != last {
            return Err(malformed());
        }
        self.last_counts[self.level] = count;
        self.counts[self.level] = 1;
        if let Some(outer) = self.level.checked_sub(1) {
            self.sums[outer] += 1;
        }
        Ok(self.level == 0)
    }

    fn delimiter(&mut self) -> Result<()> {
        self.expect(&[State::Element, State::QuotedEnd, State::LevelEnd])?;
        self.state =
            if self.state == State::LevelEnd { State::LevelDelimited } else { State::Delimited };
        let inner = self.level.checked_sub(1).ok_or_else(malformed)?;
        self.counts[inner] += 1;
        // What is between two delimiters counts for the innermost level.
        self.sums[self.dimensions - 1] += 1;
        Ok(())
    }
}
