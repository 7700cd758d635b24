//! The server to be measured: started from this same binary with a folder of its own, or one that runs already.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};

use super::BenchError;
use super::machine::{self, Processors};

/// How long the server may take until it serves.
const PATIENCE: Duration = Duration::from_secs(30);
/// Participants and windows that it lets in.
const MAX_PARTICIPANTS: usize = 2_000;

/// A server that was started here. It ends with this value.
pub(super) struct OwnServer {
    child: Child,
    folder: PathBuf,
    pub(super) url: String,
    pub(super) registration_secret: String,
}

impl OwnServer {
    /// Starts it on its processors with this `turn.toml` and waits until it serves.
    pub(super) async fn start(settings: &str, processors: Option<&Processors>) -> Result<Self, BenchError> {
        Self::start_with(settings, &[], processors).await
    }

    /// The same for messages: nobody writes too fast, and the database may be another than SQLite.
    pub(super) async fn start_for_chat(database: Option<&str>, processors: Option<&Processors>) -> Result<Self, BenchError> {
        let variables = [("MESSAGES_PER_SECOND", "10000"), ("DATABASE_URL", database.unwrap_or_default())];
        Self::start_with(&call_settings(1), &variables, processors).await
    }

    async fn start_with(settings: &str, variables: &[(&str, &str)], processors: Option<&Processors>) -> Result<Self, BenchError> {
        let folder = std::env::temp_dir().join(format!("webcall-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let file = folder.join("turn.toml");
        std::fs::write(&file, settings)?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--data").arg(folder.join("data")).arg("--turn-config").arg(&file);
        command.env_clear().env("PORT", "0").env("WINDOWS_PER_USER", MAX_PARTICIPANTS.to_string());
        command.envs(variables.iter().copied());
        command.env("RUST_LOG", std::env::var("RUST_LOG").unwrap_or_else(|_| "warn".to_owned()));
        let mut child = spawn_on(command.stdin(Stdio::null()).stdout(Stdio::piped()), processors)?;
        let lines = greeting(&mut child).await;
        let mut server = Self { child, folder, url: String::new(), registration_secret: String::new() };
        (server.url, server.registration_secret) = lines?;
        Ok(server)
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        // Nothing of it is kept: it need not stop in order.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Starts a process that keeps to the server's processors: it inherits those of the thread that starts it.
pub(super) fn spawn_on(command: &mut Command, processors: Option<&Processors>) -> std::io::Result<Child> {
    let Some(processors) = processors else { return command.spawn() };
    machine::keep_to(&processors.server);
    let child = command.spawn();
    machine::keep_to(&processors.generator);
    child
}

/// The `turn.toml` of a server for calls: no limit of participants, no TURN server.
pub(super) fn call_settings(workers: usize) -> String {
    format!(
        "[media]\nworkers = {workers}\nudp_port = 0\nadvertised = [\"127.0.0.1\"]\nmax_participants = {MAX_PARTICIPANTS}\n\
         socket_buffer_bytes = 16777216\n\n[turn]\nenabled = false\n"
    )
}

/// The address and the secret that the server prints when it serves.
async fn greeting(child: &mut Child) -> Result<(String, String), BenchError> {
    let stdout = child.stdout.take().ok_or_else(|| BenchError::Server("it has no output".to_owned()))?;
    let stdout = tokio::process::ChildStdout::from_std(stdout)?;
    let mut lines = BufReader::new(stdout).lines();
    let reading = async {
        let (mut url, mut secret) = (None, None);
        while let Some(line) = lines.next_line().await? {
            url = line.strip_prefix("WebCall is ready: ").map(str::to_owned).or(url);
            secret = line.strip_prefix("Registration secret: ").map(str::to_owned).or(secret);
            if let (Some(url), Some(secret)) = (&url, &secret) {
                return Ok((url.clone(), secret.clone()));
            }
        }
        Err(BenchError::Server("it ended".to_owned()))
    };
    tokio::time::timeout(PATIENCE, reading).await.unwrap_or_else(|_| Err(BenchError::Server("it took too long".to_owned())))
}
