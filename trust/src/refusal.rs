//! Why something was refused.

/// The text of [`Refusal::code`] is part of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("not what the format says, or not all of it")]
    Malformed,
    #[error("the version of the format is not known")]
    UnknownVersion,
    #[error("the key is weak, or no key at all")]
    WeakKey,
    #[error("the signature is not of that key over these bytes")]
    BadSignature,
    #[error("it is about another user than it should be")]
    OtherUser,
    #[error("it does not follow what was published before")]
    OutOfOrder,
    #[error("the device was published before: its name and key are used once")]
    DeviceReused,
    #[error("no such device, or it was revoked")]
    UnknownDevice,
    #[error("a user has no more devices than that at once")]
    TooManyDevices,
    #[error("the proof does not lead to that tree head")]
    BadProof,
}

impl Refusal {
    /// Stable; what the API and the client's worker answer with.
    pub fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::UnknownVersion => "unknown_version",
            Self::WeakKey => "weak_key",
            Self::BadSignature => "bad_signature",
            Self::OtherUser => "other_user",
            Self::OutOfOrder => "out_of_order",
            Self::DeviceReused => "device_reused",
            Self::UnknownDevice => "unknown_device",
            Self::TooManyDevices => "too_many_devices",
            Self::BadProof => "bad_proof",
        }
    }
}
