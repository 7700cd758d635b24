// What a desk seals before the browser keeps it, opened by whoever has the browser's key (`web/crypto/src/state.rs`): the secrets that are in it.

import { createDecipheriv } from 'node:crypto';

const [LABEL, VERSION] = ['WebCall 1 state\0', 1];
const [COUNTER_AT, NONCE_AT, SEALED_AT, TAG_BYTES] = [1, 9, 21, 16];
const KEY_BYTES = 32;
const ROOM_GROUP = 1;
/** Whose an epoch's leaves were, among its secrets. */
const PUBLIC = 'leaves';

/** Under which name a state was sealed. @param {string} kept the name under which it is kept @param {Buffer} device its id */
function nameOf(kept, device) {
  const [kind, room] = kept.split('/');
  if (room === undefined) return Buffer.concat([Buffer.from(kind), device]);
  return Buffer.concat([Buffer.from('group'), device, Buffer.of(ROOM_GROUP), Buffer.from(room.replaceAll('-', ''), 'hex')]);
}

/** @param {Buffer} key @param {string} kept @param {Buffer} device @param {Buffer} sealed */
function opened(key, kept, device, sealed) {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(NONCE_AT, SEALED_AT));
  decipher.setAAD(Buffer.concat([Buffer.from(LABEL), Buffer.of(VERSION), sealed.subarray(COUNTER_AT, NONCE_AT), nameOf(kept, device)]));
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  return Buffer.concat([decipher.update(sealed.subarray(SEALED_AT, -TAG_BYTES)), decipher.final()]);
}

/** A length as MLS writes it (RFC 9420 §2.1.2). @returns the length, and where what follows begins */
function lengthAt(bytes, at) {
  const size = 1 << (bytes[at] >> 6);
  const digits = bytes.subarray(at, at + size);
  return [digits.reduce((sum, digit, index) => sum * 256 + (index === 0 ? digit & 0x3f : digit), 0), at + size];
}

/** What openmls keeps under names that begin so: JSON, after a name that ends with its version (`openmls_memory_storage`). */
function* entries(bytes, label) {
  const name = Buffer.from(label);
  for (let at = bytes.indexOf(name); at !== -1; at = bytes.indexOf(name, at + 1)) {
    for (const size of [1, 2]) {
      const [length, start] = lengthAt(bytes, at - size);
      // The lower byte of a longer length may look like a length itself.
      if (start !== at || length <= name.length || at + length >= bytes.length || bytes.readUInt16BE(at + length - 2) !== 1) continue;
      const [value_bytes, value_at] = lengthAt(bytes, at + length);
      if (!'{['.includes(String.fromCharCode(bytes[value_at]))) continue;
      yield JSON.parse(bytes.toString('utf8', value_at, value_at + value_bytes));
    }
  }
}

/** All keys in JSON, each an array of numbers. `within`: only what stands below a name like that. */
function* keysIn(json, within, is_within = within === undefined) {
  if (Array.isArray(json) && json.every((each) => Number.isInteger(each) && each >= 0 && each < 256)) {
    if (is_within && json.length === KEY_BYTES) yield Buffer.from(json);
  } else if (json !== null && typeof json === 'object') {
    for (const [name, part] of Object.entries(json)) if (name !== PUBLIC) yield* keysIn(part, within, is_within || within.test(name));
  }
}

/** What is secret in what a device keeps of itself, its person, and the group of a room: each key, and what it is. */
export function* secretsIn(key, kept, device, sealed) {
  const kind = kept.split('/')[0];
  if (!['device', 'identity', 'backup', 'room'].includes(kind)) return;
  const bytes = opened(key, kept, device, sealed);
  const start = kind === 'backup' ? lengthAt(bytes, 0)[1] : 0;
  const first = { device: 'signing key of a device', identity: 'key of an identity', backup: 'master key' }[kind];
  if (first !== undefined) yield [first, bytes.subarray(start, start + KEY_BYTES)];
  for (const json of entries(bytes, 'KeyPackage')) for (const found of keysIn(json, /^private/)) yield ['private key of a key package', found];
  for (const label of ['EncryptionKeyPair', 'EpochKeyPairs']) for (const json of entries(bytes, label)) for (const found of keysIn(json, /^private/)) yield ['private key of a leaf or node', found];
  for (const label of ['EpochSecrets', 'MessageSecrets']) for (const json of entries(bytes, label)) for (const found of keysIn(json)) yield ['secret of an epoch', found];
}
