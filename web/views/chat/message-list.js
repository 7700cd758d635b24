/**
 * The messages of a conversation: draws rows for the windowed list, loads older ones in time, moves the focus by keys, and passes on what
 * is pressed. What the acts do is in `acts.js`.
 */

/** @import { ConversationView, Message } from '../../state/chat/interface.js' */
/** @import { Acts } from './acts.js' */
/** @import { RowFacts } from './row-facts.js' */

import { t } from '../../i18n/index.js';
import { el, fill, listen } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';
import { WindowedList } from '../../ui/windowed-list.js';
import { listAct } from './list-keys.js';
import { messageRow } from './message-row.js';
import { arrivedSince, newestSeq, rowFacts } from './row-facts.js';
import { reachable, sameStop } from './row-stops.js';
import { rowToolbar } from './row-toolbar.js';

/** Older ones are asked for when so few are left above the window. */
const LOAD_BEFORE_ROWS = 40;
/** Beyond this the button says "99+". */
const COUNTED = 100;
const FLASH_MS = 1_600;

/** @typedef {{ message: Message, facts: RowFacts, answered: Message | undefined, generation: number, index: number }} Shown what a row was drawn from */

export class MessageList {
  #conversation;
  #acts;
  #list;
  #scroller = el('div', { class: 'messages', role: 'group', tabindex: '0', 'aria-label': t('chat.messages') });
  #newer = el('button', { class: 'button newer', type: 'button', hidden: true, data: { action: 'to-end' }, on: { click: () => this.toEnd() } });
  /** @type {WeakMap<HTMLElement, Shown>} */
  #shown = new WeakMap();
  /** Names came or changed: every row in sight is drawn again. */
  #generation = 0;
  /** What is searched for, marked in the texts. */
  #searched = '';
  #unflash = () => {};
  /** The newest that was seen at the end. */
  #seenSeq = 0;
  #loading = false;

  /**
   * @param {ConversationView} conversation
   * @param {Acts} acts
   * @param {AbortSignal} signal
   */
  constructor(conversation, acts, signal) {
    this.#conversation = conversation;
    this.#acts = acts;
    const source = {
      length: () => conversation.length,
      key: (/** @type {number} */ index) => conversation.at(index)?.id ?? '',
      index: (/** @type {string} */ key) => conversation.indexOf(key),
      draw: (/** @type {number} */ index, /** @type {HTMLElement | null} */ row) => this.#draw(index, row),
    };
    this.#list = new WindowedList(this.#scroller, source, () => this.#moved(), signal);
    this.element = el('div', { class: 'messages-frame' }, this.#scroller, rowToolbar(this.#scroller, (action, row) => this.#act(action, row), signal), this.#newer);
    this.#seenSeq = newestSeq(conversation);
    this.#scroller.addEventListener('click', (event) => this.#pressed(event), { signal });
    this.#scroller.addEventListener('keydown', (event) => this.#key(event), { signal });
    // Tab goes past the list, not through every link in it: those of the message with the focus are its stops.
    this.#scroller.addEventListener('focusin', ({ target }) => tabStops(target, true), { signal });
    this.#scroller.addEventListener('focusout', ({ target }) => tabStops(target, false), { signal });
    this.#scroller.addEventListener('contextmenu', (event) => this.#menu(event), { signal });
    listen(conversation, 'change', ({ detail }) => this.#changed(detail?.reason), signal);
    document.addEventListener('visibilitychange', () => this.#read(), { signal });
    window.addEventListener('focus', () => this.#read(), { signal });
    this.#list.update();
  }

  get atEnd() {
    return this.#list.atEnd;
  }

  toEnd() {
    this.#list.toEnd();
    this.#moved();
  }

  focus() {
    this.#scroller.focus({ preventScroll: true });
  }

  /**
   * Show a message wherever it is; loads what lies between. The focus goes there, unless it is to `stay` where one goes on from one to the next.
   * @param {string} id
   * @param {'go' | 'stay'} [focus]
   * @returns {Promise<boolean>}
   */
  async jumpTo(id, focus = 'go') {
    const there = this.#conversation.indexOf(id) >= 0 || (await this.#conversation.jumpTo(id));
    const row = there ? this.#list.show(id) : null;
    const article = /** @type {HTMLElement | null} */ (row?.querySelector('.message'));
    if (!article) return false;
    if (focus === 'go') article.focus({ preventScroll: true });
    this.#flash(article);
    return true;
  }

  /** One at a time: who steps on quickly sees where they are now. @param {HTMLElement} article */
  #flash(article) {
    this.#unflash();
    article.classList.add('flash');
    const timer = setTimeout(() => this.#unflash(), FLASH_MS);
    this.#unflash = () => {
      clearTimeout(timer);
      article.classList.remove('flash');
    };
  }

  /** Mark these words in all messages; empty: none. @param {string} searched */
  mark(searched) {
    if (searched === this.#searched) return;
    this.#searched = searched;
    this.#generation += 1;
    this.#list.update();
  }

  /** @param {string | undefined} reason */
  #changed(reason) {
    if (reason === 'typing' || reason === 'presence' || reason === 'row') return;
    if (reason === 'people') this.#generation += 1;
    if (reason === 'reset') this.#list.reset();
    else this.#list.update();
    this.#moved();
  }

  /**
   * @param {number} index
   * @param {HTMLElement | null} row
   */
  #draw(index, row) {
    const conversation = this.#conversation;
    const message = /** @type {Message} */ (conversation.at(index));
    const facts = rowFacts(conversation.at(index - 1), message, conversation.firstUnreadId);
    const answered = message.replyTo === null ? undefined : conversation.find(message.replyTo);
    const before = row && this.#shown.get(row);
    const generation = this.#generation;
    if (row && before && before.message === message && before.answered === answered && before.generation === generation && same(before.facts, facts)) return row;
    const fresh = messageRow(conversation, message, facts, Date.now(), this.#searched);
    reachable(fresh, false);
    this.#shown.set(fresh, { message, facts, answered, generation, index });
    const focused = document.activeElement;
    if (row?.contains(focused)) queueMicrotask(() => sameStop(fresh, focused)?.focus({ preventScroll: true }));
    return fresh;
  }

  /** Other rows are in sight, or there are more. */
  #moved() {
    const conversation = this.#conversation;
    const visible = this.#list.visible;
    if (visible && visible[0] < LOAD_BEFORE_ROWS && conversation.hasMoreBefore && !this.#loading) void this.#loadBefore();
    this.#read();
    const count = this.#list.atEnd ? 0 : arrivedSince(conversation, this.#seenSeq, COUNTED).length;
    const label = count === 0 ? t('chat.to_end') : count < COUNTED ? t('chat.newer', { count }) : t('chat.newer_many', { count: COUNTED - 1 });
    this.#newer.hidden = this.#list.atEnd;
    // A feed has articles in it.
    this.#scroller.setAttribute('role', conversation.length > 0 ? 'feed' : 'group');
    if (this.#newer.getAttribute('aria-label') === label) return;
    this.#newer.setAttribute('aria-label', label);
    fill(this.#newer, icon('down'), count === 0 ? null : el('span', {}, label));
  }

  async #loadBefore() {
    this.#loading = true;
    this.#scroller.setAttribute('aria-busy', 'true');
    await this.#conversation.loadBefore().catch(() => {});
    this.#loading = false;
    this.#scroller.removeAttribute('aria-busy');
  }

  /** Seen is what stands at the end of a window that somebody looks at. */
  #read() {
    if (!this.#list.atEnd || document.visibilityState !== 'visible' || !document.hasFocus() || this.#scroller.clientHeight === 0) return;
    const newest = newestSeq(this.#conversation);
    if (newest === this.#seenSeq && this.#conversation.row.unread === 0) return;
    this.#seenSeq = newest;
    this.#conversation.markRead();
  }

  /** @param {MouseEvent} event */
  #pressed(event) {
    const button = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest('[data-action]'));
    const article = button && articleOf(button);
    if (button && article) this.#act(button.dataset['action'] ?? '', article, button);
  }

  /** @param {MouseEvent} event */
  #menu(event) {
    const target = /** @type {Element} */ (event.target);
    const article = articleOf(target);
    // Text that is marked, a link, a picture: the browser's own menu knows more.
    if (!article || target.closest('a, img') || String(getSelection() ?? '') !== '') return;
    event.preventDefault();
    // Some browsers ask while the button is still down, and letting go of it would close what has opened by then.
    if (event.buttons === 0) this.#act('message-menu', article);
    else window.addEventListener('mouseup', () => this.#act('message-menu', article), { once: true });
  }

  /**
   * @param {string} action
   * @param {HTMLElement} article
   * @param {HTMLElement} [button]
   */
  #act(action, article, button = article) {
    const message = this.#conversation.find(article.dataset['message'] ?? '');
    if (message) this.#acts.perform(action, message, button);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    const article = articleOf(target);
    const act = listAct(event, target === this.#scroller ? 'list' : target === article ? 'row' : 'inside');
    if (act === null) return;
    event.preventDefault();
    if (act === 'older' || act === 'newer') this.#step(article, act === 'older' ? -1 : 1);
    else if (act === 'first') this.#focusAt(0);
    else if (act === 'last') this.#focusAt(this.#conversation.length - 1, true);
    else if (act === 'to-composer') this.#acts.toComposer();
    else if (act === 'to-row') article?.focus({ preventScroll: true });
    else if (article) this.#act(act === 'menu' ? 'message-menu' : 'message-remove', article);
  }

  /**
   * @param {HTMLElement | null} article
   * @param {number} step
   */
  #step(article, step) {
    const now = article ? this.#conversation.indexOf(article.dataset['message'] ?? '') : -1;
    const [first, last] = this.#list.visible ?? [0, 0];
    const next = now < 0 ? (step < 0 ? last : first) : now + step;
    if (next >= this.#conversation.length) return this.#acts.toComposer();
    this.#focusAt(Math.max(0, next));
  }

  /**
   * @param {number} index
   * @param {boolean} [end]
   */
  #focusAt(index, end = false) {
    const id = this.#conversation.at(index)?.id;
    if (id === undefined) return;
    if (end) this.#list.toEnd();
    const row = this.#list.reveal(id);
    /** @type {HTMLElement | null} */ (row?.querySelector('.message'))?.focus({ preventScroll: true });
  }
}

/** @param {EventTarget | null} target @param {boolean} yes */
function tabStops(target, yes) {
  const article = articleOf(/** @type {Element} */ (target));
  if (article) reachable(article, yes);
}

/** @param {Element} element */
function articleOf(element) {
  return /** @type {HTMLElement | null} */ (element.closest('.message'));
}

/**
 * @param {RowFacts} one
 * @param {RowFacts} other
 */
function same(one, other) {
  return one.day === other.day && one.grouped === other.grouped && one.unreadLine === other.unreadLine;
}
