/**
 * The page of one room: its conversation alone (`?chat`, where no device is touched), before the call, the call, after the call. Knows
 * which of them is shown, and nothing of how they look. Leaving the page leaves the call.
 */

/** @import { Page } from './page.js' */
/** @import { RoomWithMembers } from '../api.js' */

import { errorText, t } from '../i18n/index.js';
import { el, fill, listen } from '../ui/dom.js';
import { spinner } from '../ui/form.js';
import { callView } from './call.js';
import { conversationView, titleOf } from './conversation.js';
import { centred, firstFocus, heading } from './page.js';
import { missingPage } from './plain.js';
import { prejoinView } from './prejoin.js';

/** @type {Page} */
export const roomPage = (app, [id = ''], signal) => {
  const root = el('div', { class: 'room-page' }, el('main', { class: 'waiting', data: { page: 'waiting' } }, spinner()));
  let showing = new AbortController();
  app.chat.watch(id);
  signal.addEventListener('abort', () => {
    showing.abort();
    app.chat.watch(null);
    app.call.leave();
    app.media.stop();
  });
  /** @param {(signal: AbortSignal) => HTMLElement} view */
  const show = (view) => {
    showing.abort();
    showing = new AbortController();
    fill(root, view(showing.signal));
    firstFocus(root)?.focus();
  };
  /**
   * @param {RoomWithMembers} room
   * @param {string | null} message
   */
  const chat = (room, message) => {
    readdress(`/rooms/${id}?chat`);
    app.media.stop();
    show((ends) => conversationView(app, room, { message, join: () => before(room) }, ends));
  };
  /** @param {RoomWithMembers} room */
  const before = (room) => {
    readdress(`/rooms/${id}`);
    app.call.prepare(room);
    show((ends) => prejoinView(app, room, ends, { join: () => during(room), chat: () => chat(room, null) }));
  };
  /** @param {RoomWithMembers} room */
  const during = (room) => {
    app.call.enter(room.id, room);
    show((ends) => callView(app, room, ends, () => after(room, 'left')));
  };
  /**
   * @param {RoomWithMembers} room
   * @param {string} code
   */
  const after = (room, code) => show(() => endedView(code, { again: () => before(room), chat: () => chat(room, null) }));

  const load = async () => {
    try {
      const room = await app.rooms.details(id);
      // Made or joined by this person in another browser: the list does not have it yet, nor has the chat.
      if (app.rooms.rooms !== null && app.rooms.find(id) === null) await app.rooms.refresh(id);
      if (signal.aborted) return;
      listen(
        app.call,
        'ended',
        ({ detail }) => {
          if (detail.code === 'session_ended') app.session.ended();
          else after(room, detail.code);
        },
        signal,
      );
      document.title = `${titleOf(app, room)} · WebCall`;
      const asked = new URLSearchParams(location.search);
      if (asked.has('chat')) chat(room, asked.get('message'));
      else before(room);
    } catch (error) {
      if (!signal.aborted) show(() => missingPage('room-missing', error, () => app.redraw()));
    }
  };
  void load();
  return { title: app.rooms.find(id)?.name ?? t('shell.rooms'), element: root };
};

/** The address says what is shown, so that a reload shows the same. @param {string} path */
function readdress(path) {
  if (location.pathname + location.search !== path) history.replaceState(null, '', path);
}

/**
 * @param {string} code why the call is over
 * @param {{ again: () => void, chat: () => void }} acts
 */
function endedView(code, { again, chat }) {
  const own = code === 'left';
  const reasons = /** @type {const} */ ({ removed: 'ended.removed', room_gone: 'ended.room_gone', session_ended: 'ended.session_ended', connection_replaced: 'ended.connection_replaced' });
  const reason = code in reasons ? t(reasons[/** @type {keyof typeof reasons} */ (code)]) : errorText({ code });
  return centred(
    'ended',
    heading(own ? t('ended.left') : t('ended.title')),
    own ? null : el('p', { data: { reason: code } }, reason),
    el(
      'div',
      { class: 'stack' },
      el('a', { class: 'button primary wide', href: '/' }, t('common.back_to_rooms')),
      code === 'room_gone' ? null : el('button', { class: 'button wide', type: 'button', data: { action: 'to-chat' }, on: { click: chat } }, t('chat.open')),
      code === 'room_gone' ? null : el('button', { class: 'button wide', type: 'button', data: { action: 'rejoin' }, on: { click: again } }, t('ended.again')),
    ),
  );
}
