use super::*;
use clap::CommandFactory;
use clap::error::ErrorKind;

fn parse(line: &str) -> Result<Arguments, clap::Error> {
    Arguments::try_parse_from(line.split(' '))
}

#[test]
fn the_declarations_do_not_contradict_each_other() {
    Arguments::command().debug_assert();
}

#[test]
fn a_run_takes_everything_it_is_given() {
    let line = "rowmill run j.toml -p night=1 --param zone=a=b --target sqlite:x.db \
                --workers 3 --report r.json --quiet";
    let Command::Run(run) = parse(line).unwrap().command else { panic!("another command") };
    let owned = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(run.settings.params, [owned("night", "1"), owned("zone", "a=b")]);
    assert_eq!(run.settings.target.as_deref(), Some("sqlite:x.db"));
    assert_eq!(run.workers.map(NonZeroUsize::get), Some(3));
    assert_eq!((run.job, run.report), (PathBuf::from("j.toml"), Some(PathBuf::from("r.json"))));
    assert!(run.quiet);
}

#[test]
fn the_job_is_optional_where_one_only_looks() {
    for line in ["rowmill status", "rowmill rejects list", "rowmill status --target sqlite:x"] {
        assert!(parse(line).is_ok(), "{line}");
    }
}

#[test]
fn the_folder_of_migrations_stands_before_or_behind_what_is_done() {
    for (line, folders, looks) in [
        ("rowmill migrate", [None, None], false),
        ("rowmill migrate sql --target sqlite:x", [Some("sql"), None], false),
        ("rowmill migrate status", [None, None], true),
        ("rowmill migrate status sql --target sqlite:x", [None, Some("sql")], true),
        ("rowmill migrate sql --target sqlite:x status", [Some("sql"), None], true),
    ] {
        let Command::Migrate(migrate) = parse(line).unwrap().command else { panic!("{line}") };
        let (behind, found) = match migrate.look {
            Some(MigrateCommand::Status { folder }) => (folder, true),
            None => (None, false),
        };
        assert_eq!([migrate.folder, behind], folders.map(|name| name.map(PathBuf::from)));
        assert_eq!(found, looks, "{line}");
        assert_eq!(migrate.database.target.is_some(), line.contains("--target"), "{line}");
    }
}

#[test]
fn bad_usage_ends_with_2_and_help_with_0() {
    for line in [
        "rowmill",
        "rowmill rum",
        "rowmill run",
        "rowmill run j.toml -p night",
        "rowmill run j.toml -p =1",
        "rowmill run j.toml --workers 0",
        "rowmill run j.toml --echo --quiet",
        "rowmill rejects replay",
        "rowmill entity",
    ] {
        let error = parse(line).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{line}");
    }
    assert_eq!(parse("rowmill --help").unwrap_err().exit_code(), 0);
    assert_eq!(parse("rowmill --version").unwrap_err().kind(), ErrorKind::DisplayVersion);
}

#[test]
fn the_url_is_not_in_debug() {
    for words in ["check j.toml", "guess a.csv", "entity runways", "migrate status", "nodes"] {
        let line = format!("rowmill {words} --target postgresql://u:hunter2@h/d");
        let arguments = parse(&line).unwrap();
        assert!(!format!("{arguments:?}").contains("hunter2"));
    }
}
