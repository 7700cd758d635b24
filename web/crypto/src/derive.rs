//! Keys from keys (HKDF-SHA256, RFC 5869), and the labels that keep every use of bytes apart from every other: what is derived, signed,
//! hashed or authenticated for one purpose begins with that purpose's label. T5 of the threat model.

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

/// What bytes are for. The labels of `webcall_trust` have the same form, so that they are apart from these too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    MessageKey,
    MessageSignature,
    FileChunk,
    ArchiveSegment,
    IdentityKey,
    Unlocker,
    UnlockerProof,
    RecoveryCode,
    RecoveryChecksum,
    Passphrase,
    Passkey,
    Fingerprint,
    CallEmoji,
    Handover,
    HandoverKey,
    RemovedProof,
    LinkSecret,
    LinkKey,
}

impl Purpose {
    /// Ends with a zero byte, which is nowhere else in it: none is the beginning of another.
    pub(crate) const fn label(self) -> &'static [u8] {
        match self {
            Self::MessageKey => b"WebCall 1 message key\0",
            Self::MessageSignature => b"WebCall 1 message\0",
            Self::FileChunk => b"WebCall 1 file chunk\0",
            Self::ArchiveSegment => b"WebCall 1 archive segment\0",
            Self::IdentityKey => b"WebCall 1 identity key\0",
            Self::Unlocker => b"WebCall 1 unlocker\0",
            Self::UnlockerProof => b"WebCall 1 unlocker proof\0",
            Self::RecoveryCode => b"WebCall 1 recovery code\0",
            Self::RecoveryChecksum => b"WebCall 1 recovery checksum\0",
            Self::Passphrase => b"WebCall 1 passphrase\0",
            Self::Passkey => b"WebCall 1 passkey\0",
            Self::Fingerprint => b"WebCall 1 fingerprint\0",
            Self::CallEmoji => b"WebCall 1 call emoji\0",
            Self::Handover => b"WebCall 1 handover\0",
            Self::HandoverKey => b"WebCall 1 handover key\0",
            Self::RemovedProof => b"WebCall 1 removed unlockers\0",
            Self::LinkSecret => b"WebCall 1 link secret\0",
            Self::LinkKey => b"WebCall 1 link key\0",
        }
    }
}

/// `N` bytes, at most 8,160. `context` is hashed end to end: its parts need fixed lengths.
pub(crate) fn derive<const N: usize>(purpose: Purpose, salt: &[u8], secret: &[u8], context: &[&[u8]]) -> Zeroizing<[u8; N]> {
    let mut bytes = Zeroizing::new([0; N]);
    let info: Vec<&[u8]> = std::iter::once(purpose.label()).chain(context.iter().copied()).collect();
    let derived = Hkdf::<Sha256>::new(Some(salt), secret).expand_multi_info(&info, bytes.as_mut_slice());
    derived.expect("a constant below 255 times 32");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Purpose; 18] = [
        Purpose::MessageKey,
        Purpose::MessageSignature,
        Purpose::FileChunk,
        Purpose::ArchiveSegment,
        Purpose::IdentityKey,
        Purpose::Unlocker,
        Purpose::UnlockerProof,
        Purpose::RecoveryCode,
        Purpose::RecoveryChecksum,
        Purpose::Passphrase,
        Purpose::Passkey,
        Purpose::Fingerprint,
        Purpose::CallEmoji,
        Purpose::Handover,
        Purpose::HandoverKey,
        Purpose::RemovedProof,
        Purpose::LinkSecret,
        Purpose::LinkKey,
    ];

    #[test]
    fn t5_no_label_is_another_one_or_its_beginning() {
        use webcall_trust::Statement;
        let of_trust = [
            webcall_trust::IdentityClaim::LABEL,
            webcall_trust::DeviceCertificate::LABEL,
            webcall_trust::Revocation::LABEL,
            webcall_trust::TreeHead::LABEL,
            webcall_trust::Invitation::LABEL,
            webcall_trust::Acceptance::LABEL,
        ];
        let labels = ALL.map(|purpose| purpose.label().to_vec()).into_iter();
        let labels: Vec<_> = labels.chain(of_trust.map(|label| format!("WebCall 1 {label}\0").into_bytes())).collect();
        for (at, one) in labels.iter().enumerate() {
            assert_eq!(one.iter().position(|byte| *byte == 0), Some(one.len() - 1), "{at}");
            assert!(labels.iter().enumerate().all(|(other_at, other)| at == other_at || !other.starts_with(one)), "{at}");
            // RFC 9420 §5.1.2: what MLS signs with the same key has its own label from the second or third byte on.
            assert!(!one[1..].starts_with(b"MLS 1.0 ") && !one[2..].starts_with(b"MLS 1.0 "));
        }
    }

    #[test]
    fn t5_one_secret_gives_unlike_keys_for_unlike_purposes_and_contexts() {
        let keys: Vec<[u8; 32]> = ALL.iter().map(|purpose| *derive(*purpose, &[], &[7; 32], &[b"a"])).collect();
        assert!(keys.iter().enumerate().all(|(at, key)| !keys[at + 1..].contains(key)));
        assert_ne!(*derive::<32>(ALL[0], &[], &[7; 32], &[b"b"]), keys[0]);
        assert_ne!(*derive::<32>(ALL[0], &[1], &[7; 32], &[b"a"]), keys[0]);
        assert_eq!(*derive::<32>(ALL[0], &[], &[7; 32], &[b"a"]), keys[0], "the same gives the same");
    }

    /// RFC 5869 A.3 has neither salt nor info; with a label its output is computed from the definition here.
    #[test]
    fn what_is_derived_is_what_the_standard_says() {
        use hkdf::hmac::{Hmac, Mac};
        let hmac = |key: &[u8], parts: &[&[u8]]| -> [u8; 32] {
            let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
            parts.iter().for_each(|part| mac.update(part));
            mac.finalize().into_bytes().into()
        };
        let pseudo_random = hmac(b"salt", &[b"secret"]);
        let expected = hmac(&pseudo_random, &[Purpose::Passkey.label(), b"one", b"two", &[1]]);
        assert_eq!(*derive::<32>(Purpose::Passkey, b"salt", b"secret", &[b"one", b"two"]), expected);
    }
}
