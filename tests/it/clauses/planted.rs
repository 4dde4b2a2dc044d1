//! The list of planted mistakes (`tests/planted.txt`) fits the sources, so that `tests/planted` can
//! build them: what is to be replaced is there once, and the tests that have to notice are there.

use std::fs;
use std::path::Path;

/// A mistake: the texts that it replaces, each with its file, and who notices it.
#[derive(Debug, Default)]
struct Mistake {
    name: String,
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
                "what" | "control of" | "now" => {}
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
    for Mistake { name, edits, red } in mistakes {
        assert!(!edits.is_empty() && !red.is_empty(), "{name}");
        for (file, was) in edits {
            assert_eq!(text_of(&file).matches(&was).count(), 1, "{name}: in {file}: {was}");
        }
        for test in red {
            assert!(is_test(&test), "{name}: there is no test {test}");
        }
    }
}
