/**
 * A list of any length of which only the rows near the window are in the page. It keeps its place: the row at the top of the window stays
 * where it is when rows come before it or turn out higher than thought, and at the end it sticks to the end. Knows nothing of what rows
 * are; whoever uses it gives keys that stay, draws, and calls `update` when the rows changed.
 */

import { el } from './dom.js';
import { Heights } from './heights.js';

/** Drawn beyond each edge of the window: more costs frames, less shows white on quick turns of the wheel. */
const MARGIN_PX = 600;
/** This near to the end is at the end: rounding, and nothing that a hand could mean. */
const END_PX = 2;
/** Until enough rows were measured to know better. */
const ROW_ESTIMATE_PX = 56;
const ENOUGH_MEASURED = 30;
/** Each round draws what came into the window because others were lower than thought; two are the rule. */
const MOST_ROUNDS = 6;

/**
 * @typedef {object} Source
 * @property {() => number} length
 * @property {(index: number) => string} key
 * @property {(key: string) => number} index -1 when it is gone
 * @property {(index: number, shown: HTMLElement | null) => HTMLElement} draw gives `shown` back when it is still right
 */

export class WindowedList {
  #source;
  #moved;
  #heights = new Heights(ROW_ESTIMATE_PX);
  #spacer = el('div', { class: 'windowed-spacer' });
  #block = el('div', { class: 'windowed-block' });
  /** @type {Map<string, HTMLElement>} */
  #rows = new Map();
  /** What stays in its place. @type {{ key: string, index: number, top: number } | null} */
  #anchor = null;
  #atEnd = true;
  #painting = false;
  /** Of all rows measured so far: what others are thought to be. A good guess spares a second round of drawing in most frames. */
  #measured = { rows: 0, px: 0 };
  /** How high the drawn rows are together. */
  #blockPx = 0;
  /** Where the window is and how high, as last asked: asking between two changes of the page costs a layout. */
  #top = 0;
  #height = 0;

  /**
   * @param {HTMLElement} scroller
   * @param {Source} source
   * @param {() => void} moved the window shows other rows now
   * @param {AbortSignal} signal
   */
  constructor(scroller, source, moved, signal) {
    this.scroller = scroller;
    this.#source = source;
    this.#moved = moved;
    this.#spacer.append(this.#block);
    scroller.append(this.#spacer);
    scroller.addEventListener('scroll', () => this.#scrolled(), { signal, passive: true });
    const observer = new ResizeObserver((entries) => this.#resized(entries));
    observer.observe(scroller);
    observer.observe(this.#block);
    signal.addEventListener('abort', () => observer.disconnect());
  }

  get atEnd() {
    return this.#atEnd;
  }

  /** The first and the last row of which anything can be seen; null when there is none. @returns {[number, number] | null} */
  get visible() {
    if (this.#heights.length === 0 || this.#height === 0) return null;
    return [this.#heights.indexAt(this.#top), this.#heights.indexAt(this.#top + this.#height - 1)];
  }

  /** @param {string} key */
  row(key) {
    return this.#rows.get(key) ?? null;
  }

  /** The rows are others, or other in what they show. */
  update() {
    const length = this.#source.length();
    const now = this.#anchor ? this.#source.index(this.#anchor.key) : -1;
    const shift = this.#anchor && now >= 0 ? now - this.#anchor.index : 0;
    if (length !== this.#heights.length || shift !== 0) {
      if (this.#measured.rows >= ENOUGH_MEASURED) this.#heights.estimate = this.#measured.px / this.#measured.rows;
      this.#heights.resize(length, shift);
    }
    if (this.#anchor) this.#anchor = now >= 0 ? { ...this.#anchor, index: now } : null;
    this.#paint('all');
  }

  toEnd() {
    this.#atEnd = true;
    this.#paint('new');
  }

  /** All rows are others: show the end of them. */
  reset() {
    this.#anchor = null;
    this.#atEnd = true;
    this.update();
  }

  /**
   * Bring a row into the middle of the window.
   * @param {string} key
   * @returns {HTMLElement | null}
   */
  show(key) {
    const index = this.#source.index(key);
    if (index < 0) return null;
    this.#atEnd = false;
    this.#anchor = { key, index, top: Math.round(this.#height * 0.35) };
    this.#paint('new');
    return this.row(key);
  }

  /** Move as little as needed for a row that has the focus. @param {string} key */
  reveal(key) {
    const index = this.#source.index(key);
    if (index < 0) return null;
    const [top, height] = [this.#heights.offset(index), this.#heights.get(index)];
    const place = top < this.#top ? 8 : Math.max(8, this.#height - height - 8);
    if (top < this.#top || top + height > this.#top + this.#height) {
      this.#atEnd = false;
      this.#anchor = { key, index, top: place };
      this.#paint('new');
    }
    return this.row(key);
  }

  #scrolled() {
    const { scrollTop, clientHeight, scrollHeight } = this.scroller;
    if (clientHeight === 0) return;
    this.#top = scrollTop;
    this.#height = clientHeight;
    this.#atEnd = scrollHeight - scrollTop - clientHeight < END_PX;
    this.#takeAnchor();
    this.#paint('new');
  }

  /** The window or a row has another size: a picture came, a phone was turned. That other rows were drawn is known. @param {ResizeObserverEntry[]} entries */
  #resized(entries) {
    if (entries.every(({ target, contentRect }) => target === this.#block && Math.abs(contentRect.height - this.#blockPx) < 0.5)) return;
    if (!this.#painting) this.#paint('size');
  }

  #takeAnchor() {
    const index = this.#heights.indexAt(this.#top);
    this.#anchor = this.#heights.length === 0 ? null : { key: this.#source.key(index), index, top: this.#heights.offset(index) - this.#top };
  }

  /** @param {'all' | 'new' | 'size'} what has to be looked at again */
  #paint(what) {
    // Out of sight nothing has a size; coming into sight is a resize.
    if (what !== 'new' || this.#height === 0) this.#height = this.scroller.clientHeight;
    if (this.#height === 0) return;
    // The rows have changed and the word of it is still to come.
    if (this.#source.length() !== this.#heights.length) return this.update();
    this.#painting = true;
    this.#spacer.style.height = `${this.#heights.total}px`;
    this.#place();
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      const changed = this.#drawWindow(round === 0 ? what : 'new');
      this.#place();
      if (!changed) break;
    }
    // What fits whole is seen to its end, wherever one was sent in it.
    if (this.#heights.total <= this.#height) this.#atEnd = true;
    this.#takeAnchor();
    this.#painting = false;
    this.#moved();
  }

  /** Scroll to where the place kept is now. */
  #place() {
    const last = Math.max(0, this.#heights.total - this.#height);
    const kept = this.#atEnd || !this.#anchor ? last : this.#heights.offset(this.#anchor.index) - this.#anchor.top;
    const wanted = Math.max(0, Math.min(kept, last));
    if (Math.abs(wanted - this.#top) < 1) return;
    this.scroller.scrollTop = wanted;
    this.#top = this.scroller.scrollTop;
  }

  /**
   * @param {'all' | 'new' | 'size'} what
   * @returns {boolean} whether a height was another than thought
   */
  #drawWindow(what) {
    const length = this.#heights.length;
    const from = length === 0 ? 0 : this.#heights.indexAt(this.#top - MARGIN_PX);
    const to = length === 0 ? 0 : this.#heights.indexAt(this.#top + this.#height + MARGIN_PX) + 1;
    const fresh = this.#reconcile(from, to, what);
    this.#block.style.transform = `translateY(${this.#heights.offset(from)}px)`;
    let changed = false;
    const measured = fresh.map(({ index, row }) => ({ index, height: row.getBoundingClientRect().height }));
    for (const { index, height } of measured) {
      this.#measured.rows += 1;
      this.#measured.px += height;
      if (Math.abs(this.#heights.set(index, height)) > 0.01) changed = true;
    }
    this.#blockPx = this.#heights.offset(to) - this.#heights.offset(from);
    if (changed) {
      this.#block.style.transform = `translateY(${this.#heights.offset(from)}px)`;
      this.#spacer.style.height = `${this.#heights.total}px`;
    }
    return changed;
  }

  /**
   * Put these rows, and no others, into the page.
   * @param {number} from
   * @param {number} to
   * @param {'all' | 'new' | 'size'} what
   * @returns {{ index: number, row: HTMLElement }[]} those to be measured
   */
  #reconcile(from, to, what) {
    /** @type {Map<string, HTMLElement>} */
    const rows = new Map();
    const fresh = [];
    for (let index = from; index < to; index += 1) {
      const key = this.#source.key(index);
      const shown = this.#rows.get(key) ?? null;
      const row = shown && what !== 'all' ? shown : this.#source.draw(index, shown);
      rows.set(key, row);
      if (row !== shown || what !== 'new') fresh.push({ index, row });
    }
    const kept = new Set(rows.values());
    for (const row of this.#rows.values()) if (!kept.has(row)) this.#take(row);
    let next = this.#block.firstElementChild;
    for (const row of rows.values()) {
      if (row === next) next = next.nextElementSibling;
      else this.#block.insertBefore(row, next);
    }
    this.#rows = rows;
    return fresh;
  }

  /** The focus does not vanish with the row that has it. @param {HTMLElement} row */
  #take(row) {
    if (row.contains(document.activeElement)) this.scroller.focus({ preventScroll: true });
    row.remove();
  }
}
