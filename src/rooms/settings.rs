//! What can be changed about a room: name, link, topic, lock, slow mode, for how long messages are kept.

use super::audit::Doing;
use super::policy::{Action, allowed_in};
use super::room::new_link_code;
use super::{Room, RoomName, Topic, get};
use crate::accounts::Principal;
use crate::app::App;
use crate::bus::Hint;
use crate::error::Error;
use crate::id::RoomId;
use crate::store::{AuditAct, AuditEntry, RoomRow, RoomUpdate};

/// The slowest slow mode. An hour between two messages is nearly silence.
pub const MAX_SLOW_MODE_S: i64 = 3_600;
/// The longest that messages are kept when not for ever: ten years.
pub const MAX_RETENTION_DAYS: i64 = 3_650;

/// How far apart a member's messages are, in seconds; 0 for any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlowMode(i64);

impl SlowMode {
    /// Checks a number of seconds.
    pub fn parse(seconds: i64) -> Result<Self, Error> {
        match seconds {
            0..=MAX_SLOW_MODE_S => Ok(Self(seconds)),
            _ => Err(Error::Invalid { code: "invalid_slow_mode", detail: "slow mode is 0 to 3600 seconds" }),
        }
    }
}

/// For how many days messages are kept; nothing for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention(Option<i64>);

impl Retention {
    /// Checks a number of days.
    pub fn parse(days: Option<i64>) -> Result<Self, Error> {
        match days {
            None | Some(1..=MAX_RETENTION_DAYS) => Ok(Self(days)),
            Some(_) => {
                Err(Error::Invalid { code: "invalid_retention", detail: "messages are kept for 1 to 3650 days, or for ever" })
            }
        }
    }
}

/// What to change in a room.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Changes {
    /// A new name.
    pub name: Option<RoomName>,
    /// Whether to replace the link.
    pub reset_link: bool,
    /// A new topic.
    pub topic: Option<Topic>,
    /// Whether only moderators and the owner write.
    pub locked: Option<bool>,
    /// How far apart a member's messages are.
    pub slow_mode: Option<SlowMode>,
    /// For how long messages are kept.
    pub retention: Option<Retention>,
}

impl Changes {
    fn actions(&self) -> impl Iterator<Item = Action> {
        let named = [
            (self.name.is_some(), Action::Rename),
            (self.reset_link, Action::ResetLink),
            (self.topic.is_some(), Action::SetTopic),
            (self.locked.is_some(), Action::SetLock),
            (self.slow_mode.is_some(), Action::SetSlowMode),
            (self.retention.is_some(), Action::SetRetention),
        ];
        named.into_iter().filter(|(is_named, _)| *is_named).map(|(_, action)| action)
    }
}

/// Changes a room: all that is asked, or nothing.
pub async fn update(app: &App, principal: &Principal, room: RoomId, changes: &Changes) -> Result<Room, Error> {
    let before = get(app, principal, room).await?;
    for action in changes.actions() {
        allowed_in(&before.row, action)?;
    }
    let link_code = changes.reset_link.then(new_link_code);
    let update = difference(&before.row, changes, link_code.as_deref());
    let acts = acts(Doing { room, actor: principal.user, at: app.clock.now() }, &update);
    if acts.is_empty() {
        return Ok(before);
    }
    app.limits.moderation(principal.user)?;
    if !app.store.update_room(room, &update, &acts).await? {
        return Err(Error::RoomNotFound);
    }
    app.bus.publish(Hint::RoomChanged { room });
    get(app, principal, room).await
}

/// What of it is not so already.
fn difference<'a>(now: &RoomRow, changes: &'a Changes, link_code: Option<&'a str>) -> RoomUpdate<'a> {
    RoomUpdate {
        name: changes.name.as_ref().map(RoomName::as_str).filter(|name| *name != now.name),
        link_code,
        topic: changes.topic.as_ref().map(Topic::as_str).filter(|topic| *topic != now.topic),
        locked: changes.locked.filter(|locked| *locked != now.locked),
        slow_mode_s: changes.slow_mode.map(|SlowMode(seconds)| seconds).filter(|seconds| *seconds != now.slow_mode_s),
        retention_days: changes.retention.map(|Retention(days)| days).filter(|days| *days != now.retention_days),
    }
}

fn acts(doing: Doing, update: &RoomUpdate<'_>) -> Vec<AuditEntry> {
    let lock = |locked: bool| if locked { AuditAct::Lock } else { AuditAct::Unlock };
    let days = |days: Option<i64>| days.map(|days| days.to_string()).unwrap_or_default();
    let acts = [
        update.name.map(|name| doing.alone(AuditAct::Rename, name)),
        update.link_code.map(|_| doing.alone(AuditAct::ResetLink, "")),
        update.topic.map(|topic| doing.alone(AuditAct::Topic, topic)),
        update.locked.map(|locked| doing.alone(lock(locked), "")),
        update.slow_mode_s.map(|seconds| doing.alone(AuditAct::SlowMode, &seconds.to_string())),
        update.retention_days.map(|kept| doing.alone(AuditAct::Retention, &days(kept))),
    ];
    acts.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_mode_and_retention_have_bounds() {
        for good in [0, 1, 3_600] {
            assert!(SlowMode::parse(good).is_ok());
        }
        for bad in [-1, 3_601, i64::MAX, i64::MIN] {
            assert_eq!(SlowMode::parse(bad).unwrap_err().code(), "invalid_slow_mode");
        }
        for good in [None, Some(1), Some(3_650)] {
            assert!(Retention::parse(good).is_ok());
        }
        for bad in [0, -1, 3_651, i64::MAX] {
            assert_eq!(Retention::parse(Some(bad)).unwrap_err().code(), "invalid_retention");
        }
    }
}
