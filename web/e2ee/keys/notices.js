/**
 * From the key agreement to the service worker: the key of a room's newest epoch as one that cannot be taken out, with who may sign in it. It goes by
 * way of the database of `e2ee/push`; the page, which said only names, never sees it.
 */

/** @import { NoticesMessage } from './interface.js' */
/** @import { Door } from './door.js' */

import { fromBase64 } from '../base64.js';
import { NoticeKeep } from '../push/kept.js';
import { KeysError } from './door.js';

/** This device is not in the room's group, or not any more. */
const OUTSIDE = new Set(['not_open', 'not_member']);

/**
 * @param {Pick<Door, 'noticeKeys'>} door
 * @param {IDBFactory} factory
 * @param {string} user
 * @param {NoticesMessage} message
 */
export async function keepNotices(door, factory, user, { room, language, names }) {
  const keep = await NoticeKeep.open(factory);
  try {
    const { epoch, key, members } = await door.noticeKeys(room);
    const bytes = fromBase64(key);
    const imported = await crypto.subtle.importKey('raw', bytes, 'HKDF', false, ['deriveBits']);
    bytes.fill(0);
    const devices = members.map((member) => ({ leaf: member.leaf, user: member.user, device: fromBase64(member.device), deviceKey: fromBase64(member.device_key) }));
    await keep.put({ user, language }, { room, epoch, key: imported, members: devices }, names);
  } catch (error) {
    if (!(error instanceof KeysError) || !OUTSIDE.has(error.code)) throw error;
    await keep.drop(room);
  } finally {
    keep.close();
  }
}
