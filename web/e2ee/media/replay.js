/**
 * Which counters of a key have been seen: each opens once. Frames may overtake one another by less than the window; older ones are taken
 * for replays, whether they are or not.
 *
 * Looked at before the frame is opened (cheap) and again when it is taken down (right, also when two tracks open the same frame at once).
 */

/** A second of four simulcast layers and their losses is under 200 frames; the window is an eighth of a kilobyte. */
export const WINDOW = 1_024;

export class ReplayWindow {
  #seen = new Uint8Array(WINDOW / 8);
  #highest = -1;

  /** @param {number} counter */
  isFresh(counter) {
    if (counter > this.#highest) return true;
    return counter > this.#highest - WINDOW && (this.#byte(counter) & this.#bit(counter)) === 0;
  }

  /**
   * Take down the counter of a frame that was opened.
   * @param {number} counter
   * @returns {boolean} false: it has been seen
   */
  take(counter) {
    if (!this.isFresh(counter)) return false;
    if (counter - this.#highest >= WINDOW) this.#seen.fill(0);
    else for (let skipped = this.#highest + 1; skipped <= counter; skipped += 1) this.#seen[this.#index(skipped)] = this.#byte(skipped) & ~this.#bit(skipped);
    this.#seen[this.#index(counter)] = this.#byte(counter) | this.#bit(counter);
    this.#highest = Math.max(this.#highest, counter);
    return true;
  }

  /** @param {number} counter */
  #index(counter) {
    return (counter % WINDOW) >> 3;
  }

  /** @param {number} counter */
  #byte(counter) {
    return this.#seen[this.#index(counter)] ?? 0;
  }

  /** @param {number} counter */
  #bit(counter) {
    return 1 << (counter % 8);
  }
}
