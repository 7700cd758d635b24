/** One conversation in the list: whose, what was said last and when, what is new, who is in its call, and what can be done with it. */

/** @import { App } from './page.js' */
/** @import { ConversationRow } from '../state/chat/interface.js' */

import { moment, shortWhen, t } from '../i18n/index.js';
import { el } from '../ui/dom.js';
import { iconButton, labelled } from '../ui/form.js';
import { icon } from '../ui/icons.js';
import { avatar } from './avatar.js';
import { plainText } from './chat/message-row.js';
import { excerpt } from './chat/row-facts.js';
import { openRoomDetails } from './room-details.js';
import { copyLink, deleteRoom, leaveRoom } from './room-acts.js';

/** More is "99+": nobody reads on by the number. */
const MOST_SHOWN = 99;

/**
 * @param {App} app
 * @param {ConversationRow} row
 */
export function conversationRow(app, row) {
  const busy = row.inCall > 0;
  const picture = avatar(row.title);
  if (row.kind === 'room') picture.classList.add('of-room');
  return el(
    'li',
    { class: `room ${row.unread > 0 ? 'unread' : ''}`, data: { room: row.id, roomName: row.title } },
    picture,
    el(
      'div',
      { class: 'room-text' },
      el('div', { class: 'room-line' }, el('h2', { class: 'clipped' }, el('a', { href: `/rooms/${row.id}?chat`, dir: 'auto', data: { action: 'open-chat' } }, row.title)), when(row)),
      el('div', { class: 'room-line' }, preview(row), ...marks(row)),
      facts(app, row),
    ),
    el('div', { class: 'room-actions' }, ...acts(app, row), busy ? joinButton(row) : null),
  );
}

/** @param {ConversationRow} row */
function when(row) {
  if (!row.last) return null;
  return el('time', { class: 'hint', datetime: new Date(row.last.at).toISOString(), title: moment(row.last.at) }, shortWhen(row.last.at, Date.now()));
}

/** @param {ConversationRow} row */
function preview({ draft, last, kind }) {
  if (draft.trim() !== '') return el('p', { class: 'preview-line clipped' }, el('span', { class: 'draft-mark' }, t('chat.draft')), ' ', el('bdi', {}, excerpt(draft)));
  if (!last) return el('p', { class: 'preview-line clipped' }, t('chat.none_yet'));
  const text = last.text === '' && last.files > 0 ? t('chat.files', { count: last.files }) : plainText({ kind: last.kind, notice: last.notice, text: last.text, files: [] });
  const name = last.own ? t('chat.you') : kind === 'room' ? last.senderName : null;
  return el('p', { class: 'preview-line clipped' }, name ? el('bdi', {}, `${name}: `) : null, el('bdi', {}, text));
}

/** @param {ConversationRow} row */
function marks({ unread, unreadAtLeast, mentions, failed }) {
  const shown = unread > MOST_SHOWN ? `${MOST_SHOWN}+` : `${unread}${unreadAtLeast ? '+' : ''}`;
  return [
    failed > 0 ? el('span', { class: 'failed', title: t('chat.state_failed') }, icon('warning'), el('span', { class: 'visually-hidden' }, t('chat.state_failed'))) : null,
    mentions > 0 ? el('span', { class: 'unread-count mention-mark', title: t('chat.mentions', { count: mentions }) }, el('span', { 'aria-hidden': 'true' }, '@'), el('span', { class: 'visually-hidden' }, t('chat.mentions', { count: mentions }))) : null,
    unread > 0 ? el('span', { class: 'unread-count', data: { unread: String(unread) } }, el('span', { 'aria-hidden': 'true' }, shown), el('span', { class: 'visually-hidden' }, t('chat.unread', { count: unread }))) : null,
  ];
}

/**
 * @param {App} app
 * @param {ConversationRow} row
 */
function facts(app, row) {
  const room = app.rooms.find(row.id);
  const badge = row.inCall > 0 ? el('span', { class: 'badge live', data: { inCall: String(row.inCall) } }, t('rooms.in_call', { count: row.inCall })) : null;
  if (row.kind === 'direct') return badge && el('p', { class: 'room-facts' }, badge);
  if (!room) return badge && el('p', { class: 'room-facts' }, badge);
  return el('p', { class: 'room-facts' }, badge, el('span', {}, t('rooms.members', { count: room.member_count })), room.role === 'member' ? null : el('span', {}, t(`role.${room.role}`)));
}

/**
 * @param {App} app
 * @param {ConversationRow} row
 */
function acts(app, row) {
  const room = app.rooms.find(row.id);
  const about = row.title;
  if (!room || row.kind === 'direct') return [];
  return [
    iconButton({ icon: 'link', label: t('rooms.copy_link'), about, action: 'copy-link', click: () => void copyLink(app, room) }),
    iconButton({ icon: 'settings', label: t('rooms.details'), about, action: 'room-details', click: () => openRoomDetails(app, room.id) }),
    room.role === 'owner'
      ? iconButton({ icon: 'bin', label: t('rooms.delete'), about, action: 'delete-room', click: () => void deleteRoom(app, room) })
      : iconButton({ icon: 'exit', label: t('rooms.leave'), about, action: 'leave-room', click: () => void leaveRoom(app, room) }),
  ];
}

/** @param {ConversationRow} row */
function joinButton(row) {
  const label = t('rooms.join_now');
  return el('a', { class: 'button primary', href: `/rooms/${row.id}`, 'aria-label': labelled(label, row.title), data: { action: 'open-room' } }, label);
}
