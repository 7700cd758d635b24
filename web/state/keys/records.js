/**
 * What stands in the records that users publish and in the requests of new devices: read to be shown to their person, never judged. What is
 * genuine, the worker says (`trust/src/certificate.rs`, `trust/src/chain.rs`, `web/crypto/src/device/request.rs` have the layout).
 */

/** @import { Base64 } from '../../e2ee/keys/interface.js' */

import { fromBase64, toBase64 } from '../../e2ee/base64.js';
import { KeysRefused } from '../../e2ee/keys/page.js';
import { fromServer, toServer, uuidOf } from './bytes.js';

/** The first byte of a record. */
const CLAIM = 1;
const DEVICE = 2;
const REVOCATION = 3;
/** Of a record: kind, version, user, identity, then the device; of a certificate its key and the hash before the time. */
const DEVICE_AT = 1 + 1 + 16 + 32;
const DEVICE_KEY_AT = DEVICE_AT + 16;
const TIME_AT = DEVICE_KEY_AT + 32 + 32;

/** Of a request: version, user, device, its key; the key for the handover, a nonce and a signature follow. */
const REQUEST_BYTES = 177;
const REQUEST_USER_AT = 1;
const REQUEST_DEVICE_AT = REQUEST_USER_AT + 16;
const REQUEST_KEY_AT = REQUEST_DEVICE_AT + 16;
/** 177 bytes as the server writes bytes, at the end of a link or by themselves. */
const REQUEST_TEXT = /^(?:.*#device=)?([\w-]{236})$/;

/** Crockford's base 32, as the new device writes the code of its request. */
const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const CODE_DIGITS = 20;
const GROUP_DIGITS = 5;

/** @typedef {{ id: Base64, key: Base64, added_ms: number }} PublishedDevice `added_ms`: by the clock of the device that vouched for it */
/** @typedef {{ bytes: Base64, user: string, device: Base64, key: Base64, code: string }} ReadRequest `code`: what the new device shows too */

/** The devices that count after these records, the first one first. @param {readonly Base64[]} records all of a user's @returns {PublishedDevice[]} */
export function devicesIn(records) {
  /** @type {Map<Base64, PublishedDevice>} */
  const devices = new Map();
  for (const record of records) {
    const bytes = fromBase64(record);
    if (bytes[0] === CLAIM) devices.clear();
    if (bytes[0] === REVOCATION) devices.delete(deviceOf(bytes));
    if (bytes[0] === DEVICE) devices.set(deviceOf(bytes), publishedDevice(bytes));
  }
  return [...devices.values()];
}

/** By which a device was vouched for. @param {readonly Base64[]} records @param {Base64} device @returns {Base64 | null} */
export function certificateOf(records, device) {
  return records.find((record) => isFor(fromBase64(record), DEVICE, device)) ?? null;
}

/** A request as it is carried by hand: in a link that one's other device opens. @param {Base64} request @param {string} origin */
export function requestLink(request, origin) {
  return `${origin}/settings#device=${toServer(request)}`;
}

/**
 * What a person carried over: the link, or what is behind its `#device=`.
 * @param {string} text
 * @returns {Promise<ReadRequest>} rejects with KeysRefused `bad_device_request` where it is none
 */
export async function readRequest(text) {
  const [, written] = REQUEST_TEXT.exec(text.replace(/\s+/g, '')) ?? [];
  if (written === undefined) throw new KeysRefused('bad_device_request');
  const bytes = fromBase64(fromServer(written));
  if (bytes.length !== REQUEST_BYTES) throw new KeysRefused('bad_device_request');
  const user = uuidOf(toBase64(bytes.slice(REQUEST_USER_AT, REQUEST_DEVICE_AT)));
  const device = toBase64(bytes.slice(REQUEST_DEVICE_AT, REQUEST_KEY_AT));
  return { bytes: toBase64(bytes), user, device, key: toBase64(bytes.slice(REQUEST_KEY_AT, REQUEST_KEY_AT + 32)), code: await shortCode('device code', bytes) };
}

/** The first 100 bits of a hash, in groups that a person can compare. @param {string} purpose @param {Uint8Array} of */
export async function shortCode(purpose, of) {
  const label = new TextEncoder().encode(`WebCall 1 ${purpose}\0`);
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', Uint8Array.from([...label, ...of])));
  const bits = Array.from(hash, (byte) => byte.toString(2).padStart(8, '0')).join('');
  const digits = Array.from({ length: CODE_DIGITS }, (_, at) => DIGITS[Number.parseInt(bits.slice(5 * at, 5 * at + 5), 2)]).join('');
  return digits.match(new RegExp(`.{${GROUP_DIGITS}}`, 'g'))?.join('-') ?? '';
}

/** @param {Uint8Array} record */
function deviceOf(record) {
  return toBase64(record.slice(DEVICE_AT, DEVICE_KEY_AT));
}

/** @param {Uint8Array<ArrayBuffer>} record @returns {PublishedDevice} */
function publishedDevice(record) {
  const added_ms = Number(new DataView(record.buffer).getBigUint64(TIME_AT));
  return { id: deviceOf(record), key: toBase64(record.slice(DEVICE_KEY_AT, DEVICE_KEY_AT + 32)), added_ms };
}

/** @param {Uint8Array} record @param {number} kind @param {Base64} device */
function isFor(record, kind, device) {
  return record[0] === kind && deviceOf(record) === device;
}
