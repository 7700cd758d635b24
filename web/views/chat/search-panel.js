/** Search over the messages this browser has: as one types, newest first. Of one conversation, or of all. */

/** @import { App } from '../page.js' */
/** @import { SearchResult } from '../../state/chat/interface.js' */

import { shortWhen, t } from '../../i18n/index.js';
import { announce } from '../../ui/announce.js';
import { el, fill } from '../../ui/dom.js';
import { splitFound } from './found.js';

/** Waits for the next letter of somebody who types quickly. */
const TYPING_MS = 120;

/**
 * @param {App} app
 * @param {{ room?: string, open: (result: SearchResult) => void, searching?: (yes: boolean) => void }} options `room` when only there
 * @param {AbortSignal} signal
 * @returns {{ element: HTMLElement, focus: () => void, clear: () => void }}
 */
export function searchPanel(app, { room, open, searching }, signal) {
  const label = t(room === undefined ? 'chat.search_all' : 'chat.search');
  const input = el('input', { type: 'search', name: 'search', placeholder: label, 'aria-label': label, autocomplete: 'off' });
  const list = el('ul', { class: 'found-list', 'aria-label': t('chat.results') });
  const note = el('p', { class: 'hint', hidden: true });
  let asked = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const run = async () => {
    const text = input.value.trim();
    const number = ++asked;
    searching?.(text !== '');
    if (text === '') {
      fill(list);
      note.hidden = true;
      return;
    }
    const { results, total } = await app.chat.search(text, room === undefined ? {} : { room });
    if (number !== asked || signal.aborted) return;
    fill(list, ...results.map((result) => el('li', {}, resultRow(result, text, room === undefined, () => open(result)))));
    note.textContent = total === 0 ? t('chat.nothing_found') : total > results.length ? t('chat.found_more', { shown: results.length, count: total }) : t('chat.found', { count: total });
    note.hidden = false;
    announce(note.textContent);
  };
  input.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(() => void run(), TYPING_MS);
  });
  signal.addEventListener('abort', () => clearTimeout(timer));
  const element = el('search', { class: 'search-panel' }, input, note, list);
  element.addEventListener('keydown', (event) => moveFocus(input, list, event));
  const clear = () => {
    input.value = '';
    void run();
  };
  return { element, focus: () => input.focus(), clear };
}

/**
 * @param {SearchResult} result
 * @param {string} searched
 * @param {boolean} withRoom
 * @param {() => void} click
 */
function resultRow(result, searched, withRoom, click) {
  const name = result.senderName ?? t('chat.former_member');
  return el(
    'button',
    { class: 'found', type: 'button', data: { action: 'open-result', message: result.id }, on: { click } },
    el('span', { class: 'found-head' }, el('b', { class: 'clipped', dir: 'auto' }, withRoom ? `${name} · ${result.roomTitle}` : name), el('time', {}, shortWhen(result.at, Date.now()))),
    el('span', { class: 'found-text', dir: 'auto' }, ...splitFound(result.text, searched).map(({ text, found }) => (found ? el('mark', {}, text) : text))),
  );
}

/**
 * @param {HTMLElement} input
 * @param {HTMLElement} list
 * @param {KeyboardEvent} event
 */
function moveFocus(input, list, event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  const stops = [input, ...list.querySelectorAll('button')];
  const now = stops.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  event.preventDefault();
  stops[Math.max(0, Math.min(now + step, stops.length - 1))]?.focus();
}
