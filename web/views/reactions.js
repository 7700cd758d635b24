/** Raise hand and reactions: one button under the stage, and what it opens. */

/** @import { App } from './page.js' */
/** @import { Key } from '../i18n/index.js' */

import { t } from '../i18n/index.js';
import { announce } from '../ui/announce.js';
import { el, fill, listen } from '../ui/dom.js';
import { icon } from '../ui/icons.js';
import { openAbove } from '../ui/menu.js';

/** @type {readonly { emoji: string, name: Key }[]} */
const REACTIONS = [
  { emoji: '👍', name: 'react.thumb' },
  { emoji: '👏', name: 'react.applause' },
  { emoji: '❤️', name: 'react.heart' },
  { emoji: '😂', name: 'react.laugh' },
  { emoji: '😮', name: 'react.wow' },
  { emoji: '🎉', name: 'react.party' },
  { emoji: '🤔', name: 'react.thinking' },
  { emoji: '👋', name: 'react.wave' },
];

/**
 * @param {App} app
 * @param {AbortSignal} signal
 * @returns {[HTMLButtonElement, HTMLElement]} the button and what it opens; both go into the page
 */
export function reactions(app, signal) {
  const id = 'reactions';
  const label = t('react.title');
  const button = el('button', { class: 'round react', type: 'button', title: `${label} (R)`, 'aria-keyshortcuts': 'R', popovertarget: id, data: { action: 'reactions' } });
  const hand = el('button', { class: 'menu-item', type: 'button', 'aria-keyshortcuts': 'H', data: { action: 'raise-hand' }, on: { click: () => toggleHand(app) } });
  const emojis = REACTIONS.map(({ emoji, name }) =>
    el('button', { class: 'reaction', type: 'button', title: t(name), 'aria-label': t(name), data: { action: 'react', emoji }, on: { click: () => void app.call.react(emoji) } }, emoji),
  );
  const list = el('div', { class: 'menu', id, popover: 'auto', role: 'group', 'aria-label': label }, hand, el('div', { class: 'reactions' }, ...emojis));
  openAbove(list, button);
  followHand(app, button, hand, signal);
  return [button, list];
}

/** @param {App} app */
export function toggleHand(app) {
  void app.call.raiseHand(!app.call.handRaised);
}

/**
 * Both buttons show whether the hand is up, whoever lowered it.
 * @param {App} app
 * @param {HTMLButtonElement} button
 * @param {HTMLButtonElement} hand
 * @param {AbortSignal} signal
 */
function followHand(app, button, hand, signal) {
  /** @type {boolean | null} */
  let shown = null;
  const draw = () => {
    const raised = app.call.handRaised;
    if (raised === shown) return;
    if (shown !== null) announce(t(raised ? 'hand.mine_up' : 'hand.mine_down'));
    shown = raised;
    fill(button, icon(raised ? 'hand' : 'smile'));
    button.dataset['state'] = raised ? 'on' : 'off';
    button.setAttribute('aria-label', raised ? `${t('react.title')}, ${t('hand.mine_up')}` : t('react.title'));
    fill(hand, icon('hand'), el('span', {}, t(raised ? 'hand.lower' : 'hand.raise')), el('kbd', {}, 'H'));
    hand.dataset['state'] = raised ? 'on' : 'off';
  };
  listen(app.call, 'mine', draw, signal);
  draw();
}
