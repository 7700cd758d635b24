// What users publish (`trust/src/certificate.rs`, `signed.rs`, `chain.rs`), written and read a second time, with WebCrypto's Ed25519: a claim
// of an identity, and the certificate by which it vouches for a device.

import { fromUuid, hex, join, number } from './bytes.mjs';

const { subtle } = globalThis.crypto;
const VERSION = number(1, 1);
const CLAIM = 1;
const DEVICE = 2;
const NOTHING_BEFORE = new Uint8Array(32);
const SIGNATURE_BYTES = 64;
/** Of a certificate's statement: version, user, identity, device, its key, the hash of what came before, the time. */
const STATEMENT_BYTES = 1 + 16 + 32 + 16 + 32 + 32 + 8;
const IDENTITY_AT = 1 + 16;
const DEVICE_AT = IDENTITY_AT + 32;
const DEVICE_KEY_AT = DEVICE_AT + 16;

/** All that was published, by user: what the server shows to everybody. */
export class Published {
  #records = new Map();
  #certificates = new Set();

  /** `records`: all of a user's, from the first on. */
  add(user, records) {
    this.#records.set(user, records);
    for (const record of records) if (record[0] === DEVICE) this.#certificates.add(hex(record.slice(1)));
  }

  /** Whether the certificate of a device is among it, rightly signed, and of this key. */
  async vouches(certificate, deviceKey) {
    return this.#certificates.has(hex(certificate)) && (await isSound(certificate, deviceKey));
  }

  [Symbol.iterator]() {
    return this.#records.entries();
  }
}

/**
 * A user with a new identity and one device, whose key is `deviceKey`. `after`: the newest record of the user, whose identity is so replaced.
 * @returns the certificate of the device, and the records to be published
 */
export async function certify(user, deviceKey, after = null, device = crypto.getRandomValues(new Uint8Array(16))) {
  const keys = await subtle.generateKey('Ed25519', true, ['sign', 'verify']);
  const identity = new Uint8Array(await subtle.exportKey('raw', keys.publicKey));
  const name = fromUuid(user);
  const previous = after === null ? NOTHING_BEFORE : await hashOf(after);
  const claim = join(number(CLAIM, 1), await signed('identity claim', join(VERSION, name, identity, previous, number(1, 8)), keys));
  const statement = join(VERSION, name, identity, device, deviceKey, await hashOf(claim), number(1, 8));
  const certificate = await signed('device certificate', statement, keys);
  return { certificate, records: [claim, join(number(DEVICE, 1), certificate)] };
}

/** The id in a device's certificate. */
export function deviceOf(certificate) {
  return certificate.slice(DEVICE_AT, DEVICE_KEY_AT);
}

async function signed(label, statement, keys) {
  return join(statement, new Uint8Array(await subtle.sign('Ed25519', keys.privateKey, labelled(label, statement))));
}

async function isSound(certificate, deviceKey) {
  if (certificate.length !== STATEMENT_BYTES + SIGNATURE_BYTES) return false;
  if (hex(certificate.slice(DEVICE_KEY_AT, DEVICE_KEY_AT + 32)) !== hex(deviceKey)) return false;
  const statement = certificate.slice(0, STATEMENT_BYTES);
  const identity = await subtle.importKey('raw', statement.slice(IDENTITY_AT, IDENTITY_AT + 32), 'Ed25519', false, ['verify']);
  return subtle.verify('Ed25519', identity, certificate.slice(STATEMENT_BYTES), labelled('device certificate', statement));
}

function labelled(label, statement) {
  return join(Buffer.from(`WebCall 1 ${label}\0`), statement);
}

async function hashOf(record) {
  return new Uint8Array(await subtle.digest('SHA-256', join(Buffer.from('WebCall 1 record\0'), record)));
}
