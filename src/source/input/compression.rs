//! How the bytes of an input are compressed.

#[cfg(feature = "compression")]
use super::compressed::Compressed;
use super::plain::Plain;
use super::raw::Raw;
use super::{Bytes, unreadable};
use crate::error::Result;
#[cfg(not(feature = "compression"))]
use crate::error::{Error, ErrorKind};
use std::io::Read;
use std::sync::Arc;

/// How the bytes of an input are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compression {
    /// As its first bytes say: the default.
    #[default]
    Auto,
    /// Not at all, whatever the first bytes look like.
    None,
    /// gzip, of one member or several.
    Gzip,
    /// Zstandard, of one frame or several.
    Zstd,
}

impl Compression {
    /// The compression of that name: `auto`, `none`, `gzip` or `zstd`.
    pub fn of_name(name: &str) -> Option<Self> {
        Some(match name {
            "auto" => Self::Auto,
            "none" => Self::None,
            "gzip" => Self::Gzip,
            "zstd" => Self::Zstd,
            _ => return None,
        })
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    /// What the first bytes of a file say: never [`Compression::Auto`].
    pub(super) fn of_bytes(start: &[u8]) -> Self {
        match start {
            // The third byte is the method, and there is only one.
            [0x1F, 0x8B, 8, ..] => Self::Gzip,
            // A frame with data, or one that is to be skipped and behind which such may follow.
            [0x28, 0xB5, 0x2F, 0xFD, ..] | [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..] => Self::Zstd,
            _ => Self::None,
        }
    }

    /// The compression of what is stored in `raw`: never [`Compression::Auto`].
    ///
    /// # Errors
    /// `Source` if it cannot be read.
    pub(super) fn found(self, raw: &Raw) -> Result<Self> {
        if self != Self::Auto {
            // It is opened all the same: a file that is not there is told now.
            raw.open()?;
            return Ok(self);
        }
        let mut start = Vec::new();
        raw.open()?.take(4).read_to_end(&mut start).map_err(unreadable)?;
        Ok(Self::of_bytes(&start))
    }

    /// The bytes of `raw`, decompressed.
    ///
    /// # Errors
    /// `Source` if it cannot be read; `Unsupported` without the feature `compression`.
    pub(super) fn open(self, raw: Raw) -> Result<Arc<dyn Bytes>> {
        match self.found(&raw)? {
            Self::None | Self::Auto => Ok(Arc::new(Plain::new(raw))),
            #[cfg(feature = "compression")]
            Self::Gzip => Ok(Arc::new(Compressed::gzip(raw))),
            #[cfg(feature = "compression")]
            Self::Zstd => Ok(Arc::new(Compressed::zstd(raw))),
            #[cfg(not(feature = "compression"))]
            found => Err(Error::new(
                ErrorKind::Unsupported,
                format!("the file is compressed with {}", found.name()),
            )
            .with_hint("build rowmill with the feature compression")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_say_how_a_file_is_compressed() {
        for (start, found) in [
            (&b"\x1F\x8B\x08\0"[..], Compression::Gzip),
            (b"\x1F\x8B\x00\0", Compression::None),
            (b"\x28\xB5\x2F\xFD", Compression::Zstd),
            (b"\x5F\x2A\x4D\x18", Compression::Zstd),
            (b"id,n", Compression::None),
            (b"", Compression::None),
            (b"\x1F", Compression::None),
        ] {
            assert_eq!(Compression::of_bytes(start), found, "{start:?}");
        }
    }

    #[test]
    fn every_compression_has_its_name() {
        for name in ["auto", "none", "gzip", "zstd"] {
            assert_eq!(Compression::of_name(name).unwrap().name(), name);
        }
        assert_eq!(Compression::of_name("gz"), None);
    }
}
