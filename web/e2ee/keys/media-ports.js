/**
 * The ports over which the keys of calls go to media workers, one for each call that the page is in. What this device seals under in a stay
 * goes to one media worker only: a second one would count its frames from the start again, under the same keys, and use a nonce twice.
 */

/** @import { MediaKeys, MediaMessage, Uuid } from './interface.js' */

import { KeysError } from './door.js';
import { epochMessage } from './media-keys.js';

/** Calls that one page is in at once. Beyond that the one connected first is let go. */
const MAX_PORTS = 4;
/** Stays that are remembered: a page that enters a call so often has been loaded anew long since. */
const MAX_STAYS = 1_000;

export class MediaPorts {
  /** @type {Map<Uuid, MessagePort>} */
  #ports = new Map();
  /** Which port has the keys of a stay, by the name of its nonce. @type {Map<string, MessagePort>} */
  #stays = new Map();

  /** @param {Uuid} call @param {MessagePort} port takes the place of the one before */
  connect(call, port) {
    this.#ports.get(call)?.close();
    this.#ports.delete(call);
    this.#ports.set(call, port);
    for (const [oldest, first] of this.#ports) {
      if (this.#ports.size <= MAX_PORTS) break;
      first.close();
      this.#ports.delete(oldest);
    }
  }

  /**
   * @param {MediaKeys} keys of the call's newest epoch
   * @param {MediaMessage} message
   */
  async pass(keys, message) {
    const port = this.#ports.get(message.call);
    if (!port) throw new KeysError('unknown_call');
    const stay = keys.members.find(({ leaf }) => leaf === keys.leaf)?.session;
    if (stay === undefined) throw new KeysError('unknown_call');
    if (this.#stays.size >= MAX_STAYS && !this.#stays.has(stay)) throw new KeysError('full');
    if ((this.#stays.get(stay) ?? port) !== port) throw new KeysError('used_elsewhere');
    this.#stays.set(stay, port);
    port.postMessage(await epochMessage(keys, message));
  }
}
