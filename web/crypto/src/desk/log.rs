//! Requests about the log of everybody's keys: what the server says of it, and what the devices of others were shown.

use std::collections::BTreeSet;

use uuid::Uuid;
use webcall_trust::{DeviceId, Hash, Refusal, Signed};

use super::Desk;
use super::shelves::Shelf;
use super::wire::{self, AlarmLook, Answer, Bytes, Kept, LogLook, LoggedAt, TreeHead, WayTo};
use crate::Fault;
use crate::chat::Head;
use crate::log::{Alarm, Explained, Heard, Inclusion, LogView, MAX_PATH, Why};

impl Desk {
    pub(super) fn log(&mut self) -> Result<Answer, Fault> {
        Ok(Answer::Log(look(&self.log_view()?)))
    }

    pub(super) fn take_head(&mut self, head: &Bytes, from: u64, path: &[Bytes], keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        let mut view = self.log_view()?;
        let head = Signed::checked(&head.0).map_err(|_: Refusal| Fault::BadHead)?;
        view.take(&head, from, &hashes(path)?)?;
        self.keep_log(&view, keep)
    }

    pub(super) fn hear_head(
        &mut self,
        (user, device): (Uuid, &Bytes),
        head: &TreeHead,
        way: Option<WayTo>,
        keep: &mut Vec<Kept>,
    ) -> Result<Answer, Fault> {
        let mut view = self.log_view()?;
        let who = (wire::user(user), DeviceId(device.exactly()?));
        let said = Head { size: head.size, root: head.root.exactly()? };
        let heard = match way {
            Some(WayTo { to, path }) => view.hear(who, said, Some(Explained { to, path: &hashes(&path)? }))?,
            None => view.hear(who, said, None)?,
        };
        // What only says what is to be asked next has changed nothing.
        if matches!(heard, Heard::Known | Heard::Split) {
            self.keep_log(&view, keep)?;
        }
        Ok(Answer::HeadHeard { heard: word(heard) })
    }

    pub(super) fn accept_log(&mut self, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        let mut view = self.log_view()?;
        view.accept();
        self.keep_log(&view, keep)
    }

    /// All records of a user; before anything is learned from them.
    pub(super) fn check_logged(&mut self, records: &[Vec<u8>], proof: Option<LoggedAt>) -> Result<(), Fault> {
        let view = self.log_view()?;
        let Some(LoggedAt { size, leaves, path }) = proof else { return view.check(records, None) };
        view.check(records, Some(&Inclusion { size, leaves, path: hashes(&path)? }))
    }

    /// The head that goes with what is sealed.
    pub(super) fn head_to_send(&mut self) -> Result<Head, Fault> {
        Ok(self.log_view()?.head())
    }

    /// Nothing is sealed for a room and its calls while the server contradicts itself, or one of those who are in it contradicts the server, and
    /// the person has not decided about it.
    pub(super) fn nobody_contradicts(&mut self, room: Uuid) -> Result<(), Fault> {
        let view = self.log_view()?;
        let users: BTreeSet<_> = self.identities_of(room)?.into_iter().map(|(user, _)| user).collect();
        if view.is_contradicted_among(|user| users.contains(&user)) { Err(Fault::SplitView) } else { Ok(()) }
    }

    fn log_view(&mut self) -> Result<LogView, Fault> {
        self.device()?;
        self.shelves.get(Shelf::Log)?.map_or_else(|| Ok(LogView::default()), LogView::from_bytes)
    }

    /// Only where it is another than what is kept: most heads that are heard are known.
    fn keep_log(&mut self, view: &LogView, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        let bytes = view.to_bytes();
        if self.shelves.get(Shelf::Log)? != Some(bytes.as_slice()) {
            self.put(Shelf::Log, bytes, keep)?;
        }
        Ok(Answer::Log(look(view)))
    }
}

fn hashes(path: &[Bytes]) -> Result<Vec<Hash>, Fault> {
    if path.len() > MAX_PATH { Err(Fault::Full) } else { path.iter().map(Bytes::exactly).collect() }
}

fn look(view: &LogView) -> LogLook {
    LogLook { head: shown(view.head()), alarms: view.alarms().iter().map(alarm).collect() }
}

fn alarm(of: &Alarm) -> AlarmLook {
    let (user, device) = match of.why {
        Why::SplitView { user, device } => (Some(Uuid::from_bytes(user.0)), Some(device.0.into())),
        Why::NotConsistent | Why::OtherLog => (None, None),
    };
    let (said, here) = (shown(of.said), shown(of.here));
    AlarmLook { why: of.why.code(), user, device, said, here, accepted: of.is_accepted() }
}

fn shown(head: Head) -> TreeHead {
    TreeHead { size: head.size, root: head.root.into() }
}

fn word(heard: Heard) -> &'static str {
    match heard {
        Heard::Known => "known",
        Heard::Ahead => "ahead",
        Heard::Unknown => "unknown",
        Heard::Later => "later",
        Heard::Split => "split",
    }
}
