/**
 * Says things to screen readers: one polite live region for the page. What comes within a moment is said together, and only the last few,
 * so that ten people joining at once are not a flood.
 */

import { el } from './dom.js';

const GATHER_MS = 900;
const MOST_AT_ONCE = 3;

const region = el('div', { class: 'visually-hidden', role: 'status', 'aria-live': 'polite', id: 'announcer' });
/** @type {string[]} */
let waiting = [];
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** Put the region into the page, once. */
export function mountAnnouncer() {
  document.body.append(region);
}

/** @param {string} text */
export function announce(text) {
  waiting = [...waiting, text].slice(-MOST_AT_ONCE);
  timer ??= setTimeout(() => {
    timer = undefined;
    region.textContent = waiting.join('. ');
    waiting = [];
  }, GATHER_MS);
}
