//! The words after `webcall backup`, `restore` and `migrate-to`, and what they print.

use std::ffi::OsString;
use std::path::PathBuf;

use sqlx::postgres::PgConnectOptions;
use tokio_util::sync::CancellationToken;

use super::{Installation, Result, VaultError, back_up, migrate, restore};
use crate::config::{Args, Config, ConfigError, Database};
use crate::shutdown::Asked;
use crate::time::Clock;

/// What `--help` prints after one of the three.
const USAGE: &str = "\
webcall backup FILE [options]           writes the whole installation into FILE, while the server runs or not
webcall restore FILE [options]          makes an installation of FILE, in an empty data folder and an empty database
webcall migrate-to postgres://… [options]  copies the rows of an installation on SQLite to PostgreSQL

  --data DIR          the server's data folder (default ./data)
  --turn-config FILE  the server's turn.toml (default ./turn.toml when there is one)

The database is that of the server's environment (DATABASE_URL): a backup of either database can be restored into either. FILE holds the
database, the secrets, certificates and shared files of the data folder; keep it where nobody else reads it. What the environment holds
(JWT_SECRET, REGISTRATION_SECRET, PASSWORD_PEPPER, TURN_SECRET, FILES_S3_…, turn.toml) is not in it: save that too.
Files in a bucket stay there: FILE knows which they are, and the bucket must be there with them when it is restored.
`restore` and `migrate-to` want the server stopped. `migrate-to` leaves the SQLite file and everything else in the data folder as it is.";

/// Which of the three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Into a file.
    BackUp,
    /// From a file.
    Restore,
    /// Into PostgreSQL.
    MigrateTo,
}

impl Task {
    /// The word on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::BackUp => "backup",
            Self::Restore => "restore",
            Self::MigrateTo => "migrate-to",
        }
    }
}

/// A task with what it is about.
#[derive(Debug)]
enum Order {
    Help,
    BackUp(PathBuf),
    Restore(PathBuf),
    MigrateTo(Box<PgConnectOptions>),
}

/// Carries out what the arguments after the task's word say; what is to be printed.
pub fn run(task: Task, arguments: Vec<OsString>) -> Result<String> {
    let (order, args) = parse(task, arguments)?;
    if let Order::Help = order {
        return Ok(USAGE.to_owned());
    }
    let config = Config::inspect(&args, |name| std::env::var(name).ok())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("the system lets threads start");
    let outcome = runtime.block_on(async {
        let stop = CancellationToken::new();
        tokio::spawn(stopped_by_system(stop.clone()));
        carry_out(&Installation::of(&config), &order, &stop).await
    });
    // A database that was interrupted is not waited for.
    runtime.shutdown_background();
    outcome
}

async fn carry_out(installation: &Installation, order: &Order, stop: &CancellationToken) -> Result<String> {
    match order {
        Order::Help => Ok(USAGE.to_owned()),
        Order::BackUp(file) => {
            let saved = back_up(installation, file, Clock::System.now(), stop).await?;
            let left_out = match saved.left_out {
                0 => String::new(),
                count => format!("\n{count} shared files are not in it: they were deleted meanwhile, or their bytes are lost"),
            };
            let in_bucket = match saved.in_bucket {
                0 => String::new(),
                count => format!(
                    "\n{count} shared files are not in it: they stay in the bucket (FILES_S3_BUCKET), which you save yourself"
                ),
            };
            Ok(format!("{} is written: {} kB{left_out}{in_bucket}", file.display(), saved.size_bytes.div_ceil(1_000)))
        }
        Order::Restore(file) => {
            restore(installation, file, stop).await?;
            let (file, folder) = (file.display(), installation.data_dir.display());
            Ok(format!("{file} is restored into {folder}; start the server with the options and environment of this command"))
        }
        Order::MigrateTo(target) => {
            let rows = migrate(installation, target, stop).await?;
            Ok(format!(
                "{rows} rows are copied. Set DATABASE_URL to the address that you gave, in the server's environment or .env, and start it \
                 with the same data folder ({})",
                installation.data_dir.display()
            ))
        }
    }
}

async fn stopped_by_system(stop: CancellationToken) {
    // Where signals cannot be waited for, they end the process at once.
    if let Ok(asked) = Asked::listen() {
        asked.by_system().await;
        stop.cancel();
    }
}

fn parse(task: Task, arguments: Vec<OsString>) -> Result<(Order, Args)> {
    let refused = |problem: String| VaultError::Config(ConfigError::Argument(problem));
    let (mut data, mut turn_config, mut subject) = (None, None, None);
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let name = argument.to_str().unwrap_or_default().to_owned();
        let mut value = || arguments.next().ok_or_else(|| refused(format!("{name} needs a value")));
        match name.as_str() {
            "--data" => data = Some(value()?.into()),
            "--turn-config" => turn_config = Some(value()?.into()),
            "--help" | "-h" => return Ok((Order::Help, Args::or_default(None, None))),
            _ if name.starts_with('-') || subject.is_some() => {
                return Err(refused(format!("unknown argument `{}`", argument.display())));
            }
            _ => subject = Some(argument),
        }
    }
    let wanted = if task == Task::MigrateTo { "a PostgreSQL address" } else { "a file" };
    let subject = subject.ok_or_else(|| refused(format!("{} needs {wanted}", task.word())))?;
    let order = match task {
        Task::BackUp => Order::BackUp(subject.into()),
        Task::Restore => Order::Restore(subject.into()),
        // The address may hold a password: no part of it goes into the message.
        Task::MigrateTo => match subject.to_str().map(Database::parse) {
            Some(Ok(Database::Postgres(target))) => Order::MigrateTo(target),
            _ => return Err(refused("migrate-to needs an address like postgres://user:password@host:5432/database".to_owned())),
        },
    };
    Ok((order, Args::or_default(data, turn_config)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(task: Task, arguments: &[&str]) -> Result<(Order, Args)> {
        parse(task, arguments.iter().map(OsString::from).collect())
    }

    #[test]
    fn what_to_do_is_read_with_its_options() {
        let (order, args) = read(Task::BackUp, &["--data", "/d", "/b/today"]).unwrap();
        assert!(matches!(order, Order::BackUp(file) if file.as_os_str() == "/b/today"));
        assert_eq!(args.data_dir, PathBuf::from("/d"));
        assert!(matches!(read(Task::Restore, &["x"]), Ok((Order::Restore(_), _))));
        assert!(matches!(read(Task::MigrateTo, &["postgres://u:p@h/d"]), Ok((Order::MigrateTo(_), _))));
        assert!(matches!(read(Task::Restore, &["--help"]), Ok((Order::Help, _))));
        for (task, wrong) in [
            (Task::BackUp, &[][..]),
            (Task::BackUp, &["a", "b"]),
            (Task::Restore, &["--force", "a"]),
            (Task::Restore, &["a", "--data"]),
            (Task::MigrateTo, &["sqlite:x"]),
            (Task::MigrateTo, &["mysql://u:hush@h/d"]),
        ] {
            let error = read(task, wrong).unwrap_err().to_string();
            assert!(!error.contains("hush"), "{error}");
        }
    }
}
