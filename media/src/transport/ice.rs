//! ICE-lite (RFC 8445 §§2.5, 7.3): answers the other side's connectivity checks, follows its nominations, and says until when it
//! consents to receive (RFC 7675 §5.1). It never sends a check of its own.
//!
//! One `IceLite` for each transport; `Transport` feeds it the binding requests that carry one of its user fragments. During an ICE
//! restart the old credentials stay valid until a path is nominated with the new ones (RFC 8445 §9), so that media flows on.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rtc_crypto::{CryptoError, RTCCryptoProvider};
use rtc_stun::error_code::{CODE_BAD_REQUEST, CODE_ROLE_CONFLICT, CODE_UNAUTHORIZED, CODE_UNKNOWN_ATTRIBUTE, ErrorCode};
use rtc_stun::message::TransactionId;

use super::stun::{self, BindingKind, BindingView, Integrity, Unknown};

/// How long an authenticated check lets us send (RFC 7675 §5.1).
const CONSENT: Duration = Duration::from_secs(30);
/// Transaction ids remembered to tell a replayed check from a new one; at a check every 2.5 s this is ten minutes. The oldest is
/// forgotten first.
const MAX_TRANSACTIONS: usize = 256;
/// Characters of a user fragment: the place of its transport, and 66 random bits, because it also finds the transport of a first packet.
const UFRAG_CHARS: usize = 12;
/// Characters of a password: 192 random bits; RFC 8445 §5.3 asks for 128.
const PASSWORD_CHARS: usize = 32;
/// The characters that ICE allows (RFC 8839 §5.4), 64 of them.
const ICE_CHARS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A user fragment and its password.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct IceCredentials {
    pub(crate) ufrag: String,
    pub(crate) password: String,
}

/// Where a transport is, of [`MAX_PLACES`]: the first character of its user fragments says it, so that a TCP connection, which all
/// places share a port for, finds the right one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct IcePlace(u8);

/// As many as there are characters.
const MAX_PLACES: usize = ICE_CHARS.len();

impl IcePlace {
    /// `None` beyond the last.
    pub(crate) fn new(index: usize) -> Option<Self> {
        u8::try_from(index).ok().filter(|_| index < MAX_PLACES).map(Self)
    }

    /// The place of the transport that this check is for.
    pub(crate) fn of_check(datagram: &[u8]) -> Option<Self> {
        let first = *stun::username_local_part(datagram)?.as_bytes().first()?;
        Self::new(ICE_CHARS.iter().position(|character| *character == first)?)
    }

    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl IceCredentials {
    /// New random credentials.
    pub(crate) fn generate(provider: &dyn RTCCryptoProvider, place: IcePlace) -> Result<Self, CryptoError> {
        let mut random = [0; UFRAG_CHARS + PASSWORD_CHARS];
        provider.random().fill(&mut random)?;
        random[0] = place.0;
        let mut ufrag: String = random.iter().map(|byte| char::from(ICE_CHARS[usize::from(byte & 63)])).collect();
        let password = ufrag.split_off(UFRAG_CHARS);
        Ok(Self { ufrag, password })
    }
}

/// What a binding request led to.
#[derive(PartialEq, Eq, Debug)]
pub(crate) enum BindingOutcome {
    /// It authenticated. Send `bytes` to where it came from.
    Respond { bytes: Vec<u8>, nomination: Nomination },
    /// It was refused. Send `bytes` to where it came from; never more bytes than came.
    Reject { bytes: Vec<u8> },
    /// Nothing is to be sent.
    Ignore(IgnoredBinding),
}

/// Whether a check asks us to use its path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Nomination {
    /// The path works and is not asked for.
    None,
    /// Use this path from now on.
    Path,
    /// Use this path from now on; with it the ICE restart is done, and this old user fragment of ours is no longer valid.
    Restarted { retired_ufrag: String },
}

/// Why a datagram was neither answered nor refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum IgnoredBinding {
    /// Not well-formed STUN, or its FINGERPRINT is absent or wrong.
    Malformed,
    /// An indication or a response; we send no requests.
    NotARequest,
    /// A known transaction from another address: somebody repeats what they overheard.
    Replayed,
    /// The refusal would be longer than the request.
    NotWorthAnswer,
}

/// One generation of credentials on both sides.
struct Generation {
    local: IceCredentials,
    remote_ufrag: String,
}

/// The ICE side of a transport.
pub(crate) struct IceLite {
    provider: Arc<dyn RTCCryptoProvider>,
    current: Generation,
    /// The one before an ICE restart, until that is done.
    previous: Option<Generation>,
    transactions: VecDeque<(TransactionId, SocketAddr)>,
    last_check: Option<Instant>,
    place: IcePlace,
}

impl IceLite {
    /// Starts with new credentials of our own and the other side's user fragment.
    pub(crate) fn new(provider: Arc<dyn RTCCryptoProvider>, place: IcePlace, remote_ufrag: String) -> Result<Self, CryptoError> {
        let local = IceCredentials::generate(provider.as_ref(), place)?;
        Ok(Self {
            provider,
            current: Generation { local, remote_ufrag },
            previous: None,
            transactions: VecDeque::new(),
            last_check: None,
            place,
        })
    }

    /// Our credentials, to be put into the SDP answer.
    pub(crate) fn local(&self) -> &IceCredentials {
        &self.current.local
    }

    /// The other side's user fragment of the newest generation.
    pub(crate) fn remote_ufrag(&self) -> &str {
        &self.current.remote_ufrag
    }

    /// Every user fragment of ours that is valid now: one, or two during an ICE restart.
    pub(crate) fn ufrags(&self) -> impl Iterator<Item = &str> {
        self.generations().map(|generation| generation.local.ufrag.as_str())
    }

    /// Begins an ICE restart: new credentials on both sides. A restart that was under way is given up, and with it its user fragment.
    pub(crate) fn restart(&mut self, remote_ufrag: String) -> Result<Option<String>, CryptoError> {
        let local = IceCredentials::generate(self.provider.as_ref(), self.place)?;
        let replaced = std::mem::replace(&mut self.current, Generation { local, remote_ufrag });
        if self.previous.is_some() {
            return Ok(Some(replaced.local.ufrag));
        }
        self.previous = Some(replaced);
        Ok(None)
    }

    /// Until when we may send; `None` before the first authenticated check.
    pub(crate) fn consent_deadline(&self) -> Option<Instant> {
        self.last_check.map(|at| at + CONSENT)
    }

    /// Handles a STUN datagram.
    pub(crate) fn handle_binding(&mut self, now: Instant, datagram: &[u8], from: SocketAddr) -> BindingOutcome {
        let Some(view) = BindingView::parse(datagram).filter(BindingView::has_right_fingerprint) else {
            return BindingOutcome::Ignore(IgnoredBinding::Malformed);
        };
        if view.kind != BindingKind::Request {
            return BindingOutcome::Ignore(IgnoredBinding::NotARequest);
        }
        let Some(username) = view.username.filter(|_| view.has_integrity) else {
            return reject(&view, CODE_BAD_REQUEST, None);
        };
        let crypto = self.provider.crypto();
        let Some(generation) = self.generations().find(|generation| generation.is_named(username)) else {
            return reject(&view, CODE_UNAUTHORIZED, None);
        };
        let integrity = Integrity { password: &generation.local.password, crypto };
        if !view.authenticates(integrity.password, crypto) {
            return reject(&view, CODE_UNAUTHORIZED, None);
        }
        if !view.unknown.is_empty() {
            return reject(&view, CODE_UNKNOWN_ATTRIBUTE, Some(integrity));
        }
        if view.is_controlled {
            // A lite agent cannot take the controlling role, whatever the tie-breakers say (RFC 8445 §7.3.1.1).
            return reject(&view, CODE_ROLE_CONFLICT, Some(integrity));
        }
        let Some(bytes) = stun::success(view.transaction(), from, integrity) else {
            return BindingOutcome::Ignore(IgnoredBinding::Malformed);
        };
        let is_current = generation.local.ufrag == self.current.local.ufrag;
        match self.transactions.iter().find(|(id, _)| *id == view.transaction()) {
            Some((_, address)) if *address != from => return BindingOutcome::Ignore(IgnoredBinding::Replayed),
            // Our answer was lost, and the check is answered again. It proves nothing new.
            Some(_) => return BindingOutcome::Respond { bytes, nomination: Nomination::None },
            None => self.remember(view.transaction(), from),
        }
        self.last_check = Some(now);
        BindingOutcome::Respond { bytes, nomination: self.nomination(view.use_candidate.then_some(is_current)) }
    }

    /// `nominated_by_current`: `None` when the check nominates nothing, else whether it uses the newest credentials.
    fn nomination(&mut self, nominated_by_current: Option<bool>) -> Nomination {
        match nominated_by_current {
            None => Nomination::None,
            Some(false) => Nomination::Path,
            Some(true) => match self.previous.take() {
                Some(old) => Nomination::Restarted { retired_ufrag: old.local.ufrag },
                None => Nomination::Path,
            },
        }
    }

    fn remember(&mut self, id: TransactionId, from: SocketAddr) {
        if self.transactions.len() == MAX_TRANSACTIONS {
            self.transactions.pop_front();
        }
        self.transactions.push_back((id, from));
    }

    fn generations(&self) -> impl Iterator<Item = &Generation> {
        [Some(&self.current), self.previous.as_ref()].into_iter().flatten()
    }
}

impl Generation {
    /// Whether a USERNAME is for this generation: our user fragment, a colon, theirs.
    fn is_named(&self, username: &str) -> bool {
        username.split_once(':').is_some_and(|(local, remote)| local == self.local.ufrag && remote == self.remote_ufrag)
    }
}

fn reject(view: &BindingView<'_>, code: ErrorCode, integrity: Option<Integrity<'_>>) -> BindingOutcome {
    let unknown = if code == CODE_UNKNOWN_ATTRIBUTE { view.unknown } else { Unknown::default() };
    match stun::error(view.transaction(), code, unknown, integrity) {
        // Whoever cannot prove who they are must not be able to send more through us to a forged address than they spend.
        Some(bytes) if integrity.is_some() || bytes.len() <= view.len() => BindingOutcome::Reject { bytes },
        _ => BindingOutcome::Ignore(IgnoredBinding::NotWorthAnswer),
    }
}
