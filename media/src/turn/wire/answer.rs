//! What is answered, as types, and how it becomes a message (RFC 8489 §6.3, RFC 8656 §7.2 and following).
//!
//! Answers to whoever has proved nothing carry no reason phrase, no SOFTWARE and no integrity: they may go to a forged address, so they
//! are to be small.

use std::net::SocketAddr;

use super::request::Family;
use crate::turn::codec::{Crypto, Key, TransactionId, Writer, attribute};

/// The class bits of a success response (RFC 8489 §5).
const SUCCESS: u16 = 0x0100;
/// The class bits of an error response.
const ERROR: u16 = 0x0110;

/// Why a request was refused (RFC 8489 §14.8, RFC 8656 §19, RFC 8016).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Code {
    /// 400.
    BadRequest,
    /// 401.
    Unauthorized,
    /// 403.
    Forbidden,
    /// 405.
    MobilityForbidden,
    /// 420.
    UnknownAttribute,
    /// 437.
    AllocationMismatch,
    /// 438.
    StaleNonce,
    /// 440.
    UnsupportedFamily,
    /// 441.
    WrongCredentials,
    /// 442.
    UnsupportedTransport,
    /// 443.
    FamilyMismatch,
    /// 486.
    QuotaReached,
    /// 508.
    InsufficientCapacity,
}

impl Code {
    /// All codes, in the order of their numbers.
    pub const ALL: [Self; 13] = [
        Self::BadRequest,
        Self::Unauthorized,
        Self::Forbidden,
        Self::MobilityForbidden,
        Self::UnknownAttribute,
        Self::AllocationMismatch,
        Self::StaleNonce,
        Self::UnsupportedFamily,
        Self::WrongCredentials,
        Self::UnsupportedTransport,
        Self::FamilyMismatch,
        Self::QuotaReached,
        Self::InsufficientCapacity,
    ];

    /// The number on the wire.
    pub fn number(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::MobilityForbidden => 405,
            Self::UnknownAttribute => 420,
            Self::AllocationMismatch => 437,
            Self::StaleNonce => 438,
            Self::UnsupportedFamily => 440,
            Self::WrongCredentials => 441,
            Self::UnsupportedTransport => 442,
            Self::FamilyMismatch => 443,
            Self::QuotaReached => 486,
            Self::InsufficientCapacity => 508,
        }
    }
}

/// One thing that an answer says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::turn) enum Fact {
    /// XOR-MAPPED-ADDRESS: where the request came from.
    Mapped(SocketAddr),
    /// XOR-RELAYED-ADDRESS: where peers send to.
    Relayed(SocketAddr),
    /// LIFETIME, in seconds.
    Lifetime(u32),
    /// RESERVATION-TOKEN.
    Reservation([u8; 8]),
    /// ADDRESS-ERROR-CODE: the family that was wished for too and could not be had.
    NoAddress(Family, Code),
    /// REALM.
    Realm(Box<str>),
    /// NONCE.
    Nonce(Vec<u8>),
    /// UNKNOWN-ATTRIBUTES.
    Unknown(Vec<u16>),
}

/// An answer to one request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::turn) enum Answer {
    Success(Vec<Fact>),
    Error(Code, Vec<Fact>),
}

impl From<Code> for Answer {
    fn from(code: Code) -> Self {
        Self::Error(code, Vec::new())
    }
}

/// With what an answer is signed.
#[derive(Clone, Copy)]
pub(in crate::turn) struct Signature<'a> {
    pub(in crate::turn) key: &'a Key,
    pub(in crate::turn) crypto: &'a Crypto,
}

impl Answer {
    /// Writes the message; `None` when it cannot be signed.
    pub(in crate::turn) fn write(
        &self,
        method: u16,
        id: TransactionId,
        signature: Option<Signature<'_>>,
        has_fingerprint: bool,
    ) -> Option<Vec<u8>> {
        let (class, facts) = match self {
            Self::Success(facts) => (SUCCESS, facts),
            Self::Error(_, facts) => (ERROR, facts),
        };
        let mut writer = Writer::new(kind(method, class), id);
        if let Self::Error(code, _) = self {
            writer.attribute(attribute::ERROR_CODE, &error_code(0, *code));
        }
        for fact in facts {
            fact.write(&mut writer);
        }
        if let Some(Signature { key, crypto }) = signature
            && !writer.integrity(key, crypto)
        {
            return None;
        }
        if has_fingerprint {
            writer.fingerprint();
        }
        Some(writer.finish())
    }
}

impl Fact {
    fn write(&self, writer: &mut Writer) {
        match self {
            Self::Mapped(address) => writer.address(attribute::XOR_MAPPED_ADDRESS, *address),
            Self::Relayed(address) => writer.address(attribute::XOR_RELAYED_ADDRESS, *address),
            Self::Lifetime(seconds) => writer.attribute(attribute::LIFETIME, &seconds.to_be_bytes()),
            Self::Reservation(token) => writer.attribute(attribute::RESERVATION_TOKEN, token),
            Self::NoAddress(family, code) => writer.attribute(attribute::ADDRESS_ERROR_CODE, &error_code(family.number(), *code)),
            Self::Realm(realm) => writer.attribute(attribute::REALM, realm.as_bytes()),
            Self::Nonce(nonce) => writer.attribute(attribute::NONCE, nonce),
            Self::Unknown(types) => {
                let bytes: Vec<u8> = types.iter().flat_map(|kind| kind.to_be_bytes()).collect();
                writer.attribute(attribute::UNKNOWN_ATTRIBUTES, &bytes);
            }
        }
    }
}

/// The value of ERROR-CODE, and with a family that of ADDRESS-ERROR-CODE (RFC 8656 §18.12).
fn error_code(family: u8, code: Code) -> [u8; 4] {
    let number = code.number();
    [family, 0, (number / 100) as u8, (number % 100) as u8]
}

/// Method and class, interleaved (RFC 8489 §5).
fn kind(method: u16, class: u16) -> u16 {
    method & 0x000f | (method & 0x0070) << 1 | (method & 0x0f80) << 2 | class
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::turn::wire::{Class, Message};

    #[test]
    fn every_code_has_a_number_of_its_own_and_the_list_is_whole_and_in_order() {
        assert!(Code::ALL.windows(2).all(|pair| pair[0].number() < pair[1].number()));
        assert!(Code::ALL.iter().enumerate().all(|(at, code)| *code as usize == at));
    }

    #[test]
    fn an_answer_reads_as_its_method_and_class() {
        let crypto = Crypto::new().unwrap();
        let answer = Answer::Error(Code::QuotaReached, vec![Fact::Realm("r".into()), Fact::Unknown(vec![0x1a, 0x30])]);
        let signature = Signature { key: &[1; 16], crypto: &crypto };
        let bytes = answer.write(0x008, [4; 12], Some(signature), true).unwrap();
        let message = Message::read(&bytes).unwrap();
        assert_eq!((message.class, message.method, message.transaction()), (Class::Error, 8, [4; 12]));
        assert_eq!(message.attribute(attribute::ERROR_CODE), Some(&[0, 0, 4, 86][..]));
        assert!(message.is_signed_with(&[1; 16], &crypto) && !message.is_signed_with(&[2; 16], &crypto));
        assert!(message.has_fingerprint);
    }
}
