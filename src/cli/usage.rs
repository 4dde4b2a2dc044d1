//! What was typed wrongly, in one line.

use super::console::Console;
use super::exit::Exit;
use clap::error::ErrorKind;

/// Answers who asked for help or the version, or typed what is not understood.
pub(super) fn answer(said: &clap::Error, console: Console) -> Exit {
    match said.kind() {
        // Nothing can be told to a reader that went away.
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let _ = said.print();
            Exit::Complete
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = said.print();
            Exit::Usage
        }
        _ => {
            console.error(line(&said.render().to_string()));
            Exit::Usage
        }
    }
}

/// The sentence and the advice of what clap says on many lines, and where there is more.
fn line(said: &str) -> String {
    let paragraphs = said.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:"));
    let mut line = String::new();
    for part in paragraphs.filter(|part| !part.is_empty() && !part.starts_with("For more")) {
        let part = part.trim_start_matches("error: ");
        match part.strip_prefix("tip: ") {
            Some(tip) => line.extend([", ", tip]),
            None if line.is_empty() => line.push_str(part),
            None => line.extend([" ", part]),
        }
    }
    line + "; see --help"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_lines_become_one() {
        let said = "error: unexpected argument '--repotr' found\n\n  \
            tip: a similar argument exists: '--report'\n\nUsage: rowmill run <JOB.toml>\n\n\
            For more information, try '--help'.\n";
        let expected = "unexpected argument '--repotr' found, a similar argument exists: '--report'; see --help";
        assert_eq!(line(said), expected);
        let said = "error: the following required arguments were not provided:\n  <JOB.toml>\n\n\
            Usage: rowmill run <JOB.toml>\n";
        let expected = "the following required arguments were not provided: <JOB.toml>; see --help";
        assert_eq!(line(said), expected);
    }
}
