/**
 * SFrame (RFC 9605) with suite 4, AES_128_GCM_SHA256_128: header, key schedule, sealing and opening. Nothing of codecs, tracks or MLS.
 *
 * Numbers are JavaScript's: a KID or counter beyond 2^53 is well-formed in the RFC and cannot be ours, so it is refused like a bad header.
 * The same holds for numbers that are written longer than they need be: one frame has one header.
 */

/** @import { Bytes } from './interface.js' */

import { bigEndian, concat } from './bytes.js';

/** RFC 9605 §4.4.2 and §4.5: suite 4 of its registry. */
const SUITE = 0x0004;
const KEY_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** The largest number that stands in the config byte itself. */
const INLINE_MAX = 7;
/** Bytes of a number that JavaScript counts exactly. */
const NUMBER_MAX_BYTES = 7;
/** 48 bits: nine thousand years of the busiest camera. Behind it nothing is sealed any more. */
export const MAX_COUNTER = 2 ** 48 - 1;

/** @typedef {{ key: CryptoKey, salt: Bytes }} Cipher */
/** @typedef {{ kid: number, counter: number, bytes: Bytes }} Header `bytes`: as they stand in the frame */

/**
 * RFC 9605 §4.3.
 * @param {number} kid
 * @param {number} counter
 * @returns {Header}
 */
export function writeHeader(kid, counter) {
  const [kidFlags, kidBytes] = writeNumber(kid);
  const [counterFlags, counterBytes] = writeNumber(counter);
  return { kid, counter, bytes: concat([[(kidFlags << 4) | counterFlags], kidBytes, counterBytes]) };
}

/**
 * @param {Bytes} sealed
 * @returns {Header | null} null: no header, or nothing that could be a tag behind it
 */
export function readHeader(sealed) {
  const config = sealed[0];
  if (config === undefined) return null;
  const kid = readNumber(sealed, 1, config >> 4);
  if (kid === null) return null;
  const counter = readNumber(sealed, kid.end, config & 0x0f);
  if (counter === null || sealed.length < counter.end + TAG_BYTES) return null;
  return { kid: kid.value, counter: counter.value, bytes: sealed.subarray(0, counter.end) };
}

/**
 * RFC 9605 §4.4.2. The key's number is part of the derivation: each KID has a key of its own.
 * @param {CryptoKey} base an HKDF key
 * @param {number} kid
 * @returns {Promise<Cipher>}
 */
export async function deriveCipher(base, kid) {
  const key = crypto.subtle.deriveKey(derivation('key', kid), base, { name: 'AES-GCM', length: KEY_BYTES * 8 }, false, ['encrypt', 'decrypt']);
  const salt = crypto.subtle.deriveBits(derivation('salt', kid), base, NONCE_BYTES * 8);
  return { key: await key, salt: new Uint8Array(await salt) };
}

/**
 * @param {Cipher} cipher
 * @param {Header} header
 * @param {Bytes} metadata authenticated, and not part of what comes out
 * @param {Bytes} plain
 * @returns {Promise<Bytes>} ciphertext and tag; they belong behind the header
 */
export async function seal(cipher, header, metadata, plain) {
  return new Uint8Array(await crypto.subtle.encrypt(algorithm(cipher, header, metadata), cipher.key, plain));
}

/**
 * @param {Cipher} cipher
 * @param {Header} header that `readHeader` found
 * @param {Bytes} metadata
 * @param {Bytes} sealed from the header on
 * @returns {Promise<ArrayBuffer | null>} null: not sealed under this key, or changed since
 */
export async function open(cipher, header, metadata, sealed) {
  try {
    return await crypto.subtle.decrypt(algorithm(cipher, header, metadata), cipher.key, sealed.subarray(header.bytes.length));
  } catch {
    return null;
  }
}

/**
 * @param {number} value
 * @returns {[flags: number, bytes: Bytes]}
 */
function writeNumber(value) {
  if (value <= INLINE_MAX) return [value, new Uint8Array(0)];
  let width = 1;
  while (value >= 256 ** width) width += 1;
  return [0x08 | (width - 1), bigEndian(value, width)];
}

/**
 * @param {Bytes} from
 * @param {number} at
 * @param {number} flags four bits of the config byte
 * @returns {{ value: number, end: number } | null}
 */
function readNumber(from, at, flags) {
  if ((flags & 0x08) === 0) return { value: flags, end: at };
  const end = at + (flags & INLINE_MAX) + 1;
  if (end > from.length) return null;
  let value = 0;
  for (let index = at; index < end; index += 1) value = value * 256 + (from[index] ?? 0);
  const isShortest = from[at] !== 0 && value > INLINE_MAX;
  return isShortest && end - at <= NUMBER_MAX_BYTES && Number.isSafeInteger(value) ? { value, end } : null;
}

/**
 * @param {'key' | 'salt'} what
 * @param {number} kid
 * @returns {HkdfParams}
 */
function derivation(what, kid) {
  const label = /** @type {Bytes} */ (new TextEncoder().encode(`SFrame 1.0 Secret ${what} `));
  return { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(0), info: concat([label, bigEndian(kid, 8), bigEndian(SUITE, 2)]) };
}

/**
 * @param {Cipher} cipher
 * @param {Header} header
 * @param {Bytes} metadata
 * @returns {AesGcmParams}
 */
function algorithm({ salt }, header, metadata) {
  const iv = bigEndian(header.counter, NONCE_BYTES);
  for (let index = 0; index < NONCE_BYTES; index += 1) iv[index] = (iv[index] ?? 0) ^ (salt[index] ?? 0);
  return { name: 'AES-GCM', iv, additionalData: concat([header.bytes, metadata]), tagLength: TAG_BYTES * 8 };
}
