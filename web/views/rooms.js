/** The rooms: who is in a call now, a new room, and what can be done with each. */

/** @import { App, Page } from './page.js' */
/** @import { Room } from '../api.js' */

import { errorText, t } from '../i18n/index.js';
import { el, fill, listen } from '../ui/dom.js';
import { field, form, iconButton, labelled, spinner } from '../ui/form.js';
import { icon } from '../ui/icons.js';
import { toast } from '../ui/toast.js';
import { encryptionNote } from './encryption.js';
import { framed, heading } from './page.js';
import { openRoomDetails } from './room-details.js';
import { copyLink, deleteRoom, leaveRoom } from './room-acts.js';

/** How soon the list shows that somebody entered a call. */
const REFRESH_MS = 8_000;

/** @type {Page} */
export const roomsPage = (app, _parameters, signal) => {
  const title = t('rooms.title');
  const list = el('ul', { class: 'rooms', 'aria-label': title });
  const status = el('div', { class: 'rooms-status' }, spinner());
  const draw = () => drawRooms(app, list, status);
  listen(app.rooms, 'change', draw, signal);
  keepFresh(app, status, signal);
  draw();
  const create = form(
    {
      submit: t('rooms.create'),
      action: 'create-room',
      check: ({ room_name: name = '' }) => (name.trim() === '' ? 'invalid_room_name' : null),
      send: async ({ room_name: name = '' }) => app.go(`/rooms/${(await app.rooms.create(name.trim())).id}`),
    },
    field({ label: t('rooms.name'), name: 'room_name', attributes: { maxlength: '100' } }),
  );
  create.classList.add('inline-form');
  const section = el('section', { class: 'card', 'aria-labelledby': 'new-room' }, el('h2', { id: 'new-room' }, t('rooms.new')), create, encryptionNote());
  return { title, element: framed(app, 'rooms', heading(title), list, status, section) };
};

/**
 * @param {App} app
 * @param {HTMLElement} list
 * @param {HTMLElement} status
 */
function drawRooms(app, list, status) {
  const { rooms } = app.rooms;
  if (rooms === null) return;
  const focused = /** @type {HTMLElement | null} */ (list.contains(document.activeElement) ? document.activeElement : null);
  const again = focused && { room: focused.closest('li')?.dataset['room'], action: focused.dataset['action'] };
  fill(list, ...rooms.map((room) => roomRow(app, room)));
  if (again) /** @type {HTMLElement | null} */ (list.querySelector(`[data-room="${again.room}"] [data-action="${again.action}"]`))?.focus();
  list.hidden = rooms.length === 0;
  if (rooms.length > 0) fill(status);
  else fill(status, el('div', { class: 'empty' }, icon('people'), el('p', { class: 'strong' }, t('rooms.empty')), el('p', { class: 'hint' }, t('rooms.empty_hint'))));
}

/**
 * @param {App} app
 * @param {Room} room
 */
function roomRow(app, room) {
  const busy = room.in_call > 0;
  const facts = el(
    'p',
    { class: 'room-facts' },
    busy ? el('span', { class: 'badge live', data: { inCall: String(room.in_call) } }, t('rooms.in_call', { count: room.in_call })) : null,
    el('span', {}, t('rooms.members', { count: room.member_count })),
    room.role === 'member' ? null : el('span', {}, t(`role.${room.role}`)),
  );
  const owner = room.role === 'owner';
  const open = busy ? t('rooms.join_now') : t('rooms.open');
  return el(
    'li',
    { class: 'room', data: { room: room.id, roomName: room.name } },
    el('div', { class: 'room-text' }, el('h2', {}, el('a', { href: `/rooms/${room.id}` }, room.name)), facts),
    el(
      'div',
      { class: 'room-actions' },
      iconButton({ icon: 'link', label: t('rooms.copy_link'), about: room.name, action: 'copy-link', click: () => void copyLink(room) }),
      iconButton({ icon: 'settings', label: t('rooms.details'), about: room.name, action: 'room-details', click: () => openRoomDetails(app, room.id) }),
      owner
        ? iconButton({ icon: 'bin', label: t('rooms.delete'), about: room.name, action: 'delete-room', click: () => void deleteRoom(app, room) })
        : iconButton({ icon: 'exit', label: t('rooms.leave'), about: room.name, action: 'leave-room', click: () => void leaveRoom(app, room) }),
      el('a', { class: `button ${busy ? 'primary' : ''}`, href: `/rooms/${room.id}`, 'aria-label': labelled(open, room.name), data: { action: 'open-room' } }, open),
    ),
  );
}

/**
 * @param {App} app
 * @param {HTMLElement} status
 * @param {AbortSignal} signal
 */
function keepFresh(app, status, signal) {
  const load = async () => {
    try {
      await app.rooms.load();
    } catch (error) {
      if (signal.aborted) return;
      if (app.rooms.rooms === null) fill(status, el('p', { class: 'problem' }, icon('warning'), el('span', {}, errorText(error))));
      else toast(errorText(error), 'problem');
    }
  };
  const timer = setInterval(() => document.visibilityState === 'visible' && void load(), REFRESH_MS);
  signal.addEventListener('abort', () => clearInterval(timer));
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && void load(), { signal });
  void load();
}
