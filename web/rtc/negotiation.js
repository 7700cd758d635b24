/**
 * Offers, one at a time. Asking again while one is under way makes one more afterwards, however often it was asked.
 *
 * A failed offer is rolled back and made again after a growing wait; an offer that the lost connection swallowed does not count as a
 * failure. After MAX_FAILURES in a row it says `failed` and stops: then only a new connection helps.
 */

import { OFFER_BACKOFF, backoffMs } from '../backoff.js';

/** About 12 s of trying. */
const MAX_FAILURES = 5;

/**
 * @typedef {object} Exchange
 * @property {(sdp: string) => Promise<string>} send gives the offer, resolves with the answer's SDP
 * @property {() => void} prepare called before each offer: the last moment to add m-lines
 * @property {() => void} settled after each answer
 * @property {(code: string) => void} failed
 * @property {(ms: number) => Promise<void>} sleep
 * @property {() => number} random
 */

export class Negotiator {
  #pc;
  #exchange;
  #asked = false;
  #running = false;
  #closed = false;
  #restartIce = false;

  /**
   * @param {RTCPeerConnection} pc
   * @param {Exchange} exchange
   */
  constructor(pc, exchange) {
    this.#pc = pc;
    this.#exchange = exchange;
  }

  /** Make an offer soon. */
  request() {
    this.#asked = true;
    if (!this.#running) void this.#run();
  }

  /** Make an offer that finds a new network path. */
  restartIce() {
    this.#restartIce = true;
    this.request();
  }

  close() {
    this.#closed = true;
  }

  async #run() {
    this.#running = true;
    let failures = 0;
    while (this.#asked && !this.#closed) {
      this.#asked = false;
      const restart = this.#restartIce;
      this.#restartIce = false;
      try {
        await this.#once(restart);
        failures = 0;
      } catch (error) {
        if (this.#closed) break;
        const code = /** @type {{ code?: unknown }} */ (error).code;
        if (code !== 'connection_lost') failures += 1;
        this.#asked = true;
        this.#restartIce ||= restart;
        await this.#rollBack();
        if (failures >= MAX_FAILURES) {
          this.#asked = false;
          this.#exchange.failed(typeof code === 'string' ? code : 'negotiation_failed');
          break;
        }
        await this.#exchange.sleep(backoffMs(OFFER_BACKOFF, Math.max(0, failures - 1), this.#exchange.random()));
      }
    }
    this.#running = false;
  }

  /** @param {boolean} restart */
  async #once(restart) {
    if (restart) this.#pc.restartIce();
    this.#exchange.prepare();
    await this.#pc.setLocalDescription();
    const answer = await this.#exchange.send(this.#pc.localDescription?.sdp ?? '');
    if (this.#closed) return;
    await this.#pc.setRemoteDescription({ type: 'answer', sdp: answer });
    this.#exchange.settled();
  }

  async #rollBack() {
    if (this.#pc.signalingState !== 'have-local-offer') return;
    await this.#pc.setLocalDescription({ type: 'rollback' }).catch(() => {});
  }
}
