// A small WebDriver BiDi connection: commands out, answers and events in, over one WebSocket (https://w3c.github.io/webdriver-bidi/).

import WebSocket from 'ws';

const COMMAND_BOUND_MS = 120_000;

export class Bidi {
  #socket;
  #next = 1;
  #waiting = new Map();
  #listeners = [];

  static async connect(url) {
    const bidi = new Bidi();
    bidi.#socket = new WebSocket(url, { perMessageDeflate: false, maxPayload: 256 << 20 });
    await new Promise((resolve, reject) => {
      bidi.#socket.once('open', resolve);
      bidi.#socket.once('error', reject);
    });
    bidi.#socket.on('message', (text) => bidi.#take(JSON.parse(text)));
    bidi.#socket.on('close', () => bidi.#end());
    return bidi;
  }

  /** Sends a command; fails with the browser's own words. */
  send(method, params = {}) {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new Error(`${method}: no answer in ${COMMAND_BOUND_MS} ms`));
      }, COMMAND_BOUND_MS);
      this.#waiting.set(id, { resolve, reject, timer, method });
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }

  /** The next event of this kind that fits. */
  next(kind, fits) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no ${kind} in ${COMMAND_BOUND_MS} ms`)), COMMAND_BOUND_MS);
      const listener = (method, params) => {
        if (method !== kind || !fits(params)) return;
        clearTimeout(timer);
        this.#listeners.splice(this.#listeners.indexOf(listener), 1);
        resolve(params);
      };
      this.#listeners.push(listener);
    });
  }

  /** Calls back for every event. */
  onEvent(listener) {
    this.#listeners.push(listener);
  }

  close() {
    this.#socket.terminate();
  }

  #take(message) {
    if (message.type === 'event') {
      for (const listener of [...this.#listeners]) listener(message.method, message.params);
      return;
    }
    const waiting = this.#waiting.get(message.id);
    if (waiting === undefined) return;
    this.#waiting.delete(message.id);
    clearTimeout(waiting.timer);
    if (message.type === 'success') waiting.resolve(message.result);
    else waiting.reject(new Error(`${waiting.method}: ${message.error}: ${message.message}`));
  }

  #end() {
    for (const { reject, timer, method } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(new Error(`${method}: the browser closed the connection`));
    }
    this.#waiting.clear();
  }
}
