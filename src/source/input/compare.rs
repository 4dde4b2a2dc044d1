//! What an input has become since it was planned.

use super::Parts;
use crate::error::Result;
use crate::source::bounds::Bounds;

impl Parts {
    /// Says how a file differs from what it was when it was cut into `planned`; nothing where there
    /// are several, or it is compressed.
    ///
    /// # Errors
    /// `Source` if it cannot be read.
    pub(in crate::source) fn compare(&self, planned: &[Bounds]) -> Result<Option<String>> {
        let [only] = self.inputs() else { return Ok(None) };
        let Some(size) = self.locate(0, only.size())? else { return Ok(None) };
        let Some(last) = planned.last() else { return Ok(Some("it had no rows".to_owned())) };
        let mut changed = Vec::new();
        for bounds in planned {
            // What lies behind the end is missing, and not changed.
            if bounds.end <= size && !self.is_unchanged(bounds)? {
                changed.push(bounds);
            }
        }
        Ok(Some(told(planned, &changed, last.end, size)))
    }
}

fn told(planned: &[Bounds], changed: &[&Bounds], before: u64, now: u64) -> String {
    let ends = match (now.checked_sub(before), before - now.min(before)) {
        (Some(0), _) => String::new(),
        (Some(more), _) => format!("{more} bytes were appended"),
        (None, less) => format!("{less} bytes are missing at its end"),
    };
    let inside = changed.first().map(|first| {
        let last = changed.last().unwrap_or(first);
        let behind = planned.iter().find(|bounds| bounds.start >= last.end);
        let to =
            behind.map_or("its end".to_owned(), |next| format!("line {}", next.first_line - 1));
        let how = if ends.is_empty() { "other rows, or another order" } else { "other rows" };
        format!(
            "{} of {} batches have {how}, between line {} and {to}",
            changed.len(),
            planned.len(),
            first.first_line
        )
    });
    match (inside, ends.as_str()) {
        (Some(inside), "") => inside,
        (Some(inside), ends) => format!("{inside}, and {ends}"),
        (None, "") => "its rows are the same, how they are to be read is not".to_owned(),
        (None, ends) => format!("{ends}, the rest is as it was"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_appended_replaced_or_lost_is_told_with_its_lines() {
        let bounds = |number: u32| {
            let mut bounds = Bounds::of_rows(number, 1 + u64::from(number) * 10, 10);
            (bounds.start, bounds.end) = (u64::from(number) * 100, u64::from(number) * 100 + 100);
            bounds.first_line = 2 + u64::from(number) * 10;
            bounds
        };
        let planned = [bounds(0), bounds(1), bounds(2)];
        let one = [&planned[1]];
        assert_eq!(told(&planned, &[], 300, 310), "10 bytes were appended, the rest is as it was");
        assert_eq!(
            told(&planned, &[], 300, 290),
            "10 bytes are missing at its end, the rest is as it was"
        );
        assert_eq!(
            told(&planned, &one, 300, 300),
            "1 of 3 batches have other rows, or another order, between line 12 and line 21"
        );
        let all = [&planned[0], &planned[1], &planned[2]];
        assert_eq!(
            told(&planned, &all, 300, 301),
            "3 of 3 batches have other rows, between line 2 and its end, and 1 bytes were appended"
        );
        assert!(told(&planned, &[], 300, 300).contains("how they are to be read"));
    }
}
