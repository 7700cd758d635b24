/**
 * Who waits at the door of a strict room: the server says that they are members, and they come in when a person here lets them. Empty where nobody
 * waits. The same above a conversation, before a call and in it.
 */

/** @import { App } from '../page.js' */
/** @import { KeysAccount } from '../../state/keys/account.js' */

import { t } from '../../i18n/index.js';
import { el, listen, refill } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';

/** Beyond these they are counted, and come up as others are let in. */
const SHOWN = 3;

/**
 * @param {App} app
 * @param {{ id: string }} room
 * @param {AbortSignal} signal
 */
export function doorBanners(app, { id }, signal) {
  const place = el('div', { class: 'door', role: 'status', 'aria-atomic': 'false' });
  const draw = async () => {
    const { account } = app.keys;
    const waiting = account?.atTheDoorOf(id) ?? [];
    const members = waiting.length === 0 ? [] : await membersOf(app, id);
    if (signal.aborted || account === null) return;
    // Who may come in is decided by the keys; how they are called, and whether at all, the server says.
    const banners = waiting.slice(0, SHOWN).map((user) => banner(account, id, user, members.find((member) => member.user === user)?.username ?? t('people.unnamed')));
    refill(place, ...banners, waiting.length > SHOWN && el('p', { class: 'hint' }, t('people.door_more', { count: waiting.length - SHOWN })));
  };
  listen(app.keys, 'door', ({ detail }) => detail.room === id && void draw(), signal);
  listen(app.keys, 'change', () => void draw(), signal);
  void draw();
  return place;
}

/** @param {App} app @param {string} id */
async function membersOf(app, id) {
  try {
    return (await app.rooms.details(id)).members;
  } catch {
    return [];
  }
}

/** @param {KeysAccount} account @param {string} room @param {string} user @param {string} name */
function banner(account, room, user, name) {
  const letIn = el('button', { class: 'button', type: 'button', data: { action: 'let-in', user } }, t('people.let_in'));
  letIn.addEventListener('click', () => {
    letIn.disabled = true;
    account.letIn(room, [user]);
  });
  return el('div', { class: 'banner', data: { banner: 'people-door' } }, icon('people'), el('span', {}, t('people.door', { name })), letIn);
}
