//! Finding the messages in a stream of bytes, from header to header, without copying them.

/// The most that is wanted of a body: the text of a command's tag, a setting and its value.
const MOST: usize = 96;

/// All of a body is wanted, in the pieces in which it comes, after an empty one when it begins.
pub(crate) const PIECES: usize = usize::MAX;

/// Where in a message a stream is. It is given the bytes as they come, in pieces of any size.
#[derive(Debug)]
pub(crate) struct Frames {
    /// The first message of a client has no type.
    typed: bool,
    header: [u8; 5],
    /// How much of the header is there.
    filled: usize,
    /// How much of the body is still to come.
    body: usize,
    /// The beginning of a body that came in pieces, and how much of it is wanted.
    kept: Vec<u8>,
    wanted: usize,
    /// Whether the body that is still to come is of interest in pieces.
    in_pieces: bool,
}

impl Frames {
    /// The stream of a server.
    pub(crate) fn of_server() -> Self {
        let (header, kept) = ([0; 5], Vec::new());
        Self { typed: true, header, filled: 0, body: 0, kept, wanted: 0, in_pieces: false }
    }

    /// The stream of a client, whose first message has no type; it is given as 0.
    pub(crate) fn of_client() -> Self {
        // The type that is not there counts as read.
        Self { typed: false, filled: 1, ..Self::of_server() }
    }

    /// Whether it is between two messages.
    pub(crate) fn is_between(&self) -> bool {
        self.typed && self.filled == 0 && self.body == 0
    }

    /// Reads on. `wanted` says how much of the body of a message of some type is of interest,
    /// `None` for a message that is of none, [`PIECES`] for all; `each` gets the type and that beginning of each other,
    /// and how many of `bytes` lie behind it.
    pub(crate) fn feed(
        &mut self,
        mut bytes: &[u8],
        wanted: fn(u8) -> Option<usize>,
        each: &mut impl FnMut(u8, &[u8], usize),
    ) {
        while !bytes.is_empty() {
            bytes = if self.wanted > 0 {
                self.keep(bytes, each)
            } else if self.body > 0 {
                let skipped = self.body.min(bytes.len());
                self.body -= skipped;
                let (piece, rest) = bytes.split_at(skipped);
                if self.in_pieces {
                    each(self.header[0], piece, rest.len());
                }
                rest
            } else {
                self.read_header(bytes, wanted, each)
            };
        }
    }

    fn read_header<'a>(
        &mut self,
        bytes: &'a [u8],
        wanted: fn(u8) -> Option<usize>,
        each: &mut impl FnMut(u8, &[u8], usize),
    ) -> &'a [u8] {
        let taken = (5 - self.filled).min(bytes.len());
        let (head, rest) = bytes.split_at(taken);
        self.header[self.filled..self.filled + taken].copy_from_slice(head);
        self.filled += taken;
        if self.filled < 5 {
            return rest;
        }
        let [kind, length @ ..] = self.header;
        let kind = if self.typed { kind } else { 0 };
        (self.typed, self.filled) = (true, 0);
        // The length counts itself.
        self.body = (u32::from_be_bytes(length) as usize).saturating_sub(4);
        let wanted = wanted(kind);
        self.in_pieces = wanted == Some(PIECES);
        let wanted = match wanted {
            None => return rest,
            Some(PIECES) => 0,
            Some(wanted) => wanted,
        };
        let wanted = wanted.min(self.body).min(MOST);
        if wanted <= rest.len() {
            each(kind, &rest[..wanted], rest.len() - wanted);
        } else {
            self.kept.clear();
            self.wanted = wanted;
        }
        rest
    }

    /// Gathers the wanted beginning of a body that comes in pieces.
    fn keep<'a>(&mut self, bytes: &'a [u8], each: &mut impl FnMut(u8, &[u8], usize)) -> &'a [u8] {
        let taken = (self.wanted - self.kept.len()).min(bytes.len());
        let (head, rest) = bytes.split_at(taken);
        self.kept.extend_from_slice(head);
        self.body -= taken;
        if self.kept.len() == self.wanted {
            self.wanted = 0;
            each(self.header[0], &self.kept, rest.len());
        }
        rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(kind: u8) -> Option<usize> {
        match kind {
            b'Z' => Some(1),
            b'C' => Some(64),
            b'1' | 0 => Some(0),
            _ => None,
        }
    }

    fn stream() -> Vec<u8> {
        let mut stream = Vec::new();
        for (kind, body) in [
            (b'1', &b""[..]),
            (b'D', &[7; 300]),
            (b'C', b"INSERT 0 1\0"),
            (b'n', b""),
            (b'C', &[b'x'; 80]),
            (b'Z', b"T"),
        ] {
            stream.push(kind);
            stream.extend_from_slice(&(body.len() as u32 + 4).to_be_bytes());
            stream.extend_from_slice(body);
        }
        stream
    }

    fn found(frames: &mut Frames, pieces: &mut dyn Iterator<Item = &[u8]>) -> Vec<(u8, Vec<u8>)> {
        let mut found = Vec::new();
        for piece in pieces {
            frames.feed(piece, wanted, &mut |kind, body, _| found.push((kind, body.to_vec())));
        }
        found
    }

    #[test]
    fn messages_are_found_in_pieces_of_any_size() {
        let expected = vec![
            (b'1', Vec::new()),
            (b'C', b"INSERT 0 1\0".to_vec()),
            (b'C', vec![b'x'; 64]),
            (b'Z', b"T".to_vec()),
        ];
        let stream = stream();
        for size in 1..=stream.len() {
            let mut frames = Frames::of_server();
            assert_eq!(found(&mut frames, &mut stream.chunks(size)), expected, "{size}");
        }
    }

    #[test]
    fn a_body_that_is_wanted_in_pieces_comes_whole_and_in_its_place() {
        let stream = stream();
        for size in 1..=stream.len() {
            let (mut frames, mut bodies) = (Frames::of_server(), Vec::new());
            for piece in stream.chunks(size) {
                let wanted = |kind| (kind == b'D').then_some(PIECES);
                frames.feed(piece, wanted, &mut |kind, body, behind| {
                    let end = piece.len() - behind;
                    assert_eq!((kind, body), (b'D', &piece[end - body.len()..end]));
                    bodies.push(body.to_vec());
                });
            }
            assert_eq!((bodies[0].len(), bodies.concat()), (0, vec![7; 300]), "{size}");
        }
    }

    #[test]
    fn it_is_known_whether_a_stream_stands_between_two_messages() {
        let (stream, mut ends, mut at) = (stream(), vec![0], 0);
        while at < stream.len() {
            let length = u32::from_be_bytes(*stream[at + 1..].first_chunk().unwrap());
            at += 1 + length as usize;
            ends.push(at);
        }
        for end in 0..=stream.len() {
            let mut frames = Frames::of_server();
            frames.feed(&stream[..end], wanted, &mut |_, _, _| {});
            assert_eq!(frames.is_between(), ends.contains(&end), "{end}");
        }
        assert!(!Frames::of_client().is_between(), "nothing was said yet");
    }

    #[test]
    fn the_first_message_of_a_client_has_no_type() {
        let mut sent = 8_u32.to_be_bytes().to_vec();
        sent.extend_from_slice(b"ZZZZ");
        sent.extend_from_slice(&stream());
        for size in [1, 2, 3, 7, sent.len()] {
            let mut frames = Frames::of_client();
            let kinds: Vec<_> =
                found(&mut frames, &mut sent.chunks(size)).iter().map(|(kind, _)| *kind).collect();
            assert_eq!(kinds, [0, b'1', b'C', b'C', b'Z'], "{size}");
        }
    }
}
