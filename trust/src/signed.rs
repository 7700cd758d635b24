//! Statements with a signature. What is signed begins with the statement's own label, so that no bytes mean two things.

use ed25519_dalek::{Signature, Signer, SigningKey};
use tls_codec::{Deserialize, Serialize, Size, TlsDeserialize, TlsSerialize, TlsSize};

use crate::{PublicKey, Refusal};

/// What can be signed.
pub trait Statement: Size + Serialize + Deserialize {
    /// Unlike every other one.
    const LABEL: &'static str;
    /// Whose signature it needs.
    fn signer(&self) -> PublicKey;
    /// What must hold besides the signature.
    fn check(&self) -> Result<(), Refusal> {
        Ok(())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserialize)]
pub struct Signed<T: Size + Serialize + Deserialize> {
    statement: T,
    signature: [u8; 64],
}

impl<T: Statement> Signed<T> {
    pub fn sign(statement: T, key: &SigningKey) -> Self {
        let signature = key.sign(&labelled(&statement)).to_bytes();
        Self { statement, signature }
    }

    /// What came in two parts, checked: whoever reads it knows the statement already, and only the signature was sent.
    pub fn assembled(statement: T, signature: [u8; 64]) -> Result<Self, Refusal> {
        let signed = Self { statement, signature };
        signed.check()?;
        Ok(signed)
    }

    /// Reads all of `bytes` and checks it.
    pub fn checked(mut bytes: &[u8]) -> Result<Self, Refusal> {
        let signed = Self::tls_deserialize(&mut bytes).map_err(|_| Refusal::Malformed)?;
        if !bytes.is_empty() {
            return Err(Refusal::Malformed);
        }
        signed.check()?;
        Ok(signed)
    }

    /// Whether it may be believed that the signer said so. Strict (RFC 8032 §5.1.7, cofactorless, no small order): one form, one verdict,
    /// on every implementation of ours.
    pub fn check(&self) -> Result<(), Refusal> {
        self.statement.check()?;
        let key = self.statement.signer().checked()?;
        key.verify_strict(&labelled(&self.statement), &Signature::from_bytes(&self.signature)).map_err(|_| Refusal::BadSignature)
    }

    pub fn statement(&self) -> &T {
        &self.statement
    }

    pub fn signature(&self) -> [u8; 64] {
        self.signature
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        self.tls_serialize_detached().expect("writing to memory, of a fixed size")
    }
}

fn labelled<T: Statement>(statement: &T) -> Vec<u8> {
    let mut bytes = format!("WebCall 1 {}\0", T::LABEL).into_bytes();
    statement.tls_serialize(&mut bytes).expect("writing to memory, of a fixed size");
    bytes
}
