/**
 * Who is in a room and not in its group: nobody of their devices has keys yet, so what is written now they will never read. Said calmly, and only
 * once it lasts: whoever comes in by themselves is there within seconds.
 */

/** @import { App } from '../page.js' */
/** @import { RoomWithMembers } from '../../api.js' */

import { listed, t } from '../../i18n/index.js';
import { el, listen, refill } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';

/** Who comes in by themselves has done so by then. */
const PATIENCE_MS = 5_000;
/** Beyond these they are counted. */
const NAMED = 3;

/**
 * @param {App} app
 * @param {RoomWithMembers} room
 * @param {AbortSignal} signal
 */
export function absentBanner(app, room, signal) {
  const place = el('div');
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const draw = async () => {
    const names = await absentIn(app, room.id);
    if (!signal.aborted) refill(place, names.length > 0 && banner(names));
  };
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(() => void draw(), PATIENCE_MS);
  };
  // Whoever has come is taken off at once.
  const follow = () => {
    if (place.hasChildNodes()) void draw();
    later();
  };
  listen(app.keys, ['room', 'door'], ({ detail }) => detail.room === room.id && follow(), signal);
  listen(app.rooms, 'change', follow, signal);
  signal.addEventListener('abort', () => clearTimeout(timer));
  later();
  return place;
}

/** @param {App} app @param {string} id @returns {Promise<string[]>} by name */
async function absentIn(app, id) {
  const look = app.keys.account?.lookOf(id) ?? null;
  if (look === null) return [];
  const inside = new Set(look.members.map(({ user }) => user));
  const waiting = app.keys.account?.atTheDoorOf(id) ?? [];
  try {
    const { members } = await app.rooms.details(id);
    return members.filter(({ user }) => !inside.has(user) && !waiting.includes(user)).map(({ username }) => username);
  } catch {
    // Without a connection nothing is sent either.
    return [];
  }
}

/** @param {string[]} names */
function banner(names) {
  const text = names.length > NAMED ? t('people.absent_count', { count: names.length }) : t('people.absent', { count: names.length, names: listed(names) });
  return el('div', { class: 'banner', data: { banner: 'people-absent' } }, icon('people'), el('span', {}, text));
}
