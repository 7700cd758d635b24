//! What a page needs to know of the server: limits for its forms, for everybody; servers for its connections, for who is signed in.

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::extract::SignedIn;
use super::problem::Problem;
use crate::accounts::{Password, Username};
use crate::app::App;
use crate::config::IceServer;
use crate::error::Error;
use crate::rooms::MAX_ROOM_NAME_CHARS;
use crate::store::Encryption;

/// Facts about the server.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Facts {
    /// The server's version.
    version: &'static str,
    /// What registering takes: `secret`.
    registration: &'static str,
    /// The kinds of rooms that can be made.
    encryption: [Encryption; 2],
    min_username: usize,
    max_username: usize,
    /// In bytes.
    min_password: usize,
    /// In bytes.
    max_password: usize,
    /// In characters.
    max_room_name: usize,
    /// Windows that one user may have in one call.
    windows_per_user: usize,
    files: FileFacts,
}

/// What files may be sent.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct FileFacts {
    /// In one file.
    max_file_bytes: i64,
    /// In all files of one user.
    max_user_bytes: i64,
}

/// Servers for the browser's `RTCConfiguration`.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct IceServers {
    ice_servers: Vec<IceServer>,
}

/// Facts about the server, for everybody.
#[utoipa::path(get, path = "/config", tag = "config", responses((status = 200, body = Facts)))]
pub(super) async fn config(State(app): State<App>) -> Json<Facts> {
    Json(Facts {
        version: env!("CARGO_PKG_VERSION"),
        registration: "secret",
        encryption: [Encryption::Open, Encryption::Mls],
        min_username: Username::MIN_LEN,
        max_username: Username::MAX_LEN,
        min_password: Password::MIN_LEN,
        max_password: Password::MAX_LEN,
        max_room_name: MAX_ROOM_NAME_CHARS,
        windows_per_user: app.config.windows_per_user,
        files: FileFacts { max_file_bytes: app.config.files.max_file_bytes, max_user_bytes: app.config.files.max_user_bytes },
    })
}

/// This server's own TURN server, with credentials that relay to its media and nowhere else; then those that `STUN_SERVERS` and
/// `TURN_URLS` name.
#[utoipa::path(get, path = "/ice-servers", tag = "config", security(("bearer" = [])), responses(
    (status = 200, body = IceServers),
    (status = 401, description = "`not_signed_in`", body = Problem),
))]
pub(super) async fn ice_servers(State(app): State<App>, SignedIn(principal): SignedIn) -> Result<Json<IceServers>, Error> {
    Ok(Json(IceServers { ice_servers: app.relaying.for_participant(app.clock.now(), principal.user) }))
}
