/**
 * Who came into an encrypted room without this person's doing, told once. In a strict room nothing goes out before they have seen it. Empty where nobody
 * came. The same above a conversation, before a call and in it.
 */

/** @import { App } from '../page.js' */
/** @import { Room } from '../../api.js' */

import { errorText, listed, t } from '../../i18n/index.js';
import { el, listen, refill } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';
import { toast } from '../../ui/toast.js';
import { membersOf } from './door.js';
import { verifiedText } from './mark.js';

/** As others come, the banner changes under a finger: that press is not meant for them. */
export const SECOND_PRESS_MS = 700;
/** Beyond these they are counted; in a strict room all are named. */
const NAMED = 3;

/**
 * @param {App} app
 * @param {Pick<Room, 'id'>} room
 * @param {AbortSignal} signal
 * @param {{ role?: 'status' }} [live] where nothing around it is read out as it changes
 */
export function cameBanner(app, { id }, signal, live = {}) {
  const place = el('div', { class: 'came', tabindex: '-1', ...live });
  let [drawn, shown, shown_ms] = [0, '', -Infinity];
  /** Of whom the banner told, and of nobody who came since. @param {string[]} users */
  const greet = (users) => {
    if (performance.now() - shown_ms < SECOND_PRESS_MS) return;
    place.focus({ preventScroll: true });
    app.keys.account?.people.greeted(id, users).catch((error) => toast(errorText(error), 'problem'));
  };
  const draw = async () => {
    drawn += 1;
    const turn = drawn;
    const users = await newcomersIn(app, id);
    const members = users.length === 0 ? [] : await membersOf(app, id);
    // Asked again meanwhile: that answer is newer.
    if (turn !== drawn || signal.aborted) return;
    const strict = app.keys.account?.lookOf(id)?.strict ?? app.rooms.isStrict(id);
    if (shown !== users.join(' ') && shown !== '') shown_ms = performance.now();
    shown = users.join(' ');
    refill(place, users.length > 0 && banner(users, users.map((user) => nameOf(app, user, members)), strict, () => greet(users)));
  };
  listen(app.keys, ['change', 'person'], () => void draw(), signal);
  listen(app.keys, 'room', ({ detail }) => detail.room === id && void draw(), signal);
  listen(app.rooms, 'change', () => void draw(), signal);
  void draw();
  return place;
}

/** @param {App} app @param {string} id @returns {Promise<string[]>} */
async function newcomersIn(app, id) {
  try {
    return (await app.keys.account?.people.newcomersIn(id)) ?? [];
  } catch {
    // Without the keys nothing is sent either.
    return [];
  }
}

/** The group says who is in it; how they are called, and whether at all, the server. @param {App} app @param {string} user @param {readonly { user: string, username: string }[]} members */
function nameOf(app, user, members) {
  const member = members.find((each) => each.user === user);
  if (member === undefined) return t('people.unnamed');
  const verified = verifiedText(app, member);
  return verified === null ? member.username : `${member.username} (${verified.text})`;
}

/** @param {string[]} users @param {string[]} names @param {boolean} strict @param {() => void} greet */
function banner(users, names, strict, greet) {
  const isCounted = names.length > NAMED && !strict;
  const came = isCounted ? t('people.came_count', { count: names.length }) : t('people.came', { count: names.length, names: listed(names) });
  const seen = el('button', { class: 'button', type: 'button', data: { action: 'greet' }, on: { click: greet } }, t('people.came_seen'));
  const text = el('span', {}, strict ? `${came} ${t('people.came_first')}` : came);
  // Drawn anew for other people, also where they are called the same.
  return el('div', { class: 'banner', data: { banner: 'people-came', users: users.join(' ') } }, icon('people'), text, seen);
}
