//! The command line: two options, two questions, and the other commands, which read the words after them by themselves.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::ConfigError;

/// What `--help` prints.
const HELP: &str = "\
WebCall: voice and video calls in the browser, from one binary

Usage: webcall [--data DIR] [--turn-config FILE]
       webcall check-config [options]       whether the settings can be used; with the options above
       webcall turn-key add|list|remove     keys with which other programs use the TURN server; see `webcall turn-key --help`
       webcall backup FILE                  the whole installation in one file, while the server runs; see `webcall backup --help`
       webcall restore FILE                 an installation from such a file
       webcall migrate-to postgres://…      from SQLite to PostgreSQL
       webcall doctor [options]             what keeps calls from working here; see `webcall doctor --help`
       webcall client-hashes                what the web client's files hash to, to be published and compared
       webcall bench SCENARIO [options]     what this machine can carry; see `webcall bench --help`

  --data DIR          folder of the database and the generated secrets (default ./data)
  --turn-config FILE  media network settings (default ./turn.toml when there is one)
  --help              this text
  --version           the version

The environment variables are described in README.md and .env.example.";

/// Where `turn.toml` is looked for without `--turn-config`.
const DEFAULT_TURN_CONFIG: &str = "turn.toml";

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// Serve.
    Serve(Args),
    /// Say whether the settings can be used.
    CheckConfig(Args),
    /// Make and remove keys for TURN.
    TurnKey {
        /// The words after `turn-key`.
        arguments: Vec<OsString>,
    },
    /// Measure.
    Bench {
        /// The words after `bench`.
        arguments: Vec<OsString>,
    },
    /// Look for what keeps calls from working.
    Doctor {
        /// The words after `doctor`.
        arguments: Vec<OsString>,
    },
    /// Save the installation.
    BackUp {
        /// The words after `backup`.
        arguments: Vec<OsString>,
    },
    /// Make an installation of what was saved.
    Restore {
        /// The words after `restore`.
        arguments: Vec<OsString>,
    },
    /// Move the installation's rows to the other database.
    MigrateTo {
        /// The words after `migrate-to`.
        arguments: Vec<OsString>,
    },
    /// Print a text and stop.
    Print(String),
}

/// What a command's words make of it.
type Words = fn(Vec<OsString>) -> Command;

/// Commands that read the words after theirs by themselves.
const OTHERS: [(&str, Words); 6] = [
    ("bench", |arguments| Command::Bench { arguments }),
    ("doctor", |arguments| Command::Doctor { arguments }),
    ("turn-key", |arguments| Command::TurnKey { arguments }),
    ("backup", |arguments| Command::BackUp { arguments }),
    ("restore", |arguments| Command::Restore { arguments }),
    ("migrate-to", |arguments| Command::MigrateTo { arguments }),
];

/// The options of `webcall`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Args {
    /// The data folder.
    pub data_dir: PathBuf,
    /// The media settings; `None` takes the defaults.
    pub turn_config: Option<PathBuf>,
}

impl Command {
    /// Reads the arguments after the program's name.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, ConfigError> {
        let mut arguments = arguments.into_iter().peekable();
        if let Some((_, command)) = arguments.peek().and_then(|first| OTHERS.iter().find(|(word, _)| first == word)) {
            return Ok(command(arguments.skip(1).collect()));
        }
        if arguments.next_if(|first| first == "client-hashes").is_some() {
            return match arguments.next() {
                None => Ok(Self::Print(client_hashes())),
                Some(argument) => Err(unknown(&argument)),
            };
        }
        let only_checks = arguments.next_if(|first| first == "check-config").is_some();
        let (mut data_dir, mut turn_config) = (None, None);
        while let Some(argument) = arguments.next() {
            let mut value =
                || arguments.next().ok_or_else(|| ConfigError::Argument(format!("{} needs a value", argument.display())));
            match argument.to_str() {
                Some("--data") => data_dir = Some(value()?.into()),
                Some("--turn-config") => turn_config = Some(value()?.into()),
                Some("--help" | "-h") => return Ok(Self::Print(HELP.to_owned())),
                Some("--version" | "-V") => return Ok(Self::Print(format!("webcall {}", env!("CARGO_PKG_VERSION")))),
                _ => return Err(unknown(&argument)),
            }
        }
        let args = Args::or_default(data_dir, turn_config);
        Ok(if only_checks { Self::CheckConfig(args) } else { Self::Serve(args) })
    }
}

fn unknown(argument: &OsStr) -> ConfigError {
    ConfigError::Argument(format!("unknown argument `{}`", argument.display()))
}

/// First what browsers show in their settings, then each file.
fn client_hashes() -> String {
    let files = webcall_assets::FILES.trim_end();
    format!(
        "webcall {}\ntree {}\nsha256 {}\n\n{files}",
        env!("CARGO_PKG_VERSION"),
        webcall_assets::TREE,
        webcall_assets::TREE_SHA256
    )
}

impl Args {
    /// The options as they were given, else `./data` and, when there is one, `./turn.toml`.
    pub fn or_default(data_dir: Option<PathBuf>, turn_config: Option<PathBuf>) -> Self {
        let found = || Path::new(DEFAULT_TURN_CONFIG).exists().then(|| DEFAULT_TURN_CONFIG.into());
        Self { data_dir: data_dir.unwrap_or_else(|| PathBuf::from("data")), turn_config: turn_config.or_else(found) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Command, ConfigError> {
        Command::parse(arguments.iter().map(OsString::from))
    }

    #[test]
    fn options_are_read() {
        let Ok(Command::Serve(args)) = parse(&["--data", "/d", "--turn-config", "/t"]) else { panic!("must serve") };
        assert_eq!(args, Args { data_dir: "/d".into(), turn_config: Some("/t".into()) });
    }

    #[test]
    fn what_follows_bench_is_left_to_it() {
        let Ok(Command::Bench { arguments }) = parse(&["bench", "fanout", "--data"]) else { panic!("must measure") };
        assert_eq!(arguments, ["fanout", "--data"]);
    }

    #[test]
    fn settings_are_checked_where_the_options_say() {
        let Ok(Command::CheckConfig(args)) = parse(&["check-config", "--turn-config", "/t"]) else { panic!("must check") };
        assert_eq!(args.turn_config, Some("/t".into()));
    }

    #[test]
    fn what_follows_doctor_is_left_to_it() {
        let Ok(Command::Doctor { arguments }) = parse(&["doctor", "--json"]) else { panic!("must examine") };
        assert_eq!(arguments, ["--json"]);
    }

    #[test]
    fn what_follows_backup_restore_and_migrate_to_is_left_to_them() {
        assert!(matches!(parse(&["backup", "f"]), Ok(Command::BackUp { arguments }) if arguments == ["f"]));
        assert!(matches!(parse(&["restore", "f"]), Ok(Command::Restore { arguments }) if arguments == ["f"]));
        assert!(matches!(parse(&["migrate-to", "f"]), Ok(Command::MigrateTo { arguments }) if arguments == ["f"]));
    }

    #[test]
    fn unknown_and_incomplete_arguments_are_refused_by_name() {
        assert!(parse(&["--port"]).unwrap_err().to_string().contains("unknown argument `--port`"));
        assert!(parse(&["--data"]).unwrap_err().to_string().contains("--data needs a value"));
    }

    #[test]
    fn the_hashes_of_the_client_name_its_tree_and_every_file() {
        let Ok(Command::Print(text)) = parse(&["client-hashes"]) else { panic!("must print") };
        let (head, files) = text.split_once("\n\n").unwrap();
        assert!(head.contains(&format!("tree {}\nsha256 {}", webcall_assets::TREE, webcall_assets::TREE_SHA256)), "{head}");
        assert!(webcall_assets::TREE_SHA256.starts_with(webcall_assets::TREE) && webcall_assets::TREE.len() == 20);
        let paths: Vec<&str> = files.lines().filter_map(|line| line.split_once("  ")).map(|(_, path)| path).collect();
        assert_eq!(paths.len(), webcall_assets::ASSETS.len(), "the page is in it, and the list itself is not");
        assert!(paths.contains(&"index.html") && paths.contains(&"e2ee/keys/crypto_bg.wasm") && !paths.contains(&"files.txt"));
        assert!(parse(&["client-hashes", "x"]).unwrap_err().to_string().contains("unknown argument `x`"));
    }

    #[test]
    fn help_and_version_are_printed() {
        assert_eq!(parse(&["--help"]).unwrap(), Command::Print(HELP.to_owned()));
        assert!(matches!(parse(&["--version"]).unwrap(), Command::Print(text) if text.starts_with("webcall ")));
    }
}
