//! What a message says, before it is sealed: in the presentation language of TLS, every field of one length but the last, so that each body
//! has one form.
//!
//! `kind u8 | at u64 | previous 32 | seen 32 | head size u64 | head root 32 | length u16 | content`

use std::fmt;
use std::io::{Read, Write};

use tls_codec::{Deserialize, Error, Serialize, Size, TlsByteVecU16, TlsDeserialize, TlsSerialize, TlsSize};
use webcall_trust::Hash;
use zeroize::Zeroizing;

use super::ChatError;

/// With the other fields and the signature it just fits the largest bucket of the padding.
pub const MAX_CONTENT_BYTES: usize = 16_000;

/// Public for those who read what was opened; sealed by [`super::OwnThread`].
#[derive(Debug, Clone, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserialize)]
pub struct Body {
    /// What the content is (a text, an edit, a reaction, …). Its numbers are the client's affair.
    pub kind: u8,
    /// Milliseconds since 1970, by the sender's clock.
    pub at_ms: u64,
    /// Of the envelope that the sender's device sent to this room before ([`super::Opened::hash`]); zeros for its first.
    pub previous: Hash,
    /// Of the newest envelope of this room that the sender knew, of anybody; zeros for none.
    pub seen: Hash,
    pub head: Head,
    pub content: Content,
}

/// The newest head of the log of keys that the sender knew. If the server shows two logs, the first message from one side to the other
/// tells (T4): the receiver asks for a proof that one head leads to the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserialize)]
pub struct Head {
    pub size: u64,
    pub root: Hash,
}

/// Up to [`MAX_CONTENT_BYTES`]; opaque here. What the client writes into it is hostile input to the one who opens it.
#[derive(Clone, PartialEq, Eq)]
pub struct Content(Zeroizing<Vec<u8>>);

impl Content {
    pub fn new(bytes: Vec<u8>) -> Result<Self, ChatError> {
        if bytes.len() <= MAX_CONTENT_BYTES { Ok(Self(Zeroizing::new(bytes))) } else { Err(ChatError::TooLong) }
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Content({} bytes)", self.0.len())
    }
}

impl Size for Content {
    fn tls_serialized_len(&self) -> usize {
        2 + self.0.len()
    }
}

impl Serialize for Content {
    fn tls_serialize<W: Write>(&self, writer: &mut W) -> Result<usize, Error> {
        let length = u16::try_from(self.0.len()).map_err(|_| Error::InvalidVectorLength)?;
        length.tls_serialize(writer)?;
        writer.write_all(&self.0)?;
        Ok(self.tls_serialized_len())
    }
}

impl Deserialize for Content {
    fn tls_deserialize<R: Read>(bytes: &mut R) -> Result<Self, Error> {
        let bytes = TlsByteVecU16::tls_deserialize(bytes)?.into_vec();
        Self::new(bytes).map_err(|_| Error::InvalidVectorLength)
    }
}

impl Body {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        self.tls_serialize_detached().expect("writing to memory, of lengths that fit")
    }

    /// Reads all of `bytes`.
    pub(super) fn from_bytes(mut bytes: &[u8]) -> Result<Self, ChatError> {
        let body = Self::tls_deserialize(&mut bytes).map_err(|_| ChatError::Malformed)?;
        if bytes.is_empty() { Ok(body) } else { Err(ChatError::Malformed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(content: usize) -> Body {
        let head = Head { size: 9, root: [3; 32] };
        let content = Content::new(vec![b'x'; content]).expect("short enough");
        Body { kind: 1, at_ms: 2, previous: [1; 32], seen: [2; 32], head, content }
    }

    #[test]
    fn a_body_has_one_form() {
        for length in [0, 1, 300, MAX_CONTENT_BYTES] {
            let bytes = body(length).to_bytes();
            assert_eq!(bytes.len(), 115 + length);
            assert_eq!(Body::from_bytes(&bytes), Ok(body(length)));
            assert_eq!(Body::from_bytes(&bytes[..bytes.len() - 1]), Err(ChatError::Malformed));
            assert_eq!(Body::from_bytes(&[&bytes[..], &[0]].concat()), Err(ChatError::Malformed));
        }
        assert_eq!(Content::new(vec![0; MAX_CONTENT_BYTES + 1]), Err(ChatError::TooLong));
        let mut longer = body(MAX_CONTENT_BYTES).to_bytes();
        let length = u16::try_from(MAX_CONTENT_BYTES + 1).unwrap().to_be_bytes();
        longer[113..115].copy_from_slice(&length);
        longer.push(b'x');
        assert_eq!(Body::from_bytes(&longer), Err(ChatError::Malformed), "longer than a sender may write");
    }

    #[test]
    fn t25_a_body_does_not_show_what_it_says() {
        assert!(!format!("{:?}", body(300)).contains("120"));
    }
}
