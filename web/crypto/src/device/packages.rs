//! Key packages (RFC 9420 §10): by each of the one-time ones a device can be added to one group; the last resort is for when they have run
//! out, and may serve several times. Private parts are kept until they have been used, have expired, or are told to be forgotten.

use openmls::prelude::tls_codec::Serialize as _;
use openmls::prelude::{KeyPackage, Lifetime, MlsMessageOut};
use openmls_traits::OpenMlsProvider;
use sha2::{Digest, Sha256};
use tls_codec::{TlsDeserialize, TlsSerialize, TlsSize};
use webcall_trust::mls;

use super::Device;
use crate::Fault;
use crate::provider::{Entry, Provider};

/// What a device keeps at once: a stock of 100 at the server, as many that were just claimed, and last resorts.
pub const MAX_PACKAGES: usize = 256;

/// For how long a new one is good, in seconds.
const LIFE_S: u64 = 182 * 86_400;
/// By as much may this device's clock be ahead of the server's and the members'.
const SKEW_S: u64 = 86_400;

/// The server keeps a welcome for so long.
const WELCOMES_WAIT_S: u64 = 90 * 86_400;

/// SHA-256 of the key package as it was published.
pub type PackageName = [u8; 32];

/// The private part of one key package.
#[derive(Debug, Clone, TlsSize, TlsSerialize, TlsDeserialize)]
pub(crate) struct Package {
    name: PackageName,
    /// openmls's name for it (RFC 9420 §5.2), by which welcomes call it.
    reference: tls_codec::VLBytes,
    last_resort: u8,
    not_after_s: u64,
    entries: Vec<Entry>,
}

impl Package {
    pub(crate) fn name(&self) -> PackageName {
        self.name
    }

    pub(crate) fn is_called(&self, reference: &[u8]) -> bool {
        self.reference.as_slice() == reference
    }

    /// A place for openmls with nothing in it but this.
    pub(crate) fn provider(&self) -> Provider {
        Provider::of(self.entries.clone())
    }
}

impl Device {
    /// New ones to be published, each at most [`mls::MAX_KEY_PACKAGE_BYTES`]. To be kept with [`Device::save`] before they are. For them the
    /// oldest go where the stock is full; more than [`MAX_PACKAGES`] at once is [`Fault::Full`].
    pub fn make_key_packages(&mut self, count: usize) -> Result<Vec<Vec<u8>>, Fault> {
        self.room_for(count)?;
        (0..count).map(|_| self.make(Use::Once)).collect()
    }

    /// A new last resort; the one before it stays usable until it is forgotten.
    pub fn make_last_resort(&mut self) -> Result<Vec<u8>, Fault> {
        self.room_for(1)?;
        self.make(Use::LastResort)
    }

    /// One-time ones first, from the oldest on: a welcome to them that still comes will not open, but a stock that is full for ever lets
    /// nobody add this device any more. Last resorts only where there is nothing else.
    fn room_for(&mut self, count: usize) -> Result<(), Fault> {
        let left = MAX_PACKAGES.checked_sub(count).ok_or(Fault::Full)?;
        while self.packages.len() > left {
            let oldest = self.packages.iter().position(|package| package.last_resort == 0).unwrap_or(0);
            self.packages.remove(oldest);
        }
        Ok(())
    }

    fn make(&mut self, usage: Use) -> Result<Vec<u8>, Fault> {
        let provider = Provider::default();
        let builder = KeyPackage::builder().leaf_node_capabilities(mls::capabilities()).key_package_lifetime(life());
        let builder = match usage {
            Use::Once => builder,
            Use::LastResort => builder.mark_as_last_resort(),
        };
        let bundle = builder.build(mls::SUITE, &provider, self.key(), self.credential()).map_err(|_| Fault::Library)?;
        let package = bundle.key_package();
        let reference = package.hash_ref(provider.crypto()).map_err(|_| Fault::Library)?;
        let bytes = MlsMessageOut::from(package.clone()).tls_serialize_detached().map_err(|_| Fault::Library)?;
        self.packages.push(Package {
            name: Sha256::digest(&bytes).into(),
            reference: reference.as_slice().into(),
            last_resort: u8::from(package.last_resort()),
            not_after_s: package.life_time().not_after(),
            entries: provider.entries(),
        });
        Ok(bytes)
    }

    /// What is kept, and whether it is a last resort.
    pub fn key_packages(&self) -> impl Iterator<Item = (PackageName, bool)> {
        self.packages.iter().map(|package| (package.name, package.last_resort != 0))
    }

    /// A welcome was opened with it: a one-time package is gone for good.
    pub fn used(&mut self, name: PackageName) {
        self.packages.retain(|package| package.name != name || package.last_resort != 0);
    }

    /// Nobody will use it any more: the server was told to forget it too.
    pub fn forget(&mut self, name: PackageName) -> Result<(), Fault> {
        let before = self.packages.len();
        self.packages.retain(|package| package.name != name);
        if self.packages.len() < before { Ok(()) } else { Err(Fault::UnknownPackage) }
    }

    /// Those that nobody may use any more, once no welcome to them waits with the server either.
    pub fn forget_expired(&mut self, now_s: u64) {
        self.packages.retain(|package| package.not_after_s.saturating_add(WELCOMES_WAIT_S) > now_s);
    }
}

/// openmls knows this machine's clock.
fn life() -> Lifetime {
    let from_now = Lifetime::new(LIFE_S);
    Lifetime::init(from_now.not_before().saturating_sub(SKEW_S), from_now.not_after())
}

#[derive(Clone, Copy)]
enum Use {
    Once,
    LastResort,
}
