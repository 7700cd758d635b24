/** Who is typing in a room: forgotten when nothing is heard for some seconds, or when their message comes. Says through `changed`. */

/** They say it again every 3 s; one of these may be lost. */
const FORGET_MS = 6_500;
/** The line names a few; a room where a thousand type at once needs no more. */
const MAX_TYPING = 20;

export class Typing {
  #changed;
  /** @type {Map<string, ReturnType<typeof setTimeout>>} */
  #timers = new Map();

  /** @param {() => void} changed */
  constructor(changed) {
    this.#changed = changed;
  }

  get users() {
    return [...this.#timers.keys()];
  }

  /** @param {string} user */
  heard(user) {
    const known = this.#timers.has(user);
    if (!known && this.#timers.size >= MAX_TYPING) return;
    clearTimeout(this.#timers.get(user));
    this.#timers.set(user, setTimeout(() => this.stopped(user), FORGET_MS));
    if (!known) this.#changed();
  }

  /** @param {string} user */
  stopped(user) {
    if (!this.#timers.has(user)) return;
    clearTimeout(this.#timers.get(user));
    this.#timers.delete(user);
    this.#changed();
  }

  clear() {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }
}
