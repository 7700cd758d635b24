//! For tests: a ciphertext that AES-256-GCM opens under two keys (Dodis, Grubbs, Ristenpart and Woodage, "Fast Message Franking: From
//! Invisible Salamanders to Encryptment", CRYPTO 2018). GHASH is a polynomial over GF(2^128) whose coefficients are the blocks; one block
//! left free is the unknown of the linear equation "both keys give the same tag".

use aes_gcm::{AeadInPlace, Aes256Gcm, KeyInit};

use crate::gcm;

/// A ciphertext with tag, of as many bytes as `plaintext` (whole blocks), that opens under both keys with the zero nonce. Under `first` it
/// opens to `plaintext` but for the block number `free`, which falls out as it must.
pub(crate) fn for_both(first: &[u8; 32], second: &[u8; 32], associated: &[u8], plaintext: &[u8], free: usize) -> Vec<u8> {
    assert!(plaintext.len().is_multiple_of(16), "whole blocks");
    let mut ciphertext = gcm::seal(first, &gcm::ZERO_NONCE, associated, plaintext.to_vec());
    ciphertext.truncate(plaintext.len());
    ciphertext[free * 16..][..16].fill(0);
    // With the free block zero the tags differ by `missing`; the block is multiplied by H^power in each.
    let missing = tag(first, associated, &ciphertext) ^ tag(second, associated, &ciphertext);
    let power = ciphertext.len() / 16 - free + 1;
    let factor = raise(hash_key(first), power) ^ raise(hash_key(second), power);
    let block = multiply(missing, invert(factor));
    ciphertext[free * 16..][..16].copy_from_slice(&block.to_be_bytes());
    let tag = tag(first, associated, &ciphertext);
    ciphertext.extend_from_slice(&tag.to_be_bytes());
    ciphertext
}

/// The tag that belongs to a ciphertext: counter mode is its own inverse, so sealing what it opens to gives it again.
fn tag(key: &[u8; 32], associated: &[u8], ciphertext: &[u8]) -> u128 {
    let cipher = Aes256Gcm::new(key.into());
    let nonce = gcm::ZERO_NONCE;
    let mut buffer = ciphertext.to_vec();
    cipher.encrypt_in_place_detached((&nonce).into(), associated, &mut buffer).expect("short");
    let tag = cipher.encrypt_in_place_detached((&nonce).into(), associated, &mut buffer).expect("short");
    u128::from_be_bytes(tag.into())
}

/// H = AES(0), which the crate does not tell. The tag of nothing is AES(J0) alone; with one zero block of associated data only the block of
/// lengths is added to it, times H.
fn hash_key(key: &[u8; 32]) -> u128 {
    let mask = tag(key, &[], &[]);
    let lengths = 128u128 << 64;
    multiply(tag(key, &[0; 16], &[]) ^ mask, invert(lengths))
}

/// SP 800-38D §6.3: bits from the left, x^128 + x^7 + x^2 + x + 1.
fn multiply(x: u128, y: u128) -> u128 {
    let (mut product, mut shifted) = (0, y);
    for bit in (0..128).rev() {
        if x >> bit & 1 == 1 {
            product ^= shifted;
        }
        shifted = (shifted >> 1) ^ if shifted & 1 == 1 { 0xe1 << 120 } else { 0 };
    }
    product
}

fn raise(x: u128, power: usize) -> u128 {
    (0..power).fold(1 << 127, |product, _| multiply(product, x))
}

/// x^(2^128 - 2).
fn invert(x: u128) -> u128 {
    assert_ne!(x, 0, "zero has no inverse");
    let (mut inverse, mut square) = (1 << 127, x);
    for _ in 1..128 {
        square = multiply(square, square);
        inverse = multiply(inverse, square);
    }
    inverse
}

#[test]
fn the_field_is_a_field() {
    let (x, y) = (0x0123_4567_89ab_cdef_0011_2233_4455_6677, 0x8899_aabb_ccdd_eeff_fedc_ba98_7654_3210);
    assert_eq!(multiply(x, 1 << 127), x, "one");
    assert_eq!(multiply(x, y), multiply(y, x));
    assert_eq!(multiply(multiply(x, y), invert(y)), x);
    // AES-256 of a zero block under a zero key (NIST SP 800-38D, test case 13 of the GCM specification).
    assert_eq!(hash_key(&[0; 32]), 0xdc95_c078_a240_8989_ad48_a214_9284_2087);
}
