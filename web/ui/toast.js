/** Short notes at the edge of the page that go away by themselves. Said to screen readers as they appear. */

import { t } from '../i18n/index.js';
import { el } from './dom.js';
import { icon } from './icons.js';

const SHOWN_MS = 6_000;
/** Older ones make room. */
const MOST_AT_ONCE = 3;

const area = el('div', { class: 'toasts', role: 'status', 'aria-live': 'polite' });

/** Put the area into the page, once. */
export function mountToasts() {
  document.body.append(area);
}

/**
 * @param {string} text
 * @param {'note' | 'problem'} [tone]
 */
export function toast(text, tone = 'note') {
  for (const shown of area.children) if (shown.firstChild?.textContent === text) shown.remove();
  const close = el('button', { class: 'icon-button small', type: 'button', 'aria-label': t('common.close'), on: { click: () => note.remove() } }, icon('close'));
  const note = el('div', { class: `toast ${tone}` }, el('span', {}, text), close);
  area.append(note);
  while (area.children.length > MOST_AT_ONCE) area.firstChild?.remove();
  setTimeout(() => note.remove(), SHOWN_MS);
}
