//! Members of gzip and frames of zstd, one after the other, as one stream.

use super::raw::{Handle, Raw};
use super::unreadable;
use crate::error::Result;
use flate2::bufread::GzDecoder;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use zstd::stream::read::Decoder as ZstdDecoder;

/// How the bytes are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codec {
    Gzip,
    Zstd,
}

impl Codec {
    fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

/// Where a member or frame begins: reading can begin there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Point {
    /// The byte of what comes out.
    pub(super) out: u64,
    /// The byte of what is stored.
    pub(super) stored: u64,
}

/// Decompresses what is stored from a member or frame on, all of which are one stream.
pub(super) struct Decoder {
    codec: Codec,
    member: Member,
    /// How many bytes came out, those before the beginning included.
    out: u64,
    /// The beginnings of members that were passed, and that nobody has taken note of.
    pub(super) passed: Vec<Point>,
}

enum Member {
    Gzip(Box<GzDecoder<Counted>>),
    Zstd(Box<ZstdDecoder<'static, Counted>>),
    Between(Box<Counted>),
    /// Reading failed; it fails from now on.
    Broken,
}

impl Decoder {
    /// Begins with the first byte.
    ///
    /// # Errors
    /// `Source` if it cannot be opened.
    pub(super) fn open(codec: Codec, raw: &Raw) -> Result<Self> {
        Self::open_at(codec, raw, Point { out: 0, stored: 0 })
    }

    /// Begins with the member that begins at `point`.
    ///
    /// # Errors
    /// `Source` if it cannot be opened.
    pub(super) fn open_at(codec: Codec, raw: &Raw, point: Point) -> Result<Self> {
        let mut handle = raw.open()?;
        handle.seek(SeekFrom::Start(point.stored)).map_err(unreadable)?;
        let stored =
            Counted { input: BufReader::with_capacity(64 << 10, handle), at: point.stored };
        let member = Member::Between(Box::new(stored));
        Ok(Self { codec, member, out: point.out, passed: Vec::new() })
    }

    /// How many bytes came out, those before its beginning included.
    pub(super) fn out(&self) -> u64 {
        self.out
    }

    /// Begins the next member; `None` at the end.
    fn next(&mut self, mut stored: Box<Counted>) -> io::Result<Option<Member>> {
        let point = Point { out: self.out, stored: stored.at };
        if self.codec == Codec::Gzip && point.stored > 0 {
            // gzip files may be padded to the size of a block, and gzip(1) passes over that.
            skip_zeros(&mut stored)?;
        }
        if stored.fill_buf()?.is_empty() {
            // Nothing at all is no stream of gzip or zstd.
            return match stored.at {
                0 => Err(io::ErrorKind::UnexpectedEof.into()),
                _ => Ok(None),
            };
        }
        self.passed.push(point);
        Ok(Some(match self.codec {
            Codec::Gzip => Member::Gzip(Box::new(GzDecoder::new(*stored))),
            Codec::Zstd => {
                Member::Zstd(Box::new(ZstdDecoder::with_buffer(*stored)?.single_frame()))
            }
        }))
    }

    fn advance(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = match &mut self.member {
                Member::Gzip(member) => member.read(buffer)?,
                Member::Zstd(member) => member.read(buffer)?,
                Member::Between(_) => 0,
                Member::Broken => return Err(io::ErrorKind::InvalidData.into()),
            };
            if read > 0 {
                self.out += read as u64;
                return Ok(read);
            }
            let stored = match std::mem::replace(&mut self.member, Member::Broken) {
                Member::Gzip(member) => Box::new(member.into_inner()),
                Member::Zstd(member) => Box::new(member.finish()),
                Member::Between(stored) => stored,
                Member::Broken => return Err(io::ErrorKind::InvalidData.into()),
            };
            let at = stored.at;
            match self.next(stored) {
                Ok(Some(member)) => self.member = member,
                Ok(None) => return Ok(0),
                Err(why) => return Err(self.explained(&why, Some(at))),
            }
        }
    }

    /// The error with what is known of its place.
    fn explained(&self, why: &io::Error, at: Option<u64>) -> io::Error {
        let at = at.or_else(|| match &self.member {
            Member::Gzip(member) => Some(member.get_ref().at),
            Member::Zstd(member) => Some(member.get_ref().at),
            Member::Between(stored) => Some(stored.at),
            Member::Broken => None,
        });
        let name = self.codec.name();
        let what = match why.kind() {
            io::ErrorKind::UnexpectedEof => format!("the {name} stream ends too early"),
            _ => format!("the {name} stream is corrupt ({why})"),
        };
        let place = at.map_or(String::new(), |at| format!(" near byte {at} of the file,"));
        io::Error::new(why.kind(), format!("{what}{place} after {} bytes came out of it", self.out))
    }
}

impl Read for Decoder {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if matches!(self.member, Member::Broken) {
            // The end was reached, or an error was told.
            return Ok(0);
        }
        self.advance(buffer).map_err(|why| match why.get_ref() {
            Some(_) if matches!(self.member, Member::Broken) => why,
            _ => {
                let explained = self.explained(&why, None);
                self.member = Member::Broken;
                explained
            }
        })
    }
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder")
            .field("codec", &self.codec)
            .field("out", &self.out)
            .finish_non_exhaustive()
    }
}

fn skip_zeros(stored: &mut Counted) -> io::Result<()> {
    loop {
        let bytes = stored.fill_buf()?;
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        let all = bytes.len();
        stored.consume(zeros);
        if zeros < all || all == 0 {
            return Ok(());
        }
    }
}

/// What is stored, with the byte at which it is.
struct Counted {
    input: BufReader<Handle>,
    at: u64,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl BufRead for Counted {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.input.fill_buf()
    }

    fn consume(&mut self, size: usize) {
        self.input.consume(size);
        self.at += size as u64;
    }
}
