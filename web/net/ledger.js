/**
 * What one resumable connection has seen and said: the secret to resume with, the last `seq`, the next request id.
 *
 * Owns no socket and no timer. `SignalSocket` asks it what to say in `hello` and whether a frame is new.
 * After a resume the server replays missed frames with their old numbers *behind* the `welcome`, whose own number may be
 * higher than theirs; therefore the number of a resuming `welcome` is not recorded.
 */

/** @import { ClientMessage, ServerFrame } from '../protocol.js' */

/** The protocol spoken here. */
export const PROTOCOL_VERSION = 1;

export class Ledger {
  /** @type {string | null} */
  #connection = null;
  #lastSeq = 0;
  #nextId = 1;

  /** @returns {Extract<ClientMessage, { type: 'hello' }>} */
  hello() {
    if (this.#connection === null) return { type: 'hello', version: PROTOCOL_VERSION };
    return { type: 'hello', version: PROTOCOL_VERSION, resume: { connection: this.#connection, last_seq: this.#lastSeq } };
  }

  /** @returns {number} an id that no request of this connection had */
  takeId() {
    return this.#nextId++;
  }

  /**
   * @param {Extract<ServerFrame, { type: 'welcome' }>} welcome
   * @returns {boolean} whether the earlier connection goes on
   */
  welcomed(welcome) {
    const resumed = welcome.resumed && this.#connection !== null;
    this.#connection = welcome.connection;
    if (!resumed) this.#lastSeq = welcome.seq;
    return resumed;
  }

  /**
   * @param {number} seq
   * @returns {boolean} false for a frame that was already delivered
   */
  take(seq) {
    if (seq <= this.#lastSeq) return false;
    this.#lastSeq = seq;
    return true;
  }

  /** Start afresh: the next `hello` asks for a new connection. */
  forget() {
    this.#connection = null;
    this.#lastSeq = 0;
  }
}
