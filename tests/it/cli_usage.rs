//! What the command says and how it ends before it touches a source or a target.

use std::error::Error;
use std::io::Write;
use std::process::{Command, Output};

type Tested<T = ()> = Result<T, Box<dyn Error>>;

/// What was printed to standard output and standard error, and the exit code.
fn said(arguments: &[&str]) -> Tested<(String, String, Option<i32>)> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rowmill"));
    let output = command.args(arguments).env_remove("ROWMILL_TARGET").output()?;
    let Output { status, stdout, stderr } = output;
    Ok((String::from_utf8(stdout)?, String::from_utf8(stderr)?, status.code()))
}

fn job_file(text: &str) -> Tested<tempfile::TempPath> {
    let mut file = tempfile::Builder::new().suffix(".toml").tempfile()?;
    file.write_all(text.as_bytes())?;
    Ok(file.into_temp_path())
}

#[test]
fn help_and_version_go_to_standard_output_and_end_with_0() -> Tested {
    for arguments in [&["--help"][..], &["run", "--help"], &["--version"]] {
        let (out, error, code) = said(arguments)?;
        assert_eq!((error.as_str(), code), ("", Some(0)), "{arguments:?}");
        assert!(!out.is_empty());
    }
    Ok(())
}

#[test]
fn bad_usage_goes_to_standard_error_and_ends_with_2() -> Tested {
    for arguments in [
        &[][..],
        &["rum"],
        &["run"],
        &["run", "job.toml", "--workers", "0"],
        &["run", "job.toml", "-p", "night"],
        &["run", "no/such/job.toml"],
        &["status"],
        &["status", "-p", "night=1"],
        &["rejects"],
    ] {
        let (out, error, code) = said(arguments)?;
        assert_eq!((out.as_str(), code), ("", Some(2)), "{arguments:?}");
        assert!(!error.is_empty());
    }
    Ok(())
}

#[test]
fn an_error_in_the_job_file_is_one_line_without_the_url() -> Tested {
    let text = "name = \"a\"\n[source]\nkind = \"csv\"\npath = \"x.csv\"\n\
        [target]\nurl = \"postgresql://me:hunter2@db/x\"\ntabel = \"t\"\n\
        [columns]\nid = \"bigint\"\n";
    let file = job_file(text)?;
    let name = file.to_str().ok_or("a path of UTF-8")?;
    for command in ["run", "check", "status"] {
        let (out, error, code) = said(&[command, name])?;
        let line =
            format!("rowmill: {name}:7: [target] tabel: unknown key, did you mean \"table\"?\n");
        assert_eq!((out.as_str(), error, code), ("", line, Some(2)), "{command}");
    }
    Ok(())
}

#[test]
fn a_report_that_cannot_be_written_is_told_before_the_work() -> Tested {
    let text = "name = \"a\"\nsource = { kind = \"csv\", path = \"x.csv\" }\n\
        target = { url = \"sqlite::memory:\", table = \"t\", mode = \"append\" }\n\
        columns = { id = \"bigint\" }\n";
    let file = job_file(text)?;
    let name = file.to_str().ok_or("a path of UTF-8")?;
    let (_, error, code) = said(&["run", name, "--report", "no/such/folder/r.json"])?;
    assert!(error.starts_with("rowmill: the report no/such/folder/r.json cannot"), "{error}");
    assert_eq!((error.lines().count(), code), (1, Some(2)));
    Ok(())
}
