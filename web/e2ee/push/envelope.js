/**
 * A sealed message, opened by WebCrypto alone: where a push wakes the service worker, there is no WebAssembly and no state of the group. The format is
 * that of `web/crypto/src/chat/envelope.rs`, and so are the checks and their order: who, the commitment to the key, the tag, the padding, the
 * signature. What a message's place in the log says (gaps, repetitions) is the page's to judge. Pure.
 */

/** @import { Opening } from './interface.js' */

import { equal, utf8, uuidOf } from './bytes.js';

const VERSION = 1;
const SUITE = 1;
/** `version | suite | room 16 | epoch u64 | leaf u32 | device 16 | message 16 | commitment 32 | length u32`, big-endian. */
const AT = { room: 2, epoch: 18, leaf: 26, device: 30, message: 46, commitment: 62, length: 94, ciphertext: 98 };
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const SMALLEST_BYTES = 64;
const LARGEST_BYTES = 16_384;
/** Behind the content of a padded message; zeros follow. */
const MARK = 0x80;
/** Before the content of a body: `kind u8 | at u64 | previous 32 | seen 32 | head size u64 | head root 32 | length u16`. */
const BODY = { kind: 0, length: 113, content: 115 };
const KEY_LABEL = utf8('WebCall 1 message key\0');
const SIGNATURE_LABEL = utf8('WebCall 1 message\0');
/** The key is of one message. */
const NONCE = new Uint8Array(12);

/** @typedef {{ room: string, epoch: number, leaf: number, device: Uint8Array<ArrayBuffer>, message: Uint8Array<ArrayBuffer>, commitment: Uint8Array<ArrayBuffer>, header: Uint8Array<ArrayBuffer>, ciphertext: Uint8Array<ArrayBuffer> }} Envelope */

/**
 * What an envelope claims.
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @returns {Envelope | null} null: it is none
 */
export function parseEnvelope(bytes) {
  if (bytes.length < AT.ciphertext + TAG_BYTES || bytes[0] !== VERSION || bytes[1] !== SUITE) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [header, ciphertext] = [bytes.subarray(0, AT.ciphertext), bytes.subarray(AT.ciphertext)];
  const epoch = Number(view.getBigUint64(AT.epoch));
  if (view.getUint32(AT.length) !== ciphertext.length || !isBucket(ciphertext.length - TAG_BYTES) || !Number.isSafeInteger(epoch)) return null;
  const part = (/** @type {number} */ from, /** @type {number} */ to) => bytes.subarray(from, to);
  return {
    room: uuidOf(part(AT.room, AT.epoch)), epoch, leaf: view.getUint32(AT.leaf), device: part(AT.device, AT.message),
    message: part(AT.message, AT.commitment), commitment: part(AT.commitment, AT.length), header, ciphertext,
  };
}

/**
 * @param {Envelope} envelope
 * @param {Opening} opening of the room, which the caller found by what the envelope claims
 * @returns {Promise<{ user: string, kind: number, content: Uint8Array<ArrayBuffer> } | null>} who wrote it and what; null: it is not what it says to be
 */
export async function openEnvelope(envelope, { room, epoch, key, members }) {
  const sender = members.find(({ leaf }) => leaf === envelope.leaf);
  if (envelope.room !== room || envelope.epoch !== epoch || !sender || !equal(sender.device, envelope.device)) return null;
  const plaintext = await decrypt(envelope, key);
  const length = plaintext && contentLength(plaintext);
  if (plaintext === null || length === null || length < SIGNATURE_BYTES) return null;
  const [body, signature] = [plaintext.subarray(0, length - SIGNATURE_BYTES), plaintext.subarray(length - SIGNATURE_BYTES, length)];
  if (!(await isSigned(envelope.header, body, signature, sender.deviceKey))) return null;
  const content = contentOf(body);
  return content && { user: sender.user, kind: body[BODY.kind] ?? 0, content };
}

/** @param {Envelope} envelope @param {CryptoKey} key of the epoch @returns {Promise<Uint8Array<ArrayBuffer> | null>} padded */
async function decrypt({ device, message, commitment, header, ciphertext }, key) {
  const info = new Uint8Array([...KEY_LABEL, ...device, ...message]);
  const both = new Uint8Array(await crypto.subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info }, key, 2 * KEY_BYTES * 8));
  // The key and the commitment to it are halves of one output: neither can be chosen for the other.
  if (!equal(both.subarray(KEY_BYTES), commitment)) return null;
  try {
    const messageKey = await crypto.subtle.importKey('raw', both.subarray(0, KEY_BYTES), 'AES-GCM', false, ['decrypt']);
    return new Uint8Array(await crypto.subtle.decrypt({ name: 'AES-GCM', iv: NONCE, additionalData: header }, messageKey, ciphertext));
  } catch {
    return null;
  } finally {
    both.fill(0);
  }
}

/** There is one padded form of each content. @param {Uint8Array} padded @returns {number | null} */
function contentLength(padded) {
  const at = padded.findLastIndex((byte) => byte !== 0);
  if (padded[at] !== MARK) return null;
  const isSmallest = padded.length === SMALLEST_BYTES || at >= padded.length / 2;
  return isSmallest ? at : null;
}

/** @param {Uint8Array} header @param {Uint8Array<ArrayBuffer>} body @param {Uint8Array<ArrayBuffer>} signature @param {Uint8Array<ArrayBuffer>} deviceKey */
async function isSigned(header, body, signature, deviceKey) {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', body));
  const signed = new Uint8Array([...SIGNATURE_LABEL, ...header, ...hash]);
  try {
    const key = await crypto.subtle.importKey('raw', deviceKey, 'Ed25519', false, ['verify']);
    return await crypto.subtle.verify('Ed25519', key, signature, signed);
  } catch {
    // A browser without Ed25519 shows that there is a message, and no more.
    return false;
  }
}

/** @param {Uint8Array<ArrayBuffer>} body @returns {Uint8Array<ArrayBuffer> | null} */
function contentOf(body) {
  if (body.length < BODY.content) return null;
  const content = body.subarray(BODY.content);
  return new DataView(body.buffer, body.byteOffset).getUint16(BODY.length) === content.length ? content : null;
}

/** @param {number} length */
function isBucket(length) {
  return length >= SMALLEST_BYTES && length <= LARGEST_BYTES && (length & (length - 1)) === 0;
}
