/** A room's details in a dialog: name, link, members and their roles. Owners and moderators see what they may change. */

/** @import { App } from './page.js' */
/** @import { Member, RoomWithMembers } from '../api.js' */

import { errorText, t } from '../i18n/index.js';
import { confirmFirst, openDialog } from '../ui/dialog.js';
import { el, fill } from '../ui/dom.js';
import { field, form, iconButton, labelled, spinner } from '../ui/form.js';
import { icon } from '../ui/icons.js';
import { toast } from '../ui/toast.js';
import { encryptionNote } from './encryption.js';
import { personName } from './name.js';
import { attempt, copyLink, roomLink } from './room-acts.js';

/**
 * @param {App} app
 * @param {string} id
 */
export function openRoomDetails(app, id) {
  const body = el('div', { class: 'stack' }, spinner());
  const dialog = openDialog({ title: t('rooms.details') }, body);
  const draw = async () => {
    try {
      const room = await app.rooms.details(id);
      if (!dialog.isConnected) return;
      fill(body, nameSection(app, room, draw), linkSection(app, room, draw), membersSection(app, room, draw));
    } catch (error) {
      fill(body, el('p', { class: 'problem' }, icon('warning'), el('span', {}, errorText(error))));
    }
  };
  void draw();
}

/**
 * @param {App} app
 * @param {RoomWithMembers} room
 * @param {() => void} draw
 */
function nameSection(app, room, draw) {
  const open = encryptionNote();
  if (room.role !== 'owner') return el('section', {}, el('h3', { class: 'room-title' }, room.name), open);
  const rename = form(
    {
      submit: t('rooms.rename'),
      action: 'rename-room',
      check: ({ name = '' }) => (name.trim() === '' ? 'invalid_room_name' : null),
      send: async ({ name = '' }) => {
        await app.rooms.rename(room.id, name.trim());
        toast(t('rooms.renamed'));
        draw();
      },
    },
    field({ label: t('rooms.name'), name: 'name', attributes: { maxlength: '100', value: room.name } }),
  );
  rename.classList.add('inline-form');
  rename.querySelector('.button')?.classList.remove('primary');
  return el('section', {}, rename, open);
}

/**
 * @param {App} app
 * @param {RoomWithMembers} room
 * @param {() => void} draw
 */
function linkSection(app, room, draw) {
  if (room.link_code === null) return null;
  const reset = async () => {
    const agreed = await confirmFirst({ title: t('rooms.reset_link_title'), text: t('rooms.reset_link_text'), action: t('rooms.reset_link') });
    if (!agreed || !(await attempt(() => app.rooms.resetLink(room.id)))) return;
    toast(t('rooms.link_reset'));
    draw();
  };
  return el(
    'section',
    {},
    el('h3', {}, t('rooms.link')),
    el(
      'div',
      { class: 'row' },
      el('input', { class: 'copyable', readonly: true, value: roomLink(room), 'aria-label': t('rooms.link') }),
      iconButton({ icon: 'link', label: t('rooms.copy_link'), action: 'copy-link', click: () => void copyLink(room) }),
    ),
    room.role === 'member' ? null : el('button', { class: 'link', type: 'button', data: { action: 'reset-link' }, on: { click: () => void reset() } }, t('rooms.reset_link')),
  );
}

/**
 * @param {App} app
 * @param {RoomWithMembers} room
 * @param {() => void} draw
 */
function membersSection(app, room, draw) {
  const rank = { owner: 0, moderator: 1, member: 2 };
  const members = [...room.members].sort((a, b) => rank[a.role] - rank[b.role] || a.username.localeCompare(b.username));
  return el(
    'section',
    {},
    el('h3', {}, `${t('rooms.people')} · ${members.length}`),
    el('ul', { class: 'members' }, ...members.map((member) => memberRow(app, room, member, draw))),
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
  const remove = async () => {
    const agreed = await confirmFirst({ title: t('rooms.remove_member_title', { name: member.username }), text: t('rooms.remove_member_text'), action: t('rooms.remove_member') });
    if (agreed && (await attempt(() => app.rooms.removeMember(room.id, member.user)))) draw();
  };
  const mayRemove = !self && (room.role === 'owner' || (room.role === 'moderator' && member.role === 'member'));
  const change = member.role === 'moderator' ? t('rooms.make_member') : t('rooms.make_moderator');
  return el(
    'li',
    { class: 'member', data: { username: member.username } },
    el('span', { class: 'member-name' }, personName(member.username, self)),
    el('span', { class: 'hint' }, t(`role.${member.role}`)),
    room.role === 'owner' && !self ? el('button', { class: 'link', type: 'button', 'aria-label': labelled(change, member.username), data: { action: 'set-role' }, on: { click: () => void setRole() } }, change) : null,
    mayRemove ? iconButton({ icon: 'close', label: t('rooms.remove_member'), about: member.username, action: 'remove-member', class: 'small', click: () => void remove() }) : null,
  );
}
