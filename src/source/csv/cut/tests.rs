use super::*;

fn plan(text: &str, format: &CsvFormat, line_end: LineEnd, limits: CutLimits) -> Vec<Bounds> {
    let mut bounds = Vec::new();
    let cutter = Cutter::new(format, line_end, limits, 0, 1);
    cut(&mut text.as_bytes(), cutter, &mut |batch| {
        bounds.push(batch);
        Ok(())
    })
    .unwrap();
    bounds
}

fn rows(text: &str, line_end: LineEnd) -> u64 {
    let limits = CutLimits::default();
    plan(text, &CsvFormat::new(), line_end, limits).iter().map(|bounds| bounds.rows).sum()
}

/// batch 3.6.5
#[test]
fn a_batch_is_closed_by_rows_or_by_bytes() {
    let format = CsvFormat::new();
    let text = "1,a\n2,b\n3,c\n4,d\n5,e";
    let by_rows = plan(text, &format, LineEnd::Newline, CutLimits::new(2, 1 << 20));
    let shape = |bounds: &Bounds| (bounds.start, bounds.end, bounds.first_row, bounds.rows);
    assert_eq!(
        by_rows.iter().map(shape).collect::<Vec<_>>(),
        [(0, 8, 1, 2), (8, 16, 3, 2), (16, 19, 5, 1)]
    );
    let by_bytes = plan(text, &format, LineEnd::Newline, CutLimits::new(100, 9));
    assert_eq!(by_bytes.iter().map(shape).collect::<Vec<_>>(), [(0, 12, 1, 3), (12, 19, 4, 2)]);
}

#[test]
fn every_batch_knows_its_number_its_line_and_its_checksum() {
    let text = "\"a\nb\",1\nc,2\nd,3\n";
    let batches = plan(text, &CsvFormat::new(), LineEnd::Newline, CutLimits::new(1, 1 << 20));
    let lines: Vec<_> = batches.iter().map(|bounds| (bounds.number, bounds.first_line)).collect();
    assert_eq!(lines, [(0, 1), (1, 3), (2, 4)]);
    for bounds in batches {
        let bytes = &text.as_bytes()[bounds.start as usize..bounds.end as usize];
        assert_eq!(bounds.checksum, crc32fast::hash(bytes));
    }
}

#[test]
fn line_ends_inside_quotes_end_nothing() {
    assert_eq!(rows("\"a\nb\",1\n2\n", LineEnd::Newline), 2);
    assert_eq!(rows("\"a\r\nb\",1\r\n2\r\n", LineEnd::ReturnNewline), 2);
    assert_eq!(rows("\"a\rb\",1\r2\r", LineEnd::Return), 2);
    assert_eq!(rows("a\"\n\"\"\n\"b\n", LineEnd::Newline), 1);
}

#[test]
fn an_escaped_quote_closes_nothing() {
    let format = CsvFormat::new().escape(b'\\');
    let rows = |text| plan(text, &format, LineEnd::Newline, CutLimits::default())[0].rows;
    assert_eq!(rows("\"a\\\"\nb\"\n"), 1);
    assert_eq!(rows("\"a\\\\\"\nb\n"), 2);
    assert_eq!(rows("a\\\"\nb\"\n"), 1);
}

#[test]
fn blank_lines_and_a_last_line_without_an_end_are_records() {
    assert_eq!(rows("\n\n", LineEnd::Newline), 2);
    assert_eq!(rows("a\n\nb", LineEnd::Newline), 3);
    assert_eq!(rows("", LineEnd::Newline), 0);
    assert_eq!(rows("a\r\rb\r", LineEnd::Return), 3);
}

#[test]
fn an_open_quote_at_the_end_is_refused_with_its_line() {
    let cutter = Cutter::new(&CsvFormat::new(), LineEnd::Newline, CutLimits::default(), 0, 1);
    let mut input = &b"a\n\"b\nc\"\n\"d\ne\n"[..];
    let error = cut(&mut input, cutter, &mut |_| Ok(())).unwrap_err();
    assert_eq!((error.kind(), error.place().line), (ErrorKind::Source, Some(4)));
}

#[test]
fn a_record_that_is_too_long_is_refused_before_its_end_is_found() {
    for text in ["1\n\"a\n234567890", "1\n\"a\n2345678\"\n3\n", "1\n234567890\n"] {
        let limits = CutLimits::new(0, 0);
        let mut cutter = Cutter::new(&CsvFormat::new(), LineEnd::Newline, limits, 0, 1);
        cutter.longest = 9;
        let mut rows = 0;
        let error = cut(&mut text.as_bytes(), cutter, &mut |bounds| {
            rows += bounds.rows;
            Ok(())
        })
        .unwrap_err();
        assert!(error.message().contains("longer"), "{error}");
        assert_eq!((rows, error.place().line), (1, Some(2)), "{text:?}");
    }
}

#[test]
fn a_stray_newline_ends_a_record_too() {
    assert_eq!(rows("a\r\nb\nc\r\n", LineEnd::ReturnNewline), 3);
    assert_eq!(rows("a\rb\nc\r", LineEnd::Return), 3);
}

#[test]
fn the_size_of_the_chunks_changes_nothing() {
    struct Trickle<'a>(&'a [u8], usize);
    impl Read for Trickle<'_> {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            let size = self.0.len().min(self.1);
            out[..size].copy_from_slice(&self.0[..size]);
            self.0 = &self.0[size..];
            Ok(size)
        }
    }
    let text = "\"a\\\"\n\",1\n\nb,\"\\\\\"\n\"c\\\\\\\"\n\"\n";
    let format = CsvFormat::new().escape(b'\\');
    let whole = plan(text, &format, LineEnd::Newline, CutLimits::new(2, 100));
    for size in 1..8 {
        let mut batches = Vec::new();
        let cutter = Cutter::new(&format, LineEnd::Newline, CutLimits::new(2, 100), 0, 1);
        cut(&mut Trickle(text.as_bytes(), size), cutter, &mut |bounds| {
            batches.push(bounds);
            Ok(())
        })
        .unwrap();
        assert_eq!(batches, whole);
    }
}
