/** Who disturbed an encrypted room: their device changed the keys so that nobody could follow. Told once; the same above a conversation and in a call. */

/** @import { App } from '../page.js' */
/** @import { Room } from '../../api.js' */

import { listed, t } from '../../i18n/index.js';
import { el, listen, refill } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';
import { membersOf } from './door.js';

/**
 * @param {App} app
 * @param {Pick<Room, 'id'>} room
 * @param {AbortSignal} signal
 */
export function harmBanner(app, { id }, signal) {
  const place = el('div', { class: 'harm', tabindex: '-1' });
  let drawn = 0;
  const seen = () => {
    place.focus({ preventScroll: true });
    app.keys.account?.harmSeen(id);
  };
  const draw = async () => {
    drawn += 1;
    const turn = drawn;
    const users = app.keys.account?.harmsIn(id) ?? [];
    const members = users.length === 0 ? [] : await membersOf(app, id);
    // Asked again meanwhile: that answer is newer.
    if (turn !== drawn || signal.aborted) return;
    const names = users.map((user) => members.find((member) => member.user === user)?.username ?? t('people.unnamed'));
    refill(place, names.length > 0 && banner(names, seen));
  };
  listen(app.keys, 'harm', ({ detail }) => detail.room === id && void draw(), signal);
  void draw();
  return place;
}

/** @param {string[]} names @param {() => void} seen */
function banner(names, seen) {
  const text = el('span', {}, t('people.harm', { count: names.length, names: listed(names) }));
  const button = el('button', { class: 'button', type: 'button', data: { action: 'harm-seen' }, on: { click: seen } }, t('people.came_seen'));
  return el('div', { class: 'banner', role: 'status', data: { banner: 'people-harm' } }, icon('warning'), text, button);
}
