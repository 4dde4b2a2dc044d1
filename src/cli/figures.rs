//! Numbers as a person reads them.

/// `1_234_567` is `1,234,567`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `0.4 s`, `12.3 s`, `3 min 20 s`, `2 h 5 min`.
pub(super) fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        0..60 => format!("{seconds:.1} s"),
        60..3_600 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3_600, whole % 3_600 / 60),
    }
}

/// `512 B`, `1.5 MiB`.
pub(super) fn bytes(bytes: u64) -> String {
    let mut size = bytes as f64;
    let mut unit = "B";
    for larger in ["KiB", "MiB", "GiB", "TiB"] {
        if size < 1_024.0 {
            break;
        }
        size /= 1_024.0;
        unit = larger;
    }
    if unit == "B" { format!("{bytes} B") } else { format!("{size:.1} {unit}") }
}

/// `1 row`, `2 rows`.
pub(super) fn counted(number: u64, thing: &str, things: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { thing } else { things })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        for (number, text) in
            [(0, "0"), (999, "999"), (1_000, "1,000"), (47_213, "47,213"), (1_234_567, "1,234,567")]
        {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn durations_and_sizes_have_the_unit_that_fits() {
        for (seconds, text) in
            [(0.04, "0.0 s"), (12.34, "12.3 s"), (59.99, "1 min 0 s"), (7_500.0, "2 h 5 min")]
        {
            assert_eq!(duration(seconds), text);
        }
        for (size, text) in
            [(0, "0 B"), (1_023, "1023 B"), (1_536, "1.5 KiB"), (4 << 20, "4.0 MiB")]
        {
            assert_eq!(bytes(size), text);
        }
        assert_eq!(counted(1, "row", "rows"), "1 row");
        assert_eq!(counted(0, "row", "rows"), "0 rows");
    }
}
