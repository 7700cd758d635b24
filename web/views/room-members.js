/** The members in a room's details, and what who keeps order can do with each: role, chat, removal, ban, handing the room over. */

/** @import { App } from './page.js' */
/** @import { Member, RoomWithMembers } from '../api.js' */
/** @import { IconName } from '../ui/icons.js' */

import { t } from '../i18n/index.js';
import { confirmFirst } from '../ui/dialog.js';
import { el } from '../ui/dom.js';
import { labelled } from '../ui/form.js';
import { menu } from '../ui/menu.js';
import { memberKeys, unlistedRows } from './keys/member.js';
import { personName } from './name.js';
import { attempt } from './room-acts.js';

const RANK = { owner: 0, moderator: 1, member: 2 };

/**
 * @param {App} app
 * @param {RoomWithMembers} room
 * @param {() => void} draw
 */
export function membersSection(app, room, draw) {
  const members = [...room.members].sort((a, b) => RANK[a.role] - RANK[b.role] || a.username.localeCompare(b.username));
  return el(
    'section',
    {},
    el('h3', {}, `${t('rooms.people')} · ${members.length}`),
    el('ul', { class: 'members' }, ...members.map((member) => memberRow(app, room, member, draw)), ...unlistedRows(app, room)),
  );
}

/**
 * @param {App} app
 * @param {RoomWithMembers} room
 * @param {Member} member
 * @param {() => void} draw
 */
function memberRow(app, room, member, draw) {
  const self = member.user === app.session.user?.id;
  const setRole = async () => {
    const role = member.role === 'moderator' ? 'member' : 'moderator';
    if (await attempt(() => app.rooms.setRole(room.id, member.user, role))) draw();
  };
  const change = member.role === 'moderator' ? t('rooms.make_member') : t('rooms.make_moderator');
  const items = self ? [] : memberActs(app, room, member, draw);
  return el(
    'li',
    { class: 'member', data: { username: member.username } },
    el('span', { class: 'member-name' }, personName(member.username, self)),
    member.chat_muted ? el('span', { class: 'hint' }, t('order.muted')) : null,
    el('span', { class: 'hint' }, t(`role.${member.role}`)),
    ...memberKeys(app, room, member),
    room.role === 'owner' && !self ? el('button', { class: 'link', type: 'button', 'aria-label': labelled(change, member.username), data: { action: 'set-role' }, on: { click: () => void setRole() } }, change) : null,
    ...(items.length > 0 ? menu({ label: labelled(t('order.more'), member.username), action: 'member-menu', class: 'icon-button small', items }) : []),
  );
}

/** @typedef {{ icon: IconName, label: string, action: string, click: () => void }} Item */

/**
 * What the server would refuse is not offered.
 * @param {App} app
 * @param {RoomWithMembers} room
 * @param {Member} member
 * @param {() => void} draw
 * @returns {Item[]}
 */
function memberActs(app, room, member, draw) {
  const name = member.username;
  const above = RANK[room.role] < RANK[member.role] && room.role !== 'member';
  /** @param {() => Promise<unknown>} act */
  const then = async (act) => {
    if (await attempt(act)) draw();
  };
  /**
   * @param {{ title: string, text: string, action: string }} question
   * @param {() => Promise<unknown>} act
   */
  const asked = async (question, act) => {
    if (await confirmFirst(question)) await then(act);
  };
  /** @type {Item[]} */
  const items = [];
  if (above) {
    const muted = member.chat_muted;
    items.push({ icon: muted ? 'chat' : 'chat-off', label: t(muted ? 'order.unmute' : 'order.mute'), action: 'mute-in-chat', click: () => void then(() => app.rooms.muteInChat(room.id, member.user, !muted)) });
  }
  if (room.role === 'owner') {
    const question = { title: t('order.hand_over_title', { name }), text: t('order.hand_over_text'), action: t('order.hand_over') };
    items.push({ icon: 'crown', label: t('order.hand_over'), action: 'hand-over', click: () => void asked(question, () => app.rooms.setRole(room.id, member.user, 'owner')) });
  }
  if (above) {
    const removal = { title: t('rooms.remove_member_title', { name }), text: t('rooms.remove_member_text'), action: t('rooms.remove_member') };
    items.push({ icon: 'exit', label: t('rooms.remove_member'), action: 'remove-member', click: () => void asked(removal, () => app.rooms.removeMember(room.id, member.user)) });
    const ban = { title: t('order.ban_title', { name }), text: t('order.ban_text'), action: t('order.ban') };
    items.push({ icon: 'ban', label: t('order.ban'), action: 'ban', click: () => void asked(ban, () => app.rooms.ban(room.id, member.user)) });
  }
  return items;
}
