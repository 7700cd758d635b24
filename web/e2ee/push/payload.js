/**
 * What a push carries: bytes in base64url (RFC 4648 §5, without padding), and among them no plaintext. `version 1 | room 16 | envelope*`: the envelope is the
 * message as the server keeps it, 2,048 bytes at most; of a longer one only its room is told. In base64, because libraries that push take texts, and so
 * does the means by which browsers try it. `src/signal/PROTOCOL.md` says the same to the server. Pure.
 */

/** @import { Payload } from './interface.js' */

import { fromBase64 } from '../base64.js';
import { uuidOf } from './bytes.js';

const VERSION = 1;
const ENVELOPE_AT = 17;
const MAX_ENVELOPE_BYTES = 2_048;
/** With it a push stays under the 4,096 bytes that push services take (RFC 8030 §7.2), encrypted once more for them. */
const MAX_LETTERS = Math.ceil(((ENVELOPE_AT + MAX_ENVELOPE_BYTES) * 4) / 3);
const BASE64URL = /^[A-Za-z0-9_-]+$/;

/**
 * @param {string} text
 * @returns {Payload | null} null: of another version, or nothing that was agreed on
 */
export function parsePayload(text) {
  if (text.length > MAX_LETTERS || text.length % 4 === 1 || !BASE64URL.test(text)) return null;
  const bytes = fromBase64(text.replaceAll('-', '+').replaceAll('_', '/'));
  if (bytes[0] !== VERSION || bytes.length < ENVELOPE_AT || bytes.length > ENVELOPE_AT + MAX_ENVELOPE_BYTES) return null;
  return { room: uuidOf(bytes.subarray(1, ENVELOPE_AT)), message: bytes.length > ENVELOPE_AT ? bytes.subarray(ENVELOPE_AT) : null };
}
