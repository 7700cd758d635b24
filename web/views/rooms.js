/** The conversations: rooms and direct ones, the last active first, with what is new in each; and the ways to begin another. */

/** @import { App, Page } from './page.js' */

import { errorText, t } from '../i18n/index.js';
import { openDialog } from '../ui/dialog.js';
import { el, fill, listen } from '../ui/dom.js';
import { field, form, spinner } from '../ui/form.js';
import { icon } from '../ui/icons.js';
import { toast } from '../ui/toast.js';
import { searchPanel } from './chat/search-panel.js';
import { conversationRow } from './conversation-row.js';
import { encryptionChoice } from './encryption-choice.js';
import { framed, heading } from './page.js';
import { namesIn } from './usernames.js';

/** How soon the list shows that somebody entered a call. */
const REFRESH_MS = 8_000;
/** Of one direct conversation, oneself not counted. */
const MOST_OTHERS = 9;

/** @type {Page} */
export const roomsPage = (app, _parameters, signal) => {
  const title = t('rooms.title');
  const list = el('ul', { class: 'rooms', 'aria-label': title });
  const status = el('div', { class: 'rooms-status' }, spinner());
  const draw = () => drawConversations(app, list, status);
  listen(app.rooms, 'change', draw, signal);
  listen(app.chat, 'change', draw, signal);
  keepFresh(app, status, signal);
  draw();
  const search = searchPanel(
    app,
    {
      open: ({ room, id }) => app.go(`/rooms/${room}?chat&message=${id}`),
      searching: (text) => {
        list.classList.toggle('put-aside', text !== '');
      },
    },
    signal,
  );
  const direct = el('button', { class: 'button', type: 'button', data: { action: 'new-direct' }, on: { click: () => newDirect(app) } }, icon('person'), t('rooms.new_direct'));
  const head = el('div', { class: 'rooms-head' }, heading(title), direct);
  return { title, element: framed(app, 'rooms', head, search.element, list, status, newRoom(app)) };
};

/** @param {App} app */
function newRoom(app) {
  const encryption = encryptionChoice(app);
  const create = form(
    {
      submit: t('rooms.create'),
      action: 'create-room',
      check: ({ room_name: name = '' }) => (name.trim() === '' ? 'invalid_room_name' : null),
      send: async ({ room_name: name = '' }) => app.go(`/rooms/${(await app.rooms.create(name.trim(), encryption.chosen())).id}`),
    },
    field({ label: t('rooms.name'), name: 'room_name', attributes: { maxlength: '100' } }),
  );
  create.classList.add('inline-form');
  return el('section', { class: 'card', 'aria-labelledby': 'new-room' }, el('h2', { id: 'new-room' }, t('rooms.new')), create, encryption.element);
}

/** @param {App} app */
function newDirect(app) {
  const encryption = encryptionChoice(app);
  const open = form(
    {
      submit: t('rooms.write'),
      action: 'open-direct',
      check: ({ usernames = '' }) => {
        const count = namesIn(usernames).length;
        return count === 0 ? 'field_empty' : count > MOST_OTHERS ? 'too_many_people' : null;
      },
      send: async ({ usernames = '' }) => {
        const chosen = encryption.chosen();
        const room = await app.rooms.openDirect(namesIn(usernames), chosen);
        // It was there already: nothing changes how it is encrypted.
        if (chosen.encryption === 'mls' && room.encryption === 'open') toast(t('rooms.direct_is_open'));
        else if (chosen.strict && !room.strict) toast(t('rooms.direct_not_strict'));
        dialog.close();
        app.go(`/rooms/${room.id}?chat`);
      },
    },
    field({ label: t('rooms.usernames'), name: 'usernames', hint: t('rooms.usernames_hint'), attributes: { maxlength: '400', autocapitalize: 'off', spellcheck: 'false' } }),
  );
  const dialog = openDialog({ title: t('rooms.new_direct'), class: 'narrow' }, open, encryption.element);
  dialog.querySelector('input')?.focus();
}

/** What a row was drawn from. @type {WeakMap<Element, string>} */
const drawnFrom = new WeakMap();

/**
 * The row that is there, if nothing about it changed; else a new one.
 * @param {App} app
 * @param {HTMLElement} list
 * @param {import('../state/chat/interface.js').ConversationRow} row
 */
function keptRow(app, list, row) {
  const facts = JSON.stringify([row, app.rooms.find(row.id)]);
  const fresh = conversationRow(app, row);
  const there = [...list.children].find((each) => /** @type {HTMLElement} */ (each).dataset['room'] === row.id);
  if (there && drawnFrom.get(there) === facts && there.isEqualNode(fresh)) return there;
  drawnFrom.set(fresh, facts);
  return fresh;
}

/**
 * @param {App} app
 * @param {HTMLElement} list
 * @param {HTMLElement} status
 */
function drawConversations(app, list, status) {
  const { conversations } = app.chat;
  if (conversations === null) return;
  const focused = /** @type {HTMLElement | null} */ (list.contains(document.activeElement) ? document.activeElement : null);
  const again = focused && { room: focused.closest('li')?.dataset['room'], action: focused.dataset['action'] };
  const rows = conversations.map((row) => keptRow(app, list, row));
  // What is the same stays as it is: whoever is about to press a button must not find another one there.
  const isSame = rows.length === list.children.length && rows.every((row, index) => row === list.children[index]);
  if (!isSame) list.replaceChildren(...rows);
  if (again && !isSame) /** @type {HTMLElement | null} */ (list.querySelector(`[data-room="${again.room}"] [data-action="${again.action}"]`))?.focus();
  list.hidden = conversations.length === 0;
  if (conversations.length > 0) fill(status);
  else fill(status, el('div', { class: 'empty' }, icon('people'), el('p', { class: 'strong' }, t('rooms.empty')), el('p', { class: 'hint' }, t('rooms.empty_hint'))));
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
