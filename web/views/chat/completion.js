/**
 * What is offered while one writes: people after `@`, emoji after `:`. A listbox that the text field points at, since the focus stays in
 * the text. What is being typed and what fits is found in `typed.js`.
 */

/** @import { Person } from '../../state/chat/interface.js' */
/** @import { Offer, Typed } from './typed.js' */

import { t } from '../../i18n/index.js';
import { announce } from '../../ui/announce.js';
import { el, fill } from '../../ui/dom.js';
import { avatar } from '../avatar.js';
import { offers, typedAt } from './typed.js';

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
