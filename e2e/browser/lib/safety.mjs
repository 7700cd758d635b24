// What one person's screen shows to another's camera, made a second time from what the server has: `web/crypto/src/safety` has the format.

import { createHash } from 'node:crypto';

const ITERATIONS = 5_200;
/** Where an identity stands in the claim that a user's records begin with. */
const IDENTITY_AT = 1 + 1 + 16;
const IDENTITY_BYTES = 32;
const PREFIX = 'webcall-safety:';

const sha512 = (...parts) => createHash('sha512').update(Buffer.concat(parts)).digest();
const bytesOf = (uuid) => Buffer.from(uuid.replaceAll('-', ''), 'hex');

/** The identity that a user published first. */
export async function firstIdentity(table, reader, user) {
  const { records } = await table.server.request('GET', `e2ee/users/${user}/keys`, { token: reader.token });
  return Buffer.from(records[0].record, 'base64url').subarray(IDENTITY_AT, IDENTITY_AT + IDENTITY_BYTES);
}

/** The text of the code that `shows` has on the screen for `scans`; each a user with an identity. */
export function codeText(shows, scans) {
  const parties = [shows, scans].map(({ user, identity }) => Buffer.concat([bytesOf(user), fingerprint(user, identity).subarray(0, 32)]));
  return PREFIX + Buffer.concat([Buffer.from([1]), ...parties]).toString('base64url');
}

function fingerprint(user, identity) {
  let hash = sha512(Buffer.from('WebCall 1 fingerprint\0'), bytesOf(user), identity);
  for (let count = 1; count < ITERATIONS; count += 1) hash = sha512(hash, identity);
  return hash;
}

/** What a camera would read from now on, where the browser itself has no detector of codes. */
export const camerasRead = (page, text) =>
  page.evaluate((seen) => {
    globalThis.BarcodeDetector = class {
      static getSupportedFormats = async () => ['qr_code'];
      detect = async (video) => (video.videoWidth > 0 ? [{ rawValue: seen }] : []);
    };
  }, text);
