/** What protects a room and a call, said in a few words where it is, and in a sentence to whoever presses them. */

/** @import { App } from './page.js' */
/** @import { Encryption } from '../protocol.js' */
/** @import { Key } from '../i18n/index.js' */

import { t } from '../i18n/index.js';
import { announce } from '../ui/announce.js';
import { openDialog } from '../ui/dialog.js';
import { el, fill, listen } from '../ui/dom.js';
import { icon } from '../ui/icons.js';

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
 * How the call is: what this client itself has sealed and opened.
 * @param {App} app
 * @param {AbortSignal} signal
 */
export function callLock(app, signal) {
  const element = badge(() => app.call.lock);
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

/**
 * How a room that is made is to be encrypted. It is, unless its maker says otherwise or this browser cannot.
 * @param {App} app
 * @returns {{ element: HTMLElement, chosen: () => Encryption }}
 */
export function encryptionChoice({ call: { canEncrypt } }) {
  const sealed = el('input', { type: 'checkbox', name: 'encrypted', checked: canEncrypt });
  const chosen = () => (sealed.checked ? 'mls' : 'open');
  const note = el('div', {});
  const explain = () => fill(note, encryptionNote(chosen()), el('p', { class: 'hint' }, t('encryption.for_good')));
  sealed.addEventListener('change', explain);
  explain();
  const choose = canEncrypt ? el('label', { class: 'check' }, sealed, el('span', {}, t('encryption.choose'))) : el('p', { class: 'hint' }, t('error.encryption_unsupported'));
  return { element: el('div', {}, choose, note), chosen };
}

/** The same as a note: words and sentence together. @param {Encryption} encryption */
export function encryptionNote(encryption) {
  const { text, hint } = SAYS[encryption];
  return el('p', { class: 'hint with-icon' }, icon(iconOf(encryption)), el('span', {}, `${t(text)}. ${t(hint)}`));
}

/** @param {() => Protection} present */
function badge(present) {
  const explain = () => {
    const { text, hint } = SAYS[present()];
    openDialog({ title: t(text), class: 'narrow' }, el('p', {}, t(hint)));
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
