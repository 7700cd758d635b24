/** The row of buttons under the stage, and the keys that do the same. */

/** @import { App } from './page.js' */
/** @import { Key } from '../i18n/index.js' */
/** @import { IconName } from '../ui/icons.js' */

import { t } from '../i18n/index.js';
import { announce } from '../ui/announce.js';
import { el, fill, listen } from '../ui/dom.js';
import { icon } from '../ui/icons.js';
import { menu } from '../ui/menu.js';
import { reactions, toggleHand } from './reactions.js';
import { unreadMark } from './chat/unread-mark.js';

/** @typedef {{ participants: () => void, chat: () => void, leave: () => void, help: () => void, details: () => void, devices: () => void, fullscreen: () => void }} Acts */
/** @typedef {'microphone' | 'camera' | 'screen'} Toggled */

/** The keys, as the help shows them. @type {readonly { key: string, text: Key }[]} */
export const SHORTCUTS = [
  { key: 'M', text: 'help.microphone' },
  { key: 'V', text: 'help.camera' },
  { key: 'S', text: 'help.screen' },
  { key: 'H', text: 'help.hand' },
  { key: 'R', text: 'help.reactions' },
  { key: 'P', text: 'help.participants' },
  { key: 'C', text: 'help.chat' },
  { key: 'F', text: 'help.fullscreen' },
  { key: 'I', text: 'help.details' },
  { key: '?', text: 'help.help' },
];

/**
 * @param {App} app
 * @param {string} room
 * @param {Acts} acts
 * @param {AbortSignal} signal
 */
export function controls(app, room, acts, signal) {
  const [more, list] = menu({
    label: t('prejoin.more'),
    action: 'more',
    class: 'round',
    items: [
      { icon: 'settings', label: t('call.settings'), action: 'devices', click: acts.devices },
      { icon: 'fullscreen', label: t('help.fullscreen'), action: 'fullscreen', click: acts.fullscreen },
      { icon: 'signal', label: t('call.details'), action: 'details', click: acts.details },
      { icon: 'help', label: t('call.help'), action: 'help', click: acts.help },
    ],
  });
  bindKeys(app, acts, signal);
  return el(
    'footer',
    { class: 'controls', role: 'group', 'aria-label': t('call.controls') },
    toggle(app, 'microphone', 'M', signal),
    toggle(app, 'camera', 'V', signal),
    toggle(app, 'screen', 'S', signal),
    ...reactions(app, signal),
    participantsButton(app, acts.participants, signal),
    chatButton(app, room, acts.chat, signal),
    more,
    list,
    el('button', { class: 'round leave', type: 'button', title: t('call.leave'), 'aria-label': t('call.leave'), data: { action: 'leave' }, on: { click: acts.leave } }, icon('leave')),
  );
}

/**
 * @param {App} app
 * @param {Toggled} source
 * @param {string} key
 * @param {AbortSignal} signal
 */
function toggle(app, source, key, signal) {
  const button = el('button', { class: `round ${source}`, type: 'button', 'aria-keyshortcuts': key, data: { action: `toggle-${source}` }, on: { click: () => void app.call.toggle(source) } });
  /** @type {boolean | null} */
  let shown = null;
  const draw = () => {
    const on = app.call.isOn(source);
    button.dataset['forbidden'] = String(app.call.isForbidden(source));
    if (on === shown) return;
    if (shown !== null) announce(t(/** @type {Key} */ (`call.mine_${on ? 'on' : 'off'}.${source}`)));
    shown = on;
    const label = t(/** @type {Key} */ (`call.${source}_${on ? 'off' : 'on'}`));
    const picture = /** @type {IconName} */ (source === 'screen' ? (on ? 'screen-off' : 'screen') : on ? source : `${source}-off`);
    fill(button, icon(picture));
    button.title = `${label} (${key})`;
    button.setAttribute('aria-label', label);
    button.dataset['state'] = on ? 'on' : 'off';
  };
  listen(app.call, 'mine', draw, signal);
  draw();
  return button;
}

/**
 * @param {App} app
 * @param {() => void} click
 * @param {AbortSignal} signal
 */
function participantsButton(app, click, signal) {
  const count = el('span', { class: 'count' });
  const button = el('button', { class: 'round', type: 'button', title: `${t('call.participants')} (P)`, 'aria-keyshortcuts': 'P', 'aria-expanded': 'false', 'aria-controls': 'participants', data: { action: 'participants' }, on: { click } }, icon('people'), count);
  const draw = () => {
    count.textContent = String(app.call.roster.count || '');
    button.setAttribute('aria-label', `${t('call.participants')}, ${t('call.people', { count: app.call.roster.count })}`);
  };
  listen(app.call, 'people', draw, signal);
  draw();
  return button;
}

/**
 * @param {App} app
 * @param {string} room
 * @param {() => void} click
 * @param {AbortSignal} signal
 */
function chatButton(app, room, click, signal) {
  const label = t('chat.title');
  return el('button', { class: 'round', type: 'button', title: `${label} (C)`, 'aria-keyshortcuts': 'C', 'aria-expanded': 'false', 'aria-controls': 'call-chat', data: { action: 'chat' }, on: { click } }, icon('chat'), el('span', { class: 'visually-hidden' }, label), unreadMark(app, room, signal));
}

/**
 * @param {App} app
 * @param {Acts} acts
 * @param {AbortSignal} signal
 */
function bindKeys(app, acts, signal) {
  /** By the key's place, so that they work with a Russian keyboard too. @type {Record<string, () => void>} */
  const places = {
    KeyM: () => void app.call.toggle('microphone'),
    KeyV: () => void app.call.toggle('camera'),
    KeyS: () => void app.call.toggle('screen'),
    KeyH: () => toggleHand(app),
    KeyR: () => document.getElementById('reactions')?.togglePopover(),
    KeyP: acts.participants,
    KeyC: acts.chat,
    KeyF: acts.fullscreen,
    KeyI: acts.details,
  };
  const pressed = (/** @type {KeyboardEvent} */ event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || isTyping(event.target) || document.querySelector('dialog[open]')) return;
    const act = event.key === '?' ? acts.help : places[event.code];
    if (!act) return;
    event.preventDefault();
    act();
  };
  document.addEventListener('keydown', pressed, { signal });
}

/** @param {EventTarget | null} target */
function isTyping(target) {
  return target instanceof HTMLInputElement || target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement;
}
