//! Keys of 32 bytes, each kind a type of its own: one cannot be taken for another. Wiped when dropped, compared in constant time, and not
//! shown by `Debug`.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::random;

macro_rules! secret {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Zeroize, ZeroizeOnDrop)]
        pub struct $name([u8; 32]);

        impl $name {
            pub fn new(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            pub fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(secret)"))
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.0.ct_eq(&other.0).into()
            }
        }

        impl Eq for $name {}
    };
}

secret! {
    /// The chat key of one epoch of one room's group, as its MLS exporter gives it (RFC 9420 §8.5).
    EpochKey
}
secret! {
    /// A user's master key: under it lie the archive of epoch keys and the identity's private key. Opened by an unlocker.
    MasterKey
}
secret! {
    /// Seals one file, once.
    FileKey
}

impl MasterKey {
    pub fn random() -> Self {
        Self(random::bytes())
    }
}

impl FileKey {
    pub fn random() -> Self {
        Self(random::bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_shows_nothing_of_itself() {
        assert_eq!(format!("{:?} {:?}", EpochKey::new([7; 32]), MasterKey::random()), "EpochKey(secret) MasterKey(secret)");
        assert_ne!(FileKey::random(), FileKey::random());
    }
}
