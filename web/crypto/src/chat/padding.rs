//! How long a message is, told in steps: to 64·2^n bytes, so that the server learns one of [`BUCKETS`] sizes and no more.
//!
//! Behind the content stands 0x80, then zeros (ISO/IEC 7816-4). There is one padded form of each content: another is refused, since what
//! may be put there unnoticed could carry something.

use zeroize::Zeroizing;

use super::ChatError;

const SMALLEST_BYTES: usize = 64;
/// Doubling the largest costs a message of one line nothing, and the server twice the bytes for the longest.
pub(super) const LARGEST_BYTES: usize = SMALLEST_BYTES << (BUCKETS - 1);
const BUCKETS: usize = 9;
const MARK: u8 = 0x80;

pub(super) fn pad(mut content: Vec<u8>) -> Result<Vec<u8>, ChatError> {
    let padded = bucket(content.len()).ok_or(ChatError::TooLong)?;
    content.push(MARK);
    content.resize(padded, 0);
    Ok(content)
}

/// Leaves of `padded` the content.
pub(super) fn unpad(padded: &mut Zeroizing<Vec<u8>>) -> Result<(), ChatError> {
    let content = padded.iter().rposition(|byte| *byte != 0).ok_or(ChatError::BadPadding)?;
    if padded[content] != MARK || bucket(content) != Some(padded.len()) {
        return Err(ChatError::BadPadding);
    }
    padded.truncate(content);
    Ok(())
}

/// Whether anything is padded to this length.
pub(super) fn is_bucket(length: usize) -> bool {
    length.is_power_of_two() && (SMALLEST_BYTES..=LARGEST_BYTES).contains(&length)
}

/// The smallest with room for the content and its mark.
fn bucket(content: usize) -> Option<usize> {
    let padded = (content + 1).next_power_of_two().max(SMALLEST_BYTES);
    is_bucket(padded).then_some(padded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unpadded(bytes: &[u8]) -> Result<Vec<u8>, ChatError> {
        let mut bytes = Zeroizing::new(bytes.to_vec());
        unpad(&mut bytes)?;
        Ok(bytes.to_vec())
    }

    #[test]
    fn every_length_is_padded_to_the_smallest_bucket_that_holds_it_and_back() {
        assert_eq!(LARGEST_BYTES, 16_384);
        for length in (0..300).chain([511, 512, 8_191, 8_192, LARGEST_BYTES - 1]) {
            // Contents that look like padding too.
            for content in [vec![7; length], vec![0; length], vec![MARK; length]] {
                let padded = pad(content.clone()).unwrap();
                assert!(is_bucket(padded.len()) && padded.len() > length, "{length}");
                assert!(padded.len() == SMALLEST_BYTES || padded.len() / 2 <= length, "{length}");
                assert_eq!(unpadded(&padded), Ok(content), "{length}");
            }
        }
        assert_eq!(pad(vec![0; LARGEST_BYTES]), Err(ChatError::TooLong));
    }

    #[test]
    fn padding_in_another_form_is_refused() {
        let padded = pad(b"one".to_vec()).unwrap();
        for at in 3..padded.len() {
            let mut other = padded.clone();
            other[at] ^= 1;
            assert_eq!(unpadded(&other), Err(ChatError::BadPadding), "{at}");
        }
        let larger = [&padded[..], &[0; 64]].concat();
        for other in [&larger[..], &[0; 64], &[], &padded[..63]] {
            assert_eq!(unpadded(other), Err(ChatError::BadPadding), "{}", other.len());
        }
        assert_eq!(unpadded(&padded), Ok(b"one".to_vec()), "as it was");
    }
}
