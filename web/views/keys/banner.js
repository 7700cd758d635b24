/**
 * Above a conversation in an encrypted room: what keeps this person from reading or writing there, and where it is put right. Empty while
 * nothing does.
 */

/** @import { App } from '../page.js' */
/** @import { Room, RoomWithMembers } from '../../api.js' */
/** @import { Child } from '../../ui/dom.js' */

import { t } from '../../i18n/index.js';
import { el, fill, listen } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';
import { openCompare } from './compare.js';
import { hasWritten, reminder } from './reminder.js';

/**
 * @param {App} app
 * @param {RoomWithMembers} room
 * @param {AbortSignal} signal
 */
export function keysBanners(app, room, signal) {
  const banners = el('div', { class: 'banners', role: 'status' });
  let drawn = 0;
  const draw = async () => {
    drawn += 1;
    const turn = drawn;
    const [changed, remind] = await Promise.all([changedMembers(app, room), reminder(app, room.id, () => void draw())]);
    // Asked again meanwhile: that answer is newer.
    if (turn === drawn && !signal.aborted) fill(banners, ...ownBanner(app), ...changed, remind);
  };
  void draw();
  listen(app.keys, ['change', 'person'], () => void draw(), signal);
  onceWritten(app, room.id, () => void draw(), signal);
  listen(app.keys, 'room', ({ detail }) => detail.room === room.id && void draw(), signal);
  return banners;
}

/** Once this person has written something there. @param {App} app @param {string} room @param {() => void} act @param {AbortSignal} signal */
function onceWritten(app, room, act, signal) {
  let [isFollowed, isDone] = [false, false];
  const look = () => {
    if (isDone || !hasWritten(app, room)) return;
    isDone = true;
    act();
  };
  const follow = () => {
    const conversation = app.chat.conversation(room);
    if (isFollowed || conversation === null) return;
    isFollowed = true;
    listen(conversation, 'change', look, signal);
    look();
  };
  listen(app.chat, 'change', follow, signal);
  follow();
}

/** @param {App} app @returns {Child[]} */
function ownBanner({ keys }) {
  if (keys.status === 'failed') return [banner('keys-failed', t('keys.failed'))];
  if (keys.status === 'unvouched') return [banner('keys-unvouched', t('keys.unvouched'), el('a', { class: 'button primary', href: '/settings', data: { action: 'to-keys' } }, t('keys.to_settings')))];
  if (keys.status === 'out') return [banner('keys-out', t('keys.out'), el('a', { class: 'button', href: '/settings', data: { action: 'to-keys' } }, t('keys.to_keys')))];
  return [];
}

/** @param {App} app @param {Pick<Room, 'id'>} room @returns {Promise<Child[]>} */
async function changedMembers(app, { id }) {
  const { account } = app.keys;
  if (account === null) return [];
  try {
    const changed = new Set(await account.changedIn(id));
    if (changed.size === 0) return [];
    const { members } = await app.rooms.details(id);
    return members.filter(({ user }) => changed.has(user)).map((member) => changedBanner(account, member));
  } catch {
    // Without a connection nothing is sent either.
    return [];
  }
}

/** @param {import('../../state/keys/account.js').KeysAccount} account @param {{ user: string, username: string }} member */
function changedBanner(account, member) {
  const compare = el('button', { class: 'button', type: 'button', data: { action: 'compare' }, on: { click: () => openCompare(account, member) } }, t('keys.compare'));
  return banner('keys-changed', t('keys.changed', { name: member.username }), compare);
}

/** @param {string} name @param {string} text @param {Child} [act] */
function banner(name, text, act) {
  return el('div', { class: 'banner', data: { banner: name } }, icon('warning'), el('span', {}, text), act);
}
