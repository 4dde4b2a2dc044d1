//! The list of planted mistakes (`tests/planted.txt`) fits the sources, so that `tests/planted` can
//! build them: what is to be replaced is there once, and the tests that have to notice are there.
//! And every experiment has a negative control: a planted mistake, the naive baseline, or a part of
//! the test itself.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// A mistake: the texts that it replaces, each with its file, and who notices it.
#[derive(Debug, Default)]
struct Mistake {
    name: String,
    control_of: String,
    edits: Vec<(String, String)>,
    red: Vec<String>,
}

fn read() -> Vec<Mistake> {
    let mut mistakes: Vec<Mistake> = Vec::new();
    let (mut file, mut in_was) = (String::new(), false);
    for line in text_of("tests/planted.txt").lines() {
        if let Some(name) = line.strip_prefix('[') {
            let name = name.trim_end_matches(']').to_owned();
            mistakes.push(Mistake { name, ..Mistake::default() });
        } else if let Some(more) = line.strip_prefix('|') {
            if in_was {
                let was = &mut mistakes.last_mut().unwrap().edits.last_mut().unwrap().1;
                *was = format!("{was}\n{more}");
            }
        } else if let Some((word, value)) = line.split_once(": ").filter(|_| !line.starts_with('#'))
        {
            let mistake = mistakes.last_mut().unwrap();
            in_was = word == "was";
            match word {
                "file" => value.clone_into(&mut file),
                "was" => mistake.edits.push((file.clone(), value.to_owned())),
                "red" => mistake.red.push(value.trim_start_matches("full ").to_owned()),
                "control of" => value.clone_into(&mut mistake.control_of),
                "what" | "now" => {}
                other => panic!("{}: {other}", mistake.name),
            }
        }
    }
    mistakes
}

fn text_of(path: impl AsRef<Path>) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Whether there is a test with this full name: in the file of its module, or in its `mod.rs`.
fn is_test(name: &str) -> bool {
    let (module, function) = name.rsplit_once("::").unwrap();
    let module =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it").join(module.replace("::", "/"));
    let files = [module.with_extension("rs"), module.join("mod.rs")];
    let text: String = files.iter().filter_map(|path| fs::read_to_string(path).ok()).collect();
    text.contains(&format!("#[test]\nfn {function}("))
}

#[test]
fn the_list_of_planted_mistakes_fits_the_sources() {
    let mistakes = read();
    assert!(mistakes.len() > 20, "{}", mistakes.len());
    for Mistake { name, control_of, edits, red } in mistakes {
        assert!(!edits.is_empty() && !red.is_empty() && !control_of.is_empty(), "{name}");
        for (file, was) in edits {
            assert_eq!(text_of(&file).matches(&was).count(), 1, "{name}: in {file}: {was}");
        }
        for test in red {
            assert!(is_test(&test), "{name}: there is no test {test}");
        }
    }
}

/// The experiments with a load or a pool that must be told from one that is broken.
const EXPERIMENTS: &str = "F1 F2 F3 F4 F5 F6 F7 F8 F9 F10 F11 F12 F13 F16 F17 F19 F21 F28 F29 F30 F31 \
    F33 F34 F35 F43 F44 F45 F46 F47 F51 F52 F53 F54 F57 F58 F59 F61 F62 F63 F64 F65 F66";

/// Those whose control is a part of the test: one who sends again what was lost, one who does not
/// try a transaction again, the naive baseline in a process of its own.
const WITHIN: [&str; 5] = ["F19", "F33", "F34", "F64", "F66"];

#[test]
fn every_experiment_has_a_negative_control() {
    let sources = super::sources();
    let mut controlled: BTreeSet<String> = WITHIN.iter().map(ToString::to_string).collect();
    for mistake in read() {
        let words = mistake.control_of.split([' ', ',']).map(str::to_owned);
        controlled.extend(words.filter(|word| super::is_numbered(word, "F")));
    }
    for (_, text) in &sources {
        for told in ["tell_apart(\"", "tell_apart_at_length(\""] {
            let named = text.split(told).skip(1).filter_map(|rest| rest.split('"').next());
            controlled.extend(named.flat_map(|name| name.split('-')).map(str::to_owned));
        }
    }
    let missing: Vec<_> =
        EXPERIMENTS.split_whitespace().filter(|name| !controlled.contains(*name)).collect();
    assert!(missing.is_empty(), "no negative control: {missing:?}");
}
