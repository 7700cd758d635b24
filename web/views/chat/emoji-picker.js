/** A small picker of emoji beside what it is for: a field that finds by name, and a grid to go through by arrows. */

import { language, t } from '../../i18n/index.js';
import { el, fill } from '../../ui/dom.js';
import { allEmoji, findEmoji } from '../../ui/emoji.js';

/** As many as the style sheet puts beside one another. */
const COLUMNS = 8;
const MOST_FOUND = 64;
const MARGIN_PX = 8;

/**
 * @param {DOMRect} place
 * @param {string} label
 * @param {(emoji: string) => void} chosen
 */
export function openEmojiPicker(place, label, chosen) {
  const before = /** @type {HTMLElement | null} */ (document.activeElement);
  const search = el('input', { type: 'search', name: 'emoji', placeholder: t('chat.emoji_search'), 'aria-label': t('chat.emoji_search'), autocomplete: 'off' });
  const grid = el('div', { class: 'emoji-grid', role: 'group', 'aria-label': label });
  const popover = el('div', { class: 'emoji-picker', popover: 'auto', role: 'dialog', 'aria-label': label }, search, grid);
  const draw = () => {
    const typed = search.value.trim();
    const found = typed === '' ? allEmoji(language()) : findEmoji(typed, language(), MOST_FOUND);
    fill(grid, ...found.map(({ sign, title }, index) => el('button', { class: 'emoji', type: 'button', title, 'aria-label': title, tabindex: index === 0 ? '0' : '-1', data: { emoji: sign } }, sign)));
    if (found.length === 0) fill(grid, el('p', { class: 'hint' }, t('chat.nothing_found')));
  };
  const choose = (/** @type {HTMLElement | null} */ button) => {
    const emoji = button?.dataset['emoji'];
    if (!emoji) return;
    popover.hidePopover();
    chosen(emoji);
  };
  search.addEventListener('input', draw);
  search.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') choose(grid.querySelector('button'));
    else if (event.key === 'ArrowDown') grid.querySelector('button')?.focus();
    else return;
    event.preventDefault();
  });
  grid.addEventListener('click', ({ target }) => choose(/** @type {Element} */ (target).closest('button')));
  grid.addEventListener('keydown', (event) => moveInGrid(grid, search, event));
  popover.addEventListener('toggle', (event) => {
    if (/** @type {ToggleEvent} */ (event).newState === 'open') return;
    if (popover.contains(document.activeElement) || document.activeElement === document.body) before?.focus({ preventScroll: true });
    popover.remove();
  });
  draw();
  document.body.append(popover);
  popover.showPopover();
  const { width, height } = popover.getBoundingClientRect();
  const above = place.top - height - MARGIN_PX;
  popover.style.setProperty('--menu-left', `${Math.max(MARGIN_PX, Math.min(place.right - width, innerWidth - width - MARGIN_PX))}px`);
  popover.style.setProperty('--menu-top', `${above > MARGIN_PX ? above : Math.max(MARGIN_PX, Math.min(place.bottom + MARGIN_PX, innerHeight - height - MARGIN_PX))}px`);
  search.focus();
}

/**
 * @param {HTMLElement} grid
 * @param {HTMLElement} search
 * @param {KeyboardEvent} event
 */
function moveInGrid(grid, search, event) {
  const buttons = [...grid.querySelectorAll('button')];
  const now = buttons.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
  const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: COLUMNS, ArrowUp: -COLUMNS }[event.key];
  if (!step || now < 0) return;
  event.preventDefault();
  const next = now + step;
  if (next < 0) search.focus();
  else buttons[Math.min(next, buttons.length - 1)]?.focus();
}
