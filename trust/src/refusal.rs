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
    #[error("another kind of message is wanted here")]
    WireFormat,
    #[error("it is longer than allowed")]
    TooLarge,
    #[error("the key package does not verify, or it has expired")]
    KeyPackage,
    #[error("another version of MLS, or another suite")]
    Suite,
    #[error("the leaf is not of the device that its certificate names")]
    Credential,
    #[error("the leaf does not know what all must know, or claims too much")]
    Capabilities,
    #[error("the key package lives longer than allowed")]
    Lifetime,
    #[error("the group has extensions in its context, which none may have")]
    ContextExtensions,
    #[error("a proposal that no commit may carry here, or from somebody who may not")]
    Proposal,
    #[error("its user does not vouch for the device")]
    NotVouched,
    #[error("the user is known under another identity")]
    IdentityChanged,
    #[error("nothing lets this device in")]
    Uninvited,
    #[error("the device still counts, and only its user may take it out")]
    StillMember,
    #[error("the stay in the call is another participant's, or it was changed")]
    OtherParticipant,
    #[error("a group has no more devices, and a commit adds no more, than that")]
    TooManyMembers,
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
            Self::WireFormat => "wire_format",
            Self::TooLarge => "too_large",
            Self::KeyPackage => "key_package",
            Self::Suite => "suite",
            Self::Credential => "credential",
            Self::Capabilities => "capabilities",
            Self::Lifetime => "lifetime",
            Self::ContextExtensions => "context_extensions",
            Self::Proposal => "proposal",
            Self::NotVouched => "not_vouched",
            Self::IdentityChanged => "identity_changed",
            Self::Uninvited => "uninvited",
            Self::StillMember => "still_member",
            Self::OtherParticipant => "other_participant",
            Self::TooManyMembers => "too_many_members",
        }
    }
}
