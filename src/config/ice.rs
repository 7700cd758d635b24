//! `STUN_SERVERS`, `TURN_URLS`, `TURN_USERNAME`, `TURN_PASSWORD`: servers told to signed-in browsers in addition to this one, which
//! needs none of them to be reached.

use serde::Serialize;

use super::ConfigError;
use super::environment::{Variables, items};

/// One entry of the browser's `RTCConfiguration.iceServers`.
#[derive(Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct IceServer {
    /// `stun:`, `turn:` or `turns:` addresses.
    pub urls: Vec<String>,
    /// For TURN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// For TURN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

pub(super) fn from_variables(variables: &Variables<'_>) -> Result<Vec<IceServer>, ConfigError> {
    let mut servers = Vec::new();
    if let Some(urls) = variables.parse("STUN_SERVERS", parse_stun)? {
        servers.push(IceServer { urls, username: None, credential: None });
    }
    if let Some(urls) = variables.parse("TURN_URLS", parse_turn)? {
        let (Some(username), Some(credential)) = (variables.text("TURN_USERNAME"), variables.text("TURN_PASSWORD")) else {
            let problem = "needs TURN_USERNAME and TURN_PASSWORD beside it".to_owned();
            return Err(ConfigError::Variable { name: "TURN_URLS", problem });
        };
        servers.push(IceServer { urls, username: Some(username), credential: Some(credential) });
    } else if variables.text("TURN_USERNAME").or_else(|| variables.text("TURN_PASSWORD")).is_some() {
        let problem = "is missing: TURN_USERNAME and TURN_PASSWORD are for the servers it names".to_owned();
        return Err(ConfigError::Variable { name: "TURN_URLS", problem });
    }
    Ok(servers)
}

/// `stun:` may be left out.
fn parse_stun(text: &str) -> Result<Vec<String>, String> {
    let parse = |item: &str| match item.split_once("://") {
        Some(_) => Err(format!("`{item}` must look like stun:host:3478")),
        None if item.starts_with("stun:") || item.starts_with("stuns:") => Ok(item.to_owned()),
        None => Ok(format!("stun:{item}")),
    };
    items(text).map(parse).collect()
}

fn parse_turn(text: &str) -> Result<Vec<String>, String> {
    let parse = |item: &str| match item.split_once(':') {
        Some(("turn" | "turns", rest)) if !rest.starts_with("//") => Ok(item.to_owned()),
        _ => Err(format!("`{item}` must look like turn:host:3478?transport=udp or turns:host:5349")),
    };
    items(text).map(parse).collect()
}
