/**
 * Search over the messages this browser has: as one types, newest first. Of one conversation, or of all. In one conversation one goes from
 * message to message, by buttons, or by Enter (older) and Shift+Enter (newer) without leaving the field.
 */

/** @import { App } from '../page.js' */
/** @import { SearchResult } from '../../state/chat/interface.js' */

import { shortWhen, t } from '../../i18n/index.js';
import { announce } from '../../ui/announce.js';
import { el, fill } from '../../ui/dom.js';
import { iconButton } from '../../ui/form.js';
import { splitFound } from './found.js';
import { excerpt } from './row-facts.js';

/** Waits for the next letter of somebody who types quickly. */
const TYPING_MS = 120;

/**
 * @param {App} app
 * @param {object} options
 * @param {string} [options.room] when only there
 * @param {(result: SearchResult, focus: 'go' | 'stay') => void} options.open
 * @param {(text: string) => void} [options.searching]
 * @param {AbortSignal} signal
 * @returns {{ element: HTMLElement, focus: () => void, clear: () => void }}
 */
export function searchPanel(app, { room, open, searching }, signal) {
  const label = t(room === undefined ? 'chat.search_all' : 'chat.search');
  const input = el('input', { type: 'search', name: 'search', placeholder: label, 'aria-label': label, autocomplete: 'off' });
  const list = el('ul', { class: 'found-list', 'aria-label': t('chat.results') });
  const note = el('p', { class: 'hint', hidden: true });
  const steps = new Steps(list, (result) => open(result, 'stay'));
  let asked = 0;
  /** What the list was found by. */
  let found = '';
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const run = async () => {
    clearTimeout(timer);
    const text = input.value.trim();
    const number = ++asked;
    searching?.(text);
    const { results, total } = text === '' ? { results: [], total: 0 } : await app.chat.search(text, room === undefined ? {} : { room });
    if (number !== asked || signal.aborted) return;
    found = text;
    fill(list, ...results.map((result) => el('li', {}, resultRow(result, text, room === undefined, () => open(result, 'go')))));
    steps.take(results);
    note.hidden = text === '';
    note.textContent = total === 0 ? t('chat.nothing_found') : total > results.length ? t('chat.found_more', { shown: results.length, count: total }) : t('chat.found', { count: total });
    if (text !== '') announce(note.textContent);
  };
  input.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(() => void run(), TYPING_MS);
  });
  signal.addEventListener('abort', () => clearTimeout(timer));
  const field = el('div', { class: 'search-field' }, input, room === undefined ? null : steps.element);
  const element = el('search', { class: 'search-panel' }, field, note, list);
  element.addEventListener('keydown', (event) => moveFocus(input, list, event));
  input.addEventListener('keydown', async (event) => {
    if (event.key !== 'Enter' || event.isComposing) return;
    event.preventDefault();
    clearTimeout(timer);
    // Whoever types and presses at once means what they typed, not what was found by its first letters.
    if (input.value.trim() !== found || steps.count === 0) await run();
    if (input.value.trim() !== found) return;
    if (room === undefined) list.querySelector('button')?.click();
    else steps.go(event.shiftKey ? -1 : 1);
  });
  const clear = () => {
    input.value = '';
    void run();
  };
  return { element, focus: () => input.select(), clear };
}

/** From one found message to the next older or newer one. */
class Steps {
  #list;
  #open;
  /** @type {readonly SearchResult[]} */
  #results = [];
  #now = -1;
  #place = el('span', { class: 'hint' });
  #newer = iconButton({ icon: 'down', label: t('chat.found_newer'), action: 'found-newer', class: 'small', click: () => this.go(-1) });
  #older = iconButton({ icon: 'down', label: t('chat.found_older'), action: 'found-older', class: 'small upward', click: () => this.go(1) });

  /** @param {HTMLElement} list @param {(result: SearchResult) => void} open */
  constructor(list, open) {
    this.#list = list;
    this.#open = open;
    this.element = el('div', { class: 'search-steps', hidden: true }, this.#place, this.#older, this.#newer);
  }

  get count() {
    return this.#results.length;
  }

  /** @param {readonly SearchResult[]} results newest first */
  take(results) {
    this.#results = results;
    this.#now = -1;
    this.element.hidden = results.length === 0;
    this.#place.textContent = '';
  }

  /** @param {1 | -1} step to an older one, or to a newer one */
  go(step) {
    const { length } = this.#results;
    if (length === 0) return;
    // Around the end: whoever steps on has seen all, and begins again.
    this.#now = this.#now < 0 ? (step > 0 ? 0 : length - 1) : (this.#now + step + length) % length;
    const result = /** @type {SearchResult} */ (this.#results[this.#now]);
    const place = t('chat.found_place', { number: this.#now + 1, count: length });
    this.#place.textContent = place;
    for (const [index, row] of [...this.#list.querySelectorAll('button')].entries()) {
      if (index !== this.#now) row.removeAttribute('aria-current');
      else {
        row.setAttribute('aria-current', 'true');
        row.scrollIntoView({ block: 'nearest' });
      }
    }
    announce(`${place}. ${result.senderName ?? t('chat.former_member')}: ${excerpt(result.text)}`);
    this.#open(result);
  }
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
