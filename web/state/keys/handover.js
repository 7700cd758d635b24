/**
 * What a device that has the person's keys hands over to one that it vouches for: the identity and the master key, sealed for that device alone. The
 * server carries it in a slot that has the new device's name, and it is deleted once it was read.
 */

/** @import { Base64 } from '../../e2ee/keys/interface.js' */
/** @import { Keys } from '../../e2ee/keys/page.js' */
/** @import { Delivery } from './delivery.js' */

import { KeysRefused } from '../../e2ee/keys/page.js';
import { ApiError } from '../../net/api.js';
import { uuidOf } from './bytes.js';
import { isRefusal } from './passing.js';
import { beginBackup } from './recovery.js';

/** Another window may hand over to the same device at the same time, this often in a row. */
const MAX_TRIES = 4;

/**
 * For a request that the person has confirmed on this device.
 * @param {{ keys: Keys, delivery: Delivery }} parts
 * @param {Base64} request
 * @param {Base64} device that asks
 */
export async function handOver({ keys, delivery }, request, device) {
  // All devices that can make ways back have the same master key: there is one before a second device can.
  await beginBackup(keys);
  const { handover } = await keys.ask({ op: 'hand_over', request }, 'handover');
  const slot = slotOf(device);
  try {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const there = await delivery.backup(slot);
      if (await delivery.keepBackup(slot, there?.version ?? 0, handover)) return;
    }
  } catch (error) {
    // The new device still counts without it, and gets the keys by one of the person's ways back.
    if (!(error instanceof ApiError) || error.code !== 'too_many_backups') throw error;
    return;
  }
  throw new KeysRefused('backup_changed');
}

/**
 * On the device that was vouched for: what is no good is thrown away like what was taken.
 * @param {{ keys: Keys, delivery: Delivery }} parts
 * @param {Base64} device this one
 */
export async function receive({ keys, delivery }, device) {
  const there = await delivery.backup(slotOf(device));
  if (there === null) return;
  try {
    await keys.ask({ op: 'take_handover', handover: there.blob }, 'done');
  } catch (error) {
    if (!isRefusal(error)) throw error;
  }
  await delivery.dropBackup(slotOf(device), there.version);
}

/** 32 characters, as long as a name may be. @param {Base64} device */
function slotOf(device) {
  return uuidOf(device).replaceAll('-', '');
}
