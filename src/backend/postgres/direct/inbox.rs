//! What came from the server, cut into messages, without copying them.

use super::broken;
use crate::error::Result;
use std::io;
use std::ops::Range;

/// The room that there is as long as nothing came that needs more.
const LEAST: usize = 16 * 1024;

/// Where much comes, as much as this is asked for at once.
const USUAL: usize = 64 * 1024;

/// The type of a message and its length.
const HEADER: usize = 5;

/// No string that the server builds is longer.
const LONGEST: usize = 1 << 30;

/// What is longer than this can only be one of the [long](is_long) messages.
const SHORT: usize = 30_000;

/// What came and was not read yet.
pub(super) struct Inbox {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

/// A message that is there as a whole. It stays where it is until more is asked for.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) kind: u8,
    body: Range<usize>,
}

impl Default for Inbox {
    fn default() -> Self {
        Self { buffer: vec![0; LEAST], start: 0, end: 0 }
    }
}

impl Inbox {
    /// The next message, which is then read; `None` if it is not all there.
    pub(super) fn next(&mut self) -> Result<Option<Message>> {
        let there = &self.buffer[self.start..self.end];
        let Some((header, rest)) = there.split_first_chunk::<HEADER>() else { return Ok(None) };
        let length = length(*header)?;
        if rest.len() < length {
            return Ok(None);
        }
        let start = self.start + HEADER;
        self.start = start + length;
        Ok(Some(Message { kind: header[0], body: start..start + length }))
    }

    /// The body of the next message, which is then read, if it is of this type and all there. Whatever else there
    /// is stays for [`next`](Self::next).
    #[inline]
    pub(super) fn next_of(&mut self, kind: u8) -> Option<&[u8]> {
        let (header, rest) = self.buffer[self.start..self.end].split_first_chunk::<HEADER>()?;
        let [found, length @ ..] = *header;
        let length = (u32::from_be_bytes(length) as usize).checked_sub(4)?;
        let body = rest.get(..length).filter(|_| found == kind)?;
        self.start += HEADER + length;
        Some(body)
    }

    /// The type of the next message, if that much is there.
    pub(super) fn peek(&self) -> Option<u8> {
        self.buffer[self.start..self.end].first().copied()
    }

    /// The body of the message that was read last; nothing if it went with its room.
    pub(super) fn body(&self, message: &Message) -> &[u8] {
        self.buffer.get(message.body.clone()).unwrap_or_default()
    }

    /// Gets more by `read`, which gets the room that there is and says how much of it it used.
    pub(super) fn fill(
        &mut self,
        read: impl FnOnce(&mut [u8]) -> io::Result<usize>,
    ) -> io::Result<usize> {
        self.make_room();
        let count = read(&mut self.buffer[self.end..])?;
        self.end += count;
        if self.end == self.buffer.len() && self.end < USUAL {
            self.buffer.resize(2 * self.end, 0);
        }
        Ok(count)
    }

    /// Room grows with what came, never with what is announced.
    fn make_room(&mut self) {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.start > 0 && self.buffer.len() - self.end < LEAST / 2 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.buffer.len() - self.end < LEAST / 2 {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
    }

    /// What nobody has read, to be read by others; the room for a large message goes.
    pub(super) fn empty(&mut self, leave: impl FnOnce(&[u8])) {
        if self.start < self.end {
            leave(&self.buffer[self.start..self.end]);
        }
        (self.start, self.end) = (0, 0);
        if self.buffer.len() > LEAST {
            *self = Self::default();
        }
    }
}

/// The length of the body; an error for what no server sends.
fn length([kind, length @ ..]: [u8; HEADER]) -> Result<usize> {
    let length = u32::from_be_bytes(length) as usize;
    let is_known = b"RKZCDENASTtn123sIGHWdcVv".contains(&kind);
    // The length counts itself.
    match length.checked_sub(4) {
        Some(body) if is_known && body <= LONGEST && (body <= SHORT || is_long(kind)) => Ok(body),
        _ => Err(broken("what came is no message of a server")),
    }
}

/// Rows, data, descriptions and texts.
fn is_long(kind: u8) -> bool {
    b"DdTtVENAS".contains(&kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = body.len() as u32 + 4;
        [&[kind][..], &length.to_be_bytes(), body].concat()
    }

    fn take(inbox: &mut Inbox, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let filled = inbox.fill(|room| {
                let count = room.len().min(rest.len());
                room[..count].copy_from_slice(&rest[..count]);
                Ok(count)
            });
            rest = &rest[filled.unwrap()..];
        }
    }

    fn drain(inbox: &mut Inbox, found: &mut Vec<(u8, Vec<u8>)>) {
        while let Some(message) = inbox.next().unwrap() {
            found.push((message.kind, inbox.body(&message).to_vec()));
        }
    }

    #[test]
    fn messages_are_found_in_pieces_of_any_size() {
        let stream = [message(b'2', b""), message(b'D', &[7; 300]), message(b'Z', b"I")].concat();
        for size in 1..=stream.len() {
            let (mut inbox, mut found) = (Inbox::default(), Vec::new());
            for piece in stream.chunks(size) {
                take(&mut inbox, piece);
                drain(&mut inbox, &mut found);
            }
            let expected = [(b'2', vec![]), (b'D', vec![7; 300]), (b'Z', b"I".to_vec())];
            assert_eq!(found, expected, "{size}");
        }
    }

    #[test]
    fn a_message_is_taken_by_its_type_once_it_is_there() {
        let stream = [message(b'D', &[7; 300]), message(b'D', b""), message(b'C', b"x")].concat();
        for size in 1..=stream.len() {
            let (mut inbox, mut found) = (Inbox::default(), Vec::new());
            for piece in stream.chunks(size) {
                take(&mut inbox, piece);
                while let Some(body) = inbox.next_of(b'D') {
                    found.push(body.to_vec());
                }
            }
            assert_eq!(found, [vec![7; 300], vec![]], "{size}");
            assert_eq!(inbox.next().unwrap().map(|message| message.kind), Some(b'C'), "{size}");
        }
        let mut inbox = Inbox::default();
        take(&mut inbox, &[b'D', 0, 0, 0, 3]);
        assert!(inbox.next_of(b'D').is_none() && inbox.next().is_err());
    }

    #[test]
    fn room_grows_with_what_came_and_goes_again() {
        let mut inbox = Inbox::default();
        let mut announced = vec![b'D'];
        announced.extend_from_slice(&(1_u32 << 29).to_be_bytes());
        take(&mut inbox, &announced);
        assert!(inbox.next().unwrap().is_none());
        assert_eq!(inbox.buffer.len(), LEAST);
        inbox.empty(|left| assert_eq!(left, announced));

        let large = vec![9; 10 * USUAL];
        take(&mut inbox, &message(b'D', &large));
        let row = inbox.next().unwrap().unwrap();
        assert_eq!(inbox.body(&row), large);
        assert!(inbox.buffer.len() <= 32 * USUAL);
        inbox.empty(|_| panic!("nothing was left"));
        assert_eq!(inbox.buffer.len(), LEAST);
    }

    #[test]
    fn what_no_server_sends_is_an_error() {
        for header in [
            [b'D', 0, 0, 0, 3],
            [b'D', 0x7f, 0xff, 0xff, 0xff],
            [b'D', 0xff, 0xff, 0xff, 0xff],
            [b'Z', 0, 1, 0, 0],
            [b'H', b'T', b'T', b'P', b'/'],
            [0, 0, 0, 0, 4],
        ] {
            let mut inbox = Inbox::default();
            take(&mut inbox, &header);
            let error = inbox.next().unwrap_err();
            assert_eq!(error.sqlstate().unwrap().code(), "08006", "{header:?}");
        }
    }
}
