//! Header extensions in the one-byte and the two-byte form (RFC 8285 §4.2, §4.3), and the one value that the SFU reads often:
//! the audio level (RFC 6464).
//!
//! Called for each inbound packet, so it walks borrowed bytes and stops at the first inconsistency; what came before it stands.

/// The `defined by profile` value of the one-byte form.
pub(super) const ONE_BYTE_PROFILE: u16 = 0xbede;
/// The two-byte form uses 0x1000 to 0x100f; the low four bits are the application's.
const TWO_BYTE_PROFILE: u16 = 0x1000;

/// One extension element: its negotiated id and its bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Extension<'a> {
    /// The id of the `a=extmap` line.
    pub(crate) id: u8,
    /// The value.
    pub(crate) value: &'a [u8],
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    OneByte,
    TwoByte,
}

/// The extension elements of a packet, in the order of the wire.
#[derive(Clone, Debug)]
pub(crate) struct Extensions<'a> {
    form: Form,
    rest: &'a [u8],
}

impl<'a> Extensions<'a> {
    /// The elements of an extension block, without its four-byte head. An unknown profile has none.
    pub(crate) fn new(profile: u16, block: &'a [u8]) -> Self {
        match profile {
            ONE_BYTE_PROFILE => Self { form: Form::OneByte, rest: block },
            _ if profile & 0xfff0 == TWO_BYTE_PROFILE => Self { form: Form::TwoByte, rest: block },
            _ => Self { form: Form::OneByte, rest: &[] },
        }
    }

    /// The elements of a packet without extension.
    pub(crate) fn none() -> Self {
        Self { form: Form::OneByte, rest: &[] }
    }

    /// The value of the first element with this id.
    pub(crate) fn find(mut self, id: u8) -> Option<&'a [u8]> {
        self.find_map(|extension| (extension.id == id).then_some(extension.value))
    }

    fn next_one_byte(&mut self) -> Option<Extension<'a>> {
        loop {
            let (&head, rest) = self.rest.split_first()?;
            let (id, len) = (head >> 4, usize::from(head & 0x0f) + 1);
            match id {
                0 if head == 0 => self.rest = rest,
                0 | 15 => return self.stop(),
                _ => return self.take(id, len, rest),
            }
        }
    }

    fn next_two_byte(&mut self) -> Option<Extension<'a>> {
        loop {
            let (&id, rest) = self.rest.split_first()?;
            if id == 0 {
                self.rest = rest;
                continue;
            }
            let Some((&len, rest)) = rest.split_first() else { return self.stop() };
            return self.take(id, usize::from(len), rest);
        }
    }

    fn take(&mut self, id: u8, len: usize, rest: &'a [u8]) -> Option<Extension<'a>> {
        let Some((value, rest)) = rest.split_at_checked(len) else { return self.stop() };
        self.rest = rest;
        Some(Extension { id, value })
    }

    fn stop(&mut self) -> Option<Extension<'a>> {
        self.rest = &[];
        None
    }
}

impl<'a> Iterator for Extensions<'a> {
    type Item = Extension<'a>;

    fn next(&mut self) -> Option<Extension<'a>> {
        match self.form {
            Form::OneByte => self.next_one_byte(),
            Form::TwoByte => self.next_two_byte(),
        }
    }
}

/// How loud an audio packet is (RFC 6464 §3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct AudioLevel {
    /// Whether the sender's detector heard a voice.
    pub(crate) voice: bool,
    /// Attenuation below the loudest possible, in dB: 0 is the loudest, 127 is silence.
    pub(crate) below_full_db: u8,
}

impl AudioLevel {
    /// Reads the value of the extension `urn:ietf:params:rtp-hdrext:ssrc-audio-level`.
    pub(crate) fn parse(value: &[u8]) -> Option<Self> {
        let &byte = value.first()?;
        Some(Self { voice: byte & 0x80 != 0, below_full_db: byte & 0x7f })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn collect(profile: u16, block: &[u8]) -> Vec<(u8, Vec<u8>)> {
        Extensions::new(profile, block).map(|extension| (extension.id, extension.value.to_vec())).collect()
    }

    #[test]
    fn one_byte_elements_are_read_past_padding() {
        let block = [0x10, 0xaa, 0, 0, 0x32, 1, 2, 3];
        assert_eq!(collect(0xbede, &block), [(1, vec![0xaa]), (3, vec![1, 2, 3])]);
    }

    #[test]
    fn two_byte_elements_may_be_empty_and_have_large_ids() {
        let block = [1, 0, 200, 2, 9, 8, 0, 15, 1, 7];
        assert_eq!(collect(0x1000, &block), [(1, vec![]), (200, vec![9, 8]), (15, vec![7])]);
        assert_eq!(collect(0x100f, &block).len(), 3, "the application bits do not matter");
    }

    #[test]
    fn id_15_and_a_padding_with_length_end_the_one_byte_form() {
        assert_eq!(collect(0xbede, &[0x10, 1, 0xf0, 2, 0x20, 3]), [(1, vec![1])]);
        assert_eq!(collect(0xbede, &[0x10, 1, 0x01, 2, 0x20, 3]), [(1, vec![1])]);
    }

    #[test]
    fn an_element_that_runs_over_the_end_is_not_given_and_ends_the_walk() {
        assert_eq!(collect(0xbede, &[0x10, 1, 0x23, 2, 3]), [(1, vec![1])]);
        assert_eq!(collect(0x1000, &[1, 1, 7, 2, 9, 1]), [(1, vec![7])]);
        assert_eq!(collect(0x1000, &[1]), []);
    }

    #[test]
    fn an_unknown_profile_has_no_elements() {
        assert_eq!(collect(0x1234, &[0x10, 1]), []);
        assert_eq!(Extensions::none().count(), 0);
    }

    #[test]
    fn find_gives_the_first_of_equal_ids() {
        assert_eq!(Extensions::new(0xbede, &[0x10, 1, 0x10, 2]).find(1), Some(&[1_u8][..]));
        assert_eq!(Extensions::new(0xbede, &[0x10, 1]).find(2), None);
    }

    #[test]
    fn an_audio_level_is_a_flag_and_seven_bits() {
        assert_eq!(AudioLevel::parse(&[0x80 | 30]), Some(AudioLevel { voice: true, below_full_db: 30 }));
        assert_eq!(AudioLevel::parse(&[127]), Some(AudioLevel { voice: false, below_full_db: 127 }));
        assert_eq!(AudioLevel::parse(&[1, 2, 3]), Some(AudioLevel { voice: false, below_full_db: 1 }), "the two-byte form pads");
        assert_eq!(AudioLevel::parse(&[]), None);
    }

    proptest! {
        #[test]
        fn the_elements_of_any_block_lie_within_it(profile: u16, block: Vec<u8>) {
            for profile in [profile, 0xbede, 0x1000 | (profile & 15)] {
                let total: usize = Extensions::new(profile, &block).map(|extension| extension.value.len() + 1).sum();
                prop_assert!(total <= block.len());
            }
        }
    }
}
