/**
 * What is offered while one writes: people after `@`, emoji after `:`. Finding what is being typed is pure; the list is a listbox that the
 * text field points at, since the focus stays in the text.
 */

/** @import { Person } from '../../state/chat/interface.js' */

import { language, t } from '../../i18n/index.js';
import { announce } from '../../ui/announce.js';
import { el, fill } from '../../ui/dom.js';
import { emojiNamed, findEmoji } from '../../ui/emoji.js';
import { avatar } from '../avatar.js';

const MOST_OFFERED = 7;
/** One letter after a colon is more often a smiley drawn with signs than a name. */
const LEAST_EMOJI_LETTERS = 2;

/** @typedef {{ kind: 'person' | 'emoji', typed: string, from: number, to: number }} Typed */
/** @typedef {{ insert: string, label: string, sign: string | null }} Offer */

/**
 * The name that ends at the cursor.
 * @param {string} text
 * @param {number} cursor
 * @returns {Typed | null}
 */
export function typedAt(text, cursor) {
  const before = text.slice(0, cursor);
  const person = /(?:^|[\s(])@([A-Za-z0-9_.-]{0,32})$/.exec(before);
  if (person) return { kind: 'person', typed: person[1] ?? '', from: cursor - (person[1] ?? '').length - 1, to: cursor };
  const emoji = /(?:^|[\s(])[:]([\p{L}\d_]{1,30})$/u.exec(before);
  if (!emoji || (emoji[1] ?? '').length < LEAST_EMOJI_LETTERS) return null;
  return { kind: 'emoji', typed: emoji[1] ?? '', from: cursor - (emoji[1] ?? '').length - 1, to: cursor };
}

/**
 * @param {Typed} typed
 * @param {readonly Person[]} members
 * @param {string} self their own name is not offered
 * @returns {Offer[]}
 */
export function offers(typed, members, self) {
  if (typed.kind === 'emoji') return findEmoji(typed.typed, language(), MOST_OFFERED).map(({ sign, title }) => ({ insert: `${sign} `, label: title, sign }));
  const wanted = typed.typed.toLowerCase();
  const found = members.filter(({ username }) => username !== self && username.toLowerCase().includes(wanted));
  const first = (/** @type {Person} */ { username }) => Number(!username.toLowerCase().startsWith(wanted));
  found.sort((a, b) => first(a) - first(b) || a.username.localeCompare(b.username));
  return found.slice(0, MOST_OFFERED).map(({ username }) => ({ insert: `@${username} `, label: username, sign: null }));
}

/** Names between colons become their signs as the text is sent. @param {string} text */
export function withEmoji(text) {
  return text.replace(/(^|[\s(]):([\p{L}\d_]{2,30}):(?=$|[\s).,!?])/gu, (whole, before, name) => {
    const sign = emojiNamed(name);
    return sign === null ? whole : `${before}${sign}`;
  });
}

export class Completion {
  #field;
  #members;
  #self;
  #list;
  /** @type {Offer[]} */
  #offers = [];
  /** @type {Typed | null} */
  #typed = null;
  #chosen = 0;

  /**
   * @param {HTMLTextAreaElement} field
   * @param {() => readonly Person[]} members
   * @param {string} self
   * @param {string} id of the list in the page
   */
  constructor(field, members, self, id) {
    this.#field = field;
    this.#members = members;
    this.#self = self;
    this.#list = el('ul', { class: 'completion', id, role: 'listbox', 'aria-label': t('chat.suggestions'), hidden: true });
    this.#list.addEventListener('mousedown', (event) => event.preventDefault());
    this.#list.addEventListener('click', ({ target }) => {
      const option = /** @type {HTMLElement | null} */ (/** @type {Element} */ (target).closest('[role=option]'));
      if (option) this.#take(Number(option.dataset['index']));
    });
    field.setAttribute('aria-autocomplete', 'list');
    field.setAttribute('aria-controls', id);
  }

  get element() {
    return this.#list;
  }

  get open() {
    return !this.#list.hidden;
  }

  /** The text or the cursor is another. */
  follow() {
    const { value, selectionStart, selectionEnd } = this.#field;
    this.#typed = selectionStart === selectionEnd ? typedAt(value, selectionStart) : null;
    const before = this.#offers.length;
    this.#offers = this.#typed ? offers(this.#typed, this.#members(), this.#self) : [];
    this.#chosen = 0;
    this.#draw();
    if (this.#offers.length > 0 && before === 0) announce(t('chat.suggestions_count', { count: this.#offers.length }));
  }

  close() {
    this.#offers = [];
    this.#draw();
  }

  /**
   * @param {KeyboardEvent} event
   * @returns {boolean} whether the key was for the list
   */
  key(event) {
    if (!this.open) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      this.#chosen = (this.#chosen + step + this.#offers.length) % this.#offers.length;
      this.#draw();
    } else if ((event.key === 'Enter' && !event.shiftKey) || event.key === 'Tab') this.#take(this.#chosen);
    else if (event.key === 'Escape') this.close();
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  /** @param {number} index */
  #take(index) {
    const offer = this.#offers[index];
    if (!offer || !this.#typed) return;
    this.#field.setRangeText(offer.insert, this.#typed.from, this.#typed.to, 'end');
    this.close();
    this.#field.dispatchEvent(new Event('input', { bubbles: true }));
  }

  #draw() {
    const { id } = this.#list;
    this.#list.hidden = this.#offers.length === 0;
    fill(
      this.#list,
      ...this.#offers.map(({ label, sign }, index) =>
        el('li', { role: 'option', id: `${id}-${index}`, 'aria-selected': String(index === this.#chosen), data: { index: String(index) } }, sign === null ? avatar(label) : el('span', { class: 'emoji-sign' }, sign), el('span', { class: 'clipped' }, label)),
      ),
    );
    if (this.open) this.#field.setAttribute('aria-activedescendant', `${id}-${this.#chosen}`);
    else this.#field.removeAttribute('aria-activedescendant');
  }
}
