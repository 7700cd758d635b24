/**
 * The page of one room: before the call, the call, after the call, at one address. Knows which of the three is shown, and nothing of how
 * they look. Leaving the page leaves the call.
 */

/** @import { Page } from './page.js' */
/** @import { RoomWithMembers } from '../api.js' */

import { errorText, t } from '../i18n/index.js';
import { el, fill, listen } from '../ui/dom.js';
import { spinner } from '../ui/form.js';
import { callView } from './call.js';
import { centred, firstFocus, heading } from './page.js';
import { missingPage } from './plain.js';
import { prejoinView } from './prejoin.js';

/** @type {Page} */
export const roomPage = (app, [id = ''], signal) => {
  const root = el('div', { class: 'room-page' }, el('main', { class: 'waiting', data: { page: 'waiting' } }, spinner()));
  let showing = new AbortController();
  signal.addEventListener('abort', () => {
    showing.abort();
    app.call.leave();
    app.call.unprepare();
    app.media.stop();
  });
  /** @param {(signal: AbortSignal) => HTMLElement} view */
  const show = (view) => {
    showing.abort();
    showing = new AbortController();
    fill(root, view(showing.signal));
    firstFocus(root)?.focus();
  };
  /** @param {RoomWithMembers} room */
  const before = (room) => {
    document.title = `${room.name} · WebCall`;
    app.call.prepare();
    show((ends) => prejoinView(app, room, ends, () => during(room)));
  };
  /** @param {RoomWithMembers} room */
  const during = (room) => {
    app.call.enter(id);
    show((ends) => callView(app, room, ends, () => after(room, 'left')));
  };
  /**
   * @param {RoomWithMembers} room
   * @param {string} code
   */
  const after = (room, code) => show(() => endedView(code, () => before(room)));

  const load = async () => {
    try {
      const room = await app.rooms.details(id);
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
      before(room);
    } catch (error) {
      if (!signal.aborted) show(() => missingPage('room-missing', error, () => app.redraw()));
    }
  };
  void load();
  return { title: app.rooms.find(id)?.name ?? t('shell.rooms'), element: root };
};

/**
 * @param {string} code why the call is over
 * @param {() => void} again
 */
function endedView(code, again) {
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
      code === 'room_gone' ? null : el('button', { class: 'button wide', type: 'button', data: { action: 'rejoin' }, on: { click: again } }, t('ended.again')),
    ),
  );
}
