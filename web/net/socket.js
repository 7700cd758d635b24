/**
 * The signalling WebSocket: requests with answers, keep-alive, and a connection that survives the socket under it.
 *
 * Says `up` {resumed, iceServers} when the server has welcomed it, `message` for everything that is not an answer, `down` when the socket broke and
 * it is trying again, and `ended` {code} when it will not try again. Knows no call: `CallStore` decides what a lost connection means.
 * A request that was on its way when the socket broke is refused with `connection_lost`; whoever asked decides whether to ask again.
 */

/** @import { ClientMessage, ServerFrame, ServerMessage } from '../protocol.js' */

import { SOCKET_BACKOFF, backoffMs } from '../backoff.js';
import { Ledger } from './ledger.js';
import { isFrame, isWellFormed } from './shapes.js';

/** A server that has not answered by then will not. Offers of a full room take the longest. */
const REQUEST_TIMEOUT_MS = 15_000;
/** From opening the socket to `welcome`. */
const OPEN_TIMEOUT_MS = 8_000;
/** After the network changed: an answer must come this soon, else the socket is taken for dead. */
const NUDGE_TIMEOUT_MS = 3_000;
/** Never wait longer than this on the server's word. */
const MAX_DRAIN_MS = 30_000;
/** @type {Record<number, string>} Close codes after which trying again is wrong. */
const FINAL_CLOSE_CODES = { 4401: 'session_ended', 4409: 'connection_replaced' };

/** A request over the socket that was refused, or never answered. */
export class SignalError extends Error {
  /** @param {string} code */
  constructor(code) {
    super(code);
    this.name = 'SignalError';
    this.code = code;
  }
}

/**
 * @typedef {object} Wiring
 * @property {() => Promise<string>} ticket a fresh one-time ticket; an error whose `status` is 401 ends the connection
 * @property {(protocols: string[]) => WebSocket} open
 * @property {() => number} random
 */

/** @typedef {{ resolve: (message: ServerMessage) => void, reject: (error: SignalError) => void, timer: ReturnType<typeof setTimeout> }} Pending */

export class SignalSocket extends EventTarget {
  #wiring;
  #ledger = new Ledger();
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {'closed' | 'waiting' | 'opening' | 'up'} */
  #phase = 'closed';
  /** @type {Map<number, Pending>} Bounded by REQUEST_TIMEOUT_MS and the server's rate limit. */
  #pending = new Map();
  #attempt = 0;
  /** Of the connections that were begun: only the last one counts, and an answer for an earlier one says nothing of it. */
  #begun = 0;
  #helloId = 0;
  #pingIntervalMs = 15_000;
  #heard = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {Wiring} wiring */
  constructor(wiring) {
    super();
    this.#wiring = wiring;
  }

  get isUp() {
    return this.#phase === 'up';
  }

  /** Connect and stay connected. Does nothing when it already tries. */
  connect() {
    if (this.#phase === 'closed') void this.#open();
  }

  /** Disconnect for good. The next `connect` starts a new connection. */
  close() {
    this.#phase = 'closed';
    this.#ledger.forget();
    // A proper goodbye: without it the server keeps the participant for a minute, in case this page comes back.
    this.#drop(1000);
  }

  /** The network may have changed: try at once when waiting, else make sure that the server still hears. */
  nudge() {
    if (this.#phase === 'waiting') {
      clearTimeout(this.#timer);
      this.#attempt = 0;
      void this.#open();
    } else if (this.#phase === 'up') {
      this.request({ type: 'ping' }, NUDGE_TIMEOUT_MS).catch((error) => {
        if (error.code === 'timeout') this.#broken(0);
      });
    }
  }

  /** The server stops or restarts: come back after `retryMs`. @param {number} retryMs */
  drain(retryMs) {
    if (this.#phase === 'up') this.#broken(Math.min(retryMs, MAX_DRAIN_MS) * (1 + this.#wiring.random() / 4));
  }

  /**
   * @param {ClientMessage} message
   * @param {number} [timeoutMs]
   * @returns {Promise<ServerMessage>} its answer; rejects with a SignalError
   */
  request(message, timeoutMs = REQUEST_TIMEOUT_MS) {
    if (this.#phase !== 'up') return Promise.reject(new SignalError('connection_lost'));
    return this.#ask(message, timeoutMs);
  }

  /**
   * @param {ClientMessage} message
   * @param {number} timeoutMs
   * @returns {Promise<ServerMessage>}
   */
  #ask(message, timeoutMs) {
    const id = this.#ledger.takeId();
    if (message.type === 'hello') this.#helloId = id;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(new SignalError('timeout'));
      }, timeoutMs);
      this.#pending.set(id, { resolve, reject, timer });
      this.#socket?.send(JSON.stringify({ id, ...message }));
    });
  }

  async #open() {
    this.#phase = 'opening';
    const turn = ++this.#begun;
    const isOver = () => turn !== this.#begun || this.#phase !== 'opening';
    let ticket;
    try {
      ticket = await this.#wiring.ticket();
    } catch (error) {
      if (isOver()) return;
      const refused = /** @type {{ status?: number, code?: string }} */ (error);
      if (refused.status === 401) this.#end(refused.code === 'other_account' ? 'other_account' : 'session_ended');
      else this.#broken(null);
      return;
    }
    if (isOver()) return;
    const socket = this.#wiring.open(['webcall.v1', `ticket.${ticket}`]);
    this.#socket = socket;
    this.#timer = setTimeout(() => socket === this.#socket && this.#broken(null), OPEN_TIMEOUT_MS);
    socket.onopen = () => {
      this.#ask(this.#ledger.hello(), OPEN_TIMEOUT_MS).catch((error) => {
        if (error.code === 'version_unsupported') this.#end('version_unsupported');
      });
    };
    socket.onmessage = ({ data }) => socket === this.#socket && this.#hear(String(data));
    socket.onclose = ({ code }) => socket === this.#socket && this.#closed(code);
  }

  /** @param {string} text */
  #hear(text) {
    this.#heard = true;
    const frame = parsed(text);
    if (frame === null) return;
    const isWhole = isWellFormed(frame);
    if (frame.type === 'welcome') {
      if (isWhole && frame.id === this.#helloId && this.#phase === 'opening') this.#welcomed(frame);
      return;
    }
    // What is refused before `welcome` stands outside the numbering, with 0.
    if (frame.seq !== 0 && !this.#ledger.take(frame.seq)) return;
    if ('id' in frame) this.#answer(frame, isWhole);
    else if (isWhole) this.dispatchEvent(new CustomEvent('message', { detail: frame }));
  }

  /** @param {Extract<ServerFrame, { id: number }>} frame @param {boolean} isWhole */
  #answer(frame, isWhole) {
    const pending = this.#pending.get(frame.id);
    if (!pending) return;
    this.#pending.delete(frame.id);
    clearTimeout(pending.timer);
    if (!isWhole) pending.reject(new SignalError('bad_answer'));
    else if (frame.type === 'error') pending.reject(new SignalError(frame.code));
    else pending.resolve(frame);
  }

  /** @param {Extract<ServerFrame, { type: 'welcome' }>} welcome */
  #welcomed(welcome) {
    clearTimeout(this.#timer);
    const resumed = this.#ledger.welcomed(welcome);
    this.#answer(welcome, true);
    this.#pingIntervalMs = welcome.ping_interval_s * 1000;
    this.#attempt = 0;
    this.#phase = 'up';
    this.#keepAlive();
    this.dispatchEvent(new CustomEvent('up', { detail: { resumed, iceServers: welcome.ice_servers } }));
  }

  /** A quiet interval is followed by a ping; a second quiet one means broken. */
  #keepAlive() {
    this.#heard = false;
    this.#timer = setTimeout(() => {
      if (this.#phase !== 'up') return;
      if (this.#heard) {
        this.#keepAlive();
        return;
      }
      this.request({ type: 'ping' }, this.#pingIntervalMs).then(
        () => this.#phase === 'up' && this.#keepAlive(),
        (error) => {
          if (error.code === 'timeout') this.#broken(0);
          else if (this.#phase === 'up') this.#keepAlive();
        },
      );
    }, this.#pingIntervalMs);
  }

  /** @param {number} code the WebSocket close code */
  #closed(code) {
    const final = FINAL_CLOSE_CODES[code];
    if (final) this.#end(final);
    else this.#broken(null);
  }

  /** Try again. @param {number | null} waitMs null: by the back-off policy */
  #broken(waitMs) {
    const wasUp = this.#phase === 'up';
    this.#phase = 'waiting';
    this.#drop();
    const delayMs = waitMs ?? backoffMs(SOCKET_BACKOFF, this.#attempt++, this.#wiring.random());
    this.#timer = setTimeout(() => void this.#open(), delayMs);
    if (wasUp) this.dispatchEvent(new Event('down'));
  }

  /** @param {string} code */
  #end(code) {
    this.close();
    this.dispatchEvent(new CustomEvent('ended', { detail: { code } }));
  }

  /** Let go of the socket and of everything asked over it. @param {number} [code] */
  #drop(code) {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close(code);
    }
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject, timer } of pending) {
      clearTimeout(timer);
      reject(new SignalError('connection_lost'));
    }
  }
}

/** @param {string} text @returns {ServerFrame | null} null: nothing that a server says */
function parsed(text) {
  try {
    const said = JSON.parse(text);
    return isFrame(said) ? said : null;
  } catch {
    return null;
  }
}
