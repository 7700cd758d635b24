/**
 * Receipts of an encrypted direct conversation: who wrote is told that it was read, in a message that the server cannot read either. None in rooms:
 * with everybody's receipts a log would be longer than what was said in it.
 */

/** @import { OutboxItem } from './outbox.js' */
/** @import { Timeline } from './timeline.js' */

import { parseBody } from './body.js';
import { ReadMarker } from './read-marker.js';

/**
 * @typedef {object} Wiring
 * @property {string} me
 * @property {Timeline} timeline
 * @property {() => boolean} isTold whether receipts are sent here, and the person wants it
 * @property {() => readonly OutboxItem[]} waiting what is not sent yet in this conversation
 * @property {(id: string) => Promise<unknown>} send a receipt for this message
 * @property {(item: string) => Promise<unknown>} discard what waits
 * @property {() => number} now
 */

export class Receipts {
  #wiring;
  #marker;

  /** @param {Wiring} wiring */
  constructor(wiring) {
    this.#wiring = wiring;
    this.#marker = new ReadMarker(() => this.#tell(), wiring.now);
  }

  /** All that is loaded was read: told soon, unless it was told already, from here or from another device. */
  read() {
    const message = this.#untold();
    if (message?.seq) this.#marker.set(message.seq);
  }

  /** Who has read the last message, which one wrote oneself. @returns {string[]} */
  get seenBy() {
    const { me, timeline } = this.#wiring;
    const last = timeline.at(timeline.length - 1);
    return last?.own && last.state === 'sent' ? [...timeline.readersOf(last.id)].filter((user) => user !== me) : [];
  }

  flush() {
    this.#marker.flush();
  }

  stop() {
    this.#marker.stop();
  }

  #untold() {
    const { me, timeline, isTold } = this.#wiring;
    const message = isTold() ? timeline.newestOfOthers : undefined;
    return message && !timeline.readersOf(message.id).has(me) ? message : undefined;
  }

  /** One that was not sent yet says less than this one. */
  async #tell() {
    const message = this.#untold();
    if (message === undefined) return;
    const before = this.#wiring.waiting().filter(({ content }) => parseBody(content).type === 'read');
    for (const { id } of before) await this.#wiring.discard(id);
    await this.#wiring.send(message.id);
  }
}
