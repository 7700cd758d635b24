/** What protects a room and a call, said in a few words where it is, and in a sentence to whoever presses them. */

/** @import { App } from './page.js' */
/** @import { Encryption } from '../protocol.js' */
/** @import { Key } from '../i18n/index.js' */
/** @import { Child } from '../ui/dom.js' */

import { t } from '../i18n/index.js';
import { announce } from '../ui/announce.js';
import { openDialog } from '../ui/dialog.js';
import { el, fill, listen } from '../ui/dom.js';
import { icon } from '../ui/icons.js';
import { safetyEmoji } from '../ui/safety-emoji.js';

/** @typedef {'open' | 'mls' | 'waiting' | 'closed' | 'idle' | 'attacked'} Protection */

/** @type {Record<Protection, { text: Key, hint: Key }>} */
const SAYS = {
  open: { text: 'encryption.open', hint: 'encryption.open_hint' },
  mls: { text: 'encryption.mls', hint: 'encryption.mls_hint' },
  waiting: { text: 'encryption.waiting', hint: 'encryption.waiting_hint' },
  closed: { text: 'encryption.mls', hint: 'encryption.closed_hint' },
  idle: { text: 'encryption.idle', hint: 'encryption.idle_hint' },
  attacked: { text: 'encryption.attacked', hint: 'encryption.attacked_hint' },
};

/** How a room is encrypted. @param {Encryption} encryption */
export function encryptionBadge(encryption) {
  return badge(() => encryption);
}

/**
 * How the conversation is: of an encrypted one whether this device has its keys, with which all is sealed that goes out and opened that is shown.
 * @param {App} app
 * @param {{ id: string, encryption: Encryption }} room
 * @param {AbortSignal} signal
 */
export function chatLock(app, { id, encryption }, signal) {
  const present = () => (encryption === 'open' ? 'open' : app.keys.account?.lookOf(id) ? 'mls' : 'waiting');
  const element = badge(present);
  if (encryption === 'open') return element;
  let before = present();
  const follow = () => {
    const now = present();
    if (now !== before) draw(element, now);
    before = now;
  };
  listen(app.keys, 'change', follow, signal);
  listen(app.keys, ['room', 'waiting'], ({ detail }) => detail.room === id && follow(), signal);
  return element;
}

/**
 * How the call is: what this client itself has sealed and opened.
 * @param {App} app
 * @param {AbortSignal} signal
 */
export function callLock(app, signal) {
  const element = badge(() => app.call.lock, (ending) => callWords(app, ending));
  let before = app.call.lock;
  const follow = () => {
    const now = app.call.lock;
    if (now === before) return;
    before = now;
    draw(element, now);
    if (now === 'attacked') announce(t('encryption.attacked_hint'));
  };
  listen(app.call, 'lock', follow, signal);
  return element;
}

/** The same as a note: words and sentence together. @param {Encryption} encryption */
export function encryptionNote(encryption) {
  const { text, hint } = SAYS[encryption];
  return el('p', { class: 'hint with-icon' }, icon(iconOf(encryption)), el('span', {}, `${t(text)}. ${t(hint)}`));
}

/** That the calls of a room hide from the server who speaks. @param {{ strict: boolean }} room */
export function strictNote({ strict }) {
  return strict ? el('p', { class: 'hint with-icon', data: { strict: '' } }, icon('lock'), el('span', {}, `${t('encryption.strict')}. ${t('encryption.strict_hint')}`)) : null;
}

/**
 * What all in an encrypted call see alike, and what to do with it; other ones whenever somebody comes or goes.
 * @param {App} app
 * @param {AbortSignal} signal
 */
function callWords(app, signal) {
  const part = el('div', { class: 'stack', role: 'status' });
  const draw = async () => {
    const emoji = await app.call.emoji().catch(() => null);
    if (signal.aborted) return;
    fill(part, ...(emoji === null ? [] : [safetyEmoji(emoji, t('people.call_words')), el('p', { class: 'hint' }, t('people.call_words_hint'))]));
  };
  listen(app.call, ['proven', 'lock'], () => void draw(), signal);
  void draw();
  return part;
}

/** @param {() => Protection} present @param {(ending: AbortSignal) => Child} [more] what else is said, until it is closed */
function badge(present, more = () => null) {
  const explain = () => {
    const { text, hint } = SAYS[present()];
    const ending = new AbortController();
    openDialog({ title: t(text), class: 'narrow', closed: () => ending.abort() }, el('p', {}, t(hint)), more(ending.signal));
  };
  const element = el('button', { type: 'button', 'aria-haspopup': 'dialog', data: { action: 'encryption' }, on: { click: explain } });
  draw(element, present());
  return element;
}

/** @param {HTMLButtonElement} element @param {Protection} protection */
function draw(element, protection) {
  const { text, hint } = SAYS[protection];
  element.className = `badge ${protection}`;
  element.dataset['encryption'] = protection;
  element.title = t(hint);
  fill(element, icon(iconOf(protection)), t(text));
}

/** @param {Protection} protection */
function iconOf(protection) {
  if (protection === 'attacked') return 'warning';
  return protection === 'open' ? 'lock-open' : 'lock';
}
