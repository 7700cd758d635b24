//! Keys and secrets: taken from the environment, else generated once into the data folder, readable by the server's user only.
//! In production those that the environment must hold are refused when missing or weak.

use std::fmt;
use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use ring::rand::{SecureRandom, SystemRandom};

use super::environment::Variables;
use super::{ConfigError, Environment};

/// A text that must not be seen: its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text. Never log it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// Keys and secrets of the server.
#[derive(Clone, Debug)]
pub struct Secrets {
    /// Signs access tokens; from it the key of refresh tokens is derived. Changing it signs everybody out.
    pub jwt: Secret,
    /// What somebody must know to register.
    pub registration: Secret,
    /// Mixed into every password before hashing. Losing it makes every password wrong.
    pub password_pepper: Secret,
    /// Of the credentials with which the TURN server is used: the first signs, all verify. One at least.
    pub turn: Vec<Secret>,
    /// Signs the heads of the log of what users publish. Clients remember the key that follows from it.
    pub log_key: Secret,
    /// What a dashboard must send to read `/metrics`.
    pub metrics_token: Option<Secret>,
}

/// What happens to a secret that is drawn because there is none.
#[derive(Clone, Copy)]
pub(super) enum Missing {
    /// It is kept in the data folder.
    Generate,
    /// It is good for this process only; nothing is written.
    Forget,
}

/// One secret that the server needs.
struct Kind {
    variable: &'static str,
    file: &'static str,
    min_len: usize,
    random_bytes: usize,
    /// Whether production takes it only from the environment.
    in_production: Source,
}

enum Source {
    MustBeGiven,
    MayBeGenerated,
}

const JWT: Kind =
    Kind { variable: "JWT_SECRET", file: "jwt_secret", min_len: 32, random_bytes: 32, in_production: Source::MustBeGiven };
const REGISTRATION: Kind = Kind {
    variable: "REGISTRATION_SECRET",
    file: "registration_secret",
    min_len: 16,
    random_bytes: 16,
    in_production: Source::MustBeGiven,
};
const TURN: Kind =
    Kind { variable: "TURN_SECRET", file: "turn_secret", min_len: 16, random_bytes: 16, in_production: Source::MayBeGenerated };
const PEPPER: Kind = Kind {
    variable: "PASSWORD_PEPPER",
    file: "password_pepper",
    min_len: 32,
    random_bytes: 32,
    in_production: Source::MayBeGenerated,
};
const LOG_KEY: Kind =
    Kind { variable: "LOG_KEY", file: "log_key", min_len: 32, random_bytes: 32, in_production: Source::MayBeGenerated };
/// A secret with fewer different characters was typed, not drawn.
const MIN_DIFFERENT_CHARACTERS: usize = 8;
/// One that signs, and one that is being replaced.
const MAX_LIVE_SECRETS: usize = 2;
/// Beginnings and parts of texts that stand in example files.
const PLACEHOLDERS: [&str; 6] = ["change", "replace", "example", "password", "secret", "your-"];

impl Secrets {
    pub(super) fn load(
        variables: &Variables<'_>,
        environment: Environment,
        folder: (&Path, Missing),
    ) -> Result<Self, ConfigError> {
        let production = environment == Environment::Production;
        let metrics_token = variables.text("METRICS_TOKEN").map(Secret::new);
        if let Some(token) = metrics_token.as_ref().filter(|_| production) {
            refuse_weak("METRICS_TOKEN", token, REGISTRATION.min_len)?;
        }
        let take = |kind: &Kind| match environment {
            Environment::Production => take_strict(kind, variables, folder),
            Environment::Development => take_lenient(kind, variables, folder),
        };
        Ok(Self {
            jwt: take(&JWT)?,
            registration: take(&REGISTRATION)?,
            password_pepper: take(&PEPPER)?,
            turn: live(&TURN, &take(&TURN)?, production)?,
            log_key: take(&LOG_KEY)?,
            metrics_token,
        })
    }

    /// The secrets of TURN as the media core takes them.
    pub(super) fn turn_secrets(&self) -> Vec<webcall_media::turn::Secret> {
        self.turn.iter().map(|secret| webcall_media::turn::Secret::new(secret.expose())).collect()
    }
}

/// The secrets of a text that holds several while one takes the place of another, separated by commas, white space or lines.
fn live(kind: &Kind, text: &Secret, production: bool) -> Result<Vec<Secret>, ConfigError> {
    let separators = |character: char| character == ',' || character.is_whitespace();
    let secrets: Vec<Secret> = text.expose().split(separators).filter(|part| !part.is_empty()).map(Secret::new).collect();
    if secrets.is_empty() || secrets.len() > MAX_LIVE_SECRETS {
        let problem = format!("must hold from 1 to {MAX_LIVE_SECRETS} secrets");
        return Err(ConfigError::SecretWeak { name: kind.variable, problem });
    }
    if production {
        secrets.iter().try_for_each(|secret| refuse_weak(kind.variable, secret, kind.min_len))?;
    }
    Ok(secrets)
}

fn take_strict(kind: &Kind, variables: &Variables<'_>, folder: (&Path, Missing)) -> Result<Secret, ConfigError> {
    match (variables.text(kind.variable), &kind.in_production) {
        (Some(text), _) => {
            let secret = Secret::new(text);
            refuse_weak(kind.variable, &secret, kind.min_len)?;
            Ok(secret)
        }
        (None, Source::MustBeGiven) => Err(ConfigError::SecretMissing { name: kind.variable, min_len: kind.min_len }),
        (None, Source::MayBeGenerated) => read_or_generate(kind, folder),
    }
}

fn take_lenient(kind: &Kind, variables: &Variables<'_>, folder: (&Path, Missing)) -> Result<Secret, ConfigError> {
    match variables.text(kind.variable) {
        Some(text) => Ok(Secret::new(text)),
        None => read_or_generate(kind, folder),
    }
}

fn refuse_weak(name: &'static str, secret: &Secret, min_len: usize) -> Result<(), ConfigError> {
    match weakness(secret.expose(), min_len) {
        Some(problem) => Err(ConfigError::SecretWeak { name, problem }),
        None => Ok(()),
    }
}

/// What is weak about a secret, if anything.
fn weakness(text: &str, min_len: usize) -> Option<String> {
    if text.len() < min_len {
        return Some(format!("has fewer than {min_len} characters"));
    }
    let mut characters: Vec<char> = text.chars().collect();
    characters.sort_unstable();
    characters.dedup();
    if characters.len() < MIN_DIFFERENT_CHARACTERS {
        return Some("repeats a few characters".to_owned());
    }
    let folded = text.to_ascii_lowercase();
    PLACEHOLDERS.iter().find(|word| folded.contains(*word)).map(|word| format!("contains `{word}`, like a text from an example"))
}

fn read_or_generate(kind: &Kind, (data_dir, missing): (&Path, Missing)) -> Result<Secret, ConfigError> {
    let path = data_dir.join(kind.file);
    let at_path = |source| ConfigError::File { path: path.clone(), source };
    if let Missing::Generate = missing {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(data_dir).map_err(at_path)?;
    }
    match fs::read_to_string(&path) {
        Ok(text) if text.trim().is_empty() => Err(at_path(std::io::Error::new(ErrorKind::InvalidData, "the file is empty"))),
        Ok(text) => Ok(Secret::new(text.trim())),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let secret = generate(kind.random_bytes);
            if let Missing::Forget = missing {
                return Ok(secret);
            }
            let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(at_path)?;
            writeln!(file, "{}", secret.expose()).and_then(|()| file.sync_all()).map_err(at_path)?;
            Ok(secret)
        }
        Err(error) => Err(at_path(error)),
    }
}

fn generate(random_bytes: usize) -> Secret {
    let mut bytes = vec![0; random_bytes];
    SystemRandom::new().fill(&mut bytes).expect("the system gives random numbers");
    Secret(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_repeated_and_copied_secrets_are_weak() {
        for weak in [
            "short",
            &"a".repeat(64),
            &"abc".repeat(20),
            "change-me-to-something-longer-please!!",
            "MySuperSecretValue0123456789abcdef",
        ] {
            assert!(weakness(weak, 32).is_some(), "{weak}");
        }
        assert_eq!(weakness(generate(32).expose(), 32), None);
    }

    #[test]
    fn one_secret_can_take_the_place_of_another_while_both_live() {
        let read = |text: &str, production| live(&TURN, &Secret::new(text), production);
        assert_eq!(read("new,\n old", false).unwrap(), [Secret::new("new"), Secret::new("old")]);
        assert!(read("one two three", false).is_err() && read(" , ", false).is_err());
        assert!(read(&format!("{},short", generate(16).expose()), true).is_err(), "each must be strong");
    }

    #[test]
    fn a_generated_secret_stays_the_same_and_is_private() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let first = read_or_generate(&JWT, (folder.path(), Missing::Generate)).unwrap();
        for missing in [Missing::Generate, Missing::Forget] {
            assert_eq!(read_or_generate(&JWT, (folder.path(), missing)).unwrap(), first);
        }
        let mode = fs::metadata(folder.path().join("jwt_secret")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn looking_at_settings_leaves_no_file_and_no_folder() {
        let folder = tempfile::tempdir().unwrap();
        let nowhere = folder.path().join("data");
        read_or_generate(&JWT, (&nowhere, Missing::Forget)).unwrap();
        assert!(!nowhere.exists());
    }

    #[test]
    fn a_secret_does_not_show_in_debug_output() {
        assert!(!format!("{:?}", Secret::new("hush")).contains("hush"));
    }
}
