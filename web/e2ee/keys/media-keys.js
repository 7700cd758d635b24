/**
 * From the key agreement to the media worker: the base keys of a call's epoch as keys that cannot be exported. They go over a port of their
 * own; the page, which carried the port here, never sees them.
 */

/** @import { EpochMessage, Member } from '../media/interface.js' */
/** @import { MediaKeys, MediaMessage, Uuid } from './interface.js' */

import { fromBase64 } from '../base64.js';

/**
 * @param {MediaKeys} keys
 * @param {MediaMessage} message
 * @returns {Promise<EpochMessage>}
 */
export async function epochMessage({ epoch, leaf, members }, { call, because, removed }) {
  const all = await Promise.all(members.map(member));
  const own = all.find((each) => each.leaf === leaf);
  if (!own) throw new TypeError('a call that one has no stay in');
  const others = all.filter((each) => each.leaf !== leaf);
  return { type: 'epoch', call: bytesOf(call), epoch, because, own: { leaf, base: own.base }, members: others, removed };
}

/** @param {MediaKeys['members'][number]} member @returns {Promise<Member>} */
async function member({ leaf, participant, session, base }) {
  const bytes = fromBase64(base);
  const key = await crypto.subtle.importKey('raw', bytes, 'HKDF', false, ['deriveKey', 'deriveBits']);
  bytes.fill(0);
  return { leaf, owner: participant, session, base: key };
}

/** @param {Uuid} uuid */
function bytesOf(uuid) {
  const digits = uuid.replaceAll('-', '');
  return Uint8Array.from({ length: 16 }, (_, at) => Number.parseInt(digits.slice(2 * at, 2 * at + 2), 16));
}
