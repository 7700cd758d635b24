/** Order in a room, in its details: topic, lock, slow mode, how long messages are kept, who is banned. */

/** @import { App } from './page.js' */
/** @import { Ban, RoomChanges, RoomWithMembers } from '../api.js' */

import { errorText, t } from '../i18n/index.js';
import { confirmFirst } from '../ui/dialog.js';
import { el, fill } from '../ui/dom.js';
import { choice, field, form, labelled } from '../ui/form.js';
import { toast } from '../ui/toast.js';
import { retentionText, slowModeText } from './order-text.js';
import { attempt } from './room-acts.js';

/** Seconds between two messages of a member. */
const SLOW_MODES = [0, 5, 10, 30, 60, 300, 900, 3600];
/** Days that messages are kept; null for ever. */
const RETENTIONS = [null, 1, 7, 30, 90, 365, 1825];

/**
 * Members read the topic, moderators and the owner change it.
 * @param {App} app
 * @param {RoomWithMembers} room
 * @param {() => void} draw
 */
export function topicSection(app, room, draw) {
  if (room.role === 'member') return room.topic === '' ? null : el('section', {}, el('h3', {}, t('order.topic')), el('p', { class: 'topic', dir: 'auto' }, room.topic));
  const edit = form(
    {
      submit: t('order.save'),
      action: 'set-topic',
      send: async ({ topic = '' }) => {
        await app.rooms.change(room.id, { topic: topic.trim() });
        toast(t('order.topic_saved'));
        draw();
      },
    },
    field({ label: t('order.topic'), name: 'topic', attributes: { maxlength: '500', value: room.topic, required: false, dir: 'auto' } }),
  );
  edit.classList.add('inline-form');
  edit.querySelector('.button')?.classList.remove('primary');
  return el('section', {}, edit);
}

/**
 * @param {App} app
 * @param {RoomWithMembers} room
 * @param {() => void} draw
 */
export function orderSection(app, room, draw) {
  if (room.role === 'member') return rulesForMembers(room);
  /** @param {RoomChanges} changes */
  const change = async (changes) => {
    await attempt(() => app.rooms.change(room.id, changes));
    draw();
  };
  const lock = el('input', { type: 'checkbox', name: 'locked', data: { action: 'lock' }, on: { change: () => void change({ locked: lock.checked }) } });
  lock.checked = room.locked;
  return el(
    'section',
    { class: 'stack' },
    el('h3', {}, t('order.title')),
    el('label', { class: 'check' }, lock, el('span', {}, t('order.lock'))),
    choice({
      label: t('order.slow'),
      name: 'slow_mode_s',
      options: withPresent(SLOW_MODES, room.slow_mode_s).map((seconds) => ({ value: String(seconds), text: slowModeText(seconds) })),
      value: String(room.slow_mode_s),
      changed: (value) => void change({ slow_mode_s: Number(value) }),
    }),
    room.role === 'owner' ? retentionChoice(room, change, draw) : el('p', { class: 'hint' }, retentionText(room.retention_days)),
  );
}

/** What a member has to know. @param {RoomWithMembers} room */
function rulesForMembers(room) {
  const rules = [
    room.locked && t('order.locked_now'),
    room.chat_muted && t('order.muted_now'),
    room.slow_mode_s > 0 && `${t('order.slow')}: ${slowModeText(room.slow_mode_s)}`,
    room.retention_days !== null && retentionText(room.retention_days),
  ].filter((rule) => rule !== false);
  return rules.length === 0 ? null : el('section', {}, el('h3', {}, t('order.title')), el('ul', { class: 'rules' }, ...rules.map((rule) => el('li', {}, rule))));
}

/**
 * A shorter time deletes messages at once, so it asks first.
 * @param {RoomWithMembers} room
 * @param {(changes: RoomChanges) => Promise<void>} change
 * @param {() => void} draw
 */
function retentionChoice(room, change, draw) {
  const now = room.retention_days;
  const changed = async (/** @type {string} */ value) => {
    const days = value === '' ? null : Number(value);
    const shorter = days !== null && (now === null || days < now);
    const question = { title: t('order.retention_title'), text: t('order.retention_text', { count: days ?? 0 }), action: t('order.retention_action') };
    if (shorter && !(await confirmFirst(question))) return draw();
    await change({ retention_days: days });
  };
  return choice({
    label: t('order.retention'),
    name: 'retention_days',
    options: withPresent(RETENTIONS, now).map((days) => ({ value: days === null ? '' : String(days), text: retentionText(days) })),
    value: now === null ? '' : String(now),
    changed: (value) => void changed(value),
  });
}

/**
 * What a program set is shown as it is.
 * @template {number | null} T
 * @param {T[]} usual
 * @param {T} present
 */
function withPresent(usual, present) {
  return usual.includes(present) ? usual : [...usual, present];
}

/**
 * @param {App} app
 * @param {RoomWithMembers} room
 */
export function bansSection(app, room) {
  if (room.role === 'member') return null;
  const section = el('section', { hidden: true });
  const draw = async () => {
    try {
      const bans = await app.rooms.bans(room.id);
      section.hidden = bans.length === 0;
      fill(section, el('h3', {}, `${t('order.banned')} · ${bans.length}`), el('ul', { class: 'members' }, ...bans.map(row)));
    } catch (error) {
      section.hidden = false;
      fill(section, el('p', { class: 'hint' }, errorText(error)));
    }
  };
  /** @param {Ban} ban */
  const row = ({ user, username }) => {
    const unban = async () => {
      if (await attempt(() => app.rooms.unban(room.id, user))) void draw();
    };
    return el(
      'li',
      { class: 'member', data: { banned: username } },
      el('span', { class: 'member-name' }, username),
      el('button', { class: 'link', type: 'button', 'aria-label': labelled(t('order.unban'), username), data: { action: 'unban' }, on: { click: () => void unban() } }, t('order.unban')),
    );
  };
  void draw();
  return section;
}
