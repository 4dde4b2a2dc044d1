//! A stream that arrives in any pieces, as tuples.

use super::scan::{Found, Scan, broken};
use super::{HEADER, SIGNATURE};
use crate::error::Result;
use crate::mapping::rows::Fields;

/// Decodes a stream, piece after piece.
///
/// A tuple that lies in one piece is handed out where it lies; only one that is cut by the end of
/// a piece is copied. Memory: one tuple.
///
/// ```
/// use rowmill::{Rows, copy::{decode::Decoder, encode::encode}};
/// let mut rows = Rows::new(1);
/// let mut row = rows.begin();
/// row.field(b"x")?;
/// row.finish()?;
///
/// let mut decoder = Decoder::new(1);
/// for piece in encode(&rows).chunks(5) {
///     decoder.push(piece, &mut |mut fields| {
///         assert_eq!(fields.next(), Some(Some(&b"x"[..])));
///         Ok(())
///     })?;
/// }
/// assert_eq!(decoder.finish()?, 1);
/// # Ok::<(), rowmill::Error>(())
/// ```
pub struct Decoder {
    fields: u16,
    phase: Phase,
    /// What has arrived of a header or a tuple that is not complete.
    pending: Vec<u8>,
    scan: Scan,
    tuples: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Header,
    /// So many bytes of the header's extension are still to come; nobody reads them.
    Extension(usize),
    Tuples,
    Complete,
    Failed,
}

impl Decoder {
    /// Decodes tuples of `fields` fields.
    pub fn new(fields: u16) -> Self {
        Self { fields, phase: Phase::Header, pending: Vec::new(), scan: Scan::default(), tuples: 0 }
    }

    /// Takes the next piece and hands each tuple that it completes to `each`.
    ///
    /// # Errors
    /// `Decode` if it is no such stream; what `each` returns. The decoder is of no use then.
    pub fn push(
        &mut self,
        piece: &[u8],
        each: &mut impl FnMut(Fields<'_>) -> Result<()>,
    ) -> Result<()> {
        let outcome = self.take(piece, each);
        if outcome.is_err() {
            self.phase = Phase::Failed;
        }
        outcome
    }

    /// Ends the stream and returns how many tuples it had.
    ///
    /// # Errors
    /// `Decode` if the stream has not come to its end.
    pub fn finish(self) -> Result<u64> {
        match self.phase {
            Phase::Complete => Ok(self.tuples),
            Phase::Failed => Err(broken("a COPY stream could not be decoded")),
            _ => Err(broken("a COPY stream was cut off before its end")),
        }
    }

    fn take(
        &mut self,
        piece: &[u8],
        each: &mut impl FnMut(Fields<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut rest = piece;
        loop {
            match self.phase {
                Phase::Header => {
                    if !self.header(&mut rest)? {
                        return Ok(());
                    }
                }
                Phase::Extension(left) => {
                    let Some(behind) = rest.get(left..) else {
                        self.phase = Phase::Extension(left - rest.len());
                        return Ok(());
                    };
                    rest = behind;
                    self.phase = Phase::Tuples;
                }
                Phase::Tuples => {
                    self.pending_tuple(&mut rest, each)?;
                    if self.pending.is_empty() && self.phase == Phase::Tuples {
                        self.whole_tuples(&mut rest, each)?;
                    }
                    if self.phase == Phase::Tuples {
                        return Ok(());
                    }
                }
                Phase::Complete if rest.is_empty() => return Ok(()),
                Phase::Complete => return Err(broken("a COPY stream goes on behind its end")),
                Phase::Failed => return Err(broken("a COPY stream could not be decoded")),
            }
        }
    }

    /// Reads the header; `false` if it has not arrived.
    fn header(&mut self, rest: &mut &[u8]) -> Result<bool> {
        self.fill_pending(rest, HEADER.len());
        let Some((header, _)) = self.pending.split_first_chunk::<{ HEADER.len() }>() else {
            return Ok(false);
        };
        let Some(words) = header.strip_prefix(&SIGNATURE) else {
            return Err(broken("bytes that are no COPY stream in the binary format"));
        };
        let (words, _) = words.as_chunks::<4>();
        let [flags, extension] = words else {
            return Err(broken("bytes that are no COPY stream in the binary format"));
        };
        // The upper half says that the tuples are to be read differently, in a way not known here.
        if u32::from_be_bytes(*flags) >> 16 != 0 {
            return Err(broken("a COPY stream has flags that are not known"));
        }
        let extension = usize::try_from(i32::from_be_bytes(*extension))
            .map_err(|_| broken("a COPY stream has a header of negative length"))?;
        self.pending.clear();
        self.phase = Phase::Extension(extension);
        Ok(true)
    }

    /// Completes the tuple of which a part has arrived, with as little of the piece as it takes.
    fn pending_tuple(
        &mut self,
        rest: &mut &[u8],
        each: &mut impl FnMut(Fields<'_>) -> Result<()>,
    ) -> Result<()> {
        while !self.pending.is_empty() {
            match self.scan.go_on(&self.pending, self.fields)? {
                Found::Tuple { end } => {
                    let fields = self.pending.get(2..end).unwrap_or_default();
                    self.tuples += 1;
                    each(Fields::of_tuple(fields))?;
                    self.pending.clear();
                    self.scan = Scan::default();
                }
                Found::Trailer => {
                    self.pending.clear();
                    self.phase = Phase::Complete;
                }
                Found::Part { .. } if rest.is_empty() => return Ok(()),
                Found::Part { needed } => self.fill_pending(rest, needed),
            }
        }
        Ok(())
    }

    /// Hands out the tuples that lie in the piece, and keeps what is left at its end.
    fn whole_tuples(
        &mut self,
        rest: &mut &[u8],
        each: &mut impl FnMut(Fields<'_>) -> Result<()>,
    ) -> Result<()> {
        while !rest.is_empty() {
            match self.scan.go_on(rest, self.fields)? {
                Found::Tuple { end } => {
                    let (tuple, behind) = rest.split_at_checked(end).unwrap_or((rest, &[]));
                    *rest = behind;
                    self.tuples += 1;
                    self.scan = Scan::default();
                    each(Fields::of_tuple(tuple.get(2..).unwrap_or_default()))?;
                }
                Found::Trailer => {
                    *rest = rest.get(2..).unwrap_or_default();
                    self.phase = Phase::Complete;
                    return Ok(());
                }
                // The scan goes on where it stopped: no byte is looked at twice.
                Found::Part { .. } => self.fill_pending(rest, usize::MAX),
            }
        }
        Ok(())
    }

    /// Moves bytes of the piece until `needed` are pending, or the piece is used up.
    fn fill_pending(&mut self, rest: &mut &[u8], needed: usize) {
        let missing = needed.saturating_sub(self.pending.len()).min(rest.len());
        if let Some((part, behind)) = rest.split_at_checked(missing) {
            self.pending.extend_from_slice(part);
            *rest = behind;
        }
    }
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // What is pending are values of a row.
        write!(
            f,
            "Decoder({:?}, {} tuples, {} bytes pending)",
            self.phase,
            self.tuples,
            self.pending.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::copy::encode::encode;
    use crate::error::{Error, ErrorKind};
    use crate::mapping::rows::Rows;
    use proptest::collection::vec;
    use proptest::prelude::*;

    type Table = Vec<Vec<Option<Vec<u8>>>>;

    fn packed(table: &Table) -> Rows {
        let mut rows = Rows::new(3);
        for row in table {
            let mut writer = rows.begin();
            for field in row {
                match field {
                    Some(bytes) => writer.field(bytes).unwrap(),
                    None => writer.null(),
                }
            }
            writer.finish().unwrap();
        }
        rows
    }

    fn decoded<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<Table> {
        let mut table = Table::new();
        let mut decoder = Decoder::new(3);
        for piece in pieces {
            decoder.push(piece, &mut |fields| {
                table.push(fields.map(|field| field.map(<[u8]>::to_vec)).collect());
                Ok(())
            })?;
        }
        assert_eq!(decoder.finish()?, table.len() as u64);
        Ok(table)
    }

    /// The stream, cut at every one of `cuts` that lies within.
    fn cut<'a>(stream: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
        let mut rest = stream;
        let mut pieces = Vec::new();
        for size in cuts {
            let (piece, behind) = rest.split_at(*size.min(&rest.len()));
            pieces.push(piece);
            rest = behind;
        }
        pieces.push(rest);
        pieces
    }

    fn tables() -> impl Strategy<Value = Table> {
        vec(vec(proptest::option::of(vec(any::<u8>(), 0..20)), 3), 0..20)
    }

    proptest! {
        #[test]
        fn what_was_encoded_is_decoded_however_it_is_cut(table in tables(), cuts in vec(0..40_usize, 0..60)) {
            let stream = encode(&packed(&table));
            prop_assert_eq!(&decoded(cut(&stream, &cuts)).unwrap(), &table);
            prop_assert_eq!(&decoded(stream.chunks(1)).unwrap(), &table);
        }

        #[test]
        fn a_stream_that_was_cut_off_is_never_complete(table in tables(), at: proptest::sample::Index) {
            let stream = encode(&packed(&table));
            let shorter = &stream[..at.index(stream.len())];
            prop_assert!(decoded([shorter]).is_err());
        }

        #[test]
        fn any_bytes_are_decoded_or_refused(bytes in vec(any::<u8>(), 0..200), size in 1..50_usize) {
            let stream = [&HEADER[..], &bytes].concat();
            let _ = decoded(stream.chunks(size));
            let _ = decoded(bytes.chunks(size));
        }
    }

    #[test]
    fn a_tuple_that_lies_in_one_piece_is_not_copied() {
        let stream = encode(&packed(&vec![vec![Some(b"here".to_vec()), None, None]]));
        let within = stream.as_ptr_range();
        Decoder::new(3)
            .push(&stream, &mut |mut fields| {
                assert!(within.contains(&fields.next().unwrap().unwrap().as_ptr()));
                Ok(())
            })
            .unwrap();
    }

    #[test]
    fn the_extension_of_the_header_is_passed_over() {
        let mut stream = encode(&packed(&vec![vec![None, None, None]]));
        stream[18] = 3;
        stream.splice(19..19, *b"ext");
        assert_eq!(decoded(stream.chunks(4)).unwrap().len(), 1);
    }

    #[test]
    fn unknown_flags_are_refused_where_they_matter() {
        let with_flag = |index: usize| {
            let mut stream = encode(&packed(&Table::new()));
            stream[index] = 1;
            decoded([&stream[..]])
        };
        assert!(with_flag(11).is_err() && with_flag(12).is_err());
        assert!(with_flag(13).is_ok() && with_flag(14).is_ok());
    }

    #[test]
    fn lengths_that_no_field_has_are_refused_before_anything_is_kept() {
        for length in [-2_i32, i32::MIN, i32::MAX] {
            let stream = [&HEADER[..], &[0, 3], &length.to_be_bytes()].concat();
            assert_eq!(decoded([&stream[..]]).unwrap_err().kind(), ErrorKind::Decode);
        }
    }

    #[test]
    fn bytes_behind_the_trailer_are_refused() {
        let mut stream = encode(&packed(&Table::new()));
        stream.push(0);
        assert!(decoded([&stream[..]]).is_err());
    }

    #[test]
    fn an_error_of_the_reader_ends_the_stream() {
        let stream = encode(&packed(&vec![vec![None, None, None]]));
        let mut decoder = Decoder::new(3);
        let refuse = Error::new(ErrorKind::Stopped, "enough");
        let mut refuse = Some(refuse);
        assert!(decoder.push(&stream, &mut |_| Err(refuse.take().unwrap())).is_err());
        assert!(decoder.push(&[], &mut |_| Ok(())).is_err());
        assert!(decoder.finish().is_err());
    }
}
