//! The settings of one run, read once at start from the command line, the environment and `turn.toml`, and checked here, so that
//! nothing that runs later can meet a bad setting. What is missing gets a safe default or is generated once into the data folder;
//! with `APP_ENV=production` a missing or weak secret is refused.
//!
//! Nobody else reads the environment. A [`Config`] has no `Debug`, so that it cannot reach a log.

mod args;
mod bucket;
mod environment;
mod error;
mod files;
mod ice;
mod media;
mod origins;
mod secrets;
mod tcp;
mod tls;
mod turn;

pub use args::{Args, Command};
pub use bucket::BucketConfig;
pub use error::ConfigError;
pub use files::FilesConfig;
pub use ice::IceServer;
#[doc(hidden)]
pub use media::is_turn_file;
pub use origins::Origins;
pub use secrets::{Secret, Secrets};
pub use tcp::{TcpConfig, TcpPort};
pub use tls::{AcmeChallenge, AcmeConfig, DomainName, TlsConfig};

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;
use webcall_media::MediaConfig;

use environment::Variables;
use media::NetworkConfig;
use secrets::Missing;
use tls::Listening;

/// Two or three are a phone beside a laptop; more is a mistake or an attack on the seats. `webcall bench --target` needs more.
pub const DEFAULT_WINDOWS_PER_USER: usize = 5;
/// Messages a second of one user when nobody says otherwise: more than anybody types, less than a program would like.
const DEFAULT_MESSAGES_PER_SECOND: u32 = 10;
/// The most that can be set.
const MAX_MESSAGES_PER_SECOND: u32 = 10_000;
/// As many as a call holds at the most.
const MAX_WINDOWS_PER_USER: usize = 2_000;
/// bcrypt's cost: 2^12 rounds, about a quarter of a second. One more doubles the time of each log-in and of each guess.
const PASSWORD_COST: u32 = 12;

/// The settings of one run.
pub struct Config {
    /// Whether real people depend on it.
    pub environment: Environment,
    /// TCP port of pages, API and WebSocket, with TLS when it is on; 0 lets the system choose.
    pub port: u16,
    /// A second, plain port that leads browsers to the first and answers HTTP-01 challenges.
    pub http_port: Option<u16>,
    /// Where certificates come from.
    pub tls: TlsConfig,
    /// The name under which this server is reached, when it is known.
    pub domain: Option<String>,
    /// The folder of the database and the generated secrets.
    pub data_dir: PathBuf,
    /// Where accounts and rooms are kept.
    pub database: Database,
    /// Keys and secrets.
    pub secrets: Secrets,
    /// bcrypt's cost for new passwords. Not settable from outside; tests lower it.
    pub password_cost: u32,
    /// Origins of other pages that may use the interface.
    pub origins: Origins,
    /// Proxies whose word on the sender's address is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Whether these proxies pass connections on as they are, with a header of the PROXY protocol before them.
    pub proxy_protocol: bool,
    /// Windows that one user may have in one call.
    pub windows_per_user: usize,
    /// Messages that one user may write in a second, for long.
    pub messages_per_second: u32,
    /// What is kept of the files that people send.
    pub files: FilesConfig,
    /// STUN and TURN servers told to browsers in addition to this server.
    pub ice_servers: Vec<IceServer>,
    /// The media core's settings.
    pub media: MediaConfig,
    /// How media and TURN are reached over TCP.
    pub tcp: TcpConfig,
}

/// Whether real people depend on this server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Environment {
    /// On a developer's machine: secrets are generated, cookies work without TLS.
    Development,
    /// Secrets must be given and strong; cookies need TLS.
    Production,
}

/// Where accounts and rooms are kept.
#[derive(Clone)]
pub enum Database {
    /// A file.
    Sqlite(PathBuf),
    /// A PostgreSQL server.
    Postgres(Box<PgConnectOptions>),
}

impl Database {
    /// Reads an address as `DATABASE_URL` has it.
    pub fn parse(url: &str) -> Result<Self, ConfigError> {
        parse_database(url)
    }
}

impl Config {
    /// Reads and checks everything. `variable` looks up an environment variable. Creates the data folder and missing secrets.
    pub fn load(args: &Args, variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        Self::read(args, variable, Missing::Generate)
    }

    /// Reads and checks everything and writes nothing: a secret that is missing is drawn and forgotten. For looking at a server's
    /// settings without being it.
    pub fn inspect(args: &Args, variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        Self::read(args, variable, Missing::Forget)
    }

    fn read(args: &Args, variable: impl Fn(&str) -> Option<String>, missing: Missing) -> Result<Self, ConfigError> {
        let variables = Variables::new(&variable);
        let environment = variables.parse("APP_ENV", parse_environment)?.unwrap_or(Environment::Development);
        if variables.text("REDIS_URL").is_some() {
            return Err(ConfigError::RedisUnsupported);
        }
        let Listening { tls, domain, port, http_port } = Listening::from_variables(&variables)?;
        let origins = variables.parse("CORS_ORIGINS", Origins::parse)?.unwrap_or_default();
        let trusted_proxies = variables.parse("TRUSTED_PROXIES", parse_addresses)?.unwrap_or_default();
        let proxy_protocol = variables.parse("PROXY_PROTOCOL", parse_switch)?.unwrap_or(false);
        if proxy_protocol && trusted_proxies.is_empty() {
            let problem = "needs TRUSTED_PROXIES beside it: whose header is believed".to_owned();
            return Err(ConfigError::Variable { name: "PROXY_PROTOCOL", problem });
        }
        let windows_per_user = variables.parse("WINDOWS_PER_USER", parse_windows)?.unwrap_or(DEFAULT_WINDOWS_PER_USER);
        let messages_per_second = variables.parse("MESSAGES_PER_SECOND", parse_rate)?.unwrap_or(DEFAULT_MESSAGES_PER_SECOND);
        let files = FilesConfig::from_variables(&variables, &args.data_dir)?;
        let database = match variables.text("DATABASE_URL") {
            Some(url) => parse_database(&url)?,
            None => Database::Sqlite(args.data_dir.join("webcall.db")),
        };
        let ice_servers = ice::from_variables(&variables)?;
        let NetworkConfig { mut media, tcp } = media::load(args.turn_config.as_deref())?;
        // Last, because it is the only step that writes.
        let secrets = Secrets::load(&variables, environment, (&args.data_dir, missing))?;
        if let Some(turn) = &mut media.turn {
            turn.common.auth.shared_secrets = secrets.turn_secrets();
        }
        Ok(Self {
            environment,
            port,
            http_port,
            tls,
            domain,
            data_dir: args.data_dir.clone(),
            database,
            secrets,
            password_cost: PASSWORD_COST,
            origins,
            trusted_proxies,
            proxy_protocol,
            windows_per_user,
            messages_per_second,
            files,
            ice_servers,
            media,
            tcp,
        })
    }

    /// Whether browsers reach this server by TLS and nothing else: its own, or in production that of a proxy.
    pub fn is_encrypted(&self) -> bool {
        self.is_production() || self.tls != TlsConfig::Off
    }

    /// Whether real people depend on this server.
    pub fn is_production(&self) -> bool {
        self.environment == Environment::Production
    }
}

fn parse_environment(text: &str) -> Result<Environment, String> {
    match text {
        "production" => Ok(Environment::Production),
        "development" => Ok(Environment::Development),
        _ => Err("must be `production` or `development`".to_owned()),
    }
}

fn parse_port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| "must be a number from 0 to 65535".to_owned())
}

fn parse_switch(text: &str) -> Result<bool, String> {
    text.parse().map_err(|_| "must be `true` or `false`".to_owned())
}

fn parse_windows(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=MAX_WINDOWS_PER_USER).contains(number));
    number.ok_or_else(|| format!("must be a number from 1 to {MAX_WINDOWS_PER_USER}"))
}

fn parse_rate(text: &str) -> Result<u32, String> {
    let number = text.parse().ok().filter(|number| (1..=MAX_MESSAGES_PER_SECOND).contains(number));
    number.ok_or_else(|| format!("must be a number from 1 to {MAX_MESSAGES_PER_SECOND}"))
}

fn parse_addresses(text: &str) -> Result<Vec<IpAddr>, String> {
    let parse = |item: &str| item.parse().map_err(|_| format!("`{item}` is not an IP address"));
    environment::items(text).map(parse).collect()
}

/// The URL may hold a password: no part of it goes into the message.
fn parse_database(url: &str) -> Result<Database, ConfigError> {
    if let Some(path) = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:")) {
        if path.is_empty() || path.contains('?') || path == ":memory:" {
            return Err(ConfigError::Variable {
                name: "DATABASE_URL",
                problem: "`sqlite:` must be followed by the path of a file, without options".to_owned(),
            });
        }
        return Ok(Database::Sqlite(Path::new(path).to_path_buf()));
    }
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        let options = PgConnectOptions::from_str(url).map_err(|_| ConfigError::Variable {
            name: "DATABASE_URL",
            problem: "is not a PostgreSQL address like postgres://user:password@host:5432/database".to_owned(),
        })?;
        return Ok(Database::Postgres(Box::new(options)));
    }
    Err(ConfigError::Variable { name: "DATABASE_URL", problem: "must begin with `sqlite:` or `postgres://`".to_owned() })
}
