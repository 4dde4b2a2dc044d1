//! Who reads a compressed input, and where they are.

use super::decoder::{Codec, Decoder, Point};
use super::raw::Raw;
use super::unreadable;
use crate::error::Result;
use std::collections::VecDeque;
use std::io::{self, Read};
use std::ops::Range;

/// So many decompressors stay open: one that goes forward, and those that look back.
const MOST_CURSORS: usize = 3;

/// Of what was passed over to reach a batch so much is kept: another worker is about to ask for it.
const KEPT_BYTES: u64 = 16 << 20;

/// All that is kept.
const ALL_KEPT_BYTES: usize = 64 << 20;

/// What a batch may ask for before its first byte.
const TAIL_BYTES: usize = 16;

/// A beginning of a member is noted if it is so far behind the last one.
const POINT_BYTES: u64 = 1 << 20;

/// The decompressors of one input, what they passed over, and where they can begin.
#[derive(Debug, Default)]
pub(super) struct Cursors {
    /// The one that was used last stands last.
    open: Vec<Cursor>,
    kept: VecDeque<Kept>,
    points: Vec<Point>,
}

#[derive(Debug)]
struct Cursor {
    decoder: Decoder,
    /// The last bytes that came out.
    tail: Vec<u8>,
}

/// Bytes that nobody has asked for yet.
#[derive(Debug)]
struct Kept {
    start: u64,
    bytes: Vec<u8>,
}

impl Kept {
    fn get(&self, range: &Range<u64>) -> Option<&[u8]> {
        let start = usize::try_from(range.start.checked_sub(self.start)?).ok()?;
        let end = usize::try_from(range.end.checked_sub(self.start)?).ok()?;
        self.bytes.get(start..end)
    }
}

impl Cursors {
    /// Takes note of the beginnings of members that a decoder passed.
    pub(super) fn learn(&mut self, decoder: &mut Decoder) {
        for point in decoder.passed.drain(..) {
            let last = self.points.last().map_or(0, |last| last.out);
            if point.out >= last + POINT_BYTES {
                self.points.push(point);
            }
        }
    }

    /// Appends the bytes of `range` to `buffer`: fewer where the input ends before.
    ///
    /// # Errors
    /// `Source` if it cannot be read.
    pub(super) fn read(
        &mut self,
        codec: Codec,
        raw: &Raw,
        range: Range<u64>,
        buffer: &mut Vec<u8>,
    ) -> Result<()> {
        if self.take_kept(&range, buffer) {
            return Ok(());
        }
        let mut cursor = self.cursor_for(codec, raw, range.start)?;
        let reached = self.forward(&mut cursor, range.start).and_then(|()| {
            let before = (cursor.decoder.out().saturating_sub(range.start)) as usize;
            // A batch that ends within the tail is smaller than what stands before it.
            let tail = &cursor.tail[cursor.tail.len().saturating_sub(before)..];
            let wanted = (range.end - range.start) as usize;
            buffer.extend_from_slice(&tail[..tail.len().min(wanted)]);
            let rest = range.end.saturating_sub(cursor.decoder.out());
            cursor.append(rest, buffer)
        });
        self.learn(&mut cursor.decoder);
        // One that failed is not used again.
        reached.map_err(unreadable)?;
        self.open.push(cursor);
        Ok(())
    }

    fn take_kept(&mut self, range: &Range<u64>, buffer: &mut Vec<u8>) -> bool {
        let Some(place) = self.kept.iter().position(|kept| kept.get(range).is_some()) else {
            return false;
        };
        let Some(mut kept) = self.kept.remove(place) else { return false };
        buffer.extend_from_slice(kept.get(range).unwrap_or_default());
        // What stands before is kept for who reads the batch before, and the few last bytes for
        // who reads the one behind.
        let end = (range.end - kept.start) as usize;
        let behind = end.saturating_sub(TAIL_BYTES);
        if kept.bytes.len() > end {
            let rest = kept.bytes[behind..].to_vec();
            self.kept.push_back(Kept { start: kept.start + behind as u64, bytes: rest });
        }
        let before = (range.start - kept.start) as usize;
        if before > TAIL_BYTES {
            kept.bytes.truncate(before + TAIL_BYTES.min(kept.bytes.len() - before));
            self.kept.push_back(kept);
        }
        true
    }

    /// The one that is nearest before `start`; a new one, if a member begins nearer, or if all of
    /// them are past it.
    fn cursor_for(&mut self, codec: Codec, raw: &Raw, start: u64) -> Result<Cursor> {
        let nearest = (0..self.open.len())
            .filter(|place| self.open[*place].reaches(start))
            .max_by_key(|place| self.open[*place].decoder.out());
        let behind = self.points.partition_point(|point| point.out <= start);
        let point = behind.checked_sub(1).map(|place| self.points[place]);
        let point = point.unwrap_or(Point { out: 0, stored: 0 });
        if let Some(place) = nearest {
            let cursor = self.open.remove(place);
            if cursor.decoder.out() + KEPT_BYTES >= point.out {
                return Ok(cursor);
            }
        }
        if self.open.len() >= MOST_CURSORS {
            self.open.remove(0);
        }
        let decoder = Decoder::open_at(codec, raw, point)?;
        Ok(Cursor { decoder, tail: Vec::new() })
    }

    /// Goes to `start`, and keeps the last of what is passed over.
    fn forward(&mut self, cursor: &mut Cursor, start: u64) -> io::Result<()> {
        let gap = start.saturating_sub(cursor.decoder.out());
        if gap == 0 {
            return Ok(());
        }
        cursor.skip(gap.saturating_sub(KEPT_BYTES))?;
        let tail = cursor.tail.clone();
        let mut kept = Kept { start: cursor.decoder.out() - tail.len() as u64, bytes: tail };
        cursor.append(start.saturating_sub(cursor.decoder.out()), &mut kept.bytes)?;
        self.kept.push_back(kept);
        let mut all: usize = self.kept.iter().map(|kept| kept.bytes.len()).sum();
        while all > ALL_KEPT_BYTES {
            all -= self.kept.pop_front().map_or(all, |kept| kept.bytes.len());
        }
        Ok(())
    }
}

impl Cursor {
    /// Whether it can still hand out what begins at `start`.
    fn reaches(&self, start: u64) -> bool {
        self.decoder.out() <= start + self.tail.len() as u64
    }

    /// Appends so many bytes to `buffer`: fewer at the end.
    fn append(&mut self, size: u64, buffer: &mut Vec<u8>) -> io::Result<()> {
        let start = buffer.len();
        // A plan of another file must not ask for more memory than what comes out.
        buffer.reserve(size.min(KEPT_BYTES) as usize);
        (&mut self.decoder).take(size).read_to_end(buffer)?;
        let last = buffer.len() - (buffer.len() - start).min(TAIL_BYTES);
        self.tail.extend_from_slice(&buffer[last..]);
        let excess = self.tail.len().saturating_sub(TAIL_BYTES);
        self.tail.drain(..excess);
        Ok(())
    }

    fn skip(&mut self, size: u64) -> io::Result<()> {
        let mut buffer = Vec::new();
        let mut left = size;
        while left > 0 {
            buffer.clear();
            self.append(left.min(256 << 10), &mut buffer)?;
            if buffer.is_empty() {
                break;
            }
            left -= buffer.len() as u64;
        }
        Ok(())
    }
}
