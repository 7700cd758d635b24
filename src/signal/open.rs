//! Makes a connection for a socket that has said `hello`, or finds the one that it continues.

use tokio::sync::oneshot;

use super::context::Context;
use super::driver::{Attach, Attached, Control, Driver};
use super::refusal::Refusal;
use super::resume::{SecretDigest, new_secret};
use crate::accounts::Principal;

/// A new connection.
pub(super) fn open(context: &Context, principal: &Principal, id: u32) -> Result<Attached, Refusal> {
    let secret = new_secret();
    let registered = context.connections.open(principal.user, principal.session, SecretDigest::of(&secret))?;
    let mut driver = Driver::new(context.clone(), principal.clone(), secret, registered);
    let attached = driver.begin(id);
    tokio::spawn(driver.run());
    Ok(attached)
}

/// The connection with this secret, or a new one when it is over, belongs to another session, or no longer has all that was missed.
pub(super) async fn resume(
    context: &Context,
    principal: &Principal,
    id: u32,
    secret: SecretDigest,
    last_seq: u64,
) -> Result<Attached, Refusal> {
    if let Some(control) = context.connections.find(secret, principal.session) {
        let (reply, answer) = oneshot::channel();
        let asked = control.send(Control::Attach(Attach { id, last_seq, reply })).await;
        if let (Ok(()), Ok(Some(attached))) = (asked, answer.await) {
            return Ok(attached);
        }
    }
    open(context, principal, id)
}
