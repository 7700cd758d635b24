//! What members tell each other in the group itself: keys of archives, for one. Chat has envelopes of its own.

use openmls::group::{ProcessMessageError, ValidationError};
use openmls::prelude::{ProcessedMessageContent, Sender};
use webcall_trust::mls::{self, MAX_APPLICATION_BYTES};
use webcall_trust::{Certificate, Refusal};
use zeroize::Zeroizing;

use super::{Group, bytes_of};
use crate::{Device, Fault};

/// A message that opened.
pub struct Received {
    pub epoch: u64,
    /// Of the sender, in that epoch.
    pub leaf: u32,
    pub sender: Certificate,
    pub plaintext: Zeroizing<Vec<u8>>,
}

impl Group {
    /// At most [`MAX_APPLICATION_BYTES`]. To be kept with [`Group::save`] before it is sent: it uses up a key.
    pub fn encrypt(&mut self, device: &Device, plaintext: &[u8]) -> Result<Vec<u8>, Fault> {
        self.member()?;
        if plaintext.len() > MAX_APPLICATION_BYTES {
            return Err(Refusal::TooLarge.into());
        }
        let message = self.mls.create_message(&self.provider, device.key(), plaintext).map_err(|_| Fault::Library)?;
        Ok(bytes_of(&message)?.into())
    }

    /// Of this epoch or one of the last few; each opens once.
    pub fn decrypt(&mut self, message: &[u8]) -> Result<Received, Fault> {
        self.member()?;
        let (id, message) = mls::application(message)?;
        if id != self.id {
            return Err(Fault::OtherGroup);
        }
        let processed = self.mls.process_message(&self.provider, message).map_err(|error| match error {
            ProcessMessageError::ValidationError(ValidationError::WrongEpoch) => Fault::MissingCommits,
            _ => Fault::BadMessage,
        })?;
        let Sender::Member(leaf) = *processed.sender() else { return Err(Fault::BadMessage) };
        let (epoch, leaf) = (processed.epoch().as_u64(), leaf.u32());
        let sender = Certificate::checked(processed.credential().serialized_content())?;
        match processed.into_content() {
            ProcessedMessageContent::ApplicationMessage(message) => {
                Ok(Received { epoch, leaf, sender, plaintext: Zeroizing::new(message.into_bytes()) })
            }
            ProcessedMessageContent::OwnPrivateMessage => Err(Fault::OwnMessage),
            _ => Err(Fault::BadMessage),
        }
    }
}
