//! Requests: who is asking, may they, and the answer. One file for each method.
//!
//! Whoever has proved nothing is answered without state, seldom, and with at most twice the bytes that they sent (`answer_stranger`).

mod allocate;
mod channel_bind;
mod create_permission;
mod refresh;

use std::time::{Duration, Instant};

use super::Turn;
use super::auth::Principal;
use super::batch::Batch;
use super::codec::{TransactionId, method};
use super::counters::{AuthResult, DropReason};
use super::link::{Link, Transport};
use super::sockets::RelaySockets;
use super::table::AllocationKey;
use super::wire::{Answer, Code, Fact, Message, Request, Signature};

/// Bytes of the IP and UDP headers, which a forged datagram costs and an answer costs too.
const IPV4_UDP_BYTES: usize = 28;
const IPV6_UDP_BYTES: usize = 48;

/// An authenticated request on its way through.
pub(super) struct Exchange<'a> {
    pub(super) now: Instant,
    pub(super) link: &'a Link,
    pub(super) principal: &'a Principal,
    pub(super) transaction: TransactionId,
}

impl Turn {
    pub(super) fn handle_request(
        &mut self,
        now: Instant,
        link: &Link,
        message: &Message<'_>,
        sockets: &mut dyn RelaySockets,
        out: &mut Batch,
    ) {
        if message.method == method::BINDING {
            return self.answer_binding(now, link, message, out);
        }
        let unix_s = self.clock.seconds(now);
        let principal = match self.auth.authenticate((now, unix_s), message, (link.remote().ip(), link.listener())) {
            Ok(principal) => principal,
            Err(code) => return self.refuse_stranger(now, link, message, code, out),
        };
        self.counters.authenticated(AuthResult::Accepted);
        let exchange = Exchange { now, link, principal: &principal, transaction: message.transaction() };
        let answer = match Request::read(message) {
            _ if !message.unknown.types().is_empty() => unknown_attributes(message),
            Err(code) => code.into(),
            // A method of the list in `ingress` that is none here cannot be.
            Ok(None | Some(Request::Binding)) => return self.counters.drop(DropReason::NotForServers),
            Ok(Some(Request::Allocate(wish))) => self.allocate(&exchange, wish, sockets),
            Ok(Some(Request::Refresh(wish))) => self.refresh(&exchange, wish, sockets),
            Ok(Some(Request::CreatePermission(peers))) => self.create_permission(&exchange, &peers),
            Ok(Some(Request::ChannelBind { channel, peer })) => self.bind_channel(&exchange, channel, peer),
        };
        self.count_error(&answer);
        let signature = Signature { key: &principal.key, crypto: self.auth.crypto() };
        if let Some(bytes) = answer.write(message.method, message.transaction(), Some(signature), message.has_fingerprint) {
            out.push(link.to(), [&bytes, &[], &[]]);
        }
    }

    /// The allocation of this client, if it is this user's (RFC 8656 §5: 437 and 441).
    fn owned(&mut self, exchange: &Exchange<'_>) -> Result<AllocationKey, Code> {
        let key = self.table.of_link(exchange.link).ok_or(Code::AllocationMismatch)?;
        let allocation =
            self.table.get(key).filter(|allocation| allocation.is_live(exchange.now)).ok_or(Code::AllocationMismatch)?;
        let is_owner = allocation.user == exchange.principal.user && allocation.scope == exchange.principal.scope;
        is_owner.then_some(key).ok_or(Code::WrongCredentials)
    }

    /// The lifetime that is granted: what was wished, not below the default, not above the maximum (RFC 8656 §7.2), and never beyond the
    /// credential.
    fn lifetime(&self, exchange: &Exchange<'_>, wished_s: Option<u32>) -> Duration {
        let limits = &self.config.limits;
        let wished = wished_s.map_or(limits.default_lifetime, |seconds| Duration::from_secs(seconds.into()));
        let granted = wished.clamp(limits.default_lifetime, limits.max_lifetime);
        match exchange.principal.expires_unix_s {
            None => granted,
            Some(ends) => granted.min(Duration::from_secs(ends.saturating_sub(self.clock.seconds(exchange.now)))),
        }
    }

    /// Anybody may ask what their address is (RFC 8489 §2.2).
    fn answer_binding(&mut self, now: Instant, link: &Link, message: &Message<'_>, out: &mut Batch) {
        if !self.admit_stranger(now, link) {
            return;
        }
        let remote = link.remote();
        let mapped = Fact::Mapped((remote.ip().to_canonical(), remote.port()).into());
        let is_understood = message.unknown.types().is_empty();
        let answer = if is_understood { Answer::Success(vec![mapped]) } else { unknown_attributes(message) };
        if self.answer_stranger(link, message, &answer, out) && is_understood {
            self.counters.binding();
        }
    }

    fn refuse_stranger(&mut self, now: Instant, link: &Link, message: &Message<'_>, code: Code, out: &mut Batch) {
        self.counters.authenticated(match code {
            Code::Unauthorized if !message.has_integrity() => AuthResult::Challenged,
            Code::Unauthorized => AuthResult::Refused,
            Code::StaleNonce => AuthResult::StaleNonce,
            _ => AuthResult::Malformed,
        });
        if !self.admit_stranger(now, link) {
            return;
        }
        let is_challenge = matches!(code, Code::Unauthorized | Code::StaleNonce);
        let unix_s = self.clock.seconds(now);
        let challenge = is_challenge.then(|| self.auth.challenge(now, unix_s, (link.remote().ip(), link.listener())));
        if let Some(facts) = challenge.unwrap_or(Some(Vec::new())) {
            self.answer_stranger(link, message, &Answer::Error(code, facts), out);
        }
    }

    /// Whether whoever has proved nothing is answered once more. Asked before any work for the answer.
    fn admit_stranger(&mut self, now: Instant, link: &Link) -> bool {
        let is_admitted = self.strangers.admit(now, link.remote().ip());
        if !is_admitted {
            self.counters.drop(DropReason::StrangerRate);
        }
        is_admitted
    }

    /// Answers whoever has proved nothing, if the answer is no gain for a forger. Whether it went out.
    fn answer_stranger(&mut self, link: &Link, message: &Message<'_>, answer: &Answer, out: &mut Batch) -> bool {
        let Some(bytes) = answer.write(message.method, message.transaction(), None, message.has_fingerprint) else {
            return false;
        };
        let headers = if link.remote().ip().to_canonical().is_ipv4() { IPV4_UDP_BYTES } else { IPV6_UDP_BYTES };
        // The address of a connection is not forged.
        if link.transport() == Transport::Udp && bytes.len() + headers > 2 * (message.len() + headers) {
            self.counters.drop(DropReason::Reflection);
            return false;
        }
        self.count_error(answer);
        out.push(link.to(), [&bytes, &[], &[]]);
        true
    }

    fn count_error(&mut self, answer: &Answer) {
        if let Answer::Error(code, _) = answer {
            self.counters.error(*code);
        }
    }
}

fn unknown_attributes(message: &Message<'_>) -> Answer {
    Answer::Error(Code::UnknownAttribute, vec![Fact::Unknown(message.unknown.types().to_vec())])
}
