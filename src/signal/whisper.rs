//! Brings messages of encrypted groups to the connections of the members of their rooms. They are of the moment: who is not connected, or
//! does not keep up, does not get them.

use super::context::Context;
use super::protocol::ServerMessage;
use super::replay::Encoded;
use crate::e2ee::{self, Listening, Whisper};
use crate::error::Error;
use crate::rooms;

/// Runs until nobody can send any more.
pub(super) async fn pass_on(context: Context, mut listening: Listening) {
    while let Some(whisper) = listening.next().await {
        if let Err(error) = bring(&context, whisper).await {
            tracing::warn!(%error, "a message to the members of a group was lost");
        }
    }
}

async fn bring(context: &Context, whisper: Whisper) -> Result<(), Error> {
    let members = rooms::members_of(&context.app, whisper.room).await?;
    let message = ServerMessage::E2eeMessage {
        group: e2ee::encode(&whisper.group.to_bytes()),
        user: whisper.user.to_string(),
        message: e2ee::encode(&whisper.body),
    };
    context.connections.tell(&members, &Encoded::of(&message));
    Ok(())
}
