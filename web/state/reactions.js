/** Which reaction of whom is shown now: the last one of each, for a few seconds. Bounded by the people in the call. */

/** How long a reaction is shown. */
export const SHOWN_MS = 4_000;
/** Changes within this time are told together: a large call reacts fifty times a second. */
export const GATHER_MS = 50;

/** @typedef {{ emoji: string, serial: number }} Reaction `serial` tells the same emoji sent again from the one before */

export class Reactions {
  #changed;
  /** @type {Map<string, { reaction: Reaction, timer: ReturnType<typeof setTimeout> }>} */
  #shown = new Map();
  #serial = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #telling;

  /** @param {() => void} changed */
  constructor(changed) {
    this.#changed = changed;
  }

  /**
   * @param {string} participant
   * @returns {Reaction | null}
   */
  of(participant) {
    return this.#shown.get(participant)?.reaction ?? null;
  }

  /**
   * @param {string} participant
   * @param {string} emoji
   */
  show(participant, emoji) {
    clearTimeout(this.#shown.get(participant)?.timer);
    const timer = setTimeout(() => this.end(participant), SHOWN_MS);
    this.#shown.set(participant, { reaction: { emoji, serial: ++this.#serial }, timer });
    this.#tell();
  }

  /** @param {string} participant */
  end(participant) {
    const shown = this.#shown.get(participant);
    if (!shown) return;
    clearTimeout(shown.timer);
    this.#shown.delete(participant);
    this.#tell();
  }

  clear() {
    for (const { timer } of this.#shown.values()) clearTimeout(timer);
    this.#shown.clear();
  }

  #tell() {
    this.#telling ??= setTimeout(() => {
      this.#telling = undefined;
      this.#changed();
    }, GATHER_MS);
  }
}
