/**
 * Who came into an encrypted room without this person's doing, told once. In a strict room nothing goes out before they have seen it. Empty where nobody
 * came. The same above a conversation, before a call and in it.
 */

/** @import { App } from '../page.js' */
/** @import { Room } from '../../api.js' */

import { listed, t } from '../../i18n/index.js';
import { el, listen, refill } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';

/** Beyond these they are counted. */
const NAMED = 3;

/**
 * @param {App} app
 * @param {Pick<Room, 'id'>} room
 * @param {AbortSignal} signal
 */
export function cameBanner(app, { id }, signal) {
  const place = el('div', { class: 'came', role: 'status' });
  let drawn = 0;
  const draw = async () => {
    drawn += 1;
    const turn = drawn;
    const names = await newcomersIn(app, id);
    // Asked again meanwhile: that answer is newer.
    if (turn !== drawn || signal.aborted) return;
    refill(place, names.length > 0 && banner(names, app.rooms.isStrict(id), () => void app.keys.account?.greeted(id).catch(() => {}).then(draw)));
  };
  listen(app.keys, 'change', () => void draw(), signal);
  listen(app.keys, 'room', ({ detail }) => detail.room === id && void draw(), signal);
  void draw();
  return place;
}

/** The group says who is in it; how they are called, and whether at all, the server. @param {App} app @param {string} id @returns {Promise<string[]>} */
async function newcomersIn(app, id) {
  try {
    const users = (await app.keys.account?.people.newcomersIn(id)) ?? [];
    if (users.length === 0) return [];
    const { members } = await app.rooms.details(id);
    return users.map((user) => members.find((member) => member.user === user)?.username ?? t('people.unnamed'));
  } catch {
    // Without a connection nothing is sent either.
    return [];
  }
}

/** @param {string[]} names @param {boolean} strict @param {() => void} greet */
function banner(names, strict, greet) {
  const came = names.length > NAMED ? t('people.came_count', { count: names.length }) : t('people.came', { count: names.length, names: listed(names) });
  const seen = el('button', { class: 'button', type: 'button', data: { action: 'greet' }, on: { click: greet } }, t('people.came_seen'));
  return el('div', { class: 'banner', data: { banner: 'people-came' } }, icon('people'), el('span', {}, strict ? `${came} ${t('people.came_first')}` : came), seen);
}
