/**
 * Tells the server how far somebody has read: at once when it was quiet, then at most every two seconds, and the last one always. Whoever
 * reads in a busy conversation moves the marker with every message, and each one told is a commit on the server and a hint to all their windows.
 *
 * Only ever rises. What could not be told is told with the next `set` (the list of rooms comes again with every connection).
 */

/** Longer makes other windows show for longer what was read here; shorter is load on the server for each reader of a busy room. */
export const TELL_INTERVAL_MS = 2_000;

export class ReadMarker {
  #tell;
  #now;
  #wanted = 0;
  #told = 0;
  /** What the server said itself. */
  #known = 0;
  #toldAt = -Infinity;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {(seq: number) => Promise<unknown>} tell rejects when the server did not hear it
   * @param {() => number} now
   */
  constructor(tell, now) {
    this.#tell = tell;
    this.#now = now;
  }

  /** The server has it there, or beyond. @param {number} seq */
  serverHas(seq) {
    this.#known = Math.max(this.#known, seq);
    this.#told = Math.max(this.#told, seq);
  }

  /** It was read up to here. @param {number} seq */
  set(seq) {
    this.#wanted = Math.max(this.#wanted, seq);
    if (this.#wanted <= this.#told || this.#timer !== undefined) return;
    // A clock that was set back is no reason to wait longer.
    const wait = Math.min(this.#toldAt + TELL_INTERVAL_MS - this.#now(), TELL_INTERVAL_MS);
    if (wait <= 0) this.#say();
    else this.#timer = setTimeout(() => this.#say(), wait);
  }

  /** Nobody looks any more, or the page goes: what waits for its time is told now. */
  flush() {
    if (this.#timer !== undefined) this.#say();
  }

  stop() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #say() {
    this.stop();
    const seq = this.#wanted;
    if (seq <= this.#told) return;
    this.#told = seq;
    this.#toldAt = this.#now();
    this.#tell(seq).catch(() => {
      // Unless a later one went out since.
      if (this.#told === seq) this.#told = this.#known;
    });
  }
}
