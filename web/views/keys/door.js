/**
 * Who waits at the door of a room: the server says that they are members, and they come in when a person here lets them. Empty where nobody
 * waits. The same above a conversation, before a call and in it.
 */

/** @import { App } from '../page.js' */

import { t } from '../../i18n/index.js';
import { el, listen, refill } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';
import { verifiedMark, verifiedText } from './mark.js';

/** Beyond these they are counted, and come up as others are let in. */
const SHOWN = 3;
/** As somebody is let in, who stood below moves up: a second press of the same finger is not meant for them. */
const SECOND_PRESS_MS = 700;

/**
 * @param {App} app
 * @param {{ id: string }} room
 * @param {AbortSignal} signal
 */
export function doorBanners(app, { id }, signal) {
  const place = el('div', { class: 'door', tabindex: '-1' });
  let [drawn, pressed_ms] = [0, -Infinity];
  /** @param {string} user */
  const letIn = (user) => {
    if (performance.now() - pressed_ms < SECOND_PRESS_MS) return;
    pressed_ms = performance.now();
    place.focus({ preventScroll: true });
    app.keys.account?.letIn(id, [user]);
  };
  const draw = async () => {
    drawn += 1;
    const turn = drawn;
    const waiting = app.keys.account?.atTheDoorOf(id) ?? [];
    const members = waiting.length === 0 ? [] : await membersOf(app, id);
    // Asked again meanwhile: that answer is newer.
    if (turn !== drawn || signal.aborted) return;
    const banners = waiting.slice(0, SHOWN).map((user) => banner(app, user, members.find((member) => member.user === user)?.username, () => letIn(user)));
    refill(place, ...banners, waiting.length > SHOWN && el('p', { class: 'hint' }, t('people.door_more', { count: waiting.length - SHOWN })));
  };
  listen(app.keys, 'door', ({ detail }) => detail.room === id && void draw(), signal);
  listen(app.keys, ['change', 'person'], () => void draw(), signal);
  listen(app.rooms, 'change', () => void draw(), signal);
  void draw();
  return place;
}

/** As the server names them; nobody is let in whom nobody can name: the list comes with the connection. @param {App} app @param {string} id */
export async function membersOf(app, id) {
  try {
    return (await app.rooms.details(id)).members;
  } catch {
    return [];
  }
}

/** Who may come in is decided by the keys; how they are called, and whether at all, the server says. @param {App} app @param {string} user @param {string | undefined} known @param {() => void} letIn */
function banner(app, user, known, letIn) {
  const name = known ?? t('people.unnamed');
  const label = `${t('people.let_in')}: ${name}`;
  const button = el('button', { class: 'button', type: 'button', 'aria-label': label, disabled: known === undefined, data: { action: 'let-in', user }, on: { click: letIn } }, t('people.let_in'));
  return el('div', { class: 'banner', role: 'status', data: { banner: 'people-door' } }, icon('people'), el('span', {}, t('people.door', { name })), known !== undefined && verifiedMark(verifiedText(app, { user, username: known })), button);
}
