//! What ends a line.

/// What ends a line: the first end outside quotes decides for the whole file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineEnd {
    /// LF; also that of a file without any line end.
    Newline,
    /// CR LF
    ReturnNewline,
    /// CR
    Return,
}

impl LineEnd {
    /// The byte of which every line has one, inside quotes too.
    pub(super) fn counted(self) -> u8 {
        match self {
            Self::Newline | Self::ReturnNewline => b'\n',
            Self::Return => b'\r',
        }
    }

    /// What stands behind a line.
    pub(super) fn bytes(self) -> &'static [u8] {
        match self {
            Self::Newline => b"\n",
            Self::ReturnNewline => b"\r\n",
            Self::Return => b"\r",
        }
    }

    /// Whether a record that begins behind `before` begins behind a newline that is no line end of
    /// this file.
    pub(super) fn is_stray(self, before: &[u8]) -> bool {
        match self {
            Self::Newline => false,
            Self::ReturnNewline => before.ends_with(b"\n") && !before.ends_with(b"\r\n"),
            Self::Return => before.ends_with(b"\n"),
        }
    }
}
