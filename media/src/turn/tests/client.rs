//! A client of the tests: it writes and reads by the messages of `rtc-stun`, not by what the engine uses.

use std::net::SocketAddr;

use rtc_crypto::RTCCryptoProvider;
use rtc_stun::attributes::AttrType;
use rtc_stun::fingerprint::FINGERPRINT;
use rtc_stun::integrity::MessageIntegrity;
use rtc_stun::message::{Message, MessageType, Setter, TransactionId};
use rtc_stun::xoraddr::XorMappedAddress;

use super::net::{Net, SECRET, UNIX_S};
use crate::turn::{Link, Scope, Secret, issue_credential};

pub(super) const BINDING: u16 = 0x0001;
pub(super) const ALLOCATE: u16 = 0x0003;
pub(super) const REFRESH: u16 = 0x0004;
pub(super) const CREATE_PERMISSION: u16 = 0x0008;
pub(super) const CHANNEL_BIND: u16 = 0x0009;
const SEND_INDICATION: u16 = 0x0016;
pub(super) const DATA_INDICATION: u16 = 0x0017;

pub(super) const USERNAME: u16 = 0x0006;
pub(super) const INTEGRITY: u16 = 0x0008;
pub(super) const ERROR_CODE: u16 = 0x0009;
pub(super) const UNKNOWN_ATTRIBUTES: u16 = 0x000a;
pub(super) const CHANNEL_NUMBER: u16 = 0x000c;
pub(super) const LIFETIME: u16 = 0x000d;
pub(super) const XOR_PEER: u16 = 0x0012;
pub(super) const DATA: u16 = 0x0013;
pub(super) const REALM: u16 = 0x0014;
pub(super) const NONCE: u16 = 0x0015;
pub(super) const XOR_RELAYED: u16 = 0x0016;
pub(super) const FAMILY: u16 = 0x0017;
pub(super) const EVEN_PORT: u16 = 0x0018;
pub(super) const TRANSPORT: u16 = 0x0019;
pub(super) const DONT_FRAGMENT: u16 = 0x001a;
pub(super) const XOR_MAPPED: u16 = 0x0020;
pub(super) const TOKEN: u16 = 0x0022;
pub(super) const ADDITIONAL_FAMILY: u16 = 0x8000;
pub(super) const ADDRESS_ERROR: u16 = 0x8001;

pub(super) fn provider() -> std::sync::Arc<dyn RTCCryptoProvider> {
    rtc_crypto::default_provider().unwrap()
}

/// An attribute of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum At {
    Raw(u16, Vec<u8>),
    /// XOR-PEER-ADDRESS, which depends on the transaction.
    Peer(SocketAddr),
}

/// REQUESTED-TRANSPORT for UDP.
pub(super) fn udp_transport() -> At {
    At::Raw(TRANSPORT, vec![17, 0, 0, 0])
}

pub(super) fn lifetime(seconds: u32) -> At {
    At::Raw(LIFETIME, seconds.to_be_bytes().to_vec())
}

pub(super) fn family(number: u8) -> At {
    At::Raw(FAMILY, vec![number, 0, 0, 0])
}

pub(super) fn channel(number: u16) -> At {
    At::Raw(CHANNEL_NUMBER, [&number.to_be_bytes()[..], &[0, 0]].concat())
}

pub(super) struct Client {
    pub(super) link: Link,
    pub(super) username: String,
    pub(super) password: String,
    pub(super) realm: String,
    pub(super) nonce: Option<Vec<u8>>,
    pub(super) transactions: u64,
}

/// An answer, read by `rtc-stun`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Reply {
    /// The error code; `None` for success.
    pub(super) code: Option<u16>,
    pub(super) attributes: Vec<(u16, Vec<u8>)>,
    pub(super) is_signed: bool,
    pub(super) bytes: usize,
    id: [u8; 12],
}

impl Client {
    /// The user with a password.
    pub(super) fn bob(link: Link) -> Self {
        Self::named(link, "bob", "builder")
    }

    /// The holder of a time-limited credential.
    pub(super) fn issued(link: Link, id: &str, scope: Scope, lifetime_s: u64) -> Self {
        let credential = issue_credential(&Secret::new(SECRET), id, scope, UNIX_S + lifetime_s).unwrap();
        Self::named(link, &credential.username, &credential.password)
    }

    pub(super) fn named(link: Link, username: &str, password: &str) -> Self {
        let (username, password) = (username.to_owned(), password.to_owned());
        Self { link, username, password, realm: "webcall".to_owned(), nonce: None, transactions: 0 }
    }

    /// An allocation, with the relayed address of it.
    pub(super) fn allocated(mut self, net: &mut Net) -> (Self, SocketAddr) {
        let reply = self.allocate(net, &[]);
        (self, reply.address(XOR_RELAYED).expect("an allocation"))
    }

    pub(super) fn allocate(&mut self, net: &mut Net, attributes: &[At]) -> Reply {
        net.ask(self, ALLOCATE, &[&[udp_transport()], attributes].concat())
    }

    pub(super) fn refresh(&mut self, net: &mut Net, seconds: u32) -> Reply {
        net.ask(self, REFRESH, &[lifetime(seconds)])
    }

    /// Permissions for peers: `None` when they are granted, else the error.
    pub(super) fn permit(&mut self, net: &mut Net, peers: &[SocketAddr]) -> Option<u16> {
        let peers: Vec<_> = peers.iter().copied().map(At::Peer).collect();
        net.ask(self, CREATE_PERMISSION, &peers).code
    }

    pub(super) fn bind(&mut self, net: &mut Net, number: u16, peer: SocketAddr) -> Option<u16> {
        net.ask(self, CHANNEL_BIND, &[channel(number), At::Peer(peer)]).code
    }

    pub(super) fn indicate(&mut self, peer: SocketAddr, payload: &[u8]) -> Vec<u8> {
        self.transactions += 1;
        message(SEND_INDICATION, self.id(), &[At::Peer(peer), At::Raw(DATA, payload.to_vec())]).raw
    }

    /// A request with credentials, as good as the nonce that is known.
    pub(super) fn signed(&mut self, method: u16, attributes: &[At]) -> Vec<u8> {
        let Some(nonce) = self.nonce.clone() else { return self.unsigned(method, attributes) };
        self.signed_with(method, attributes, &nonce)
    }

    pub(super) fn unsigned(&mut self, method: u16, attributes: &[At]) -> Vec<u8> {
        self.transactions += 1;
        self.message(method, attributes).raw
    }

    fn signed_with(&mut self, method: u16, attributes: &[At], nonce: &[u8]) -> Vec<u8> {
        self.transactions += 1;
        self.repeated(method, attributes, nonce)
    }

    /// The same transaction once more.
    pub(super) fn repeated(&self, method: u16, attributes: &[At], nonce: &[u8]) -> Vec<u8> {
        let credentials = [
            At::Raw(USERNAME, self.username.clone().into_bytes()),
            At::Raw(REALM, self.realm.clone().into_bytes()),
            At::Raw(NONCE, nonce.to_vec()),
        ];
        let mut message = self.message(method, &[attributes, &credentials].concat());
        let provider = provider();
        let integrity = MessageIntegrity::new_long_term_integrity_with_provider(
            self.username.clone(),
            self.realm.clone(),
            self.password.clone(),
            provider.crypto(),
        );
        integrity.unwrap().add_to(&mut message).unwrap();
        message.raw
    }

    fn message(&self, method: u16, attributes: &[At]) -> Message {
        message(method, self.id(), attributes)
    }

    /// Keeps the nonce of a refusal; false when it has none.
    pub(super) fn learn(&mut self, reply: &Reply) -> bool {
        let is_new = reply.get(NONCE).is_some_and(|nonce| self.nonce.as_deref() != Some(nonce));
        self.nonce = reply.get(NONCE).map(<[u8]>::to_vec).or(self.nonce.take());
        is_new
    }

    pub(super) fn id(&self) -> TransactionId {
        let mut id = [0x5a; 12];
        id[4..].copy_from_slice(&self.transactions.to_be_bytes());
        TransactionId(id)
    }
}

pub(super) fn message(kind: u16, id: TransactionId, attributes: &[At]) -> Message {
    let mut message = Message::new();
    let mut typ = MessageType::default();
    typ.read_value(kind);
    message.typ = typ;
    message.transaction_id = id;
    message.write_header();
    for attribute in attributes {
        match attribute {
            At::Raw(kind, value) => message.add(AttrType(*kind), value),
            At::Peer(peer) => {
                XorMappedAddress { ip: peer.ip(), port: peer.port() }.add_to_as(&mut message, AttrType(XOR_PEER)).unwrap();
            }
        }
    }
    message
}

/// The same message with a FINGERPRINT at its end.
pub(super) fn with_fingerprint(bytes: &[u8]) -> Vec<u8> {
    let mut message = Message::new();
    message.unmarshal_binary(bytes).unwrap();
    FINGERPRINT.add_to(&mut message).unwrap();
    message.raw
}

impl Reply {
    pub(super) fn read(bytes: &[u8], client: &Client) -> Self {
        let mut message = Message::new();
        message.unmarshal_binary(bytes).expect("the answer is STUN");
        let id = message.transaction_id.0;
        let is_success = message.typ.value() & 0x0110 == 0x0100;
        let attributes: Vec<_> = message.attributes.0.iter().map(|each| (each.typ.0, each.value.clone())).collect();
        let code = attributes
            .iter()
            .find(|(kind, _)| *kind == ERROR_CODE)
            .map(|(_, value)| u16::from(value[2]) * 100 + u16::from(value[3]));
        assert_eq!(is_success, code.is_none());
        let provider = provider();
        let key = MessageIntegrity::long_term_integrity_key(
            client.username.clone(),
            client.realm.clone(),
            client.password.clone(),
            provider.crypto(),
        );
        let is_signed = MessageIntegrity::check(&mut message, &key.unwrap(), provider.crypto()).is_ok();
        assert!(is_signed || !attributes.iter().any(|(kind, _)| *kind == INTEGRITY), "signed with another key");
        Self { code, attributes, is_signed, bytes: bytes.len(), id }
    }

    pub(super) fn get(&self, kind: u16) -> Option<&[u8]> {
        self.attributes.iter().find(|(each, _)| *each == kind).map(|(_, value)| &value[..])
    }

    pub(super) fn seconds(&self) -> Option<u32> {
        self.get(LIFETIME).map(|value| u32::from_be_bytes(value.try_into().unwrap()))
    }

    pub(super) fn address(&self, kind: u16) -> Option<SocketAddr> {
        self.addresses(kind).first().copied()
    }

    pub(super) fn addresses(&self, kind: u16) -> Vec<SocketAddr> {
        let values = self.attributes.iter().filter(|(each, _)| *each == kind);
        values.map(|(_, value)| read_xored(value, self.id)).collect()
    }
}

/// Reads a XORed address by the code of `rtc-stun`.
fn read_xored(value: &[u8], id: [u8; 12]) -> SocketAddr {
    let mut message = message(BINDING, TransactionId(id), &[At::Raw(XOR_MAPPED, value.to_vec())]);
    let raw = std::mem::take(&mut message.raw);
    message.unmarshal_binary(&raw).unwrap();
    let mut address = XorMappedAddress::default();
    address.get_from_as(&message, AttrType(XOR_MAPPED)).unwrap();
    SocketAddr::new(address.ip, address.port)
}

/// What a Data indication carries: the peer and its payload.
pub(super) fn read_data(bytes: &[u8]) -> (SocketAddr, Vec<u8>) {
    let mut message = Message::new();
    message.unmarshal_binary(bytes).expect("a Data indication");
    assert_eq!(message.typ.value(), DATA_INDICATION);
    let value = |kind| message.attributes.get(AttrType(kind)).0.value;
    (read_xored(&value(XOR_PEER), message.transaction_id.0), value(DATA))
}

/// ChannelData, padded or not.
pub(super) fn channel_data(number: u16, payload: &[u8], pad: usize) -> Vec<u8> {
    let mut bytes = [&number.to_be_bytes()[..], &(payload.len() as u16).to_be_bytes(), payload].concat();
    bytes.resize(bytes.len() + pad, 0);
    bytes
}
