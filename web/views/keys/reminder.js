/** Told once in a while, never in the way: what was written in encrypted rooms is lost with this browser's data, as long as there is no way back to it. */

/** @import { App } from '../page.js' */
/** @import { KeysAccount } from '../../state/keys/account.js' */

import { t } from '../../i18n/index.js';
import { el } from '../../ui/dom.js';

/** For so long "later" is taken at its word. */
const LATER_MS = 7 * 24 * 60 * 60 * 1000;

/**
 * For whoever has written something in this room and has no way back.
 * @param {App} app
 * @param {string} room
 * @param {() => void} draw
 * @returns {Promise<HTMLElement | null>}
 */
export async function reminder(app, room, draw) {
  const { account } = app.keys;
  if (account === null || isLater(app) || !hasWritten(app, room)) return null;
  const wanting = await toSetUp(account);
  if (wanting === null) return null;
  const later = () => {
    app.preferences.set('remindOfKeysAfter', String(Date.now() + LATER_MS));
    draw();
  };
  return el(
    'div',
    { class: 'banner', data: { banner: 'backup' } },
    el('span', {}, t(wanting === 'first' ? 'keys.remind' : 'keys.remind_second')),
    el('a', { class: 'button primary', href: '/settings', data: { action: 'set-up-recovery' } }, t('keys.remind_set_up')),
    el('button', { class: 'button', type: 'button', data: { action: 'remind-later' }, on: { click: later } }, t('keys.remind_later')),
  );
}

/** The way back that is missing and can be made on this device. @param {KeysAccount} account */
async function toSetUp(account) {
  try {
    const wanting = await account.recovery.wanting();
    return wanting !== null && (await account.devices.hasIdentity()) ? wanting : null;
  } catch {
    // Without a connection nothing could be set up either.
    return null;
  }
}

/** What a clock that was wrong has left is no reason to be silent for longer. @param {App} app */
function isLater({ preferences }) {
  const wait_ms = Number(preferences.get('remindOfKeysAfter') ?? 0) - Date.now();
  return wait_ms > 0 && wait_ms <= LATER_MS;
}

/** @param {App} app @param {string} room */
export function hasWritten(app, room) {
  const conversation = app.chat.conversation(room);
  return conversation !== null && conversation.slice(0, conversation.length).some(({ own, state }) => own && state === 'sent');
}
