/** A small menu that opens above its button. The browser's own popover: Escape and a click elsewhere close it. */

import { el } from './dom.js';
import { icon } from './icons.js';

/** @import { IconName } from './icons.js' */

const MARGIN = 8;
let lastId = 0;

/**
 * @param {{ label: string, action: string, class?: string, items: { icon: IconName, label: string, action: string, click: () => void }[] }} options
 * @returns {[HTMLButtonElement, HTMLElement]} the button and the menu; both go into the page
 */
export function menu({ label, action, class: extra = '', items }) {
  const id = `menu-${++lastId}`;
  const button = el('button', { class: extra, type: 'button', title: label, 'aria-label': label, 'aria-haspopup': 'menu', popovertarget: id, data: { action } }, icon('more'));
  const list = el('div', { class: 'menu', id, popover: 'auto', role: 'menu' });
  for (const item of items) {
    const click = () => {
      list.hidePopover?.();
      item.click();
    };
    list.append(el('button', { class: 'menu-item', type: 'button', role: 'menuitem', data: { action: item.action }, on: { click } }, icon(item.icon), el('span', {}, item.label)));
  }
  openAbove(list, button);
  list.addEventListener('keydown', (event) => moveFocus(list, event));
  return [button, list];
}

/**
 * Place a popover above its button whenever it opens, and go into it.
 * @param {HTMLElement} list
 * @param {HTMLElement} button
 */
export function openAbove(list, button) {
  list.addEventListener('toggle', (event) => {
    if (/** @type {ToggleEvent} */ (event).newState !== 'open') return;
    const place = button.getBoundingClientRect();
    // Above the button and ending with it, but never beyond an edge of the window.
    const bottom = Math.min(innerHeight - place.top + MARGIN, innerHeight - list.offsetHeight - MARGIN);
    const right = Math.min(innerWidth - place.right, innerWidth - list.offsetWidth - MARGIN);
    list.style.setProperty('--menu-bottom', `${Math.max(MARGIN, bottom)}px`);
    list.style.setProperty('--menu-right', `${Math.max(MARGIN, right)}px`);
    list.querySelector('button')?.focus();
  });
}

/**
 * A menu for one occasion, beside what it is about. Gone once it is closed; the focus goes back to where it was.
 * @param {DOMRect} place
 * @param {string} label
 * @param {{ icon: IconName, label: string, action: string, click: () => void }[]} items
 */
export function openMenu(place, label, items) {
  const before = /** @type {HTMLElement | null} */ (document.activeElement);
  const list = el('div', { class: 'menu placed', popover: 'auto', role: 'menu', 'aria-label': label });
  for (const item of items) {
    const click = () => {
      list.hidePopover();
      item.click();
    };
    list.append(el('button', { class: 'menu-item', type: 'button', role: 'menuitem', data: { action: item.action }, on: { click } }, icon(item.icon), el('span', {}, item.label)));
  }
  list.addEventListener('toggle', (event) => {
    if (/** @type {ToggleEvent} */ (event).newState === 'open') return;
    // What was chosen may have moved the focus already.
    if (list.contains(document.activeElement) || document.activeElement === document.body) before?.focus({ preventScroll: true });
    list.remove();
  });
  list.addEventListener('keydown', (event) => moveFocus(list, event));
  (document.querySelector('main') ?? document.body).append(list);
  list.showPopover();
  const { width, height } = list.getBoundingClientRect();
  const below = place.bottom + MARGIN + height <= innerHeight;
  list.style.setProperty('--menu-left', `${Math.max(MARGIN, Math.min(place.left, innerWidth - width - MARGIN))}px`);
  list.style.setProperty('--menu-top', `${Math.max(MARGIN, below ? place.bottom + 4 : place.top - height - 4)}px`);
  /** @type {HTMLElement | null} */ (list.firstElementChild)?.focus();
}

/**
 * @param {HTMLElement} list
 * @param {KeyboardEvent} event
 */
function moveFocus(list, event) {
  const items = /** @type {HTMLElement[]} */ ([...list.children]);
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const now = items.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  items[(now + step + items.length) % items.length]?.focus();
}
