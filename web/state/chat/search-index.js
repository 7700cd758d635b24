/**
 * An inverted index in memory: from the beginnings of words to messages. 100,000 messages answer in a few milliseconds (`web/test/search-figures.mjs`).
 *
 * Knows texts and keys, nothing of entries: `Search` says which text a message has now. A message whose text changes gets a new place; the
 * old one is dead. Pure apart from its own state.
 */

import { runsOf, wordsOf } from './words.js';

/** Results that are listed; more do not fit a panel, and another word narrows them. */
export const MAX_RESULTS = 50;
/** New words stand unsorted until there are this many: sorting at every message would cost more than looking at these. */
const MAX_FRESH_WORDS = 1_000;

/** @typedef {{ room: string, seq: number, at: number }} Place */

export class SearchIndex {
  /** By word: the places, ascending. @type {Map<string, number[]>} */
  #postings = new Map();
  /** All words but the fresh ones. @type {string[]} */
  #sorted = [];
  /** @type {string[]} */
  #fresh = [];
  /** null: dead. @type {(Place | null)[]} */
  #places = [];
  /** How many words of the query each place had so far; as long as `#places` at least. */
  #matched = new Uint8Array(1_024);

  /**
   * @param {string} text
   * @param {Place} place
   * @returns {number} to remove it by
   */
  add(text, place) {
    const number = this.#places.push(place) - 1;
    for (const word of runsOf(text)) {
      const posting = this.#postings.get(word);
      if (posting === undefined) {
        this.#postings.set(word, [number]);
        this.#fresh.push(word);
      } else if (posting[posting.length - 1] !== number) posting.push(number);
    }
    return number;
  }

  /** @param {number} number */
  remove(number) {
    this.#places[number] = null;
  }

  /**
   * Places with all these words or beginnings of words, newest first.
   * @param {string} query
   * @param {string | null} room
   * @returns {{ found: Place[], total: number }}
   */
  find(query, room) {
    // Eight words narrow any search; the count of a place fits a byte.
    const words = wordsOf(query).slice(0, 8);
    if (words.length === 0) return { found: [], total: 0 };
    if (this.#matched.length < this.#places.length) this.#matched = new Uint8Array(this.#places.length * 2);
    else this.#matched.fill(0);
    words.forEach((word, step) => this.#mark(word, step));
    return this.#newest(words.length, room);
  }

  /** @param {string} prefix @param {number} step how many words came before it */
  #mark(prefix, step) {
    const matched = this.#matched;
    for (const word of this.#wordsWith(prefix)) {
      for (const number of this.#postings.get(word) ?? []) if (matched[number] === step) matched[number] = step + 1;
    }
  }

  /** @param {string} prefix */
  *#wordsWith(prefix) {
    if (this.#fresh.length > MAX_FRESH_WORDS) {
      // By code units, as `<` compares. What is sorted already is one run for the sort, and costs little.
      this.#sorted = [...this.#sorted, ...this.#fresh.sort()].sort();
      this.#fresh = [];
    }
    for (const word of this.#fresh) if (word.startsWith(prefix)) yield word;
    for (let index = this.#firstFrom(prefix); index < this.#sorted.length; index += 1) {
      const word = /** @type {string} */ (this.#sorted[index]);
      if (!word.startsWith(prefix)) return;
      yield word;
    }
  }

  /** @param {string} prefix */
  #firstFrom(prefix) {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (/** @type {string} */ (this.#sorted[middle]) < prefix) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** @param {number} words @param {string | null} room */
  #newest(words, room) {
    /** Newest first, never longer than what is listed. @type {Place[]} */
    const found = [];
    let total = 0;
    // Backwards, because what came last is mostly the newest.
    for (let number = this.#places.length - 1; number >= 0; number -= 1) {
      const place = this.#matched[number] === words ? this.#places[number] : null;
      if (!place || (room !== null && place.room !== room)) continue;
      total += 1;
      if (found.length === MAX_RESULTS && place.at <= /** @type {Place} */ (found.at(-1)).at) continue;
      const rank = found.findIndex(({ at }) => at < place.at);
      found.splice(rank < 0 ? found.length : rank, 0, place);
      if (found.length > MAX_RESULTS) found.pop();
    }
    return { found, total };
  }
}
