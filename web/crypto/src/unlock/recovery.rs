//! A recovery code: 128 random bits for paper, in Crockford's base 32 (no I, L, O, U), seven groups of four. The last 12 of its 140
//! bits are a checksum, so that a slip of the pen is told from a wrong code before anything is tried.

use std::fmt;

use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::UnlockError;
use crate::derive::Purpose;
use crate::random;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CODE_BYTES: usize = 16;
const SYMBOLS: usize = 28;
const GROUP: usize = 4;
/// With whatever people write between the groups.
const MAX_TEXT_BYTES: usize = 256;

#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct RecoveryCode([u8; CODE_BYTES]);

impl RecoveryCode {
    pub fn random() -> Self {
        Self(random::bytes())
    }

    pub fn new(bytes: [u8; CODE_BYTES]) -> Self {
        Self(bytes)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// `XXXX-XXXX-XXXX-XXXX-XXXX-XXXX-XXXX`
    pub fn to_text(&self) -> Zeroizing<String> {
        let bits = self.with_checksum();
        let mut text = Zeroizing::new(String::with_capacity(SYMBOLS + SYMBOLS / GROUP));
        for symbol in 0..SYMBOLS {
            if symbol > 0 && symbol.is_multiple_of(GROUP) {
                text.push('-');
            }
            let value = (0..5).fold(0, |value, bit| value << 1 | bit_at(bits.as_slice(), symbol * 5 + bit));
            text.push(char::from(ALPHABET[usize::from(value)]));
        }
        text
    }

    /// Takes O for 0, I and L for 1, small letters, and any spaces and hyphens.
    pub fn parse(text: &str) -> Result<Self, UnlockError> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(UnlockError::CodeLength);
        }
        let mut bits = Zeroizing::new([0u8; CODE_BYTES + 2]);
        let mut symbols = 0;
        for character in text.chars().filter(|character| !is_between(*character)) {
            let value = value_of(character).ok_or(UnlockError::CodeCharacter)?;
            if symbols == SYMBOLS {
                return Err(UnlockError::CodeLength);
            }
            for bit in 0..5 {
                let at = symbols * 5 + bit;
                bits[at / 8] |= (value >> (4 - bit) & 1) << (7 - at % 8);
            }
            symbols += 1;
        }
        if symbols != SYMBOLS {
            return Err(UnlockError::CodeLength);
        }
        let (code, _) = bits.split_first_chunk().expect("longer than the code");
        let code = Self(*code);
        if code.with_checksum() == bits { Ok(code) } else { Err(UnlockError::CodeMistyped) }
    }

    /// The code, 12 bits of the checksum, and 4 zeros.
    fn with_checksum(&self) -> Zeroizing<[u8; CODE_BYTES + 2]> {
        let digest = Sha256::new().chain_update(Purpose::RecoveryChecksum.label()).chain_update(self.0).finalize();
        let mut bits = Zeroizing::new([0; CODE_BYTES + 2]);
        bits[..CODE_BYTES].copy_from_slice(&self.0);
        bits[CODE_BYTES] = digest[0];
        bits[CODE_BYTES + 1] = digest[1] & 0xf0;
        bits
    }
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode(secret)")
    }
}

fn bit_at(bytes: &[u8], bit: usize) -> u8 {
    bytes[bit / 8] >> (7 - bit % 8) & 1
}

/// Phones and word processors make other hyphens of hyphens.
fn is_between(character: char) -> bool {
    character.is_whitespace() || matches!(character, '-' | '\u{2010}'..='\u{2015}' | '_' | '.')
}

fn value_of(character: char) -> Option<u8> {
    let symbol = match character.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let value = ALPHABET.iter().position(|known| char::from(*known) == symbol)?;
    u8::try_from(value).ok()
}
