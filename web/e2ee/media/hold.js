/**
 * A frame that comes before its key: the keys and the frames go different ways, and after a change of the group the frames are often first. It
 * waits for its key a little, and what comes behind it waits with it, so that nothing is lost and nothing out of order.
 */

/** @import { KeyRing } from './keys.js' */

/** Longer than others need to follow a change of the group, shorter than a picture may stand still unnoticed. */
export const HOLD_MS = 400;
/** After a wait in vain there is none for so long: whoever makes up numbers of keys stops a track for a sixth of the time at most. */
export const REST_MS = 2_000;

export class Hold {
  #ring;
  #now;
  #more;
  /** When the frame that waits came. @type {number | null} */
  #began_ms = null;
  #rests_until_ms = 0;
  /** In all. */
  waited_ms = 0;

  /**
   * @param {KeyRing} ring
   * @param {() => number} now
   * @param {(within_ms: number) => Promise<boolean>} more whether more keys came within this time; resolves as soon as they do
   */
  constructor(ring, now, more) {
    this.#ring = ring;
    this.#now = now;
    this.#more = more;
  }

  /**
   * Until more keys are here.
   * @param {number} kid what the frame is sealed under
   * @returns {Promise<boolean>} false: it is not to be waited for, or no longer
   */
  async wait(kid) {
    const now = this.#now();
    if (!this.#ring.mayCome(kid) || now < this.#rests_until_ms) return false;
    this.#began_ms ??= now;
    const isHere = await this.#more(this.#began_ms + HOLD_MS - now);
    this.waited_ms += this.#now() - now;
    if (!isHere) this.#rests_until_ms = this.#now() + REST_MS;
    return isHere;
  }

  /** An epoch has begun: who was late is not later for ever. */
  begin() {
    this.#rests_until_ms = 0;
  }

  /** The frame waits no longer, whatever became of it. */
  done() {
    this.#began_ms = null;
  }
}
