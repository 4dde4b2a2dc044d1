//! Sizes, durations and shares as a person writes them.

use std::time::Duration;

/// `4MiB`, `64 KiB`, `1kB`, `512` (bytes).
pub(super) fn bytes(text: &str) -> Option<u64> {
    let (number, unit) = split(text)?;
    let factor: u64 = match unit {
        "" | "B" => 1,
        "kB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// `500ms`, `60s`, `5m` or `5min`, `2h`, `90d`.
pub(in crate::cli) fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = split(text)?;
    let factor: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor).map(Duration::from_millis)
}

/// `1%`, `0.5%`: a share between 0 and 1.
pub(super) fn share(text: &str) -> Option<f64> {
    let (number, unit) = split(text)?;
    let percent: f64 = number.parse().ok()?;
    (unit == "%" && (0.0..=100.0).contains(&percent)).then_some(percent / 100.0)
}

/// The number in front and the unit behind it; blanks may stand between them.
fn split(text: &str) -> Option<(&str, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    (end > 0).then(|| (&text[..end], text[end..].trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_in_both_systems() {
        assert_eq!(bytes("4MiB"), Some(4 << 20));
        assert_eq!(bytes(" 64 KiB "), Some(64 << 10));
        assert_eq!(bytes("2kB"), Some(2_000));
        assert_eq!(bytes("512"), Some(512));
        for wrong in ["", "MiB", "4 M", "4mib", "1.5MiB", "-1", "99999999999GiB"] {
            assert_eq!(bytes(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_duration_has_a_unit() {
        assert_eq!(duration("61s"), Some(Duration::from_secs(61)));
        assert_eq!(duration("500 ms"), Some(Duration::from_millis(500)));
        assert_eq!(duration("5m"), Some(Duration::from_mins(5)));
        assert_eq!(duration("2h"), Some(Duration::from_hours(2)));
        for wrong in ["", "60", "s", "1.5s", "5minutes", "99999999999999999h"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_share_is_at_most_the_whole() {
        assert_eq!(share("1%"), Some(0.01));
        assert_eq!(share("0.5 %"), Some(0.005));
        for wrong in ["", "1", "%", "101%", "1.2.3%"] {
            assert_eq!(share(wrong), None, "{wrong}");
        }
    }
}
