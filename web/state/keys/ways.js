/**
 * The ways back to a person's keys, as the person sees them: one recovery code, one passphrase, passkeys. Behind one way may stand several
 * unlockers, such as a new code beside the one that is kept until it is.
 */

/** @import { Base64, UnlockerLook, UnlockSecret } from '../../e2ee/keys/interface.js' */
/** @import { Passkeys } from './passkey.js' */

import { KeysRefused } from '../../e2ee/keys/page.js';
import { normalized } from './passphrase.js';

/** From so many ways on a person may rely on them (`web/crypto/src/unlock/set.rs`, `ENOUGH`). */
export const ENOUGH = 2;
/** In this order they are shown. @type {readonly UnlockerLook['kind'][]} */
const KINDS = ['recovery_code', 'passphrase', 'passkey'];

/** @typedef {UnlockerLook['kind']} WayKind */
/** @typedef {{ kind: WayKind, ids: Base64[] }} Way `ids`: of the unlockers behind it */
/** What a person shows: a text, or a passkey. @typedef {{ kind: 'recovery_code' | 'passphrase', text: string } | { kind: 'passkey' }} Shown */

/** @param {readonly UnlockerLook[]} unlockers @returns {Way[]} */
export function waysOf(unlockers) {
  return KINDS.flatMap((kind) => groupedIds(unlockers, kind).map((ids) => ({ kind, ids })));
}

/** Each passkey is a way; of the others there is one, if any. @param {readonly UnlockerLook[]} unlockers @param {WayKind} kind @returns {Base64[][]} */
function groupedIds(unlockers, kind) {
  const ids = idsOf(unlockers, kind);
  if (kind === 'passkey') return ids.map((id) => [id]);
  return ids.length > 0 ? [ids] : [];
}

/** In the order in which they were made. @param {readonly UnlockerLook[]} unlockers @param {WayKind} kind */
export function idsOf(unlockers, kind) {
  return unlockers.filter((unlocker) => unlocker.kind === kind).map(({ id }) => id);
}

/**
 * What opens an unlocker, of what a person shows.
 * @param {Shown} shown
 * @param {readonly UnlockerLook[]} unlockers
 * @param {Passkeys} passkeys
 * @returns {Promise<UnlockSecret>} rejects with KeysRefused `not_there` (no unlocker is of this kind), `passkey_…`
 */
export async function secretOf(shown, unlockers, passkeys) {
  const { kind } = shown;
  if (!unlockers.some((unlocker) => unlocker.kind === kind)) throw new KeysRefused('not_there');
  if (kind === 'passkey') return { kind, secret: await passkeys.evaluate(unlockers) };
  return { kind, secret: kind === 'passphrase' ? normalized(shown.text) : shown.text };
}
