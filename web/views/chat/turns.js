/** Whose turn it is to speak: not more often than people can listen. Without a clock of its own. */

/** At most one turn to speak in `quietMs`. */
export class Turns {
  #quietMs;
  #free = -Infinity;

  /** @param {number} quietMs */
  constructor(quietMs) {
    this.#quietMs = quietMs;
  }

  /**
   * @param {number} nowMs
   * @returns {number} milliseconds until one may speak; 0 takes the turn
   */
  ask(nowMs) {
    if (nowMs < this.#free) return this.#free - nowMs;
    this.#free = nowMs + this.#quietMs;
    return 0;
  }
}
