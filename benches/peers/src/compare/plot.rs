//! Plots as SVG: lines over a logarithmic axis, and bars.

use std::fmt::Write as _;

const WIDTH: f64 = 760.0;
const LEFT: f64 = 80.0;
const TOP: f64 = 40.0;
const HEIGHT: f64 = 300.0;
const PLOT: f64 = 400.0;
const COLORS: [&str; 8] =
    ["#c0392b", "#2c6fbb", "#27854a", "#8e5bb5", "#c77f0a", "#148f9c", "#6b6b6b", "#b03a78"];

/// A name, and points.
pub type Series = (String, Vec<(f64, f64)>);

/// Lines; the horizontal axis is logarithmic and has a mark at each point, the vertical begins at 0.
pub fn lines(title: &str, across: &str, up: &str, series: &[Series]) -> String {
    let mut marks: Vec<_> =
        series.iter().flat_map(|(_, points)| points.iter().map(|p| p.0)).collect();
    marks.sort_by(f64::total_cmp);
    marks.dedup();
    let most = series.iter().flat_map(|(_, points)| points.iter().map(|p| p.1)).fold(0.0, f64::max);
    let (low, high) = (marks.first().copied().unwrap_or(1.0), marks.last().copied().unwrap_or(1.0));
    let span = (high / low).ln().max(f64::EPSILON);
    let x = |value: f64| LEFT + (value / low).ln() / span * PLOT;
    let top = nice(most);
    let y = |value: f64| TOP + HEIGHT - value / top * HEIGHT;
    let mut svg = open(title, TOP + HEIGHT + 60.0);
    axis(&mut svg, up, top);
    for mark in &marks {
        text(&mut svg, x(*mark), TOP + HEIGHT + 18.0, "middle", &short(*mark));
    }
    text(&mut svg, LEFT + PLOT / 2.0, TOP + HEIGHT + 40.0, "middle", across);
    for (index, (name, points)) in series.iter().enumerate() {
        let color = COLORS[index % COLORS.len()];
        let path: Vec<_> = points.iter().map(|p| format!("{:.1},{:.1}", x(p.0), y(p.1))).collect();
        let _ = writeln!(
            svg,
            r#"<polyline points="{}" fill="none" stroke="{color}" stroke-width="2"/>"#,
            path.join(" ")
        );
        for (a, b) in points {
            let _ = writeln!(
                svg,
                r#"<circle cx="{:.1}" cy="{:.1}" r="3" fill="{color}"/>"#,
                x(*a),
                y(*b)
            );
        }
        legend(&mut svg, index, color, name);
    }
    close(svg)
}

/// Bars, one below the other, each with its name and its figure.
pub fn bars(title: &str, up: &str, bars: &[(String, f64, bool)]) -> String {
    let most = bars.iter().map(|bar| bar.1).fold(0.0, f64::max).max(f64::EPSILON);
    let (left, step) = (330.0, 24.0);
    let mut svg = open(title, TOP + step * bars.len() as f64 + 40.0);
    for (index, (name, value, ours)) in bars.iter().enumerate() {
        let y = TOP + step * index as f64;
        let (width, color) = (value / most * 340.0, COLORS[usize::from(!ours)]);
        text(&mut svg, left - 8.0, y + 14.0, "end", name);
        let _ = writeln!(
            svg,
            r#"<rect x="{left}" y="{y}" width="{width:.1}" height="18" fill="{color}"/>"#
        );
        text(&mut svg, left + width + 6.0, y + 14.0, "start", &format!("{value:.2}"));
    }
    text(&mut svg, left, TOP + step * bars.len() as f64 + 20.0, "start", up);
    close(svg)
}

fn open(title: &str, height: f64) -> String {
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="#ffffff"/>
"##
    );
    let _ = writeln!(svg, r#"<text x="12" y="22" font-size="15">{}</text>"#, escaped(title));
    svg
}

fn close(mut svg: String) -> String {
    svg.push_str("</svg>\n");
    svg
}

fn axis(svg: &mut String, up: &str, top: f64) {
    for part in 0..=4 {
        let (value, y) =
            (top * f64::from(part) / 4.0, TOP + HEIGHT - HEIGHT * f64::from(part) / 4.0);
        let right = LEFT + PLOT;
        let _ = writeln!(
            svg,
            r##"<line x1="{LEFT}" y1="{y}" x2="{right}" y2="{y}" stroke="#dddddd"/>"##
        );
        text(svg, LEFT - 6.0, y + 4.0, "end", &short(value));
    }
    text(svg, LEFT, TOP - 6.0, "start", up);
}

fn legend(svg: &mut String, index: usize, color: &str, name: &str) {
    let (x, y) = (LEFT + PLOT + 20.0, TOP + 20.0 * index as f64);
    let _ = writeln!(svg, r#"<rect x="{x}" y="{y}" width="12" height="12" fill="{color}"/>"#);
    text(svg, x + 18.0, y + 11.0, "start", name);
}

fn text(svg: &mut String, x: f64, y: f64, anchor: &str, text: &str) {
    let text = escaped(text);
    let _ = writeln!(svg, r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{text}</text>"#);
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The next 1, 2, 2.5, 4, 5 or 8 times a power of ten.
fn nice(most: f64) -> f64 {
    let power = 10_f64.powf(most.max(f64::MIN_POSITIVE).log10().floor());
    let steps = [1.0, 2.0, 2.5, 4.0, 5.0, 8.0, 10.0];
    steps.into_iter().map(|step| step * power).find(|step| *step >= most).unwrap_or(most)
}

fn short(value: f64) -> String {
    match value {
        v if v >= 1e6 => format!("{:.3} M", v / 1e6).replace(".000", "").replace("00 M", " M"),
        v if v >= 1e3 => format!("{:.1} k", v / 1e3).replace(".0 ", " "),
        v if v.fract() == 0.0 => format!("{v:.0}"),
        v => format!("{v:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_ends_at_a_round_number_that_is_no_less() {
        let tops = [0.7, 1.0, 23.0, 4_001.0].map(|top| (nice(top) * 100.0).round() as u32);
        assert_eq!(tops, [80, 100, 2_500, 500_000]);
    }

    #[test]
    fn names_cannot_break_the_picture() {
        let svg = lines("a < b", "x", "y", &[("c & d".to_owned(), vec![(1.0, 2.0), (10.0, 3.0)])]);
        assert!(svg.contains("a &lt; b") && svg.contains("c &amp; d") && svg.ends_with("</svg>\n"));
    }
}
