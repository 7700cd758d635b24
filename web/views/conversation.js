/** A conversation as a page of its own: no camera, no microphone, only what is written. The call is one press away. */

/** @import { App } from './page.js' */
/** @import { RoomWithMembers } from '../api.js' */
/** @import { ConversationView } from '../state/chat/interface.js' */

import { t } from '../i18n/index.js';
import { el, fill, listen } from '../ui/dom.js';
import { iconButton } from '../ui/form.js';
import { icon } from '../ui/icons.js';
import { chatView } from './chat/chat-view.js';
import { chatLock } from './encryption.js';
import { keysBanners } from './keys/banner.js';
import { openOthers } from './keys/others.js';
import { openCompare } from './keys/compare.js';
import { verifiedMark, verifiedText } from './keys/mark.js';
import { framedWhole, heading } from './page.js';
import { openRoomDetails } from './room-details.js';

/**
 * @param {App} app
 * @param {RoomWithMembers} room
 * @param {{ message: string | null, join: () => void }} options
 * @param {AbortSignal} signal
 */
export function conversationView(app, room, { message, join }, signal) {
  const back = el('a', { class: 'icon-button', href: '/', title: t('common.back_to_rooms'), 'aria-label': t('common.back_to_rooms') }, icon('back'));
  const title = heading(titleOf(app, room));
  title.dir = 'auto';
  title.classList.add('clipped');
  const name = el('div', { class: 'chat-title' }, title, aboutLine(app, room, signal));
  if (room.kind === 'direct' && room.encryption === 'mls') name.append(otherMark(app, room, signal));
  const details = room.kind === 'direct' ? compareButton(app, room) : iconButton({ icon: 'people', label: t('rooms.details'), action: 'room-details', click: () => openRoomDetails(app, room.id) });
  const call = el('button', { class: 'button primary join', type: 'button', title: t('prejoin.join'), 'aria-label': t('prejoin.join'), data: { action: 'to-prejoin' }, on: { click: join } }, icon('call'), el('span', {}, t('prejoin.join')));
  const chat = chatView(app, room, { heading: el('div', { class: 'chat-heading' }, back, name), buttons: [details, call], message, write: true }, signal);
  if (room.encryption !== 'mls') return framedWhole(app, 'conversation', chat.element);
  return framedWhole(app, 'conversation', el('div', { class: 'under-banners' }, keysBanners(app, room, signal), chat.element));
}

/**
 * @param {App} app
 * @param {RoomWithMembers} room
 */
export function titleOf(app, room) {
  return app.chat.conversation(room.id)?.row.title || room.name || namesOf(app, room);
}

/** Of a direct conversation that was opened by its address, before the chat is there. @param {App} app @param {RoomWithMembers} room */
function namesOf(app, { members }) {
  const others = members.filter(({ user }) => user !== app.session.user?.id);
  return (others.length > 0 ? others : members).map(({ username }) => username).join(', ');
}

/**
 * Whether the other one of two is verified.
 * @param {App} app
 * @param {RoomWithMembers} room
 * @param {AbortSignal} signal
 */
function otherMark(app, room, signal) {
  const place = el('p', { class: 'room-facts' });
  const draw = () => {
    const others = room.members.filter(({ user }) => user !== app.session.user?.id);
    const [other] = others;
    const mark = others.length === 1 && other ? verifiedMark(verifiedText(app, other)) : null;
    fill(place, mark);
    place.hidden = mark === null;
  };
  listen(app.keys, ['change', 'person'], draw, signal);
  draw();
  return place;
}

/** The way to the safety number of the other one of two, or to those of all others. @param {App} app @param {RoomWithMembers} room */
function compareButton(app, room) {
  const [other, ...more] = room.members.filter(({ user }) => user !== app.session.user?.id);
  if (room.encryption !== 'mls' || !other) return null;
  if (more.length > 0) return iconButton({ icon: 'shield', label: t('keys.safety_all'), action: 'safety-numbers', click: () => openOthers(app, room) });
  const compare = () => {
    if (app.keys.account !== null) openCompare(app.keys.account, other);
  };
  return iconButton({ icon: 'shield', label: t('keys.safety'), about: other.username, action: 'safety-number', click: compare });
}

/**
 * Under the name: the topic, who is there now, that it is not encrypted.
 * @param {App} app
 * @param {RoomWithMembers} room
 * @param {AbortSignal} signal
 */
function aboutLine(app, room, signal) {
  const there = el('span', { class: 'there' });
  const topic = el('span', { class: 'clipped', dir: 'auto' });
  const line = el('p', { class: 'room-facts' }, there, topic, chatLock(app, room, signal));
  let listening = false;
  const draw = () => {
    const conversation = app.chat.conversation(room.id);
    if (!conversation) return;
    if (!listening) listen(conversation, 'change', ({ detail }) => ['people', 'presence', 'row'].includes(detail?.reason) && draw(), signal);
    listening = true;
    there.textContent = presence(app, conversation);
    there.dataset['there'] = String(countThere(app, conversation) > 0);
    topic.textContent = conversation.row.topic;
    topic.hidden = conversation.row.topic === '';
  };
  listen(app.chat, 'change', draw, signal);
  draw();
  return line;
}

/**
 * @param {App} app
 * @param {ConversationView} conversation
 */
function countThere(app, conversation) {
  return conversation.members.filter(({ user }) => user !== app.session.user?.id && conversation.presenceOf(user) !== 'offline').length;
}

/**
 * @param {App} app
 * @param {ConversationView} conversation
 */
function presence(app, conversation) {
  const [other] = conversation.row.others;
  if (conversation.row.kind === 'direct' && conversation.row.others.length === 1 && other) return t(`presence.${conversation.presenceOf(other.user)}`);
  return t('presence.count', { count: countThere(app, conversation) });
}
