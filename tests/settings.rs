//! Settings that must stop the start, each with a message that says what to change.

#![allow(clippy::unwrap_used)] // A panic is how a test fails.

use std::collections::HashMap;
use std::process::Command;

use tempfile::TempDir;
use webcall::config::{Args, Config, Database};

const STRONG: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a6978";

fn load(folder: &TempDir, variables: &[(&str, &str)]) -> Result<Config, String> {
    let variables: HashMap<&str, &str> = variables.iter().copied().collect();
    let args = Args { data_dir: folder.path().join("data"), turn_config: None };
    Config::load(&args, |name| variables.get(name).map(ToString::to_string)).map_err(|error| error.to_string())
}

#[test]
fn without_any_setting_there_are_safe_defaults_that_stay() {
    let folder = tempfile::tempdir().unwrap();
    let first = load(&folder, &[]).unwrap();
    assert_eq!(first.port, 8080);
    assert!(!first.is_production());
    assert!(matches!(&first.database, Database::Sqlite(file) if file.ends_with("data/webcall.db")));
    let second = load(&folder, &[("PORT", ""), ("JWT_SECRET", " ")]).unwrap();
    assert_eq!(first.secrets.jwt, second.secrets.jwt);
    assert_eq!(first.secrets.registration, second.secrets.registration);
    assert_eq!(first.secrets.password_pepper, second.secrets.password_pepper);
}

#[test]
fn production_refuses_missing_and_weak_secrets_by_name() {
    let folder = tempfile::tempdir().unwrap();
    for (jwt, registration, expected) in [
        ("", STRONG, "JWT_SECRET must be set"),
        (STRONG, "", "REGISTRATION_SECRET must be set"),
        ("short", STRONG, "JWT_SECRET is too weak"),
        ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", STRONG, "JWT_SECRET is too weak"),
        ("change-me-change-me-change-me-change-me!", STRONG, "JWT_SECRET is too weak"),
        (STRONG, "letmein", "REGISTRATION_SECRET is too weak"),
    ] {
        let variables = [("APP_ENV", "production"), ("JWT_SECRET", jwt), ("REGISTRATION_SECRET", registration)];
        let message = load(&folder, &variables).err().unwrap();
        assert!(message.contains(expected), "{message}");
        assert!(jwt.is_empty() || !message.contains(jwt), "a secret must not be repeated: {message}");
    }
    assert!(!folder.path().join("data").exists(), "a refused start leaves nothing behind");
    assert!(load(&folder, &[("APP_ENV", "production"), ("JWT_SECRET", STRONG), ("REGISTRATION_SECRET", STRONG)]).is_ok());
}

#[test]
fn settings_that_cannot_be_meant_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    for (name, value, expected) in [
        ("APP_ENV", "prod", "APP_ENV must be"),
        ("PORT", "80a", "PORT must be"),
        ("PORT", "70000", "PORT must be"),
        ("REDIS_URL", "redis://localhost", "not supported yet"),
        ("CORS_ORIGINS", "*", "CORS_ORIGINS `*`"),
        ("CORS_ORIGINS", "https://a.example/", "CORS_ORIGINS `https://a.example/`"),
        ("MAX_FILE_MB", "0", "MAX_FILE_MB must be a number of megabytes"),
        ("MAX_FILES_MB_PER_USER", "2 GB", "MAX_FILES_MB_PER_USER must be"),
        ("MAX_FILES_MB", "-1", "MAX_FILES_MB must be"),
        ("MAX_FILES", "many", "MAX_FILES must be a number of files"),
        ("TRUSTED_PROXIES", "proxy", "TRUSTED_PROXIES `proxy`"),
        ("DATABASE_URL", "mysql://localhost/x", "DATABASE_URL must begin"),
        ("DATABASE_URL", "sqlite::memory:", "DATABASE_URL `sqlite:`"),
        ("STUN_SERVERS", "http://x", "STUN_SERVERS"),
        ("TURN_URLS", "turn:turn.example:3478", "TURN_URLS needs TURN_USERNAME"),
        ("TURN_PASSWORD", "hush", "TURN_URLS is missing"),
    ] {
        let message = load(&folder, &[(name, value)]).err().unwrap();
        assert!(message.contains(expected), "{name}={value}: {message}");
    }
}

#[test]
fn a_bucket_is_set_whole_or_not_at_all_and_its_secret_is_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let whole = [
        ("FILES_S3_ENDPOINT", "https://s3.example.org"),
        ("FILES_S3_BUCKET", "webcall"),
        ("FILES_S3_KEY_ID", "key"),
        ("FILES_S3_SECRET", "hush-hush"),
    ];
    let config = load(&folder, &whole).unwrap().files.bucket.unwrap();
    assert_eq!(config.bucket.base_url().as_str(), "https://s3.example.org/webcall/");
    assert_eq!(config.bucket.region(), "us-east-1");
    assert!(!format!("{config:?}").contains("hush"));
    let other = [("FILES_S3_PATH_STYLE", "false"), ("FILES_S3_REGION", "eu-central-1")];
    let config = load(&folder, &[&whole[..], &other].concat()).unwrap().files.bucket.unwrap();
    assert_eq!(config.bucket.base_url().as_str(), "https://webcall.s3.example.org/");
    assert!(load(&folder, &[]).unwrap().files.bucket.is_none());
    for left_out in 0..whole.len() {
        let mut half = whole.to_vec();
        let (name, _) = half.remove(left_out);
        let message = load(&folder, &half).err().unwrap();
        assert!(message.starts_with(&format!("{name} is missing")) && !message.contains("hush"), "{message}");
    }
    for (name, value) in [
        ("FILES_S3_ENDPOINT", "s3.example.org"),
        ("FILES_S3_ENDPOINT", "ftp://s3.example.org"),
        ("FILES_S3_ENDPOINT", "https://ann:hush@s3.example.org"),
        ("FILES_S3_ENDPOINT", "https://s3.example.org?x=1"),
        ("FILES_S3_BUCKET", "no"),
        ("FILES_S3_BUCKET", "a/../b"),
        ("FILES_S3_BUCKET", "Web Call"),
        ("FILES_S3_PATH_STYLE", "yes"),
    ] {
        let message = load(&folder, &[&whole[..], &[(name, value)]].concat()).err().unwrap();
        assert!(message.starts_with(name) && !message.contains("hush"), "{message}");
    }
    let nowhere = folder.path().join("roots.pem");
    let with_roots = [&whole[..], &[("FILES_S3_CA_FILE", nowhere.to_str().unwrap())]].concat();
    assert!(load(&folder, &with_roots).err().unwrap().contains("roots.pem"));
    std::fs::write(&nowhere, "no certificate").unwrap();
    assert!(load(&folder, &with_roots).err().unwrap().contains("holds no certificate in PEM form"));
}

#[test]
fn a_database_address_that_cannot_be_read_is_not_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let message = load(&folder, &[("DATABASE_URL", "postgres://ann:hush@host:port/db")]).err().unwrap();
    assert!(message.contains("DATABASE_URL") && !message.contains("hush"), "{message}");
}

#[test]
fn outside_turn_servers_are_told_to_browsers_with_their_credentials() {
    let folder = tempfile::tempdir().unwrap();
    let variables = [
        ("STUN_SERVERS", "stun.example:3478, stun:other.example"),
        ("TURN_URLS", "turn:turn.example:3478?transport=udp,turns:turn.example:5349"),
        ("TURN_USERNAME", "ann"),
        ("TURN_PASSWORD", "hush"),
    ];
    let servers = serde_json::to_value(load(&folder, &variables).unwrap().ice_servers).unwrap();
    let expected = serde_json::json!([
        {"urls": ["stun:stun.example:3478", "stun:other.example"]},
        {"urls": ["turn:turn.example:3478?transport=udp", "turns:turn.example:5349"], "username": "ann", "credential": "hush"},
    ]);
    assert_eq!(servers, expected);
}

#[test]
fn the_command_says_on_stderr_what_is_wrong_and_fails() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_webcall"));
        command.args(arguments).current_dir(folder.path()).env_clear().envs(variables.iter().copied());
        let output = command.output().unwrap();
        (output.status.success(), String::from_utf8(output.stderr).unwrap(), output.stdout)
    };
    std::fs::write(folder.path().join("turn.toml"), "[media]\nworkers = 1\nudp_prot = 1\n").unwrap();
    for (arguments, variables, expected) in [
        (&["--port", "1"][..], &[][..], "unknown argument `--port`"),
        (&[], &[("APP_ENV", "production")], "turn.toml: TOML parse error at line 3"),
        (&["--turn-config", "missing.toml"], &[], "missing.toml: "),
    ] {
        let (success, stderr, stdout) = run(arguments, variables);
        assert!(!success && stdout.is_empty());
        assert!(stderr.contains(expected), "{stderr}");
    }
}
