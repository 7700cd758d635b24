//! `webcall turn-key add|list|remove`: works on the database alone, whether the server runs or not.

use std::fmt::Write as _;

use thiserror::Error;

use super::KeyName;
use crate::config::{Args, Config, ConfigError};
use crate::store::{AddedTurnKey, Store, StoreError};
use crate::time::Clock;

/// What to do with keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TurnKeyCommand {
    /// Make one.
    Add(KeyName),
    /// Say which there are.
    List,
    /// Make one useless.
    Remove(KeyName),
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

/// Does it; what is to be printed.
pub async fn run(args: &Args, command: &TurnKeyCommand) -> Result<String, TurnKeyError> {
    let config = Config::load(args, |name| std::env::var(name).ok())?;
    let store = Store::open(&config.database).await?;
    let outcome = match command {
        TurnKeyCommand::Add(name) => match super::add(&store, name, Clock::System.now()).await? {
            Ok(key) => Ok(key),
            Err(AddedTurnKey::NameTaken) => Err(TurnKeyError::NameTaken(name.as_str().to_owned())),
            Err(_) => Err(TurnKeyError::TooMany),
        },
        TurnKeyCommand::List => {
            let mut text = String::new();
            for key in store.turn_keys().await? {
                let date = key.created_at.as_millis() / 1000;
                writeln!(text, "{}\tmade at {date} (Unix seconds)", key.name).expect("a string takes everything");
            }
            Ok(text.trim_end().to_owned())
        }
        TurnKeyCommand::Remove(name) => match store.remove_turn_key(name.as_str()).await? {
            true => Ok(format!("{} is removed; what was given out for it lives until it expires", name.as_str())),
            false => Err(TurnKeyError::Unknown(name.as_str().to_owned())),
        },
    };
    store.close().await;
    outcome
}
