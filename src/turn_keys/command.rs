//! `webcall turn-key add|list|remove`: works on the database alone, whether the server runs or not.

use std::ffi::OsString;

use thiserror::Error;

use super::KeyName;
use crate::config::{Args, Config, ConfigError};
use crate::store::{AddedTurnKey, Store, StoreError};
use crate::time::Clock;

/// What `webcall turn-key --help` prints.
const USAGE: &str = "\
webcall turn-key: keys with which other programs fetch credentials for this server's TURN relay

Usage: webcall turn-key add NAME [options]      makes one and prints it, this once
       webcall turn-key list [options]          which there are
       webcall turn-key remove NAME [options]   makes one useless

  --data DIR          the server's data folder (default ./data)
  --turn-config FILE  the server's turn.toml (default ./turn.toml when there is one)

A name has 1 to 32 of A-Z a-z 0-9 _ . -. The database is that of the server's environment. A program sends its key as
`Authorization: Bearer KEY` to POST /api/v1/turn-credentials.";

/// What to do with keys.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Task {
    Add(KeyName),
    List,
    Remove(KeyName),
    Help,
}

/// Why it was not done.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TurnKeyError {
    /// A setting is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is one of this name already.
    #[error("there is a key called {0} already")]
    NameTaken(String),
    /// There are as many as there may be.
    #[error("there are as many keys as there may be: remove one")]
    TooMany,
    /// There is none of this name.
    #[error("there is no key called {0}")]
    Unknown(String),
}

/// Carries out what the arguments after `turn-key` say; what is to be printed.
pub fn run(arguments: Vec<OsString>) -> Result<String, TurnKeyError> {
    let (task, args) = parse(arguments)?;
    if task == Task::Help {
        return Ok(USAGE.to_owned());
    }
    let config = Config::load(&args, |name| std::env::var(name).ok())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("the system lets threads start");
    runtime.block_on(async {
        let store = Store::open(&config.database).await?;
        let outcome = carry_out(&store, &task).await;
        store.close().await;
        outcome
    })
}

fn parse(arguments: Vec<OsString>) -> Result<(Task, Args), ConfigError> {
    let mut words = Vec::new();
    let (mut data, mut turn_config) = (None, None);
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let name = argument.to_str().unwrap_or_default().to_owned();
        let mut value = || arguments.next().ok_or_else(|| ConfigError::Argument(format!("{name} needs a value")));
        match name.as_str() {
            "--data" => data = Some(value()?.into()),
            "--turn-config" => turn_config = Some(value()?.into()),
            "--help" | "-h" => words = vec![name],
            _ => words.push(name),
        }
    }
    let key = |text: &str| {
        KeyName::parse(text).ok_or_else(|| ConfigError::Argument(format!("`{text}` is no name: 1 to 32 of A-Z a-z 0-9 _ . -")))
    };
    let task = match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["add", name] => Task::Add(key(name)?),
        ["list"] => Task::List,
        ["remove", name] => Task::Remove(key(name)?),
        ["--help" | "-h"] => Task::Help,
        _ => return Err(ConfigError::Argument("say `add NAME`, `list` or `remove NAME`".to_owned())),
    };
    Ok((task, Args::or_default(data, turn_config)))
}

async fn carry_out(store: &Store, task: &Task) -> Result<String, TurnKeyError> {
    match task {
        Task::Add(name) => match super::add(store, name, Clock::System.now()).await? {
            Ok(key) => Ok(key),
            Err(AddedTurnKey::NameTaken) => Err(TurnKeyError::NameTaken(name.as_str().to_owned())),
            Err(_) => Err(TurnKeyError::TooMany),
        },
        Task::List => {
            let keys = store.turn_keys().await?;
            Ok(keys.into_iter().map(|key| key.name).collect::<Vec<_>>().join("\n"))
        }
        Task::Remove(name) => match store.remove_turn_key(name.as_str()).await? {
            true => Ok(format!("{} is removed; what was given out for it lives until it expires", name.as_str())),
            false => Err(TurnKeyError::Unknown(name.as_str().to_owned())),
        },
        Task::Help => Ok(USAGE.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<(Task, Args), ConfigError> {
        parse(arguments.iter().map(OsString::from).collect())
    }

    #[test]
    fn what_to_do_is_read_with_its_options() {
        let (task, args) = read(&["add", "phones", "--data", "/d"]).unwrap();
        assert_eq!((task, args.data_dir), (Task::Add(KeyName::parse("phones").unwrap()), "/d".into()));
        assert_eq!(read(&["list"]).unwrap().0, Task::List);
        assert_eq!(read(&["add", "--help"]).unwrap().0, Task::Help);
        for wrong in [&[][..], &["add"], &["add", "a b"], &["drop", "a"], &["list", "--data"]] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }
}
