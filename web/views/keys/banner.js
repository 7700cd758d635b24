/**
 * Above a conversation in an encrypted room: what keeps this person from reading or writing there, and where it is put right; whose keys are not
 * as they should be; who came into it, and who waits to. Empty while there is nothing of that.
 */

/** @import { App } from '../page.js' */
/** @import { Room, RoomWithMembers } from '../../api.js' */
/** @import { KeysAccount } from '../../state/keys/account.js' */

import { errorText, t } from '../../i18n/index.js';
import { el, listen, refill } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';
import { toast } from '../../ui/toast.js';
import { absentBanner } from './absent.js';
import { cameBanner } from './came.js';
import { openCompare } from './compare.js';
import { deviceNews } from './device-news.js';
import { doorBanners } from './door.js';
import { harmBanner } from './harm.js';
import { logBanner } from './log.js';
import { hasWritten, reminder } from './reminder.js';

/**
 * @param {App} app
 * @param {RoomWithMembers} room
 * @param {AbortSignal} signal
 */
export function keysBanners(app, room, signal) {
  const absent = absentBanner(app, room, signal);
  const { banners, draw } = drawnBanners('banners', app, room, signal, async () => [...archiveBanner(app, room), absent, await reminder(app, room.id, () => void draw())]);
  const written = () => {
    void draw();
    void askToStay();
  };
  onceWritten(app, room.id, written, signal);
  return banners;
}

/**
 * What of that keeps this person from speaking, too: before a call and in it.
 * @param {App} app
 * @param {RoomWithMembers} room
 * @param {AbortSignal} signal
 */
export function keysBannersInCall(app, room, signal) {
  return drawnBanners('keys-banners', app, room, signal, async () => []).banners;
}

/**
 * @param {string} name
 * @param {App} app
 * @param {RoomWithMembers} room
 * @param {AbortSignal} signal
 * @param {() => Promise<(HTMLElement | null)[]>} more below the others
 */
function drawnBanners(name, app, room, signal, more) {
  const banners = el('div', { class: name, role: 'status', 'aria-atomic': 'false' });
  const [came, door, harm] = [cameBanner(app, room, signal), doorBanners(app, room, signal), harmBanner(app, room, signal)];
  let drawn = 0;
  const draw = async () => {
    drawn += 1;
    const turn = drawn;
    const [log, others, rest] = await Promise.all([logBanner(app), othersBanners(app, room), more()]);
    // Asked again meanwhile: that answer is newer.
    if (turn === drawn && !signal.aborted) refill(banners, ...log, ...ownBanner(app, room), ...deviceNews(app), ...others, harm, came, door, ...rest);
  };
  void draw();
  listen(app.keys, ['change', 'person', 'archive', 'log'], () => void draw(), signal);
  listen(app.keys, ['room', 'waiting'], ({ detail }) => detail.room === room.id && void draw(), signal);
  return { banners, draw };
}

/** Keys and messages are here and nowhere else: the browser is not to clear them away when room is short. Asked once there is something, as some browsers ask the person. */
async function askToStay() {
  try {
    if (!(await navigator.storage.persisted())) await navigator.storage.persist();
  } catch {
    // An old browser, or a page that may not keep anything.
  }
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

/** @param {App} app @param {Pick<Room, 'id'>} room @returns {HTMLElement[]} */
function ownBanner({ keys, rooms }, { id }) {
  if (keys.status === 'failed') return [banner('keys-failed', t('keys.failed'))];
  if (keys.status === 'unvouched') return [banner('keys-unvouched', t('keys.unvouched'), el('a', { class: 'button primary', href: '/settings', data: { action: 'to-keys' } }, t('keys.to_settings')))];
  if (keys.status === 'out') return [banner('keys-out', t('keys.out'), el('a', { class: 'button', href: '/settings', data: { action: 'to-keys' } }, t('keys.to_keys')))];
  const { account } = keys;
  if (account === null) return [];
  const clock = account.isClockWrong ? [banner('keys-clock', t('keys.clock'))] : [];
  const wrong = account.wrongIn(id);
  if (wrong === 'not_strict') return [...clock, banner('keys-not-strict', t('people.not_strict'))];
  if (wrong === 'not_ours') return [...clock, banner('keys-not-ours', t('people.not_ours'), goOnButton({ keys, rooms }, id))];
  if (wrong === 'rolled_back') return [...clock, banner('keys-rolled-back', t('people.rolled_back'), goBackButton(keys, id))];
  return account.isWaitingIn(id) ? [...clock, banner('keys-waiting', t(rooms.isStrict(id) ? 'people.waiting_strict' : 'people.waiting'))] : clock;
}

/** The person knows who is there: another device of theirs may have begun the room. @param {Pick<App, 'keys' | 'rooms'>} app @param {string} room */
function goOnButton({ keys, rooms }, room) {
  const goOn = () => {
    rooms.inside(room);
    void keys.account?.roomChanged(room);
  };
  return el('button', { class: 'button', type: 'button', data: { action: 'go-on' }, on: { click: goOn } }, t('keys.log_continue'));
}

/** @param {App['keys']} keys @param {string} room */
function goBackButton(keys, room) {
  const goOn = async () => {
    button.disabled = true;
    await keys.account?.goBack(room).catch((error) => toast(errorText(error), 'problem'));
    button.disabled = false;
  };
  const button = el('button', { class: 'button', type: 'button', data: { action: 'go-back' }, on: { click: () => void goOn() } }, t('keys.log_continue'));
  return button;
}

/** @param {App} app @param {Pick<Room, 'id'>} room @returns {HTMLElement[]} */
function archiveBanner({ keys }, { id }) {
  const code = keys.account?.archiveTrouble(id) ?? null;
  if (code === null) return [];
  const isFull = code === 'too_many_backups' || code === 'full';
  return [banner('keys-archive', t(isFull ? 'keys.archive_full' : 'keys.archive_wrong', { code }))];
}

/** Of the others in the room: whose keys changed or do not fit. @param {App} app @param {Pick<Room, 'id'>} room @returns {Promise<HTMLElement[]>} */
async function othersBanners(app, { id }) {
  const { account } = app.keys;
  if (account === null) return [];
  try {
    const concerns = await account.concernsIn(id);
    if (concerns.size === 0) return [];
    const { members } = await app.rooms.details(id);
    return members.flatMap((member) => concernBanner(account, member, concerns.get(member.user)));
  } catch {
    // Without a connection nothing is sent either.
    return [];
  }
}

/**
 * @param {KeysAccount} account
 * @param {{ user: string, username: string }} member
 * @param {'changed' | 'refused' | undefined} concern
 * @returns {HTMLElement[]}
 */
function concernBanner(account, member, concern) {
  const name = member.username;
  if (concern === undefined) return [];
  if (concern === 'refused') return [banner('keys-refused', t('people.refused', { name }))];
  const compare = el('button', { class: 'button', type: 'button', data: { action: 'compare' }, on: { click: () => openCompare(account, member) } }, t('keys.compare'));
  const isLost = account.people.markOf(member.user).verified === 'lost';
  return [banner(isLost ? 'keys-lost' : 'keys-changed', t(isLost ? 'people.lost' : 'keys.changed', { name }), compare)];
}

/** @param {string} name @param {string} text @param {HTMLElement} [act] */
function banner(name, text, act) {
  return el('div', { class: 'banner', data: { banner: name } }, icon('warning'), el('span', {}, text), act);
}
