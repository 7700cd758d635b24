/** A room's details in a dialog: name, topic, link, order, members. Owners and moderators see what they may change. */

/** @import { App } from './page.js' */
/** @import { RoomWithMembers } from '../api.js' */

import { errorText, t } from '../i18n/index.js';
import { confirmFirst, openDialog } from '../ui/dialog.js';
import { el, fill, listen } from '../ui/dom.js';
import { field, form, iconButton, spinner } from '../ui/form.js';
import { icon } from '../ui/icons.js';
import { toast } from '../ui/toast.js';
import { encryptionNote, strictNote } from './encryption.js';
import { trustInMembers } from './keys/member.js';
import { attempt, copyLink, roomLink } from './room-acts.js';
import { openAudit } from './room-audit.js';
import { membersSection } from './room-members.js';
import { bansSection, orderSection, topicSection } from './room-order.js';

/** @typedef {{ href: string, letsIn: boolean }} RoomLink as `roomLink` gives it */
/** @typedef {(app: App, room: RoomWithMembers, draw: () => void, link: RoomLink) => HTMLElement | null} Section */

/** The sections from the top, each with what of the room it shows. @returns {[Section, (keyof RoomWithMembers)[]][]} */
const sections = () => [
  [nameSection, ['role', 'name', 'encryption']],
  [topicSection, ['role', 'topic']],
  [linkSection, ['role', 'link_code']],
  [orderSection, ['role', 'locked', 'slow_mode_s', 'retention_days', 'chat_muted']],
  [membersSection, ['role', 'members']],
  [bansSection, ['role', 'members']],
  [auditSection, ['role']],
];

/**
 * The section in which something was done is drawn anew, the others only where what they show has changed: what is typed there stays,
 * and an open menu stays open.
 * @param {App} app
 * @param {string} id
 */
export function openRoomDetails(app, id) {
  const body = el('div', { class: 'stack' }, spinner());
  const closing = new AbortController();
  const dialog = openDialog({ title: t('rooms.details'), closed: () => closing.abort() }, body);
  /** @type {{ node: ChildNode, shows: string }[]} */
  let drawn = [];
  /** @param {number} [acted] the section in which something was done */
  const draw = async (acted) => {
    try {
      const room = await app.rooms.details(id);
      const [trust, link] = await Promise.all([trustInMembers(app, room), roomLink(app, room)]);
      if (!dialog.isConnected) return;
      const focused = focusedIn(body);
      const before = drawn;
      drawn = sections().map(([section, fields], index) => {
        const shows = JSON.stringify([fields.map((field) => room[field]), fields.includes('members') ? trust : [], fields.includes('link_code') ? link : null]);
        const kept = before[index];
        if (kept !== undefined && index !== acted && kept.shows === shows) return kept;
        const node = section(app, room, () => void draw(index), link) ?? document.createTextNode('');
        kept?.node.replaceWith(node);
        return { node, shows };
      });
      if (before.length === 0) fill(body, ...drawn.map(({ node }) => node));
      if (focused !== null && document.activeElement === document.body) /** @type {HTMLElement | null} */ (body.querySelector(focused))?.focus();
    } catch (error) {
      drawn = [];
      fill(body, el('p', { class: 'problem' }, icon('warning'), el('span', {}, errorText(error))));
    }
  };
  void draw();
  listen(app.keys, ['change', 'person'], () => void draw(), closing.signal);
  // Whoever is inside now can make a link that leads in.
  listen(app.keys, 'room', ({ detail }) => detail.room === id && void draw(), closing.signal);
}

/**
 * What is changed is drawn anew, and whoever changed it by keyboard goes on from there.
 * @param {HTMLElement} body
 * @returns {string | null} a selector that finds the focused element again
 */
function focusedIn(body) {
  const active = document.activeElement;
  if (!(active instanceof HTMLElement) || !body.contains(active)) return null;
  const row = active.closest('[data-username]');
  const within = row instanceof HTMLElement ? `[data-username="${CSS.escape(row.dataset['username'] ?? '')}"] ` : '';
  const name = active.getAttribute('name');
  return name === null ? `${within}[data-action="${active.dataset['action']}"]` : `[name="${name}"]`;
}

/**
 * @param {App} app
 * @param {RoomWithMembers} room
 * @param {() => void} draw
 */
function nameSection(app, room, draw) {
  const open = [encryptionNote(room.encryption), strictNote(room)];
  if (room.role === 'member') return el('section', {}, el('h3', { class: 'room-title' }, room.name), ...open);
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
  return el('section', {}, rename, ...open);
}

/**
 * @param {App} app
 * @param {RoomWithMembers} room
 * @param {() => void} draw
 * @param {RoomLink} link
 */
function linkSection(app, room, draw, { href, letsIn }) {
  if (room.link_code === null) return null;
  const reset = async () => {
    const agreed = await confirmFirst({ title: t('rooms.reset_link_title'), text: t('rooms.reset_link_text'), action: t('rooms.reset_link') });
    if (!agreed || !(await attempt(() => app.rooms.resetLink(room.id)))) return;
    toast(t('rooms.link_reset'));
    draw();
  };
  const link = el('input', { class: 'copyable', readonly: true, value: href, 'aria-label': t('rooms.link') });
  return el(
    'section',
    {},
    el('h3', {}, t('rooms.link')),
    el('div', { class: 'row' }, link, iconButton({ icon: 'link', label: t('rooms.copy_link'), action: 'copy-link', click: () => void copyLink(app, room) })),
    letsIn ? null : el('p', { class: 'hint' }, t('people.link_waits')),
    room.role === 'member' ? null : el('button', { class: 'link', type: 'button', data: { action: 'reset-link' }, on: { click: () => void reset() } }, t('rooms.reset_link')),
  );
}

/**
 * @param {App} app
 * @param {RoomWithMembers} room
 */
function auditSection(app, room) {
  if (room.role !== 'owner') return null;
  return el('section', {}, el('button', { class: 'link', type: 'button', data: { action: 'audit' }, on: { click: () => openAudit(app, room) } }, t('audit.title')));
}
