//! One device's cryptography behind one door: a request in, an answer and the states to be kept out. The page's worker (`web/e2ee/keys`)
//! brings requests, keeps the states, and only then passes the answer on; what a crash leaves is therefore never less than what was sent.
//!
//! Groups of rooms are kept; those of calls live in memory only: after a reload one joins the call anew.

mod archiving;
mod backup;
mod comparing;
mod counters;
mod epochs;
mod groups;
mod handover;
mod inviting;
mod joining;
mod log;
mod marks;
mod media;
mod messages;
mod newcomers;
mod own_devices;
mod people;
mod rehearsal;
mod sent;
mod shelves;
#[cfg(test)]
mod tests;
mod unlocking;
mod wire;

use std::collections::BTreeMap;
use std::rc::Rc;

use uuid::Uuid;
use webcall_trust::mls::{GroupId, GroupKind};

use backup::Backup;
use counters::Counters;
use joining::Place;
use media::MediaEpochs;
use shelves::Shelves;
pub use wire::{
    AlarmLook, Answer, Block, Bytes, Changed, External, GroupName, Kept, LogLook, LoggedAt, Look, MediaMember, Member,
    NoticeMember, OpenedMessage, Outcome, Request, Restore, SealMessage, SecretText, Sent, Shows, Stay, TreeHead, UnlockSecret,
    UnlockerLook, VerifiedLook, WaitingMessage, WayTo,
};

use crate::state::StateKey;
use crate::unlock::Passkey;
use crate::{Device, Directory, Fault, Group, Identity, NewDevice};

/// Groups in memory at once. Beyond that the one used longest ago is let go; it was kept, and is opened again when it is needed.
const MAX_OPEN_GROUPS: usize = 64;

pub struct Desk {
    key: StateKey,
    person: Person,
    directory: Rc<Directory>,
    groups: BTreeMap<GroupId, Opened>,
    shelves: Shelves,
    counters: Counters,
    uses: u64,
    /// The passkey that is being made an unlocker.
    passkey: Option<Passkey>,
}

/// Who sits at the desk. A copy shares what is in it until one of them changes.
#[derive(Clone)]
enum Person {
    Nobody,
    Asking(Rc<NewDevice>),
    Present { device: Rc<Device>, identity: Option<Rc<Identity>> },
}

struct Opened {
    group: Group,
    /// Of a call: its room.
    room: Option<Uuid>,
    media: MediaEpochs,
    used: u64,
}

impl Desk {
    pub fn new(key: StateKey) -> Self {
        let (directory, shelves, counters) = (Rc::default(), Shelves::default(), Counters::default());
        Self { key, person: Person::Nobody, directory, groups: BTreeMap::new(), shelves, counters, uses: 0, passkey: None }
    }

    /// JSON in, JSON out; never fails otherwise. What is no request is answered with the code `bad_request`.
    pub fn handle_json(&mut self, request: &str) -> String {
        let outcome = match serde_json::from_str(request) {
            Ok(request) => self.handle(request),
            Err(_) => Outcome { answer: Err(Fault::BadRequest), keep: Vec::new(), needs: None },
        };
        serde_json::to_string(&outcome).expect("strings and numbers only")
    }

    pub fn handle(&mut self, request: Request) -> Outcome {
        let mut keep = Vec::new();
        if !matches!(request, Request::Load { .. } | Request::Resume { .. }) {
            self.counters.kept();
        }
        let before = (self.person.clone(), Rc::clone(&self.directory));
        let answer = self.answer(request, &mut keep);
        let needs = self.shelves.missing().filter(|_| answer == Err(Fault::NotOpen)).map(|shelf| shelf.to_string());
        if answer.is_err() {
            (self.person, self.directory) = before;
            if !keep.is_empty() {
                self.let_go();
                keep.clear();
            }
        }
        self.counters.hand_out(&keep);
        Outcome { answer, keep, needs }
    }

    #[expect(clippy::too_many_lines, reason = "a table: a line for each request")]
    fn answer(&mut self, request: Request, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        match request {
            Request::First { user, now_ms } => self.first(user, now_ms, keep),
            Request::BeginAnew { user, records, now_ms } => self.begin_anew(user, &records, now_ms, keep),
            Request::StepBack { records } => self.step_back(&records, keep),
            Request::Ask { user } => self.ask(user, keep),
            Request::Certified { record } => self.certified(&record, keep),
            Request::Load { device_id, device, directory, identity } => {
                self.load(&device_id, &device, &directory, identity.as_ref())
            }
            Request::Resume { asking } => self.resume(asking.as_ref()),
            Request::Who => self.who(),
            Request::Vouch { request, previous, now_ms } => self.vouch(&request, previous.as_ref(), now_ms, keep),
            Request::Revoke { device, previous, now_ms } => self.revoke(&device, previous.as_ref(), now_ms, keep),
            Request::Learn { user, records, proof } => self.learn(user, records, proof, keep),
            Request::Accept { user, identity } => self.accept(user, &identity, keep),
            Request::Verify { user, identity, name } => self.verify(user, &identity, &name, keep),
            Request::KeyPackages { count, last_resort } => self.key_packages(count, last_resort, keep),
            Request::ForgetExpired { now_ms } => self.forget_expired(now_ms, keep),
            Request::Create { group, stay, strict } => self.create(group.into(), stay, strict, keep),
            Request::Join { welcome, group, epoch, commit, strict } => {
                let place = Place { group: group.map(GroupId::from), epoch, commit: commit.as_ref() };
                self.join(&welcome, &place, strict, keep)
            }
            Request::JoinExternal(external) => self.join_external(&external, keep),
            Request::Change { group, add, users, remove } => self.change(group.into(), (add, &users), &remove, keep),
            Request::Accepted { group } => self.settle(group.into(), Group::accepted, keep),
            Request::Lost { group } => self.settle(group.into(), Group::lost, keep),
            Request::Process { group, commit, log_epoch } => self.process(group.into(), &commit, log_epoch, keep),
            Request::BeganWith { group, commit } => self.began_with(group.into(), &commit),
            Request::GoBack { room, epoch } => self.go_back(room, epoch, keep),
            Request::Forget { group } => self.forget(group.into(), keep),
            Request::Culprit { group } => self.culprit(group.into()),
            Request::Strangers { group, welcome } => self.strangers(group.into(), welcome.as_ref()),
            Request::Look { group } => self.look(group.into()),
            Request::Say { group, plaintext } => self.say(group.into(), &plaintext, keep),
            Request::Hear { group, message } => self.hear(group.into(), &message, keep),
            Request::Rehearse { room } => self.rehearse(room),
            Request::MediaKeys { group, epoch } => self.media_keys(group.into(), epoch),
            Request::NoticeKeys { room } => self.notice_keys(room),
            Request::OpenState { name, sealed } => self.open_state(&name, sealed.as_ref()),
            Request::SealMessage(message) => self.seal_message(message, keep),
            Request::Sent { room, id } => self.sent(room, id, keep),
            Request::Unsent { room, id } => self.unsent(room, id, keep),
            Request::Waiting { room } => self.waiting(room),
            Request::OpenMessage { room, envelope } => self.open_message(room, &envelope, false, keep),
            Request::OpenWaited { room, envelope } => self.open_message(room, &envelope, true, keep),
            Request::ReadMessage { room, envelope } => self.read_message(room, &envelope),
            Request::Log => self.log(),
            Request::TakeHead { head, from, path } => self.take_head(&head, from, &path, keep),
            Request::HearHead { user, device, head, way } => self.hear_head((user, &device), &head, way, keep),
            Request::AcceptLog => self.accept_log(keep),
            Request::SafetyNumber { user } => self.safety_number(user),
            Request::CheckQr { user, bytes } => self.check_qr(user, &bytes),
            Request::CallEmoji { group } => self.call_emoji(group.into()),
            Request::Qr { text } => Self::qr(&text),
            Request::NewDevices => self.new_devices(keep),
            Request::SawDevices { devices } => self.saw_devices(&devices, keep),
            Request::Newcomers { room } => self.newcomers(room, keep),
            Request::Meets { room, users } => self.meets(room, &users, keep),
            Request::Greeted { room, users } => self.greeted(room, &users, keep),
            Request::Link { room, code } => self.link(room, &code),
            Request::ShowLink { secret } => self.show_link(&secret),
            Request::Ever { room } => self.ever(room),
            Request::Invited { room, code, shows } => self.invited(room, &code, &shows),
            Request::BackupBegin => self.backup_begin(keep),
            Request::AddRecoveryCode => self.add_recovery_code(keep),
            Request::AddPassphrase { passphrase } => self.add_passphrase(&passphrase, keep),
            Request::BeginPasskey { credential } => self.begin_passkey(credential),
            Request::AddPasskey { output } => self.add_passkey(&output, keep),
            Request::RemoveUnlocker { unlocker } => self.remove_unlocker(&unlocker, keep),
            Request::Unlockers => self.unlockers(),
            Request::TakeUnlockers { blob } => self.take_unlockers(&blob, keep),
            Request::Ways { blob } => Self::ways(&blob),
            Request::Restore(restore) => self.restore(restore, keep),
            Request::Unlock { blob, secret } => self.unlock(&blob, secret, keep),
            Request::HandOver { request } => self.hand_over(&request),
            Request::TakeHandover { handover } => self.take_handover(&handover, keep),
            Request::SealSegment { of, now_ms } => self.seal_segment(of, now_ms),
            Request::TakeSegment { of, sealed } => self.take_segment(of, &sealed, keep),
        }
    }

    /// Everything that is kept elsewhere: what is in memory may be ahead of it, or behind.
    fn let_go(&mut self) {
        self.groups.retain(|group, _| group.kind == GroupKind::Call);
        self.shelves.clear();
    }

    fn device(&self) -> Result<&Device, Fault> {
        match &self.person {
            Person::Present { device, .. } => Ok(device),
            Person::Nobody | Person::Asking(_) => Err(Fault::NoDevice),
        }
    }
}
