//! What the server knows of a group between two commits, as bytes: the entries of a `PublicGroup` of openmls, which has no secrets.
//! It is read back as it was written. A group made anew from its GroupInfo and tree would refuse leaves whose key package has expired
//! since, and with them every commit of a group in which somebody has been away for long.

use std::collections::BTreeMap;

use openmls::prelude::{OpenMlsProvider, PublicGroup};
use openmls_rust_crypto::OpenMlsRustCrypto;
use webcall_trust::mls::GroupId;

/// The entries of a storage that holds one public group, each key and value with its length before it (32 bits, big-endian).
pub(super) fn write(provider: &OpenMlsRustCrypto) -> Vec<u8> {
    let values = provider.storage().values.read().expect("nobody panics while holding it");
    let sorted: BTreeMap<_, _> = values.iter().collect();
    let mut bytes = Vec::new();
    for part in sorted.into_iter().flat_map(|(key, value)| [key, value]) {
        let length = u32::try_from(part.len()).expect("a group has fewer than 4 GB");
        bytes.extend(length.to_be_bytes());
        bytes.extend(part);
    }
    bytes
}

/// The group with the storage that holds it; `None` for what [`write`] did not write.
pub(super) fn read(mut bytes: &[u8], id: GroupId) -> Option<(PublicGroup, OpenMlsRustCrypto)> {
    let provider = OpenMlsRustCrypto::default();
    {
        let mut values = provider.storage().values.write().expect("nobody panics while holding it");
        while !bytes.is_empty() {
            let (key, value) = (part(&mut bytes)?, part(&mut bytes)?);
            values.insert(key, value);
        }
    }
    let group = PublicGroup::load(provider.storage(), &id.to_mls()).ok()??;
    Some((group, provider))
}

fn part(bytes: &mut &[u8]) -> Option<Vec<u8>> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (part, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    *bytes = rest;
    Some(part.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_state_are_no_group() {
        let id = GroupId::room([1; 16]);
        for bytes in [&[][..], &[0], &[0, 0, 0, 1], &[0, 0, 0, 1, 7, 255, 255, 255, 255, 1], &[0, 0, 0, 1, 7, 0, 0, 0, 1, 7]] {
            assert!(read(bytes, id).is_none(), "{bytes:?}");
        }
    }
}
