/** How often something may be done: at most once in an interval for each name, and for few names at a time. */

export class Pace {
  /** @type {Map<string, number>} */
  #last = new Map();
  #interval_ms;
  #max;

  /**
   * @param {number} interval_ms between two of one name
   * @param {number} max names within an interval; further ones wait for the next
   */
  constructor(interval_ms, max) {
    this.#interval_ms = interval_ms;
    this.#max = max;
  }

  /**
   * @param {number} now
   * @param {string} [name]
   */
  allows(now, name = '') {
    for (const [each, at] of this.#last) if (now - at >= this.#interval_ms) this.#last.delete(each);
    if (this.#last.has(name) || this.#last.size >= this.#max) return false;
    this.#last.set(name, now);
    return true;
  }
}
