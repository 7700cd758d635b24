//! What this device knows of the log of everybody's keys (RFC 9162 §2.1): the newest head that it verified, earlier ones of the same log, and
//! what contradicts them. The first head is believed, with the key that signed it; every later one must be proven to go on from it, so that the
//! server can show this device one log only. That others are shown the same one, their messages tell (T4), each with its sender's head.
//!
//! What was contradicted once stays so until the person goes on regardless. Two contradictions are told apart: what the server itself signed
//! or would not prove, and what another's device says. In the second either of both may lie.

use tls_codec::{Deserialize, Serialize, TlsDeserialize, TlsSerialize, TlsSize};
use webcall_trust::{DeviceId, Hash, Signed, TreeHead, UserId, leaf_hash, verify_consistency, verify_inclusion_of_all};

use crate::Fault;
use crate::chat::Head;

/// Heads of which it is known that the newest goes on from them, 40 bytes each. Of more the oldest are forgotten: who names them is asked about
/// anew.
pub const MAX_KNOWN: usize = 128;
/// Contradictions that are kept. One of the server's is enough, and there is one a user; who comes behind so many is not written down.
pub const MAX_ALARMS: usize = 32;
/// Hashes of a proof about one user's records: of 1,024 that lie apart, in a log of 2^32.
pub const MAX_PATH: usize = 32_768;

const VERSION: u8 = 1;

/// What was found to contradict what this device verified before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserialize)]
#[repr(u8)]
pub enum Why {
    /// The server's head does not go on from the one before.
    #[tls_codec(discriminant = 1)]
    NotConsistent,
    /// The server's head is signed by another key.
    #[tls_codec(discriminant = 2)]
    OtherLog,
    /// This device of another user (or one's own) was shown a head that is not of this log, or says so.
    #[tls_codec(discriminant = 3)]
    SplitView { user: UserId, device: DeviceId },
}

impl Why {
    pub fn code(self) -> &'static str {
        match self {
            Self::NotConsistent => "not_consistent",
            Self::OtherLog => "other_log",
            Self::SplitView { .. } => "split_view",
        }
    }

    /// Whether the server contradicted itself.
    pub fn is_of_server(self) -> bool {
        !matches!(self, Self::SplitView { .. })
    }

    /// One of each is enough: of what a user's devices say, too.
    fn is_same(self, other: Self) -> bool {
        match (self, other) {
            (Self::SplitView { user: one, .. }, Self::SplitView { user: two, .. }) => one == two,
            _ => self == other,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserialize)]
pub struct Alarm {
    pub why: Why,
    /// What was said, and what was known here.
    pub said: Head,
    pub here: Head,
    /// The person goes on regardless.
    accepted: u8,
}

impl Alarm {
    pub fn is_accepted(&self) -> bool {
        self.accepted != 0
    }
}

/// Where a head stands that another's device was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// In this log, or it says nothing.
    Known,
    /// Beyond the newest head here: the server is to be asked for a newer one.
    Ahead,
    /// Before it: the server is to be asked for the proof.
    Unknown,
    /// Nothing is compared while the server contradicts itself.
    Later,
    /// In another log. There is an alarm now.
    Split,
}

/// What the server gave for a head that another's device was shown: the way from there to the head of size `to` here. Empty: it gave none.
#[derive(Debug, Clone, Copy)]
pub struct Explained<'a> {
    pub to: u64,
    pub path: &'a [Hash],
}

#[derive(Debug, Clone, Default)]
pub struct LogView {
    newest: Option<TreeHead>,
    known: Vec<Head>,
    alarms: Vec<Alarm>,
}

#[derive(TlsSize, TlsSerialize, TlsDeserialize)]
struct Saved {
    version: u8,
    newest: Option<TreeHead>,
    known: Vec<Head>,
    alarms: Vec<Alarm>,
}

impl LogView {
    /// What every message says; zeros while nothing is known.
    pub fn head(&self) -> Head {
        self.newest.map_or(Head { size: 0, root: [0; 32] }, |newest| Head { size: newest.size, root: newest.root })
    }

    pub fn alarms(&self) -> &[Alarm] {
        &self.alarms
    }

    /// Whether something is contradicted that the person has not decided about, by the server itself or by one of these users. The word of anybody
    /// else stops nothing, though it is told: whoever may write to a person could stop all that they write and every call.
    pub fn is_contradicted_among(&self, present: impl Fn(UserId) -> bool) -> bool {
        let concerns = |why: Why| match why {
            Why::SplitView { user, .. } => present(user),
            Why::NotConsistent | Why::OtherLog => true,
        };
        let mut open = self.alarms.iter().filter(|alarm| !alarm.is_accepted());
        // Of whom came behind so many nothing is known: it may be anybody.
        open.clone().count() >= MAX_ALARMS || open.any(|alarm| concerns(alarm.why))
    }

    /// A head that the server signed. `from`: the size of the newest one here, as the page knew it when it asked ([`Fault::OldProof`] if it is
    /// another by now; 0: none); `path`: from the shorter of both to the longer, empty if the server gave none. A shorter head never replaces a longer one. Whether
    /// there is no contradiction in it.
    pub fn take(&mut self, head: &Signed<TreeHead>, from: u64, path: &[Hash]) -> Result<bool, Fault> {
        let head = *head.statement();
        if self.head().size != from {
            return Err(Fault::OldProof);
        }
        let Some(newest) = self.newest else {
            self.newest = Some(head);
            return Ok(true);
        };
        if head.log != newest.log {
            return Ok(self.raise(Why::OtherLog, short(&head)));
        }
        let is_proven = if head.size >= newest.size {
            verify_consistency(newest.size, newest.root, head.size, head.root, path).is_ok()
        } else {
            head.size > 0 && verify_consistency(head.size, head.root, newest.size, newest.root, path).is_ok()
        };
        if !is_proven {
            return Ok(self.raise(Why::NotConsistent, short(&head)));
        }
        let other = if head.size < newest.size {
            short(&head)
        } else {
            self.newest = Some(head);
            short(&newest)
        };
        self.remember(other);
        Ok(true)
    }

    /// A head that this device of this user says it was shown.
    pub fn hear(
        &mut self,
        (user, device): (UserId, DeviceId),
        said: Head,
        explained: Option<Explained<'_>>,
    ) -> Result<Heard, Fault> {
        if self.alarms.iter().any(|alarm| alarm.why.is_of_server()) {
            return Ok(Heard::Later);
        }
        if said.size == 0 {
            return Ok(Heard::Known);
        }
        let here = self.head();
        let is_named = self.alarms.iter().any(|alarm| alarm.why.is_same(Why::SplitView { user, device }));
        let is_in_it = match (self.root_at(said.size), explained) {
            (Some(root), _) => root == said.root,
            // Whoever contradicted once is not worth asking about again.
            (None, _) if is_named => false,
            (None, None) if said.size > here.size => return Ok(Heard::Ahead),
            (None, None) => return Ok(Heard::Unknown),
            (None, Some(Explained { to, .. })) if said.size > to && to == here.size => false,
            (None, Some(Explained { to, path })) => {
                let root = self.root_at(to).filter(|_| said.size < to).ok_or(Fault::OldProof)?;
                verify_consistency(said.size, said.root, to, root, path).is_ok()
            }
        };
        if is_in_it {
            self.remember(said);
            return Ok(Heard::Known);
        }
        self.raise(Why::SplitView { user, device }, said);
        Ok(Heard::Split)
    }

    /// Whether these records, all that a user published, are at these places of the log of this size, which is one that is known here. `None`
    /// will do before anything of a log is known.
    pub fn check(&self, records: &[Vec<u8>], proof: Option<&Inclusion>) -> Result<(), Fault> {
        let Some(proof) = proof else {
            return if self.newest.is_none() { Ok(()) } else { Err(Fault::NotLogged) };
        };
        let root = self.root_at(proof.size).ok_or(Fault::OldProof)?;
        if records.len() != proof.leaves.len() || proof.path.len() > MAX_PATH {
            return Err(Fault::NotLogged);
        }
        let leaves: Vec<_> = proof.leaves.iter().copied().zip(records.iter().map(|record| leaf_hash(record))).collect();
        verify_inclusion_of_all(&leaves, proof.size, &proof.path, root).map_err(|_| Fault::NotLogged)
    }

    /// The person goes on: with another's word against the server's, or with whatever log the server shows next.
    pub fn accept(&mut self) {
        if self.alarms.iter().any(|alarm| alarm.why.is_of_server()) {
            (self.newest, self.known) = (None, Vec::new());
        }
        self.alarms.retain(|alarm| !alarm.why.is_of_server());
        for alarm in &mut self.alarms {
            alarm.accepted = 1;
        }
    }

    /// Of the log here when it had this size, as far as it is remembered.
    fn root_at(&self, size: u64) -> Option<Hash> {
        let newest = self.newest.as_ref().map(short);
        newest.iter().chain(&self.known).find(|head| head.size == size).map(|head| head.root)
    }

    fn remember(&mut self, head: Head) {
        if self.root_at(head.size).is_some() || head.size == 0 {
            return;
        }
        if self.known.len() >= MAX_KNOWN {
            self.known.remove(0);
        }
        self.known.push(head);
    }

    /// Gives false, as what is contradicted is not sound. Where there is no room, one with which the person went on gives way: however many
    /// invent heads, what comes later is told, and what the server contradicts before all.
    fn raise(&mut self, why: Why, said: Head) -> bool {
        if self.alarms.iter().any(|alarm| alarm.why.is_same(why)) {
            return false;
        }
        if self.alarms.len() >= MAX_ALARMS {
            let gives_way = |alarm: &Alarm| alarm.accepted != 0 || (why.is_of_server() && !alarm.why.is_of_server());
            let Some(at) = self.alarms.iter().position(gives_way) else { return false };
            self.alarms.remove(at);
        }
        self.alarms.push(Alarm { why, said, here: self.head(), accepted: 0 });
        false
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let Self { newest, known, alarms } = self.clone();
        let saved = Saved { version: VERSION, newest, known, alarms };
        saved.tls_serialize_detached().expect("writing to memory, of bounded length")
    }

    pub fn from_bytes(mut bytes: &[u8]) -> Result<Self, Fault> {
        let Saved { version, newest, known, alarms } = Saved::tls_deserialize(&mut bytes).map_err(|_| Fault::DamagedState)?;
        if version != VERSION {
            return Err(Fault::UnknownVersion);
        }
        let is_sound = bytes.is_empty() && known.len() <= MAX_KNOWN && alarms.len() <= MAX_ALARMS;
        if is_sound { Ok(Self { newest, known, alarms }) } else { Err(Fault::DamagedState) }
    }
}

/// That records are in the log of a size.
#[derive(Debug, Clone)]
pub struct Inclusion {
    pub size: u64,
    /// The place of each, ascending.
    pub leaves: Vec<u64>,
    pub path: Vec<Hash>,
}

fn short(head: &TreeHead) -> Head {
    Head { size: head.size, root: head.root }
}

#[cfg(test)]
mod tests;
