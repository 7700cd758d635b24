//! A minimal controlling ICE agent with one remote candidate, for synthetic participants in tests and in the benchmark. It checks,
//! nominates with every check as libwebrtc does towards an ICE-lite server, and keeps the consent fresh (RFC 7675).
//!
//! Sans-IO like its counterpart `ice.rs`; not used by the server itself.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rtc_crypto::{CryptoError, RTCCryptoProvider};
use rtc_stun::attributes::{ATTR_ICE_CONTROLLING, ATTR_PRIORITY, ATTR_USE_CANDIDATE, RawAttribute};
use rtc_stun::message::{Setter, TransactionId};

use super::ice::{IceCredentials, IcePlace};
use super::stun::{self, BindingKind, BindingView, Integrity};

/// Between checks until the first succeeds.
const FIRST_CHECKS: Duration = Duration::from_millis(50);
/// Between checks afterwards.
const CONSENT_CHECKS: Duration = Duration::from_millis(2_500);
/// Checks under way that a response is matched with; the oldest is given up first.
const MAX_PENDING: usize = 16;
/// The priority of a host candidate (RFC 8445 §5.1.2.1), as a peer-reflexive one would have it.
const PRIORITY: u32 = 110 << 24 | 0xff_ffff;

/// The ICE side of a synthetic participant.
pub(crate) struct IceClient {
    provider: Arc<dyn RTCCryptoProvider>,
    local: IceCredentials,
    remote: IceCredentials,
    pending: VecDeque<(TransactionId, Instant)>,
    next_check: Instant,
    confirmed: Option<Confirmed>,
}

/// A check that succeeded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Confirmed {
    /// When the answer came.
    pub(crate) at: Instant,
    /// How long it took.
    pub(crate) round_trip: Duration,
    /// Our address as the server sees it.
    pub(crate) mapped: SocketAddr,
}

impl IceClient {
    /// Starts checking at once: call [`Self::handle_timeout`].
    pub(crate) fn new(now: Instant, provider: Arc<dyn RTCCryptoProvider>, remote: IceCredentials) -> Result<Self, CryptoError> {
        let local = IceCredentials::generate(provider.as_ref(), IcePlace::default())?;
        Ok(Self { provider, local, remote, pending: VecDeque::new(), next_check: now, confirmed: None })
    }

    /// Our credentials, to be put into the offer.
    pub(crate) fn local(&self) -> &IceCredentials {
        &self.local
    }

    /// Makes the server's credentials known once its answer is there.
    pub(crate) fn set_remote(&mut self, remote: IceCredentials) {
        self.remote = remote;
    }

    /// Restarts ICE with new credentials on both sides.
    pub(crate) fn restart(&mut self, now: Instant, remote: IceCredentials) -> Result<(), CryptoError> {
        *self = Self::new(now, Arc::clone(&self.provider), remote)?;
        Ok(())
    }

    /// Checks at once, as a browser does when its network has changed.
    pub(crate) fn check_now(&mut self, now: Instant) {
        self.next_check = now;
    }

    /// When [`Self::handle_timeout`] is to be called.
    pub(crate) fn poll_timeout(&self) -> Instant {
        self.next_check
    }

    /// Sends a check when one is due.
    pub(crate) fn handle_timeout(&mut self, now: Instant, out: &mut impl FnMut(&[u8])) {
        if now < self.next_check {
            return;
        }
        self.next_check = now + if self.confirmed.is_some() { CONSENT_CHECKS } else { FIRST_CHECKS };
        let mut id = TransactionId::default();
        if self.provider.random().fill(&mut id.0).is_err() {
            return;
        }
        if let Some(bytes) = self.check(id) {
            if self.pending.len() == MAX_PENDING {
                self.pending.pop_front();
            }
            self.pending.push_back((id, now));
            out(&bytes);
        }
    }

    /// Handles a STUN datagram; returns whether it confirms the path.
    pub(crate) fn handle_datagram(&mut self, now: Instant, datagram: &[u8]) -> Option<Confirmed> {
        let view = BindingView::parse(datagram).filter(BindingView::has_right_fingerprint)?;
        let at = self.pending.iter().position(|(id, _)| *id == view.transaction())?;
        if view.kind != BindingKind::Success || !view.authenticates(&self.remote.password, self.provider.crypto()) {
            return None;
        }
        let (_, sent) = self.pending.remove(at)?;
        let mapped = view.mapped_address()?;
        self.confirmed = Some(Confirmed { at: now, round_trip: now.saturating_duration_since(sent), mapped });
        self.confirmed
    }

    /// Answers a check of a server that is no lite agent. `None` for what is no check, or not for us.
    pub(crate) fn answer(&self, datagram: &[u8], server: SocketAddr) -> Option<Vec<u8>> {
        let view = BindingView::parse(datagram).filter(BindingView::has_right_fingerprint)?;
        let integrity = Integrity { password: &self.local.password, crypto: self.provider.crypto() };
        if view.kind != BindingKind::Request || !view.authenticates(integrity.password, integrity.crypto) {
            return None;
        }
        stun::success(view.transaction(), server, integrity)
    }

    fn check(&self, id: TransactionId) -> Option<Vec<u8>> {
        let attribute = |typ, value: &[u8]| RawAttribute { typ, length: 0, value: value.to_vec() };
        // The tie-breaker never decides anything against a lite agent.
        let controlling = attribute(ATTR_ICE_CONTROLLING, &[0; 8]);
        let priority = attribute(ATTR_PRIORITY, &PRIORITY.to_be_bytes());
        let use_candidate = attribute(ATTR_USE_CANDIDATE, &[]);
        let attributes: [&dyn Setter; 3] = [&controlling, &priority, &use_candidate];
        let username = format!("{}:{}", self.remote.ufrag, self.local.ufrag);
        stun::check(id, username, &attributes, Integrity { password: &self.remote.password, crypto: self.provider.crypto() })
    }
}
